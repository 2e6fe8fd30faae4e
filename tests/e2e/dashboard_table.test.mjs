// What the dashboard shows of a table besides its rows, in a real browser: columns, history, contract, failed rows, its name and its end.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { signedIn, useBrowser, violations } from './browser.mjs';
import { eventually, problem, useServer } from './lib.mjs';
import { complaints, openTable } from './table_page.mjs';

describe('columns and history', () => {
  const server = useServer();
  const browser = useBrowser();

  it('say what came when and by which request, and count on demand what is in it', { timeout: 120_000 }, async () => {
    await server.insert('first', [{ a: 1, b: 'x' }, { a: 2 }, { a: 3, b: 'y' }, { a: 3, b: 'y' }], { query: '?wait=true' });
    const { receipt } = await server.insert('first', [{ a: 1.5, c: true }], { query: '?wait=true' });
    assert.equal((await server.api('/api/tables/first', { method: 'PATCH', body: '{"name":"second"}' })).status, 200);
    const page = await signedIn(browser, server);
    await openTable(page, server, 'second', 'columns');
    const row = (name) => page.getByRole('row').filter({ has: page.getByRole('cell', { name, exact: true }) });
    // Also what came under the earlier name.
    await row('b').getByRole('cell').last().getByRole('time').waitFor();
    await page.getByRole('button', { name: 'Count what is in them' }).click();
    await page.getByRole('columnheader', { name: 'Null' }).waitFor();
    assert.deepEqual((await row('b').getByRole('cell').allInnerTexts()).slice(1, 6), ['VARCHAR', '40 %', '2', 'x', 'y']);
    assert.deepEqual((await row('a').getByRole('cell').allInnerTexts()).slice(1, 3), ['DOUBLE', '0 %']);
    assert.deepEqual(await violations(page), []);

    await page.getByRole('link', { name: 'History' }).click();
    await page.getByText('It was renamed, from first to second.').waitFor();
    await page.getByRole('link', { name: 'first', exact: true }).click();
    await page.getByRole('heading', { name: 'first', level: 1 }).waitFor();
    await page.getByText('It was renamed to second.').waitFor();
    await page.getByText('The table was made.').waitFor();
    await page.getByText('Column a widened from BIGINT to DOUBLE').waitFor();
    await page.getByText('Column c came, as BOOLEAN').waitFor();
    assert.deepEqual(await violations(page), []);
    await page.getByRole('button', { name: receipt }).first().click();
    await page.getByRole('dialog').getByText('loaded', { exact: true }).waitFor();
    assert.deepEqual(await violations(page), []);
    assert.deepEqual(complaints(page), []);
  });
});

