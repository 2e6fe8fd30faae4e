// A result's bytes as rows: src/lib/rows.ts, cut at every place.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from '../load.mjs';

const { Rows, splitRow } = await load('rows.ts');

const result = '{"meta":[{"name":"n, \\"]","type":"BIGINT"},{"name":"é","type":"VARCHAR"}],\n"data":[[1,"a"],\n[9223372036854775807,"],[\\\\\\"é\\n"],\n[null,null]],\n"rows":3}';
const cells = [[['number', '1'], ['text', 'a']], [['number', '9223372036854775807'], ['text', '],[\\"é\n']], [['null', ''], ['null', '']]];
const taken = (rows) => Array.from({ length: rows.count }, (_, i) => rows.row(i).map((cell) => [cell.kind, cell.text]));

test('a result is the same however its bytes are cut', () => {
  const bytes = new TextEncoder().encode(result);
  for (let cut = 0; cut <= bytes.length; ++cut) {
    const rows = new Rows();
    rows.append(bytes.subarray(0, cut));
    rows.append(bytes.subarray(cut));
    rows.finish();
    assert.deepEqual(rows.columns, [{ name: 'n, "]', type: 'BIGINT' }, { name: 'é', type: 'VARCHAR' }]);
    assert.deepEqual(taken(rows), cells, `cut at ${cut}`);
    assert.equal(rows.total, 3);
  }
});

test('an empty result has columns and no row, and one that broke off no total', () => {
  const empty = new Rows();
  empty.append(new TextEncoder().encode('{"meta":[{"name":"n","type":"BIGINT"}],\n"data":[],\n"rows":0}'));
  empty.finish();
  assert.equal(empty.count, 0);
  assert.equal(empty.total, 0);
  const broken = new Rows();
  broken.append(new TextEncoder().encode('{"meta":[{"name":"n","type":"BIGINT"}],\n"data":[[1],\n[2],\n[3'));
  assert.equal(broken.count, 2);
  assert.equal(broken.total, null);
  assert.deepEqual(broken.row(2), []);
});

test('rows cross the blocks that they are kept in', () => {
  const rows = new Rows();
  const long = 'x'.repeat(99_991);
  rows.append(new TextEncoder().encode('{"meta":[{"name":"n","type":"BIGINT"},{"name":"s","type":"VARCHAR"}],\n"data":['));
  const count = 200; // 20 MB, over several blocks of 4 MiB
  for (let i = 0; i < count; ++i) rows.append(new TextEncoder().encode(`[${i},"${long}"]${i + 1 < count ? '' : ']'},\n`));
  rows.append(new TextEncoder().encode(`"rows":${count}}`));
  rows.finish();
  assert.equal(rows.count, count);
  for (let i = 0; i < count; ++i) assert.deepEqual(rows.row(i).map((cell) => cell.text), [String(i), long]);
});

test('cells keep the spelling of their numbers and of what is nested', () => {
  const spelled = splitRow('[0.10,-1e400,12345678901234567890123456789012345678,true,{"a":[1,{"b":"]}"}],"c":9007199254740993},[],"\\u0000\\ud83d\\ude00",null],');
  assert.deepEqual(spelled.map((cell) => cell.kind), ['number', 'number', 'number', 'boolean', 'nested', 'nested', 'text', 'null']);
  assert.deepEqual(spelled.map((cell) => cell.text), ['0.10', '-1e400', '12345678901234567890123456789012345678', 'true', '{"a":[1,{"b":"]}"}],"c":9007199254740993}', '[]', '\0😀', '']);
});
