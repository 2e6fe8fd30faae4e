#!/usr/bin/env node
// ./dev bench rows [--rounds 5] [--part webhooks|columns] [--assert]
//
// What it costs that tables and columns appear by themselves.
//
// webhooks  329 GitHub payloads of 58 event types, 3,058 flattened columns together: from the first byte sent until the
//           rows can be queried, into 58 tables and into one (max_columns 4,000). Beside it what one would write by hand
//           with the same DuckDB library: the payloads flattened beforehand (not counted), CREATE TABLE, one ALTER TABLE
//           for each column, and INSERT … SELECT from read_ndjson_auto. Ours goes over HTTP and through the journal.
// columns   40 batches of 20,000 rows, each loaded by itself (wait=true), with one new column in every batch. Beside it the
//           same rows where the table has had these columns from the start, and where it got each just before its batch: the
//           difference is what new columns cost. (There one row goes before each batch, with its new column or without, and its
//           time is not counted: nor is what the engine does between two batches.) And rows of one and the same eight columns:
//           what a table that is 40 columns wider costs, whoever made them.
//
// Both sides of a comparison run in the same rounds, one after the other, on new databases; figures are medians.
//
// With --assert it fails where webhooks take more than a third of the wall time of by hand, into 58 tables or into one, or
// where new columns cost more than 10 % of the throughput: by the median of the rounds' ratios, since what else happens on
// the machine meets both sides of a round.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Server, root } from '../tests/e2e/lib.mjs';
import { machine, median, number, option, print_table, processor_us, work_directory } from './lib.mjs';

const kMostOfByHand = 1 / 3;
const kLeastThroughput = 0.9;
const kBatches = 40;
const kBatchRows = 20_000;
const modules = path.join(root, 'third_party/node_modules');
const percent = (ratio) => `${number(ratio * 100, 1)} %`;
const quoted = (name) => `"${name.replaceAll('"', '""')}"`;

// Runs in a process of its own: statements on a new database file; prints what they took.
async function run_statements(file, list) {
  const { createRequire } = await import('node:module');
  const duckdb = createRequire(import.meta.url)(path.join(modules, '@duckdb/node-bindings-linux-x64/duckdb.node'));
  const statements = JSON.parse(fs.readFileSync(list, 'utf8'));
  const database = await duckdb.open(file, duckdb.create_config());
  const connection = await duckdb.connect(database);
  const cpu = process.cpuUsage();
  const began = process.hrtime.bigint();
  for (const sql of statements) await duckdb.query(connection, sql);
  const wall = Number(process.hrtime.bigint() - began) / 1e6;
  const used = process.cpuUsage(cpu);
  console.log(JSON.stringify({ wall, cpu: (used.user + used.system) / 1000 }));
  duckdb.disconnect_sync(connection);
  duckdb.close_sync(database);
}

function by_hand(work, statements) {
  const file = path.join(work, 'by_hand.duckdb');
  for (const old of [file, `${file}.wal`]) fs.rmSync(old, { force: true });
  const list = path.join(work, 'statements.json');
  fs.writeFileSync(list, JSON.stringify(statements));
  return JSON.parse(execFileSync(process.execPath, [fileURLToPath(import.meta.url), '--statements', file, list], { encoding: 'utf8' }));
}

function flatten(value, name, out) {
  if (value !== null && typeof value === 'object' && Object.keys(value).length > 0) {
    for (const [key, each] of Object.entries(value)) flatten(each, name === '' ? key : `${name}_${key}`, out);
  } else {
    out[name] = value;
  }
  return out;
}

// A statement for each column, as a program does that learns of columns one by one. Names that differ in case only are
// one column here, all values are taken as text: what is kindest to the time.
function statements_by_hand(work, files) {
  return files.flatMap(({ name, payloads }) => {
    const file = path.join(work, `${name}.ndjson`);
    const rows = payloads.map((payload) => Object.fromEntries(
      Object.entries(flatten(payload, '', {})).map(([column, value]) => [column.toLowerCase(), value])));
    fs.writeFileSync(file, rows.map((row) => JSON.stringify(row)).join('\n'));
    const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
    return [
      `CREATE TABLE ${quoted(name)}(__row_id BIGINT)`,
      ...columns.map((column) => `ALTER TABLE ${quoted(name)} ADD COLUMN ${quoted(column)} VARCHAR`),
      `INSERT INTO ${quoted(name)} BY NAME SELECT * FROM read_ndjson_auto('${file}', sample_size=-1, map_inference_threshold=-1, field_appearance_threshold=0)`,
    ];
  });
}

