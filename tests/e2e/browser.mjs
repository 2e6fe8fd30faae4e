// A real browser for tests: Debian's chromium, driven by playwright-core, each context with nothing remembered.
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';
import { after, before } from 'node:test';
import { root } from './lib.mjs';

const npm = createRequire(path.join(root, 'web/package.json'));
const { chromium } = npm('playwright-core');
export const axeSource = npm('axe-core').source;

const find = (...names) => execFileSync('sh', ['-c', names.map((name) => `command -v ${name}`).join(' || ')], { encoding: 'utf8' }).trim();
// The same Chromium without its windows takes a third less time (interleaved runs of two files: 60 and 61 s, 85 and 84 s).
export const chromiumPath = () => find('chromium-headless-shell', 'chromium');
export const wholeChromiumPath = () => find('chromium');

// The browser of a describe(), or of a file.
export function useBrowser(executable = chromiumPath) {
  const holder = { browser: null };
  before(async () => { holder.browser = await chromium.launch({ executablePath: executable(), args: ['--no-sandbox', '--disable-gpu'] }); });
  after(async () => { await holder.browser?.close(); });
  // A page of a fresh profile; what it complains of is collected in `complaints`.
  holder.open = async (options = {}) => {
    const context = await holder.browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
    const page = await context.newPage();
    page.complaints = [];
    page.on('console', (message) => { if (message.type() === 'error' || message.type() === 'warning') page.complaints.push(message.text()); });
    page.on('pageerror', (error) => page.complaints.push(String(error)));
    page.setDefaultTimeout(10_000);
    return page;
  };
  return holder;
}

// What axe-core finds wrong with the page as it is now: "rule: target", none of them.
export async function violations(page) {
  // Its source as a value: the page's policy runs no inline script.
  await page.evaluate(`${axeSource};undefined`);
  const { violations: found } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  return found.flatMap((rule) => rule.nodes.map((node) => `${rule.id}: ${node.target.join(' ')} (${node.failureSummary?.split('\n')[1]?.trim()})`));
}

// A page that signed in with `key` (the server's admin key) and went to a place.
export async function signedIn(browser, server, place, { key = server.adminKey, ...options } = {}) {
  const page = await browser.open(options);
  await page.goto(`${server.url}/`);
  await page.getByLabel('API key').fill(key);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.locator('#content h1').first().waitFor();
  page.complaints.length = 0; // of the 401 that asked for the key
  if (place) {
    await page.getByRole('link', { name: place, exact: true }).click();
    await page.getByRole('heading', { name: place, level: 1 }).waitFor();
  }
  return page;
}
