// Tables that somebody else made, with columns of types that we never make: a value goes in where nothing of it
// is lost, else its row is a failed row.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { changeFile } from './change_file.mjs';
import { localFile } from './duckdb.mjs';
import { startServer } from './lib.mjs';

const kSlow = { timeout: 180_000 };
const kWait = { query: '?wait=true' };
const kRefused = null;

// [the value as it is sent, what stands in the column as text].
const kTypes = {
  TINYINT: [['127', '127'], ['-128', '-128'], ['128', kRefused], ['-129', kRefused], ['1.7', kRefused],
    ['true', kRefused], ['5.0', '5'], ['1e2', '100'], ['-0', kRefused], ['"12"', '12'], ['"012"', kRefused],
    ['"x"', kRefused], ['""', kRefused], ['null', null, 'taken']],
  INTEGER: [['2147483647', '2147483647'], ['-2147483648', '-2147483648'], ['2147483648', kRefused], ['0', '0'],
    ['1e-1', kRefused], ['1e400', kRefused], ['[1]', '(a new column)'], ['123456789012345678901234567890', kRefused]],
  UBIGINT: [['18446744073709551615', '18446744073709551615'], ['18446744073709551616', kRefused], ['-1', kRefused],
    ['1e19', '10000000000000000000']],
  UHUGEINT: [['340282366920938463463374607431768211455', '340282366920938463463374607431768211455'],
    ['340282366920938463463374607431768211456', kRefused], ['1e38', '1' + '0'.repeat(38)]],
  'DECIMAL(10,2)': [['12.34', '12.34'], ['12.3', '12.30'], ['12.345', kRefused], ['12.340', '12.34'],
    ['99999999.99', '99999999.99'], ['100000000', kRefused], ['-0.01', '-0.01'], ['1e-2', '0.01'], ['1e-3', kRefused],
    ['"19.90"', '19.90'], ['"1e1"', kRefused], ['" 1"', kRefused], ['true', kRefused],
    ['0.1234567890123456789', kRefused]],
  'DECIMAL(2,2)': [['0.12', '.12'], ['1', kRefused], ['0', '.00']],
  FLOAT: [['0.1', '0.1'], ['1.5', '1.5'], ['16777217', kRefused], ['16777216', '16777216.0'],
    ['0.123456789', kRefused], ['1e39', kRefused], ['1e30', '1e+30'], ['"0.5"', '0.5'], ['"nan"', kRefused]],
  DATE: [['"2026-01-31"', '2026-01-31'], ['"2026-02-30"', kRefused], ['"2026-1-31"', kRefused], ['20260131', kRefused],
    ['"2026-01-31T00:00:00Z"', kRefused], ['"31/01/2026"', kRefused]],
  TIME: [['"12:30"', '12:30:00'], ['"12:30:05.25"', '12:30:05.25'], ['"24:00:00"', kRefused],
    ['"12:30:05.1234567"', kRefused], ['"12:30:05.1234560"', '12:30:05.123456'], ['"12:30:00+02:00"', kRefused],
    ['12', kRefused]],
  TIMESTAMP: [['"2026-01-31T12:30:00Z"', '2026-01-31 12:30:00'], ['"2026-01-31T12:30:00+02:00"', '2026-01-31 10:30:00'],
    ['"2026-01-31 12:30:00"', '2026-01-31 12:30:00'], ['"2026-01-31T00:30:00.5-01:00"', '2026-01-31 01:30:00.5'],
    ['"2026-01-31"', '2026-01-31 00:00:00'], ['"2026-01-31T12:30:00.1234567"', kRefused], ['1769862600', kRefused],
    ['"2026-01-31T12:30:00 Europe/Berlin"', kRefused], ['"yesterday"', kRefused]],
  TIMESTAMP_S: [['"2026-01-31T12:30:00Z"', '2026-01-31 12:30:00'], ['"2026-01-31T12:30:00.5Z"', kRefused],
    ['"2026-01-31T12:30:00.000Z"', '2026-01-31 12:30:00']],
  TIMESTAMP_MS: [['"2026-01-31T12:30:00.123Z"', '2026-01-31 12:30:00.123'], ['"2026-01-31T12:30:00.1234Z"', kRefused]],
  TIMESTAMP_NS: [['"2026-01-31T12:30:00.123456789Z"', '2026-01-31 12:30:00.123456789'],
    ['"2026-01-31T12:30:00.1234567891Z"', kRefused], ['"9999-01-31T12:30:00Z"', kRefused]],
  UUID: [['"123e4567-e89b-12d3-a456-426614174000"', '123e4567-e89b-12d3-a456-426614174000'],
    ['"123E4567-E89B-12D3-A456-426614174000"', '123e4567-e89b-12d3-a456-426614174000'],
    ['"123e4567e89b12d3a456426614174000"', kRefused], ['7', kRefused]],
  "ENUM('new', 'old')": [['"new"', 'new'], ['"New"', kRefused], ['"other"', kRefused], ['1', kRefused], ['true', kRefused]],
  INTERVAL: [['"1 day"', '1 day'], ['"24 hours"', kRefused], ['"x"', kRefused]],
  BLOB: [['"abc"', 'abc'], ['"\\\\x41"', kRefused], ['"ä"', kRefused]],
};

