// docs/rows.md, line by line, against a server. Tables are run as they stand in the page (by their headers, see
// `tables`); a point of a list is quoted whole in `points`, beside the function that shows it. A line that nothing here
// covers, and a quotation that is no longer in the page, are failures.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { Given, claims_of, differences, parse_column, parse_rows, plain_type, spans_of } from './docs_page.mjs';
import { changeFile } from './change_file.mjs';
import { localFile } from './duckdb.mjs';
import { canonical, instant } from './flat.mjs';
import { Exact, parseExact, problem, root, Server, useServer } from './lib.mjs';

const page = fs.readFileSync(path.join(root, 'docs/rows.md'), 'utf8');
const claims = claims_of(page);
const server = useServer();

const kForm = { 'Content-Type': 'application/x-www-form-urlencoded' };
const kCsv = { 'Content-Type': 'text/csv' };
const kNdjson = { 'Content-Type': 'application/x-ndjson' };
const kTime = 'TIMESTAMP WITH TIME ZONE';
const kModes = ['horizontal', 'vertical', 'multitable', 'none'];

let counter = 0;
const fresh = () => `t${counter += 1}`;
const quoted = (name) => `"${name.replaceAll('"', '""')}"`;
const path_of = (table, query = '') => `/api/data/insert/${encodeURIComponent(table)}?wait=true${query && `&${query}`}`;
const post = (table, body, query = '', headers = {}) => server.api(path_of(table, query), { method: 'POST', body, headers });
const get = (table, query) => server.api(path_of(table, query));
async function put_contract(table, contract) {
  const answer = await server.api(`/api/tables/${table}/contract`, { method: 'PUT', body: typeof contract === 'string' ? contract : JSON.stringify(contract) });
  assert.equal(answer.status, 200, answer.text);
}
// Each body a request of its own; the answers, all 200.
async function send(table, bodies, query = '', headers = {}) {
  const answers = [];
  for (const body of bodies) {
    const answer = await post(table, typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body), query, headers);
    assert.equal(answer.status, 200, answer.text);
    answers.push(answer.json());
    assert.equal(answers.at(-1).visible, true, answer.text);
  }
  return answers;
}
const codes_of = (answers) => answers.flatMap((answer) => (answer.errors ?? []).map((e) => e.code));

// Rows of a table with every digit, without __received_at; undefined where there is no such table.
async function stored(table) {
  const found = await server.api(`/api/tables/${encodeURIComponent(table)}/columns`);
  if (found.status === 404) return undefined;
  assert.equal(found.status, 200, found.text);
  const types = new Map(found.json().data.map((c) => [c.name, c.type]));
  types.delete('__received_at');
  const answer = await server.sql(`SELECT * EXCLUDE (__received_at) FROM ${quoted(table)} ORDER BY __row_id`, { query: '?format=ndjson' });
  assert.equal(answer.status, 200, answer.text);
  return { types, rows: answer.text.split('\n').filter((line) => line !== '').map(parseExact) };
}
const values = async (table, columns) => {
  const { rows } = await stored(table);
  return rows.map((row) => JSON.parse(spell(columns ? columns.map((c) => row[c]) : Object.fromEntries(Object.entries(row).filter(([c]) => c !== '__row_id')))));
};
const types_of = async (table) => Object.fromEntries([...(await stored(table)).types].filter(([name]) => name !== '__row_id'));

function spell(value) {
  if (value instanceof Exact) return value.token;
  if (value instanceof Given) return value.letter;
  if (Array.isArray(value)) return `[${value.map(spell).join(',')}]`;
  if (value !== null && typeof value === 'object') return `{${Object.entries(value).map(([k, v]) => `${JSON.stringify(k)}:${spell(v)}`).join(',')}}`;
  return JSON.stringify(value);
}

// Asserts that a table holds just these rows: in these columns, with these types and values. Letters are bound in `given`.
async function check_table(table, rows, given) {
  const found = await stored(table);
  assert.ok(found, `there is no table ${table}`);
  const columns = new Map(); // name to { type, values }
  for (const row of rows) {
    for (const { name, type, value } of row) {
      if (!columns.has(name)) columns.set(name, { type, values: [] });
      const column = columns.get(name);
      column.type ??= type;
      column.values.push(value);
      assert.equal(type ?? column.type, column.type, `two types of ${name}`);
    }
  }
  const more = rows.some((row) => row.more);
  for (const [name, type] of found.types) {
    const ours = name === '__row_id' || (more && type === 'BIGINT' && /^(.*_)?id$/.test(name));
    if (ours && !columns.has(name)) found.types.delete(name);
  }
  const wanted = [...columns].map(([name, { type, values: all }]) => [name, type ?? plain_type(all)]);
  assert.deepEqual(Object.fromEntries(found.types), Object.fromEntries(wanted), `columns of ${table}`);
  const actual = found.rows.map((row, i) => Object.fromEntries([...columns.keys()].map((name) => {
    const value = row[name];
    const said = rows[i]?.find((c) => c.name === name)?.value;
    if (!(said instanceof Given)) return [name, spell(value)];
    assert.match(spell(value), /^\d+$/, `${name} of ${table}`);
    if (!given.has(said.letter) && ![...given.values()].includes(value.token)) given.set(said.letter, value.token);
    return [name, given.get(said.letter) === value.token ? said.letter : value.token];
  })));
  const expected = rows.map((row) => Object.fromEntries([...columns.keys()].map((name) => [name, spell(row.find((c) => c.name === name)?.value ?? null)])));
  assert.deepEqual(actual, expected, `rows of ${table}`);
}

// Asserts what a cell of rows says of the tables beginning with `table`, and of the answers.
async function check_rows(cell, table, answers) {
  const said = parse_rows(cell);
  if (said.status) {
    assert.equal(answers.length, 1);
    problem(answers[0], said.status, said.slug);
    assert.equal(await stored(table), undefined, 'nothing is stored');
    return;
  }
  for (const answer of answers) assert.equal(answer.status, 200, answer.text);
  assert.deepEqual(codes_of(answers.map((a) => a.json())), said.refused);
  assert.equal(answers.reduce((n, a) => n + a.json().failed, 0), said.refused.length);
  const given = new Map();
  const names = new Set();
  for (const [name, rows] of said.tables) {
    await check_table(name || table, rows, given);
    names.add(name || table);
  }
  const all = (await server.rows(`SELECT table_name AS t FROM duckdb_tables() WHERE schema_name = 'main'`)).map((r) => r.t);
  assert.deepEqual(all.filter((t) => t === table || t.startsWith(`${table}_`)).sort(), [...names].sort(), 'tables');
}

const unescaped = (span) => span.replaceAll('\\n', '\n').replaceAll('\\r', '\r');
const documents_of = (cell) => (cell === 'nothing' ? [] : spans_of(cell));

async function run_mode(query, documents, rows) {
  // The page says `orders`, which is a name of its own for each line.
  const table = fresh();
  const own = (text) => text.replaceAll('orders', table);
  const answers = [];
  for (const document of spans_of(own(documents))) answers.push(await post(table, document, query));
  await check_rows(own(rows), table, answers);
}

// A server whose database had tables before, which these statements made.
const others = [];
after(() => Promise.all(others.map((other) => other.destroy())));
async function made_by(...statements) {
  const other = new Server();
  others.push(other);
  await other.start();
  await other.insert('seed', { a: 1 }, { query: '?wait=true' });
  await other.stop();
  await changeFile(localFile(other.dir), ...statements);
  return other.start();
}
// One with a table for each column of the page.
let theirs = null;
const their_tables = () => (theirs ??= (async () => {
  const types = claims.filter((c) => c.header === 'column | takes | and holds | refuses').map((c) => spans_of(c.cells[0])[0]);
  const tables_of = new Map(types.map((type, i) => [type, `theirs${i}`]));
  const other = await made_by(...[...tables_of].map(([type, table]) => `CREATE TABLE ${table}(v ${type})`));
  return { other, tables_of };
})());

