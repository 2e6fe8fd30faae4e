// Forms and lists of the dashboard on a slow server, with long names, by keyboard; keys that are shown once.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { signedIn, useBrowser, violations } from './browser.mjs';
import { eventually, problem, useServer } from './lib.mjs';

const fine = async (page) => assert.deepEqual(await violations(page), []);
const at = (page, hash) => page.evaluate((where) => { location.hash = where; }, hash);
const complaints = (page) => page.complaints.filter((each) => !/Failed to load resource/.test(each));
const fits = (page) => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
const focused = (page) => page.evaluate(() => document.activeElement.textContent.trim());
// Whether a reload asks first; it is not done then.
async function asksBeforeReload(page) {
  let asked = false;
  const refuse = (dialog) => {
    asked = dialog.type() === 'beforeunload';
    return dialog.dismiss();
  };
  page.once('dialog', refuse);
  await page.evaluate(() => { setTimeout(() => location.reload()); });
  await page.waitForTimeout(700);
  page.off('dialog', refuse);
  return asked;
}

describe('a slow server', () => {
  const server = useServer();
  const browser = useBrowser();
  before(() => server.api('/api/endpoints', { body: '{"name":"one","query":"SELECT 1 AS n"}' }));

  const places = [
    ['#/keys', '**/api/destinations/*/keys?*', /No key/], ['#/webhooks', '**/api/destinations/*/keys?*', 'No webhook yet'], ['#/webhooks/some', '**/api/destinations/*/keys?*', 'no such webhook'],
    ['#/shares', '**/api/shares?*', 'Nothing is shared now'], ['#/shares/some', '**/api/shares/*', null], ['#/endpoints', '**/api/endpoints?*', 'No endpoint yet'], ['#/endpoints/one', '**/api/endpoints/one?*', null],
    ['#/endpoints/one/usage', '**/api/endpoints/one/usage?*', 'Nobody has called it'], ['#/connections', '**/api/destinations?*', 'No connection yet'], ['#/connections/local', '**/api/destinations/local', null], ['#/connections/new', '**/api/destination-types', null],
  ];
  for (const [place, request, empty] of places) {
    it(`${place} says that it loads, and never that there is nothing; what fails can be tried again`, { timeout: 60_000 }, async () => {
      const page = await signedIn(browser, server);
      let answer;
      const held = new Promise((resolve) => { answer = resolve; });
      let broken = true;
      let asked = 0;
      await page.route(request, async (route) => {
        await held;
        ++asked;
        if (broken) await route.fulfill({ status: 503, contentType: 'application/problem+json', body: '{"type":"about:blank","title":"t","status":503,"detail":"it is being restarted"}' });
        else await route.continue();
      });
      await at(page, place);
      const main = page.getByRole('main');
      await main.getByText('Loading …').first().waitFor();
      assert.equal(await main.locator('.empty').count(), 0);
      if (empty) assert.equal(await main.getByText(empty).count(), 0);
      await fine(page);
      answer();
      await main.getByRole('alert').getByText('it is being restarted').first().waitFor();
      assert.equal(await main.getByText('Loading …').count(), 0);
      assert.equal(await main.locator('.empty').count(), 0);
      await fine(page);
      // Asked again it fails again; then it does not. Some pages look again by themselves, and are mended without a click.
      const before = asked;
      await main.getByRole('button', { name: 'Try again' }).first().click();
      await eventually('another request', () => asked > before);
      await main.getByRole('alert').getByText('it is being restarted').first().waitFor();
      broken = false;
      await main.getByRole('button', { name: 'Try again' }).first().click({ timeout: 2000 }).catch(() => {});
      if (place.endsWith('/some')) await eventually('an answer', async () => (await main.innerText()).includes(place.includes('shares') ? 'no such share' : 'no such webhook'));
      else await main.getByRole('alert').waitFor({ state: 'detached' });
      await eventually('all of it', async () => await main.getByText('Loading …').count() === 0);
    });
  }

  it('the empty state says what was asked for, not what is ticked', { timeout: 60_000 }, async () => {
    const page = await signedIn(browser, server, 'Shares');
    await page.getByText('Nothing is shared now').waitFor();
    let answer;
    const held = new Promise((resolve) => { answer = resolve; });
    await page.route('**/api/shares?all=true*', async (route) => { await held; await route.continue(); });
    await page.getByLabel('Show ended').check();
    await page.waitForTimeout(200);
    assert.equal(await page.getByText('Nothing has been shared yet').count(), 0);
    // Unticked meanwhile: the late answer changes nothing.
    await page.getByLabel('Show ended').uncheck();
    answer();
    await page.waitForTimeout(400);
    assert.equal(await page.getByText('Nothing is shared now').count(), 1);
  });
});

