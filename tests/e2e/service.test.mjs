// What is there around the data: keys, CORS, request ids, probes, metrics, the connection's manners, start and stop,
// what a data directory survives, and configuration.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { describe, it } from 'node:test';
import { checkDuckdbFile, holdFile, localFile } from './duckdb.mjs';
import { RawSocket, Server, binary, eventually, parseMetrics, problem, request, runBinary, serverRoutes, sleep, startServer, temporaryDirectory, useServer } from './lib.mjs';

const kForm = { 'Content-Type': 'application/x-www-form-urlencoded' };
const basic = (user, password) => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

describe('keys', () => {
  const server = useServer();
  const cli = (...args) => runBinary(['key', ...args, '--data-dir', server.dir]);
  const create = async (...args) => {
    const made = await cli('create', '--destination', 'local', ...args);
    assert.equal(made.code, 0, made.stderr);
    const secret = made.stdout.trim();
    assert.match(secret, /^sd_[0-9A-Za-z]{40,}$/);
    // A running server knows it within a second.
    await eventually('the key to be known', async () => (await server.api('/api/data/query', { key: secret, body: 'SELECT 1' })).status !== 401, 1000);
    return secret;
  };

  it('work in every way: Bearer, X-API-KEY, Basic as user or password, query string, form field', async () => {
    const { key } = server;
    const sql = 'SELECT 1 AS a';
    const target = '/api/data/query';
    for (const [how, answer] of Object.entries({
      bearer: await server.request(target, { body: sql, headers: { Authorization: `Bearer ${key}` } }),
      'bearer in lower case': await server.request(target, { body: sql, headers: { Authorization: `bearer ${key}` } }),
      header: await server.request(target, { body: sql, headers: { 'X-API-KEY': key } }),
      'basic user': await server.request(target, { body: sql, headers: { Authorization: basic(key, '') } }),
      'basic user with any password': await server.request(target, { body: sql, headers: { Authorization: basic(key, 'x') } }),
      'basic password': await server.request(target, { body: sql, headers: { Authorization: basic('api', key) } }),
      query: await server.request(`${target}?api_key=${key}`, { body: sql }),
      form: await server.request(target, { body: `api_key=${key}&query=${encodeURIComponent(sql)}`, headers: kForm }),
      'insert by a form': await server.request('/api/data/insert/k', { body: `api_key=${key}&a=1`, headers: kForm }),
      'admin key': await server.request(target, { body: sql, headers: { 'X-API-KEY': server.adminKey } }),
      'admin key with the destination': await server.request(`${target}?destination_id=local`, { body: sql, headers: { 'X-API-KEY': server.adminKey } }),
    })) assert.equal(answer.status, 200, `${how}: ${answer.text}`);
    problem(await server.request(`${target}?destination_id=nobody`, { body: sql, headers: { 'X-API-KEY': server.adminKey } }), 404);
  });

  it('missing or wrong: 401 with WWW-Authenticate, and nothing happens', async () => {
    const { key } = server;
    for (const headers of [{}, { 'X-API-KEY': 'wrong' }, { 'X-API-KEY': `${key}x` }, { 'X-API-KEY': key.slice(0, -1) }, { Authorization: 'Bearer ' },
      { Authorization: 'Bearer sd_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' }, { Authorization: 'Basic !!!' }, { Authorization: basic('x', 'y') }, { Authorization: `Digest ${key}` }]) {
      for (const [target, body] of [['/api/data/query', 'SELECT 1'], ['/api/data/insert/nothing', '{"a":1}']]) {
        const answer = await server.request(target, { body, headers });
        problem(answer, 401);
        assert.match(answer.headers['www-authenticate'], /Bearer/);
        assert.ok(!answer.text.includes(key));
      }
    }
    problem(await server.sql('SELECT * FROM nothing'), 400);
  });

  it('a known key without the scope: 403 that names it', async () => {
    const [writer, reader] = [await create('--scopes', 'insert'), await create('--scopes', 'query')];
    assert.equal((await server.api('/api/data/insert/scoped', { key: writer, body: '{"a":1}' })).status, 200);
    assert.equal((await server.api('/api/data/query', { key: reader, body: 'SELECT count(*) AS n FROM scoped' })).json()[0].n, 1);
    assert.match(problem(await server.api('/api/data/query', { key: writer, body: 'SELECT 1' }), 403).detail, /query/);
    assert.match(problem(await server.api('/api/data/insert/scoped', { key: reader, body: '{"a":1}' }), 403).detail, /insert/);
    assert.match(problem(await server.api('/api/data/share', { key: reader, body: '{"query":"SELECT 1","duration":60}' }), 403).detail, /share/);
    assert.equal(await server.value('SELECT count(*) FROM scoped'), 1);
  });

  it('limited to tables: the others are 403', async () => {
    const key = await create('--scopes', 'insert', '--tables', 'mine,ours');
    assert.equal((await server.api('/api/data/insert/mine', { key, body: '{"a":1}' })).status, 200);
    problem(await server.api('/api/data/insert/yours', { key, body: '{"a":1}' }), 403);
    problem(await server.sql('SELECT * FROM yours'), 400);
  });

  it('revoked while the server runs: over within a second', async () => {
    const secret = await create('--name', 'short-lived');
    assert.equal((await server.api('/api/data/query', { key: secret, body: 'SELECT 1' })).status, 200);
    const [, id] = /Key (\S+) for/.exec((await cli('create', '--destination', 'local', '--name', 'other')).stderr);
    assert.equal((await cli('revoke', id)).code, 0);
    const revoked = await cli('revoke', secret);
    assert.equal(revoked.code, 0, revoked.stderr);
    const began = Date.now();
    await eventually('401', async () => (await server.api('/api/data/query', { key: secret, body: 'SELECT 1' })).status === 401, 1000, 10);
    assert.ok(Date.now() - began < 1000);
    const list = await cli('list');
    assert.match(list.stdout, /short-lived/);
    assert.ok(!list.stdout.includes(secret));
  });

  it('are stored as hashes only', () => {
    for (const file of fs.readdirSync(server.dir).filter((f) => f.startsWith('catalog'))) {
      const bytes = fs.readFileSync(path.join(server.dir, file));
      for (const secret of [server.key, server.adminKey]) assert.equal(bytes.indexOf(secret), -1, file);
    }
  });

  it('`local` works from this machine only: no foreign page, no proxy, no other Host', async () => {
    const ask = (headers) => server.request('/api/data/query?api_key=local', { body: 'SELECT 1 AS a', headers });
    for (const headers of [{}, { Host: 'localhost:1' }, { Host: '[::1]' }, { Origin: 'http://localhost:3000' }, { Origin: 'http://127.0.0.1:8080' }]) {
      assert.equal((await ask(headers)).status, 200, JSON.stringify(headers));
    }
    for (const headers of [{ Origin: 'https://evil.example' }, { Origin: 'null' }, { Host: 'evil.example' }, { Host: 'localhost.evil.example' }, { Host: '127.0.0.1.evil.example' },
      { Origin: 'http://localhost.evil.example' }, { Forwarded: 'for=1.2.3.4' }, { 'X-Forwarded-For': '1.2.3.4' }, { 'X-Real-IP': '1.2.3.4' }, { Via: '1.1 proxy' }]) {
      problem(await ask(headers), 401);
      // A real key works there.
      assert.equal((await server.request('/api/data/query', { body: 'SELECT 1', headers: { ...headers, 'X-API-KEY': server.key } })).status, 200, JSON.stringify(headers));
    }
  });

  it('`local` works for no page of another site, also where the browser sends no Origin', async () => {
    const page = '/path?x=1#y';
    const allowed = [
      { 'Sec-Fetch-Site': 'none' }, { 'Sec-Fetch-Site': 'same-origin' },
      { Referer: `http://localhost:3000${page}` }, { Referer: `http://127.0.0.1:8080${page}` }, { Referer: `http://[::1]:8080${page}` },
      { Referer: server.url }, { Referer: `${server.url}/` },
      { Referer: `${server.url}/`, 'Sec-Fetch-Site': 'same-origin', Origin: server.url },
    ];
    const foreign = [
      { 'Sec-Fetch-Site': 'cross-site' }, { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'image' },
      { 'Sec-Fetch-Site': 'cross-site', Referer: `${server.url}/`, Origin: server.url },
      { Referer: `https://evil.example${page}` }, { Referer: 'https://evil.example' }, { Referer: 'http://localhost.evil.example:8080/' },
      { Referer: 'http://127.0.0.1.evil.example/' }, { Referer: 'http://evil.example/?http://localhost/' }, { Referer: 'localhost' },
      { Referer: 'https://evil.example/', 'Sec-Fetch-Site': 'none' }, { Referer: 'https://evil.example/', Origin: server.url },
      { 'X-Forwarded-Host': 'localhost' }, { 'X-Forwarded-Proto': 'https' }, { Via: '1.1 localhost' }, { Forwarded: 'for=127.0.0.1;host=localhost' },
    ];
    const ask = (headers, key) => server.request(`/api/data/query?api_key=${key}`, { body: 'SELECT 1 AS a', headers });
    for (const headers of allowed) assert.equal((await ask(headers, 'local')).status, 200, JSON.stringify(headers));
    for (const headers of foreign) {
      const said = JSON.stringify(headers);
      const refused = await ask(headers, 'local');
      assert.equal(refused.status, 401, said);
      problem(refused, 401);
      // An image or a form in a foreign page: nothing is stored.
      problem(await server.request('/api/data/insert/planted?api_key=local&a=1&pixel=1', { headers }), 401);
      problem(await server.request('/api/data/insert/planted', { body: 'api_key=local&a=1', headers: { ...kForm, ...headers } }), 401);
      // A key that somebody made is for every page that has it.
      assert.equal((await ask(headers, server.key)).status, 200, said);
    }
    problem(await server.sql('SELECT * FROM planted'), 400);
  });

  it('`local` works for a page of this machine at port 80, whose Referer names no port', async () => {
    for (const host of ['localhost', '127.0.0.1', '[::1]']) {
      const answer = await server.request('/api/data/query?api_key=local', { body: 'SELECT 1 AS a', headers: { Referer: `http://${host}/page` } });
      assert.equal(answer.status, 200, `http://${host}/page: ${answer.text}`);
    }
  });

  it('`local` works for a page at another port of this machine, with what browsers send along', async () => {
    for (const host of ['localhost', '127.0.0.1']) {
      const from = `http://${host}:3000`;
      const headers = { Host: `${host}:${server.port}`, Origin: from, Referer: `${from}/`, 'Sec-Fetch-Site': 'same-site', 'Sec-Fetch-Mode': 'cors' };
      const answer = await server.request('/api/data/query?api_key=local', { body: 'SELECT 1 AS a', headers });
      assert.equal(answer.status, 200, `${JSON.stringify(headers)}: ${answer.text}`);
    }
  });

  it('without a key nothing is said but 401: not that the name is bad, nor that the disk is full', async (t) => {
    const full = await startServer(t, { flags: ['--journal-min-free-bytes', '1000000TB'] });
    const refused = await eventually('the disk to be full', async () => {
      const answer = await full.api('/api/data/insert/t', { body: '{"a":1}' });
      return answer.status === 503 ? answer : null;
    });
    problem(refused, 503, 'disk-full');
    assert.match(refused.headers['retry-after'], /^\d+$/);
    for (const [asked, table] of [[server, 'x'.repeat(300)], [server, 'a%00b'], [full, 't'], [full, 'x'.repeat(300)]]) {
      const target = `/api/data/insert/${table}`;
      problem(await asked.request(target, { body: '{"a":1}' }), 401);
      problem(await asked.request(target, { body: 'a=1', headers: kForm }), 401);
      problem(await asked.request(target, { body: '{"a":1}', headers: { 'Idempotency-Key': 'x' } }), 401);
      problem(await asked.request(`${target}?a=1`), 401);
      problem(await asked.request(`${target}?api_key=wrong`, { body: `{"a":"${'x'.repeat(2_000_000)}"}` }), 401);
    }
    // To one with a key each says what it is.
    for (const table of ['x'.repeat(300), 'a%00b']) problem(await server.api(`/api/data/insert/${table}`, { body: '{"a":1}' }), 400, 'invalid-table-name');
  });

  it('without a key every route of the API answers 401, whatever is sent; the public ones as documented', async () => {
    // The server's own table, so that a route that is added later is asked too.
    const routes = new Map();
    for (const [method, pattern] of serverRoutes()) routes.set(pattern, [...(routes.get(pattern) ?? []), method]);
    assert.ok(routes.size >= 20 && routes.has('/api/data/share'), [...routes.keys()].join(' '));
    const shown = { '/': 200, '/livez': 200, '/readyz': 200, '/healthcheck': 200, '/metrics': 200, '/share/{id}': 404,
      '/docs': 200, '/docs/{file}': 404, '/assets/{file}': 404, '/api/openapi.json': 200, '/share/{id}/data.{format}': 404, '/api/data/share': 405, '/api/data/query/share': 405 };
    const answered = { 'POST /share/{id}': 404, // where the form of a share's password goes
      'DELETE /api/session': 204 }; // nobody is signed out
    const bodies = [undefined, '{}', '[]', '{"query":"SELECT 1"}', 'SELECT 1', 'a=1&query=SELECT+1'];
    const id = '0d9f5c3e-8a43-4c6e-9d11-3f6f0a4b2c1d';
    // Where the most literal pattern has no such method, another one that fits is asked.
    const taker = (method, own, target) => [own, ...routes.keys()].find((pattern) => routes.get(pattern).includes(method) &&
      new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(target));
    for (const own of routes.keys()) {
      const target = own.replace('{table}', 'anonymous').replace('{format}', 'csv').replaceAll(/\{\w+\}/g, id);
      for (const method of ['POST', 'GET', 'PATCH', 'DELETE', 'PUT']) {
        const pattern = taker(method, own, target);
        const wanted = pattern === undefined ? 405 : (method === 'GET' ? shown[pattern] : answered[`${method} ${pattern}`]) ?? 401;
        for (const body of method === 'GET' ? [undefined] : bodies) {
          for (const headers of [{}, kForm, { 'X-API-KEY': 'wrong' }]) {
            // It takes a key in its body.
            if (pattern === '/api/session' && method === 'POST') continue;
            // It shows what the key may call: a wrong one is an error there too.
            if (pattern === '/api/openapi.json' && headers['X-API-KEY'] && method === 'GET') continue;
            const answer = await server.request(target, { method, body, headers });
            assert.equal(answer.status, wanted, `${method} ${target} ${body} ${JSON.stringify(headers)}: ${answer.text}`);
            if (wanted === 401) assert.match(answer.headers['www-authenticate'], /Bearer/);
          }
        }
      }
    }
    problem(await server.sql('SELECT * FROM anonymous'), 400);
    assert.deepEqual((await server.api('/api/shares')).json().data, []);
  });

  it('without a key a request that is malformed besides is 401 too', async () => {
    const told = [];
    for (const [target, body] of [['/api/data/query', '{'], ['/api/data/query', '{"nonsense":1}'], ['/api/data/query?quote_int64=perhaps', 'SELECT 1'],
      ['/api/data/insert/t?wait=later', '{"a":1}'], ['/api/data/insert/t?flatten=sideways', '{"a":1}'], ['/api/data/insert/t', '{"a":'],
      ['/api/data/share', '{'], ['/api/data/share', '{"nonsense":1}'], ['/api/destinations', '{'], ['/api/destinations?limit=x', '{}'],
      ['/api/destinations/local/keys', '{']]) {
      const answer = await server.request(target, { body });
      if (answer.status !== 401) told.push(`${target} ${body}: ${answer.status} ${answer.json().detail}`);
    }
    assert.deepEqual(told, []);
  });

  it('`local` and an open listener: refused at the start where somebody configured it, gone where it is built in', async (t) => {
    const config = path.join(temporaryDirectory(), 'config.yaml');
    fs.writeFileSync(config, 'destinations:\n  - type: duckdb\n    name: mine\n    api_keys: [local]\n');
    const refused = await runBinary(['serve', '--config', config, '--data-dir', path.join(temporaryDirectory(), 'data'), '--listen', '0.0.0.0:0']);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /local/);
    assert.equal(refused.stderr.trim().split('\n').length, 1, refused.stderr);
    const open = new Server({ flags: ['--listen', '0.0.0.0:0'] });
    t.after(() => open.destroy());
    await open.start();
    const url = `http://127.0.0.1:${open.port}`;
    assert.equal((await request(url, '/api/data/query?api_key=local', { body: 'SELECT 1' })).status, 401);
    assert.equal((await request(url, '/api/data/query', { body: 'SELECT 1', headers: { 'X-API-KEY': open.key } })).status, 200);
  });
});

