// Destinations and their keys over HTTP: made, shown, tested, changed, deleted; what belongs to others.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { eventually, problem, sleep, startServer, useServer } from './lib.mjs';

const kUuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

describe('destinations', () => {
  const server = useServer();
  let count = 0;
  const admin = (target, options = {}) => server.api(target, { key: server.adminKey, ...options });
  const send = (method, target, body) => admin(target, { method, body: body === undefined ? undefined : JSON.stringify(body) });
  async function make(settings, name = `d${(count += 1)}`) {
    const answer = await send('POST', '/api/destinations', { name, type: 'duckdb', settings });
    assert.equal(answer.status, 200, answer.text);
    return answer.json();
  }
  const at = (destination, rest = '') => `/api/destinations/${destination.id}${rest}`;
  const patch = (destination, body) => send('PATCH', at(destination), body);
  const rows = (destination, sql = 'SELECT a FROM t ORDER BY a') => server.rows(sql, { key: destination.api_key });
  const insert = (destination, row) => server.insert('t', row, { key: destination.api_key });
  // A destination whose file DuckDB cannot open: what is accepted cannot be loaded.
  async function broken() {
    const made = await make({});
    const file = path.join(server.dir, 'destinations', made.id, 'data.duckdb');
    fs.writeFileSync(file, 'this is no database, however long one looks at it'.repeat(1000));
    await insert(made, { a: 1 });
    return { ...made, file };
  }

  describe('making one', () => {
    test('answers the object with a first key that works at once', async () => {
      const made = await make({ file: 'my.duckdb' }, 'fresh');
      const { api_key: key, created_at, updated_at, id, health, ...rest } = made;
      assert.match(id, kUuid);
      assert.match(key, /^sd_[0-9A-Za-z]{43}$/);
      assert.match(created_at, /Z$/);
      assert.match(updated_at, /Z$/);
      assert.deepEqual(rest, { name: 'fresh', type: 'duckdb', settings: { file: 'my.duckdb' }, state: 'active', origin: 'api', read_only: false });
      await insert(made, { a: 1 });
      assert.deepEqual(await rows(made), [{ a: 1 }]);
      assert.ok(fs.existsSync(path.join(server.dir, 'destinations', id, 'my.duckdb')));
      // Nobody sees the key again.
      for (const target of ['/api/destinations', at(made), at(made, '/keys')]) assert.ok(!(await admin(target)).text.includes(key), target);
    });

    test('in memory, the journal brings the rows back', async () => {
      const made = await make({ in_memory: true });
      assert.equal(made.settings.in_memory, true);
      await insert(made, { a: 7 });
      assert.deepEqual(await rows(made), [{ a: 7 }]);
      await server.stop();
      await server.start();
      assert.deepEqual(await rows(made), [{ a: 7 }]);
    });

    test('in memory, an engine that died is followed by one that shows all that was accepted by then, or nothing', async () => {
      const made = await make({ in_memory: true });
      const own = { key: made.api_key };
      await server.insert('seen', { a: 0 }, { ...own, query: '?wait=true' });
      const before = server.enginePids();
      for (const pid of before) process.kill(pid, 'SIGSTOP'); // they load nothing more
      const rows = Array.from({ length: 20_000 }, (_, i) => ({ a: i, text: `${i}`.repeat(20) }));
      for (let i = 0; i < 40; ++i) await server.insert('seen', rows, own);
      for (const pid of before) process.kill(pid, 'SIGKILL');
      await eventually('an answer', async () => {
        const answer = await server.sql('SELECT count(*) AS n FROM seen', { ...own, query: '?fresh=false' });
        if (answer.status === 200) assert.deepEqual(answer.json(), [{ n: 800_001 }]);
        else assert.equal(answer.status, 503, answer.text);
        return answer.status === 200;
      }, 60_000);
    });

    test('":memory:" is the name of no file: refused over HTTP, in memory in the configuration', async (t) => {
      const isMade = (dir) => fs.existsSync(':memory:') ||
        fs.readdirSync(dir, { recursive: true }).some((name) => name.includes(':memory:'));
      assert.ok(!isMade(server.dir), 'a file called :memory:');
      t.after(() => fs.rmSync(':memory:', { force: true }));
      const settings = { file: ':memory:' };
      const made = await make({});
      for (const answer of [await send('POST', '/api/destinations', { name: 'mem', settings }), await patch(made, { settings })]) {
        assert.match(problem(answer, 400).detail, /file/);
      }
      assert.deepEqual((await admin(at(made))).json().settings, {});
      assert.ok(!isMade(server.dir), 'a file called :memory:');

      const key = 'a-key-of-the-configuration';
      const other = await startServer(t, { config: `destinations:\n  - {type: duckdb, name: mem, api_keys: [${key}], settings: {file: ":memory:"}}\n` });
      await other.insert('t', [{ a: 1 }, { a: 2 }], { key, query: '?wait=true' });
      assert.deepEqual(await other.rows('SELECT a FROM t ORDER BY a', { key }), [{ a: 1 }, { a: 2 }]);
      const files = fs.readdirSync(other.dir, { recursive: true });
      assert.deepEqual(files.filter((name) => /duckdb|memory/.test(name)), []);
      await other.stop();
      await other.start();
      assert.deepEqual(await other.rows('SELECT a FROM t ORDER BY a', { key }), [{ a: 1 }, { a: 2 }]);
      assert.ok(!isMade(other.dir), 'a file called :memory:');
    });

    test('secrets go in and never come out', async () => {
      const made = await make({ token: 'very-secret', database: 'md' });
      const shown = { database: 'md', token: { secret: true, set: true } };
      assert.deepEqual(made.settings, shown);
      const changed = await patch(made, { settings: { token: 'new-secret' } });
      assert.deepEqual(changed.json().settings, shown);
      const back = await patch(made, { settings: changed.json().settings });
      assert.equal(back.status, 200, back.text);
      for (const target of ['/api/destinations', at(made)]) assert.doesNotMatch((await admin(target)).text, /-secret/);
      assert.equal((await send('DELETE', at(made))).status, 204);
    });

    test('bad ones are refused in words that help', async () => {
      const refused = async (body, status, pattern, member) => {
        const answer = await admin('/api/destinations', { body: typeof body === 'string' ? body : JSON.stringify(body) });
        const { detail, ...members } = problem(answer, status);
        assert.match(detail, pattern);
        assert.equal(members.member, member, detail);
      };
      await refused('{', 400, /offset 1/);
      await refused('[]', 400, /object/);
      await refused({}, 400, /name/);
      await refused({ name: '' }, 400, /name/, 'name');
      await refused({ name: 'x', typ: 'duckdb' }, 400, /did you mean "type"/);
      await refused({ name: 'x', type: 'oracle' }, 400, /duckdb/);
      await refused({ name: 'x', settings: { fiel: 'a' } }, 400, /did you mean "file"/);
      await refused({ name: 'x', settings: { extension_repository: 'a' } }, 400, /configuration file/, 'settings.extension_repository');
      await refused({ name: 'x', settings: { in_memory: 'perhaps' } }, 400, /true or false/, 'settings.in_memory');
      await refused({ name: 'x', settings: { file: '' } }, 400, /must not be empty/, 'settings.file');
      await refused({ name: 'x', settings: { file: 5 } }, 400, /text/, 'settings.file');
      await refused({ name: 'x', settings: { database: 'a' } }, 400, /token/, 'settings.database');
      await refused({ name: 'x', settings: { file: 'a', in_memory: true } }, 400, /only one/);
      for (const file of ['/etc/passwd', '../other/data.duckdb', '..', '.hidden', ':memory:', 'a\u0000b']) {
        await refused({ name: 'x', settings: { file } }, 400, /file/, 'settings.file');
      }
      await refused({ name: 'local' }, 409, /name/, 'name');
      await refused({ name: '858e519b-295b-433c-a20a-4e89fe66f09a' }, 400, /id/, 'name');
    });

    test('the types tell what can be set', async () => {
      const { data } = (await admin('/api/destination-types')).json();
      assert.deepEqual(data.map((t) => t.type), ['duckdb']);
      const settings = Object.fromEntries(data[0].settings.map((s) => [s.name, s]));
      assert.deepEqual(Object.keys(settings), ['file', 'in_memory', 'token', 'database']);
      for (const setting of data[0].settings) assert.deepEqual(Object.keys(setting), ['name', 'kind', 'label', 'secret', 'required', 'default', 'placeholder', 'help', 'only_with', 'not_with', 'choice']);
      assert.equal(settings.token.secret, true);
      assert.equal(settings.database.default, 'my_db');
      assert.equal(settings.database.only_with, 'token');
      assert.deepEqual(settings.file.not_with, ['in_memory', 'token']);
      assert.deepEqual(data[0].settings.map((each) => each.choice), [...Array(3).fill('Where the rows are kept'), null]);
      // What they say is so.
      for (const { name, only_with, not_with } of data[0].settings) {
        const value = (of) => (settings[of].kind === 'boolean' ? true : 'x');
        const tried = (...names) => admin('/api/destinations/test', { body: JSON.stringify({ settings: Object.fromEntries(names.map((of) => [of, value(of)])) }) });
        if (only_with) problem(await tried(name), 400, 'invalid-parameter');
        for (const other of not_with) problem(await tried(name, other), 400, 'invalid-parameter');
      }
    });
  });

  describe('reading', () => {
    test('by id and by name, and all of them in pages', async () => {
      const made = await make({}, 'by name / with "signs"');
      const named = await admin(`/api/destinations/${encodeURIComponent(made.name)}`);
      const lasting = ({ health, ...rest }) => rest;
      assert.deepEqual(lasting(named.json()), lasting((await admin(at(made))).json()));
      const all = (await admin('/api/destinations?limit=1000')).json();
      assert.equal(all.next, null);
      const seen = [];
      let next = null;
      do {
        const page = (await admin(`/api/destinations?limit=1${next ? `&after=${next}` : ''}`)).json();
        seen.push(...page.data);
        ({ next } = page);
      } while (next);
      assert.deepEqual(seen.map(lasting), all.data.map(lasting));
      assert.ok(seen.some((d) => d.id === made.id) && seen[0].name === 'local');
      for (const bad of ['limit=0', 'after=x', 'after=0d9f5c3e-8a43-4c6e-9d11-3f6f0a4b2c1d']) {
        problem(await admin(`/api/destinations?${bad}`), 400, 'invalid-parameter');
      }
    });

    test('a destination key sees its own; every other is as one that does not exist', async () => {
      const mine = await make({});
      const theirs = await make({});
      const key = mine.api_key;
      const own = (await server.api(at(mine), { key })).json();
      assert.equal(own.id, mine.id);
      for (const [method, rest] of [['GET', ''], ['GET', '/keys'], ['POST', '/keys'], ['DELETE', '/keys/0d9f5c3e-8a43-4c6e-9d11-3f6f0a4b2c1d']]) {
        const answers = [];
        for (const name of [theirs.id, theirs.name, 'local', 'nowhere', '0d9f5c3e-8a43-4c6e-9d11-3f6f0a4b2c1d']) {
          const answer = await server.api(`/api/destinations/${name}${rest}`, { key, method });
          answers.push(`${answer.status} ${answer.text.replace(answer.headers['x-request-id'], '')}`);
        }
        assert.equal(new Set(answers).size, 1, `${method} ${rest}: ${answers.join('\n')}`);
        assert.match(answers[0], /^404 /);
      }
      assert.equal((await server.api('/api/destination-types', { key })).status, 200);
    });

    test('the rest is for admin keys', async () => {
      const made = await make({});
      for (const [method, target] of [['GET', '/api/destinations'], ['POST', '/api/destinations'], ['PATCH', at(made)], ['DELETE', at(made)], ['POST', at(made, '/test')]]) {
        problem(await server.api(target, { key: made.api_key, method }), 403);
        problem(await server.api(target, { key: null, method }), 401);
      }
      problem(await admin('/api/destinations/nowhere'), 404);
      problem(await send('PATCH', '/api/destinations/nowhere', { name: 'x' }), 404);
      problem(await send('DELETE', '/api/destinations/nowhere'), 404);
      problem(await send('POST', '/api/destinations/nowhere/test'), 404);
    });
  });

  describe('the test', () => {
    test('says ok, or why not', async () => {
      const made = await make({});
      const fine = (await send('POST', at(made, '/test'))).json();
      assert.deepEqual({ ...fine, ms: 0 }, { ok: true, ms: 0 });
      assert.ok(Number.isInteger(fine.ms) && fine.ms >= 0, fine.ms);
      const bad = await broken();
      const answer = await send('POST', at(bad, '/test'));
      assert.equal(answer.status, 200);
      assert.equal(answer.json().ok, false);
      assert.match(answer.json().error, /not a DuckDB database/);
      assert.ok(!answer.text.includes(server.dir), answer.text);
    });
  });

  describe('changing', () => {
    test('the name: keys, rows and id stay', async () => {
      const made = await make({});
      await insert(made, { a: 1 });
      const changed = await patch(made, { name: 'renamed' });
      assert.equal(changed.json().name, 'renamed');
      assert.equal(changed.json().id, made.id);
      await insert(made, { a: 2 });
      assert.deepEqual(await rows(made), [{ a: 1 }, { a: 2 }]);
      problem(await admin(`/api/destinations/${made.name}`), 404);
      problem(await patch(made, { name: 'local' }), 409);
      problem(await patch(made, { type: 'other' }), 400);
      problem(await patch(made, { nmae: 'x' }), 400, 'invalid-parameter');
      problem(await patch(made, { settings: { fiel: 'x' } }), 400, 'invalid-parameter');
      assert.deepEqual(await rows(made), [{ a: 1 }, { a: 2 }]);
    });

    test('the target: what was accepted is in the old one, what comes goes to the new one', async () => {
      const made = await make({ file: 'one.duckdb' });
      for (let a = 0; a < 50; a += 1) await insert(made, { a });
      const changed = await patch(made, { settings: { file: 'two.duckdb' } });
      assert.equal(changed.status, 200, changed.text);
      assert.deepEqual(changed.json().settings, { file: 'two.duckdb' });
      problem(await server.sql('FROM t', { key: made.api_key }), 400, 'sql-error');
      await insert(made, { a: 100 });
      assert.deepEqual(await rows(made), [{ a: 100 }]);
      assert.equal((await patch(made, { settings: { file: 'one.duckdb' } })).status, 200);
      await insert(made, { a: 50 });
      assert.equal((await rows(made)).length, 51);
      const ids = await rows(made, 'SELECT count(DISTINCT __row_id) AS n FROM t');
      assert.deepEqual(ids, [{ n: 51 }]);
      await server.stop();
      await server.start();
      assert.equal((await rows(made)).length, 51);
    });

    test('the target under fire: every row is in one of the two, once', async () => {
      const made = await make({ file: 'a.duckdb' });
      let going = true;
      const accepted = [];
      const writer = async (base) => {
        for (let i = 0; going; i += 1) {
          const a = base + i;
          const answer = await server.api('/api/data/insert/t', { key: made.api_key, body: JSON.stringify({ a }) });
          if (answer.status === 200) accepted.push(a);
          else assert.equal(answer.status, 503, answer.text);
        }
      };
      const writers = [0, 1e6, 2e6, 3e6].map(writer);
      await eventually('the first rows', () => accepted.length > 20);
      const changed = await patch(made, { settings: { file: 'b.duckdb' } });
      assert.equal(changed.status, 200, changed.text);
      const at_change = accepted.length;
      await eventually('rows in the new file', () => accepted.length > at_change + 20);
      going = false;
      await Promise.all(writers);
      const after = (await rows(made)).map((r) => r.a);
      assert.ok(after.length > 0);
      assert.equal((await patch(made, { settings: { file: 'a.duckdb' } })).status, 200);
      const before = (await rows(made)).map((r) => r.a);
      assert.deepEqual([...before, ...after].sort((x, y) => x - y), accepted.sort((x, y) => x - y));
    });

    test('what the configuration owns is left alone', async () => {
      problem(await send('PATCH', '/api/destinations/local', { name: 'mine' }), 403, 'read-only-destination');
      problem(await send('DELETE', '/api/destinations/local?pending=discard'), 403, 'read-only-destination');
      assert.equal((await admin('/api/destinations/local')).json().read_only, true);
    });
  });

  describe('deleting', () => {
    test('ends keys and shares; the name is free again', async () => {
      const made = await make({});
      await insert(made, { a: 1 });
      const share = (await server.api('/api/data/share', { key: made.api_key, body: '{"query":"SELECT a FROM t"}' })).json();
      const page = `/share/${share.id}/data.csv`;
      assert.equal((await server.request(page)).status, 200);
      assert.equal((await send('DELETE', at(made))).status, 204);
      problem(await server.api('/api/data/query', { key: made.api_key, body: 'SELECT 1' }), 401);
      problem(await admin(at(made)), 404);
      problem(await send('DELETE', at(made)), 404);
      assert.equal((await server.request(page)).status, 404);
      assert.ok(!fs.readdirSync(path.join(server.dir, 'journals')).some((name) => name.startsWith(made.id)));
      const again = await make({}, made.name);
      assert.notEqual(again.id, made.id);
      problem(await server.sql('FROM t', { key: again.api_key }), 400);
    });

    test('with rows not loaded needs a word on what becomes of them', async () => {
      const made = await broken();
      const refused = problem(await send('DELETE', at(made)), 409, 'rows-pending');
      assert.equal(refused.pending_rows, 1);
      problem(await send('DELETE', at(made, '?pending=maybe')), 400, 'invalid-parameter');
      // Nothing has happened: more rows are taken.
      await insert(made, { a: 2 });
      assert.equal((await send('DELETE', at(made, '?pending=discard'))).status, 204);
      problem(await server.api('/api/data/query', { key: made.api_key, body: 'SELECT 1' }), 401);
    });

    test('draining and moving wait for rows, and leave all as it was where that is in vain', { timeout: 120_000 }, async () => {
      const [draining, moving] = [await broken(), await broken()];
      const drain = send('DELETE', at(draining, '?pending=drain'));
      const move = patch(moving, { settings: { file: 'other.duckdb' } });
      await sleep(1000);
      const second = await patch(moving, { name: 'too early' });
      const [drained, moved] = await Promise.all([drain, move]);
      problem(second, 409, 'change-under-way');
      problem(drained, 409, 'rows-pending');
      problem(moved, 409, 'rows-pending');
      // Mended, both have every row.
      for (const each of [draining, moving]) {
        assert.equal((await admin(at(each))).status, 200);
        fs.rmSync(each.file);
        await insert(each, { a: 2 });
      }
      for (const each of [draining, moving]) {
        await eventually('the rows', async () => (await rows(each)).length === 2, 20_000, 200);
        assert.deepEqual(await rows(each), [{ a: 1 }, { a: 2 }]);
      }
      assert.equal((await send('DELETE', at(draining, '?pending=drain'))).status, 204);
    });
  });

  describe('keys', () => {
    test('are made with scopes and tables, listed without their secret, and die at once', async () => {
      const made = await make({});
      const answer = await send('POST', at(made, '/keys'), { name: 'reader', scopes: ['query', 'insert'], tables: ['t'] });
      assert.equal(answer.status, 200, answer.text);
      const { api_key: secret, ...key } = answer.json();
      assert.match(secret, /^sd_/);
      assert.equal(key.name, 'reader');
      assert.deepEqual(key.scopes, ['insert', 'query']);
      assert.deepEqual(key.tables, ['t']);
      assert.ok(secret.startsWith(key.prefix) && key.prefix.length < 10);
      await server.insert('t', { a: 1 }, { key: secret });
      problem(await server.api('/api/data/insert/u', { key: secret, body: '{"a":1}' }), 403);
      const listed = (await admin(at(made, '/keys'))).json().data;
      assert.deepEqual(listed.map((k) => k.name), ['first key', 'reader']);
      assert.deepEqual(listed[1], key);
      assert.equal((await send('DELETE', at(made, `/keys/${key.id}`))).status, 204);
      problem(await server.api('/api/data/insert/t', { key: secret, body: '{"a":1}' }), 401);
      assert.equal((await send('DELETE', at(made, `/keys/${key.id}`))).status, 204);
      assert.deepEqual((await admin(at(made, '/keys'))).json().data.map((k) => k.name), ['first key']);
      const all = (await admin(at(made, '/keys?all=true'))).json().data;
      assert.match(all[1].revoked_at, /Z$/);
    });

    test('of other destinations are not there', async () => {
      const [mine, theirs] = [await make({}), await make({})];
      const [key] = (await admin(at(theirs, '/keys'))).json().data;
      const options = { key: mine.api_key, method: 'DELETE' };
      const foreign = problem(await server.api(at(mine, `/keys/${key.id}`), options), 404);
      const unknown = problem(await server.api(at(mine, '/keys/0d9f5c3e-8a43-4c6e-9d11-3f6f0a4b2c1d'), options), 404);
      const malformed = problem(await server.api(at(mine, '/keys/x'), options), 404);
      assert.equal(foreign.detail, unknown.detail);
      assert.equal(malformed.detail, unknown.detail);
      await insert(theirs, { a: 1 });
    });

    test('give nobody more than they have', async () => {
      const made = await make({});
      const create = async (key, spec) => server.api(at(made, '/keys'), { key, body: JSON.stringify(spec) });
      const limited = (await create(made.api_key, { scopes: 'query, admin', tables: ['t'] })).json();
      assert.deepEqual(limited.scopes, ['query', 'admin']);
      problem(await create(limited.api_key, { scopes: ['insert'] }), 403);
      problem(await create(limited.api_key, { scopes: ['query'], tables: ['u'] }), 403);
      const child = (await create(limited.api_key, {})).json();
      assert.deepEqual([child.scopes, child.tables], [['query', 'admin'], ['t']]);
      problem(await create((await create(made.api_key, { scopes: ['query'] })).json().api_key, {}), 403);
      for (const bad of [{ scopes: ['fly'] }, { scopes: [] }, { scopes: 5 }, { tables: 'x' }, { tables: [5] }, { name: 5 }, { scope: ['query'] }, { endpoints: ['x'] }]) {
        problem(await create(made.api_key, bad), 400);
      }
    });

    test('of the configuration are ended there', async () => {
      const { data } = (await admin('/api/destinations/local/keys')).json();
      const builtin = data.find((k) => k.origin !== 'api');
      problem(await send('DELETE', `/api/destinations/local/keys/${builtin.id}`), 403);
    });
  });
});
