// Contracts that somebody is editing: they stay while other pages are looked at, and the browser asks before they are lost.
import { SvelteMap } from 'svelte/reactivity';
import { session } from '../../lib/session.svelte';
import type { standard } from './contract_words';

export type ContractForm = typeof standard & { limit: string; depth: string };

const drafts = new SvelteMap<string, ContractForm>();
const keyOf = (table: string) => `${session.destination?.id ?? ''} ${table.toLowerCase()}`;

export const draftOf = (table: string): ContractForm | undefined => drafts.get(keyOf(table));
export const isDrafted = (table: string) => drafts.has(keyOf(table));
export function keepDraft(table: string, form: ContractForm | null) {
  if (form) drafts.set(keyOf(table), form);
  else drafts.delete(keyOf(table));
}

addEventListener('beforeunload', (event) => {
  if (drafts.size > 0) event.preventDefault();
});
