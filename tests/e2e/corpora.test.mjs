// JSONTestSuite and the big list of naughty strings, from the request to the answer of a query. The corpora stand beside the
// project, or where $SD_CORPORA says; where they are missing, this says so and skips.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { claims_of, spans_of } from './docs_page.mjs';
import { canonical } from './flat.mjs';
import { Exact, parseCsv, parseExact, problem, root, useServer } from './lib.mjs';

const corpora = process.env.SD_CORPORA ?? path.join(root, '../shared/corpora');
const suite = path.join(corpora, 'json-test-suite/test_parsing');
const naughty = path.join(corpora, 'naughty-strings/blns.json');

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
  const of_kind = (prefix) => files.filter((f) => f.startsWith(prefix));
  const post = (table, name, query) => server.api(`/api/data/insert/${table}?${query}&wait=true`, { method: 'POST', body: wrapped(name) });
  async function finds(name, table) {
    const answer = await server.sql(`SELECT v FROM "${table}"`);
    assert.equal(answer.status, 200, answer.text);
    const sent = parseExact(fs.readFileSync(path.join(suite, name), 'utf8').trim());
    const found = parseExact(answer.text);
    assert.equal(found.length, 1, name);
    assert.ok(same(sent, found[0].v), `${name}: found ${answer.text.slice(0, 300)}`);
    // An object of parseExact has a key once.
    if (name.includes('duplicated')) assert.ok(answer.text.includes(fs.readFileSync(path.join(suite, name), 'utf8')), `${name}: ${answer.text}`);
  }

  it('has 95 files that every parser takes, 188 that none takes, and 35 that parsers differ about', () => {
    assert.deepEqual(['y_', 'n_', 'i_'].map((prefix) => of_kind(prefix).length), [95, 188, 35]);
  });

  for (const query of ['flatten_depth=1', 'flatten=none']) {
    it(`what every parser takes comes back exactly (${query})`, async () => {
      for (const [i, name] of of_kind('y_').entries()) {
        const table = `y${i} ${query}`;
        const answer = await post(encodeURIComponent(table), name, query);
        assert.equal(answer.status, 200, `${name}: ${answer.text}`);
        assert.deepEqual([answer.json().rows, answer.json().failed, answer.json().visible], [1, 0, true], name);
        await finds(name, table);
      }
    });
  }

  it('what no parser takes is refused, with an offset in the body', async () => {
    for (const name of of_kind('n_')) {
      const { offset } = problem(await post('n', name, 'flatten_depth=1'), 400);
      assert.ok(Number.isInteger(offset) && offset >= 0 && offset <= wrapped(name).length, `${name}: offset ${offset}`);
    }
    problem(await server.api('/api/tables/n'), 404);
  });

  // The table of docs/rows.md, whose instances docs_rows.test.mjs sends.
  it('what parsers differ about has the outcome that docs/rows.md gives', async () => {
    const lines = claims_of(fs.readFileSync(path.join(root, 'docs/rows.md'), 'utf8')).filter((claim) => claim.header === 'files | for instance | outcome')
      .map(({ cells: [names, , outcome] }) => ({ outcome, count: 0, names: spans_of(names).map((glob) => new RegExp(`^${glob.replaceAll('*', '.*')}\\.json$`)) }));
    for (const [i, name] of of_kind('i_').entries()) {
      const matching = lines.filter(({ names }) => names.some((pattern) => pattern.test(name)));
      assert.equal(matching.length, 1, `${name} stands in ${matching.length} lines`);
      matching[0].count += 1;
      const answer = await post(`i${i}`, name, 'flatten_depth=1');
      if (matching[0].outcome === 'as sent') {
        assert.equal(answer.status, 200, `${name}: ${answer.text}`);
        await finds(name, `i${i}`);
      } else {
        const [, status, slug] = /^(\d+) `(.+)`$/.exec(matching[0].outcome);
        const said = problem(answer, Number(status), slug);
        assert.equal(typeof said.offset, 'number', name);
        problem(await server.api(`/api/tables/i${i}`), 404);
      }
    }
    assert.deepEqual(lines.map(({ count }) => count > 0), lines.map(() => true));
  });
});

