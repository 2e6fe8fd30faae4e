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

// Once, however often its picture is taken.
async function saveEndpoint(server) {
  const body = {
    name: 'revenue', description: 'What each product brought in, of one country', query: 'SELECT product, count(*) AS orders, sum(total)::DECIMAL(12,2) AS revenue\nFROM orders\nWHERE customer_country = $country AND ordered_at >= $since\nGROUP BY product ORDER BY revenue DESC',
    params: [{ name: 'country', type: 'string', description: 'two letters' }, { name: 'since', type: 'timestamp', default: '2020-01-01T00:00:00Z' }],
  };
  await server.api('/api/endpoints', { key: server.key, body: JSON.stringify(body) });
}

async function share(server) {
  const { data } = (await server.api('/api/shares', { key: server.key })).json();
  const made = data.find((each) => each.name === 'Orders of this month');
  if (made) return made;
  const body = { query: 'SELECT order_id, customer_name, product, quantity, total, ordered_at FROM orders ORDER BY ordered_at DESC', name: 'Orders of this month', duration: 30 * 86_400 };
  await server.api('/api/data/share', { key: server.key, body: JSON.stringify({ ...body, name: 'The quarter, for the accountant', frozen: true, password: 'tea' }) });
  await server.api('/api/data/share', { key: server.key, body: JSON.stringify(body) });
  return (await server.api('/api/shares', { key: server.key })).json().data.find((each) => each.name === body.name);
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
  { name: 'endpoints', go: async (page, made, server) => { await saveEndpoint(server); await to('/endpoints', 'Endpoints')(page); await page.getByRole('link', { name: 'revenue' }).waitFor(); } },
  {
    name: 'endpoint',
    go: async (page, made, server) => {
      await saveEndpoint(server);
      await to('/endpoints/revenue', 'revenue')(page);
      await page.getByLabel('country', { exact: true }).fill('DE');
      await page.getByRole('button', { name: 'Run' }).click();
      await page.getByRole('region', { name: 'The result' }).waitFor();
    },
  },
  { name: 'shares', go: async (page, made, server) => { await share(server); await to('/shares', 'Shares')(page); await page.getByRole('link', { name: 'Orders of this month', exact: true }).first().waitFor(); } },
  {
    name: 'share-dialog',
    go: async (page) => {
      await to('/shares', 'Shares')(page);
      await page.getByRole('button', { name: 'New share' }).click();
      await page.getByRole('textbox', { name: 'Query' }).fill('SELECT * FROM orders');
    },
  },
  { name: 'share-page', stranger: true, go: async (page, made, server) => { await page.goto((await share(server)).url); } },
  { name: 'keys', go: to('/keys', 'Keys') },
];
