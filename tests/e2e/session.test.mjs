// Signing in to the dashboard: the cookie, who may use it, and its end.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { problem, startServer, useServer } from './lib.mjs';

const cookieOf = (answer) => /^(scratchdata_session_\d+=[^;]*)/.exec(answer.headers['set-cookie'][0])[1];
const json = { 'Content-Type': 'application/json' };

describe('signing in', () => {
  const server = useServer();
  const here = () => ({ Origin: server.url, 'Sec-Fetch-Site': 'same-origin' });
  const post = (body, headers = here()) => server.request('/api/session', { body: JSON.stringify(body), headers: { ...json, ...headers } });
  const signIn = async (key = server.adminKey) => {
    const answer = await post({ key });
    assert.equal(answer.status, 200, answer.text);
    return { cookie: cookieOf(answer), answer };
  };
  const as = (cookie, target, { headers = {}, ...options } = {}) => server.request(target, { ...options, headers: { Cookie: cookie, ...here(), ...headers } });

  it('with a key gives a cookie that no script reads and no other site sends', async () => {
    const { answer, cookie } = await signIn();
    const [line] = answer.headers['set-cookie'];
    for (const attribute of ['HttpOnly', 'SameSite=Strict', 'Path=/', 'Max-Age=2592000']) assert.ok(line.split('; ').includes(attribute), line);
    assert.ok(!line.includes('Secure'));
    assert.ok(!answer.text.includes(cookie.split('=')[1]) && !answer.text.includes(server.adminKey));
    assert.equal(answer.headers['cache-control'], 'no-store');
    const said = answer.json();
    assert.deepEqual([said.admin, said.destination, said.key.prefix], [true, null, server.adminKey.slice(0, 7)]);
    assert.ok(Date.parse(said.expires_at) > Date.now() + 29 * 86_400_000);
    assert.deepEqual((await as(cookie, '/api/session')).json(), said);
    const own = (await post({ key: server.key })).json();
    assert.deepEqual([own.key.tables, own.key.max_rows, own.key.max_bytes], [null, null, null]);
    const { api_key: limited } = (await server.api('/api/destinations/local/keys', { body: '{"tables":["a"],"max_rows":5,"max_bytes":1000}', key: server.adminKey })).json();
    const { key: theirs } = (await post({ key: limited })).json();
    assert.deepEqual([theirs.tables, theirs.max_rows, theirs.max_bytes], [['a'], 5, 1000]);
    assert.deepEqual([own.admin, own.destination.name, own.key.scopes], [false, 'local', ['insert', 'query', 'share', 'tail', 'admin']]);
  });

  it('does what its key does, and no more', async () => {
    const narrow = (await server.api('/api/destinations/local/keys', { body: '{"scopes":["query"]}', key: server.adminKey })).json();
    const { cookie } = await signIn(narrow.api_key);
    assert.deepEqual((await as(cookie, '/api/data/query', { body: 'SELECT 1 AS n' })).json(), [{ n: 1 }]);
    assert.match(problem(await as(cookie, '/api/data/share', { body: '{"query":"SELECT 1"}' }), 403).detail, /'share'/);
    problem(await as(cookie, '/api/destinations'), 403);
    const { cookie: admin } = await signIn();
    assert.equal((await as(admin, '/api/destinations')).status, 200);
    assert.equal((await as(admin, '/api/data/insert/by_session?wait=true', { body: '{"a":1}' })).status, 200);
    // A key that is sent beside it counts, and not the cookie.
    problem(await as(admin, '/api/destinations', { headers: { 'X-API-KEY': narrow.api_key } }), 403);
    problem(await as(admin, '/api/destinations', { headers: { 'X-API-KEY': 'wrong' } }), 401);
  });

  it('is of no use to pages of elsewhere, however they ask', async () => {
    const { cookie } = await signIn();
    const raw = (target, headers, options = {}) => server.request(target, { ...options, headers: { Cookie: cookie, ...headers } });
    const elsewhere = [
      { Origin: 'https://evil.example' }, { Origin: 'null' }, { Origin: `http://localhost:${server.port + 1}` }, { Origin: `http://127.0.0.1:${server.port + 1}`, 'Sec-Fetch-Site': 'same-site' },
      { 'Sec-Fetch-Site': 'cross-site' }, { 'Sec-Fetch-Site': 'same-site' }, { Origin: server.url, 'Sec-Fetch-Site': 'cross-site' }];
    for (const headers of elsewhere) {
      problem(await raw('/api/destinations', headers), 401);
      problem(await raw('/api/data/insert/x', headers, { body: '{"a":1}' }), 401);
      problem(await raw('/api/session', headers, { body: JSON.stringify({ key: server.adminKey }) }), 403);
      problem(await raw('/api/session', headers, { method: 'DELETE' }), 403);
    }
    // What changes something must say where it comes from; what was typed reads.
    problem(await raw('/api/data/insert/x', {}, { body: '{"a":1}' }), 401);
    problem(await raw('/api/data/insert/x', { 'Sec-Fetch-Site': 'none' }, { body: '{"a":1}' }), 401);
    problem(await raw('/api/data/insert/x?a=1', here()), 401);
    for (const headers of [{}, { 'Sec-Fetch-Site': 'none' }, here()]) assert.equal((await raw('/api/destinations', headers)).status, 200);
    assert.equal((await server.api('/api/tables/x')).status, 404);
    assert.equal((await raw('/api/destinations', here())).status, 200, 'it is still signed in');
  });

  it('ends by signing out, and with its key', async () => {
    const { cookie } = await signIn();
    const { cookie: second } = await signIn();
    const out = await as(cookie, '/api/session', { method: 'DELETE' });
    assert.equal(out.status, 204);
    assert.match(out.headers['set-cookie'][0], /^scratchdata_session_\d+=; .*Max-Age=0/);
    problem(await as(cookie, '/api/session'), 401);
    assert.equal((await as(second, '/api/session')).status, 200, 'the other browser is still signed in');
    assert.equal((await as(cookie, '/api/session', { method: 'DELETE' })).status, 204);
    const key = (await server.api('/api/destinations/local/keys', { body: '{}', key: server.adminKey })).json();
    const { cookie: third } = await signIn(key.api_key);
    assert.equal((await as(third, '/api/tables')).status, 200);
    assert.equal((await server.api(`/api/destinations/local/keys/${key.id}`, { method: 'DELETE', key: server.adminKey })).status, 204);
    problem(await as(third, '/api/tables'), 401);
  });

  it('refuses what is no key, and keys that see nothing', async () => {
    problem(await post({ key: 'sd_wrong' }), 401);
    problem(await post({ link: 'sd_wrong' }), 401);
    problem(await post({ link: server.adminKey }), 401);
    for (const bad of [{}, { key: '' }, { key: 'a', link: 'b' }, { kye: 'a' }, []]) problem(await post(bad), 400);
    await server.api('/api/endpoints', { body: '{"name":"e","query":"SELECT 1"}' });
    const locked = (await server.api('/api/destinations/local/keys', { body: '{"endpoints":["e"]}', key: server.adminKey })).json();
    assert.match(problem(await post({ key: locked.api_key }), 403).detail, /saved endpoints/);
    // Keys that everybody knows sign in on this machine only.
    assert.equal((await post({ key: 'local' })).status, 200);
    problem(await post({ key: 'local' }, { ...here(), 'X-Forwarded-For': '10.0.0.1' }), 401);
    const { cookie } = await signIn('local');
    problem(await as(cookie, '/api/tables', { headers: { 'X-Forwarded-For': '10.0.0.1' } }), 401);
  });
});

