// A thousand shares; and what somebody learns who guesses, measures, or lists.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { randomUUID } from 'node:crypto';
import { problem, sleep, useServer } from './lib.mjs';

const kShares = 1000;
const inParallel = async (items, work, width = 16) => {
  const queue = [...items.entries()];
  const results = new Array(items.length);
  await Promise.all(Array.from({ length: width }, async () => {
    for (let next = queue.shift(); next; next = queue.shift()) results[next[0]] = await work(next[1], next[0]);
  }));
  return results;
};

describe('a thousand shares', () => {
  const server = useServer();
  let shares;
  const make = async (spec = {}) => {
    const answer = await server.api('/api/data/share', { body: JSON.stringify({ query: 'SELECT n FROM people', duration: 3600, ...spec }) });
    assert.equal(answer.status, 200, answer.text);
    return answer.json();
  };
  const data = (id) => server.request(`/share/${id}/data.csv`);
  before(async () => {
    await server.insert('people', [{ n: 1 }, { n: 2 }], { query: '?wait=true' });
    shares = await inParallel(Array.from({ length: kShares }), (_, i) => make({ name: `share ${i}` }));
  });

  it('are listed page by page, each once, with their URLs', { timeout: 60_000 }, async () => {
    const seen = [];
    let pages = 0;
    for (let after = null; ; ++pages) {
      const page = (await server.api(`/api/shares?limit=300${after ? `&after=${after}` : ''}`)).json();
      seen.push(...page.data.map((share) => share.id));
      after = page.next;
      if (!after) break;
    }
    assert.equal(pages, 3);
    assert.equal(seen.length, kShares);
    assert.deepEqual(new Set(seen), new Set(shares.map((share) => share.id)));
  });

  it('answer, each with its own', { timeout: 60_000 }, async () => {
    const some = shares.filter((_, i) => i % 20 === 0);
    for (const answer of await inParallel(some, ({ id }) => data(id), 8)) assert.equal(answer.text, 'n\n1\n2\n');
  });

  it('have ids of 122 random bits, that say nothing of each other', () => {
    const ids = shares.map((share) => share.id);
    assert.equal(new Set(ids).size, kShares);
    for (const id of ids) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    const bits = ids.map((id) => BigInt(`0x${id.replaceAll('-', '')}`));
    // Each bit but the six of the version is as often 1 as 0: 500 ± 5 standard deviations.
    for (let bit = 0n; bit < 128n; ++bit) {
      const ones = bits.filter((value) => (value >> bit) & 1n).length;
      const fixed = (bit >= 76n && bit < 80n) || (bit >= 62n && bit < 64n);
      if (fixed) assert.ok(ones === 0 || ones === kShares, `bit ${bit}`);
      else assert.ok(Math.abs(ones - kShares / 2) < 80, `bit ${bit} is set ${ones} times`);
    }
    // They are not in the order in which they were made, nor in its reverse.
    const ascents = bits.filter((value, i) => i > 0 && value > bits[i - 1]).length;
    assert.ok(Math.abs(ascents - kShares / 2) < 50, `${ascents} of ${kShares} are above the one before`);
  });

  it('cannot be guessed: what is near one, or looks like one, is the same 404', { timeout: 60_000 }, async () => {
    const { id } = shares[7];
    const flip = (i) => id.slice(0, i) + ((parseInt(id[i], 16) + 1) % 16).toString(16) + id.slice(i + 1);
    const near = [...id].flatMap((c, i) => (c === '-' ? [] : [flip(i)]));
    const odd = ['', 'x', id.slice(0, 35), `${id}0`, `{${id}}`, `urn:uuid:${id}`, encodeURIComponent(`${id}' OR '1'='1`), `%00${id}`, `${id}%00`, '..', '.', '*', '%25', 'share', '0'.repeat(36), id.replaceAll('-', '')];
    const wanted = (answer) => JSON.stringify([answer.status, answer.headers['content-type'], answer.text.replace(/"request_id":"\w+"/, '')]);
    const unknown = wanted(await data(randomUUID()));
    assert.match(unknown, /^\[404/);
    const guesses = [...near, ...odd.filter((text) => text !== ''), ...Array.from({ length: 500 }, () => randomUUID())];
    for (const answer of await inParallel(guesses, data)) assert.equal(wanted(answer), unknown);
    assert.equal((await data(id.toUpperCase())).status, 200, 'a UUID is the same in capitals');
  });

  it('lists of others are not to be had: by another key, by paths, by methods', async () => {
    problem(await server.request('/api/shares'), 401);
    for (const target of ['/share', '/share/', '/share//data.csv', '/share/?all=true']) assert.ok([404, 405].includes((await server.request(target)).status), target);
    const page = await server.request(`/share/${shares[3].id}`, { headers: { Accept: 'text/html' } });
    for (const other of [shares[2], shares[4]]) assert.ok(!page.text.includes(other.id));
  });

  it('the time of an answer does not tell what was there from what never was', { timeout: 120_000 }, async () => {
    const [revoked, expired] = [await make(), await make({ duration: 1 })];
    await server.api(`/api/shares/${revoked.id}`, { method: 'DELETE' });
    await sleep(1200);
    const times = { never: [], revoked: [], expired: [] };
    for (let round = 0; round < 400; ++round) {
      for (const [kind, id] of [['never', randomUUID()], ['revoked', revoked.id], ['expired', expired.id]].sort(() => Math.random() - 0.5)) {
        const began = process.hrtime.bigint();
        assert.equal((await data(id)).status, 404);
        times[kind].push(Number(process.hrtime.bigint() - began));
      }
    }
    // How likely one of these takes longer than one of those: a half where nothing can be told (Mann and Whitney's U).
    const longer = (a, b) => a.reduce((sum, x) => sum + b.filter((y) => x > y).length, 0) / (a.length * b.length);
    for (const kind of ['revoked', 'expired']) {
      const u = longer(times[kind], times.never);
      assert.ok(Math.abs(u - 0.5) < 0.2, `${kind}: ${u}`);
    }
  });

  it('are revoked, all of them, each at once', { timeout: 120_000 }, async () => {
    await inParallel(shares, async ({ id }, i) => {
      assert.equal((await server.api(`/api/shares/${id}`, { method: 'DELETE' })).status, 204);
      if (i % 50 === 0) assert.equal((await data(id)).status, 404);
    });
    assert.deepEqual((await server.api('/api/shares')).json().data, []);
    const all = (await server.api('/api/shares?all=true&limit=1000')).json();
    assert.equal(all.data.length, 1000);
    for (const answer of await inParallel(shares.slice(0, 50), ({ id }) => data(id))) assert.equal(answer.status, 404);
  });
});
