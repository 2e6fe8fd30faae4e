// What the console's tabs are in the browser's store, which all pages of it share: each brings its changes there and takes
// those of the others, and no statement of anybody is lost.

export interface KeptTab { uid: string; title: string; sql: string }
export interface Kept { tabs: KeptTab[]; current: string }

// Without https there is no randomUUID.
export const newUid = () => [...crypto.getRandomValues(new Uint32Array(3))].map((each) => each.toString(36)).join('');

// What an earlier version or nobody knows who has stored. Tabs had no uid once: all pages have to give them the same.
export function keptFrom(stored: unknown): Kept {
  const { tabs, current } = (stored ?? {}) as { tabs?: unknown; current?: unknown };
  const list = (Array.isArray(tabs) ? tabs : []) as Partial<KeptTab>[];
  const kept = list.filter((each) => each && typeof each.sql === 'string').map(({ uid, title, sql }, i) => ({ uid: typeof uid === 'string' ? uid : `old-${i}`, title: String(title ?? `Query ${i + 1}`), sql: sql! }));
  return { tabs: kept, current: typeof current === 'number' ? kept[current]?.uid ?? '' : String(current ?? '') };
}

const same = (a: KeptTab, b: KeptTab) => a.title === b.title && a.sql === b.sql;

export interface Merged {
  tabs: KeptTab[]; // what both are now, those that are stored first
  forked: Map<string, string>; // from the uid to the new one of ours, where two wrote into the same
  only: Set<string>; // closed elsewhere, and still here
}

// `base`: what was the same here and there at the last time, by uid. `held`: what stays here though it was closed elsewhere.
// `busy`: what is written here just now: it takes nothing yet.
export function merge(stored: KeptTab[], ours: KeptTab[], base: Map<string, KeptTab>, held: (uid: string) => boolean, busy: string | null = null): Merged {
  const mine = new Map(ours.map((each) => [each.uid, each]));
  const out: Merged = { tabs: [], forked: new Map(), only: new Set() };
  const added: KeptTab[] = [];
  const there = new Set<string>();
  for (const theirs of stored) {
    const { uid } = theirs;
    if (there.has(uid)) continue;
    there.add(uid);
    const own = mine.get(uid);
    const before = base.get(uid);
    if (!own) {
      // Closed here, but for what was written into it elsewhere since.
      if (!before || !same(before, theirs)) out.tabs.push(theirs);
      continue;
    }
    const isWritten = own.sql !== before?.sql;
    if (uid === busy) {
      out.tabs.push(own);
    } else if (isWritten && theirs.sql !== before?.sql && own.sql !== theirs.sql) {
      const other = newUid();
      out.forked.set(uid, other);
      out.tabs.push(theirs);
      added.push({ uid: other, title: own.title, sql: own.sql });
    } else {
      out.tabs.push({ uid, title: before && own.title !== before.title ? own.title : theirs.title, sql: isWritten ? own.sql : theirs.sql });
    }
  }
  for (const own of ours) {
    if (there.has(own.uid)) continue;
    const before = base.get(own.uid);
    const isClosed = before !== undefined && same(before, own);
    if (isClosed && held(own.uid)) out.only.add(own.uid);
    if (!isClosed || held(own.uid)) added.push(own);
  }
  out.tabs.push(...added);
  return out;
}