describe('naughty strings', { skip: fs.existsSync(naughty) ? false : `no corpus at ${naughty}` }, () => {
  const server = useServer();
  const strings = fs.existsSync(naughty) ? JSON.parse(fs.readFileSync(naughty, 'utf8')) : [];
  const lines = (rows) => rows.map((row) => JSON.stringify(row)).join('\n');

  const formats = ['json', 'ndjson', 'csv'];
  // The rows of a query in a format: objects, of CSV with texts, without what is null.
  async function rows_of(sql, format) {
    const { text, status } = await server.sql(sql, { query: `?format=${format}` });
    assert.equal(status, 200, text);
    if (format === 'json') return JSON.parse(text);
    if (format === 'ndjson') return text.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line));
    const [names, ...rows] = parseCsv(text);
    return rows.map((cells) => {
      assert.equal(cells.length, names.length);
      const row = Object.fromEntries(names.map((name, i) => [name, cells[i]]));
      return row.__overflow ? { ...row, __overflow: JSON.parse(row.__overflow) } : row;
    });
  }

  it('are 515, one of them empty, seven over 255 bytes', () => {
    assert.equal(strings.length, 515);
    assert.deepEqual([strings.filter((s) => s === '').length, strings.filter((s) => Buffer.byteLength(s) > 255).length], [1, 7]);
  });

  for (const sent_as of ['JSON', 'NDJSON', 'CSV']) {
    it(`come back as values, in every format, sent as ${sent_as}`, async () => {
      const rows = strings.map((s, i) => ({ i, s }));
      const table = `values_${sent_as}`;
      const body = {
        JSON: () => JSON.stringify(rows), NDJSON: () => lines(rows),
        CSV: () => `i,s\r\n${rows.map(({ i, s }) => `${i},"${s.replaceAll('"', '""')}"`).join('\r\n')}\r\n`,
      }[sent_as]();
      const answer = await server.insert(table, body, { headers: sent_as === 'CSV' ? { 'Content-Type': 'text/csv' } : {} });
      assert.deepEqual([answer.rows, answer.failed], [515, 0]);
      for (const format of formats) {
        const got = (await rows_of(`SELECT s FROM ${table} ORDER BY i`, format)).map((row) => row.s);
        assert.equal(got.length, 515, format);
        assert.equal(strings.filter((s, i) => got[i] === s).length, 515, `${format}: ${strings.findIndex((s, i) => got[i] !== s)}`);
      }
    });
  }

  // Columns are made of all strings but the one that is empty and those that are too long. The strings that are the same to
  // DuckDB, ASCII case aside, share a name but for the suffix, which the one that came later has.
  const fold = (name) => name.replace(/[A-Z]/g, (c) => c.toLowerCase());
  const is_overflow = (s) => s === '' || Buffer.byteLength(s) > 255;
  function names_of(keys) {
    const taken = new Set(['__row_id', '__received_at', '__overflow']);
    const names = new Map();
    for (const key of keys) {
      if (names.has(key)) continue;
      let name = key;
      for (let n = 2; !is_overflow(key) && taken.has(fold(name)); n += 1) name = `${key}_${n}`;
      taken.add(fold(name));
      names.set(key, name);
    }
    return names;
  }

  it('come back as keys, in every format, the empty one and those over 255 bytes in __overflow', async () => {
    const answer = await server.insert('keys', lines(strings.map((s, i) => ({ [s]: `mark ${i}` }))));
    assert.deepEqual([answer.rows, answer.failed], [515, 0]);
    const names = names_of(strings);
    for (const format of formats) {
      const rows = await rows_of('SELECT * FROM keys ORDER BY __row_id', format);
      assert.equal(rows.length, 515, format);
      for (const [i, s] of strings.entries()) {
        const row = rows[i];
        const columns = Object.entries(row).filter(([name, value]) => value !== null && !['__row_id', '__received_at', '__overflow'].includes(name));
        const wanted = [[names.get(s), `mark ${i}`]];
        assert.deepEqual(columns, is_overflow(s) ? [] : wanted, `${format}, key ${i}`);
        assert.deepEqual(Object.entries(row.__overflow ?? {}), is_overflow(s) ? wanted : [], `${format}, key ${i}`);
      }
    }
    assert.equal(await server.value('SELECT count(*) FROM keys WHERE __overflow IS NOT NULL'), 8);
  });

  it('come back as the keys of one row', async () => {
    const row = Object.fromEntries(strings.map((s, i) => [s, `mark ${i}`])); // of equal strings the last
    const answer = await server.insert('one', row);
    assert.deepEqual([answer.rows, answer.failed], [1, 0]);
    const names = names_of(Object.keys(row));
    const wanted = new Map(Object.entries(row).map(([key, value]) => [names.get(key), value]));
    for (const format of formats) {
      const [{ __row_id: _, __received_at: __, __overflow: overflow, ...columns }] = await rows_of('SELECT * FROM one', format);
      assert.deepEqual(new Map([...Object.entries(columns), ...Object.entries(overflow)]), wanted, format);
      assert.equal(Object.keys(overflow).length, 8);
    }
  });
});
