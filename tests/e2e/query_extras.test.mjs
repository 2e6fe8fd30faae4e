// Beside the rows: parameters, compression, entity tags, progress and cancelling, places and their queue, limits of keys,
// keys of some tables, Parquet, snapshots.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { describe, it } from 'node:test';
import zlib from 'node:zlib';
import { runDuckdb } from './change_file.mjs';
import { duckdbInteger, duckdbIntegers } from './duckdb.mjs';
import { eventually, problem, runBinary, sleep, startServer, temporaryDirectory, useServer } from './lib.mjs';

const kForEver = 'SELECT count(*) FROM range(100000000) a, range(100000000) b WHERE a.range + b.range = 7';
const uuid = (n) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

describe('a query', () => {
  const server = useServer();
  const post = (body, options = {}) => server.api('/api/data/query', { body: JSON.stringify(body), ...options });
  const get = (sql, options = {}) => server.api(`/api/data/query?query=${encodeURIComponent(sql)}${options.more ?? ''}`, options);
  const running = async () => (await server.metrics())('scratchdata_queries_running', { destination: 'local' });

  it('takes parameters by position and by name, typed and never spliced', async () => {
    const rows = async (query, params) => {
      const answer = await post({ query, params });
      assert.equal(answer.status, 200, answer.text);
      return answer.json();
    };
    assert.deepEqual(await rows('SELECT ? AS a, typeof(?) AS t', [1, 'x']), [{ a: 1, t: 'VARCHAR' }]);
    assert.deepEqual(await rows('SELECT $b AS b, $a AS a', { a: "'; DROP TABLE t; --", b: null }), [{ b: null, a: "'; DROP TABLE t; --" }]);
    assert.deepEqual(await rows("SELECT $n + 0 AS n", { n: 12345678901 }), [{ n: 12345678901 }]);
    const exact = await server.api('/api/data/query', { body: '{"query":"SELECT $1 AS h, typeof($1) AS t","params":[123456789012345678901234567890]}' });
    assert.equal(exact.text.trim(), '[{"h":123456789012345678901234567890,"t":"HUGEINT"}]');
    assert.deepEqual(await rows('SELECT count(*) AS n FROM range(10) t(i) WHERE list_contains($ids, i)', { ids: [1, 2, 77] }), [{ n: 2 }]);
    const by_url = await get('SELECT $x::DATE AS d', { more: `&params=${encodeURIComponent('{"x":"2026-01-31"}')}` });
    assert.deepEqual(by_url.json(), [{ d: '2026-01-31' }], by_url.text);
    for (const [query, params] of [['SELECT ?', []], ['SELECT ?', [1, 2]], ['SELECT $a', { b: 1 }], ['SELECT $a', { a: 1, b: 2 }]]) {
      problem(await post({ query, params }), 400, 'invalid-parameter');
    }
    problem(await post({ query: 'SELECT 1', params: 'x' }), 400, 'invalid-parameter');
    problem(await get('SELECT 1', { more: '&params=%7Bx' }), 400, 'invalid-parameter');
  });

  it('is compressed as the client takes it, also while it streams; small ones and Parquet are not', async () => {
    const sql = "SELECT i, repeat('scratch', 10) AS s FROM range(5000) t(i)";
    const plain = (await server.sql(sql, { query: '?format=csv' })).text;
    const gzip = await get(sql, { more: '&format=csv', headers: { 'Accept-Encoding': 'gzip' } });
    assert.equal(gzip.headers['content-encoding'], 'gzip');
    assert.equal(zlib.gunzipSync(gzip.body).toString(), plain);
    assert.ok(gzip.body.length < plain.length / 10);
    const zstd = await get(sql, { more: '&format=csv', headers: { 'Accept-Encoding': 'gzip;q=0.5, zstd' } });
    assert.equal(zstd.headers['content-encoding'], 'zstd');
    assert.equal(zstd.body.readUInt32LE(0), 0xFD2FB528);
    assert.match(zstd.headers.vary, /Accept-Encoding/);
    for (const none of ['identity', 'br', 'gzip;q=0', '']) {
      assert.equal((await get(sql, { more: '&format=csv', headers: { 'Accept-Encoding': none } })).headers['content-encoding'], undefined, none);
    }
    assert.equal((await get('SELECT 1', { headers: { 'Accept-Encoding': 'gzip' } })).headers['content-encoding'], undefined);
    assert.equal((await get(sql, { more: '&format=parquet', headers: { 'Accept-Encoding': 'gzip' } })).headers['content-encoding'], undefined);
  });

  it('has an entity tag, and is not run again while nothing has changed', async () => {
    await server.insert('tagged', { a: 1 }, { query: '?wait=true' });
    const sql = 'SELECT * FROM tagged';
    const first = await get(sql);
    assert.match(first.headers.etag, /^W\/"[0-9a-f]{32}"$/);
    const again = async (options = {}, what = sql) => get(what, { ...options, headers: { 'If-None-Match': `"x", ${first.headers.etag}`, ...options.headers } });
    const same = await again();
    assert.deepEqual([same.status, same.text, same.headers.etag], [304, '', first.headers.etag]);
    assert.equal((await get(sql, { headers: { 'If-None-Match': ['"x"', first.headers.etag] } })).status, 304, 'two lines');
    // Another format, statement or parameter, and other data.
    assert.equal((await again({ more: '&format=csv' })).status, 200);
    assert.equal((await again({ more: '&quote_int64=true' })).status, 200);
    assert.equal((await again({}, `${sql} `)).status, 200);
    await server.insert('elsewhere', { a: 1 }, { query: '?wait=true' });
    const changed = await again();
    assert.equal(changed.status, 200);
    assert.notEqual(changed.headers.etag, first.headers.etag);
    for (const volatile of ['SELECT now() AS t', 'SELECT random() AS r', 'SELECT current_date AS d', 'SELECT uuid() AS u', 'SELECT * FROM tagged USING SAMPLE 1 ROWS']) {
      const answer = await get(volatile);
      assert.deepEqual([answer.status, answer.headers.etag], [200, undefined], volatile);
    }
    // A new engine may hold the same data, and does not promise it.
    assert.equal((await server.api('/api/data/query', { body: sql, headers: { 'If-None-Match': first.headers.etag } })).status, 200, 'POST');
  });

  it('tells how far it is, and is cancelled, by its id', async () => {
    const asked = post({ query: kForEver, query_id: uuid(1) });
    const progress = () => server.api(`/api/data/query/${uuid(1)}`);
    await eventually('progress', async () => (await progress()).json().state === 'running');
    const { id, state, rows, bytes, elapsed_ms: elapsed } = (await progress()).json();
    assert.deepEqual([id, state, rows, bytes, elapsed >= 0], [uuid(1), 'running', 0, 0, true]);
    problem(await post({ query: 'SELECT 1', query_id: uuid(1) }), 409, 'query-id-in-use');
    assert.equal((await server.api(`/api/data/query/${uuid(1)}`, { method: 'DELETE' })).status, 204);
    const answer = await asked;
    problem(answer, 499, 'query-cancelled');
    assert.equal(answer.headers['x-query-id'], uuid(1));
    await eventually('its end', async () => (await progress()).status === 404);
    problem(await server.api(`/api/data/query/${uuid(1)}`, { method: 'DELETE' }), 404);
    problem(await post({ query: 'SELECT 1', query_id: 'x' }), 400, 'invalid-parameter');
    // Amid its rows: the answer has no end.
    const stream = post({ query: "SELECT i, repeat('x', 100) AS s FROM range(100000000) t(i)", query_id: uuid(2) });
    await eventually('rows', async () => (await server.api(`/api/data/query/${uuid(2)}`)).json().rows > 0);
    await server.api(`/api/data/query/${uuid(2)}`, { method: 'DELETE' });
    const cut = await stream.catch((error) => ({ error }));
    assert.ok(cut.error || cut.complete === false);
    await eventually('nothing runs', async () => (await running()) === 0, 3000);
    // Whoever leaves before there is an answer makes no fault of it.
    const faults = async () => (await server.request('/metrics')).text.split('\n').filter((line) => /^scratchdata_http_requests_total\{.*status="(499|500)"/.test(line) && /query/.test(line)).join('\n');
    await assert.rejects(post({ query: kForEver }, { signal: AbortSignal.timeout(300) }));
    await eventually('499', async () => /status="499"/.test(await faults()));
    assert.doesNotMatch(await faults(), /status="500"/);
    // In percent where DuckDB can tell.
    await server.insert('counted', Array.from({ length: 200_000 }, (_, i) => JSON.stringify({ a: i })).join('\n'), { query: '?wait=true' });
    const joined = post({ query: 'SELECT count(*) FROM counted x, counted y WHERE x.a < y.a', query_id: uuid(3) });
    const percent = await eventually('percent', async () => (await server.api(`/api/data/query/${uuid(3)}`)).json().percent);
    assert.ok(percent > 0 && percent <= 100, `${percent}`);
    await server.api(`/api/data/query/${uuid(3)}`, { method: 'DELETE' });
    problem(await joined, 499, 'query-cancelled');
  });

  it('Parquet: what DuckDB reads back, errors with their status, none of it at hand for others', async () => {
    const dir = temporaryDirectory();
    const fetched = async (sql) => {
      const answer = await server.sql(sql, { query: '?format=parquet' });
      assert.equal(answer.status, 200, answer.text.slice(0, 300));
      assert.equal(answer.headers['content-type'], 'application/vnd.apache.parquet');
      const file = path.join(dir, `${Math.random()}.parquet`);
      fs.writeFileSync(file, answer.body);
      return file;
    };
    const sql = "SELECT i, i::VARCHAR AS s, [i, NULL] AS l, {'a': i} AS st, (i / 7)::DECIMAL(18,3) AS d, TIMESTAMPTZ '2026-01-31 12:00:00Z' + to_seconds(i) AS t FROM range(200000) t(i)";
    const file = await fetched(sql);
    assert.deepEqual(duckdbIntegers(["SET TimeZone = 'UTC'", `SELECT count(*), count(*) FILTER (WHERE e IS DISTINCT FROM f) FROM (${sql}) e FULL JOIN read_parquet('${file}') f USING (i)`]), [200000n, 0n]);
    assert.equal(duckdbIntegers([`SELECT count(*) FROM read_parquet('${await fetched('SELECT 1 AS a WHERE false')}')`])[0], 0n);
    for (const odd of ['SELECT (INTERVAL 1 month, 2) AS v', 'SELECT list((a, n)) AS l FROM (SELECT 1 AS a, sum(1) AS n)', "SELECT MAP {'x': (1, 1::HUGEINT)} AS m", 'SELECT row(1, 2) AS plain']) {
      assert.equal(duckdbIntegers([`SELECT count(*) FROM read_parquet('${await fetched(odd)}')`])[0], 1n, odd);
    }
    const words = problem(await server.sql("SELECT ('1' || repeat('0', 38))::HUGEINT AS n", { query: '?format=parquet' }), 400, 'sql-error').detail;
    assert.doesNotMatch(words, /COPY|CAST\(c0/);
    for (const other of ['DESCRIBE SELECT 1 AS a', 'FROM range(3)', 'VALUES (1)', 'PIVOT (SELECT 1 AS a, 2 AS b) ON a IN (1) USING sum(b)', 'WITH x AS (SELECT 1) FROM x;  -- end']) await fetched(other);
    problem(await server.sql('SELECT nonsense', { query: '?format=parquet' }), 400, 'sql-error');
    problem(await server.sql("SELECT error('early') AS a", { query: '?format=parquet' }), 400, 'sql-error');
    problem(await server.sql('EXPLAIN SELECT 1', { query: '?format=parquet' }), 400, 'invalid-parameter');
    problem(await server.sql("COPY (SELECT 1) TO '/proc/self/fd/900'"), 400, 'sql-not-allowed');
    problem(await server.sql("SELECT * FROM read_blob('/proc/self/fd/900')"), 400, 'sql-not-allowed');
    const many = await Promise.all(Array.from({ length: 30 }, (_, i) => server.sql(`SELECT ${i} AS i FROM range(1000)`, { query: '?format=parquet' })));
    for (const [i, answer] of many.entries()) {
      const one = path.join(dir, `many${i}.parquet`);
      fs.writeFileSync(one, answer.body);
      assert.equal(duckdbIntegers([`SELECT max(i)::BIGINT FROM read_parquet('${one}')`])[0], BigInt(i));
    }
    problem(await server.sql(kForEver, { query: '?format=parquet&timeout_ms=300' }), 504);
    assert.match(problem(await server.sql('PIVOT (SELECT 1 AS a, 2 AS b) ON a USING sum(b)', { query: '?format=parquet' }), 400, 'invalid-parameter').detail, /PIVOT/);
  });
});

describe('places', () => {
  it('so many run, so many wait, the rest is told to come again; parties take turns', async (t) => {
    const server = await startServer(t, { flags: ['--query-max-running', '2', '--query-max-waiting', '3'] });
    const other = (await server.api('/api/destinations/local/keys', { key: server.adminKey, body: '{}' })).json().api_key;
    // Held by clients that do not read: it costs no processor time. Gives the answer's status once it has one.
    const sockets = [];
    t.after(() => sockets.forEach((socket) => socket.destroy()));
    const ask = (n, key = 'local') => new Promise((resolve) => {
      const target = `${server.url}/api/data/query?query_id=${uuid(n)}&query=${encodeURIComponent("SELECT i, repeat('x', 100) AS s FROM range(100000000) t(i)")}`;
      const request = http.get(target, { headers: { Authorization: `Bearer ${key}` }, agent: false }, (response) => {
        response.on('error', () => {});
        response.pause();
        resolve(response);
      });
      request.on('error', resolve);
      request.on('socket', (socket) => sockets.push(socket));
    });
    const state = async (n) => (await server.api(`/api/data/query/${uuid(n)}`)).json().state;
    const cancel = (n) => server.api(`/api/data/query/${uuid(n)}`, { method: 'DELETE' });
    const asked = [];
    for (let n = 1; n <= 4; ++n) {
      asked.push(ask(n));
      await eventually(`query ${n}`, async () => (await state(n)) === (n <= 2 ? 'running' : 'queued'));
    }
    asked.push(ask(5, other));
    await eventually('the other party waits', async () => (await state(5)) === 'queued');
    const refused = await ask(6);
    assert.equal(refused.statusCode, 503);
    assert.match(refused.headers['retry-after'], /^\d+$/);
    const metrics = await server.metrics();
    assert.deepEqual(['running', 'waiting'].map((w) => metrics(`scratchdata_queries_${w}`, { destination: 'local' })), [2, 3]);
    // The other party came last, and is next.
    await cancel(1);
    await eventually('its turn', async () => (await state(5)) === 'running');
    assert.equal(await state(3), 'queued');
    // Whoever waits can be cancelled too, and whoever leaves makes room.
    await cancel(3);
    assert.equal((await asked[2]).statusCode, 499);
    await cancel(2);
    await eventually('the next', async () => (await state(4)) === 'running');
    await cancel(4);
    await cancel(5);
    assert.equal(await server.value('SELECT 1'), 1);
  });

  it('a client that reads nothing keeps its place no longer than until it is cancelled; of one key there are never all places', { timeout: 120_000 }, async (t) => {
    const server = await startServer(t, { flags: ['--query-max-running', '4', '--query-max-waiting', '4'] });
    const other = (await server.api('/api/destinations/local/keys', { key: server.adminKey, body: '{}' })).json().api_key;
    const sockets = [];
    t.after(() => sockets.forEach((socket) => socket.destroy()));
    const stalled = (n, format) => new Promise((resolve, reject) => {
      const sql = 'SELECT i, random() AS r, md5(i::VARCHAR) AS m FROM range(20000000) t(i)';
      const request = http.get(`${server.url}/api/data/query?format=${format}&query_id=${uuid(n)}&query=${encodeURIComponent(sql)}`, { headers: { Authorization: 'Bearer local' } }, (response) => {
        response.on('error', () => {});
        response.pause();
        resolve();
      });
      request.on('error', reject);
      request.on('socket', (socket) => sockets.push(socket));
    });
    for (const [n, format] of [[1, 'ndjson'], [2, 'parquet'], [3, 'csv']]) await stalled(n, format);
    // Five more of this key wait, or are told to come again; another key is served.
    for (let n = 4; n <= 8; ++n) server.api(`/api/data/query?query_id=${uuid(n)}`, { body: kForEver }).catch(() => {});
    await eventually('the queue', async () => (await server.metrics())('scratchdata_queries_waiting', { destination: 'local' }) === 4);
    assert.equal((await server.metrics())('scratchdata_queries_running', { destination: 'local' }), 3);
    const began = Date.now();
    assert.equal((await server.sql('SELECT 1', { key: other })).status, 200);
    assert.ok(Date.now() - began < 2000);
    for (const n of [1, 2, 3]) {
      assert.equal((await server.api(`/api/data/query/${uuid(n)}`, { method: 'DELETE', key: other })).status, 204);
      await eventually(`query ${n} is gone`, async () => (await server.api(`/api/data/query/${uuid(n)}`, { key: other })).status === 404, 2000);
    }
  });

  it('a client that leaves frees the engine within a second, before its rows and amid them', async (t) => {
    const server = await startServer(t, {});
    for (const sql of [kForEver, "SELECT i, repeat('x', 100) AS s FROM range(100000000) t(i)"]) {
      const running = async () => (await server.metrics())('scratchdata_queries_running', { destination: 'local' });
      const request = http.request(`${server.url}/api/data/query`, { method: 'POST', headers: { Authorization: 'Bearer local' } });
      request.on('error', () => {});
      request.end(sql);
      await eventually('it runs', async () => (await running()) === 1);
      await sleep(300);
      request.destroy();
      await eventually('it has gone', async () => (await running()) === 0, 1000);
    }
  });

  it('a workbook that is given up amid its rows costs no engine, and leaves no file', async (t) => {
    const server = await startServer(t, {});
    await server.insert('t', { a: 1 }, { query: '?wait=true' });
    const engines = server.enginePids();
    const temporary = () => fs.readdirSync(path.join(path.dirname(fs.realpathSync(path.join(server.dir, 'data.duckdb'))), 'tmp')).filter((name) => name.endsWith('.xlsx'));
    // Wide enough that its rows take longer than either time limit anywhere: packing, after them, is not given up.
    const columns = Array.from({ length: 40 }, (_, n) => `repeat('x', ${50 + n}) AS c${n}`);
    const wide = `SELECT i, ${columns.join(', ')} FROM range(1000000) t(i)`;
    await assert.rejects(server.sql(wide, { query: '?format=xlsx', signal: AbortSignal.timeout(2000) }));
    await eventually('nothing runs', async () => (await server.metrics())('scratchdata_queries_running', { destination: 'local' }) === 0, 1000);
    problem(await server.sql(wide, { query: '?format=xlsx&timeout_ms=1500' }), 504);
    await eventually('no file is left', async () => temporary().length === 0, 1500);
    await sleep(1500); // an engine that hangs is ended by then
    assert.deepEqual(server.enginePids(), engines);
  });
});

describe('keys with limits', () => {
  const server = useServer();
  const key = async (spec, options = {}) => {
    const made = await server.api('/api/destinations/local/keys', { key: server.adminKey, body: JSON.stringify(spec), ...options });
    assert.equal(made.status, 200, made.text);
    return made.json();
  };

  it('max_rows: 422 before the first byte, a broken answer after it; max_bytes: the same', async () => {
    const { api_key: rows, max_rows: shown } = await key({ max_rows: 10 });
    assert.equal(shown, 10);
    const ask = (sql, secret, query = '') => server.sql(sql, { key: secret, query }).catch((error) => ({ error }));
    assert.equal((await ask('FROM range(10)', rows)).json().length, 10);
    for (const format of ['json', 'csv', 'parquet', 'arrow']) problem(await ask('FROM range(11)', rows, `?format=${format}`), 422, 'result-too-large');
    const { api_key: many } = await key({ max_rows: 500_000 });
    const cut = await ask('FROM range(1000000)', many);
    assert.ok(cut.error || cut.complete === false);
    const { api_key: bytes } = await key({ max_bytes: 1_000_000 });
    assert.equal((await ask('FROM range(1000)', bytes)).complete, true);
    const broken = await ask("SELECT repeat('x', 1000) FROM range(100000)", bytes);
    assert.ok(broken.error || broken.complete === false || broken.status === 422);
    const { api_key: few } = await key({ max_bytes: 1000 });
    for (const format of ['json', 'csv', 'arrow', 'parquet']) problem(await ask('FROM range(5000)', few, `?format=${format}`), 422, 'result-too-large');
    assert.equal((await ask('FROM range(5)', few)).json().length, 5);
    problem(await server.api('/api/data/snapshot', { key: bytes }), 403);
    problem(await server.api('/api/data/share', { key: rows, body: '{"query":"FROM range(11)"}' }), 403);
  });

  it('are handed on, and never widened', async () => {
    const { api_key: maker } = await key({ max_rows: 10, scopes: 'query,admin' });
    assert.equal((await key({}, { key: maker })).max_rows, 10);
    assert.equal((await key({ max_rows: 5 }, { key: maker })).max_rows, 5);
    problem(await server.api('/api/destinations/local/keys', { key: maker, body: '{"max_rows":11}' }), 403);
    for (const bad of [0, -1, 1.5, 'x']) problem(await server.api('/api/destinations/local/keys', { key: server.adminKey, body: JSON.stringify({ max_rows: bad }) }), 400);
  });

  it('of some tables read those, and learn of no others', async () => {
    await server.insert('open', { a: 1 }, { query: '?wait=true' });
    await server.insert('closed', { secret: 'x' }, { query: '?wait=true' });
    const { api_key: limited } = await key({ tables: ['open'] });
    const ask = (sql) => server.sql(sql, { key: limited });
    assert.deepEqual((await ask('SELECT a FROM "OPEN"')).json(), [{ a: 1 }]);
    assert.deepEqual((await ask('SELECT 1 AS a')).json(), [{ a: 1 }]);
    for (const sql of ['SELECT * FROM closed', 'SELECT * FROM open, closed', 'SELECT (SELECT secret FROM closed)', 'WITH x AS (FROM closed) FROM x', 'DESCRIBE closed', 'SUMMARIZE closed',
      'SHOW TABLES', 'SELECT * FROM duckdb_tables()', 'SELECT * FROM information_schema.tables', 'FROM _scratch.failed_rows', 'SELECT * FROM closd']) {
      const answer = await ask(sql);
      assert.equal(answer.status, 400, `${sql}: ${answer.text}`);
      assert.ok(!/secret/.test(answer.json().detail), answer.text);
    }
    const words = (answer, name) => answer.json().detail.replaceAll(name, 'NAME');
    assert.equal(words(await ask('SELECT * FROM closed'), 'closed'), words(await ask('SELECT * FROM never'), 'never'));
    problem(await server.api('/api/data/snapshot', { key: limited }), 403);
  });
});

describe('GET /api/data/snapshot', () => {
  it('is a file that any DuckDB opens, with every row that was acknowledged, while rows come in', { timeout: 120_000 }, async (t) => {
    const server = await startServer(t, {});
    const dir = temporaryDirectory();
    let sent = 0; let stop = false;
    const writer = (async () => {
      while (!stop) {
        await server.insert('t', Array.from({ length: 500 }, () => ({ i: sent++, text: 'x'.repeat(100) })));
      }
    })();
    const reader = (async () => { while (!stop) await server.value('SELECT count(*) FROM t').catch(() => {}); })();
    for (let round = 0; round < 5; ++round) {
      await sleep(300);
      const least = Math.floor(sent / 500) * 500 - 500;
      const answer = await server.api('/api/data/snapshot');
      assert.equal(answer.status, 200, answer.text.slice(0, 300));
      assert.equal(Number(answer.headers['content-length']), answer.body.length);
      assert.match(answer.headers['content-disposition'], /^attachment; filename="local-[-0-9TZ]+\.duckdb"$/);
      const file = path.join(dir, `s${round}.duckdb`);
      fs.writeFileSync(file, answer.body);
      const rows = Number(duckdbInteger(file, 'SELECT count(*) FROM t'));
      assert.ok(rows >= least, `${rows} of at least ${least}`);
      assert.equal(Number(duckdbInteger(file, 'SELECT max(i) + 1 FROM t')), rows);
      const { code, said } = await runDuckdb(file, ['CREATE TABLE mine AS SELECT * FROM t', 'CHECKPOINT']);
      assert.equal(code, 0, said);
    }
    stop = true;
    await Promise.all([writer, reader]);
    assert.equal(await server.value('SELECT count(*) FROM t'), sent);
  });

  it('one at a time; a client that leaves ends it; loading goes on beside it', { timeout: 120_000 }, async (t) => {
    const server = await startServer(t, {});
    await server.insert('t', Array.from({ length: 20_000 }, (_, i) => ({ i, text: `${Math.random()}`.repeat(20) })), { query: '?wait=true' });
    const request = http.get(`${server.url}/api/data/snapshot`, { headers: { Authorization: 'Bearer local' } });
    const response = await new Promise((resolve, reject) => { request.on('response', resolve); request.on('error', reject); });
    assert.equal(response.statusCode, 200);
    response.on('error', () => {});
    response.pause();
    const second = await server.api('/api/data/snapshot');
    if (second.status !== 200) problem(second, 503, 'snapshot-running');
    assert.equal((await server.insert('t', { i: -1 }, { query: '?wait=true' })).visible, true);
    request.destroy();
    await eventually('another one', async () => (await server.api('/api/data/snapshot')).status === 200, 5000);
  });

  it('of a database in memory there is none', async (t) => {
    const server = await startServer(t, {});
    const made = (await server.api('/api/destinations', { key: server.adminKey, body: '{"name":"mem","settings":{"in_memory":true}}' })).json();
    problem(await server.api('/api/data/snapshot', { key: made.api_key }), 409, 'no-file');
    problem(await server.api('/api/data/snapshot', { key: null }), 401);
    // It holds failed rows, which are an admin's.
    const reader = (await server.api('/api/destinations/local/keys', { key: server.adminKey, body: '{"scopes":"query"}' })).json().api_key;
    assert.match(problem(await server.api('/api/data/snapshot', { key: reader }), 403).detail, /admin/);
  });
});

describe('what is too much for an engine', () => {
  it('memory that ends in our own code is 422, and the engine goes on', { timeout: 120_000 }, async (t) => {
    const server = await startServer(t, { flags: ['--engine-memory-limit', '400MiB'] });
    assert.equal(await server.value('SELECT 1'), 1);
    const engines = server.enginePids();
    const columns = Array.from({ length: 900 }, (_, k) => `repeat(chr(1), ${1_000_000 - k}) AS c${k}`);
    problem(await server.sql(`SELECT ${columns.join(', ')}`, { query: '?format=arrow' }), 422);
    assert.equal(await server.value('SELECT 2'), 2);
    assert.deepEqual(server.enginePids(), engines);
  });

  it('an error of any length is an answer', { timeout: 120_000 }, async (t) => {
    const server = await startServer(t, {});
    for (const sql of ["SELECT error(repeat('ü', 500000))", "SELECT error(string_agg(repeat('x', 1000000), '')) FROM range(70)"]) {
      const { detail } = problem(await server.sql(sql), 400, 'sql-error');
      assert.ok(detail.length > 1000 && detail.length < 20_000, `${detail.length}`);
    }
    assert.equal(await server.value('SELECT 1'), 1);
  });
});