// ---- tables, by their header

// Values of the lattice's table and what they are.
const kinds = new Map(claims.filter((c) => c.header === 'kind | for instance | alone').map((c) =>
  [c.cells[0], { values: spans_of(c.cells[1]).map(parseExact), alone: c.cells[2] }]));

const digits_of = (value) => {
  const [whole, fraction = ''] = canonical(value.token).replace('-', '').split('.');
  return { whole: whole.replace(/^0$/, '').length, fraction: fraction.length };
};
// A type of the lattice for these values: of a DECIMAL its digits.
function exact_type(type, all) {
  if (type !== 'DECIMAL') return type;
  const digits = all.filter((v) => v instanceof Exact).map(digits_of);
  const scale = Math.max(...digits.map((d) => d.fraction));
  return Math.max(...digits.map((d) => d.whole)) + scale <= 38 ? `DECIMAL(38,${scale})` : 'VARCHAR';
}
// Whether the value came back whole from a column of that type.
function is_kept(sent, found, type) {
  if (sent === null) return found === null;
  if (type === 'JSON') return spell(sent) === spell(found) || (instant(sent) !== null && instant(sent) === instant(found))
    || (sent instanceof Exact && found instanceof Exact && canonical(sent.token) === canonical(found.token));
  if (type === kTime) return instant(sent) !== null && instant(sent) === instant(found);
  if (type === 'BOOLEAN') return typeof sent === 'boolean' && sent === found;
  if (type !== 'VARCHAR') return sent instanceof Exact && found instanceof Exact && canonical(sent.token) === canonical(found.token);
  if (sent instanceof Exact) return typeof found === 'string' && canonical(sent.token) === canonical(found);
  return found === String(sent) || (instant(sent) !== null && instant(sent) === instant(found));
}
// Sends each pair of values, `pairs` of [first, second, type], as a column: in two requests, or in one.
async function check_pairs(pairs, together) {
  const table = fresh();
  const row = (which) => `{${pairs.map((pair, i) => `"p${i}":${spell(pair[which])}`).join(',')}}`;
  await send(table, together ? [`${row(0)}\n${row(1)}`] : [row(0), row(1)]);
  const found = await stored(table);
  for (const [i, [first, second, type]] of pairs.entries()) {
    const label = `${spell(first)} and ${spell(second)}${together ? ' in one request' : ''}`;
    assert.equal(found.types.get(`p${i}`), exact_type(type, [first, second]), label);
    for (const [which, sent] of [first, second].entries()) {
      const back = found.rows[which][`p${i}`];
      assert.ok(is_kept(sent, back, found.types.get(`p${i}`)), `${label}: ${spell(sent)} came back as ${spell(back)}`);
    }
  }
}

const tables = {
  'sent | rows': async ([sent, rows]) => {
    const [, span, how = ''] = /^`([^`]*)`(?: (as a form|as CSV|as NDJSON|by GET|\(NDJSON\)))?$/.exec(sent);
    const table = fresh();
    const answer = how === 'by GET' ? await get(table, span.slice(1))
      : await post(table, unescaped(span), '', { 'as a form': kForm, 'as CSV': kCsv, 'as NDJSON': kNdjson }[how]);
    await check_rows(rows, table, [answer]);
  },
  'files | for instance | outcome': async ([, instances, outcome]) => {
    const times = / (\d+) times$/.exec(instances)?.[1];
    for (const span of spans_of(instances)) {
      // \xff is a byte; all else stands as it is.
      const value = times ? Buffer.from(`${span.repeat(times)}${']'.repeat(times)}`)
        : Buffer.from(span.replace(/\\x([0-9a-f]{2})/g, (_, byte) => String.fromCharCode(parseInt(byte, 16))), 'latin1');
      const table = fresh();
      const answer = await post(table, Buffer.concat([Buffer.from('[{"v":'), value, Buffer.from('}]')]), 'flatten_depth=1');
      if (outcome === 'as sent') await check_table(table, [[parse_column(`v JSON = ${span}`)]], new Map());
      else await check_rows(outcome, table, [answer]);
    }
  },
  'field | value': async ([field, value]) => {
    const fields = [...field.matchAll(/`([^`]*)`|nothing/g)].map((found) => found[1] ?? '');
    const wanted = spans_of(value);
    assert.equal(fields.length, wanted.length);
    const table = fresh();
    await send(table, [`${fields.map((_, i) => `c${i}`).join(',')},x\n${fields.join(',')},x\n`], '', kCsv);
    await check_table(table, [[...wanted.map((text, i) => {
      const typed = /^([A-Z ]+) (".*")$/.exec(text);
      return parse_column(typed ? `c${i} ${typed[1]} = ${typed[2]}` : `c${i} = ${text}`);
    }), parse_column('x = "x"')]], new Map());
  },
  'CSV | rows': async ([csv, rows]) => {
    const table = fresh();
    await check_rows(rows, table, [await post(table, unescaped(spans_of(csv)[0]), '', kCsv)]);
  },
  'JSON | rows': ([documents, rows], heading) => run_mode(kModes.includes(heading) ? `flatten=${heading}` : '', documents, rows),
  'with | JSON | rows': ([query, documents, rows]) => run_mode(spans_of(query)[0], documents, rows),
  'kind | for instance | alone': async ([kind]) => {
    const { values: all, alone } = kinds.get(kind);
    await check_pairs(all.map((v) => [v, v, alone]), false);
  },
  'seen | type | read back': async ([seen, type, back]) => {
    for (const together of [false, true]) {
      const table = fresh();
      const rows = spans_of(seen).map((value) => `{"a":${value}}`);
      await send(table, together ? [rows.join('\n')] : rows);
      const found = await stored(table);
      assert.equal(found.types.get('a'), type);
      // A time that met text in its own request had not been a time yet.
      const time_and_text = together && type === 'VARCHAR' && instant(parseExact(spans_of(seen)[0])) !== null;
      assert.deepEqual(found.rows.map((row) => spell(row.a)), spans_of(time_and_text ? seen : back));
    }
  },
  'column | takes | and holds | refuses': async ([type, takes, holds, refuses]) => {
    const { other, tables_of } = await their_tables();
    const table = tables_of.get(spans_of(type)[0]);
    const insert = (value) => other.insert(table, `{"v":${value}}`, { query: '?wait=true&flatten=none' });
    for (const value of spans_of(takes)) assert.equal((await insert(value)).failed, 0, `${type} takes ${value}`);
    const rows = await other.rows(`SELECT CAST(v AS VARCHAR) AS v, typeof(v) AS type FROM ${table} ORDER BY __row_id`);
    assert.deepEqual(rows, spans_of(holds).map((v) => ({ v, type: spans_of(type)[0] })));
    for (const value of spans_of(refuses)) {
      const answer = await other.insert(table, `{"w":1}\n{"v":${value}}`, { query: '?wait=true&flatten=none' });
      assert.deepEqual([answer.rows, answer.errors?.map((e) => e.row)], [1, [1]], `${type} refuses ${value}`);
      assert.match(answer.errors[0].code, /^(column-type|refused-by-destination)$/);
    }
    assert.equal(await other.value(`SELECT count(v) FROM ${table}`), spans_of(takes).length);
    const failed_rows = (await other.api(`/api/data/failed?table=${table}`)).json().data;
    assert.deepEqual(failed_rows.map((f) => f.body).sort(), spans_of(refuses).map((v) => `{"v":${v}}`).sort());
  },
  'contract | before | sent | rows': async ([contract, before, sent, rows]) => {
    const table = fresh();
    await send(table, documents_of(before));
    await put_contract(table, spans_of(contract)[0]);
    const answers = [];
    for (const document of documents_of(sent)) answers.push(await post(table, document));
    await check_rows(rows, table, answers);
    await put_contract(table, {});
  },
};
// The lattice's table of pairs: each cell both ways round, with all values of the two kinds.
const pair_header = claims.find((c) => c.header?.startsWith('with | boolean'))?.header;
if (pair_header) {
  tables[pair_header] = async ([kind, ...types]) => {
    const others = pair_header.split(' | ').slice(1);
    assert.deepEqual(others, [...kinds.keys()].slice(1), 'the same kinds in both tables');
    const pairs = [];
    for (const [i, type] of types.entries()) {
      assert.equal(type === '', kinds.size > 0 && i < others.indexOf(kind), `the cell ${kind}, ${others[i]}`);
      if (type === '') continue;
      for (const a of kinds.get(kind).values) {
        for (const b of kinds.get(others[i]).values) pairs.push([a, b, type], [b, a, type]);
      }
    }
    await check_pairs(pairs, false);
    await check_pairs(pairs, true);
  };
}