// A server on a new directory with its engine started; `work` gets it, and what it took comes back, or what `work` says of
// it in ms. `first`: rows that the table `events` has before.
async function ours(dir, work, first) {
  fs.rmSync(dir, { recursive: true, force: true });
  const server = new Server({ dir });
  await server.start();
  try {
    server.key = /key of destination \S+\s+(sd_\S+)/.exec(server.stdout)?.[1];
    await server.insert('warm', { a: 1 }, { query: '?wait=true' });
    if (first) await server.insert('events', first, { query: '?wait=true' });
    const processes = [server.pid, ...server.enginePids()];
    const before = processor_us(processes);
    const began = process.hrtime.bigint();
    const counted = await work(server);
    const wall = counted ?? Number(process.hrtime.bigint() - began) / 1e6;
    return { wall, cpu: (processor_us(processes) - before) / 1000, rows: await check(server) };
  } finally {
    await server.stop();
  }
}

async function check(server) {
  const tables = await server.rows('SHOW TABLES');
  const counts = await server.rows(tables.map(({ name }) => `SELECT count(*) AS n FROM ${quoted(name)}`).join(' UNION ALL '));
  return counts.reduce((sum, { n }) => sum + n, 0) - 1; // without the warm-up's
}

function expect_rows(result, rows) {
  if (result.rows !== rows) throw new Error(`${rows} rows were sent, ${result.rows} are there`);
  return result;
}

async function send(server, table, body) {
  const answer = await server.insert(table, body, { query: '?wait=true' });
  if (answer.failed !== 0 || answer.visible !== true) throw new Error(JSON.stringify(answer));
}

async function webhooks(work, rounds) {
  const events = JSON.parse(fs.readFileSync(path.join(modules, '@octokit/webhooks-examples/api.github.com/index.json'), 'utf8'))
    .map(({ name, examples }) => ({ name, payloads: examples }));
  const all = [{ name: 'everything', payloads: events.flatMap((e) => e.payloads) }];
  const ndjson = (payloads) => payloads.map((payload) => JSON.stringify(payload)).join('\n');
  const cases = [{ name: '58 tables', files: events }, { name: 'one table', files: all }];
  for (const each of cases) {
    each.statements = statements_by_hand(work, each.files);
    each.bodies = each.files.map(({ name, payloads }) => ({ name, body: ndjson(payloads) }));
    each.results = { ours: [], hand: [] };
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const { statements, bodies, results } of cases) {
      const sides = [
        async () => results.hand.push(by_hand(work, statements)),
        async () => results.ours.push(expect_rows(await ours(path.join(work, 'data'), async (server) => {
          await server.api('/api/tables/everything/contract', { method: 'PUT', body: '{"max_columns":4000}' });
          await Promise.all(bodies.map(({ name, body }) => send(server, name, body)));
        }), 329)),
      ];
      for (const side of round % 2 ? sides.reverse() : sides) await side();
    }
  }
  const table = [['329 webhooks into', 'side', 'wall ms', '(least – most)', 'CPU ms', 'wall, of by hand', 'CPU, of by hand']];
  for (const { name, statements, results } of cases) {
    const row = (side, label) => {
      const of = (field) => median(results[side].map((r) => r[field]));
      const ratio = (field) => `${number((of(field) / median(results.hand.map((r) => r[field]))) * 100)} %`;
      const walls = results[side].map((r) => r.wall);
      table.push([name, label, number(of('wall')), `(${number(Math.min(...walls))} – ${number(Math.max(...walls))})`, number(of('cpu')),
        side === 'hand' ? '100 %' : ratio('wall'), side === 'hand' ? '100 %' : ratio('cpu')]);
    };
    row('hand', `by hand, ${number(statements.length)} statements`);
    row('ours', 'scratchdata');
  }
  print_table(table, [0, 1]);
  return cases.map(({ name, results }) => {
    const ratio = median(results.ours.map((ours, round) => ours.wall / results.hand[round].wall));
    return { what: `329 webhooks into ${name}, wall time of that by hand`, ratio, is_met: ratio <= kMostOfByHand, bound: `at most ${percent(kMostOfByHand)}` };
  });
}

