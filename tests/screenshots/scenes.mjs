// What is photographed: for each page its name and how somebody gets there. `page` is signed in as admin and at the home page.
const to = (hash, heading) => async (page) => {
  await page.evaluate((where) => { location.hash = where; }, hash);
  await page.getByRole('heading', { name: heading, level: 1 }).waitFor();
};

async function writeSql(page, sql) {
  const editor = page.getByLabel(/^SQL of/);
  await editor.focus();
  await editor.press('Control+a');
  await editor.press('Delete');
  await page.keyboard.insertText(sql);
  await page.keyboard.press('Escape');
  await page.keyboard.press('Control+Enter');
  await page.getByText(/rows?, .* in /).waitFor();
}

export const scenes = [
  { name: 'home', go: async (page) => { await to('/', 'local')(page); await page.waitForTimeout(2500); }, live: true },
  { name: 'data', go: to('/data', 'Data') },
  { name: 'table', go: to('/data/orders', 'orders') },
  { name: 'console', go: async (page) => { await to('/console', 'Console')(page); await writeSql(page, 'SELECT * FROM orders ORDER BY ordered_at DESC'); } },
  {
    name: 'console-chart',
    go: async (page) => {
      await to('/console', 'Console')(page);
      await writeSql(page, 'SELECT date_trunc(\'day\', ordered_at) AS day, count(*) AS orders, sum(total)::DOUBLE AS revenue\nFROM orders GROUP BY ALL ORDER BY day');
      await page.getByRole('button', { name: 'Chart' }).click();
      await page.locator('.plot canvas').waitFor();
    },
  },
  { name: 'keys', go: to('/keys', 'Keys') },
];
