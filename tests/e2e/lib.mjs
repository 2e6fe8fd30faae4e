// A real server for a test: the release binary on a data directory and a port of its own.
//
//   const server = useServer({ flags: ['--query-max-running', '1'] });   // in a describe() or a file
//   const server = await startServer(t, { config: 'api:\n  hosts: [x]\n' });  // in one test
//
// Whatever happens in the test, the processes end (each server and its engines are one process group) and
// the directories go. Requests go through node:http, which shows what fetch hides: a broken body, a header
// twice, the bytes. `await server.stop()` is SIGTERM and asserts exit code 0; `server.kill()` is SIGKILL;
// `server.start()` then goes on with the same directory.
import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
export const binary = process.env.SCRATCHDATA_BINARY ?? path.join(root, 'build/release/scratchdata');

const kStartMs = 20_000;
const kStopMs = 40_000;

// How soon an engine that was killed is back, and what else waits for processes to start, is claimed of a machine that does
// nothing else: `./dev test nightly` asks for it as it stands, any other run allows three times as much, which still finds
// what hangs. Not for anything that does not depend on neighbours, as processor time, and not where there is room anyway.
const kSlack = process.env.SD_STRICT_TIMES ? 1 : 3;
export const atMost = (ms) => kSlack * ms;

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Ends an eventually() at once.
export class Fatal extends Error {}

// Calls `probe` until it returns something true; fails after `ms` with the last error or `what`.
export async function eventually(what, probe, ms = 10_000, every = 25) {
  const end = Date.now() + ms;
  for (;;) {
    let failure = null;
    try {
      const value = await probe();
      if (value) return value;
    } catch (error) {
      if (error instanceof Fatal) throw error;
      failure = error;
    }
    if (Date.now() > end) throw failure ?? new Error(`not within ${ms} ms: ${what}`);
    await sleep(every);
  }
}

// ---- temporary directories and everything that must not outlive the test --------------------------------

const directories = new Set();
const groups = new Set(); // process groups, by the id of their leader

function end_everything() {
  for (const id of groups) {
    try { process.kill(-id, 'SIGKILL'); } catch { /* gone */ }
  }
  groups.clear();
  for (const dir of directories) {
    try { fs.rmSync(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 }); } catch { /* root's */ }
  }
  directories.clear();
}
process.on('exit', end_everything);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1));

// A directory that is removed at the end.
export function temporaryDirectory(prefix = 'scratchdata-e2e-') {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), prefix));
  directories.add(dir);
  return dir;
}

export function removeDirectory(dir) {
  fs.rmSync(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  directories.delete(dir);
}

// The environment of this process without what would configure a server.
function clean_environment(extra = {}) {
  const env = { ...process.env, ...extra };
  for (const name of Object.keys(env)) {
    const ours = name.startsWith('SCRATCH_') || name === 'motherduck_token';
    if ((ours && !(name in extra)) || env[name] === undefined) delete env[name];
  }
  return env;
}

// Runs the binary to its end: { code, signal, stdout, stderr }.
export function runBinary(args, { env, input, timeout = 30_000, cwd } = {}) {
  return new Promise((resolve) => {
    const child = execFile(binary, args, { env: clean_environment(env), timeout, cwd, maxBuffer: 64 << 20 },
      (error, stdout, stderr) => {
        resolve({ code: error ? error.code : 0, signal: error ? error.signal : null, stdout, stderr });
      });
    child.stdin.on('error', () => {});
    child.stdin.end(input ?? '');
  });
}

// ---- requests ---------------------------------------------------------------------------------------------

export class Answer {
  constructor(status, headers, body, complete) {
    this.status = status;
    this.headers = headers; // names in lower case
    this.body = body; // a Buffer
    this.complete = complete; // false: the connection broke off before the end of the body
  }
  get text() { return this.body.toString('utf8'); }
  json() {
    try {
      return JSON.parse(this.text);
    } catch (error) {
      throw new Error(`no JSON (${error.message}) in an answer ${this.status}: ${this.text.slice(0, 500)}`);
    }
  }
  rows() { return this.text.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line)); }
}

function drained(stream) {
  return new Promise((resolve) => {
    const go = () => {
      stream.off('drain', go).off('close', go);
      resolve();
    };
    stream.on('drain', go).on('close', go);
  });
}

