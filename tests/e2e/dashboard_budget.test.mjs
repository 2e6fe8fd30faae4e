// How much the dashboard loads, and how soon it can be used.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { signedIn, useBrowser } from './browser.mjs';
import { useServer } from './lib.mjs';

const kBudget = 250 * 1024; // bytes on the wire, without the editor
const kSoon = 1000; // milliseconds

// What a page asks for from here on, with the bytes that came over the wire.
async function traffic(page) {
  const session = await page.context().newCDPSession(page);
  const asked = new Map();
  await session.send('Network.enable');
  session.on('Network.requestWillBeSent', ({ requestId, request }) => asked.set(requestId, { path: new URL(request.url).pathname, bytes: 0, cached: false, status: 0 }));
  session.on('Network.requestServedFromCache', ({ requestId }) => { if (asked.has(requestId)) asked.get(requestId).cached = true; });
  session.on('Network.responseReceived', ({ requestId, response }) => {
    const each = asked.get(requestId);
    if (!each) return;
    each.status = response.status;
    if (response.fromDiskCache) each.cached = true;
  });
  session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => { if (asked.has(requestId)) asked.get(requestId).bytes = encodedDataLength; });
  return {
    all: () => [...asked.values()],
    forget: () => asked.clear(),
    sum: (wanted = () => true) => [...asked.values()].filter((each) => !each.cached && wanted(each)).reduce((total, each) => total + each.bytes, 0),
  };
}

describe('the dashboard\'s budget', () => {
  const server = useServer();
  const browser = useBrowser();

  it('the first load is small, the second one brings data only', { timeout: 60_000 }, async (t) => {
    await server.insert('events', [{ n: 1 }], { query: '?wait=true' });
    const page = await browser.open();
    const seen = await traffic(page);
    await page.goto(`${server.url}/`);
    await page.getByLabel('API key').waitFor();
    await page.getByLabel('API key').fill(server.adminKey);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('link', { name: 'events' }).waitFor();
    const first = seen.sum();
    assert.ok(first < kBudget, `${first} bytes`);
    assert.ok(!seen.all().some((each) => /Console|Editor|Chart/.test(each.path)), 'the editor is loaded with the console only');
    seen.forget();
    // A new visit, not a reload: that would ask for everything again.
    const again = await page.context().newPage();
    const second = await traffic(again);
    await again.goto(`${server.url}/`);
    await again.getByRole('link', { name: 'events' }).waitFor();
    const assets = second.all().filter((each) => each.path.startsWith('/assets/'));
    assert.ok(assets.length >= 2 && assets.every((each) => each.cached), JSON.stringify(assets));
    const html = second.all().find((each) => each.path === '/');
    assert.ok(html.cached || html.status === 304 || html.bytes < 1500, JSON.stringify(html));
    const page2 = second.sum((each) => !each.path.startsWith('/api/'));
    t.diagnostic(`first load ${first} bytes; the second without its data ${page2} bytes`);
    assert.ok(page2 < 1500, `${page2} bytes`);
    // With the console: what the editor adds, once.
    seen.forget();
    await page.getByRole('link', { name: 'Console' }).click();
    await page.getByLabel(/^SQL of/).waitFor();
    t.diagnostic(`the console adds ${seen.sum((each) => each.path.startsWith('/assets/'))} bytes`);
  });

  it('can be used within a second', { timeout: 120_000 }, async (t) => {
    const times = [];
    for (let i = 0; i < 5; ++i) {
      const page = await signedIn(browser, server);
      const began = Date.now();
      await page.goto(`${server.url}/?visit=${i}`);
      // Interactive: the menu answers.
      await page.getByRole('link', { name: 'Keys' }).click();
      await page.getByRole('heading', { name: 'Keys', level: 1 }).waitFor();
      times.push(Date.now() - began);
      await page.close();
    }
    times.sort((a, b) => a - b);
    t.diagnostic(`milliseconds until a click was answered: ${times.join(', ')}`);
    assert.ok(times[2] < kSoon, `${times}`);
  });
});
