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

// The last line's end, outside of CSV's quotes.
function wholeLines(text: string, csv: boolean): string {
  let end = 0;
  let inQuotes = false;
  for (let i = 0; i < text.length; ++i) {
    if (csv && text[i] === '"') inQuotes = !inQuotes;
    else if (text[i] === '\n' && !inQuotes) end = i + 1;
  }
  return text.slice(0, end);
}

// The objects of an array, or one after the other, as far as they are whole.
function wholeObjects(text: string): string {
  const inArray = /^\uFEFF?\s*\[/.test(text);
  const base = inArray ? 1 : 0;
  let depth = 0;
  let end = 0;
  let inString = false;
  for (let i = 0; i < text.length; ++i) {
    const c = text[i];
    if (inString) {
      if (c === '\\') ++i;
      else if (c === '"') inString = false;
    } else if (c === '"') inString = true;
    else if (c === '{' || c === '[') ++depth;
    else if ((c === '}' || c === ']') && --depth === base) end = i + 1;
  }
  return end === 0 ? '' : text.slice(0, end) + (inArray ? ']' : '');
}

async function firstText(stream: ReadableStream<Uint8Array>): Promise<{ text: string; all: boolean }> {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return { text: text + decoder.decode(), all: true };
    text += decoder.decode(value, { stream: true });
    if (text.length >= kLook) {
      reader.cancel().catch(() => {});
      return { text: text.slice(0, kLook), all: false };
    }
  }
}

export interface Sample { body: string | Blob; coding: string; all: boolean }

// Rows from the beginning of the file, to be tried; nothing where they cannot be taken out.
export async function sampleOf(file: File, kind: Kind): Promise<Sample | null> {
  if (kind.coding === 'zstd') return file.size <= kMostWhole ? { body: file, coding: 'zstd', all: true } : null;
  const bytes = file.stream() as ReadableStream<Uint8Array<ArrayBuffer>>;
  const { text, all } = await firstText(kind.coding === 'gzip' ? bytes.pipeThrough(new DecompressionStream('gzip')) : bytes);
  if (all) return { body: text, coding: '', all };
  const cut = kind.type === 'application/json' ? wholeObjects(text) : wholeLines(text, kind.type === 'text/csv');
  return cut === '' ? null : { body: cut, coding: '', all };
}

export const headersOf = (kind: Kind, coding = kind.coding): Record<string, string> => ({ 'Content-Type': kind.type, ...(coding ? { 'Content-Encoding': coding } : {}) });

// Of one choice of file, table and ways: sent again it stores nothing twice. (crypto.randomUUID is there with https only.)
export const newIdempotencyKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');

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
