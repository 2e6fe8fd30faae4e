// `scratchdata insert`: files of each format, pipes, and what becomes of a break. The protocol's details are tested against
// a small server that misbehaves as it is told; the rest against the real one.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import net from 'node:net';
import path from 'node:path';
import { describe, it } from 'node:test';
import zlib from 'node:zlib';
import { binary, eventually, root, runBinary, sleep, temporaryDirectory, useServer } from './lib.mjs';

const dir = temporaryDirectory();
let counter = 0;
function file(name, content) {
  const folder = path.join(dir, String(counter += 1));
  fs.mkdirSync(folder);
  const full = path.join(folder, name);
  fs.writeFileSync(full, content);
  return full;
}
const ndjson = (count, from = 0) => Array.from({ length: count }, (_, i) => `{"i":${from + i},"text":"row ${from + i} ${'x'.repeat(40)}"}\n`).join('');

const insert = (url, args, options = {}) => runBinary(['insert', ...args, '--url', url, ...(args.includes('--key') ? [] : ['--key', 'local'])],
  { ...options, env: { NO_PROXY: '*', ...options.env } });

// ---- a server of our own -----------------------------------------------------------------------------------------

// Stores bodies by Idempotency-Key. `behave(n, req)` may return { status, headers, body } to answer instead, 'drop' to close
// without reading on, or 'lose' to store and close without an answer.
async function fakeServer(t, behave = () => null) {
  const fake = { requests: [], receipts: 0, stored: new Map(), sockets: new Set() };
  const server = http.createServer((req, res) => {
    if (req.method === 'GET') { // of the receipts
      fake.receipts += 1;
      const text = JSON.stringify({ state: 'loaded', failed: 0 });
      res.writeHead(200, { 'Content-Length': text.length });
      res.end(text);
      return;
    }
    const n = fake.requests.length;
    const seen = { method: req.method, url: req.url, headers: req.headers, body: null };
    fake.requests.push(seen);
    const how = behave(n, seen);
    if (how === 'drop') { req.socket.destroy(); return; }
    const pieces = [];
    req.on('data', (piece) => pieces.push(piece));
    req.on('end', () => {
      let body = Buffer.concat(pieces);
      if (req.headers['content-encoding'] === 'gzip') body = zlib.gunzipSync(body);
      seen.body = body.toString();
      const answer = (status, headers, text) => { res.writeHead(status, { 'Content-Length': Buffer.byteLength(text), ...headers }); res.end(text); };
      if (how && how !== 'lose') { answer(how.status, how.headers ?? {}, how.body ?? ''); return; }
      const key = req.headers['idempotency-key'];
      const again = fake.stored.has(key);
      fake.stored.set(key, seen.body);
      if (how === 'lose') { req.socket.destroy(); return; }
      const rows = seen.body.trimEnd().split('\n').length;
      answer(200, { 'Content-Type': 'application/json', ...(again ? { 'Idempotent-Replayed': 'true' } : {}) },
        JSON.stringify({ ok: true, table: 't', rows, failed: 0, receipt: 'r' }));
    });
  });
  server.on('connection', (socket) => { fake.sockets.add(socket); });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  fake.url = `http://127.0.0.1:${server.address().port}`;
  fake.rows = () => [...fake.stored.values()].flatMap((body) => body.trimEnd().split('\n'));
  t.after(() => { server.close(); for (const socket of fake.sockets) socket.destroy(); });
  return fake;
}

async function unusedPort() {
  const server = net.createServer();
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  const { port } = server.address();
  await new Promise((resolve) => { server.close(resolve); });
  return port;
}

