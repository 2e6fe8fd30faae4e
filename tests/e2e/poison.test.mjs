// One row in a million that does not fit: it alone stands among the failed rows, and goes in with one call once it may.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { useServer } from './lib.mjs';

const kRows = 1_000_000;
const kPoison = 654_321;

describe('a poison row in 1,000,000', () => {
  const server = useServer();
  const total = async (where = 'true') => server.value(`SELECT count(*) FROM events WHERE ${where}`);

  it('is one failed row; the others are loaded; one call retries it after the contract was changed', { timeout: 300_000 }, async () => {
    await server.insert('events', { n: 0 }, { query: '?wait=true' });
    const contract = (body) => server.api('/api/tables/events/contract', { method: 'PUT', body });
    assert.equal((await contract('{"data_type":"freeze"}')).status, 200);
    const line = (i) => (i === kPoison ? '{"n":"poison"}' : `{"n":${i + 1}}`);
    const body = Array.from({ length: kRows }, (_, i) => line(i)).join('\n');
    const answer = await server.insert('events', body, { query: '?wait=true', timeout: 120_000 });
    assert.deepEqual([answer.rows, answer.failed, answer.visible], [kRows - 1, 1, true]);
    assert.deepEqual(answer.errors.map((e) => [e.row, e.code]), [[kPoison, 'contract-freeze']]);
    assert.equal(await total(), kRows, '999,999 and the first one');
    assert.equal(await server.value('SELECT sum(n) FROM events'), (kRows * (kRows + 1)) / 2 - (kPoison + 1));

    const failed = (await server.api('/api/data/failed')).json();
    assert.deepEqual([failed.total, failed.tables], [1, { events: 1 }]);
    assert.deepEqual(failed.data.map((r) => [r.table, r.row, r.receipt, r.code, r.body]), [['events', kPoison, answer.receipt, 'contract-freeze', '{"n":"poison"}']]);
    const receipt = (await server.api(`/api/receipts/${answer.receipt}`)).json();
    assert.deepEqual([receipt.state, receipt.rows, receipt.failed], ['partly_failed', kRows - 1, 1]);

    const retry = async () => (await server.api('/api/data/failed/retry', { method: 'POST', body: '' })).json();
    assert.deepEqual(await retry(), { ok: true, retried: 0, failed: 1 }, 'nothing has changed');
    assert.equal((await contract('{"data_type":"evolve"}')).status, 200);
    assert.deepEqual(await retry(), { ok: true, retried: 1, failed: 0 });
    assert.deepEqual(await retry(), { ok: true, retried: 0, failed: 0 }, 'nothing is left to retry');
    assert.equal((await server.api('/api/data/failed')).json().total, 0);
    assert.equal(await total('n <> 0::VARCHAR'), kRows, 'all 1,000,000');
    assert.equal(await server.value('SELECT count(DISTINCT n) FROM events'), kRows + 1, 'each once');
    assert.equal(await total(), kRows + 1);
    assert.equal(await total("n = 'poison'"), 1);
    assert.equal(await server.value("SELECT sum(n::BIGINT) FROM events WHERE n <> 'poison'"), (kRows * (kRows + 1)) / 2 - (kPoison + 1));
    assert.equal((await server.api(`/api/receipts/${answer.receipt}`)).json().state, 'loaded');
  });
});
