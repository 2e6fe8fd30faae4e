// JSONTestSuite and the big list of naughty strings, from the request to the answer of a query. The corpora
// stand beside the project; where they are missing, this says so and skips.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { canonical } from './flat.mjs';
import { Exact, parseCsv, parseExact, problem, root, useServer } from './lib.mjs';

const suite = path.join(root, '../shared/corpora/json-test-suite/test_parsing');
const naughty = path.join(root, '../shared/corpora/naughty-strings/blns.json');

function same(sent, found) {
  if (sent instanceof Exact) {
    // Numbers with a huge exponent stay text, or JSON, as they were sent.
    const token = found instanceof Exact ? found.token : String(found);
    return token === sent.token || (!/[eE][+-]?\d{3}/.test(sent.token) && canonical(token) === canonical(sent.token));
  }
  if (sent === null || typeof sent !== 'object') return sent === found;
  if (found === null || typeof found !== 'object' || Array.isArray(sent) !== Array.isArray(found)) return false;
  const keys = Object.keys(sent);
  return keys.length === Object.keys(found).length && keys.every((k) => Object.hasOwn(found, k) && same(sent[k], found[k]));
}

describe('JSONTestSuite', { skip: fs.existsSync(suite) ? false : `no corpus at ${suite}` }, () => {
  const server = useServer();
  const files = fs.existsSync(suite) ? fs.readdirSync(suite).filter((f) => f.endsWith('.json')).sort() : [];
  const wrapped = (name) => Buffer.concat([Buffer.from('[{"v":'), fs.readFileSync(path.join(suite, name)), Buffer.from('}]')]);
  const post = (table, body) => server.api(`/api/data/insert/${table}?flatten_depth=1&wait=true`, { method: 'POST', body });
  async function finds(name, table) {
    const answer = await server.sql(`SELECT v FROM "${table}"`);
    assert.equal(answer.status, 200, answer.text);
    const sent = parseExact(fs.readFileSync(path.join(suite, name), 'utf8').trim());
    const found = parseExact(answer.text)[0].v;
    assert.ok(same(sent, found), `${name}: found ${answer.text.slice(0, 300)}`);
  }

  it('what every parser takes comes back exactly', async () => {
    const good = files.filter((f) => f.startsWith('y_'));
    assert.ok(good.length >= 90, `${good.length} files`);
    for (const [i, name] of good.entries()) {
      const answer = await post(`y${i}`, wrapped(name));
      assert.equal(answer.status, 200, `${name}: ${answer.text}`);
      assert.equal(answer.json().rows, 1, name);
      await finds(name, `y${i}`);
    }
  });

  it('what no parser takes is refused, with an offset', async () => {
    const bad = files.filter((f) => f.startsWith('n_'));
    assert.ok(bad.length >= 180, `${bad.length} files`);
    for (const name of bad) {
      const answer = await post('n', wrapped(name));
      const said = problem(answer, 400);
      assert.equal(typeof said.offset, 'number', `${name}: ${answer.text}`);
    }
    problem(await server.api('/api/tables/n'), 404);
  });

  // docs/rows.md: numbers of any size are kept; text that is no UTF-8 or holds lone surrogates, and nesting over
  // 64 levels, refuse the row.
  it('what parsers differ about has the outcome that is documented', async () => {
    const open = files.filter((f) => f.startsWith('i_'));
    assert.ok(open.length >= 30, `${open.length} files`);
    for (const [i, name] of open.entries()) {
      const answer = await post(`i${i}`, wrapped(name));
      if (name.startsWith('i_number_')) {
        assert.equal(answer.status, 200, `${name}: ${answer.text}`);
        await finds(name, `i${i}`);
      } else {
        problem(answer, 400);
      }
    }
  });
});

describe('naughty strings', { skip: fs.existsSync(naughty) ? false : `no corpus at ${naughty}` }, () => {
  const server = useServer();
  const strings = fs.existsSync(naughty) ? JSON.parse(fs.readFileSync(naughty, 'utf8')) : [];
  const lines = (rows) => rows.map((row) => JSON.stringify(row)).join('\n');

  it('come back as values, in every format, sent as JSON and as CSV', async () => {
    assert.ok(strings.length >= 500, `${strings.length} strings`);
    await server.insert('values_json', lines(strings.map((s, i) => ({ i, s }))));
    const quoted = strings.map((s, i) => `${i},"${s.replaceAll('"', '""')}"`).join('\r\n');
    const answer = await server.api('/api/data/insert/values_csv', { method: 'POST', body: `i,s\r\n${quoted}\r\n`, headers: { 'Content-Type': 'text/csv' } });
    assert.equal(answer.status, 200, answer.text);
    for (const table of ['values_json', 'values_csv']) {
      const sql = `SELECT s FROM ${table} ORDER BY i`;
      const found = {
        json: (await server.rows(sql)).map((row) => row.s),
        ndjson: (await server.sql(sql, { query: '?format=ndjson' })).text.trimEnd().split('\n').map((line) => JSON.parse(line).s),
        csv: parseCsv((await server.sql(sql, { query: '?format=csv' })).text).slice(1).map((row) => row[0]),
      };
      for (const [format, got] of Object.entries(found)) {
        assert.equal(got.length, strings.length, `${table}, ${format}`);
        for (const [i, s] of strings.entries()) assert.equal(got[i], s, `${table}, ${format}, string ${i}`);
      }
    }
  });

  it('come back as keys, in every format', async () => {
    const marks = strings.map((s, i) => ({ [s]: `mark ${i}` }));
    await server.insert('keys', lines(marks));
    const sql = 'SELECT * FROM keys ORDER BY __row_id';
    const rows = await server.rows(sql);
    const ndjson = (await server.sql(sql, { query: '?format=ndjson' })).text.trimEnd().split('\n').map((line) => JSON.parse(line));
    const table = parseCsv((await server.sql(sql, { query: '?format=csv' })).text);
    assert.equal(rows.length, strings.length);
    assert.equal(table.length, strings.length + 1);
    // Strings that are the same to DuckDB, ASCII case aside, share a name but for a suffix.
    const is_name = (column, s) => column.toLowerCase() === s.toLowerCase() || column.toLowerCase().replace(/_\d+$/, '') === s.toLowerCase();
    for (const [i, s] of strings.entries()) {
      for (const [format, row] of [['json', rows[i]], ['ndjson', ndjson[i]]]) {
        const members = [...Object.entries(row), ...Object.entries(row.__overflow ?? {})];
        assert.ok(members.some(([column, value]) => value === `mark ${i}` && is_name(column, s)), `${format}, key ${i}: ${JSON.stringify(s)}`);
      }
      const cells = table[i + 1].map((cell, c) => [table[0][c], cell]);
      const overflow = cells.find(([column]) => column === '__overflow')?.[1];
      if (overflow) cells.push(...Object.entries(JSON.parse(overflow)));
      assert.ok(cells.some(([column, value]) => value === `mark ${i}` && is_name(column, s)), `csv, key ${i}: ${JSON.stringify(s)}`);
    }
  });
});
