// The dashboard in a real browser, against the real server.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { signedIn, useBrowser, violations } from './browser.mjs';
import { eventually, problem, startServer, useServer } from './lib.mjs';

describe('the dashboard\'s files', () => {
  const server = useServer();
  it('the page is asked for anew, what it loads is kept for good, and all of it comes compressed', async () => {
    const page = await server.request('/');
    assert.equal(page.status, 200);
    assert.equal(page.headers['cache-control'], 'no-cache');
    const licences = await server.request('/assets/licences.txt');
    assert.equal(licences.headers['content-type'], 'text/plain; charset=utf-8');
    assert.equal(licences.headers['cache-control'], 'no-cache'); // its name holds no hash
    for (const name of ['svelte', 'uplot', 'regular-table', '@codemirror/view']) assert.match(licences.text, new RegExp(`^${name} \\d`, 'm'));
    assert.match(licences.text, /Permission is hereby granted/);
    const policy = page.headers['content-security-policy'];
    for (const rule of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"]) assert.ok(policy.split('; ').includes(rule), policy);
    assert.ok(!/unsafe/.test(policy));
    assert.equal((await server.request('/', { headers: { 'If-None-Match': page.headers.etag } })).status, 304);
    const files = [...page.text.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map((match) => match[1]);
    assert.ok(files.some((file) => file.endsWith('.js')) && files.some((file) => file.endsWith('.css')), page.text);
    assert.ok(!/https?:\/\//.test(page.text) && !/<script(?![^>]*src)/.test(page.text) && !/style=/.test(page.text));
    const { brotliDecompressSync, gunzipSync } = await import('node:zlib');
    let size = 0;
    for (const file of files) {
      const ask = (coding, more = {}) => server.request(file, { headers: { 'Accept-Encoding': coding, ...more } });
      const plain = await ask('identity');
      assert.equal(plain.headers['cache-control'], 'public, max-age=31536000, immutable');
      assert.equal(plain.headers['content-encoding'], undefined);
      for (const [coding, unpack] of [['br', brotliDecompressSync], ['gzip', gunzipSync]]) {
        const packed = await ask(coding);
        if (packed.headers['content-encoding']) assert.deepEqual(unpack(packed.body), plain.body, file);
        else assert.ok(file.endsWith('.svg'), file);
      }
      for (const no of ['br;q=0', 'br;q=0.000', 'brr']) assert.notEqual((await ask(no)).headers['content-encoding'], 'br', no);
      assert.equal((await ask('gzip;q=0.5, br;q=0.1')).headers['content-encoding'] ?? 'br', 'br');
      assert.equal((await ask('br', { 'If-None-Match': plain.headers.etag })).status, 304);
      size += (await ask('br')).body.length;
    }
    assert.ok(size < 250 * 1024, `${size} bytes`);
    problem(await server.request('/assets/never.js'), 404);
    problem(await server.request('/assets/..%2findex.html'), 404);
  });
});

describe('the first minutes', () => {
  const browser = useBrowser();

  it('the link of the first start signs in, and what is copied there inserts the first row', { timeout: 120_000 }, async (t) => {
    const server = await startServer(t, {});
    const [, link] = /(http:\/\/\S+#sign-in=\S+)/.exec(server.stdout);
    const page = await browser.open();
    await page.goto(link);
    await page.getByRole('heading', { name: 'Send the first row' }).waitFor();
    assert.equal(new URL(page.url()).hash, '', 'the link is not kept in the address');
    assert.deepEqual(await violations(page), []);
    await page.getByRole('button', { name: 'Make a key for these lines' }).click();
    await page.getByText('It is shown only now').waitFor();
    const key = /Bearer (sd_\w+)/.exec(await page.locator('pre').first().innerText())[1];
    const copied = await page.locator('pre').first().innerText();
    assert.match(copied, /Bearer sd_/);
    const answer = execFileSync('bash', ['-euo', 'pipefail', '-c', copied.replace('curl ', 'curl -sS --fail-with-body ')], { encoding: 'utf8' });
    assert.equal(JSON.parse(answer).rows, 1);
    // It shows by itself.
    await page.getByRole('link', { name: 'events' }).waitFor();
    // What was made stays until it is copied.
    assert.ok((await page.locator('pre').nth(1).innerText()).includes(key));
    await page.getByRole('button', { name: 'The key is kept' }).click();
    assert.ok(!(await page.content()).includes(key));
    // So do those that follow, while they come.
    await page.getByText('Rows a second').first().waitFor();
    let sending = true;
    const sender = (async () => { while (sending) await server.insert('events', [{ user: 'bob' }, { user: 'eve' }], { key: server.key }); })();
    const row = page.getByRole('row', { name: /events/ });
    const count = async () => Number((await row.getByRole('cell').nth(1).innerText()).replaceAll(',', ''));
    await eventually('rows arrive', async () => await count() > 100);
    const before = await count();
    await eventually('more rows', async () => await count() > before);
    await eventually('a rate', async () => Number((await row.getByRole('cell').nth(2).innerText()).replaceAll(',', '')) > 10);
    sending = false;
    await sender;
    assert.deepEqual(await violations(page), []);
    await page.getByRole('link', { name: 'events' }).click();
    await page.getByRole('heading', { name: 'events', level: 1 }).waitFor();
    await page.getByRole('columnheader', { name: /cart_0_sku/ }).waitFor();
    assert.deepEqual(await violations(page), []);
    // The link is used up; whoever has nothing is asked for a key.
    const other = await browser.open();
    await other.goto(link);
    await other.getByText('has been used').waitFor();
    assert.deepEqual(await violations(other), []);
    await other.getByLabel('API key').fill('sd_wrong');
    await other.getByRole('button', { name: 'Sign in' }).click();
    await other.getByText('not known').waitFor();
    await other.getByLabel('API key').fill(server.key);
    await other.getByRole('button', { name: 'Sign in' }).click();
    await other.getByRole('heading', { name: 'local' }).waitFor();
    await other.getByRole('button', { name: 'Sign out' }).click();
    await other.getByLabel('API key').waitFor();
    await other.reload();
    await other.getByLabel('API key').waitFor();
    assert.deepEqual(page.complaints, []);
    assert.deepEqual(other.complaints.filter((each) => !/401/.test(each)), []);
  });
});

describe('keys', () => {
  const server = useServer();
  const browser = useBrowser();

  it('are made, shown once, and revoked', { timeout: 120_000 }, async () => {
    const page = await browser.open();
    await page.goto(`${server.url}/`);
    await page.getByLabel('API key').fill(server.adminKey);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('link', { name: 'Keys' }).click();
    await page.getByRole('button', { name: 'New key' }).click();
    await page.getByLabel('Name').fill('for the shop');
    await page.getByLabel('query').check();
    assert.deepEqual(await violations(page), []);
    await page.getByRole('button', { name: 'Make the key' }).click();
    const secret = await page.locator('dialog pre').first().innerText();
    assert.match(secret, /^sd_\w{43}$/);
    assert.equal((await server.api('/api/tables', { key: secret })).status, 200);
    assert.deepEqual(await violations(page), []);
    await page.getByRole('button', { name: 'Done' }).click();
    const focused = () => page.evaluate(() => document.activeElement.textContent);
    assert.equal(await focused(), 'New key', 'focus goes back to where it was');
    const row = page.getByRole('row', { name: /for the shop/ });
    assert.match(await row.innerText(), /insert\s+query/);
    assert.ok(!(await page.content()).includes(secret));
    await row.getByRole('button', { name: 'Revoke' }).click();
    assert.equal(await focused(), 'Keep it', 'what does no harm is first');
    await page.getByRole('button', { name: 'Keep it' }).click();
    assert.equal(await focused(), 'Revoke');
    await row.getByRole('button', { name: 'Revoke' }).click();
    await page.getByRole('button', { name: 'Revoke it' }).click();
    await row.waitFor({ state: 'detached' });
    problem(await server.api('/api/tables', { key: secret }), 401);
    await page.getByLabel('Show revoked').check();
    await page.getByText('revoked', { exact: true }).waitFor();
    assert.deepEqual(await violations(page), []);
    assert.deepEqual(page.complaints.filter((each) => !/401/.test(each)), []);
  });

  it('a session that ends says so, and nothing of it is left in the page', { timeout: 60_000 }, async () => {
    const { id, api_key: secret } = (await server.api('/api/destinations/local/keys', { key: server.adminKey, body: '{"name":"for an hour"}' })).json();
    const page = await browser.open();
    await page.goto(`${server.url}/#/console`);
    await page.getByLabel('API key').fill(secret);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByLabel(/^SQL of/).focus();
    await page.keyboard.insertText('SELECT \'seen by one key only\' AS text');
    await page.keyboard.press('Control+Enter');
    await page.getByRole('cell', { name: 'seen by one key only' }).waitFor();
    assert.equal((await server.api(`/api/destinations/local/keys/${id}`, { key: server.adminKey, method: 'DELETE' })).status, 204);
    await page.waitForTimeout(1100); // a revoked key stops within a second
    await page.keyboard.press('Control+Enter');
    await page.getByText('The session has ended').waitFor();
    assert.deepEqual(await violations(page), []);
    await page.getByLabel('API key').fill(server.adminKey);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByLabel(/^SQL of/).waitFor();
    assert.equal(await page.getByText('The session has ended').count(), 0);
    assert.ok(!(await page.content()).includes('seen by one key only'));
    assert.equal(await page.getByLabel(/^SQL of/).innerText().then((text) => text.includes('seen')), false, 'another key\'s statements');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('API key').waitFor();
    assert.equal(await page.getByText('The session has ended').count(), 0);
  });

  it('addresses that nobody wrote lead somewhere', { timeout: 60_000 }, async () => {
    const page = await signedIn(browser, server);
    for (const [address, heading] of [['#/data/%E0%A4%A', '%E0%A4%A'], ['#/data/100%', '100%'], ['#/nowhere', 'There is nothing here'], ['#/', 'local']]) {
      await page.goto(`${server.url}/${address}`);
      await page.reload();
      await page.getByRole('heading', { name: heading, level: 1 }).waitFor();
    }
  });

  it('what the page offers follows the key that signed in', { timeout: 60_000 }, async () => {
    const { api_key: secret } = (await server.api('/api/destinations/local/keys', { key: server.adminKey, body: '{"scopes":["insert"]}' })).json();
    const page = await browser.open();
    await page.goto(`${server.url}/`);
    await page.getByLabel('API key').fill(secret);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Send the first row' }).waitFor();
    for (const name of ['Keys', 'Console', 'Shares', 'Connections']) assert.equal(await page.getByRole('link', { name, exact: true }).count(), 0, name);
    assert.equal(await page.getByRole('button', { name: 'Make a key for these lines' }).count(), 0);
    // It may send a file.
    await page.getByRole('link', { name: 'Data', exact: true }).click();
    await page.getByRole('button', { name: 'Upload a file' }).waitFor();
    assert.deepEqual(await violations(page), []);
    await page.goto(`${server.url}/#/console`);
    await page.getByText('lacks the scope that this page needs: query').waitFor();
    assert.deepEqual(page.complaints.filter((each) => !/401/.test(each)), []);
    // One that only watches, watches.
    const { api_key: watcher } = (await server.api('/api/destinations/local/keys', { key: server.adminKey, body: '{"scopes":["tail"]}' })).json();
    const other = await signedIn(browser, server, 'Data', { key: watcher });
    await other.getByLabel('Table', { exact: true }).fill('seen_live');
    await other.getByRole('button', { name: 'Watch' }).click();
    await other.getByText('Following').waitFor();
    await server.insert('seen_live', { hello: 'watcher' }, { key: server.key });
    await other.getByText('"watcher"').waitFor();
    assert.deepEqual(await violations(other), []);
    assert.deepEqual(other.complaints, []);
  });
});
