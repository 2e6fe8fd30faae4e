// A program of somebody who uses the API: written against the types that openapi-typescript makes of a running server's
// description (schema.d.ts), checked by the compiler, and then run against that server. See openapi.test.mjs.
import createClient from 'openapi-fetch';
import type { paths, components } from './schema';

type Row = { user: string | null; amount: number | null };

export async function run(baseUrl: string, key: string): Promise<string[]> {
  const api = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${key}` } });
  const done: string[] = [];

  const inserted = await api.POST('/api/data/insert/{table}', {
    params: { path: { table: 'clients' }, query: { wait: true } },
    body: [{ user: 'alice', amount: 1.5 }, { user: 'bob', amount: 2 }],
  });
  if (inserted.error) throw new Error(inserted.error.detail);
  const receipt = 'receipt' in inserted.data ? inserted.data.receipt : '';
  done.push(`receipt ${receipt.length}`);

  const became = await api.GET('/api/receipts/{receipt}', { params: { path: { receipt } } });
  const state: 'logged' | 'loaded' | 'partly_failed' | undefined = became.data?.state;
  done.push(`state ${state}`);

  const rows = await api.POST('/api/data/query', { body: { query: 'SELECT count(*) AS n FROM clients WHERE amount > $1', params: [1] } });
  done.push(`rows ${JSON.stringify(rows.data)}`);

  const share = await api.POST('/api/data/share', { body: { query: 'SELECT 1 AS n', duration: 60, formats: ['csv'] } });
  const link: string | undefined = typeof share.data === 'object' ? share.data.url : share.data;
  done.push(`share ${new URL(link ?? '').pathname.length}`);

  // A saved endpoint has a type of its own.
  const called = await api.GET('/api/endpoints/by_user.json', { params: { query: { user: 'bob' } } });
  const typed: Row[] | undefined = called.data;
  done.push(`endpoint ${JSON.stringify(typed)}`);

  const tables = await api.GET('/api/tables');
  const first: components['schemas']['Table'] | undefined = tables.data?.data.find((table) => table.name === 'clients');
  done.push(`table ${first?.columns.map((column) => column.name).join()}`);

  const wrong = await api.POST('/api/data/query', { body: { query: 'SELEC' } });
  done.push(`problem ${wrong.error?.status} ${wrong.error?.type}`);
  return done;
}
