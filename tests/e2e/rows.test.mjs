// How rows come in: flatten modes by parameter, dry runs, idempotency keys, CSV, brotli.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import zlib from 'node:zlib';
import { checkDuckdbFile } from './duckdb.mjs';
import { RawSocket, problem, sleep, startServer, useServer } from './lib.mjs';

const kForm = { 'Content-Type': 'application/x-www-form-urlencoded' };
const kCsv = { 'Content-Type': 'text/csv' };

let counter = 0;
const fresh_table = () => `t${counter += 1}`;
const insert_path = (table, query = '') => `/api/data/insert/${encodeURIComponent(table)}${query}`;
// Columns of our own are left out.
const columns_of = async (server, table) => (await server.rows(`DESCRIBE "${table}"`)).map((c) => c.column_name)
  .filter((name) => !['__row_id', '__received_at'].includes(name));

describe('flatten=', () => {
  const server = useServer();
  const doc = { id: 7, user: { name: 'x' }, items: [{ sku: 'p', n: 1 }, { sku: 'q', n: 2 }] };

  const modes = {
    horizontal: ['id', 'items_0_n', 'items_0_sku', 'items_1_n', 'items_1_sku', 'user_name'],
    vertical: ['___document_id', '__order_items', 'id', 'items_n', 'items_sku', 'user_name'],
    explode: ['___document_id', '__order_items', 'id', 'items_n', 'items_sku', 'user_name'],
    multitable: ['id', 'user_name'],
    none: ['id', 'items', 'user'],
  };
  for (const [mode, columns] of Object.entries(modes)) {
    it(`${mode} is taken by POST, by GET and with a large body`, async () => {
      const [posted, got, large] = [fresh_table(), fresh_table(), fresh_table()];
      await server.insert(posted, doc, { query: `?flatten=${mode}` });
      const answer = await server.api(`${insert_path(got)}?flatten=${mode}&${encodeURIComponent(JSON.stringify(doc))}`);
      assert.equal(answer.status, 200, answer.text);
      const many = Array.from({ length: 20_000 }, () => JSON.stringify(doc)).join('\n');
      assert.ok(many.length > 1 << 20, 'more than a record holds');
      assert.equal((await server.insert(large, many, { query: `?flatten=${mode}` })).rows, 20_000);
      for (const table of [posted, got, large]) assert.deepEqual((await columns_of(server, table)).sort(), columns, table);
      const doubled = mode === 'vertical' || mode === 'explode';
      assert.equal(await server.value(`SELECT count(*) FROM ${posted}`), doubled ? 2 : 1);
      assert.equal(await server.value(`SELECT count(*) FROM ${large}`), doubled ? 40_000 : 20_000);
      if (mode === 'multitable') {
        const items = await server.rows(`SELECT sku, ${posted}_id AS parent FROM ${posted}_items ORDER BY __row_id`);
        assert.deepEqual(items, [{ sku: 'p', parent: 7 }, { sku: 'q', parent: 7 }]);
      }
    });
  }

  it('without it the table\'s contract decides, with it the request', async () => {
    const [plain, kept, asked] = [fresh_table(), fresh_table(), fresh_table()];
    for (const table of [kept, asked]) {
      const put = await server.api(`/api/tables/${table}/contract`, { method: 'PUT', body: '{"flatten":"none"}' });
      assert.equal(put.status, 200, put.text);
    }
    await server.insert(plain, doc);
    await server.insert(kept, doc);
    await server.insert(asked, doc, { query: '?flatten=horizontal' });
    assert.deepEqual((await columns_of(server, plain)).sort(), modes.horizontal);
    assert.deepEqual((await columns_of(server, kept)).sort(), modes.none);
    assert.deepEqual((await columns_of(server, asked)).sort(), modes.horizontal);
  });

  it('flatten_depth= says below which depth a value stays JSON', async () => {
    const deep = { a: { b: { c: { d: 1 } } } };
    for (const [depth, column] of [[1, 'a'], [2, 'a_b'], [3, 'a_b_c'], [64, 'a_b_c_d']]) {
      const table = fresh_table();
      await server.insert(table, deep, { query: `?flatten_depth=${depth}` });
      assert.deepEqual(await columns_of(server, table), [column]);
    }
    const table = fresh_table();
    assert.equal((await server.api(`${insert_path(table)}?flatten_depth=1&${JSON.stringify(deep)}`)).status, 200);
    assert.deepEqual(await columns_of(server, table), ['a'], 'by GET, and the parameter is no column');
  });

  it('any other value is 400 and says which there are', async () => {
    const table = fresh_table();
    const said = problem(await server.api(insert_path(table, '?flatten=sideways'), { body: '{}' }), 400, 'invalid-parameter');
    for (const choice of ['horizontal', 'vertical', 'explode', 'multitable', 'none']) assert.match(said.detail, new RegExp(choice));
    for (const depth of ['0', '65', '-1', '1.5', 'x', '', '256', '257', '4294967297']) {
      problem(await server.api(insert_path(table, `?flatten_depth=${depth}`), { body: '{}' }), 400, 'invalid-parameter');
      problem(await server.api(insert_path(table, `?flatten_depth=${depth}&a=1`)), 400, 'invalid-parameter');
    }
    problem(await server.api(insert_path(table, '?flatten=sideways'), { body: '{}', key: 'wrong' }), 401);
    problem(await server.sql(`SELECT * FROM ${table}`), 400);
  });
});