// Sent with flatten=none: [the value as it is sent, what the column gives as JSON].
const kNested = {
  'INTEGER[]': [['[1,2,3]', '[1,2,3]'], ['[ ]', '[]'], ['[1,null]', '[1,null]'], ['[1.7]', kRefused], ['["a"]', kRefused],
    ['{"a":1}', kRefused], ['"x"', kRefused], ['7', kRefused], ['[3000000000]', kRefused]],
  'DOUBLE[]': [['[1, 2.5]', '[1.0,2.5]'], ['[0.1234567890123456789]', kRefused]],
  'FLOAT[3]': [['[0.5,1,2]', '[0.5,1.0,2.0]'], ['[0.1,null,1]', '[0.10000000149011612,null,1.0]'], ['[1,2]', kRefused], ['[0.123456789,1,2]', kRefused]],
  'VARCHAR[]': [['["a","b.0]"]', '["a","b.0]"]'], ['[1,true]', '["1","true"]'], ['[["a"]]', kRefused]],
  'INTEGER[][]': [['[[1],null,[]]', '[[1],null,[]]'], ['[1]', kRefused]],
  'UUID[]': [['["123E4567-E89B-12D3-A456-426614174000"]', '["123e4567-e89b-12d3-a456-426614174000"]'], ['["x"]', kRefused]],
  'TIMESTAMP[]': [['["2026-01-31T12:30:00+02:00"]', '["2026-01-31 10:30:00"]'], ['["soon"]', kRefused]],
  'STRUCT(a INTEGER, b VARCHAR)': [['{"a":1}', '{"a":1,"b":null}'], ['{"a":1,"b":"x"}', '{"a":1,"b":"x"}'],
    ['{"a":1,"c":2}', kRefused], ['{"a":1.5}', kRefused], ['[1]', kRefused]],
  'MAP(VARCHAR, INTEGER)': [['{"x":1,"y":2}', '{"x":1,"y":2}'], ['{"x":1.5}', kRefused]],
};