// One request. Options: method, headers, body (string, Buffer, or an async iterable that is sent chunked),
// agent, signal, timeout (ms without any byte).
export function request(base, target, { method, headers = {}, body, agent, signal, timeout = 60_000 } = {}) {
  const { hostname, port } = new URL(base);
  const streamed = body != null && typeof body !== 'string' && !Buffer.isBuffer(body);
  const bytes = body == null || streamed ? null : Buffer.from(body);
  const all = { ...headers };
  if (bytes && !Object.keys(all).some((n) => n.toLowerCase() === 'content-length')) all['Content-Length'] = bytes.length;
  return new Promise((resolve, reject) => {
    const req = http.request({
      hostname: hostname.replace(/^\[|\]$/g, ''), port, path: target, method: method ?? (body == null ? 'GET' : 'POST'),
      headers: all, agent, signal, timeout,
    });
    let answered = false;
    req.on('timeout', () => req.destroy(new Error(`no byte for ${timeout} ms: ${req.method} ${target}`)));
    req.on('error', (error) => { if (!answered) reject(error); });
    req.on('response', (res) => {
      answered = true;
      const pieces = [];
      const done = () => resolve(new Answer(res.statusCode, res.headers, Buffer.concat(pieces), res.complete));
      res.on('data', (piece) => pieces.push(piece));
      res.on('error', () => {}); // 'close' follows, and `complete` tells
      res.on('close', done);
    });
    if (streamed) {
      (async () => {
        for await (const piece of body) {
          if (req.destroyed) return;
          if (!req.write(piece)) await drained(req);
        }
        req.end();
      })().catch((error) => req.destroy(error));
    } else {
      req.end(bytes ?? undefined);
    }
  });
}

// What comes first of a stream of server-sent events, up to what is awaited; the connection ends then.
export function firstEvent(server, target, key, awaited = /\n\n/) {
  return new Promise((resolve, reject) => {
    const req = http.get(`${server.url}${target}`, { headers: { Authorization: `Bearer ${key}` } }, (res) => {
      let text = '';
      res.setEncoding('utf8').on('data', (piece) => {
        text += piece;
        if (res.statusCode === 200 && !awaited.test(text)) return;
        req.destroy();
        resolve(text);
      });
    });
    req.on('error', reject);
  });
}

// A TCP connection to write bytes as they are. `send(text)`; `until(test, ms)` waits until test(everything
// received so far, as latin1) is true and returns it; `closed(ms)` waits for the other side to close.
export class RawSocket {
  static async open(port, host = '127.0.0.1') {
    const socket = net.connect({ port, host, noDelay: true });
    await new Promise((resolve, reject) => { socket.once('connect', resolve); socket.once('error', reject); });
    return new RawSocket(socket);
  }
  constructor(socket) {
    this.socket = socket;
    this.received = '';
    this.ended = false;
    socket.setEncoding('latin1');
    socket.on('data', (text) => { this.received += text; });
    socket.on('close', () => { this.ended = true; });
    socket.on('error', () => {});
  }
  send(text) { this.socket.write(text, 'latin1'); return this; }
  async until(test, ms = 10_000) {
    return eventually('the bytes awaited', () => {
      if (test(this.received)) return { text: this.received };
      if (this.ended) throw new Fatal(`closed after ${JSON.stringify(this.received.slice(-300))}`);
      return null;
    }, ms, 5).then((found) => found.text);
  }
  async closed(ms = 10_000) {
    await eventually('the end of the connection', () => this.ended, ms, 5);
    return this.received;
  }
  // From now on what comes is read and forgotten.
  discard() { this.socket.removeAllListeners('data').on('data', () => {}); }
  destroy() { this.socket.destroy(); }
}

// The server's own table of routes: [method, pattern]. A program beside the binary prints it.
export const serverRoutes = () => execFileSync(path.join(path.dirname(binary), 'routes'), { encoding: 'utf8' }).trim().split('\n').map((line) => line.split(' '));

// ---- the server -------------------------------------------------------------------------------------------

