// Random documents (documents.mjs) through each flatten mode, and back out through a query: every leaf is found again,
// exactly, in the row and under the name that flatten_model.mjs says, and nothing is found that was not sent.
//
// SD_MODE_DOCUMENTS: how many for each mode (1,250 without it, 25,000 in `./dev test nightly`), in rounds of 1,250 with a
// server and a seed each; SD_SEED repeats a run, or, with 1,250 documents, the round that failed.
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { documents } from './documents.mjs';
import { exploded, horizontal, multitable, none, vertical } from './flatten_model.mjs';
import { FoundAgain, same, show } from './found_again.mjs';
import { Exact, parseExact, useServer } from './lib.mjs';
import { random } from './random.mjs';

const kRound = 1250;
const kMaxDepth = 64; // docs/rows.md: deeper documents are refused,
const kMaxRows = 10_000; // and those that become more rows
const kFewRows = 300; // a document that becomes more than these, but may, takes too long here
const wanted = Number(process.env.SD_MODE_DOCUMENTS ?? kRound);
const first_seed = Number(process.env.SD_SEED ?? Math.floor(Math.random() * 2 ** 31));
const fold = (name) => name.replace(/[A-Z]/g, (c) => c.toLowerCase());
const with_depth = (mode, depth) => `flatten=${mode}${depth ? `&flatten_depth=${depth}` : ''}`;
const quoted = (name) => `"${name.replaceAll('"', '""')}"`;