describe('rows.max_columns and rows.max_rows_of_a_row', () => {
  const server = useServer({ flags: ['--rows-max-columns', '3', '--rows-max-rows-of-a-row', '4'] });

  it('keys beyond the columns of the setting go to __overflow, in a dry run too', async () => {
    const table = fresh_table();
    const body = '{"a":1,"b":2,"c":3,"d":4}';
    const dry = await server.insert(table, body, { query: '?dry_run=true' });
    assert.deepEqual(dry.tables[0].columns.map((c) => c.name), ['a', 'b', 'c', '__overflow']);
    await server.insert(table, body, { query: '?wait=true' });
    assert.deepEqual(await columns_of(server, table), ['a', 'b', 'c', '__overflow']);
    assert.deepEqual(await server.value(`SELECT __overflow FROM ${table}`), { d: 4 });
  });

  it('the number of the contract wins', async () => {
    const table = fresh_table();
    const put = await server.api(`/api/tables/${table}/contract`, { method: 'PUT', body: '{"max_columns":5}' });
    assert.equal(put.status, 200, put.text);
    await server.insert(table, '{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6}', { query: '?wait=true' });
    assert.deepEqual(await columns_of(server, table), ['a', 'b', 'c', 'd', 'e', '__overflow']);
  });

  it('a row that would become more rows than the setting is a failed row, in a dry run too', async () => {
    for (const [flatten, fits, too_many] of [['vertical', '[1,2,3,4]', '[1,2,3,4,5]'], ['multitable', '[1,2,3]', '[1,2,3,4]']]) {
      const table = fresh_table();
      const body = `{"a":${fits}}\n{"a":${too_many}}`;
      for (const query of ['&dry_run=true', '&wait=true']) {
        const answer = await server.insert(table, body, { query: `?flatten=${flatten}${query}` });
        assert.deepEqual([answer.rows, answer.failed, answer.errors[0].row, answer.errors[0].code], [1, 1, 1, 'too-many-rows'], flatten + query);
        assert.match(answer.errors[0].detail, /more than 4 rows/);
      }
      assert.equal(await server.value(`SELECT count(*) FROM ${table}`), flatten === 'vertical' ? 4 : 1);
    }
  });
});

