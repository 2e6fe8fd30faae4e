//   node tests/screenshots/take.mjs FOLDER [SCENE…]
//
// A picture of each page of the dashboard, and of a share's, in light and dark, on a desktop and a phone, of a server of its
// own with some rows: FOLDER/<scene>-<desktop|phone>-<light|dark>.png. `./dev screenshots` builds and runs it.
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { chromiumPath } from '../e2e/browser.mjs';
import { Server, root } from '../e2e/lib.mjs';
import { fill } from './rows.mjs';
import { scenes } from './scenes.mjs';

const { chromium } = createRequire(path.join(root, 'web/package.json'))('playwright-core');
const [folder, ...wanted] = process.argv.slice(2);
const chosen = scenes.filter((scene) => wanted.length === 0 || wanted.includes(scene.name));
const viewports = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };

fs.mkdirSync(folder, { recursive: true });
const server = await new Server({}).start();
const browser = await chromium.launch({ executablePath: chromiumPath(), args: ['--no-sandbox', '--disable-gpu'] });
let failed = false;
try {
  const made = await fill(server);
  for (const [device, viewport] of Object.entries(viewports)) {
    for (const colorScheme of ['light', 'dark']) {
      const context = await browser.newContext({ viewport, colorScheme, reducedMotion: 'reduce', locale: 'en-GB', timezoneId: 'UTC' });
      const cookies = await signIn();
      for (const scene of chosen) {
        const page = await context.newPage();
        page.setDefaultTimeout(15_000);
        const sending = scene.live ? made.keepSending() : null;
        try {
          if (scene.stranger) await context.clearCookies();
          else await context.addCookies(cookies);
          await page.goto(`${server.url}/`);
          // Which destination was looked at is remembered; each picture begins anew.
          await page.evaluate(() => localStorage.clear());
          await page.reload();
          if (!scene.stranger) await page.locator('main h1').first().waitFor();
          await scene.go(page, made, server);
          await page.waitForTimeout(scene.pause ?? 500);
          await page.screenshot({ path: path.join(folder, `${scene.name}-${device}-${colorScheme}.png`) });
        } catch (error) {
          failed = true;
          console.error(`${scene.name} ${device} ${colorScheme}: ${String(error).split('\n')[0]}`);
          await page.screenshot({ path: path.join(folder, `FAILED-${scene.name}-${device}-${colorScheme}.png`) });
        }
        await sending?.stop();
        await page.close();
      }
      await context.close();
    }
  }
} finally {
  await browser.close();
  await server.destroy();
}
console.log(`${folder}: ${fs.readdirSync(folder).length} pictures`);
process.exit(failed ? 1 : 0);

// A session's cookie, as the form gets it.
async function signIn() {
  const answer = await server.request('/api/session', { method: 'POST', body: JSON.stringify({ key: server.adminKey }), headers: { 'Content-Type': 'application/json' } });
  const [, name, value] = /^([^=]+)=([^;]+)/.exec([answer.headers['set-cookie']].flat()[0]);
  return [{ name, value, url: server.url }];
}
