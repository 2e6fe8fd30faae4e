// Several tabs of one browser: they share the session's cookie and the connections to the server.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { signedIn, useBrowser } from './browser.mjs';
import { eventually, useServer } from './lib.mjs';

describe('tabs of one browser', () => {
  const server = useServer();
  const browser = useBrowser();
  const keyOf = async (destination) => (await server.api(`/api/destinations/${destination}/keys`, { key: server.adminKey, body: '{"scopes":["insert","query","share","tail","admin"]}' })).json().api_key;

  it('one of a session that another tab has ended acts on nothing of the new one', { timeout: 90_000 }, async () => {
    const other = (await server.api('/api/destinations', { key: server.adminKey, body: '{"name":"other"}' })).json();
    await server.insert('events', [{ n: 1 }], { query: '?wait=true' });
    await server.insert('events', [{ n: 2 }], { key: other.api_key, query: '?wait=true' });
    const page = await signedIn(browser, server, undefined, { key: await keyOf('local') });
    await page.goto(`${server.url}/#/data/events/settings`);
    await page.getByRole('button', { name: 'Delete the table …' }).waitFor();
    // A page hears nothing of what it stores itself, as of a tab that it has not heard of yet: what it sends is refused all the same.
    const cookie = async (key) => {
      await page.evaluate(async (text) => { await fetch('/api/session', { method: 'DELETE' }); await fetch('/api/session', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ key: text }) }); }, key);
    };
    await cookie(other.api_key);
    await page.getByRole('button', { name: 'Delete the table …' }).click();
    await page.getByRole('dialog').getByRole('textbox').fill('events');
    await page.getByRole('dialog').getByRole('button', { name: 'Delete the table' }).click();
    await page.getByRole('dialog').getByRole('alert').waitFor();
    assert.equal((await server.api('/api/tables/events', { key: other.api_key })).status, 200);
    assert.equal((await server.api('/api/tables/events')).status, 200);
  });

  it('begins anew where another tab signs in with another key', { timeout: 60_000 }, async () => {
    const page = await signedIn(browser, server);
    const second = await page.context().newPage();
    await second.goto(`${server.url}/`);
    await second.getByRole('button', { name: 'Sign out' }).click();
    await second.getByLabel('API key').waitFor();
    await page.getByText('Another tab of this browser signed out').waitFor();
    await second.getByLabel('API key').fill(await keyOf('local'));
    await second.getByRole('button', { name: 'Sign in' }).click();
    await second.locator('#content h1').first().waitFor();
  });

  it('keeps the destination that it looks at, whichever another tab has chosen', { timeout: 60_000 }, async () => {
    await server.api('/api/destinations', { key: server.adminKey, body: '{"name":"second"}' });
    const page = await signedIn(browser, server);
    await page.getByLabel('Destination', { exact: true }).selectOption({ label: 'local' });
    const second = await page.context().newPage();
    await second.goto(`${server.url}/`);
    await second.getByLabel('Destination', { exact: true }).selectOption({ label: 'second' });
    await second.getByRole('heading', { name: 'second', level: 1 }).waitFor();
    await page.reload();
    await page.getByRole('heading', { name: 'local', level: 1 }).waitFor();
  });

  it('is sent to somebody else by its address, which names the destination', { timeout: 60_000 }, async () => {
    const made = (await server.api('/api/destinations', { key: server.adminKey, body: '{"name":"a/b"}' })).json();
    await server.insert('there only', [{ n: 1 }], { key: made.api_key, query: '?wait=true' });
    const page = await signedIn(browser, server);
    await page.getByLabel('Destination', { exact: true }).selectOption({ label: 'a/b' });
    await page.getByRole('link', { name: 'Data', exact: true }).click();
    await page.getByRole('link', { name: 'there only' }).click();
    await page.getByText('Rows 1 to 1 of 1').waitFor();
    const address = page.url();
    const somebody = await signedIn(browser, server);
    await somebody.getByLabel('Destination', { exact: true }).selectOption({ label: 'local' });
    await somebody.getByRole('heading', { name: 'local', level: 1 }).waitFor();
    await somebody.goto(address);
    await somebody.getByText('Rows 1 to 1 of 1').waitFor();
    assert.equal(await somebody.getByLabel('Destination', { exact: true }).locator('option:checked').innerText(), 'a/b');
    await somebody.goBack();
    await somebody.getByRole('heading', { name: 'local', level: 1 }).waitFor();
    await somebody.goto(`${server.url}/#/@never/data/events`);
    await somebody.getByRole('heading', { name: 'There is no destination “never” here' }).waitFor();
    await somebody.getByRole('link', { name: 'Home' }).last().click();
    await somebody.getByRole('heading', { name: 'local', level: 1 }).waitFor();
  });

  it('more of them than a browser has connections all work: what nobody sees keeps none', { timeout: 120_000 }, async () => {
    const page = await signedIn(browser, server);
    const others = [];
    for (let i = 0; i < 7; ++i) {
      const tab = await page.context().newPage();
      // A tab in the background, as the headless browser has none.
      await tab.addInitScript(() => {
        globalThis.isHidden = false;
        Object.defineProperty(document, 'hidden', { get: () => globalThis.isHidden });
      });
      await tab.goto(`${server.url}/`);
      await tab.locator('#content h1').first().waitFor();
      await tab.evaluate(() => { globalThis.isHidden = true; document.dispatchEvent(new Event('visibilitychange')); });
      others.push(tab);
    }
    await page.getByRole('link', { name: 'Keys' }).click();
    await page.getByRole('button', { name: 'New key' }).waitFor();
    // Seen again it goes on.
    await others[0].evaluate(() => { globalThis.isHidden = false; document.dispatchEvent(new Event('visibilitychange')); });
    await server.insert('arriving', [{ n: 1 }]);
    await eventually('the row in the first tab', async () => (await others[0].getByRole('link', { name: 'arriving' }).count()) > 0, 20_000);
  });
});