// ---- points, each quoted whole

const points = new Map();
const point = (text, show) => {
  assert.ok(!points.has(text), `quoted twice: ${text}`);
  points.set(text, show);
};

point('`name = value` is a column of a row and what it holds. A type stands between them where it is not simply BOOLEAN, BIGINT, DOUBLE or VARCHAR.', () => {
  assert.deepEqual(parse_column('a_b = 1'), { name: 'a_b', type: undefined, value: new Exact('1') });
  assert.deepEqual(parse_column('"x = y" STRUCT(a BIGINT)[] = {"k":" = "}'), { name: 'x = y', type: 'STRUCT(a BIGINT)[]', value: { k: ' = ' } });
  assert.deepEqual([[true], [new Exact('1'), null], [new Exact('1.0')], ['x'], [null]].map(plain_type), ['BOOLEAN', 'BIGINT', 'DOUBLE', 'VARCHAR', 'VARCHAR']);
  assert.throws(() => plain_type([{}]), /a type must stand/);
  assert.throws(() => plain_type([new Exact('1'), 'x']), /a type must stand/);
});
point('Each line within a cell is one row; `A`, `B`, `C` are numbers that the server gave. Where one row has a column, it is null in the others. `…` stands for columns of ours that the table\'s first line has.', async () => {
  assert.equal(parse_rows('`a = 1`<br>`b = A`').tables.get('').length, 2);
  const table = fresh();
  await send(table, ['{"a":1}', '{"b":2}']);
  const two = (text) => check_table(table, parse_rows(text).tables.get(''), new Map());
  await two('`__row_id = A`, `a = 1`<br>`__row_id = B`, `b = 2`');
  await two('`a = 1`, `b = null`<br>`a = null`, `b = 2`');
  for (const wrong of ['`__row_id = A`, `a = 1`<br>`__row_id = A`, `b = 2`', '`a = 1`<br>`b = 3`', '`a = 1`<br>`b = 2.0`', '`a = 1`', '`a = 1`<br>`b = A`<br>`c = 1`',
    '`a = 1`<br>`b HUGEINT = 2`', '`a = A`<br>`b = A`', '`a = 1`<br>`b = 2`<br>`b = 2`']) {
    await assert.rejects(() => two(wrong), assert.AssertionError, wrong);
  }
  await send(table, ['{"own_id":3}']);
  const three = (text) => two(`\`a = 1\`<br>\`b = 2\`<br>${text}`);
  await three('`own_id = 3`');
  await three('…');
  await assert.rejects(() => three('a row without columns'), assert.AssertionError);
  await assert.rejects(() => check_table(table, parse_rows('`a = 1`, …<br>…<br>…').tables.get(''), new Map()), assert.AssertionError, 'b is not ours');
});
point('Documents in one cell are sent one after the other, each as a request of its own. `\\n` is a line break, `\\r` a carriage return.', async () => {
  assert.deepEqual(spans_of('`{"a":1}`, `{"b":2}`'), ['{"a":1}', '{"b":2}']);
  assert.equal(unescaped('a\\nb\\r'), 'a\nb\r');
});

point('In NDJSON each line stands alone: a bad line is one refused row. A stream is NDJSON as long as every value so far stood alone on its line.', async () => {
  const table = fresh();
  const [answer] = await send(table, ['{"a":1}\nnonsense\n{"a":\n{"a":2} x\n{"a":3}']);
  assert.deepEqual([answer.rows, answer.failed, answer.errors.map((e) => e.row)], [2, 3, [1, 2, 3]]);
  assert.deepEqual(await values(table), [{ a: 1 }, { a: 3 }]);
  problem(await post(fresh(), '{"a":1}{"a":2}\nnonsense\n'), 400, 'invalid-json');
  problem(await post(fresh(), '{"a":\n1}\nnonsense\n'), 400, 'invalid-json');
});
point('A body that begins with neither `{` nor `[` is NDJSON where its Content-Type says so (`application/x-ndjson`, `application/jsonl`): its first line is one refused row.', async () => {
  for (const type of ['application/x-ndjson', 'application/jsonl', 'application/x-ndjson; charset=utf-8']) {
    const table = fresh();
    const [answer] = await send(table, ['oops\n{"a":1}\n{"a":\n2}\n{"a":3}'], '', { 'Content-Type': type });
    assert.deepEqual([answer.rows, answer.failed, answer.errors.map((e) => e.row)], [2, 3, [0, 2, 3]]);
    assert.deepEqual(await values(table), [{ a: 1 }, { a: 3 }]);
    problem(await post(fresh(), 'oops\n{"a":1}'), 400, 'invalid-json');
  }
  for (const body of ['[{"a":1},\n{"a":2}]', '{"a":1}{"a":2}', '{\n"a":1\n}\n{\n"a":2\n}']) {
    const table = fresh();
    await send(table, [body], '', kNdjson);
    assert.deepEqual(await values(table), [{ a: 1 }, { a: 2 }], body);
  }
});
point('In an array, and between concatenated objects, a syntax error refuses the whole body: 400 with its `offset`, nothing stored.', async () => {
  const table = fresh();
  assert.equal(problem(await post(table, '[{"a":1},{"a":]'), 400, 'invalid-json').offset, 14);
  assert.equal(problem(await post(table, '{"a":1}{"a":2}{"a":]'), 400, 'invalid-json').offset, 19);
  assert.equal(await stored(table), undefined);
});
point('A file of that suite that no parser may take is refused with its `offset`.', async () => {
  for (const [bad, offset] of [['[1,]', 9], ['["\\x00"]', 8], ['{"a" b}', 11], ['[-01]', 9], ['1]', 7]]) {
    const said = problem(await post('bad', `[{"v":${bad}}]`), 400, 'invalid-json');
    assert.equal(said.offset, offset, bad);
  }
});
point('A form\'s fields are values, all but `api_key`; what a POST asks for stands in its URL. Of the parameters of a GET `api_key`, `destination_id`, `flatten`, `flatten_depth`, `wait`, `strict`, `dry_run` and `pixel` are no values.', async () => {
  const ours = 'flatten=none&flatten_depth=2&wait=true&strict=true&dry_run=false&destination_id=local';
  const [form, got] = [fresh(), fresh()];
  await send(form, [`a=1&${ours}&api_key=local`], '', kForm);
  assert.deepEqual(await values(form), [{ a: '1', flatten: 'none', flatten_depth: '2', wait: 'true', strict: 'true', dry_run: 'false', destination_id: 'local' }]);
  const answer = await server.request(`/api/data/insert/${got}?a=1&${ours}&pixel=1&api_key=local`);
  assert.equal(answer.status, 200, answer.text);
  assert.deepEqual(await values(got), [{ a: '1' }]);
});
point('A UTF-8 byte order mark at the beginning is passed over.', async () => {
  for (const [body, headers] of [['\uFEFF{"a":1}', {}], ['\uFEFF[{"a":1}]', {}], ['\uFEFFa\n1', kCsv]]) {
    const table = fresh();
    await send(table, [body], '', headers);
    assert.deepEqual(await values(table), [{ a: 1 }]);
  }
});
point('A string that is not UTF-8 (`invalid-utf8`) or holds a lone surrogate (`lone-surrogate`), nesting deeper than 64 levels (`too-deep`), and more than 100,000 values in one row, objects, arrays and the row itself counted (`too-many-values`), refuse that one row.', async () => {
  const nested = (levels) => `${'{"a":'.repeat(levels - 1)}{"n":1}${'}'.repeat(levels - 1)}`;
  const wide = (count) => `{"w":[${Array(count - 2).fill(1).join(',')}]}`;
  const bad = [Buffer.from([...Buffer.from('{"u":"'), 0xff, ...Buffer.from('"}')]), '{"s":"\\ud800"}', nested(65), wide(100_001)];
  const table = fresh();
  const body = Buffer.concat(['{"n":0}', ...bad, nested(64), wide(100_000)].flatMap((line) => [Buffer.from(line), Buffer.from('\n')]));
  // One document of 100,000 members would be as many columns.
  const [answer] = await send(table, [body], 'flatten=none');
  assert.deepEqual(codes_of([answer]), ['invalid-utf8', 'lone-surrogate', 'too-deep', 'too-many-values']);
  assert.deepEqual(answer.errors.map((e) => e.row), [1, 2, 3, 4]);
  assert.equal(await server.value(`SELECT len(w) FROM ${table} WHERE w IS NOT NULL`), 99_998);
});
point('Where no good row is left the answer is 400. With `strict=true` one bad row refuses the request, and nothing is stored.', async () => {
  const table = fresh();
  problem(await post(table, '[7]'), 400, 'not-an-object');
  problem(await post(table, '{"a":1}\n7', 'strict=true'), 400, 'not-an-object');
  assert.equal(await stored(table), undefined);
  await send(table, ['{"a":1}\n7']);
  assert.deepEqual(await values(table), [{ a: 1 }]);
});

