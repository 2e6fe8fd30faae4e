// Every page, as ./dev screenshots photographs it: nothing that axe-core finds, nothing wider than a phone, no complaint.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fill } from '../screenshots/rows.mjs';
import { scenes } from '../screenshots/scenes.mjs';
import { signedIn, useBrowser, violations } from './browser.mjs';
import { useServer } from './lib.mjs';

describe('every page', () => {
  const server = useServer();
  const browser = useBrowser();
  let made;

  for (const [device, options] of Object.entries({
    'a desktop, light': { viewport: { width: 1280, height: 800 }, colorScheme: 'light' },
    'a phone, dark': { viewport: { width: 390, height: 844 }, colorScheme: 'dark' },
  })) {
    it(`is without a violation on ${device}`, { timeout: 400_000 }, async (t) => {
      made ??= await fill(server);
      const signed = await signedIn(browser, server, null, options);
      for (const scene of scenes) {
        await t.test(scene.name, async () => {
          const page = scene.stranger ? await browser.open(options) : signed;
          const sending = scene.live ? made.keepSending() : null;
          try {
            await page.goto(`${server.url}/`);
            // Which destination was looked at is remembered; each page is come to anew.
            await page.evaluate(() => localStorage.clear());
            await page.reload();
            await page.locator('main h1').first().waitFor();
            await scene.go(page, made, server);
            await page.waitForTimeout(300);
            assert.deepEqual(await violations(page), []);
            // Nothing lies over the menu.
            if (!scene.stranger && await page.locator('dialog[open]').count() === 0) await page.locator(options.viewport.width < 800 ? 'button.menu' : '#nav a').first().click({ trial: true });
            const [wide, place] = await page.evaluate(() => [document.scrollingElement.scrollWidth, innerWidth]);
            assert.ok(wide <= place, `${wide} pixels on a screen of ${place}`);
            // What a stranger is refused, a browser counts among its errors; so does text over a selection (see dashboard_console).
            assert.deepEqual(page.complaints.filter((each) => !/status of 40[14]|Applying inline style/.test(each)), []);
          } finally {
            await sending?.stop();
            page.complaints.length = 0;
            if (scene.stranger) await page.context().close();
          }
        });
      }
    });
  }
});