export class Server {
  // dir: a data directory to use (it is left there); flags, env: for `serve`; config: text of a YAML file; command: the
  // program, with what comes before `serve`.
  constructor({ dir, flags = [], env = {}, config, logLevel = 'warn', command = [binary] } = {}) {
    this.command = command;
    this.ownsDir = dir == null;
    this.dir = dir ?? path.join(temporaryDirectory(), 'data');
    this.flags = flags;
    this.env = env;
    this.logLevel = logLevel;
    this.stderr = '';
    this.stdout = '';
    this.adminKey = null; // of the first start
    this.key = null;
    if (config != null) {
      this.configFile = path.join(temporaryDirectory(), 'config.yaml');
      fs.writeFileSync(this.configFile, config);
    }
  }

  // Only starts the process: for those who want it dead before it is ready.
  spawn() {
    assert.equal(this.child ?? null, null, 'the server runs already');
    const [program, ...before] = this.command;
    const args = [...before, 'serve', '--data-dir', this.dir];
    if (this.configFile) args.push('--config', this.configFile);
    if (!this.flags.includes('--listen')) args.push('--listen', '127.0.0.1:0');
    args.push('--logging-level', this.logLevel, ...this.flags);
    const child = spawn(program, args, { env: clean_environment(this.env), detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    this.child = child;
    this.exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => resolve({ code, signal }));
      child.once('error', (error) => resolve({ error: error.message })); // there is no such binary
    });
    if (child.pid) groups.add(child.pid);
    child.stdout.setEncoding('utf8').on('data', (text) => { this.stdout += text; });
    child.stderr.setEncoding('utf8').on('data', (text) => { this.stderr = (this.stderr + text).slice(-1_000_000); });
    child.once('error', (error) => { this.stderr += `${error}\n`; });
  }

  async start() {
    const had = this.stdout.length;
    this.spawn();
    let ended = null;
    this.exited.then((how) => { ended = how; });
    let out = '';
    await eventually('the line that says where the server listens', () => {
      out = this.stdout.slice(had);
      if (ended) throw new Fatal(`the server ended at its start: ${JSON.stringify(ended)}\n${this.stderr}`);
      return /listens on .*\n/.test(out);
    }, kStartMs, 5).catch((error) => {
      this.kill();
      throw error;
    });
    this.urls = /listens on (.*)\n/.exec(out)[1].match(/http:\/\/[^\s]+/g);
    this.url = this.urls[0];
    this.port = Number(new URL(this.url).port);
    await eventually('readyz', async () => (await request(this.url, '/readyz')).status === 200, kStartMs);
    // The greeting with the keys comes once, at the first start, a moment after the address.
    if (!this.key && this.ownsDir && !this.startedBefore) {
      await eventually('the first keys', () => {
        out = this.stdout.slice(had);
        return /key of destination/.test(out) && out.endsWith('\n');
      }, 2000, 5).catch(() => {});
      this.adminKey = /admin key\s+(sd_\S+)/.exec(out)?.[1] ?? null;
      this.key = /key of destination \S+\s+(sd_\S+)/.exec(out)?.[1] ?? null;
    }
    this.startedBefore = true;
    this.newConnections();
    return this;
  }

  // Forgets the connections that are open: for a test that has computed for so long that the server has closed them.
  newConnections() {
    this.agent?.destroy();
    this.agent = new http.Agent({ keepAlive: true, maxSockets: 256 });
  }

  get pid() { return this.child.pid; }

  // Ids of the processes that the server started: its engines.
  enginePids() {
    const found = [];
    for (const entry of fs.readdirSync('/proc')) {
      if (!/^\d+$/.test(entry)) continue;
      try {
        const stat = fs.readFileSync(`/proc/${entry}/stat`, 'utf8');
        const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        if (Number(parent) === this.pid && state !== 'Z') found.push(Number(entry));
      } catch { /* gone meanwhile */ }
    }
    return found;
  }

  forget_child() {
    this.agent?.destroy();
    const pid = this.child?.pid;
    this.child = null;
    return pid;
  }

  // SIGTERM; asserts that the server ends by itself with exit code 0, and returns how long it took in ms.
  async stop() {
    const began = Date.now();
    const { child } = this;
    child.kill('SIGTERM');
    let timer;
    const how = await Promise.race([this.exited, new Promise((resolve) => { timer = setTimeout(resolve, kStopMs, null); })]);
    clearTimeout(timer);
    const pid = this.forget_child();
    if (how === null) {
      try { process.kill(-pid, 'SIGKILL'); } catch { /* gone */ }
      assert.fail(`the server did not end within ${kStopMs} ms of SIGTERM\n${this.stderr}`);
    }
    groups.delete(pid);
    assert.deepEqual(how, { code: 0, signal: null }, `the end after SIGTERM\n${this.stderr}`);
    return Date.now() - began;
  }

  // SIGKILL to the front alone; its engines see to their own end.
  async kill() {
    if (!this.child) return;
    const { exited } = this;
    try { this.child.kill('SIGKILL'); } catch { /* gone */ }
    this.agent?.destroy();
    this.child = null; // the group stays on the list: an engine may be in it yet
    await exited;
  }

  // Ends whatever is left and removes the directory.
  async destroy() {
    if (this.child) {
      const { exited } = this;
      const pid = this.forget_child();
      try { process.kill(-pid, 'SIGKILL'); } catch { /* gone */ }
      if (pid) await exited;
      groups.delete(pid);
    }
    if (this.ownsDir && fs.existsSync(path.dirname(this.dir))) removeDirectory(path.dirname(this.dir));
  }

  request(target, options = {}) { return request(this.url, target, { agent: this.agent, ...options }); }

  // With the key `local`. Paths may have a query string already.
  api(target, options = {}) {
    const { key = 'local', headers = {}, ...rest } = options;
    return this.request(target, { ...rest, headers: { ...(key == null ? {} : { Authorization: `Bearer ${key}` }), ...headers } });
  }

  // Posts rows (an object, an array, or text as it is) and asserts 200.
  async insert(table, body, { query = '', ...options } = {}) {
    const text = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
    const answer = await this.api(`/api/data/insert/${encodeURIComponent(table)}${query}`, { body: text, ...options });
    assert.equal(answer.status, 200, answer.text);
    return answer.json();
  }

  // Posts SQL and returns the answer, whatever it is.
  sql(sql, { query = '', ...options } = {}) { return this.api(`/api/data/query${query}`, { body: sql, ...options }); }

  // The rows of a query, asserted to be there.
  async rows(sql, options = {}) {
    let answer = await this.sql(sql, options);
    // A machine that is too busy to load within five seconds says so; the rows are then asked for again.
    const is_late = () => answer.headers['x-fresh'] === 'false' || (answer.status === 503 && answer.text.includes('/problems/not-fresh'));
    for (let tries = 0; is_late() && options.fresh === undefined && tries < 20; ++tries) {
      answer = await this.sql(sql, options);
    }
    assert.equal(answer.status, 200, `${sql}: ${answer.text}`);
    assert.equal(answer.complete, true, `${sql}: the answer broke off`);
    return answer.json();
  }

  // The one value of a query with one row and one column.
  async value(sql, options = {}) {
    const rows = await this.rows(sql, options);
    assert.equal(rows.length, 1, `${sql}: ${JSON.stringify(rows).slice(0, 500)}`);
    return Object.values(rows[0])[0];
  }

  async metrics() {
    const answer = await this.request('/metrics');
    assert.equal(answer.status, 200);
    return parseMetrics(answer.text);
  }
}

