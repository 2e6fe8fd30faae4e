// Where we are: what stands behind the # of the address. The server has one page.

const read = () => location.hash.replace(/^#\/?/, '').split('/').filter((part) => part !== '').map(decodeURIComponent);

export const route = $state({ parts: read() });

addEventListener('hashchange', () => {
  route.parts = read();
  scrollTo(0, 0);
});

export const link = (...parts: string[]) => `#/${parts.map(encodeURIComponent).join('/')}`;

// The console with this statement in a tab of its own.
export const consoleLink = (sql: string) => link('console', sql);
export function go(address: string) {
  location.hash = address;
}
