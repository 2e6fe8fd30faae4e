// The schema's history of a table, under the names that it has had.
import { all, Problem } from './api';
import type { SchemaChange } from './types';

// Nothing where none is known: of a table that another program made.
export async function historyOf(table: string): Promise<SchemaChange[]> {
  try {
    return await all<SchemaChange>(`/api/tables/${encodeURIComponent(table)}/history`);
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return [];
    throw error;
  }
}

const kMostNames = 20;

// When each column of the table came, also under an earlier name of the table.
export async function firstSeen(table: string): Promise<Map<string, string>> {
  const out = new Map<string, string>();
  let name: string | null = table;
  let until: string | null = null;
  for (let names = 0; name !== null && names < kMostNames; ++names) {
    let life: SchemaChange[] = [];
    for (const change of await historyOf(name)) {
      if (change.event !== 'drop') life.push(change);
      else if (until !== null && change.at === until) break; // here it got its later name
      else life = []; // what follows is another table of that name
    }
    const renamed: SchemaChange | undefined = life.filter((each) => each.event === 'rename' && each.column === null).at(-1);
    for (const change of life) {
      if (change.column === null || change.event === 'rename') continue;
      const known = out.get(change.column);
      if (known === undefined || change.at < known) out.set(change.column, change.at);
    }
    name = renamed?.from ?? null;
    until = renamed?.at ?? null;
  }
  return out;
}
