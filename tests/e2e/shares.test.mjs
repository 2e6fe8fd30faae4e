// Shares: made, shown, downloaded, counted, ended, listed, revoked.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { parseCsv, problem, request, sleep, startServer, useServer } from './lib.mjs';

describe('shares', () => {
  const server = useServer({ flags: ['--api-base-url', 'https://data.example'] });
  const kUuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

  const post = (body, options = {}) => server.api('/api/data/share', { body: typeof body === 'string' ? body : JSON.stringify(body), ...options });
  async function share(spec) {
    const answer = await post({ query: 'SELECT n, name FROM people ORDER BY n', ...spec });
    assert.equal(answer.status, 200, answer.text);
    return answer.json();
  }
  const get = (id, rest = '', options = {}) => server.request(`/share/${id}${rest}`, options);
  // An answer but for what differs in every one.
  const bytes = (answer) => [answer.status, answer.headers['content-type'], answer.text.replace(answer.headers['x-request-id'], '')];

  before(() => server.insert('people', [{ n: 1, name: 'Ann' }, { n: 2, name: '<b>"Bo"</b>' }, { n: 3, name: null }]));

  describe('making a share', () => {
    test('answers id, url, name and when it ends; seven days unless it says', async () => {
      const made = await share({ name: 'All people', duration: 3600 });
      assert.deepEqual(Object.keys(made), ['id', 'url', 'name', 'expires_at']);
      assert.match(made.id, kUuid);
      assert.equal(made.url, `https://data.example/share/${made.id}`);
      assert.equal(made.name, 'All people');
      assert.ok(Math.abs(Date.parse(made.expires_at) - Date.now() - 3600e3) < 20e3, made.expires_at);
      const week = await share({});
      assert.ok(Math.abs(Date.parse(week.expires_at) - Date.now() - 7 * 86400e3) < 20e3, week.expires_at);
    });

    test('works at the original path, as form, as parameters, as SQL, and answers the bare URL as text', async () => {
      const json = await server.api('/api/data/query/share', { body: '{"query":"SELECT 1","duration":60}' });
      assert.equal(json.status, 200, json.text);
      const form = await post('query=SELECT+1&duration=60', { headers: { 'Content-Type': 'application/x-www-form-urlencoded' } });
      assert.equal(form.status, 200, form.text);
      const sql = await post('SELECT 1', { headers: { 'Content-Type': 'application/x-www-form-urlencoded' } });
      assert.equal(sql.status, 200, sql.text);
      const key = await server.api('/api/data/share', { key: null, body: 'query=SELECT+1&api_key=local', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } });
      assert.equal(key.status, 200, key.text);
      const parameters = await server.api('/api/data/share?query=SELECT%201&duration=60', { method: 'POST', headers: { Accept: 'text/plain' } });
      assert.equal(parameters.status, 200, parameters.text);
      assert.match(parameters.headers['content-type'], /^text\/plain/);
      assert.match(parameters.text, /^https:\/\/data\.example\/share\/[0-9a-f-]{36}$/);
    });

    test('GET answers 405 with the line that works', async () => {
      for (const path of ['/api/data/share', '/api/data/query/share']) {
        const answer = await server.api(`${path}?query=SELECT%201`);
        const { detail } = problem(answer, 405, 'method-not-allowed');
        assert.equal(answer.headers.allow, 'POST');
        const line = /^.*(curl -X POST) '([^']+)' -H '([^']+)' --data '([^']+)'$/.exec(detail);
        assert.ok(line, detail);
        assert.equal(line[2], `https://data.example${path}`);
        const made = await server.api(new URL(line[2]).pathname, { body: line[4] });
        assert.equal(made.status, 200, made.text);
      }
    });

    test('a query is gated and bound', async () => {
      const missing = problem(await post({ query: 'SELECT * FROM no_such_table' }), 400, 'sql-error');
      assert.match(missing.detail, /no_such_table/);
      problem(await post({ query: 'DROP TABLE people' }), 400, 'sql-not-allowed');
      problem(await post({ query: 'SELECT 1; SELECT 2' }), 400);
      problem(await post({ query: 'SELEC 1' }), 400);
      problem(await post({ query: "SELECT * FROM read_csv('/etc/passwd')" }), 400);
      problem(await post({}), 400, 'empty-query');
      problem(await post('{"query":'), 400, 'invalid-json');
    });

    test('a query may name a table of which the last insert was the first', async () => {
      for (let i = 0; i < 5; i += 1) {
        await server.insert(`new_${i}`, { a: i });
        const made = await post({ query: `SELECT a FROM new_${i}` });
        assert.equal(made.status, 200, made.text);
      }
    });

    test('what would protect it is refused, never passed over', async () => {
      for (const bad of [{ duration: 0 }, { duration: 315360001 }, { duration: 'x' }, { formats: ['pdf'] }, { max_downloads: 0 }, { max_download: 1 }, { name: 5 }, { password: '' },
        { password: 'x'.repeat(1001) }, { max_rows: 0 }, { timeout_ms: -1 }, { max_simultaneous: 'many' }, { frozen: 'maybe' }, { embed: true }, { origins: ['https://a.example'] }, { embed: 'maybe' },
        ...['a.example', 'https://', 'https://a.example/path', "https://a.example; script-src *", "'self'", '*', 'javascript:alert(1)'].map((origin) => ({ embed: true, origins: [origin] }))]) {
        problem(await post({ query: 'SELECT 1', ...bad }), 400, 'invalid-parameter');
      }
      problem(await post({ query: 'SELECT 1', name: 'x'.repeat(300) }), 400);
    });

    test('needs a key with the scope share, and one that is not limited to tables', async () => {
      problem(await post({ query: 'SELECT 1' }, { key: null }), 401);
      const key = async (spec) => {
        const made = await server.api('/api/destinations/local/keys', { key: server.adminKey, body: JSON.stringify(spec) });
        return made.json().api_key;
      };
      assert.match(problem(await post({ query: 'SELECT 1' }, { key: await key({ scopes: ['query'] }) }), 403).detail, /'share'/);
      const limited = await key({ tables: ['people'] });
      problem(await post({ query: 'SELECT 1' }, { key: limited }), 403);
      assert.equal((await server.sql('SELECT 1', { key: limited })).status, 200);
    });
  });

  describe('the page', () => {
    test('shows name, end, first rows, buttons and a curl line; nothing of the query', async () => {
      const made = await share({ name: 'Who <is> who', duration: 7 * 86400, query: 'SELECT n, name AS called FROM people -- secret remark' });
      const page = await get(made.id);
      assert.equal(page.status, 200);
      assert.match(page.headers['content-type'], /^text\/html/);
      assert.equal(page.headers['x-robots-tag'], 'noindex');
      assert.match(page.headers['content-security-policy'], /default-src 'none'/);
      assert.equal(page.headers['referrer-policy'], 'no-referrer');
      assert.match(page.text, /<h1>Who &lt;is&gt; who<\/h1>/);
      assert.match(page.text, /in 7 days/);
      assert.ok(page.text.includes(made.expires_at.slice(0, 10)), 'the exact day');
      assert.match(page.text, /<td>&lt;b&gt;&quot;Bo&quot;&lt;\/b&gt;<\/td>/);
      assert.match(page.text, /These are all 3 rows\./);
      for (const format of ['csv', 'json', 'ndjson']) assert.ok(page.text.includes(`href="${made.id}/data.${format}"`), format);
      assert.ok(page.text.includes(`curl -o data.csv 'https://data.example/share/${made.id}/data.csv'`));
      assert.doesNotMatch(page.text, /people|SELECT|secret remark|local/);
    });

    test('shows the first of many rows, of a wide one, of none, and of EXPLAIN', async () => {
      const many = await share({ query: 'SELECT range AS n FROM range(1000000)' });
      assert.match((await get(many.id)).text, /The first 100 rows\./);
      const wide = await share({ query: "SELECT repeat('x', 300000) AS a FROM range(10)" });
      const page = await get(wide.id);
      assert.equal(page.status, 200);
      assert.ok(page.text.length < 20_000);
      const none = await share({ query: 'SELECT n FROM people WHERE n > 99' });
      assert.match((await get(none.id)).text, /no rows at the moment/);
      const explain = await share({ query: 'EXPLAIN SELECT 1;' });
      assert.match((await get(explain.id)).text, /These are all|only row/);
    });

    test('says so where a preview cannot be had', async () => {
      await server.insert('passing', { a: 1 });
      const made = await share({ query: 'SELECT * FROM passing' });
      const gone = await server.api('/api/tables/passing', { method: 'DELETE' });
      assert.equal(gone.status, 204, gone.text);
      const page = await get(made.id);
      assert.equal(page.status, 200);
      assert.match(page.text, /preview cannot be had right now/);
      const data = await get(made.id, '/data.csv');
      assert.ok(data.status >= 500, data.text);
      assert.doesNotMatch(data.text, /passing|SELECT/);
    });
  });

  describe('the download', () => {
    test('streams each format under a safe name, with the rows of this moment', async () => {
      const made = await share({ name: '../Umsätze "2026"', query: 'SELECT count(*) AS n FROM people' });
      const csv = await get(made.id, '/data.csv');
      assert.equal(csv.status, 200);
      assert.equal(csv.headers['content-disposition'], "attachment; filename=\"_Ums_tze _2026_.csv\"; filename*=UTF-8''_Ums%C3%A4tze%20_2026_.csv");
      assert.equal(csv.headers['x-content-type-options'], 'nosniff');
      assert.equal(csv.headers['x-robots-tag'], 'noindex');
      const [[, count]] = [parseCsv(csv.text).flat()];
      await server.insert('people', { n: 4, name: 'Di' });
      assert.deepEqual((await get(made.id, '/data.json')).json(), [{ n: Number(count) + 1 }]);
      assert.deepEqual((await get(made.id, '/data.ndjson')).rows(), [{ n: Number(count) + 1 }]);
    });

    test('is whole however large it is', async () => {
      const made = await share({ query: 'SELECT range AS n FROM range(500000)' });
      const answer = await get(made.id, '/data.ndjson');
      assert.equal(answer.complete, true);
      assert.equal(answer.rows().length, 500_000);
    });

    test('comes in the formats of the share only', async () => {
      const made = await share({ formats: ['csv'] });
      assert.equal((await get(made.id, '/data.csv')).status, 200);
      for (const format of ['json', 'parquet', 'csv.gz', 'CSV']) assert.equal((await get(made.id, `/data.${format}`)).status, 404, format);
      assert.doesNotMatch((await get(made.id)).text, /data\.json/);
    });

    test('comes in every format that a query has, where the share names it', async () => {
      const types = { tsv: /^text\/tab-separated-values/, jsoncompact: /^application\/json/, html: /^text\/html/, arrow: /^application\/vnd\.apache\.arrow\.stream/ };
      const made = await share({ formats: Object.keys(types) });
      for (const [format, type] of Object.entries(types)) {
        const answer = await get(made.id, `/data.${format}`);
        assert.equal(answer.status, 200, format);
        assert.match(answer.headers['content-type'], type);
        assert.match(answer.headers['content-disposition'], /^attachment;/);
        assert.equal(answer.headers['x-content-type-options'], 'nosniff');
        assert.equal('content-security-policy' in answer.headers, format === 'html');
      }
    });

    test('HEAD tells of it and counts nothing', async () => {
      const made = await share({ max_downloads: 1 });
      for (let i = 0; i < 3; i += 1) {
        const head = await get(made.id, '/data.csv', { method: 'HEAD' });
        assert.equal(head.status, 200);
        assert.match(head.headers['content-type'], /^text\/csv/);
        assert.equal(head.text, '');
      }
      assert.equal((await get(made.id, '/data.csv')).status, 200);
      assert.equal((await get(made.id, '/data.csv', { method: 'HEAD' })).status, 404);
    });

    test('is given at most max_downloads times, however many ask at once', async () => {
      const made = await share({ max_downloads: 3 });
      assert.match((await get(made.id)).text, /downloaded 3 times more/);
      const answers = await Promise.all(Array.from({ length: 10 }, () => get(made.id, '/data.csv')));
      assert.equal(answers.filter((a) => a.status === 200).length, 3);
      assert.equal(answers.filter((a) => a.status === 404).length, 7);
      assert.equal((await get(made.id)).status, 404);
    });
  });

  describe('the end of a share', () => {
    test('expired, revoked, used up, unknown and malformed all answer the same', async () => {
      const expired = await share({ duration: 1 });
      const revoked = await share({});
      const used = await share({ max_downloads: 1 });
      assert.equal((await get(used.id, '/data.csv')).status, 200);
      assert.equal((await get(expired.id)).status, 200);
      assert.equal((await server.api(`/api/shares/${revoked.id}`, { method: 'DELETE' })).status, 204);
      await sleep(1100);
      const never = '0d9f5c3e-8a43-4c6e-9d11-3f6f0a4b2c1d';
      for (const rest of ['', '/data.csv', '/data.nonsense']) {
        const wanted = bytes(await get(never, rest));
        assert.equal(wanted[0], 404);
        for (const id of [expired.id, revoked.id, used.id, 'x', '..%2f..', '%00', 'a'.repeat(2000), never.toUpperCase()]) {
          assert.deepEqual(bytes(await get(id, rest)), wanted, `${id}${rest}`);
        }
      }
      const browser = { headers: { Accept: 'text/html,application/xhtml+xml' } };
      const page = bytes(await get(never, '', browser));
      assert.match(page[1], /^text\/html/);
      assert.deepEqual(bytes(await get(revoked.id, '', browser)), page);
    });

    test('revoking is at once, twice no matter, and nobody else may', async () => {
      const made = await share({});
      const other = await server.api('/api/destinations', { key: server.adminKey, body: '{"name":"stranger"}' });
      const stranger = other.json().api_key;
      const foreign = await server.api(`/api/shares/${made.id}`, { method: 'DELETE', key: stranger });
      const unknown = await server.api('/api/shares/0d9f5c3e-8a43-4c6e-9d11-3f6f0a4b2c1d', { method: 'DELETE', key: stranger });
      const malformed = await server.api('/api/shares/x', { method: 'DELETE', key: stranger });
      assert.equal(foreign.status, 404);
      assert.deepEqual(bytes(foreign), bytes(unknown));
      assert.deepEqual(bytes(malformed), bytes(unknown));
      assert.equal((await get(made.id)).status, 200);
      for (let i = 0; i < 2; i += 1) assert.equal((await server.api(`/api/shares/${made.id}`, { method: 'DELETE' })).status, 204);
      assert.equal((await get(made.id)).status, 404);
      assert.equal((await get(made.id, '/data.csv')).status, 404);
      const listed = await server.api('/api/shares', { key: stranger });
      assert.deepEqual(listed.json(), { data: [], next: null });
      // One by itself is shown like in the list, to those who see the list.
      const shown = await server.api(`/api/shares/${made.id}`);
      assert.equal(shown.json().state, 'revoked');
      assert.deepEqual(shown.json(), (await server.api('/api/shares?all=true&limit=1000')).json().data.find((each) => each.id === made.id));
      for (const id of [made.id, '0d9f5c3e-8a43-4c6e-9d11-3f6f0a4b2c1d', 'x']) assert.deepEqual(bytes(await server.api(`/api/shares/${id}`, { key: stranger })), bytes(unknown));
    });
  });

  test('the owner lists live shares with their URLs, page by page, and the ended ones on demand', async () => {
    const { api_key: key } = (await server.api('/api/destinations', { key: server.adminKey, body: '{"name":"lister"}' })).json();
    const made = [];
    for (let i = 0; i < 5; i += 1) made.push((await post({ query: `SELECT ${i}`, name: `s${i}` }, { key })).json());
    await server.api(`/api/shares/${made[2].id}`, { method: 'DELETE', key });
    const live = made.filter((_, i) => i !== 2);
    const seen = [];
    let next = null;
    do {
      const page = (await server.api(`/api/shares?limit=2${next ? `&after=${next}` : ''}`, { key })).json();
      assert.ok(page.data.length <= 2);
      seen.push(...page.data);
      ({ next } = page);
    } while (next);
    assert.deepEqual(seen.map((s) => s.id), live.map((s) => s.id));
    assert.deepEqual(seen.map((s) => s.url), live.map((s) => s.url));
    assert.ok(seen.every((s) => s.state === 'live' && s.downloads === 0 && s.max_downloads === null));
    const all = (await server.api('/api/shares?all=true', { key })).json().data;
    assert.deepEqual(all.map((s) => s.state), ['live', 'live', 'revoked', 'live', 'live']);
    problem(await server.api('/api/shares?limit=0', { key }), 400, 'invalid-parameter');
    problem(await server.api('/api/shares?after=x', { key }), 400, 'invalid-parameter');
    problem(await server.api('/api/shares', { key: null }), 401);
  });

  test('a share outlives a restart', async () => {
    const made = await share({});
    await server.stop();
    await server.start();
    assert.equal((await get(made.id, '/data.csv')).status, 200);
  });
});

