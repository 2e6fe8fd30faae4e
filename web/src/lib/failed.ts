// Failed rows, whose list carries its counts.
import { get } from './api';
import { session } from './session.svelte';
import type { FailedRow } from './types';

export interface FailedPage { data: FailedRow[]; next: string | null; total: number; tables: Record<string, number> }

export function failedPage(filter: { table?: string; receipt?: string; limit: number; after?: string | null }): Promise<FailedPage> {
  const asked = new URLSearchParams({ limit: String(filter.limit) });
  for (const name of ['table', 'receipt', 'after'] as const) if (filter[name]) asked.set(name, filter[name]);
  return get<FailedPage>(`/api/data/failed?${asked}`);
}

const counts = (table?: string, receipt = '') => get<FailedPage>(`/api/data/failed?counts=true${table === undefined ? '' : `&table=${encodeURIComponent(table)}`}${receipt && `&receipt=${receipt}`}`);

export const failedCount = async (table: string, receipt?: string) => (await counts(table, receipt)).total;

// How many each table has. A key that is limited to tables has to name them one by one.
export async function failedCounts(): Promise<Record<string, number>> {
  const names = session.current?.key.tables;
  if (!names) return (await counts()).tables;
  const pages = await Promise.all(names.map((table) => counts(table)));
  return Object.fromEntries(pages.map((page, i) => [names[i]!, page.total]));
}
