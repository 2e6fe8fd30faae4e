// What home shows: of many tables, of tables with odd names, while the server is away, to keys that may little.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { signedIn, useBrowser, violations } from './browser.mjs';
import { holdFile, localFile } from './duckdb.mjs';
import { eventually, sleep, startServer, useServer } from './lib.mjs';

const makeKey = async (server, wanted) => (await server.api('/api/destinations/local/keys', { key: server.adminKey, body: JSON.stringify(wanted) })).json().api_key;
// Rows of a table that its contract does not let be made.
async function refuseAll(server, table) {
  const set = await server.api(`/api/tables/${table}/contract`, { method: 'PUT', key: server.adminKey, body: '{"tables":"freeze"}', headers: { 'Content-Type': 'application/json' } });
  assert.equal(set.status, 200, set.text);
  await server.insert(table, { a: 1 }, { query: '?wait=true' });
}
const cells = async (page, name) => page.getByRole('row').filter({ has: page.getByRole('link', { name, exact: true }) }).getByRole('cell').allInnerTexts();
const figure = (page, name) => page.locator('dl.figures > div').filter({ hasText: name }).locator('dd').innerText();
const columns = { rows: 1, rate: 2, bytes: 3, waiting: 4, failed: 5 };

describe('home\'s tables', () => {
  const browser = useBrowser();

  it('say what each is sent, what waits since when, and what failed, with a way to it', { timeout: 120_000 }, async (t) => {
    const server = await startServer(t, {});
    await server.insert('events', [{ a: 1 }, 7, 8], { query: '?wait=true' });
    await refuseAll(server, 'only_refused');
    const page = await signedIn(browser, server);
    await eventually('the refused rows', async () => (await cells(page, 'events'))[columns.failed] === '2');
    assert.equal(await page.getByRole('link', { name: '2 failed rows of events' }).getAttribute('href'), '#/data/events/failed');
    assert.equal((await cells(page, 'only_refused'))[columns.failed], '1');
    assert.equal(await page.getByRole('searchbox', { name: 'Find a table' }).count(), 0, 'few tables need no search');
    let sending = true;
    const sender = (async () => { while (sending) await server.insert('events', [{ a: 'x'.repeat(500) }]); })();
    await eventually('a rate', async () => {
      const [, , rate, bytes] = await cells(page, 'events');
      return Number(rate.replaceAll(',', '')) > 0 && /[1-9].* (KiB|MiB)/.test(bytes);
    });
    assert.deepEqual(await violations(page), []);
    sending = false;
    await sender;

    // A key that may not see failed rows is told how many were refused.
    const reader = await signedIn(browser, server, undefined, { key: await makeKey(server, { scopes: ['query'] }) });
    await eventually('the refused rows', async () => (await cells(reader, 'events'))[columns.failed] === '2');
    assert.equal(await reader.getByRole('link', { name: 'failed rows of' }).count(), 0);

    // An engine that does not answer: rows are taken, and wait.
    const [engine] = server.enginePids();
    process.kill(engine, 'SIGSTOP');
    t.after(() => { try { process.kill(engine, 'SIGCONT'); } catch { /* ended meanwhile */ } });
    await server.insert('events', [{ a: 1 }, { a: 2 }]);
    await server.insert('new_one', [{ a: 1 }]);
    await eventually('what waits', async () => /^2\s+[1-9]\.\d s$/.test((await cells(page, 'events'))[columns.waiting]));
    await page.getByRole('row', { name: /new_one not there yet/ }).waitFor();
    process.kill(engine, 'SIGCONT');
    await eventually('it is loaded', async () => (await cells(page, 'events'))[columns.waiting] === '0' && (await cells(page, 'new_one'))[columns.rows] === '1', 20_000);
    assert.deepEqual(page.complaints, []);
  });

  it('can be searched where they are many, and the first hundred are drawn', { timeout: 120_000 }, async (t) => {
    const server = await startServer(t, {});
    const names = Array.from({ length: 120 }, (_, i) => `${i % 10 === 0 ? 'clicks' : 'table'}_${String(i).padStart(3, '0')}`);
    await Promise.all(names.map((name) => server.insert(name, { a: 1 })));
    await server.rows('SELECT 1');
    const page = await signedIn(browser, server);
    await page.getByText('120 tables').waitFor();
    const rows = page.getByRole('region', { name: 'Tables' }).locator('tbody tr');
    assert.equal(await rows.count(), 100);
    await page.getByRole('searchbox', { name: 'Find a table' }).fill('CLICK');
    await page.getByText('12 of 120').waitFor();
    assert.equal(await rows.count(), 12);
    assert.deepEqual(await violations(page), []);
    await page.getByRole('searchbox', { name: 'Find a table' }).fill('never');
    await page.getByText('No table is called so').waitFor();
    await page.getByRole('searchbox', { name: 'Find a table' }).fill('');
    await page.getByRole('button', { name: 'Show all 120' }).click();
    await eventually('all of them', async () => await rows.count() === 120);
  });

  it('a name of 200 characters keeps to its place, on a phone too', { timeout: 60_000 }, async (t) => {
    const server = await startServer(t, {});
    const long = `long_${'x'.repeat(195)}`;
    for (const name of [long, 'short']) await server.insert(name, { a: 1 }, { query: '?wait=true' });
    await refuseAll(server, `refused_${'x'.repeat(192)}`);
    for (const viewport of [{ width: 1280, height: 800 }, { width: 390, height: 844 }]) {
      const page = await signedIn(browser, server, undefined, { viewport });
      const name = page.getByRole('link', { name: long, exact: true });
      await name.waitFor();
      assert.equal(await name.getAttribute('title'), long);
      assert.ok((await name.boundingBox()).width <= viewport.width / 2, 'the name is cut');
      assert.equal(await page.evaluate(() => document.scrollingElement.scrollWidth - innerWidth), 0, 'the page scrolls sideways');
      // On a desktop nothing has to be scrolled to be seen.
      const beyond = await page.getByRole('region', { name: 'Tables' }).locator('.table-wrap').evaluate((element) => element.scrollWidth - element.clientWidth);
      if (viewport.width > 1000) assert.equal(beyond, 0);
      assert.deepEqual(await violations(page), []);
    }
  });
});

