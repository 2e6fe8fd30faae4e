// Saved endpoints: made, called, changed, versions, keys that are for them only.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { before, describe, it } from 'node:test';
import { duckdbIntegers } from './duckdb.mjs';
import { eventually, problem, startServer, temporaryDirectory, useServer } from './lib.mjs';

const dir = temporaryDirectory();

const orders = [
  { user: 'alice', amount: 10.5, day: '2026-01-01', placed: '2026-01-01T10:00:00Z' },
  { user: 'alice', amount: 20, day: '2026-01-02', placed: '2026-01-02T10:00:00Z' },
  { user: 'bob', amount: 99, day: '2026-01-02', placed: '2026-01-02T11:00:00Z' },
];
const byUser = { name: 'orders', query: 'SELECT "user", amount, placed FROM orders WHERE "user" = $user AND placed >= $since ORDER BY placed',
  params: [{ name: 'user', type: 'string', description: 'whose' }, { name: 'since', type: 'timestamp', default: '2026-01-01T00:00:00Z' }] };

function methods(server) {
  const put = (method, path, body, options) => server.api(path, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }), ...options });
  const ok = (answer) => { assert.equal(answer.status, 200, answer.text); return answer.json(); };
  return {
    make: async (spec, options) => ok(await put('POST', '/api/endpoints', spec, options)),
    post: (spec, options) => put('POST', '/api/endpoints', spec, options),
    change: async (name, spec, options) => ok(await put('PUT', `/api/endpoints/${name}`, spec, options)),
    put: (name, spec, options) => put('PUT', `/api/endpoints/${name}`, spec, options),
    remove: (path, options) => put('DELETE', `/api/endpoints/${path}`, undefined, options),
    get: async (path, options) => ok(await server.api(`/api/endpoints/${path}`, options)),
    call: (path, options) => server.api(`/api/endpoints/${path}`, options),
    anyone: (path, options = {}) => server.request(`/api/endpoints/${path}`, options),
    key: async (spec) => ok(await put('POST', '/api/destinations/local/keys', spec, { key: server.adminKey })),
    postKey: (spec) => put('POST', '/api/destinations/local/keys', spec, { key: server.adminKey }),
  };
}

