#!/usr/bin/env node
// ./dev bench insert [--rounds 5] [--seconds 3] [--connections 1,64,256]
//
// Durable single-event inserts per second, beside what nginx does with the same requests when it stores nothing
// (`return 200` with an answer of the same length). Both run in the same rounds, one after the other, so that what
// else happens on the machine meets both; each figure is the median of the rounds. wrk shares the processors with
// the server under test.
//
// It is checked that every answer was 200 and that every row of it is in the table at the end.
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { Server, eventually, request } from '../tests/e2e/lib.mjs';
import { machine, median, number, option, print_table, processor_us, work_directory } from './lib.mjs';

const rounds = Number(option('rounds', 5));
const seconds = Number(option('seconds', 3));
const connections = option('connections', '1,64,256').split(',').map(Number);

const event = '{"type":"page_view","user":"u_8f3a2c71","session":"5b1e9d40","path":"/products/blue-shirt","referrer":"https://example.com/","ms":183,"price":19.99}';

const work = work_directory('insert');

function children(pid) {
  return fs.readdirSync('/proc').filter((entry) => /^\d+$/.test(entry)).map(Number).filter((candidate) => {
    try {
      const stat = fs.readFileSync(`/proc/${candidate}/stat`, 'utf8');
      return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === pid;
    } catch {
      return false;
    }
  });
}

// What one write of 4 KiB and its fdatasync take on this disk: what no durable insert at 1 connection can beat by much.
function sync_us() {
  const file = path.join(work, 'probe');
  const fd = fs.openSync(file, 'w');
  const block = Buffer.alloc(4096, 1);
  for (let i = 0; i < 200; i += 1) fs.writeSync(fd, block);
  fs.fsyncSync(fd);
  const times = [];
  for (let i = 0; i < 200; i += 1) {
    const began = process.hrtime.bigint();
    fs.writeSync(fd, block, 0, block.length, i * 4096);
    fs.fdatasyncSync(fd);
    times.push(Number(process.hrtime.bigint() - began) / 1000);
  }
  fs.closeSync(fd);
  return median(times);
}

// Answers as long as ours, from memory, nothing stored.
async function start_nginx(answer) {
  const probe = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => { probe.once('listening', resolve); });
  const { port } = probe.address();
  await new Promise((resolve) => { probe.close(resolve); });
  const config = path.join(work, 'nginx.conf');
  fs.writeFileSync(config, `
daemon off;
worker_processes auto;
pid ${work}/nginx.pid;
error_log ${work}/nginx.log;
events { worker_connections 1024; }
http {
  access_log off;
  keepalive_requests 1000000000;
  default_type application/json;
  client_body_temp_path ${work}/body;
  proxy_temp_path ${work}/proxy;
  fastcgi_temp_path ${work}/fastcgi;
  uwsgi_temp_path ${work}/uwsgi;
  scgi_temp_path ${work}/scgi;
  server {
    listen 127.0.0.1:${port};
    location / { return 200 '${answer}'; }
  }
}
`);
  const child = spawn('nginx', ['-c', config, '-p', work], { stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (text) => { stderr += text; });
  const stop = () => { try { child.kill('SIGTERM'); } catch { /* gone */ } };
  process.on('exit', stop);
  const url = `http://127.0.0.1:${port}`;
  await eventually('nginx', async () => {
    if (child.exitCode !== null) throw new Error(`nginx: ${stderr}`);
    return (await request(url, '/')).status === 200;
  }, 5000);
  return {
    name: 'nginx', url: `${url}/api/data/insert/events`,
    processes: () => ({ front: [child.pid, ...children(child.pid)], engine: [] }),
    stop: () => new Promise((resolve) => { child.once('exit', resolve); stop(); }),
  };
}

const script = path.join(work, 'insert.lua');

// One round: { rps, requests, p50, p99 (µs), cpu (µs of the answering processes per request), engine (of the loading one) }
async function round(target, count) {
  const before = target.processes();
  const begun = { front: processor_us(before.front), engine: processor_us(before.engine) };
  const text = await new Promise((resolve, reject) => {
    const wrk = spawn('wrk', ['-t', String(Math.min(2, count)), '-c', String(count), '-d', `${seconds}s`, '--timeout', '10s', '-s', script, target.url],
      { stdio: ['ignore', 'pipe', 'inherit'] });
    let out = '';
    wrk.stdout.on('data', (piece) => { out += piece; });
    wrk.once('error', reject);
    wrk.once('exit', (code) => (code === 0 ? resolve(out) : reject(new Error(`wrk ended with ${code}\n${out}`))));
  });
  const result = JSON.parse(/^result (.*)$/m.exec(text)[1]);
  if (result.errors !== 0) throw new Error(`${target.name}: ${result.errors} requests failed at ${count} connections\n${text}`);
  return {
    rps: result.requests / (result.duration_us / 1e6), requests: result.requests, p50: result.p50, p99: result.p99,
    cpu: (processor_us(before.front) - begun.front) / result.requests,
    engine: (processor_us(before.engine) - begun.engine) / result.requests,
  };
}

