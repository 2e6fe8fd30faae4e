// What happens now, as events.
import assert from 'node:assert/strict';
import http from 'node:http';
import { describe, it } from 'node:test';
import { eventually, problem, startServer, useServer } from './lib.mjs';

// A stream of events: { events, ended, close }.
function watch(server, key, target = '/api/live') {
  const seen = { events: [], ended: false, status: 0 };
  const req = http.get(`${server.url}${target}`, { headers: { Authorization: `Bearer ${key}` } }, (res) => {
    let text = '';
    seen.status = res.statusCode;
    seen.headers = res.headers;
    res.setEncoding('utf8').on('data', (piece) => {
      text += piece;
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const data = /^event: live\ndata: (.*)$/.exec(text.slice(0, end));
        assert.ok(data, text);
        seen.events.push(JSON.parse(data[1]));
        text = text.slice(end + 2);
      }
    }).on('close', () => { seen.ended = true; seen.complete = res.complete; });
  });
  req.on('error', () => { seen.ended = true; });
  seen.close = () => req.destroy();
  return seen;
}

describe('/api/live', () => {
  const server = useServer();
  const of = (event, name = 'local') => event.destinations.find((each) => each.name === name);

  it('tells each second what was acknowledged and loaded, by table', async () => {
    await server.insert('before', { a: 1 }, { query: '?wait=true' });
    const seen = watch(server, 'local');
    await eventually('an event', () => seen.events.length > 0);
    assert.match(seen.headers['content-type'], /^text\/event-stream/);
    const first = of(seen.events[0]);
    await server.insert('events', [{ a: 1 }, { a: 2 }, { a: 3 }], { query: '?wait=true' });
    const bytes = JSON.stringify([{ a: 1 }, { a: 2 }, { a: 3 }]).length;
    await eventually('the rows', () => of(seen.events.at(-1)).rows === first.rows + 3);
    const last = of(seen.events.at(-1));
    assert.deepEqual(last.tables.find((each) => each.name === 'events'), { name: 'events', rows: 3, bytes, failed: 0, lag_rows: 0, lag_seconds: 0 });
    assert.equal(last.bytes - first.bytes, bytes);
    await eventually('loaded', () => of(seen.events.at(-1)).loaded === first.loaded + 3 && of(seen.events.at(-1)).lag_rows === 0);
    const times = seen.events.map((each) => Date.parse(each.at));
    for (let i = 1; i < times.length; ++i) assert.ok(times[i] - times[i - 1] >= 900, `${times[i] - times[i - 1]} ms`);
    seen.close();
  });

  it('counts for each table the rows that were refused', async () => {
    const seen = watch(server, 'local');
    await eventually('an event', () => seen.events.length > 0);
    const before = of(seen.events[0]).failed;
    await server.insert('some', [{ a: 1 }, 7, { a: 2 }, 8]);
    await server.insert('SOME', [9, { a: 3 }]);
    await server.insert('good', [{ a: 1 }]);
    await eventually('the refused rows', () => of(seen.events.at(-1)).failed === before + 3);
    const [some, good] = ['some', 'good'].map((name) => of(seen.events.at(-1)).tables.filter((each) => each.name.toLowerCase() === name));
    assert.deepEqual([...some, ...good].map(({ rows, failed, lag_rows: lag }) => ({ rows, failed, lag })), [{ rows: 3, failed: 3, lag: 0 }, { rows: 1, failed: 0, lag: 0 }]);
    seen.close();
  });

  it('says what waits of each table while nothing can be loaded, and since when', { timeout: 60_000 }, async (t) => {
    const stuck = await startServer(t, {});
    await stuck.insert('first', { a: 1 }, { query: '?wait=true' });
    const seen = watch(stuck, 'local');
    const [engine] = stuck.enginePids();
    process.kill(engine, 'SIGSTOP');
    t.after(() => { try { process.kill(engine, 'SIGCONT'); } catch { /* it was ended as one that gives no sign */ } });
    await stuck.insert('waits', [{ a: 1 }, { a: 2 }]);
    const last = () => of(seen.events.at(-1))?.tables.find((each) => each.name === 'waits');
    await eventually('what waits', () => last()?.lag_rows === 2 && last().lag_seconds > 1);
    assert.equal(of(seen.events.at(-1)).tables.find((each) => each.name === 'first').lag_rows, 0);
    process.kill(engine, 'SIGCONT');
    await eventually('loaded', () => last().lag_rows === 0 && last().lag_seconds === 0, 20_000);
    assert.equal(last().rows, 2);
    seen.close();
  });

  it('shows a key its own destination and tables, and an admin key all of them', async () => {
    const other = (await server.api('/api/destinations', { key: server.adminKey, body: '{"name":"other"}' })).json();
    const narrow = (await server.api('/api/destinations/local/keys', { key: server.adminKey, body: '{"scopes":["query"],"tables":["seen"]}' })).json();
    const all = watch(server, server.adminKey);
    const one = watch(server, server.adminKey, '/api/live?destination_id=other');
    const own = watch(server, other.api_key);
    const few = watch(server, narrow.api_key);
    await eventually('events', () => [all, one, own, few].every((each) => each.events.length > 0));
    for (const table of ['seen', 'hidden']) await server.insert(table, { a: 1 });
    await eventually('the tables', () => of(all.events.at(-1)).tables.some((each) => each.name === 'hidden'));
    assert.deepEqual(all.events.at(-1).destinations.map((each) => each.name).sort(), ['local', 'other']);
    for (const each of [one, own]) assert.deepEqual(each.events.at(-1).destinations.map((d) => d.name), ['other']);
    await eventually('a table', () => of(few.events.at(-1)).tables.length > 0);
    assert.deepEqual(of(few.events.at(-1)).tables.map((each) => each.name), ['seen']);
    // Of what comes into other tables it does not hear by the sums either.
    const { rows, bytes, tables: [seen] } = of(few.events.at(-1));
    assert.deepEqual([rows, bytes], [seen.rows, seen.bytes]);
    assert.ok(of(all.events.at(-1)).rows > rows);
    for (const each of [all, one, own, few]) each.close();
    const inserts = (await server.api('/api/destinations/local/keys', { key: server.adminKey, body: '{"scopes":["insert"]}' })).json();
    problem(await server.api('/api/live', { key: inserts.api_key }), 403);
    problem(await server.api('/api/live', { key: null }), 401);
  });

  it('follows destinations that are made, changed and deleted', async () => {
    const admin = (target, options = {}) => server.api(target, { key: server.adminKey, ...options });
    const all = watch(server, server.adminKey);
    await eventually('an event', () => all.events.length > 0);
    const made = (await admin('/api/destinations', { body: '{"name":"fleeting"}' })).json();
    await eventually('the new one', () => of(all.events.at(-1), 'fleeting'));
    const one = watch(server, server.adminKey, '/api/live?destination_id=fleeting');
    await eventually('an event', () => one.events.length > 0);
    // Another target: it is opened anew, and counts go on.
    const changed = await admin('/api/destinations/fleeting', { method: 'PATCH', body: '{"settings":{"in_memory":true}}' });
    assert.equal(changed.status, 200, changed.text);
    await server.insert('t', { a: 1 }, { key: made.api_key });
    for (const each of [all, one]) await eventually('the row', () => of(each.events.at(-1), 'fleeting')?.rows === 1);
    assert.deepEqual(of(one.events.at(-1), 'fleeting').tables.map((each) => each.name), ['t']);
    assert.equal((await admin(`/api/destinations/${made.id}`, { method: 'DELETE' })).status, 204);
    await eventually('it is gone', () => !of(all.events.at(-1), 'fleeting'));
    await eventually('its own stream ends', () => one.ended);
    assert.equal(one.complete, true);
    all.close();
  });

  it('ends with its key', async () => {
    const key = (await server.api('/api/destinations/local/keys', { key: server.adminKey, body: '{"scopes":["query"]}' })).json();
    const seen = watch(server, key.api_key);
    await eventually('an event', () => seen.events.length > 0);
    await server.api(`/api/destinations/local/keys/${key.id}`, { method: 'DELETE', key: server.adminKey });
    await eventually('its end', () => seen.ended, 3000);
    assert.equal(seen.complete, true);
  });

  it('ends with the server, which does not wait for it', async (t) => {
    const short = await startServer(t, {});
    const seen = watch(short, 'local');
    await eventually('an event', () => seen.events.length > 0);
    assert.ok(await short.stop() < 10_000);
    await eventually('its end', () => seen.ended);
  });
});
