// Random JSON documents, the same for the same seed: deep and wide, mixed types, any unicode, numbers of any size.
//
//   documents(seed, count) → [{ sent, text, depth }]
//
// `sent` is the document with its numbers as Exact, `text` how it was spelled (in one line), `depth` how many levels of
// objects and arrays it has. Each has a member `doc` with its place in the list.
//
// A seed gives each key its own kinds of values, and other kinds from some document on, so that columns of every type
// appear, and every widening of them with values that are there already.
import { Exact } from './lib.mjs';
import { random } from './random.mjs';

// Few keys, so that documents meet in their columns; some collide, or differ in case only, or are names of ours.
const kKeys = ['a', 'b', 'a_b', 'B', 'id', 'ID', 'tags', 'meta', 'größe', 'x y', '0', '1', 'a_0', 'at', '"q"', 'c.d', 'A_2', 'multi_id',
  '__overflow', '___document_id', '__order_a', '__parent_row_id'];
// No column can have such a name.
const kNoNames = ['', 'x\u0000y', 'ä'.repeat(128), `${'long '.repeat(51)}!`];
const kTexts = ['', 'x', 'null', '0123', '2024-01-01', '1e5', '-0', 'Ω≈ç', '\u0000\u001f"\\/', '{"a":1}', '[]', '2024-02-29T12:00:00Z',
  '2024-02-29T23:59:59.123456+05:30', '𝒳'.repeat(20), 'true', 'NaN', ' 1', '\ufeffx', 'e\u0301\u0323\u200d', '👩‍👩‍👧‍👦🏳️‍🌈', '\u2028\u2029', '\uffff', '\u202eabc'];
const kNumbers = ['0', '1', '-7', '1.5', '0.1', '1e3', '-0', '-0.0', '9007199254740992', '9007199254740993', '-9223372036854775808', '9223372036854775807',
  '9223372036854775808', '123456789012345678901234567890', '3.14159265358979323846', '1e400', '1e-400', '5e-324', '1.7976931348623157e308',
  '99999999999999999999999999999999999999', '100000000000000000000000000000000000000', '99999999999999999999999999999999999999999', '19.99', '1E-7',
  '1.50', '0.10000000000000000001', '12345678901234567890.123456789012345678'];

const digits = (next, count) => Array.from({ length: count }, () => next.between(0, 9)).join('').replace(/^0+(?=\d)/, '');
const signed = (next, token) => (next() < 0.3 && token !== '0' ? `-${token}` : token);

function double(next) {
  for (;;) {
    const view = new DataView(new ArrayBuffer(8));
    view.setUint32(0, next.between(0, 2 ** 32 - 1));
    view.setUint32(4, next.between(0, 2 ** 32 - 1));
    // Of any size, or of one that people use.
    const value = next() < 0.3 ? view.getFloat64(0) : (next() - 0.5) * 10 ** next.between(-6, 18);
    if (Number.isFinite(value)) return Object.is(value, -0) ? '-0.0' : String(value);
  }
}

function text(next) {
  let out = '';
  for (let left = next() < 0.05 ? 400 : next.between(0, 12); left > 0; left -= 1) {
    const kind = next();
    if (kind < 0.4) out += String.fromCharCode(next.between(32, 126));
    else if (kind < 0.5) out += String.fromCharCode(next.between(0, 31));
    else if (kind < 0.6) out += String.fromCharCode(next.between(0x300, 0x36f)); // combining
    else if (kind < 0.8) out += String.fromCharCode(next.between(0xa0, 0xd7ff));
    else if (kind < 0.85) out += String.fromCharCode(next.between(0xe000, 0xffff));
    else out += String.fromCodePoint(next.between(0x10000, 0x10ffff)); // astral
  }
  return out;
}

function time(next) {
  const two = (low, high) => String(next.between(low, high)).padStart(2, '0');
  const fraction = next() < 0.5 ? `.${digits(next, next.between(1, 7))}` : '';
  const zone = next() < 0.5 ? 'Z' : `${next.pick(['+', '-'])}${two(0, 14)}:${next.pick(['00', '30', '45'])}`;
  return `${next.between(1900, 2100)}-${two(1, 12)}-${two(1, 28)}T${two(0, 23)}:${two(0, 59)}:${two(0, 59)}${fraction}${zone}`;
}

const kKinds = {
  small: (next) => new Exact(String(next.between(-1000, 1000))),
  integer: (next) => new Exact(signed(next, digits(next, next.between(1, 15)))),
  word: (next) => new Exact(String(BigInt.asIntN(64, (BigInt(next.between(0, 2 ** 32 - 1)) << 32n) | BigInt(next.between(0, 2 ** 32 - 1))))),
  big: (next) => new Exact(signed(next, digits(next, next.between(1, 40)))),
  double: (next) => new Exact(double(next)),
  cents: (next) => new Exact(signed(next, `${next.between(1, 9999)}.${digits(next, 2).padStart(2, '0')}`)),
  decimal: (next) => new Exact(`${signed(next, digits(next, next.between(1, 22)))}.${'0'.repeat(next.between(0, 2))}${digits(next, next.between(1, 20))}`),
  exponent: (next) => new Exact(`${next.between(1, 9)}.${digits(next, 3)}${next.pick(['e', 'E'])}${next.pick(['', '+', '-'])}${next.between(0, 30)}`),
  number: (next) => new Exact(next.pick(kNumbers)),
  boolean: (next) => next() < 0.5,
  time,
  text,
  odd: (next) => next.pick(kTexts),
};
const kinds = Object.keys(kKinds);
const some_kinds = (next) => (next() < 0.6 ? [next.pick(kinds)] : [next.pick(kinds), next.pick(kinds)]);