const rounds = Array.from({ length: Math.ceil(wanted / kRound) }, (_, i) => ({ seed: first_seed + i, count: Math.min(kRound, wanted - i * kRound) }));
for (const { seed, count } of rounds) describe(`${count} random documents in every flatten mode (SD_SEED=${seed})`, () => {
  const server = useServer();
  beforeEach(() => server.newConnections()); // comparing takes its time
  const all = documents(seed, count);
  const next = random(seed + 1);
  const say = (document) => `document ${document.sent.doc} (SD_SEED=${seed})`;

  // Sends them in batches of any size. Those that must be refused are, for the reason that `refusal` gives, and are kept
  // whole; returns the others.
  async function insert(table, query, refusal = () => null) {
    const why = (document) => (document.depth > kMaxDepth ? 'too-deep' : refusal(document));
    const some = all.filter((document) => why(document) !== 'left out');
    for (let i = 0; i < some.length;) {
      const batch = some.slice(i, i + next.between(1, 500));
      i += batch.length;
      const answer = await server.insert(table, batch.map(({ text }) => text).join('\n'), { query: `?${query}&wait=true` });
      const refused = batch.flatMap((document, row) => (why(document) ? [[row, why(document)]] : []));
      assert.deepEqual((answer.errors ?? []).map(({ row, code }) => [row, code]), refused, `${say(batch[0])} and after, ${JSON.stringify(answer)}`);
      assert.deepEqual([answer.rows, answer.failed, answer.visible], [batch.length - refused.length, refused.length, true]);
    }
    const refused = some.filter(why);
    const kept = (await server.api(`/api/data/failed?table=${table}&limit=1000`)).json();
    assert.equal(kept.total, refused.length);
    assert.deepEqual(kept.data.map(({ body }) => body).sort(), refused.map(({ text }) => text).sort());
    return some.filter((document) => !why(document));
  }
  async function rows_of(table) {
    const answer = await server.sql(`SELECT * FROM ${quoted(table)} ORDER BY __row_id`, { query: '?format=ndjson' });
    assert.deepEqual([answer.status, answer.complete], [200, true], answer.text.slice(0, 1000));
    return answer.text.split('\n').filter((line) => line !== '').map(parseExact);
  }
  async function types_of(table) {
    return Object.fromEntries((await server.rows(`DESCRIBE ${quoted(table)}`)).map((column) => [column.column_name, column.column_type]));
  }

  // A mode in which each document is one row.
  async function check_single(t, table, query, cells_of) {
    const good = await insert(table, query);
    const rows = await rows_of(table);
    assert.equal(rows.length, good.length);
    const found = new FoundAgain(table, await types_of(table));
    for (const [i, document] of good.entries()) found.add(rows[i], cells_of(document.sent), say(document));
    t.diagnostic(`${found.finish()} values in ${rows.length} rows`);
  }

  async function check_vertical(t, table, depth) {
    const good = await insert(table, with_depth('vertical', depth), ({ sent }) => {
      const rows = exploded(sent, depth);
      if (rows > kMaxRows) return 'too-many-rows';
      return rows > kFewRows ? 'left out' : null;
    });
    const rows = await rows_of(table);
    const found = new FoundAgain(table, await types_of(table));
    const ids = new Set();
    let at = 0;
    for (const document of good) {
      const expected = vertical(document.sent, depth);
      const id = rows[at]?.___document_id;
      assert.ok(id instanceof Exact && !ids.has(id.token), `${say(document)}: ___document_id ${id}`);
      ids.add(id.token);
      for (const cells of expected) {
        assert.ok(at < rows.length, `${say(document)}: no row ${at}`);
        found.add(rows[at], [...cells, ['own document', '___document_id', id]], say(document));
        at += 1;
      }
    }
    assert.equal(at, rows.length, 'rows');
    t.diagnostic(`${found.finish()} values in ${rows.length} rows`);
  }

  async function check_multitable(t, table, depth) {
    const good = await insert(table, with_depth('multitable', depth));
    // Every row, by its table and its parent.
    const children = new Map(), found = new Map();
    let left = 0, values = 0;
    for (const { t: name } of await server.rows("SELECT table_name AS t FROM duckdb_tables() WHERE schema_name = 'main'")) {
      if (!fold(name).startsWith(table)) continue;
      found.set(fold(name), new FoundAgain(name, await types_of(name)));
      for (const row of await rows_of(name)) {
        const key = `${name === table ? '' : row.__parent_row_id.token} ${fold(name)}`; // a document may bring __parent_row_id
        if (!children.has(key)) children.set(key, []);
        children.get(key).push(row);
        left += 1;
      }
    }
    const check = (expected, parent, document) => {
      const row = children.get(`${parent} ${fold(expected.table)}`)?.shift();
      assert.notEqual(row, undefined, `${say(document)}: no row in ${expected.table}, ${show(expected.cells)}`);
      left -= 1;
      const ids = { own: row.__row_id, parent: new Exact(parent) };
      const cells = expected.cells.map(([place, name, value]) => [place, name, typeof value === 'function' ? value(ids) : value]);
      found.get(fold(expected.table)).add(row, cells, say(document));
      for (const child of expected.children) check(child, row.__row_id.token, document);
    };
    for (const document of good) check(multitable(document.sent, table, depth), '', document);
    assert.equal(left, 0, 'rows that no document has sent');
    for (const each of found.values()) values += each.finish();
    t.diagnostic(`${values} values in ${found.size} tables`);
  }

  // Documents with deep arrays side by side have thousands of places: the contract makes room for all of them.
  async function make_room(table) {
    const put = await server.api(`/api/tables/${table}/contract`, { method: 'PUT', body: '{"max_columns":100000}' });
    assert.equal(put.status, 200, put.text);
  }

  it('none', async (t) => {
    await check_single(t, 'none', 'flatten=none', none);
    // docs/rows.md: objects of more than 64 keys with scalars of one family are a MAP, and any others a STRUCT, or JSON.
    // (Numbers that no type of numbers holds together are none; which these are is not known here.)
    const counts = all.filter(({ sent, depth }) => sent.counts && depth <= kMaxDepth).flatMap(({ sent }) => Object.entries(sent.counts));
    const values = counts.map(([, value]) => value).filter((value) => value !== null);
    const families = new Set(values.map((value) => (value instanceof Exact ? 'number' : typeof value)));
    const is_known = families.size > 1 || !families.has('number') || values.every(({ token }) => /^-?\d{1,18}$/.test(token));
    const type = await server.value("SELECT data_type FROM duckdb_columns() WHERE table_name = 'none' AND column_name = 'counts'");
    t.diagnostic(`counts ${type.slice(0, 60)}`);
    if (is_known && new Set(counts.map(([key]) => key)).size > 64) assert.equal(type.startsWith('MAP('), families.size === 1, `${type.slice(0, 200)} (SD_SEED=${seed})`);
  });
  it('vertical', (t) => check_vertical(t, 'vertical', 0));
  it('multitable', (t) => check_multitable(t, 'multi', 0));
  it('horizontal', async (t) => {
    await make_room('flat');
    await check_single(t, 'flat', 'flatten=horizontal', (sent) => horizontal(sent));
  });
  it('horizontal, and beyond 1,000 columns in __overflow', (t) => check_single(t, 'narrow', 'flatten=horizontal', (sent) => horizontal(sent)));
  const depth = next.between(1, 3);
  it(`horizontal, and below a depth of ${depth} JSON`, (t) => check_single(t, 'deep', `flatten_depth=${depth}`, (sent) => horizontal(sent, depth)));
  it(`vertical, and below a depth of ${depth} JSON`, (t) => check_vertical(t, 'deep_vertical', depth));
  it(`multitable, and below a depth of ${depth} JSON`, (t) => check_multitable(t, 'deep_multi', depth));
});