// The server of one test.
export async function startServer(t, options = {}) {
  const server = new Server(options);
  t.after(() => server.destroy());
  return server.start();
}

// The server of a describe() block, or of a whole file: started before its tests, gone after them.
export function useServer(options = {}) {
  const server = new Server(options);
  before(() => server.start());
  after(() => server.destroy());
  return server;
}

// ---- reading what comes back ------------------------------------------------------------------------------

// Prometheus' text: a function from a name, and labels that must be there, to the sum of what matches.
export function parseMetrics(text) {
  const samples = [];
  for (const line of text.split('\n')) {
    const found = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (!found) continue;
    const labels = {};
    for (const [, name, value] of (found[2] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) labels[name] = value;
    samples.push({ name: found[1], labels, value: Number(found[3]) });
  }
  const sum = (name, wanted = {}) => {
    const matching = samples.filter((s) => s.name === name && Object.entries(wanted).every(([k, v]) => s.labels[k] === v));
    return matching.length === 0 ? undefined : matching.reduce((total, s) => total + s.value, 0);
  };
  sum.names = new Set(samples.map((s) => s.name));
  sum.text = text;
  return sum;
}

// A number of JSON with every digit: its token.
export class Exact {
  constructor(token) { this.token = token; }
  toString() { return this.token; }
}

// JSON.parse, but numbers are Exact.
export function parseExact(text) {
  let at = 0;
  const fail = () => { throw new Error(`no JSON at ${at}: ${text.slice(at, at + 40)}`); };
  const blank = () => { for (let c = text.charCodeAt(at); c === 32 || c === 9 || c === 10 || c === 13; c = text.charCodeAt(at)) at += 1; };
  const string = () => {
    const begin = at;
    for (at += 1; text[at] !== '"'; at += text[at] === '\\' ? 2 : 1) if (at >= text.length) fail();
    at += 1;
    return JSON.parse(text.slice(begin, at));
  };
  const value = () => {
    blank();
    let out;
    if (text[at] === '{') {
      out = {};
      at += 1;
      blank();
      if (text[at] === '}') { at += 1; return out; }
      for (;;) {
        blank();
        if (text[at] !== '"') fail();
        const key = string();
        blank();
        if (text[at] !== ':') fail();
        at += 1;
        Object.defineProperty(out, key, { value: value(), enumerable: true, configurable: true, writable: true });
        blank();
        if (text[at] === '}') { at += 1; return out; }
        if (text[at] !== ',') fail();
        at += 1;
      }
    }
    if (text[at] === '[') {
      out = [];
      at += 1;
      blank();
      if (text[at] === ']') { at += 1; return out; }
      for (;;) {
        out.push(value());
        blank();
        if (text[at] === ']') { at += 1; return out; }
        if (text[at] !== ',') fail();
        at += 1;
      }
    }
    if (text[at] === '"') return string();
    if (text.startsWith('null', at)) { at += 4; return null; }
    const token = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)/y;
    token.lastIndex = at;
    const found = token.exec(text);
    if (!found) fail();
    at = token.lastIndex;
    if (found[0] === 'true') return true;
    if (found[0] === 'false') return false;
    return found[0] === 'null' ? null : new Exact(found[0]);
  };
  const out = value();
  blank();
  if (at !== text.length) fail();
  return out;
}

