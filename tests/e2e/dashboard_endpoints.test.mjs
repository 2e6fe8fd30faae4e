// Saved endpoints in the dashboard.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { before, describe, it } from 'node:test';
import { signedIn, useBrowser, violations } from './browser.mjs';
import { eventually, problem, useServer } from './lib.mjs';

const fine = async (page) => assert.deepEqual(await violations(page), []);
// Requests that were refused are what some tests are about.
const complaints = (page) => page.complaints.filter((each) => !/Failed to load resource/.test(each));
const run = (line) => JSON.parse(execFileSync('bash', ['-euo', 'pipefail', '-c', line.replace('curl ', 'curl -sS --fail-with-body ')], { encoding: 'utf8' }));
// As text: one id has more digits than a number of this language.
const orders = '[{"customer":"alice","item":"tea","amount":4.5,"id":9007199254740993},{"customer":"alice","item":"milk","amount":1.25,"id":2},{"customer":"bob","item":"tea","amount":9,"id":3}]';
const insertOrders = (server) => server.api('/api/data/insert/orders?wait=true', { body: orders });

// The endpoint that most of the tests call.
const byCustomer = {
  name: 'by_customer', description: 'what somebody bought', query: 'SELECT item, amount, id FROM orders WHERE customer = $customer AND amount >= $least ORDER BY amount DESC',
  params: [{ name: 'customer', type: 'string', description: 'whose' }, { name: 'least', type: 'decimal', default: 0 }],
};

describe('saving an endpoint', () => {
  const server = useServer();
  const browser = useBrowser();
  const get = async (name) => (await server.api(`/api/endpoints/${name}`)).json();

  it('one is saved of the example, then with parameters of every kind, and again as a new version', { timeout: 120_000 }, async () => {
    const page = await signedIn(browser, server, 'Endpoints');
    await page.getByText('No endpoint yet').waitFor();
    await fine(page);
    await page.getByRole('button', { name: 'Begin with this example' }).click();
    await page.getByLabel('Name').fill('first one');
    await page.getByRole('group', { name: '$below' }).waitFor();
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    assert.ok(await page.getByLabel('Name').evaluate((element) => !element.validity.valid), 'a blank is in no name');
    await page.getByLabel('Name').fill('first');
    await page.getByRole('group', { name: '$below' }).getByLabel('If left out').selectOption('a default');
    await page.getByRole('group', { name: '$below' }).getByLabel('Default').fill('many');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('group', { name: '$below' }).getByRole('alert').getByText('must be a number').waitFor();
    await fine(page);
    await page.getByRole('group', { name: '$below' }).getByLabel('Default').fill('3');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('first, version 1').waitFor();
    await fine(page);
    assert.deepEqual((await get('first')).params.map((each) => [each.name, each.type, each.default]), [['below', 'integer', 3]]);
    assert.equal(run((await page.locator('dialog pre').nth(1).innerText()).replace('YOUR_KEY', server.key)).length, 3);
    await page.getByRole('button', { name: 'Done' }).click();

    await insertOrders(server);
    await page.getByRole('button', { name: 'New endpoint' }).click();
    await page.getByLabel('Name').fill('total');
    // Half a statement is no trouble; of a whole one the types are told.
    const sql = page.getByRole('textbox', { name: 'Query' });
    await sql.fill("SELECT sum(amount) AS total -- of $nobody\nFROM orders WHERE amount > $least AND");
    await page.getByRole('group', { name: '$least' }).waitFor();
    await sql.fill("SELECT sum(amount) AS total -- of $nobody\nFROM orders WHERE amount > $least AND customer = $customer AND item <> '$tea'");
    await page.getByRole('group', { name: '$customer' }).waitFor();
    await eventually('the type of it', async () => await page.getByRole('group', { name: '$least' }).getByLabel('Type').inputValue() === 'number');
    assert.equal(await page.getByRole('group', { name: /^\$/ }).count(), 2);
    await page.getByLabel('Description').fill('what it comes to');
    await page.getByRole('group', { name: '$customer' }).getByLabel('What it is').fill('whose');
    await page.getByRole('group', { name: '$least' }).getByLabel('If left out').selectOption('NULL');
    await page.getByLabel(/^Public/).check();
    await page.getByText('Limits and caching').click();
    await page.getByLabel('Cache, seconds').fill('60');
    await page.getByLabel('Most rows').fill('10');
    await fine(page);
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('total, version 1').waitFor();
    const saved = await get('total');
    assert.deepEqual(saved.params, [{ name: 'least', type: 'number', required: false, description: '' }, { name: 'customer', type: 'string', required: true, description: 'whose' }]);
    assert.deepEqual([saved.public, saved.cache_seconds, saved.max_rows, saved.description], [true, 60, 10, 'what it comes to']);
    // A public one is called without a key.
    assert.deepEqual(run(await page.locator('dialog pre').nth(1).innerText()), [{ total: null }]);
    await page.getByRole('button', { name: 'Done' }).click();

    // The same name is another version of it, and takes over what was said of it.
    await page.getByRole('button', { name: 'New endpoint' }).click();
    await sql.fill('SELECT count(*) AS n FROM orders WHERE customer = $customer');
    await page.getByLabel('Name').fill('total');
    await page.getByText('There is total already, at version 1: saving makes version 2').waitFor();
    await eventually('what was said of it', async () => await page.getByLabel('Description').inputValue() === 'what it comes to');
    assert.ok(await page.getByLabel(/^Public/).isChecked());
    assert.equal(await page.getByRole('group', { name: '$customer' }).getByLabel('What it is').inputValue(), 'whose');
    await fine(page);
    await page.getByRole('button', { name: 'Save as version 2' }).click();
    await page.getByText('total, version 2').waitFor();
    assert.deepEqual([(await get('total')).version, (await get('total')).cache_seconds], [2, 60]);
    await page.getByRole('link', { name: 'Try it' }).click();
    await page.getByRole('heading', { name: 'total', level: 1 }).waitFor();
    assert.deepEqual(complaints(page), []);
  });
});