describe('the comparison', () => {
  const one = new Exact('1'), two = new Exact('2');
  it('fails where a value is another', () => {
    assert.ok(same(new Exact('1.50'), '1.5') && same({ a: null }, {}) && same([new Exact('1e2')], [new Exact('100')]));
    for (const [sent, found] of [[one, new Exact('1.5')], ['1', one], [null, 'null'], [{ a: null }, null], [{}, { a: false }], [[], {}],
      [new Exact('-1'), one], [true, one], [new Exact('9007199254740993'), new Exact('9007199254740992')], ['é', 'e\u0301']]) {
      assert.ok(!same(sent, found), `${show(sent)} and ${show(found)}`);
    }
    assert.ok(same([one, true], ['1', 'true']) && !same([one], ['1'], true) && !same({ a: true }, { a: 'true' }, true));
  });
  const compare = (rows, cells) => {
    const table = new FoundAgain('t');
    for (const [i, row] of rows.entries()) table.add(row, cells[i], `row ${i}`);
    return table.finish();
  };
  const a = ['["a"]', 'a'], b = ['["b"]', 'b'], other_a = ['["A"]', 'A'];
  it('takes what is right, and fails where a value is missing, made up, or in the column of another place', () => {
    assert.equal(compare([{ __row_id: one, a: one, b: two }], [[[...a, one], [...b, two]]]), 2);
    assert.equal(compare([{ a: one, A_2: two }, { A_2: one }], [[[...a, one], [...other_a, two]], [[...other_a, one]]]), 3);
    assert.equal(compare([{ a: null, __overflow: { '': one } }], [[['[""]', '', one]]]), 1);
    assert.throws(() => compare([{ a: one }], [[[...a, one], [...b, two]]]), /"b".* was sent/);
    assert.throws(() => compare([{ a: one, b: two }], [[[...a, one]]]), /1 values were sent, 2 columns/);
    assert.throws(() => compare([{ a: one, __overflow: { b: two } }], [[[...a, one]]]), /1 members of __overflow/);
    assert.throws(() => compare([{ a: one }, { A_2: one }], [[[...a, one]], [[...a, one]]]), /its column was a/);
    assert.throws(() => compare([{ a: one }, { a: one }], [[[...a, one]], [[...other_a, one]]]), /no column is left/);
    assert.throws(() => compare([{ c: one }], [[[...a, one]]]), /"a".* was sent/);
  });
});
