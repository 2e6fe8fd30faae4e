// Tables: listed with every acknowledged row, deleted and renamed in the order of the journal.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { problem, useServer } from './lib.mjs';

describe('tables', () => {
  const server = useServer();
  const at = (name, rest = '') => `/api/tables/${encodeURIComponent(name)}${rest}`;
  const table = async (name) => {
    const answer = await server.api(at(name));
    assert.equal(answer.status, 200, answer.text);
    return answer.json();
  };
  const drop = (name, options = {}) => server.api(at(name), { method: 'DELETE', ...options });
  const rename = (name, to, options = {}) => server.api(at(name), { method: 'PATCH', body: JSON.stringify({ name: to }), ...options });
  async function keyOf(spec, destination = 'local') {
    const made = await server.api(`/api/destinations/${destination}/keys`, { key: server.adminKey, body: JSON.stringify(spec) });
    assert.equal(made.status, 200, made.text);
    return made.json().api_key;
  }

  describe('reading', () => {
    test('a table tells name, rows, columns with types, first and last row', async () => {
      await server.insert('events', [{ user: 'a', n: 1 }, { user: 'b', n: 2, extra: { x: true } }]);
      const events = await table('events');
      assert.equal(events.name, 'events');
      assert.equal(events.rows, 2);
      assert.deepEqual(events.columns.slice(0, 2), [{ name: '__row_id', type: 'BIGINT' }, { name: '__received_at', type: 'TIMESTAMP WITH TIME ZONE' }]);
      assert.deepEqual(events.columns.slice(2), [{ name: 'user', type: 'VARCHAR' }, { name: 'n', type: 'BIGINT' }, { name: 'extra_x', type: 'BOOLEAN' }]);
      assert.ok(Math.abs(Date.parse(events.first_row_at) - Date.now()) < 60e3, events.first_row_at);
      assert.match(events.last_row_at, /Z$/);
      const columns = await server.api(at('events', '/columns'));
      assert.deepEqual(columns.json(), { data: events.columns, next: null });
    });

    test('a table that is asked for alone tells its bytes on disk', async () => {
      const name = "it's on. disk; --";
      await server.insert(name, Array.from({ length: 5000 }, (_, n) => ({ n, text: randomBytes(750).toString('base64') })), { query: '?wait=true' });
      // A snapshot begins with a checkpoint: until then rows may be in the write-ahead log only.
      assert.equal((await server.request('/api/data/snapshot', { headers: { Authorization: `Bearer ${server.adminKey}` } })).status, 200);
      const { bytes } = await table(name);
      assert.ok(bytes > 2.5e6 && bytes < 12e6, `${bytes}`); // 5 MB of text, which DuckDB compresses by a quarter at best
      assert.equal(bytes % 262_144, 0);
      // One value all over takes no block.
      await server.insert('tiny', { n: 1 }, { query: '?wait=true' });
      assert.equal((await server.request('/api/data/snapshot', { headers: { Authorization: `Bearer ${server.adminKey}` } })).status, 200);
      assert.equal((await table('tiny')).bytes, 0);
      const listed = (await server.api('/api/tables')).json().data.find((each) => each.name === name);
      assert.equal(listed.bytes, undefined);
    });

    test('every acknowledged row is counted, and names fold as in SQL', async () => {
      for (let i = 1; i <= 20; i += 1) {
        await server.insert('counted', { i });
        assert.equal((await table(i % 2 ? 'counted' : 'COUNTED')).rows, i);
      }
    });

    test('lists come in pages, in the order of their names', async () => {
      const { api_key: key } = (await server.api('/api/destinations', { key: server.adminKey, body: '{"name":"many"}' })).json();
      assert.deepEqual((await server.api('/api/tables', { key })).json(), { data: [], next: null });
      const names = ['b', 'a', 'Ω', '../x', 'c"; DROP TABLE a; --', 'd'];
      for (const name of names) await server.insert(name, { a: 1 }, { key });
      const seen = [];
      let next = null;
      do {
        const page = (await server.api(`/api/tables?limit=2${next ? `&after=${encodeURIComponent(next)}` : ''}`, { key })).json();
        seen.push(...page.data.map((t) => t.name));
        ({ next } = page);
      } while (next);
      assert.deepEqual(seen, [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
      for (const name of names) assert.equal((await server.api(at(name), { key })).status, 200, name);
      problem(await server.api('/api/tables?limit=1001', { key }), 400, 'invalid-parameter');
    });

    test('what is not there is 404, and needs a key with the scope query', async () => {
      for (const name of ['nothing', '_scratch.positions', 'positions', 'x'.repeat(300)]) problem(await server.api(at(name)), 404);
      problem(await server.api(at('nothing', '/columns')), 404);
      problem(await server.api('/api/tables', { key: null }), 401);
      assert.match(problem(await server.api('/api/tables', { key: await keyOf({ scopes: ['insert'] }) }), 403).detail, /'query'/);
    });

    test('a key limited to tables sees those only', async () => {
      await server.insert('mine', { a: 1 });
      await server.insert('theirs', { a: 1 });
      const key = await keyOf({ scopes: ['query', 'admin'], tables: ['mine'] });
      assert.deepEqual((await server.api('/api/tables', { key })).json().data.map((t) => t.name), ['mine']);
      assert.equal((await server.api(at('mine'), { key })).status, 200);
      const foreign = problem(await server.api(at('theirs'), { key }), 404);
      const unknown = problem(await server.api(at('nothing'), { key }), 404);
      assert.equal(foreign.detail, unknown.detail);
      problem(await drop('theirs', { key }), 404);
      problem(await rename('mine', 'theirs', { key }), 403);
      assert.equal((await table('theirs')).rows, 1);
    });
  });

  describe('deleting', () => {
    test('takes the rows before it and leaves those behind it', async () => {
      await server.insert('doomed', [{ old: 1 }, { old: 2 }]);
      assert.equal((await drop('doomed')).status, 204);
      problem(await server.api(at('doomed')), 404);
      problem(await server.sql('FROM doomed'), 400);
      problem(await drop('doomed'), 404);
      await server.insert('doomed', { fresh: 3 });
      assert.deepEqual(await server.rows('SELECT * EXCLUDE (__row_id, __received_at) FROM doomed'), [{ fresh: 3 }]);
    });

    test('acts in order with inserts that nobody waited for', async () => {
      for (let i = 0; i < 5; i += 1) {
        await server.insert('turns', { before: i });
        assert.equal((await drop('turns')).status, 204);
        await server.insert('turns', { after: i });
        assert.deepEqual(await server.rows('SELECT * EXCLUDE (__row_id, __received_at) FROM turns'), [{ after: i }]);
      }
    });

    test('needs the scope admin', async () => {
      await server.insert('kept', { a: 1 });
      const key = await keyOf({ scopes: ['insert', 'query', 'share', 'tail'] });
      assert.match(problem(await drop('kept', { key }), 403).detail, /'admin'/);
      problem(await rename('kept', 'lost', { key }), 403);
      const { api_key: stranger } = (await server.api('/api/destinations', { key: server.adminKey, body: '{"name":"elsewhere"}' })).json();
      problem(await drop('kept', { key: stranger }), 404);
      assert.equal((await table('kept')).rows, 1);
      const named = await server.api(`${at('kept')}?destination_id=local`, { method: 'DELETE', key: server.adminKey });
      assert.equal(named.status, 204);
    });
  });

  describe('renaming', () => {
    test('answers the table under its new name; new rows of the old name make it anew', async () => {
      await server.insert('early', [{ a: 1 }, { a: 2 }]);
      const answer = await rename('early', 'late "x"');
      assert.equal(answer.status, 200, answer.text);
      assert.equal(answer.json().name, 'late "x"');
      assert.equal(answer.json().rows, 2);
      problem(await server.api(at('early')), 404);
      const history = async (name) => (await server.api(`${at(name)}/history`)).json().data.filter((c) => c.column === null)
        .map((c) => [c.event, c.from, c.to]);
      assert.deepEqual(await history('late "x"'), [['rename', 'early', 'late "x"']]);
      assert.deepEqual(await history('early'), [['create', null, null], ['drop', null, 'late "x"']]);
      await server.insert('early', { b: 1 });
      await server.insert('late "x"', { a: 3 });
      assert.equal((await table('late "x"')).rows, 3);
      assert.equal((await table('early')).rows, 1);
    });

    test('onto a name in use is 409, its own included in another case is fine', async () => {
      await server.insert('one', { a: 1 });
      await server.insert('two', { a: 1 });
      problem(await rename('one', 'two'), 409, 'already-exists');
      problem(await rename('one', 'TWO'), 409, 'already-exists');
      assert.equal((await rename('one', 'one')).status, 200);
      const upper = await rename('one', 'ONE');
      assert.equal(upper.json().name, 'ONE');
      problem(await rename('nothing', 'x'), 404);
    });

    test('bad bodies and names are 400', async () => {
      await server.insert('stable', { a: 1 });
      for (const name of ['', 'x'.repeat(256), 'a\u0000b']) problem(await rename('stable', name), 400, 'invalid-table-name');
      problem(await rename('stable', 5), 400);
      for (const body of ['{', '[]', '{}', '{"nmae":"x"}', '{"name":"x","also":1}']) {
        problem(await server.api(at('stable'), { method: 'PATCH', body }), 400);
      }
      assert.equal((await table('stable')).rows, 1);
    });
  });

  test('changes last over a restart, each once', async () => {
    await server.insert('first', { a: 1 });
    await rename('first', 'second');
    await server.insert('first', { b: 1 });
    await drop('second');
    await server.stop();
    await server.start();
    problem(await server.api(at('second')), 404);
    assert.equal((await table('first')).rows, 1);
  });
});