point('A strict request is also refused for a row that loading would refuse (a contract, too many rows of a row): the destination is asked first, and where it does not answer the request is 503. Where one of its rows is refused later all the same (a contract set in between, a constraint of the table itself), the answer is 400 and all of its rows become failed rows, code `strict`.', async () => {
  // What comes after the question is unit.load's.
  const table = fresh();
  await send(table, ['{"a":1}']);
  await put_contract(table, { columns: 'freeze' });
  problem(await post(table, '{"a":2}\n{"a":3,"b":1}', 'strict=true'), 400, 'contract-freeze');
  problem(await post(table, '{"a":[1,2,3],"b":[1,2]}'.replace(/\[[^\]]*\]/g, `[${Array(200).fill(1)}]`), 'strict=true&flatten=vertical'), 400, 'too-many-rows');
  assert.deepEqual(await values(table), [{ a: 1 }]);
});

point('Lines end with LF or CR LF, never with a CR alone; a field in quotes may hold commas, line breaks, and quotes, doubled.', async () => {
  const table = fresh();
  await send(table, ['a,b\r\n"x, ""y"",\n\r\nz",1\n2,3\r\n'], '', kCsv);
  assert.deepEqual(await values(table), [{ a: 'x, "y",\n\r\nz', b: 1 }, { a: '2', b: 3 }]);
});
point('A refused line is kept whole, with its code; of one with `too-many-fields` or `invalid-csv` the `body` of the [failed row](#failed-rows) is the line as a JSON string.', async () => {
  const table = fresh();
  const [answer] = await send(table, ['a,b\n1,2\n1,"2",3\n"x"y,3\n'], '', kCsv);
  assert.deepEqual(codes_of([answer]), ['too-many-fields', 'invalid-csv']);
  const kept = (await failed(`?table=${table}`)).data;
  assert.deepEqual(kept.map((row) => [row.code, JSON.parse(row.body)]), [['too-many-fields', '1,"2",3'], ['invalid-csv', '"x"y,3']]);
});
point('`text/csv;header=absent` is 415.', async () => {
  problem(await post(fresh(), '1,2\n', '', { 'Content-Type': 'text/csv;header=absent' }), 415, 'unsupported-media-type');
});

