// How long nothing has come for a table: src/lib/freshness.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from '../load.mjs';

const { freshness } = await load('freshness.ts');

test('only what came on the same day is of today', () => {
  const words = (came, now) => freshness(came && new Date(came).toISOString(), new Date(now).getTime()).words;
  assert.equal(words('2026-03-02T13:00:00', '2026-03-02T13:04:00'), 'fresh');
  assert.equal(words('2026-03-01T23:58:00', '2026-03-02T00:01:00'), 'fresh');
  assert.equal(words('2026-03-02T00:01:00', '2026-03-02T23:00:00'), 'today');
  assert.equal(words('2026-03-01T23:00:00', '2026-03-02T01:00:00'), 'yesterday');
  assert.equal(words('2026-03-01T13:00:00', '2026-03-02T12:00:00'), 'yesterday');
  assert.equal(words('2026-03-01T13:00:00', '2026-03-02T13:00:00'), 'quiet');
  assert.equal(words(null, '2026-03-02T13:00:00'), 'no times');
});
