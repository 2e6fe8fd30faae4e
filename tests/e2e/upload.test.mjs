// One body of NDJSON that is larger than any memory that it may take: it streams through the front and the engine, all of it
// or nothing is stored, and it is not slower than the same rows in small bodies.
//
// SD_UPLOAD_BYTES: how long the body is (150 MB without it, 2 GB in `./dev test nightly`).
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Server, eventually, problem } from './lib.mjs';

const kBytes = Number(process.env.SD_UPLOAD_BYTES ?? 150e6);
const kBlockRows = 1000;
const kSmallBody = 8_000_000;
const kFirstId = 1_000_000_000; // every id has ten digits

// Blocks of rows from one template, where only the ids are written anew: making them takes next to no time.
const row = (id) => `{"id":${id},"user":"user ${id % 977}","price":${(id % 2000) / 100},"text":"${'lorem ipsum '.repeat(20)}"}\n`;
const template = Buffer.from(Array.from({ length: kBlockRows }, (_, i) => row(kFirstId + i)).join(''));
const at = Array.from(template.toString('latin1').matchAll(/"id":/g), (found) => found.index + 5);
const kBlocks = Math.ceil(kBytes / template.length);
const kRows = kBlocks * kBlockRows;
function block(number) {
  const out = Buffer.from(template);
  for (let i = 0; i < kBlockRows; i += 1) out.write(String(kFirstId + number * kBlockRows + i), at[i], 'latin1');
  return out;
}
function* blocks(from = 0, to = kBlocks) { for (let i = from; i < to; i += 1) yield block(i); }

