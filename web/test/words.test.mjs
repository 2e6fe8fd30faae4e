// Words and places in the editor: src/lib/duckdb_sql.ts, src/lib/text.ts, src/lib/lines.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from '../load.mjs';

test('keywords and types are words, the last of a line too', async () => {
  const { duckdb, usualFunctions } = await load('duckdb_sql.ts');
  for (const list of [duckdb.spec.keywords, duckdb.spec.types]) for (const word of list.split(' ')) assert.match(word, /^\w+$/);
  for (const word of ['limit', 'explain', 'within', 'all']) assert.ok(duckdb.spec.keywords.split(' ').includes(word), word);
  assert.ok(duckdb.spec.types.split(' ').includes('timestamp'));
  for (const name of usualFunctions) assert.match(name, /^[a-z]\w*$/);
});

test('a byte of a statement is found among its characters', async () => {
  const { charOfByte } = await load('text.ts');
  for (const text of ['SELECT 1, nope', "SELECT 'üüüü', nope", "SELECT '🚀🚀', nope", "SELECT '漢\u0301', nope"]) {
    assert.equal(charOfByte(text, Buffer.byteLength(text.slice(0, text.indexOf('nope')))), text.indexOf('nope'), text);
  }
});

test('JavaScript and Python to copy are what their languages read, whatever the table is called', async () => {
  const { lines } = await load('lines.ts');
  const { execFileSync } = await import('node:child_process');
  for (const table of ['events', "it's", 'a"b', 'größe', '`', '${x}', 'a\\b']) {
    const { insert, query } = lines('JavaScript', 'http://h', 'sd_x', table);
    // Both in one file.
    execFileSync(process.execPath, ['--check', '--input-type=module', '-'], { input: `${insert}\n${query}` });
    const python = lines('Python', 'http://h', 'sd_x', table);
    execFileSync('python3', ['-c', 'import ast, sys; ast.parse(sys.stdin.read())'], { input: `${python.insert}\n${python.query}` });
  }
});
