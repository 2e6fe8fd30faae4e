// A table's rows as they are acknowledged: what is shown, in which order, and what a reader may rely on.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { RawSocket, eventually, problem, sleep, startServer, useServer } from './lib.mjs';

// The events of a piece of a stream, and what is left of it: [{ id, event, data }], comments are none.
function parse(text) {
  const events = [];
  let end;
  while ((end = text.indexOf('\n\n')) >= 0) {
    const event = { id: null, event: null, data: null };
    for (const line of text.slice(0, end).split('\n')) {
      const field = /^(id|event|data): (.*)$/.exec(line);
      assert.ok(field || line === ':', JSON.stringify(line));
      if (field) event[field[1]] = field[1] === 'data' ? JSON.parse(field[2]) : field[2];
    }
    events.push(event);
    text = text.slice(end + 2);
  }
  return { events, rest: text };
}

// A stream: { status, last (id), rows, notices, beats, ended, complete, close() }.
function tail(server, target, { key = 'local', last, headers = {} } = {}) {
  const seen = { status: 0, last: last ?? null, events: [], rows: [], notices: [], beats: 0, ended: false, text: '' };
  const all = { ...(key == null ? {} : { Authorization: `Bearer ${key}` }), ...(last ? { 'Last-Event-ID': last } : {}), ...headers };
  const req = http.get(`${server.url}/api/data/tail/${target}`, { headers: all }, (res) => {
    seen.status = res.statusCode;
    seen.headers = res.headers;
    res.setEncoding('utf8').on('data', (piece) => {
      const { events, rest } = parse(seen.text + piece);
      seen.text = rest;
      for (const event of events) {
        seen.last = event.id;
        seen.events.push(event);
        if (event.event === 'row') seen.rows.push(event.data);
        else if (event.event === null) seen.beats += 1;
        else seen.notices.push({ event: event.event, ...event.data });
      }
    }).on('error', () => {}).on('close', () => { seen.ended = true; seen.complete = res.complete; });
  });
  req.on('error', () => { seen.ended = true; });
  seen.close = () => req.destroy();
  return seen;
}
const begun = async (...args) => {
  const seen = tail(...args);
  await eventually('the beginning', () => seen.beats > 0 || seen.ended);
  assert.equal(seen.status, 200);
  return seen;
};
// The id of now.
async function here(server, table) {
  const seen = await begun(server, table);
  seen.close();
  return seen.last;
}
const documents = (seen) => seen.rows.map((each) => each.row);

