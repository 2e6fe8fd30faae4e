// A result as it comes (format jsoncompact), kept as the bytes that it is: rows are found by their line breaks, and only
// those that somebody looks at are taken apart. Numbers keep their spelling, so that none loses a digit on the way to the eye.
//
//   {"meta":[{"name":"n","type":"BIGINT"}],
//   "data":[[0,"a"],
//   [1,"b"]],
//   "rows":2}
export interface ResultColumn { name: string; type: string }
// null, a number, text, true or false, something nested
export type Kind = 'null' | 'number' | 'text' | 'boolean' | 'nested';
export interface Cell { kind: Kind; text: string }

const kBlock = 4 << 20;
const kNewline = 10;
const kOpen = 91; // [
const decoder = new TextDecoder();
const dataPrefix = '"data":['.length;

export class Rows {
  columns: ResultColumn[] | null = null;
  bytes = 0;
  // What the server says at the end; null until then.
  total: number | null = null;
  #blocks: Uint8Array[] = [];
  #starts = new Float64Array(1024); // where row i begins
  #count = 0;
  #line = 0; // how many lines are whole
  #lineStart = 0;

  // Rows that are whole.
  get count() { return this.#count; }

  append(piece: Uint8Array) {
    let at = 0;
    for (;;) {
      const newline = piece.indexOf(kNewline, at);
      const end = newline < 0 ? piece.length : newline + 1;
      this.#store(piece.subarray(at, end));
      at = end;
      if (newline < 0) return;
      this.#endLine(this.bytes);
    }
  }

  // The end of it, which has no line break.
  finish() {
    if (this.#lineStart < this.bytes) this.#endLine(this.bytes);
  }

  // The cells of a row, in the order of the columns.
  row(index: number): Cell[] {
    return index < this.#count ? splitRow(this.#lineAt(this.#starts[index]!)) : [];
  }

  #endLine(end: number) {
    const start = this.#lineStart;
    if (this.#line === 0) this.columns = JSON.parse(`${this.#text(start, end).trim().replace(/,$/, '')}}`).meta;
    else if (this.#line === 1) this.#addRow(start + dataPrefix, end);
    else if (this.#at(start) === kOpen) this.#addRow(start, end);
    else this.total = Number(/"rows":(\d+)/.exec(this.#text(start, end))?.[1] ?? NaN);
    ++this.#line;
    this.#lineStart = end;
  }

  #addRow(start: number, end: number) {
    if (start >= end || this.#at(start) !== kOpen) return;
    if (this.#count === this.#starts.length) {
      const more = new Float64Array(2 * this.#starts.length);
      more.set(this.#starts);
      this.#starts = more;
    }
    this.#starts[this.#count++] = start;
  }

  #store(piece: Uint8Array) {
    let at = 0;
    while (at < piece.length) {
      const into = this.bytes % kBlock;
      if (into === 0) this.#blocks.push(new Uint8Array(kBlock));
      const some = Math.min(piece.length - at, kBlock - into);
      this.#blocks[this.#blocks.length - 1]!.set(piece.subarray(at, at + some), into);
      at += some;
      this.bytes += some;
    }
  }

  #at(place: number) { return this.#blocks[Math.floor(place / kBlock)]![place % kBlock]; }

  #lineAt(start: number): string {
    let end = start;
    for (;;) {
      const block = this.#blocks[Math.floor(end / kBlock)]!;
      const found = block.indexOf(kNewline, end % kBlock);
      const blockEnd = Math.min(this.bytes, (Math.floor(end / kBlock) + 1) * kBlock);
      const place = end - (end % kBlock) + found;
      if (found >= 0 && place < this.bytes) return this.#text(start, place);
      if (blockEnd >= this.bytes) return this.#text(start, this.bytes);
      end = blockEnd;
    }
  }

  #text(start: number, end: number): string {
    const first = Math.floor(start / kBlock);
    const last = Math.floor((end - 1) / kBlock);
    if (first === last) return decoder.decode(this.#blocks[first]!.subarray(start % kBlock, ((end - 1) % kBlock) + 1));
    const out = new Uint8Array(end - start);
    for (let at = start; at < end;) {
      const block = this.#blocks[Math.floor(at / kBlock)]!;
      const piece = block.subarray(at % kBlock, Math.min(kBlock, (at % kBlock) + end - at));
      out.set(piece, at - start);
      at += piece.length;
    }
    return decoder.decode(out);
  }
}

// One row's line: "[1,"a",{"b":[2]}]," → its cells. What stands in it was written by the server's own encoder.
export function splitRow(line: string): Cell[] {
  const cells: Cell[] = [];
  let depth = 0;
  let start = 1;
  for (let i = 1; i < line.length; ++i) {
    const c = line[i];
    if (c === '"') {
      for (++i; line[i] !== '"'; ++i) if (line[i] === '\\') ++i;
    } else if (c === '[' || c === '{') {
      ++depth;
    } else if ((c === ']' || c === '}') && depth > 0) {
      --depth;
    } else if (depth === 0 && (c === ',' || c === ']')) {
      if (i > start) cells.push(cellOf(line.slice(start, i)));
      start = i + 1;
      if (c === ']') break;
    }
  }
  return cells;
}

function cellOf(token: string): Cell {
  switch (token[0]) {
    case 'n': return { kind: 'null', text: '' };
    case 't':
    case 'f': return { kind: 'boolean', text: token };
    case '"': return { kind: 'text', text: JSON.parse(token) };
    case '[':
    case '{': return { kind: 'nested', text: token };
    default: return { kind: 'number', text: token };
  }
}