describe('the protocol', () => {
  it('sends chunks with key, type, table and parameters where they belong', async (t) => {
    const fake = await fakeServer(t);
    const text = ndjson(500);
    const done = await insert(fake.url, ['my table/ä', file('a.ndjson', text), '--key', 'sd_secret', '--chunk-bytes', '4KiB', '--flatten', 'none',
      '--flatten-depth', '3', '--strict', '--wait', '--concurrency', '1']);
    assert.equal(done.code, 0, done.stderr);
    assert.ok(fake.requests.length > 5, `${fake.requests.length} requests`);
    for (const { method, url, headers } of fake.requests) {
      assert.equal(method, 'POST');
      assert.equal(url, '/api/data/insert/my%20table%2F%C3%A4?flatten=none&flatten_depth=3&strict=true&wait=true');
      assert.equal(headers.authorization, 'Bearer sd_secret');
      assert.equal(headers['content-type'], 'application/x-ndjson');
      assert.match(headers['idempotency-key'], /^[0-9a-f]{64}$/);
      assert.ok(Number(headers['content-length']) <= 4096);
    }
    assert.equal(fake.requests.map((r) => r.body).join(''), text);
    assert.match(done.stderr, /^scratchdata: 500 rows stored in my table\/ä, 0 refused, in [\d.]+ s \(.*rows\/s.*\)\n$/);
    assert.equal(done.stdout, '');
    assert.ok(!done.stderr.includes('sd_secret'));
    assert.equal(fake.sockets.size, 1, 'one connection is kept');
  });

  it('is the same again in a second run, and another one for another file', async (t) => {
    const fake = await fakeServer(t);
    const name = file('a.ndjson', ndjson(300));
    const args = ['t', name, '--chunk-bytes', '4KiB'];
    assert.equal((await insert(fake.url, args)).code, 0);
    const keys = fake.stored.size;
    const again = await insert(fake.url, args);
    assert.equal(again.code, 0, again.stderr);
    assert.match(again.stderr, /300 rows stored in t \(300 of them before\)/);
    assert.equal(fake.stored.size, keys);
    // Copies that are alike in name, size and time are two files all the same.
    const copy = file('a.ndjson', ndjson(300));
    fs.utimesSync(name, 1e9, 1e9);
    fs.utimesSync(copy, 1e9, 1e9);
    await insert(fake.url, ['t', name, copy, '--chunk-bytes', '4KiB']);
    assert.equal(fake.stored.size, 3 * keys);
  });

  it('compresses with --gzip', async (t) => {
    const fake = await fakeServer(t);
    const done = await insert(fake.url, ['t', file('a.ndjson', ndjson(1000)), '--gzip']);
    assert.equal(done.code, 0, done.stderr);
    assert.equal(fake.requests[0].headers['content-encoding'], 'gzip');
    assert.ok(Number(fake.requests[0].headers['content-length']) < 20_000);
    assert.equal(fake.rows().length, 1000);
  });

  it('survives lost answers, closed connections, 429 and 503: each row is stored once', async (t) => {
    const kinds = [null, 'drop', 'lose', { status: 503, headers: { 'Retry-After': '0' } }, { status: 429 }, 'lose', { status: 408 }, { status: 500 }];
    const fake = await fakeServer(t, (n) => (n < 40 ? kinds[n % kinds.length] : null));
    const done = await insert(fake.url, ['t', file('a.ndjson', ndjson(2000)), '--chunk-bytes', '8KiB']);
    assert.equal(done.code, 0, done.stderr);
    const rows = fake.rows().map((row) => JSON.parse(row).i).sort((a, b) => a - b);
    assert.deepEqual(rows, Array.from({ length: 2000 }, (_, i) => i));
    assert.match(done.stderr, /2,000 rows stored/);
  });

  it('waits as long as Retry-After says', async (t) => {
    const times = [];
    const fake = await fakeServer(t, (n) => {
      times.push(Date.now());
      return n === 0 ? { status: 503, headers: { 'Retry-After': '2' } } : null;
    });
    assert.equal((await insert(fake.url, ['t', file('a.json', '{"a":1}')])).code, 0);
    assert.ok(times[1] - times[0] >= 1950, `${times[1] - times[0]} ms`);
  });

  it('ends at another 4xx with the detail of the problem, exit code 1', async (t) => {
    const fake = await fakeServer(t, () => ({ status: 403, headers: { 'Content-Type': 'application/problem+json' }, body: '{"title":"x","detail":"the key lacks the scope insert"}' }));
    const done = await insert(fake.url, ['t', file('a.ndjson', ndjson(5000)), '--chunk-bytes', '4KiB']);
    assert.equal(done.code, 1);
    assert.match(done.stderr, /a\.ndjson, rows \d+ to \d+: the server answered 403: the key lacks the scope insert\n/);
    assert.ok(fake.requests.length <= 4);
  });

  it('ends at an unreachable or silent server within its limits', async (t) => {
    let began = Date.now();
    let done = await insert(`http://127.0.0.1:${await unusedPort()}`, ['t', file('a.json', '{"a":1}'), '--retries', '2']);
    assert.equal(done.code, 1);
    assert.match(done.stderr, /cannot connect to 127\.0\.0\.1:\d+.*gave up after 3 tries/);
    assert.ok(Date.now() - began < 10_000);

    const silent = net.createServer(() => {});
    await new Promise((resolve) => { silent.listen(0, '127.0.0.1', resolve); });
    t.after(() => silent.close());
    began = Date.now();
    done = await insert(`http://127.0.0.1:${silent.address().port}`, ['t', file('a.json', '{"a":1}'), '--retries', '1', '--timeout', '0.5']);
    assert.equal(done.code, 1);
    assert.match(done.stderr, /no answer within the time limit; gave up after 2 tries/);
    assert.ok(Date.now() - began < 10_000);
  });

  it('a break of one run is mended by the next, from a pipe too with --resume-key', async (t) => {
    let broken = true;
    const fake = await fakeServer(t, (n) => (broken && n >= 3 ? 'drop' : null));
    const text = ndjson(1000);
    const args = ['t', '--chunk-bytes', '8KiB', '--retries', '0'];
    const first = await insert(fake.url, args, { input: text });
    assert.equal(first.code, 1);
    const key = /--resume-key (\S+?):/.exec(first.stderr)?.[1];
    assert.ok(key, first.stderr);
    broken = false;
    const second = await insert(fake.url, [...args, '--resume-key', key], { input: text });
    assert.equal(second.code, 0, second.stderr);
    const rows = fake.rows().map((row) => JSON.parse(row).i).sort((a, b) => a - b);
    assert.deepEqual(rows, Array.from({ length: 1000 }, (_, i) => i));
  });

  it('Ctrl-C ends at once and says what is stored and how to go on', async (t) => {
    const fake = await fakeServer(t);
    const child = spawn(binary, ['insert', 't', '--url', fake.url, '--chunk-bytes', '1KiB'], { stdio: ['pipe', 'ignore', 'pipe'] });
    t.after(() => child.kill('SIGKILL'));
    let stderr = '';
    child.stderr.on('data', (piece) => { stderr += piece; });
    child.stdin.on('error', () => {});
    child.stdin.write(ndjson(100)); // and the pipe stays open
    await eventually('some chunks', () => fake.stored.size >= 3);
    await sleep(200);
    const began = Date.now();
    child.kill('SIGINT');
    const code = await new Promise((resolve) => { child.once('close', resolve); });
    assert.equal(code, 130);
    assert.ok(Date.now() - began < 1500, `${Date.now() - began} ms`);
    assert.match(stderr, /interrupted: \d+ rows stored in t/);
    assert.match(stderr, /--resume-key \S+/);
  });

  it('the key and the URL come from the environment; a wrong call is 2 and sends nothing', async (t) => {
    const fake = await fakeServer(t);
    const name = file('a.json', '{"a":1}');
    const done = await runBinary(['insert', 't', name], { env: { SCRATCHDATA_URL: fake.url, SCRATCHDATA_KEY: 'sd_env' } });
    assert.equal(done.code, 0, done.stderr);
    assert.equal(fake.requests[0].headers.authorization, 'Bearer sd_env');
    const help = await runBinary(['insert', '--help'], { env: { SCRATCHDATA_KEY: 'sd_env' } });
    assert.ok(!help.stdout.includes('sd_env'), help.stdout);
    for (const args of [['t', path.join(dir, 'none.json')], ['t', dir], ['t', name, '--format', 'xml'], ['t', name, '--concurrency', '0'],
      ['t', name, '--key', 'a b'], ['t', '-', '-'], ['t', name, path.join(dir, 'none.json')]]) {
      const refused = await insert(fake.url, args);
      assert.equal(refused.code, 2, `${args}: ${refused.stderr}`);
      assert.match(refused.stderr, /\S/);
    }
    for (const url of ['localhost:1', 'http://u:sd_p@h', 'http://h?api_key=sd_q']) {
      const refused = await insert(url, ['t', name]);
      assert.equal(refused.code, 2, url);
      assert.ok(!/sd_[pq]/.test(refused.stderr), refused.stderr);
    }
    assert.equal(fake.requests.length, 1);
  });

  it('a refusal ends the command though the pipe stays open', async (t) => {
    const fake = await fakeServer(t, () => ({ status: 401, body: '{"detail":"no such key"}' }));
    const child = spawn(binary, ['insert', 't', '--url', fake.url, '--chunk-bytes', '1KiB'], { stdio: ['pipe', 'ignore', 'pipe'] });
    t.after(() => child.kill('SIGKILL'));
    let stderr = '';
    child.stderr.on('data', (piece) => { stderr += piece; });
    child.stdin.on('error', () => {});
    child.stdin.write(ndjson(100));
    const code = await Promise.race([new Promise((resolve) => { child.once('close', resolve); }), sleep(10_000).then(() => 'still there')]);
    assert.equal(code, 1, stderr);
    assert.match(stderr, /does not know this key \(401\): no such key/);
  });

  it('a pipe is bounded in memory and sent while it comes', async (t) => {
    const fake = await fakeServer(t);
    const child = spawn(binary, ['insert', 't', '--url', fake.url, '--quiet'], { stdio: ['pipe', 'ignore', 'inherit'] });
    t.after(() => child.kill('SIGKILL'));
    const ended = new Promise((resolve) => { child.once('close', resolve); });
    const line = Buffer.from(`{"x":"${'y'.repeat(990)}"}\n`.repeat(1000));
    let peak = 0;
    for (let i = 0; i < 150; i += 1) {
      if (!child.stdin.write(line)) await new Promise((go) => { child.stdin.once('drain', go); });
      const status = fs.readFileSync(`/proc/${child.pid}/status`, 'utf8');
      peak = Math.max(peak, Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0));
      fake.stored.clear();
      fake.requests.length = 0;
    }
    child.stdin.end();
    assert.equal(await ended, 0);
    t.diagnostic(`peak ${peak} kB for 150 MB`);
    if (!process.env.SCRATCHDATA_SANITIZED) assert.ok(peak < 128_000, `${peak} kB`);
  });
});

