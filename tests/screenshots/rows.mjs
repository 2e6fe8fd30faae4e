// A small shop's rows, the same each time but for the day they are of.
import { sleep } from '../e2e/lib.mjs';

const kDay = 86_400_000;

// Numbers of a linear congruential generator: nothing here needs better ones.
function numbers(seed) {
  let state = seed;
  return (below) => { state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32; return Math.floor((state / 2 ** 32) * below); };
}

const names = ['alice', 'bob', 'chloé', 'dmitri', 'eve', 'farid', 'grace', 'hiro'];
const goods = ['green tea', 'black tea', 'oolong', 'teapot', 'cup', 'strainer'];
const countries = ['DE', 'FR', 'GB', 'US', 'JP'];

function orders(count) {
  const any = numbers(7);
  const now = Date.now();
  return Array.from({ length: count }, (_, i) => {
    const days = 30 * (1 - i / count);
    const quantity = 1 + any(4);
    return {
      order_id: 10_001 + i, customer: { name: names[any(names.length)], country: countries[any(countries.length)] }, product: goods[any(goods.length)], quantity,
      total: Math.round((quantity * (4 + any(900) / 100) + (30 - days) / 3) * 100) / 100, paid: any(12) !== 0, ordered_at: new Date(now - days * kDay - any(3_000_000)).toISOString(),
    };
  });
}

export async function fill(server) {
  const key = server.key;
  await server.insert('orders', orders(3000), { key, query: '?wait=true' });
  await server.insert('page_views', Array.from({ length: 800 }, (_, i) => ({ path: ['/', '/tea', '/cart', '/about'][i % 4], user: names[i % 8], ms: 20 + ((i * 37) % 180) })), { key, query: '?wait=true' });
  // What a contract refuses is kept, with its reason.
  await server.api('/api/tables/ledger/contract', { key, method: 'PUT', body: JSON.stringify({ columns: 'freeze', data_type: 'discard_row' }) });
  await server.insert('ledger', [{ account: 'cash', amount: 12.5, booked: '2026-01-31T12:00:00Z' }], { key, query: '?wait=true' });
  await server.insert('ledger', [{ account: 'cash', amount: 'twelve' }, { account: 'bank', amount: 3, note: 'a new column' }, { account: 'bank', amount: 7 }], { key, query: '?wait=true' });
  return {
    // Rows that come while a picture is taken.
    keepSending() {
      let on = true;
      const done = (async () => {
        for (let i = 0; on; ++i) {
          await server.insert('page_views', Array.from({ length: Math.round(24 + 14 * Math.sin(i / 22) + ((i * 7) % 9)) }, () => ({ path: '/tea', user: names[i % 8], ms: 42 })), { key });
          await sleep(60 + ((i * 13) % 50));
        }
      })();
      return { stop: async () => { on = false; await done; } };
    },
  };
}
