// The beginning of a result as it streams (format=jsoncompact), cells as the server wrote them: no number loses a digit.
import type { Column } from './types';

export type Cell = string | null;
export interface Read {
  columns: Column[];
  rows: Cell[][];
  total: number | null; // rows of the whole result; null where it was not read to its end
  bytes: number;
}

const kMostBytes = 16 << 20; // read no further for a look at its beginning

// The elements of a JSON array that is on one line, as texts.
function elements(line: string): string[] {
  const out: string[] = [];
  let depth = 0;
  let start = 1;
  for (let i = 0; i < line.length; ++i) {
    const c = line[i];
    if (c === '"') {
      for (++i; i < line.length && line[i] !== '"'; ++i) if (line[i] === '\\') ++i;
    } else if (c === '[' || c === '{') ++depth;
    else if (c === ']' || c === '}') --depth;
    if ((depth === 1 && c === ',') || depth === 0) {
      if (i > start) out.push(line.slice(start, i));
      start = i + 1;
      if (depth === 0) break;
    }
  }
  return out;
}

const cellOf = (text: string): Cell => (text === 'null' ? null : text.startsWith('"') ? (JSON.parse(text) as string) : text);

export async function readRows(answer: Response, most: number): Promise<Read> {
  const read: Read = { columns: [], rows: [], total: null, bytes: 0 };
  const reader = answer.body?.getReader();
  if (!reader) return read;
  const decoder = new TextDecoder();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    read.bytes += value.length;
    text += decoder.decode(value, { stream: true });
    let end;
    // A row a line; of those that are not shown only the last line is looked at.
    while ((end = text.indexOf('\n')) >= 0) {
      take(text.slice(0, end), read, most);
      text = text.slice(end + 1);
    }
    if (read.bytes > kMostBytes) {
      await reader.cancel();
      return read;
    }
  }
  take(text, read, most);
  return read;
}

function take(line: string, read: Read, most: number) {
  if (line.startsWith('{"meta":')) read.columns = (JSON.parse(`${line.replace(/,$/, '')}}`) as { meta: Column[] }).meta;
  else if (line.startsWith('"rows":')) read.total = Number.parseInt(line.slice(7), 10);
  else if (read.rows.length < most) {
    const row = line.replace(/^"data":\[/, '');
    if (row.startsWith('[')) read.rows.push(elements(row).map(cellOf));
  }
}

export const isNumeric = (type: string) => /^(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL.*|BIGNUM)$/.test(type);
