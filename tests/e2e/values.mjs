// Values of every type that a query can give, each with its spelling in JSON and in CSV as docs/api.md promises it, and
// with what brings it back in DuckDB. For readers.test.mjs: what others read must be this.

// [SQL, JSON, text in CSV]. Without the last, the text is the JSON, or what the JSON string holds. A quotation mark begins
// no other text than a string's.
const type = (name, values, how = {}) => ({
  type: name,
  parquetBack: 'X!::T!',
  values: [...values, ['NULL', 'null', null]].map(([sql, json, csv = json.startsWith('"') ? JSON.parse(json) : json]) => ({ sql, json, csv })),
  ...how,
});

// How DuckDB's own readers get at a value: `json`, `csv` and `read` are the type that the file is read with, and an
// expression of the value `X!` and the type `T!` that gives the value. Where nothing is said, the type is read as it is.
const viaJsonText = { jsonRead: 'JSON', jsonBack: "(X! ->> '$')::T!" };
const viaBase64 = { jsonRead: 'VARCHAR', jsonBack: 'from_base64(X!)', csvRead: 'VARCHAR', csvBack: 'from_base64(X!)' };
const nested = { csvRead: 'VARCHAR', csvBack: "from_json('{\"v\":' || X! || '}', '{\"v\":\"T!\"}').v" };
// DuckDB's JSON reader makes doubles of fractions: so many digits it can compare. That the others are there is a test of its own.
const doubles = { jsonRead: 'DOUBLE', jsonExpected: 'X!::DOUBLE' };