describe('home while the server is away', () => {
  const browser = useBrowser();

  it('says so, since when, shows no rate, and goes on by itself', { timeout: 120_000 }, async (t) => {
    const server = await startServer(t, {});
    await server.insert('events', [{ a: 1 }, { a: 2 }], { query: '?wait=true' });
    const page = await signedIn(browser, server);
    await eventually('a rate', async () => /^0/.test(await figure(page, 'Rows a second')));
    // The list is asked for, and not answered, just before.
    await page.route('**/api/tables?*', (route) => route.abort());
    await server.insert('events', { a: 3 }, { query: '?wait=true' });
    await page.getByRole('alert').getByText('The server does not answer').waitFor();
    const before = Date.now();
    const { port } = server;
    await server.stop();
    const said = page.getByText(/^No answer since \d\d:\d\d:\d\d; trying again$/);
    await said.waitFor();
    const [, since] = /since (\S+);/.exec(await said.innerText());
    const seconds = (text) => text.split(':').reduce((sum, each) => sum * 60 + Number(each), 0);
    const clock = await page.evaluate((ms) => new Date(ms).toTimeString().slice(0, 8), before);
    const apart = Math.abs(seconds(since) - seconds(clock));
    assert.ok(Math.min(apart, 86_400 - apart) <= 5, `${since} for ${clock}`);
    assert.equal((await figure(page, 'Rows a second')).trim(), '–');
    assert.equal((await figure(page, 'Bytes a second')).trim(), '–');
    assert.equal((await cells(page, 'events'))[columns.rate], '–');
    assert.equal(await page.locator('dl.figures.stale').count(), 1);
    assert.equal(await page.getByRole('alert').count(), 0, 'it is said once');
    assert.deepEqual(await violations(page), []);
    await page.unroute('**/api/tables?*');
    server.flags = ['--listen', `127.0.0.1:${port}`];
    await server.start();
    await eventually('it goes on', async () => await said.count() === 0 && /^0/.test(await figure(page, 'Rows a second')), 30_000);
    await eventually('the row that was not asked for', async () => (await cells(page, 'events'))[columns.rows] === '3');
  });

  it('a server that stands still is noticed too, and a stream that is refused is tried again', { timeout: 60_000 }, async (t) => {
    const server = await startServer(t, {});
    await server.insert('events', { a: 1 }, { query: '?wait=true' });
    const page = await signedIn(browser, server);
    await eventually('a rate', async () => /^0/.test(await figure(page, 'Rows a second')));
    process.kill(server.pid, 'SIGSTOP');
    t.after(() => { try { process.kill(server.pid, 'SIGCONT'); } catch { /* ended meanwhile */ } });
    await page.getByText(/^No answer since/).waitFor();
    process.kill(server.pid, 'SIGCONT');
    await eventually('it goes on', async () => /^0/.test(await figure(page, 'Rows a second')));
    // What a proxy says of a server that is not there is no stream: no browser asks again after that.
    let asked = 0;
    await page.route('**/api/live', (route) => (++asked > 1 ? route.continue() : route.fulfill({ status: 502, contentType: 'text/html', body: 'bad gateway' })));
    await page.reload();
    await page.getByText('No answer; trying again').waitFor();
    await eventually('it goes on', async () => /^0/.test(await figure(page, 'Rows a second')));
    assert.equal(asked, 2);
  });

  it('before anything is known it shows no zeros', { timeout: 60_000 }, async (t) => {
    const server = await startServer(t, {});
    await server.insert('events', { a: 1 }, { query: '?wait=true' });
    const page = await signedIn(browser, server);
    await page.route('**/api/live', () => {});
    await page.reload();
    await page.getByRole('link', { name: 'events', exact: true }).waitFor();
    await page.getByText('Loading …').waitFor();
    for (const name of ['Rows a second', 'Bytes a second', 'Waiting to be loaded', 'Queries']) assert.equal((await figure(page, name)).trim(), '–', name);
    assert.deepEqual((await cells(page, 'events')).slice(columns.rate, columns.waiting + 1), ['–', '–', '–']);
    await page.getByText('No answer; trying again').waitFor();
  });
});

