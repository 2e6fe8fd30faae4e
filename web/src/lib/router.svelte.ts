// Where we are: what stands behind the # of the address. The server has one page.

// What was not written by encodeURIComponent is what it is.
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
const read = () => location.hash.replace(/^#\/?/, '').split('/').filter((part) => part !== '').map(decoded);

export const route = $state({ parts: read() });

addEventListener('hashchange', () => {
  route.parts = read();
  scrollTo(0, 0);
});

// The same place, of which another part is looked at, or which has an address of its own now: no step on the way back.
export function stay(address: string) {
  history.replaceState(history.state, '', address);
  route.parts = read();
}

export const link = (...parts: string[]) => `#/${parts.map(encodeURIComponent).join('/')}`;

// The console with this statement in a tab of its own.
export const consoleLink = (sql: string) => link('console', sql);
export function go(address: string) {
  location.hash = address;
}
