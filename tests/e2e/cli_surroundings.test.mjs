// `scratchdata insert` where people run it: behind a TLS front, and on a terminal.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import path from 'node:path';
import { before, describe, it } from 'node:test';
import { binary, runBinary, temporaryDirectory, useServer } from './lib.mjs';

const dir = temporaryDirectory();
const server = useServer();

function ndjson(count) {
  const name = path.join(dir, `${count}.ndjson`);
  if (!fs.existsSync(name)) {
    fs.writeFileSync(name, Array.from({ length: count }, (_, i) => `{"i":${i},"text":"row ${i} ${'x'.repeat(40)}"}\n`).join(''));
  }
  return name;
}

// Hands every request on to the server: over TLS where `tls` has a key and a certificate, and `delay` ms late.
async function front(t, { tls, delay = 0 } = {}) {
  const seen = [];
  const handle = (req, res) => {
    seen.push(req.headers.authorization);
    const hand_on = () => {
      const options = { host: '127.0.0.1', port: server.port, method: req.method, path: req.url, headers: req.headers };
      const onward = http.request(options, (answer) => { res.writeHead(answer.statusCode, answer.headers); answer.pipe(res); });
      onward.on('error', () => res.destroy());
      req.pipe(onward);
    };
    setTimeout(hand_on, delay);
  };
  const listening = tls ? https.createServer(tls, handle) : http.createServer(handle);
  await new Promise((resolve) => { listening.listen(0, '127.0.0.1', resolve); });
  t.after(() => { listening.close(); listening.closeAllConnections?.(); });
  return { port: listening.address().port, seen };
}

describe('https', () => {
  const pem = (name, what = 'pem') => path.join(dir, `${name}.${what}`);
  const openssl = (...args) => execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  // Key and certificate of a server, as https takes them.
  const of = (name) => ({ key: fs.readFileSync(pem(name, 'key')), cert: fs.readFileSync(pem(name)) });

  before(() => {
    const fresh = (name) => ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-keyout', pem(name, 'key'), '-out', pem(name)];
    for (const authority of ['ours', 'another']) openssl(...fresh(authority), '-subj', '/CN=A test authority');
    for (const host of ['localhost', 'elsewhere.example']) {
      openssl(...fresh(host), '-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host}`, '-addext', 'basicConstraints=critical,CA:FALSE',
        '-CA', pem('ours'), '-CAkey', pem('ours', 'key'));
    }
  });
  const send = (url, table, trusted, args = []) => runBinary(['insert', table, ndjson(1000), '--url', url, '--chunk-bytes', '8KiB', ...args],
    { env: { SCRATCHDATA_KEY: server.key, SSL_CERT_FILE: trusted } });

  it('goes through a TLS front to the server, over several connections', async (t) => {
    const { port, seen } = await front(t, { tls: of('localhost') });
    const done = await send(`https://localhost:${port}`, 'secure', pem('ours'), ['--wait']);
    assert.equal(done.code, 0, done.stderr);
    assert.match(done.stderr, /1,000 rows stored in secure/);
    assert.deepEqual((await server.rows('SELECT count(*) AS n, count(DISTINCT i) AS d FROM secure'))[0], { n: 1000, d: 1000 });
    assert.ok(seen.length > 5, 'in pieces');
    const again = await send(`https://localhost:${port}`, 'secure', pem('ours'));
    assert.match(again.stderr, /1,000 of them before/);
  });

  it('a certificate of an authority that is not trusted, or of another host, is refused and no key is sent', async (t) => {
    const { port, seen } = await front(t, { tls: of('localhost') });
    const { port: other, seen: by_other } = await front(t, { tls: of('elsewhere.example') });
    const cases = [
      [`localhost:${port}`, pem('another'), 'unable to get local issuer certificate'],
      [`localhost:${port}`, '/dev/null', 'unable to get local issuer certificate'],
      [`localhost:${other}`, pem('ours'), 'hostname mismatch'],
      [`127.0.0.1:${port}`, pem('ours'), 'IP address mismatch'],
    ];
    for (const [host, trusted, why] of cases) {
      const done = await send(`https://${host}`, 'insecure', trusted);
      assert.equal(done.code, 1, done.stderr);
      assert.ok(done.stderr.includes(`scratchdata: the certificate of ${host} is not to be trusted: ${why}\n`), done.stderr);
      assert.ok(!done.stderr.includes(server.key));
    }
    assert.deepEqual([seen, by_other], [[], []]);
  });

  it('a server that speaks no TLS is said to be none', async (t) => {
    const { port } = await front(t);
    const done = await send(`https://localhost:${port}`, 'insecure', pem('ours'), ['--retries', '0']);
    assert.equal(done.code, 1, done.stderr);
    assert.match(done.stderr, new RegExp(`TLS with localhost:${port}: `));
  });
});