describe('a saved endpoint', () => {
  const server = useServer();
  const { make, post, change, put, remove, get, call, anyone } = methods(server);
  before(async () => {
    await server.insert('orders', orders, { query: '?wait=true' });
    await make(byUser);
  });

  it('answers with what its query gives for its parameters, in every format', async () => {
    assert.deepEqual((await call('orders.json?user=bob')).json(), [{ user: 'bob', amount: 99.0, placed: '2026-01-02T11:00:00Z' }]);
    assert.equal((await call('orders.json?user=alice')).json().length, 2);
    assert.equal((await call('orders.json?user=alice&since=2026-01-02T00:00:00Z')).json().length, 1);
    assert.equal((await call('orders.csv?user=bob')).text, 'user,amount,placed\nbob,99.0,2026-01-02T11:00:00Z\n');
    assert.equal((await call("orders.json?user=x'%20OR%20'1'%3D'1")).json().length, 0);
    for (const format of ['ndjson', 'tsv', 'jsoncompact', 'html', 'parquet', 'arrow', 'xlsx']) {
      const answer = await call(`orders.${format}?user=bob`);
      assert.equal(answer.status, 200, `${format}: ${answer.text}`);
      assert.ok(answer.complete && answer.body.length > 20, format);
    }
    problem(await call('orders.xml?user=bob'), 404);
    problem(await call('never.json'), 404);
    assert.equal((await call('orders.csv?user=bob', { method: 'HEAD' })).status, 200);
    problem(await call('orders.json?user=bob', { method: 'POST', body: '{}' }), 405);
  });

  it('shows its definition, its columns and types, and where it is', async () => {
    const shown = await get('orders');
    assert.deepEqual(shown.params, [
      { name: 'user', type: 'string', required: true, description: 'whose' },
      { name: 'since', type: 'timestamp', required: false, default: '2026-01-01T00:00:00Z', description: '' }]);
    assert.deepEqual(shown.columns.map((c) => [c.name, c.type]), [['user', 'VARCHAR'], ['amount', 'DOUBLE'], ['placed', 'TIMESTAMP WITH TIME ZONE']]);
    assert.equal(shown.query, byUser.query);
    assert.equal(shown.url, `${server.url}/api/endpoints/orders.json`);
    assert.equal(shown.public, false);
    assert.deepEqual(shown.versions.map((v) => [v.version, v.retired]), [[1, false]]);
    const list = (await server.api('/api/endpoints')).json();
    assert.deepEqual(list.data.map((e) => e.name), ['orders']);
    assert.equal(list.next, null);
  });

  it('tells what a query would be as an endpoint, and saves nothing', async () => {
    const dry = (body, options = {}) => server.api('/api/endpoints?dry_run=true', { body: JSON.stringify(body), ...options });
    const found = (await dry({ query: 'SELECT count(*) AS n FROM orders WHERE amount > $least AND "user" = $user' })).json();
    assert.deepEqual(found.params.map((each) => [each.name, each.type, each.required]), [['least', 'number', true], ['user', 'string', true]]);
    assert.deepEqual(found.columns, [{ name: 'n', type: 'BIGINT' }]);
    assert.equal('name' in found, false);
    assert.equal(problem(await dry({ query: 'SELECT $a AS a', params: [] }), 400).parameter, 'a');
    problem(await dry({ query: 'SELECT * FROM never' }), 400, 'sql-error');
    problem(await dry({ name: 'no good', query: 'SELECT 1' }), 400);
    const changed = await server.api('/api/endpoints/orders?dry_run=true', { method: 'PUT', body: '{"query":"SELECT 1 AS one"}' });
    assert.deepEqual(changed.json().columns, [{ name: 'one', type: 'INTEGER' }]);
    assert.equal((await get('orders')).version, 1);
    problem(await server.api('/api/endpoints/never?dry_run=true', { method: 'PUT', body: '{"query":"SELECT 1"}' }), 404);
    problem(await server.api('/api/endpoints?dry_run=maybe', { body: '{"query":"SELECT 1"}' }), 400);
    const { api_key: reader } = (await server.api('/api/destinations/local/keys', { key: server.adminKey, body: '{"scopes":["query"]}' })).json();
    problem(await dry({ query: 'SELECT 1' }, { key: reader }), 403);
    assert.deepEqual((await server.api('/api/endpoints')).json().data.map((e) => e.name), ['orders']);
  });

  it('names the parameter that is wrong, missing, there twice or unknown: 422', async () => {
    await make({ name: 'typed', query: 'SELECT $i AS i, $n AS n, $d AS d, $b AS b, $day AS day, $at AS "at", $u AS u, $is AS "is"', params: [
      { name: 'i', type: 'INTEGER', default: 1 }, { name: 'n', type: 'number', default: 1.5 }, { name: 'd', type: 'decimal', default: 19.9900 }, { name: 'b', type: 'boolean', default: true },
      { name: 'day', type: 'date', required: false }, { name: 'at', type: 'timestamp', required: false }, { name: 'u', type: 'uuid', required: false }, { name: 'is', type: 'integer[]', required: false }] });
    assert.deepEqual((await call('typed.json')).json(), [{ i: 1, n: 1.5, d: 19.99, b: true, day: null, at: null, u: null, is: null }]);
    const all = await call('typed.json?i=-5&n=1e3&d=0.10&b=false&day=2026-02-28&at=2026-02-28T12:00:00%2B02:00&u=F0000000-0000-4000-8000-00000000000A&is=1&is=2');
    assert.equal(all.text.trim(), '[{"i":-5,"n":1000.0,"d":0.10,"b":false,"day":"2026-02-28","at":"2026-02-28T10:00:00Z","u":"f0000000-0000-4000-8000-00000000000a","is":[1,2]}]');
    for (const [query, parameter] of [['i=x', 'i'], ['i=1.5', 'i'], ['i=', 'i'], ['n=nan', 'n'], ['b=yes', 'b'], ['day=2026-02-30', 'day'], ['at=now', 'at'], ['u=1', 'u'], ['is=1&is=x', 'is'], ['i=1&i=2', 'i'], ['x=1', 'x'], ['I=1', 'I'], ['format=csv', 'format'], ['query=SELECT+1', 'query'], ['%7B%22i%22:1%7D', undefined],
      ['fresh=zz', 'fresh'], ['quote_int64=x', 'quote_int64'], ['quote_nan=x', 'quote_nan'], ['spreadsheet=x', 'spreadsheet'], ['query_id=zz', 'query_id'], ['timeout_ms=0', 'timeout_ms'], ['version=x', 'version'], ['version=0', 'version']]) {
      const answer = problem(await call(`typed.json?${query}`), 422);
      assert.equal(answer.parameter, parameter, query);
    }
    assert.equal(problem(await call('orders.json'), 422).parameter, 'user');
    assert.match(problem(await call('orders.json?usr=x&user=y'), 422).detail, /did you mean "user"/);
    const { columns } = await get('typed');
    assert.deepEqual(columns.map((c) => c.type), ['BIGINT', 'DOUBLE', 'DECIMAL(4,2)', 'BOOLEAN', 'DATE', 'TIMESTAMP WITH TIME ZONE', 'UUID', 'BIGINT[]']);
  });

  it('takes a parameter as what it is, wherever it stands, how often, and also where it is not given', async () => {
    await server.insert('numbers', { small: 7, name: 'x' }, { query: '?wait=true' });
    await make({ name: 'optional', query: `SELECT date_trunc('day', $since) AS day, $since AS since, [$since] AS list FROM orders WHERE $since IS NULL OR placed >= $since LIMIT 1`, params: [{ name: 'since', type: 'timestamp', required: false }] });
    assert.deepEqual((await call('optional.json')).json(), [{ day: null, since: null, list: [null] }]);
    assert.deepEqual((await call('optional.json?since=2026-01-01T10:00')).json(), [{ day: '2026-01-01T00:00:00Z', since: '2026-01-01T10:00:00Z', list: ['2026-01-01T10:00:00Z'] }]);
    const types = { day: 'TIMESTAMP WITH TIME ZONE', since: 'TIMESTAMP WITH TIME ZONE', list: 'TIMESTAMP WITH TIME ZONE[]' };
    assert.deepEqual(Object.fromEntries((await get('optional')).columns.map((c) => [c.name, c.type])), types);
    for (const query of ['', '?since=2026-01-01', '?since=2026-01-01T10:00:00.123456789Z']) {
      const { meta } = (await call(`optional.jsoncompact${query}`)).json();
      assert.deepEqual(Object.fromEntries(meta.map((c) => [c.name, c.type])), types, query);
    }
    // What does not fit the column is no row, not an error.
    await make({ name: 'fits', query: 'SELECT count(*) AS n FROM numbers WHERE small::TINYINT = $n OR small::UBIGINT = $d', params: [{ name: 'n', type: 'integer' }, { name: 'd', type: 'decimal' }], public: true });
    for (const [query, n] of [['n=300&d=1.5', 0], ['n=-1&d=7.5', 0], ['n=7&d=0', 1], ['n=0&d=7', 1], ['n=0&d=18446744073709551616', 0]]) assert.deepEqual((await anyone(`fits.json?${query}`)).json(), [{ n }], query);
    // Where SQL takes a narrower type only, the value is fitted in.
    await make({ name: 'narrow', query: "SELECT (DATE '2026-01-10' - $days)::VARCHAR AS day, $days AS days", params: [{ name: 'days', type: 'integer', default: 7 }] });
    assert.deepEqual((await call('narrow.json')).json(), [{ day: '2026-01-03', days: 7 }]);
    assert.deepEqual((await call('narrow.json?days=1')).json(), [{ day: '2026-01-09', days: 1 }]);
    assert.equal(problem(await call('narrow.json?days=3000000000'), 422, 'invalid-parameter').parameter, 'days');
    // That place alone: another number beside it keeps its 64 bits, and so does the same one elsewhere.
    await server.insert('visits', [{ uid: 3000000000, at: '2026-01-05T10:00:00Z' }, { uid: 7, at: '2026-01-05T10:00:00Z' }], { query: '?wait=true' });
    await make({ name: 'recent', query: `SELECT uid, $days * 86400000 AS ms FROM visits WHERE uid = $uid AND "at" >= DATE '2026-01-10' - $days`, params: [{ name: 'uid', type: 'integer' }, { name: 'days', type: 'integer', default: 30 }], public: true });
    for (let i = 0; i < 3; ++i) assert.deepEqual((await anyone('recent.json?uid=3000000000')).json(), [{ uid: 3000000000, ms: 2592000000 }]);
    assert.deepEqual((await anyone('recent.json?uid=7&days=1')).json(), []);
    assert.equal(problem(await anyone('recent.json?uid=7&days=3000000000'), 422, 'invalid-parameter').parameter, 'days');
  });

  it('names its columns as the query does, in every format, whatever the digits of a number', async () => {
    await make({ name: 'unnamed', query: 'SELECT amount::DECIMAL(9,2) * $rate, $rate, date_trunc(\'day\', $since), count(*) FROM orders WHERE "user" = \'bob\' GROUP BY ALL', params: [{ name: 'rate', type: 'decimal' }, { name: 'since', type: 'timestamp', default: '2026-01-01T00:00:00Z' }] });
    for (const rate of ['1.5', '10.25', '100']) {
      const [row] = (await call(`unnamed.json?rate=${rate}`)).json();
      assert.deepEqual(Object.keys(row), ['(CAST(amount AS DECIMAL(9, 2)) * $rate)', '$rate', "date_trunc('day', $since)", 'count_star()']);
      assert.equal(Object.values(row)[0], 99 * Number(rate));
    }
    assert.ok((await call('unnamed.csv?rate=1.5')).text.includes('$rate') && !(await call('unnamed.csv?rate=1.5')).text.includes('CAST($'));
    fs.writeFileSync(path.join(dir, 'unnamed.parquet'), (await call('unnamed.parquet?rate=1.5')).body);
    assert.deepEqual(duckdbIntegers([`SELECT count(*) FROM (DESCRIBE FROM '${dir}/unnamed.parquet') WHERE column_name IN ('$rate', '(CAST(amount AS DECIMAL(9, 2)) * $rate)')`]), [2n]);
  });

  it('is saved where a value stands for a name, and where a function takes a FLOAT alone', async () => {
    await make({ name: 'member', query: "SELECT {a: 1, b: 2}[$key] AS v", params: [{ name: 'key' }] });
    assert.deepEqual((await call('member.json?key=b')).json(), [{ v: 2 }]);
    problem(await call('member.json?key=z'), 400, 'sql-error');
    await make({ name: 'quantile', query: 'SELECT approx_quantile(amount, $q) AS q FROM orders', params: [{ name: 'q', type: 'number' }] });
    assert.equal((await call('quantile.json?q=1')).json()[0].q, 99);
    // DuckDB does not tell what it takes there: a text is no number, and the answer says so.
    assert.match(problem(await post({ name: 'derived_quantile', query: 'SELECT approx_quantile(amount, $q) AS q FROM orders' }), 400, 'sql-error').detail, /VARCHAR/);
    await make({ name: 'exact', query: 'SELECT len($d) AS n', params: [{ name: 'd', type: 'decimal[]' }] });
    assert.equal(problem(await call('exact.json?d=123456789012345678901234567890&d=0.12345678901234567890'), 422).parameter, 'd');
  });

  it('its description follows what its tables become', async () => {
    await server.insert('growing', { a: 1 }, { query: '?wait=true' });
    await make({ name: 'grows', query: 'SELECT * EXCLUDE (__row_id, __received_at) FROM growing WHERE $all OR a IS NOT NULL', params: [{ name: 'all', type: 'boolean', default: true }] });
    assert.deepEqual((await get('grows')).columns, [{ name: 'a', type: 'BIGINT' }]);
    await server.insert('growing', { a: 'text', b: { c: 2 } }, { query: '?wait=true' });
    for (const format of ['json', 'parquet', 'xlsx']) assert.equal((await call(`grows.${format}`)).status, 200);
    const now = [{ name: 'a', type: 'VARCHAR' }, { name: 'b_c', type: 'BIGINT' }];
    await eventually('the columns', async () => { assert.deepEqual((await get('grows')).columns, now); return true; });
    const spec = (await server.api('/api/openapi.json')).json();
    assert.deepEqual(Object.keys(spec.paths['/api/endpoints/grows.json'].get.responses[200].content['application/json'].schema.items.properties), ['a', 'b_c']);
    // Nobody has changed it: it is the same version.
    assert.equal((await change('grows', { query: 'SELECT * EXCLUDE (__row_id, __received_at) FROM growing WHERE $all OR a IS NOT NULL', params: [{ name: 'all', type: 'boolean', default: true }] })).version, 1);
  });

  it('is saved where only some values of its parameters fail', async () => {
    const made = await make({ name: 'casts', query: 'SELECT $x::INTEGER AS x, 10 // $y AS y', params: [{ name: 'x', type: 'string' }, { name: 'y', type: 'integer' }] });
    assert.equal(made.version, 1);
    assert.deepEqual((await call('casts.json?x=5&y=3')).json(), [{ x: 5, y: 3 }]);
    problem(await call('casts.json?x=a&y=3'), 400, 'sql-error');
  });

  it('has its parameters from its query where nobody names them', async () => {
    const made = await make({ name: 'derived', query: 'SELECT count(*) AS n FROM orders WHERE amount > $least AND "user" = $user AND placed > $from' });
    assert.deepEqual(Object.fromEntries(made.params.map((p) => [p.name, [p.type, p.required]])), { least: ['number', true], user: ['string', true], from: ['timestamp', true] });
    assert.deepEqual(made.columns, [{ name: 'n', type: 'BIGINT' }]);
    assert.equal((await call('derived.json?least=1&user=alice&from=2026-01-02')).json()[0].n, 1);
    // Where DuckDB cannot say before it runs, they are texts.
    const open = await make({ name: 'open_types', query: 'SELECT $x AS x, $x || 1 AS y' });
    assert.deepEqual([open.params[0].type, open.columns.map((c) => c.type)], ['string', ['VARCHAR', 'VARCHAR']]);
  });

  it('is refused with what is wrong with it', async () => {
    const refused = async (spec, status, slug) => problem(await post({ name: 'bad', query: 'SELECT 1', ...spec }), status, slug);
    await refused({ query: 'DROP TABLE orders' }, 400, 'sql-not-allowed');
    await refused({ query: 'SELECT * FROM read_csv(\'/etc/passwd\')' }, 400, 'sql-not-allowed');
    await refused({ query: 'SELECT * FROM nothing_here' }, 400, 'sql-error');
    await refused({ query: 'SELEC 1' }, 400);
    await refused({ query: ' ' }, 400, 'empty-query');
    await refused({ query: 'SELECT ?' }, 400, 'invalid-parameter');
    // What would fail at each call: a date-only text is a VARCHAR column, which SQL does not compare with a DATE.
    const types = await refused({ query: 'SELECT * FROM orders WHERE day >= $from', params: [{ name: 'from', type: 'date' }] }, 400, 'sql-error');
    assert.match(types.detail, /VARCHAR and type DATE/);
    await refused({ query: 'SELECT $a + [1]', params: [{ name: 'a', type: 'string' }] }, 400, 'sql-error');
    await refused({ query: 'SELECT $1' }, 400, 'invalid-parameter');
    assert.equal((await refused({ query: 'SELECT $a', params: [] }, 400)).parameter, 'a');
    assert.equal((await refused({ query: 'SELECT 1', params: [{ name: 'a' }] }, 400)).parameter, 'a');
    assert.equal((await refused({ query: 'SELECT $a', params: [{ name: 'a', type: 'json' }] }, 400)).parameter, 'a');
    assert.equal((await refused({ query: 'SELECT $a', params: [{ name: 'a', type: 'integer', default: 'x' }] }, 400)).parameter, 'a');
    assert.equal((await refused({ query: 'SELECT $a', params: [{ name: 'a' }, { name: 'A' }] }, 400)).parameter, 'A');
    for (const name of ['format', 'api_key', 'version', 'API_KEY']) assert.equal((await refused({ query: `SELECT $${name}` }, 400)).parameter, name);
    for (const name of ['', 'a.b', 'a/b', 'ä', 'a b', 'x'.repeat(101)]) await refused({ name }, 400, 'invalid-parameter');
    await refused({ nmae: 1 }, 400);
    await refused({ public: 'yes' }, 400);
    await refused({ cache_seconds: -1 }, 400);
    await refused({ name: 'orders' }, 409);
    problem(await put('orders', { ...byUser, name: 'other' }), 400);
    problem(await put('never', byUser), 404);
    assert.deepEqual((await server.api('/api/endpoints')).json().data.map((e) => e.name).filter((n) => n === 'bad'), []);
  });

  it('has a version for each change, which can be pinned, and retired', async () => {
    const first = await make({ name: 'v', query: 'SELECT 1 AS n' });
    assert.equal(first.version, 1);
    assert.equal((await change('v', { query: 'SELECT 2 AS n' })).version, 2);
    assert.equal((await change('v', { query: 'SELECT 2 AS n' })).version, 2);
    assert.equal((await change('v', { query: 'SELECT 2 AS n', description: 'two' })).version, 3);
    const n = async (query) => (await call(`v.json${query}`)).json()[0].n;
    assert.deepEqual([await n(''), await n('?version=1'), await n('?version=2')], [2, 1, 2]);
    assert.equal((await call('v.json?version=1')).headers['x-endpoint-version'], '1');
    assert.equal((await get('v?version=1')).query, 'SELECT 1 AS n');
    assert.match(problem(await call('v.json?version=4'), 404).detail, /version/);
    assert.match(problem(await remove('v?version=99'), 404).detail, /version/);
    for (const bad of ['0', 'x', '1.0', '']) problem(await call(`v.json?version=${bad}`), 422);
    problem(await server.api('/api/endpoints/v?version=x'), 400);
    problem(await remove('v?version=3'), 400);
    for (const misspelled of ['Version=1', 'versoin=1', 'v=1']) problem(await remove(`v?${misspelled}`), 400, 'invalid-parameter');
    assert.equal(await n('?version=1'), 1);
    assert.equal((await remove('v?version=1')).status, 204);
    problem(await call('v.json?version=1'), 404);
    assert.equal(await n(''), 2);
    assert.deepEqual((await get('v')).versions.map((v) => v.retired), [true, false, false]);
    assert.equal((await remove('v')).status, 204);
    problem(await call('v.json'), 404);
    problem(await remove('v'), 404);
    assert.equal((await make({ name: 'v', query: 'SELECT 9 AS n' })).version, 4);
    problem(await call('v.json?version=2'), 404);
  });

  it('is cached as long as it says, and not sent again while nothing has changed', async () => {
    await make({ name: 'fast', query: 'SELECT count(*) AS n FROM orders', cache_seconds: 60, public: true });
    await make({ name: 'plain', query: 'SELECT count(*) AS n FROM orders' });
    assert.equal((await anyone('fast.json')).headers['cache-control'], 'public, max-age=60');
    for (const header of ['authorization', 'x-api-key', 'accept-encoding']) assert.ok((await anyone('fast.json')).headers.vary.toLowerCase().includes(header), header);
    assert.equal((await anyone('fast.json?x=1')).headers['cache-control'], 'no-store');
    assert.equal((await call('fast.json')).headers['cache-control'], 'private, max-age=60');
    const plain = await call('plain.json');
    assert.equal(plain.headers['cache-control'], 'private, no-cache');
    const again = (etag, path = 'plain.json') => call(path, { headers: { 'If-None-Match': etag } });
    assert.equal((await again(plain.headers.etag)).status, 304);
    assert.equal((await again(plain.headers.etag, 'plain.csv')).status, 200);
    await server.insert('orders', { user: 'eve', amount: 1, placed: '2025-01-01T00:00:00Z' }, { query: '?wait=true' });
    assert.equal((await again(plain.headers.etag)).status, 200);
    const bob = await call('orders.json?user=bob');
    assert.equal((await again(bob.headers.etag, 'orders.json?user=bob')).status, 304);
    assert.equal((await again(bob.headers.etag, 'orders.json?user=alice')).status, 200);
  });

  it('has limits of its own', async () => {
    await make({ name: 'few', query: 'FROM range(11)', max_rows: 10 });
    problem(await call('few.json'), 422, 'result-too-large');
    await make({ name: 'slow', query: 'SELECT count(*) FROM range(100000000) a, range(100000000) b WHERE a.range + b.range = 7', timeout_ms: 300 });
    problem(await call('slow.json'), 504);
    problem(await call('slow.json?timeout_ms=100000'), 504);
  });

  it('counts how it is used', async () => {
    await make({ name: 'used', query: 'SELECT $n AS n', params: [{ name: 'n', type: 'integer' }], public: true });
    for (let i = 0; i < 3; ++i) await call('used.json?n=1');
    await call('used.json?n=x');
    await anyone('used.csv?n=1');
    const { usage } = await get('used');
    assert.deepEqual((await server.api('/api/endpoints?limit=1000')).json().data.find((each) => each.name === 'used').usage, usage);
    assert.equal(usage.calls, 5);
    assert.equal(usage.errors, 1);
    assert.ok(usage.bytes > 30, usage.bytes);
    const days = (await get('used/usage')).data;
    assert.equal(days.length, 2);
    assert.equal(days.reduce((sum, d) => sum + d.calls, 0), 5);
    assert.equal(days.find((d) => d.key_id === null).calls, 1);
    assert.match(days[0].day, /^\d{4}-\d\d-\d\d$/);
  });

  it('counts as errors what failed midway too, and not those who leave', async () => {
    const count = async (name) => { const { usage } = await get(name); return [usage.calls, usage.errors]; };
    await make({ name: 'breaks', query: 'SELECT CASE WHEN range < 400000 THEN 1 ELSE $x::INTEGER END AS v FROM range(500000)', params: [{ name: 'x', type: 'string' }] });
    const broken = await call('breaks.csv?x=a').catch(() => ({ complete: false }));
    assert.equal(broken.complete, false);
    assert.ok((await call('breaks.csv?x=1')).complete);
    assert.equal((await call('breaks.csv?x=1', { method: 'HEAD' })).status, 200);
    await eventually('the counts', async () => { const [calls, errors] = await count('breaks'); return calls === 3 && errors === 1; });
    await make({ name: 'long', query: 'SELECT repeat(\'x\', 1000) AS v FROM range(2000000)' });
    await new Promise((resolve, reject) => {
      const socket = net.connect(server.port, '127.0.0.1', () => socket.write('GET /api/endpoints/long.csv HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer local\r\n\r\n'));
      socket.once('data', () => { socket.destroy(); resolve(); }).on('error', reject);
    });
    await eventually('the counts', async () => { const [calls, errors] = await count('long'); return calls === 1 && errors === 0; });
  });
});

