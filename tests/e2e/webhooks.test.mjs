// The main job on real input: GitHub's 329 webhook payloads, a table for each of the 58 event types, every leaf
// of every payload found again in its column, and a result shared.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { ExpectedTable, leaves } from './flat.mjs';
import { parseCsv, parseExact, root, useServer } from './lib.mjs';

const events = JSON.parse(fs.readFileSync(
  path.join(root, 'third_party/node_modules/@octokit/webhooks-examples/api.github.com/index.json'), 'utf8'));

const quoted = (name) => `"${name.replaceAll('"', '""')}"`;

// Runs `work` on each item, a few at a time.
async function each(items, work, width = 8) {
  const queue = [...items];
  await Promise.all(Array.from({ length: width }, async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  }));
}

describe('329 GitHub webhooks', () => {
  const server = useServer();

  async function check_table(table, payloads) {
    const expected = new ExpectedTable();
    for (const payload of payloads) expected.add(payload);
    const described = await server.rows(`DESCRIBE ${quoted(table)}`);
    const types = Object.fromEntries(described.map((c) => [c.column_name, c.column_type]));
    const answer = await server.sql(`SELECT * FROM ${quoted(table)} ORDER BY __row_id`, { query: '?format=ndjson' });
    assert.equal(answer.status, 200, answer.text);
    assert.match(answer.headers['content-type'], /^application\/x-ndjson/);
    const rows = answer.text.split('\n').filter((line) => line !== '').map(parseExact);
    return expected.check(rows, types, table);
  }

  it('are what the package promises', () => {
    assert.equal(events.length, 58);
    assert.equal(events.reduce((n, e) => n + e.examples.length, 0), 329);
  });

  it('are accepted as JSON, one table for each type, and every leaf is found again', async () => {
    await each(events, async ({ name, examples }) => {
      for (const [index, payload] of examples.entries()) {
        const answer = await server.api(`/api/data/insert/${name}`, {
          body: JSON.stringify(payload),
          headers: { 'Content-Type': 'application/json', 'User-Agent': 'GitHub-Hookshot/044aadd', 'X-GitHub-Event': name },
        });
        assert.equal(answer.status, 200, `${name} ${index}: ${answer.text}`);
        const { ok, table, rows, failed, receipt } = answer.json();
        assert.deepEqual({ ok, table, rows, failed }, { ok: true, table: name, rows: 1, failed: 0 });
        assert.equal(typeof receipt, 'string');
      }
    });
    const tables = await server.rows('SHOW TABLES');
    assert.deepEqual(tables.map((t) => t.name).sort(), events.map((e) => e.name).sort());
    const counts = await server.rows(events.map(({ name }) => `SELECT '${name}' AS t, count(*) AS n FROM ${quoted(name)}`).join(' UNION ALL '));
    assert.deepEqual(Object.fromEntries(counts.map((c) => [c.t, c.n])),
      Object.fromEntries(events.map((e) => [e.name, e.examples.length])));
    let compared = 0;
    await each(events, async ({ name, examples }) => {
      const found = await check_table(name, examples);
      compared += found;
    }, 4);
    const sent = events.flatMap((e) => e.examples).reduce((n, payload) => n + leaves(payload).length, 0);
    assert.equal(compared, sent);
    assert.ok(sent > 30_000, `${sent} leaves`);
  });

  it("are accepted as GitHub's form type too, key in the URL as a webhook has it", async () => {
    await each(events, async ({ name, examples }) => {
      for (const payload of examples) {
        const answer = await server.request(`/api/data/insert/form%20${name}?api_key=local`, {
          body: `payload=${encodeURIComponent(JSON.stringify(payload)).replaceAll('%20', '+')}`,
          headers: { 'Content-Type': 'application/x-www-form-urlencoded', 'X-GitHub-Event': name },
        });
        assert.equal(answer.status, 200, `${name}: ${answer.text}`);
        assert.deepEqual([answer.json().rows, answer.json().failed], [1, 0]);
      }
    });
    await each(events, ({ name, examples }) => check_table(`form ${name}`, examples), 4);
  });

  it('fit into one table as NDJSON: what finds no column is kept in __overflow', async () => {
    const payloads = events.flatMap((e) => e.examples);
    const answer = await server.insert('everything', payloads.map((p) => JSON.stringify(p)).join('\n'), { query: '?wait=true' });
    assert.deepEqual([answer.rows, answer.failed, answer.visible], [329, 0, true]);
    const found = await server.sql('SELECT * FROM everything ORDER BY __row_id', { query: '?format=ndjson' });
    assert.equal(found.status, 200, found.text);
    const rows = found.text.split('\n').filter((line) => line !== '').map(parseExact);
    assert.equal(rows.length, 329);
    for (const [index, payload] of payloads.entries()) {
      const values = Object.entries(rows[index]).filter(([column, v]) => !column.startsWith('__') && v !== null).length;
      const sent = leaves(payload).filter(([, , value]) => value !== null).length;
      const overflow = rows[index].__overflow ?? {};
      const spilled = Object.values(overflow).filter((v) => v !== null).length;
      assert.equal(values + spilled, sent, `payload ${index}`);
    }
  });

  it('fit into one table of up to 4,000 columns: every leaf in its own column, nothing in __overflow', async () => {
    const put = await server.api('/api/tables/wide/contract', { method: 'PUT', body: '{"max_columns":4000}' });
    assert.equal(put.status, 200, put.text);
    const payloads = events.flatMap((e) => e.examples);
    // A type at a time: the table is widened 57 times.
    for (const { name, examples } of events) {
      const answer = await server.insert('wide', examples.map((p) => JSON.stringify(p)).join('\n'), { query: '?wait=true' });
      assert.deepEqual([answer.rows, answer.failed, answer.visible], [examples.length, 0, true], name);
    }
    const found = await check_table('wide', payloads);
    assert.equal(found, payloads.reduce((n, payload) => n + leaves(payload).length, 0));
    const columns = await server.rows("SELECT count(*) AS n, count(*) FILTER (column_name = '__overflow') AS overflow FROM duckdb_columns() WHERE table_name = 'wide'");
    assert.equal(columns[0].overflow, 0);
    assert.ok(columns[0].n > 3058, `${columns[0].n} columns`);
  });

  it('are shared: one result as CSV, JSON and NDJSON, and as a page', async () => {
    const issues = events.find((e) => e.name === 'issues').examples;
    const query = 'SELECT action, issue_number, issue_title, issue_id FROM issues ORDER BY __row_id';
    const made = await server.api('/api/data/share', {
      body: JSON.stringify({ query, duration: 3600, name: 'Issues of the week' }), headers: { 'Content-Type': 'application/json' },
    });
    assert.equal(made.status, 200, made.text);
    const share = made.json();
    assert.equal(share.name, 'Issues of the week');
    assert.ok(new Date(share.expires_at) - Date.now() > 3_500_000, share.expires_at);
    const link = new URL(share.url);
    assert.equal(link.origin, server.url);
    const expected = issues.map((p) => [p.action, p.issue.number, p.issue.title, p.issue.id]);

    const csv = await server.request(`${link.pathname}/data.csv`);
    assert.equal(csv.status, 200, csv.text);
    assert.match(csv.headers['content-type'], /^text\/csv/);
    assert.deepEqual(parseCsv(csv.text), [['action', 'issue_number', 'issue_title', 'issue_id'], ...expected.map((r) => r.map(String))]);
    const json = await server.request(`${link.pathname}/data.json`);
    assert.deepEqual(json.json().map((r) => Object.values(r)), expected);
    const ndjson = await server.request(`${link.pathname}/data.ndjson`);
    assert.deepEqual(ndjson.rows().map((r) => Object.values(r)), expected);

    const page = await server.request(link.pathname, { headers: { Accept: 'text/html' } });
    assert.equal(page.status, 200, page.text);
    assert.match(page.headers['content-type'], /^text\/html/);
    assert.match(page.text, /Issues of the week/);
    for (const format of ['csv', 'json', 'ndjson']) assert.ok(page.text.includes(`data.${format}`), `a link to data.${format}`);
    assert.ok(!page.text.includes('ORDER BY'), 'the page shows the query');
  });
});