fs.writeFileSync(script, `
wrk.method = "POST"
wrk.body = [[${event}]]
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer " .. (os.getenv("BENCH_KEY") or "")
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format('result {"requests":%d,"duration_us":%d,"p50":%d,"p99":%d,"errors":%d}\\n', summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), e.connect + e.read + e.write + e.status + e.timeout))
end
`);

const server = new Server({ dir: path.join(work, 'data') });
await server.start();
const key = /key of destination \S+\s+(sd_\S+)/.exec(server.stdout)?.[1] ?? 'local';
process.env.BENCH_KEY = key;
const first = await server.insert('events', event, { key, query: '?wait=true' });
delete first.visible;
const nginx = await start_nginx(JSON.stringify(first));
const scratch = {
  name: 'scratchdata', url: `${server.url}/api/data/insert/events`,
  processes: () => ({ front: [server.pid], engine: server.enginePids() }),
};

const filesystem = execFileSync('stat', ['-f', '-c', '%T', work], { encoding: 'utf8' }).trim();
const disk = sync_us();
console.log(`Durable single-event inserts of ${event.length} bytes, ${rounds} rounds of ${seconds} s each, interleaved with nginx \`return 200\`.`);
console.log(`${machine()}, ${filesystem}, one 4 KiB write with fdatasync: ${disk.toFixed(0)} µs (median of 200).\n`);

const results = new Map();
let inserted = 1;
let unfinished = 0; // requests that wrk sent and did not wait for, at most
try {
  for (const target of [scratch, nginx]) { // warm-up: caches, the first segments
    const warm = await round(target, 64);
    if (target === scratch) { inserted += warm.requests; unfinished += 64; }
  }
  for (let r = 1; r <= rounds; r += 1) {
    for (const count of connections) {
      for (const target of r % 2 ? [scratch, nginx] : [nginx, scratch]) {
        const id = `${target.name} ${count}`;
        const result = await round(target, count);
        results.set(id, [...(results.get(id) ?? []), result]);
        if (target === scratch) { inserted += result.requests; unfinished += count; }
      }
    }
    if (process.stderr.isTTY) process.stderr.write(`round ${r} of ${rounds}\r`);
  }
  const rows = await eventually('the rows', async () => {
    const answer = await server.sql('SELECT count(*) AS n FROM events', { key, query: '?fresh=true', timeout: 120_000 });
    return answer.status === 200 ? answer.json()[0].n : null;
  }, 120_000, 200);
  if (rows < inserted || rows > inserted + unfinished) throw new Error(`${inserted} inserts were answered 200, ${rows} rows are there`);

  const table = [['connections', 'server', 'requests/s', '(least – most)', 'of nginx', 'p50 ms', 'p99 ms', 'CPU µs/request', 'engine µs/row']];
  for (const count of connections) {
    const rates = {};
    for (const target of [scratch, nginx]) {
      const all = results.get(`${target.name} ${count}`);
      const of = (name) => median(all.map((r) => r[name]));
      rates[target.name] = of('rps');
      const speeds = all.map((r) => r.rps);
      table.push([String(count), target.name, number(of('rps')), `(${number(Math.min(...speeds))} – ${number(Math.max(...speeds))})`, '',
        number(of('p50') / 1000, 2), number(of('p99') / 1000, 2), number(of('cpu'), 1), target === scratch ? number(of('engine'), 1) : '']);
    }
    table[table.length - 2][4] = `${number((rates.scratchdata / rates.nginx) * 100, 1)} %`;
    table[table.length - 1][4] = '100 %';
  }
  print_table(table, [1]);
  console.log(`\n${number(rows)} rows in the table, ${number(inserted)} answered with 200, the rest were under way when wrk stopped.`);
  console.log('CPU is of the processes that answer (user and system); the engine loads beside them at low priority.');
} finally {
  await nginx.stop();
  await server.stop().catch((error) => { console.error(String(error.message)); process.exitCode = 1; });
  await server.destroy();
  fs.rmSync(work, { recursive: true, force: true });
}
