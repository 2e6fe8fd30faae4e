// kill -9 of the front, of the engine, of both, at random moments under concurrent inserts; then every
// acknowledged row is there exactly once, nothing is there twice, no request is there in part, and no row that a
// query or wait=true has shown is ever invisible again.
//
//   SD_CRASH_CYCLES=50   kills
//   SD_CRASH_SEED=…      of the choices (timing has its own); printed
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { checkDuckdbFile } from '../e2e/duckdb.mjs';
import { Fatal, Server, eventually, parseCsv, sleep } from '../e2e/lib.mjs';
import { random } from '../e2e/random.mjs';
import { Oracle, assert_clean, tables } from './oracle.mjs';

const cycles = Number(process.env.SD_CRASH_CYCLES ?? 50);
const seed = Number(process.env.SD_CRASH_SEED ?? (Date.now() % 1_000_000) + 1);
const kWriters = 10;
const kCheckEvery = 5;
const kNewColumns = 25; // of a row in `wide`
const kMostWide = 35; // such rows: then the table is full

class Run {
  constructor() {
    this.random = random(seed);
    this.oracle = new Oracle();
    // A short retention makes segments come and go.
    this.server = new Server({ logLevel: 'error', flags: ['--journal-retention', '1'] });
    this.up = false;
    this.writing = false;
    this.ending = false;
    this.busy = 0; // requests in flight
    this.failure = null;
    this.widened = { sent: 0, acknowledged: [] };
    this.kills = { front: 0, engine: 0, both: 0, start: 0 };
    this.reads = 0;
  }

  fail(error) {
    this.failure ??= error;
    this.ending = true;
  }

  row(id, size, more = {}) {
    return JSON.stringify({ ...more, id, s: `row-${id}`, half: id / 2, nested: { odd: id % 2 === 1, list: [id, `${id}`] }, padding: 'x'.repeat(size) });
  }

  body(asked, size) {
    const rows = Array.from({ length: asked.count }, (_, i) => this.row(asked.first + i, size));
    const form = this.random.between(0, 2);
    if (form === 0) return `[${rows.join(',')}]`;
    return rows.join(form === 1 ? '\n' : '');
  }

  // A row with columns that nobody has seen before: the table is made anew.
  async widen() {
    const n = this.widened.sent += 1;
    const asked = this.oracle.begin('wide', 1);
    const more = Object.fromEntries(Array.from({ length: kNewColumns }, (_, i) => [`k${n}_${i}`, asked.first]));
    const answer = await this.server.api('/api/data/insert/wide', { body: this.row(asked.first, 40, more), timeout: 60_000 });
    if (answer.status === 200 && !answer.complete) return;
    this.oracle.answered(asked, answer.status);
    if (answer.status === 200) this.widened.acknowledged.push(n);
  }

  // One insert: mostly one event; batches; sometimes a body that goes through a blob.
  async insert() {
    if (this.random() < 0.01 && this.widened.sent < kMostWide) {
      await this.widen();
      return;
    }
    const dice = this.random();
    const table = this.random.pick(tables.slice(0, 3));
    const large = dice < 0.02;
    const count = large ? this.random.between(100, 300) : dice < 0.25 ? this.random.between(2, 60) : 1;
    const wait = this.random() < 0.15;
    const asked = this.oracle.begin(table, count);
    const body = this.body(asked, large ? 12_000 : 40);
    const answer = await this.server.api(`/api/data/insert/${table}${wait ? '?wait=true' : ''}`, { body, timeout: 60_000 });
    if (answer.status === 200 && !answer.complete) return; // the front died between head and body: in doubt
    this.oracle.answered(asked, answer.status);
    if (answer.status !== 200) return;
    const said = answer.json();
    assert.deepEqual([said.rows, said.failed], [count, 0]);
    if (wait && said.visible !== false) this.oracle.was_shown(asked);
  }

