// The dashboard's place for connections, as somebody uses it: made, tested, seen to work, changed, ended.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { useBrowser, violations } from './browser.mjs';
import { eventually, problem, useServer } from './lib.mjs';

describe('connections in the dashboard', () => {
  const server = useServer();
  const browser = useBrowser();
  const api = (target, method = 'GET', body = undefined) => server.api(target, { key: server.adminKey, method, body: body && JSON.stringify(body) });
  const make = async (name, settings = {}) => (await api('/api/destinations', 'POST', { name, settings })).json();
  const folder = (id) => path.join(server.dir, 'destinations', id);

  async function signIn(key, { at = '#/connections', ...options } = {}) {
    const page = await browser.open(options);
    await page.goto(`${server.url}/${at}`);
    await page.getByLabel('API key').fill(key);
    await page.getByLabel('API key').press('Enter');
    await page.getByRole('heading', { level: 1 }).filter({ hasNotText: 'Scratch Data' }).waitFor();
    return page;
  }
  // A 401 is whoever is not signed in yet, a 4xx what the tests provoke.
  const complaints = (page) => page.complaints.filter((each) => !/status of 4\d\d/.test(each));
  const picked = (page) => page.getByLabel('Destination').evaluate((select) => select.selectedOptions[0].textContent);
  const isFine = async (page) => assert.deepEqual(await violations(page), []);

  it('a new one: tested before it is saved, its key shown once, its lines work, its first row is seen', { timeout: 120_000 }, async () => {
    const page = await signIn(server.adminKey);
    await page.getByRole('row', { name: /local/ }).waitFor();
    await page.getByText(/^(ready|idle|starting)$/).waitFor();
    await isFine(page);
    await page.getByRole('link', { name: 'New connection' }).click();
    // There is one type so far: its form is there at once, as the server describes it.
    const { data: [type] } = (await api('/api/destination-types')).json();
    for (const setting of type.settings.filter((each) => each.only_with === null)) await page.getByText(setting.help).waitFor();
    await page.getByLabel('Name', { exact: true }).fill('warehouse');
    await isFine(page);
    assert.equal(await page.getByLabel('MotherDuck database').count(), 0, 'it means nothing beside a file');
    await page.getByRole('radio', { name: 'MotherDuck token' }).check();
    await page.getByLabel('MotherDuck database').waitFor();
    await page.getByRole('button', { name: 'Test the connection' }).click();
    assert.ok(await page.locator('input[type=password]').evaluate((input) => input.validity.valueMissing));
    await isFine(page);
    await page.getByRole('radio', { name: 'File name' }).check();
    const file = page.getByRole('textbox', { name: 'File name' });
    await file.fill('../elsewhere.duckdb');
    await page.getByRole('button', { name: 'Test the connection' }).click();
    await page.getByRole('alert').filter({ hasText: 'plain file name' }).waitFor();
    await isFine(page);
    // What is refused is said at its field, which the keyboard is on.
    const saysAt = async (field, words) => {
      await page.getByRole('button', { name: 'Make the connection' }).click();
      await page.getByRole('alert').filter({ hasText: words }).and(page.locator('small')).waitFor();
      await eventually('its field', () => field.evaluate((input) => input === document.activeElement && input.ariaInvalid === 'true'));
      assert.match(await field.evaluate((input) => input.getAttribute('aria-describedby').split(' ').map((id) => document.getElementById(id).textContent).join(' ')), words);
      assert.equal(await page.getByRole('alert').count(), 1);
      await isFine(page);
    };
    await page.getByLabel('Name', { exact: true }).fill('warehouse ');
    assert.equal(await page.getByRole('alert').count(), 0, 'what was said of other settings is gone');
    await saysAt(file, /plain file name/);
    await file.fill('shop.duckdb');
    assert.equal(await page.getByRole('alert').count(), 0);
    await page.getByLabel('Name', { exact: true }).fill('local');
    await saysAt(page.getByLabel('Name', { exact: true }), /of this name exists/);
    await page.getByLabel('Name', { exact: true }).fill('warehouse');
    assert.equal(await page.getByRole('alert').count(), 0);
    await page.getByRole('button', { name: 'Test the connection' }).click();
    await page.getByText('It works').waitFor();
    assert.equal((await api('/api/destinations')).json().data.length, 1, 'a test stores nothing');
    await page.getByRole('button', { name: 'Make the connection' }).click();

    await page.getByRole('heading', { name: 'warehouse is there' }).waitFor();
    assert.equal(await picked(page), 'warehouse');
    const secret = await page.locator('.secret pre').innerText();
    assert.match(secret, /^sd_\w{43}$/);
    await page.getByText('Waiting for the first row').waitFor();
    await isFine(page);
    const lines = [];
    for (const language of ['JavaScript', 'Python', 'Go', 'curl']) {
      await page.getByRole('radio', { name: language }).check();
      lines.push(await page.locator('pre').nth(1).innerText());
      assert.ok(lines.at(-1).includes(secret) && lines.at(-1).includes(server.url), lines.at(-1));
    }
    const answer = execFileSync('bash', ['-euo', 'pipefail', '-c', lines.at(-1).replace('curl ', 'curl -sS --fail-with-body ')], { encoding: 'utf8' });
    assert.equal(JSON.parse(answer).rows, 1);
    await page.getByText('The first row has arrived, in events').waitFor();
    await isFine(page);
    const query = await page.locator('pre').nth(2).innerText();
    assert.equal(JSON.parse(execFileSync('bash', ['-c', query.replace('curl ', 'curl -sS ')], { encoding: 'utf8' }))[0].user, 'alice');
    await page.getByRole('link', { name: 'Look at it' }).click();
    await page.getByRole('heading', { name: 'events', level: 1 }).waitFor();
    await page.getByRole('link', { name: 'Connections' }).click();
    await page.getByRole('row', { name: /warehouse.*shop\.duckdb/ }).waitFor();
    assert.ok(!(await page.content()).includes(secret));
    assert.deepEqual(complaints(page), []);
  });

  it('its name and its target change, and what that means is said before', { timeout: 120_000 }, async () => {
    const made = await make('moving');
    await server.insert('t', { a: 1 }, { key: made.api_key });
    const page = await signIn(server.adminKey);
    await page.getByRole('link', { name: 'moving' }).click();
    const save = page.getByRole('button', { name: /^Save/ });
    await save.waitFor();
    assert.ok(await save.isDisabled());
    await isFine(page);
    await page.getByLabel('Name', { exact: true }).fill('moved');
    await save.click();
    await page.getByText('Saved').waitFor();
    await page.getByRole('heading', { name: 'moved', level: 1 }).waitFor();
    await page.getByLabel('Destination').getByRole('option', { name: 'moved' }).waitFor({ state: 'attached' });
    // A name that is taken: the server's own words.
    await page.getByLabel('Name', { exact: true }).fill('local');
    await save.click();
    await page.getByRole('alert').filter({ hasText: 'name' }).waitFor();
    await page.getByLabel('Name', { exact: true }).fill('moved');

    await page.getByRole('textbox', { name: 'File name' }).fill('second.duckdb');
    await page.getByText('This is another target').waitFor();
    await page.getByRole('button', { name: 'Test the connection' }).click();
    await page.getByText('It works').waitFor();
    await save.click();
    await page.getByRole('dialog').getByText('is loaded into the old target first and stays there').waitFor();
    await isFine(page);
    await page.getByRole('button', { name: 'Leave it' }).click();
    assert.deepEqual(await server.rows('SELECT a FROM t', { key: made.api_key }), [{ a: 1 }]);
    await save.click();
    await page.getByRole('button', { name: 'Change the target' }).click();
    await page.getByText('Saved').waitFor();
    problem(await server.sql('FROM t', { key: made.api_key }), 400, 'sql-error');
    assert.ok(fs.existsSync(path.join(folder(made.id), 'data.duckdb')));
    // Back to what is so by default.
    await page.getByRole('textbox', { name: 'File name' }).fill('');
    await save.click();
    await page.getByRole('button', { name: 'Change the target' }).click();
    await page.getByText('Saved').waitFor();
    assert.deepEqual((await api(`/api/destinations/${made.id}`)).json().settings, {});
    assert.deepEqual(await server.rows('SELECT a FROM t', { key: made.api_key }), [{ a: 1 }]);
    assert.deepEqual(complaints(page), []);
  });

  it('a secret is never shown: it stays where nothing is written, and goes with what it belonged to', { timeout: 120_000 }, async () => {
    const made = await make('cloud', { token: 'very-secret-token', database: 'first_db' });
    const page = await signIn(server.adminKey, { at: `#/connections/${made.id}` });
    const secret = page.locator('input[type=password]');
    await secret.waitFor();
    assert.equal(await secret.inputValue(), '');
    assert.match(await secret.getAttribute('placeholder'), /leave empty to keep/);
    assert.ok(!(await page.content()).includes('very-secret'));
    await isFine(page);
    const patches = [];
    await page.route('**/api/destinations/*', (route) => {
      if (route.request().method() !== 'PATCH') return route.continue();
      patches.push(route.request().postDataJSON());
      return route.fulfill({ status: 409, contentType: 'application/problem+json', body: '{"type":"/problems/rows-pending","title":"t","status":409,"detail":"stopped by the test"}' });
    });
    const save = async (moves) => {
      await page.getByRole('button', { name: /^Save/ }).click();
      if (moves) await page.getByRole('button', { name: 'Change the target' }).click();
      await page.getByText('stopped by the test').waitFor();
      if (moves) await page.getByRole('button', { name: 'Leave it' }).click();
    };
    await page.getByLabel('MotherDuck database').fill('second_db');
    await save(true);
    await page.getByLabel('MotherDuck database').fill('first_db');
    await secret.fill('another-token');
    await save(false);
    await secret.fill('');
    await page.getByRole('radio', { name: 'In memory' }).check();
    await save(true);
    await page.getByRole('radio', { name: 'File name' }).check();
    await save(true);
    assert.deepEqual(patches.map((each) => each.settings), [
      { database: 'second_db' }, { token: 'another-token' }, { in_memory: true, token: null, database: null }, { token: null, database: null }]);
    assert.deepEqual(complaints(page), []);
    assert.equal((await api(`/api/destinations/${made.id}?pending=discard`, 'DELETE')).status, 204);
  });

  it('its end names what is in it', { timeout: 60_000 }, async () => {
    const made = await make('full');
    await server.insert('t', [{ a: 1 }, { a: 2 }], { key: made.api_key, query: '?wait=true' });
    const page = await signIn(server.adminKey);
    await page.getByRole('link', { name: 'full', exact: true }).click();
    await page.getByRole('button', { name: /^Delete this/ }).click();
    await page.getByText('Its 1 table with 2 rows cannot be read through this server any more.').waitFor();
    await isFine(page);
    await page.getByRole('button', { name: 'Keep it' }).click();
    assert.equal((await api(`/api/destinations/${made.id}`, 'DELETE')).status, 204);
  });

  it('one that fails says why, and its end asks what becomes of rows that are not loaded', { timeout: 120_000 }, async () => {
    const made = await make('broken');
    const file = path.join(folder(made.id), 'data.duckdb');
    fs.writeFileSync(file, 'this is no database, however long one looks at it'.repeat(1000));
    await server.insert('t', { a: 1 }, { key: made.api_key });
    const page = await signIn(server.adminKey);
    const row = page.getByRole('row', { name: /broken/ });
    await row.getByText('failing').waitFor();
    await row.getByText('not a DuckDB database').waitFor();
    assert.equal(await row.getByRole('cell').nth(4).evaluate((cell) => cell.firstChild.textContent), '1');
    await isFine(page);
    await row.getByRole('link', { name: 'broken' }).click();
    await page.getByText('not a DuckDB database').waitFor();
    await page.getByRole('button', { name: 'Test the connection' }).click();
    await page.getByRole('alert').filter({ hasText: 'not a DuckDB database' }).waitFor();
    await page.getByRole('button', { name: /^Delete this/ }).click();
    await page.getByText('It takes 1 key with it. Programs').waitFor();
    await page.getByText('a DuckDB file lies on').waitFor();
    const go = page.getByRole('dialog').locator('button.danger');
    assert.ok(await go.isDisabled());
    await page.getByLabel(/^Type broken/).fill('broken');
    await isFine(page);
    await go.click();
    await page.getByRole('group', { name: '1 row not loaded yet' }).waitFor();
    assert.match(await page.getByRole('dialog').innerText(), /Load them into the database first/);
    await isFine(page);
    assert.equal((await api(`/api/destinations/${made.id}`)).status, 200);
    await page.getByRole('radio', { name: /^Give them up/ }).check();
    await page.getByRole('button', { name: 'Give them up and delete' }).click();
    await page.getByRole('heading', { name: 'Connections', level: 1 }).waitFor();
    await row.waitFor({ state: 'detached' });
    assert.equal(await page.getByLabel('Destination').getByRole('option', { name: 'broken' }).count(), 0);
    problem(await api(`/api/destinations/${made.id}`), 404);
    assert.ok(fs.existsSync(file));
    assert.deepEqual(complaints(page), []);
  });

  it('what comes from the configuration, and what a key of a destination sees, is shown and not changed', { timeout: 120_000 }, async () => {
    const page = await signIn(server.adminKey);
    await page.getByRole('link', { name: 'local' }).click();
    await page.getByText('This connection is the server\'s own').waitFor();
    await page.getByText('data.duckdb (by default)').waitFor();
    assert.equal(await page.getByRole('button', { name: /Save|Delete/ }).count(), 0);
    await isFine(page);

    const made = await make('theirs', { file: 'theirs.duckdb' });
    const other = await signIn(made.api_key, { viewport: { width: 390, height: 844 }, colorScheme: 'dark' });
    await other.getByRole('row', { name: /theirs/ }).waitFor();
    assert.equal(await other.getByRole('row').count(), 2);
    assert.equal(await other.getByRole('link', { name: 'New connection' }).count(), 0);
    await isFine(other);
    await other.getByRole('link', { name: 'theirs' }).press('Enter');
    await other.getByText('Only an admin key of the server changes it').waitFor();
    await other.getByText('theirs.duckdb').waitFor();
    assert.equal(await other.getByRole('button', { name: /Save|Delete/ }).count(), 0);
    assert.equal(await other.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0, 'the page scrolls sideways');
    await isFine(other);
    const { id } = (await api('/api/destinations/local')).json();
    await other.goto(`${server.url}/#/connections/${id}`);
    await other.getByRole('alert').waitFor();
    assert.deepEqual([...complaints(page), ...complaints(other)], []);

    const { api_key: reader } = (await api('/api/destinations/local/keys', 'POST', { scopes: ['query'] })).json();
    const third = await signIn(reader);
    await third.getByRole('heading', { name: 'Not with this key' }).waitFor();
  });

  it('a later type has its page already: chosen by a card, its form made of its description', { timeout: 60_000 }, async () => {
    const setting = (name, label, more = {}) => ({ name, kind: 'text', label, secret: false, required: false, default: null, placeholder: null, help: `about ${label}`, only_with: null, not_with: [], ...more });
    const later = { type: 'postgres', label: 'PostgreSQL', help: 'A database elsewhere.', settings: [
      setting('host', 'Host', { required: true }), setting('password', 'Password', { secret: true }),
      setting('tls', 'Use TLS', { kind: 'boolean', default: true }), setting('ca', 'CA certificate', { only_with: 'tls' })] };
    const page = await browser.open();
    let sent = null;
    await page.route('**/api/destination-types', async (route) => {
      const answer = await route.fetch();
      const { data } = await answer.json();
      await route.fulfill({ response: answer, json: { data: [...data, later], next: null } });
    });
    await page.route('**/api/destinations/test', (route) => { sent = route.request().postDataJSON(); return route.fulfill({ json: { ok: false, error: 'no such host' } }); });
    await page.goto(`${server.url}/#/connections/new`);
    await page.getByLabel('API key').fill(server.adminKey);
    await page.getByLabel('API key').press('Enter');
    await page.getByRole('link', { name: /PostgreSQL/ }).waitFor();
    await page.getByRole('link', { name: /DuckDB/ }).waitFor();
    await isFine(page);
    await page.getByRole('link', { name: /PostgreSQL/ }).click();
    await page.getByLabel('Name', { exact: true }).fill('pg');
    await page.getByLabel('Host').fill('db.example.com');
    await page.getByLabel('Password').fill('hush');
    await page.getByLabel('CA certificate').fill('ca.pem');
    await page.getByRole('button', { name: 'Test the connection' }).click();
    await page.getByText('no such host').waitFor();
    assert.deepEqual(sent, { type: 'postgres', settings: { host: 'db.example.com', password: 'hush', ca: 'ca.pem' } });
    await isFine(page);
    await page.getByLabel('Use TLS').uncheck();
    await page.getByLabel('CA certificate').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Test the connection' }).click();
    await eventually('the second test', () => sent?.settings.tls === false);
    assert.deepEqual(sent.settings, { host: 'db.example.com', password: 'hush', tls: false });
    assert.deepEqual(complaints(page), []);
  });
});
