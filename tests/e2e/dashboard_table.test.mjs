// The dashboard's place Data in a real browser: tables and their rows, columns, history, contract, failed rows, settings.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { describe, it } from 'node:test';
import { signedIn, useBrowser, violations } from './browser.mjs';
import { eventually, parseCsv, problem, useServer } from './lib.mjs';

const at = (table, tab = 'rows') => `#/data/${encodeURIComponent(table)}/${tab}`;
async function open(page, server, table, tab) {
  await page.goto(`${server.url}/${at(table, tab)}`);
  await page.getByRole('heading', { name: table, level: 1 }).waitFor();
}
// Browsers tell their console of every answer that is no success, also where the page expects it.
const complaints = (page) => page.complaints.filter((each) => !/status of (400|404)/.test(each));
// A row's cells, and those of one column; the first cell of each row is its button.
const cells = async (page, row) => (await page.getByRole('grid').getByRole('row').nth(row).getByRole('gridcell').allInnerTexts()).slice(1);
const column = async (page, index) => page.getByRole('grid').locator(`tbody td:nth-child(${index + 2})`).allInnerTexts();

describe('the rows of a table', () => {
  const server = useServer();
  const browser = useBrowser();

  it('are exact, with null apart from the text, and a whole row shows what a page cuts', { timeout: 120_000 }, async () => {
    await server.insert('odd "name"', '{"id":9223372036854775807,"huge":123456789012345678901234567890,"text":"NULL","flag":true,"at":"2026-01-02T03:04:05Z"}\n'
      + `{"id":9007199254740993,"huge":1,"text":"${'long '.repeat(500)}the end","doc":{"b":[1.10,9007199254740993]}}`, { query: '?flatten=none' });
    const page = await signedIn(browser, server);
    await page.getByRole('link', { name: 'Data', exact: true }).click();
    await page.getByRole('link', { name: 'odd "name"' }).click();
    await page.getByRole('grid').waitFor();
    // __received_at, id, huge, text, flag, at, doc
    const first = await cells(page, 1);
    assert.deepEqual(first.slice(1, 3), ['9007199254740993', '1']);
    assert.ok(first[3].startsWith('long long') && first[3].length < 400, `${first[3].length}`);
    assert.deepEqual(first.slice(4), ['null', 'null', '{"b":[1.1,9007199254740993.0]}']);
    assert.deepEqual((await cells(page, 2)).slice(1), ['9223372036854775807', '123456789012345678901234567890', 'NULL', 'true', '2026-01-02 03:04:05', 'null']);
    assert.equal(await page.getByRole('gridcell').getByText('null', { exact: true }).first().evaluate((node) => getComputedStyle(node).fontStyle), 'italic');
    assert.equal(await page.getByRole('gridcell', { name: '9223372036854775807' }).evaluate((node) => getComputedStyle(node).textAlign), 'right');
    assert.deepEqual(await violations(page), []);

    await page.getByRole('button', { name: 'Row 1, whole' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText(/the end$/).waitFor();
    assert.deepEqual(await violations(page), []);
    await dialog.getByRole('button', { name: 'Next row' }).click();
    await dialog.getByText('123456789012345678901234567890').waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });

    // From cell to cell by keys.
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.getByRole('gridcell').nth(1).focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Control+c');
    await page.getByText('Copied id of row 2').waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), '9223372036854775807');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Row 2' }).waitFor();
    assert.deepEqual(complaints(page), []);
  });

  it('are sorted, filtered by bound values, turned by pages, and the address keeps it', { timeout: 120_000 }, async () => {
    const rows = Array.from({ length: 250 }, (_, i) => ({ n: i, 'a "b"': i % 3 === 0 ? null : `it's ${i % 10}`, day: `2026-01-${String((i % 28) + 1).padStart(2, '0')}T00:00:00Z` }));
    await server.insert('many', rows);
    const page = await signedIn(browser, server);
    await open(page, server, 'many');
    await page.getByText('Rows 1 to 100 of 250').waitFor();
    assert.equal((await column(page, 1))[0], '249', 'the newest first');
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByText('Rows 101 to 200 of 250').waitFor();
    assert.equal((await column(page, 1))[0], '149');
    await page.getByRole('button', { name: 'Last' }).click();
    await page.getByText('Rows 201 to 250 of 250').waitFor();
    assert.ok(await page.getByRole('button', { name: 'Next' }).isDisabled());

    const head = page.getByRole('columnheader', { name: /^n/ });
    assert.equal(await head.getAttribute('aria-sort'), 'none');
    await head.getByRole('button').click();
    await page.getByText('Rows 1 to 100 of 250').waitFor();
    await eventually('rows in their order', async () => (await column(page, 1))[0] === '0');
    assert.equal(await head.getAttribute('aria-sort'), 'ascending');
    await head.getByRole('button').click();
    await eventually('the other way round', async () => (await column(page, 1))[0] === '249');
    assert.equal(await head.getAttribute('aria-sort'), 'descending');

    await page.getByRole('button', { name: 'Filter' }).click();
    await page.getByLabel('Column of filter 1').selectOption('a "b"');
    await page.getByLabel('Value of filter 1').fill("it's 7");
    await page.getByRole('button', { name: 'Add a filter' }).click();
    await page.getByLabel('Column of filter 2').selectOption('n');
    await page.getByLabel('Comparison of filter 2').selectOption('<');
    await page.getByLabel('Value of filter 2').fill('50');
    await page.getByRole('button', { name: 'Apply' }).click();
    const expected = rows.filter((row) => row['a "b"'] === "it's 7" && row.n < 50).map((row) => String(row.n)).reverse();
    await page.getByText(`Rows 1 to ${expected.length} of ${expected.length}`).waitFor();
    assert.deepEqual(await column(page, 1), expected);
    assert.deepEqual(await violations(page), []);
    // Reloaded, it is the same view.
    await page.reload();
    await page.getByText(`Rows 1 to ${expected.length} of ${expected.length}`).waitFor();
    assert.deepEqual(await column(page, 1), expected);
    assert.equal(await head.getAttribute('aria-sort'), 'descending');

    // What is opened elsewhere is the same statement, with the values as literals.
    const sql = decodeURIComponent((await page.getByRole('link', { name: 'Open in the console' }).getAttribute('href')).replace('#/console/', ''));
    assert.deepEqual((await server.rows(sql)).map((row) => String(row.n)), expected);
    // A file has all of the rows that fit.
    await page.getByRole('button', { name: 'Download' }).click();
    assert.deepEqual(await violations(page), []);
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'CSV', exact: true }).click()]);
    assert.equal(download.suggestedFilename(), 'many.csv');
    const [names, ...lines] = parseCsv(fs.readFileSync(await download.path(), 'utf8'));
    assert.deepEqual(lines.map((line) => line[names.indexOf('n')]), expected);
    await page.keyboard.press('Escape');

    // Each comparison, by what SQL says of the same rows.
    const count = async (name, op, value) => {
      await page.getByLabel('Column of filter 1').selectOption(name);
      await page.getByLabel('Comparison of filter 1').selectOption(op);
      if (value !== undefined) await page.getByLabel('Value of filter 1').fill(value);
      await page.getByRole('button', { name: 'Apply' }).click();
    };
    await page.getByRole('button', { name: 'Remove filter 2' }).click();
    const fits = { 'IT\'S 1': (row) => row['a "b"']?.includes("it's 1"), null: (row) => row['a "b"'] === null };
    for (const [op, value, keep] of [
      ['contains', "IT'S 1", fits["IT'S 1"]], ['does not contain', "IT'S 1", (row) => !fits["IT'S 1"](row)], ['is null', undefined, fits.null], ['is not null', undefined, (row) => !fits.null(row)],
      ['≠', "it's 1", (row) => row['a "b"'] !== "it's 1"],
    ]) {
      await count('a "b"', op, value);
      await page.getByText(new RegExp(`Rows 1 to \\d+ of ${rows.filter(keep).length}$`)).waitFor();
    }
    await count('day', '≥', '2026-01-28');
    await page.getByText(new RegExp(`of ${rows.filter((row) => row.day >= '2026-01-28').length}$`)).waitFor();
    await count('n', '=', "1' OR true --");
    await page.getByRole('alert').waitFor();
    assert.deepEqual(await violations(page), []);
    await count('n', '=', '1000');
    await page.getByRole('heading', { name: 'No row fits these filters' }).waitFor();
    await page.getByRole('button', { name: 'Without filters' }).click();
    await page.getByText('of 250').waitFor();
    assert.deepEqual(complaints(page), []);
  });

  it('columns are chosen, and what arrives is offered without moving what is there', { timeout: 120_000 }, async () => {
    await server.insert('moving', Array.from({ length: 150 }, (_, i) => ({ n: i, other: i })));
    const page = await signedIn(browser, server);
    await open(page, server, 'moving');
    await page.getByRole('button', { name: /^Columns/ }).click();
    await page.getByRole('dialog').getByLabel('other').uncheck();
    await page.getByRole('dialog').getByLabel('__row_id').check();
    assert.deepEqual(await violations(page), []);
    await page.getByRole('button', { name: 'Show 3' }).click();
    await eventually('the columns', async () => (await page.getByRole('columnheader').allInnerTexts()).map((text) => text.split('\n')[0]).join() === 'Whole row,__row_id,__received_at,n');
    await server.insert('moving', [{ n: 1000 }, { n: 1001 }]);
    const more = page.getByRole('button', { name: '2 new rows: show them' });
    await more.waitFor();
    assert.equal((await column(page, 2))[0], '149');
    // The next page goes on where the first one ended, whatever came before it.
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByText('Rows 101 to 150 of 150').waitFor();
    assert.equal((await column(page, 2))[0], '49');
    assert.deepEqual(await violations(page), []);
    await more.click();
    await page.getByText('of 152').waitFor();
    assert.equal((await column(page, 2))[0], '1001');
    await page.getByRole('button', { name: 'Share this' }).click();
    await page.getByRole('dialog').waitFor();
    assert.deepEqual(complaints(page), []);
  });

  it('of a table that another program made, and of one with a thousand columns, are shown too', { timeout: 120_000 }, async () => {
    await server.insert('wide', Object.fromEntries(Array.from({ length: 900 }, (_, i) => [`c${i}`, i])));
    const page = await signedIn(browser, server);
    await open(page, server, 'wide');
    await page.getByRole('button', { name: 'Columns 40 of 902' }).waitFor();
    await eventually('the columns', async () => await page.getByRole('columnheader').count() === 41);
    await page.getByRole('button', { name: 'Row 1, whole' }).click();
    await page.getByRole('dialog').getByText('c899').waitFor();
    await page.keyboard.press('Escape');
    await open(page, server, 'wide', 'columns');
    await page.getByRole('cell', { name: 'c899', exact: true }).waitFor();
    assert.deepEqual(complaints(page), []);
  });
});