describe('a live tail', () => {
  const server = useServer();

  it('shows rows as they were sent, in order, whatever they came as', async () => {
    const seen = await begun(server, 'Forms');
    assert.match(seen.headers['content-type'], /^text\/event-stream/);
    const csv = { 'Content-Type': 'text/csv' };
    const receipts = [
      await server.insert('forms', { a: { b: [1, { c: null }] }, big: 1 }),
      await server.insert('forms', '[{"n":1},7,{"n":12345678901234567890.10}]'),
      await server.insert('FORMS', '{"x":1}\n{"broken":\n{"x":2}\n'),
      await server.insert('forms', '{\r\n "pretty" :\n\t"a\\nb" }'),
      await server.insert('forms', 'a,b\n1,x\n1,2,3\n"007",\n', { headers: csv }),
      await server.insert('forms', 'a=1&b=two', { headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }),
      await server.insert('forms', gzipSync('{"zipped":true}'), { headers: { 'Content-Encoding': 'gzip' } }),
      await server.insert('forms', { t: [1, 2] }, { query: '?flatten=multitable' }),
      (await server.api('/api/data/insert/forms?by=get')).json(),
    ];
    await server.insert('forms', { dry: 1 }, { query: '?dry_run=true' });
    await server.insert('others', { a: 1 });
    const texts = ['{"a":{"b":[1,{"c":null}]},"big":1}', '{"n":1}', '{"n":12345678901234567890.10}', '{"x":1}', '{"x":2}', '{   "pretty" : \t"a\\nb" }',
      '{"a":1,"b":"x"}', '{"a":"007","b":null}', '{"a":"1","b":"two"}', '{"zipped":true}', '{"t":[1,2]}', '{"by":"get"}'];
    await eventually('the rows', () => seen.rows.length >= texts.length);
    await sleep(100);
    assert.deepEqual(documents(seen), texts.map((text) => JSON.parse(text)));
    assert.deepEqual(seen.rows.map((each) => [receipts.findIndex((r) => r.receipt === each.receipt), each.index]),
      [[0, 0], [1, 0], [1, 2], [2, 0], [2, 2], [3, 0], [4, 0], [4, 2], [5, 0], [6, 0], [7, 0], [8, 0]]);
    // When it was received is what the table says of it.
    assert.equal(await server.value('SELECT strftime(__received_at::TIMESTAMP, \'%Y-%m-%dT%H:%M:%S.%fZ\') FROM forms WHERE "by" = \'get\''), seen.rows.at(-1).received_at);
    // Numbers keep their digits: nothing is read and written again.
    const raw = await RawSocket.open(server.port);
    raw.send(`GET /api/data/tail/forms?last_event_id=${seen.events[0].id} HTTP/1.1\r\nHost: a\r\nX-API-KEY: ${server.key}\r\n\r\n`);
    for (const text of texts) await raw.until((bytes) => bytes.includes(`"row":${text}}`));
    raw.destroy();
    seen.close();
  });

  it('shows the rows of a body that is a file of the journal, each once, and goes on in its middle', async () => {
    const seen = await begun(server, 'blobs');
    const many = Array.from({ length: 40_000 }, (_, i) => ({ i, text: 'x'.repeat(50) }));
    for (const body of [JSON.stringify(many), many.map((each) => JSON.stringify(each)).join('\n')]) await server.insert('blobs', body);
    await server.insert('blobs', ['n,t', ...many.map((each) => `${each.i},${each.text}`)].join('\n'), { headers: { 'Content-Type': 'text/csv' } });
    await eventually('the rows', () => seen.rows.length >= 3 * many.length, 30_000);
    assert.deepEqual(seen.rows.slice(0, many.length).map((each) => each.row.i), many.map((each) => each.i));
    assert.deepEqual(seen.rows.slice(-many.length).map((each) => each.row.n), many.map((each) => each.i));
    const middle = seen.events.find((each) => each.data?.index === 12_345);
    const again = tail(server, 'blobs', { last: middle.id });
    await eventually('the others', () => again.rows.length >= 3 * many.length - 12_346, 30_000);
    assert.deepEqual(again.rows, seen.rows.slice(12_346));
    for (const each of [seen, again]) each.close();
  });

  it('filters by columns, nested ones too, as they are spelled', async () => {
    const from = await here(server, 'filters');
    const rows = [{ n: 1, user: { name: 'Bob', tags: ['p', 'q'] } }, { N: 1, user_name: 'Bob' }, { n: '1', ok: true }, { n: null, ok: false }, { n: 1.5 }, { n: { n: 1 } }];
    await server.insert('filters', JSON.stringify(rows).replace('1.5', '1.50'));
    const ask = async (query) => {
      const seen = tail(server, `filters?${query}`, { last: from });
      const end = tail(server, 'filters', { last: from });
      await eventually('all', () => end.rows.length === rows.length && seen.beats > 0);
      await sleep(100);
      for (const each of [seen, end]) each.close();
      return seen.rows.map((each) => each.index);
    };
    const found = {};
    for (const query of ['n=1', 'N=1&user_name=Bob', 'user.name=Bob', 'user_name=bob', 'n=null', 'ok=true', 'ok=false&n=null', 'n=1.50', 'n=1.5', 'n_n=1', 'user_tags_1=q', 'user.tags.2=q', 'n=1&n=2', 'missing=null', 'user=', `n=1&api_key=${server.key}&destination_id=local`])
      found[query.split('&api_key')[0] + (query.includes('api_key') ? ' and ours' : '')] = await ask(query);
    assert.deepEqual(found, { 'n=1': [0, 1, 2], 'N=1&user_name=Bob': [0, 1], 'user.name=Bob': [0], 'user_name=bob': [], 'n=null': [3], 'ok=true': [2], 'ok=false&n=null': [3], 'n=1.50': [4], 'n=1.5': [], 'n_n=1': [5], 'user_tags_1=q': [0], 'user.tags.2=q': [], 'n=1&n=2': [], 'missing=null': [], 'user=': [], 'n=1 and ours': [0, 1, 2] });
    // Live, beside one that sees all.
    const [all, some] = [await begun(server, 'filters'), await begun(server, 'filters?n=7')];
    for (let i = 0; i < 20; ++i) await server.insert('filters', { n: i % 10 });
    await eventually('rows', () => all.rows.length === 20 && some.rows.length === 2);
    for (const each of [all, some]) each.close();
  });

  it('loses no row and doubles none over many connections, whatever is inserted meanwhile', { timeout: 120_000 }, async () => {
    let stop = false;
    let written = 0;
    const order = [];
    const write = async (worker) => {
      for (let i = 0; !stop; ++i) {
        const rows = Array.from({ length: 1 + (i % 5) }, (_, k) => ({ worker, i, k }));
        const { receipt } = await server.insert(i % 4 === 3 ? 'noise' : 'steady', rows);
        if (i % 4 !== 3) { order.push(receipt); written += rows.length; }
      }
    };
    let last = await here(server, 'steady');
    const writers = [0, 1, 2, 3].map(write);
    const rows = [];
    const watched = await begun(server, 'steady?worker=2', { last });
    for (let round = 0; round < 60; ++round) {
      const seen = tail(server, 'steady', { last });
      await sleep(20 + (round % 7) * 15);
      // What has not arrived in whole is nothing.
      seen.close();
      rows.push(...seen.rows);
      last = seen.last;
      if (round % 10 === 5) await sleep(300);
    }
    stop = true;
    await Promise.all(writers);
    const rest = tail(server, 'steady', { last });
    await eventually('all', () => rows.length + rest.rows.length >= written);
    await sleep(200);
    rest.close();
    rows.push(...rest.rows);
    assert.equal(rows.length, written);
    assert.equal(new Set(rows.map((each) => `${each.receipt} ${each.index}`)).size, written);
    assert.deepEqual(new Set(rows.map((each) => each.receipt)), new Set(order));
    // Each writer's rows in the order in which they were acknowledged to it.
    for (let worker = 0; worker < 4; ++worker) {
      const own = rows.filter((each) => each.row.worker === worker).map((each) => each.row.i * 10 + each.row.k);
      assert.deepEqual(own, own.toSorted((a, b) => a - b));
    }
    const of2 = rows.filter((each) => each.row.worker === 2);
    await eventually('of one', () => watched.rows.length === of2.length);
    assert.deepEqual(watched.rows, of2);
    watched.close();
  });

  it('asks for the scope, and for the table where the key is limited', async () => {
    const made = async (body) => (await server.api('/api/destinations/local/keys', { key: server.adminKey, body: JSON.stringify(body) })).json();
    const few = await made({ scopes: ['tail'], tables: ['allowed'] });
    const none = await made({ scopes: ['insert', 'query', 'share', 'admin'] });
    const ask = (target, options) => server.api(`/api/data/tail/${target}`, options);
    problem(await ask('t', { key: null }), 401);
    problem(await ask('t', { key: none.api_key }), 403);
    problem(await ask('other', { key: few.api_key }), 403);
    problem(await ask('other?destination_id=never', { key: few.api_key }), 404);
    problem(await ask('x'.repeat(256)), 400, 'invalid-table-name');
    for (const id of ['x', '1', '00000000', '00000000-1', '00000000-1-', '00000000-1-2-3', 'zzzzzzzz-1-2', '00000000--1-0', '00000000-99999999999999999999-0'])
      problem(await ask(`t?last_event_id=${id}`), 400, 'invalid-parameter');
    problem(await ask('t', { headers: { 'Last-Event-ID': 'junk' } }), 400, 'invalid-parameter');
    problem(await ask('t?{"a":1}'), 400, 'invalid-parameter');
    assert.equal((await ask('t', { method: 'HEAD' })).status, 200);
    const seen = await begun(server, 'Allowed', { key: few.api_key });
    await server.insert('allowed', { a: 1 });
    await eventually('its row', () => seen.rows.length === 1);
    // A place in the journal at which no record begins.
    const [mark, at] = seen.last.split('-');
    problem(await ask(`allowed?last_event_id=${mark}-${Number(at) + 8}-0`, { key: few.api_key }), 400, 'invalid-parameter');
    seen.close();
    // An admin key names the destination.
    const other = (await server.api('/api/destinations', { key: server.adminKey, body: '{"name":"other"}' })).json();
    problem(await ask('t', { key: server.adminKey }), 400, 'destination-required');
    const theirs = await begun(server, 't?destination_id=other', { key: server.adminKey });
    const here = await begun(server, 't?destination_id=local', { key: server.adminKey });
    await server.insert('t', { whose: 'other' }, { key: other.api_key });
    await server.insert('t', { whose: 'local' });
    await eventually('a row each', () => theirs.rows.length > 0 && here.rows.length > 0);
    assert.deepEqual([documents(theirs), documents(here)], [[{ whose: 'other' }], [{ whose: 'local' }]]);
    // Its own end, and its key's.
    const own = await begun(server, 't', { key: other.api_key });
    await server.api('/api/destinations/other', { method: 'DELETE', key: server.adminKey });
    for (const each of [theirs, own]) {
      await eventually('its end', () => each.ended, 3000);
      assert.ok(each.complete);
      assert.match(JSON.stringify(each.notices), /^\[{"event":"end","reason":"(gone|key)"}\]$/);
    }
    here.close();
  });

  it('ends within a second of its key', async () => {
    const key = (await server.api('/api/destinations/local/keys', { key: server.adminKey, body: '{"scopes":["tail"]}' })).json();
    const seen = await begun(server, 't', { key: key.api_key });
    await server.api(`/api/destinations/local/keys/${key.id}`, { method: 'DELETE', key: server.adminKey });
    await eventually('its end', () => seen.ended, 1500);
    assert.ok(seen.complete);
    assert.deepEqual(seen.notices, [{ event: 'end', reason: 'key' }]);
    problem(await server.api('/api/data/tail/t', { key: key.api_key }), 401);
  });

  it('follows a name through renames and deletions', async () => {
    const admin = (method, body) => server.api('/api/tables/named', { method, body });
    const [seen, later] = [await begun(server, 'named'), await begun(server, 'renamed')];
    await server.insert('named', { n: 1 });
    assert.equal((await admin('PATCH', '{"name":"renamed"}')).status, 200);
    await server.insert('named', { n: 2 });
    await server.insert('renamed', { n: 3 });
    assert.equal((await admin('DELETE')).status, 204);
    await server.insert('named', { n: 4 });
    await eventually('the rows', () => seen.rows.length === 3 && later.rows.length === 1);
    assert.deepEqual(documents(seen).map((each) => each.n), [1, 2, 4]);
    for (const each of [seen, later]) each.close();
  });

  it('begins anew, and says so, where the destination got another journal', async () => {
    const made = (await server.api('/api/destinations', { key: server.adminKey, body: '{"name":"moving"}' })).json();
    const options = { key: made.api_key };
    const seen = await begun(server, 't', options);
    await server.insert('t', { n: 1 }, options);
    await eventually('a row', () => seen.rows.length === 1);
    const changed = await server.api('/api/destinations/moving', { method: 'PATCH', key: server.adminKey, body: '{"settings":{"in_memory":true}}' });
    assert.equal(changed.status, 200, changed.text);
    await eventually('its end', () => seen.ended);
    assert.deepEqual(seen.notices, [{ event: 'end', reason: 'reopened' }]);
    await server.insert('t', { n: 2 }, options);
    const again = tail(server, 't', { ...options, last: seen.last });
    await eventually('a row', () => again.rows.length === 1);
    assert.deepEqual(again.notices, [{ event: 'gap', reason: 'other-journal' }]);
    assert.deepEqual(documents(again), [{ n: 2 }]);
    again.close();
  });

  it('is in the metrics', async () => {
    const count = async (name) => (await server.metrics())(name, { destination: 'local' });
    await eventually('none is left', async () => await count('scratchdata_tails') === 0);
    const before = await count('scratchdata_tail_rows_total');
    const seen = await begun(server, 'measured');
    assert.equal(await count('scratchdata_tails'), 1);
    await server.insert('measured', [{ a: 1 }, { a: 2 }, { a: 3 }]);
    await eventually('the rows', async () => await count('scratchdata_tail_rows_total') === before + 3);
    seen.close();
  });
});