  async writer() {
    while (!this.ending) {
      if (!this.up || !this.writing) {
        await sleep(2);
        continue;
      }
      this.busy += 1;
      try {
        await this.insert();
      } catch (error) {
        if (error.code === 'ERR_ASSERTION') this.fail(error);
        else await sleep(5); // the connection went with its server
      } finally {
        this.busy -= 1;
      }
    }
  }

  // Counts what can be seen, over and over: it never becomes less.
  async reader() {
    const all = `SELECT ${tables.map((t) => `(SELECT count(*) FROM ${t})`).join(' + ')} AS n`;
    while (!this.ending) {
      if (!this.up) {
        await sleep(2);
        continue;
      }
      this.busy += 1;
      try {
        const floor = this.oracle.seen;
        const fresh = this.random() < 0.3;
        const answer = await this.server.sql(all, { query: fresh ? '' : '?fresh=false', timeout: 60_000 });
        if (answer.status === 200 && answer.complete) {
          const { n } = answer.json()[0];
          assert.ok(n >= floor, `${floor} rows had been seen, now there are ${n} (fresh=${fresh})`);
          this.oracle.seen = Math.max(this.oracle.seen, n);
          this.reads += 1;
        } else if (answer.status < 500) {
          assert.equal(answer.status, 200, answer.text);
        }
        await this.read_shown();
        await sleep(10);
      } catch (error) {
        if (error.code === 'ERR_ASSERTION') this.fail(error);
        else await sleep(5);
      } finally {
        this.busy -= 1;
      }
    }
  }

  async read_shown() {
    const table = this.random.pick(tables);
    const ids = [...new Set(this.oracle.shown.filter((s) => s.table === table).map((s) => s.id))];
    if (ids.length === 0) return;
    const answer = await this.server.sql(`SELECT count(*) AS n FROM ${table} WHERE id IN (${ids.join(',')})`, { query: '?fresh=false', timeout: 60_000 });
    if (answer.status !== 200 || !answer.complete) return;
    assert.equal(answer.json()[0].n, ids.length, 'rows that wait=true had shown');
  }

  async start_server() {
    await this.server.start();
    this.up = true;
  }

  async quiet() {
    this.writing = false;
    await eventually('requests in flight end', () => this.failure || this.busy <= 1, 90_000);
    if (this.failure) throw this.failure;
  }

  kill_engines() {
    for (const pid of this.server.enginePids()) {
      try { process.kill(pid, 'SIGKILL'); } catch { /* it was faster */ }
    }
  }

  async crash() {
    const what = this.random.pick(['front', 'front', 'engine', 'both']);
    this.kills[what] += 1;
    if (what === 'engine') {
      this.kill_engines();
      return;
    }
    const engine_first = this.random() < 0.5;
    if (what === 'both' && engine_first) this.kill_engines();
    const engines = this.server.enginePids();
    this.up = false;
    await this.server.kill();
    if (what === 'both' && !engine_first) {
      // An engine whose front is gone ends by itself: it may be gone, and a child of nobody is not ours to find.
      for (const pid of engines) {
        try { process.kill(pid, 'SIGKILL'); } catch { /* gone */ }
      }
    }
    if (this.random() < 0.3) await sleep(this.random.between(1, 200));
    // Sometimes the next one dies too, while it recovers.
    while (this.random() < 0.25) {
      this.server.spawn();
      await sleep(this.random.between(0, 120));
      await this.server.kill();
      this.kills.start += 1;
    }
    await this.start_server();
  }

