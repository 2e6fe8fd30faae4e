// Who may see a share, how often, and what its owner learns of it: passwords, limits, frames, the log of downloads.
import assert from 'node:assert/strict';
import http from 'node:http';
import { before, describe, test } from 'node:test';
import { problem, sleep, startServer, useServer } from './lib.mjs';

const kPage = { Accept: 'text/html,application/xhtml+xml' };
const kForm = { 'Content-Type': 'application/x-www-form-urlencoded' };
const basic = (password, user = 'share') => ({ Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` });

// A download whose client takes its head and then nothing.
const hold = (server, path) => new Promise((resolve, reject) => {
  http.get({ host: '127.0.0.1', port: server.port, path, agent: false }, (answer) => {
    answer.pause();
    answer.on('error', () => {});
    resolve({ status: answer.statusCode, destroy: () => answer.destroy() });
  }).on('error', reject);
});

describe('a share', () => {
  const server = useServer({ flags: ['--api-base-url', 'https://data.example'] });
  async function share(spec) {
    const answer = await server.api('/api/data/share', { body: JSON.stringify({ query: 'SELECT n FROM people ORDER BY n', ...spec }) });
    assert.equal(answer.status, 200, answer.text);
    return answer.json();
  }
  const get = (id, rest = '', options = {}) => server.request(`/share/${id}${rest}`, options);
  const downloads = async (id, query = '') => (await server.api(`/api/shares/${id}/downloads${query}`)).json();

  before(() => server.insert('people', [{ n: 1 }, { n: 2 }, { n: 3 }]));

  describe('with a password', () => {
    test('asks programs for it by HTTP Basic, and takes any user name', async () => {
      const { id } = await share({ password: 'öffne dich: bitte' });
      const without = await get(id, '/data.csv');
      problem(without, 401, 'password-required');
      assert.match(without.headers['www-authenticate'], /Basic/);
      problem(await get(id, '/data.csv', { headers: basic('öffne dich') }), 401, 'wrong-password');
      problem(await get(id, '/data.csv', { headers: { Authorization: 'Bearer local' } }), 401, 'password-required');
      for (const user of ['share', '', 'anybody']) {
        const right = await get(id, '/data.csv', { headers: basic('öffne dich: bitte', user) });
        assert.equal(right.text, 'n\n1\n2\n3\n');
      }
      assert.equal((await get(id, '/data.csv', { method: 'HEAD' })).status, 401);
    });

    test('asks people for it with a form that needs no script, and remembers it for this share alone', async () => {
      const { id } = await share({ password: 'hunter2', name: 'Secret <name>' });
      const asked = await get(id, '', { headers: kPage });
      assert.equal(asked.status, 401);
      assert.match(asked.text, /<form method="post">/);
      assert.doesNotMatch(asked.text, /Secret|people|<td>/);
      assert.match(asked.headers['content-security-policy'], /form-action 'self'/);
      const wrong = await get(id, '', { method: 'POST', headers: { ...kPage, ...kForm }, body: 'password=hunter3' });
      assert.equal(wrong.status, 401);
      assert.match(wrong.text, /role="alert"[^>]*>This is not the password/);
      assert.equal(wrong.headers['set-cookie'], undefined);
      const right = await get(id, '', { method: 'POST', headers: { ...kPage, ...kForm }, body: 'password=hunter2' });
      assert.equal(right.status, 303, right.text);
      assert.equal(right.headers.location, `/share/${id}`);
      const [cookie] = right.headers['set-cookie'];
      for (const part of [`Path=/share/${id}`, 'HttpOnly', 'SameSite=Strict', 'Secure']) assert.ok(cookie.split('; ').includes(part), cookie);
      const [value] = cookie.split(';');
      assert.doesNotMatch(value, /hunter2/);
      const page = await get(id, '', { headers: { ...kPage, Cookie: `other=1; ${value}` } });
      assert.equal(page.status, 200);
      assert.match(page.text, /<h1>Secret &lt;name&gt;<\/h1>/);
      assert.match(page.text, /curl -u share:PASSWORD -o data\.csv/);
      assert.equal((await get(id, '/data.csv', { headers: { Cookie: value } })).status, 200);
      const other = await share({ password: 'hunter2' });
      problem(await get(other.id, '/data.csv', { headers: { Cookie: value } }), 401);
      for (const forged of [`${value}x`, value.slice(0, -4), 'share_password=', 'share_password=9999999999999999']) {
        problem(await get(id, '/data.csv', { headers: { Cookie: forged } }), 401);
      }
    });

    test('is not guessed: ten tries a minute, also with many at once, and the right one does not count', async () => {
      const { id } = await share({ password: 'hunter2' });
      for (let i = 0; i < 12; i += 1) assert.equal((await get(id, '/data.csv', { headers: basic('hunter2') })).status, 200);
      const answers = await Promise.all(Array.from({ length: 30 }, (_, i) => get(id, '/data.csv', { headers: basic(`guess ${i}`) })));
      const count = (status) => answers.filter((each) => each.status === status).length;
      assert.equal(count(401), 10);
      assert.equal(count(429), 20);
      const late = await get(id, '/data.csv', { headers: basic('hunter2') });
      problem(late, 429, 'too-many-passwords');
      assert.ok(Number(late.headers['retry-after']) >= 1 && Number(late.headers['retry-after']) <= 61);
      const page = await get(id, '', { method: 'POST', headers: { ...kPage, ...kForm }, body: 'password=hunter2' });
      assert.equal(page.status, 429);
      assert.match(page.text, /<form method="post">/);
    });

    test('says of neither the password nor its hash, and other requests go on while passwords are looked at', async () => {
      const { id } = await share({ password: 'a very long secret' });
      const listed = (await server.api('/api/shares')).text;
      assert.doesNotMatch(listed, /a very long secret|argon2/);
      assert.equal(JSON.parse(listed).data.find((each) => each.id === id).password, true);
      const began = Date.now();
      const tries = Array.from({ length: 8 }, () => get(id, '/data.csv', { headers: basic('x') }));
      assert.equal((await server.request('/livez')).status, 200);
      assert.ok(Date.now() - began < 1000);
      await Promise.all(tries);
    });

    test('ended, answers as one that never was, whatever password comes', async () => {
      const { id } = await share({ password: 'x', duration: 1 });
      await sleep(1100);
      const unknown = await get('00000000-0000-4000-8000-000000000000', '/data.csv', { headers: basic('x') });
      for (const headers of [{}, basic('x'), basic('y')]) {
        const ended = await get(id, '/data.csv', { headers });
        assert.equal(ended.status, 404);
        assert.equal(ended.text.replace(ended.headers['x-request-id'], ''), unknown.text.replace(unknown.headers['x-request-id'], ''));
      }
      assert.equal((await get(id, '', { method: 'POST', headers: kForm, body: 'password=x' })).status, 404);
    });
  });

  describe('with limits of its own', () => {
    test('gives no more rows than it may, and says nothing of the query', async () => {
      const { id } = await share({ query: 'SELECT n FROM people', max_rows: 2 });
      const answer = await get(id, '/data.csv');
      assert.match(problem(answer, 422, 'result-too-large').detail, /larger than may be sent here/);
      assert.doesNotMatch(answer.text, /people|SELECT|API key/);
      const enough = await share({ query: 'SELECT n FROM people', max_rows: 3 });
      assert.equal((await get(enough.id, '/data.csv')).status, 200);
    });

    test('stops what takes too long', async () => {
      const { id } = await share({ query: 'SELECT count(*) FROM range(100000000) a, range(100000) b WHERE (a.range * b.range) % 7 = 3', timeout_ms: 300 });
      const began = Date.now();
      const answer = await get(id, '/data.csv');
      assert.equal(answer.status, 504, answer.text);
      assert.ok(Date.now() - began < 4000);
      assert.doesNotMatch(answer.text, /range/);
    });

    test('has so many downloads at a time, and places come back', async () => {
      const { id } = await share({ query: 'SELECT range AS n, repeat(\'x\', 200) AS t FROM range(3000000)', max_simultaneous: 2 });
      const held = await Promise.all([1, 2].map(() => hold(server, `/share/${id}/data.csv`)));
      const third = await get(id, '/data.csv');
      problem(third, 503, 'share-busy');
      assert.ok(Number(third.headers['retry-after']) >= 1);
      for (const each of held) each.destroy();
      let status = 503;
      for (let i = 0; i < 50 && status === 503; i += 1) {
        await sleep(100);
        const again = await hold(server, `/share/${id}/data.csv`);
        status = again.status;
        again.destroy();
      }
      assert.equal(status, 200);
    });
  });

  test('is held in a frame only by the pages that its owner named', async () => {
    const plain = await get((await share({})).id);
    assert.match(plain.headers['content-security-policy'], /frame-ancestors 'none'/);
    assert.equal(plain.headers['x-frame-options'], 'DENY');
    const { id } = await share({ embed: true, origins: ['https://app.example.com', 'http://localhost:3000', 'https://*.example.org'] });
    const framed = await get(id);
    assert.match(framed.headers['content-security-policy'], /frame-ancestors https:\/\/app\.example\.com http:\/\/localhost:3000 https:\/\/\*\.example\.org$/);
    assert.equal(framed.headers['x-frame-options'], undefined);
    const listed = (await server.api('/api/shares')).json().data.find((each) => each.id === id);
    assert.equal(listed.embed, true);
    assert.equal(listed.origins.length, 3);
  });

  test('tells its owner of each download: when, which format, how much, and whether it was whole', async () => {
    const { id } = await share({});
    assert.deepEqual(await downloads(id), { data: [], next: null });
    const csv = await get(id, '/data.csv');
    await get(id, '/data.json');
    await get(id, '/data.csv', { method: 'HEAD' });
    await get(id, '/data.nothing');
    await get(id);
    let log = { data: [] };
    for (let i = 0; i < 50 && log.data.length < 2; i += 1) {
      await sleep(20);
      log = await downloads(id);
    }
    assert.deepEqual(log.data.map(({ format, bytes, complete, address }) => ({ format, bytes, complete, address })), [
      { format: 'csv', bytes: csv.body.length, complete: true, address: null },
      { format: 'json', bytes: 28, complete: true, address: null }]);
    assert.ok(Math.abs(Date.parse(log.data[0].at) - Date.now()) < 20_000);
    const first = await downloads(id, '?limit=1');
    assert.equal(first.data.length, 1);
    const second = await downloads(id, `?limit=1&after=${first.next}`);
    assert.equal(second.data[0].format, 'json');
    problem(await server.api(`/api/shares/${id}/downloads`, { key: null }), 401);
    problem(await server.api('/api/shares/00000000-0000-4000-8000-000000000000/downloads'), 404);
  });

  test('shows the types of its columns and the first 100 rows', async () => {
    const { id } = await share({ query: "SELECT range AS n, 1.5::DECIMAL(9,2) AS price, {'a': 1} AS s FROM range(1000)" });
    const { text } = await get(id);
    assert.match(text, /<th[^>]*>n<span class="type">BIGINT<\/span>/);
    assert.match(text, /<span class="type">DECIMAL\(9,2\)<\/span>/);
    assert.match(text, /<span class="type">STRUCT\(a INTEGER\)<\/span>/);
    assert.equal(text.match(/<tr>/g).length, 101);
    assert.match(text, /The first 100 rows/);
  });
});

test('a spreadsheet gets no formula, of a share and of a query', async (t) => {
  const server = await startServer(t, {});
  await server.insert('cells', [{ n: -1, t: '=HYPERLINK("http://x.example")' }, { n: 2, t: 'ä+b' }], { query: '?wait=true' });
  const made = (await server.api('/api/data/share', { body: '{"query":"SELECT n, t FROM cells ORDER BY n"}' })).json();
  const expected = '\ufeffn,t\n-1,"\'=HYPERLINK(""http://x.example"")"\n2,ä+b\n';
  const page = await server.request(`/share/${made.id}`);
  assert.ok(page.text.includes(`href="${made.id}/data.csv?spreadsheet=true"`));
  assert.equal((await server.request(`/share/${made.id}/data.csv?spreadsheet=true`)).text, expected);
  assert.doesNotMatch((await server.request(`/share/${made.id}/data.csv`)).text, /^\ufeff|'=/);
  problem(await server.request(`/share/${made.id}/data.csv?spreadsheet=maybe`), 400, 'invalid-parameter');
  assert.equal((await server.sql('SELECT n, t FROM cells ORDER BY n', { query: '?format=csv&spreadsheet=true' })).text, expected);
  assert.equal((await server.api('/api/data/query', { body: JSON.stringify({ query: 'SELECT n, t FROM cells ORDER BY n', format: 'csv', spreadsheet: true }) })).text, expected);
});

test('addresses are in the log of downloads where the operator wants them', async (t) => {
  const server = await startServer(t, { flags: ['--share-log-addresses', 'true'] });
  const made = (await server.api('/api/data/share', { body: '{"query":"SELECT 1 AS a"}' })).json();
  await server.request(`/share/${made.id}/data.csv`);
  let log = [];
  for (let i = 0; i < 50 && log.length === 0; i += 1) {
    await sleep(20);
    log = (await server.api(`/api/shares/${made.id}/downloads`)).json().data;
  }
  assert.equal(log[0].address, '127.0.0.1');
});

test('links are shown again after a restart with the same secret key, and with another one they still serve', async (t) => {
  const server = await startServer(t, {});
  const made = (await server.api('/api/data/share', { body: '{"query":"SELECT 1 AS a"}' })).json();
  await server.stop();
  await server.start();
  assert.equal((await server.api('/api/shares')).json().data[0].url, made.url.replace(/:\d+\//, `:${server.port}/`));
  await server.stop();
  server.env = { ...server.env, SCRATCH_SECRET_KEY: '5'.repeat(64) };
  await server.start();
  const [listed] = (await server.api('/api/shares')).json().data;
  assert.equal(listed.url, null);
  assert.equal((await server.request(`/share/${made.id}/data.csv`)).text, 'a\n1\n');
  assert.equal((await server.api(`/api/shares/${listed.id}`, { method: 'DELETE' })).status, 204);
  assert.equal((await server.request(`/share/${made.id}/data.csv`)).status, 404);
});
