// What somebody wants to see of a table, and the SQL that asks for it.
//
// Pages are LIMIT and OFFSET: a keyset would need one value per row to go on from, which a sort by any column, with its NULLs
// and equal values, has not. So that pages do not move while rows arrive, they are of the rows that were there when the view
// was loaded (`upTo`), and the order is total: __row_id and the row's place end every ORDER BY. The places of a page are found
// first and its columns read after that: of 3 million rows the last hundred then take 0.3 to 0.4 s and not 1.8 to 2.6 s.
import { family } from './sqltypes';
import { readableName, sqlName, sqlText } from './text';
import type { Column, Table } from './types';

export const operators = [
  { name: 'eq', label: '=' },
  { name: 'ne', label: '≠' },
  { name: 'lt', label: '<' },
  { name: 'le', label: '≤' },
  { name: 'gt', label: '>' },
  { name: 'ge', label: '≥' },
  { name: 'has', label: 'contains' },
  { name: 'hasnt', label: 'does not contain' },
  { name: 'null', label: 'is NULL' },
  { name: 'some', label: 'is not NULL' },
] as const;
export type Operator = (typeof operators)[number]['name'];
export const takesValue = (op: Operator) => op !== 'null' && op !== 'some';

export interface Filter { column: string; op: Operator; value: string }
export interface View {
  columns: string[] | null; // null: the first ones
  sort: { column: string; down: boolean } | null; // null: the newest first
  filters: Filter[];
}
export const wholeTable = (): View => ({ columns: null, sort: null, filters: [] });

export const kPage = 100;
const kFirstColumns = 40;
// Of a long text this much comes with a page; the whole of it with its row.
export const kCut = 300;

const has = (table: Table, name: string) => table.columns.some((each) => each.name === name);
const typeOf = (table: Table, name: string) => table.columns.find((each) => each.name === name)?.type ?? 'VARCHAR';

export function shownColumns(table: Table, view: View): Column[] {
  const chosen = view.columns;
  if (chosen) return table.columns.filter((each) => chosen.includes(each.name));
  // The number of a row says little to people, and a thousand columns say nothing.
  const first = table.columns.filter((each) => each.name !== '__row_id').slice(0, kFirstColumns);
  return first.length > 0 ? first : table.columns;
}

// What has an order of its own is compared by it: the value is read as the column's type, and refused where it is none.
const comparedAsItIs = (type: string) => ['number', 'time', 'boolean'].includes(family(type)) || type === 'UUID' || type === 'INTERVAL';

// How a value goes into the statement: bound as a parameter, or as a literal for people to read.
type Put = (value: string) => string;

function comparison(filter: Filter, type: string, name: string, put: Put): string {
  const kind = family(type);
  const asText = kind === 'text' && !type.startsWith('ENUM') ? name : `CAST(${name} AS VARCHAR)`;
  const own = comparedAsItIs(type);
  const left = own ? name : asText;
  const right = () => (own ? `CAST(${put(filter.value)} AS ${type})` : put(filter.value));
  switch (filter.op) {
    case 'eq': return `${left} = ${right()}`;
    case 'ne': return `${left} IS DISTINCT FROM ${right()}`; // a NULL is no such value either
    case 'lt': return `${left} < ${right()}`;
    case 'le': return `${left} <= ${right()}`;
    case 'gt': return `${left} > ${right()}`;
    case 'ge': return `${left} >= ${right()}`;
    case 'has': return `contains(lower(${asText}), lower(${put(filter.value)}))`;
    case 'hasnt': return `coalesce(NOT contains(lower(${asText}), lower(${put(filter.value)})), true)`;
    case 'null': return `${name} IS NULL`;
    case 'some': return `${name} IS NOT NULL`;
  }
}

function conditions(table: Table, view: View, identifier: (name: string) => string, put: Put): string[] {
  return view.filters.filter((each) => has(table, each.column)).map((each) => comparison(each, typeOf(table, each.column), identifier(each.column), put));
}

const where = (all: string[]) => (all.length > 0 ? ` WHERE ${all.join(' AND ')}` : '');

function order(table: Table, view: View, identifier: (name: string) => string): string[] {
  const out: string[] = [];
  const { sort } = view;
  if (sort && has(table, sort.column)) out.push(`${identifier(sort.column)} ${sort.down ? 'DESC' : 'ASC'} NULLS LAST`);
  if (has(table, '__row_id') && sort?.column !== '__row_id') out.push(`${identifier('__row_id')} DESC NULLS LAST`);
  return out;
}

const orderBy = (parts: string[]) => (parts.length > 0 ? ` ORDER BY ${parts.join(', ')}` : '');

export interface Statement { query: string; params: string[] }

// Whether the filter's value is one of its column's type, without reading the table; nothing where any text is.
function valueStatement(table: Table, { column, op, value }: Filter): Statement | null {
  const type = typeOf(table, column);
  const isRead = has(table, column) && comparedAsItIs(type) && ['eq', 'ne', 'lt', 'le', 'gt', 'ge'].includes(op);
  return isRead ? { query: `SELECT CAST($1 AS ${type}) IS NULL`, params: [value] } : null;
}

