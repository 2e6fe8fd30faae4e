// JSON as it was sent: values stay the text that they came as, so that no digit of a number and no order of keys is lost, which
// JSON.parse would. What the server answers is taken for well-formed.

const isSpace = (c: string | undefined) => c === ' ' || c === '\n' || c === '\r' || c === '\t';

function afterSpace(text: string, at: number): number {
  while (isSpace(text[at])) ++at;
  return at;
}

function afterString(text: string, at: number): number {
  for (++at; at < text.length; ++at) {
    if (text[at] === '\\') ++at;
    else if (text[at] === '"') return at + 1;
  }
  throw new SyntaxError('a string without its end');
}

// Where the value that begins at `at` ends.
function afterValue(text: string, at: number): number {
  let depth = 0;
  while (at < text.length) {
    const c = text[at]!;
    if (c === '"') at = afterString(text, at);
    else {
      if (c === '{' || c === '[') ++depth;
      else if (c === '}' || c === ']') --depth;
      else if (depth === 0) return afterPlain(text, at);
      ++at;
    }
    if (depth === 0) return at;
  }
  throw new SyntaxError('a value without its end');
}

// A number, or true, false, null.
function afterPlain(text: string, at: number): number {
  while (at < text.length && !/[\s,\]}]/.test(text[at]!)) ++at;
  return at;
}

// The elements of the array that begins at `at`, each as its text.
export function elements(text: string, at = 0): string[] {
  const out: string[] = [];
  at = afterSpace(text, afterSpace(text, at) + 1);
  while (at < text.length && text[at] !== ']') {
    const end = afterValue(text, at);
    out.push(text.slice(at, end));
    at = afterSpace(text, end);
    if (text[at] === ',') at = afterSpace(text, at + 1);
  }
  return out;
}

// The members of an object: names, and values as their text.
export function members(text: string): [string, string][] {
  const out: [string, string][] = [];
  let at = afterSpace(text, afterSpace(text, 0) + 1);
  while (at < text.length && text[at] !== '}') {
    const nameEnd = afterString(text, at);
    const begin = afterSpace(text, afterSpace(text, nameEnd) + 1);
    const end = afterValue(text, begin);
    out.push([JSON.parse(text.slice(at, nameEnd)) as string, text.slice(begin, end)]);
    at = afterSpace(text, end);
    if (text[at] === ',') at = afterSpace(text, at + 1);
  }
  return out;
}

// What a value reads like: a string without its quotes, anything else as it stands.
export const plain = (raw: string) => (raw.startsWith('"') ? (JSON.parse(raw) as string) : raw);

const kLine = 60;

// The same value with a line for each member, and for each element where they do not fit one; only the space between changes.
export function pretty(raw: string, indent = ''): string {
  const text = raw.trim();
  const deeper = `${indent}  `;
  const block = (open: string, parts: string[], close: string) => (parts.length === 0 ? open + close : `${open}\n${parts.map((part) => deeper + part).join(',\n')}\n${indent}${close}`);
  if (text.startsWith('[')) {
    const parts = elements(text).map((each) => pretty(each, deeper));
    const line = `[${parts.join(', ')}]`;
    return line.length <= kLine && !line.includes('\n') ? line : block('[', parts, ']');
  }
  if (text.startsWith('{')) return block('{', members(text).map(([name, value]) => `${JSON.stringify(name)}: ${pretty(value, deeper)}`), '}');
  return text;
}

// The same where it is JSON; else the text as it is.
export function prettyOr(text: string): string {
  try {
    JSON.parse(text);
    return pretty(text);
  } catch {
    return text;
  }
}

export interface Result { meta: { name: string; type: string }[]; rows: string[][] }

// The answer of a query in the format `jsoncompact`.
export function readCompact(text: string): Result {
  const parts = new Map(members(text));
  return {
    meta: JSON.parse(parts.get('meta') ?? '[]') as Result['meta'],
    rows: elements(parts.get('data') ?? '[]').map((row) => elements(row)),
  };
}
