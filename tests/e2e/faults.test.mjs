// What goes on while something under the server is broken, and that it comes right by itself: a
// body that is damaged on disk, a database of a newer layout or in somebody else's hands, a table
// that refuses rows, a statement that cannot be stopped, an engine killed just before the end.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { changeFile } from './change_file.mjs';
import { checkDuckdbFile, duckdbInteger, holdFile, localFile } from './duckdb.mjs';
import { atMost, eventually, problem, sleep, startServer, useServer } from './lib.mjs';

const kSlow = { timeout: 120_000 };
const kWait = { query: '?wait=true' };
const kLocal = { destination: 'local' };

// Processor time in ms, at the usual 100 ticks a second, of the front, of the engines that run, and
// of those that have ended: a row of engines that die at once is spinning too.
function processor(server) {
  const times = (pid, count) => {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ').slice(11, 11 + count);
    return fields.reduce((sum, field) => sum + Number(field) * 10, 0);
  };
  return server.enginePids().reduce((sum, pid) => sum + times(pid, 2), times(server.pid, 4));
}

// What is done meanwhile must cost the server hardly any processor time.
async function assertCalm(server, ms, meanwhile = async () => {}) {
  const before = processor(server);
  const began = Date.now();
  await meanwhile();
  await sleep(Math.max(0, ms - (Date.now() - began)));
  const used = processor(server) - before;
  assert.ok(used < 1000, `front and engines used ${used} ms of processor in ${ms} ms`);
}

async function timed(promise) {
  const began = Date.now();
  const answer = await promise;
  return { answer, took: Date.now() - began };
}