describe('what takes long', () => {
  const server = useServer({ flags: ['--query-max-running', '1'] });
  const browser = useBrowser();

  it('a frozen share in the making is stopped in the server too, and the form stays', { timeout: 60_000 }, async () => {
    const page = await signedIn(browser, server, 'Shares');
    await page.getByRole('button', { name: 'New share' }).click();
    const slow = 'SELECT count(*) FROM range(100000000) a, range(100000000) b WHERE a.range + b.range = 7';
    await page.getByRole('textbox', { name: 'Query' }).fill(slow);
    await page.getByLabel('Name').fill('Never');
    await page.getByLabel(/^Frozen/).check();
    await page.getByRole('button', { name: 'Make the link' }).press('Enter');
    await page.getByText(/^Running the query/).waitFor();
    await page.getByText(/^\s*\d+ s$/).waitFor();
    assert.equal(await focused(page), 'Stop', 'the keyboard is where it was');
    await fine(page);
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Make the link' }).waitFor();
    assert.equal(await focused(page), 'Make the link');
    assert.equal(await page.getByRole('alert').count(), 0);
    assert.deepEqual([await page.getByRole('textbox', { name: 'Query' }).inputValue(), await page.getByLabel('Name').inputValue()], [slow, 'Never']);
    // One query runs at a time here: its place is free again.
    await page.getByRole('textbox', { name: 'Query' }).fill('SELECT 1 AS n');
    await page.getByRole('button', { name: 'Make the link' }).click();
    await page.getByText('Whoever has this link').waitFor();
    assert.deepEqual((await server.api('/api/shares')).json().data.map((each) => each.query), ['SELECT 1 AS n']);
  });

  it('a test of a connection has one button that begins and stops', { timeout: 60_000 }, async () => {
    const page = await signedIn(browser, server);
    await page.route('**/api/destinations/test', () => {}); // never
    await at(page, '#/connections/new');
    await page.getByLabel('Name', { exact: true }).fill('x');
    await page.getByRole('button', { name: 'Test the connection' }).press('Enter');
    await page.getByText('Testing …').waitFor();
    await fine(page);
    assert.equal(await focused(page), 'Stop');
    await page.keyboard.press('Enter');
    await page.getByText('Testing …').waitFor({ state: 'detached' });
    assert.equal(await focused(page), 'Test the connection');
    assert.equal(await page.getByRole('alert').count(), 0);
  });

  it('a key in the making is not closed away', { timeout: 60_000 }, async () => {
    const page = await signedIn(browser, server, 'Keys');
    let answer;
    const held = new Promise((resolve) => { answer = resolve; });
    await page.route('**/api/destinations/*/keys', async (route) => {
      if (route.request().method() === 'POST') await held;
      await route.continue();
    });
    await page.getByRole('button', { name: 'New key' }).click();
    await page.getByRole('button', { name: 'Make the key' }).click();
    await page.getByText('Making it …').waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    for (const name of ['Cancel', 'Close']) assert.ok(await page.getByRole('dialog').getByRole('button', { name, exact: true }).isDisabled(), name);
    answer();
    await page.getByRole('dialog', { name: 'The new key' }).waitFor();
    await fine(page);
  });

  it('what is made after somebody went elsewhere takes nobody there', { timeout: 60_000 }, async () => {
    const page = await signedIn(browser, server);
    let answer;
    let held = new Promise((resolve) => { answer = resolve; });
    await page.route(/\/api\/destinations(\/[^/]*\/keys)?$/, async (route) => {
      if (route.request().method() === 'POST') await held;
      await route.continue();
    });
    await at(page, '#/webhooks/new/github');
    await page.getByRole('button', { name: 'Make the URL' }).click();
    await page.getByText('Making it …').waitFor();
    await at(page, '#/webhooks');
    await page.getByText('No webhook yet').waitFor();
    answer();
    await page.getByRole('row', { name: /GitHub/ }).waitFor();
    assert.equal(await page.evaluate(() => location.hash), '#/webhooks');
    held = new Promise((resolve) => { answer = resolve; });
    await at(page, '#/connections/new/duckdb');
    await page.getByLabel('Name', { exact: true }).fill('made meanwhile');
    await page.getByRole('button', { name: 'Make the connection' }).click();
    await page.getByText('Making it …').waitFor();
    await at(page, '#/keys');
    answer();
    const selector = page.getByRole('combobox', { name: 'Destination' });
    await selector.getByRole('option', { name: 'made meanwhile' }).waitFor({ state: 'attached' });
    await page.waitForTimeout(300);
    assert.match(await page.evaluate(() => location.hash), /^#\/(@local\/)?keys$/);
    assert.equal(await selector.evaluate((select) => select.selectedOptions[0].textContent), 'local');
    await at(page, '#/connections');
    await page.getByRole('link', { name: 'made meanwhile' }).click();
    await page.getByText('Until it is copied it stays here').waitFor();
    assert.deepEqual(complaints(page), []);
  });

  it('a deletion that goes on is not closed away', { timeout: 60_000 }, async () => {
    const made = (await server.api('/api/destinations', { key: server.adminKey, body: '{"name":"going"}' })).json();
    const page = await signedIn(browser, server);
    let answer;
    const held = new Promise((resolve) => { answer = resolve; });
    await page.route('**/api/destinations/*', async (route) => {
      if (route.request().method() === 'DELETE') await held;
      await route.continue();
    });
    await at(page, `#/connections/${made.id}`);
    await page.getByRole('button', { name: /^Delete this/ }).click();
    await page.getByLabel(/^Type going/).fill('going');
    await page.keyboard.press('Enter');
    await page.getByText('Looking whether rows wait …').waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    assert.ok(await page.getByRole('dialog').isVisible());
    for (const name of ['Keep it', 'Close']) assert.ok(await page.getByRole('button', { name }).isDisabled(), name);
    await fine(page);
    answer();
    await page.getByRole('heading', { name: 'Connections', level: 1 }).waitFor();
    assert.equal(await page.getByRole('dialog').count(), 0);
  });
});

describe('what is shown once', () => {
  const server = useServer();
  const browser = useBrowser();

  it('a new connection has its own address; its key waits until it is copied, and a reload asks first', { timeout: 120_000 }, async () => {
    const page = await signedIn(browser, server, 'Connections', { permissions: ['clipboard-read', 'clipboard-write'] });
    await page.getByRole('link', { name: 'New connection' }).click();
    await page.getByLabel('Name', { exact: true }).fill('mine');
    await page.getByLabel('Name', { exact: true }).press('Enter');
    await page.getByRole('heading', { name: 'mine is there' }).waitFor();
    const { id } = (await server.api('/api/destinations/mine', { key: server.adminKey })).json();
    assert.equal(new URL(page.url()).hash, `#/connections/${id}`);
    const secret = await page.locator('.secret pre').innerText();
    assert.ok(await asksBeforeReload(page));
    await fine(page);
    // Elsewhere in the page and back: it is there still. The empty form is not behind it.
    await page.getByLabel('Pages').getByRole('link', { name: 'Keys', exact: true }).click();
    await page.getByRole('heading', { name: 'Keys', level: 1 }).waitFor();
    assert.ok(await asksBeforeReload(page));
    await page.goBack();
    assert.equal(await page.locator('.secret pre').innerText(), secret);
    await page.getByRole('button', { name: 'Copy the key' }).click();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), secret);
    await page.getByText('It goes with this page').waitFor();
    await page.getByLabel('Pages').getByRole('link', { name: 'Keys', exact: true }).click();
    await page.getByRole('heading', { name: 'Keys', level: 1 }).waitFor();
    await page.goBack();
    await page.getByRole('heading', { name: 'mine', exact: true }).waitFor();
    assert.ok(!(await page.content()).includes(secret));
    await page.reload();
    await page.getByRole('heading', { name: 'mine', exact: true }).waitFor();
    await page.getByRole('heading', { name: 'Settings' }).waitFor();
    assert.deepEqual(complaints(page), []);
  });

  it('whoever keeps the key by hand says so', { timeout: 60_000 }, async () => {
    const page = await signedIn(browser, server, 'Connections');
    await page.getByRole('link', { name: 'New connection' }).click();
    await page.getByLabel('Name', { exact: true }).fill('by hand');
    await page.getByLabel('Name', { exact: true }).press('Enter');
    await page.getByRole('button', { name: 'The key is kept' }).press('Enter');
    assert.equal(await focused(page), 'by hand');
    await page.getByRole('heading', { name: 'Settings' }).waitFor();
    assert.equal(await asksBeforeReload(page), false);
  });

  it('a webhook has its own address; its URL waits until it is copied', { timeout: 120_000 }, async () => {
    const page = await signedIn(browser, server, 'Webhooks', { permissions: ['clipboard-read', 'clipboard-write'] });
    await page.getByRole('link', { name: /Stripe/ }).click();
    await page.getByLabel('Table', { exact: true }).press('Enter');
    await page.getByRole('heading', { name: 'Paste the URL at Stripe' }).waitFor();
    const key = (await server.api('/api/destinations/local/keys', { key: server.adminKey })).json().data.find((each) => each.name === 'Stripe webhook');
    assert.ok(new URL(page.url()).hash.endsWith(`/webhooks/${key.id}`), page.url());
    const url = await page.locator('.secret pre').innerText();
    assert.ok(await asksBeforeReload(page));
    await page.getByRole('link', { name: 'Webhooks' }).first().click();
    await page.getByRole('link', { name: 'Stripe webhook' }).click();
    assert.equal(await page.locator('.secret pre').innerText(), url);
    await page.getByRole('button', { name: 'Copy the URL' }).click();
    assert.equal(await asksBeforeReload(page), false);
    await page.getByRole('heading', { name: 'Its URL' }).waitFor();
    await page.getByText('cannot be shown again').waitFor();
    assert.ok(!(await page.content()).includes('api_key='));
    await fine(page);
    assert.equal((await fetch(`${url}&wait=true`, { method: 'POST', body: '{"id":"evt_1"}' })).status, 200);
    await page.getByRole('link', { name: 'stripe_events' }).waitFor({ timeout: 20_000 });
    await page.getByRole('button', { name: 'Revoke' }).click();
    await page.getByRole('button', { name: 'Revoke it' }).click();
    await page.getByRole('heading', { name: 'No webhook yet' }).waitFor();
    problem(await server.request(url.slice(server.url.length), { body: '{"id":"evt_2"}' }), 401);
    await at(page, `#/webhooks/${key.id}`);
    await page.getByText('There is no such webhook').waitFor();
    assert.deepEqual(complaints(page), []);
  });

  it('a key whose dialog was closed too soon is shown again from its row', { timeout: 60_000 }, async () => {
    const page = await signedIn(browser, server, 'Keys', { permissions: ['clipboard-read', 'clipboard-write'] });
    await page.getByRole('button', { name: 'New key' }).click();
    await page.getByLabel('Name').fill('hasty');
    await page.getByLabel('Name').press('Enter');
    const secret = await page.getByRole('dialog').locator('pre').first().innerText();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    assert.ok(await asksBeforeReload(page));
    const row = page.getByRole('row', { name: /hasty/ });
    await row.getByRole('button', { name: /^Show the key hasty/ }).click();
    assert.equal(await page.getByRole('dialog').locator('pre').first().innerText(), secret);
    await page.getByRole('button', { name: 'Copy the key' }).click();
    await page.getByRole('button', { name: 'Done' }).click();
    assert.equal(await row.getByRole('button', { name: /^Show/ }).count(), 0);
    assert.equal(await asksBeforeReload(page), false);
  });
});

