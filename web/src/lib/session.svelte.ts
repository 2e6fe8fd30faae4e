// Who is signed in, and which destination is looked at.
import { forgetAll } from './fresh.svelte';
import { answerLimits } from './keys';
import { folded } from './names';
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
const kSignedIn = 'signed-in'; // by which key, for the other tabs
const kEndings = {
  'signed-out': '',
  refused: 'The session has ended: it ran out, or its key was revoked. Sign in again.',
  elsewhere: 'Another tab of this browser signed out, or in with another key.',
};
export function endSession(why: keyof typeof kEndings) {
  forgetAll();
  const isElsewhere = why === 'refused' && localStorage.getItem(kSignedIn) !== session.current?.key.id;
  sessionStorage.setItem(kEnded, kEndings[isElsewhere ? 'elsewhere' : why]);
  if (why === 'signed-out') localStorage.setItem(kSignedIn, '');
  location.reload();
}
// Why the page began anew, said once; nothing where somebody signed out here.
export function hasEnded(): string {
  const words = sessionStorage.getItem(kEnded) ?? '';
  sessionStorage.removeItem(kEnded);
  return words;
}

// The browser's tabs share a cookie: with another session's, a page of this one would act on what it does not show.
export const tellOtherTabs = () => localStorage.setItem(kSignedIn, session.current?.key.id ?? '');
addEventListener('storage', ({ key, newValue }) => {
  if (key === kSignedIn && session.current && newValue !== session.current.key.id) endSession('elsewhere');
});

export const may = (scope: Session['key']['scopes'][number]) => session.current?.key.scopes.includes(scope) ?? false;

// Whether the key is for this table too; what it may do there, its scopes say.
export const mayTable = (name: string) => session.current?.key.tables?.some((each) => folded(each) === folded(name)) ?? true;

// What limits the key beside its scopes, in words; none: nothing. Such a key neither shares nor saves endpoints: both give
// away what a query reads, and by them others would read more than the key.
export function limits(): string[] {
  const key = session.current?.key;
  if (!key) return [];
  return [...(key.tables ? [key.tables.length === 1 ? 'one table only' : `${key.tables.length} tables only`] : []), ...answerLimits(key)];
}
export const mayShare = () => may('share') && limits().length === 0;
export const maySave = () => may('admin') && limits().length === 0;

const kKey = 'destination';

export function chooseDestination(destination: Destination) {
  session.destination = destination;
  // This tab's own, and where new ones begin.
  sessionStorage.setItem(kKey, destination.id);
  localStorage.setItem(kKey, destination.id);
}

// How often the list was: an answer that was asked for before is older than what is known.
let offers = 0;
export const offersSoFar = () => offers;

// named: by the address that the page began with
export function offerDestinations(list: Destination[], named: string | null = null) {
  ++offers;
  session.destinations = list;
  const wanted = list.find((each) => each.name === named);
  const before = wanted?.id ?? session.destination?.id ?? sessionStorage.getItem(kKey) ?? localStorage.getItem(kKey);
  session.destination = list.find((each) => each.id === before) ?? list[0] ?? null;
  if (session.destination) sessionStorage.setItem(kKey, session.destination.id);
}
