// Questions in SQL of the dashboard's own, with answers of a page or less. Values stay the text that they came as, so that
// numbers are exact without quote_int64.
import { ask, scoped } from './api';
import { readBeginning, type Beginning } from './beginning';
import type { Statement } from './browse';

// The server said nothing of an error, as its answer had begun: it is over a limit, or something has failed.
export class BrokenOff extends Error {
  constructor() {
    super('The answer broke off before its end.');
  }
}

export async function askRows({ query, params }: Statement, options: { signal?: AbortSignal; fresh?: boolean } = {}): Promise<Beginning> {
  const { signal, fresh } = options;
  const answer = await ask('/api/data/query', { body: { query, params, format: 'jsoncompact', quote_nan: true, ...(fresh === undefined ? {} : { fresh }) }, signal });
  try {
    return await readBeginning(answer, Infinity, Infinity);
  } catch (error) {
    throw signal?.aborted ? error : new BrokenOff();
  }
}

// The address of a result as a file.
export function resultAddress({ query, params }: Statement, format: string, options: Record<string, boolean> = {}): string {
  const asked = new URLSearchParams({ format });
  for (const [name, value] of Object.entries(options)) asked.set(name, String(value));
  if (params.length > 0) asked.set('params', JSON.stringify(params));
  return scoped(`/api/data/query?${asked}&query=${encodeURIComponent(query)}`);
}