const kMiB = 1 << 20;
// What each may grow by, however long the body is. The front has a window of it: it grew by 6 MiB for 150 MB, for 400 MB and
// for 2 GB. The engine has a batch of 48 MiB as cells and as DuckDB's vectors, and beside it what DuckDB was allowed to keep:
// it grew by 198 MiB for 150 MB, and by 275 to 372 MiB for 2 GB.
const kFrontMiB = 32;
const kDuckdbMiB = 512;
const kEngineMiB = kDuckdbMiB + 256;
const memory = (pid, what) => Number(new RegExp(`${what}:\\s+(\\d+)`).exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024;

describe(`one body of ${(kBytes / 1e6).toLocaleString('en-US')} MB`, { timeout: 1_700_000 }, () => {
  // What was loaded is let go of soon: the journal would be larger than its limit.
  const server = new Server({ flags: ['--journal-retention', '5', '--journal-max-bytes', '30GB', '--engine-memory-limit', `${kDuckdbMiB}MiB`] });
  before(() => server.start());
  after(() => server.destroy());
  const target = (table, query = '') => `/api/data/insert/${table}${query}`;
  const until_loaded = (table, rows) => eventually(`${rows} rows in ${table}`, async () => {
    const answer = await server.sql(`SELECT count(*) AS n FROM ${table}`);
    return answer.status === 200 && answer.json()[0].n === rows;
  }, 600_000, 100);
  async function send_one(table) {
    const answer = await server.api(target(table), { body: blocks(), timeout: 600_000 });
    assert.deepEqual([answer.status, answer.json().rows, answer.json().failed], [200, kRows, 0], answer.text);
  }
  async function send_small(table) {
    const each = Math.floor(kSmallBody / template.length);
    for (let i = 0; i < kBlocks; i += each) {
      const some = Buffer.concat([...blocks(i, Math.min(kBlocks, i + each))]);
      assert.equal((await server.insert(table, some)).failed, 0);
    }
  }
  const files = () => fs.readdirSync(path.join(server.dir, 'journals'), { recursive: true }).filter((name) => name.endsWith('.blob'));

  it('streams through the front and the engine in bounded memory, every row once', async (t) => {
    await server.insert('warm', block(0), { query: '?wait=true' });
    const [engine] = server.enginePids();
    const idle = [memory(server.pid, 'VmHWM'), memory(engine, 'VmHWM')];
    const began = Date.now();
    await send_one('big');
    const taken = Date.now() - began;
    await until_loaded('big', kRows);
    const loaded = Date.now() - began;
    assert.deepEqual(server.enginePids(), [engine], 'one and the same engine');
    const grown = [memory(server.pid, 'VmHWM') - idle[0], memory(engine, 'VmHWM') - idle[1]].map((bytes) => Math.round(bytes / kMiB));
    t.diagnostic(`${(kBlocks * template.length).toLocaleString('en-US')} bytes, ${kRows.toLocaleString('en-US')} rows; acknowledged after ${taken} ms, loaded after ${loaded} ms; the front grew by ${grown[0]} MiB, the engine by ${grown[1]} MiB`);
    // An address sanitizer keeps what was freed.
    if (!process.env.SD_SANITIZED) {
      assert.ok(grown[0] < kFrontMiB, `the front: ${grown[0]} MiB more, for ${kBytes} bytes`);
      assert.ok(grown[1] < kEngineMiB, `the engine: ${grown[1]} MiB more, for ${kBytes} bytes`);
    }
    const [found] = await server.rows('SELECT count(*) AS n, sum(id) AS s, count(DISTINCT id) AS ids, count(DISTINCT __row_id - id) AS orders, min(length(text)) AS shortest, max(length(text)) AS longest FROM big');
    const last = kFirstId + kRows - 1;
    assert.deepEqual(found, { n: kRows, s: ((kFirstId + last) * kRows) / 2, ids: kRows, orders: 1, shortest: 240, longest: 240 });
  });

  it('which the client does not finish stores nothing', async () => {
    function* cut() {
      yield* blocks();
      yield block(0).subarray(0, -100);
      throw new Error('the client is gone');
    }
    await assert.rejects(server.api(target('cut'), { body: cut(), timeout: 600_000 }), /the client is gone|ECONNRESET|EPIPE|socket hang up/);
  });

  it('with a bad line at its end and strict=true is refused, and stores nothing', async () => {
    function* bad() {
      yield* blocks();
      yield Buffer.from('{"id":\n');
    }
    const answer = await server.api(target('bad', '?strict=true'), { body: bad(), timeout: 600_000 });
    problem(answer, 400, 'invalid-json');
  });

  it('that is an array which does not end is refused with the offset, and stores nothing', async () => {
    function* open() {
      for (const [i, each] of [...blocks(0, 10)].entries()) yield Buffer.from(`${i ? ',' : '['}${each.toString('latin1').trimEnd().replaceAll('\n', ',')}`);
    }
    const said = problem(await server.api(target('open'), { body: open() }), 400, 'invalid-json');
    assert.equal(typeof said.offset, 'number');
  });

  it('leaves nothing of what was refused, after a restart neither', async () => {
    for (const restart of [false, true]) {
      if (restart) {
        await server.stop();
        await server.start();
      }
      for (const table of ['cut', 'bad', 'open']) problem(await server.api(`/api/tables/${table}`), 404);
      assert.equal((await server.api('/api/data/failed')).json().total, 0);
      assert.equal(await server.value('SELECT count(*) FROM big'), kRows);
      await eventually('the bodies are gone', () => files().length <= 1, 30_000);
    }
  });

  // On two processors one body was taken at 1.7 times (150 MB) and 2.4 times (2 GB) the rate of small ones, which are a sync
  // each, and could be queried at 1.17 and 0.86 times theirs; at 0.64 and 0.69 times where others had most of the machine. Its
  // rows appear together, so that loading begins when the last byte is there; that of small bodies goes on beside the upload.
  const kLeast = { taken: 1, loaded: 0.5 };
  it('is not slower than the same rows in bodies of 8 MB', async (t) => {
    const rates = { taken: { one: [], small: [] }, loaded: { one: [], small: [] } };
    for (let round = 0; round < 3; round += 1) {
      for (const [side, send] of round % 2 ? [['small', send_small], ['one', send_one]] : [['one', send_one], ['small', send_small]]) {
        const table = `${side}_${round}`;
        const began = Date.now();
        await send(table);
        rates.taken[side].push(kRows / ((Date.now() - began) / 1000));
        await until_loaded(table, kRows);
        rates.loaded[side].push(kRows / ((Date.now() - began) / 1000));
        assert.equal((await server.api(`/api/tables/${table}`, { method: 'DELETE' })).status, 204);
      }
    }
    const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
    const say = (list) => list.map((rate) => Math.round(rate).toLocaleString('en-US')).join(', ');
    for (const [until, { one, small }] of Object.entries(rates)) {
      const ratio = median(one) / median(small);
      t.diagnostic(`rows/s until ${until}: one body ${say(one)}; bodies of 8 MB ${say(small)}; ratio ${ratio.toFixed(2)}`);
      assert.ok(ratio >= kLeast[until], `rows/s until ${until}: ${ratio.toFixed(2)} of those in small bodies, ${kLeast[until]} is the least`);
    }
  });
});
