// What the limits of the key that is signed in make of a page of rows.
import { Problem } from './api';
import { BrokenOff } from './ask_rows';
import { kPage } from './browse';
import { bytes, number } from './format';
import { session } from './session.svelte';

export const mostRowsOfAnswer = () => session.current?.key.max_rows ?? Infinity;

export interface PageSize { rows: number; why: string } // why: words for people, where it is no usual page
export function pageSize(): PageSize {
  const most = mostRowsOfAnswer();
  if (most >= kPage) return { rows: kPage, why: '' };
  return { rows: most, why: `An answer to this key has at most ${number(most)} ${most === 1 ? 'row' : 'rows'}, so a page has no more.` };
}

// The next smaller page that may be answered; nothing where its size was not what is wrong. How many bytes a row has depends
// on the table, so that a limit of bytes is found by trying.
export function smallerPage(error: unknown, { rows, why: before }: PageSize): PageSize | null {
  const most = error instanceof Problem && error.type.endsWith('/result-too-large') ? session.current?.key.max_bytes : undefined;
  if (rows === 1 || (!most && !(error instanceof BrokenOff))) return null;
  const why = most ? `An answer to this key has at most ${bytes(most)}, so a page is shorter.` : before || 'A longer page broke off, so this one is shorter.';
  return { rows: Math.ceil(rows / 2), why };
}