describe('columns of types that we never make', () => {
  async function serverWith(t, ...statements) {
    const server = await startServer(t, {});
    await server.insert('seed', { a: 1 }, kWait);
    await server.stop();
    await changeFile(localFile(server.dir), ...statements);
    return server.start();
  }

  async function check(server, table, values, query, spelled) {
    const lines = values.map(([sent], n) => `{"n":${n},"v":${sent}}`);
    const answer = await server.insert(table, lines.join('\n'), { query });
    const refused = values.flatMap((v, n) => (v[1] === kRefused && v[2] !== 'taken' ? [n] : []));
    assert.deepEqual(answer.errors?.map((e) => e.row) ?? [], refused.slice(0, 100), `${table}: ${JSON.stringify(answer).slice(0, 3000)}`);
    for (const error of answer.errors ?? []) assert.match(error.code, /^(column-type|refused-by-destination)$/);
    const rows = await server.rows(`SELECT n, ${spelled} AS v FROM ${table} ORDER BY n`);
    const wanted = values.flatMap(([, stored], n) => (refused.includes(n) ? [] : [{ n, v: stored }]));
    assert.deepEqual(rows, wanted, table);
    const failed = (await server.api(`/api/data/failed?table=${table}&limit=1000`)).json().data;
    assert.deepEqual(failed.map((f) => f.body).sort(), refused.map((n) => lines[n]).sort(), table);
  }

  it('each takes what it can hold without a loss, and nothing else; its type stays', kSlow, async (t) => {
    const types = Object.entries(kTypes);
    const server = await serverWith(t, ...types.map(([type], i) => `CREATE TABLE t${i}(n BIGINT, v ${type})`));
    for (const [i, [, values]] of types.entries()) {
      const scalars = values.filter(([sent]) => !sent.startsWith('['));
      await check(server, `t${i}`, scalars, '?wait=true', 'CAST(v AS VARCHAR)');
    }
    const after = await server.rows('SELECT table_name AS t, data_type AS d FROM duckdb_columns() '
      + "WHERE schema_name = 'main' AND column_name = 'v' AND database_name = current_database()");
    assert.deepEqual(Object.fromEntries(after.map((r) => [r.t, r.d])),
      Object.fromEntries(types.map(([type], i) => [`t${i}`, type])));
  });

  it('nested ones too, in mode none', kSlow, async (t) => {
    const types = Object.entries(kNested);
    const server = await serverWith(t, ...types.map(([type], i) => `CREATE TABLE t${i}(n BIGINT, v ${type})`));
    for (const [i, [, values]] of types.entries()) {
      await check(server, `t${i}`, values, '?wait=true&flatten=none', 'CAST(to_json(v) AS VARCHAR)');
    }
  });

  it('more rows than are searched for one by one: only those are refused that must be', kSlow, async (t) => {
    const server = await serverWith(t, 'CREATE TABLE many(n BIGINT, v SMALLINT)');
    await check(server, 'many', Array.from({ length: 500 }, (_, n) => (n % 3 === 0 ? ['1.5', kRefused] : [`${n}`, `${n}`])),
      '?wait=true', 'CAST(v AS VARCHAR)');
  });

  it('constraints hold, keys without a column get one, and the table grows as ever', kSlow, async (t) => {
    const server = await serverWith(t,
      'CREATE TABLE orders(id INTEGER PRIMARY KEY, amount DECIMAL(10,2) NOT NULL, day DATE, state VARCHAR DEFAULT \'new\')');
    const sent = [{ id: 1, amount: 9.99, day: '2026-01-31', note: 'a' }, { id: 1, amount: 1 }, { id: 2 },
      { id: 3, amount: 7, day: 'soon' }, { id: 4, amount: '5.50', state: 'old' }];
    const answer = await server.insert('orders', sent, kWait);
    assert.deepEqual(answer.errors.map((e) => [e.row, e.code]), [[1, 'refused-by-destination'], [2, 'refused-by-destination'], [3, 'column-type']]);
    assert.deepEqual(await server.rows('SELECT id, CAST(amount AS VARCHAR) AS amount, day, state, note FROM orders ORDER BY id'), [
      { id: 1, amount: '9.99', day: '2026-01-31', state: null, note: 'a' },
      { id: 4, amount: '5.50', day: null, state: 'old', note: null }]);
    const detail = (await server.api("/api/data/failed?table=orders")).json().data.find((f) => f.code === 'column-type').detail;
    assert.match(detail, /"day" is DATE/);
  });

  it('dry runs and strict requests know of them; discard_value leaves the value out', kSlow, async (t) => {
    const server = await serverWith(t, 'CREATE TABLE s(n BIGINT, v DATE)');
    const dry = (await server.api('/api/data/insert/s?dry_run=true', { body: '[{"v":"2026-01-31"},{"v":"x"}]' })).json();
    assert.deepEqual([dry.rows, dry.failed, dry.errors[0].code], [1, 1, 'column-type'], JSON.stringify(dry));
    const strict = await server.api('/api/data/insert/s?strict=true', { body: '[{"v":"2026-01-31"},{"v":"x"}]' });
    assert.equal(strict.status, 400, strict.text);
    assert.equal(await server.value('SELECT count(*) FROM s'), 0);
    const set = await server.api('/api/tables/s/contract', { method: 'PUT', body: '{"data_type":"discard_value"}' });
    assert.equal(set.status, 200, set.text);
    await server.insert('s', [{ n: 1, v: 'x' }, { n: 2, v: '2026-01-31' }], kWait);
    assert.deepEqual(await server.rows('SELECT n, v FROM s ORDER BY n'), [{ n: 1, v: null }, { n: 2, v: '2026-01-31' }]);
  });

  it('renamed, or changed by somebody else, they take what they can hold now, and nothing that they held is changed', kSlow, async (t) => {
    const server = await serverWith(t, 'CREATE TABLE prices(name VARCHAR, price DECIMAL(10,2), f FLOAT, i INTEGER, d DATE)',
      "INSERT INTO prices VALUES ('x', 3.25, 1.5, 7, '2026-01-31')");
    await server.insert('prices', { name: 'y', price: 2.5 }, kWait);
    assert.equal((await server.api('/api/tables/prices', { method: 'PATCH', body: '{"name":"renamed"}' })).status, 200);
    const one = async (row) => (await server.insert('renamed', [{ name: 'other' }, row], kWait)).failed;
    assert.deepEqual([await one({ price: 4 }), await one({ price: true }), await one({ f: 1 }), await one({ i: 1.5 }), await one({ d: '2026-02-01' })], [0, 1, 0, 1, 0]);
    assert.deepEqual(await server.rows("SELECT price::VARCHAR AS price, f, i, d FROM renamed WHERE name IS NULL OR name <> 'other' ORDER BY __row_id NULLS FIRST"), [
      { price: '3.25', f: 1.5, i: 7, d: '2026-01-31' }, { price: '2.50', f: null, i: null, d: null }, { price: '4.00', f: null, i: null, d: null },
      { price: null, f: 1, i: null, d: null }, { price: null, f: null, i: null, d: '2026-02-01' }]);
    // Columns of ours, which somebody changes; and one of theirs becomes one of ours.
    await server.insert('own', { a: 1, b: 2, c: null, s: 'x' }, kWait);
    await server.insert('own', { l: [1, 2] }, { query: '?wait=true&flatten=none' });
    await server.stop();
    await changeFile(localFile(server.dir), 'ALTER TABLE own ALTER b TYPE DECIMAL(10,2)', 'UPDATE own SET b = 2.75', 'ALTER TABLE own ALTER c TYPE FLOAT',
      'UPDATE own SET c = 1.5', 'ALTER TABLE own ALTER l TYPE INTEGER[]', 'ALTER TABLE renamed ALTER d TYPE VARCHAR');
    await server.start();
    const sent = [{ b: 1 }, { b: 10 ** 15 }, { c: 1 }, { c: 0.1 }, { a: 1.5 }, { l: [3] }, { l: [1.5] }];
    const answer = await server.insert('own', sent, { query: '?wait=true&flatten=none' });
    assert.deepEqual(answer.errors.map((e) => e.row), [1, 6], JSON.stringify(answer));
    assert.deepEqual(await server.rows('SELECT a, b::VARCHAR AS b, c, l FROM own WHERE s IS NULL ORDER BY __row_id'), [
      { a: null, b: '2.75', c: 1.5, l: [1, 2] }, { a: null, b: '1.00', c: null, l: null }, { a: null, b: null, c: 1, l: null },
      { a: null, b: null, c: 0.1, l: null }, { a: 1.5, b: null, c: null, l: null }, { a: null, b: null, c: null, l: [3] }]);
    await server.insert('renamed', [{ d: 'soon' }, { d: 1 }], kWait);
    assert.deepEqual(await server.rows('SELECT d FROM renamed WHERE d IS NOT NULL ORDER BY d'), [{ d: '1' }, { d: '2026-01-31' }, { d: '2026-02-01' }, { d: 'soon' }]);
  });

  it('what is asked before anything is stored knows those of child tables too', kSlow, async (t) => {
    const server = await serverWith(t, 'CREATE TABLE q_items(price DECIMAL(6,2))');
    const bad = '[{"items":[{"price":0.001}]},{"items":[{"price":0.001}]},{"items":[{"price":1}]}]';
    const dry = (await server.api('/api/data/insert/q?dry_run=true&flatten=multitable', { body: bad })).json();
    assert.deepEqual([dry.rows, dry.failed], [1, 2], JSON.stringify(dry));
    assert.equal((await server.api('/api/data/insert/q?strict=true&flatten=multitable', { body: bad })).status, 400);
    assert.equal((await server.api('/api/data/failed?table=q')).json().total, 0);
  });

  it('child tables and cross products as well, from their first row on', kSlow, async (t) => {
    const server = await serverWith(t, 'CREATE TABLE o(id INTEGER, name VARCHAR)', 'CREATE TABLE o_items(sku VARCHAR, price DECIMAL(6,2))',
      'CREATE TABLE x(k INTEGER, v TINYINT)');
    const sent = [{ id: 1, items: [{ sku: 'a', price: 1.25 }, { sku: 'b', price: 2 }] }, { id: 2, items: [{ sku: 'c', price: 0.001 }] },
      { id: 3, items: [{ sku: 'd', price: 3.5 }] }];
    const answer = await server.insert('o', sent, { query: '?wait=true&flatten=multitable' });
    assert.deepEqual(answer.errors.map((e) => e.row), [1]);
    assert.deepEqual(await server.rows('SELECT id FROM o ORDER BY id'), [{ id: 1 }, { id: 3 }]);
    assert.deepEqual(await server.rows('SELECT sku, CAST(price AS VARCHAR) AS p FROM o_items ORDER BY sku'),
      [{ sku: 'a', p: '1.25' }, { sku: 'b', p: '2.00' }, { sku: 'd', p: '3.50' }]);
    const exploded = await server.insert('x', [{ k: 1, v: [1, 2] }, { k: 2, v: [1, 300] }], { query: '?wait=true&flatten=vertical' });
    assert.deepEqual(exploded.errors.map((e) => e.row), [1]);
    assert.deepEqual(await server.rows('SELECT k, v FROM x ORDER BY v'), [{ k: 1, v: 1 }, { k: 1, v: 2 }]);
  });
});
