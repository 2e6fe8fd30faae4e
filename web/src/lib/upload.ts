// A file into a table: what it is by its name, a look at its beginning, and the sending, which tells how far it is.
import { Problem, parseProblem, scoped } from './api';
import type { Inserted } from './types';

export interface Kind { type: string; coding: '' | 'gzip' | 'zstd'; label: string }

const kTypes: [RegExp, string, string][] = [
  [/\.(ndjson|jsonl)$/, 'application/x-ndjson', 'NDJSON'],
  [/\.csv$/, 'text/csv', 'CSV'],
  [/\.json$/, 'application/json', 'JSON'],
];

// Nothing where the name does not say what it is.
export function kindOf(name: string): Kind | null {
  const lower = name.toLowerCase();
  const coding = lower.endsWith('.gz') ? 'gzip' : /\.zst(d)?$/.test(lower) ? 'zstd' : '';
  const inner = coding === '' ? lower : lower.replace(/\.[^.]+$/, '');
  const found = kTypes.find(([pattern]) => pattern.test(inner));
  return found ? { type: found[1], coding, label: coding === '' ? found[2] : `${found[2]}, ${coding}` } : null;
}

// "Orders 2024.ndjson.gz" → "orders_2024"
export function tableOf(name: string): string {
  const bare = name.replace(/\.(gz|zstd?|ndjson|jsonl|json|csv)$/i, '');
  if (bare !== name) return tableOf(bare);
  return bare.toLowerCase().replaceAll(/[^\p{L}\p{N}_]+/gu, '_').replaceAll(/^_+|_+$/g, '').slice(0, 60);
}

const kLook = 256 * 1024; // of a file that is tried
const kMostWhole = 2 * 1024 * 1024; // what is tried as a whole where it cannot be cut

// All of it is looked at as bytes, and sent as bytes: what is no UTF-8 has to be refused by a trial as it is by the upload.
const [kNewline, kReturn, kQuote, kComma, kBackslash, kOpenList, kCloseList, kOpen, kClose] = [10, 13, 34, 44, 92, 91, 93, 123, 125];

// Behind the last line's end, outside of CSV's quotes.
function endOfLines(bytes: Uint8Array, csv: boolean): number {
  let end = 0;
  let inQuotes = false;
  for (let i = 0; i < bytes.length; ++i) {
    if (csv && bytes[i] === kQuote) inQuotes = !inQuotes;
    else if (bytes[i] === kNewline && !inQuotes) end = i + 1;
  }
  return end;
}

// The objects of an array, or one after the other, as far as they are whole.
function endOfObjects(bytes: Uint8Array, inArray: boolean): number {
  const base = inArray ? 1 : 0;
  let depth = 0;
  let end = 0;
  let inString = false;
  for (let i = 0; i < bytes.length; ++i) {
    const c = bytes[i];
    if (inString) {
      if (c === kBackslash) ++i;
      else if (c === kQuote) inString = false;
    } else if (c === kQuote) inString = true;
    else if (c === kOpen || c === kOpenList) ++depth;
    else if ((c === kClose || c === kCloseList) && --depth === base) end = i + 1;
  }
  return end;
}

async function firstBytes(stream: ReadableStream<Uint8Array>): Promise<{ bytes: Uint8Array<ArrayBuffer>; all: boolean }> {
  const reader = stream.getReader();
  const bytes = new Uint8Array(kLook);
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return { bytes: bytes.slice(0, size), all: true };
    const some = value.subarray(0, kLook - size);
    bytes.set(some, size);
    size += some.length;
    if (some.length < value.length) {
      reader.cancel().catch(() => {});
      return { bytes, all: false };
    }
  }
}

// ---- what people should know of a file before they send it
const kSaveUtf8 = 'Save it as UTF-8 first; in Excel that is “CSV UTF-8”.';

