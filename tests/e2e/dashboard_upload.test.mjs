// Files that are uploaded, in a real browser.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import zlib from 'node:zlib';
import { signedIn, useBrowser, violations } from './browser.mjs';
import { eventually, problem, removeDirectory, temporaryDirectory, useServer } from './lib.mjs';
import { complaints } from './table_page.mjs';

describe('a file', () => {
  const server = useServer();
  const browser = useBrowser();
  const dir = temporaryDirectory();
  after(() => removeDirectory(dir));
  const file = (name, content) => {
    fs.writeFileSync(path.join(dir, name), content);
    return path.join(dir, name);
  };
  const choose = (page, name) => page.locator('input[type=file]').setInputFiles(name);
  const dialogOf = async (page) => {
    await page.getByRole('button', { name: 'Upload a file' }).click();
    return page.getByRole('dialog');
  };
  const put = async (page) => page.getByRole('button', { name: 'Upload', exact: true }).click();

  it('makes a table: tried first, then sent, and what is refused is said', { timeout: 120_000 }, async () => {
    await server.insert('other', { a: 1 });
    const page = await signedIn(browser, server, 'Data');
    const dialog = await dialogOf(page);
    assert.deepEqual(await violations(page), []);
    await choose(page, file('picture.png', 'x'));
    await dialog.getByText('cannot be told by its name').waitFor();
    await choose(page, file('My Orders (2).csv', 'id,when,text\n1,2026-01-02T03:04:05Z,"a, ""b""\nc"\n2,,x\n3,,y,z\n'));
    assert.equal(await dialog.getByLabel('Table').inputValue(), 'my_orders_2');
    await dialog.getByText('new table').waitFor();
    assert.match(await dialog.getByRole('row', { name: /^when/ }).innerText(), /TIMESTAMP WITH TIME ZONE/);
    await dialog.getByText('1 row would be refused').waitFor();
    await dialog.getByText('row 3:', { exact: true }).waitFor();
    assert.deepEqual(await violations(page), []);
    assert.equal((await server.api('/api/tables/my_orders_2')).status, 404, 'a dry run stores nothing');
    await put(page);
    await dialog.getByText('2 rows are on disk, and loaded.').waitFor();
    await dialog.getByText('line 5 has 4 fields, the header 3').waitFor();
    assert.deepEqual(await violations(page), []);
    const receipt = await dialog.locator('pre').innerText();
    assert.equal((await server.api(`/api/receipts/${receipt}`)).json().failed, 1);
    await dialog.getByRole('link', { name: 'failed rows' }).click();
    await page.getByRole('article').getByText('More fields than the header has').waitFor();
    assert.equal(await dialog.count(), 0);
    assert.deepEqual(await server.rows('SELECT id, text FROM my_orders_2 ORDER BY id'), [{ id: 1, text: 'a, "b"\nc' }, { id: 2, text: 'x' }]);

    // Into a table that is there: what changes of it.
    await dialogOf(page);
    await choose(page, file('more.json', '[{"id":1.5,"new":{"k":1}}]'));
    await dialog.getByText('was BIGINT').waitFor();
    await dialog.getByText('new_k').waitFor();
    await dialog.getByLabel('What is nested becomes').selectOption('none');
    await dialog.getByText('STRUCT("k" BIGINT)').waitFor();
    await put(page);
    await dialog.getByText('1 row is on disk').waitFor();
    await dialog.getByRole('button', { name: 'Done' }).click();
    assert.deepEqual(await server.rows('SELECT id, "new" FROM my_orders_2 WHERE id = 1.5'), [{ id: 1.5, new: { k: 1 } }]);
    assert.deepEqual(complaints(page), []);
  });

  it('that the server cannot read is told so before it is sent, and in the same way', { timeout: 120_000 }, async () => {
    const page = await signedIn(browser, server, 'Data');
    const dialog = await dialogOf(page);
    const utf16 = (text) => Buffer.from(`\ufeff${text}`, 'utf16le');
    const csv = 'id,name\n1,Zoë\n2,Bob\n';
    // What the trial says of the file, and what becomes of it.
    const tried = async (name, content, hint) => {
      await choose(page, file(name, content));
      await dialog.getByText(hint).waitFor();
      const outcome = dialog.getByRole('region', { name: 'What would come of it' }).or(dialog.getByRole('alert')).first();
      await outcome.waitFor();
      const trial = await outcome.innerText();
      assert.deepEqual(await violations(page), []);
      const as = name.includes('.csv') ? 'text/csv' : 'application/x-ndjson';
      const coding = name.endsWith('.gz') ? { 'Content-Encoding': 'gzip' } : {};
      const real = await server.api(`/api/data/insert/real_${name.replace(/\W/g, '_')}`, { method: 'POST', body: content, headers: { 'Content-Type': as, ...coding } });
      return { trial, real };
    };
    for (const [name, content] of [['sixteen.csv', utf16(csv)], ['sixteen.ndjson', utf16('{"id":1}\n{"id":2}\n')], ['sixteen.csv.gz', zlib.gzipSync(utf16(csv))], ['big.csv', Buffer.from(`\ufeff${csv}`, 'utf16le').swap16()]]) {
      const { trial, real } = await tried(name, content, 'This file is UTF-16, and the server reads UTF-8 only.');
      problem(real, 400);
      const { detail, row } = real.json();
      assert.ok(trial.includes(`The dry run was refused: ${row === undefined ? detail : detail.replace(`row ${row}:`, `row ${row + 1}:`)}`), `${name}: ${trial} | ${detail}`);
    }
    // Without its mark it could be text, with a NUL behind each letter.
    const bare = await tried('bare.csv', Buffer.from('id,name\n1,Zoe\n', 'utf16le'), 'This file is UTF-16, and the server reads UTF-8 only.');
    assert.match(bare.trial, new RegExp(`^${bare.real.json().rows} rows, tried`));
    const latin = await tried('latin.csv', Buffer.from(csv, 'latin1'), 'Some text of this file is not UTF-8');
    assert.match(latin.trial, /1 row would be refused/);
    assert.match(latin.trial, /row 1: It is not UTF-8/);
    assert.deepEqual([latin.real.json().rows, latin.real.json().failed], [1, 1]);
    for (const [name, content, what] of [['semicolons.csv', '\ufeffid;name\n1;Zoë\n', 'semicolons'], ['tabs.csv', 'id\tname\r\n1\tZoë\r\n', 'tabs']]) {
      await choose(page, file(name, content));
      await dialog.getByText(`The fields of this file stand apart by ${what}, and the server reads commas`).waitFor();
      await dialog.getByText('new table').waitFor();
      assert.deepEqual(await violations(page), []);
    }
    await choose(page, file('commas.csv', 'a;b,c\n1,2\n'));
    await dialog.getByRole('cell', { name: 'a;b', exact: true }).waitFor();
    assert.equal(await dialog.getByText('stand apart by').count(), 0);
    // A trial of the beginning cuts no character in two.
    await choose(page, file('cut.ndjson', `${JSON.stringify({ text: 'ü'.repeat(100) })}\n`.repeat(3000)));
    await dialog.getByText(/The first [\d,]+ rows, tried/).waitFor();
    assert.equal(await dialog.getByText('not UTF-8').count(), 0);
    assert.equal(await dialog.getByText('would be refused').count(), 0);
  });

  it('may be compressed, and is tried by its beginning where it is large', { timeout: 120_000 }, async () => {
    const rows = Array.from({ length: 20_000 }, (_, i) => ({ i, text: `row ${i} "quoted"`, deep: { a: [i] } }));
    const ndjson = rows.map((row) => JSON.stringify(row)).join('\n');
    const page = await signedIn(browser, server, 'Data');
    const zstd = file('zstd.ndjson', ndjson);
    execFileSync('zstd', ['-q', '-f', zstd]);
    for (const [name, content] of [['a.ndjson', ndjson], ['b.json', JSON.stringify(rows, null, 1)], ['c.ndjson.gz', zlib.gzipSync(ndjson)], ['d.csv', `i,text\n${rows.map((row) => `${row.i},"a ""b""\n${row.i}"`).join('\n')}`], ['zstd.ndjson.zst', null]]) {
      const dialog = await dialogOf(page);
      await choose(page, content === null ? `${zstd}.zst` : file(name, content));
      await dialog.getByText('tried without storing them').waitFor();
      const tried = Number(/(?:The first )?([\d,]+) rows, tried/.exec(await dialog.innerText())[1].replaceAll(',', ''));
      if (content === null) assert.equal(tried, 20_000);
      else assert.ok(tried > 1000 && tried < 20_000, `${name}: ${tried}`);
      assert.equal(await dialog.getByText('would be refused').count(), 0, name);
      await put(page);
      await dialog.getByText('20,000 rows are on disk').waitFor({ timeout: 30_000 });
      await dialog.getByRole('button', { name: 'Done' }).click();
      assert.equal(await server.value(`SELECT sum(i)::BIGINT FROM ${name.split('.')[0]}`), 199_990_000, name);
    }
    assert.deepEqual(complaints(page), []);
  });

  it('shows how far it is, is cancelled, and sent twice it is stored once', { timeout: 180_000 }, async () => {
    const line = `${JSON.stringify({ text: 'x'.repeat(1000) })}\n`;
    const big = file('big.ndjson', line.repeat(60_000));
    const page = await signedIn(browser, server, 'Data');
    const cdp = await page.context().newCDPSession(page);
    await cdp.send('Network.enable');
    const slow = (bytes) => cdp.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: bytes });
    const dialog = await dialogOf(page);
    await choose(page, big);
    await dialog.getByText('tried without storing them').waitFor();
    await slow(1.5e6);
    await put(page);
    const progress = dialog.getByRole('progressbar', { name: 'Sent' });
    await eventually('some of it', async () => { const value = Number(await progress.getAttribute('value')); return value > 5 && value < 95; }, 30_000);
    await dialog.getByText(/MiB of 58 MiB, \d+ %/).waitFor();
    await dialog.getByText(/a second$/).waitFor();
    assert.deepEqual(await violations(page), []);
    // A key that is hit by chance, or the cross, ends nothing before it is asked.
    for (const leave of [() => page.keyboard.press('Escape'), () => dialog.getByRole('button', { name: 'Close' }).click()]) {
      await leave();
      await dialog.getByText('Stop the upload? Nothing of it is stored yet, and nothing will be.').waitFor();
      assert.deepEqual(await violations(page), []);
      assert.equal(await dialog.getByRole('button', { name: 'Go on' }).evaluate((button) => button === document.activeElement), true);
      await page.keyboard.press('Escape');
      await page.keyboard.press('Escape');
      assert.equal(await dialog.count(), 1);
      await page.keyboard.press('Enter');
      await dialog.getByText('Stop the upload?').waitFor({ state: 'detached' });
    }
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await dialog.getByText('Cancelled. Nothing of it was stored.').waitFor();
    await dialog.getByRole('button', { name: 'Send it again' }).click();
    await progress.waitFor();
    await page.keyboard.press('Escape');
    await dialog.getByRole('button', { name: 'Stop it' }).click();
    await dialog.waitFor({ state: 'detached' });
    assert.equal((await server.api('/api/tables/big')).status, 404);
    await dialogOf(page);
    await choose(page, big);
    await slow(-1);
    assert.equal((await server.api('/api/tables/big')).status, 404);
    // The answer of the first one gets lost.
    let lost = false;
    await page.route('**/api/data/insert/big*', async (route) => {
      if (lost || route.request().url().includes('dry_run')) return route.continue();
      lost = true;
      await route.fetch({ timeout: 60_000 });
      return route.abort();
    });
    await put(page);
    await dialog.getByRole('alert').waitFor({ timeout: 60_000 });
    assert.ok(lost);
    assert.deepEqual(await violations(page), []);
    await page.unroute('**/api/data/insert/big*');
    await dialog.getByRole('button', { name: 'Send it again' }).click();
    await dialog.getByText('60,000 rows are on disk').waitFor({ timeout: 60_000 });
    assert.equal(await server.value('SELECT count(*) FROM big'), 60_000);
    assert.deepEqual(complaints(page).filter((each) => !/ERR_FAILED/.test(each)), []);
  });
});
