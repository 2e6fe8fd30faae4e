// Whether the rows of a table hold what was sent, every value of it and nothing else.
//
//   const table = new FoundAgain('events');
//   table.add(row, cells, 'document 7');   // a row as found (parseExact), the cells that it must have (flatten_model.mjs)
//   table.finish();
//
// The test is not told which column a place of the documents got, only what its name begins with; it finds that out: each
// place must have one column (or __overflow) that held the right value in every row, no two places the same, and no row
// more values than were sent.
import assert from 'node:assert/strict';
import { instant } from './flat.mjs';
import { Exact } from './lib.mjs';

const is_object = (v) => v !== null && typeof v === 'object' && !Array.isArray(v) && !(v instanceof Exact);

// A number without the freedoms of spelling: 1.50e1 → "15e0". -0 is 0: DuckDB takes one for the other when it compresses a
// DOUBLE column (docs/architecture.md, Limits that are known).
export function number_of(token) {
  const found = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(token);
  if (!found) return null;
  const [, sign, whole, fraction = '', exponent = '0'] = found;
  const digits = (whole + fraction).replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return '0';
  return `${sign}${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`;
}
const numeric = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

// A value as sent and as found, in whatever type its column ended; `strict`: numbers and booleans are no strings.
export function same(sent, found, strict = false) {
  if (sent === null) return found === null || found === undefined;
  if (found === null || found === undefined) return false;
  if (sent instanceof Exact) {
    if (strict && !(found instanceof Exact)) return false;
    const token = found instanceof Exact ? found.token : found;
    return typeof token === 'string' && numeric.test(token) && number_of(token) === number_of(sent.token);
  }
  if (typeof sent === 'boolean') return found === sent || (!strict && found === String(sent));
  if (typeof sent === 'string') return found === sent || (typeof found === 'string' && instant(sent) !== null && instant(sent) === instant(found));
  if (Array.isArray(sent)) return Array.isArray(found) && found.length === sent.length && sent.every((v, i) => same(v, found[i], strict));
  if (!is_object(found)) return false;
  // In a STRUCT fields that other documents brought are null.
  return Object.entries(sent).every(([k, v]) => same(v, Object.hasOwn(found, k) ? found[k] : null, strict))
    && Object.entries(found).every(([k, v]) => Object.hasOwn(sent, k) || v === null);
}

export function show(value) {
  return JSON.stringify(value, (_, v) => (v instanceof Exact ? `#${v.token}` : v))?.slice(0, 1500);
}

const fold = (name) => name.replace(/[A-Z]/g, (c) => c.toLowerCase());
const kOwn = new Set(['__row_id', '__received_at', '__overflow']);
const kOverflow = Symbol('__overflow');

// Values by the names that a place may have given them: the column's, and that without its suffix.
function by_name(members) {
  const out = new Map();
  for (const [column, value] of members) {
    const folded = fold(column);
    for (const name of new Set([folded, folded.replace(/_\d+$/, '')])) {
      if (!out.has(name)) out.set(name, []);
      out.get(name).push([column, value]);
    }
  }
  return out;
}

export class FoundAgain {
  // `types`: of the columns, by name. What is nested in a column of type JSON is as it was sent.
  constructor(label, types = {}) {
    this.label = label;
    this.types = types;
    this.candidates = new Map(); // place to the set of columns that it may have
    this.names = new Map(); // place to name
    this.rows = [];
    this.values = 0;
  }

  add(row, cells, where) {
    const columns = Object.entries(row).filter(([column, value]) => value !== null && !kOwn.has(column));
    const overflow = Object.entries(row.__overflow ?? {});
    const sent = cells.filter(([, , value]) => value !== null);
    const places = new Set(sent.map(([place]) => place));
    const in_columns = by_name(columns), in_overflow = by_name(overflow);
    for (const [place, name, value] of sent) {
      const nested = Array.isArray(value) || is_object(value);
      const right = new Set((in_columns.get(fold(name)) ?? [])
        .filter(([column, found]) => same(value, found, nested && this.types[column] === 'JSON')).map(([column]) => column));
      if ((in_overflow.get(fold(name)) ?? []).some(([, found]) => same(value, found))) right.add(kOverflow);
      const before = this.candidates.get(place);
      const left = before ? new Set([...before].filter((column) => right.has(column))) : right;
      if (left.size === 0) {
        assert.fail(`${this.label}, ${where}: ${place} was sent as ${show(value)}; of its name there are ${
          show([in_columns.get(fold(name)), in_overflow.get(fold(name))])}${before ? `, its column was ${[...before].map(String)}` : ''}`);
      }
      this.candidates.set(place, left);
      this.names.set(place, name);
    }
    assert.equal(places.size, sent.length, `${this.label}, ${where}: the model has a place twice`);
    if (columns.length + overflow.length !== sent.length) {
      assert.fail(`${this.label}, ${where}: ${sent.length} values were sent, ${columns.length} columns and ${overflow.length} members of __overflow have one:
sent  ${show(sent)}\nfound ${show(columns)} ${show(overflow)}`);
    }
    this.rows.push({ where, places: [...places], columns: columns.length });
    this.values += sent.length;
  }

  // Gives each place a column of its own; returns how many values were compared.
  finish() {
    const owner = new Map(); // column to place
    const give = (place, tried) => {
      for (const column of this.candidates.get(place)) {
        if (column === kOverflow || tried.has(column)) continue;
        tried.add(column);
        if (!owner.has(column) || give(owner.get(column), tried)) {
          owner.set(column, place);
          return true;
        }
      }
      return false;
    };
    const spilled = new Set();
    for (const place of [...this.candidates.keys()].sort((a, b) => this.candidates.get(a).size - this.candidates.get(b).size)) {
      if (give(place, new Set())) continue;
      if (!this.candidates.get(place).has(kOverflow)) {
        assert.fail(`${this.label}: no column is left for ${place}: ${[...this.candidates.get(place)].map((c) => `${c} is of ${owner.get(c)}`)}`);
      }
      spilled.add(place);
    }
    for (const { where, places, columns } of this.rows) {
      const own = places.filter((place) => !spilled.has(place)).length;
      assert.equal(columns, own, `${this.label}, ${where}: columns with values`);
    }
    return this.values;
  }
}
