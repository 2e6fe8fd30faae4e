// Who is signed in, and which destination is looked at.
import { bytes, number } from './format';
import { forgetAll } from './fresh.svelte';
import type { Destination, Session } from './types';

export const session = $state<{ current: Session | null; known: boolean; destinations: Destination[]; destination: Destination | null; doubts: number }>({
  current: null,
  known: false, // whether the server has been asked
  destinations: [],
  destination: null,
  doubts: 0, // how often the server has said that it knows no such destination
});

// What a session saw goes with it: rows in memory, statements that run. So the page begins anew, and says why where nobody
// signed out.
const kEnded = 'session-ended';
export function endSession(why: 'signed-out' | 'refused') {
  forgetAll();
  if (why === 'refused') sessionStorage.setItem(kEnded, '1');
  location.reload();
}
export function hasEnded(): boolean {
  const ended = sessionStorage.getItem(kEnded) !== null;
  sessionStorage.removeItem(kEnded);
  return ended;
}

export const may = (scope: Session['key']['scopes'][number]) => session.current?.key.scopes.includes(scope) ?? false;

// What limits the key beside its scopes, in words; none: nothing. Such a key neither shares nor saves endpoints: both give
// away what a query reads, and by them others would read more than the key.
export function limits(): string[] {
  const { tables, max_rows, max_bytes } = session.current?.key ?? {};
  return [
    ...(tables ? [tables.length === 1 ? 'one table only' : `${tables.length} tables only`] : []),
    ...(max_rows ? [`${number(max_rows)} rows of a result`] : []),
    ...(max_bytes ? [`${bytes(max_bytes)} of an answer`] : []),
  ];
}
export const mayShare = () => may('share') && limits().length === 0;
export const maySave = () => may('admin') && limits().length === 0;

const kKey = 'destination';

export function chooseDestination(destination: Destination) {
  session.destination = destination;
  localStorage.setItem(kKey, destination.id);
}

// How often the list was: an answer that was asked for before is older than what is known.
let offers = 0;
export const offersSoFar = () => offers;

export function offerDestinations(list: Destination[]) {
  ++offers;
  session.destinations = list;
  const before = session.destination?.id ?? localStorage.getItem(kKey);
  session.destination = list.find((each) => each.id === before) ?? list[0] ?? null;
}
