// How a destination is, and whether it could be reached: told without starting anything, tried before it is saved.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { describe, test } from 'node:test';
import { holdFile, localFile } from './duckdb.mjs';
import { eventually, problem, sleep, startServer, useServer } from './lib.mjs';

const admin = (server, target, options = {}) => server.api(target, { key: server.adminKey, ...options });
const send = (server, method, target, body) => admin(server, target, { method, body: body === undefined ? undefined : JSON.stringify(body) });
const get = async (server, name = 'local') => (await admin(server, `/api/destinations/${name}`)).json();
const becomes = (server, status, name) => eventually(`${name ?? 'local'} is ${status}`, async () => {
  const { health } = await get(server, name);
  return health.status === status ? health : null;
}, 20_000, 50);

describe('health', () => {
  test('is idle, ready, failing with its reason, and well again', { timeout: 60_000 }, async (t) => {
    const server = await startServer(t, { flags: ['--engine-idle-timeout', '1s'] });
    const began = Date.now() - 1000;
    const fresh = (await get(server)).health;
    assert.equal(fresh.status, 'idle');
    assert.ok(Date.parse(fresh.since) >= began && Date.parse(fresh.since) <= Date.now() + 1000, fresh.since);
    assert.deepEqual([fresh.detail, fresh.lag_rows, fresh.lag_seconds, fresh.rows, fresh.failed_rows], [null, 0, 0, 0, 0]);
    assert.deepEqual(server.enginePids(), [], 'an engine was started to ask');

    await server.insert('t', '{"a":1}\n{"a":2}\n7', { query: '?wait=true' });
    const ready = await becomes(server, 'ready');
    assert.deepEqual([ready.detail, ready.lag_rows, ready.rows, ready.failed_rows], [null, 0, 2, 1]);
    assert.ok(ready.journal_bytes > 0);
    await becomes(server, 'idle');

    const holder = await holdFile(t, localFile(server.dir));
    await server.insert('t', { a: 3 });
    const failing = await becomes(server, 'failing');
    assert.match(failing.detail, /held by another process/);
    assert.ok(!failing.detail.includes(server.dir), failing.detail);
    assert.equal(failing.lag_rows, 1);
    await sleep(300);
    assert.ok((await get(server)).health.lag_seconds > failing.lag_seconds);
    const listed = (await admin(server, '/api/destinations')).json().data[0].health;
    assert.deepEqual([listed.status, listed.since], ['failing', failing.since]);
    await holder.release();
    // Nothing has been asked for a second: it may be idle again already.
    const well = await eventually('it is well', async () => {
      const { health } = await get(server);
      return health.status !== 'failing' && health.rows === 3 ? health : null;
    }, 20_000, 50);
    assert.deepEqual([well.detail, well.lag_rows], [null, 0]);
  });

  test('after a restart nothing waits that does not, and the numbers are there, with no engine', async (t) => {
    const server = await startServer(t, {});
    await server.insert('t', '{"a":1}\n{"a":2}\n7', { query: '?wait=true' });
    await server.stop();
    await server.start();
    const { health } = await get(server);
    assert.deepEqual([health.status, health.lag_rows, health.rows, health.failed_rows], ['idle', 0, 2, 1]);
    assert.deepEqual(server.enginePids(), []);
  });

  test('an engine that was killed is said to be, until the next one is there', async (t) => {
    const server = await startServer(t, {});
    await server.insert('t', { a: 1 }, { query: '?wait=true' });
    await becomes(server, 'ready');
    // The first ones are followed at once by the next; those that die young are waited after, longer each time.
    const failing = await eventually('it is failing', async () => {
      for (const pid of server.enginePids()) {
        try { process.kill(pid, 'SIGKILL'); } catch { /* it has ended already */ }
      }
      const { health } = await get(server);
      return health.status === 'failing' ? health : null;
    }, 30_000, 50);
    assert.match(failing.detail, /ended unexpectedly/);
    await becomes(server, 'ready');
  });

  test('one that left the configuration is closed, and says why', async (t) => {
    const config = (names) => `destinations:\n${names.map((name) => `  - {type: duckdb, name: ${name}, api_keys: [key-of-${name}]}\n`).join('')}`;
    const server = await startServer(t, { config: config(['one', 'two']) });
    await server.stop();
    fs.writeFileSync(server.configFile, config(['one']));
    await server.start();
    const { health, state } = await get(server, 'two');
    assert.equal(state, 'detached');
    assert.equal(health.status, 'closed');
    assert.match(health.detail, /configuration/);
    assert.deepEqual([health.since, health.lag_rows, health.rows, health.journal_bytes], [null, null, null, null]);
  });

  test('what would end with one is counted', async (t) => {
    const server = await startServer(t, {});
    const made = (await send(server, 'POST', '/api/destinations', { name: 'd' })).json();
    const counts = async () => { const { keys, shares, endpoints } = await get(server, 'd'); return [keys, shares, endpoints]; };
    assert.deepEqual(await counts(), [1, 0, 0]);
    const own = (target, body) => server.api(target, { key: made.api_key, body: JSON.stringify(body) });
    const key = (await own(`/api/destinations/${made.id}/keys`, { name: 'k' })).json();
    const share = (await own('/api/data/share', { query: 'SELECT 1 AS a', duration: 600 })).json();
    assert.equal((await own('/api/endpoints', { name: 'e', query: 'SELECT 1 AS a' })).status, 200);
    assert.deepEqual(await counts(), [2, 1, 1]);
    for (const target of [`/api/destinations/${made.id}/keys/${key.id}`, `/api/shares/${share.id}`, '/api/endpoints/e']) {
      assert.equal((await server.api(target, { key: made.api_key, method: 'DELETE' })).status, 204);
    }
    assert.deepEqual(await counts(), [1, 0, 0]);
  });
});