// RFC 4180: rows of fields; null where a field is empty without quotes.
export function parseCsv(text, separator = ',') {
  const rows = [];
  let row = [];
  let at = 0;
  while (at < text.length) {
    if (text[at] === '"') {
      let field = '';
      for (at += 1; ; at += 1) {
        const quote = text.indexOf('"', at);
        assert.notEqual(quote, -1, 'an open quote at the end of the CSV');
        field += text.slice(at, quote);
        at = quote;
        if (text[at + 1] !== '"') break;
        field += '"';
        at += 1;
      }
      at += 1;
      row.push(field);
    } else {
      let end = at;
      while (end < text.length && text[end] !== separator && text[end] !== '\n' && text[end] !== '\r') end += 1;
      row.push(end === at ? null : text.slice(at, end));
      at = end;
    }
    if (text[at] === separator) {
      at += 1;
      if (at >= text.length || text[at] === '\n' || text[at] === '\r') row.push(null);
      if (at < text.length && text[at] !== '\n' && text[at] !== '\r') continue;
    }
    if (text[at] === '\r') at += 1;
    if (text[at] === '\n') at += 1;
    rows.push(row);
    row = [];
  }
  return rows;
}

// Asserts an RFC 9457 problem and returns it.
export function problem(answer, status, slug) {
  // No more of it than that: of a message of many megabytes the test runner ends without a word.
  assert.equal(answer.status, status, answer.text.slice(0, 2000));
  assert.match(answer.headers['content-type'] ?? '', /^application\/problem\+json/);
  const body = answer.json();
  assert.equal(body.status, status);
  for (const member of ['type', 'title', 'detail', 'request_id']) assert.equal(typeof body[member], 'string', `${member} in ${answer.text}`);
  assert.equal(body.request_id, answer.headers['x-request-id']);
  if (slug) assert.equal(body.type, `/problems/${slug}`, answer.text);
  return body;
}
