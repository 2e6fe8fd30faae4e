// Keys that were made just now. The server shows each once, so one stays here until somebody has it: the page shows it again
// where it is about, and does not go without asking.

export interface Fresh<T = unknown> {
  secret: string;
  copied: boolean;
  about: T; // what else is known only now
}

const held = $state<Record<string, Fresh>>({});

// The one of a destination's first steps.
export const firstKey = (destination = '') => `first steps ${destination}`;

export const freshOf = <T>(name: string) => held[name] as Fresh<T> | undefined;
// Changes with each that is made: lists that were asked for before look again.
export const freshNames = () => Object.keys(held).join();
export function hold(name: string, secret: string, about: unknown = null) {
  held[name] = { secret, copied: false, about };
}
export function markCopied(name: string) {
  if (held[name]) held[name].copied = true;
}
export function forget(name: string) {
  delete held[name];
}
// Whoever has it leaves it behind with the page that showed it.
export function forgetCopied(name: string) {
  if (held[name]?.copied) forget(name);
}
export function forgetAll() {
  for (const name of Object.keys(held)) forget(name);
}

addEventListener('beforeunload', (event) => {
  if (Object.values(held).some((each) => !each.copied)) event.preventDefault();
});
