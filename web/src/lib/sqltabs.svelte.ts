// The console's tabs and what was run: kept in the browser for each destination and key, results only until it is closed.
import { untrack } from 'svelte';
import { Result } from './result.svelte';
import { keptFrom, merge, newUid, type Kept, type KeptTab } from './sqlkept';

export interface SqlTab { id: number; uid: string; title: string; sql: string; result: Result | null }
export interface Ran { at: string; sql: string; rows: number | null; ms: number | null; failed: boolean }

const kHistory = 200;
const kClosed = 20;

function read<T>(key: string, otherwise: T): T {
  try {
    return (JSON.parse(localStorage.getItem(key) ?? 'null') as T | null) ?? otherwise;
  } catch {
    return otherwise;
  }
}
// False: full or forbidden; then it is not remembered.
function write(key: string, value: unknown): boolean {
  try {
    localStorage.setItem(key, JSON.stringify(value));
    return true;
  } catch {
    return false;
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
  #base = new Map<string, KeptTab>(); // what is stored, as far as it is known here

  constructor(name: string) {
    this.#key = `console.${name}`;
    const kept = keptFrom(read<unknown>(this.#key, null));
    for (const each of kept.tabs) this.tabs.push({ id: this.#next++, ...each, result: null });
    this.#base = new Map(kept.tabs.map((each) => [each.uid, each]));
    if (this.tabs.length === 0) this.open('');
    else this.current = (this.tabs.find((each) => each.uid === kept.current) ?? this.tabs.at(-1)!).id;
    this.history = read<Ran[]>(`${this.#key}.history`, []);
  }

  get tab() { return this.tabs.find((each) => each.id === this.current) ?? this.tabs[0]!; }

  open(sql: string) {
    this.#meet();
    const empty = this.tabs.find((each) => each.sql.trim() === '' && !each.result);
    if (empty && sql !== '') {
      empty.sql = sql;
      this.current = empty.id;
    } else {
      const used = new Set(this.tabs.map((each) => each.title));
      let n = 1;
      while (used.has(`Query ${n}`)) ++n;
      const id = this.#next++;
      this.tabs.push({ id, uid: newUid(), title: `Query ${n}`, sql, result: null });
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
    this.tabs.push({ id, uid: newUid(), ...last, result: null });
    this.current = id;
    this.keep();
  }

  write(sql: string) {
    if (this.tab.sql === sql) return;
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

  // What others have run meanwhile is part of it.
  remember(ran: Ran) {
    this.history = [ran, ...this.#stored().filter((each) => each.sql !== ran.sql)].slice(0, kHistory);
    write(`${this.#key}.history`, this.history);
  }
  forget() {
    this.history = [];
    write(`${this.#key}.history`, []);
  }
  #stored() { return read<Ran[]>(`${this.#key}.history`, []); }

  // Another page of this browser has stored something. What is written here just now stays as it is.
  hear(key: string | null) {
    if (key === this.#key) this.#meet(document.hasFocus() ? this.tab.uid : null);
    else if (key === `${this.#key}.history`) this.history = this.#stored();
  }

  keep() {
    untrack(() => {
      const only = this.#meet();
      const tabs = this.tabs.map(({ uid, title, sql }) => ({ uid, title, sql })).filter(({ uid }) => !only.has(uid));
      const kept: Kept = { tabs, current: this.tab.uid };
      if (write(this.#key, kept)) for (const each of tabs) this.#base.set(each.uid, each);
    });
  }

  // Takes what others have stored; answers which tabs are in this page only.
  #meet(busy: string | null = null): Set<string> {
    const found = read<unknown>(this.#key, null);
    if (found === null) this.#base = new Map(); // nobody closed them: the store was cleared, or cannot be read
    const stored = keptFrom(found).tabs;
    const here = new Map(this.tabs.map((each) => [each.uid, each]));
    // A result is in this page only: closing the tab elsewhere does not take it.
    const held = (uid: string) => here.get(uid)?.id === this.current || here.get(uid)?.result !== null;
    const { tabs, forked, only } = merge(stored, this.tabs.map(({ uid, title, sql }) => ({ uid, title, sql })), this.#base, held, busy);
    const base = new Map(stored.map((each) => [each.uid, each]));
    // What was not taken is still to be compared with what it was.
    for (const uid of [...only, ...(busy === null ? [] : [busy])]) {
      const before = this.#base.get(uid);
      if (before) base.set(uid, before);
      else base.delete(uid);
    }
    this.#base = base;
    for (const [from, to] of forked) {
      const tab = here.get(from)!;
      tab.uid = to;
      here.delete(from);
      here.set(to, tab);
    }
    for (const { uid, title, sql } of tabs) {
      const tab = here.get(uid);
      if (tab) Object.assign(tab, { title, sql });
    }
    const order = tabs.map((each) => each.uid);
    if (order.length !== this.tabs.length || order.some((uid, i) => uid !== this.tabs[i]!.uid)) {
      this.tabs = tabs.map(({ uid, title, sql }) => here.get(uid) ?? { id: this.#next++, uid, title, sql, result: null });
    }
    return only;
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
addEventListener('storage', ({ key }) => { for (const tabs of opened.values()) tabs.hear(key); });
