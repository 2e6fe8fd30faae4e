// Who is signed in, and which destination is looked at.
import type { Destination, Session } from './types';

export const session = $state<{ current: Session | null; known: boolean; destinations: Destination[]; destination: Destination | null }>({
  current: null,
  known: false, // whether the server has been asked
  destinations: [],
  destination: null,
});

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
