// JSON made readable: src/lib/pretty.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from '../load.mjs';

const { pretty, prettyOr } = await load('pretty.ts');

test('members get lines of their own, short arrays and what is empty stay on one, and numbers keep their spelling', () => {
  assert.equal(pretty('{"a":[1.10,2],"b":{"c":9007199254740993,"d":{}},"e":[],"f":[{"g":1}]}'),
    '{\n  "a": [1.10,2],\n  "b": {\n    "c": 9007199254740993,\n    "d": {}\n  },\n  "e": [],\n  "f": [\n    {\n      "g": 1\n    }\n  ]\n}');
});

test('strings keep what looks like structure, and space that was sent goes', () => {
  assert.equal(pretty('{ "a,{" :\n"x\\"]: y" }'), '{\n  "a,{": "x\\"]: y"\n}');
  assert.equal(pretty('["]","a b"]'), '["]","a b"]');
});

test('the same value is read back, whatever it is', () => {
  for (const value of [0, null, 'x', [], {}, [[]], [[1, 2], { a: [] }], { a: { b: [{ c: '\\' }, 'x'.repeat(100)] } }, ['x'.repeat(80), 1]]) {
    assert.deepEqual(JSON.parse(pretty(JSON.stringify(value))), value);
    assert.deepEqual(JSON.parse(pretty(JSON.stringify(value, null, 3))), value);
  }
});

test('what is no JSON stays as it is', () => assert.equal(prettyOr('{"a": '), '{"a": '));
