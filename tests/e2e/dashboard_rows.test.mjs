// A table's rows in the dashboard, in a real browser.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { describe, it } from 'node:test';
import { signedIn, useBrowser, violations } from './browser.mjs';
import { changeFile } from './change_file.mjs';
import { localFile } from './duckdb.mjs';
import { eventually, parseCsv, startServer, useServer } from './lib.mjs';
import { complaints, openTable } from './table_page.mjs';

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
    assert.deepEqual(first.slice(4), ['NULL', 'NULL', '{"b":[1.1,9007199254740993.0]}']);
    assert.deepEqual((await cells(page, 2)).slice(1), ['9223372036854775807', '123456789012345678901234567890', 'NULL', 'true', '2026-01-02 03:04:05', 'NULL']);
    assert.equal(await page.getByRole('row').nth(1).getByText('NULL', { exact: true }).first().evaluate((node) => getComputedStyle(node).fontStyle), 'italic');
    assert.equal(await page.getByRole('gridcell', { name: '9223372036854775807' }).evaluate((node) => getComputedStyle(node).textAlign), 'right');
    assert.deepEqual(await violations(page), []);

    await page.getByRole('button', { name: 'Row 1, whole' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText(/the end$/).waitFor();
    assert.deepEqual(await violations(page), []);
    await dialog.getByRole('button', { name: 'Next row' }).click();
    await dialog.getByText('123456789012345678901234567890').waitFor();
    await dialog.getByText('2026-01-02 03:04:05 UTC', { exact: true }).waitFor();
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
    await openTable(page, server, 'many', 'rows');
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
      ['contains', "IT'S 1", fits["IT'S 1"]], ['does not contain', "IT'S 1", (row) => !fits["IT'S 1"](row)], ['is NULL', undefined, fits.null], ['is not NULL', undefined, (row) => !fits.null(row)],
      ['≠', "it's 1", (row) => row['a "b"'] !== "it's 1"],
    ]) {
      await count('a "b"', op, value);
      await page.getByText(new RegExp(`Rows 1 to \\d+ of ${rows.filter(keep).length}$`)).waitFor();
    }
    await count('day', '≥', '2026-01-28');
    await page.getByText(new RegExp(`of ${rows.filter((row) => row.day >= '2026-01-28').length}$`)).waitFor();
    await count('n', '=', "1' OR true --");
    // What is wrong with a filter is said at it, with the server's own words.
    const fault = page.getByRole('form', { name: 'Filters' }).getByRole('alert');
    await fault.getByText("n (BIGINT) cannot be compared with “1' OR true --”.").waitFor();
    assert.match(await fault.innerText(), /Could not convert string '1' OR true --'/);
    assert.doesNotMatch(await fault.innerText(), /LINE 1/);
    await count('n', '≥', 'abc');
    await fault.getByText('n (BIGINT) cannot be compared with “abc”. It must be a number').waitFor();
    assert.equal(await page.getByRole('alert').count(), 1);
    assert.equal(await page.getByLabel('Value of filter 1').getAttribute('aria-invalid'), 'true');
    assert.equal(await page.getByRole('grid').count(), 1, 'the rows of before stay');
    assert.deepEqual(await violations(page), []);
    await page.getByRole('button', { name: 'Add a filter' }).click();
    await page.getByLabel('Column of filter 2').selectOption('day');
    await page.getByLabel('Comparison of filter 2').selectOption('<');
    await page.getByLabel('Value of filter 2').fill('yesterday');
    await page.getByRole('button', { name: 'Apply' }).click();
    await fault.getByText('day (TIMESTAMP WITH TIME ZONE) cannot be compared with “yesterday”.').waitFor();
    assert.equal(await fault.count(), 2);
    await page.getByLabel('Value of filter 1').fill('1000');
    assert.equal(await fault.count(), 1, 'what is changed is wrong no more');
    await page.getByRole('button', { name: 'Remove filter 2' }).click();
    await count('n', '=', '1000');
    await page.getByRole('heading', { name: 'No row fits these filters' }).waitFor();
    await page.getByRole('button', { name: 'Without filters' }).click();
    await page.getByText('of 250').waitFor();
    assert.deepEqual(complaints(page), []);
  });

  it('columns are chosen, and what arrives is offered without moving what is there', { timeout: 120_000 }, async () => {
    await server.insert('moving', Array.from({ length: 150 }, (_, i) => ({ n: i, other: i })));
    const page = await signedIn(browser, server);
    await openTable(page, server, 'moving', 'rows');
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

  it('of tables that another program made are shown in their order, and filtered by their own types', { timeout: 120_000 }, async (t) => {
    const own = await startServer(t);
    await own.insert('ours', { a: 1 }, { query: '?wait=true' });
    await own.stop();
    await changeFile(localFile(own.dir),
      `CREATE TABLE theirs AS SELECT i::INTEGER AS id, DATE '2026-01-01' + i::INTEGER AS day, (i / 4)::DECIMAL(10,2) AS price, (CASE WHEN i % 2 = 0 THEN 'even' ELSE 'odd' END)::ENUM('odd', 'even') AS parity,
        [i::VARCHAR, 'x'] AS tags, 'abc'::BLOB AS bytes, to_days(i::INTEGER) AS span, uuid() AS uuid, {'k': i} AS struct FROM range(150) t(i)`,
      'CREATE TABLE named AS SELECT 2 AS rowid, 1 AS a UNION ALL SELECT 1, 2', 'CREATE TABLE nothing(a INTEGER)');
    await own.start();
    const page = await signedIn(browser, own);
    await openTable(page, own, 'theirs', 'rows');
    await page.getByText('Rows 1 to 100 of 150').waitFor();
    assert.deepEqual((await column(page, 0)).slice(0, 3), ['0', '1', '2']);
    assert.deepEqual((await cells(page, 3)).slice(0, 7), ['2', '2026-01-03', '0.50', 'even', '["2","x"]', 'YWJj', '2 days']);
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByText('Rows 101 to 150 of 150').waitFor();
    assert.equal((await column(page, 0))[0], '100');
    await page.getByRole('button', { name: 'Row 101, whole' }).click();
    await page.getByRole('dialog').getByText('2026-04-11').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Filter' }).click();
    const uuid = await own.value('SELECT uuid::VARCHAR AS u FROM theirs WHERE id = 7');
    for (const [name, op, value, fits] of [['day', '<', '2026-01-04', 3], ['price', '=', '0.5', 1], ['parity', '=', 'odd', 75], ['tags', 'contains', '14', 12], ['span', '=', '2 days', 1], ['uuid', '=', uuid, 1], ['struct', 'contains', '149', 1]]) {
      await page.getByLabel('Column of filter 1').selectOption(name);
      await page.getByLabel('Comparison of filter 1').selectOption(op);
      await page.getByLabel('Value of filter 1').fill(value);
      await page.getByRole('button', { name: 'Apply' }).click();
      await page.getByText(`Rows 1 to ${fits} of ${fits}`).waitFor().catch(() => assert.fail(`${name} ${op} ${value}`));
    }
    await openTable(page, own, 'named', 'rows');
    await page.getByText('Rows 1 to 2 of 2').waitFor();
    assert.deepEqual(await column(page, 0), ['2', '1']);
    await page.getByRole('link', { name: 'History' }).click();
    await page.getByRole('heading', { name: 'No change is known' }).waitFor();
    await openTable(page, own, 'nothing', 'rows');
    await page.getByRole('heading', { name: 'No rows yet' }).waitFor();
    assert.deepEqual(await violations(page), []);
    assert.deepEqual(complaints(page), []);
  });

  it('of a table of nearly a thousand columns are shown by the first ones', { timeout: 120_000 }, async () => {
    await server.insert('wide', Object.fromEntries(Array.from({ length: 900 }, (_, i) => [`c${i}`, i])));
    const page = await signedIn(browser, server);
    await openTable(page, server, 'wide', 'rows');
    await page.getByRole('button', { name: 'Columns 40 of 902' }).waitFor();
    await eventually('the columns', async () => await page.getByRole('columnheader').count() === 41);
    await page.getByRole('button', { name: 'Row 1, whole' }).click();
    await page.getByRole('dialog').getByText('c899').waitFor();
    await page.keyboard.press('Escape');
    await openTable(page, server, 'wide', 'columns');
    await page.getByRole('cell', { name: 'c899', exact: true }).waitFor();
    assert.deepEqual(complaints(page), []);
  });

  it('stay in their view on other tabs, after a reload, on the way back, and for whoever is sent the address', { timeout: 120_000 }, async () => {
    await server.insert('kept', Array.from({ length: 350 }, (_, i) => ({ n: i, odd: i % 2 === 1, other: 'x' })));
    const page = await signedIn(browser, server, 'Data');
    await page.getByRole('link', { name: 'kept', exact: true }).click();
    await page.getByText('Rows 1 to 100 of 350').waitFor();
    await page.getByRole('button', { name: /^Columns/ }).click();
    await page.getByRole('dialog').getByLabel('other').uncheck();
    await page.getByRole('button', { name: 'Show 3' }).click();
    await page.getByRole('columnheader', { name: /^n/ }).getByRole('button').click();
    await page.getByRole('button', { name: 'Filter' }).click();
    await page.getByLabel('Column of filter 1').selectOption('odd');
    await page.getByLabel('Value of filter 1').fill('true');
    await page.getByRole('button', { name: 'Apply' }).click();
    await page.getByText('Rows 1 to 100 of 175').waitFor();
    await page.getByRole('button', { name: 'Next' }).click();
    const isAsItWas = async (where, what) => {
      await where.getByText('Rows 101 to 175 of 175').waitFor();
      assert.deepEqual((await column(where, 1)).slice(0, 2), ['201', '203'], what);
      assert.deepEqual((await where.getByRole('columnheader').allInnerTexts()).map((text) => text.split('\n')[0].replace(/\W+$/, '')), ['Whole row', '__received_at', 'n', 'odd'], what);
    };
    await isAsItWas(page, 'at first');
    assert.equal(await page.title(), 'kept · Rows · Scratch Data');
    const tab = (name) => page.getByRole('navigation', { name: 'Of this table' }).getByRole('link', { name, exact: name === 'Rows' });
    await tab('Columns').click();
    await page.getByRole('cell', { name: 'other', exact: true }).waitFor();
    assert.equal(await page.title(), 'kept · Columns · Scratch Data');
    await tab('Rows').click();
    await isAsItWas(page, 'on its tab again');
    await tab('History').click();
    await page.getByText('The table was made.').waitFor();
    await page.goBack();
    await isAsItWas(page, 'on the way back');
    await page.reload();
    await isAsItWas(page, 'after a reload');
    const other = await signedIn(browser, server);
    await other.goto(page.url());
    await isAsItWas(other, 'for somebody else');
    // Another address of the same page is another view.
    await other.evaluate(() => { location.hash = '#/data/kept'; });
    await other.getByText('Rows 1 to 100 of 350').waitFor();
    // A view is no step of its own: back is where somebody came from.
    await page.goBack();
    await page.goBack();
    await page.goBack();
    await page.getByRole('heading', { name: 'Data', level: 1 }).waitFor();
    assert.equal(await page.title(), 'Data · Scratch Data');
    assert.deepEqual([...complaints(page), ...complaints(other)], []);
  });

  it('that take their time say so and are cancelled, and those of before stay', { timeout: 120_000 }, async () => {
    await server.insert('slow', Array.from({ length: 130 }, (_, i) => ({ n: i })));
    const page = await signedIn(browser, server);
    // Queries wait until they are let through, or given up.
    let held = [];
    let isSlow = true;
    await page.route('**/api/data/query*', async (route) => {
      if (!isSlow || route.request().postDataJSON()?.fresh === false) return route.continue();
      held.push(route);
    });
    const go = () => Promise.all(held.splice(0).map((route) => route.continue().catch(() => {})));
    const gone = [];
    page.on('requestfailed', (request) => { if (request.url().includes('/api/data/query')) gone.push(request.failure().errorText); });
    await openTable(page, server, 'slow', 'rows');
    await page.getByText('Reading rows …').waitFor();
    assert.equal(await page.getByRole('heading', { name: 'No rows yet' }).count(), 0);
    assert.deepEqual(await violations(page), []);
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('Cancelled.').waitFor();
    assert.deepEqual(gone, ['net::ERR_ABORTED']);
    isSlow = false;
    await page.getByRole('button', { name: 'Read the rows' }).click();
    await page.getByText('Rows 1 to 100 of 130').waitFor();
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByText('Rows 101 to 130 of 130').waitFor();
    const before = page.url();

    isSlow = true;
    await page.getByRole('button', { name: 'Filter' }).click();
    await page.getByLabel('Column of filter 1').selectOption('n');
    await page.getByLabel('Value of filter 1').fill('7');
    await page.getByRole('button', { name: 'Apply' }).click();
    await page.getByText('Looking …').waitFor();
    assert.notEqual(page.url(), before);
    assert.deepEqual(await violations(page), []);
    await page.getByRole('button', { name: 'Cancel' }).click();
    await eventually('the end of the request', () => gone.length === 2);
    await page.getByText('Rows 101 to 130 of 130').waitFor();
    assert.equal(await page.getByText('Looking …').count(), 0);
    assert.equal((await column(page, 1))[0], '29');
    assert.equal(page.url(), before, 'the view of before');
    assert.equal(await page.getByLabel('Value of filter 1').inputValue(), '7', 'what was asked for may be asked again');
    assert.equal(await page.getByRole('gridcell').nth(1).evaluate((cell) => cell === document.activeElement), true);
    await page.getByRole('button', { name: 'Apply' }).click();
    await page.getByText('Looking …').waitFor();
    isSlow = false;
    await go();
    await page.getByText('Rows 1 to 1 of 1').waitFor();
    assert.equal(await page.getByRole('button', { name: 'Cancel' }).count(), 0);
    assert.deepEqual(complaints(page), []);
  });

  it('come in pages that a limited key may have', { timeout: 120_000 }, async () => {
    const key = async (body) => (await server.api('/api/destinations/local/keys', { key: server.adminKey, body: JSON.stringify({ scopes: ['query'], ...body }) })).json().api_key;
    // Of random text, so that no compression makes it small.
    const text = () => Array.from({ length: 200 }, () => Math.random().toString(36).slice(2, 3)).join('');
    await server.insert('limited', Array.from({ length: 40 }, (_, i) => ({ n: i, text: text() })));
    const expected = (complaint) => !/status of 422|ERR_/.test(complaint);
    const few = await signedIn(browser, server, undefined, { key: await key({ max_rows: 3 }) });
    await openTable(few, server, 'limited', 'rows');
    await few.getByText('Rows 1 to 3 of 40. An answer to this key has at most 3 rows, so a page has no more.').waitFor();
    await few.getByRole('button', { name: 'Last' }).click();
    await few.getByText('Rows 40 to 40 of 40.').waitFor();
    await few.getByRole('button', { name: 'Previous' }).click();
    await few.getByText('Rows 37 to 39 of 40.').waitFor();
    assert.deepEqual(await column(few, 1), ['3', '2', '1']);
    await few.getByRole('button', { name: 'Row 37, whole' }).click();
    await few.getByRole('dialog').getByRole('button', { name: 'Next row' }).click();
    await few.getByRole('heading', { name: 'Row 38' }).waitFor();
    await few.keyboard.press('Escape');
    await few.getByRole('link', { name: 'Columns' }).click();
    await few.getByRole('button', { name: 'Count what is in them' }).click();
    await few.getByRole('columnheader', { name: 'Least' }).waitFor();
    const n = few.getByRole('row').filter({ has: few.getByRole('cell', { name: 'n', exact: true }) });
    assert.deepEqual((await n.getByRole('cell').allInnerTexts()).slice(4, 6), ['0', '39']);
    assert.deepEqual(await violations(few), []);
    assert.deepEqual(complaints(few).filter(expected), []);

    const small = await signedIn(browser, server, undefined, { key: await key({ max_bytes: 2000 }) });
    await openTable(small, server, 'limited', 'rows');
    const shown = small.getByText(/Rows 1 to \d+ of 40. An answer to this key has at most 2.0 KiB, so a page is shorter./);
    await shown.waitFor();
    const rows = Number(/to (\d+) of/.exec(await shown.innerText())[1]);
    assert.ok(rows >= 3 && rows < 20, `${rows}`);
    assert.deepEqual(complaints(small).filter(expected), []);
  });
});
