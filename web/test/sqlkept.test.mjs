// The console's tabs of several pages in one store: src/lib/sqlkept.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from '../load.mjs';

const { keptFrom, merge } = await load('sqlkept.ts');

const tab = (uid, sql, title = uid) => ({ uid, title, sql });
const based = (...tabs) => new Map(tabs.map((each) => [each.uid, each]));
const none = () => false;
const sqls = ({ tabs }) => tabs.map((each) => `${each.uid}: ${each.sql}`);

test('what others made stays, what was written here is brought, what was closed here goes', () => {
  const base = based(tab('a', '1'), tab('b', '2'));
  assert.deepEqual(sqls(merge([tab('a', '1'), tab('b', '2'), tab('theirs', '3')], [tab('a', 'new'), tab('mine', '4')], base, none)), ['a: new', 'theirs: 3', 'mine: 4']);
});

test('what others wrote is taken where nothing was written here, and a name from who gave it', () => {
  const base = based(tab('a', '1'), tab('b', '2'));
  const { tabs } = merge([tab('a', 'theirs'), tab('b', '2')], [tab('a', '1', 'named'), tab('b', 'mine')], base, none);
  assert.deepEqual(tabs, [tab('a', 'theirs', 'named'), tab('b', 'mine')]);
});

test('where both wrote, both are kept', () => {
  const { tabs, forked } = merge([tab('a', 'theirs')], [tab('a', 'mine')], based(tab('a', '1')), none);
  assert.deepEqual(tabs, [tab('a', 'theirs'), { uid: forked.get('a'), title: 'a', sql: 'mine' }]);
  assert.equal(merge([tab('a', 'alike')], [tab('a', 'alike')], based(tab('a', '1')), none).forked.size, 0);
});

test('what was closed elsewhere goes, but not what was written here or is held here', () => {
  const base = based(tab('a', '1'), tab('b', '2'), tab('c', '3'));
  const { tabs, only } = merge([], [tab('a', '1'), tab('b', 'new'), tab('c', '3')], base, (uid) => uid === 'c');
  assert.deepEqual(tabs.map((each) => each.uid), ['b', 'c']);
  assert.deepEqual([...only], ['c']);
});

test('what was closed here and written elsewhere since is there again', () => assert.deepEqual(sqls(merge([tab('a', 'more')], [], based(tab('a', '1')), none)), ['a: more']));

test('what is written here just now takes nothing', () => assert.deepEqual(sqls(merge([tab('a', 'theirs')], [tab('a', '1')], based(tab('a', '1')), none, 'a')), ['a: 1']));

test('what an earlier version stored is read, and what nobody stored is nothing', () => {
  assert.deepEqual(keptFrom({ tabs: [{ title: 'Query 1', sql: 'x' }, { title: 'Query 2', sql: 'y' }], current: 1 }), { tabs: [tab('old-0', 'x', 'Query 1'), tab('old-1', 'y', 'Query 2')], current: 'old-1' });
  for (const odd of [null, 1, [], { tabs: {} }, { tabs: [null, {}] }]) assert.deepEqual(keptFrom(odd).tabs, []);
});