describe('columns and history', () => {
  const server = useServer();
  const browser = useBrowser();

  it('say what came when and by which request, and count on demand what is in it', { timeout: 120_000 }, async () => {
    await server.insert('first', [{ a: 1, b: 'x' }, { a: 2 }, { a: 3, b: 'y' }, { a: 3, b: 'y' }], { query: '?wait=true' });
    const { receipt } = await server.insert('first', [{ a: 1.5, c: true }], { query: '?wait=true' });
    assert.equal((await server.api('/api/tables/first', { method: 'PATCH', body: '{"name":"second"}' })).status, 200);
    const page = await signedIn(browser, server);
    await open(page, server, 'second', 'columns');
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
    await page.getByText('the contract allows no new column "b "c""').waitFor().catch(() => {});
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

  it('a table that is not there for all that was refused is on the list, with its failed rows', { timeout: 60_000 }, async () => {
    await server.api('/api/tables/never/contract', { method: 'PUT', body: '{"tables":"freeze"}' });
    await server.insert('never', { a: 1 }, { query: '?wait=true' });
    const page = await signedIn(browser, server, 'Data');
    await page.getByRole('row', { name: /never not there/ }).getByRole('link', { name: 'never', exact: true }).click();
    await page.getByText('There is no such table yet.').waitFor();
    await page.getByRole('article').getByText('The contract refuses it').waitFor();
    await page.getByRole('link', { name: 'Rows', exact: true }).click();
    await page.getByRole('heading', { name: 'Nothing has come for it yet' }).waitFor();
    assert.deepEqual(await violations(page), []);
    assert.deepEqual(complaints(page), []);
  });

  it('a table is renamed, and deleted once its name is typed', { timeout: 120_000 }, async () => {
    await server.insert('before', [{ a: 1 }, { a: 2 }]);
    await server.insert('taken', [{ a: 1 }]);
    const page = await signedIn(browser, server);
    await open(page, server, 'before', 'settings');
    const snapshot = await page.getByRole('link', { name: 'Download the snapshot' }).getAttribute('href');
    assert.equal((await server.request(snapshot, { headers: { Authorization: `Bearer ${server.adminKey}` } })).status, 200);
    assert.deepEqual(await violations(page), []);
    await page.getByLabel('New name').fill('taken');
    await page.getByRole('button', { name: 'Rename …' }).click();
    await page.getByRole('button', { name: 'Rename it' }).click();
    await page.getByRole('alert').getByText(/"taken" already/).waitFor();
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
    await page.getByLabel(/to go on/).fill('a / "b"');
    assert.deepEqual(await violations(page), []);
    await last.click();
    await page.getByRole('heading', { name: 'Data', level: 1 }).waitFor();
    await page.getByRole('link', { name: 'taken' }).waitFor();
    assert.equal(await page.getByRole('link', { name: 'a / "b"' }).count(), 0);
    problem(await server.api(`/api/tables/${encodeURIComponent('a / "b"')}`), 404);
    assert.deepEqual(complaints(page).filter((each) => !/409/.test(each)), []);
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

  it('all of it fits a phone', { timeout: 120_000 }, async () => {
    await server.insert('phone', Array.from({ length: 120 }, (_, i) => ({ n: i, text: 'some words '.repeat(8), another: i * 1000, third: true })), { query: '?wait=true' });
    const page = await signedIn(browser, server);
    await page.setViewportSize({ width: 390, height: 844 });
    for (const tab of ['rows', 'columns', 'history', 'contract', 'failed', 'settings']) {
      await open(page, server, 'phone', tab);
      await page.waitForLoadState('networkidle');
      assert.deepEqual(await violations(page), [], tab);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${tab} is wider than the screen`);
    }
  });
});