// Nothing in it says where on this machine anything lies.
function assertNoPath(server, answer) {
  assert.ok(!answer.text.includes(server.dir), answer.text);
  assert.doesNotMatch(answer.json().detail, /(^|[\s"'(])\/\w/, answer.text);
}

const answersAgain = (server, ms) =>
  eventually('an answer', async () => (await server.sql('SELECT 1')).status === 200, ms, 100);

describe('a large body that is damaged on disk', () => {
  const kRows = 30_000;
  const text = 'y'.repeat(80);
  const row = (i) => `{"i":${i},"text":"${text}"}`;
  const count = 'SELECT count(*) AS n FROM t';

  function blobFiles(dir) {
    return fs.readdirSync(path.join(dir, 'journals'), { recursive: true })
      .map((name) => path.join(dir, 'journals', name))
      .filter((file) => path.basename(path.dirname(file)) === 'blobs');
  }

  // A server with one row loaded and kRows acknowledged, whose blob was damaged before any engine
  // could read it: as long as somebody else holds the file, nothing is loaded.
  async function serverWithDamage(t, damage) {
    const server = await startServer(t, {});
    await server.insert('t', { i: -1 }, kWait);
    await server.stop();
    const holder = await holdFile(t, localFile(server.dir));
    await server.start();
    const body = Array.from({ length: kRows }, (_, i) => row(i)).join('\n');
    assert.equal((await server.insert('t', body)).rows, kRows);
    await server.kill();
    const [blob, ...others] = blobFiles(server.dir);
    assert.deepEqual(others, []);
    const sound = fs.readFileSync(blob);
    const damaged = Buffer.from(sound);
    fs.writeFileSync(blob, damage(damaged) ?? damaged);
    await holder.release();
    server.stderr = '';
    await server.start();
    return { server, mend: () => fs.writeFileSync(blob, sound) };
  }

  for (const [where, damage] of Object.entries({
    'in a value': (bytes) => { bytes[bytes.indexOf('yyy', bytes.length >> 1)] ^= 1; },
    'in its structure': (bytes) => { bytes[bytes.indexOf('}\n', bytes.length >> 1)] ^= 4; },
    'at its end': (bytes) => bytes.subarray(0, bytes.length - 4096),
  })) {
    it(`${where}: stops the loading, calmly; mended, all is loaded`, kSlow, async (t) => {
      const { server, mend } = await serverWithDamage(t, damage);
      await eventually('a word on it', () => /loading stands still.*damage/s.test(server.stderr));
      let acknowledged = 1;
      await assertCalm(server, 3000, async () => {
        for (let i = 0; i < 5; i += 1) {
          const { took } = await timed(server.insert('t', { i: -2 }));
          assert.ok(took < 1000, `an insert took ${took} ms`);
        }
        acknowledged += 5;
        // From here on somebody wants these rows: loading is tried again and again.
        const { answer, took } = await timed(server.sql(count));
        assert.equal(answer.status, 200, answer.text);
        assert.ok(took < 7000, `a query took ${took} ms`);
        assert.equal(answer.headers['x-fresh'], 'false');
        assert.ok(Number(answer.headers['x-lag-rows']) >= kRows, answer.headers['x-lag-rows']);
        // What was there before is there, and nothing of the damaged body.
        assert.deepEqual(answer.json(), [{ n: 1 }]);
      });
      const fresh = await server.api('/api/data/query?fresh=true', { body: count });
      problem(fresh, 503);
      assert.match(fresh.headers['retry-after'], /^\d+$/);
      assertNoPath(server, fresh);

      const metrics = await server.metrics();
      assert.ok(metrics('scratchdata_lag_rows', kLocal) >= kRows + 5);
      assert.ok(metrics('scratchdata_lag_seconds', kLocal) > 2);
      assert.equal(metrics('scratchdata_rows_failed_total', kLocal), 0);
      assert.equal(metrics('scratchdata_engine_restarts_total') ?? 0, 0);
      // It takes rows: a balancer must not take it out.
      assert.equal((await server.request('/readyz')).status, 200);

      // A stop is in order too: what cannot be loaded stays in the journal.
      const stopped = await server.stop();
      assert.ok(stopped < 10_000, `${stopped} ms`);
      assert.equal(checkDuckdbFile(server.dir, 'SELECT count(*) FROM t'), 1n);
      await server.start();
      mend();
      const all = kRows + acknowledged;
      await eventually('all rows', async () => {
        const answer = await server.sql(count);
        return answer.status === 200 && answer.json()[0].n === all;
      }, 15_000, 100);
      const [found] = await server.rows(
        'SELECT count(DISTINCT i) AS values, count(DISTINCT __row_id) AS ids FROM t');
      assert.deepEqual(found, { values: kRows + 2, ids: all });
      const intact = `SELECT count(*) FROM t WHERE text = '${text}'`;
      assert.equal(await server.value(intact), kRows);
      assert.equal((await server.metrics())('scratchdata_lag_rows', kLocal), 0);
    });
  }
});

describe("the destination's file", () => {
  const version = "SELECT CAST(value AS BIGINT) FROM _scratch.meta WHERE key = 'version'";
  const setVersion = (file, to) =>
    changeFile(file, `UPDATE _scratch.meta SET value = '${to}' WHERE key = 'version'`);

  // A file that cannot be opened is the operator's matter: who asks may ask again later.
  async function assertUnavailable(server, pattern) {
    const { answer, took } = await timed(server.sql('SELECT count(*) AS n FROM t'));
    assert.match(problem(answer, 503).detail, pattern);
    assert.match(answer.headers['retry-after'], /^\d+$/);
    assertNoPath(server, answer);
    assert.ok(took < 7000, `${took} ms`);
  }

  // A server with a row in a file that was changed while it was stopped.
  async function serverWith(t, change) {
    const server = await startServer(t, {});
    await server.insert('t', { a: 1 }, kWait);
    await server.stop();
    const file = localFile(server.dir);
    const known = duckdbInteger(file, version);
    await change(file, known);
    server.stderr = '';
    await server.start();
    return { server, file, known };
  }
  const newer = (file, known) => setVersion(file, known + 98n);

  it('of a newer layout: queries are 503 and say so', kSlow, async (t) => {
    const { server } = await serverWith(t, newer);
    await assertUnavailable(server, /newer version/);
  });

  it('that is no database: queries are 503 and say so', kSlow, async (t) => {
    const text = 'this is no database, however long one looks at it'.repeat(1000);
    const { server } = await serverWith(t, (file) => fs.writeFileSync(file, text));
    await assertUnavailable(server, /not a DuckDB database/);
  });

  it('of a newer layout: left as it is, said in the log; put back, it heals', kSlow, async (t) => {
    const { server, file, known } = await serverWith(t, newer);
    assert.equal((await server.insert('t', { a: 2 })).rows, 1);
    const answer = await server.sql('SELECT count(*) AS n FROM t');
    assert.notEqual(answer.status, 200, answer.text);
    assertNoPath(server, answer);
    const line = `newer version of the program (layout ${known + 98n}`;
    await eventually('a line in the log', () => server.stderr.includes(line));
    await assertCalm(server, 3000, () => server.insert('t', { a: 3 }));
    // The server tries the file once a second, and has it only for that moment.
    const found = await eventually('the free file', () => duckdbInteger(file, version), 10_000, 50);
    assert.equal(found, known + 98n);
    await eventually('the free file', () => setVersion(file, known).then(() => true), 10_000, 50);
    await answersAgain(server, 10_000);
    const rows = await server.rows('SELECT a FROM t ORDER BY a');
    assert.deepEqual(rows, [{ a: 1 }, { a: 2 }, { a: 3 }]);
  });

  it('held by another process: queries name it, wait=true ends after 30 s', kSlow, async (t) => {
    const server = await startServer(t, {});
    await server.insert('t', { a: 1 }, kWait);
    await server.stop();
    const holder = await holdFile(t, localFile(server.dir));
    await server.start();
    const waiting = timed(server.api('/api/data/insert/t?wait=true', { body: '{"a":2}' }));
    let over = false;
    waiting.then(() => { over = true; });
    while (!over) {
      const { answer, took } = await timed(server.sql('SELECT count(*) AS n FROM t'));
      const { detail } = problem(answer, 503, 'database-held');
      assert.ok(detail.includes(`(PID ${holder.pid})`), detail);
      assertNoPath(server, answer);
      assert.ok(took < 7000, `a query took ${took} ms`);
      await sleep(1000);
    }
    const { answer, took } = await waiting;
    assert.equal(answer.status, 200, answer.text);
    const { rows, failed, visible } = answer.json();
    assert.deepEqual({ rows, failed, visible }, { rows: 1, failed: 0, visible: false });
    assert.ok(took > 29_000 && took < 35_000, `${took} ms`);
    await holder.release();
    await answersAgain(server, 20_000);
    assert.deepEqual(await server.rows('SELECT a FROM t ORDER BY a'), [{ a: 1 }, { a: 2 }]);
  });
});

describe('rows that the table refuses', () => {
  const kTotal = 2000;
  // What a record may have of them before the rest of it goes without a search (load/loader.h).
  const kMostSearched = 32;
  const numbers = Array.from({ length: kTotal }, (_, i) => i);

  // A server whose database has a table that somebody else has made.
  async function serverWith(t, statement) {
    const server = await startServer(t, {});
    await server.insert('seed', { a: 1 }, kWait);
    await server.stop();
    await changeFile(localFile(server.dir), statement);
    return server.start();
  }

  // Sends a line for each number and asserts that exactly `refused` were refused, for this reason,
  // and kept whole and once.
  async function check(server, table, line, refused, reason) {
    const lines = numbers.map((i) => JSON.stringify(line(i)));
    const { answer, took } = await timed(server.insert(table, lines.join('\n'), kWait));
    assert.ok(took < 20_000, `${took} ms`);
    const good = kTotal - refused.length;
    assert.deepEqual([answer.rows, answer.failed, answer.visible], [good, refused.length, true]);
    assert.deepEqual(answer.errors.map((e) => e.row), refused.slice(0, 100));
    for (const error of answer.errors) {
      assert.equal(error.code, 'refused-by-destination');
      assert.match(error.detail, reason);
    }
    await assertCalm(server, 2000);
    const loaded = await server.rows(`SELECT i FROM ${table} ORDER BY i`);
    const gone = new Set(refused);
    assert.deepEqual(loaded.map((r) => r.i), numbers.filter((i) => !gone.has(i)));
    const metrics = await server.metrics();
    assert.equal(metrics('scratchdata_rows_failed_total', kLocal), refused.length);
    assert.equal(metrics('scratchdata_lag_rows', kLocal), 0);
    // Rows behind them are loaded as ever.
    await server.insert(table, { i: kTotal, n: 1, name: 'x' }, kWait);
    await server.stop();
    const total = (rest) => checkDuckdbFile(server.dir, `SELECT count(*) FROM ${rest}`);
    assert.equal(total(table), BigInt(good + 1));
    assert.equal(total('_scratch.failed_rows'), BigInt(refused.length));
    const wanted = refused.map((i) => `(${i}, '${lines[i]}'::VARCHAR)`);
    const whole = `_scratch.failed_rows f JOIN (VALUES ${wanted}) w(i, body)
      ON f."row" = w.i AND f.body = encode(w.body) AND f.table_name = '${table}'`;
    assert.equal(total(whole), BigInt(refused.length));
  }

  it('a few (CHECK): they alone are refused; wait=true counts and names them', kSlow, async (t) => {
    const server = await serverWith(t, 'CREATE TABLE checked(i BIGINT, n BIGINT CHECK (n >= 0))');
    const bad = [0, 1, 2, 999, 1000, 1500, 1999];
    const line = (i) => ({ i, n: bad.includes(i) ? -1 : i });
    await check(server, 'checked', line, bad, /CHECK/i);
  });

  it('forty (NOT NULL): with the 32nd the rest of the request is refused', kSlow, async (t) => {
    const server = await serverWith(t, 'CREATE TABLE named(i BIGINT, name VARCHAR NOT NULL)');
    const bad = Array.from({ length: 40 }, (_, i) => i * 50);
    const line = (i) => (bad.includes(i) ? { i } : { i, name: `n${i}` });
    const last = bad[kMostSearched - 1];
    const refused = numbers.filter((i) => i > last || bad.includes(i));
    await check(server, 'named', line, refused, /NOT NULL/i);
    // One call loads those that went with the rest.
    await server.start();
    const { answer, took } = await timed(server.api('/api/data/failed/retry?table=named', { method: 'POST' }));
    assert.deepEqual([answer.json().retried, answer.json().failed], [refused.length - bad.length, bad.length], answer.text);
    assert.ok(took < 10_000, `${took} ms`);
    assert.equal(await server.value('SELECT count(*) FROM named'), kTotal - bad.length + 1);
  });

  it('all of them: none is loaded, every one is kept', kSlow, async (t) => {
    const server = await serverWith(t, 'CREATE TABLE closed(i BIGINT, n BIGINT CHECK (n > 0))');
    await check(server, 'closed', (i) => ({ i, n: -i }), numbers, /CHECK/i);
  });
});

describe('a statement that goes on for ever while it is bound', () => {
  const statements = {
    // Its values are collected first; that can be interrupted.
    'a PIVOT': 'PIVOT (SELECT i % 3 AS i FROM range(100000000000) t(i)) ON i',
    // A constant that takes minutes and looks at nothing else: only its process can be ended.
    'a constant': "SELECT levenshtein(repeat('a', 400000), repeat('b', 400000)) AS n",
  };
  const seen = Array.from({ length: 1000 }, (_, i) => ({ i }));
  const count = 'SELECT count(*) AS n FROM t';

  // Rows that somebody has seen.
  async function showRows(server, options = {}) {
    await server.insert('t', seen, { ...kWait, ...options });
    assert.equal(await server.value(count, options), seen.length);
  }

  // From now on queries answer within 2 s, and never with fewer rows than were seen.
  async function assertBack(server, options = {}) {
    const back = async () => {
      const answer = await server.sql(count, options);
      const whole = answer.status === 200 && answer.complete;
      const lost = whole && answer.json()[0].n < seen.length;
      assert.ok(!lost, `a visible row is lost: ${answer.text}`);
      return whole;
    };
    const { took } = await timed(eventually('queries again', back, 5000, 20));
    assert.ok(took < atMost(2000), `queries came back after ${took} ms`);
  }

  for (const [what, query] of Object.entries(statements)) {
    it(`${what}, shared: refused within 13 s; then queries work again`, kSlow, async (t) => {
      const server = await startServer(t, { flags: ['--engine-memory-limit', '1GB'] });
      await showRows(server);
      const body = JSON.stringify({ query, duration: 60 });
      const making = timed(server.api('/api/data/share', { body }));
      await sleep(1000);
      await server.insert('t', { i: -1 });
      const { answer, took } = await making;
      assert.ok(took < 11_000 + atMost(2000), `${took} ms`);
      const { status } = answer;
      assert.ok((status >= 400 && status < 500) || status === 504, answer.text);
      problem(answer, status);
      assertNoPath(server, answer);
      await assertBack(server);
      assert.equal(await server.value(count), seen.length + 1);
      // The two are of the two kinds.
      const restarts = (await server.metrics())('scratchdata_engine_restarts_total');
      assert.equal(restarts > 0, what === 'a constant', `${restarts} restarts`);
      assert.deepEqual((await server.api('/api/shares?all=true')).json().data, []);
      await assertCalm(server, 1000);
      // What asks an engine in the same way.
      const test = await server.api('/api/destinations/local/test', {
        key: server.adminKey, method: 'POST',
      });
      assert.equal(test.json().ok, true);
    });

    it(`${what}, asked: 504 soon after its time; then queries work again`, kSlow, async (t) => {
      const server = await startServer(t, { flags: ['--engine-memory-limit', '1GB'] });
      const made = await server.api('/api/destinations', {
        key: server.adminKey, body: '{"name":"volatile","settings":{"in_memory":true}}',
      });
      for (const options of [{}, { key: made.json().api_key }]) {
        await showRows(server, options);
        const asked = server.sql(query, { query: '?timeout_ms=1000', ...options });
        const { answer, took } = await timed(asked);
        problem(answer, 504);
        assert.ok(took < 5000, `${took} ms`);
        await assertBack(server, options);
        assert.equal(await server.value(count, options), seen.length);
      }
    });
  }

  it('ends within a second after its time; what goes on beside it is hardly touched', kSlow, async (t) => {
    const server = await startServer(t, { flags: ['--engine-memory-limit', '1GB'] });
    await showRows(server);
    const kTime = 1500;
    const kKilledWithin = 1000;
    const kOnItsWay = 200; // the end of the process, and the answer
    for (let round = 0; round < 3; round += 1) {
      const [engine] = server.enginePids();
      const rows = await server.value(count);
      // A result that streams all the while: it breaks off, and looks broken.
      const streaming = server.sql("SELECT i, repeat('x', 100) AS x FROM range(1000000000000) t(i)", { query: '?format=ndjson' });
      let ended = null;
      const stuck = timed(server.sql(statements['a constant'], { query: `?timeout_ms=${kTime}` }));
      stuck.then(() => { ended = Date.now(); });
      // Rows acknowledged a moment before the end, which the next engine loads.
      const waiting = sleep(kTime + 400).then(() => timed(server.insert('t', { i: -1 }, kWait)));
      let refused = 0;
      let back = null;
      for (let i = 0; back === null; i += 1) {
        const { answer, took } = await timed(server.sql(count));
        assert.ok(took < 4000, `a query took ${took} ms`);
        if (answer.status === 200 && !answer.complete) {
          // Its engine ended between the head and the rows.
        } else if (answer.status === 200) {
          assert.ok(answer.json()[0].n >= rows, `a visible row is lost: ${answer.text}`);
          if (ended !== null) back = Date.now();
        } else {
          problem(answer, 503);
          assert.match(answer.headers['retry-after'], /^[1-9]$/);
          refused += 1;
        }
        await sleep(20);
      }
      const { answer, took } = await stuck;
      problem(answer, 504, 'query-timeout');
      assert.ok(took > kTime && took <= kTime + kKilledWithin + kOnItsWay, `${took} ms`);
      assert.ok(back - ended < atMost(2000), `queries came back after ${back - ended} ms`);
      const inserted = await waiting;
      assert.equal(inserted.answer.visible, true);
      assert.ok(inserted.took < 4000, `rows were visible after ${inserted.took} ms`);
      assert.equal((await streaming).complete, false);
      assert.ok(!server.enginePids().includes(engine));
      assert.equal(await server.value(count), rows + 1);
      t.diagnostic(`504 after ${took} ms of ${kTime}; queries again ${back - ended} ms later, ${refused} refused`);
    }
  });
});

describe('an engine that was killed, and then SIGTERM,', () => {
  // At once is the hardest: the front is told to stop before it knows that its engine is dead.
  for (const [pause, rounds] of [[0, 8], [5, 4], [300, 2], [1500, 2]]) {
    it(`${pause} ms later: no .wal is left beside the file, which is whole`, kSlow, async (t) => {
      const server = await startServer(t, {});
      let acknowledged = 0;
      const insert = async (rows, options) => {
        acknowledged += (await server.insert('t', rows, options)).rows;
      };
      for (let round = 0; round < rounds; round += 1) {
        for (let i = 0; i < 20; i += 1) await insert([{ i }, { i }], kWait);
        const file = fs.realpathSync(path.join(server.dir, 'data.duckdb'));
        assert.ok(fs.existsSync(`${file}.wal`), 'nothing was there to be left');
        // Every other time, with a row that is in the journal only.
        if (round % 2 === 1) await insert({ i: -1 });
        process.kill(server.enginePids()[0], 'SIGKILL');
        if (pause > 0) await sleep(pause);
        await server.stop();
        assert.ok(!fs.existsSync(`${file}.wal`), `round ${round}: a write-ahead log is left`);
        const loaded = checkDuckdbFile(server.dir, 'SELECT count(*) FROM t');
        assert.equal(loaded, BigInt(acknowledged));
        await server.start();
      }
    });
  }
});

describe('what plain curl sends', () => {
  const server = useServer();
  const kForm = { 'Content-Type': 'application/x-www-form-urlencoded' };

  it('a statement that holds "query=" is run as it stands', async () => {
    for (const [sql, value] of [["SELECT 'a&query=select 42' AS x", 'a&query=select 42'], ["SELECT '?query=1' AS x", '?query=1']]) {
      const answer = await server.api('/api/data/query', { method: 'POST', body: sql, headers: kForm });
      assert.equal(answer.status, 200, answer.text);
      assert.deepEqual(answer.json(), [{ x: value }]);
    }
    const form = await server.api('/api/data/query', { method: 'POST', body: 'format=json&query=SELECT+42+AS+x', headers: kForm });
    assert.deepEqual(form.json(), [{ x: 42 }]);
    const share = await server.api('/api/data/share', { method: 'POST', body: "SELECT 'x&query=1' AS x", headers: kForm });
    assert.equal(share.status, 200, share.text);
    problem(await server.api('/api/data/query', { method: 'POST', body: Buffer.from("SELECT '\xff'", 'latin1') }), 400, 'invalid-utf8');
  });

  it('a scalar is no form', async () => {
    for (const body of ['hello', '42', 'null', '"x"']) {
      problem(await server.api('/api/data/insert/scalar', { method: 'POST', body, headers: kForm }), 400);
    }
    problem(await server.api('/api/tables/scalar'), 404);
    assert.equal((await server.api('/api/data/insert/encoded', { method: 'POST', body: '%7B%22a%22%3A1%7D', headers: kForm })).json().rows, 1);
  });

  it('a destination that is not the key\'s own is not there', async () => {
    for (const path of ['/api/data/insert/k', '/api/data/query']) {
      problem(await server.api(`${path}?destination_id=nosuch`, { method: 'POST', body: path.endsWith('k') ? '{"a":1}' : 'SELECT 1' }), 404);
    }
    problem(await server.api('/api/tables/k'), 404);
    assert.equal((await server.api('/api/data/insert/k?destination_id=local', { method: 'POST', body: '{"a":1}' })).status, 200);
  });
});

describe('a database file that was lost', () => {
  it('is never served as if nothing had been in it', async (t) => {
    const server = await startServer(t, { flags: ['--journal-retention', '1'] });
    for (let i = 0; i < 3; i += 1) {
      await server.insert('t', Array.from({ length: 2000 }, (_, n) => ({ n, text: 'x'.repeat(200) })), { query: '?wait=true' });
      await sleep(1200);
    }
    await server.stop();
    for (const name of fs.readdirSync(server.dir, { recursive: true })) {
      if (String(name).endsWith('.duckdb')) fs.rmSync(path.join(server.dir, String(name)), { force: true });
    }
    await server.start();
    const answer = await server.sql('SELECT count(*) AS n FROM t');
    assert.ok(answer.status === 503 || (answer.status === 200 && answer.json()[0].n === 6000), `${answer.status} ${answer.text}`);
  });
});
