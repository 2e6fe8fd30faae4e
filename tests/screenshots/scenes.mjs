// What is photographed: for each page its name and how somebody gets there. `page` is signed in as admin and at the home page.
// live: rows arrive meanwhile; pause: milliseconds before the picture; stranger: without a session.
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

// A destination without a row, and chosen.
async function nothingYet(server, page) {
  const { data } = (await server.api('/api/destinations', { key: server.adminKey })).json();
  if (!data.some((each) => each.name === 'empty')) await server.api('/api/destinations', { key: server.adminKey, body: '{"name":"empty"}' });
  await page.reload();
  const picker = page.locator('#destination');
  await picker.waitFor({ state: 'attached' });
  await picker.evaluate((select) => {
    select.value = [...select.options].find((each) => each.text === 'empty').value;
    select.dispatchEvent(new Event('change', { bubbles: true }));
  });
}

export const scenes = [
  { name: 'home', go: async (page) => { await to('/', 'local')(page); await page.waitForTimeout(2500); }, live: true, pause: 40_000 },
  { name: 'data', go: to('/data', 'Data') },
  { name: 'table', go: to('/data/orders', 'orders') },
  { name: 'console', go: async (page) => { await to('/console', 'Console')(page); await writeSql(page, 'SELECT * FROM orders ORDER BY ordered_at DESC'); } },
  {
    name: 'console-tables',
    go: async (page) => {
      await to('/console', 'Console')(page);
      await page.getByRole('button', { name: 'Tables', exact: true }).click();
      await page.getByRole('complementary').getByRole('button', { name: 'orders', exact: true }).click();
      await writeSql(page, 'SELECT product, count(*) AS orders FROM orders GROUP BY product');
      await page.getByRole('button', { name: 'Tables', exact: true, pressed: true }).waitFor();
    },
  },
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
  { name: 'share-password', stranger: true, go: async (page, made, server) => { await share(server); const { data } = (await server.api('/api/shares', { key: server.key })).json(); await page.goto(data.find((each) => each.password).url); } },
  { name: 'share-ended', stranger: true, go: async (page, made, server) => { await page.goto(`${server.url}/share/00000000-0000-4000-8000-000000000000`); } },
  { name: 'sign-in', stranger: true, go: async (page) => { await page.getByLabel('API key').waitFor(); } },
  { name: 'first-steps', go: async (page, made, server) => { await nothingYet(server, page); await to('/', 'empty')(page); await page.getByRole('heading', { name: 'Send the first row' }).waitFor(); } },
  ...['columns', 'live', 'history', 'contract', 'failed', 'settings'].map((tab) => ({
    name: `table-${tab}`, live: tab === 'live', go: async (page) => { await to(`/data/${tab === 'live' ? 'page_views' : tab === 'failed' ? 'ledger' : 'orders'}/${tab}`, tab === 'live' ? 'page_views' : tab === 'failed' ? 'ledger' : 'orders')(page); await page.waitForTimeout(1200); },
  })),
  { name: 'upload', go: async (page) => { await to('/data', 'Data')(page); await page.getByRole('button', { name: /Upload/ }).first().click(); } },
  { name: 'connections', go: to('/connections', 'Connections') },
  { name: 'connection-new', go: async (page) => { await page.evaluate(() => { location.hash = '#/connections/new'; }); await page.getByLabel('Name', { exact: true }).waitFor(); } },
  { name: 'connection', go: async (page) => { await to('/connections', 'Connections')(page); await page.getByRole('main').getByRole('link', { name: 'local' }).click(); await page.getByRole('heading', { name: 'local', level: 1 }).waitFor(); } },
  { name: 'webhooks', go: to('/webhooks', 'Webhooks') },
  { name: 'webhook-new', go: async (page) => { await page.evaluate(() => { location.hash = '#/webhooks/new/stripe'; }); await page.waitForTimeout(800); } },
  { name: 'keys', go: to('/keys', 'Keys') },
  { name: 'key-new', go: async (page) => { await to('/keys', 'Keys')(page); await page.getByRole('button', { name: 'New key' }).click(); } },
  { name: 'account', go: to('/account', 'Account') },
];
