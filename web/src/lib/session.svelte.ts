// Who is signed in, and which destination is looked at.
import type { Destination, Session } from './types';

export const session = $state<{ current: Session | null; known: boolean; destinations: Destination[]; destination: Destination | null }>({
  current: null,
  known: false, // whether the server has been asked
  destinations: [],
  destination: null,
});

// What a session saw goes with it: rows in memory, statements that run. So the page begins anew, and says why where nobody
// signed out.
const kEnded = 'session-ended';
export function endSession(why: 'signed-out' | 'refused') {
  if (why === 'refused') sessionStorage.setItem(kEnded, '1');
  location.reload();
}
export function hasEnded(): boolean {
  const ended = sessionStorage.getItem(kEnded) !== null;
  sessionStorage.removeItem(kEnded);
  return ended;
}

export const may = (scope: Session['key']['scopes'][number]) => session.current?.key.scopes.includes(scope) ?? false;

const kKey = 'destination';

export function chooseDestination(destination: Destination) {
  session.destination = destination;
  localStorage.setItem(kKey, destination.id);
}

export function offerDestinations(list: Destination[]) {
  session.destinations = list;
  const before = session.destination?.id ?? localStorage.getItem(kKey);
  session.destination = list.find((each) => each.id === before) ?? list[0] ?? null;
}
