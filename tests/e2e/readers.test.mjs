// What we send, read by readers that we did not write: DuckDB's, Apache Arrow's, Python's csv, and jq. Each reads every value
// of every type (values.mjs).
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { describe, it } from 'node:test';
import { duckdbIntegers } from './duckdb.mjs';
import { parseExact, root, temporaryDirectory, useServer } from './lib.mjs';
import { columnName, expected, rowCount, statement, types } from './values.mjs';

const server = useServer();
const directory = temporaryDirectory();

// The file with the answer in a format.
async function fetched(format, sql = statement) {
  const answer = await server.sql(sql, { query: `?format=${format}` });
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.complete, true);
  const file = path.join(directory, `answer.${format}`);
  fs.writeFileSync(file, answer.body);
  return file;
}

const all = types.map((_, index) => index);
const rows = Array.from({ length: rowCount }, (_, row) => row);
const table = (pick) => rows.map((row) => [String(row), ...all.map((index) => pick(expected(index, row)))]);

// Columns of which a row is not what the statement gives in DuckDB itself.
function check(reader, kind, sql = statement) {
  const differs = all.map((index) => {
    const { type, [`${kind}Back`]: back = 'X!', [`${kind}Expected`]: wanted = 'X!' } = types[index];
    const column = columnName(index);
    const read = back.replaceAll('T!', type.replaceAll("'", back.includes("'{") ? "''" : "'")).replaceAll('X!', `f.${column}`);
    const there = wanted.replaceAll('X!', `e.${column}`);
    return `count(*) FILTER (WHERE (${there})::VARCHAR IS DISTINCT FROM (${read})::VARCHAR)`;
  });
  const [joined, ...wrong] = duckdbIntegers([
    "SET TimeZone = 'UTC'",
    `CREATE TABLE expected AS ${sql}`,
    `CREATE TABLE read AS SELECT * FROM ${reader}`,
    `SELECT count(*), ${differs.join(', ')} FROM expected e JOIN read f USING (r)`,
  ]);
  assert.equal(joined, BigInt(rowCount));
  assert.deepEqual(all.filter((index) => wrong[index] !== 0n).map((index) => types[index].type), []);
}

describe("DuckDB's readers", () => {
  const columns = (kind) => {
    const each = all.map((index) => `${columnName(index)}: '${(types[index][`${kind}Read`] ?? types[index].type).replaceAll("'", "''")}'`);
    return `{r: 'BIGINT', ${each.join(', ')}}`;
  };

  for (const [format, options] of [['csv', "delim = ','"], ['tsv', "delim = '\\t'"]]) {
    it(`read ${format.toUpperCase()} back, type by type`, async () => {
      const file = await fetched(format);
      check(`read_csv('${file}', header = true, auto_detect = false, ${options}, quote = '"', escape = '"', nullstr = '', allow_quoted_nulls = false,
        columns = ${columns('csv')})`, 'csv');
    });
  }
  for (const [format, options] of [['ndjson', 'newline_delimited'], ['json', 'array']]) {
    it(`read ${format.toUpperCase()} back, type by type`, async () => {
      const file = await fetched(format);
      check(`read_json('${file}', format = '${options}', columns = ${columns('json')})`, 'json');
    });
  }
});

