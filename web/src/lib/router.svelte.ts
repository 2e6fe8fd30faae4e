// Where we are: what stands behind the # of the address. The server has one page. Of several destinations the address says
// which one is meant, so that it can be sent to somebody: "#/@other/data/events".
import { chooseDestination, session } from './session.svelte';
import type { Destination } from './types';

// What was not written by encodeURIComponent is what it is.
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
function read(): { parts: string[]; destination: string | null } {
  const parts = location.hash.replace(/^#\/?/, '').split('/').filter((part) => part !== '');
  const named = parts[0]?.startsWith('@') ? decoded(parts.shift()!.slice(1)) : null;
  return { parts: parts.map(decoded), destination: named };
}

export const route = $state(read());

addEventListener('hashchange', () => {
  Object.assign(route, read());
  scrollTo(0, 0);
});

// The same place, of which another part is looked at, or which has an address of its own now: no step on the way back.
export function stay(address: string) {
  history.replaceState(history.state, '', address);
  Object.assign(route, read());
}

// Pages of the whole server are the same whichever destination is looked at.
const wholes = ['connections', 'account'];
export const isWhole = (parts: string[]) => wholes.includes(parts[0] ?? '');
export const isNamed = () => session.current?.admin === true && session.destinations.length > 1;
export function link(...parts: string[]): string {
  const named = isNamed() && !isWhole(parts) && session.destination ? [`@${encodeURIComponent(session.destination.name)}`] : [];
  return `#/${[...named, ...parts.map(encodeURIComponent)].join('/')}`;
}

// Another destination, on the same page.
export function lookAt(destination: Destination) {
  chooseDestination(destination);
  if (!isWhole(route.parts)) stay(link(...route.parts));
}

// The console with this statement in a tab of its own.
export const consoleLink = (sql: string) => link('console', sql);
export function go(address: string) {
  location.hash = address;
}