function encodingHint(bytes: Uint8Array): string {
  const [a, b, c, d] = bytes;
  const is32 = (a === 0xff && b === 0xfe && c === 0 && d === 0) || (a === 0 && b === 0 && c === 0xfe && d === 0xff);
  // Without a mark: every other byte of plain text is none.
  const half = (odd: number) => bytes.length >= 4 && bytes.subarray(0, 64).every((byte, i) => (byte === 0) === (i % 2 === odd));
  const is16 = (a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff) || half(0) || half(1);
  if (is32 || is16) return `This file is UTF-${is32 ? 32 : 16}, and the server reads UTF-8 only. ${kSaveUtf8}`;
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return '';
  } catch {
    return `Some text of this file is not UTF-8: the server refuses the rows that it is in. ${kSaveUtf8}`;
  }
}

const kSeparators = [[59, 'semicolons'], [9, 'tabs'], [124, 'bars']] as const;

// A header without a comma has one column.
function separatorHint(bytes: Uint8Array): string {
  let inQuotes = false;
  const seen = new Set<number>();
  for (const byte of bytes) {
    if (byte === kQuote) inQuotes = !inQuotes;
    else if (byte === kNewline && !inQuotes && seen.size > 0) break;
    else if (!inQuotes && byte !== kReturn) seen.add(byte);
  }
  const found = seen.has(kComma) ? undefined : kSeparators.find(([byte]) => seen.has(byte));
  return found ? `The fields of this file stand apart by ${found[1]}, and the server reads commas: all of a line would go into one column. Save it with commas first, or as NDJSON.` : '';
}

export interface Sample { body: Blob; coding: string; all: boolean; hint: string }

// Rows from the beginning of the file, to be tried; nothing where they cannot be taken out.
export async function sampleOf(file: File, kind: Kind): Promise<Sample | null> {
  if (kind.coding === 'zstd') return file.size <= kMostWhole ? { body: file, coding: 'zstd', all: true, hint: '' } : null;
  const stream = file.stream() as ReadableStream<Uint8Array<ArrayBuffer>>;
  const { bytes, all } = await firstBytes(kind.coding === 'gzip' ? stream.pipeThrough(new DecompressionStream('gzip')) : stream);
  const inArray = kind.type === 'application/json' && /^\uFEFF?\s*\[/.test(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(0, 4096)));
  const csv = kind.type === 'text/csv';
  const end = all ? bytes.length : kind.type === 'application/json' ? endOfObjects(bytes, inArray) : endOfLines(bytes, csv);
  const cut = bytes.subarray(0, end);
  if (end === 0 && !all) return null;
  const hint = encodingHint(cut) || (csv ? separatorHint(cut) : '');
  return { body: new Blob([cut, ...(inArray && !all ? [']'] : [])]), coding: '', all, hint };
}

export const headersOf = (kind: Kind, coding = kind.coding): Record<string, string> => ({ 'Content-Type': kind.type, ...(coding ? { 'Content-Encoding': coding } : {}) });

// A refusal that names one row: the API counts them from 0, people count from 1.
export function inPeoplesCount(error: unknown): unknown {
  if (!(error instanceof Problem) || typeof error.members.row !== 'number') return error;
  const { status, type, title, detail, members } = error;
  const said = `row ${members.row}: `;
  return detail.startsWith(said) ? new Problem(status, type, title, `row ${error.members.row as number + 1}: ${detail.slice(said.length)}`, members) : error;
}

export interface Sending { done: Promise<Inserted>; cancel: () => void }

// fetch() does not say how much it has sent. The file itself is the body: the browser reads it as it goes.
export function sendFile(path: string, file: File, headers: Record<string, string>, progress: (sent: number) => void): Sending {
  const request = new XMLHttpRequest();
  const done = new Promise<Inserted>((resolve, reject) => {
    request.open('POST', scoped(path));
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => progress(event.loaded);
    request.onload = () => {
      if (request.status === 200) resolve(JSON.parse(request.responseText) as Inserted);
      else reject(parseProblem(request.status, request.responseText));
    };
    request.onerror = () => reject(new Problem(0, 'about:blank', 'No answer', 'The server broke the connection off, or does not answer. Send it again: what has arrived is not stored twice.'));
    request.onabort = () => reject(new DOMException('cancelled', 'AbortError'));
    request.send(file);
  });
  return { done, cancel: () => request.abort() };
}
