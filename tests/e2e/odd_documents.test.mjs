// Documents that modes.test.mjs came upon, each as small as it can be.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseExact, startServer, useServer } from './lib.mjs';

describe('documents that random ones found', () => {
  const server = useServer();
  let counter = 0;
  const fresh = () => `t${counter += 1}`;
  const insert = async (table, body, query) => {
    const answer = await server.insert(table, body, { query: `?wait=true&${query}` });
    assert.deepEqual([answer.failed, answer.visible], [0, true], `${JSON.stringify(answer)} to ${typeof body === 'string' ? body.slice(0, 100) : ''}`);
  };
  const rows = (table) => server.rows(`SELECT * EXCLUDE (__received_at) FROM ${table} ORDER BY __row_id`);

  it('a double is spelled with the digits that it was sent with, whatever its size', async () => {
    const numbers = ['1.1237684857756431e+21', '1.2345678901234567e+19', '4.611686018427388e+18', '-7.205759403792794e+16', '1e+22', '1e+23', '9.876543210987654e+22', '1.5e-7'];
    for (const [mode, value] of [['horizontal', (n) => n], ['none', (n) => `[${n}]`]]) {
      const table = fresh();
      await insert(table, numbers.map((n) => `{"v":${value(n)}}`).join('\n'), `flatten=${mode}`);
      for (const format of ['json', 'ndjson']) {
        const { text } = await server.sql(`SELECT v FROM ${table} ORDER BY __row_id`, { query: `?format=${format}` });
        const found = format === 'json' ? parseExact(text) : text.trimEnd().split('\n').map(parseExact);
        // 1123768485775643115520 would be the same double, but nobody sent those digits.
        const digits = (token) => token.replace(/[eE].*$/, '').replace(/[-.]/g, '').replace(/0+$/, '');
        assert.deepEqual(found.map(({ v }) => digits(String(mode === 'none' ? v[0] : v))), numbers.map(digits), `${mode}, ${format}`);
      }
    }
  });

  it('multitable: of a null ID and an id the id is the row\'s', async () => {
    const table = fresh();
    await insert(table, '{"ID":null,"id":5,"t":[1]}', 'flatten=multitable');
    const [root] = await rows(table);
    assert.deepEqual(Object.entries(root).filter(([name, value]) => /^id/i.test(name) && value !== null), [[Object.keys(root).find((name) => root[name] === 5), 5]]);
    assert.equal((await rows(`${table}_t`))[0][`${table}_id`], 5);
  });

  it("multitable: an empty object in an array that is called as the parent's id stands in the column of its elements", async () => {
    const table = fresh();
    await insert(table, `{"${table}_id":[5,{},[1]]}`, 'flatten=multitable');
    const found = await rows(`${table}_${table}_id`);
    assert.deepEqual(found.map((row) => row[`${table}_id`]), [5, {}, [1]]);
    assert.ok(!Object.hasOwn(found[0], `${table}_id_2`), JSON.stringify(found));
  });
});

// What does not load in no time holds up all that is behind it, and is loaded again at every start.
describe('documents that are wide or deep, in mode none', { concurrency: false }, () => {
  const wide = (count, value) => JSON.stringify({ v: Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, i % 2 ? 'x' : value])) });
  const deep = `{"v":${'['.repeat(40)}1${']'.repeat(40)}}`;
  for (const [what, [first, then]] of Object.entries({
    'an object of 590 keys gets one more': [wide(590, 1), wide(591, 1)],
    'of an object of 590 keys the integers become fractions': [wide(590, 1), wide(590, 1.5)],
    'of an object of 590 keys the fractions become text': [wide(590, 1.5), wide(590, 'x')],
    'an object of 590 keys becomes JSON': [wide(590, 1.5), '{"v":3}'],
    'an object of 590 keys gets too many': [wide(590, 1.5), wide(700, 1.5)],
    'objects of 590 keys in an array get one more': [`{"v":[${wide(590, 1)}]}`, `{"v":[${wide(591, 1)}]}`],
    'an object of 1,000 keys gets one more': [wide(1000, 1), wide(1001, 1)],
    'an array 40 levels deep becomes JSON': [deep, '{"v":{"b":1}}'],
  })) {
    it(`${what}: that takes no time`, { timeout: 60_000 }, async (t) => {
      const server = await startServer(t, {});
      await server.insert('t', first, { query: '?wait=true&flatten=none' });
      const began = Date.now();
      const answer = await server.insert('t', then, { query: '?wait=true&flatten=none' });
      const took = Date.now() - began;
      assert.deepEqual([answer.visible, took < 5000], [true, true], `${took} ms`);
    });
  }
});