describe('home of several destinations', () => {
  const browser = useBrowser();

  it('shows how each does, and starts no engine to ask', { timeout: 60_000 }, async (t) => {
    const server = await startServer(t, { flags: ['--engine-idle-timeout', '1s'] });
    await server.api('/api/destinations', { key: server.adminKey, body: '{"name":"other"}' });
    await server.insert('events', { a: 1 }, { query: '?wait=true' });
    await eventually('its engine ends', () => server.enginePids().length === 0);
    const page = await signedIn(browser, server);
    await page.getByLabel('Destination', { exact: true }).selectOption({ label: 'other' });
    await page.getByRole('heading', { name: 'other', level: 1 }).waitFor();
    const row = (name) => page.getByRole('region', { name: 'Destinations' }).getByRole('row', { name });
    await row('local').getByText('idle', { exact: true }).waitFor();
    // What the page asked of local before it was of the other has woken its engine.
    await eventually('no engine', () => server.enginePids().length === 0);
    await holdFile(t, localFile(server.dir));
    await server.insert('events', { a: 2 });
    await row('local').getByText('failing', { exact: true }).waitFor();
    await row('local').getByText(/held by another process/).waitFor();
    await row('local').getByText('1 rows').waitFor();
    assert.deepEqual(await violations(page), []);
    assert.deepEqual(page.complaints, []);
  });
});

describe('a page that is left', () => {
  const server = useServer();
  const browser = useBrowser();

  it('leaves nothing behind that reads what has gone', { timeout: 60_000 }, async () => {
    await server.insert('events', { a: 1 }, { query: '?wait=true' });
    const page = await signedIn(browser, server);
    let held = [];
    await page.route(/\/api\/tables\/events/, (route) => { held.push(route); });
    for (const tab of ['rows', 'history', 'contract', 'failed']) {
      await page.goto(`${server.url}/#/data/events/${tab}`);
      await page.getByRole('heading', { name: 'events', level: 1 }).waitFor();
      await eventually('a question', () => held.length > 0);
      await page.getByRole('link', { name: 'Home', exact: true }).click();
      await page.getByRole('heading', { name: 'local', level: 1 }).waitFor();
      await Promise.all(held.map((route) => route.continue()));
      held = [];
      await sleep(300);
    }
    assert.deepEqual(page.complaints, []);
  });
});

describe('home of keys that read nothing', () => {
  const server = useServer();
  const browser = useBrowser();

  it('says what each may do, and leads there', { timeout: 120_000 }, async () => {
    const home = async (wanted) => {
      const page = await signedIn(browser, server, undefined, { key: await makeKey(server, wanted) });
      await page.getByRole('heading', { name: 'What this key may do' }).waitFor();
      assert.deepEqual(await violations(page), []);
      return page;
    };
    const sharer = await home({ scopes: ['share'] });
    await sharer.locator('main').getByRole('link', { name: 'Shares' }).click();
    await sharer.getByRole('heading', { name: 'Shares', level: 1 }).waitFor();
    const watcher = await home({ scopes: ['tail'] });
    await watcher.getByLabel('Table', { exact: true }).fill('clicks');
    await watcher.getByRole('button', { name: 'Watch' }).click();
    await watcher.getByText('Following').waitFor();
    const narrow = await home({ scopes: ['tail'], tables: ['clicks'] });
    await narrow.locator('main').getByRole('link', { name: 'clicks' }).click();
    await narrow.getByText('Following').waitFor();
    const sender = await home({ scopes: ['insert'] });
    await sender.getByRole('heading', { name: 'Send the first row' }).waitFor();
  });
});
