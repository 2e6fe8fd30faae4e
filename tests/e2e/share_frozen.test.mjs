// Frozen shares: the result as it was, the same bytes at each download, whole or in part, with no engine.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import { eventually, problem, sleep, startServer, useServer } from './lib.mjs';

const kPage = { Accept: 'text/html,application/xhtml+xml' };
const kFormats = ['csv', 'json', 'ndjson', 'parquet', 'xlsx', 'tsv', 'jsoncompact', 'html', 'arrow'];

const share_on = (server) => async (spec) => {
  const answer = await server.api('/api/data/share', { body: JSON.stringify({ query: 'SELECT n, s FROM things ORDER BY n', frozen: true, ...spec }) });
  assert.equal(answer.status, 200, answer.text);
  return answer.json();
};
const frozen_files = (server) => {
  const folder = path.join(server.dir, 'shares');
  return fs.readdirSync(folder).flatMap((destination) => fs.readdirSync(path.join(folder, destination)));
};
const rows = (n, from = 0) => Array.from({ length: n }, (_, i) => JSON.stringify({ n: from + i, s: `text ${from + i}` })).join('\n');

// Takes so many bytes of a download and then closes the connection.
const take = (server, target, bytes, headers = {}) => new Promise((resolve, reject) => {
  const pieces = [];
  let got = 0;
  const request = http.get({ host: '127.0.0.1', port: server.port, path: target, headers, agent: false }, (answer) => {
    answer.on('data', (piece) => {
      if (got >= bytes) return;
      pieces.push(piece);
      got += piece.length;
      if (got >= bytes) answer.destroy();
    });
    answer.on('error', () => {});
    answer.on('close', () => resolve(Buffer.concat(pieces).subarray(0, bytes)));
  });
  request.on('error', reject);
});

