// Questions in SQL of the dashboard's own, with answers of a page or less. Values stay the text that they came as, so that
// numbers are exact without quote_int64.
import { ask, scoped } from './api';
import { readBeginning, type Beginning } from './beginning';
import type { Statement } from './browse';

export async function askRows({ query, params }: Statement, options: { signal?: AbortSignal; fresh?: boolean } = {}): Promise<Beginning> {
  const { signal, fresh } = options;
  const answer = await ask('/api/data/query', { body: { query, params, format: 'jsoncompact', ...(fresh === undefined ? {} : { fresh }) }, signal });
  return readBeginning(answer, Infinity, Infinity);
}

// The address of a result, for the browser to download: it streams to the disk.
export const resultAddress = ({ query, params }: Statement, format: string, more = '') =>
  scoped(`/api/data/query?format=${format}${more}&params=${encodeURIComponent(JSON.stringify(params))}&query=${encodeURIComponent(query)}`);
