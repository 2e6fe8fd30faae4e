// The dashboard's place for webhooks, as somebody uses it: a provider, its URL, the first delivery, the end of it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { signedIn, useBrowser, violations } from './browser.mjs';
import { eventually, problem, root, useServer } from './lib.mjs';

const github = JSON.parse(fs.readFileSync(path.join(root, 'third_party/node_modules/@octokit/webhooks-examples/api.github.com/index.json'), 'utf8'));

describe('webhooks in the dashboard', () => {
  const server = useServer();
  const browser = useBrowser();

  async function onPhone(key) {
    const page = await browser.open({ viewport: { width: 390, height: 844 }, colorScheme: 'dark' });
    await page.goto(`${server.url}/`);
    await page.getByLabel('API key').fill(key);
    await page.getByLabel('API key').press('Enter');
    await page.getByRole('button', { name: 'Menu' }).press('Enter');
    await page.getByRole('link', { name: 'Webhooks' }).press('Enter');
    await page.getByRole('heading', { name: 'Webhooks', level: 1 }).waitFor();
    return page;
  }
  const complaints = (page) => page.complaints.filter((each) => !/401/.test(each));
  const urlOf = (page) => page.locator('.secret pre').innerText();
  const cell = (page, name) => page.getByRole('cell', { name, exact: true });
  const deliver = (url, payload) => fetch(url, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(payload) });

  it('GitHub: the URL, the ping that arrives, and an end of it', { timeout: 120_000 }, async () => {
    const page = await signedIn(browser, server, 'Webhooks');
    await page.getByRole('heading', { name: 'No webhook yet' }).waitFor();
    assert.deepEqual(await violations(page), []);
    await page.getByRole('link', { name: /GitHub/ }).click();
    assert.equal(await page.getByLabel('Table', { exact: true }).inputValue(), 'github_events');
    assert.ok(await page.getByRole('radio', { name: /^Nested/ }).isChecked());
    assert.deepEqual(await violations(page), []);
    await page.getByRole('button', { name: 'Make the URL' }).click();
    const first = await urlOf(page);
    assert.match(first, new RegExp(`^${server.url}/api/data/insert/github_events\\?api_key=sd_\\w{43}$`));
    // The keyboard goes on where the page does.
    assert.match(await page.evaluate(() => document.activeElement.textContent), /Paste the URL at GitHub/);
    await page.getByText('application/json').waitFor();
    await page.getByText('Signatures are not checked yet').waitFor();
    // 127.0.0.1 is nothing that GitHub can reach; another address changes the URL.
    await page.getByText('cannot reach 127.0.0.1').waitFor();
    assert.deepEqual(await violations(page), []);
    await page.getByLabel(/address, as GitHub reaches it/).fill('https://data.example.com/');
    assert.equal(await urlOf(page), first.replace(server.url, 'https://data.example.com'));
    assert.equal(await page.getByText('cannot reach').count(), 0);
    await page.getByText('Waiting for the first delivery of GitHub').waitFor();

    const { examples: [ping] } = github.find((each) => each.name === 'ping');
    assert.equal((await deliver(first, ping)).status, 200);
    await page.getByText('The first delivery of GitHub has arrived').waitFor();
    await cell(page, 'zen').waitFor();
    await cell(page, ping.zen).waitFor();
    await page.getByText('seconds ago').waitFor();
    assert.deepEqual(await violations(page), []);
    assert.equal(await server.value('SELECT repository.full_name FROM github_events'), ping.repository.full_name);

    // The key inserts into that table, and does nothing else.
    const key = new URL(first).searchParams.get('api_key');
    problem(await server.api('/api/data/insert/other', { key, body: '{"a":1}' }), 403);
    problem(await server.sql('FROM github_events', { key }), 403);

    await page.getByRole('link', { name: 'github_events' }).click();
    await page.getByRole('heading', { name: 'github_events', level: 1 }).waitFor();
    await page.getByRole('link', { name: 'Webhooks' }).click();
    const row = page.getByRole('row', { name: /GitHub webhook/ });
    await row.waitFor();
    assert.ok(!(await page.content()).includes(key));
    assert.deepEqual(await violations(page), []);
    await row.getByRole('button', { name: 'Revoke GitHub webhook for github_events' }).click();
    assert.deepEqual(await violations(page), []);
    await page.getByRole('button', { name: 'Keep it' }).click();
    assert.equal((await deliver(first, ping)).status, 200);
    await row.getByRole('button', { name: /Revoke/ }).click();
    await page.getByRole('button', { name: 'Revoke it' }).click();
    await page.getByRole('heading', { name: 'No webhook yet' }).waitFor();
    assert.equal((await deliver(first, ping)).status, 401);
    assert.deepEqual(complaints(page), []);
  });

  it('Stripe: a test delivery is told from the first real one, and a row that is refused is named', { timeout: 120_000 }, async () => {
    const page = await signedIn(browser, server, 'Webhooks');
    await page.goto(`${server.url}/#/webhooks/new/stripe`);
    await page.getByLabel('Table', { exact: true }).fill('payments');
    await page.getByText('It appears with the first delivery').waitFor();
    await page.getByRole('button', { name: 'Make the URL' }).click();
    const url = await urlOf(page);
    assert.match(url, /\/insert\/payments\?api_key=sd_\w+&flatten_depth=2$/);
    await page.getByRole('button', { name: 'Send a test delivery' }).click();
    await page.getByText('The test delivery arrived').waitFor();
    await cell(page, 'data_object').waitFor();
    await page.getByText('Waiting for the first delivery of Stripe').waitFor();
    assert.deepEqual(await violations(page), []);
    assert.deepEqual(await server.rows("SELECT type, data_object->>'currency' AS currency FROM payments"), [{ type: 'payment_intent.succeeded', currency: 'eur' }]);

    const put = await server.api('/api/tables/payments/contract', { method: 'PUT', body: '{"columns":"freeze"}' });
    assert.equal(put.status, 200, put.text);
    await eventually('the contract binds', async () => (await (await deliver(url, { id: 'evt_1', unheard: 1 })).json(), page.getByText('A delivery came, but its row was refused').count()), 20_000, 1000);
    assert.match(await page.getByRole('link', { name: 'failed rows' }).getAttribute('href'), /\/payments\/failed$/);
    assert.deepEqual(await violations(page), []);
    await deliver(url, { id: 'evt_2', type: 'charge.refunded' });
    await page.getByText('The first delivery of Stripe has arrived').waitFor();
    await cell(page, 'charge.refunded').waitFor();
    assert.equal(await page.getByText('was refused').count(), 0);

    // The second one's table is there by now.
    await page.goto(`${server.url}/#/webhooks/new/other`);
    await page.getByLabel('Who sends').fill('Linear');
    await page.getByLabel('Table', { exact: true }).fill('Payments');
    await page.getByText('It is there already, with 2 rows').waitFor();
    await page.getByRole('radio', { name: /^A row for each element/ }).check();
    assert.deepEqual(await violations(page), []);
    await page.getByRole('button', { name: 'Make the URL' }).click();
    await page.getByText('Waiting for the first delivery of Linear').waitFor();
    const { data } = (await server.api('/api/destinations/local/keys', { key: server.adminKey })).json();
    assert.deepEqual(data.filter((each) => / webhook$/.test(each.name)).map((each) => [each.name, each.scopes, each.tables, each.flatten]),
      [['Stripe webhook', ['insert'], ['payments'], 'horizontal'], ['Linear webhook', ['insert'], ['Payments'], 'vertical']]);
    await page.getByRole('link', { name: 'Webhooks' }).first().click();
    await page.getByRole('row', { name: /Linear webhook/ }).waitFor();
    await page.getByRole('link', { name: 'New webhook' }).click();
    await page.getByRole('heading', { name: 'New webhook' }).waitFor();
    assert.deepEqual(await violations(page), []);
    assert.deepEqual(complaints(page), []);
  });

  it('Shopify: lists of an order stay lists; on a phone, in the dark, by keyboard alone', { timeout: 120_000 }, async () => {
    const page = await onPhone(server.key);
    await page.getByRole('link', { name: 'New webhook' }).press('Enter');
    await page.getByRole('link', { name: /Shopify/ }).press('Enter');
    await page.getByRole('button', { name: 'Make the URL' }).press('Enter');
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.equal(wide, 0, 'the page scrolls sideways');
    await page.getByRole('button', { name: 'Send a test delivery' }).press('Enter');
    await page.getByRole('button', { name: /^Show all \d+ columns/ }).press('Enter');
    await cell(page, 'line_items').waitFor();
    assert.deepEqual(await violations(page), []);
    assert.equal(await server.value('SELECT sum(item.price::DECIMAL(9,2)) AS total FROM (SELECT unnest(line_items) AS item FROM shopify_orders)'), 249.98);
    assert.deepEqual(complaints(page), []);
  });

  it('are for whoever may make keys', { timeout: 60_000 }, async () => {
    const { api_key: secret } = (await server.api('/api/destinations/local/keys', { key: server.adminKey, body: '{"scopes":["insert","query"]}' })).json();
    const page = await browser.open();
    await page.goto(`${server.url}/#/webhooks`);
    await page.getByLabel('API key').fill(secret);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Not with this key' }).waitFor();
    assert.equal(await page.getByRole('link', { name: 'Webhooks' }).count(), 0);
  });
});
