#!/usr/bin/env node
// ./dev bench query [--rounds 5] [--rows 1000000]
//
// What it costs to send a result. One table of events, made by inserting them; `SELECT * FROM events` over HTTP in each of our
// formats, beside what the same DuckDB library takes to write the same table with its own writers: `COPY … TO '/dev/null'`, in
// a process of its own, on a copy of the same file, with as many threads as our engine has.
//
// CPU is that of the server (front and engine; not of the client) and of the process with the library. Everything runs in the
// same rounds, one after the other; figures are medians. The last column of ratios says whether the target is met.
import { fork } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { localFile } from '../tests/e2e/duckdb.mjs';
import { Server, root } from '../tests/e2e/lib.mjs';
import { machine, median, number, option, print_table, processor_us, work_directory } from './lib.mjs';

const kThreads = 2;
const kMemory = '2GB';
const kSql = 'SELECT * FROM events';
// What is compared: our format, DuckDB's writer, which figure has a target, and the target as a share of DuckDB's.
const kComparisons = [
  { format: 'ndjson', copy: 'FORMAT JSON', of: 'cpu', target: 0.5 },
  { format: 'csv', copy: 'FORMAT CSV', of: 'cpu', target: 0.7 },
  { format: 'parquet', copy: 'FORMAT PARQUET', of: 'wall', target: 1.15 },
];
const kArrowRate = 2.5; // rows a second, of NDJSON's

// ---- the library by itself, in a process of its own --------------------------------------------------------------------

async function serve_library(file) {
  const { createRequire } = await import('node:module');
  const duckdb = createRequire(import.meta.url)(path.join(root, 'third_party/node_modules/@duckdb/node-bindings-linux-x64/duckdb.node'));
  const config = duckdb.create_config();
  duckdb.set_config(config, 'threads', String(kThreads));
  duckdb.set_config(config, 'memory_limit', kMemory);
  const database = await duckdb.open(file, config);
  const connection = await duckdb.connect(database);
  process.on('message', async (sql) => {
    const cpu = process.cpuUsage();
    const began = process.hrtime.bigint();
    await duckdb.query(connection, sql);
    const wall = Number(process.hrtime.bigint() - began) / 1e6;
    const used = process.cpuUsage(cpu);
    process.send({ wall, cpu: (used.user + used.system) / 1000 });
  });
  process.on('disconnect', () => process.exit(0));
  process.send('ready');
}

class Library {
  async start(file) {
    this.child = fork(fileURLToPath(import.meta.url), ['--library', file]);
    this.child.once('exit', (code) => { if (code !== 0) throw new Error(`the library's process ended: ${code}`); });
    await this.answer();
  }
  answer() { return new Promise((resolve) => { this.child.once('message', resolve); }); }
  run(sql) {
    this.child.send(sql);
    return this.answer();
  }
  stop() { this.child.disconnect(); }
}

// ---- the server ---------------------------------------------------------------------------------------------------------

// Page views as a product's analytics has them: 20 columns, the two of ours among them.
async function fill(server, rows) {
  const batch = 50_000;
  const of = (list, n) => list[n % list.length];
  const decimal = (n, most, places) => Number(((n % 1_000_003) / 1_000_003 * most).toFixed(places));
  for (let from = 0; from < rows; from += batch) {
    const lines = Array.from({ length: Math.min(batch, rows - from) }, (_, k) => {
      const i = from + k;
      const h = Math.imul(i ^ (i >>> 7), 2654435761) >>> 0;
      return JSON.stringify({
        event: of(['page_view', 'click', 'purchase', 'sign"up'], h >>> 3), user_id: `user_${h % 100_000}`, session_id: 1_000_000 + (i >> 3),
        path: `/products/${(h >>> 9).toString(36)}/reviews?page=${h % 17}`, referrer: h % 5 === 0 ? 'https://www.example.com/search' : null,
        device: { type: of(['phone', 'desktop', 'tablet'], h), os: of(['iOS 17.4', 'Android 14', 'Windows 11'], h >>> 5), width: 320 + (h % 1600), height: 480 + (h % 900) },
        geo: { country: of(['DE', 'US', 'PL', 'JP', 'BR'], h >>> 7), lat: decimal(h, 180, 4), lon: decimal(h >>> 4, 360, 4) },
        duration_ms: h % 60_000, scroll: h / 4294967296, price: decimal(h >>> 2, 500, 2), quantity: h % 7 === 3 ? null : h % 7, logged_in: h % 3 === 0, version: `2.${h % 40}.${h % 9}`,
      });
    });
    await server.insert('events', lines.join('\n'), { query: '?wait=true' });
  }
  const there = await server.value('SELECT count(*) AS n FROM events');
  if (there !== rows) throw new Error(`${rows} rows were sent, ${there} are there`);
}

