// Random documents through each flatten mode, and every leaf found again through a query, exactly.
//
// SD_MODE_DOCUMENTS: how many for each mode (1,250 without it, 25,000 in `./dev test nightly`), in rounds of 1,250 with a
// server and a seed each; SD_SEED repeats a run, or, with 1,250 documents, the round that failed.
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { canonical, instant } from './flat.mjs';
import { Exact, parseExact, useServer } from './lib.mjs';
import { random } from './random.mjs';

const kRound = 1250;
const kBatch = 250;
const wanted = Number(process.env.SD_MODE_DOCUMENTS ?? kRound);
const first_seed = Number(process.env.SD_SEED ?? Math.floor(Math.random() * 2 ** 31));

// Few keys, so that documents meet in their columns; some that collide, or differ in case only.
const kKeys = ['a', 'b', 'a_b', 'B', 'id', 'tags', 'meta', 'größe', 'x y', '0', 'at', '"q"', 'c.d'];
const kTexts = ['', 'x', 'null', '0123', '2024-01-01', '1e5', 'Ω≈ç', '\u0000\u001f"\\', '{"a":1}', '2024-02-29T12:00:00Z',
  '2024-02-29T23:59:59.123456+05:30', '𝒳'.repeat(20), 'true'];
const kNumbers = ['0', '1', '-7', '1.5', '0.1', '1e3', '-0', '9007199254740993', '123456789012345678901234567890', '3.14159265358979323846',
  '1e400', '99999999999999999999999999999999999999999', '19.99', '1E-7'];

function make(next, depth) {
  const kind = next();
  if (depth > 0 && kind < 0.2) return make_object(next, depth, next.between(0, 3));
  if (depth > 0 && kind < 0.35) return Array.from({ length: next.between(0, 3) }, () => make(next, depth - 1));
  if (kind < 0.6) return new Exact(next.pick(kNumbers));
  if (kind < 0.85) return next.pick(kTexts);
  return next.pick([true, false, null]);
}
function make_object(next, depth, size) {
  const out = {};
  for (let i = 0; i < size; i += 1) out[next.pick(kKeys)] = make(next, depth - 1);
  return out;
}

function spell(value) {
  if (value instanceof Exact) return value.token;
  if (Array.isArray(value)) return `[${value.map(spell).join(',')}]`;
  if (value !== null && typeof value === 'object') return `{${Object.entries(value).map(([k, v]) => `${JSON.stringify(k)}:${spell(v)}`).join(',')}}`;
  return JSON.stringify(value);
}

const is_object = (v) => v !== null && typeof v === 'object' && !Array.isArray(v) && !(v instanceof Exact);
const is_empty = (v) => (Array.isArray(v) && v.length === 0) || (is_object(v) && Object.keys(v).length === 0);
const numeric = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
// 1e400 and the like are too long to be written out.
const number_of = (token) => (/[eE][+-]?\d{3}/.test(token) ? token.toLowerCase().replace('+', '') : canonical(token).replace(/^-0$/, '0'));

// A value as sent and as found, in whatever type its column ended.
function same(sent, found) {
  if (sent === null) return found === null || found === undefined || found === 'null';
  if (found === null || found === undefined) return false;
  if (sent instanceof Exact) {
    if (found instanceof Exact) return number_of(found.token) === number_of(sent.token);
    return typeof found === 'string' && numeric.test(found) && number_of(found) === number_of(sent.token);
  }
  if (typeof sent === 'boolean') return found === sent || found === String(sent);
  if (typeof sent === 'string') return found === sent || (instant(sent) !== null && instant(sent) === instant(found));
  if (Array.isArray(sent)) return Array.isArray(found) && found.length === sent.length && sent.every((v, i) => same(v, found[i]));
  if (!is_object(found)) return false;
  // In a STRUCT fields that other documents brought are null.
  return Object.entries(sent).every(([k, v]) => same(v, found[k]))
    && Object.entries(found).every(([k, v]) => Object.hasOwn(sent, k) || v === null);
}

