// Nobody can tell what belongs to somebody else from what does not exist: every route of the server's own table, with
// every id of another destination. A new route must be entered here.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { eventually, firstEvent, serverRoutes, useServer } from './lib.mjs';

const kNever = '0d9f5c3e-8a43-4c6e-9d11-3f6f0a4b2c1d';
const routes = serverRoutes().map(([method, pattern]) => `${method} ${pattern}`);

describe('what is another destination\'s', () => {
  const server = useServer();
  let mine; let theirs; // { id, name, key, keyId, share, receipt, query }
  const admin = (target, options = {}) => server.api(target, { key: server.adminKey, ...options });

  async function make(name) {
    const made = (await admin('/api/destinations', { body: JSON.stringify({ name }) })).json();
    const key = made.api_key;
    const inserted = await server.insert(`${name}_table`, '{"a":1}\n7', { key, query: '?wait=true' });
    await server.insert(`${name}_second`, '{"a":1}', { key, query: '?wait=true' });
    const share = (await server.api('/api/data/share', { key, body: JSON.stringify({ query: `SELECT a FROM ${name}_table`, duration: 600 }) })).json();
    const endpoint = `${name}_endpoint`;
    assert.equal((await server.api('/api/endpoints', { key, body: JSON.stringify({ name: endpoint, query: `SELECT a FROM ${name}_table` }) })).status, 200);
    const keys = (await server.api(`/api/destinations/${made.id}/keys`, { key })).json().data;
    return { id: made.id, name, key, keyId: keys[0].id, share: share.id, receipt: inserted.receipt, endpoint, table: `${name}_table`, second: `${name}_second`, query: null };
  }

  before(async () => {
    mine = await make('mine');
    theirs = await make('theirs');
    theirs.query = '11111111-2222-4333-8444-555555555555';
    // It runs until it is cancelled at the end.
    server.api('/api/data/query', { key: theirs.key, body: JSON.stringify({ query_id: theirs.query, query: 'SELECT count(*) FROM range(100000000) a, range(100000000) b WHERE a.range + b.range = 7' }) }).catch(() => {});
    await eventually('their query', async () => (await server.api(`/api/data/query/${theirs.query}`, { key: theirs.key })).status === 200);
  });

  // What must be the same: all but the id that was asked for, times and the request's own id.
  const shown = (answer, id) => JSON.stringify([answer.status, answer.headers['content-type'], answer.text.replaceAll(id, 'ID')
    .replace(/"request_id":"[^"]*"/, ''), answer.headers['retry-after'], answer.headers.etag]);
  async function same(method, of, bodies = [undefined], key = () => mine.key) {
    for (const body of bodies) {
      const answers = [];
      for (const id of of.ids) answers.push(shown(await server.request(of.target(id), { method, headers: key() ? { Authorization: `Bearer ${key()}` } : {}, body }), id));
      assert.equal(answers[0], answers[1], `${method} ${of.target(of.ids[0])}`);
      assert.match(answers[0], /^\[40[34]/, answers[0]);
    }
  }
  const at = (target, id) => ({ target, ids: [id, kNever] });
  const own = (method, target, body) => server.api(target, { method, key: mine.key, ...(body === undefined ? {} : { body }) });
  // Nothing of theirs is in what my key gets.
  async function hides(method, target, body) {
    const answer = await own(method, target, body);
    for (const secret of [theirs.id, theirs.second, theirs.share, theirs.receipt, theirs.keyId, theirs.query, theirs.endpoint]) assert.ok(!answer.text.includes(secret), `${method} ${target}: ${secret}`);
    return answer;
  }
  // ?destination_id= of another one, which a key of one destination may not name.
  const named = async (method, target, body) => {
    const ask = (id) => own(method, `${target}${target.includes('?') ? '&' : '?'}destination_id=${id}`, body);
    const [real, never] = [await ask(theirs.id), await ask(kNever)];
    assert.equal(shown(real, theirs.id), shown(never, kNever), `${method} ${target}`);
    assert.match(String(real.status), /^40[034]$/, real.text);
  };

  const table = (method, target, body) => async () => {
    const to = (name) => target.replace('{table}', name);
    const [real, never] = [await own(method, to(theirs.second), body), await own(method, to('never'), body)];
    assert.equal(shown(real, theirs.second), shown(never, 'never'), `${method} ${target}`);
    await named(method, to(theirs.second), body);
  };
  const nothing = async () => {}; // it knows no ids, and tells of no destination

  const probes = {
    'GET /': nothing, 'GET /assets/{file}': nothing, 'GET /livez': nothing, 'GET /readyz': nothing, 'GET /healthcheck': nothing,
    'GET /metrics': nothing, // of the operator, on the listener of the operator's choice
    'GET /api/destination-types': nothing,
    'GET /docs': nothing, 'GET /docs/{file}': nothing,
    'GET /api/live': async () => {
      const text = await firstEvent(server, '/api/live', mine.key);
      for (const secret of [theirs.id, theirs.name, theirs.second]) assert.ok(!text.includes(secret), text);
      await named('GET', '/api/live');
    },
    'GET /api/data/tail/{table}': async () => {
      // Their journal's ids tell nothing here: a table of their name is my own, and a place in their journal is none in mine.
      const all = /event: row.*\n\n/s;
      const id = /^id: (\S+)/m.exec(await firstEvent(server, `/api/data/tail/${theirs.table}`, theirs.key))[1];
      const from = await firstEvent(server, `/api/data/tail/${mine.table}?last_event_id=${id}`, mine.key, all);
      assert.match(from, /event: gap\ndata: {"reason":"other-journal"}/);
      const own = await server.insert(theirs.table, { a: 'mine' }, { key: mine.key });
      const text = await firstEvent(server, `/api/data/tail/${theirs.table}?last_event_id=${id}`, mine.key, all);
      assert.deepEqual([...text.matchAll(/"receipt":"([^"]*)"/g)].map((each) => each[1]), [own.receipt]);
      await server.api(`/api/tables/${theirs.table}`, { method: 'DELETE', key: mine.key });
      const [real, never] = await Promise.all([theirs.second, 'never'].map((name) => firstEvent(server, `/api/data/tail/${name}`, mine.key)));
      assert.equal(real, never);
      await named('GET', `/api/data/tail/${theirs.second}`);
    },
    'POST /api/session': nothing, 'DELETE /api/session': nothing,
    'GET /api/session': () => hides('GET', '/api/session'),
    'GET /api/openapi.json': async () => {
      await hides('GET', '/api/openapi.json');
      // Without a key: whether a destination is there is not told, nor what it has that is not public.
      for (const target of ['/api/openapi.json', `/api/openapi.json?destination_id=${theirs.id}`, '/api/openapi.json?destination_id=theirs']) {
        const [real, never] = [await server.request(target), await server.request(`/api/openapi.json?destination_id=${kNever}`)];
        assert.equal(real.text, never.text, target);
      }
    },
    'POST /api/data/insert/{table}': async () => {
      await own('POST', `/api/data/insert/${theirs.table}?wait=true`, '{"a":2}');
      assert.equal(await server.value(`SELECT count(*) FROM ${theirs.table}`, { key: theirs.key }), 1, 'it went to my own table of that name');
      await own('DELETE', `/api/tables/${theirs.table}`);
      await named('POST', `/api/data/insert/${theirs.table}`, '{"a":3}');
    },
    'GET /api/data/insert/{table}': () => named('GET', `/api/data/insert/${theirs.table}?a=1`),
    'GET /api/data/query': async () => {
      await hides('GET', `/api/data/query?query=${encodeURIComponent('SELECT table_name FROM duckdb_tables()')}`);
      assert.equal((await own('GET', `/api/data/query?query=${encodeURIComponent(`SELECT * FROM ${theirs.table}`)}`)).status, 400);
      await named('GET', '/api/data/query?query=SELECT%201');
    },
    'POST /api/data/query': async () => {
      await hides('POST', '/api/data/query', 'SHOW TABLES');
      await named('POST', '/api/data/query', 'SELECT 1');
      // An id that runs elsewhere is taken, and nothing is told of it.
      const taken = await own('POST', '/api/data/query', JSON.stringify({ query: 'SELECT 1', query_id: theirs.query }));
      assert.equal(taken.status, 200, taken.text);
    },
    'GET /api/data/query/{id}': () => same('GET', at((id) => `/api/data/query/${id}`, theirs.query)),
    'DELETE /api/data/query/{id}': async () => {
      await same('DELETE', at((id) => `/api/data/query/${id}`, theirs.query));
      assert.equal((await server.api(`/api/data/query/${theirs.query}`, { key: theirs.key })).status, 200, 'it runs on');
    },
    'GET /api/data/snapshot': () => named('GET', '/api/data/snapshot'),
    'POST /api/data/share': () => named('POST', '/api/data/share', '{"query":"SELECT 1"}'),
    'GET /api/data/share': nothing,
    'POST /api/data/query/share': () => named('POST', '/api/data/query/share', '{"query":"SELECT 1"}'),
    'GET /api/data/query/share': nothing,
    'GET /api/shares': async () => { await hides('GET', '/api/shares'); await named('GET', '/api/shares'); },
    'DELETE /api/shares/{id}': async () => {
      await same('DELETE', at((id) => `/api/shares/${id}`, theirs.share));
      assert.equal((await server.request(`/share/${theirs.share}/data.json`)).status, 200, 'it is there');
    },
    // Whoever has the link may read: that is what a share is. What was never made is no different from what is over.
    'GET /api/shares/{id}': () => same('GET', at((id) => `/api/shares/${id}`, theirs.share)),
    'GET /api/shares/{id}/downloads': () => same('GET', at((id) => `/api/shares/${id}/downloads`, theirs.share)),
    'GET /share/{id}': nothing,
    'POST /share/{id}': nothing,
    'GET /share/{id}/data.{format}': async () => {
      const answer = await server.request(`/share/${theirs.share}/data.json`);
      for (const secret of [theirs.id, theirs.table, 'SELECT']) assert.ok(!answer.text.includes(secret) && !JSON.stringify(answer.headers).includes(secret), secret);
    },
    'GET /api/endpoints': async () => { await hides('GET', '/api/endpoints'); await named('GET', '/api/endpoints'); },
    'POST /api/endpoints': async () => {
      const taken = await own('POST', '/api/endpoints', JSON.stringify({ name: theirs.endpoint, query: "SELECT 'mine' AS a" }));
      assert.equal(taken.status, 200, 'each destination has names of its own');
      assert.equal((await own('DELETE', `/api/endpoints/${theirs.endpoint}`)).status, 204);
      await named('POST', '/api/endpoints', '{"name":"x","query":"SELECT 1"}');
      // What a query reads is its own destination's, whatever it is called.
      assert.equal((await own('POST', '/api/endpoints', JSON.stringify({ name: 'x', query: `SELECT * FROM ${theirs.second}` }))).status, 400);
    },
    'GET /api/endpoints/{name}': () => same('GET', at((id) => `/api/endpoints/${id}`, theirs.endpoint)),
    'PUT /api/endpoints/{name}': () => same('PUT', at((id) => `/api/endpoints/${id}`, theirs.endpoint), ['{"query":"SELECT 1"}', '{"nonsense":1}', 'x']),
    'DELETE /api/endpoints/{name}': async () => {
      await same('DELETE', at((id) => `/api/endpoints/${id}`, theirs.endpoint));
      await same('DELETE', at((id) => `/api/endpoints/${id}?version=1`, theirs.endpoint));
    },
    'GET /api/endpoints/{name}/usage': () => same('GET', at((id) => `/api/endpoints/${id}/usage`, theirs.endpoint)),
    'GET /api/endpoints/{name}.{format}': async () => {
      await same('GET', at((id) => `/api/endpoints/${id}.json`, theirs.endpoint));
      await same('GET', at((id) => `/api/endpoints/${id}.json?version=x`, theirs.endpoint));
      await same('GET', at((id) => `/api/endpoints/${id}.json?destination_id=theirs`, theirs.endpoint));
      // Without any key: whether it is there is told of public ones only.
      for (const query of ['', '?destination_id=theirs', '?version=7']) {
        const [real, never] = await Promise.all([theirs.endpoint, kNever].map((id) => server.request(`/api/endpoints/${id}.json${query}`)));
        assert.equal(shown(real, theirs.endpoint), shown(never, kNever));
        assert.equal(real.status, 401);
      }
      await named('GET', `/api/endpoints/${mine.endpoint}.json`);
    },
    'GET /api/tables': async () => { await hides('GET', '/api/tables'); await named('GET', '/api/tables'); },
    'GET /api/tables/{table}': table('GET', '/api/tables/{table}'),
    'GET /api/tables/{table}/columns': table('GET', '/api/tables/{table}/columns'),
    'DELETE /api/tables/{table}': table('DELETE', '/api/tables/{table}'),
    'PATCH /api/tables/{table}': table('PATCH', '/api/tables/{table}', '{"name":"x"}'),
    'GET /api/tables/{table}/contract': table('GET', '/api/tables/{table}/contract'),
    'PUT /api/tables/{table}/contract': async () => {
      await named('PUT', `/api/tables/${theirs.table}/contract`, '{"columns":"freeze"}');
      assert.equal((await own('PUT', `/api/tables/${theirs.table}/contract`, '{"columns":"freeze"}')).status, 200);
      assert.equal((await server.api(`/api/tables/${theirs.table}/contract`, { key: theirs.key })).json().columns, 'evolve');
      await own('PUT', `/api/tables/${theirs.table}/contract`, '{}');
    },
    'GET /api/tables/{table}/history': table('GET', '/api/tables/{table}/history'),
    'GET /api/data/failed': async () => {
      await hides('GET', '/api/data/failed');
      await hides('GET', `/api/data/failed?receipt=${theirs.receipt}`).then((a) => assert.equal(a.json().total, 0));
      await named('GET', '/api/data/failed');
    },
    'POST /api/data/failed/retry': () => named('POST', '/api/data/failed/retry', ''),
    'DELETE /api/data/failed': async () => {
      await own('DELETE', `/api/data/failed?table=${theirs.table}`);
      await named('DELETE', '/api/data/failed');
      assert.equal((await server.api('/api/data/failed', { key: theirs.key })).json().total, 1);
    },
    'GET /api/receipts/{receipt}': () => same('GET', at((id) => `/api/receipts/${id}`, theirs.receipt)),
    'GET /api/destinations': () => hides('GET', '/api/destinations'),
    'POST /api/destinations': () => same('POST', { target: () => '/api/destinations', ids: [theirs.id, kNever] }, ['{"name":"theirs"}', '{"name":"another"}']),
    'GET /api/destinations/{id}': () => same('GET', at((id) => `/api/destinations/${id}`, theirs.id)),
    'PATCH /api/destinations/{id}': () => same('PATCH', at((id) => `/api/destinations/${id}`, theirs.id), ['{"name":"x"}', '{"nonsense":1}', 'x']),
    'DELETE /api/destinations/{id}': () => same('DELETE', at((id) => `/api/destinations/${id}`, theirs.id)),
    // Before anything of the body is looked at.
    'POST /api/destinations/test': () => same('POST', { target: () => '/api/destinations/test', ids: [theirs.id, kNever] }, ['{}', '{"settings":{"file":"x"}}', 'x']),
    'POST /api/destinations/{id}/test': () => same('POST', at((id) => `/api/destinations/${id}/test`, theirs.id), ['']),
    'GET /api/destinations/{id}/keys': () => same('GET', at((id) => `/api/destinations/${id}/keys`, theirs.id)),
    'POST /api/destinations/{id}/keys': () => same('POST', at((id) => `/api/destinations/${id}/keys`, theirs.id), ['{}', '{"scopes":"x"}']),
    'DELETE /api/destinations/{id}/keys/{key}': async () => {
      await same('DELETE', at((id) => `/api/destinations/${id}/keys/${theirs.keyId}`, theirs.id));
      await same('DELETE', at((id) => `/api/destinations/${mine.id}/keys/${id}`, theirs.keyId));
      assert.equal((await server.sql('SELECT 1', { key: theirs.key })).status, 200, 'the key lives');
    },
  };

  it('covers every route of the server', () => {
    assert.deepEqual(routes.filter((route) => !(route in probes)), [], 'routes without a probe');
    assert.deepEqual(Object.keys(probes).filter((route) => !routes.includes(route)), [], 'probes without a route');
  });
  for (const [route, probe] of Object.entries(probes)) it(route, { timeout: 60_000 }, probe);
  it('nothing of theirs was changed', async () => {
    for (const name of [theirs.table, theirs.second]) assert.equal(await server.value(`SELECT count(*) FROM ${name}`, { key: theirs.key }), 1);
    assert.equal((await server.api(`/api/data/query/${theirs.query}`, { method: 'DELETE', key: theirs.key })).status, 204);
    assert.equal((await admin(`/api/destinations/${theirs.id}`)).json().name, 'theirs');
    assert.equal((await server.api(`/api/endpoints/${theirs.endpoint}.json`, { key: theirs.key })).status, 200);
  });
});
