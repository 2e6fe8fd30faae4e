// Parameters of endpoints: src/lib/parameters.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from '../load.mjs';

const { draftsOf, matched, parametersOf, parseExact, valueJson, withParams } = await load('parameters.ts');

test('parameters are found where they are none of a text, a name or a comment', () => {
  for (const [sql, names] of [
    ['SELECT $a, $b_1, $A, $a', ['a', 'b_1']],
    ["SELECT '$a', 'it''s $b', \"$c\", \"x\"\"$d\", $e", ['e']],
    ['SELECT 1 -- $a\n, $b /* $c\n $d */, $e', ['b', 'e']],
    ['SELECT $$ $a $$, $x$ $b $$ $x$, $c', ['c']],
    ['SELECT a$b, t1.c$d, $e::INT, [$f], $g||$h', ['e', 'f', 'g', 'h']],
    ['SELECT $1, ?', []],
    ["WHERE x=$y AND z>=$since LIMIT $most", ['y', 'since', 'most']],
  ]) assert.deepEqual(parametersOf(sql), names, sql);
});

test('what is written becomes a value of its type, digit for digit', () => {
  for (const [type, text, json] of [
    ['string', ' 7 ', '" 7 "'], ['string', '', '""'], ['integer', ' 9223372036854775807 ', '9223372036854775807'], ['decimal', '12345678901234567890.250', '12345678901234567890.250'],
    ['integer', 'x', '"x"'], ['integer', '007', '"007"'], ['integer', '', '""'], ['number', '-1.5e3', '-1.5e3'], ['boolean', 'true', 'true'], ['boolean', 'yes', '"yes"'], ['date', '2026-01-31', '"2026-01-31"'],
    ['integer[]', '1, 2', '[1,2]'], ['integer[]', '[1, 20000000000000000000]', '[1, 20000000000000000000]'], ['string[]', 'a, b', '["a","b"]'], ['string[]', '["a, b"]', '["a, b"]'], ['string[]', '', '[]'], ['string[]', '[]', '[]'],
  ]) assert.equal(valueJson(type, text), json, `${type}: ${text}`);
});

test('a definition that is read and sent again says the same', () => {
  for (const fallback of ['"x"', '""', '19.9900', '12345678901234567890', '1.0', '[1, 2]', '["a, b", "c"]', 'true', '[]']) {
    const type = fallback.startsWith('["') ? 'string[]' : fallback.startsWith('[') ? 'integer[]' : fallback === 'true' ? 'boolean' : fallback.startsWith('"') ? 'string' : 'decimal';
    const [parameter] = parseExact(`[{"name":"a","type":"${type}","required":false,"default":${fallback},"description":"1.0 \\" 2.0"}]`);
    const body = withParams({ query: 'SELECT $a' }, draftsOf([parameter]));
    assert.ok(body.endsWith(`"default":${fallback}}]}`), `${body} of ${fallback}`);
    assert.equal(JSON.parse(body).params[0].description, '1.0 " 2.0');
  }
  const optional = draftsOf([{ name: 'a', type: 'date', required: false }, { name: 'b', required: true }]);
  assert.equal(withParams({}, optional), '{"params":[{"name":"a","type":"date","description":"","required":false},{"name":"b","type":"string","description":"","required":true}]}');
});

test('drafts follow the statement: what somebody wrote stays, what was guessed is told later', () => {
  const [a, b] = draftsOf([{ name: 'a', type: 'date', required: true }, { name: 'b', type: 'uuid', required: true }]);
  assert.deepEqual(matched(['B'], [a, b]), [b]);
  const grown = matched(['b', 'c', 'a'], [a, b]);
  assert.deepEqual(grown.map((each) => [each.name, each.type, each.guessed]), [['a', 'date', false], ['b', 'uuid', false], ['c', 'string', true]]);
  const known = draftsOf([{ name: 'a', type: 'integer', required: true }, { name: 'c', type: 'integer', required: true }]);
  assert.deepEqual(matched(['a', 'b', 'c'], grown, known).map((each) => each.type), ['date', 'uuid', 'integer']);
});