const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
// The value in a column of that name, or of that name with the suffix that a collision gives; or in __overflow.
function found_in(rows, name, sent) {
  if (sent === null) return true; // a null makes no member of __overflow
  const pattern = new RegExp(`^${escaped(name)}(_\\d+)?$`, 'iu');
  return rows.some((row) => [row, row.__overflow ?? {}].some((part) =>
    Object.entries(part).some(([column, value]) => pattern.test(column) && same(sent, value))));
}

// [keys without indexes, value] of each leaf; `stop` says which arrays are taken apart.
function* leaves(value, keys) {
  if (Array.isArray(value) && value.length > 0) {
    for (const each of value) yield* leaves(each, keys);
  } else if (is_object(value) && Object.keys(value).length > 0) {
    for (const [key, each] of Object.entries(value)) yield* leaves(each, [...keys, key]);
  } else {
    yield [keys, value];
  }
}
// [name, value] of each leaf where arrays and objects are taken apart alike.
function* places(value, keys) {
  if ((Array.isArray(value) || is_object(value)) && !is_empty(value)) {
    for (const [key, each] of Object.entries(value)) yield* places(each, [...keys, key]);
  } else {
    yield [keys.join('_'), value];
  }
}
const exploded = (value) => {
  if (Array.isArray(value) && value.length > 0) return value.reduce((n, v) => n + exploded(v), 0);
  if (is_object(value) && Object.keys(value).length > 0) return Object.values(value).reduce((n, v) => n * exploded(v), 1);
  return 1;
};

// [table, column, value] of each leaf in multitable, and how many rows each child table gets.
function children(value, table, keys, out, rows) {
  for (const [key, each] of Object.entries(value)) {
    const name = [...keys, key];
    if (is_object(each) && !is_empty(each)) children(each, table, name, out, rows);
    else if (Array.isArray(each) && each.length > 0) {
      const child = `${table}_${name.join('_')}`;
      rows.set(child.toLowerCase(), (rows.get(child.toLowerCase()) ?? 0) + each.length);
      for (const element of each) {
        if (is_object(element) && !is_empty(element)) children(element, child, [], out, rows);
        else out.push([child, key, element]);
      }
    } else out.push([table, name.join('_'), each]);
  }
}

