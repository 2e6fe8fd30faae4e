// Parameters of saved endpoints: found in a statement, written in a form, and sent as they were written.
import type { EndpointParameter } from './types';

export const parameterTypes = ['string', 'integer', 'number', 'decimal', 'boolean', 'date', 'timestamp', 'uuid', 'string[]', 'integer[]', 'number[]', 'decimal[]', 'boolean[]', 'date[]', 'timestamp[]', 'uuid[]'] as const;
export type ParameterType = (typeof parameterTypes)[number];

// What a form holds of one. `absent`: what happens where a call does not give it. `guessed`: nobody has said its type yet.
export interface Draft { name: string; type: ParameterType; absent: 'refuse' | 'null' | 'default'; fallback: string; description: string; guessed: boolean }

// Strings, quoted names, comments and dollar-quoted texts, in which no parameter stands; then a parameter.
const kPieces = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[^]*?\*\/|\$([A-Za-z_]\w*)?\$[^]*?\$\1\$|[\w$]*\w\$\w*|\$([A-Za-z_]\w*)/g;

// The names behind a $, each once, in the order in which they come. $user and $USER are one.
export function parametersOf(sql: string): string[] {
  const found = new Map<string, string>();
  for (const [, , name] of sql.matchAll(kPieces)) if (name && !found.has(name.toLowerCase())) found.set(name.toLowerCase(), name);
  return [...found.values()];
}

// A form's text as JSON of this type. Numbers keep all of their digits, so no number of this language is made of them.
// What is no such value goes as a text, and the server says what is wrong with it.
export function valueJson(type: string, text: string): string {
  if (type.endsWith('[]')) {
    if (isList(text)) return text;
    const items = text.trim() === '' ? [] : text.split(',').map((each) => each.trim());
    return `[${items.map((each) => valueJson(type.slice(0, -2), each)).join(',')}]`;
  }
  const plain = text.trim();
  if (['integer', 'number', 'decimal'].includes(type) && /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(plain)) return plain;
  if (type === 'boolean' && (plain === 'true' || plain === 'false')) return plain;
  return JSON.stringify(type === 'string' ? text : plain);
}

function isList(text: string): boolean {
  try {
    return Array.isArray(JSON.parse(text));
  } catch {
    return false;
  }
}

// A default as a form shows it; a list as JSON.
export function defaultText({ type = 'string', default: value }: EndpointParameter): string {
  if (value === undefined || value === null) return '';
  if (!Array.isArray(value)) return String(value);
  const quoted = !/^(integer|number|decimal|boolean)/.test(type);
  return `[${value.map((each) => (quoted ? JSON.stringify(each) : String(each))).join(', ')}]`;
}

export const draftsOf = (parameters: EndpointParameter[]): Draft[] =>
  parameters.map((each) => ({
    name: each.name,
    type: each.type ?? 'string',
    absent: each.default !== undefined ? 'default' : each.required === false ? 'null' : 'refuse',
    fallback: defaultText(each),
    description: each.description ?? '',
    guessed: false,
  }));

const same = (a: string, b: string) => a.toLowerCase() === b.toLowerCase();

// Those of the statement: what was written of them stays, and `known` says what is known of new ones, which come last.
export function matched(names: string[], drafts: Draft[], known: Draft[] = []): Draft[] {
  const found = (name: string) => known.find((each) => same(each.name, name));
  const old = drafts.filter((draft) => names.some((name) => same(draft.name, name)));
  const fresh = names.filter((name) => !old.some((draft) => same(draft.name, name)));
  const typed = (draft: Draft): Draft => {
    const type = draft.guessed ? found(draft.name)?.type : undefined;
    return type ? { ...draft, type, guessed: false } : draft;
  };
  return [...old.map(typed), ...fresh.map((name): Draft => found(name) ?? { name, type: 'string', absent: 'refuse', fallback: '', description: '', guessed: true })];
}

function draftJson(draft: Draft): string {
  const { name, type, description, absent } = draft;
  const rest = JSON.stringify({ name, type, description, required: absent === 'refuse' });
  return absent === 'default' ? `${rest.slice(0, -1)},"default":${valueJson(type, draft.fallback)}}` : rest;
}

// The body of a request, with its parameters digit for digit.
export const withParams = (body: Record<string, unknown>, drafts: Draft[]) =>
  `${JSON.stringify(body).slice(0, -1)}${Object.keys(body).length > 0 ? ',' : ''}"params":[${drafts.map(draftJson).join(',')}]}`;

// JSON whose numbers are texts where this language would write them otherwise: 1.50, 12345678901234567890.
export function parseExact<T>(text: string): T {
  const kept = (piece: string) => piece.startsWith('"') || String(Number(piece)) === piece;
  return JSON.parse(text.replace(/"(?:[^"\\]|\\.)*"|-?\d[\d.]*(?:[eE][+-]?\d+)?/g, (piece) => (kept(piece) ? piece : `"${piece}"`))) as T;
}
