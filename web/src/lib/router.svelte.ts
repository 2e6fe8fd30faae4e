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

// The same place, of which another part is looked at: no step on the way back, and an address to send to somebody.
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
// The same place under its own address: there is no way back to what it was before.
export function rename(address: string) {
  history.replaceState(null, '', address);
  route.parts = read();
}
