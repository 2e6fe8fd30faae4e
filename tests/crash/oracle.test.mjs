// The oracle itself: a judge that never finds anything proves nothing.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Oracle, assert_clean } from './oracle.mjs';

// Six requests: ids 0–1 and 2 acknowledged, 3–4 in doubt, 5 refused, 6–7 in doubt, 8 acknowledged.
function oracle() {
  const o = new Oracle();
  const ask = (table, count, status) => {
    const asked = o.begin(table, count);
    if (status) o.answered(asked, status);
  };
  ask('t0', 2, 200);
  ask('t1', 1, 200);
  ask('t0', 2, null);
  ask('t2', 1, 503);
  ask('t2', 2, 500);
  ask('t2', 1, 200);
  return o;
}
const found = (t0, t1, t2) => oracle().compare({ t0, t1, t2, wide: [] });

it('finds nothing wrong where all is well, whatever was in doubt', () => {
  assert_clean(found([0, 1], [2], [8]), '');
  assert_clean(found([4, 1, 0, 3], [2], [8]), '');
  assert_clean(found([1, 0, 3, 4], [2], [7, 6, 8]), '');
  assert.equal(found([0, 1], [2], [8]).rows, 4);
  assert.deepEqual([oracle().acknowledged, oracle().refused, oracle().in_doubt], [4, 1, 4]);
});

it('finds what is lost, doubled, torn, there though it was refused, and what nobody sent', () => {
  assert.deepEqual(found([0], [2], [8]).lost, [1]);
  assert.deepEqual(found([0, 1], [], []).lost, [2, 8]);
  assert.deepEqual(found([0, 1, 1], [2], [8]).doubled, [1]);
  assert.deepEqual(found([0, 1, 3, 4, 4], [2], [8]).doubled, [4]);
  assert.deepEqual(found([0, 1, 3], [2], [8]).torn, [3]);
  assert.deepEqual(found([0, 1], [2], [5, 8]).refused_but_there, [5]);
  assert.deepEqual(found([0, 1, 2], [], [8]).strange, [2]);
  assert.deepEqual(found([0, 1, 99], [2], [8]).strange, [99]);
  assert.throws(() => assert_clean(found([0], [2], [8]), 'here'), /here: lost 1: 1/);
});

it('takes no answer for good that is none', () => {
  const o = new Oracle();
  assert.throws(() => o.answered(o.begin('t0', 1), 400), /answered 400/);
});