describe("DuckDB's reader of Parquet", () => {
  // The integers of 39 digits are an error there.
  const large = all.filter((index) => types[index].type.endsWith('HUGEINT')).map(columnName);
  const fits = `SELECT * REPLACE (${large.map((column) => `CASE WHEN ${column}::VARCHAR NOT SIMILAR TO '-?[0-9]{39}' THEN ${column} END AS ${column}`).join(', ')}) FROM (${statement})`;
  // What a type comes back as, where it is another.
  const written = {
    HUGEINT: 'DECIMAL(38,0)', UHUGEINT: 'DECIMAL(38,0)', BIGNUM: 'VARCHAR', BIT: 'VARCHAR', 'TIME WITH TIME ZONE': 'VARCHAR', INTERVAL: 'VARCHAR', TIMESTAMP_S: 'TIMESTAMP',
    TIMESTAMP_MS: 'TIMESTAMP', 'DOUBLE[2]': 'DOUBLE[]', 'INTEGER[2][2]': 'INTEGER[][]', "ENUM('x', 'a\"b,', '')": 'VARCHAR', 'UNION(num INTEGER, str VARCHAR)': 'JSON',
  };

  it('reads every type back', async () => {
    const file = await fetched('parquet', fits);
    check(`read_parquet('${file}')`, 'parquet', fits);
    const same = all.map((index) => `(typeof(any_value(${columnName(index)})) = typeof(NULL::${written[types[index].type] ?? types[index].type}))::BIGINT`);
    const right = duckdbIntegers([`SELECT ${same.join(', ')} FROM read_parquet('${file}')`]);
    assert.deepEqual(all.filter((index) => right[index] !== 1n).map((index) => types[index].type), []);
  });

  it('reads them back where they are nested, and under names that repeat', async () => {
    const sql = `SELECT [{'h': 9007199254740993::HUGEINT, 'i': INTERVAL '-1 month 0.000001 seconds'}] AS n, MAP {'a': [TIMETZ '12:00:00+05:30']} AS n, 7::HUGEINT AS "a ""b", $1::UHUGEINT AS p`;
    const answer = await server.api('/api/data/query?format=parquet', { body: JSON.stringify({ query: sql, params: ['99999999999999999999999999999999999999'] }) });
    assert.equal(answer.status, 200, answer.text);
    const file = path.join(directory, 'nested.parquet');
    fs.writeFileSync(file, answer.body);
    assert.deepEqual(duckdbIntegers([`SELECT (typeof(n) = 'STRUCT(h DECIMAL(38,0), i VARCHAR)[]')::BIGINT, (n[1].h::VARCHAR = '9007199254740993')::BIGINT,
      (n[1].i::INTERVAL = INTERVAL '-1 month 0.000001 seconds')::BIGINT, (n_1['a'][1] = '12:00:00+05:30')::BIGINT, ("a ""b" = 7)::BIGINT,
      (p::VARCHAR = '99999999999999999999999999999999999999')::BIGINT FROM read_parquet('${file}')`]), Array(6).fill(1n));
  });

  it('is never given an integer that it would read as another', async () => {
    const answer = await server.sql('SELECT 170141183460469231731687303715884105727::HUGEINT AS h', { query: '?format=parquet' });
    assert.equal(answer.status, 400, answer.text);
    assert.match(answer.text, /38/);
  });
});

describe("Python's csv", () => {
  // One JSON array a line. NULL and the empty string are the same to this reader.
  const script = 'import csv, json, sys\nfor row in csv.reader(open(sys.argv[1], newline="", encoding="utf-8"), delimiter=sys.argv[2], strict=True):\n    print(json.dumps(row))';

  for (const [format, separator] of [['csv', ','], ['tsv', '\t']]) {
    it(`reads ${format.toUpperCase()}, value by value`, async () => {
      const file = await fetched(format);
      const out = execFileSync('python3', ['-c', script, file, separator], { encoding: 'utf8', timeout: 60_000 });
      const [head, ...read] = out.trimEnd().split('\n').map((line) => JSON.parse(line));
      assert.deepEqual(head, ['r', ...all.map(columnName)]);
      assert.deepEqual(read, table(({ csv }) => csv ?? ''));
    });
  }
});

