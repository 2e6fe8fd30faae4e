// Shares in the dashboard, and the page that people see who get the link.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { before, describe, it } from 'node:test';
import { signedIn, useBrowser, violations } from './browser.mjs';
import { problem, temporaryDirectory, useServer } from './lib.mjs';

const fine = async (page) => assert.deepEqual(await violations(page), []);
// Requests that were refused are what some tests are about.
const complaints = (page) => page.complaints.filter((each) => !/Failed to load resource/.test(each));
const wholePageFits = (page) => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);

describe('shares in the dashboard', () => {
  const server = useServer();
  const browser = useBrowser();
  const query = 'SELECT n, name FROM people ORDER BY n';
  before(() => server.insert('people', [{ n: 1, name: 'Ann' }, { n: 2, name: 'Bo' }], { query: '?wait=true' }));
  const listed = async (name) => (await server.api('/api/shares?all=true&limit=1000')).json().data.find((each) => each.name === name);

  it('one is made of a statement, opened, downloaded, looked at, and ended', { timeout: 120_000 }, async () => {
    const page = await signedIn(browser, server, 'Shares');
    await page.getByText('Nothing is shared now').waitFor();
    await fine(page);
    await page.getByRole('button', { name: 'New share' }).click();
    const sql = page.getByRole('textbox', { name: 'Query' });
    assert.ok(await sql.evaluate((element) => element === document.activeElement), 'writing begins at once');
    await sql.fill('SELECT * FROM never');
    await page.getByLabel('Name').fill('All people');
    await page.getByRole('textbox', { name: 'Password' }).fill('open sesame');
    await page.getByLabel('Most downloads').fill('5');
    await page.getByRole('button', { name: 'Make the link' }).click();
    await page.getByRole('alert').getByText(/never does not exist/).waitFor();
    await fine(page);
    await sql.fill(query);
    await page.getByText('Advanced').click();
    await fine(page);
    await page.getByRole('button', { name: 'Make the link' }).click();
    await page.getByText('Whoever has this link').waitFor();
    await fine(page);
    const share = await listed('All people');
    const [link, line] = await page.locator('dialog pre').allInnerTexts();
    assert.equal(link, share.url);
    assert.ok(Math.abs(Date.parse(share.expires_at) - Date.now() - 7 * 86_400_000) < 60_000, share.expires_at);
    assert.deepEqual([share.password, share.max_downloads, share.frozen, share.formats], [true, 5, null, ['csv', 'json', 'ndjson', 'parquet', 'xlsx']]);
    // What is copied works once the password is put in.
    const dir = temporaryDirectory();
    execFileSync('bash', ['-euo', 'pipefail', '-c', line.replace('PASSWORD', "'open sesame'").replace('curl ', 'curl -sS --fail-with-body ')], { cwd: dir, stdio: 'pipe' });
    assert.equal(execFileSync('cat', [`${dir}/data.csv`], { encoding: 'utf8' }), 'n,name\n1,Ann\n2,Bo\n');
    const popup = page.waitForEvent('popup');
    await page.getByRole('link', { name: 'Open the page' }).click();
    await (await popup).getByRole('heading', { name: 'This share has a password' }).waitFor();
    await page.getByRole('button', { name: 'Done' }).click();

    const row = page.getByRole('row', { name: /All people/ });
    assert.match(await row.innerText(), /open\s+live\s+password\s+1 of 5\s+in 7 days/);
    assert.equal(await row.getByRole('link', { name: 'Open the page of All people' }).getAttribute('href'), share.url);
    await fine(page);
    await row.getByRole('link', { name: 'All people', exact: true }).click();
    await page.getByRole('heading', { name: 'All people', level: 1 }).waitFor();
    assert.match(await page.getByRole('row', { name: /CSV/ }).innerText(), /CSV\s+18 B\s+yes/);
    assert.ok((await page.locator('pre').allInnerTexts()).includes(query));
    await fine(page);
    await page.getByRole('link', { name: 'Open in the console' }).click();
    await page.getByRole('heading', { name: 'Console' }).waitFor();
    await page.goBack();
    await page.getByRole('button', { name: 'Revoke' }).click();
    await page.getByText('answers 404 at once').waitFor();
    await fine(page);
    await page.getByRole('button', { name: 'Keep it' }).click();
    assert.equal((await listed('All people')).state, 'live');
    await page.getByRole('button', { name: 'Revoke' }).click();
    await page.getByRole('button', { name: 'Revoke it' }).click();
    await page.getByText('revoked', { exact: true }).waitFor();
    problem(await server.request(`/share/${share.id}`), 404);
    assert.equal(await page.getByRole('button', { name: 'Revoke' }).count(), 0);
    // It is listed with the ended ones only.
    await page.getByRole('link', { name: 'Shares' }).first().click();
    await page.getByText('Nothing is shared now').waitFor();
    await page.getByLabel('Show ended').check();
    assert.match(await page.getByRole('row', { name: /All people/ }).innerText(), /revoked/);
    await fine(page);
    assert.deepEqual(complaints(page), []);
  });

  it('every choice of the form reaches the share', { timeout: 120_000 }, async () => {
    const page = await signedIn(browser, server, 'Shares');
    await page.getByRole('button', { name: 'New share' }).click();
    await page.getByRole('textbox', { name: 'Query' }).fill(query);
    await page.getByLabel('Name').fill('Chosen');
    await page.getByLabel('Ends after').selectOption('on a date …');
    const day = new Date(Date.now() + 3 * 86_400_000);
    const written = [day.getFullYear(), String(day.getMonth() + 1).padStart(2, '0'), String(day.getDate()).padStart(2, '0')].join('-');
    await page.getByLabel('The last day').fill(written);
    await page.getByLabel(/^Frozen/).check();
    for (const format of ['JSON', 'NDJSON', 'Parquet', 'Excel', 'CSV']) await page.getByLabel(format, { exact: true }).uncheck();
    assert.ok(await page.getByRole('button', { name: 'Make the link' }).isDisabled());
    await page.getByText('Choose a format at least').waitFor();
    await page.getByLabel('TSV').check();
    await page.getByLabel('Arrow').check();
    await page.getByText('Advanced').click();
    await page.getByLabel('Most rows').fill('1');
    await page.getByLabel('Downloads at a time').fill('3');
    await page.getByLabel('Sites that may embed').fill('https://app.example.com https://*.example.org');
    await page.getByRole('button', { name: 'Make the link' }).click();
    // Its own limit is too small for it, and says so.
    await page.getByRole('alert').waitFor();
    await page.getByLabel('Most rows').fill('2');
    await page.getByRole('button', { name: 'Make the link' }).click();
    await page.getByText('Whoever has this link').waitFor();
    const line = await page.locator('dialog pre').nth(1).innerText();
    assert.match(line, /^curl -C - -o data\.tsv '/);
    const share = await listed('Chosen');
    const end = new Date(share.expires_at);
    assert.equal(new Date(end.getTime() - end.getTimezoneOffset() * 60_000).toISOString().slice(0, 10), written);
    assert.deepEqual([share.frozen.rows, share.formats, share.max_rows, share.max_simultaneous, share.origins], [2, ['tsv', 'arrow'], 2, 3, ['https://app.example.com', 'https://*.example.org']]);
    await page.getByRole('link', { name: 'All shares' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    // Ended ones aside, it is there with what it is; and it can be made again of its page.
    await page.getByRole('link', { name: 'Chosen', exact: true }).click();
    await page.getByText('frozen: 2 rows').waitFor();
    await page.getByText('Nobody has downloaded it yet').waitFor();
    await page.getByRole('button', { name: 'Share again' }).click();
    assert.equal(await page.getByLabel('Name').inputValue(), 'Chosen');
    await page.getByText('The query', { exact: true }).click();
    assert.equal(await page.locator('dialog details pre').innerText(), query);
    await page.keyboard.press('Escape');
    assert.deepEqual(complaints(page), []);
  });

  it('whoever may not share is told', { timeout: 120_000 }, async () => {
    const make = async (spec) => (await server.api('/api/destinations/local/keys', { key: server.adminKey, body: JSON.stringify(spec) })).json().api_key;
    const reader = await signedIn(browser, server, '', { key: await make({ scopes: ['query'] }) });
    assert.equal(await reader.getByRole('link', { name: 'Shares', exact: true }).count(), 0);
    // A key with limits has the scope, and may not share all the same (403, whatever it asks): it is not offered.
    for (const [limit, words] of [[{ tables: ['people'] }, 'one table only'], [{ max_rows: 1000 }, '1,000 rows of a result'], [{ max_bytes: 2048 }, '2.0 KiB of an answer']]) {
      const key = await make({ ...limit, scopes: ['query', 'share', 'admin'] });
      problem(await server.api('/api/data/share', { key, body: JSON.stringify({ query: 'SELECT 1' }) }), 403);
      const limited = await signedIn(browser, server, 'Data', { key });
      assert.equal(await limited.getByRole('link', { name: 'Shares', exact: true }).count(), 0);
      if (limit.tables) {
        await limited.getByRole('link', { name: 'people' }).click();
        await limited.getByText('Ann', { exact: true }).waitFor();
        assert.equal(await limited.getByRole('button', { name: 'Share this' }).count(), 0);
      }
      await limited.evaluate((hash) => { location.hash = hash; }, `#/console/${encodeURIComponent(query)}`);
      await limited.getByLabel(/^SQL of/).press('Control+Enter');
      await limited.getByRole('cell', { name: 'Bo' }).waitFor();
      for (const name of ['Share this', 'Save as endpoint']) assert.equal(await limited.getByRole('button', { name }).count(), 0, name);
      await limited.evaluate(() => { location.hash = '#/endpoints'; });
      await limited.getByText('No endpoint yet').waitFor();
      for (const name of ['New endpoint', 'Begin with this example']) assert.equal(await limited.getByRole('button', { name }).count(), 0, name);
      await limited.evaluate(() => { location.hash = '#/shares'; });
      await limited.getByText(`has limits: ${words}. Such keys cannot share`).waitFor();
      await fine(limited);
      assert.deepEqual(complaints(limited), []);
    }
  });

  it('fits a phone, in the dark too', { timeout: 60_000 }, async () => {
    await server.api('/api/data/share', { body: JSON.stringify({ query, name: `A rather long name, as people give them ${'x'.repeat(60)}` }) });
    const page = await browser.open({ viewport: { width: 390, height: 844 }, colorScheme: 'dark' });
    await page.goto(`${server.url}/#/shares`);
    await page.getByLabel('API key').fill(server.adminKey);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('link', { name: /^A rather long/ }).waitFor();
    assert.ok(await wholePageFits(page));
    await fine(page);
    await page.getByRole('button', { name: 'New share' }).click();
    await page.getByRole('textbox', { name: 'Query' }).waitFor();
    await fine(page);
    await page.keyboard.press('Escape');
    await page.getByRole('link', { name: /^A rather long/ }).click();
    await page.getByRole('heading', { name: 'Downloads' }).waitFor();
    assert.ok(await wholePageFits(page));
    await fine(page);
  });
});

describe('the page of a share', () => {
  const server = useServer();
  const browser = useBrowser();
  const made = {};
  before(async () => {
    await server.insert('people', Array.from({ length: 120 }, (_, n) => ({ n, name: `somebody of a long name, number ${n}`, at: '2026-01-02T03:04:05Z' })), { query: '?wait=true' });
    for (const [name, spec] of Object.entries({ live: {}, frozen: { frozen: true, max_downloads: 3 }, locked: { password: 'sesame' }, empty: { query: 'SELECT * FROM people WHERE false' } })) {
      made[name] = (await server.api('/api/data/share', { body: JSON.stringify({ query: 'SELECT *, NULL AS nothing FROM people', name: `The ${name} one`, ...spec }) })).json().url;
    }
    made.ended = `${server.url}/share/0d9f5c3e-8a43-4c6e-9d11-3f6f0a4b2c1d`;
  });

  for (const colorScheme of ['light', 'dark']) {
    it(`looks like the dashboard, and everybody can use it: ${colorScheme}`, { timeout: 60_000 }, async () => {
      const look = (page, selector) => page.locator(selector).first().evaluate((element) => { const { color, backgroundColor, borderRadius, borderColor, fontFamily } = getComputedStyle(element); return { color, backgroundColor, borderRadius, borderColor, fontFamily }; });
      const dashboard = await browser.open({ colorScheme });
      await dashboard.goto(`${server.url}/`);
      await dashboard.getByLabel('API key').fill(' ');
      const page = await browser.open({ colorScheme });
      await page.goto(made.locked);
      for (const [theirs, ours] of [['body', 'body'], ['.panel', '.card section'], ['.panel .soft', '.soft'], ['input', 'input']]) assert.deepEqual(await look(page, ours), await look(dashboard, theirs), ours);
      for (const [name, url] of Object.entries(made)) {
        for (const width of [1280, 390]) {
          await page.setViewportSize({ width, height: 844 });
          await page.goto(url);
          await fine(page);
          assert.ok(await wholePageFits(page), `${name} at ${width}`);
        }
      }
      await page.goto(made.locked);
      await page.getByLabel('Password').fill('no');
      await page.getByRole('button', { name: 'Open' }).click();
      await page.getByRole('alert').getByText('This is not the password of this share.').waitFor();
      await fine(page);
      await page.getByLabel('Password').fill('sesame');
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'The locked one' }).waitFor();
      await page.getByText('The first 100 rows. A download has all of them.').waitFor();
      assert.deepEqual(complaints(page), []);
    });
  }
});