describe('the real server', () => {
  const server = useServer();

  // While the server does not know the header, nothing can be inserted by this command.
  async function lacks(t, feature) {
    const csv = feature === 'csv';
    const answer = await server.api('/api/data/insert/probe', {
      body: csv ? 'a\n1\n' : '{"a":1}', headers: csv ? { 'Content-Type': 'text/csv' } : { 'Idempotency-Key': crypto.randomUUID() },
    });
    if (answer.status === 200) return false;
    t.skip(`the server answers ${answer.status} to ${csv ? 'CSV' : 'an Idempotency-Key'}: ${answer.json().detail}`);
    return true;
  }
  const count = (table) => server.value(`SELECT count(*) FROM ${table}`);
  const send = (args, options) => insert(server.url, args, options);

  it('takes files of every text format, plain and compressed, and standard input', async (t) => {
    if (await lacks(t, 'key')) return;
    const rows = ndjson(2000);
    const array = `[${rows.trimEnd().split('\n').join(',')}]`;
    const zstd = path.join(path.dirname(file('x', '')), 'x.ndjson.zst');
    fs.writeFileSync(path.join(path.dirname(zstd), 'x.ndjson'), rows);
    const { execFileSync } = await import('node:child_process');
    execFileSync('zstd', ['-q', '--ultra', '-22', path.join(path.dirname(zstd), 'x.ndjson')]);
    const forms = {
      ndjson: [[file('a.ndjson', rows)]],
      jsonl_gz: [[file('a.jsonl.gz', zlib.gzipSync(rows))]],
      json: [[file('a.json', array)]],
      ndjson_zst: [[zstd]],
      no_name: [[file('a', rows)]],
      pipe: [[], { input: rows }],
      dash_gz: [['-'], { input: zlib.gzipSync(array) }],
    };
    for (const [table, [files, options]] of Object.entries(forms)) {
      const done = await send([table, ...files, '--chunk-bytes', '20KiB', '--wait'], options);
      assert.equal(done.code, 0, `${table}: ${done.stderr}`);
      assert.match(done.stderr, /2,000 rows stored/, table);
      assert.equal(await count(table), 2000, table);
      assert.equal(await server.value(`SELECT sum(i) FROM ${table}`), 1999 * 1000, table);
    }
    const two = await send(['two', file('a.ndjson', ndjson(10)), file('b.json', '[{"i":10},{"i":11}]')]);
    assert.match(two.stderr, /12 rows stored/);
  });

  it('objects over several lines stay whole, good and bad; a file that is called NDJSON may begin with a bad line', async () => {
    const bad = '{\n"x":"\\ud800",\n"l":[\n{"a":2}\n]\n}';
    const done = await insert(server.url, ['lines', file('pretty.json', `${bad}\n{\n"good":1\n}\n`)]);
    assert.equal(done.code, 1, done.stderr);
    assert.deepEqual(await server.rows('SELECT * EXCLUDE (__row_id, __received_at) FROM lines'), [{ good: 1 }]);
    const kept = (await server.api('/api/data/failed?table=lines')).json().data.map((f) => [f.code, f.body.replace(/\s+/g, '')]);
    assert.deepEqual(kept, [['lone-surrogate', bad.replace(/\s+/g, '')]]);
    const junk = await insert(server.url, ['junk', file('junk.ndjson', 'x\n{"a":1}\n{"a":2}\n')]);
    assert.equal(junk.code, 1, junk.stderr);
    assert.deepEqual(await server.rows('SELECT a FROM junk ORDER BY a'), [{ a: 1 }, { a: 2 }]);
    assert.deepEqual((await server.api('/api/data/failed?table=junk')).json().data.map((f) => f.body), ['x']);
  });

  it('takes CSV with line breaks in quotes', async (t) => {
    if (await lacks(t, 'key') || await lacks(t, 'csv')) return;
    const text = `id,note\r\n${Array.from({ length: 500 }, (_, i) => `${i},"line ${i}\r\n""quoted"", more"\r\n`).join('')}`;
    for (const [table, args, options] of [['csv1', [file('a.csv', text)], {}], ['csv2', [], { input: text }], ['csv3', [file('a.csv.gz', zlib.gzipSync(text))], {}]]) {
      const done = await send([table, ...args, '--chunk-bytes', '2KiB'], options);
      assert.equal(done.code, 0, done.stderr);
      assert.match(done.stderr, /500 rows stored/);
      assert.deepEqual((await server.rows(`SELECT sum(id) AS s, count(DISTINCT note) AS n, min(note) AS m FROM ${table}`))[0],
        { s: 499 * 250, n: 500, m: 'line 0\r\n"quoted", more' });
    }
  });

  it('takes Parquet with every digit, times and nested values', async (t) => {
    if (await lacks(t, 'key')) return;
    const duckdb = createRequire(import.meta.url)(path.join(root, 'third_party/node_modules/@duckdb/node-bindings-linux-x64/duckdb.node'));
    const connection = await duckdb.connect(await duckdb.open(':memory:', duckdb.create_config()));
    const name = file('a [x]*.parquet', '');
    await duckdb.query(connection, `COPY (SELECT 9007199254740993 + range AS big, (range || '.123456789')::DECIMAL(30,9) AS d, TIMESTAMP '2024-01-02 03:04:05.123456' AS at,
      {'list': [range, 1], 'text': 'ä' || range} AS s FROM range(30000)) TO '${name}' (FORMAT parquet)`);
    const done = await send(['parquet', name, '--wait', '--chunk-bytes', '200KiB']);
    assert.equal(done.code, 0, done.stderr);
    assert.match(done.stderr, /30,000 rows stored/);
    const [row] = await server.rows(`SELECT count(*) AS n, max(big)::VARCHAR AS big, max(d)::VARCHAR AS d, typeof(any_value("at")) AS type, max("at") AS "at", max(s_list_0) AS l,
      count(DISTINCT s_text) AS texts FROM parquet`);
    assert.deepEqual(row, { n: 30_000, big: '9007199254770992', d: '29999.123456789', type: 'TIMESTAMP WITH TIME ZONE', at: '2024-01-02T03:04:05.123456Z', l: 29_999, texts: 30_000 });
    const broken = await send(['parquet', file('b.parquet', 'PAR1 nonsense')]);
    assert.equal(broken.code, 1);
    assert.match(broken.stderr, /b\.parquet: /);
  });

  it('counts and shows refused rows, keeps the others, and exits with 1', async (t) => {
    if (await lacks(t, 'key')) return;
    const lines = ndjson(100).trimEnd().split('\n');
    for (let i = 0; i < 60; i += 5) lines[i] = `{"broken ${i}`;
    const done = await send(['refused', file('a.ndjson', `${lines.join('\n')}\n`)]);
    assert.equal(done.code, 1);
    assert.match(done.stderr, /88 rows stored in refused, 12 refused/);
    const shown = [...done.stderr.matchAll(/a\.ndjson, row (\d+): invalid-json/g)].map((m) => Number(m[1]));
    assert.deepEqual(shown, [0, 5, 10, 15, 20, 25, 30, 35, 40, 45]);
    assert.match(done.stderr, /and 2 more/);
    assert.equal(await count('refused'), 88);
    const strict = await send(['refused', file('b.ndjson', `${lines.slice(1).join('\n')}\n`), '--strict']);
    assert.equal(strict.code, 1);
    assert.equal(await count('refused'), 88);
  });

  it('counts what only loading refuses, without --wait too, and exits with 1', async (t) => {
    if (await lacks(t, 'key')) return;
    await server.insert('late', '{"n":1}', { query: '?wait=true' });
    const put = await server.api('/api/tables/late/contract', { method: 'PUT', body: '{"columns":"freeze"}' });
    assert.equal(put.status, 200, put.text);
    for (const [more, lines, rows] of [[[], 1, 500], [['--chunk-bytes', '4KiB'], 1, 501], [['--wait'], 0, 502]]) {
      const done = await send(['late', file('late.ndjson', `${Array.from({ length: rows }, (_, i) => `{"n":${i}}\n`).join('')}{"n":1,"new":2}\n`), ...more]);
      assert.equal(done.code, 1, done.stderr);
      assert.match(done.stderr, / 1 refused/);
      assert.equal([...done.stderr.matchAll(/1 of them were refused when they were loaded/g)].length, lines, done.stderr);
    }
  });

  it('CSV with bare carriage returns is refused, and a piece of CSV without a good row ends nothing', async (t) => {
    if (await lacks(t, 'key')) return;
    const mac = await send(['cr', file('cr.csv', 'a,b\r1,2\r3,4\r')]);
    assert.equal(mac.code, 1, mac.stderr);
    assert.match(mac.stderr, /carriage return/);
    const done = await send(['bad', file('bad.csv', `a,b\n${'1,2,9\n'.repeat(10_000)}${Array.from({ length: 500 }, (_, i) => `${i},1\n`).join('')}`), '--chunk-bytes', '16KiB', '--concurrency', '1']);
    assert.equal(done.code, 1, done.stderr);
    const kept = await server.value('SELECT count(*) FROM bad');
    assert.equal(kept, 500, done.stderr);
    assert.match(done.stderr, /500 rows stored in bad, 10,000 refused/);
    assert.match(done.stderr, /row 0: too-many-fields/);
    assert.match(done.stderr, /could not be sent/);
  });

  it('a wrong key is exit code 1 with a clear line, whatever the size', async () => {
    for (const rows of [1, 200_000]) {
      const done = await send(['t', file('a.ndjson', ndjson(rows)), '--key', 'sd_nobody']);
      assert.equal(done.code, 1);
      assert.match(done.stderr, /does not know this key \(401\)/, done.stderr);
      assert.ok(!done.stderr.includes('sd_nobody'));
    }
  });

  it('a server that is killed in the middle and comes back has every row once', async (t) => {
    if (await lacks(t, 'key')) return;
    const name = file('big.ndjson', ndjson(60_000));
    const flags = server.flags;
    server.flags = [...flags, '--listen', `127.0.0.1:${server.port}`];
    const running = send(['killed', name, '--chunk-bytes', '16KiB', '--concurrency', '3'], { timeout: 120_000 });
    for (let i = 0; i < 3; i += 1) {
      await sleep(300);
      await server.kill();
      await sleep(200);
      await server.start();
    }
    const done = await running;
    server.flags = flags;
    assert.equal(done.code, 0, done.stderr);
    assert.match(done.stderr, /60,000 rows stored/);
    assert.deepEqual((await server.rows('SELECT count(*) AS n, count(DISTINCT i) AS d FROM killed'))[0], { n: 60_000, d: 60_000 });
    const again = await send(['killed', name, '--chunk-bytes', '16KiB']);
    assert.match(again.stderr, /60,000 of them before/);
    assert.equal(await count('killed'), 60_000);
  });
});