describe('the link of a share, without base_url', () => {
  // What a share made through `url` with this Host is given as its link.
  async function linkOf(server, url, host, path = '/api/data/share') {
    const headers = { Host: host, 'X-API-KEY': server.key };
    const made = await request(url, path, { body: '{"query":"SELECT 1 AS a","duration":60}', headers });
    assert.equal(made.status, 200, made.text);
    const listed = await request(url, '/api/shares', { headers });
    assert.ok(listed.json().data.some((s) => s.url === made.json().url), listed.text);
    const link = new URL(made.json().url);
    assert.equal(link.pathname, `/share/${made.json().id}`);
    return link;
  }

  const foreign = ['data.example', 'data.example:8080', 'evil.example', 'localhost.evil.example', '10.1.2.3', '[2001:db8::1]:80'];

  test('is the address and port that the request came in on, where its Host is not one of this machine', async (t) => {
    const server = await startServer(t, { flags: ['--listen', '127.0.0.1:0', '--listen', '[::1]:0'] });
    assert.equal(server.urls.length, 2);
    for (const url of server.urls) {
      for (const host of foreign) {
        const link = await linkOf(server, url, host);
        assert.equal(link.origin, url, host);
        // And it works.
        const page = await request(url, link.pathname);
        assert.equal(page.status, 200, page.text);
        assert.ok(page.text.includes(url) && !page.text.includes(host), page.text);
      }
      const { host } = new URL(url);
      assert.equal((await linkOf(server, url, host)).origin, url);
      assert.equal((await linkOf(server, url, 'localhost:1234')).origin, 'http://localhost:1234');
      const said = await request(url, '/api/data/share', { headers: { Host: 'evil.example' } });
      assert.ok(problem(said, 405).detail.includes(`curl -X POST '${url}/api/data/share'`), said.text);
    }
  });

  test('is of the address that was asked, where the server listens on every one', async (t) => {
    const server = await startServer(t, { flags: ['--listen', '0.0.0.0:0'] });
    for (const address of ['127.0.0.1', '127.0.0.2']) {
      const url = `http://${address}:${server.port}`;
      const link = await linkOf(server, url, 'data.example');
      assert.equal(link.origin, url);
      assert.deepEqual((await request(link.origin, `${link.pathname}/data.json`)).json(), [{ a: 1 }]);
    }
  });

  test('is the Host where the configuration lists it', async (t) => {
    const server = await startServer(t, { config: 'api:\n  hosts: [data.example]\n' });
    assert.equal((await linkOf(server, server.url, 'data.example')).origin, 'http://data.example');
    assert.equal((await linkOf(server, server.url, 'data.example:8443')).origin, 'http://data.example:8443');
    assert.equal((await linkOf(server, server.url, 'other.example')).origin, server.url);
  });
});
