// How the dashboard begins where the server does not answer at first, and what it makes of destinations that come and go.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { signedIn, useBrowser, violations } from './browser.mjs';
import { startServer, useServer } from './lib.mjs';

describe('a server that does not answer at first, and destinations that others make and delete', () => {
  const server = useServer();
  const browser = useBrowser();
  const proxy = { status: 502, contentType: 'text/html', body: '<html><title>Bad Gateway</title></html>' };

  it('nobody is asked for a key before the server has said that it knows nobody', { timeout: 60_000 }, async () => {
    const page = await signedIn(browser, server);
    let broken = true;
    await page.route('**/api/session', (route) => (broken ? route.fulfill(proxy) : route.continue()));
    await page.reload();
    await page.getByRole('alert').getByText('Bad Gateway').waitFor();
    assert.equal(await page.getByLabel('API key').count(), 0);
    assert.deepEqual(await violations(page), []);
    const again = page.getByRole('button', { name: 'Try again' });
    await again.click();
    await again.waitFor();
    broken = false;
    // By itself.
    await page.getByRole('heading', { name: 'local', level: 1 }).waitFor();
  });

  it('the link that signs in is not lost where there is no answer', { timeout: 60_000 }, async (t) => {
    const first = await startServer(t, {});
    const [, address] = /(http:\/\/\S+#sign-in=\S+)/.exec(first.stdout);
    const page = await browser.open();
    let broken = true;
    await page.route('**/api/session', (route) => (broken ? route.fulfill(proxy) : route.continue()));
    await page.goto(address);
    await page.getByRole('alert').getByText('Bad Gateway').waitFor();
    broken = false;
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('heading', { name: 'Send the first row' }).waitFor();
  });

  it('the page begins once the destinations are known', { timeout: 60_000 }, async () => {
    const page = await signedIn(browser, server, 'Keys');
    let broken = true;
    await page.route('**/api/destinations?*', (route) => (broken ? route.fulfill(proxy) : route.continue()));
    await page.reload();
    await page.getByRole('alert').getByText('Bad Gateway').waitFor();
    assert.equal(await page.getByRole('button', { name: 'New key' }).count(), 0);
    assert.deepEqual(await violations(page), []);
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('alert').getByText('Bad Gateway').waitFor();
    broken = false;
    // By itself.
    await page.getByRole('button', { name: 'New key' }).waitFor();
    assert.equal(await page.getByRole('alert').count(), 0);
  });

  it('one that was made elsewhere is offered, one that was deleted elsewhere gives way to another', { timeout: 60_000 }, async () => {
    const page = await signedIn(browser, server, 'Keys');
    const selector = page.getByRole('combobox', { name: 'Destination' });
    assert.equal(await selector.count(), 0);
    const { id } = (await server.api('/api/destinations', { key: server.adminKey, body: '{"name":"elsewhere"}' })).json();
    await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
    await selector.selectOption('elsewhere');
    await page.getByRole('link', { name: 'Shares', exact: true }).click();
    await page.getByText('Nothing is shared now').waitFor();
    assert.equal((await server.api(`/api/destinations/${id}`, { key: server.adminKey, method: 'DELETE' })).status, 204);
    await page.getByRole('link', { name: 'Keys', exact: true }).click();
    await page.getByText('The destination elsewhere is not there any more. You are looking at local now.').waitFor();
    await page.getByRole('heading', { name: 'Keys', level: 1 }).waitFor();
    await page.getByText('Loading').waitFor({ state: 'detached' });
    assert.equal(await page.getByRole('alert').count(), 0);
    assert.equal(await selector.count(), 0);
    assert.deepEqual(await violations(page), []);
    await page.getByRole('button', { name: 'All right' }).click();
    assert.equal(await page.getByText('is not there any more').count(), 0);
  });
});
