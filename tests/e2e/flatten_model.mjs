// The rows that a document becomes in each flatten mode, written down a second time, from docs/rows.md and not from
// the code. A row is a list of cells, [place, name, value]: every value of the row, nulls too, where it stands in the
// document, and what its column is called where no other place has the name.
import { Exact } from './lib.mjs';

export const is_object = (v) => v !== null && typeof v === 'object' && !Array.isArray(v) && !(v instanceof Exact);
const is_container = (v) => Array.isArray(v) || is_object(v);
const is_empty = (v) => (Array.isArray(v) ? v.length === 0 : Object.keys(v).length === 0);
// A value that is a cell: a scalar, an empty container, and a container below the depth that is taken apart.
const is_leaf = (v, level, depth) => !is_container(v) || is_empty(v) || (depth > 0 && level >= depth);
const place = (...keys) => JSON.stringify(keys);

export function none(document) {
  return Object.entries(document).map(([key, value]) => [place(key), key, value]);
}

export function horizontal(document, depth = 0) {
  const cells = [];
  const walk = (value, keys) => {
    if (is_leaf(value, keys.length, depth)) cells.push([place(...keys), keys.join('_'), value]);
    else if (Array.isArray(value)) value.forEach((each, i) => walk(each, [...keys, i])); // 0 and "0" are two places
    else for (const [key, each] of Object.entries(value)) walk(each, [...keys, key]);
  };
  for (const [key, value] of Object.entries(document)) walk(value, [key]);
  return cells;
}

// How many rows the document becomes; counted without making them.
export function exploded(value, depth = 0, level = 0) {
  if (is_leaf(value, level, depth) && level > 0) return 1;
  if (Array.isArray(value)) return value.reduce((n, each) => n + exploded(each, depth, level + 1), 0);
  return Object.values(value).reduce((n, each) => n * exploded(each, depth, level + 1), 1);
}

// Rows in their order: what stands first in the document changes slowest. ___document_id is not among the cells.
export function vertical(document, depth = 0) {
  // `order`: the keys on the way to an array, which say where its elements' places stand: those of an array in an array
  // beside those of an array under the same key.
  const explode = (value, keys, order, level) => {
    if (is_leaf(value, level, depth)) return [[[place(...keys), keys.join('_'), value]]];
    if (Array.isArray(value)) {
      const name = `__order_${order.map((key) => key.array ?? key).join('_')}`;
      return value.flatMap((each, i) => {
        const inner = Array.isArray(each) ? [...order, { array: keys.join('_') }] : order;
        return explode(each, keys, inner, level + 1).map((cells) => [...cells, [`order ${place(...order)}`, name, new Exact(String(i))]]);
      });
    }
    let rows = [[]];
    for (const [key, each] of Object.entries(value)) {
      const members = explode(each, [...keys, key], [...order, key], level + 1);
      rows = rows.flatMap((left) => members.map((right) => [...left, ...right]));
    }
    return rows;
  };
  return Object.keys(document).length === 0 ? [[]] : explode(document, [], [], 0);
}

const fold = (name) => name.replace(/[A-Z]/g, (c) => c.toLowerCase());
const utf8_bytes = (text) => Buffer.byteLength(text);
const is_name = (name) => name !== '' && !name.includes('\0') && utf8_bytes(name) <= 255;

// The row of the document and, in `children`, those of its arrays: { table, cells, children, id }. `id` is what the
// children repeat of it: a value, or undefined where that is the row's __row_id. Of cells of ours, value is a function of
// the rows that were found, { own, parent }.
export function multitable(document, table, depth = 0) {
  return row_of_object(document, table, null, depth, 0);
}

const kOwnId = ['["id"]', 'id', ({ own }) => own];

// "id" and the parent's are told in any case, and are written as they are named here.
const id_names = (parent) => ['id', ...(parent === null ? [] : [`${parent.table}_id`])];
const id_name = (key, parent) => id_names(parent).find((name) => fold(name) === fold(key));

function parent_cells(parent, brought) {
  if (parent === null) return [];
  const name = `${parent.table}_id`;
  const cells = [['own parent', '__parent_row_id', (found) => found.parent]];
  if (!brought) cells.push([place(name), name, parent.id === undefined ? (found) => found.parent : parent.id]);
  return cells;
}

function row_of_object(object, table, parent, depth, level) {
  const row = { table, cells: [], children: [], id: undefined };
  const arrays = [];
  const named = new Map(); // id's name → its values that are columns
  const walk = (value, keys, name, at) => {
    for (const [key, each] of Object.entries(value)) {
      const special = keys.length === 0 ? id_name(key, parent) : undefined;
      if (special !== undefined && each === null) continue; // says nothing: the row gets one
      const here = [...keys, special ?? key];
      const child = `${name}_${key}`;
      if (is_object(each) && !is_leaf(each, at + 1, depth)) {
        walk(each, [...keys, key], child, at + 1);
      } else if (Array.isArray(each) && !is_leaf(each, at + 1, depth) && is_name(child)) {
        arrays.push({ child, key, elements: each, level: at + 1 });
      } else {
        const before = named.get(special)?.length ?? 0;
        if (special !== undefined) named.set(special, [...(named.get(special) ?? []), each]);
        row.cells.push([place(...here) + (before > 0 ? ` again ${before}` : ''), here.join('_'), each]);
      }
    }
  };
  walk(object, [], table, level);
  row.cells.unshift(...parent_cells(parent, parent !== null && named.has(`${parent.table}_id`)));
  const own = named.get('id')?.[0];
  if (own !== undefined && !is_container(own)) row.id = own;
  if (own === undefined) row.cells.push(kOwnId);
  for (const { child, key, elements, level: at } of arrays) {
    for (const element of elements) row.children.push(row_of_element(element, child, key, row, depth, at));
  }
  return row;
}

function row_of_element(element, table, key, parent, depth, level) {
  if (is_object(element) && !is_leaf(element, level + 1, depth)) return row_of_object(element, table, parent, depth, level + 1);
  const special = id_name(key, parent);
  const cells = parent_cells(parent, special !== undefined && special !== 'id' && element !== null);
  if (special === undefined || element !== null) cells.push([place(special ?? key), special ?? key, element]);
  if (special !== 'id' || element === null) cells.push(kOwnId);
  return { table, cells, children: [] };
}