describe('progress', () => {
  const kColumns = 120;
  const args = (port, table, more = []) => ['insert', table, ndjson(3000), '--url', `http://127.0.0.1:${port}`, '--chunk-bytes', '16KiB',
    '--concurrency', '1', ...more];
  const env = () => ({ ...process.env, SCRATCHDATA_KEY: server.key });

  // What the command writes to a terminal of kColumns columns, and its exit code.
  function on_terminal(command) {
    const quoted = command.map((each) => `'${each.replaceAll("'", "'\\''")}'`).join(' ');
    const child = spawn('script', ['-qec', `stty cols ${kColumns}; exec ${quoted}`, '/dev/null'], { env: env(), stdio: ['ignore', 'pipe', 'inherit'] });
    let shown = '';
    child.stdout.setEncoding('utf8').on('data', (text) => { shown += text; });
    return new Promise((resolve) => { child.once('close', (code) => resolve({ code, shown })); });
  }

  it('a terminal shows part, rate and time left in one line that is drawn again, and the summary in its place', async (t) => {
    const { port } = await front(t, { delay: 150 });
    const { code, shown } = await on_terminal([binary, ...args(port, 'shown')]);
    assert.equal(code, 0, shown);
    const drawn = shown.split('\r\x1b[K').slice(1);
    const last = drawn.pop();
    assert.match(last, /^scratchdata: 3,000 rows stored in shown, 0 refused, in \d+\.\d s \([\d,]+ rows\/s, [\d.]+ kB\/s\)\r?\n$/);
    assert.ok(drawn.length >= 10, `${drawn.length} lines in some 2 s`);
    for (const line of drawn) {
      assert.ok(line.length < kColumns, line);
      assert.doesNotMatch(line, /\n/);
    }
    const parsed = drawn.map((line) => /^ *(\d+) %  ([\d.]+) k?B of [\d.]+ kB  ([\d,]+) rows  (?:(\d+:\d\d) left  )?([\d,]+) rows\/s, [\d.]+ k?B\/s  \[=*>? *\]$/.exec(line));
    assert.ok(parsed.every(Boolean), drawn.find((_, i) => !parsed[i]));
    const percents = parsed.map((m) => Number(m[1]));
    assert.deepEqual(percents, [...percents].sort((a, b) => a - b), 'the part only grows');
    const middle = parsed.filter((m) => Number(m[1]) > 0 && Number(m[1]) < 100);
    assert.ok(new Set(middle.map((m) => m[1])).size >= 5, 'it is seen to grow');
    assert.ok(middle.every((m) => m[4] !== undefined && m[5] !== '0'), 'with time left and a rate');
  });

  it('what is no terminal gets the summary alone, and with --quiet a terminal gets nothing', async (t) => {
    const { port } = await front(t, { delay: 50 });
    const plain = await runBinary(args(port, 'plain'), { env: { SCRATCHDATA_KEY: server.key } });
    assert.equal(plain.code, 0, plain.stderr);
    assert.match(plain.stderr, /^scratchdata: 3,000 rows stored in plain, [^\r\n\x1b]*\n$/);
    assert.equal(plain.stdout, '');
    const quiet = await on_terminal([binary, ...args(port, 'quiet', ['--quiet'])]);
    assert.deepEqual([quiet.code, quiet.shown], [0, '']);
  });
});
