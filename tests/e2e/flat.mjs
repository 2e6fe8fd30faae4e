// The rule of names and values of docs and src/json (flatten=horizontal), written down a second time, from the
// documents and not from the code, so that a test can say where each value of a payload must be found again.
//
//  - Every leaf of a row (a scalar, a null, or an empty object or array) has a place: the keys and indexes to it.
//  - A place's column is named by these joined with '_'. Where that name is taken, ASCII case aside, by a place
//    that came first, it is '_2', '_3' … behind it.
import assert from 'node:assert/strict';

const is_container = (v) => v !== null && typeof v === 'object' && Object.keys(v).length > 0;

// [place, name, value] of each leaf, in the order of the text.
export function leaves(row) {
  const out = [];
  const walk = (value, keys) => {
    if (!is_container(value)) {
      out.push([JSON.stringify(keys), keys.join('_'), value]);
    } else if (Array.isArray(value)) {
      value.forEach((element, index) => walk(element, [...keys, index]));
    } else {
      for (const [key, element] of Object.entries(value)) walk(element, [...keys, key]);
    }
  };
  for (const [key, value] of Object.entries(row)) walk(value, [key]);
  return out;
}

const fold = (name) => name.replace(/[A-Z]/g, (c) => c.toLowerCase());

const kOwn = new Set(['__row_id', '__received_at', '__overflow']);

// What a table must look like after these rows, in this order.
export class ExpectedTable {
  constructor() {
    this.rows = []; // Map of place to value
    this.names = new Map(); // place to column name
    this.families = new Map(); // place to the kinds of scalars that it has
    this.taken = new Set(kOwn);
  }

  add(row) {
    const values = new Map();
    for (const [place, name, value] of leaves(row)) {
      values.set(place, value);
      if (value !== null && typeof value !== 'object') {
        if (!this.families.has(place)) this.families.set(place, new Set());
        this.families.get(place).add(typeof value);
      }
      if (this.names.has(place)) continue;
      let free = name;
      for (let n = 2; this.taken.has(fold(free)); n += 1) free = `${name}_${n}`;
      this.taken.add(fold(free));
      this.names.set(place, free);
    }
    this.rows.push(values);
  }

  get columns() { return [...this.names.values()]; }

  // Compares with rows of an answer (parseExact), in the order of insertion, and with the columns' types.
  check(rows, types, label) {
    assert.equal(rows.length, this.rows.length, `${label}: rows`);
    let compared = 0;
    for (const [index, values] of this.rows.entries()) {
      const row = rows[index];
      assert.equal(Object.keys(row).filter((c) => !kOwn.has(c)).length, this.names.size, `${label}: columns`);
      for (const [place, name] of this.names) {
        assert.ok(Object.hasOwn(row, name), `${label}: no column ${name} for ${place}`);
        const wanted = values.has(place) ? values.get(place) : null;
        assert.ok(same(wanted, row[name], types[name], this.families.get(place)?.size > 1),
          `${label}, row ${index}, ${place} in ${name} ${types[name]}: sent ${JSON.stringify(wanted)}, found ${text_of(row[name])}`);
        if (values.has(place)) compared += 1;
      }
    }
    return compared;
  }
}

const text_of = (v) => (v !== null && typeof v === 'object' && v.token !== undefined ? v.token : JSON.stringify(v));

// 1.50e1 → "15": a decimal without the freedoms of spelling.
export function canonical(token) {
  const [, sign, whole, fraction = '', exponent = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(token);
  let digits = whole + fraction;
  let point = whole.length + Number(exponent);
  if (point < 0) { digits = '0'.repeat(-point) + digits; point = 0; }
  if (point > digits.length) digits += '0'.repeat(point - digits.length);
  const left = digits.slice(0, point).replace(/^0+/, '') || '0';
  const right = digits.slice(point).replace(/0+$/, '');
  return `${sign}${left}${right ? `.${right}` : ''}`;
}

// A time with a zone as microseconds since 1970; null for any other text.
export function instant(text) {
  const match = typeof text === 'string' && /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?(Z|[+-]\d\d:\d\d)$/.exec(text);
  if (!match) return null;
  const ms = Date.parse(match[1] + match[3]);
  return Number.isNaN(ms) ? null : BigInt(ms) * 1000n + BigInt((match[2] ?? '').padEnd(6, '0'));
}
const same_instant = (a, b) => instant(a) !== null && instant(a) === instant(b);

// A value as sent (numbers as JavaScript has them) and as found (numbers as Exact), in a column of that type.
function same(sent, found, type, mixed) {
  if (sent === null) return found === null;
  if (found === null) return false;
  if (type === 'JSON') {
    // A scalar that stood in a VARCHAR column before the column became JSON may be a string now.
    return same_json(sent, found) || same_instant(sent, found) || (mixed && typeof sent !== 'object' && found === String(sent));
  }
  if (typeof sent === 'object') return false; // an empty object or array makes the column JSON
  if (type === 'TIMESTAMP WITH TIME ZONE') return same_instant(sent, found);
  // A time that stood in a TIMESTAMPTZ column before the column became text is spelled in UTC.
  if (type === 'VARCHAR') return found === (typeof sent === 'string' ? sent : String(sent)) || same_instant(sent, found);
  if (typeof sent === 'boolean') return type === 'BOOLEAN' && found === sent;
  if (typeof sent !== 'number' || found.token === undefined) return false;
  return canonical(found.token) === canonical(String(sent));
}

function same_json(sent, found) {
  if (sent === null || typeof sent !== 'object') {
    return typeof sent === 'number' ? found?.token !== undefined && canonical(found.token) === canonical(String(sent)) : sent === found;
  }
  if (found === null || typeof found !== 'object' || Array.isArray(sent) !== Array.isArray(found)) return false;
  const keys = Object.keys(sent);
  return keys.length === Object.keys(found).length && keys.every((k) => Object.hasOwn(found, k) && same_json(sent[k], found[k]));
}