  // Everything that the destination holds, against what the oracle knows.
  async check(context) {
    const found = {};
    for (const table of tables) {
      const answer = await eventually('a query after a crash', async () => {
        const got = await this.server.sql(`SELECT id FROM ${table}`, { query: '?format=csv&fresh=true', timeout: 60_000 });
        if (got.status !== 503 && got.status !== 200) throw new Fatal(`${got.status} ${got.text}`);
        if (got.status === 503) throw new Error(`${context}: ${got.text}${this.server.stderr.slice(-2000)}`);
        return got.complete ? got : null;
      }, 60_000, 100);
      found[table] = parseCsv(answer.text).slice(1).map(([id]) => Number(id));
    }
    const report = this.oracle.compare(found);
    assert_clean(report, context);
    assert.ok(report.rows >= this.oracle.seen, `${context}: ${this.oracle.seen} rows had been seen, now ${report.rows}`);
    this.oracle.seen = Math.max(this.oracle.seen, report.rows);
    const union = tables.map((t) => `SELECT __row_id, id, s, half, nested_odd, nested_list_0, nested_list_1 FROM ${t}`).join(' UNION ALL ');
    const [sums] = await this.server.rows(`SELECT count(*) - count(DISTINCT __row_id) AS doubled_row_ids,
      count(*) FILTER (s IS DISTINCT FROM 'row-' || id OR half IS DISTINCT FROM id / 2.0 OR nested_odd IS DISTINCT FROM (id % 2 = 1)
        OR nested_list_0 IS DISTINCT FROM id OR nested_list_1 IS DISTINCT FROM id::VARCHAR) AS altered FROM (${union})`);
    assert.deepEqual(sums, { doubled_row_ids: 0, altered: 0 }, context);
    const { acknowledged } = this.widened;
    if (acknowledged.length > 0) {
      const whole = acknowledged.map((n) => `SELECT count(*) AS n FROM wide WHERE k${n}_0 = id AND k${n}_${kNewColumns - 1} = id`);
      for (const { n } of await this.server.rows(whole.join(' UNION ALL '))) assert.equal(n, 1, `${context}: a row with new columns`);
    }
    return report;
  }
}

describe(`${cycles} cycles of kill -9 (SD_CRASH_SEED=${seed})`, () => {
  const run = new Run();
  after(() => run.server.destroy());

  it('lose nothing that was acknowledged and double nothing', { timeout: 60_000 + cycles * 20_000 }, async () => {
    const began = Date.now();
    await run.start_server();
    for (const table of tables) {
      const asked = run.oracle.begin(table, 1);
      const answer = await run.server.insert(table, run.row(asked.first, 40), { query: '?wait=true' });
      assert.equal(answer.visible, true);
      run.oracle.answered(asked, 200);
      run.oracle.was_shown(asked);
    }
    const workers = [...Array.from({ length: kWriters }, () => run.writer()), run.reader()];
    try {
      for (let cycle = 1; cycle <= cycles; cycle += 1) {
        run.writing = true;
        await sleep(run.random.between(20, 700));
        if (run.failure) throw run.failure;
        await run.crash();
        if (cycle % kCheckEvery === 0 || cycle === cycles) {
          await sleep(run.random.between(0, 300));
          await run.quiet();
          await run.check(`after cycle ${cycle}`);
        }
      }
      await run.quiet();
      run.ending = true;
      await Promise.all(workers);
      if (run.failure) throw run.failure;
      const report = await run.check('at the end');
      const stopped = await run.server.stop();
      // What SIGTERM leaves: one file, nothing beside it, every row in it, without our server.
      for (const table of tables) {
        const there = checkDuckdbFile(run.server.dir, `SELECT count(*) FROM ${table}`);
        assert.equal(there, BigInt(report.by_table[table]), `${table} in the file that SIGTERM leaves`);
      }
      const { acknowledged, refused, in_doubt } = run.oracle;
      console.log(`crash test: ${cycles} cycles in ${((Date.now() - began) / 1000).toFixed(0)} s `
        + `(killed: front ${run.kills.front}, engine ${run.kills.engine}, both ${run.kills.both}, while starting ${run.kills.start}), `
        + `${acknowledged} rows acknowledged, ${report.lost.length} lost, ${report.doubled.length} doubled; ${in_doubt} rows in doubt, `
        + `${report.rows - acknowledged} of them there; ${refused} refused; ${run.widened.sent} rows with ${kNewColumns} new columns each; ${run.reads} reads; SIGTERM took ${stopped} ms`);
    } finally {
      run.ending = true;
    }
  });
});
