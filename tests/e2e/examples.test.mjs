// docs/examples, word for word: its commands by a shell, its dashboard in a browser.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { before, describe, it } from 'node:test';
import { duckdbIntegers } from './duckdb.mjs';
import { root, temporaryDirectory, useServer } from './lib.mjs';

const npm = createRequire(path.join(root, 'third_party/package.json'));
const page = fs.readFileSync(path.join(root, 'docs/examples/README.md'), 'utf8');
const blocks = (language) => [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map((match) => match[1]);

describe('docs/examples', () => {
  const server = useServer();
  let answers; // of the commands, one a line
  let key;
  const dir = temporaryDirectory();
  before(() => {
    const run = (text) => execFileSync('bash', ['-euo', 'pipefail', '-c', text.replaceAll('localhost:8080', `127.0.0.1:${server.port}`).replaceAll('curl ', 'curl -sS --fail-with-body -w "\\n" ')], { encoding: 'utf8', cwd: dir });
    answers = blocks('sh').flatMap((block) => run(block).split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line)));
    key = answers.find((answer) => answer.api_key).api_key;
  });

  it('every command works as it stands', () => {
    assert.equal(answers.length, 5);
    assert.equal(answers[0].rows, 4);
    assert.deepEqual(answers.slice(1, 3).map((answer) => answer.name), ['orders_by_item', 'orders_by_day']);
  });

  it('the dashboard shows its customer in a browser, from a file, and its key nobody else', { timeout: 90_000 }, async () => {
    const url = `file://${path.join(root, 'docs/examples/dashboard.html')}#http://127.0.0.1:${server.port},${key}`;
    const dom = execFileSync('chromium', ['--headless', '--no-sandbox', '--disable-gpu', `--user-data-dir=${temporaryDirectory()}`, '--virtual-time-budget=8000', '--dump-dom', url], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: 60_000 });
    assert.match(dom, /<p id="trouble" role="alert"><\/p>/);
    assert.match(dom, /<b id="orders">3<\/b>/);
    assert.match(dom, /<b id="spent">10\.20<\/b>/);
    assert.match(dom, /<tr><td>tea<\/td><td>2<\/td><td>9\.00<\/td><\/tr>/);
    assert.equal([...dom.matchAll(/<rect /g)].length, 2);
    assert.ok(!dom.includes('=1+1'));
    for (const query of ['?customer=bob', `?customer=bob&api_key=${key}`]) assert.equal((await server.api(`/api/endpoints/orders_by_item.json${query}`, { key })).status, 403);
  });

  it('the spreadsheet gets a CSV that runs nothing', async () => {
    const share = answers.find((answer) => answer.url?.includes('/share/'));
    const csv = (await server.request(`/share/${share.id}/data.csv?spreadsheet=true`)).text;
    assert.ok(csv.startsWith('\uFEFF'));
    assert.ok(csv.includes(',"\'=1+1",'), csv);
  });

  it('the notebook\'s Arrow stream and Parquet file hold the rows, as other libraries read them', async () => {
    const { tableFromIPC } = npm('apache-arrow');
    const [, arrow] = /urlopen\("([^"]+)"/.exec(blocks('python')[1]);
    const stream = await fetch(arrow.replace('localhost:8080', `127.0.0.1:${server.port}`));
    assert.equal(tableFromIPC(new Uint8Array(await stream.arrayBuffer())).numRows, 4);
    assert.deepEqual(duckdbIntegers([`SELECT count(*), sum(orders)::BIGINT FROM '${dir}/items.parquet'`]), [2n, 3n]);
  });

  it('the notebook\'s lines give the rows', (t) => {
    const python = '/usr/bin/python3';
    try {
      execFileSync(python, ['-c', 'import pandas'], { stdio: 'ignore' });
    } catch {
      t.skip('python3-pandas is not installed');
      return;
    }
    const lines = blocks('python')[0].replace('localhost:8080', `127.0.0.1:${server.port}`);
    assert.equal(execFileSync(python, ['-c', `${lines}\nprint(len(orders), orders.amount.sum().round(2))`], { encoding: 'utf8' }).trim(), '4 109.2');
  });
});