point('Without it the key\'s `flatten` decides, then the table\'s [contract](#contracts), then `horizontal`.', async () => {
  const made = await server.api('/api/destinations/local/keys', { key: server.adminKey, body: '{"scopes":["insert"],"flatten":"none"}' });
  const key = made.json().api_key;
  const table = fresh();
  const put = async (query, options) => {
    const name = fresh();
    if (table) await put_contract(name, { flatten: 'vertical' });
    assert.equal((await server.api(path_of(name, query), { body: '{"a":[1]}', ...options })).status, 200);
    return Object.keys(await types_of(name)).sort();
  };
  assert.deepEqual(await put('flatten=horizontal', { key }), ['a_0']);
  assert.deepEqual(await put('', { key }), ['a']);
  assert.deepEqual(await put('', {}), ['___document_id', '__order_a', 'a']);
  await send(table, ['{"a":[1]}']);
  assert.deepEqual(Object.keys(await types_of(table)), ['a_0']);
});
point('`___document_id` is the same in all rows of a document and in no other row; `__order_` and the array\'s name is the element\'s place in its array, from 0.', async () => {
  const table = fresh();
  await send(table, ['{"n":1,"a":[5,6,7]}\n{"n":2,"a":[8,9]}', '{"n":3,"a":[4]}'], 'flatten=vertical');
  assert.deepEqual(await values(table, ['n', 'a', '__order_a']), [[1, 5, 0], [1, 6, 1], [1, 7, 2], [2, 8, 0], [2, 9, 1], [3, 4, 0]]);
  assert.deepEqual(await server.rows(`SELECT n, count(DISTINCT ___document_id) AS ids FROM ${table} GROUP BY n ORDER BY n`), [1, 2, 3].map((n) => ({ n, ids: 1 })));
  assert.equal(await server.value(`SELECT count(DISTINCT ___document_id) FROM ${table}`), 3);
});
point('`explode` is another name of it.', async () => {
  const table = fresh();
  await send(table, ['{"a":[1,2]}'], 'flatten=explode');
  assert.deepEqual(await values(table, ['a', '__order_a']), [[1, 0], [2, 1]]);
});
point('`id` is the row\'s `__row_id` unless the object brings an `id`; `orders_id` is the parent\'s `id` unless the object brings that key (a null, and a value that is taken apart, is not brought; `ID` is `id`, whatever its case); `__parent_row_id` is always the parent\'s `__row_id`.', async () => {
  const table = fresh();
  await send(table, [1, 2, '"own"', 'null', undefined].map((id, i) => `{${id === undefined ? '' : `"id":${id},`}"n":${i},"c":[{"n":${i}},{"n":${i},"id":7},{"n":${i},"${table}_id":-1,"__parent_row_id":-2}]}`), 'flatten=multitable');
  const rows = await server.rows(`SELECT p.n, p.id = p.__row_id::VARCHAR AS made, c.id = c.__row_id AS child_made, c.id = 7 AS child_own, c.${table}_id = p.id AS same, c.${table}_id = '-1' AS brought`
    + ` FROM ${table} p JOIN ${table}_c c ON c.__parent_row_id = p.__row_id WHERE p.n = c.n ORDER BY c.__row_id`);
  const expected = [0, 1, 2, 3, 4].flatMap((n) => [[true, false, true, false], [false, true, true, false], [true, false, false, true]]
    .map(([child_made, child_own, same, brought]) => ({ n, made: n > 2, child_made, child_own, same, brought })));
  assert.deepEqual(rows, expected);
  const nothing = fresh();
  await send(nothing, [`{"c":[{"${nothing}_id":null},{"${nothing}_id":{"x":1}}]}`], 'flatten=multitable');
  assert.equal(await server.value(`SELECT count(*) FROM ${nothing} p JOIN ${nothing}_c c ON c.${nothing}_id = p.id`), 2);
});
point('The column `orders_id` has the type of `orders.id`, and is widened with it, unless a contract keeps the types of the child table; it is null where a contract took the `id` out of the parent\'s row.', async () => {
  const type_of = (table, column) => server.value(`SELECT data_type FROM duckdb_columns() WHERE table_name = '${table}' AND column_name = '${column}'`);
  const table = fresh();
  const put = (...rows) => send(table, [rows.join('\n')], 'flatten=multitable');
  await put('{"id":1,"t":[1],"u":[1]}');
  await put_contract(`${table}_u`, { data_type: 'freeze' });
  await put('{"id":"x"}');
  assert.equal(await type_of(`${table}_t`, `${table}_id`), 'VARCHAR');
  assert.equal(await type_of(`${table}_u`, `${table}_id`), 'BIGINT');
  assert.equal(await server.value(`SELECT count(*) FROM ${table} p JOIN ${table}_t t ON p.id = t.${table}_id`), 1);
  await put_contract(table, { data_type: 'discard_value' });
  await put('{"id":{"n":1},"t":[2]}', '{"id":[],"t":[3]}');
  assert.deepEqual(await server.rows(`SELECT t, ${table}_id AS parent FROM ${table}_t WHERE t = 3`), [{ t: 3, parent: null }]);
});
point('Where a row of a child table is refused, by a contract for instance, the whole document is, and kept as one failed row.', async () => {
  const table = fresh();
  await put_contract(`${table}_items`, { tables: 'freeze' });
  const [answer] = await send(table, ['{"u":1,"items":[1]}\n{"u":2}'], 'flatten=multitable');
  assert.deepEqual([answer.rows, answer.failed, codes_of([answer])], [1, 1, ['contract-freeze']]);
  assert.deepEqual(await values(table, ['u']), [[2]]);
  assert.deepEqual((await failed(`?table=${table}`)).data.map((row) => row.body), ['{"u":1,"items":[1]}']);
});
point('In a STRUCT a key that is missing and one that is null are the same.', async () => {
  const table = fresh();
  await send(table, ['[{"o":{"a":1,"b":null}},{"o":{"a":1}}]'], 'flatten=none');
  assert.deepEqual(await types_of(table), { o: 'STRUCT(a BIGINT, b VARCHAR)' });
  assert.deepEqual(await values(table), [{ o: { a: 1, b: null } }, { o: { a: 1, b: null } }]);
});
const members = (from, to, value) => Object.fromEntries(Array.from({ length: to - from }, (_, i) => [`k${from + i}`, value]));
point('Objects that have brought more than 64 different keys, all with scalars of one family (numbers: where one number type holds them all), are a MAP(VARCHAR, type).', async () => {
  const table = fresh();
  await send(table, [{ o: members(0, 64, 1), x: members(0, 64, 1) }], 'flatten=none');
  assert.match((await types_of(table)).o, /^STRUCT\(/);
  await send(table, [{ o: members(60, 65, 1), x: members(60, 65, 'text') }], 'flatten=none');
  const types = await types_of(table);
  assert.equal(types.o, 'MAP(VARCHAR, BIGINT)');
  assert.match(types.x, /^STRUCT\(/, 'numbers and texts are two families');
  assert.deepEqual(await values(table, ['o']), [[members(0, 64, 1)], [members(60, 65, 1)]]);
});
point('Keys that differ in ASCII case only or cannot be names, and more than 600 places in one column, make it JSON.', async () => {
  const table = fresh();
  const wide = (count) => Array.from({ length: count }, (_, i) => `"k${i}":${i % 2 ? '"x"' : '1'}`).join(',');
  const sent = `{"a":{"x":1,"X":2},"b":{"":1},"c":{${wide(600)}},"d":{${wide(599)}}}`;
  await send(table, [sent], 'flatten=none');
  const { d, ...types } = await types_of(table);
  assert.deepEqual(types, { a: 'JSON', b: 'JSON', c: 'JSON' });
  assert.match(d, /^STRUCT\(/);
  assert.deepEqual(await values(table), [JSON.parse(sent)]);
});
point('A field that is new, or wider, changes the column in place: earlier values keep theirs.', async () => {
  const table = fresh();
  await send(table, ['{"o":{"a":1}}', '{"o":{"a":1.5,"b":[true]}}'], 'flatten=none');
  assert.deepEqual(await types_of(table), { o: 'STRUCT(a DOUBLE, b BOOLEAN[])' });
  assert.deepEqual(await values(table), [{ o: { a: 1, b: null } }, { o: { a: 1.5, b: [true] } }]);
});
point('A document may become at most 10,000 rows (the setting `rows.max_rows_of_a_row`) with 2,000,000 values and 64 MiB of text; a larger one is refused, `too-many-rows`.', async () => {
  const list = (count) => `[${Array(count).fill(1).join(',')}]`;
  for (const [mode, fits, not] of [['vertical', `{"a":${list(100)},"b":${list(100)}}`, `{"a":${list(101)},"b":${list(100)}}`],
    ['multitable', `{"a":${list(9999)}}`, `{"a":${list(10_000)}}`],
    // Each row has its element, the element's place, and the members.
    ['vertical', `{"a":${list(2000)},${wide_members(998)}}`, `{"a":${list(2000)},${wide_members(999)}}`],
    // What stands outside of the arrays is repeated 10,000 times.
    ...[`{"s":"${'x'.repeat(6700)}","a":${list(100)},"b":${list(100)}}`].map((text) => ['vertical', text, text.replace('xx', 'x'.repeat(13))])]) {
    const table = fresh();
    await put_contract(table, { max_columns: 2 }); // what is measured are values, not columns
    const [answer] = await send(table, [`${fits}\n${not}`], `flatten=${mode}`);
    assert.deepEqual([answer.rows, answer.failed, codes_of([answer])], [1, 1, ['too-many-rows']], mode);
  }
});
const wide_members = (count) => Array.from({ length: count }, (_, i) => `"k${i}":1`).join(',');

point('The place that came first has the name for good; the ones that come later get `_2`, `_3` … behind it.', async () => {
  const table = fresh();
  await send(table, ['{"a_b_c":1}', '{"a":{"b_c":2}}', '{"a_b":{"c":3},"a":{"b_c":4}}', '{"a":{"b_c":5},"a_b_c":6}']);
  assert.deepEqual(await values(table, ['a_b_c', 'a_b_c_2', 'a_b_c_3']), [[1, null, null], [null, 2, null], [null, 4, 3], [6, 5, null]]);
});
point('Names that differ only in ASCII case are one name to DuckDB, for columns and for tables.', async () => {
  const table = fresh();
  await send(table, ['{"User":1}', '{"user":2}', '{"USER":3}', '{"Ü":4,"ü":5}']);
  await send(table.toUpperCase(), ['{"User":6}']);
  assert.deepEqual((await values(table, ['User', 'user_2', 'USER_3', 'Ü', 'ü'])).map((row) => row.find((v) => v !== null)), [1, 2, 3, 4, 6]);
  assert.equal(await server.value(`SELECT "ü" FROM ${table} WHERE "Ü" = 4`), 5);
});
point('A key goes into the JSON column `__overflow`, under the name that its column would have had, where that name is empty, holds a NUL or has over 255 bytes; and a new one where the table has 1,000 columns (the contract\'s `max_columns`, else the setting `rows.max_columns`), in this and every later batch.', async () => {
  const [table, small] = [fresh(), fresh()];
  const [fits, not] = ['x'.repeat(255), 'x'.repeat(254) + 'ü'];
  await send(table, [{ [fits]: 1, [not]: 2, a: { '\u0000': 3 }, '': 4 }]);
  assert.deepEqual(await values(table), [{ [fits]: 1, __overflow: { [not]: 2, 'a_\u0000': 3, '': 4 } }]);
  await put_contract(small, { max_columns: 2 });
  await send(small, ['{"a":1,"b":{"c":2,"d":3}}', '{"b":{"d":4}}', '{"e":[5],"a":6}']);
  assert.deepEqual(await values(small), [{ a: 1, b_c: 2, __overflow: { b_d: 3 } }, { a: null, b_c: null, __overflow: { b_d: 4 } }, { a: 6, b_c: null, __overflow: { e_0: 5 } }]);
  const wide = fresh();
  await send(wide, [`{${wide_members(1001)}}`, '{"k1000":2}']);
  assert.deepEqual(await values(wide, ['k999', '__overflow']), [[1, { k1000: 1 }], [null, { k1000: 2 }]]);
});
point('Of two places of one row with the same name in `__overflow`, the one whose path sorts later gets `_2`.', async () => {
  const table = fresh();
  await put_contract(table, { max_columns: 1 });
  await send(table, ['{"n":1,"a":{"b_c":2},"a_b":{"c":3}}', '{"a_b":{"c":5},"a":{"b_c":4}}', '{"a_b":{"c":6}}']);
  assert.deepEqual(await values(table, ['__overflow']), [[{ a_b_c: 2, a_b_c_2: 3 }], [{ a_b_c: 4, a_b_c_2: 5 }], [{ a_b_c: 6 }]]);
});
point('Every row gets `__row_id` (BIGINT, rising in the order of acceptance), unless it brings one that is an integer, and `__received_at`.', async () => {
  const table = fresh();
  const before = Date.now();
  await send(table, ['[{"n":1},{"n":2}]', '{"n":3,"__row_id":-7}', '{"n":4,"__row_id":null}', '{"n":5,"__row_id":1.5}']);
  const rows = await server.rows(`SELECT * FROM ${table} ORDER BY n`);
  const ids = rows.map((row) => row.__row_id);
  assert.equal(ids[2], -7);
  assert.ok(ids[0] < ids[1] && ids[1] < ids[3] && ids[3] < ids[4], ids.join());
  assert.deepEqual(rows.map((row) => row.__row_id_2), [null, null, null, null, 1.5]);
  assert.equal((await stored(table)).types.get('__row_id'), 'BIGINT');
  for (const row of rows) assert.ok(Date.parse(row.__received_at) >= before - 1000 && Date.parse(row.__received_at) <= Date.now() + 1000, row.__received_at);
});

point('A fraction is a number that a double holds exactly: its shortest spelling is the number that was sent. A long fraction is any other, and no integer beyond 2^53 shares a DOUBLE.', async () => {
  const table = fresh();
  const exact = ['19.99', '0.1', '1e300', '5e-324', '123456.789012345'], not = ['0.10000000000000000001', '19.990000000000000001', '1.00000000000000000002'];
  await send(table, [`{${[...exact, ...not].map((n, i) => `"n${i}":${n}`).join(',')}}`]);
  assert.ok(exact.every((n) => canonical(String(Number(n))) === canonical(n)) && not.every((n) => canonical(String(Number(n))) !== canonical(n)));
  assert.deepEqual(Object.values(await types_of(table)), [...exact.map(() => 'DOUBLE'), 'DECIMAL(38,20)', 'DECIMAL(38,18)', 'DECIMAL(38,20)']);
  // Three values in every order: the fraction, an integer that a double holds, one that it does not.
  const three = ['1.5', '1', '9007199254740993'];
  for (const order of [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]) {
    const name = fresh();
    await send(name, order.map((i) => `{"n":${three[i]}}`));
    const found = await stored(name);
    assert.equal(found.types.get('n'), 'DECIMAL(38,1)');
    assert.deepEqual(found.rows.map((row) => canonical(row.n.token)), order.map((i) => three[i]));
  }
});
point('DECIMAL is DECIMAL(38, the longest fraction); where the digits before and behind the point are more than 38 together, VARCHAR keeps them all.', async () => {
  const [fits, not] = [fresh(), fresh()];
  const long = '0.12345678901234567890';
  await send(fits, [`{"n":${long}}`, `{"n":${'9'.repeat(18)}}`]); // its last zero is no digit of the fraction
  assert.deepEqual(await types_of(fits), { n: 'DECIMAL(38,19)' });
  await send(not, [`{"n":${long}}`, `{"n":${'9'.repeat(20)}}`]);
  assert.deepEqual(await types_of(not), { n: 'VARCHAR' });
  assert.deepEqual(await values(not, ['n']), [['0.1234567890123456789'], ['9'.repeat(20)]]);
});
point('Whole is an object or array that was not taken apart: an empty one, or one below `flatten_depth`.', async () => {
  const table = fresh();
  await send(table, ['{"a":{},"b":[],"c":{"d":{"e":1}}}'], 'flatten_depth=2');
  assert.deepEqual(await types_of(table), { a: 'JSON', b: 'JSON', c_d: 'JSON' });
});
point('A column only ever widens, and every earlier value stays readable.', async () => {
  const table = fresh();
  const seen = ['true', '1', '"2026-01-02T03:04:05Z"', '{}', '2', 'null'];
  const found = [];
  for (const value of seen) {
    await send(table, [`{"a":${value}}`]);
    found.push((await types_of(table)).a);
  }
  assert.deepEqual(found, ['BOOLEAN', 'VARCHAR', 'VARCHAR', 'JSON', 'JSON', 'JSON']);
  assert.deepEqual(await values(table, ['a']), [['true'], ['1'], ['2026-01-02T03:04:05Z'], [{}], [2], [null]]);
});
point('A time is an instant: the offset that it was sent with is not kept.', async () => {
  const table = fresh();
  await send(table, ['[{"t":"2026-01-02T03:04:05+02:00"},{"t":"2026-01-02T01:04:05Z"}]']);
  assert.equal(await server.value(`SELECT count(DISTINCT t) FROM ${table}`), 1);
  assert.deepEqual(await values(table), Array(2).fill({ t: '2026-01-02T01:04:05Z' }));
});

point('A column of a type that rows never make keeps it. A value that it cannot hold without a loss refuses its row: `column-type`, or `refused-by-destination` where only the database can tell. After the column was changed a retry loads it.', async () => {
  const other = await made_by('CREATE TABLE mine(a BIGINT, d DATE)');
  const answer = await other.insert('mine', [{ a: 1, d: 'x' }, { a: 2, d: '2026-01-31' }], { query: '?wait=true' });
  assert.deepEqual(answer.errors.map((e) => [e.row, e.code]), [[0, 'column-type']]);
  await other.stop();
  await changeFile(localFile(other.dir), 'ALTER TABLE mine ALTER COLUMN d SET DATA TYPE VARCHAR');
  await other.start();
  const retried = (await other.api('/api/data/failed/retry?table=mine', { method: 'POST' })).json();
  assert.deepEqual([retried.retried, retried.failed], [1, 0], JSON.stringify(retried));
  assert.deepEqual(await other.rows('SELECT a, d FROM mine ORDER BY a'), [{ a: 1, d: 'x' }, { a: 2, d: '2026-01-31' }]);
});
point('Where the contract says `data_type: discard_value` such a value is left out instead, unless only the database can tell. Keys without a column get one as ever, and columns of the types above are widened as ever.', async () => {
  const other = await made_by('CREATE TABLE mine(a BIGINT, i INTEGER, t INTERVAL)');
  const set = await other.api('/api/tables/mine/contract', { method: 'PUT', body: '{"data_type":"discard_value"}' });
  assert.equal(set.status, 200, set.text);
  const answer = await other.insert('mine', { a: 3, i: 1.5, more: 1 }, { query: '?wait=true' });
  assert.equal(answer.failed, 0);
  assert.deepEqual(await other.rows('SELECT i, more FROM mine WHERE a = 3'), [{ i: null, more: 1 }]);
  assert.equal((await other.insert('mine', '{"a":9,"t":"24 hours"}\n{"a":9}', { query: '?wait=true' })).failed, 1);
  await other.api('/api/tables/mine/contract', { method: 'PUT', body: '{}' });
  await other.insert('mine', { a: 4.5 }, { query: '?wait=true' });
  assert.equal(await other.value("SELECT data_type FROM duckdb_columns() WHERE table_name = 'mine' AND column_name = 'a'"), 'DECIMAL(38,1)');
});
point('Nested columns (LIST, ARRAY, STRUCT, MAP) are for `flatten=none`. Whether a STRUCT or MAP takes a value only the database can tell: members in its order, numbers that fit a double or 64 bits and are spelled as it spells them.', async () => {
  const other = await made_by('CREATE TABLE lists(l VARCHAR[])', 'CREATE TABLE structs(v STRUCT(a INTEGER, b VARCHAR))');
  await other.insert('lists', '{"l":["a"]}', { query: '?wait=true&flatten=none' });
  await other.insert('lists', '{"l":["b"]}', { query: '?wait=true' });
  assert.deepEqual(await other.rows('SELECT l, l_0 FROM lists ORDER BY __row_id'), [{ l: ['a'], l_0: null }, { l: null, l_0: 'b' }]);
  const answer = await other.insert('structs', '{"w":2}\n{"v":{"b":"x","a":1}}\n{"v":{"a":1,"b":"x"}}', { query: '?wait=true&flatten=none' });
  assert.deepEqual(answer.errors.map((e) => e.row), [1]);
  assert.deepEqual((await other.insert('structs', '{"v":{"a":123456789012345678901234567890}}\n{"w":1}', { query: '?wait=true&flatten=none' })).errors.map((e) => e.row), [0]);
});
point('A key finds the column of its very name: `amount` does not go into `Amount`, nor `{"user":{"id":1}}` into `user_id`, but into columns beside them.', async () => {
  const other = await made_by('CREATE TABLE mine("Amount" INTEGER, user_id INTEGER)');
  await other.insert('mine', '{"amount":1,"user":{"id":2}}', { query: '?wait=true' });
  assert.deepEqual(await other.rows('SELECT * EXCLUDE (__row_id, __received_at) FROM mine'), [{ Amount: null, user_id: null, amount_2: 1, user_id_2: 2 }]);
});
point('In `multitable` a column `id` that cannot hold our number (a UUID) is null where a document brings no id, and so is `<parent>_id` in its child tables.', async () => {
  const other = await made_by('CREATE TABLE o(id UUID, n INTEGER)');
  const id = '123E4567-E89B-12D3-A456-426614174000';
  await other.insert('o', [{ n: 1, items: [{ s: 'a' }] }, { id, n: 2, items: [{ s: 'b' }] }], { query: '?wait=true&flatten=multitable' });
  assert.deepEqual(await other.rows('SELECT id, n FROM o ORDER BY n'), [{ id: null, n: 1 }, { id: id.toLowerCase(), n: 2 }]);
  assert.deepEqual(await other.rows('SELECT o_id, s FROM o_items ORDER BY s'), [{ o_id: null, s: 'a' }, { o_id: id.toLowerCase(), s: 'b' }]);
  assert.deepEqual(await other.rows('SELECT n, s FROM o JOIN o_items i ON i.__parent_row_id = o.__row_id ORDER BY n'), [{ n: 1, s: 'a' }, { n: 2, s: 'b' }]);
  assert.deepEqual(await other.rows('SELECT n, s FROM o JOIN o_items i ON i.o_id = o.id::VARCHAR'), [{ n: 2, s: 'b' }]);
});
point('Values that another program put into a column of ours stay as they are: where a widening would change one, the rows that need it are refused.', async () => {
  const other = await made_by('CREATE TABLE made(a BIGINT)', 'INSERT INTO made VALUES (9007199254740993)');
  for (const [table, value] of [['nulls', null], ['doubles', 1.5], ['objects', {}], ['numbers', 1]]) {
    await other.insert(table, { a: value }, { query: '?wait=true&flatten=none' });
  }
  await other.stop();
  await changeFile(localFile(other.dir), "UPDATE nulls SET a = '1.7'", 'UPDATE doubles SET a = 0.123456', "UPDATE objects SET a = '[1]'", 'UPDATE numbers SET a = 9007199254740993');
  await other.start();
  const refused = async (table, value) => {
    const answer = await other.insert(table, `{"b":1}\n{"a":${value}}`, { query: '?wait=true&flatten=none' });
    assert.deepEqual(answer.errors?.map((e) => [e.row, e.code]), [[1, 'refused-by-destination']], `${table}: ${JSON.stringify(answer)}`);
  };
  await refused('nulls', '1');
  await refused('doubles', '123456789012345678.5');
  await refused('objects', '{"x":1}');
  await refused('numbers', '1.5');
  assert.deepEqual(await other.rows('SELECT (SELECT max(a) FROM nulls) a, (SELECT max(a) FROM doubles) b, (SELECT max(a)::VARCHAR FROM numbers) c, (SELECT max(a::VARCHAR) FROM objects) d'),
    [{ a: '1.7', b: 0.123456, c: '9007199254740993', d: '[1]' }]);
  assert.equal((await other.insert('made', { a: 1.5 }, { query: '?wait=true' })).failed, 0);
  assert.deepEqual(await other.rows('SELECT a::VARCHAR AS a FROM made ORDER BY made.a'), [{ a: '1.5' }, { a: '9007199254740993.0' }]);
});
point('A time in a column that is text already is kept as it was sent; where times and other strings come together first in two batches, those that came as times are in UTC.', async () => {
  const together = fresh();
  await send(together, ['{"t":"2026-01-02T03:04:05+02:00"}\n{"t":"soon"}', '{"t":"2026-01-02T03:04:05+02:00"}']);
  assert.deepEqual((await values(together)).map((r) => r.t), ['2026-01-02T03:04:05+02:00', 'soon', '2026-01-02T03:04:05+02:00']);
  const apart = fresh();
  await send(apart, ['{"t":"2026-01-02T03:04:05+02:00"}', '{"t":"soon"}']);
  assert.deepEqual((await values(apart)).map((r) => r.t), ['2026-01-02T01:04:05Z', 'soon']);
});
point('The members are `tables`, `columns` and `data_type`, each `evolve` (the default), `freeze`, `discard_row` or `discard_value`; `timestamps` (true), `max_columns` (null: `rows.max_columns`), `flatten` (null: horizontal) and `flatten_depth` (null: all). What is left out gets its default.', async () => {
  const table = fresh();
  const read = async () => (await server.api(`/api/tables/${table}/contract`)).json();
  const initial = { tables: 'evolve', columns: 'evolve', data_type: 'evolve', timestamps: true, max_columns: null, flatten: null, flatten_depth: null };
  assert.deepEqual(await read(), initial);
  for (const member of ['tables', 'columns', 'data_type']) {
    for (const allow of ['evolve', 'freeze', 'discard_row', 'discard_value']) {
      await put_contract(table, { [member]: allow });
      assert.deepEqual(await read(), { ...initial, [member]: allow });
    }
    problem(await server.api(`/api/tables/${table}/contract`, { method: 'PUT', body: JSON.stringify({ [member]: 'allow' }) }), 400, 'invalid-contract');
  }
  await put_contract(table, { timestamps: false, max_columns: 5, flatten: 'none', flatten_depth: 3 });
  assert.deepEqual(await read(), { ...initial, timestamps: false, max_columns: 5, flatten: 'none', flatten_depth: 3 });
  problem(await server.api(`/api/tables/${table}/contract`, { method: 'PUT', body: '{"column":"freeze"}' }), 400, 'invalid-contract');
});
point('A contract may come before its table: then the batch that creates the table sets its columns and types, and `columns` and `data_type` bind from the next batch on; so does `data_type` for a column that a batch creates.', async () => {
  const table = fresh();
  await put_contract(table, { columns: 'freeze', data_type: 'freeze' });
  const [first] = await send(table, ['[{"a":1},{"a":1.5,"b":2}]']);
  const [second] = await send(table, ['[{"a":2},{"a":"x"},{"c":1}]']);
  assert.deepEqual([first.failed, second.failed], [0, 2]);
  assert.deepEqual(await types_of(table), { a: 'DOUBLE', b: 'BIGINT' });
  await put_contract(table, { data_type: 'freeze' });
  const [created] = await send(table, ['[{"n":1},{"n":"x"}]']);
  const [later] = await send(table, ['[{"n":"y"},{"n":[]}]']);
  assert.deepEqual([created.failed, later.failed], [0, 1]);
  assert.equal((await types_of(table)).n, 'VARCHAR');
});
point('It takes its place among the rows: those accepted before it are not bound by it.', async () => {
  const table = fresh();
  await send(table, ['{"a":1}']);
  for (let i = 0; i < 20; i += 1) assert.equal((await server.api(`/api/data/insert/${table}`, { body: `{"a":${i},"b${i}":1}` })).status, 200);
  await put_contract(table, { columns: 'freeze' });
  const [answer] = await send(table, ['{"a":1,"z":1}']);
  assert.equal(answer.failed, 1);
  assert.equal(await server.value(`SELECT count(*) FROM ${table}`), 21);
  assert.deepEqual((await failed(`?table=${table}`)).data.map((row) => row.body), ['{"a":1,"z":1}']);
});
point('`GET /api/tables/{table}/history` lists each change of a schema with the receipt that caused it.', async () => {
  const table = fresh();
  const [one, two] = await send(table, ['{"a":1}', '{"a":"x","b":true}']);
  const { data } = (await server.api(`/api/tables/${table}/history`)).json();
  assert.deepEqual(data.map((c) => [c.event, c.column, c.from, c.to, c.receipt]), [['create', null, null, null, one.receipt], ['add', 'a', null, 'BIGINT', one.receipt],
    ['widen', 'a', 'BIGINT', 'VARCHAR', two.receipt], ['add', 'b', null, 'BOOLEAN', two.receipt]]);
});

async function failed(query) {
  const answer = await server.api(`/api/data/failed${query}`);
  assert.equal(answer.status, 200, answer.text);
  return answer.json();
}
const retry = async (query) => (await server.api(`/api/data/failed/retry${query}`, { method: 'POST', body: '' })).json();
point('A row that the rules above, a contract or the destination refuses is kept whole, with code and reason: `GET /api/data/failed?table=&receipt=`.', async () => {
  const table = fresh();
  await put_contract(table, { columns: 'freeze' });
  const [, answer] = await send(table, ['{"a":1}', '{"a":2}\n"no row"\n{"a":3,"b":{"whole":[1.50]}}']);
  for (const query of [`?table=${table}`, `?receipt=${answer.receipt}`, `?table=${table}&receipt=${answer.receipt}`]) {
    const { data } = await failed(query);
    assert.deepEqual(data.map((row) => [row.row, row.code, row.body]), [[1, 'not-an-object', '"no row"'], [2, 'contract-freeze', '{"a":3,"b":{"whole":[1.50]}}']], query);
    assert.match(data[1].detail, /no new column "b_whole_0"/);
  }
  assert.equal((await failed(`?table=${fresh()}`)).total, 0);
});
point('`POST /api/data/failed/retry` loads them again, for instance after the contract was changed; what still does not fit stays.', async () => {
  const table = fresh();
  await put_contract(table, { columns: 'freeze', data_type: 'freeze' });
  await send(table, ['{"a":1}', '{"a":2,"b":1}\n{"a":"x"}']);
  await put_contract(table, { data_type: 'freeze' });
  assert.deepEqual(await retry(`?table=${table}`), { ok: true, retried: 1, failed: 1 });
  assert.deepEqual(await values(table), [{ a: 1, b: null }, { a: 2, b: 1 }]);
  assert.deepEqual((await failed(`?table=${table}`)).data.map((row) => row.body), ['{"a":"x"}']);
});
point('`DELETE /api/data/failed` gives them up.', async () => {
  const table = fresh();
  await send(table, ['{"a":1}\n7']);
  assert.equal((await failed(`?table=${table}`)).total, 1);
  assert.equal((await server.api(`/api/data/failed?table=${table}`, { method: 'DELETE' })).status, 204);
  assert.equal((await failed(`?table=${table}`)).total, 0);
});
point('`GET /api/receipts/{receipt}` says what became of a request.', async () => {
  const table = fresh();
  const [answer] = await send(table, ['{"a":1}\n7']);
  const { state, rows, failed: count, tables: loaded } = (await server.api(`/api/receipts/${answer.receipt}`)).json();
  assert.deepEqual([state, rows, count, loaded], ['partly_failed', 1, 1, { [table]: { rows: 1, failed: 1 } }]);
});

// ---- the page

// A line that goes from a table takes its test with it, so it is known here how many there are at least.
const kLines = {
  'What a body is': 19, 'Where parsers differ': 5, CSV: 18, horizontal: 10, vertical: 10, multitable: 11, none: 11, flatten_depth: 4, Names: 11,
  Types: 36, 'Tables that you made': 25, Contracts: 16,
};

const covered = (claim) => (claim.header === undefined ? points.has(claim.text) : Object.hasOwn(tables, claim.header));

describe('docs/rows.md', { concurrency: 8 }, () => {
  it('has no line without a test, and no test quotes a line that is not there', () => {
    assert.deepEqual(differences(claims, covered), { untested: [], twice: [] });
    const texts = new Set(claims.map((claim) => claim.text));
    assert.deepEqual([...points.keys()].filter((text) => !texts.has(text)), []);
    for (const header of Object.keys(tables)) assert.ok(claims.some((claim) => claim.header === header), `no table has the header ${header}`);
  });
  it('has lost no line of its tables', () => {
    const lines = {};
    for (const claim of claims.filter((c) => c.header !== undefined)) lines[claim.heading] = (lines[claim.heading] ?? 0) + 1;
    for (const [heading, least] of Object.entries(kLines)) assert.ok(lines[heading] >= least, `${heading} has ${lines[heading]} lines, not ${least}`);
    assert.deepEqual(Object.keys(lines).sort(), Object.keys(kLines).sort());
  });
  it('would fail here with a line more, another header, or a rule in a paragraph', () => {
    const with_more = (more) => differences(claims_of(`${page}\n${more}\n`), covered).untested;
    assert.deepEqual(with_more('- A new rule.'), ['A new rule.']);
    assert.deepEqual(with_more('| JSON | columns |\n| --- | --- |\n| `{}` | none |'), ['| `{}` | none |']);
    assert.throws(() => claims_of(`${page}\nA rule. In prose.\n`), /must be a point/);
    assert.throws(() => claims_of(`${page}\nA rule. And this:\n`), /must be a point/);
  });

  for (const claim of claims.filter(covered)) {
    it(`${claim.heading}: ${claim.text}`, () => (claim.header === undefined ? points.get(claim.text)() : tables[claim.header](claim.cells, claim.heading)));
  }
});
