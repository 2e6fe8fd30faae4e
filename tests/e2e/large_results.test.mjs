// A result of five million rows: its first byte, the memory of front and engine, a client that reads slowly beside others.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import { before, describe, it } from 'node:test';
import { changeFile } from './change_file.mjs';
import { localFile } from './duckdb.mjs';
import { eventually, sleep, useServer } from './lib.mjs';

const kRows = 5_000_000;
const kMiB = 1 << 20;
const resident = (pid) => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024;

describe('five million rows', () => {
  const server = useServer({ flags: ['--engine-memory-limit', '1GiB'] });
  before(async () => {
    await server.insert('seed', { a: 1 }, { query: '?wait=true' });
    await server.stop();
    await changeFile(localFile(server.dir), `CREATE TABLE big AS SELECT i, 'name ' || i AS name, i * 0.5 AS x, i % 7 = 0 AS flag, TIMESTAMPTZ '2026-01-01 00:00:00Z' + to_seconds(i) AS t FROM range(${kRows}) r(i)`);
    await server.start();
    await server.value('SELECT max(i) FROM big');
  });
  const ask = (query, onHead) => new Promise((resolve, reject) => {
    const request = http.get(`${server.url}/api/data/query?${query}`, { headers: { Authorization: 'Bearer local' } });
    const began = process.hrtime.bigint();
    request.on('error', reject);
    request.on('response', (response) => {
      response.on('error', reject);
      response.once('readable', () => resolve({ request, response, ms: Number(process.hrtime.bigint() - began) / 1e6 }));
      onHead?.(response);
    });
  });
  const all = (format) => `format=${format}&query=${encodeURIComponent('FROM big')}`;

  for (const format of ['ndjson', 'csv', 'arrow', 'jsoncompact', 'parquet']) {
    it(`${format}: the first byte within 100 ms of the fastest of three, and memory that does not grow`, { timeout: 300_000 }, async (t) => {
      const [engine] = server.enginePids();
      const times = [];
      for (let round = 0; round < 3 && format !== 'parquet'; ++round) {
        const { request, ms } = await ask(all(format));
        times.push(ms);
        request.destroy();
        await eventually('its end', async () => (await server.metrics())('scratchdata_queries_running', { destination: 'local' }) === 0, 2000);
      }
      const base = [resident(server.pid), resident(engine)];
      const most = [...base];
      const { response } = await ask(all(format));
      let bytes = 0; let lines = 0;
      const watch = setInterval(() => [server.pid, engine].forEach((pid, i) => { most[i] = Math.max(most[i], resident(pid)); }), 20);
      for await (const piece of response) {
        bytes += piece.length;
        if (format === 'ndjson') for (let at = piece.indexOf(10); at >= 0; at = piece.indexOf(10, at + 1)) ++lines;
      }
      clearInterval(watch);
      assert.equal(response.complete, true);
      if (format === 'ndjson') assert.equal(lines, kRows);
      const grown = most.map((m, i) => (m - base[i]) / kMiB);
      t.diagnostic(`${(bytes / kMiB).toFixed(0)} MiB; first byte ${times.map((ms) => ms.toFixed(0))} ms; front +${grown[0].toFixed(0)} MiB, engine +${grown[1].toFixed(0)} MiB`);
      if (times.length) assert.ok(Math.min(...times) < 100, `first byte after ${times} ms`);
      assert.ok(grown[0] < 64, `the front grew by ${grown[0]} MiB`);
      // DuckDB's Parquet writer keeps a row group of each thread.
      assert.ok(grown[1] < (format === 'parquet' ? 256 : 64), `the engine grew by ${grown[1]} MiB`);
    });
  }

  for (const way of ['a live share', 'a frozen share', 'a saved endpoint']) {
    it(`${way} of them streams with memory that does not grow`, { timeout: 300_000 }, async (t) => {
      const [engine] = server.enginePids();
      const post = async (target, body) => {
        const answer = await server.api(target, { body: JSON.stringify(body), timeout: 200_000 });
        assert.equal(answer.status, 200, answer.text);
        return answer.json();
      };
      const frozen = way === 'a frozen share';
      const target = way === 'a saved endpoint'
        ? (await post('/api/endpoints', { name: 'big', query: 'FROM big', public: true }), '/api/endpoints/big.csv')
        : `/share/${(await post('/api/data/share', { query: 'FROM big', duration: 3600, formats: ['csv'], frozen })).id}/data.csv`;
      const base = [resident(server.pid), resident(engine)];
      const most = [...base];
      const response = await new Promise((resolve, reject) => http.get(`${server.url}${target}`, resolve).on('error', reject));
      const watch = setInterval(() => [server.pid, engine].forEach((pid, i) => { most[i] = Math.max(most[i], resident(pid)); }), 20);
      let lines = 0;
      for await (const piece of response) for (let at = piece.indexOf(10); at >= 0; at = piece.indexOf(10, at + 1)) ++lines;
      clearInterval(watch);
      assert.equal(response.complete, true);
      assert.equal(lines, kRows + 1);
      const grown = most.map((m, i) => (m - base[i]) / kMiB);
      t.diagnostic(`front +${grown[0].toFixed(0)} MiB, engine +${grown[1].toFixed(0)} MiB`);
      assert.ok(grown[0] < 64, `the front grew by ${grown[0]} MiB`);
      assert.ok(grown[1] < 64, `the engine grew by ${grown[1]} MiB`);
    });
  }

  it('a client that reads 10 kB/s stalls itself and nobody else, for longer than its time', { timeout: 120_000 }, async () => {
    const [engine] = server.enginePids();
    const base = resident(engine);
    const { request, response } = await ask(`${all('ndjson')}&timeout_ms=4000`);
    response.pause();
    const began = Date.now();
    let slow = 0;
    const trickle = setInterval(() => { slow += response.read(1000)?.length ?? 0; }, 100);
    const took = [];
    while (Date.now() - began < 8000) {
      const at = Date.now();
      assert.equal(await server.value('SELECT count(*) FROM big'), kRows);
      assert.equal((await server.insert('seed', { a: 2 }, { query: '?wait=true' })).visible, true);
      took.push(Date.now() - at);
      await sleep(200);
    }
    clearInterval(trickle);
    assert.ok(slow > 30_000, `${slow} bytes were read`);
    assert.equal((await server.metrics())('scratchdata_queries_running', { destination: 'local' }), 1, 'it is still there');
    assert.ok(took.sort((a, b) => a - b)[took.length >> 1] < 1000, `others took ${took} ms`);
    assert.ok(resident(engine) - base < 128 * kMiB);
    request.destroy();
    await eventually('its end', async () => (await server.metrics())('scratchdata_queries_running', { destination: 'local' }) === 0, 1000);
  });
});