describe('dry_run=true', () => {
  const server = useServer();
  const dry = async (table, body, query = '', options = {}) => {
    const answer = await server.api(insert_path(table, `?dry_run=true${query}`), { body, ...options });
    assert.equal(answer.status, 200, answer.text);
    return answer.json();
  };
  const acknowledged = async () => (await server.metrics())('scratchdata_rows_acknowledged_total') ?? 0;
  const column = (table, name) => table.columns.find((c) => c.name === name);

  it('says what would become of a new table, and stores nothing', async () => {
    const table = fresh_table();
    const before = await acknowledged();
    const { ok, tables, ...rest } = await dry(table, '{"a":1,"b":{"c":"x"}}\n{"a":2}');
    assert.deepEqual([ok, rest], [true, { rows: 2, failed: 0 }]);
    assert.deepEqual([tables.length, tables[0].name, tables[0].created, tables[0].rows, tables[0].failed], [1, table, true, 2, 0]);
    assert.deepEqual(column(tables[0], 'a'), { name: 'a', type: 'BIGINT', change: 'add', from: null });
    assert.deepEqual(column(tables[0], 'b_c'), { name: 'b_c', type: 'VARCHAR', change: 'add', from: null });
    assert.equal(await acknowledged(), before);
    problem(await server.sql(`SELECT * FROM ${table}`), 400);
  });

  it('says what would change of a table that is there', async () => {
    const table = fresh_table();
    await server.insert(table, '{"a":1,"same":true}', { query: '?wait=true' });
    const { tables } = await dry(table, '{"a":1.5,"new":"x"}');
    assert.deepEqual([tables[0].created, tables[0].rows], [false, 1]);
    assert.deepEqual(column(tables[0], 'a'), { name: 'a', type: 'DOUBLE', change: 'widen', from: 'BIGINT' });
    assert.equal(column(tables[0], 'new').change, 'add');
    assert.equal(column(tables[0], 'same').change, 'none');
    assert.deepEqual(await columns_of(server, table), ['a', 'same']);
  });

  it('flattens as asked, takes CSV, forms, GET and gzip', async () => {
    const doc = '{"id":1,"items":[{"n":1},{"n":2}]}';
    const several = await dry(fresh_table(), doc, '&flatten=multitable');
    assert.deepEqual(several.tables.map((t) => t.rows).sort(), [1, 2]);
    const shallow = await dry(fresh_table(), doc, '&flatten_depth=1');
    assert.equal(column(shallow.tables[0], 'items').type, 'JSON');
    const csv = await dry(fresh_table(), 'a,b\n1,x\n2,y\n', '', { headers: kCsv });
    assert.deepEqual([csv.rows, column(csv.tables[0], 'a').type], [2, 'BIGINT']);
    assert.equal((await dry(fresh_table(), 'a=1', '', { headers: kForm })).rows, 1);
    assert.equal((await dry(fresh_table(), zlib.gzipSync(doc), '', { headers: { 'Content-Encoding': 'gzip' } })).rows, 1);
    const got = await server.api(insert_path(fresh_table(), '?dry_run=true&a=1'));
    assert.deepEqual([got.status, got.json().rows, got.json().receipt], [200, 1, undefined]);
    const chunked = await dry(fresh_table(), (async function* pieces() { yield Buffer.from('{"a":1}\n'); yield Buffer.from('{"a":2}\n'); }()));
    assert.equal(chunked.rows, 2);
  });

  it('refuses what an insert would refuse, and counts what it would count', async () => {
    const table = fresh_table();
    const body = Buffer.concat([Buffer.from('{"a":1}\n{"a":}\n{"a":"'), Buffer.from([0xff]), Buffer.from('"}\n7\n{"a":5}\n')]);
    const said = await dry(table, body);
    const stored = await server.insert(fresh_table(), body, { query: '?wait=true' });
    assert.deepEqual([said.rows, said.failed, said.errors], [stored.rows, stored.failed, stored.errors]);
    assert.deepEqual([said.rows, said.failed], [2, 3]);
    assert.deepEqual([said.tables[0].rows, said.tables[0].failed], [2, 3]);
    problem(await server.api(insert_path(table, '?dry_run=true&strict=true'), { body }), 400, 'invalid-json');
    problem(await server.api(insert_path(table, '?dry_run=true'), { body: '{"a":' }), 400, 'invalid-json');
    problem(await server.api(insert_path(table, '?dry_run=true'), { body: '' }), 400);
    problem(await server.api(insert_path(table, '?dry_run=perhaps'), { body: '{}' }), 400, 'invalid-parameter');
  });

  it('names the table also where it refuses every row', async () => {
    const table = fresh_table();
    await server.insert(table, '{"a":1}', { query: '?wait=true' });
    await server.api(`/api/tables/${table}/contract`, { method: 'PUT', body: '{"columns":"freeze"}' });
    const all = await dry(table, '{"b":1}\n{"c":1}');
    assert.deepEqual([all.rows, all.failed, all.tables.length], [0, 2, 1]);
    assert.deepEqual([all.tables[0].name, all.tables[0].created, all.tables[0].rows, all.tables[0].failed], [table, false, 0, 2]);
    assert.deepEqual(column(all.tables[0], 'a'), { name: 'a', type: 'BIGINT', change: 'none', from: null });
  });

  it('counts rows that only the table refuses', async () => {
    const table = fresh_table();
    await server.insert(table, '{"a":1}', { query: '?wait=true' });
    const put = await server.api(`/api/tables/${table}/contract`, { method: 'PUT', body: '{"columns":"freeze"}' });
    assert.equal(put.status, 200, put.text);
    const said = await dry(table, '{"a":2}\n{"a":3,"b":1}');
    assert.deepEqual([said.rows, said.failed, said.errors.map((e) => e.row)], [1, 1, [1]]);
    assert.equal(await server.value(`SELECT count(*) FROM ${table}`), 1);
  });

  it('takes 16 MiB of rows and no more: 413', async () => {
    const rows = (mib) => `{"a":"${'x'.repeat((1 << 20) - 9)}"}\n`.repeat(mib);
    assert.equal((await dry(fresh_table(), rows(16))).rows, 16);
    for (const body of [`${rows(16)}{}`, (async function* pieces() { for (let i = 0; i < 17; i += 1) yield Buffer.from(rows(1)); }())]) {
      const said = problem(await server.api(insert_path('t', '?dry_run=true'), { body }), 413, 'body-too-large');
      assert.match(said.detail, /dry run.*16 MiB/);
    }
    assert.equal(await server.value('SELECT 1'), 1, 'the engine is still there');
  });
});