describe('the form of a key', () => {
  const server = useServer();
  const browser = useBrowser();
  const keys = async (rest = '') => (await server.api(`/api/destinations/local/keys${rest}`, { key: server.adminKey })).json().data;
  before(async () => {
    await server.insert('orders', [{ customer: 'alice', n: 1 }], { query: '?wait=true' });
    for (const spec of [{ name: 'orders', query: 'SELECT * FROM orders WHERE customer = $customer AND n > $least' }, { name: 'others', query: 'SELECT $customer AS customer' }]) {
      assert.equal((await server.api('/api/endpoints', { body: JSON.stringify(spec) })).status, 200);
    }
  });

  it('every limit reaches the key, and Cancel makes none', { timeout: 60_000 }, async () => {
    const page = await signedIn(browser, server, 'Keys');
    const count = (await keys()).length;
    await page.getByRole('button', { name: 'New key' }).click();
    await page.getByLabel('Name').fill('given up');
    await page.getByRole('button', { name: 'Cancel' }).click();
    assert.equal(await focused(page), 'New key');
    assert.equal((await keys()).length, count);
    await page.getByRole('button', { name: 'New key' }).click();
    assert.equal(await page.getByLabel('Name').inputValue(), '');
    await page.getByLabel('Name').fill('limited');
    await page.getByLabel(/^share/).check();
    assert.equal(await page.getByText('it can neither share nor save endpoints').count(), 0);
    await page.getByRole('button', { name: 'orders', exact: true }).click();
    await page.getByText('it can neither share nor save endpoints').waitFor();
    await page.getByText('Limits', { exact: true }).click();
    await page.getByLabel('Requests a minute').fill('120');
    await page.getByLabel('Most rows of a result').fill('lots');
    await page.getByRole('button', { name: 'Make the key' }).click();
    assert.ok(await page.getByLabel('Most rows of a result').evaluate((input) => !input.validity.valid));
    await page.getByLabel('Most rows of a result').fill('500');
    await page.getByLabel('Most of an answer').fill('3');
    await page.getByLabel('Unit').selectOption('KiB');
    await page.getByLabel('How JSON becomes columns').selectOption('vertical');
    await fine(page);
    await page.getByRole('button', { name: 'Make the key' }).click();
    await page.getByText('It is shown only now').waitFor();
    await fine(page);
    const made = (await keys()).find((each) => each.name === 'limited');
    assert.deepEqual([made.scopes, made.tables, made.requests_per_minute, made.max_rows, made.max_bytes, made.flatten], [['insert', 'share'], ['orders'], 120, 500, 3072, 'vertical']);
    await page.getByRole('button', { name: 'Done' }).click();
    assert.match(await page.getByRole('row', { name: /limited/ }).innerText(), /tables orders; 120 requests a minute; 500 rows of a result; 3\.0 KiB of an answer; rows vertical/);
    assert.deepEqual(complaints(page), []);
  });

  it('what it fixes of parameters is written as text, and what is wrong stands beside it', { timeout: 60_000 }, async () => {
    const page = await signedIn(browser, server, 'Keys');
    await page.getByRole('button', { name: 'New key' }).click();
    await page.getByLabel('Name').fill('for alice');
    await page.getByLabel(/^for saved endpoints only/).check();
    await page.getByText('Choose an endpoint at least').waitFor();
    await page.getByRole('checkbox', { name: 'orders' }).check();
    await page.getByRole('checkbox', { name: 'others' }).check();
    assert.equal(await page.getByRole('checkbox', { name: 'least' }).count(), 0, 'not of each of them');
    await page.getByRole('checkbox', { name: 'others' }).uncheck();
    await page.getByRole('checkbox', { name: 'customer' }).check();
    await page.getByLabel('Value of customer').fill('alice "the" first');
    await page.getByRole('checkbox', { name: 'least' }).check();
    await page.getByLabel('Value of least').fill('few');
    await page.getByRole('button', { name: 'Make the key' }).click();
    const least = page.getByLabel('Value of least');
    await page.getByRole('alert').getByText(/"least"/).waitFor();
    assert.equal(await least.getAttribute('aria-invalid'), 'true');
    assert.deepEqual([await least.inputValue(), await page.getByLabel('Value of customer').inputValue()], ['few', 'alice "the" first'], 'what was written stays');
    await fine(page);
    await least.fill('12345678901234567');
    await page.getByRole('button', { name: 'Make the key' }).click();
    await page.getByText('It is shown only now').waitFor();
    const text = (await server.api('/api/destinations/local/keys', { key: server.adminKey })).text;
    assert.ok(text.includes('{"customer":"alice \\"the\\" first","least":12345678901234567}'), text);
    const made = (await keys()).find((each) => each.name === 'for alice');
    assert.deepEqual([made.endpoints, made.scopes], [['orders'], ['query']]);
    assert.deepEqual(complaints(page), []);
  });

  it('a revoked one is listed as such, and when that was', { timeout: 60_000 }, async () => {
    await server.api('/api/destinations/local/keys', { key: server.adminKey, body: '{"name":"short-lived","scopes":["query"]}' });
    const page = await signedIn(browser, server, 'Keys');
    const row = page.getByRole('row', { name: /short-lived/ });
    await row.getByRole('button', { name: 'Revoke short-lived' }).click();
    await page.getByText('stops working within a second: programs get 401').waitFor();
    await page.getByRole('button', { name: 'Revoke it' }).click();
    await row.waitFor({ state: 'detached' });
    await page.getByLabel('Show revoked').check();
    assert.match(await row.innerText(), /revoked\s+just now/);
    assert.equal(await row.getByRole('button').count(), 0);
    await fine(page);
  });
});

