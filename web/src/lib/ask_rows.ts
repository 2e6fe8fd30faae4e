// Questions in SQL of the dashboard's own, with answers of a page or less. Values stay the text that they came as, so that
// numbers are exact without quote_int64.
import { ask, scoped } from './api';
import type { Statement } from './browse';
import { splitRow, type Cell, type ResultColumn } from './rows';

export interface Answer { columns: ResultColumn[]; rows: Cell[][] }

// The format jsoncompact: a line for the columns, one for each row, one for their number.
function readAnswer(text: string): Answer {
  const [head, ...lines] = text.split('\n');
  const { meta } = JSON.parse(`${head!.replace(/,$/, '')}}`) as { meta: ResultColumn[] };
  const rows = lines.map((line) => line.replace(/^"data":\[/, '')).filter((line) => line.startsWith('['));
  return { columns: meta, rows: rows.map(splitRow) };
}

export async function askRows({ query, params }: Statement, options: { signal?: AbortSignal; fresh?: boolean } = {}): Promise<Answer> {
  const { signal, fresh } = options;
  const answer = await ask('/api/data/query', { body: { query, params, format: 'jsoncompact', ...(fresh === undefined ? {} : { fresh }) }, signal });
  return readAnswer(await answer.text());
}

// The address of a result, for the browser to download: it streams to the disk.
export const resultAddress = ({ query, params }: Statement, format: string, more = '') =>
  scoped(`/api/data/query?format=${format}${more}&params=${encodeURIComponent(JSON.stringify(params))}&query=${encodeURIComponent(query)}`);
