// GET and POST /api/data/query: how it is asked, how values are spelled, what streams, what ends, what is refused.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { describe, it } from 'node:test';
import { checkDuckdbFile } from './duckdb.mjs';
import { Exact, RawSocket, eventually, parseCsv, parseExact, problem, sleep, startServer, useServer } from './lib.mjs';

// Runs for minutes, gives nothing until its end, and needs no memory.
const kLong = 'SELECT count(*) AS n FROM range(10000000) a(i), range(1000000) b(j) WHERE (i * j) % 7 = 3';
// Rows without end, a kilobyte each.
const kEndless = "SELECT i, repeat('x', 1000) AS x FROM range(1000000000000) t(i)";

describe('asking', () => {
  const server = useServer();
  const sql = 'SELECT 1 AS a, \'x & y = "z" + 100%\' AS b';
  const expected = [{ a: 1, b: 'x & y = "z" + 100%' }];

  it('by GET, by POST as it is, as a form, as JSON', async () => {
    const encoded = encodeURIComponent(sql);
    const answers = {
      GET: await server.api(`/api/data/query?query=${encoded}`),
      'GET with plus signs for blanks': await server.api(`/api/data/query?query=${encoded.replaceAll('%20', '+')}`),
      'GET with the key in the query string': await server.request(`/api/data/query?api_key=local&query=${encoded}`),
      'POST raw': await server.api('/api/data/query', { body: sql }),
      'POST raw, labelled as a form as curl --data does': await server.api('/api/data/query', { body: sql, headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }),
      'POST form': await server.api('/api/data/query', { body: `query=${encoded}`, headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }),
      'POST form with its key': await server.request('/api/data/query', { body: `api_key=local&query=${encoded}`, headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }),
      'POST JSON': await server.api('/api/data/query', { body: JSON.stringify({ query: sql }), headers: { 'Content-Type': 'application/json' } }),
      'POST JSON, labelled as a form': await server.api('/api/data/query', { body: JSON.stringify({ query: sql }), headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }),
      'POST with a query string': await server.api(`/api/data/query?query=${encoded}`, { method: 'POST', body: '' }),
    };
    for (const [how, answer] of Object.entries(answers)) {
      assert.equal(answer.status, 200, `${how}: ${answer.text}`);
      assert.deepEqual(answer.json(), expected, how);
      assert.ok(answer.headers['x-query-id'], how);
    }
  });

  it('formats by parameter, by JSON member, and by Accept', async () => {
    const two = 'SELECT * FROM (VALUES (1, \'a"b\'), (2, NULL)) t(n, s) ORDER BY n';
    const as = async (query, headers = {}) => server.api(`/api/data/query${query}`, { body: two, headers });
    for (const answer of [await as(''), await as('?format=json'), await as('', { Accept: 'application/json' }), await as('', { Accept: '*/*' }), await as('', { Accept: 'image/png' })]) {
      assert.match(answer.headers['content-type'], /^application\/json/);
      assert.deepEqual(answer.json(), [{ n: 1, s: 'a"b' }, { n: 2, s: null }]);
    }
    for (const answer of [await as('?format=ndjson'), await as('', { Accept: 'application/x-ndjson' })]) {
      assert.match(answer.headers['content-type'], /^application\/x-ndjson/);
      assert.equal(answer.text, '{"n":1,"s":"a\\"b"}\n{"n":2,"s":null}\n');
    }
    for (const answer of [await as('?format=csv'), await as('', { Accept: 'text/csv' })]) {
      assert.match(answer.headers['content-type'], /^text\/csv/);
      assert.equal(answer.text, 'n,s\n1,"a""b"\n2,\n');
    }
    for (const answer of [await as('?format=tsv'), await as('', { Accept: 'text/tab-separated-values' })]) {
      assert.match(answer.headers['content-type'], /^text\/tab-separated-values/);
      assert.equal(answer.text, 'n\ts\n1\t"a""b"\n2\t\n');
    }
    const compact = await as('?format=jsoncompact');
    assert.match(compact.headers['content-type'], /^application\/json/);
    assert.deepEqual(compact.json(), { meta: [{ name: 'n', type: 'INTEGER' }, { name: 's', type: 'VARCHAR' }], data: [[1, 'a"b'], [2, null]], rows: 2 });
    for (const answer of [await as('?format=arrow'), await as('', { Accept: 'application/vnd.apache.arrow.stream' })]) {
      assert.equal(answer.headers['content-type'], 'application/vnd.apache.arrow.stream');
      assert.equal(answer.body.readUInt32LE(0), 0xFFFFFFFF);
      assert.equal(answer.body.subarray(-8).toString('hex'), 'ffffffff00000000');
    }
    const member = await server.api('/api/data/query', { body: JSON.stringify({ query: two, format: 'csv' }) });
    assert.match(member.headers['content-type'], /^text\/csv/);
    for (const none of ['xml', 'JSON']) problem(await as(`?format=${none}`), 400, 'invalid-parameter');
    for (const answer of [await as('?format=parquet'), await as('', { Accept: 'application/vnd.apache.parquet' })]) {
      assert.equal(answer.headers['content-type'], 'application/vnd.apache.parquet');
      assert.deepEqual([answer.body.subarray(0, 4).toString(), answer.body.subarray(-4).toString()], ['PAR1', 'PAR1']);
    }
  });

  it('a browser that opens the address sees a table, and nothing in it runs', async () => {
    const kBrowser = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8';
    const two = "SELECT '<script>alert(1)</script>' AS \"<b>\", NULL AS n";
    const target = `/api/data/query?query=${encodeURIComponent(two)}`;
    const page = await server.api(target, { headers: { Accept: kBrowser } });
    assert.equal(page.status, 200);
    assert.equal(page.headers['content-type'], 'text/html; charset=utf-8');
    assert.match(page.headers['content-security-policy'], /default-src 'none'/);
    assert.equal(page.headers['x-content-type-options'], 'nosniff');
    assert.ok(page.text.includes('<td>&lt;script&gt;alert(1)&lt;/script&gt;<td><i>NULL</i>'), page.text);
    assert.ok(!page.text.includes('<script') && !page.text.includes('<b>'));
    for (const headers of [{ Accept: '*/*' }, { Accept: 'text/html;q=0.5, application/json' }, {}]) {
      assert.match((await server.api(target, { headers })).headers['content-type'], /^application\/json/);
    }
    assert.match((await server.api(`${target}&format=csv`, { headers: { Accept: kBrowser } })).headers['content-type'], /^text\/csv/);
  });

  it('empty results are whole in each format', async () => {
    const none = 'SELECT 1 AS a, 2 AS b WHERE false';
    assert.deepEqual(await server.rows(none), []);
    assert.equal((await server.sql(none, { query: '?format=ndjson' })).text, '');
    assert.equal((await server.sql(none, { query: '?format=csv' })).text, 'a,b\n');
    assert.equal((await server.sql(none, { query: '?format=tsv' })).text, 'a\tb\n');
    assert.deepEqual((await server.sql(none, { query: '?format=jsoncompact' })).json().data, []);
    assert.match((await server.sql(none, { query: '?format=html' })).text, /<p>0 rows<\/p>\n<\/body>\n<\/html>\n$/);
  });

  it('a byte order mark before JSON or SQL is none of it', async () => {
    for (const body of ['{"query":"SELECT 1 AS n"}', 'SELECT 1 AS n']) assert.deepEqual((await server.sql(`\uFEFF${body}`)).json(), [{ n: 1 }], body);
  });

  it('bad requests are 400', async () => {
    assert.match(problem(await server.sql('{"query":"SELECT 1","query":"SELECT 2"}'), 400, 'invalid-parameter').detail, /"query" is there twice/);
    problem(await server.sql(''), 400);
    problem(await server.api('/api/data/query'), 400);
    problem(await server.sql('   '), 400);
    problem(await server.sql('SELECT 1\u0000'), 400);
    problem(await server.api('/api/data/query?query=SELECT%001'), 400);
    problem(await server.sql('SELECT 1', { query: '?timeout_ms=soon' }), 400, 'invalid-parameter');
    problem(await server.sql('SELECT 1', { query: '?timeout_ms=-5' }), 400, 'invalid-parameter');
    problem(await server.sql('SELECT 1', { query: '?fresh=perhaps' }), 400, 'invalid-parameter');
    problem(await server.api('/api/data/query', { body: '{"query":"SELECT 1"' }), 400);
    problem(await server.api('/api/data/query', { body: '{"sql":"SELECT 1"}' }), 400);
    problem(await server.api('/api/data/query', { body: '{"query":7}' }), 400);
    problem(await server.sql(`SELECT '${'x'.repeat(5_000_000)}'`), 413);
  });

  it("an unknown table or column is 400 with DuckDB's own message", async () => {
    const table = problem(await server.sql('SELECT * FROM no_such_table'), 400, 'sql-error');
    assert.match(table.detail, /Table with name no_such_table does not exist/);
    assert.equal(table.sql_position, 14);
    await server.insert('known', { known_column: 1 });
    const column = problem(await server.sql('SELECT knwon_column FROM known'), 400, 'sql-error');
    assert.match(column.detail, /knwon_column/);
    const syntax = problem(await server.sql('SELEKT 1'), 400);
    assert.ok(syntax.detail.length > 0);
    problem(await server.sql('SELECT 1 FROM'), 400);
  });

  it('one read-only statement, of every kind that reads', async () => {
    await server.insert('t', [{ g: 'a', v: 1 }, { g: 'b', v: 2 }, { g: 'a', v: 3 }]);
    for (const statement of ['SELECT 1', 'FROM t', 'WITH x AS (SELECT 1) FROM x', 'VALUES (1), (2)', 'TABLE t', 'DESCRIBE t', 'SHOW TABLES', 'SUMMARIZE t',
      'EXPLAIN SELECT * FROM t', 'PIVOT t ON g USING sum(v)', 'UNPIVOT (SELECT 1 AS a, 2 AS b) ON a, b', '-- a comment\nSELECT 1;', '(SELECT 1)']) {
      const answer = await server.sql(statement);
      assert.equal(answer.status, 200, `${statement}: ${answer.text}`);
      answer.json();
    }
  });

  it('nothing that writes, and no file, network, extension or setting can be reached', async () => {
    await server.insert('t', { g: 'a', v: 1 });
    const before = await server.value('SELECT count(*) FROM t');
    const secret = fs.readFileSync('/etc/passwd', 'utf8').split('\n')[0];
    for (const statement of [
      'INSERT INTO t VALUES (1)', 'UPDATE t SET v = 0', 'DELETE FROM t', 'DROP TABLE t', 'TRUNCATE t', 'CREATE TABLE x AS SELECT 1', 'CREATE VIEW x AS SELECT 1',
      'CREATE MACRO x() AS 1', 'ALTER TABLE t RENAME TO x', "ATTACH '/tmp/x.db'", 'DETACH db', 'USE memory', "COPY t TO '/tmp/x.csv'", "COPY t FROM '/etc/passwd'",
      "EXPORT DATABASE '/tmp/x'", "IMPORT DATABASE '/tmp/x'", 'INSTALL httpfs', 'LOAD httpfs', 'PRAGMA database_list', "SET memory_limit = '1GB'", "RESET memory_limit",
      'CHECKPOINT', 'VACUUM', 'CALL pragma_version()', 'BEGIN', 'COMMIT', 'PREPARE x AS SELECT 1', 'EXECUTE x', 'SELECT 1; SELECT 2', 'SELECT 1; DROP TABLE t',
      'EXPLAIN ANALYZE DELETE FROM t', 'WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x', "SELECT * FROM '/etc/passwd'", "SELECT * FROM read_csv('/etc/passwd')",
      "SELECT * FROM read_text('/etc/passwd')", "SELECT * FROM read_blob('/etc/*')", "SELECT * FROM glob('/*')", "SELECT content FROM read_text('/proc/self/environ')",
      "SELECT * FROM 'https://127.0.0.1/x.parquet'", "SELECT * FROM read_parquet('x')", "SELECT * FROM sniff_csv('/etc/passwd')", "SELECT getenv('PATH')",
      "FROM query('SELECT 1')", "FROM query_table('/etc/passwd')", "SELECT * FROM duckdb_secrets()", "SELECT * FROM sqlite_scan('/x', 'y')",
      "DESCRIBE SELECT * FROM '/etc/passwd'", "SUMMARIZE '/etc/passwd'", "EXPLAIN SELECT * FROM read_csv('/etc/passwd')", 'SELECT nextval(\'x\')']) {
      const answer = await server.sql(statement);
      problem(answer, 400);
      assert.ok(!answer.text.includes(secret) && !answer.text.includes(server.dir), `${statement}: ${answer.text}`);
    }
    assert.equal(await server.value('SELECT count(*) FROM t'), before);
  });
});