describe('Idempotency-Key', () => {
  const server = useServer();
  const send = (table, key, options = {}) => {
    const { query = '', headers = {}, ...rest } = options;
    return server.api(insert_path(table, query), { ...rest, headers: { 'Idempotency-Key': key, ...headers } });
  };
  const count = (table) => server.value(`SELECT count(*) FROM ${table}`);

  // Sends twice; asserts that the second answer is the first one, and that a third body is refused.
  async function twice(options, other) {
    const [table, key] = [fresh_table(), `key ${counter}`];
    const first = await send(table, key, options);
    assert.deepEqual([first.status, first.headers['idempotent-replayed']], [200, undefined], first.text);
    const again = await send(table, key, options);
    assert.deepEqual([again.status, again.headers['idempotent-replayed']], [200, 'true'], again.text);
    assert.deepEqual(again.json(), first.json());
    if (other) problem(await send(table, key, { ...options, ...other }), 422, 'idempotency-key-reused');
    assert.equal(await count(table), first.json().rows);
    return first.json();
  }

  const large = Array.from({ length: 30_000 }, (_, i) => `{"i":${i},"text":"${'lorem ipsum '.repeat(4)}"}`).join('\n');
  it('the same request twice stores once: an object, an array, NDJSON', async () => {
    await twice({ body: '{"a":1}' }, { body: '{"a":2}' });
    await twice({ body: '[{"a":1},{"a":2}]' }, { body: '[{"a":1}]' });
    await twice({ body: '{"a":1}\n{"a":2}' }, { body: '{"a":1}\n{"a":2}\n' });
  });
  it('… with refused rows, which are counted and named again', async () => {
    const answer = await twice({ body: '{"a":1}\n{"a":}\n{"a":3}' });
    assert.deepEqual([answer.rows, answer.failed, answer.errors.length], [2, 1, 1]);
  });
  it('… forms, GET, CSV, gzip and the pixel', async () => {
    await twice({ body: 'a=1&b=2', headers: kForm }, { body: 'a=1&b=3' });
    await twice({ query: '?a=1' }, { query: '?a=2' });
    await twice({ body: 'a,b\n1,2\n3,4\n', headers: kCsv }, { body: 'a,b\n1,2\n' });
    await twice({ body: zlib.gzipSync('{"a":1}'), headers: { 'Content-Encoding': 'gzip' } }, { body: '{"a":1} ', headers: {} });
    const table = fresh_table();
    for (const replayed of [undefined, 'true']) {
      const gif = await send(table, 'gif', { query: '?a=1&pixel=1' });
      assert.deepEqual([gif.headers['content-type'], gif.headers['idempotent-replayed']], ['image/gif', replayed]);
    }
    assert.equal(await count(table), 1);
  });
  it('… large bodies, whose second copy is not kept', async () => {
    const blobs = () => fs.readdirSync(path.join(server.dir, 'journals'), { recursive: true }).filter((f) => f.endsWith('.blob')).length;
    const before = blobs();
    await twice({ body: large }, { body: `${large} ` });
    assert.ok(blobs() <= before + 1, `${blobs()} blobs, ${before} before`);
    const csv = `i,text\n${Array.from({ length: 40_000 }, (_, i) => `${i},${'lorem ipsum '.repeat(3)}`).join('\n')}`;
    await twice({ body: csv, headers: kCsv }, { body: `${csv}x` });
    assert.ok(blobs() <= before + 2);
  });
  it('… an empty array', async () => {
    const [table, key] = [fresh_table(), 'nothing'];
    const first = await send(table, key, { body: '[]' });
    assert.deepEqual((await send(table, key, { body: '[]' })).json(), first.json());
    problem(await send(table, key, { body: '[{"a":1}]' }), 422);
  });
  it('wait=true waits for a replay too, and counts what loading refused', async () => {
    const table = fresh_table();
    await server.insert(table, '{"a":1}', { query: '?wait=true' });
    await server.api(`/api/tables/${table}/contract`, { method: 'PUT', body: '{"columns":"freeze"}' });
    const options = { body: '{"a":2}\n{"b":1}', query: '?wait=true' };
    const first = (await send(table, 'waits', options)).json();
    assert.deepEqual([first.rows, first.failed, first.visible], [1, 1, true]);
    const again = await send(table, 'waits', options);
    assert.equal(again.headers['idempotent-replayed'], 'true');
    assert.deepEqual(again.json(), first);
  });

  it('a key belongs to its table, whose name has no case', async () => {
    const [one, two] = [fresh_table(), fresh_table()];
    const receipts = [];
    for (const table of [one, two, one.toUpperCase()]) receipts.push((await send(table, 'shared', { body: '{"a":1}' })).json().receipt);
    assert.notEqual(receipts[0], receipts[1]);
    assert.equal(receipts[0], receipts[2]);
    assert.deepEqual([await count(one), await count(two)], [1, 1]);
  });

  it('what was refused is not remembered', async () => {
    const table = fresh_table();
    problem(await send(table, 'again', { body: '{"a":' }), 400);
    problem(await send(table, 'again', { body: '{"a":1}\n{', query: '?strict=true' }), 400);
    problem(await send(table, 'again', { body: 'a\n"', headers: kCsv }), 400);
    assert.equal((await send(table, 'again', { body: '{"a":1}' })).headers['idempotent-replayed'], undefined);
    assert.equal((await send(table, 'tried', { body: '{"a":1}', query: '?dry_run=true' })).status, 200);
    assert.equal((await send(table, 'tried', { body: '{"a":1}' })).headers['idempotent-replayed'], undefined);
    assert.equal(await count(table), 2);
  });

  it('255 characters are a key, 256 are not', async () => {
    const table = fresh_table();
    assert.equal((await send(table, 'k'.repeat(255), { body: '{}' })).status, 200);
    problem(await send(table, 'k'.repeat(256), { body: '{}' }), 400, 'invalid-parameter');
  });

  it('many at once store once, and all get the one answer', async () => {
    const table = fresh_table();
    const answers = await Promise.all(Array.from({ length: 32 }, () => send(table, 'storm', { body: '{"a":1}' })));
    const receipts = new Set(answers.map((a) => a.json().receipt));
    assert.deepEqual([receipts.size, answers.filter((a) => a.headers['idempotent-replayed'] === 'true').length], [1, 31]);
    assert.equal(await count(table), 1);
  });

  // The first one holds the key while its body arrives.
  async function begin(table, key, body) {
    const socket = await RawSocket.open(server.port);
    socket.send(`POST ${insert_path(table)}?api_key=local HTTP/1.1\r\nHost: localhost\r\nIdempotency-Key: ${key}\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 5)}`);
    await sleep(150);
    return socket;
  }
  it('while the first one is under way the second waits for it and gets its answer', async () => {
    const table = fresh_table();
    const body = '{"a":1}';
    const first = await begin(table, 'slow', body);
    let done = false;
    const second = send(table, 'slow', { body }).finally(() => { done = true; });
    await sleep(400);
    assert.equal(done, false, 'it waits');
    first.send(body.slice(5));
    const text = await first.until((t) => t.includes('"receipt"'));
    const answer = await second;
    assert.equal(answer.headers['idempotent-replayed'], 'true');
    assert.ok(text.includes(answer.json().receipt));
    assert.equal(await count(table), 1);
    first.destroy();
  });
  it('where the first one fails the second is stored', async () => {
    const table = fresh_table();
    const first = await begin(table, 'broken', '{"a":1}');
    const second = send(table, 'broken', { body: '{"a":2}' });
    await sleep(100);
    first.destroy();
    const gone = Date.now();
    const answer = await second;
    assert.ok(Date.now() - gone < 10_000, 'its turn comes at once, not when it has waited long enough');
    assert.deepEqual([answer.status, answer.headers['idempotent-replayed']], [200, undefined]);
    assert.deepEqual(await server.rows(`SELECT a FROM ${table}`), [{ a: 2 }]);
  });

  it('is remembered through stops and kills, large bodies too', async (t) => {
    const own = await startServer(t, {});
    const post = async (table, key, body) => {
      const answer = await own.api(insert_path(table), { body, headers: { 'Idempotency-Key': key } });
      assert.equal(answer.status, 200, answer.text);
      return [answer.json(), answer.headers['idempotent-replayed']];
    };
    const bodies = { small: '{"a":1}', large };
    const first = {};
    for (const [name, body] of Object.entries(bodies)) [first[name]] = await post(name, 'k', body);
    for (const end of ['kill', 'stop', 'kill']) {
      await own[end]();
      await own.start();
      for (const [name, body] of Object.entries(bodies)) {
        assert.deepEqual(await post(name, 'k', body), [first[name], 'true'], `${name} after ${end}`);
        problem(await own.api(insert_path(name), { body: '{"a":9}', headers: { 'Idempotency-Key': 'k' } }), 422);
      }
    }
    assert.equal(await own.value('SELECT count(*) FROM small'), 1);
    assert.equal(await own.value('SELECT count(*) FROM large'), 30_000);
  });
});