describe('manners', () => {
  const server = useServer();

  it('CORS: anybody may ask, without credentials', async () => {
    const preflight = await server.request('/api/data/insert/t', { method: 'OPTIONS', headers: { Origin: 'https://a.example', 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'authorization, content-type' } });
    assert.ok([200, 204].includes(preflight.status), preflight.text);
    assert.equal(preflight.headers['access-control-allow-origin'], '*');
    assert.match(preflight.headers['access-control-allow-methods'], /POST/);
    for (const name of ['Authorization', 'X-API-KEY', 'Content-Type', 'Content-Encoding', 'Idempotency-Key', 'Last-Event-ID']) {
      assert.ok(preflight.headers['access-control-allow-headers'].toLowerCase().split(/, */).includes(name.toLowerCase()), name);
    }
    assert.equal(preflight.headers['access-control-allow-credentials'], undefined);
    for (const answer of [await server.sql('SELECT 1', { key: server.key, headers: { Origin: 'https://a.example' } }), await server.request('/api/data/query', { body: 'SELECT 1' }), await server.request('/nowhere')]) {
      assert.equal(answer.headers['access-control-allow-origin'], '*');
      for (const name of ['X-Request-Id', 'X-Query-Id', 'Retry-After']) assert.ok(answer.headers['access-control-expose-headers'].includes(name), name);
    }
  });

  it('every answer has a request id: the one that came, if it is sane', async () => {
    const ask = async (id, target = '/api/data/query') => (await server.request(target, { headers: id === undefined ? {} : { 'X-Request-Id': id } })).headers['x-request-id'];
    assert.equal(await ask('abc-123_4.5'), 'abc-123_4.5');
    assert.equal(await ask('abc', '/healthcheck'), 'abc');
    for (const bad of [undefined, 'x'.repeat(5000), 'a b<script>', '{"json":1}']) {
      const made = await ask(bad);
      assert.ok(made && made !== bad && /^[\w.-]{8,128}$/.test(made), `${bad?.slice(0, 20)} → ${made}`);
    }
    assert.notEqual(await ask(), await ask());
  });

  it('unknown paths are 404, wrong methods 405 with Allow', async () => {
    problem(await server.request('/nowhere'), 404);
    problem(await server.request('/api/data/insert'), 404);
    const wrong = await server.request('/api/data/query', { method: 'DELETE' });
    problem(wrong, 405);
    assert.match(wrong.headers.allow, /GET/);
    assert.match(wrong.headers.allow, /POST/);
    problem(await server.request('/api/data/insert/t', { method: 'PUT', body: '{}' }), 405);
  });

  it('HEAD has the headers of GET and no body', async () => {
    for (const target of ['/healthcheck', '/', '/api/data/query?api_key=local&query=SELECT%201']) {
      const [get, head] = [await server.request(target), await server.request(target, { method: 'HEAD' })];
      assert.equal(head.status, get.status, target);
      assert.equal(head.headers['content-type'], get.headers['content-type'], target);
      assert.equal(head.body.length, 0);
    }
    const socket = await RawSocket.open(server.port);
    socket.send('HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\nHEAD /nowhere HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    const text = await socket.closed();
    assert.equal(text.match(/HTTP\/1\.1 /g).length, 2);
    assert.ok(text.endsWith('\r\n\r\n'));
  });

  it('pipelined requests are answered in their order', async () => {
    const socket = await RawSocket.open(server.port);
    let text = '';
    for (let i = 0; i < 20; i += 1) {
      const body = `{"i":${i}}`;
      text += `POST /api/data/insert/piped?api_key=local HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: insert-${i}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
      const sql = 'SELECT count(*) AS n FROM piped';
      text += `POST /api/data/query?api_key=local HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: query-${i}\r\nContent-Length: ${sql.length}\r\n\r\n${sql}`;
    }
    socket.send(text);
    const got = await socket.until((t) => t.includes('"n":20'), 20_000);
    socket.destroy();
    const ids = [...got.matchAll(/X-Request-Id: (\S+)/gi)].map((m) => m[1]);
    assert.deepEqual(ids, Array.from({ length: 20 }, (_, i) => [`insert-${i}`, `query-${i}`]).flat());
    assert.deepEqual([...got.matchAll(/"n":(\d+)/g)].map((m) => Number(m[1])), Array.from({ length: 20 }, (_, i) => i + 1));
  });

  it('dubious framing is refused and the connection ends', async () => {
    for (const head of ['Content-Length: 5,5', 'Content-Length: 5\r\nContent-Length: 6', 'Transfer-Encoding: xchunked', 'Transfer-Encoding: chunked\r\nContent-Length: 5', 'Host: other', 'X: a\r\n folded', 'X : a', 'Content-Length: -1']) {
      const socket = await RawSocket.open(server.port);
      socket.send(`POST /api/data/insert/smuggled?api_key=local HTTP/1.1\r\nHost: localhost\r\n${head}\r\n\r\n{"a":1}`);
      const text = await socket.closed();
      assert.match(text, /^HTTP\/1\.1 (400|501) /, head);
    }
    problem(await server.sql('SELECT * FROM smuggled'), 400);
  });

  it('a head of more than 64 KiB is 431', async () => {
    const answer = await server.request('/', { headers: { 'X-Long': 'x'.repeat(70_000) } });
    assert.equal(answer.status, 431);
  });

  it('a client that is too slow with its head or its next request is cut off; too many at a time get 503', async (t) => {
    const strict = await startServer(t, { config: 'api:\n  header_timeout: 1\n  idle_timeout: 1\n  max_connections: 6\n' });
    const slow = await RawSocket.open(strict.port);
    slow.send('GET /livez HTTP/1.1\r\nHost: loc');
    const idle = await RawSocket.open(strict.port);
    idle.send('GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await idle.until((text) => text.endsWith('ok\n'));
    assert.match(await slow.closed(4000), /^(HTTP\/1\.1 408 |$)/);
    await idle.closed(4000);
    const many = await Promise.all(Array.from({ length: 12 }, () => RawSocket.open(strict.port)));
    for (const socket of many) socket.send('GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await eventually('answers on all', () => many.every((socket) => socket.received !== '' || socket.ended), 3000);
    const refused = many.filter((socket) => socket.received.startsWith('HTTP/1.1 503'));
    assert.ok(refused.length >= 5 && refused.length < 12, `${refused.length} of 12 refused`);
    for (const socket of many) socket.destroy();
    await eventually('room', async () => (await strict.request('/livez', { agent: undefined })).status === 200, 3000);
  });

  it('HTTP/1.0 and Connection: close end with their answer', async () => {
    for (const [version, header] of [['1.0', ''], ['1.1', 'Connection: close\r\n']]) {
      const sql = 'SELECT i FROM range(3) t(i)';
      const socket = await RawSocket.open(server.port);
      socket.send(`POST /api/data/query?format=csv&api_key=local HTTP/${version}\r\nHost: localhost\r\n${header}Content-Length: ${sql.length}\r\n\r\n${sql}`);
      const text = await socket.closed();
      assert.match(text, /^HTTP\/1\.1 200 /);
      assert.match(text, /i\r?\n0\n1\n2\n/);
      if (version === '1.0') assert.ok(!/transfer-encoding/i.test(text), 'chunks mean nothing to HTTP/1.0');
    }
  });

  it('both loopbacks are listened on, and `local` works on both', async (t) => {
    const both = await startServer(t, { flags: ['--listen', '127.0.0.1:0', '--listen', '[::1]:0'] });
    assert.equal(both.urls.length, 2);
    for (const url of both.urls) {
      const answer = await request(url, '/api/data/query?api_key=local', { body: 'SELECT 1 AS a' });
      assert.equal(answer.status, 200, `${url}: ${answer.text}`);
    }
  });
});

describe('probes and metrics', () => {
  it('/healthcheck is 503 while the file exists; /livez and /readyz are not touched; none needs a key', async (t) => {
    const file = path.join(temporaryDirectory(), 'unhealthy');
    const server = await startServer(t, { config: `api:\n  healthcheck_fail_file: ${file}\n` });
    for (const target of ['/healthcheck', '/livez', '/readyz']) assert.equal((await server.request(target)).status, 200);
    fs.writeFileSync(file, '');
    problem(await server.request('/healthcheck'), 503);
    assert.equal((await server.request('/livez')).status, 200);
    fs.unlinkSync(file);
    assert.equal((await server.request('/healthcheck')).status, 200);
  });

  it('/metrics counts what happened', async (t) => {
    const server = await startServer(t, {});
    for (let i = 0; i < 5; i += 1) await server.insert('t', [{ i }, { i }]);
    await server.insert('t', '{"a":1}\nbad\n', { query: '?wait=true' });
    assert.equal(await server.value('SELECT count(*) FROM t'), 11);
    await server.sql('SELECT * FROM nowhere');
    const metrics = await server.metrics();
    const local = { destination: 'local' };
    assert.equal(metrics('scratchdata_rows_acknowledged_total', local), 11);
    assert.equal(metrics('scratchdata_rows_loaded_total', local), 11);
    assert.equal(metrics('scratchdata_rows_failed_total', local), 1);
    assert.equal(metrics('scratchdata_lag_rows', local), 0);
    assert.equal(metrics('scratchdata_lag_seconds', local), 0);
    assert.ok(metrics('scratchdata_journal_bytes', local) > 0);
    assert.ok(metrics('scratchdata_journal_sync_seconds_count', local) >= 6);
    assert.ok(metrics('scratchdata_query_seconds_count', local) >= 2);
    assert.equal(metrics('scratchdata_engine_up'), 1);
    assert.equal(metrics('scratchdata_http_requests_total', { route: '/api/data/insert/{table}', status: '200' }), 6);
    assert.equal(metrics('scratchdata_http_requests_total', { route: '/api/data/query', status: '400' }), 1);
    assert.ok(metrics('scratchdata_http_request_duration_seconds_count', { route: '/api/data/insert/{table}' }) >= 6);
    assert.ok(!metrics.text.includes(server.key) && !metrics.text.includes('local"}}'));
  });

  it('counts rows that were loaded after a restart, and lag falls to 0', async (t) => {
    const server = await startServer(t, {});
    await server.insert('t', [{ a: 1 }, { a: 2 }]);
    await server.kill();
    await server.start();
    await eventually('no lag', async () => (await server.metrics())('scratchdata_lag_rows') === 0, 10_000);
    assert.equal(await server.value('SELECT count(*) FROM t'), 2);
  });

  it('prometheus.port serves /metrics too, with its login', async (t) => {
    const probe = net.createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => { probe.once('listening', resolve); });
    const { port } = probe.address();
    await new Promise((resolve) => { probe.close(resolve); });
    const server = await startServer(t, { config: `prometheus:\n  enabled: true\n  port: ${port}\n  username: prom\n  password: secret\n` });
    const url = `http://127.0.0.1:${port}`;
    assert.equal((await request(url, '/metrics')).status, 401);
    assert.equal((await request(url, '/metrics', { headers: { Authorization: basic('prom', 'wrong') } })).status, 401);
    const answer = await request(url, '/metrics', { headers: { Authorization: basic('prom', 'secret') } });
    assert.equal(answer.status, 200);
    assert.ok(parseMetrics(answer.text).names.has('scratchdata_journal_bytes'));
    assert.equal((await request(url, '/api/data/query?api_key=local', { body: 'SELECT 1', headers: { Authorization: basic('prom', 'secret') } })).status, 404);
    assert.ok(server.url);
  });

  it('logs are JSON on request, with request ids, and hold no secret, row or SQL', async (t) => {
    const server = await startServer(t, { logLevel: 'debug', flags: ['--logging-json-format', 'true'] });
    await server.request(`/api/data/insert/t?api_key=${server.key}`, { body: '{"password":"hunter2"}', headers: { 'X-Request-Id': 'find-me-1' } });
    await server.request(`/api/data/query?api_key=${server.key}`, { body: "SELECT 'hunter2'" });
    await server.stop();
    const lines = server.stderr.trim().split('\n').map((line) => JSON.parse(line));
    assert.ok(lines.some((l) => JSON.stringify(l).includes('find-me-1')));
    assert.ok(!server.stderr.includes('hunter2'), 'a row or SQL in the log');
    assert.ok(!server.stderr.includes(server.key) && !server.stderr.includes(server.adminKey), 'a key in the log');
  });
});

describe('start and stop', () => {
  it('SIGTERM leaves a DuckDB file without a log beside it that holds every acknowledged row', async (t) => {
    const server = await startServer(t, {});
    let writing = true;
    let acknowledged = 0;
    const writers = Array.from({ length: 16 }, async () => {
      while (writing) {
        const answer = await server.api('/api/data/insert/t', { body: '[{"a":1},{"a":2},{"a":3}]' }).catch(() => null);
        if (answer?.status === 200) acknowledged += 3;
        else if (answer) assert.equal(answer.status, 503, answer.text);
        else await sleep(10);
      }
    });
    await sleep(700);
    const took = await server.stop();
    writing = false;
    await Promise.all(writers);
    assert.ok(acknowledged > 100, `${acknowledged} rows`);
    assert.ok(took < 10_000, `${took} ms`);
    assert.equal(checkDuckdbFile(server.dir, 'SELECT count(*) FROM t'), BigInt(acknowledged));
    await server.start();
    assert.equal(await server.value('SELECT count(*) FROM t'), acknowledged);
  });

  it('SIGTERM lets requests in flight finish', async (t) => {
    const server = await startServer(t, {});
    const running = server.sql('SELECT count(*) AS n FROM range(60000000) a(i) WHERE (i * 7) % 11 = 3');
    await sleep(100);
    await server.stop();
    const answer = await running;
    assert.equal(answer.status, 200, answer.text);
    assert.ok(answer.json()[0].n > 1_000_000);
  });

  it('SIGKILL loses nothing acknowledged: loaded or not, small or in a blob', async (t) => {
    const server = await startServer(t, {});
    const large = Array.from({ length: 20_000 }, (_, i) => `{"i":${i},"text":"${'y'.repeat(100)}"}`).join('\n');
    for (let round = 1; round <= 3; round += 1) {
      await server.insert('large', large);
      for (let i = 0; i < 20; i += 1) await server.insert('small', { i });
      await server.kill();
      await server.start();
      assert.equal(await server.value('SELECT count(*) FROM small'), 20 * round);
      assert.equal(await server.value('SELECT count(*) FROM large'), 20_000 * round);
      assert.equal(await server.value('SELECT count(DISTINCT __row_id) FROM (SELECT __row_id FROM small UNION ALL SELECT __row_id FROM large)'), 20_020 * round);
    }
  });

  it('the first start prints two keys and two curl lines that work as printed, and only then', async (t) => {
    const server = await startServer(t, {});
    const lines = server.stdout.split('\n').map((l) => l.trim()).filter((l) => l.startsWith('curl '));
    assert.equal(lines.length, 2);
    const run = (line) => JSON.parse(execFileSync('bash', ['-c', line.replace('curl ', 'curl -sS ')], { encoding: 'utf8', timeout: 20_000 }));
    assert.equal(run(lines[0]).rows, 1);
    const [row] = run(lines[1]);
    assert.equal(row.user, 'alice');
    await server.stop();
    server.stdout = '';
    await server.start();
    assert.ok(!server.stdout.includes('sd_'), server.stdout);
  });

  it('a data directory in use: one line, exit code 2, and the first server is not disturbed', { timeout: 60_000 }, async (t) => {
    const server = await startServer(t, {});
    const second = await runBinary(['serve', '--data-dir', server.dir, '--listen', '127.0.0.1:0'], { timeout: 20_000 });
    assert.equal(second.code, 2, JSON.stringify(second));
    assert.equal(second.stderr.trim().split('\n').length, 1, second.stderr);
    assert.match(second.stderr, /in use/);
    await server.insert('t', { a: 1 });
    assert.equal(await server.value('SELECT count(*) FROM t'), 1);
  });

  it('a data directory that cannot be used: one line, exit code 2', async () => {
    const dir = temporaryDirectory();
    fs.writeFileSync(path.join(dir, 'file'), 'x');
    const cases = [path.join(dir, 'file'), path.join(dir, 'file', 'data'), '/proc/scratchdata'];
    if (process.getuid() !== 0) {
      fs.mkdirSync(path.join(dir, 'closed'), { mode: 0o000 });
      cases.push(path.join(dir, 'closed'));
    }
    for (const data of cases) {
      const ended = await runBinary(['serve', '--data-dir', data, '--listen', '127.0.0.1:0'], { timeout: 20_000 });
      assert.equal(ended.code, 2, `${data}: ${JSON.stringify(ended)}`);
      assert.equal(ended.stderr.trim().split('\n').length, 1, ended.stderr);
    }
  });

  it('a catalog of a newer version: one line, exit code 2, and it is left as it is', async (t) => {
    const server = await startServer(t, {});
    await server.insert('t', { a: 1 });
    await server.stop();
    const files = fs.readdirSync(server.dir).filter((f) => /^catalog.*(db|sqlite\d?)$/.test(f));
    assert.equal(files.length, 1, fs.readdirSync(server.dir).join(' '));
    const file = path.join(server.dir, files[0]);
    const bytes = fs.readFileSync(file);
    fs.writeFileSync(file, with_newer_version(bytes));
    const newer = fs.readFileSync(file);
    const ended = await runBinary(['serve', '--data-dir', server.dir, '--listen', '127.0.0.1:0'], { timeout: 20_000 });
    assert.equal(ended.code, 2, JSON.stringify(ended));
    assert.match(ended.stderr, /newer/);
    assert.equal(ended.stderr.trim().split('\n').length, 1, ended.stderr);
    assert.deepEqual(fs.readFileSync(file), newer);
    fs.writeFileSync(file, bytes);
    await server.start();
    assert.equal(await server.value('SELECT count(*) FROM t'), 1);
  });

  it('a journal of a newer version: one line, exit code 2, and it is left as it is', async (t) => {
    const server = await startServer(t, {});
    await server.insert('t', { a: 1 });
    await server.kill();
    const [segment] = segments(server.dir);
    const bytes = fs.readFileSync(segment);
    const newer = Buffer.from(bytes);
    newer.writeUInt32LE(2, 8);
    newer.writeUInt32LE(crc32c(newer.subarray(0, 4092)), 4092);
    fs.writeFileSync(segment, newer);
    const ended = await runBinary(['serve', '--data-dir', server.dir, '--listen', '127.0.0.1:0'], { timeout: 20_000 });
    assert.equal(ended.code, 2, JSON.stringify(ended));
    assert.match(ended.stderr, /newer/);
    assert.equal(ended.stderr.trim().split('\n').length, 1, ended.stderr);
    assert.deepEqual(fs.readFileSync(segment), newer);
    fs.writeFileSync(segment, bytes);
    await server.start();
    assert.equal(await server.value('SELECT count(*) FROM t'), 1);
  });

  it('a damaged journal: said aloud with its position, its inserts are 503 and never 4xx, others are served, nothing is cut off', async (t) => {
    const server = await startServer(t, { config: `destinations:
  - {type: duckdb, name: local, api_keys: [local]}
  - {type: duckdb, name: other, api_keys: [other-key-of-the-test]}
` });
    for (let i = 0; i < 10; i += 1) await server.insert('t', { marker: `row ${i}` });
    await server.stop();
    const damaged = segments(server.dir).find((file) => fs.readFileSync(file).includes('"row 3"'));
    const bytes = fs.readFileSync(damaged);
    const at = bytes.indexOf('"row 3"');
    bytes[at + 1] ^= 1;
    fs.writeFileSync(damaged, bytes);
    await server.start();
    assert.match(server.stderr, /corrupt|damage/i);
    problem(await server.api('/api/data/insert/t', { body: '{"marker":"new"}' }), 503);
    problem(await server.sql('SELECT 1'), 503);
    assert.equal((await server.api('/api/data/insert/t', { key: 'other-key-of-the-test', body: '{"a":1}' })).status, 200);
    await server.stop();
    const after = fs.readFileSync(damaged);
    assert.ok(after.includes('"row 9"'), 'rows behind the damage are still there');
  });

  it('journal inspect: 0 and its records after SIGKILL; a flipped bit is 1 with its position; no journal is 2', async (t) => {
    const server = await startServer(t, {});
    for (let i = 0; i < 10; i += 1) await server.insert('t', [{ marker: `row ${i}` }, { marker: 'x' }]);
    await server.kill();
    const [segment] = segments(server.dir);
    const inspect = (dir = path.dirname(segment)) => runBinary(['journal', 'inspect', dir]);
    const sound = await inspect();
    assert.equal(sound.code, 0, sound.stdout + sound.stderr);
    assert.match(sound.stdout, /\.seg/);
    assert.match(sound.stdout, /20/); // rows
    const bytes = fs.readFileSync(segment);
    bytes[bytes.indexOf('"row 3"') + 1] ^= 1;
    fs.writeFileSync(segment, bytes);
    const damaged = await inspect();
    assert.equal(damaged.code, 1, damaged.stdout + damaged.stderr);
    assert.match(damaged.stdout, /\d{3,}/);
    assert.equal((await inspect('/nonexistent')).code, 2);
  });

  it('a port in use: one line, exit code 2', async (t) => {
    const server = await startServer(t, {});
    const second = await runBinary(['serve', '--data-dir', path.join(temporaryDirectory(), 'data'), '--listen', `127.0.0.1:${server.port}`], { timeout: 20_000 });
    assert.equal(second.code, 2, JSON.stringify(second));
    assert.equal(second.stderr.trim().split('\n').length, 1, second.stderr);
  });

  it("while another process holds the destination's file, inserts are acknowledged, queries are 503, and loading resumes by itself", { timeout: 60_000 }, async (t) => {
    const server = await startServer(t, {});
    await server.insert('t', { a: 1 }, { query: '?wait=true' });
    await server.stop();
    const file = localFile(server.dir);
    const holder = await holdFile(t, file);
    await server.start();
    assert.equal((await server.insert('t', { a: 2 })).rows, 1);
    const answer = await server.sql('SELECT count(*) AS n FROM t');
    problem(answer, 503);
    assert.match(answer.headers['retry-after'], /^\d+$/);
    assert.ok(!answer.text.includes(server.dir), answer.text);
    assert.match(answer.json().detail, new RegExp(`${holder.pid}|node|another process|held|in use`, 'i'));
    await holder.release();
    await eventually('queries again', async () => (await server.sql('SELECT count(*) AS n FROM t')).status === 200, 20_000, 100);
    assert.equal(await server.value('SELECT count(*) FROM t'), 2);
  });
});

// The segment files of every journal.
function segments(dir) {
  const journals = path.join(dir, 'journals');
  return fs.readdirSync(journals).flatMap((log) => fs.readdirSync(path.join(journals, log)).filter((f) => f.endsWith('.seg')).sort().map((f) => path.join(journals, log, f)));
}

function crc32c(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}

// The catalog's bytes with the last row of schema_migrations, whose key is the version, changed to version 99. A cell is:
// size, version (both one byte here), a header of 3 bytes (3, NULL for the key, type of the time), the time in µs.
function with_newer_version(bytes) {
  const out = Buffer.from(bytes);
  let last = 0;
  for (let at = 0; at + 13 < out.length; at += 1) {
    if (out[at + 2] !== 3 || out[at + 3] !== 0 || ![5, 6].includes(out[at + 4]) || out[at + 1] > 50) continue;
    const size = out[at + 4] === 5 ? 6 : 8;
    if (out[at] !== 3 + size) continue;
    const time = size === 6 ? out.readUIntBE(at + 5, 6) : Number(out.readBigInt64BE(at + 5));
    if (Math.abs(time / 1000 - Date.now()) > 3_600_000) continue;
    if (last === 0 || out[at + 1] > out[last + 1]) last = at;
  }
  assert.ok(last > 0, 'the version was not found in the catalog');
  out[last + 1] = 99;
  return out;
}

describe('configuration', () => {
  const file = (text) => {
    const name = path.join(temporaryDirectory(), 'config.yaml');
    fs.writeFileSync(name, text);
    return name;
  };

  it('config check: fine is 0; an unknown key is 2 with its line and the nearest known key', async () => {
    assert.equal((await runBinary(['config', 'check', file('api:\n  port: 8081\n')])).code, 0);
    const wrong = await runBinary(['config', 'check', file('api:\n  host: 127.0.0.1\n  prot: 8081\n')]);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stdout + wrong.stderr, /:3:.*prot.*port/);
    assert.equal((await runBinary(['config', 'check', file('api: [\n')])).code, 2);
    assert.equal((await runBinary(['config', 'check', '/nonexistent.yaml'])).code, 2);
    const served = await runBinary(['serve', '--config', file('api:\n  prot: 8081\n'), '--data-dir', path.join(temporaryDirectory(), 'data')], { timeout: 20_000 });
    assert.equal(served.code, 2);
    assert.match(served.stderr, /:2:.*prot/);
  });

  it("the original's configuration runs unchanged, and its keys work", async (t) => {
    const dir = temporaryDirectory();
    const probe = net.createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => { probe.once('listening', resolve); });
    const { port } = probe.address();
    await new Promise((resolve) => { probe.close(resolve); });
    fs.writeFileSync(path.join(dir, 'config.yaml'), `logging:
  level: trace
  json_format: false
prometheus:
  enabled: false
  port: 2112
api:
  enabled: true
  port: ${port}
  healthcheck_fail_file: ./unhealthy
workers:
  enabled: true
  count: 1
  data_directory: ./data/worker
  free_space_required_bytes: 1000000000
data_sink:
  type: memory
queue:
  type: memory
cache:
  type: memory
database:
  type: static
destinations:
  - type: duckdb
    name: Local DuckDB file
    api_keys:
      - local
    settings:
      file: ./my.duckdb
`);
    const child = spawn(binary, ['serve', '--config', 'config.yaml'], { cwd: dir, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    t.after(() => { try { process.kill(-child.pid, 'SIGKILL'); } catch { /* gone */ } });
    let stderr = '';
    child.stderr.on('data', (text) => { stderr += text; });
    child.stdout.resume();
    const url = `http://127.0.0.1:${port}`;
    await eventually('the server', async () => (await request(url, '/readyz')).status === 200, 15_000);
    assert.equal((await request(url, '/api/data/insert/events?api_key=local', { body: '{"user":"alice"}' })).status, 200);
    assert.deepEqual((await request(url, '/api/data/query?api_key=local&query=SELECT%20user%20FROM%20events'.replace('user', '%22user%22'))).json(), [{ user: 'alice' }]);
    assert.match(stderr, /api\.port|api\.host|loopback/);
    child.kill('SIGTERM');
    await new Promise((resolve) => { child.once('exit', resolve); });
    assert.ok(fs.existsSync(path.join(dir, 'my.duckdb')));
  });

  it('flags win over the environment, the environment over the file', async (t) => {
    const config = 'query:\n  timeout_ms: 100\napi:\n  max_body_bytes: 2000\n';
    const body = JSON.stringify({ a: 'x'.repeat(3000) });
    const by_file = await startServer(t, { config });
    assert.equal((await by_file.api('/api/data/insert/t', { body })).status, 413);
    const by_environment = await startServer(t, { config, env: { SCRATCH_API_MAX_BODY_BYTES: '5000' } });
    assert.equal((await by_environment.api('/api/data/insert/t', { body })).status, 200);
    const by_flag = await startServer(t, { config, env: { SCRATCH_API_MAX_BODY_BYTES: '5000' }, flags: ['--api-max-body-bytes', '2500'] });
    assert.equal((await by_flag.api('/api/data/insert/t', { body })).status, 413);
  });

  it('motherduck_token in the environment makes a destination; without its extension its queries say so and inserts are kept', async (t) => {
    const server = await startServer(t, { env: { motherduck_token: 'not-a-token' } });
    const answer = await server.request('/api/data/insert/t?destination_id=motherduck', { body: '{"a":1}', headers: { 'X-API-KEY': server.adminKey } });
    assert.equal(answer.status, 200, answer.text);
    const query = await server.request('/api/data/query?destination_id=motherduck', { body: 'SELECT 1', headers: { 'X-API-KEY': server.adminKey }, timeout: 60_000 });
    problem(query, 503);
    assert.ok(!query.text.includes('not-a-token'));
    assert.equal(await server.value('SELECT 1 AS a'), 1);
  });

  it('--version names the program and DuckDB; a wrong word is 2', async () => {
    const version = await runBinary(['--version']);
    assert.equal(version.code, 0);
    assert.match(version.stdout, /scratchdata \d+\.\d+/i);
    assert.match(version.stdout, /1\.5\.6/);
    assert.equal((await runBinary(['surve'])).code, 2);
    assert.equal((await runBinary(['serve', '--no-such-flag'])).code, 2);
  });
});
