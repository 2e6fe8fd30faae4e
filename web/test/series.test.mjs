// What a chart draws: src/lib/series.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from '../load.mjs';

const { seriesOf, kRowNumber } = await load('series.ts');
const { Rows } = await load('rows.ts');

function rowsOf(columns, data) {
  const rows = new Rows();
  const meta = columns.map(([name, type]) => ({ name, type }));
  rows.append(new TextEncoder().encode(`{"meta":${JSON.stringify(meta)},\n"data":[${data.map((row) => JSON.stringify(row)).join(',\n')}],\n"rows":${data.length}}`));
  rows.finish();
  return rows;
}
const asked = (more) => ({ x: 0, ys: [1], by: null, sum: false, limit: 1e6, ...more });
const day = (n) => Date.UTC(2024, 0, n) / 1000;

test('points are sorted by x, and what is no number is none', () => {
  const rows = rowsOf([['n', 'BIGINT'], ['v', 'DOUBLE']], [[3, 1.5], [1, null], [null, 9], [2, 4]]);
  const { x, ys, names, labels, repeats } = seriesOf(rows, asked());
  assert.deepEqual({ x, ys, names, labels, repeats }, { x: [1, 2, 3], ys: [[null, 4, 1.5]], names: ['v'], labels: null, repeats: false });
});

test('rows of the same x are added up for bars, and all drawn otherwise', () => {
  const rows = rowsOf([['d', 'DATE'], ['v', 'BIGINT']], [['2024-01-01', 1], ['2024-01-02', 3], ['2024-01-01', 10], ['2024-01-01', null]]);
  const bars = seriesOf(rows, asked({ sum: true }));
  assert.deepEqual([bars.x, bars.ys, bars.repeats], [[day(1), day(2)], [[11, 3]], true]);
  const line = seriesOf(rows, asked());
  assert.deepEqual([line.x, line.ys, line.repeats], [[day(1), day(1), day(1), day(2)], [[1, 10, null, 3]], true]);
});

test('labels are one place each in bars; in a line each row has its own', () => {
  const rows = rowsOf([['name', 'VARCHAR'], ['v', 'BIGINT']], [['a', 1], ['b', 2], ['a', 3], [null, 4]]);
  const bars = seriesOf(rows, asked({ sum: true }));
  assert.deepEqual([bars.labels, bars.x, bars.ys], [['a', 'b', 'NULL'], [0, 1, 2], [[4, 2, 4]]]);
  const line = seriesOf(rows, asked());
  assert.deepEqual([line.labels, line.x, line.repeats], [['a', 'b', 'a', 'NULL'], [0, 1, 2, 3], true]);
});

test('a series for each value of a column: bars have one place for each x, lines every point', () => {
  const columns = [['d', 'DATE'], ['v', 'BIGINT'], ['country', 'VARCHAR']];
  const rows = rowsOf(columns, [['2024-01-02', 5, 'DE'], ['2024-01-01', 1, 'FR'], ['2024-01-01', 2, 'DE'], ['2024-01-02', 1, 'DE']]);
  const bars = seriesOf(rows, asked({ by: 2, sum: true }));
  assert.deepEqual([bars.names, bars.x, bars.ys, bars.values, bars.repeats], [['DE', 'FR'], [day(1), day(2)], [[2, 6], [1, null]], 2, true]);
  const line = seriesOf(rows, asked({ by: 2 }));
  assert.deepEqual([line.names, line.x, line.ys], [['DE', 'FR'], [day(1), day(1), day(2), day(2)], [[null, 2, 5, 1], [1, null, null, null]]]);
  const unique = seriesOf(rowsOf(columns, [['2024-01-01', 1, 'FR'], ['2024-01-01', 2, 'DE']]), asked({ by: 2 }));
  assert.equal(unique.repeats, false);
});

test('the largest values have series of their own, the rest is one together', () => {
  const rows = rowsOf([['d', 'BIGINT'], ['v', 'BIGINT'], ['k', 'VARCHAR']], Array.from({ length: 10 }, (_, i) => [1, i + 1, `k${i}`]));
  const { names, ys, values } = seriesOf(rows, asked({ by: 2, sum: true }));
  assert.deepEqual([names, ys, values], [['k9', 'k8', 'k7', 'k6', 'k5', 'others'], [[10], [9], [8], [7], [6], [1 + 2 + 3 + 4 + 5]], 10]);
});

test('without another column, x is the number of the row', () => {
  const { x, ys, labels } = seriesOf(rowsOf([['n', 'BIGINT']], [[5], [7]]), asked({ x: kRowNumber, ys: [0] }));
  assert.deepEqual([x, ys, labels], [[1, 2], [[5, 7]], null]);
});