// A filter whose value is none of its column's type, and what the server says to it.
export interface Fault { of: Filter; type: string; detail: string }

export async function faultsOf(table: Table, filters: Filter[], ask: (statement: Statement) => Promise<string>): Promise<Fault[]> {
  const asked = filters.map((of) => ({ of, type: typeOf(table, of.column), statement: valueStatement(table, of) }));
  const told = await Promise.all(asked.map(async ({ of, type, statement }) => ({ of, type, detail: statement ? await ask(statement) : '' })));
  return told.filter(({ detail }) => detail !== '');
}

function bound(build: (put: Put) => string): Statement {
  const params: string[] = [];
  return { query: build((value) => `$${params.push(value)}`), params };
}

// How many rows fit, and the newest of them.
export function countStatement(table: Table, view: View): Statement {
  const newest = has(table, '__row_id') ? `max(${sqlName('__row_id')})` : 'NULL';
  return bound((put) => `SELECT count(*), ${newest} FROM ${sqlName(table.name)}${where(conditions(table, view, sqlName, put))}`);
}

function pageOf(table: Table, view: View, list: string, upTo: string | null, limit: number, offset: number): Statement {
  // A table may have a column of that name.
  const placed = !table.columns.some((each) => each.name.toLowerCase() === 'rowid');
  const end = orderBy([...order(table, view, sqlName), ...(placed ? ['rowid'] : [])]);
  return bound((put) => {
    const all = conditions(table, view, sqlName, put);
    if (upTo !== null) all.push(`(${sqlName('__row_id')} <= CAST(${put(upTo)} AS ${typeOf(table, '__row_id')}) OR ${sqlName('__row_id')} IS NULL)`);
    const page = `FROM ${sqlName(table.name)}${where(all)}${end} LIMIT ${limit} OFFSET ${offset}`;
    return placed ? `SELECT ${list} FROM ${sqlName(table.name)} WHERE rowid IN (SELECT rowid ${page})${end}` : `SELECT ${list} ${page}`;
  });
}

// JSON goes as text: a JSON null is then no NULL.
function cell(column: Column, cut: boolean): string {
  const name = sqlName(column.name);
  const kind = family(column.type);
  if (kind === 'bytes') return cut ? `${name}[1:${kCut}]` : name;
  if (kind !== 'json' && column.type !== 'VARCHAR') return name;
  const text = kind === 'json' ? `CAST(${name} AS VARCHAR)` : name;
  return cut ? `left(${text}, ${kCut + 1})` : text;
}

export const pageStatement = (table: Table, view: View, upTo: string | null, from: number, size: number) =>
  pageOf(table, view, shownColumns(table, view).map((each) => cell(each, true)).join(', '), upTo, size, from);

// One row of the view with all that it has.
export const rowStatement = (table: Table, view: View, upTo: string | null, at: number) =>
  pageOf(table, view, table.columns.map((each) => cell(each, false)).join(', '), upTo, 1, at);

function listed(table: Table, view: View, identifier: (name: string) => string): string {
  return view.columns === null ? '*' : shownColumns(table, view).map((each) => identifier(each.name)).join(', ');
}

// All rows of the view, to be downloaded.
export const allStatement = (table: Table, view: View) => bound((put) =>
  `SELECT ${listed(table, view, sqlName)} FROM ${sqlName(table.name)}${where(conditions(table, view, sqlName, put))}${orderBy(order(table, view, sqlName))}`);

// The same for people: to go on with in the console, or to share.
export function sqlOf(table: Table, view: View, limit?: number): string {
  const all = conditions(table, view, readableName, sqlText);
  return [
    `SELECT ${listed(table, view, readableName)}`,
    `FROM ${readableName(table.name)}`,
    all.length > 0 ? `WHERE ${all.join('\n  AND ')}` : '',
    orderBy(order(table, view, readableName)).trim(),
    limit === undefined ? '' : `LIMIT ${limit}`,
  ].filter((line) => line !== '').join('\n');
}

// ---- in the address: the view, and which row the page begins with, for keys have pages of their own sizes
export const toAddress = (view: View, from: number) =>
  (view.columns || view.sort || view.filters.length > 0 || from > 0 ? JSON.stringify({ c: view.columns ?? undefined, s: view.sort ?? undefined, f: view.filters.length > 0 ? view.filters : undefined, p: from || undefined }) : '');

export function fromAddress(text: string | undefined): { view: View; from: number } {
  const view = wholeTable();
  let from = 0;
  try {
    const { c, s, f, p } = JSON.parse(text || '{}') as { c?: unknown; s?: { column?: unknown; down?: unknown } | null; f?: Partial<Filter>[]; p?: unknown };
    if (Array.isArray(c)) view.columns = c.map(String);
    if (s && typeof s.column === 'string') view.sort = { column: s.column, down: s.down === true };
    for (const each of Array.isArray(f) ? f : []) {
      const op = operators.find((known) => known.name === each.op);
      if (op && typeof each.column === 'string') view.filters.push({ column: each.column, op: op.name, value: String(each.value ?? '') });
    }
    if (Number.isSafeInteger(p) && (p as number) > 0) from = p as number;
  } catch { /* somebody's own address: the whole table then */ }
  return { view, from };
}
