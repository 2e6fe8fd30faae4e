// A page of docs/ as what it claims: each line of a table and each point of a list is one claim, which a test must
// cover. A paragraph claims nothing: it is one sentence that ends with a colon and introduces what stands below it.
// Anything else on a page is an error of the page.
import assert from 'node:assert/strict';
import { parseExact } from './lib.mjs';

const cells_of = (line) => line.trim().replace(/^\||\|$/g, '').split('|').map((cell) => cell.trim());

// The claims of a page, in order: { text, heading, header, cells } of a line of a table (header: its names, joined with
// ' | '), { text, heading } of a point. `text` is the line as it stands, without the marks of the list and line breaks.
export function claims_of(page) {
  const claims = [];
  let heading = '';
  for (const block of page.split(/\n{2,}/)) {
    const lines = block.trim().split('\n');
    if (lines[0] === '') continue;
    if (lines[0].startsWith('#')) {
      assert.equal(lines.length, 1, `a heading stands alone: ${block}`);
      heading = lines[0].replace(/^#+ /, '');
    } else if (lines[0].startsWith('|')) {
      assert.match(lines[1] ?? '', /^\|( --- \|)+$/, `a table has a header: ${block}`);
      const header = cells_of(lines[0]);
      for (const line of lines.slice(2)) {
        const cells = cells_of(line);
        assert.equal(cells.length, header.length, `cells of ${line}`);
        claims.push({ text: line.trim(), heading, header: header.join(' | '), cells });
      }
    } else if (lines[0].startsWith('- ')) {
      for (const line of lines) {
        if (line.startsWith('- ')) claims.push({ text: line.slice(2), heading });
        else claims.at(-1).text += ` ${line.trim()}`;
      }
    } else {
      const sentence = lines.map((line) => line.trim()).join(' ');
      assert.match(sentence, /^(?:(?!\. |\? |! |: [A-Z]).)*:$/, `a rule must be a point of a list or a line of a table: ${sentence}`);
    }
  }
  return claims;
}

// What a cell has in backquotes.
export const spans_of = (cell) => [...cell.matchAll(/`([^`]*)`/g)].map((found) => found[1]);

const kPlace = /^[A-Z]$/;
// A number that the server gave, by its letter.
export class Given {
  constructor(letter) { this.letter = letter; }
}

// `name = value`, `name TYPE = value`
export function parse_column(text) {
  const found = /^("(?:[^"]|"")*"|[^\s"]+)(?: (.+?))? = (.+)$/.exec(text);
  assert.ok(found, `no column and value: ${text}`);
  const name = found[1].startsWith('"') ? found[1].slice(1, -1).replaceAll('""', '"') : found[1];
  return { name, type: found[2], value: kPlace.test(found[3]) ? new Given(found[3]) : parseExact(found[3]) };
}

// What a cell of rows says: { status, slug } of a refused request, else { tables: Map of name to rows, refused: codes }.
// A row is a list of columns, `more` where it may have others of ours. Rows without the name of a table are those of ''.
export function parse_rows(cell) {
  const status = /^(\d{3}) `([^`]+)`$/.exec(cell);
  if (status) return { status: Number(status[1]), slug: status[2] };
  const out = { tables: new Map(), refused: [] };
  for (const line of cell.split('<br>')) {
    if (line === 'no row') continue;
    if (line.startsWith('refused: ')) {
      out.refused.push(...spans_of(line));
      continue;
    }
    const named = /^`([^`]+)`: /.exec(line);
    const table = named ? named[1] : '';
    const rest = named ? line.slice(named[0].length) : line;
    assert.match(rest, /^(?:`[^`]*`(?:, `[^`]*`)*(?:, …)?|…|a row without columns)$/, `rows of ${cell}`);
    if (!out.tables.has(table)) out.tables.set(table, []);
    out.tables.get(table).push(Object.assign(spans_of(rest).map(parse_column), { more: rest.endsWith('…') }));
  }
  return out;
}

// The type of a column whose type the page does not say: of what stands in its rows.
export function plain_type(values) {
  const kinds = new Set(values.filter((v) => v !== null).map((v) => {
    if (v instanceof Given) return 'BIGINT';
    if (typeof v === 'boolean') return 'BOOLEAN';
    if (typeof v === 'string') return 'VARCHAR';
    assert.equal(typeof v.token, 'string', `a type must stand before ${JSON.stringify(v)}`);
    return /[.e]/i.test(v.token) ? 'DOUBLE' : 'BIGINT';
  }));
  assert.ok(kinds.size <= 1, `a type must stand before values of ${[...kinds].join(' and ')}`);
  return [...kinds][0] ?? 'VARCHAR';
}

// How the claims that stand in a page and the ones that tests know differ.
export function differences(claims, covered) {
  const texts = claims.map((claim) => claim.text);
  return {
    untested: claims.filter((claim) => !covered(claim)).map((claim) => claim.text),
    twice: texts.filter((text, i) => texts.indexOf(text) !== i && claims[i].header === undefined),
  };
}