describe('the test before saving', () => {
  const server = useServer();
  const folders = () => fs.readdirSync(path.join(server.dir, 'destinations')).sort();
  const tried = async (settings, target = '/api/destinations/test') => {
    const answer = await send(server, 'POST', target, { settings });
    assert.equal(answer.status, 200, answer.text);
    const { ok, error, ms, ...rest } = answer.json();
    assert.deepEqual(rest, {});
    assert.ok(Number.isInteger(ms) && ms >= 0 && ms <= 30_000, answer.text);
    assert.equal(error === undefined, ok, answer.text);
    assert.ok(!answer.text.includes(server.dir), answer.text);
    return { ok, error };
  };
  const make = async (settings, name) => (await send(server, 'POST', '/api/destinations', { name, settings })).json();

  test('of a file and of memory: it works, and leaves nothing', async () => {
    const [before, known] = [folders(), (await admin(server, '/api/destinations')).json().data.length];
    for (const settings of [{}, { file: 'mine.duckdb' }, { in_memory: true }]) assert.deepEqual(await tried(settings), { ok: true, error: undefined });
    assert.deepEqual(folders(), before);
    assert.equal((await admin(server, '/api/destinations')).json().data.length, known);
    await eventually('its engines end', () => server.enginePids().length === 0);
  });

  test('refuses what making one would refuse, in the same words', async () => {
    for (const [body, pattern] of [
      [{ settings: { fiel: 'a' } }, /unknown setting of a duckdb destination "fiel"; did you mean "file"\?/],
      [{ settings: { database: 'a' } }, /"token", which is missing/],
      [{ settings: { in_memory: 'perhaps' } }, /"in_memory" is true or false/],
      [{ settings: { file: '../x' } }, /plain file name/],
      [{ settings: { file: 'a', token: 'b' } }, /only one of file, in_memory and token/],
      [{ type: 'oracle' }, /duckdb/], [{ name: 'x' }, /"name"/]]) {
      const detail = problem(await send(server, 'POST', '/api/destinations/test', body), 400).detail;
      assert.match(detail, pattern);
      if (!('name' in body)) assert.equal(problem(await send(server, 'POST', '/api/destinations', { name: 'x', ...body }), 400).detail, detail);
    }
  });

  test('of MotherDuck without a network says so, in time, and not with the token', { timeout: 60_000 }, async () => {
    const { ok, error } = await tried({ token: 'very-secret-token', database: 'd' });
    assert.equal(ok, false);
    assert.match(error, /MotherDuck/);
    assert.ok(!error.includes('very-secret'), error);
  });

  test('of changes: to what is there, to another file, to one that is none', async () => {
    const made = await make({ file: 'one.duckdb' }, 'changing');
    const target = `/api/destinations/${made.id}/test`;
    await server.insert('t', { a: 1 }, { key: made.api_key, query: '?wait=true' });
    const folder = path.join(server.dir, 'destinations', made.id);
    const before = folders();
    for (const settings of [{}, { file: 'one.duckdb' }, { in_memory: false }, { file: 'two.duckdb' }, { file: null, in_memory: true }]) {
      assert.deepEqual(await tried(settings, target), { ok: true, error: undefined }, JSON.stringify(settings));
    }
    assert.ok(!fs.existsSync(path.join(folder, 'two.duckdb')), 'the test made a file');
    fs.writeFileSync(path.join(folder, 'text.duckdb'), 'this is no database, however long one looks at it'.repeat(1000));
    const text = await tried({ file: 'text.duckdb' }, target);
    assert.match(text.error, /not a DuckDB database/);
    assert.deepEqual(folders(), before);
    // Nothing has changed.
    assert.deepEqual((await get(server, made.id)).settings, { file: 'one.duckdb' });
    assert.deepEqual(await server.rows('SELECT a FROM t', { key: made.api_key }), [{ a: 1 }]);
    problem(await send(server, 'POST', target, { settings: { fiel: 'x' } }), 400);
    problem(await send(server, 'POST', target, { setting: {} }), 400);
    problem(await send(server, 'POST', '/api/destinations/local/test', { settings: { in_memory: true } }), 403, 'read-only-destination');
  });

  test('of a file that is there reads it only', async () => {
    const made = await make({ file: 'kept.duckdb' }, 'reading');
    await server.insert('t', { a: 1 }, { key: made.api_key, query: '?wait=true' });
    const moved = await send(server, 'PATCH', `/api/destinations/${made.id}`, { settings: { file: 'other.duckdb' } });
    assert.equal(moved.status, 200, moved.text);
    const file = path.join(server.dir, 'destinations', made.id, 'kept.duckdb');
    const bytes = fs.readFileSync(file);
    assert.deepEqual(await tried({ file: 'kept.duckdb' }, `/api/destinations/${made.id}/test`), { ok: true, error: undefined });
    assert.deepEqual(fs.readFileSync(file), bytes);
  });

  test('a destination called "test" is one like others', async () => {
    const made = await make({}, 'test');
    assert.equal((await get(server, 'test')).id, made.id);
    assert.equal((await send(server, 'PATCH', '/api/destinations/test', { name: 'renamed' })).json().id, made.id);
  });

  test('hanging up ends it; more than three at a time are too many', async (t) => {
    // An engine that a debugger holds, as it were: stopped as soon as it is there, it never answers.
    const before = new Set(server.enginePids());
    const body = JSON.stringify({ settings: {} });
    const open = () => {
      const request = http.request(`${server.url}/api/destinations/test`, { method: 'POST', headers: { Authorization: `Bearer ${server.adminKey}` } });
      request.on('error', () => {});
      request.end(body);
      return request;
    };
    const stopped = new Set();
    const stop = () => {
      for (const pid of server.enginePids()) {
        if (before.has(pid) || stopped.has(pid)) continue;
        process.kill(pid, 'SIGSTOP');
        stopped.add(pid);
      }
    };
    const requests = [];
    t.after(() => requests.forEach((each) => each.destroy()));
    // One may have answered before it was stopped.
    await eventually('three engines that do not answer', () => {
      stop();
      const held = [...stopped].filter((pid) => server.enginePids().includes(pid)).length;
      if (requests.length < 30 && held < 3) requests.push(open());
      return held === 3;
    }, 20_000, 5);
    problem(await send(server, 'POST', '/api/destinations/test', { settings: {} }), 503, 'too-many-tests');
    for (const each of requests) each.destroy();
    await eventually('their end', () => [...stopped].every((pid) => !server.enginePids().includes(pid)));
    await eventually('room for another', async () => (await send(server, 'POST', '/api/destinations/test', { settings: {} })).status === 200);
    await eventually('no folder', () => !folders().some((name) => name.startsWith('test-')));
  });
});
