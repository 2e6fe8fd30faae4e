// Questions in SQL of the dashboard's own. Answers stay text, value by value: quote_int64 is not needed for exact numbers.
import { ask, scoped } from './api';
import type { Statement } from './browse';
import { readCompact, type Result } from './rawjson';

export async function askRows({ query, params }: Statement, options: { signal?: AbortSignal; fresh?: boolean } = {}): Promise<Result> {
  const { signal, fresh } = options;
  const answer = await ask('/api/data/query', { body: { query, params, format: 'jsoncompact', ...(fresh === undefined ? {} : { fresh }) }, signal });
  return readCompact(await answer.text());
}

// The address of a result, for the browser to download: it streams to the disk.
export const resultAddress = ({ query, params }: Statement, format: string, more = '') =>
  scoped(`/api/data/query?format=${format}${more}&params=${encodeURIComponent(JSON.stringify(params))}&query=${encodeURIComponent(query)}`);