describe("Python's openpyxl", () => {
  // Each row as [value, kind, format] of its cells: n number, s text, b boolean, d date, f formula.
  const script = `import datetime, json, openpyxl, re, sys
book = openpyxl.load_workbook(sys.argv[1])
assert book.sheetnames == ["Result"]
sheet = book.active
def plain(value):
    if isinstance(value, str): # this reader leaves ST_Xstring as it is
        return re.sub("_x([0-9A-Fa-f]{4})_", lambda m: chr(int(m[1], 16)), value)
    return value.isoformat() if isinstance(value, (datetime.date, datetime.time)) else value
json.dump({"frozen": sheet.freeze_panes, "widths": {k: d.width for k, d in sheet.column_dimensions.items()},
  "rows": [[[plain(c.value), c.data_type, c.number_format] for c in row] for row in sheet.iter_rows()]}, sys.stdout)`;
  // Debian's Python has Debian's modules.
  const read = async (sql) => JSON.parse(execFileSync('/usr/bin/python3', ['-c', script, await fetched('xlsx', sql)], { encoding: 'utf8', timeout: 60_000, maxBuffer: 64 << 20 }));

  it('reads Excel: numbers where all digits are kept, dates, and text that is no formula', async () => {
    const cells = [
      ['true', true, 'b'], ['false', false, 'b'],
      ['7::TINYINT', 7, 'n'], ['123456789012345', 123456789012345, 'n'], ['-123456789012345', -123456789012345, 'n'], ['1234567890123456', '1234567890123456', 's'],
      ['18446744073709551615::UBIGINT', '18446744073709551615', 's'], ['170141183460469231731687303715884105727::HUGEINT', '170141183460469231731687303715884105727', 's'],
      ['5::HUGEINT', 5, 'n'], ["'-12345678901234567890'::BIGNUM", '-12345678901234567890', 's'],
      ['1234.50::DECIMAL(10,2)', 1234.5, 'n', '0.00'], ['-0.001::DECIMAL(4,3)', -0.001, 'n', '0.000'], ['1234567890123.456::DECIMAL(20,3)', '1234567890123.456', 's'], ['5::DECIMAL(4,0)', 5, 'n'],
      ['0.1::DOUBLE', 0.1, 'n'], ['1e300::DOUBLE', 1e300, 'n'], ['0.1::FLOAT', 0.1, 'n'], ["'nan'::DOUBLE", 'NaN', 's'], ["'-inf'::FLOAT", '-Infinity', 's'],
      ["DATE '2024-02-29'", '2024-02-29T00:00:00', 'd', 'yyyy-mm-dd'], ["DATE '1900-03-01'", '1900-03-01T00:00:00', 'd'], ["DATE '1900-02-28'", '1900-02-28', 's'], ["DATE '9999-12-31'", '9999-12-31T00:00:00', 'd'],
      ["DATE '10000-01-01'", '10000-01-01', 's'], ["DATE 'infinity'", 'infinity', 's'],
      ["TIMESTAMP '2024-01-02 03:04:05.678'", '2024-01-02T03:04:05.678000', 'd', 'yyyy-mm-dd hh:mm:ss.000'], ["TIMESTAMP_S '2024-01-02 03:04:05'", '2024-01-02T03:04:05', 'd'],
      ["TIMESTAMP_NS '2024-01-02 03:04:05.5'", '2024-01-02T03:04:05.500000', 'd'], ["TIMESTAMP_MS '2024-01-02 03:04:05.25'", '2024-01-02T03:04:05.250000', 'd'],
      ["TIMESTAMPTZ '2024-01-02 03:04:05+02'", '2024-01-02T01:04:05', 'd'], ["TIME '03:04:05.5'", '03:04:05.500000', 'd', 'hh:mm:ss.000'],
      ["'text'", 'text', 's'], ["'=1+1'", '=1+1', 's'], ["'@SUM(A1)'", '@SUM(A1)', 's'], ["' a  b '", ' a  b ', 's'], ["'a' || chr(9) || 'b' || chr(10) || 'c'", 'a\tb\nc', 's'],
      ["'😀 <&>\"'", '😀 <&>"', 's'], ["'a_x0041_b'", 'a_x0041_b', 's'], ["'_x_x0041__x004_'", '_x_x0041__x004_', 's'], ["'a' || chr(1) || 'b'", 'a\u0001b', 's'], ["'a' || chr(0) || 'b'", 'a\uFFFDb', 's'], ["'a' || chr(65535) || 'b'", 'a\uFFFDb', 's'],
      ["'https://example.com/'", 'https://example.com/', 's'], ["'007'", '007', 's'],
      ['NULL::INTEGER', null, 'n'], ["'\\x00\\xff'::BLOB", 'AP8=', 's'], ["'a'::ENUM('a')", 'a', 's'], ["[1, 2]", '[1,2]', 's'], ["{'a': 1}", '{"a":1}', 's'], ["INTERVAL 1 month", '1 month', 's'],
      ["'00000000-0000-4000-8000-000000000001'::UUID", '00000000-0000-4000-8000-000000000001', 's'],
    ];
    const { rows: [head, values], frozen } = await read(`SELECT ${cells.map(([sql], i) => `${sql} AS "c${i} <&>"`).join(', ')}`);
    assert.deepEqual(head.map(([name]) => name), cells.map((_, i) => `c${i} <&>`));
    assert.equal(frozen, 'A2');
    for (const [i, [sql, value, kind, format]] of cells.entries()) {
      assert.deepEqual(values[i].slice(0, 2), [value, kind], sql);
      if (format) assert.equal(values[i][2], format, sql);
    }
  });

  it('reads every row of a long one, and none of an empty one', async () => {
    const { rows: [, ...read_back] } = await read("SELECT i, 'text ' || i AS s, CASE WHEN i % 3 = 0 THEN i / 2 END AS h FROM range(5000) t(i)");
    assert.deepEqual(read_back.map((row) => row.map(([value]) => value)), Array.from({ length: 5000 }, (_, i) => [i, `text ${i}`, i % 3 === 0 ? i / 2 : null]));
    assert.deepEqual((await read('SELECT 1 AS a WHERE false')).rows.map((row) => row.map(([value]) => value)), [['a']]);
    const { widths } = await read("SELECT 'x' AS a, repeat('x', 30) AS b, repeat('x', 300) AS c");
    assert.ok(widths.A < 12 && widths.B > 28 && widths.B < 36 && widths.C >= 58 && widths.C < 64, JSON.stringify(widths));
  });
});

