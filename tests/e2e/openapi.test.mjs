// The description of the API: whole, valid, true, and of use.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { before, describe, it } from 'node:test';
import { useBrowser, violations } from './browser.mjs';
import { eventually, firstEvent, problem, root, serverRoutes, temporaryDirectory, useServer } from './lib.mjs';

const npm = createRequire(path.join(root, 'third_party/package.json'));
const kJson = 'application/json';

describe('/api/openapi.json', () => {
  const server = useServer();
  let spec; // as the key `local` sees it
  const get = async (key = 'local', query = '') => {
    const answer = await server.api(`/api/openapi.json${query}`, { key });
    assert.equal(answer.status, 200, answer.text);
    return answer.json();
  };
  const made = async (target, body, key = 'local') => {
    const answer = await server.api(target, { body: JSON.stringify(body), key });
    assert.equal(answer.status, 200, answer.text);
    return answer.json();
  };
  const newKey = (body) => made('/api/destinations/local/keys', body, server.adminKey);
  const operations = (of = spec) => Object.entries(of.paths).flatMap(([pattern, methods]) => Object.entries(methods).map(([method, operation]) => ({ pattern, method: method.toUpperCase(), operation })));
  const saved = (of) => Object.keys(of.paths).filter((p) => of.paths[p].get?.tags?.[0] === 'Your endpoints');

  before(async () => {
    await server.insert('clients', [{ user: 'alice', amount: 10.5, at: '2026-01-01T00:00:00Z', tags: ['a'] }], { query: '?wait=true' });
    await made('/api/endpoints', { name: 'by_user', query: 'SELECT "user", amount FROM clients WHERE "user" = $user AND amount > $least', params: [{ name: 'user', description: 'whose' }, { name: 'least', type: 'number', default: 0 }] });
    await made('/api/endpoints', { name: 'open', query: 'SELECT count(*) AS n FROM clients WHERE list_contains($users, "user")', params: [{ name: 'users', type: 'string[]', required: false }], public: true, description: 'How many there are.' });
    spec = await get();
  });

  it('has every route of the server and no other', () => {
    const described = operations().filter(({ pattern }) => !saved(spec).includes(pattern)).map(({ method, pattern }) => `${method} ${pattern}`);
    assert.deepEqual(described.sort(), serverRoutes().map(([method, pattern]) => `${method} ${pattern}`).sort());
    const ids = operations().map(({ operation }) => operation.operationId);
    assert.equal(new Set(ids).size, ids.length);
    for (const { method, pattern, operation } of operations()) {
      const where = `${method} ${pattern}`;
      assert.ok(operation.summary && operation.operationId && operation.responses.default, where);
      const names = [...pattern.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      const inPath = operation.parameters.filter((p) => p.in === 'path');
      assert.deepEqual(inPath.map((p) => p.name).sort(), names.sort(), where);
      for (const p of operation.parameters) assert.ok(p.$ref || p.description, `${where}: ${p.name}`);
    }
  });

  it('is valid, as an independent linter sees it', async () => {
    const { lintFromString, createConfig } = npm('@redocly/openapi-core');
    const config = await createConfig({ extends: ['recommended'] });
    for (const source of [JSON.stringify(spec), JSON.stringify(await get(null))]) {
      const found = await lintFromString({ source, absoluteRef: 'openapi.json', config });
      // A literal segment beside a parameter is what the router takes first; every operation has a default answer, which
      // is the problem of any 4xx; probes and the page of a share have no others; the server is this one, on loopback.
      const fine = ['no-ambiguous-paths', 'operation-4xx-response', 'operation-2xx-response', 'no-server-example.com'];
      assert.deepEqual(found.filter((each) => !fine.includes(each.ruleId)).map((each) => `${each.ruleId}: ${each.message} ${JSON.stringify(each.location[0].pointer)}`), []);
      // It does find what is wrong.
      const broken = JSON.parse(source);
      broken.paths['/api/tables'].get.responses = { 200: { $ref: '#/components/responses/Never' } };
      assert.notEqual((await lintFromString({ source: JSON.stringify(broken), absoluteRef: 'openapi.json', config })).filter((each) => !fine.includes(each.ruleId)).length, 0);
    }
  });

  it('says of each route which scope it wants, and so it is', async () => {
    const scopes = ['insert', 'query', 'share', 'tail', 'admin'];
    const without = {};
    for (const scope of scopes) without[scope] = (await newKey({ scopes: scopes.filter((s) => s !== scope) })).api_key;
    for (const { method, pattern, operation } of operations()) {
      if (saved(spec).includes(pattern)) continue;
      const where = `${method} ${pattern}`;
      const target = pattern.replace('{format}', 'csv').replace('/api/destinations/{id}', '/api/destinations/local').replaceAll(/\{\w+\}/g, '0d9f5c3e-8a43-4c6e-9d11-3f6f0a4b2c1d');
      const ask = (key) => server.api(target, { method, key, ...(['GET', 'DELETE'].includes(method) ? {} : { body: '{}' }) });
      const scope = /Scope: `(\w+)`/.exec(operation.description ?? '')?.[1];
      const needsKey = !operation.security.some((s) => Object.keys(s).length === 0);
      if (scope) {
        const answer = await ask(without[scope]);
        assert.match(problem(answer, 403).detail, new RegExp(`'${scope}'`), where);
      } else if (/An admin key/.test(operation.description ?? '')) {
        problem(await ask('local'), 403);
      }
      assert.equal((await ask(null)).status === 401, needsKey || pattern === '/api/endpoints/{name}.{format}', where);
    }
  });

  it('says the shapes that the server answers with', async () => {
    const Ajv = npm('ajv/dist/2020').default;
    const ajv = new Ajv({ strict: false, allErrors: true });
    npm('ajv-formats').default(ajv);
    ajv.addSchema({ $id: 'api', components: spec.components });
    const seen = new Set();
    // Objects of ours hold nothing that is not described, but where anything may stand.
    const closed = (schema) => {
      if (Array.isArray(schema)) return schema.map(closed);
      if (schema === null || typeof schema !== 'object') return schema;
      const out = Object.fromEntries(Object.entries(schema).map(([k, v]) => [k, k === '$ref' ? v.replace('#/', 'closed#/') : closed(v)]));
      if (schema.properties && !('additionalProperties' in schema)) out.additionalProperties = false;
      return out;
    };
    ajv.addSchema({ $id: 'closed', components: closed(spec.components) });
    async function check(method, pattern, target, options = {}) {
      const answer = await server.api(target, { method, ...options });
      const operation = spec.paths[pattern][method.toLowerCase()];
      seen.add(`${method} ${pattern}`);
      const said = operation.responses[answer.status];
      assert.ok(said, `${method} ${target}: ${answer.status} ${answer.text}`);
      if (answer.status === 204) return null;
      const response = said.$ref ? spec.components.responses[said.$ref.split('/').pop()] : said;
      if (!response.content) {
        assert.equal(answer.body.length, 0, `${method} ${target}`);
        return null;
      }
      const type = answer.headers['content-type'].split(';')[0];
      assert.ok(type in response.content, `${method} ${target}: ${type}`);
      if (type !== kJson) return answer;
      const validate = ajv.compile(closed(response.content[kJson].schema));
      assert.ok(validate(answer.json()), `${method} ${target}: ${ajv.errorsText(validate.errors)} in ${answer.text.slice(0, 600)}`);
      return answer.json();
    }
    const body = (value) => ({ body: JSON.stringify(value) });
    const inserted = await check('POST', '/api/data/insert/{table}', '/api/data/insert/shapes?wait=true', { body: '[{"a":1},7]' });
    await check('POST', '/api/data/insert/{table}', '/api/data/insert/shapes?dry_run=true', { body: '[{"a":1,"b":2},7]' });
    await check('GET', '/api/data/insert/{table}', '/api/data/insert/shapes?a=2');
    await check('GET', '/api/receipts/{receipt}', `/api/receipts/${inserted.receipt}`);
    await check('GET', '/api/data/failed', '/api/data/failed');
    await check('POST', '/api/data/failed/retry', '/api/data/failed/retry', { body: '' });
    await check('DELETE', '/api/data/failed', '/api/data/failed');
    // jsoncompact, which has no media type of its own, is an object: its words say so.
    for (const format of spec.components.schemas.Format.enum.filter((f) => f !== 'jsoncompact')) await check('GET', '/api/data/query', `/api/data/query?format=${format}&query=SELECT%201%20AS%20n`);
    await check('POST', '/api/data/query', '/api/data/query', body({ query: 'SELECT 1 AS n' }));
    const id = '11111111-2222-4333-8444-555555555555';
    const running = server.api('/api/data/query', body({ query: 'SELECT count(*) FROM range(100000000) a, range(100000000) b WHERE a.range + b.range = 7', query_id: id }));
    for (let i = 0; i < 100 && (await server.api(`/api/data/query/${id}`)).status !== 200; ++i);
    await check('GET', '/api/data/query/{id}', `/api/data/query/${id}`);
    await check('DELETE', '/api/data/query/{id}', `/api/data/query/${id}`);
    await running;
    await check('GET', '/api/data/snapshot', '/api/data/snapshot');
    const share = await check('POST', '/api/data/share', '/api/data/share', body({ query: 'SELECT 1 AS n', frozen: true }));
    await check('POST', '/api/data/share', '/api/data/share', { ...body({ query: 'SELECT 1 AS n' }), headers: { Accept: 'text/plain' } });
    await check('POST', '/api/data/query/share', '/api/data/query/share', body({ query: 'SELECT 1 AS n' }));
    await check('GET', '/api/data/share', '/api/data/share');
    await check('GET', '/api/data/query/share', '/api/data/query/share');
    await check('GET', '/share/{id}', `/share/${share.id}`);
    const locked = await check('POST', '/api/data/share', '/api/data/share', body({ query: 'SELECT 1 AS n', password: 'open sesame' }));
    const form = { headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, key: null };
    await check('POST', '/share/{id}', `/share/${locked.id}`, { body: 'password=open+sesame', ...form });
    await check('GET', '/share/{id}/data.{format}', `/share/${share.id}/data.json`);
    await check('GET', '/api/shares', '/api/shares');
    await check('GET', '/api/shares/{id}', `/api/shares/${share.id}`);
    await check('GET', '/api/shares/{id}/downloads', `/api/shares/${share.id}/downloads`);
    await check('DELETE', '/api/shares/{id}', `/api/shares/${share.id}`);
    await check('POST', '/api/endpoints', '/api/endpoints?dry_run=true', body({ query: 'SELECT $a AS a' }));
    await check('POST', '/api/endpoints', '/api/endpoints', body({ name: 'shape', query: 'SELECT $a AS a' }));
    await check('PUT', '/api/endpoints/{name}', '/api/endpoints/shape?dry_run=true', body({ query: 'SELECT 1 AS a' }));
    await check('GET', '/api/endpoints', '/api/endpoints');
    await check('PUT', '/api/endpoints/{name}', '/api/endpoints/shape', body({ query: 'SELECT $a || $a AS a', params: [{ name: 'a', default: 'x' }] }));
    await check('GET', '/api/endpoints/{name}.{format}', '/api/endpoints/shape.csv');
    await check('GET', '/api/endpoints/{name}', '/api/endpoints/shape');
    await check('GET', '/api/endpoints/{name}/usage', '/api/endpoints/shape/usage');
    await check('DELETE', '/api/endpoints/{name}', '/api/endpoints/shape');
    await check('GET', '/api/tables', '/api/tables');
    await check('GET', '/api/tables/{table}', '/api/tables/shapes');
    await check('GET', '/api/tables/{table}/columns', '/api/tables/shapes/columns');
    await check('GET', '/api/tables/{table}/history', '/api/tables/shapes/history');
    await check('GET', '/api/tables/{table}/contract', '/api/tables/shapes/contract');
    await check('PUT', '/api/tables/{table}/contract', '/api/tables/shapes/contract', body({ columns: 'freeze' }));
    await check('PATCH', '/api/tables/{table}', '/api/tables/shapes', body({ name: 'shapes2' }));
    await check('DELETE', '/api/tables/{table}', '/api/tables/shapes2');
    const admin = { key: server.adminKey };
    const destination = await check('POST', '/api/destinations', '/api/destinations', { ...admin, ...body({ name: 'second' }) });
    await check('GET', '/api/destinations', '/api/destinations', admin);
    await check('GET', '/api/destinations/{id}', '/api/destinations/second', admin);
    await check('PATCH', '/api/destinations/{id}', '/api/destinations/second', { ...admin, ...body({ name: 'third' }) });
    await check('POST', '/api/destinations/{id}/test', '/api/destinations/third/test', { ...admin, body: '' });
    await check('POST', '/api/destinations/test', '/api/destinations/test', { ...admin, ...body({ settings: { in_memory: true } }) });
    const key = await check('POST', '/api/destinations/{id}/keys', '/api/destinations/third/keys', { ...admin, ...body({ name: 'k' }) });
    await check('GET', '/api/destinations/{id}/keys', '/api/destinations/third/keys', admin);
    await check('DELETE', '/api/destinations/{id}/keys/{key}', `/api/destinations/third/keys/${key.id}`, admin);
    await check('DELETE', '/api/destinations/{id}', `/api/destinations/${destination.id}`, admin);
    await check('GET', '/api/destination-types', '/api/destination-types', admin);
    for (const target of ['/', '/livez', '/readyz', '/healthcheck', '/metrics', '/api/openapi.json', '/docs']) await check('GET', target, target);
    for (const file of ['docs.js', 'docs.css', 'swagger-ui.css', 'swagger-ui-bundle.js', 'LICENSE', 'NOTICE', 'swagger-ui-bundle.js.LICENSE.txt']) await check('GET', '/docs/{file}', `/docs/${file}`);
    // It does not end by itself.
    seen.add('GET /api/live');
    const live = JSON.parse(/^event: live\ndata: (.*)\n\n/.exec(await firstEvent(server, '/api/live', 'local'))[1]);
    const isLive = ajv.compile(closed({ $ref: '#/components/schemas/Live' }));
    assert.ok(isLive(live), ajv.errorsText(isLive.errors));
    seen.add('GET /api/data/tail/{table}');
    const data = (text) => JSON.parse(/^data: (.*)$/m.exec(text)[1]);
    const [isRow, isNotice] = ['TailRow', 'TailNotice'].map((name) => ajv.compile(closed({ $ref: `#/components/schemas/${name}` })));
    const gap = await firstEvent(server, '/api/data/tail/followed?last_event_id=00000000-0-0', 'local', /event: gap.*\n\n/s);
    assert.ok(isNotice(data(gap)), ajv.errorsText(isNotice.errors));
    await server.insert('followed', { a: 1 });
    const from = /^id: (\w+)-/m.exec(gap)[1];
    const row = await firstEvent(server, `/api/data/tail/followed?last_event_id=${from}-0-0`, 'local', /event: row.*\n\n/s);
    assert.ok(isRow(data(row)), ajv.errorsText(isRow.errors));
    await check('POST', '/api/session', '/api/session', { ...body({ key: server.adminKey }), key: null });
    await check('GET', '/api/session', '/api/session');
    await check('DELETE', '/api/session', '/api/session', { key: null });
    for (const [, file] of (await server.request('/')).text.matchAll(/"(\/assets\/[^"]+)"/g)) await check('GET', '/assets/{file}', file);
    const all = operations().filter(({ pattern }) => !saved(spec).includes(pattern)).map(({ method, pattern }) => `${method} ${pattern}`);
    assert.deepEqual(all.filter((each) => !seen.has(each)), [], 'operations that this test does not ask');
  });

  it('says the shapes of problems', async () => {
    const ajv = new (npm('ajv/dist/2020').default)({ strict: false, allErrors: true });
    const { Problem } = spec.components.schemas;
    const validate = ajv.compile({ ...Problem, additionalProperties: false });
    const members = new Set();
    const types = new Set();
    const check = async (status, target, options = {}) => {
      const said = problem(await server.api(target, options), status);
      assert.ok(validate(said), `${target}: ${ajv.errorsText(validate.errors)} in ${JSON.stringify(said)}`);
      for (const member of Object.keys(said)) members.add(member);
      types.add(said.type);
    };
    const body = (value) => ({ body: JSON.stringify(value) });
    await check(401, '/api/tables', { key: null });
    await check(403, '/api/destinations');
    await check(404, '/api/tables/never');
    await check(404, '/nowhere');
    await check(405, '/api/tables', { method: 'PUT', body: '' });
    await check(400, '/api/data/insert/p', { body: '[{"a":1},' });
    await check(400, '/api/data/insert/p', { body: '7' });
    await check(400, '/api/data/insert/p?strict=true', { body: '[{"a":1},7]' });
    await check(400, '/api/data/insert/p', { body: 'a,b\n"1', headers: { 'Content-Type': 'text/csv' } });
    await check(400, '/api/data/insert/p?flatten=up', { body: '{}' });
    await check(415, '/api/data/insert/p', { body: '{}', headers: { 'Content-Encoding': 'x' } });
    await check(400, '/api/data/query', { body: 'SELECT FROM' });
    await check(400, '/api/data/query', { body: 'DROP TABLE x' });
    await check(400, '/api/data/query', body({ query: 'SELECT $a', params: {} }));
    await check(413, '/api/endpoints', { body: JSON.stringify({ name: 'x', query: ' '.repeat(5 << 20) }) });
    await check(400, '/api/tables/p/contract', { method: 'PUT', body: '{"columns":"thaw"}' });
    await check(409, '/api/endpoints', body({ name: 'by_user', query: 'SELECT 1' }));
    await check(422, '/api/endpoints/by_user.json');
    // Two come with what no request alone brings about: rows that wait, and rows refused after all.
    for (const member of Object.keys(Problem.properties).filter((m) => !['pending_rows', 'receipt'].includes(m))) assert.ok(members.has(member), `no problem with ${member}`);
    assert.ok(types.size >= 12, [...types].join(' '));
  });

  it('has the saved endpoints that the asker may call, with their parameters and columns', async () => {
    const by = spec.paths['/api/endpoints/by_user.json'].get;
    assert.deepEqual(by.parameters.slice(0, 2), [
      { name: 'user', in: 'query', required: true, description: 'whose', schema: { type: 'string' } },
      { name: 'least', in: 'query', required: false, description: 'number', schema: { type: 'number', default: 0 } }]);
    assert.deepEqual(by.responses[200].content[kJson].schema, { type: 'array', items: { type: 'object', required: ['user', 'amount'], properties: { user: { type: ['string', 'null'] }, amount: { type: ['number', 'null'] } } } });
    const open = spec.paths['/api/endpoints/open.json'].get;
    assert.match(open.description, /^How many there are\. /);
    assert.deepEqual(open.parameters[0].schema, { type: 'array', items: { type: 'string' } });
    assert.deepEqual([by.security.length, open.security[0]], [4, {}]);
    assert.deepEqual(saved(await get(null)), ['/api/endpoints/open.json']);
    assert.deepEqual(saved(await get(server.adminKey)), saved(spec));
    const { api_key: locked } = await newKey({ endpoints: ['by_user'], params: { user: 'alice' } });
    const seen = await get(locked);
    assert.deepEqual(saved(seen), ['/api/endpoints/by_user.json']);
    assert.deepEqual(seen.paths['/api/endpoints/by_user.json'].get.parameters.map((p) => p.name ?? p.$ref.split('/').pop()), ['least', 'version', 'timeout_ms', 'fresh', 'quote_int64', 'quote_nan', 'spreadsheet', 'query_id', 'destination_id']);
    assert.ok(open.responses[200].headers['X-Endpoint-Version'] && open.responses[200].headers.ETag);
    assert.ok(!JSON.stringify(seen).includes('alice') && !JSON.stringify(seen).includes('FROM clients'));
    assert.deepEqual(saved(await get((await newKey({ scopes: ['insert'] })).api_key)), []);
    problem(await server.api('/api/openapi.json', { key: 'wrong' }), 401);
    assert.deepEqual(saved(await get(null, '?destination_id=never')), []);
    const other = await made('/api/destinations', { name: 'elsewhere' }, server.adminKey);
    assert.deepEqual(saved(await get(null)), [], 'with several destinations one is named');
    const named = await get(null, '?destination_id=local');
    assert.deepEqual(saved(named), ['/api/endpoints/open.json']);
    // Then a call must name it, and the description says so.
    const [id] = named.paths['/api/endpoints/open.json'].get.parameters.filter((p) => p.name === 'destination_id' && p.required).map((p) => p.schema.enum[0]);
    assert.deepEqual((await server.request(`/api/endpoints/open.json?destination_id=${id}`)).json(), [{ n: 0 }]);
    assert.deepEqual(saved(await get(other.api_key)), []);
    await server.api(`/api/destinations/${other.id}`, { method: 'DELETE', key: server.adminKey });
  });

  it('makes a client whose program the compiler checks, and which works', { timeout: 120_000 }, async () => {
    const { default: openapiTS, astToString } = npm('openapi-typescript');
    const ts = npm('typescript');
    const dir = temporaryDirectory();
    fs.symlinkSync(path.join(root, 'third_party/node_modules'), path.join(dir, 'node_modules'));
    fs.writeFileSync(path.join(dir, 'package.json'), '{"type":"module"}');
    fs.writeFileSync(path.join(dir, 'schema.d.ts'), astToString(await openapiTS(await get())));
    const source = fs.readFileSync(path.join(root, 'tests/e2e/client/client.ts'), 'utf8');
    const options = { strict: true, noEmit: false, outDir: dir, module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler, target: ts.ScriptTarget.ES2022, lib: ['lib.es2022.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'], skipLibCheck: true, types: [] };
    const compile = (text) => {
      const file = path.join(dir, 'client.ts');
      fs.writeFileSync(file, text);
      const program = ts.createProgram([file], options);
      program.emit();
      return ts.getPreEmitDiagnostics(program).map((each) => ts.flattenDiagnosticMessageText(each.messageText, ' '));
    };
    // What is wrong about the API the compiler sees.
    for (const [right, wrong] of [["query: { user: 'bob' }", 'query: { user: 7 }'], ["query: { user: 'bob' }", 'query: {}'], ["'/api/tables'", "'/api/tabels'"], ['first?.columns.map((column) => column.name)', 'first?.columns.map((column) => column.nmae)'], ["formats: ['csv']", "formats: ['xml']"]]) {
      assert.ok(source.includes(right), right);
      assert.notEqual(compile(source.replace(right, wrong)).length, 0, wrong);
    }
    assert.deepEqual(compile(source), []);
    const { run } = await import(pathToFileURL(path.join(dir, 'client.js')));
    assert.deepEqual(await run(server.url, 'local'), [
      'receipt 36', 'state loaded', 'rows [{"n":3}]', `share ${'/share/'.length + 36}`, 'endpoint [{"user":"bob","amount":2}]',
      'table __row_id,__received_at,user,amount,at,tags_0', 'problem 400 /problems/sql-not-allowed']);
  });
});

describe('/docs', () => {
  const server = useServer();
  const chromium = useBrowser();
  it('is a page that loads nothing from elsewhere, and its files come compressed, with an entity tag', async () => {
    const page = await server.request('/docs');
    assert.equal(page.status, 200);
    assert.match(page.headers['content-security-policy'], /default-src 'none'; script-src 'self';/);
    assert.equal(page.headers['x-frame-options'], 'DENY');
    assert.ok(!/https?:\/\//.test(page.text), 'no address of elsewhere');
    for (const [, file] of page.text.matchAll(/(?:src|href)="(\/docs\/[^"]+\.(?:js|css))"/g)) {
      const plain = await server.request(file, { headers: { 'Accept-Encoding': 'identity' } });
      const small = await server.request(file, { headers: { 'Accept-Encoding': 'gzip, deflate, br, zstd' } });
      assert.equal(plain.status, 200, file);
      assert.equal(small.headers['content-encoding'], 'gzip');
      assert.ok(small.body.length < plain.body.length, file);
      const { gunzipSync } = await import('node:zlib');
      assert.deepEqual(gunzipSync(small.body), plain.body);
      assert.equal((await server.request(file, { headers: { 'If-None-Match': plain.headers.etag } })).status, 304);
    }
    for (const [, file] of page.text.matchAll(/<a href="(\/docs\/[^"]+)"/g)) assert.ok((await server.request(file)).text.length > 50, file);
    problem(await server.request('/docs/never.js'), 404);
    problem(await server.request('/docs/..%2f..%2fetc%2fpasswd'), 404);
  });

  it('shows every operation in a browser, which is refused nothing', { timeout: 90_000 }, async () => {
    await server.insert('seen', { a: 1 }, { query: '?wait=true' });
    assert.equal((await server.api('/api/endpoints', { body: JSON.stringify({ name: 'shown', query: 'SELECT $a AS a', public: true, description: 'Says it again.' }) })).status, 200);
    const browser = spawnSync('chromium', ['--headless', '--no-sandbox', '--disable-gpu', `--user-data-dir=${temporaryDirectory()}`, '--enable-logging=stderr', '--virtual-time-budget=15000', '--dump-dom', `${server.url}/docs`], { encoding: 'utf8', timeout: 80_000, maxBuffer: 1 << 28 });
    assert.equal(browser.status, 0, browser.stderr);
    const spec = (await server.request('/api/openapi.json')).json();
    const shown = [...browser.stdout.matchAll(/class="opblock-summary-path(?:__deprecated)?"[^>]*data-path="([^"]+)"/g)].map((match) => match[1]);
    const described = Object.entries(spec.paths).flatMap(([pattern, methods]) => Object.keys(methods).map(() => pattern));
    assert.deepEqual(shown.sort(), described.sort());
    assert.ok(shown.includes('/api/endpoints/shown.json'));
    const complaints = browser.stderr.split('\n').filter((line) => /CONSOLE/.test(line));
    assert.deepEqual(complaints, []);
  });

  for (const colorScheme of ['light', 'dark']) {
    it(`is for everybody (axe-core), ${colorScheme}: as it begins, with operations open, and tried out`, { timeout: 90_000 }, async () => {
      const page = await chromium.open({ colorScheme });
      await page.goto(`${server.url}/docs`);
      await page.locator('.opblock').first().waitFor();
      await eventually('no violation', async () => { assert.deepEqual(await violations(page), []); return true; }, 20_000, 1000);
      const open = async (operation) => {
        await page.locator(`#operations-${operation} .opblock-summary-control`).first().click();
        await page.locator(`#operations-${operation} .opblock-body`).waitFor();
      };
      for (const operation of ['Insert-insert', 'Query-queryByUrl', 'Destinations-changeDestination']) await open(operation);
      await page.getByRole('button', { name: 'Try it out' }).first().click();
      await page.getByRole('button', { name: 'Execute' }).waitFor();
      await eventually('no violation', async () => { assert.deepEqual(await violations(page), []); return true; }, 20_000, 1000);
      assert.deepEqual(page.complaints, []);
    });
  }
});