describe('a server that takes its time', () => {
  const server = useServer();
  const browser = useBrowser();

  it('is waited for in words, and nothing is said to be empty before it has answered', { timeout: 120_000 }, async () => {
    const page = await signedIn(browser, server);
    // Each answer comes when it is let through.
    let held = [];
    let isSlow = true;
    await page.route(/\/api\/(tables|data\/failed)/, (route) => (isSlow ? held.push(route) : route.continue()));
    const go = async (pattern) => {
      const some = held.filter((route) => pattern.test(route.request().url()));
      held = held.filter((route) => !some.includes(route));
      await Promise.all(some.map((route) => route.continue().catch(() => {})));
      return some.length;
    };
    const empty = page.getByRole('heading', { name: 'Send the first row' }).or(page.getByRole('button', { name: 'Contract for a table that is not there yet' }));
    await page.getByRole('link', { name: 'Data', exact: true }).click();
    await page.getByText('Reading the tables …').waitFor();
    assert.deepEqual(await violations(page), []);
    // Neither of the two answers alone says that there is nothing.
    await eventually('the tables', () => go(/api\/tables/));
    await page.waitForTimeout(300);
    assert.equal(await empty.count(), 0);
    await page.getByText('Reading the tables …').waitFor();
    await eventually('the failed rows', () => go(/failed/));
    await empty.first().waitFor();

    isSlow = false;
    await server.insert('late', { a: 1 });
    for (const [tab, words, after] of [['rows', 'Reading the table …', null], ['columns', 'Reading the table …', null], ['settings', 'Reading the table …', null], ['history', 'Reading the history …', 'No change is known'], ['contract', 'Reading the contract …', null], ['failed', 'Reading the failed rows …', 'No failed rows']]) {
      isSlow = true;
      await page.goto('about:blank');
      await page.goto(`${server.url}/#/data/late/${tab}`);
      await page.getByText(words).waitFor();
      if (after) assert.equal(await page.getByRole('heading', { name: after }).count(), 0, tab);
      assert.equal(await page.getByText('There is no such table yet.').count(), 0);
      isSlow = false;
      await go(/./);
      await page.getByText(words).waitFor({ state: 'detached' });
    }
    await page.getByRole('heading', { name: 'No failed rows' }).waitFor();
    assert.deepEqual(complaints(page), []);
  });

  it('the filter of the live tail is in the address, and stays on other tabs', { timeout: 60_000 }, async () => {
    await server.insert('watched', { kind: 'old' });
    const page = await signedIn(browser, server);
    await openTable(page, server, 'watched', 'live');
    await page.getByText('Following').waitFor();
    await page.getByLabel('Column', { exact: true }).fill('kind');
    await page.getByLabel('Value', { exact: true }).fill('a/b "c"');
    await page.getByRole('button', { name: 'Filter' }).click();
    const filter = page.getByText('kind = a/b "c"');
    await filter.waitFor();
    await page.reload();
    await filter.waitFor();
    await page.getByRole('link', { name: 'Columns' }).click();
    await page.getByRole('cell', { name: 'kind', exact: true }).waitFor();
    await page.getByRole('link', { name: 'Live' }).click();
    await filter.waitFor();
    await page.getByText('Following').waitFor();
    await server.insert('watched', [{ kind: 'other' }, { kind: 'a/b "c"' }]);
    const rows = page.getByRole('list', { name: 'Rows, the newest first' }).getByRole('listitem');
    await rows.first().waitFor();
    assert.equal(await rows.count(), 1);
    await rows.first().locator('summary').click();
    await rows.first().getByText(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ UTC, request/).waitFor();
    await page.getByRole('button', { name: /Remove the filter/ }).click();
    await page.reload();
    await page.getByText('Following').waitFor();
    assert.equal(await filter.count(), 0);
    assert.deepEqual(complaints(page), []);
  });
});