describe('CSV', () => {
  const server = useServer();
  const post = (table, body, options = {}) => {
    const { query = '', headers = kCsv, ...rest } = options;
    return server.api(insert_path(table, query), { body, headers, ...rest });
  };
  const rows_after = async (body, options = {}) => {
    const table = fresh_table();
    const answer = await post(table, body, options);
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.json().failed, 0, answer.text);
    return server.rows(`SELECT * EXCLUDE (__row_id, __received_at) FROM ${table} ORDER BY __row_id`);
  };

  it('has a header row, and values typed like JSON scalars', async () => {
    const body = 'n,f,b,t,nothing,empty,zip,text\n1,2.5,true,x,null,"",0042,"1"\n-3,1e2,false,NaN,,"a",+1,1_000\n';
    assert.deepEqual(await rows_after(body), [
      { n: 1, f: 2.5, b: true, t: 'x', nothing: null, empty: '', zip: '0042', text: '1' },
      { n: -3, f: 100, b: false, t: 'NaN', nothing: null, empty: 'a', zip: '+1', text: '1_000' },
    ]);
  });
  it('is taken with quotes, CR LF, a byte order mark, any spelling of its type, gzip', async () => {
    const body = '\uFEFF"a ""x""",b\r\n"1,\r\n2",ä€😀\r\n';
    const expected = [{ 'a "x"': '1,\r\n2', b: 'ä€😀' }];
    for (const type of ['text/csv', 'text/csv; charset=utf-8', 'Text/CSV;header=present']) {
      assert.deepEqual(await rows_after(body, { headers: { 'Content-Type': type } }), expected, type);
    }
    assert.deepEqual(await rows_after(zlib.gzipSync(body), { headers: { ...kCsv, 'Content-Encoding': 'gzip' } }), expected);
    async function* bytes() { for (const b of Buffer.from(body)) yield Buffer.from([b]); }
    assert.deepEqual(await rows_after(bytes()), expected);
  });
  it('a field that is missing at the end is absent; a name twice keeps both values', async () => {
    assert.deepEqual(await rows_after('a,b,a\n1\n2,3,4\n'), [{ a: 1, b: null, a_2: null }, { a: 2, b: 3, a_2: 4 }]);
  });
  it('a blank line is nothing, but a row where there is one column', async () => {
    assert.deepEqual(await rows_after('a,b\n\n1,2\n\r\n3,4\n\n'), [{ a: 1, b: 2 }, { a: 3, b: 4 }]);
    assert.deepEqual(await rows_after('a\n1\n\n3\n'), [{ a: 1 }, { a: null }, { a: 3 }]);
  });
  it('a body that begins with { or [ is JSON whatever its type says', async () => {
    assert.deepEqual(await rows_after('{"a":1}'), [{ a: 1 }]);
    assert.deepEqual(await rows_after(' [{"a":1}]'), [{ a: 1 }]);
  });

  it('bad rows are refused alone, kept whole, and named, also when the first one is bad', async (t) => {
    const own = await startServer(t, {});
    const bad = ['1,2,3', '"x"y,1', '"q, 1",2,"3"'];
    const body = Buffer.concat([Buffer.from(`a,b\n${bad[0]}\n1,2\n${bad[1]}\n${bad[2]}\n`), Buffer.from([0x78, 0xff]), Buffer.from(',4\n5,6')]);
    const answer = await own.insert('t', body, { headers: kCsv, query: '?wait=true' });
    assert.deepEqual([answer.rows, answer.failed, answer.visible], [2, 4, true]);
    assert.deepEqual(answer.errors.map((e) => [e.row, e.code, e.offset]), [
      [0, 'too-many-fields', 4], [2, 'invalid-csv', 14], [3, 'too-many-fields', 21], [4, 'invalid-utf8', undefined]]);
    assert.match(answer.errors[0].detail, /line 2 has 3 fields, the header 2/);
    assert.deepEqual(await own.rows('SELECT a, b FROM t ORDER BY a'), [{ a: 1, b: 2 }, { a: 5, b: 6 }]);
    const failed = async () => (await own.api('/api/data/failed')).json();
    const kept = await failed();
    assert.deepEqual(kept.data.map((row) => [row.row, row.code, row.detail]), answer.errors.map((e) => [e.row, e.code, e.detail]), 'the answer and the store agree');
    assert.deepEqual(kept.data.slice(0, 3).map((row) => row.body), bad.map((line) => JSON.stringify(line)));
    const retried = await own.api('/api/data/failed/retry', { method: 'POST' });
    assert.deepEqual(retried.json(), { ok: true, retried: 0, failed: 4 });
    assert.deepEqual(await failed(), kept);
    await own.stop();
    assert.equal(checkDuckdbFile(own.dir, 'SELECT count(*) FROM _scratch.failed_rows'), 4n);
  });
  it('refused rows keep their code and reason also where there are many, in a large body, and in a dry run', async () => {
    const table = fresh_table();
    const put = await server.api(`/api/tables/${table}/contract`, { method: 'PUT', body: '{"data_type":"freeze"}' });
    assert.equal(put.status, 200, put.text);
    await server.insert(table, '{"a":1}', { query: '?wait=true' });
    // The first rows are refused by the contract, which the front knows nothing of.
    const lines = Array.from({ length: 100_000 }, (_, i) => (i < 3 ? 'text' : i % 100 === 3 ? `${i},2` : i % 100 === 4 ? `"${i}"x` : `${i}`));
    const body = `a\n${lines.join('\n')}\n`;
    const codes = (errors) => errors.slice(0, 5).map((e) => [e.row, e.code, e.detail]);
    const expected = [[0, 'contract-freeze'], [1, 'contract-freeze'], [2, 'contract-freeze'], [3, 'too-many-fields'], [4, 'invalid-csv']];
    const dry = (await post(table, body, { query: '?dry_run=true' })).json();
    assert.deepEqual([dry.rows, dry.failed, codes(dry.errors).map((e) => e.slice(0, 2))], [97_997, 2003, expected]);
    const done = (await post(table, body, { query: '?wait=true' })).json();
    assert.deepEqual([done.rows, done.failed, codes(done.errors)], [97_997, 2003, codes(dry.errors)]);
    const kept = (await server.api(`/api/data/failed?table=${table}&limit=1000`)).json();
    assert.equal(kept.total, 2003);
    assert.deepEqual(codes(kept.data), codes(dry.errors));
    assert.deepEqual([...new Set(kept.data.map((row) => row.code))].sort(), ['contract-freeze', 'invalid-csv', 'too-many-fields']);
    assert.match(kept.data.at(-1).detail, /^line \d{5} has/);
  });
  it('strict=true is all or nothing, and so is a body without a good row', async () => {
    const table = fresh_table();
    const strict = problem(await post(table, 'a\n1\n1,2\n', { query: '?strict=true' }), 400, 'too-many-fields');
    assert.deepEqual([strict.row, strict.offset], [1, 4]);
    const none = problem(await post(table, 'a\n1,2\n'), 400, 'too-many-fields');
    assert.deepEqual(none.offset, 2);
    problem(await server.sql(`SELECT * FROM ${table}`), 400);
    assert.equal((await post(table, 'a\n1\n', { query: '?strict=true' })).status, 200);
  });
  it('an open quote at the end is 400 with its place, and nothing is stored', async () => {
    const table = fresh_table();
    const said = problem(await post(table, 'a,b\n1,2\n3,"x\ny'), 400, 'invalid-csv');
    assert.deepEqual([said.offset, said.line], [10, 3]);
    const rows = Array.from({ length: 100_000 }, (_, i) => `${i},some text of a row`).join('\n');
    const late = problem(await post(table, `a,b\n${rows}\n1,"open`), 400, 'invalid-csv');
    assert.deepEqual([late.offset, late.line], [4 + rows.length + 1 + 2, 100_002]);
    problem(await server.sql(`SELECT * FROM ${table}`), 400);
  });
  it('a header alone is 0 rows, an empty body 400, a missing header 415', async () => {
    const answer = await post(fresh_table(), 'a,b\n');
    assert.deepEqual([answer.status, answer.json().rows, answer.json().failed], [200, 0, 0]);
    for (const body of ['', '\n', '\uFEFF']) problem(await post('t', body), 400);
    problem(await post('t', '1,2\n', { headers: { 'Content-Type': 'text/csv; header=absent' } }), 415);
  });
  it('a large one streams through, every row once', async () => {
    const table = fresh_table();
    const rows = 200_000;
    async function* pieces() {
      yield Buffer.from('id,"text",n\n');
      for (let i = 0; i < rows; i += 1000) {
        let text = '';
        for (let j = i; j < i + 1000; j += 1) text += `${j},"row ""${j}"",\n${'x'.repeat(j % 50)}",${j / 4}\r\n`;
        yield Buffer.from(text);
      }
    }
    const answer = (await post(table, pieces())).json();
    assert.deepEqual([answer.rows, answer.failed], [rows, 0]);
    const [found] = await server.rows(`SELECT count(*) AS n, sum(id) AS s, sum(n) AS q, count(*) FILTER (text = 'row "' || id || E'",\\n' || repeat('x', (id % 50)::INT)) AS same FROM ${table}`);
    assert.deepEqual(found, { n: rows, s: (rows * (rows - 1)) / 2, q: (rows * (rows - 1)) / 8, same: rows });
  });
  it('few bytes with a long header are many bytes of JSON: a little at a time, up to the limit', async (t) => {
    const own = await startServer(t, { flags: ['--api-max-body-bytes', '30MB'] });
    const body = `${'n'.repeat(200_000)}\n${'1\n'.repeat(5000)}`;
    problem(await own.api(insert_path('t'), { body, headers: kCsv }), 413, 'body-too-large');
    problem(await own.sql('SELECT * FROM t'), 400);
  });
});