describe('who may call an endpoint', () => {
  const server = useServer();
  const { make, change, call, anyone, key, postKey } = methods(server);
  const with_key = (secret) => ({ key: secret });
  before(async () => {
    await server.insert('orders', orders, { query: '?wait=true' });
    await make(byUser);
    await make({ name: 'open', query: 'SELECT count(*) AS n FROM orders', public: true });
    await make({ name: 'everything', query: 'SELECT * FROM orders' });
  });

  it('nobody without a key, but for public ones; what is private is like what is not there', async () => {
    assert.deepEqual((await anyone('open.json')).json(), [{ n: 3 }]);
    const hidden = problem(await anyone('orders.json?user=bob'), 401);
    const never = problem(await anyone('never.json?user=bob'), 401);
    assert.equal(hidden.detail, never.detail);
    problem(await anyone('open', {}), 401);
    assert.equal((await anyone('open.json', { headers: { Origin: 'https://app.example' } })).headers['access-control-allow-origin'], '*');
    await change('open', { query: 'SELECT count(*) AS n FROM orders', public: false });
    problem(await anyone('open.json'), 401);
    await change('open', { query: 'SELECT count(*) AS n FROM orders', public: true });
  });

  it('what was made for a key\'s eyes stays so when a later version is public', async () => {
    await make({ name: 'later', query: 'SELECT * FROM orders' });
    await change('later', { query: 'SELECT 2 AS n' });
    assert.equal((await change('later', { query: 'SELECT 3 AS n', public: true })).version, 3);
    assert.deepEqual((await anyone('later.json')).json(), [{ n: 3 }]);
    assert.deepEqual((await anyone('later.json?version=3')).json(), [{ n: 3 }]);
    const hidden = problem(await anyone('later.json?version=1'), 404);
    assert.equal(problem(await anyone('later.json?version=9'), 404).detail, hidden.detail);
    assert.equal((await call('later.json?version=1')).json().length, 3);
    await change('later', { query: 'SELECT 4 AS n', public: true });
    assert.deepEqual((await anyone('later.json?version=3')).json(), [{ n: 3 }]);
    await change('later', { query: 'SELECT 4 AS n' });
    problem(await anyone('later.json'), 401);
    problem(await anyone('later.json?version=3'), 401);
    await change('later', { query: 'SELECT 4 AS n', public: true });
    assert.deepEqual((await anyone('later.json')).json(), [{ n: 4 }]);
    problem(await anyone('later.json?version=3'), 404);
    const versions = (await server.api('/api/endpoints/later')).json().versions;
    assert.deepEqual(versions.map((v) => v.public), [false, false, false, true]);
  });

  it('tells those who are not its makers nothing of its query, also where it fails', async () => {
    await server.insert('doomed', { secret_column: 1 }, { query: '?wait=true' });
    await make({ name: 'fails', query: 'SELECT secret_column FROM doomed', public: true });
    assert.deepEqual((await anyone('fails.json')).json(), [{ secret_column: 1 }]);
    assert.equal((await server.api('/api/tables/doomed', { method: 'DELETE' })).status, 204);
    const gone = await eventually('the table is gone', async () => { const answer = await anyone('fails.json'); return answer.status !== 200 && answer; });
    problem(gone, 500);
    assert.ok(!/doomed|secret|SELECT/.test(gone.text), gone.text);
    assert.match(problem(await call('fails.json'), 400).detail, /doomed/);
    await make({ name: 'casts', query: 'SELECT $x::INTEGER + amount AS secret_column FROM orders', public: true, params: [{ name: 'x', type: 'string' }] });
    const { api_key: locked } = await key({ endpoints: ['casts'] });
    for (const answer of [await anyone('casts.json?x=abc'), await call('casts.json?x=abc', with_key(locked))]) {
      problem(answer, 422);
      for (const secret of ['secret', 'orders', 'INT32', 'Conversion', 'SELECT']) assert.ok(!answer.text.includes(secret), answer.text);
    }
    assert.match(problem(await call('casts.json?x=abc'), 400).detail, /abc/);
  });

  it('a key for endpoints calls those and does nothing else', async () => {
    const made = await key({ name: 'dashboard', endpoints: ['orders'] });
    assert.deepEqual(made.endpoints, ['orders']);
    assert.deepEqual(made.scopes, ['query']);
    const only = with_key(made.api_key);
    assert.equal((await call('orders.json?user=bob', only)).json().length, 1);
    const other = await call('everything.json', only);
    assert.deepEqual([other.status, problem(other, 404).detail], [404, problem(await call('never.json', only), 404).detail]);
    // Nor is it worse off than nobody at all; also a key that queries nothing.
    assert.deepEqual((await call('open.json', only)).json(), [{ n: 3 }]);
    const inserts = with_key((await key({ scopes: ['insert'] })).api_key);
    assert.deepEqual((await call('open.json', inserts)).json(), [{ n: 3 }]);
    problem(await call('orders.json?user=bob', inserts), 403);
    problem(await call('never.json', inserts), 403);
    for (const [method, path, body] of [['POST', '/api/data/query', 'SELECT 1'], ['GET', '/api/tables'], ['GET', '/api/tables/orders'], ['GET', '/api/endpoints'], ['GET', '/api/endpoints/orders'], ['GET', '/api/endpoints/orders/usage'],
      ['DELETE', '/api/endpoints/orders'], ['PUT', '/api/endpoints/orders', JSON.stringify(byUser)], ['POST', '/api/endpoints', JSON.stringify(byUser)], ['POST', '/api/data/share', '{"query":"SELECT 1"}'], ['GET', '/api/shares'], ['GET', '/api/data/snapshot'],
      ['POST', '/api/data/insert/orders', '{"user":"x"}'], ['GET', '/api/data/failed'], ['GET', '/api/destinations/local/keys'], ['POST', '/api/destinations/local/keys', '{}'], ['GET', '/api/data/query/0d9f5c3e-8a43-4c6e-9d11-3f6f0a4b2c1d'], ['GET', '/api/tables/orders/history']]) {
      const answer = await server.api(path, { method, body, ...only });
      assert.equal(answer.status, 403, `${method} ${path}: ${answer.text}`);
    }
  });

  it('a key for endpoints is made of what there is', async () => {
    const refused = async (spec, parameter) => {
      const answer = problem(await postKey({ endpoints: ['orders'], ...spec }), 400);
      if (parameter) assert.equal(answer.parameter, parameter);
    };
    await refused({ endpoints: ['never'] });
    await refused({ endpoints: [] });
    await refused({ endpoints: 'orders' });
    await refused({ scopes: ['query', 'admin'] });
    await refused({ scopes: ['share'] });
    await refused({ params: { usr: 'alice' } }, 'usr');
    await refused({ params: { user: 1 } }, 'user');
    await refused({ params: { user: null } }, 'user');
    problem(await server.api('/api/destinations/local/keys', { key: server.adminKey, body: '{"endpoints":["orders"],"params":{"user":"alice","user":"bob"}}' }), 400, 'invalid-parameter');
    problem(await server.api('/api/destinations/local/keys', { key: server.adminKey, body: '{"scopes":["query"],"scopes":["query","insert"]}' }), 400, 'invalid-parameter');
    await refused({ params: { since: 'yesterday' } }, 'since');
    await refused({ endpoints: ['orders', 'everything'], params: { user: 'alice' } }, 'user');
    problem(await postKey({ params: { user: 'alice' } }), 400);
    const both = await key({ endpoints: ['orders'], scopes: ['query', 'insert'] });
    assert.equal((await server.insert('other', { a: 1 }, { key: both.api_key })).error, undefined);
    problem(await server.api('/api/data/query', { body: 'SELECT 1', key: both.api_key }), 403);
  });

  it('what a key fixes cannot be said otherwise, by any spelling', async () => {
    const made = await key({ endpoints: ['orders'], params: { user: 'alice' } });
    assert.deepEqual(made.params, { user: 'alice' });
    const secret = made.api_key;
    const alice = (answer) => { assert.equal(answer.status, 200, answer.text); for (const row of answer.json()) assert.equal(row.user, 'alice'); return answer.json(); };
    assert.equal(alice(await call('orders.json', with_key(secret))).length, 2);
    assert.equal(alice(await call('orders.json?since=2026-01-02T00:00:00Z', with_key(secret))).length, 1);
    for (const query of ['user=bob', 'user=alice', 'user=alice&user=bob', 'user=bob&user=alice', '%75ser=bob', 'use%72=bob', 'user=%62ob', 'user', 'user=', 'since=2026-01-01T00:00:00Z&user=bob', 'user=bob&api_key=x']) {
      const answer = await call(`orders.json?${query}`, with_key(secret));
      assert.equal(problem(answer, 403, 'parameter-fixed').parameter, 'user', query);
    }
    // Names that are not quite that one are not known.
    for (const query of ['USER=bob', 'User=bob', '$user=bob', 'user[]=bob', 'user[0]=bob', '%20user=bob', 'user%20=bob', 'user%00=bob', '%2575ser=bob', 'params=%7B%22user%22:%22bob%22%7D', '%7B%22user%22:%22bob%22%7D', '{"user":"bob"}', 'ｕser=bob', 'user%E2%80%8B=bob', 'query=SELECT+1', 'user;x=bob']) {
      const answer = await call(`orders.json?${encodeURI(query).replaceAll('%25', '%')}`, with_key(secret));
      assert.ok([422, 403].includes(answer.status), `${query}: ${answer.status} ${answer.text}`);
    }
    // Other places than the URL are not looked at.
    const raw = (head, body = '') => new Promise((resolve, reject) => {
      const socket = net.connect(server.port, '127.0.0.1', () => socket.write(`${head.join('\r\n')}\r\nHost: localhost\r\nAuthorization: Bearer ${secret}\r\nConnection: close\r\n${body ? `Content-Length: ${body.length}\r\n` : ''}\r\n${body}`));
      let text = '';
      socket.on('data', (data) => { text += data; }).on('close', () => resolve(text)).on('error', reject);
    });
    for (const [head, body] of [
      [['GET /api/endpoints/orders.json HTTP/1.1', 'user: bob', 'X-User: bob', 'X-Param-User: bob', 'params: {"user":"bob"}', 'Cookie: user=bob', 'Prefer: params=multiple']],
      [['GET /api/endpoints/orders.json HTTP/1.1', 'Content-Type: application/json'], '{"user":"bob"}'],
      [['GET /api/endpoints/orders.json HTTP/1.1', 'Content-Type: application/x-www-form-urlencoded'], 'user=bob'],
      [['GET /api/endpoints/orders.json?since=2020-01-01%26user=bob HTTP/1.1']],
      [['GET /api/endpoints/orders.json?since=2020-01-01#user=bob HTTP/1.1']],
      [['GET /api/endpoints/orders.json?version=1%00&user=bob HTTP/1.1']],
      [['GET http://localhost/api/endpoints/orders.json?user=bob HTTP/1.1']],
      [['POST /api/endpoints/orders.json HTTP/1.1', 'X-HTTP-Method-Override: GET', 'Content-Type: application/json'], '{"user":"bob"}'],
    ]) assert.ok(!(await raw(head, body)).includes('bob"'), head[0]);
    // Another key beside it gives what that key may have, not both.
    const twice = await server.request('/api/endpoints/orders.json', { headers: { Authorization: `Bearer ${secret}`, 'X-API-KEY': 'local' } });
    alice(twice);
    // A change of the endpoint that takes the parameter away closes it to the key.
    await change('orders', { query: 'SELECT "user", amount, placed FROM orders' });
    assert.equal(problem(await call('orders.json', with_key(secret)), 403, 'parameter-fixed').parameter, 'user');
    assert.equal(alice(await call('orders.json?version=1', with_key(secret))).length, 2);
    await change('orders', { query: 'SELECT "user", amount FROM orders WHERE length("user") = $user', params: [{ name: 'user', type: 'integer' }] });
    assert.equal(problem(await call('orders.json', with_key(secret)), 422).parameter, 'user');
    await change('orders', byUser);
    alice(await call('orders.json', with_key(secret)));
  });

  it('a key has so many requests a minute: 429 with the time to wait, and nothing was stored', async () => {
    const { api_key: secret, requests_per_minute: shown } = await key({ scopes: ['query', 'insert'], requests_per_minute: 3 });
    assert.equal(shown, 3);
    for (let i = 0; i < 3; ++i) assert.equal((await call('open.json', with_key(secret))).status, 200);
    const over = await call('open.json', with_key(secret));
    problem(over, 429, 'rate-limit');
    assert.ok(Number(over.headers['retry-after']) >= 1 && Number(over.headers['retry-after']) <= 20, over.headers['retry-after']);
    problem(await server.api('/api/data/insert/late', { body: '{"a":1}', key: secret }), 429, 'rate-limit');
    assert.equal((await server.api('/api/tables/late')).status, 404);
    problem(await postKey({ requests_per_minute: 0 }), 400);
  });

  it('limits of a key hold: tables, rows', async () => {
    const { api_key: narrow } = await key({ scopes: ['query'], tables: ['other'] });
    problem(await call('everything.json', with_key(narrow)), 400, 'sql-not-allowed');
    const { api_key: few } = await key({ endpoints: ['everything'], max_rows: 2 });
    problem(await call('everything.json', with_key(few)), 422, 'result-too-large');
    const { api_key: limited } = await key({ max_rows: 2 });
    problem(await server.api('/api/endpoints', { body: JSON.stringify({ name: 'x', query: 'SELECT 1' }), key: limited }), 403);
  });
});