describe('jq', () => {
  const jq = (args, file) => execFileSync('jq', [...args, file], { encoding: 'utf8', timeout: 60_000 });
  // jq 1.6 makes doubles of all numbers and spells them its own way: both sides as JavaScript's doubles.
  const doubles = (text) => JSON.parse(text);
  const wanted = table(({ json }) => doubles(json)).map(([row, ...values]) => [Number(row), ...values]);
  const objects = wanted.map((values) => Object.fromEntries(['r', ...all.map(columnName)].map((name, i) => [name, values[i]])));
  const lines = (text) => text.trimEnd().split('\n').map((line) => JSON.parse(line));

  it('reads JSON, value by value', async () => {
    assert.deepEqual(lines(jq(['-c', '.[]'], await fetched('json'))), objects);
  });

  it('reads NDJSON, value by value', async () => {
    assert.deepEqual(lines(jq(['-c', '.'], await fetched('ndjson'))), objects);
  });

  it('reads jsoncompact, names, types and values', async () => {
    const file = await fetched('jsoncompact');
    assert.deepEqual(lines(jq(['-c', '.data[]'], file)), wanted);
    assert.deepEqual(lines(jq(['-c', '.rows, (.meta | length)'], file)), [rowCount, types.length + 1]);
    assert.deepEqual(lines(jq(['-c', '.meta[0]'], file)), [{ name: 'r', type: 'BIGINT' }]);
    // A type is what DuckDB itself takes for that type.
    const names = lines(jq(['-c', '.meta[1:][].type'], file));
    const same = all.map((index) => `(typeof(NULL::${names[index]}) = typeof(NULL::${types[index].type}))::BIGINT`);
    assert.deepEqual(duckdbIntegers([`SELECT ${same.join(', ')}`]), all.map(() => 1n));
  });

  it('finds the digits that doubles lose, since they are there', async () => {
    const text = fs.readFileSync(await fetched('ndjson'), 'utf8');
    for (const row of rows) {
      const line = text.split('\n')[row];
      for (const index of all) {
        const want = `"${columnName(index)}":${expected(index, row).json}`;
        assert.ok(line.includes(`${want},`) || line.endsWith(`${want}}`), `${types[index].type}: ${want}`);
      }
      assert.deepEqual(Object.keys(parseExact(line)), ['r', ...all.map(columnName)]);
    }
  });
});