describe('Content-Encoding', () => {
  const server = useServer();
  const rows = Array.from({ length: 30_000 }, (_, i) => `{"user":"u${i}","text":"${'lorem ipsum '.repeat(8)}"}`).join('\n');
  const codings = { br: zlib.brotliCompressSync, deflate: zlib.deflateSync, gzip: zlib.gzipSync };
  for (const [coding, compress] of Object.entries(codings)) {
    it(`${coding} is taken, small and large, and refused where it is cut or has a tail`, async () => {
      const headers = { 'Content-Encoding': coding };
      const table = fresh_table();
      assert.equal((await server.insert(table, compress('{"user":"a"}'), { headers })).rows, 1);
      assert.equal((await server.insert(table, compress(rows), { headers })).rows, 30_000);
      assert.equal(await server.value(`SELECT count(DISTINCT "user") FROM ${table}`), 30_001);
      const packed = compress(rows);
      for (const body of [packed.subarray(0, packed.length - 5), Buffer.concat([packed, Buffer.from('tail')]), Buffer.from('{"a":1}')]) {
        problem(await server.api(insert_path('bad'), { body, headers }), 400, 'invalid-encoding');
      }
      problem(await server.sql('SELECT * FROM bad'), 400);
    });
  }
  it('a bomb of brotli is 413', async (t) => {
    const own = await startServer(t, { flags: ['--api-max-body-bytes', '300000'] });
    const bomb = zlib.brotliCompressSync(Buffer.from(`{"a":"${'x'.repeat(20_000_000)}"}`));
    assert.ok(bomb.length < 1000);
    problem(await own.api(insert_path('t'), { body: bomb, headers: { 'Content-Encoding': 'br' } }), 413);
  });
});

describe('fields of forms and of GET that are not UTF-8', () => {
  const server = useServer();
  it('are refused, and nothing of them is replaced', async () => {
    for (const bad of ['a=%FF', 'a=1&%E4=2', 'a=%ED%A0%80']) {
      problem(await server.api(`${insert_path('latin')}?${bad}`), 400, 'invalid-utf8');
      problem(await server.api(insert_path('latin'), { body: bad, headers: kForm }), 400, 'invalid-utf8');
    }
    const good = await server.api(`${insert_path('latin')}?a=%C3%BF&wait=true`);
    assert.equal(good.status, 200, good.text);
    assert.deepEqual(await server.rows('SELECT a FROM latin'), [{ a: 'ÿ' }]);
  });
});
