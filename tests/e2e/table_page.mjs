// A table's page of the dashboard, as tests find their way in it.

// What a page complained of that is no surprise: browsers tell their console of every answer that is no success, also where
// the page expects it.
export const complaints = (page) => page.complaints.filter((each) => !/status of (400|404)/.test(each));

export async function openTable(page, server, table, tab) {
  await page.goto(`${server.url}/#/data/${encodeURIComponent(table)}/${tab}`);
  await page.getByRole('heading', { name: table, level: 1 }).waitFor();
}
