// Columns of a result as the numbers that a chart draws.
import type { Cell, Rows } from './rows';
import { family } from './sqltypes';

export interface Asked {
  x: number; // a column, or kRowNumber
  ys: number[]; // columns of numbers
  by: number | null; // a column whose values are a series each: then of the first y
  sum: boolean; // what has the same x is added up
  limit: number; // rows that are read
}

export interface Series {
  x: number[];
  // The x of each point as text, where x is neither a number nor a time: then x counts from 0.
  labels: string[] | null;
  isTime: boolean;
  names: string[]; // of ys
  values: number; // of `by`: more than there are names where the rest is one series together
  ys: (number | null)[][];
  drawn: number; // rows that were read
  repeats: boolean; // several rows have the same x, and the same value of `by` where there is one
}

export const kRowNumber = -1;
export const kMostSeries = 6;
const kOthers = 'others';

const timeType = /^(DATE|TIMESTAMP|TIMESTAMP_S|TIMESTAMP_MS|TIMESTAMP_NS|TIMESTAMP WITH TIME ZONE|DATETIME)$/;
export const isTime = (type: string) => timeType.test(type);
export const isNumber = (type: string) => family(type) === 'number';

// Seconds since 1970; a time without a zone is taken as UTC, as the server's are.
function secondsOf(text: string): number | null {
  const iso = text.length === 10 ? `${text}T00:00:00Z` : text.endsWith('Z') ? text : `${text}Z`;
  // Microseconds are more than Date takes everywhere.
  const value = Date.parse(iso.replace(/(\.\d{3})\d+/, '$1'));
  return Number.isNaN(value) ? null : value / 1000;
}

const numberOf = (cell: Cell) => (cell.kind === 'number' ? Number(cell.text) : null);
const labelOf = (cell: Cell) => (cell.kind === 'null' ? 'NULL' : cell.text);
const add = (a: number | null, b: number | null) => (a === null ? b : b === null ? a : a + b);

interface Point { x: number; of: string; ys: (number | null)[] }

// What has the same x, and stands for the same, becomes one point.
function addedUp(points: Point[]): Point[] {
  const found = new Map<string, Point>();
  for (const point of points) {
    const key = `${point.x} ${point.of}`;
    const there = found.get(key);
    if (there) there.ys = there.ys.map((y, k) => add(y, point.ys[k] ?? null));
    else found.set(key, { ...point });
  }
  return [...found.values()];
}

// The values that have the most become series of their own, in that order; the rest is one together.
function seriesNames(points: Point[]): { names: string[]; values: number } {
  const totals = new Map<string, number>();
  for (const { of, ys } of points) totals.set(of, (totals.get(of) ?? 0) + Math.abs(ys[0] ?? 0));
  const all = [...totals].sort((a, b) => b[1] - a[1]).map(([name]) => name);
  return { names: all.length <= kMostSeries ? all : [...all.slice(0, kMostSeries - 1), kOthers], values: all.length };
}

// Each name's own values: all have the same x, so that they are null where there is none. Bars have one place for each x.
function spread(points: Point[], names: string[], dense: boolean): { x: number[]; ys: (number | null)[][] } {
  const x = dense ? [...new Set(points.map((point) => point.x))] : points.map((point) => point.x);
  const place = new Map(dense ? x.map((at, i) => [at, i]) : []);
  const line = new Map(names.map((name, k) => [name, k]));
  const ys = names.map(() => new Array<number | null>(x.length).fill(null));
  points.forEach((point, i) => {
    const own = ys[line.get(point.of) ?? names.length - 1]!;
    const at = dense ? place.get(point.x)! : i;
    own[at] = add(own[at]!, point.ys[0] ?? null);
  });
  return { x, ys };
}

export function seriesOf(rows: Rows, { x: xColumn, ys: yColumns, by, sum, limit }: Asked): Series {
  const type = rows.columns?.[xColumn]?.type ?? '';
  const time = isTime(type);
  const labels: string[] | null = xColumn === kRowNumber || time || isNumber(type) ? null : [];
  const labelled = new Map<string, number>(); // where one label is one x
  const seen = new Set<string>();
  let points: Point[] = [];
  let repeats = false;
  const drawn = Math.min(limit, rows.count);
  for (let i = 0; i < drawn; ++i) {
    const row = rows.row(i);
    const at = row[xColumn];
    let x: number | null = i;
    if (!at) x = i + 1;
    else if (!labels) x = at.kind === 'null' ? null : time ? secondsOf(at.text) : Number(at.text);
    else if (by === null && !sum) labels.push(labelOf(at));
    else {
      const label = labelOf(at);
      x = labelled.get(label) ?? labelled.size;
      if (x === labelled.size) labels.push(label);
      labelled.set(label, x);
    }
    if (x === null) continue;
    const of = by === null ? '' : labelOf(row[by]!);
    const key = `${labels ? labels[x] : x} ${of}`;
    repeats ||= seen.has(key);
    seen.add(key);
    points.push({ x, of, ys: yColumns.map((y) => numberOf(row[y]!)) });
  }
  if (sum) points = addedUp(points);
  // A chart's x must not go back.
  points.sort((a, b) => a.x - b.x);
  const common = { labels, isTime: time, drawn, repeats };
  if (by !== null) {
    const { names, values } = seriesNames(points);
    return { ...common, names, values, ...spread(points, names, sum) };
  }
  const names = yColumns.map((y) => rows.columns?.[y]?.name ?? '');
  return { ...common, names, values: 0, x: points.map((point) => point.x), ys: yColumns.map((_, k) => points.map((point) => point.ys[k] ?? null)) };
}