describe('the link of the first start', () => {
  it('signs in once, as admin', async (t) => {
    const server = await startServer(t, {});
    const [, url] = /(http:\/\/\S+#sign-in=\S+)/.exec(server.stdout);
    const [, link] = /#sign-in=(\S+)$/.exec(url);
    const post = () => server.request('/api/session', { body: JSON.stringify({ link }), headers: { ...json, Origin: server.url } });
    const answer = await post();
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.json().admin, true);
    const cookie = cookieOf(answer);
    problem(await post(), 401);
    // Sessions outlive the program; the link is printed once.
    await server.stop(); await server.start();
    assert.equal((await server.request('/api/destinations', { headers: { Cookie: cookie } })).status, 401, 'its port is another now');
    const again = cookie.replace(/_\d+=/, `_${server.port}=`);
    assert.equal((await server.request('/api/destinations', { headers: { Cookie: again } })).status, 200);
    assert.equal(server.stdout.match(/#sign-in=/g).length, 1);
  });
});

describe('behind https', () => {
  const server = useServer({ env: { SCRATCH_API_BASE_URL: 'https://data.example' } });
  it('the cookie is Secure, and pages of that name are ours', async () => {
    const headers = { ...json, Origin: 'https://data.example', Host: 'internal' };
    const answer = await server.request('/api/session', { body: JSON.stringify({ key: server.adminKey }), headers });
    assert.equal(answer.status, 200, answer.text);
    assert.ok(answer.headers['set-cookie'][0].endsWith('; Secure'));
    problem(await server.request('/api/session', { body: JSON.stringify({ key: server.adminKey }), headers: { ...headers, Origin: 'https://other.example' } }), 403);
  });
});