describe('a contract, failed rows and the end of a table', () => {
  const server = useServer();
  const browser = useBrowser();
  const contract = async (table) => (await server.api(`/api/tables/${table}/contract`)).json();

  it('a contract is set before its table; what it refuses is loaded once it may, or given up', { timeout: 180_000 }, async () => {
    const page = await signedIn(browser, server);
    await server.insert('there', { a: 1 });
    await page.getByRole('link', { name: 'Data', exact: true }).click();
    await page.getByRole('button', { name: 'Contract for a table that is not there yet' }).click();
    await page.getByLabel('Table', { exact: true }).fill('strict');
    assert.deepEqual(await violations(page), []);
    await page.getByRole('button', { name: 'To its contract' }).click();
    await page.getByRole('heading', { name: 'strict', level: 1 }).waitFor();
    const set = page.getByRole('button', { name: 'Set the contract' });
    assert.ok(await set.isDisabled());
    await page.getByRole('group', { name: 'A key that has no column yet' }).getByLabel('Refuse the row').check();
    await page.getByRole('group', { name: 'How a document becomes rows' }).getByLabel('As it is').check();
    await page.getByLabel('Levels taken apart').fill('3');
    await page.getByLabel('Columns, at most').fill('50');
    await page.getByLabel(/Texts that are times/).uncheck();
    const asked = { tables: 'evolve', columns: 'freeze', data_type: 'evolve', timestamps: false, max_columns: 50, flatten: 'none', flatten_depth: 3 };
    assert.deepEqual(JSON.parse(await page.locator('aside pre').innerText()), asked);
    assert.deepEqual(await violations(page), []);
    await set.click();
    await page.getByText('It is set.').waitFor();
    assert.deepEqual(await contract('strict'), asked);

    await server.insert('strict', { a: 1 }, { query: '?wait=true' });
    const one = await server.insert('strict', [{ a: 2, 'b "c"': 1 }, { a: 3, new: '<b>x</b>' }], { query: '?wait=true' });
    await server.insert('strict', '{"a":4,"new":9007199254740993.10,"o":{"deep":[1,2]}}', { query: '?wait=true' });
    await page.getByRole('link', { name: 'Data', exact: true }).first().click();
    await page.getByRole('link', { name: '3 failed rows of strict' }).waitFor();
    assert.deepEqual(await violations(page), []);
    await page.getByRole('link', { name: '3 failed rows of strict' }).click();
    const shown = page.getByRole('article');
    await eventually('three rows', async () => await shown.count() === 3);
    assert.match(await shown.nth(2).innerText(), /9007199254740993\.10/);
    assert.match(await shown.nth(1).innerText(), /<b>x<\/b>/);
    assert.deepEqual(await violations(page), []);

    // Those of one request alone.
    await shown.first().getByRole('button', { name: 'Only this request' }).click();
    await eventually('two rows', async () => await shown.count() === 2);
    await page.getByRole('button', { name: 'Retry these' }).click();
    await page.getByText('0 went in, 2 still do not fit.').waitFor();
    await page.getByRole('link', { name: 'Contract', exact: true }).click();
    await page.getByRole('button', { name: 'Fill in the default' }).click();
    await set.click();
    await page.getByText('It is set.').waitFor();
    assert.equal((await contract('strict')).columns, 'evolve');
    await page.getByRole('link', { name: /Failed rows/ }).click();
    await shown.first().getByRole('button', { name: 'Only this request' }).click();
    await eventually('two rows', async () => await shown.count() === 2);
    await page.getByRole('button', { name: 'Retry these' }).click();
    await page.getByText('2 went in, 0 still do not fit.').waitFor();
    await eventually('one is left', async () => await shown.count() === 1);
    assert.equal((await server.api(`/api/data/failed?receipt=${one.receipt}`)).json().total, 0);
    assert.equal((await server.api('/api/tables/strict')).json().rows, 3);
    await page.getByRole('link', { name: 'Failed rows 1' }).waitFor();

    await page.getByRole('button', { name: 'Delete all' }).click();
    await page.getByRole('heading', { name: 'Delete 1 failed row?' }).waitFor();
    assert.deepEqual(await violations(page), []);
    await page.getByRole('button', { name: 'Keep it' }).click();
    assert.equal((await server.api('/api/data/failed?table=strict')).json().total, 1);
    await page.getByRole('button', { name: 'Delete all' }).click();
    await page.getByRole('button', { name: 'Delete it' }).click();
    await page.getByRole('heading', { name: 'No failed rows' }).waitFor();
    assert.equal((await server.api('/api/data/failed?table=strict')).json().total, 0);
    assert.deepEqual(await violations(page), []);
    assert.deepEqual(complaints(page), []);
  });

  it('rows that fail meanwhile are told, and none is deleted that was not asked about', { timeout: 120_000 }, async () => {
    await server.insert('growing', { a: 1 }, { query: '?wait=true' });
    await server.api('/api/tables/growing/contract', { method: 'PUT', body: '{"columns":"freeze"}' });
    const fail = (count) => server.insert('growing', Array.from({ length: count }, () => ({ b: 1 })), { query: '?wait=true' });
    const kept = async () => (await server.api('/api/data/failed?table=growing')).json().total;
    await fail(3);
    const page = await signedIn(browser, server);
    await openTable(page, server, 'growing', 'failed');
    const shown = page.getByRole('article');
    await eventually('three rows', async () => await shown.count() === 3);
    await fail(4);
    await page.getByRole('button', { name: 'Delete all' }).click();
    await page.getByRole('heading', { name: 'Delete 7 failed rows?' }).waitFor();
    await fail(1);
    await page.getByRole('button', { name: 'Delete them' }).click();
    await page.getByRole('alert').getByText('1 more has failed since you were asked.').waitFor();
    await page.getByRole('heading', { name: 'Delete 8 failed rows?' }).waitFor();
    assert.deepEqual(await violations(page), []);
    assert.equal(await kept(), 8);
    await page.getByRole('button', { name: 'Keep them' }).click();
    await fail(1);
    await page.getByText('6 more have failed.').waitFor();
    assert.deepEqual(await violations(page), []);
    await page.getByRole('button', { name: 'Show them' }).click();
    await eventually('all rows', async () => await shown.count() === 9);
    // Somebody else deletes some.
    const receipt = (await server.api('/api/data/failed?table=growing')).json().data[0].receipt;
    await server.api(`/api/data/failed?table=growing&receipt=${receipt}`, { method: 'DELETE' });
    await eventually('those that are left', async () => await shown.count() === 6);
    await page.getByRole('button', { name: 'Delete all' }).click();
    await page.getByRole('heading', { name: 'Delete 6 failed rows?' }).waitFor();
    await page.getByRole('button', { name: 'Delete them' }).click();
    await page.getByRole('heading', { name: 'No failed rows' }).waitFor();
    assert.equal(await kept(), 0);
    assert.deepEqual(complaints(page), []);
  });

  it('a table that is not there for all that was refused is on the list, with its failed rows', { timeout: 60_000 }, async () => {
    await server.api('/api/tables/never/contract', { method: 'PUT', body: '{"tables":"freeze"}' });
    await server.insert('never', { a: 1 }, { query: '?wait=true' });
    const page = await signedIn(browser, server, 'Data');
    await page.getByRole('row', { name: /never not there/ }).getByRole('link', { name: 'never', exact: true }).click();
    await page.getByText('There is no such table yet.').waitFor();
    await page.getByRole('article').getByText('The contract refuses it').waitFor();
    await page.getByRole('article', { name: /^Failed row 1 of / }).getByText(/^row 1 of request/).waitFor();
    await page.getByRole('link', { name: 'Rows', exact: true }).click();
    await page.getByRole('heading', { name: 'Nothing has come for it yet' }).waitFor();
    assert.deepEqual(await violations(page), []);
    assert.deepEqual(complaints(page), []);
  });

  it('a table is renamed, and deleted once its name is typed', { timeout: 120_000 }, async () => {
    await server.insert('before', [{ a: 1 }, { a: 2 }]);
    await server.insert('taken', [{ a: 1 }]);
    const page = await signedIn(browser, server);
    await openTable(page, server, 'before', 'settings');
    assert.deepEqual(await violations(page), []);
    await page.getByLabel('New name').fill('taken');
    await page.getByRole('button', { name: 'Rename …' }).click();
    await page.getByRole('button', { name: 'Rename it' }).click();
    await page.getByRole('alert').getByText(/"taken" already/).waitFor();
    await page.getByRole('dialog').getByText('It is the one in the destination local.').waitFor();
    assert.deepEqual(await violations(page), []);
    await page.keyboard.press('Escape');
    await page.getByLabel('New name').fill('a / "b"');
    await page.getByRole('button', { name: 'Rename …' }).click();
    await page.getByRole('button', { name: 'Rename it' }).click();
    await page.getByRole('heading', { name: 'a / "b"', level: 1 }).waitFor();
    problem(await server.api('/api/tables/before'), 404);
    assert.equal((await server.api(`/api/tables/${encodeURIComponent('a / "b"')}`)).json().rows, 2);

    await page.getByRole('button', { name: 'Delete the table …' }).click();
    const last = page.getByRole('dialog').getByRole('button', { name: 'Delete the table' });
    assert.ok(await last.isDisabled());
    await page.getByRole('dialog').getByText('It is the one in the destination local.').waitFor();
    await page.getByLabel(/to go on/).fill('a / "b"');
    assert.deepEqual(await violations(page), []);
    await last.click();
    await page.getByRole('heading', { name: 'Data', level: 1 }).waitFor();
    await page.getByRole('link', { name: 'taken' }).waitFor();
    assert.equal(await page.getByRole('link', { name: 'a / "b"' }).count(), 0);
    problem(await server.api(`/api/tables/${encodeURIComponent('a / "b"')}`), 404);
    assert.deepEqual(complaints(page).filter((each) => !/409/.test(each)), []);
  });

  it('a snapshot is of the whole destination, and stands with its tables', { timeout: 60_000 }, async () => {
    await server.insert('there', { a: 1 });
    const page = await signedIn(browser, server, 'Data');
    await page.getByRole('heading', { name: 'A copy of the whole destination local' }).waitFor();
    const snapshot = await page.getByRole('link', { name: 'Download the snapshot' }).getAttribute('href');
    assert.equal((await server.request(snapshot, { headers: { Authorization: `Bearer ${server.adminKey}` } })).status, 200);
    await openTable(page, server, 'there', 'settings');
    await page.getByRole('heading', { name: 'Delete the table' }).waitFor();
    assert.equal(await page.getByRole('link', { name: 'Download the snapshot' }).count(), 0);
  });

  it('a contract that is edited stays so on other pages, and the browser asks before it is lost', { timeout: 60_000 }, async () => {
    await server.insert('edited', { a: 1 });
    const page = await signedIn(browser, server);
    await openTable(page, server, 'edited', 'contract');
    const columns = page.getByRole('group', { name: 'A key that has no column yet' });
    const asks = [];
    page.on('dialog', (dialog) => { asks.push(dialog.type()); return dialog.dismiss(); });
    await columns.getByLabel('Refuse the row').check();
    await page.getByLabel('Columns, at most').fill('77');
    const tab = page.getByRole('link', { name: 'Contract, edited' });
    await tab.waitFor();
    await page.getByRole('link', { name: 'History' }).click();
    await page.getByText('The table was made.').waitFor();
    await page.getByRole('link', { name: 'Data', exact: true }).first().click();
    await page.getByRole('link', { name: 'edited', exact: true }).click();
    await tab.click();
    assert.ok(await columns.getByLabel('Refuse the row').isChecked());
    assert.equal(await page.getByLabel('Columns, at most').inputValue(), '77');
    await page.evaluate(() => { location.reload(); });
    await eventually('the question', () => asks.length === 1);
    assert.deepEqual(asks, ['beforeunload']);
    assert.ok(await columns.getByLabel('Refuse the row').isChecked());
    assert.deepEqual(await violations(page), []);
    await page.getByRole('button', { name: 'Undo the changes' }).click();
    await page.getByRole('link', { name: 'Contract', exact: true }).waitFor();
    await columns.getByLabel('Leave the value out').check();
    await page.getByRole('button', { name: 'Set the contract' }).click();
    await page.getByText('It is set.').waitFor();
    await page.getByRole('link', { name: 'Contract', exact: true }).waitFor();
    await page.reload();
    await columns.waitFor();
    assert.equal(asks.length, 1);
    assert.deepEqual(complaints(page), []);
  });

  it('who may only read changes nothing, and a key of some tables sees those', { timeout: 60_000 }, async () => {
    const key = async (body) => (await server.api('/api/destinations/local/keys', { key: server.adminKey, body: JSON.stringify(body) })).json().api_key;
    await server.insert('read', { a: 1 });
    const reader = await signedIn(browser, server, 'Data', { key: await key({ scopes: ['query'], tables: ['read'] }) });
    await reader.getByRole('link', { name: 'read' }).waitFor();
    assert.equal(await reader.getByRole('row').count(), 2);
    for (const name of ['Upload a file', 'Contract for a table that is not there yet …']) assert.equal(await reader.getByRole('button', { name }).count(), 0, name);
    await reader.getByRole('link', { name: 'read' }).click();
    await reader.getByRole('grid').waitFor();
    for (const name of ['Failed rows', 'Settings']) assert.equal(await reader.getByRole('link', { name }).count(), 0, name);
    await reader.getByRole('link', { name: 'Contract' }).click();
    await reader.getByText('needs a key with the scope admin').waitFor();
    assert.ok(await reader.getByLabel('Add the column').isDisabled());
    assert.deepEqual(await violations(reader), []);
    assert.deepEqual(complaints(reader), []);
    const keeper = await signedIn(browser, server, 'Data', { key: await key({ scopes: ['query', 'admin'], tables: ['read'] }) });
    await keeper.getByRole('row', { name: /read/ }).getByRole('cell', { name: '0', exact: true }).waitFor();
    assert.deepEqual(complaints(keeper), []);
  });

  it('shows by address what a key may see, and says what it may not', { timeout: 120_000 }, async () => {
    const signIn = async (body) => signedIn(browser, server, undefined, { key: (await server.api('/api/destinations/local/keys', { key: server.adminKey, body: JSON.stringify(body) })).json().api_key });
    await server.insert('seen', { a: 1 }, { query: '?wait=true' });
    const tabs = (page) => page.getByRole('navigation', { name: 'Of this table' }).getByRole('link');
    const reader = await signIn({ scopes: ['query'], tables: ['seen'] });
    for (const tab of ['settings', 'live', 'failed']) {
      await openTable(reader, server, 'seen', tab);
      await reader.getByRole('heading', { name: 'Not with this key' }).waitFor();
    }
    assert.equal(await reader.getByLabel('New name').count(), 0);
    assert.deepEqual(await violations(reader), []);
    await reader.goto(`${server.url}/#/data/SEEN`);
    await reader.getByRole('grid').waitFor();
    await openTable(reader, server, 'taken', 'rows');
    await reader.getByRole('heading', { name: 'This key is not for this table' }).waitFor();
    assert.equal(await tabs(reader).count(), 0);
    assert.deepEqual(await violations(reader), []);
    assert.deepEqual(reader.complaints, []);

    const sender = await signIn({ scopes: ['insert'] });
    await sender.goto(`${server.url}/#/data/seen`);
    await sender.getByRole('heading', { name: 'This key does not read the table' }).waitFor();
    await sender.getByText('It sends rows').waitFor();
    assert.equal(await tabs(sender).count(), 0);
    assert.deepEqual(sender.complaints, []);

    await server.api('/api/tables/seen/contract', { method: 'PUT', body: '{"columns":"freeze"}' });
    await server.insert('seen', { b: 1 }, { query: '?wait=true' });
    const keeper = await signIn({ scopes: ['admin'] });
    await keeper.getByRole('link', { name: 'Data', exact: true }).click();
    await keeper.getByRole('listitem').filter({ hasText: 'seen: 1' }).waitFor();
    assert.deepEqual(await violations(keeper), []);
    await keeper.getByLabel('Table', { exact: true }).fill('seen');
    await keeper.getByRole('button', { name: 'Open', exact: true }).click();
    await keeper.getByText('This key does not read the contract').waitFor();
    assert.deepEqual(await tabs(keeper).allInnerTexts().then((all) => all.map((each) => each.replace(/\d+$/, '').trim())), ['Contract', 'Failed rows', 'Settings']);
    assert.deepEqual(await violations(keeper), []);
    await keeper.getByRole('button', { name: 'Set the contract' }).click();
    await keeper.getByText('It is set.').waitFor();
    assert.equal((await contract('seen')).columns, 'evolve');
    await tabs(keeper).filter({ hasText: 'Failed rows' }).click();
    await keeper.getByRole('button', { name: 'Retry all' }).click();
    await keeper.getByText('1 went in, 0 still do not fit.').waitFor();
    await tabs(keeper).filter({ hasText: 'Settings' }).click();
    await keeper.getByLabel('New name').fill('seen too');
    await keeper.getByRole('button', { name: 'Rename …' }).click();
    await keeper.getByRole('button', { name: 'Rename it' }).click();
    await keeper.getByRole('heading', { name: 'seen too', level: 1 }).waitFor();
    assert.deepEqual(keeper.complaints, []);
  });

  it('fits the screen with a name of 200 characters', { timeout: 120_000 }, async () => {
    const name = 'a_long_name_'.repeat(16) + 'the_end_';
    const page = await signedIn(browser, server);
    await server.api(`/api/tables/${name}/contract`, { method: 'PUT', body: '{"columns":"freeze"}' });
    await server.insert(name, [{ a: 1 }], { query: '?wait=true' });
    await server.insert(name, [{ b: 1 }], { query: '?wait=true' });
    assert.equal((await server.api(`/api/data/failed?table=${name}`)).json().total, 1);
    const fits = async (what) => assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth && [...document.querySelectorAll('dialog')].every((each) => each.scrollWidth <= each.clientWidth)), `${what} is wider than the screen`);
    for (const width of [1280, 390]) {
      await page.setViewportSize({ width, height: 844 });
      await page.goto(`${server.url}/#/data`);
      await page.getByRole('link', { name, exact: true }).waitFor();
      await fits(`the list at ${width}`);
      for (const tab of ['rows', 'columns', 'live', 'history', 'contract', 'failed', 'settings']) {
        await openTable(page, server, name, tab);
        await eventually('all that it waits for', async () => await page.getByText('…', { exact: true }).count() === 0);
        await fits(`${tab} at ${width}`);
      }
      for (const [button, title] of [['Delete the table …', `Delete ${name}?`], ['Upload a file', `Upload into ${name}`]]) {
        await page.getByRole('button', { name: button }).click();
        await page.getByRole('heading', { name: title }).waitFor();
        await fits(`${button} at ${width}`);
        assert.ok(await page.getByRole('button', { name: 'Close' }).evaluate((close) => close.getBoundingClientRect().right <= innerWidth));
        assert.deepEqual(await violations(page), []);
        await page.keyboard.press('Escape');
      }
      await page.getByLabel('New name').fill(`${name}2`);
      await page.getByRole('button', { name: 'Rename …' }).click();
      await page.getByRole('heading', { name: `Rename ${name}` }).waitFor();
      await fits(`the new name at ${width}`);
      await page.keyboard.press('Escape');
      await openTable(page, server, 'not_there_'.repeat(20), 'rows');
      await page.getByRole('heading', { name: 'Nothing has come for it yet' }).waitFor();
      await fits(`a table that is not there at ${width}`);
    }
  });

  it('all of it fits a phone', { timeout: 120_000 }, async () => {
    await server.insert('phone', Array.from({ length: 120 }, (_, i) => ({ n: i, text: 'some words '.repeat(8), another: i * 1000, third: true })), { query: '?wait=true' });
    const page = await signedIn(browser, server);
    await page.setViewportSize({ width: 390, height: 844 });
    for (const tab of ['rows', 'columns', 'live', 'history', 'contract', 'failed', 'settings']) {
      await openTable(page, server, 'phone', tab);
      await page.waitForTimeout(500);
      assert.deepEqual(await violations(page), [], tab);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${tab} is wider than the screen`);
    }
  });
});

describe('the list of tables', () => {
  const server = useServer();
  const browser = useBrowser();

  it('keeps the key of the first steps until it is copied, and shows what comes by itself', { timeout: 90_000 }, async () => {
    const page = await signedIn(browser, server, 'Data');
    await page.getByRole('button', { name: 'Make a key for these lines' }).click();
    await page.getByText('This key may insert, query and share.').waitFor();
    await server.insert('arrived', { a: 1 }, { query: '?wait=true' });
    await page.getByRole('link', { name: 'arrived', exact: true }).waitFor();
    assert.deepEqual(await violations(page), []);
    await page.getByText('This key may insert, query and share.').waitFor();
    await page.getByRole('button', { name: 'The key is kept: hide this' }).click();
    assert.equal(await page.getByRole('heading', { name: 'Send the first row' }).count(), 0);
    await server.insert('later', { a: 1 }, { query: '?wait=true' });
    await page.getByRole('link', { name: 'later', exact: true }).waitFor({ timeout: 20_000 });
    assert.deepEqual(complaints(page), []);
  });

  it('draws the first of many, and is there again after an error', { timeout: 90_000 }, async () => {
    const page = await signedIn(browser, server);
    let broken = false;
    const table = (i) => ({ name: `t_${String(i).padStart(3, '0')}_${'long_'.repeat(40)}`, rows: i, columns: [], first_row_at: null, last_row_at: null });
    await page.route(/\/api\/tables\?/, (route) => route.fulfill(broken ? { status: 503, body: 'away' } : { json: { data: Array.from({ length: 250 }, (_, i) => table(i)), next: null } }));
    await page.getByRole('link', { name: 'Data', exact: true }).click();
    const drawn = page.locator('tbody tr');
    await eventually('the first', async () => await drawn.count() === 200);
    assert.ok(await drawn.first().evaluate((row) => row.getBoundingClientRect().height < 110), 'a long name is cut');
    assert.deepEqual(await violations(page), []);
    broken = true;
    await page.getByRole('alert').waitFor({ timeout: 20_000 });
    assert.equal(await drawn.count(), 200);
    broken = false;
    await page.getByRole('alert').waitFor({ state: 'detached', timeout: 20_000 });
    await page.getByRole('button', { name: 'Show all 250' }).click();
    await eventually('all', async () => await drawn.count() === 250);
  });
});
