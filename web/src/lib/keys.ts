// Keys as a form makes them, and what limits them in words.
import { bytes, number } from './format';
import type { Key, NewKey } from './types';

export const scopes = [
  { name: 'insert', help: 'send rows' },
  { name: 'query', help: 'read: SQL, tables, saved endpoints' },
  { name: 'share', help: 'make and end links' },
  { name: 'tail', help: 'watch rows arrive' },
  { name: 'admin', help: 'everything of this destination: keys, contracts, failed rows, tables' },
] as const;

export const flattenModes = [
  { name: '', label: 'as the table says', help: 'What a request says comes first, then this, then the contract of the table.' },
  { name: 'horizontal', label: 'horizontal', help: 'Every value is a column, lists too: cart_0_price.' },
  { name: 'vertical', label: 'vertical', help: 'Lists become rows, and what stands around them is repeated.' },
  { name: 'multitable', label: 'multitable', help: 'Each list gets a table of its own.' },
  { name: 'none', label: 'none', help: 'What is nested stays nested: cart[1].price.' },
] as const;

export const kUnits = { KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };

export interface KeyForm {
  name: string;
  locked: boolean; // for saved endpoints only
  scopes: string[];
  tables: string; // one a line
  endpoints: string[];
  rate: string;
  rows: string;
  size: string;
  unit: keyof typeof kUnits;
  flatten: string;
}
export const emptyKey = (): KeyForm => ({ name: '', locked: false, scopes: ['insert'], tables: '', endpoints: [], rate: '', rows: '', size: '', unit: 'MiB', flatten: '' });

export const tablesOf = (form: KeyForm) => form.tables.split('\n').map((each) => each.trim()).filter((each) => each !== '');
// Whether it could not share or save endpoints, whatever its scopes.
export const isLimited = (form: KeyForm) => tablesOf(form).length > 0 || form.rows !== '' || form.size !== '';

// All but what it fixes of parameters.
export function newKey(form: KeyForm): NewKey {
  const tables = tablesOf(form);
  return {
    name: form.name.trim(),
    ...(form.locked ? { endpoints: form.endpoints } : { scopes: form.scopes as NewKey['scopes'], ...(tables.length > 0 && { tables }) }),
    ...(form.rate !== '' && { requests_per_minute: Number(form.rate) }),
    ...(form.rows !== '' && { max_rows: Number(form.rows) }),
    ...(form.size !== '' && { max_bytes: Number(form.size) * kUnits[form.unit] }),
    ...(!form.locked && form.flatten !== '' && form.scopes.includes('insert') && { flatten: form.flatten }),
  };
}

// Of answers.
export const answerLimits = ({ max_rows, max_bytes }: { max_rows?: number | null; max_bytes?: number | null }) => [
  ...(max_rows ? [`${number(max_rows)} rows of a result`] : []),
  ...(max_bytes ? [`${bytes(max_bytes)} of an answer`] : []),
];

export const limitsOf = (key: Key) => [
  ...(key.tables ? [key.tables.length > 0 ? `tables ${key.tables.join(', ')}` : 'no table'] : []),
  ...(key.endpoints ? [`endpoints ${key.endpoints.join(', ')}`] : []),
  ...(Object.keys(key.params).length > 0 ? [`with ${JSON.stringify(key.params)}`] : []),
  ...(key.requests_per_minute ? [`${number(key.requests_per_minute)} requests a minute`] : []),
  ...answerLimits(key),
  ...(key.flatten ? [`rows ${key.flatten}`] : []),
].join('; ');
