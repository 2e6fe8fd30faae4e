// Contracts, the history of schemas, failed rows and receipts over HTTP.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { eventually, problem, runBinary, startServer, useServer } from './lib.mjs';

describe('contracts and failed rows', () => {
  const server = useServer();
  const contract_of = (table) => `/api/tables/${encodeURIComponent(table)}/contract`;
  async function put(table, contract, options = {}) {
    const answer = await server.api(contract_of(table), { method: 'PUT', body: JSON.stringify(contract), ...options });
    assert.equal(answer.status, 200, answer.text);
    return answer.json();
  }
  const failed = async (query = '') => {
    const answer = await server.api(`/api/data/failed${query}`);
    assert.equal(answer.status, 200, answer.text);
    return answer.json();
  };
  const retry = async (query = '', body = '') => {
    const answer = await server.api(`/api/data/failed/retry${query}`, { method: 'POST', body });
    assert.equal(answer.status, 200, answer.text);
    return answer.json();
  };
  const post = async (table, rows, query = '') => {
    const answer = await server.api(`/api/data/insert/${encodeURIComponent(table)}${query}`, { method: 'POST', body: JSON.stringify(rows) });
    assert.equal(answer.status, 200, answer.text);
    return answer.json();
  };
  const values = async (sql) => (await server.rows(sql)).map((row) => Object.values(row)[0]);
  async function key_of(spec) {
    const made = await server.api('/api/destinations/local/keys', { key: server.adminKey, body: JSON.stringify(spec) });
    assert.equal(made.status, 200, made.text);
    return made.json().api_key;
  }

  test('a contract is read back as it was set, and the default where none was', async () => {
    const initial = (await server.api(contract_of('later'))).json();
    assert.deepEqual(initial, { tables: 'evolve', columns: 'evolve', data_type: 'evolve', timestamps: true, max_columns: null, flatten: null, flatten_depth: null });
    const set = await put('later', { columns: 'freeze', flatten: 'explode', max_columns: 12 });
    assert.deepEqual(set, { ...initial, columns: 'freeze', flatten: 'vertical', max_columns: 12 });
    assert.deepEqual((await server.api(contract_of('LATER'))).json(), set, 'names of tables have no case');
    assert.deepEqual(await put('later', {}), initial, 'what is left out has its default');
  });

  test('strict=true refuses a request for a row that only loading would refuse, and nothing of it is kept', async () => {
    await post('strict', [{ n: 1 }], '?wait=true');
    await put('strict', { columns: 'freeze' });
    const send = (rows, query = '?strict=true', headers = {}) => server.api(`/api/data/insert/strict${query}`, { body: rows.map((r) => JSON.stringify(r)).join('\n'), headers });
    const bad = [{ n: 2 }, { n: 3, m: 1 }, { n: 4 }];
    const told = problem(await send(bad), 400, 'contract-freeze');
    assert.equal(told.row, 1);
    assert.match(told.detail, /row 1: .*"m"/);
    problem(await send(bad, '?strict=true&dry_run=true'), 400, 'contract-freeze');
    // 1.5 MB: a body that stands in a file of the journal.
    const many = Array.from({ length: 30_000 }, (_, i) => ({ n: i, ...(i === 29_000 ? { m: 'x' } : {}), ...(i % 100 === 0 ? { n: `${'9'.repeat(4_000)}` } : {}) }));
    assert.equal(problem(await send(many), 400, 'contract-freeze').row, 29_000);
    // A retry of what was refused is asked again, not answered from the first time.
    const keyed = { 'Idempotency-Key': 'strict-1' };
    problem(await send(bad, '?strict=true', keyed), 400, 'contract-freeze');
    assert.deepEqual(await values('SELECT n FROM strict'), [1]);
    assert.equal((await failed('?table=strict')).total, 0);
    await put('strict', { columns: 'evolve' });
    assert.equal((await send(bad, '?strict=true&wait=true', keyed)).json().rows, 3);
    assert.equal((await send(bad, '?strict=true&wait=true', keyed)).headers['idempotent-replayed'], 'true');
    assert.equal(await server.value('SELECT count(*) FROM strict'), 4);
    problem(await server.api('/api/data/insert/strict_product?strict=true&flatten=vertical', { body: JSON.stringify({ a: Array(200).fill(1), b: Array(200).fill(2) }) }), 400, 'too-many-rows');
  });

  test('a strict request that only the table itself refuses is 400, and kept among the failed rows', async () => {
    await put('race', { columns: 'freeze' });
    const answers = await Promise.all(Array.from({ length: 8 }, (_, i) => server.api('/api/data/insert/race?strict=true', { body: JSON.stringify({ [`k${i}`]: i }) })));
    const stored = answers.filter((a) => a.status === 200).length;
    assert.equal(await server.value('SELECT count(*) FROM race'), stored, 'no 200 without a row');
    for (const answer of answers) if (answer.status !== 200) assert.ok(['strict', 'contract-freeze'].includes(answer.json().type.split('/').at(-1)), answer.text);
  });

  test('a key that is limited to tables reaches no child table beside them', async () => {
    const key = await key_of({ name: 'limited', scopes: ['insert'], tables: ['orders'] });
    const send = (query, body) => server.api(`/api/data/insert/orders${query}`, { key, body: JSON.stringify(body) });
    const answer = (await send('?flatten=multitable&wait=true', { secret: [{ x: 666 }] })).json();
    assert.deepEqual([answer.rows, answer.failed, answer.errors[0].code], [0, 1, 'table-not-allowed']);
    problem(await send('?flatten=multitable&strict=true', { secret: [{ x: 666 }] }), 400, 'table-not-allowed');
    await put('orders', { flatten: 'multitable' });
    assert.equal((await send('?wait=true', { secret: [{ x: 666 }] })).json().failed, 1, 'by its contract');
    assert.equal((await send('?wait=true', { n: 1 })).json().rows, 1);
    assert.deepEqual(await values("SELECT table_name FROM duckdb_tables() WHERE table_name LIKE 'orders%'"), ['orders']);
  });

  test('a filter of failed rows that is misspelled deletes nothing', async () => {
    const { total, tables } = (await server.api('/api/data/failed')).json();
    assert.deepEqual((await server.api('/api/data/failed?counts=true')).json(), { data: [], next: null, total, tables });
    problem(await server.api('/api/data/failed?counts=perhaps'), 400, 'invalid-parameter');
    for (const [path_, method] of [['/api/data/failed?tabel=orders', 'DELETE'], ['/api/data/failed/retry?tabel=orders', 'POST'], ['/api/data/failed?tabel=orders', 'GET']]) {
      assert.match(problem(await server.api(path_, { method }), 400, 'invalid-parameter').detail, /"tabel"; did you mean "table"/);
    }
    assert.ok((await failed('?table=orders')).total > 0);
  });

  test('of two retries at once each says what it has loaded itself', async () => {
    await post('twice', [{ n: 1 }], '?wait=true');
    await put('twice', { columns: 'freeze' });
    await post('twice', Array.from({ length: 300 }, (_, i) => ({ n: i, m: i })), '?wait=true');
    await put('twice', {});
    const both = await Promise.all([retry('?table=twice'), retry('?table=twice'), retry('?table=twice')]);
    assert.deepEqual(both.map((r) => r.failed), [0, 0, 0]);
    assert.deepEqual(both.map((r) => r.retried).sort((a, b) => a - b), [0, 0, 300]);
    assert.equal(await server.value('SELECT count(*) FROM twice'), 301);
  });

  test('what was refused because it is not one object stays a failed row, whole', async () => {
    await server.insert('pieces', '{"n":1}\n[{"n":5},{"n":6}]\n{"n":2}\n7', { query: '?wait=true' });
    const sent = await server.api('/api/data/insert/pieces?wait=true', { body: 'x\n{"n":9}{"n":10}\n{"n":3}', headers: { 'Content-Type': 'application/x-ndjson' } });
    assert.deepEqual([sent.json().rows, sent.json().failed], [1, 2]);
    const kept = (await failed('?table=pieces')).data.map((f) => f.body);
    assert.equal(kept.length, 4);
    const again = await retry('?table=pieces');
    assert.deepEqual([again.retried, again.failed], [0, 4]);
    assert.deepEqual((await failed('?table=pieces')).data.map((f) => f.body), kept);
    assert.deepEqual(await server.rows('SELECT n FROM pieces ORDER BY n'), [{ n: 1 }, { n: 2 }, { n: 3 }]);
  });

  test('failed rows of tables whose names differ in more than the case of A to Z are apart', async () => {
    for (const name of ['Ä', 'ä']) await server.insert(name, '{"n":1}\n7', { query: '?wait=true' });
    const count = async (name) => (await failed(`?table=${encodeURIComponent(name)}`)).total;
    assert.deepEqual([await count('Ä'), await count('ä')], [1, 1]);
    assert.equal((await server.api(`/api/tables/${encodeURIComponent('ä')}`, { method: 'PATCH', body: '{"name":"moved"}' })).status, 200);
    assert.deepEqual([await count('Ä'), await count('ä'), await count('moved')], [1, 0, 1]);
    assert.equal((await server.api(`/api/data/failed?table=${encodeURIComponent('Ä')}`, { method: 'DELETE' })).status, 204);
    assert.deepEqual([await count('Ä'), await count('moved')], [0, 1]);
  });

  test('a failed row goes with its table when that is renamed', async () => {
    await post('before', [{ n: 1 }], '?wait=true');
    await put('before', { columns: 'freeze' });
    await post('before', [{ m: 2 }], '?wait=true');
    assert.equal((await server.api('/api/tables/before', { method: 'PATCH', body: '{"name":"after"}' })).status, 200);
    assert.deepEqual([(await failed('?table=before')).total, (await failed('?table=after')).total], [0, 1]);
    await put('after', {});
    assert.equal((await retry('?table=after')).retried, 1);
    assert.equal(await server.value('SELECT count(*) FROM after'), 2);
  });

  test('failed rows that are too large to be shown hide none of the others', async () => {
    const large = Buffer.concat([Buffer.from('{"a":"'), Buffer.alloc(30 << 20, 'x'), Buffer.from([0xff]), Buffer.from('"}')]);
    const body = Buffer.concat([Buffer.from('{"a":1}\n7\n'), large, Buffer.from('\n{"a":2}\n8\n')]);
    const answer = await server.api('/api/data/insert/hidden?wait=true', { body });
    assert.deepEqual([answer.json().rows, answer.json().failed], [2, 3], answer.text.slice(0, 300));
    const list = [];
    for (let next = ''; next !== null;) {
      const page = await failed(`?table=hidden${next && `&after=${next}`}`);
      list.push(...page.data);
      next = page.next;
    }
    assert.deepEqual(list.map((r) => [r.row, r.body === null ? null : r.body.slice(0, 9), r.body_bytes]), [[1, '7', 1], [2, null, large.length], [4, '8', 1]]);
  });

  test('the body of a failed row that is not UTF-8 can be had byte for byte', async () => {
    const body = Buffer.concat([Buffer.from('{"a":1}\n{"a":"'), Buffer.from([0xff, 0x00, 0xc3, 0x28]), Buffer.from('"}\n')]);
    const answer = await server.api('/api/data/insert/bytes?wait=true', { body });
    assert.deepEqual([answer.json().rows, answer.json().failed], [1, 1], answer.text);
    const [row] = (await failed('?table=bytes')).data;
    assert.deepEqual(Buffer.from(row.body_base64, 'base64'), body.subarray(8, -1));
    assert.equal((await failed('?table=strict')).data.some((r) => 'body_base64' in r), false);
  });

  test('what a contract cannot be is 400 and says which member', async () => {
    for (const [body, member] of [['{"columns":"allow"}', 'columns'], ['{"timestamps":1}', 'timestamps'], ['{"max_columns":0}', 'max_columns'],
      ['{"flatten":"sideways"}', 'flatten'], ['{"colums":"freeze"}', 'colums'], ['{"flatten_depth":65}', 'flatten_depth'], ['{"data_type":null}', 'data_type']]) {
      const answer = problem(await server.api(contract_of('t'), { method: 'PUT', body }), 400, 'invalid-contract');
      assert.match(answer.detail, new RegExp(`"${member}"`));
    }
    problem(await server.api(contract_of('t'), { method: 'PUT', body: '[]' }), 400);
    problem(await server.api(contract_of('t'), { method: 'PUT', body: '{' }), 400);
    problem(await server.api(contract_of('x'.repeat(300)), { method: 'PUT', body: '{}' }), 400, 'invalid-table-name');
  });

  test('a frozen table refuses what would change it; after a change of the contract one call retries it', async () => {
    await post('frozen', [{ n: 1 }], '?wait=true');
    await put('frozen', { columns: 'freeze', data_type: 'freeze' });
    const answer = await post('frozen', [{ n: 2 }, { n: 'x' }, { n: 3, m: 1 }, { n: 4 }], '?wait=true');
    assert.equal(answer.rows, 2);
    assert.equal(answer.failed, 2);
    assert.deepEqual(answer.errors.map((e) => [e.row, e.code]), [[1, 'contract-freeze'], [2, 'contract-freeze']]);
    assert.deepEqual(await values('SELECT n FROM frozen ORDER BY n'), [1, 2, 4]);

    const list = await failed('?table=FROZEN');
    assert.equal(list.total, 2);
    assert.deepEqual(list.tables, { frozen: 2 });
    assert.deepEqual(list.data.map((r) => [r.table, r.receipt, r.row, r.code, r.body]),
      [['frozen', answer.receipt, 1, 'contract-freeze', '{"n":"x"}'], ['frozen', answer.receipt, 2, 'contract-freeze', '{"n":3,"m":1}']]);
    assert.match(list.data[0].detail, /"n" is BIGINT/);

    const receipt = (await server.api(`/api/receipts/${answer.receipt}`)).json();
    assert.equal(receipt.state, 'partly_failed');
    assert.deepEqual([receipt.rows, receipt.failed, receipt.tables], [2, 2, { frozen: { rows: 2, failed: 2 } }]);
    assert.match(receipt.loaded_at, /Z$/);

    assert.deepEqual(await retry('?table=frozen'), { ok: true, retried: 0, failed: 2 });
    await put('frozen', { columns: 'evolve', data_type: 'freeze' });
    assert.deepEqual(await retry('', JSON.stringify({ table: 'frozen' })), { ok: true, retried: 1, failed: 1 });
    assert.deepEqual(await values('SELECT m FROM frozen WHERE n = 3'), [1]);
    await put('frozen', {});
    assert.deepEqual(await retry(`?receipt=${answer.receipt}`), { ok: true, retried: 1, failed: 0 });
    assert.deepEqual(await values('SELECT n FROM frozen ORDER BY n'), ['1', '2', '3', '4', 'x']);
    assert.equal((await server.api(`/api/receipts/${answer.receipt}`)).json().state, 'loaded');
  });

  test('the history of a schema names the receipts that caused its changes', async () => {
    const first = await post('storied', { a: 1 }, '?wait=true');
    const second = await post('storied', { a: 1.5, b: 'x' }, '?wait=true');
    const history = (await server.api('/api/tables/storied/history')).json();
    assert.deepEqual(history.data.map((c) => [c.event, c.column, c.from, c.to, c.receipt]), [
      ['create', null, null, null, first.receipt],
      ['add', 'a', null, 'BIGINT', first.receipt],
      ['widen', 'a', 'BIGINT', 'DOUBLE', second.receipt],
      ['add', 'b', null, 'VARCHAR', second.receipt]]);
    const page = (await server.api('/api/tables/storied/history?limit=3')).json();
    assert.deepEqual((await server.api(`/api/tables/storied/history?limit=3&after=${page.next}`)).json().data, history.data.slice(3));
    problem(await server.api('/api/tables/never/history'), 404);
  });

  test('receipts: logged, loaded, unknown, and of tables that came of one row', async () => {
    await put('docs', { flatten: 'multitable' });
    const answer = await post('docs', [{ id: 'd', items: [{ x: 1 }, { x: 2 }] }], '?wait=true');
    const receipt = (await server.api(`/api/receipts/${answer.receipt}`)).json();
    assert.deepEqual([receipt.state, receipt.rows, receipt.failed, receipt.tables],
      ['loaded', 1, 0, { docs: { rows: 1, failed: 0 }, docs_items: { rows: 2, failed: 0 } }]);
    const early = await post('docs', [{ id: 'e' }]);
    assert.match((await server.api(`/api/receipts/${early.receipt}`)).json().state, /^(logged|loaded)$/);
    await eventually('it is loaded', async () => (await server.api(`/api/receipts/${early.receipt}`)).json().state === 'loaded');
    problem(await server.api('/api/receipts/0190163d-8694-739b-aea5-966c26f8ad91'), 404);
    problem(await server.api('/api/receipts/nonsense'), 404);
    problem(await server.api(`/api/receipts/${early.receipt}`, { key: null }), 401);
    const { api_key: other } = (await server.api('/api/destinations', { key: server.adminKey, body: '{"name":"other"}' })).json();
    problem(await server.api(`/api/receipts/${early.receipt}`, { key: other }), 404);
  });

  test('receipts know their tables and their time also when the journal has let go of the rows', async (t) => {
    const own = await startServer(t, { flags: ['--journal-retention', '0s'] });
    const receipt_of = async ({ receipt }) => (await own.api(`/api/receipts/${receipt}`)).json();
    const one = await own.insert('Größe "1"', '{"a":1}\n7\n{"a":2}', { query: '?wait=true' });
    const several = await own.insert('docs', [{ items: [{ x: 1 }, { x: 2 }] }], { query: '?flatten=multitable&wait=true' });
    const large = await own.insert('large', Array.from({ length: 20_000 }, (_, i) => `{"i":${i},"text":"${'x'.repeat(60)}"}`).join('\n'), { query: '?wait=true' });
    const before = await Promise.all([one, several, large].map(receipt_of));
    assert.deepEqual(before.map((r) => r.tables), [{ 'Größe "1"': { rows: 2, failed: 1 } },
      { docs: { rows: 1, failed: 0 }, docs_items: { rows: 2, failed: 0 } }, { large: { rows: 20_000, failed: 0 } }]);
    for (const { loaded_at } of before) assert.match(loaded_at, /Z$/, 'of the very first rows too');
    await own.stop();
    await own.start();
    await own.insert('other', '{"a":1}', { query: '?wait=true' });
    const journals = path.join(own.dir, 'journals');
    const segments = () => fs.readdirSync(journals, { recursive: true }).filter((name) => name.endsWith('.seg'));
    await eventually('the old segment is gone', () => segments().every((name) => !name.endsWith(`${'0'.repeat(20)}.seg`)));
    assert.deepEqual(await Promise.all([one, several, large].map(receipt_of)), before);
    await own.stop();
    await own.start();
    assert.deepEqual(await Promise.all([one, several, large].map(receipt_of)), before);
    const made = await own.api('/api/destinations/local/keys', { key: own.adminKey, body: '{"scopes":["insert"],"tables":["other"]}' });
    problem(await own.api(`/api/receipts/${one.receipt}`, { key: made.json().api_key }), 404);
  });

  test('deleted failed rows were never loaded: their receipts say so for ever', async () => {
    await put('given', { tables: 'freeze' });
    const refused = await post('given', { a: 1 }, '?wait=true');
    await post('mixed', { n: 1 }, '?wait=true');
    await put('mixed', { data_type: 'freeze' });
    const partly = await post('mixed', [{ n: 2 }, { n: 'x' }, { n: 'y' }], '?wait=true');
    const receipt = async ({ receipt: id }) => {
      const { state, rows, failed: count, tables } = (await server.api(`/api/receipts/${id}`)).json();
      return [state, rows, count, tables];
    };
    const expected = [['partly_failed', 0, 1, { given: { rows: 0, failed: 1 } }], ['partly_failed', 1, 2, { mixed: { rows: 1, failed: 2 } }]];
    assert.deepEqual([await receipt(refused), await receipt(partly)], expected);
    for (const table of ['given', 'mixed']) assert.equal((await server.api(`/api/data/failed?table=${table}`, { method: 'DELETE' })).status, 204);
    assert.deepEqual([await receipt(refused), await receipt(partly)], expected);
    await server.kill();
    await server.start();
    await eventually('the same after a restart', async () => JSON.stringify(await receipt(partly)) === JSON.stringify(expected[1]));
  });

  test('failed rows come in pages, are deleted by table, and survive a crash', async () => {
    const body = Array.from({ length: 25 }, (_, i) => (i % 5 === 0 ? { ok: i } : i));
    await server.api('/api/data/insert/many', { method: 'POST', body: body.map((r) => JSON.stringify(r)).join('\n') });
    await server.api('/api/data/insert/other', { method: 'POST', body: '{"a":1}\n7' });
    assert.equal((await failed('?table=many')).total, 20);
    await server.kill();
    await server.start();
    const seen = [];
    let next = null;
    do {
      const page = await failed(`?table=many&limit=7${next ? `&after=${next}` : ''}`);
      seen.push(...page.data.map((r) => r.body));
      ({ next } = page);
    } while (next);
    assert.deepEqual(seen, body.filter((r) => typeof r === 'number').map(String));
    assert.equal((await server.api('/api/data/failed?table=many', { method: 'DELETE' })).status, 204);
    assert.equal((await failed('?table=many')).total, 0);
    assert.equal((await failed('?table=other')).total, 1);
    problem(await server.api('/api/data/failed?receipt=7'), 400, 'invalid-parameter');
    problem(await server.api('/api/data/failed?after=x'), 400, 'invalid-parameter');
  });

  test('pages of large failed rows are shorter, and the list goes on to its end', async () => {
    await server.insert('large', { n: 1 }, { query: '?wait=true' });
    await put('large', { data_type: 'freeze' });
    const rows = Array.from({ length: 30 }, (_, i) => JSON.stringify({ n: `${i} ${'x'.repeat(1_500_000)}` }));
    await server.insert('large', [JSON.stringify({ n: 2 }), ...rows].join('\n'), { query: '?wait=true' });
    const seen = [];
    let next = null, pages = 0;
    do {
      const page = await failed(`?table=large&limit=20${next ? `&after=${next}` : ''}`);
      seen.push(...page.data.map((r) => r.row));
      ({ next } = page);
      pages += 1;
    } while (next);
    assert.deepEqual(seen, Array.from({ length: 30 }, (_, i) => i + 1));
    assert.ok(pages >= 3, `${pages} pages`);
    await put('large', {});
    assert.deepEqual(await retry('?table=large'), { ok: true, retried: 30, failed: 0 });
  });

  test('a key says how its rows are flattened, unless the request does', async () => {
    const key = await key_of({ scopes: ['insert'], flatten: 'explode' });
    await server.insert('by_key', { a: [1, 2] }, { key });
    await server.insert('by_key', { a: [3] }, { key, query: '?flatten=horizontal' });
    assert.deepEqual(await values('SELECT coalesce(a, a_0) FROM by_key ORDER BY 1'), [1, 2, 3]);
    await put('by_key', { flatten: 'multitable' });
    await server.insert('by_key', { a: [4] }, { key });
    assert.deepEqual(await values('SELECT a FROM by_key WHERE a = 4'), [4], 'the key goes before the contract');
    problem(await server.api('/api/destinations/local/keys', { key: server.adminKey, body: '{"flatten":"up"}' }), 400, 'invalid-parameter');
    const listed = (await server.api('/api/destinations/local/keys', { key: server.adminKey })).json().data;
    assert.ok(listed.some((k) => k.flatten === 'vertical') && listed.some((k) => k.flatten === null));
  });

  test('a key of the command line says it too, and the list shows it', async () => {
    const create = (...args) => runBinary(['key', 'create', '--data-dir', server.dir, '--destination', 'local', ...args]);
    const made = await create('--scopes', 'insert', '--name', 'exploding', '--flatten', 'explode');
    assert.equal(made.code, 0, made.stderr);
    const key = made.stdout.trim();
    await eventually('the server knows the key', async () => (await server.api('/api/data/insert/by_cli', { key, body: '{"a":[1,2]}' })).status === 200);
    assert.deepEqual(await values('SELECT a FROM by_cli ORDER BY 1'), [1, 2]);
    await put('by_cli', { flatten: 'none' });
    await server.insert('by_cli', { a: [3, 4] }, { key, query: '?wait=true' });
    assert.deepEqual(await values('SELECT a FROM by_cli ORDER BY 1'), [1, 2, 3, 4], 'the key goes before the contract');
    await server.insert('by_cli', { a: [5] }, { key, query: '?flatten=horizontal&wait=true' });
    assert.deepEqual(await values('SELECT a_0 FROM by_cli WHERE a_0 IS NOT NULL'), [5], 'the request goes before the key');
    const dry = await server.insert('by_cli_dry', { a: [1, 2] }, { key, query: '?dry_run=true' });
    assert.deepEqual(dry.tables.map((t) => t.rows), [2], 'a dry run goes by the key too');
    const list = await runBinary(['key', 'list', '--data-dir', server.dir]);
    assert.match(list.stdout, /^\S+ .* insert +vertical .*exploding$/m);
    const bad = await create('--flatten', 'sideways');
    assert.equal(bad.code, 2);
    assert.match(bad.stderr, /multitable/);
  });

  test('contracts and failed rows need the scope admin and the table', async () => {
    const key = await key_of({ scopes: ['insert', 'query'] });
    problem(await server.api(contract_of('frozen'), { method: 'PUT', body: '{}', key }), 403);
    problem(await server.api('/api/data/failed', { key }), 403);
    problem(await server.api('/api/data/failed/retry', { method: 'POST', key }), 403);
    problem(await server.api('/api/data/failed', { method: 'DELETE', key }), 403);
    const mine = await key_of({ scopes: ['admin', 'query'], tables: ['mine'] });
    problem(await server.api('/api/data/failed', { key: mine }), 403);
    problem(await server.api('/api/data/failed?table=frozen', { key: mine }), 403);
    problem(await server.api(contract_of('frozen'), { method: 'PUT', body: '{}', key: mine }), 403);
    assert.equal((await server.api('/api/data/failed?table=mine', { key: mine })).status, 200);
    assert.equal((await server.api(contract_of('mine'), { method: 'PUT', body: '{}', key: mine })).status, 200);
  });
});
