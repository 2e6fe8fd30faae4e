// Columns of a result as the numbers that a chart draws.
import type { Rows } from './rows';
import { family } from './sqltypes';

export interface Series {
  x: number[];
  // The x of each point as text, where x is neither a number nor a time: then x counts from 0.
  labels: string[] | null;
  isTime: boolean;
  ys: (number | null)[][];
  drawn: number; // rows that were read
}

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

export function seriesOf(rows: Rows, xColumn: number, yColumns: number[], limit: number): Series {
  const type = rows.columns?.[xColumn]?.type ?? '';
  const time = isTime(type);
  const labels: string[] | null = time || isNumber(type) ? null : [];
  const points: { x: number; ys: (number | null)[] }[] = [];
  const drawn = Math.min(limit, rows.count);
  for (let i = 0; i < drawn; ++i) {
    const row = rows.row(i);
    const at = row[xColumn]!;
    let x: number | null = i;
    if (labels) labels.push(at.kind === 'null' ? 'NULL' : at.text);
    else x = at.kind === 'null' ? null : time ? secondsOf(at.text) : Number(at.text);
    if (x === null) continue;
    points.push({ x, ys: yColumns.map((y) => (row[y]!.kind === 'number' ? Number(row[y]!.text) : null)) });
  }
  // A chart's x must not go back.
  if (!labels) points.sort((a, b) => a.x - b.x);
  return { x: points.map((point) => point.x), labels, isTime: time, ys: yColumns.map((_, k) => points.map((point) => point.ys[k] ?? null)), drawn };
}