describe('endpoints of several destinations', () => {
  const server = useServer();
  const { make } = methods(server);
  const ask = (path, options = {}) => server.request(`/api/endpoints/${path}`, options);

  it('a public one is found by its name while there is one; its own URL always', async () => {
    const other = (await server.api('/api/destinations', { key: server.adminKey, body: '{"name":"other"}' })).json();
    const mine = await make({ name: 'e', query: "SELECT 'mine' AS of", public: true });
    assert.match(mine.url, /\?destination_id=[0-9a-f-]{36}$/);
    assert.equal((await ask('e.json')).json()[0].of, 'mine');
    const theirs = await make({ name: 'e', query: "SELECT 'theirs' AS of", public: true }, { key: other.api_key });
    problem(await ask('e.json'), 401);
    assert.equal((await server.request(new URL(mine.url).pathname + new URL(mine.url).search)).json()[0].of, 'mine');
    assert.equal((await server.request(new URL(theirs.url).pathname + new URL(theirs.url).search)).json()[0].of, 'theirs');
    assert.equal((await ask('e.json?destination_id=other')).json()[0].of, 'theirs');
    problem(await ask('e.json?destination_id=never'), 401);
    assert.equal((await server.api('/api/endpoints/e.json', { key: other.api_key })).json()[0].of, 'theirs');
    // What anybody may call a foreign key may too, and nothing else.
    const of_mine = `destination_id=${mine.url.split('=')[1]}`;
    assert.equal((await server.api(`/api/endpoints/e.json?${of_mine}`, { key: other.api_key })).json()[0].of, 'mine');
    await make({ name: 'hidden', query: 'SELECT 1 AS n' });
    const hidden = problem(await server.api(`/api/endpoints/hidden.json?${of_mine}`, { key: other.api_key }), 404);
    assert.equal(hidden.detail, problem(await server.api(`/api/endpoints/never.json?${of_mine}`, { key: other.api_key }), 404).detail);
  });
});

describe('endpoints and restarts', () => {
  it('they, their keys and their counts are there again', async (t) => {
    const server = await startServer(t, {});
    const { make, get, call, key } = methods(server);
    await make({ name: 'e', query: 'SELECT $n AS n', params: [{ name: 'n', type: 'integer' }] });
    const { api_key: secret } = await key({ endpoints: ['e'], params: { n: 7 } });
    assert.equal((await call('e.json', { key: secret })).json()[0].n, 7);
    await server.stop(); await server.start();
    assert.equal((await call('e.json', { key: secret })).json()[0].n, 7);
    await eventually('the counts', async () => (await get('e')).usage.calls === 2);
  });
});