describe('Apache Arrow', () => {
  const arrow = createRequire(import.meta.url)(path.join(root, 'third_party/node_modules/apache-arrow'));
  const { Type } = arrow;
  const pad = (value, width) => String(value).padStart(width, '0');
  const perSecond = [1n, 1_000n, 1_000_000n, 1_000_000_000n];

  function fraction(value, unit) {
    if (value === 0n) return '';
    let digits = pad(value, unit * 3);
    while (digits.endsWith('000')) digits = digits.slice(0, -3);
    return `.${digits}`;
  }
  function date(days) {
    if (days === 2147483647n || days === -2147483647n) return days > 0 ? 'infinity' : '-infinity';
    return new Date(Number(days) * 86_400_000).toISOString().slice(0, 10);
  }
  function time(value, unit) {
    const seconds = value / perSecond[unit];
    return `${pad(seconds / 3600n, 2)}:${pad((seconds / 60n) % 60n, 2)}:${pad(seconds % 60n, 2)}${fraction(value % perSecond[unit], unit)}`;
  }
  function timestamp(value, { unit, timezone }) {
    if (value === 9223372036854775807n || value === -9223372036854775807n) return value > 0 ? 'infinity' : '-infinity';
    const day = perSecond[unit] * 86_400n;
    const inDay = ((value % day) + day) % day;
    return `${date((value - inDay) / day)}T${time(inDay, unit)}${timezone === 'UTC' ? 'Z' : ''}`;
  }
  function interval([months, days, low, high]) {
    const micros = ((BigInt(high) << 32n) | BigInt(low >>> 0)) / 1000n;
    const part = (count, unit) => (count === 0 ? [] : [`${count} ${unit}${Math.abs(count) === 1 ? '' : 's'}`]);
    const parts = [...part(Math.trunc(months / 12), 'year'), ...part(months % 12, 'month'), ...part(days, 'day')];
    const clock = time(micros < 0n ? -micros : micros, 2).replace(/0+$/, (zeros, at, text) => (text.includes('.') ? '' : zeros));
    if (micros !== 0n || parts.length === 0) parts.push(`${micros < 0n ? '-' : ''}${clock}`);
    return parts.join(' ');
  }
  function decimal(words, scale) {
    let value = BigInt.asIntN(words.length * 32, words.reduce((sum, word, i) => sum | (BigInt(word) << BigInt(32 * i)), 0n));
    const sign = value < 0n ? '-' : '';
    if (value < 0n) value = -value;
    if (scale === 0) return `${sign}${value}`;
    const text = pad(value, scale + 1);
    return `${sign}${text.slice(0, -scale)}.${text.slice(-scale)}`;
  }
  function floating(value, single) {
    if (!Number.isFinite(value)) return String(value);
    let text = String(value);
    if (single) for (let digits = 1; digits < 10; digits += 1) if (Math.fround(Number(value.toPrecision(digits))) === value) { text = String(Number(value.toPrecision(digits))); break; }
    if (Object.is(value, -0)) return '-0.0';
    if (Math.abs(value) >= (single ? 16_777_217 : 1e15)) text = Number(text).toExponential();
    return /[.e]/.test(text) ? text : `${text}.0`;
  }

  // [text, whether JSON would quote it]
  function scalar(data, index) {
    const { type } = data;
    const value = () => new arrow.Vector([data]).get(index);
    switch (type.typeId) {
      case Type.Int: case Type.Bool: return [String(value()), false];
      case Type.Float: return [floating(value(), type.precision === arrow.Precision.SINGLE), false];
      case Type.Decimal: return [decimal(data.values.subarray(index * data.stride, (index + 1) * data.stride), type.scale), false];
      case Type.Utf8: return [value(), true];
      case Type.Binary: return [Buffer.from(value()).toString('base64'), true];
      case Type.Date: return [date(BigInt(data.values[index])), true];
      case Type.Time: return [time(data.values[index], type.unit), true];
      case Type.Timestamp: return [timestamp(data.values[index], type), true];
      case Type.Interval: return [interval(data.values.subarray(index * 4, index * 4 + 4)), true];
      default: throw new Error(`no such type is sent: ${type}`);
    }
  }
  function list(child, from, to) {
    return `[${Array.from({ length: to - from }, (_, i) => json(child, from + i)).join(',')}]`;
  }
  function nestedJson(data, index) {
    const { type, children, valueOffsets } = data;
    const names = type.children?.map(({ name }) => JSON.stringify(name));
    switch (type.typeId) {
      case Type.List: return list(children[0], valueOffsets[index], valueOffsets[index + 1]);
      case Type.FixedSizeList: return list(children[0], index * type.listSize, (index + 1) * type.listSize);
      case Type.Struct: return `{${children.map((child, i) => `${names[i]}:${json(child, index)}`).join(',')}}`;
      case Type.Union: {
        assert.equal(type.mode, arrow.UnionMode.Sparse);
        const member = type.typeIdToChildIndex[data.typeIds[index]];
        return `{${names[member]}:${json(children[member], index)}}`;
      }
      case Type.Map: {
        const [keys, values] = children[0].children;
        const entries = Array.from({ length: valueOffsets[index + 1] - valueOffsets[index] }, (_, i) => [keys, values].map((each) => json(each, valueOffsets[index] + i)));
        if (keys.type.typeId === Type.Utf8) return `{${entries.map(([k, v]) => `${k}:${v}`).join(',')}}`;
        return `[${entries.map(([k, v]) => `{"key":${k},"value":${v}}`).join(',')}]`;
      }
      default: return null;
    }
  }
  function json(data, index) {
    if (!data.getValid(index)) return 'null';
    const whole = nestedJson(data, index);
    if (whole !== null) return whole;
    const [text, quoted] = scalar(data, index);
    return quoted ? JSON.stringify(text) : text;
  }
  const text = (data, index) => (data.getValid(index) ? nestedJson(data, index) ?? scalar(data, index)[0] : null);

  // Every batch by itself: [data of each column].
  const batches = (file) => [...arrow.RecordBatchReader.from(fs.readFileSync(file))].map((batch) => batch.data.children);

  it('reads the stream, value by value', async () => {
    const file = await fetched('arrow');
    const [children] = batches(file);
    const read = rows.map((row) => children.map((data) => text(data, row)));
    const wanted = table((value) => value.csv);
    for (const index of all) assert.deepEqual(read.map((values) => values[index + 1]), wanted.map((values) => values[index + 1]), types[index].type);
    assert.deepEqual(read, wanted);
  });

  it('reads the schema: names, types, and what text is', async () => {
    const { schema } = arrow.tableFromIPC(fs.readFileSync(await fetched('arrow')));
    assert.deepEqual(schema.fields.map(({ name }) => name), ['r', ...all.map(columnName)]);
    const of = (name) => schema.fields[1 + types.findIndex(({ type }) => type === name)];
    const shown = (name) => String(of(name).type);
    assert.equal(shown('DECIMAL(18,6)'), 'Decimal[18e+6]');
    assert.equal(shown('UBIGINT'), 'Uint64');
    assert.equal(of('DECIMAL(38,10)').type.bitWidth, 128);
    assert.equal(of('UHUGEINT').type.bitWidth, 256);
    assert.equal(of('TIMESTAMP WITH TIME ZONE').type.timezone, 'UTC');
    assert.equal(of('TIMESTAMP').type.timezone, null);
    assert.equal(of('TIMESTAMP_NS').type.unit, arrow.TimeUnit.NANOSECOND);
    assert.equal(of('JSON').metadata.get('ARROW:extension:name'), 'arrow.json');
    const geometry = arrow.tableFromIPC(fs.readFileSync(await fetched('arrow', "SELECT 'POINT(1 2)'::GEOMETRY AS g")));
    assert.equal(geometry.schema.fields[0].metadata.get('ARROW:extension:name'), 'geoarrow.wkb');
    assert.equal(Buffer.from(geometry.getChild('g').get(0)).toString('hex'), '0101000000000000000000f03f0000000000000040');
  });

  it('reads a million rows in batches, nulls and all, by its own accessors', async () => {
    const sql = "SELECT i, CASE WHEN i % 7 <> 3 THEN 'v' || i END AS s, CASE WHEN i % 5 <> 1 THEN i / 4 END AS d, i % 3 = 0 AS b, [i, i + 1] AS l FROM range(1000000) t(i)";
    const table = arrow.tableFromIPC(fs.readFileSync(await fetched('arrow', sql)));
    assert.equal(table.numRows, 1_000_000);
    assert.ok(table.batches.length > 10 && table.batches.length < 200, `${table.batches.length} batches`);
    assert.equal(table.getChild('s').nullCount, 142_857);
    const i = table.getChild('i').toArray();
    const [strings, doubles, flags, lists] = ['s', 'd', 'b', 'l'].map((name) => table.getChild(name));
    for (let row = 0; row < 1_000_000; row += 1) {
      if (i[row] !== BigInt(row)) assert.fail(`row ${row}: ${i[row]}`);
      if (row % 101 !== 0) continue;
      assert.equal(strings.get(row), row % 7 === 3 ? null : `v${row}`);
      assert.equal(doubles.get(row), row % 5 === 1 ? null : row / 4);
      assert.equal(flags.get(row), row % 3 === 0);
      assert.deepEqual([...lists.get(row)], [BigInt(row), BigInt(row + 1)]);
    }
  });

  it('reads a result without rows', async () => {
    const table = arrow.tableFromIPC(fs.readFileSync(await fetched('arrow', 'SELECT 1 AS a WHERE false')));
    assert.deepEqual([table.numRows, table.schema.fields.length], [0, 1]);
  });
});