const rounds = Array.from({ length: Math.ceil(wanted / kRound) }, (_, i) => ({ seed: first_seed + i, count: Math.min(kRound, wanted - i * kRound) }));
for (const { seed, count } of rounds) describe(`${count} random documents in every flatten mode (SD_SEED=${seed})`, () => {
  const server = useServer();
  beforeEach(() => server.newConnections()); // comparing takes its time
  const documents = () => {
    const next = random(seed);
    return Array.from({ length: count }, (_, i) => ({ doc: new Exact(String(i)), ...make_object(next, 4, next.between(1, 4)) }));
  };
  async function insert(table, all, mode) {
    for (let i = 0; i < all.length; i += kBatch) {
      const body = all.slice(i, i + kBatch).map(spell).join('\n');
      const answer = await server.api(`/api/data/insert/${table}?flatten=${mode}&wait=true`, { method: 'POST', body });
      assert.equal(answer.status, 200, answer.text);
      assert.equal(answer.json().failed, 0, answer.text);
    }
  }
  async function rows_of(table) {
    const answer = await server.sql(`SELECT * FROM "${table.replaceAll('"', '""')}" ORDER BY __row_id`, { query: '?format=ndjson' });
    assert.equal(answer.status, 200, answer.text);
    return answer.text.trimEnd().split('\n').map(parseExact);
  }
  const say = (i, what) => `document ${i} (SD_SEED=${seed}): ${what}`;

  it('none', async () => {
    const all = documents();
    await insert('none', all, 'none');
    const rows = await rows_of('none');
    assert.equal(rows.length, all.length);
    for (const [i, sent] of all.entries()) {
      for (const [key, value] of Object.entries(sent)) {
        assert.ok(found_in([rows[i]], key, value), say(i, `${key}: sent ${spell(value)}, found ${spell(rows[i])}`));
      }
    }
  });

  it('vertical', async () => {
    const all = documents();
    await insert('vertical', all, 'vertical');
    const by_document = new Map();
    for (const row of await rows_of('vertical')) {
      if (!by_document.has(row.doc.token)) by_document.set(row.doc.token, []);
      by_document.get(row.doc.token).push(row);
    }
    for (const [i, sent] of all.entries()) {
      const rows = by_document.get(String(i)) ?? [];
      assert.equal(rows.length, exploded(sent), say(i, `rows of ${spell(sent)}`));
      assert.equal(new Set(rows.map((r) => r.___document_id.token)).size, 1, say(i, 'one ___document_id'));
      for (const [keys, value] of leaves(sent, [])) {
        assert.ok(found_in(rows, keys.join('_'), value), say(i, `${keys.join('_')}: sent ${spell(value)}, found ${spell(rows)}`));
      }
    }
  });

  it('multitable', async () => {
    const all = documents();
    await insert('multi', all, 'multitable');
    const expected = all.map((sent) => {
      const out = [], rows = new Map();
      children(sent, 'multi', [], out, rows);
      return { out, rows };
    });
    const tables = new Map();
    for (const name of (await server.rows("SELECT table_name AS t FROM duckdb_tables() WHERE schema_name = 'main'")).map((r) => r.t)) {
      if (name.toLowerCase().startsWith('multi')) tables.set(name.toLowerCase(), await rows_of(name));
    }
    // Each row's document: the root's, or that of the row that __parent_row_id names.
    const document_of = new Map(), by_table = new Map();
    for (const row of tables.get('multi')) document_of.set(row.__row_id.token, row.doc.token);
    for (const name of [...tables.keys()].sort((a, b) => a.length - b.length)) {
      const by_document = new Map();
      for (const row of tables.get(name)) {
        const document = name === 'multi' ? row.doc.token : document_of.get(row.__parent_row_id.token);
        assert.notEqual(document, undefined, `${name}: a row without its parent`);
        document_of.set(row.__row_id.token, document);
        if (!by_document.has(document)) by_document.set(document, []);
        by_document.get(document).push(row);
      }
      by_table.set(name, by_document);
    }
    for (const [i, { out, rows }] of expected.entries()) {
      for (const [table, number] of rows) {
        assert.equal(by_table.get(table)?.get(String(i))?.length, number, say(i, `rows of ${table}`));
      }
      for (const [table, column, value] of out) {
        const found = by_table.get(table.toLowerCase())?.get(String(i)) ?? [];
        assert.ok(found_in(found, column, value), say(i, `${table}.${column}: sent ${spell(value)}, found ${spell(found)}`));
      }
    }
  });

  it('horizontal', async () => {
    // Documents with deep arrays side by side have thousands of places: the contract makes room for all of them.
    const put = await server.api('/api/tables/flat/contract', { method: 'PUT', body: '{"max_columns":100000}' });
    assert.equal(put.status, 200, put.text);
    const all = documents();
    await insert('flat', all, 'horizontal');
    const rows = await rows_of('flat');
    assert.equal(rows.length, all.length);
    for (const [i, sent] of all.entries()) {
      let values = 0;
      for (const [name, value] of places(sent, [])) {
        assert.ok(found_in([rows[i]], name, value), say(i, `${name}: sent ${spell(value)}, found ${spell(rows[i])}`));
        if (value !== null) values += 1;
      }
      // As many values as leaves: none stands twice, none was made up.
      const found = Object.entries(rows[i]).filter(([column, value]) => !column.startsWith('__') && value !== null).length;
      assert.equal(found, values, say(i, `values of ${spell(sent)}`));
    }
  });

  it('horizontal, and below a depth JSON', async () => {
    const all = documents();
    for (let i = 0; i < all.length; i += kBatch) {
      const body = all.slice(i, i + kBatch).map(spell).join('\n');
      const answer = await server.api('/api/data/insert/deep?flatten_depth=2&wait=true', { method: 'POST', body });
      assert.equal(answer.json().failed, 0, answer.text);
    }
    const rows = await rows_of('deep');
    for (const [i, sent] of all.entries()) {
      for (const [key, value] of Object.entries(sent)) {
        const parts = is_empty(value) || (!is_object(value) && !Array.isArray(value)) ? [[key, value]]
          : Object.entries(value).map(([k, v]) => [`${key}_${k}`, v]);
        for (const [name, part] of parts) {
          assert.ok(found_in([rows[i]], name, part), say(i, `${name}: sent ${spell(part)}, found ${spell(rows[i])}`));
        }
      }
    }
  });
});