describe('values in an answer', () => {
  const server = useServer();
  const exact = async (sql, query = '') => {
    const answer = await server.sql(sql, { query });
    assert.equal(answer.status, 200, answer.text);
    return parseExact(answer.text)[0];
  };

  it('are spelled as documented in JSON', async () => {
    const row = await exact(`SELECT 9223372036854775807 AS big, 170141183460469231731687303715884105727::HUGEINT AS huge, 1.10::DECIMAL(18,2) AS dec,
      12345678901234567890.123456789::DECIMAL(38,9) AS long_dec, 'nan'::DOUBLE AS nan, 'inf'::DOUBLE AS inf, 0.1 + 0.2::DOUBLE AS dbl, true AS yes, NULL AS nothing,
      TIMESTAMPTZ '2024-01-02 03:04:05.5+02' AS tz, DATE '2024-02-29' AS d, '\\xAA\\x00'::BLOB AS b, '{"a":[1,2.50]}'::JSON AS j,
      [1, 2] AS list, {'x': 1, 'y': 'z'} AS s, MAP {'k': 1} AS m, uuid '00000000-0000-0000-0000-000000000001' AS u, 'ü"\\' AS text`);
    const plain = JSON.parse(JSON.stringify(row, (_, v) => (v instanceof Exact ? `#${v.token}` : v)));
    assert.deepEqual(plain, {
      big: '#9223372036854775807', huge: '#170141183460469231731687303715884105727', dec: '#1.10', long_dec: '#12345678901234567890.123456789',
      nan: null, inf: null, dbl: plain.dbl, yes: true, nothing: null, tz: '2024-01-02T01:04:05.500Z', d: '2024-02-29', b: 'qgA=', j: { a: ['#1', '#2.50'] },
      list: ['#1', '#2'], s: { x: '#1', y: 'z' }, m: { k: '#1' }, u: '00000000-0000-0000-0000-000000000001', text: 'ü"\\',
    });
    assert.ok(Math.abs(Number(row.dbl.token) - 0.3) < 1e-9);
  });

  it('quote_int64 makes strings of 64-bit integers', async () => {
    const row = await exact('SELECT 9007199254740993 AS big, 7::INTEGER AS small', '?quote_int64=true');
    assert.equal(row.big, '9007199254740993');
    assert.equal(row.small.token, '7');
  });

  it('quote_nan tells NaN and the infinities from NULL', async () => {
    const sql = "SELECT 'nan'::DOUBLE AS n, '-inf'::FLOAT AS i, NULL::DOUBLE AS missing, ['inf'::DOUBLE] AS l, to_json({'x': 'nan'::DOUBLE}) AS j";
    const told = { n: 'NaN', i: '-Infinity', missing: null, l: ['Infinity'], j: { x: null } };
    for (const [body, query] of [[sql, '?quote_nan=true'], [JSON.stringify({ query: sql, quote_nan: true }), '']]) {
      const answer = await server.sql(body, { query, headers: query ? {} : { 'Content-Type': 'application/json' } });
      assert.equal(answer.status, 200, answer.text);
      assert.deepEqual(JSON.parse(answer.text), [told]);
    }
    assert.deepEqual(await server.rows(sql), [{ n: null, i: null, missing: null, l: [null], j: { x: null } }]);
  });

  it('a repeated column name gets a number', async () => {
    assert.deepEqual(await server.rows('SELECT 1 AS a, 2 AS a, 3 AS a'), [{ a: 1, a_1: 2, a_2: 3 }]);
  });

  it('in CSV NULL is empty and the empty string is ""', async () => {
    const answer = await server.sql(`SELECT NULL AS n, '' AS e, 'a,b' AS c, 'x"y' AS q, E'l1\\nl2' AS l, 9007199254740993 AS i`, { query: '?format=csv' });
    assert.equal(answer.text, 'n,e,c,q,l,i\n,"","a,b","x""y","l1\nl2",9007199254740993\n');
    assert.deepEqual(parseCsv(answer.text)[1], [null, '', 'a,b', 'x"y', 'l1\nl2', '9007199254740993']);
  });

  it('the time zone is UTC whatever the server is started with', async (t) => {
    const other = await startServer(t, { env: { TZ: 'America/New_York' } });
    assert.equal(await other.value("SELECT strftime(TIMESTAMPTZ '2024-07-01 00:00:00Z', '%H')"), '00');
    assert.equal(await other.value("SELECT current_setting('TimeZone')").catch(() => 'UTC'), 'UTC');
  });
});