async function columns(work, rounds) {
  const body = (batch, fresh) => Array.from({ length: kBatchRows }, (_, i) => JSON.stringify({
    type: 'page_view', user: `u_${(i * 7919) % 10007}`, path: `/products/${i % 500}`, ms: (i * 31) % 1000, price: (i % 2000) / 100, ok: i % 3 === 0,
    ...(fresh ? { [`field_${batch}`]: i } : { field: i }),
  })).join('\n');
  const bodies = { fresh: [], same: [] };
  for (let batch = 0; batch < kBatches; batch += 1) {
    bodies.fresh.push(body(batch, true));
    bodies.same.push(body(batch, false));
  }
  const every = JSON.stringify(Object.fromEntries(Array.from({ length: kBatches }, (_, batch) => [`field_${batch}`, 0])));
  const sides = {
    wide: { label: 'into a table that has the columns', first: every, bodies: bodies.fresh },
    fresh: { label: 'a new column in every batch', bodies: bodies.fresh },
    ahead: { label: 'one row before each batch, with the new column', bodies: bodies.fresh, ahead: (batch) => JSON.stringify({ [`field_${batch}`]: 0 }) },
    apart: { label: 'one row before each batch, without it', bodies: bodies.fresh, ahead: () => '{"ms":0}' },
    same: { label: 'always the same eight columns', bodies: bodies.same },
  };
  for (const side of Object.values(sides)) side.results = [];
  for (let round = 0; round < rounds; round += 1) {
    const order = Object.values(sides);
    for (const side of round % 2 ? order.reverse() : order) {
      side.results.push(expect_rows(await ours(path.join(work, 'data'), async (server) => {
        let wall = 0;
        for (const [batch, each] of side.bodies.entries()) {
          if (side.ahead) await send(server, 'events', side.ahead(batch));
          const began = process.hrtime.bigint();
          await send(server, 'events', each);
          wall += Number(process.hrtime.bigint() - began) / 1e6;
        }
        return wall;
      }, side.first), kBatches * kBatchRows + (side.first ? 1 : 0) + (side.ahead ? kBatches : 0)));
    }
  }
  const table = [[`${kBatches} batches of ${number(kBatchRows)} rows`, 'rows/s', '(least – most)', 'CPU ms', 'throughput']];
  const rate = (r) => (kBatches * kBatchRows) / (r.wall / 1000);
  for (const { label, results } of Object.values(sides)) {
    const rates = results.map(rate);
    table.push([label, number(median(rates)), `(${number(Math.min(...rates))} – ${number(Math.max(...rates))})`, number(median(results.map((r) => r.cpu))),
      `${number((median(rates) / median(sides.wide.results.map(rate))) * 100, 1)} %`]);
  }
  print_table(table);
  return [['there from the start', sides.fresh, sides.wide], ['made just before its batch', sides.apart, sides.ahead]].map(([what, with_new, without]) => {
    const ratio = median(with_new.results.map((each, round) => rate(each) / rate(without.results[round])));
    return { what: `throughput with a new column in every batch, of that with the columns ${what}`, ratio, is_met: ratio >= kLeastThroughput, bound: `at least ${percent(kLeastThroughput)}` };
  });
}

if (process.argv[2] === '--statements') {
  await run_statements(process.argv[3], process.argv[4]);
} else {
  const rounds = Number(option('rounds', 5));
  const part = option('part', null);
  const work = work_directory('rows');
  console.log(`${machine()}; ${rounds} rounds, both sides in each.\n`);
  try {
    const claims = [];
    if (part !== 'columns') claims.push(...await webhooks(work, rounds));
    if (part === null) console.log();
    if (part !== 'webhooks') claims.push(...await columns(work, rounds));
    console.log();
    for (const { what, ratio, is_met, bound } of claims) {
      console.log(`${is_met ? 'met' : 'NOT MET'}: ${what}: ${percent(ratio)}, ${bound}`);
      if (!is_met && process.argv.includes('--assert')) process.exitCode = 1;
    }
  } finally {
    fs.rmSync(work, { recursive: true, force: true });
  }
}
