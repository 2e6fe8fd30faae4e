// A table's live tail in a real browser.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { signedIn, useBrowser, violations } from './browser.mjs';
import { eventually, sleep, useServer } from './lib.mjs';
import { complaints } from './table_page.mjs';

describe('the live tail', () => {
  const server = useServer();
  const browser = useBrowser();

  it('shows rows as they are sent, filters, pauses, and goes on after the server was away', { timeout: 180_000 }, async () => {
    await server.insert('events', { kind: 'old' });
    const page = await signedIn(browser, server);
    await page.goto(`${server.url}/#/data/events/live`);
    await page.getByText('Following').waitFor();
    assert.deepEqual(await violations(page), []);
    await server.insert('events', '{"kind":"click","id":9007199254740993.10,"deep":{"a":[1]}}');
    const rows = page.getByRole('list', { name: 'Rows, the newest first' }).getByRole('listitem');
    await page.getByText('9007199254740993.10').waitFor();
    await server.insert('events', [{ kind: 'view', n: 1 }, { kind: 'view', n: 2 }]);
    await eventually('three rows', async () => await rows.count() === 3);
    assert.match(await rows.first().innerText(), /"n":2/);
    assert.equal(await page.getByText('"old"').count(), 0);

    // What is read stays where it is.
    await rows.nth(2).locator('summary').click();
    await page.getByText('Paused', { exact: true }).waitFor();
    assert.match(await rows.nth(2).locator('pre').innerText(), /"deep": \{\n {4}"a": \[1\]/);
    assert.deepEqual(await violations(page), []);
    await server.insert('events', [{ kind: 'later' }]);
    await page.getByText('1 more since').waitFor();
    assert.equal(await rows.count(), 3);
    await page.getByRole('button', { name: 'Resume' }).click();
    await eventually('the one that waited', async () => /later/.test(await rows.first().innerText()));

    // A filter is the server's.
    await page.getByLabel('Column', { exact: true }).fill('kind');
    await page.getByLabel('Value', { exact: true }).fill('click');
    await page.getByRole('button', { name: 'Filter' }).click();
    await page.getByText('kind = click').waitFor();
    await page.getByText('Following').waitFor();
    await sleep(300);
    await server.insert('events', [{ kind: 'view', n: 3 }, { kind: 'click', n: 4 }]);
    await eventually('the one that fits', async () => await rows.count() === 1);
    assert.match(await rows.first().innerText(), /"n":4/);
    assert.deepEqual(await violations(page), []);

    // Away and back: what came in between is there too.
    const { port } = server;
    await server.stop();
    await page.getByText('Connecting …').waitFor();
    assert.deepEqual(await violations(page), []);
    server.flags = ['--listen', `127.0.0.1:${port}`];
    await server.start();
    await server.insert('events', [{ kind: 'click', n: 5 }]);
    await eventually('what came meanwhile', async () => await rows.count() === 2, 30_000);
    assert.match(await rows.first().innerText(), /"n":5/);
    await page.getByRole('button', { name: 'Remove the filter kind = click' }).click();
    await page.getByText('Rows show here as they are sent').waitFor();
    assert.deepEqual(complaints(page).filter((each) => !/ERR_|status of 503/.test(each)), []);
  });

  it('a flood keeps the newest 500, and the page answers', { timeout: 120_000 }, async (t) => {
    const page = await signedIn(browser, server);
    await page.goto(`${server.url}/#/data/flood/live`);
    await page.getByText('Following').waitFor();
    const body = Array.from({ length: 2000 }, (_, i) => JSON.stringify({ i, text: 'x'.repeat(200) })).join('\n');
    let sending = true;
    const sender = (async () => { while (sending) await server.insert('flood', body); })();
    t.after(() => { sending = false; return sender.catch(() => {}); });
    const rows = page.getByRole('list', { name: 'Rows, the newest first' }).getByRole('listitem');
    await eventually('as many as are kept', async () => await rows.count() === 500, 20_000);
    await page.getByText('The newest 500 are kept here').waitFor();
    await eventually('a rate', async () => Number((await page.getByText(/rows a second/).innerText()).replace(/[^\d.]/g, '')) > 1000, 20_000);
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByText('Paused', { exact: true }).waitFor();
    sending = false;
    await sender;
    assert.equal(await rows.count(), 500);
    await page.getByRole('button', { name: 'Clear' }).click();
    await eventually('none', async () => await rows.count() === 0);
  });

  it('a stream that is refused says why, and is not offered without the scope', { timeout: 60_000 }, async () => {
    await server.insert('events', { kind: 'x' });
    const key = async (scopes) => (await server.api('/api/destinations/local/keys', { key: server.adminKey, body: JSON.stringify({ scopes }) })).json().api_key;
    const reader = await signedIn(browser, server, undefined, { key: await key(['query']) });
    await reader.goto(`${server.url}/#/data/events/rows`);
    await reader.getByRole('grid').waitFor();
    assert.equal(await reader.getByRole('link', { name: 'Live' }).count(), 0);
    const page = await signedIn(browser, server, undefined, { key: await key(['query', 'tail']) });
    await page.route('**/api/data/tail/**', (route) => route.fulfill({ status: 503, contentType: 'application/problem+json', body: '{"type":"/problems/too-many-tails","title":"x","status":503,"detail":"too many of them are open"}' }));
    await page.goto(`${server.url}/#/data/events/live`);
    await page.getByRole('alert').getByText('too many of them are open').waitFor();
    await page.getByText('Not following').waitFor();
    assert.deepEqual(await violations(page), []);
    await page.unroute('**/api/data/tail/**');
    await page.getByRole('button', { name: 'Follow again' }).click();
    await page.getByText('Following', { exact: true }).waitFor();
  });
});
