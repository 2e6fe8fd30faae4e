// Limits of the key that is signed in, as refusals tell of them: a session says nothing of its key's.
import { Problem } from './api';
import { BrokenOff } from './ask_rows';
import { kPage } from './browse';
import { bytes, number } from './format';

// Of this session. What many bytes are depends on the table, how many rows are too many does not.
let mostRows = Infinity;
export const mostRowsOfAnswer = () => mostRows;

export interface PageSize { rows: number; why: string } // why: words for people, where it is no usual page
const rowsWords = () => `An answer to this key has at most ${number(mostRows)} ${mostRows === 1 ? 'row' : 'rows'}, so a page has no more.`;
export const pageSize = (): PageSize => (mostRows < kPage ? { rows: mostRows, why: rowsWords() } : { rows: kPage, why: '' });

// Whether an answer was too large for its key in rows, which are then known.
export function learnsRows(error: unknown): boolean {
  const found = error instanceof Problem && error.type.endsWith('/result-too-large') ? /more than (\d+) rows, which is the limit/.exec(error.detail) : null;
  const rows = Number(found?.[1] ?? Infinity);
  if (!(rows < mostRows)) return false;
  mostRows = rows;
  return true;
}

// The next smaller page that may be answered; nothing where its size was not what is wrong.
export function smallerPage(error: unknown, { rows, why: before }: PageSize): PageSize | null {
  if (learnsRows(error)) return pageSize();
  const most = error instanceof Problem && error.type.endsWith('/result-too-large') ? /more than (\d+) bytes, which is the limit/.exec(error.detail)?.[1] : undefined;
  if (rows === 1 || (most === undefined && !(error instanceof BrokenOff))) return null;
  const why = most === undefined ? before || 'A longer page broke off, so this one is shorter.' : `An answer to this key has at most ${bytes(Number(most))}, so a page is shorter.`;
  return { rows: Math.ceil(rows / 2), why };
}