class Generator {
  constructor(seed, count) {
    this.next = random(seed);
    for (let i = 0; i < 8; i += 1) this.next(); // small seeds begin alike
    const { next } = this;
    this.count = count;
    this.profiles = new Map();
    const unicode = Array.from({ length: 4 }, () => text(next).slice(0, 40)).map((key) => key.toWellFormed?.() ?? key.replace(/\p{Cs}/gu, ''));
    this.top = [...kKeys, ...unicode.filter((key) => key !== '' && key !== '__proto__')];
    this.nested = Array.from({ length: 8 }, () => next.pick(this.top));
    this.map_kind = next.pick(['small', 'integer', 'double', 'text', 'boolean', 'big']);
    this.map_breaks = next() < 0.3; // into a STRUCT, at some document
  }

  // A scalar as this key has them at this document.
  scalar(key, i) {
    const { next } = this;
    if (!this.profiles.has(key)) {
      this.profiles.set(key, { first: some_kinds(next), later: some_kinds(next), from: next.between(0, this.count * 2) });
    }
    const profile = this.profiles.get(key);
    if (next() < 0.08) return null;
    return kKinds[next.pick(i >= profile.from ? profile.later : profile.first)](next);
  }

  value(key, depth, i) {
    const { next } = this;
    const kind = next();
    if (depth > 0 && kind < 0.22) return this.object(this.nested, depth, next.between(0, 3), i);
    if (depth > 0 && kind < 0.36) return Array.from({ length: next.between(0, 3) }, () => this.value(key, depth - 1, i));
    return this.scalar(key, i);
  }

  object(keys, depth, size, i) {
    const out = {};
    for (let n = 0; n < size; n += 1) {
      const key = this.next() < 0.01 ? this.next.pick(kNoNames) : this.next.pick(keys);
      out[key] = this.value(key, depth - 1, i);
    }
    return out;
  }

  // Up to and beyond the 64 levels that a document may have; `levels` of them below the document.
  chain(levels, i) {
    const { next } = this;
    const shape = next.between(0, 2);
    let out = this.scalar('deep', i);
    for (let level = 0; level < levels; level += 1) {
      const is_array = shape === 1 || (shape === 2 && level % 2 === 1);
      const key = level % 16 === 7 ? 'a key that is rather long' : 'd';
      if (is_array) out = next() < 0.05 ? [out, this.scalar('deep', i)] : [out];
      else out = next() < 0.1 ? { [key]: out, s: this.scalar('deep', i) } : { [key]: out };
    }
    return out;
  }

  // Objects of hundreds of keys; with values of one family they are a MAP in mode none.
  wide(prefix, pool, low, high, value) {
    const { next } = this;
    const out = {};
    const size = next.between(low, high);
    while (Object.keys(out).length < size) out[`${prefix}${next.between(0, pool - 1)}`] = value();
    return out;
  }

  document(i) {
    const { next } = this;
    const out = { doc: new Exact(String(i)), ...this.object(this.top, 5, next.between(1, 5), i) };
    const special = next();
    // Of what has a limit there is one on each side of it: 64 levels and 65, 10,648 rows (22³) in mode vertical.
    if (i === 7 || i === 11) out.deep = this.chain(i === 7 ? 63 : 64, i);
    if (i === 13) for (const key of ['x', 'y', 'z']) out[key] = Array.from({ length: 22 }, () => this.scalar(key, i));
    if (special < 0.015) out.counts = this.wide('c', 150, 66, 110, () => (next() < 0.05 ? null : kKinds[this.map_kind](next)));
    else if (special < 0.02) out.counts = this.wide('c', 150, 1, 9, () => (this.map_breaks ? this.scalar('counts', i) : kKinds[this.map_kind](next)));
    else if (special < 0.027) out.wide = this.wide('w', 300, 100, 290, () => this.scalar(`w${next.between(0, 9)}`, i));
    else if (special < 0.035) out.deep = this.chain(next.between(20, 68), i);
    else if (special < 0.04) for (const key of ['x', 'y', 'z']) out[key] = Array.from({ length: next.pick([2, 4, 22, 23]) }, () => this.scalar(key, i));
    return out;
  }
}

const is_object = (v) => v !== null && typeof v === 'object' && !Array.isArray(v) && !(v instanceof Exact);
const depth_of = (v) => {
  if (Array.isArray(v)) return 1 + v.reduce((most, each) => Math.max(most, depth_of(each)), 0);
  return is_object(v) ? 1 + Object.values(v).reduce((most, each) => Math.max(most, depth_of(each)), 0) : 0;
};

// Strings also with every character escaped, now and then, and blanks where JSON has room for them.
export function spell(value, next) {
  const blank = () => (next && next() < 0.03 ? next.pick([' ', '\t', '  ']) : '');
  const string = (s) => (next && next() < 0.03 ? `"${Array.from({ length: s.length }, (_, i) => `\\u${s.charCodeAt(i).toString(16).padStart(4, '0')}`).join('')}"` : JSON.stringify(s));
  const write = (v) => {
    if (v instanceof Exact) return v.token;
    if (Array.isArray(v)) return `[${v.map((each) => blank() + write(each)).join(',')}]`;
    if (is_object(v)) return `{${Object.entries(v).map(([k, each]) => `${blank()}${string(k)}${blank()}:${write(each)}`).join(',')}}`;
    return typeof v === 'string' ? string(v) : String(v);
  };
  return write(value);
}

export function documents(seed, count) {
  const generator = new Generator(seed, count);
  return Array.from({ length: count }, (_, i) => {
    const sent = generator.document(i);
    return { sent, text: spell(sent, generator.next), depth: depth_of(sent) };
  });
}
