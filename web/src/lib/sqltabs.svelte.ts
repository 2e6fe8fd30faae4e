// The console's tabs and what was run: kept in the browser for each destination and key, results only until it is closed.
import { Result } from './result.svelte';

export interface SqlTab { id: number; title: string; sql: string; result: Result | null }
export interface Ran { at: string; sql: string; rows: number | null; ms: number | null; failed: boolean }

const kHistory = 200;
const kClosed = 20;

interface Kept { tabs: { title: string; sql: string }[]; current: number }

function read<T>(key: string, otherwise: T): T {
  try {
    return (JSON.parse(localStorage.getItem(key) ?? 'null') as T | null) ?? otherwise;
  } catch {
    return otherwise;
  }
}
function write(key: string, value: unknown) {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // Full or forbidden: then it is not remembered.
  }
}

export class SqlTabs {
  tabs = $state<SqlTab[]>([]);
  current = $state(0); // an id
  history = $state.raw<Ran[]>([]);
  // Closed ones, the last one first, to be opened again.
  closed = $state.raw<{ title: string; sql: string }[]>([]);
  #next = 1;
  #key: string;

  constructor(name: string) {
    this.#key = `console.${name}`;
    const kept = read<Kept>(this.#key, { tabs: [], current: 0 });
    for (const { title, sql } of kept.tabs) this.tabs.push({ id: this.#next++, title, sql, result: null });
    if (this.tabs.length === 0) this.open('');
    else this.current = this.tabs[Math.min(kept.current, this.tabs.length - 1)]!.id;
    this.history = read<Ran[]>(`${this.#key}.history`, []);
  }

  get tab() { return this.tabs.find((each) => each.id === this.current) ?? this.tabs[0]!; }

  open(sql: string) {
    const empty = this.tabs.find((each) => each.sql.trim() === '' && !each.result);
    if (empty && sql !== '') {
      empty.sql = sql;
      this.current = empty.id;
    } else {
      const used = new Set(this.tabs.map((each) => each.title));
      let n = 1;
      while (used.has(`Query ${n}`)) ++n;
      const id = this.#next++;
      this.tabs.push({ id, title: `Query ${n}`, sql, result: null });
      this.current = id;
    }
    this.keep();
  }

  close(id: number) {
    const at = this.tabs.findIndex((each) => each.id === id);
    if (at < 0) return;
    const { title, sql, result } = this.tabs[at]!;
    result?.free();
    if (sql.trim() !== '') this.closed = [{ title, sql }, ...this.closed].slice(0, kClosed);
    this.tabs.splice(at, 1);
    if (this.tabs.length === 0) this.open('');
    else if (this.current === id) this.current = this.tabs[Math.max(0, at - 1)]!.id;
    this.keep();
  }

  reopen() {
    const [last, ...others] = this.closed;
    if (!last) return;
    this.closed = others;
    this.tabs = this.tabs.filter((each) => each.sql.trim() !== '' || each.result);
    const id = this.#next++;
    this.tabs.push({ id, ...last, result: null });
    this.current = id;
    this.keep();
  }

  write(sql: string) {
    this.tab.sql = sql;
    this.keep();
  }

  run(sql: string): Result {
    const tab = this.tab;
    tab.result?.free();
    const result = new Result(sql);
    tab.result = result;
    return result;
  }

  remember(ran: Ran) {
    this.history = [ran, ...this.history.filter((each) => each.sql !== ran.sql)].slice(0, kHistory);
    write(`${this.#key}.history`, this.history);
  }
  forget() {
    this.history = [];
    write(`${this.#key}.history`, []);
  }

  keep() {
    write(this.#key, { tabs: this.tabs.map(({ title, sql }) => ({ title, sql })), current: this.tabs.findIndex((each) => each.id === this.current) });
  }
}

// One for each destination, for as long as the page is open: who looks elsewhere and comes back finds the results. Another
// key's are not shown: they may hold what it must not see.
const opened = new Map<string, SqlTabs>();
export function tabsOf(destination: string, key: string): SqlTabs {
  const name = `${destination}.${key}`;
  let tabs = opened.get(name);
  if (!tabs) opened.set(name, (tabs = new SqlTabs(name)));
  return tabs;
}
