// Files of results: small ones, large ones, and what is shown where there is none.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { describe, it } from 'node:test';
import { signedIn, useBrowser, violations } from './browser.mjs';
import { eventually, useServer } from './lib.mjs';

async function run(page, sql) {
  const editor = page.getByLabel(/^SQL of/);
  await editor.focus();
  await editor.press('Control+a');
  await page.keyboard.insertText(sql);
  await page.keyboard.press('Escape');
  await page.keyboard.press('Control+Enter');
  await page.getByRole('region', { name: 'Result', exact: true }).getByText(/rows?, .* in /).waitFor({ timeout: 60_000 });
}
const choose = async (page, label) => {
  await page.getByText('Download', { exact: true }).click();
  await page.getByRole('link', { name: label }).click();
};
const saved = async (page, label, timeout = 30_000) => {
  const [download] = await Promise.all([page.waitForEvent('download', { timeout }), choose(page, label)]);
  return { name: download.suggestedFilename(), bytes: fs.readFileSync(await download.path()) };
};

describe('a download', () => {
  const server = useServer();
  const browser = useBrowser();

  it('of a small result is saved, and said to be', { timeout: 60_000 }, async () => {
    const page = await signedIn(browser, server, 'Console');
    await run(page, "SELECT '=1' AS formula, 1 AS n");
    const plain = await saved(page, /^CSV as programs/);
    assert.deepEqual([plain.name, plain.bytes.toString()], ['result.csv', 'formula,n\n=1,1\n']);
    await page.getByText('result.csv is saved, 15 B.').waitFor();
    assert.deepEqual(await violations(page), []);
    assert.equal((await saved(page, /^CSV for spreadsheets/)).bytes.toString(), `\ufeffformula,n\n"'=1",1\n`);
  });

  it('of more than the page keeps goes to the browser, whole', { timeout: 120_000 }, async () => {
    const page = await signedIn(browser, server, 'Console');
    await run(page, 'SELECT range AS n, md5(range::VARCHAR) AS hash FROM range(600000)');
    const { name, bytes } = await saved(page, /^CSV as programs/, 60_000);
    await page.getByText('result.csv is large').waitFor();
    assert.equal(name, 'result.csv');
    assert.equal(bytes.toString().split('\n').length, 600_002);
    assert.ok(bytes.length > 16 * 2 ** 20);
  });

  it('that the server refuses says why, in its words', { timeout: 60_000 }, async () => {
    const page = await signedIn(browser, server, 'Console');
    await run(page, "SELECT repeat('x', 40000) AS long");
    await choose(page, /^Excel/);
    await page.getByRole('alert').getByText(/32,?767/).waitFor();
    assert.deepEqual(await violations(page), []);
    // Of a table that is gone since.
    await server.insert('passing', [{ n: 1 }], { query: '?wait=true' });
    await run(page, 'SELECT * FROM passing');
    assert.equal((await server.api('/api/tables/passing', { method: 'DELETE' })).status, 204);
    await choose(page, /^JSON an array of objects/);
    await page.getByRole('alert').getByText(/passing/).waitFor();
  });

  it('of a statement too long for an address comes all the same', { timeout: 60_000 }, async () => {
    const page = await signedIn(browser, server, 'Console');
    const text = 'é'.repeat(30_000);
    await run(page, `SELECT '${text}' AS t`);
    assert.equal((await saved(page, /^CSV as programs/)).bytes.toString(), `t\n${text}\n`);
  });

  it('of a snapshot says what another one stands in its way, and comes when that is over', { timeout: 60_000 }, async () => {
    // Larger than what waits in sockets, so that a reader who takes nothing holds it.
    await server.insert('large', Array.from({ length: 40_000 }, (_, n) => ({ n, text: randomBytes(400).toString('base64') })), { query: '?wait=true' });
    const page = await signedIn(browser, server, 'Data');
    const holder = new AbortController();
    const first = await fetch(`${server.url}/api/data/snapshot?api_key=${server.adminKey}`, { signal: holder.signal });
    assert.equal(first.status, 200);
    await page.getByRole('link', { name: 'Download the snapshot' }).click();
    await page.getByRole('alert').getByText(/snapshot/).waitFor();
    holder.abort();
    const download = page.waitForEvent('download', { timeout: 30_000 });
    await eventually('the first one to be over', async () => {
      await page.getByRole('link', { name: 'Download the snapshot' }).click();
      return await Promise.race([page.getByText('the browser goes on with it').waitFor().then(() => true), page.getByRole('alert').waitFor().then(() => false)]);
    }, 20_000, 300);
    const file = await download;
    assert.match(file.suggestedFilename(), /^local-.*\.duckdb$/);
    assert.equal(fs.readFileSync(await file.path()).subarray(8, 12).toString(), 'DUCK');
  });

  it('is shown wherever somebody goes meanwhile, and its error too', { timeout: 60_000 }, async () => {
    await server.insert('elsewhere', [{ n: 1 }], { query: '?wait=true' });
    const page = await signedIn(browser, server, 'Data');
    await page.getByRole('link', { name: 'elsewhere' }).click();
    await page.getByRole('button', { name: 'Download' }).click();
    let refuse;
    const asked = new Promise((resolve) => { refuse = resolve; });
    await page.route('**/api/data/query?**', async (route) => { await asked; await route.fulfill({ status: 503, contentType: 'application/problem+json', body: '{"type":"/problems/x","title":"x","detail":"too busy just now"}' }); });
    await page.getByRole('link', { name: 'CSV', exact: true }).click();
    await page.getByRole('link', { name: 'Keys' }).click();
    const downloads = page.getByRole('region', { name: 'Downloads' });
    await downloads.getByText('preparing elsewhere.csv').waitFor({ state: 'attached' });
    refuse();
    await downloads.getByRole('alert').getByText('too busy just now').waitFor();
    assert.deepEqual(await violations(page), []);
    await downloads.getByRole('button', { name: 'Put away' }).click();
    await downloads.waitFor({ state: 'detached' });
  });

  it('has its menu on the screen of a phone', { timeout: 60_000 }, async () => {
    const page = await signedIn(browser, server, 'Console');
    await run(page, 'SELECT 1 AS n');
    await page.setViewportSize({ width: 390, height: 800 });
    await page.getByText('Download', { exact: true }).click();
    for (const link of await page.locator('.menu a').all()) {
      const { x, y, width, height } = await link.boundingBox();
      assert.ok(x >= 0 && x + width <= 390 && y >= 0 && y + height <= 800, `${x} ${y}`);
    }
  });

  it('can be cancelled while the server works', { timeout: 60_000 }, async () => {
    await server.insert('slow', [{ n: 1 }], { query: '?wait=true' });
    const page = await signedIn(browser, server, 'Console');
    await run(page, 'SELECT n FROM slow');
    // From here on the server takes its time.
    await page.route('**/api/data/query?**', async (route) => { await new Promise((resolve) => setTimeout(resolve, 20_000)); await route.continue().catch(() => undefined); });
    await choose(page, /^CSV as programs/);
    await page.getByText('preparing result.csv').waitFor({ state: 'attached' });
    await page.getByRole('region', { name: 'Downloads' }).getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('The download was cancelled.').waitFor();
    await page.unrouteAll({ behavior: 'ignoreErrors' });
  });

  it('with a server that has stopped says so', { timeout: 60_000 }, async () => {
    const page = await signedIn(browser, server, 'Console');
    await run(page, 'SELECT 1 AS n');
    await page.context().setOffline(true);
    await choose(page, /^CSV as programs/);
    await page.getByRole('alert').getByText('The server does not answer.').waitFor();
  });
});