describe('a live tail and its server', () => {
  it('ends with the server, and goes on with the next one', async (t) => {
    const server = await startServer(t, {});
    const seen = await begun(server, 't');
    const [, , third] = [await server.insert('t', { n: 1 }), await server.insert('u', { n: 1 }), await server.insert('t', [{ n: 2 }, { n: 3 }])];
    await eventually('the rows', () => seen.rows.length === 3);
    const second = seen.events.find((each) => each.data?.row?.n === 2).id;
    assert.ok(await server.stop() < 10_000);
    await eventually('its end', () => seen.ended);
    assert.deepEqual(seen.notices, [{ event: 'end', reason: 'stopping' }]);
    await server.start();
    await server.insert('t', { n: 4 });
    for (const [last, rows] of [[second, [3, 4]], [seen.last, [4]]]) {
      const again = tail(server, 't', { last });
      await eventually('the others', () => again.rows.length === rows.length);
      assert.deepEqual(documents(again).map((each) => each.n), rows);
      if (rows.length === 2) assert.equal(again.rows[0].receipt, third.receipt);
      // It was killed, which a reader sees as a connection that breaks.
      again.close();
    }
    const killed = await begun(server, 't', { last: seen.last });
    await eventually('a row', () => killed.rows.length === 1);
    await server.kill();
    await eventually('its end', () => killed.ended);
    assert.ok(!killed.complete);
    await server.start();
    const last = tail(server, 't', { last: killed.last });
    await server.insert('t', { n: 5 });
    await eventually('a row', () => last.rows.length === 1);
    assert.deepEqual(documents(last), [{ n: 5 }]);
    last.close();
  });

  it('says that there is a gap where the journal has let go of what came between', async (t) => {
    const server = await startServer(t, { flags: ['--journal-retention', '1s'] });
    const from = await here(server, 't');
    const row = { text: 'x'.repeat(1000) };
    const kept = () => fs.readdirSync(path.join(server.dir, 'journals')).flatMap((each) => fs.readdirSync(path.join(server.dir, 'journals', each))).filter((each) => each.endsWith('.seg'));
    for (let i = 0; i < 3000; i += 100) await server.insert('t', Array.from({ length: 100 }, (_, k) => ({ ...row, n: i + k })), { query: '?wait=true' });
    await eventually('the first segment is gone', async () => {
      await server.insert('u', { a: 1 }, { query: '?wait=true' });
      return !kept().includes('00000000000000000000.seg');
    }, 30_000, 300);
    const seen = tail(server, 't', { last: from });
    await eventually('rows', () => seen.rows.at(-1)?.row.n === 2999);
    assert.deepEqual(seen.notices, [{ event: 'gap', reason: 'released' }]);
    const first = seen.rows[0].row.n;
    assert.ok(first > 0);
    assert.deepEqual(documents(seen).map((each) => each.n), Array.from({ length: 3000 - first }, (_, i) => first + i));
    seen.close();
  });

  it('drops a reader that takes nothing, with a notice, after which it may go on', { timeout: 120_000 }, async (t) => {
    const server = await startServer(t, { flags: ['--tail-stall-timeout', '3s'] });
    const [kBodies, kRows] = [15, 15_000];
    const slow = await RawSocket.open(server.port);
    slow.send(`GET /api/data/tail/t HTTP/1.0\r\nX-API-KEY: ${server.key}\r\n\r\n`);
    await slow.until((text) => text.includes('\n\n'));
    slow.socket.pause();
    const quick = await begun(server, 't');
    const body = JSON.stringify(Array.from({ length: 1000 }, () => ({ text: 'x'.repeat(1000) })));
    const blocked = Date.now();
    for (let i = 0; i < kBodies; ++i) await server.insert('t', body);
    // Nobody else waits for it.
    await eventually('all rows', () => quick.rows.length === kRows, 30_000);
    const total = async () => (await server.metrics())('scratchdata_tails_dropped_total', { destination: 'local' });
    // Longer than the time for stalling, and no longer than that for the notice.
    await sleep(5000 - (Date.now() - blocked));
    slow.socket.resume();
    const text = (await slow.closed(30_000)).split('\r\n\r\n')[1];
    const { events, rest } = parse(text.replace(/^:\n/, ''));
    assert.equal(rest, '');
    const end = events.at(-1);
    assert.equal(end.event, 'dropped');
    assert.deepEqual(end.data, { reason: 'stalled', last_event_id: end.id });
    assert.equal(await total(), 1);
    const got = events.filter((each) => each.event === 'row');
    assert.ok(got.length > 0 && got.length < kRows, `${got.length}`);
    assert.deepEqual(got.map((each) => each.data.receipt), quick.rows.slice(0, got.length).map((each) => each.receipt));
    const again = tail(server, 't', { last: end.id });
    await eventually('the rest', () => again.rows.length === kRows - got.length, 30_000);
    assert.deepEqual(again.rows, quick.rows.slice(got.length));
    assert.deepEqual([...again.notices, ...quick.notices], []);
    for (const each of [again, quick]) each.close();
    // One that does not come back is broken off.
    const never = await RawSocket.open(server.port);
    never.send(`GET /api/data/tail/t?last_event_id=${again.events[0].id} HTTP/1.0\r\nX-API-KEY: ${server.key}\r\n\r\n`);
    await never.until((bytes) => bytes.includes('\n\n'));
    never.socket.pause();
    await eventually('no reader', async () => (await server.metrics())('scratchdata_tails', { destination: 'local' }) === 0, 15_000, 200);
    never.destroy();
  });

  it('drops a reader that falls back', { timeout: 120_000 }, async (t) => {
    const server = await startServer(t, { flags: ['--tail-max-lag', '2s'] });
    const slow = await RawSocket.open(server.port);
    slow.send(`GET /api/data/tail/t HTTP/1.0\r\nX-API-KEY: ${server.key}\r\n\r\n`);
    await slow.until((text) => text.includes('\n\n'));
    // It takes a little now and then.
    let stop = false;
    const dribble = (async () => {
      while (!stop && !slow.ended) {
        slow.socket.pause();
        await sleep(150);
        slow.socket.resume();
        await sleep(1);
      }
      slow.socket.resume();
    })();
    const body = JSON.stringify(Array.from({ length: 1000 }, () => ({ text: 'x'.repeat(1000) })));
    await eventually('its end', async () => {
      await server.insert('t', body);
      return (await server.metrics())('scratchdata_tails_dropped_total', { destination: 'local' }) === 1;
    }, 60_000, 20);
    stop = true;
    await dribble;
    const { events } = parse((await slow.closed(30_000)).split('\r\n\r\n')[1].replace(/^:\n/, ''));
    assert.equal(events.at(-1).event, 'dropped');
    assert.equal(events.at(-1).data.reason, 'behind');
  });

  it('takes no more than it may, and a place that is given up is free at once', async (t) => {
    const server = await startServer(t, { flags: ['--tail-max-open', '2'] });
    const two = [await begun(server, 'a'), await begun(server, 'b')];
    const refused = await server.api('/api/data/tail/a');
    problem(refused, 503, 'too-many-tails');
    assert.ok(Number(refused.headers['retry-after']) > 0);
    two[0].close();
    await eventually('its place', async () => (await server.metrics())('scratchdata_tails', { destination: 'local' }) === 1, 2000);
    const third = await begun(server, 'a');
    await server.insert('a', { n: 1 });
    await eventually('a row', () => third.rows.length === 1);
    for (const each of [two[1], third]) each.close();
  });

  it('says now and then that it is there, and how far it is', { timeout: 60_000 }, async (t) => {
    const server = await startServer(t, {});
    const seen = await begun(server, 'quiet');
    await server.insert('busy', { a: 1 });
    await eventually('a sign of life', () => seen.beats === 2, 20_000, 200);
    assert.notEqual(seen.last, seen.events[0].id, 'what it was not shown lies behind it');
    seen.close();
    const again = tail(server, 'quiet', { last: seen.last });
    await server.insert('quiet', { a: 2 });
    await eventually('a row', () => again.rows.length === 1);
    assert.deepEqual(again.notices, []);
    again.close();
  });
});