describe('names of 200 characters', () => {
  const server = useServer();
  const browser = useBrowser();
  const long = 'n'.repeat(200);
  const made = {};
  before(async () => {
    const post = async (target, body, key = server.adminKey) => {
      const answer = await server.api(target, { key, body: JSON.stringify(body) });
      assert.equal(answer.status, 200, answer.text);
      return answer.json();
    };
    made.destination = await post('/api/destinations', { name: long });
    const key = made.destination.api_key;
    made.endpoint = (await post('/api/endpoints', { name: 'e'.repeat(100), description: 'd'.repeat(200), query: `SELECT $${'p'.repeat(60)} AS ${'c'.repeat(200)}` }, key)).name;
    await post('/api/data/share', { name: long, query: `SELECT '${long}' AS x` }, key);
    made.share = (await server.api('/api/shares', { key })).json().data[0].id;
    await post(`/api/destinations/${made.destination.id}/keys`, { name: long, tables: ['t'.repeat(200)], scopes: ['insert', 'query'] });
    await post(`/api/destinations/${made.destination.id}/keys`, { name: long, endpoints: [made.endpoint], params: { ['p'.repeat(60)]: long } });
    made.webhook = (await post(`/api/destinations/${made.destination.id}/keys`, { name: `${long} webhook`, tables: ['t'.repeat(200)], scopes: ['insert'] })).id;
  });

  for (const [width, colorScheme] of [[1280, 'light'], [390, 'dark']]) {
    it(`break no page that is ${width} wide`, { timeout: 240_000 }, async () => {
      const page = await browser.open({ viewport: { width, height: 844 }, colorScheme });
      await page.goto(`${server.url}/`);
      await page.getByLabel('API key').fill(made.destination.api_key);
      await page.getByLabel('API key').press('Enter');
      await page.locator('#content h1').first().waitFor();
      const look = async (what) => {
        assert.ok(await fits(page), `${what} scrolls sideways`);
        // Nor does a dialog.
        for (const dialog of await page.getByRole('dialog').all()) assert.ok(await dialog.evaluate((element) => element.scrollWidth <= element.clientWidth), `${what}: the dialog`);
        await fine(page);
      };
      const pages = ['keys', 'webhooks', `webhooks/${made.webhook}`, 'shares', `shares/${made.share}`, 'endpoints', ...['try', 'use', 'definition', 'versions', 'usage'].map((tab) => `endpoints/${made.endpoint}/${tab}`), 'connections', `connections/${made.destination.id}`, 'account'];
      for (const hash of pages) {
        await at(page, `#/${hash}`);
        await page.locator('#content h1').first().waitFor();
        await page.waitForTimeout(250);
        await eventually(hash, async () => await page.getByText('Loading …').count() === 0);
        await look(hash);
      }
      const asks = async (hash, button) => {
        await at(page, hash);
        await page.getByRole('main').getByRole('button', { name: button }).first().click();
        await page.getByRole('dialog').waitFor();
        await page.waitForTimeout(150);
        await look(`${hash}: ${button}`);
        await page.keyboard.press('Escape');
        await page.getByRole('dialog').waitFor({ state: 'detached' });
      };
      await asks('#/keys', /^Revoke/);
      await asks('#/keys', 'New key');
      await asks('#/webhooks', /^Revoke/);
      await asks('#/shares', /^Revoke/);
      await asks(`#/shares/${made.share}`, 'Share again');
      await asks(`#/endpoints/${made.endpoint}`, 'Delete');
      await asks(`#/endpoints/${made.endpoint}/use`, 'Make a key');
      await page.context().clearCookies();
      await page.goto(`${server.url}/?admin`);
      await page.getByLabel('API key').fill(server.adminKey);
      await page.getByLabel('API key').press('Enter');
      await page.locator('#content h1').first().waitFor();
      await at(page, '#/connections');
      await page.getByRole('link', { name: long }).waitFor();
      await look('connections of all');
      await asks(`#/connections/${made.destination.id}`, /^Delete this/);
    });
  }
});

describe('by keyboard alone', () => {
  const server = useServer();
  const browser = useBrowser();

  it('signing in: what is wrong stands at its field, and the field is where the keyboard is', { timeout: 60_000 }, async () => {
    const page = await browser.open();
    await page.goto(`${server.url}/`);
    const field = page.getByLabel('API key');
    await field.fill('sd_wrong');
    await field.press('Enter');
    await page.getByRole('alert').getByText('not known').waitFor();
    await eventually('the keyboard', () => field.evaluate((element) => element === document.activeElement && element.getAttribute('aria-invalid') === 'true' && document.getElementById(element.getAttribute('aria-describedby')).textContent.includes('not known')));
    await fine(page);
    await page.keyboard.insertText(server.adminKey);
    await page.keyboard.press('Enter');
    await page.locator('#content h1').first().waitFor();
  });
});
