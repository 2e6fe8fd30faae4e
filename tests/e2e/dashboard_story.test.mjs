// The whole story, as a person lives it: from the first start to a link that is taken back.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { describe, it } from 'node:test';
import { useBrowser, violations, wholeChromiumPath } from './browser.mjs';
import { startServer } from './lib.mjs';

const shell = (line) => execFileSync('bash', ['-euo', 'pipefail', '-c', line], { encoding: 'utf8' });

describe('from nothing to a shared result', () => {
  const browser = useBrowser(wholeChromiumPath);

  it('first start, a connection, the line that is shown, the row, a query, a chart, a link, a download, its end', { timeout: 180_000 }, async (t) => {
    const server = await startServer(t, {});
    const [, first] = /(http:\/\/\S+#sign-in=\S+)/.exec(server.stdout);
    const page = await browser.open();
    const fine = async (which = page) => assert.deepEqual(await violations(which), []);

    // First run: the printed link opens the dashboard, signed in.
    await page.goto(first);
    await page.getByRole('heading', { name: 'Send the first row' }).waitFor();
    await fine();

    // Connect.
    await page.getByRole('link', { name: 'Connections', exact: true }).click();
    await page.getByRole('link', { name: 'New connection' }).click();
    await page.getByLabel('Name', { exact: true }).fill('shop');
    await page.getByRole('button', { name: 'Make the connection' }).click();
    await page.getByRole('heading', { name: 'shop is there' }).waitFor();
    await fine();

    // Copy what is shown, by its button, and run it as a shell would.
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.getByRole('button', { name: 'Copy the lines that insert' }).click();
    const line = await page.evaluate(() => navigator.clipboard.readText());
    assert.match(line, /^curl '/);
    for (let i = 0; i < 5; ++i) assert.equal(JSON.parse(shell(line)).rows, 1);

    // The row arrives, by itself.
    await page.getByText('The first row has arrived').waitFor();
    await page.getByRole('link', { name: 'Look at it' }).click();
    await page.getByRole('heading', { name: 'events', level: 1 }).waitFor();
    await page.getByText('alice').first().waitFor();
    await fine();

    // Query, and a chart.
    await page.getByRole('link', { name: 'Console', exact: true }).click();
    await page.getByLabel(/^SQL of/).focus();
    await page.keyboard.insertText('SELECT "user", count(*) AS orders, sum(cart_0_price) AS spent FROM events GROUP BY ALL');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+Enter');
    await page.getByText(/1 row, .* in /).waitFor();
    assert.deepEqual(await page.locator('regular-table tbody tr').first().locator('td').allInnerTexts(), ['alice', '5', '22.5']);
    await page.getByRole('button', { name: 'Chart' }).click();
    await page.getByRole('img', { name: 'bar chart of orders, spent by user' }).locator('canvas').waitFor();
    await fine();

    // Share.
    await page.getByRole('button', { name: 'Share this', exact: true }).click();
    await page.getByLabel('Name', { exact: true }).fill('who buys');
    await fine();
    await page.getByRole('button', { name: 'Make the link' }).click();
    const url = await page.locator('dialog .secret pre').innerText();
    assert.ok(url.startsWith(`${server.url}/share/`), url);
    await fine();
    await page.getByRole('button', { name: 'Done' }).click();

    // Somebody else opens it, who has no account here.
    const guest = await browser.open();
    await guest.goto(url);
    await guest.getByRole('heading', { name: 'who buys' }).waitFor();
    await guest.getByRole('cell', { name: 'alice' }).waitFor();
    await fine(guest);
    const [download] = await Promise.all([guest.waitForEvent('download'), guest.getByRole('link', { name: /CSV/ }).first().click()]);
    assert.equal(fs.readFileSync(await download.path(), 'utf8'), 'user,orders,spent\nalice,5,22.5\n');

    // It is taken back, at once.
    await page.getByRole('link', { name: 'Shares', exact: true }).click();
    const row = page.getByRole('row', { name: /who buys/ });
    await row.getByRole('button', { name: /Revoke/ }).click();
    await fine();
    await page.getByRole('dialog').getByRole('button', { name: /Revoke/ }).click();
    await row.waitFor({ state: 'detached' });
    const after = await guest.goto(url);
    assert.equal(after.status(), 404);
    await fine(guest);
    assert.deepEqual(page.complaints, []);
    assert.deepEqual(guest.complaints.filter((each) => !/404/.test(each)), []);
  });
});