// The bytes of an answer are counted and let go of, with a buffer that is used again: the client takes processor time from
// the server that is measured. Throws where the answer is not whole.
const kBuffer = Buffer.alloc(1 << 20);

function drain(server, target) {
  return new Promise((resolve, reject) => {
    let bytes = 0;
    let head = '';
    let tail = '';
    const take = (size) => {
      if (head.length < 600) head += kBuffer.toString('latin1', 0, Math.min(size, 600));
      tail = (tail + kBuffer.toString('latin1', Math.max(0, size - 5), size)).slice(-5);
      bytes += size;
      return true;
    };
    const socket = net.connect({ port: server.port, host: '127.0.0.1', onread: { buffer: kBuffer, callback: take } });
    socket.on('error', reject);
    socket.on('close', () => {
      if (head.startsWith('HTTP/1.1 200 ') && tail === '0\r\n\r\n') resolve(bytes);
      else reject(new Error(`no whole answer to ${target}: ${head}`));
    });
    socket.write(`GET ${target} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer local\r\nConnection: close\r\n\r\n`);
  });
}

async function ours(server, format) {
  const pids = [server.pid, ...server.enginePids()];
  const cpu = processor_us(pids);
  const began = process.hrtime.bigint();
  const bytes = await drain(server, `/api/data/query?format=${format}&query=${encodeURIComponent(kSql)}`);
  const wall = Number(process.hrtime.bigint() - began) / 1e6;
  return { wall, cpu: (processor_us(pids) - cpu) / 1000, bytes };
}

// ---- the report ---------------------------------------------------------------------------------------------------------

function report(rows, results) {
  const of = (side, figure) => median(results[side].map((each) => each[figure]));
  const ratio = (format, copy, figure) => of(format, figure) / of(copy, figure);
  const head = ['format', 'MB', 'CPU ms', 'COPY', 'CPU ratio', 'wall ms', 'COPY', 'wall ratio', 'rows/s', 'target'];
  const table = [head];
  for (const format of Object.keys(results).filter((side) => !side.startsWith('FORMAT'))) {
    const comparison = kComparisons.find((each) => each.format === format);
    const { copy, of: figure, target } = comparison ?? {};
    const beside = (which) => (copy ? [number(of(copy, which)), number(ratio(format, copy, which), 2)] : ['', '']);
    let judged = '';
    if (copy) judged = `${figure} ≤ ${target}: ${ratio(format, copy, figure) <= target ? 'met' : 'MISSED'}`;
    if (format === 'arrow') {
      const times = of('ndjson', 'wall') / of('arrow', 'wall');
      judged = `rows/s ≥ ${kArrowRate} × NDJSON's: ${number(times, 2)} ${times >= kArrowRate ? 'met' : 'MISSED'}`;
    }
    table.push([format, number(of(format, 'bytes') / 1e6), number(of(format, 'cpu')), ...beside('cpu'), number(of(format, 'wall')), ...beside('wall'),
      number(rows / (of(format, 'wall') / 1000)), judged]);
  }
  print_table(table, [0, 9]);
}

async function main() {
  const rounds = Number(option('rounds', 5));
  const rows = Number(option('rows', 1_000_000));
  const work = work_directory('query');
  const dir = path.join(work, 'data');
  const settings = { dir, flags: ['--engine-threads', String(kThreads), '--engine-memory-limit', kMemory] };
  const library = new Library();
  let server = new Server(settings);
  try {
    await server.start();
    await fill(server, rows);
    await server.stop();
    fs.copyFileSync(localFile(dir), path.join(work, 'copy.duckdb'));
    server = new Server(settings);
    await server.start();
    await library.start(path.join(work, 'copy.duckdb'));
    console.log(`${machine()}; ${number(rows)} rows, ${kThreads} threads on both sides, ${rounds} rounds.\n`);
    const has = async (format) => (await server.api(`/api/data/query?format=${format}`, { body: 'SELECT 1 AS a' })).status === 200;
    const sides = [];
    for (const { format, copy } of kComparisons) {
      if (!await has(format)) {
        console.log(`${format}: not in this version`);
        continue;
      }
      sides.push([format, () => ours(server, format)], [copy, () => library.run(`COPY (${kSql}) TO '/dev/null' (${copy})`)]);
    }
    for (const format of ['arrow', 'json', 'jsoncompact', 'tsv', 'html']) sides.push([format, () => ours(server, format)]);
    for (const [, run] of sides) await run(); // reads the file, warms both up
    const results = Object.fromEntries(sides.map(([side]) => [side, []]));
    for (let round = 0; round < rounds; round += 1) {
      for (const [side, run] of round % 2 ? [...sides].reverse() : sides) results[side].push(await run());
    }
    report(rows, results);
  } finally {
    if (library.child) library.stop();
    await server.destroy();
    fs.rmSync(work, { recursive: true, force: true });
  }
}

if (process.argv[2] === '--library') await serve_library(process.argv[3]);
else await main();