describe('a frozen share', () => {
  const server = useServer();
  const share = share_on(server);
  const get = (id, rest = '', options = {}) => server.request(`/share/${id}${rest}`, options);
  const listed = async (id) => (await server.api('/api/shares?all=true')).json().data.find((each) => each.id === id);

  before(() => server.insert('things', rows(30_000), { query: '?wait=true' }));

  test('has what a query had at that moment, in every format, the same bytes each time', async () => {
    const query = 'SELECT n, s FROM things ORDER BY n';
    const then = {};
    for (const format of kFormats) then[format] = (await server.sql(query, { query: `?format=${format}` })).body;
    const { id } = await share({ query, formats: kFormats });
    const first = {};
    for (const format of kFormats) {
      first[format] = await get(id, `/data.${format}`);
      assert.equal(first[format].status, 200, format);
      if (!['parquet', 'arrow', 'xlsx'].includes(format)) assert.ok(first[format].body.equals(then[format]), format);
      assert.equal(first[format].headers['content-length'], String(first[format].body.length), format);
      assert.equal(first[format].headers['cache-control'], 'private, no-cache');
    }
    await server.insert('things', rows(5, 1_000_000), { query: '?wait=true' });
    for (const format of kFormats) {
      const again = await get(id, `/data.${format}`);
      assert.ok(again.body.equals(first[format].body), format);
      assert.equal(again.headers.etag, first[format].headers.etag);
    }
    assert.equal(new Set(kFormats.map((format) => first[format].headers.etag)).size, kFormats.length, 'an entity tag each');
    assert.deepEqual((await listed(id)).frozen, { rows: 30_000, bytes: first.parquet.body.length });
    const live = await share({ query, frozen: false });
    assert.equal((await listed(live.id)).frozen, null);
    assert.equal((await get(live.id, '/data.ndjson')).rows().length, 30_005);
  });

  test('comes for spreadsheets too', async () => {
    const query = "SELECT '=1+1' AS a, -5 AS b";
    const { id } = await share({ query, formats: ['csv', 'tsv', 'json'] });
    for (const format of ['csv', 'tsv']) {
      const live = await server.sql(query, { query: `?format=${format}&spreadsheet=true` });
      assert.equal((await get(id, `/data.${format}?spreadsheet=true`)).text, live.text);
      assert.notEqual((await get(id, `/data.${format}`)).text, live.text);
    }
    assert.equal((await get(id, '/data.json?spreadsheet=true')).text, (await get(id, '/data.json')).text);
    problem(await get(id, '/data.parquet'), 404);
  });

  test('has a page that tells of when it is and how many rows it has', async () => {
    const { id } = await share({ name: 'All things', query: 'SELECT n, s FROM things WHERE n < 12345 ORDER BY n' });
    const page = await get(id, '', { headers: kPage });
    assert.equal(page.status, 200);
    assert.match(page.text, /as it was on <time datetime="20\d\d-[^"]+">[^<]+ UTC<\/time>: 12,345 rows\./);
    assert.match(page.text, /<td class="num">99<\/td>/);
    assert.match(page.text, /class="type">BIGINT/);
    assert.doesNotMatch(page.text, /things WHERE|<td class="num">100<\/td>/);
    assert.match(page.text, /curl -C - -o data\.csv/);
    const one = await share({ query: 'SELECT 1 AS a' });
    assert.match((await get(one.id, '', { headers: kPage })).text, /: 1 row\./);
  });

  test('is sent in parts, and only to those that have the same file', async () => {
    const { id } = await share();
    const whole = await get(id, '/data.csv');
    const size = whole.body.length;
    const { etag } = whole.headers;
    const part = (range, headers = {}) => get(id, '/data.csv', { headers: { Range: range, ...headers } });
    const same = (answer, first, last) => {
      assert.equal(answer.status, 206);
      assert.equal(answer.headers['content-range'], `bytes ${first}-${last}/${size}`);
      assert.equal(answer.headers['content-length'], String(last - first + 1));
      assert.ok(answer.body.equals(whole.body.subarray(first, last + 1)));
    };
    same(await part('bytes=0-99'), 0, 99);
    same(await part('bytes=1000-'), 1000, size - 1);
    same(await part('bytes=-7'), size - 7, size - 1);
    same(await part('bytes=100-199', { 'If-Range': etag }), 100, 199);
    for (const headers of [{ 'If-Range': '"other"' }, { 'If-Range': new Date().toUTCString() }]) {
      const all = await part('bytes=100-199', headers);
      assert.deepEqual([all.status, all.body.length], [200, size], JSON.stringify(headers));
    }
    const beyond = await part(`bytes=${size}-`);
    assert.equal(beyond.headers['content-range'], `bytes */${size}`);
    problem(beyond, 416, 'range-not-satisfiable');
    assert.equal((await part('bytes=0-1,5-6')).status, 200, 'several are one whole');
    const unchanged = await get(id, '/data.csv', { headers: { 'If-None-Match': `"x", ${etag}` } });
    assert.deepEqual([unchanged.status, unchanged.text, unchanged.headers.etag], [304, '', etag]);
    const head = await get(id, '/data.csv', { method: 'HEAD', headers: { Range: 'bytes=0-9' } });
    assert.deepEqual([head.status, head.headers['content-length'], head.headers['accept-ranges']], [200, String(size), 'bytes']);
  });

  test('a download goes on where it broke off, and counts once', async () => {
    const { id } = await share({ query: "SELECT n, repeat('x', 200) AS s FROM things ORDER BY n", max_downloads: 1, formats: ['csv', 'json'] });
    const begin = await take(server, `/share/${id}/data.csv`, 300_000);
    assert.equal(begin.length, 300_000);
    // Until the server has seen that the client is gone, all is taken.
    const rest = await eventually('the rest', async () => {
      const answer = await get(id, '/data.csv', { headers: { Range: 'bytes=300000-' } });
      return answer.status === 206 && answer;
    });
    const whole = Buffer.concat([begin, rest.body]);
    const now = await server.sql("SELECT n, repeat('x', 200) AS s FROM things ORDER BY n", { query: '?format=csv' });
    assert.ok(whole.equals(now.body));
    assert.equal((await listed(id)).downloads, 1);
    // What is not downloaded yet is used up; what is can be fetched again in part at most.
    problem(await get(id, '/data.json'), 404);
    problem(await get(id, '/data.csv'), 404);
    const { data } = (await server.api(`/api/shares/${id}/downloads`)).json();
    assert.deepEqual(data.map(({ format, complete }) => [format, complete]), [['csv', false], ['csv', true]]);
  });

  test('parts side by side are one download, and no way around the limit', async () => {
    const { id } = await share({ max_downloads: 1, formats: ['csv'] });
    const head = await get(id, '/data.csv', { method: 'HEAD' });
    const size = Number(head.headers['content-length']);
    const cuts = [0, 1, 2, 3, 4].map((i) => Math.floor((size * i) / 4));
    const parts = [];
    for (let i = 0; i < 4; i += 1) parts.push(await get(id, '/data.csv', { headers: { Range: `bytes=${cuts[i]}-${cuts[i + 1] - 1}` } }));
    assert.deepEqual(parts.map(({ status }) => status), [206, 206, 206, 206]);
    for (const range of ['bytes=0-0', 'bytes=1-', 'bytes=-1']) problem(await get(id, '/data.csv', { headers: { Range: range } }), 404);
    problem(await get(id, '', { headers: { Accept: 'application/json' } }), 404);
  });

  test('is refused as a query is, and leaves nothing behind', async () => {
    const before_it = frozen_files(server).length;
    const post = (spec) => server.api('/api/data/share', { body: JSON.stringify({ frozen: true, ...spec }) });
    problem(await post({ query: "SELECT CASE WHEN n = 29000 THEN error('late') END AS e FROM things ORDER BY n" }), 400, 'sql-error');
    problem(await post({ query: 'SELECT n FROM things', max_rows: 100 }), 422, 'result-too-large');
    problem(await post({ query: 'SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range + b.range = 7', timeout_ms: 300 }), 504);
    problem(await post({ query: 'SELECT nonsense' }), 400, 'sql-error');
    assert.equal(frozen_files(server).length, before_it);
  });

  test('leaves a workbook out where the result does not fit into one, unless it was asked for', async () => {
    const query = "SELECT repeat('x', 40000) AS wide";
    const { id } = await share({ query });
    assert.deepEqual((await listed(id)).formats, ['csv', 'json', 'ndjson', 'parquet']);
    assert.equal((await get(id, '/data.json')).json()[0].wide.length, 40_000);
    problem(await get(id, '/data.xlsx'), 404);
    assert.doesNotMatch((await get(id, '', { headers: kPage })).text, />Excel</);
    const asked = await server.api('/api/data/share', { body: JSON.stringify({ query, frozen: true, formats: ['xlsx'] }) });
    assert.match(problem(asked, 422, 'result-too-large').detail, /32767 characters/);
    // A live one offers it, and tells at the download.
    const live = await share({ query, frozen: false });
    problem(await get(live.id, '/data.xlsx'), 422, 'result-too-large');
  });

  test('ends at once, with its files', async () => {
    const before_it = frozen_files(server).length;
    const { id } = await share();
    assert.equal(frozen_files(server).length, before_it + 7, 'five formats, CSV for spreadsheets, and the page');
    assert.equal((await server.api(`/api/shares/${id}`, { method: 'DELETE' })).status, 204);
    problem(await get(id, '/data.csv'), 404);
    problem(await get(id), 404);
    assert.equal(frozen_files(server).length, before_it);
  });
});