export const types = [
  type('BOOLEAN', [['true', 'true'], ['false', 'false']]),
  type('TINYINT', [['-128', '-128'], ['127', '127']]),
  type('SMALLINT', [['-32768', '-32768'], ['32767', '32767']]),
  type('INTEGER', [['-2147483648', '-2147483648'], ['2147483647', '2147483647']]),
  type('BIGINT', [['-9223372036854775808', '-9223372036854775808'], ['9007199254740993', '9007199254740993'], ['0', '0']]),
  type('UTINYINT', [['255', '255']]),
  type('USMALLINT', [['65535', '65535']]),
  type('UINTEGER', [['4294967295', '4294967295']]),
  type('UBIGINT', [['18446744073709551615', '18446744073709551615']]),
  type('HUGEINT', [['-170141183460469231731687303715884105728', '-170141183460469231731687303715884105728'],
    ['170141183460469231731687303715884105727', '170141183460469231731687303715884105727'], ['-1', '-1']], viaJsonText),
  type('UHUGEINT', [['340282366920938463463374607431768211455', '340282366920938463463374607431768211455'], ['7', '7']], viaJsonText),
  type('BIGNUM', [["'123456789012345678901234567890123456789012345'", '123456789012345678901234567890123456789012345'],
    ["'-1000000000000000000000000'", '-1000000000000000000000000']], viaJsonText),
  type('FLOAT', [['0.1', '0.1'], ['16777216', '16777216.0'], ['1e20', '1e+20']]),
  type('DOUBLE', [['0.1', '0.1'], ['5', '5.0'], ['1e300', '1e+300'], ['5e-324', '5e-324'], ["'-0.0'", '-0.0'],
    ["'nan'", 'null', 'NaN'], ["'inf'", 'null', 'Infinity'], ["'-inf'", 'null', '-Infinity']], { jsonExpected: 'CASE WHEN isfinite(X!) THEN X! END' }),
  type('DECIMAL(4,1)', [['-999.9', '-999.9'], ['0.1', '0.1']]),
  type('DECIMAL(9,4)', [['12345.6789', '12345.6789'], ['-0.0001', '-0.0001']]),
  type('DECIMAL(18,6)', [['123456789012.345678', '123456789012.345678'], ['-0.000001', '-0.000001']], doubles),
  type('DECIMAL(38,10)', [["'-9999999999999999999999999999.9999999999'", '-9999999999999999999999999999.9999999999'],
    ["'9999999999999999999999999999.9999999999'", '9999999999999999999999999999.9999999999']], doubles),
  type('DECIMAL(38,0)', [["'99999999999999999999999999999999999999'", '99999999999999999999999999999999999999']], doubles),
  type('VARCHAR', [["''", '""'], ["'plain'", '"plain"'], ["' padded '", '" padded "'], ["'a,b'", '"a,b"'], ["'say \"hi\"'", '"say \\"hi\\""'],
    ["'two' || chr(10) || 'lines' || chr(13) || chr(10)", '"two\\nlines\\r\\n"'], ["'tab' || chr(9)", '"tab\\t"'], ["'back\\slash \\n'", '"back\\\\slash \\\\n"'],
    ["'NULL'", '"NULL"'], ["'zażółć 🦆'", '"zażółć 🦆"'], ["'<b>&amp;'", '"<b>&amp;"'], ["'x' || chr(1)", '"x\\u0001"']]),
  type('BLOB', [["''", '""'], ["'\\xFF\\xFE\\x00'", '"//4A"'], ["'ab'", '"YWI="']], viaBase64),
  type('BIT', [["'0101100'", '"0101100"'], ["'1'", '"1"']], viaJsonText),
  type('UUID', [["'01234567-89ab-cdef-0123-456789abcdef'", '"01234567-89ab-cdef-0123-456789abcdef"'],
    ["'ffffffff-ffff-ffff-ffff-ffffffffffff'", '"ffffffff-ffff-ffff-ffff-ffffffffffff"']]),
  type("ENUM('x', 'a\"b,', '')", [["'x'", '"x"'], ["'a\"b,'", '"a\\"b,"'], ["''", '""']], { ...viaJsonText, csvRead: 'VARCHAR', csvBack: 'X!::T!' }),
  type('DATE', [["'2024-02-29'", '"2024-02-29"'], ["'1969-12-31'", '"1969-12-31"'], ["'infinity'", '"infinity"'], ["'-infinity'", '"-infinity"']]),
  type('TIME', [["'01:02:03'", '"01:02:03"'], ["'23:59:59.000001'", '"23:59:59.000001"'], ["'23:59:59.5'", '"23:59:59.500"']]),
  type('TIME_NS', [["'01:02:03.000000001'", '"01:02:03.000000001"']], { ...viaJsonText, csvRead: 'VARCHAR', csvBack: 'X!::T!' }),
  type('TIME WITH TIME ZONE', [["'12:00:00+05:30'", '"12:00:00+05:30"'], ["'12:00:00.25-08'", '"12:00:00.250-08:00"']], viaJsonText),
  type('TIMESTAMP', [["'2024-01-02 03:04:05.123456'", '"2024-01-02T03:04:05.123456"'], ["'1969-12-31 23:59:59.999999'", '"1969-12-31T23:59:59.999999"'],
    ["'0001-01-01'", '"0001-01-01T00:00:00"'], ["'infinity'", '"infinity"'], ["'-infinity'", '"-infinity"']]),
  type('TIMESTAMP_S', [["'2024-01-02 03:04:05'", '"2024-01-02T03:04:05"']]),
  type('TIMESTAMP_MS', [["'2024-01-02 03:04:05.678'", '"2024-01-02T03:04:05.678"']]),
  type('TIMESTAMP_NS', [["'2024-01-02 03:04:05.123456789'", '"2024-01-02T03:04:05.123456789"'], ["'1960-01-02 03:04:05.000000001'", '"1960-01-02T03:04:05.000000001"']]),
  type('TIMESTAMP WITH TIME ZONE', [["'2024-01-02 03:04:05.5+02'", '"2024-01-02T01:04:05.500Z"'], ["'-infinity'", '"-infinity"']]),
  type('INTERVAL', [["'1 year 2 months 3 days 04:05:06.7'", '"1 year 2 months 3 days 04:05:06.7"'], ["'-1 month -00:01:30'", '"-1 month -00:01:30"'], ["'0 days'", '"00:00:00"']],
    { ...viaJsonText, csvRead: 'VARCHAR', csvBack: 'X!::T!' }),
  type('JSON', [["'{\"a\" : [1, 2.50, null]}'", '{"a":[1,2.50,null]}', '{"a" : [1, 2.50, null]}'], ["'\"text\"'", '"text"', '"text"'], ["'12345678901234567890'", '12345678901234567890']],
    { jsonExpected: 'json(X!)' }),
  type('INTEGER[]', [['[1, NULL, 3]', '[1,null,3]'], ['[]', '[]']], nested),
  type('VARCHAR[]', [["['a', 'b\"c', '', NULL]", '["a","b\\"c","",null]']], nested),
  type('BIGINT[][]', [['[[1], [], NULL, [2, 3]]', '[[1],[],null,[2,3]]']], nested),
  type('DOUBLE[2]', [['[1.5, NULL]', '[1.5,null]']], nested),
  type('INTEGER[2][2]', [['[[1, 2], NULL]', '[[1,2],null]']], nested),
  type('STRUCT(a INTEGER, "b""c" VARCHAR, n DATE)', [["{'a': 1, 'b\"c': 'x', 'n': NULL}", '{"a":1,"b\\"c":"x","n":null}'], ["{'a': NULL, 'b\"c': '', 'n': '2024-01-01'}", '{"a":null,"b\\"c":"","n":"2024-01-01"}']],
    { csvRead: 'JSON', csvBack: "CASE WHEN X! IS NOT NULL THEN row(X! -> 'a', X! ->> 'b\"c', X! ->> 'n')::T! END" }),
  type('STRUCT(a BIGINT[], b STRUCT(c VARCHAR)[])[]', [["[{'a': [1, NULL], 'b': [{'c': 'x'}, NULL]}, NULL]", '[{"a":[1,null],"b":[{"c":"x"},null]},null]']], nested),
  type('MAP(VARCHAR, INTEGER)', [["MAP {'k\"1': 1, 'k2': NULL}", '{"k\\"1":1,"k2":null}'], ['MAP {}', '{}']], nested),
  type('MAP(INTEGER, VARCHAR)', [["MAP {1: 'a', 2: 'b'}", '[{"key":1,"value":"a"},{"key":2,"value":"b"}]']],
    { jsonRead: 'JSON', jsonBack: "map_from_entries(from_json(X!, '[{\"key\":\"INTEGER\",\"value\":\"VARCHAR\"}]'))",
      csvRead: 'JSON', csvBack: "map_from_entries(from_json(X!, '[{\"key\":\"INTEGER\",\"value\":\"VARCHAR\"}]'))" }),
  type('UNION(num INTEGER, str VARCHAR)', [['union_value(num := 1)', '{"num":1}'], ["union_value(str := 'x')", '{"str":"x"}']],
    { jsonRead: 'JSON', jsonBack: kUnionBack(), csvRead: 'JSON', csvBack: kUnionBack(), parquetBack: kUnionBack() }),
  // VARIANT: no statement may make one (the gate); value_text_test.cc has its spelling.
];

function kUnionBack() {
  return "CASE json_keys(X!)[1] WHEN 'num' THEN union_value(num := (X! ->> '$.num')::INTEGER)::T! WHEN 'str' THEN union_value(str := X! ->> '$.str')::T! END";
}

const cast = (sql, name) => (sql === 'NULL' ? `NULL::${name}` : `(${sql})::${name}`);

export const rowCount = Math.max(...types.map(({ values }) => values.length));
export const columnName = (index) => `c${index}`;

// One statement that gives them all: a column for each type, its values down the rows, NULL below them.
export const statement = `SELECT unnest(range(${rowCount})) AS r, ${types.map(({ type: name, values }, index) =>
  `unnest([${Array.from({ length: rowCount }, (_, row) => cast(values[row]?.sql ?? 'NULL', name)).join(', ')}]) AS ${columnName(index)}`).join(',\n  ')}`;

// The value of a row: { json, csv }.
export const expected = (index, row) => types[index].values[row] ?? { json: 'null', csv: null };