describe('endpoints in the dashboard', () => {
  const server = useServer();
  const browser = useBrowser();
  const post = (spec) => server.api('/api/endpoints', { body: JSON.stringify(spec) });
  const get = async (name, rest = '') => (await server.api(`/api/endpoints/${name}${rest}`)).json();
  const at = async (page, ...parts) => page.evaluate((hash) => { location.hash = hash; }, `#/endpoints/${parts.join('/')}`);
  before(async () => {
    await insertOrders(server);
    assert.equal((await post(byCustomer)).status, 200);
  });

  it('is tried: errors stand at their field, numbers keep their digits, every format is a link', { timeout: 120_000 }, async () => {
    const page = await signedIn(browser, server, 'Endpoints');
    assert.match(await page.getByRole('row', { name: /by_customer/ }).innerText(), /what somebody bought\s+customer, least\s+with a key\s+1\s+0\s+0/);
    await fine(page);
    await page.getByRole('link', { name: 'by_customer' }).click();
    await page.getByRole('button', { name: 'Run' }).click();
    const customer = page.getByLabel('customer', { exact: true });
    await page.getByText('the parameter "customer" is missing').waitFor();
    assert.ok(await customer.evaluate((element) => element === document.activeElement && element.getAttribute('aria-invalid') === 'true' && document.getElementById(element.getAttribute('aria-describedby').split(' ')[1]).textContent.includes('is missing')));
    await fine(page);
    await customer.fill('alice');
    await page.getByLabel('least', { exact: true }).fill('x');
    await page.getByRole('button', { name: 'Run' }).click();
    await page.getByRole('alert').getByText(/"least"/).waitFor();
    assert.equal(await page.getByText('the parameter "customer" is missing').count(), 0);
    await page.getByLabel('least', { exact: true }).fill('1.5');
    await page.getByRole('button', { name: 'Run' }).click();
    await page.getByText('One row.').waitFor();
    assert.match(await page.getByRole('table').innerText(), /item\s*VARCHAR\s+amount\s*DOUBLE\s+id\s*BIGINT\s+tea\s+4\.5\s+9007199254740993/);
    assert.match(await page.locator('main').innerText(), /200\s+[\d,]+ ms, \d+ B, version 1/);
    assert.equal(await page.locator('main pre').first().innerText(), `${server.url}/api/endpoints/by_customer.json?customer=alice&least=1.5`);
    await fine(page);
    for (const [label, type] of [['CSV', /csv/], ['Excel', /sheet/], ['Parquet', /parquet/], ['Arrow', /arrow/], ['HTML', /html/], ['JSON', /json/]]) {
      const answer = await page.request.get(new URL(await page.getByRole('link', { name: label, exact: true }).getAttribute('href'), server.url).href, { headers: { 'Sec-Fetch-Site': 'same-origin' } });
      assert.equal(answer.status(), 200, label);
      assert.match(answer.headers()['content-type'], type);
    }
    const download = page.waitForEvent('download');
    await page.getByRole('link', { name: 'CSV', exact: true }).click();
    assert.equal((await download).suggestedFilename(), 'by_customer.csv');
    // What is wrong with no parameter is said in the server's words.
    await post({ name: 'broken', query: "SELECT error('it is broken') AS a" });
    await at(page, 'broken');
    await page.getByText('It has no parameters.').waitFor();
    await page.getByRole('button', { name: 'Run' }).click();
    await page.getByRole('alert').getByText('it is broken').waitFor();
    await fine(page);
    assert.deepEqual(complaints(page), []);
  });

  it('a large result is shown by its beginning, a slow one can be stopped, and inputs are of their types', { timeout: 120_000 }, async () => {
    await post({ name: 'many', query: 'SELECT range AS n, $day AS day, $really AS really, $these AS these, $constructor AS c FROM range($most)', params: [{ name: 'most', type: 'integer', default: 1234 }, { name: 'day', type: 'date', required: false }, { name: 'really', type: 'boolean', default: true }, { name: 'these', type: 'string[]', default: [] }, { name: 'constructor', required: false }] });
    const page = await signedIn(browser, server, 'Endpoints');
    await at(page, 'many');
    assert.equal(await page.getByLabel('day', { exact: true }).getAttribute('type'), 'date');
    await page.getByLabel('day', { exact: true }).fill('2026-01-31');
    await page.getByLabel('really', { exact: true }).selectOption('false');
    await page.getByLabel('these', { exact: true }).fill('a, b\nc');
    await page.getByRole('button', { name: 'Run' }).click();
    await page.getByText('The first 100 of 1,234 rows.').waitFor();
    assert.equal(await page.getByRole('table').getByRole('row').count(), 101);
    assert.match(await page.getByRole('row').nth(1).innerText(), /0\s+2026-01-31\s+false\s+\["a, b","c"\]\s+NULL/);
    await fine(page);
    await page.getByLabel('most', { exact: true }).fill('3000000');
    await page.getByRole('button', { name: 'Run' }).click();
    await page.getByText('was read no further').waitFor();
    await post({ name: 'slow', query: 'SELECT count(*) FROM range(100000000) a, range(100000000) b WHERE a.range + b.range = 7' });
    await at(page, 'slow');
    await page.getByRole('button', { name: 'Run' }).click();
    await page.getByText('running …').waitFor();
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByRole('button', { name: 'Run' }).waitFor();
    assert.equal(await page.getByRole('alert').count(), 0);
    assert.deepEqual(complaints(page), []);
  });

  it('is used: lines that work, and a key that can do nothing else', { timeout: 120_000 }, async () => {
    const page = await signedIn(browser, server, 'Endpoints');
    await at(page, 'by_customer', 'use');
    assert.match(await page.locator('main pre').first().innerText(), /customer=alice' -H 'Authorization: Bearer YOUR_KEY'/);
    for (const [language, word] of [['JavaScript', 'await fetch'], ['Python', 'requests.get'], ['Go', 'http.NewRequest']]) {
      await page.getByLabel(language).check();
      assert.ok((await page.locator('main pre').first().innerText()).includes(word));
    }
    await page.getByLabel('curl').check();
    await page.getByRole('button', { name: 'Make a key' }).click();
    await page.getByLabel('Name').fill("bob's page");
    await page.getByLabel('customer', { exact: true }).check();
    await page.getByLabel('Value of customer').fill('bob');
    await page.getByLabel('least', { exact: true }).check();
    await page.getByLabel('Value of least').fill('little');
    await fine(page);
    await page.getByRole('button', { name: 'Make the key' }).click();
    await page.getByRole('dialog').getByRole('alert').waitFor();
    await page.getByLabel('Value of least').fill('1.50');
    await page.getByRole('button', { name: 'Make the key' }).click();
    await page.getByText('It is shown only now').waitFor();
    await fine(page);
    const line = await page.locator('main pre').first().innerText();
    assert.deepEqual(run(line), [{ item: 'tea', amount: 9, id: 3 }]);
    const [, key] = /Bearer (\S+)'/.exec(line);
    problem(await server.api('/api/endpoints/by_customer.json?customer=alice', { key }), 403, 'parameter-fixed');
    problem(await server.api('/api/tables', { key }), 403);
    const types = new URL(await page.getByRole('link', { name: 'openapi.json' }).getAttribute('href'), server.url);
    const spec = await (await page.request.get(types.href, { headers: { 'Sec-Fetch-Site': 'same-origin' } })).json();
    assert.ok(Object.keys(spec.paths).some((each) => each.startsWith('/api/endpoints/by_customer.')), Object.keys(spec.paths).join(' '));
    assert.deepEqual(complaints(page), []);
  });

  it('is changed after a look at what callers would see; versions are shown, gone back to, and retired', { timeout: 120_000 }, async () => {
    await post({ ...byCustomer, name: 'changing' });
    const page = await signedIn(browser, server, 'Endpoints');
    await at(page, 'changing', 'definition');
    await page.getByRole('heading', { name: 'Columns of its result' }).waitFor();
    await fine(page);
    await page.getByRole('button', { name: 'Edit' }).click();
    await page.getByRole('button', { name: 'Review the change' }).click();
    await page.getByText('Nothing is different from what is saved').waitFor();
    const sql = page.getByRole('textbox', { name: 'Query' });
    await sql.fill('SELECT item, amount::DECIMAL(9,2) AS amount, never FROM orders WHERE customer = $customer');
    await page.getByRole('group', { name: '$least' }).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Review the change' }).click();
    await page.getByRole('alert').getByText(/never/).waitFor();
    await fine(page);
    await sql.fill('SELECT item, amount::DECIMAL(9,2) AS amount, 1 AS one FROM orders WHERE customer = $customer AND item = $item');
    await page.getByRole('group', { name: '$item' }).waitFor();
    await page.getByLabel(/^Public/).check();
    await page.getByRole('button', { name: 'Review the change' }).click();
    await page.getByText('Save version 2?').waitFor();
    await fine(page);
    assert.deepEqual((await page.locator('dialog li').allInnerTexts()).map((each) => each.replace(/\s+/g, ' ').trim()), [
      'new parameter item (string, required) may break calls', 'no parameter least any more: calls that give it are refused may break calls',
      'column amount is DECIMAL(9,2), no longer DOUBLE may break calls', 'new column one (INTEGER)', 'no column id any more may break calls', 'it is public: anybody may call it, without a key']);
    assert.equal((await get('changing')).version, 1);
    await page.getByRole('button', { name: 'Save it' }).click();
    await page.getByText('Saved: version 2.').waitFor();
    assert.deepEqual([(await get('changing')).version, (await get('changing')).public], [2, true]);

    await page.getByRole('link', { name: 'Versions' }).click();
    await page.getByRole('button', { name: 'Show version 1' }).click();
    assert.equal(await page.locator('dialog pre').innerText(), byCustomer.query);
    await fine(page);
    await page.keyboard.press('Escape');
    await page.getByRole('link', { name: 'Try version 1' }).click();
    await page.getByText('Version 1.').waitFor();
    await page.getByLabel('customer', { exact: true }).fill('bob');
    await page.getByRole('button', { name: 'Run' }).click();
    await page.getByText('One row.').waitFor();
    assert.match(await page.locator('main pre').first().innerText(), /version=1/);
    await page.getByRole('link', { name: 'Versions' }).click();
    await page.getByRole('button', { name: 'Go back to version 1' }).click();
    await page.getByRole('button', { name: 'Go back to it' }).last().click();
    await page.getByRole('row', { name: /^3 newest/ }).waitFor();
    const back = await get('changing');
    assert.deepEqual([back.query, back.params, back.public], [byCustomer.query, (await get('changing', '?version=1')).params, true]);
    await page.getByRole('button', { name: 'Retire version 2' }).click();
    await fine(page);
    await page.getByRole('button', { name: 'Retire it' }).click();
    await page.getByRole('row', { name: /^2 retired/ }).waitFor();
    await fine(page);
    problem(await server.api('/api/endpoints/changing?version=2'), 404);
    assert.deepEqual(complaints(page), []);
  });

  it('counts its calls by day and key, and is deleted once its name is typed', { timeout: 120_000 }, async () => {
    await post({ name: 'counted', query: 'SELECT $n AS n', params: [{ name: 'n', type: 'integer' }], public: true });
    const key = (await server.api('/api/destinations/local/keys', { key: server.adminKey, body: '{"name":"the shop","scopes":["query"]}' })).json().api_key;
    for (const n of [1, 2, 'x']) await server.api(`/api/endpoints/counted.json?n=${n}`, { key });
    await server.request('/api/endpoints/counted.json?n=1');
    const page = await signedIn(browser, server, 'Endpoints');
    assert.match(await page.getByRole('row', { name: /^counted/ }).innerText(), /public\s+1\s+4\s+1/);
    await at(page, 'counted', 'usage');
    await page.getByText('4 in 30 days, 1 of them errors').waitFor();
    assert.match(await page.getByRole('row', { name: /the shop/ }).innerText(), /the shop\s+3\s+1/);
    assert.match(await page.getByRole('row', { name: /without a key/ }).innerText(), /without a key\s+1\s+0/);
    assert.match(await page.getByRole('img').getAttribute('aria-label'), /the most is 4$/);
    assert.match(await page.getByRole('row', { name: new RegExp(`^${new Date().toISOString().slice(0, 8)}`) }).innerText(), /4\s+1/);
    await fine(page);
    await page.getByRole('button', { name: 'Delete' }).click();
    assert.ok(await page.getByRole('button', { name: 'Delete it' }).isDisabled());
    await page.getByLabel('Type counted to go on').fill('counted');
    await fine(page);
    await page.getByRole('button', { name: 'Delete it' }).click();
    await page.getByRole('heading', { name: 'Endpoints', level: 1 }).waitFor();
    await page.getByRole('row', { name: /by_customer/ }).waitFor();
    assert.equal(await page.getByRole('link', { name: 'counted' }).count(), 0);
    problem(await server.api('/api/endpoints/counted'), 404);
    assert.deepEqual(complaints(page), []);
  });

  it('a key that may only query reads and calls, and changes nothing; and a phone is wide enough', { timeout: 120_000 }, async () => {
    const key = (await server.api('/api/destinations/local/keys', { key: server.adminKey, body: '{"scopes":["query"]}' })).json().api_key;
    const page = await browser.open({ viewport: { width: 390, height: 844 }, colorScheme: 'dark' });
    await page.goto(`${server.url}/#/endpoints`);
    await page.getByLabel('API key').fill(key);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('link', { name: 'by_customer' }).waitFor();
    for (const tab of ['', 'try', 'use', 'definition', 'versions', 'usage']) {
      if (tab !== '') {
        await at(page, 'by_customer', tab);
        await page.getByRole('link', { name: 'Usage' }).waitFor();
      }
      for (const name of ['New endpoint', 'Edit', 'Delete', 'Make a key']) assert.equal(await page.getByRole('button', { name }).count(), 0, `${tab}: ${name}`);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), tab);
      await fine(page);
    }
    await at(page, 'by_customer');
    await page.getByLabel('customer', { exact: true }).fill('bob');
    await page.getByRole('button', { name: 'Run' }).click();
    await page.getByText('One row.').waitFor();
    assert.deepEqual(complaints(page), []);
  });
});