test('a frozen share answers while its engine is down', async (t) => {
  const server = await startServer(t);
  const share = share_on(server);
  await server.insert('things', rows(1000), { query: '?wait=true' });
  const { id } = await share();
  const whole = {};
  for (const format of ['csv', 'json', 'ndjson', 'parquet']) whole[format] = (await server.request(`/share/${id}/data.${format}`)).body;
  const engines = server.enginePids();
  assert.equal(engines.length, 1);
  // Stopped, so that none comes in its place.
  process.kill(engines[0], 'SIGSTOP');
  try {
    for (const [format, body] of Object.entries(whole)) {
      const answer = await server.request(`/share/${id}/data.${format}`);
      assert.ok(answer.status === 200 && answer.body.equals(body), format);
    }
    assert.match((await server.request(`/share/${id}`, { headers: kPage })).text, /1,000 rows/);
    assert.equal((await server.request(`/share/${id}/data.csv`, { headers: { Range: 'bytes=5-9' } })).text, whole.csv.subarray(5, 10).toString());
  } finally {
    process.kill(engines[0], 'SIGCONT');
  }
});

test('its files are bounded, survive a restart, and go when it has expired or was never finished', async (t) => {
  const server = await startServer(t, { flags: ['--share-max-frozen-bytes', '200KiB'] });
  const share = share_on(server);
  await server.insert('things', rows(10_000), { query: '?wait=true' });
  const answer = await server.api('/api/data/share', { body: JSON.stringify({ query: 'SELECT n, s FROM things', frozen: true }) });
  assert.match(problem(answer, 422, 'result-too-large').detail, /204800 bytes/);
  assert.deepEqual(frozen_files(server), []);
  const kept = await share({ query: 'SELECT n, s FROM things ORDER BY n LIMIT 100' });
  const short = await share({ query: 'SELECT 1 AS a', duration: 1, formats: ['json', 'ndjson'] });
  const csv = (await server.request(`/share/${kept.id}/data.csv`)).body;
  await server.stop();
  const [destination] = fs.readdirSync(path.join(server.dir, 'shares'));
  fs.writeFileSync(path.join(server.dir, 'shares', destination, '0192f3a4-0000-4000-8000-000000000000.csv'), 'half a');
  assert.equal(frozen_files(server).length, 12);
  await sleep(1100);
  await server.start();
  assert.deepEqual([...new Set(frozen_files(server).map((name) => name.slice(0, 36)))].length, 1, 'of the one that lives');
  assert.equal(frozen_files(server).length, 7);
  assert.ok((await server.request(`/share/${kept.id}/data.csv`)).body.equals(csv));
  problem(await server.request(`/share/${short.id}/data.csv`), 404);
});

test('the files of a destination that is deleted go with it', async (t) => {
  const server = await startServer(t);
  const made = await server.api('/api/destinations', { key: server.adminKey, body: JSON.stringify({ name: 'other', type: 'duckdb', settings: {} }) });
  assert.equal(made.status, 200, made.text);
  const { id: destination, api_key: key } = made.json();
  const answer = await server.api('/api/data/share', { key, body: JSON.stringify({ query: 'SELECT 1 AS a', frozen: true }) });
  assert.equal(answer.status, 200, answer.text);
  assert.equal((await server.request(`/share/${answer.json().id}/data.csv`)).text, 'a\n1\n');
  assert.equal((await server.api(`/api/destinations/${destination}`, { key: server.adminKey, method: 'DELETE' })).status, 204);
  problem(await server.request(`/share/${answer.json().id}/data.csv`), 404);
  assert.deepEqual(frozen_files(server), []);
});