describe('streams', () => {
  const server = useServer({ flags: ['--query-max-running', '2'] });

  // Both places: what an earlier client left may take a moment.
  const places = () => eventually('two free places', async () => {
    const answers = await Promise.all([server.sql('SELECT 1'), server.sql('SELECT 1')]);
    return answers.every((a) => a.status === 200);
  }, 5000, 20);

  it('a million rows arrive whole and in order', async () => {
    const answer = await server.sql('SELECT i FROM range(1000000) t(i)', { query: '?format=csv' });
    assert.equal(answer.complete, true);
    const lines = answer.text.split('\n');
    assert.equal(lines.length, 1_000_002);
    for (let i = 0; i < 1_000_000; i += 997) assert.equal(lines[i + 1], String(i));
    assert.equal(answer.headers['transfer-encoding'], 'chunked');
  });

  it('the first rows come before the last one exists; a client that does not read stalls the query; memory stays bounded', async () => {
    await places();
    const socket = await RawSocket.open(server.port);
    socket.send(`POST /api/data/query?format=ndjson&api_key=local HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${kEndless.length}\r\n\r\n${kEndless}`);
    await socket.until((text) => text.includes('{"i":100,'), 5000);
    socket.socket.pause();
    const resident = (pid) => Number(/VmRSS:\s+(\d+) kB/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
    const processor = (pid) => {
      const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
      const [, , , , , , , , , , , user, system] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return (Number(user) + Number(system)) * 10; // ms, at the usual 100 ticks a second
    };
    const [engine] = server.enginePids();
    await sleep(500);
    const before = processor(engine);
    await sleep(1000);
    const used = processor(engine) - before;
    assert.ok(used < 500, `a stalled query used ${used} ms of processor in 1 s`);
    assert.ok(resident(server.pid) < 300, `front ${resident(server.pid)} MB`);
    assert.ok(resident(engine) < 700, `engine ${resident(engine)} MB`);
    const length = socket.received.length;
    socket.socket.resume();
    await eventually('more rows', () => socket.received.length > length + 5_000_000, 10_000);
    socket.destroy();
  });

  it('a client that goes frees its place within a second', async () => {
    for (const sql of [kLong, kEndless]) {
      await places();
      const clients = await Promise.all([1, 2].map(async () => {
        const socket = await RawSocket.open(server.port);
        socket.discard();
        socket.send(`POST /api/data/query?api_key=local HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${sql.length}\r\n\r\n${sql}`);
        return socket;
      }));
      await sleep(300); // no probing meanwhile: that would take a place itself
      const busy = await server.sql('SELECT 1');
      problem(busy, 503);
      assert.match(busy.headers['retry-after'], /^\d+$/);
      for (const client of clients) client.destroy();
      const began = Date.now();
      await places();
      const took = Date.now() - began;
      assert.ok(took < 1000, `${took} ms`);
      // And the engine is at rest again, not merely out of the count.
      const [engine] = server.enginePids();
      const ticks = () => { const s = fs.readFileSync(`/proc/${engine}/stat`, 'utf8'); return s.slice(s.lastIndexOf(')') + 2).split(' ').slice(11, 13).reduce((n, x) => n + Number(x), 0); };
      await sleep(300);
      const before = ticks();
      await sleep(500);
      assert.ok(ticks() - before < 25, `the engine still used ${(ticks() - before) * 10} ms of processor in 0.5 s`);
    }
  });

  it('HEAD tells what GET would, at once and without the rows, however many there are', async () => {
    await places();
    const target = `/api/data/query?api_key=local&query=${encodeURIComponent('SELECT i FROM range(1000000000) t(i)')}`;
    // More of them than places: each gives its own back.
    for (const [format, type] of [['json', /json/], ['ndjson', /ndjson/], ['csv', /csv/], ['csv', /csv/], ['csv', /csv/]]) {
      const began = Date.now();
      const socket = await RawSocket.open(server.port);
      socket.send(`HEAD ${target}&format=${format} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      socket.send('HEAD /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
      const text = await socket.closed(5000);
      assert.ok(Date.now() - began < 2000, `${Date.now() - began} ms`);
      const [query, livez, rest] = text.split('\r\n\r\n');
      assert.match(query, /^HTTP\/1\.1 200 /);
      assert.match(/^content-type: (.*)$/im.exec(query)[1], type);
      assert.match(livez, /^HTTP\/1\.1 200 /);
      assert.equal(rest, '');
    }
    const wrong = await server.api('/api/data/query?query=SELECT%20nothing', { method: 'HEAD' });
    assert.deepEqual([wrong.status, wrong.body.length], [400, 0]);
    await places();
    // And nobody goes on making rows that nobody takes.
    const [engine] = server.enginePids();
    const ticks = () => {
      const stat = fs.readFileSync(`/proc/${engine}/stat`, 'utf8');
      const [user, system] = stat.slice(stat.lastIndexOf(')') + 2).split(' ').slice(11, 13);
      return Number(user) + Number(system);
    };
    await sleep(300);
    const before = ticks();
    await sleep(500);
    const used = (ticks() - before) * 10;
    assert.ok(used < 250, `the engine still used ${used} ms of processor in 0.5 s`);
  });

  it('an error before the first row has a true status', async () => {
    problem(await server.sql("SELECT CAST('x' AS INTEGER)"), 400);
    problem(await server.sql("SELECT CAST(x AS INTEGER) FROM (VALUES ('1'), ('y')) t(x)"), 400);
    problem(await server.sql("SELECT error('told you')"), 400);
  });

  for (const format of ['json', 'ndjson', 'csv', 'tsv', 'jsoncompact', 'html', 'arrow']) {
    it(`an error after the first rows breaks the chunked body (${format})`, async () => {
      const sql = "SELECT i, CAST(CASE WHEN i = 3000000 THEN 'x' ELSE '1' END AS INTEGER) AS n FROM range(4000000) t(i)";
      const answer = await server.sql(sql, { query: `?format=${format}` });
      assert.equal(answer.status, 200, answer.text.slice(0, 300));
      assert.ok(answer.body.length > 100_000);
      assert.equal(answer.complete, false, 'the body ended as if it were whole');
      assert.ok(!answer.text.includes('3000001'));
    });
  }

  it('a timeout is 504, soon, and the server goes on', async () => {
    const began = Date.now();
    problem(await server.sql(kLong, { query: '?timeout_ms=300' }), 504);
    const took = Date.now() - began;
    assert.ok(took >= 290 && took < 5000, `${took} ms`);
    assert.equal(await server.value('SELECT 1 AS a'), 1);
    const member = await server.api('/api/data/query', { body: JSON.stringify({ query: kLong, timeout_ms: 100 }) });
    problem(member, 504);
  });

  it('a timeout does not count the time that the client stalls', async () => {
    await places();
    const sql = "SELECT i, repeat('x', 1000) AS x FROM range(20000) t(i)";
    const socket = await RawSocket.open(server.port);
    socket.send(`POST /api/data/query?format=csv&timeout_ms=1500&api_key=local HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: ${sql.length}\r\n\r\n${sql}`);
    await socket.until((text) => text.includes('\n100,'), 5000);
    socket.socket.pause();
    await sleep(2500);
    socket.socket.resume();
    const text = await socket.closed(20_000);
    assert.ok(text.includes('\n19999,') && text.endsWith('0\r\n\r\n'), `ended with ${JSON.stringify(text.slice(-60))}`);
  });
});

describe('limits', () => {
  it('a query over the memory is 422; rows and other queries are safe', async (t) => {
    const server = await startServer(t, { flags: ['--engine-memory-limit', '200MB'] });
    await server.insert('t', { a: 1 });
    const answer = await server.sql("SELECT length(string_agg(repeat('x', 1000) || i, '')) AS n FROM range(3000000) t(i)");
    problem(answer, 422);
    await server.insert('t', { a: 2 });
    assert.equal(await server.value('SELECT count(*) FROM t'), 2);
  });

  it('api.max_body_bytes and query.timeout_ms come from the configuration', async (t) => {
    const server = await startServer(t, { config: 'query:\n  timeout_ms: 200\n' });
    problem(await server.sql(kLong), 504);
  });
});

describe('when the engine dies', () => {
  it('queries fail with a clear answer, the next engine goes on, no row is lost', async (t) => {
    const server = await startServer(t, {});
    await server.insert('t', { a: 1 }, { query: '?wait=true' });
    const [engine] = server.enginePids();
    const running = server.sql(kLong).catch((error) => error);
    await sleep(200);
    process.kill(engine, 'SIGKILL');
    problem(await running, 503);
    await server.insert('t', { a: 2 });
    await eventually('an answer by the next engine', async () => (await server.sql('SELECT count(*) AS n FROM t')).status === 200);
    assert.equal(await server.value('SELECT count(*) FROM t'), 2);
    assert.notDeepEqual(server.enginePids(), [engine]);
    assert.ok((await server.metrics())('scratchdata_engine_restarts_total') >= 1);
  });

  it('hanging, not dying: inserts do not notice, it is replaced, and every row is there', { timeout: 60_000 }, async (t) => {
    const server = await startServer(t, {});
    await server.insert('t', { i: 0 }, { query: '?wait=true' });
    const [engine] = server.enginePids();
    process.kill(engine, 'SIGSTOP');
    const began = Date.now();
    for (let i = 1; i <= 50; i += 1) await server.insert('t', { i });
    assert.ok(Date.now() - began < 5000, `50 inserts took ${Date.now() - began} ms`);
    const awaited = server.insert('t', { i: 51 }, { query: '?wait=true' });
    const answer = await server.sql('SELECT count(*) AS n FROM t', { query: '?timeout_ms=1000' });
    assert.ok([503, 504].includes(answer.status), answer.text);
    assert.equal((await awaited).visible, true);
    assert.equal(await server.value('SELECT count(*) FROM t'), 52);
    assert.ok(!server.enginePids().includes(engine));
  });

  it('in the middle of an answer: the body breaks off', async (t) => {
    const server = await startServer(t, {});
    const socket = await RawSocket.open(server.port);
    socket.send(`POST /api/data/query?format=csv&api_key=local HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${kEndless.length}\r\n\r\n${kEndless}`);
    await socket.until((text) => text.includes('\n100,'), 5000);
    process.kill(server.enginePids()[0], 'SIGKILL');
    const text = await socket.closed();
    assert.ok(!text.endsWith('0\r\n\r\n'));
  });
});

describe('an idle engine', () => {
  it('stops, leaves the file to others, and comes back with the next request', async (t) => {
    const server = await startServer(t, { flags: ['--engine-idle-timeout', '1'] });
    await server.insert('t', { a: 1 }, { query: '?wait=true' });
    assert.equal(server.enginePids().length, 1);
    await eventually('the engine to stop', () => server.enginePids().length === 0, 10_000, 50);
    assert.equal(checkDuckdbFile(server.dir, 'SELECT count(*) FROM t'), 1n);
    await server.insert('t', { a: 2 });
    assert.equal(await server.value('SELECT count(*) FROM t'), 2);
  });
});
