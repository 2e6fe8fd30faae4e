// A table's rows as they are acknowledged, for somebody who watches.
import { parseProblem, scoped } from './api';
import { endSession } from './session.svelte';
import type { FromTail, TailItem } from './tail.worker';

export const kKept = 500;
const kRateOver = 5000; // milliseconds
const kRestAfter = 10_000; // milliseconds that the page is hidden

export class TailFeed {
  items = $state.raw<TailItem[]>([]); // the newest first
  state = $state<'connecting' | 'open' | 'ended'>('connecting');
  paused = $state(false);
  waiting = $state(0); // came while it is paused
  rate = $state(0); // rows a second
  trouble = $state.raw<unknown>(null);
  #worker: Worker | null = null;
  #resting: ReturnType<typeof setTimeout> | undefined;
  #seen = () => {
    clearTimeout(this.#resting);
    if (document.hidden) this.#resting = setTimeout(() => this.#worker?.postMessage(true), kRestAfter);
    else this.#worker?.postMessage(false);
  };
  #held: TailItem[] = []; // while it is paused
  #counts: { at: number; count: number }[] = [];

  start(table: string, filters: [string, string][]) {
    this.stop();
    const path = `/api/data/tail/${encodeURIComponent(table)}${filters.length > 0 ? `?${new URLSearchParams(filters)}` : ''}`;
    this.#worker = new Worker(new URL('./tail.worker.ts', import.meta.url), { type: 'module' });
    this.#worker.onmessage = ({ data }: MessageEvent<FromTail>) => this.#hear(data);
    this.#worker.postMessage(scoped(path));
    document.addEventListener('visibilitychange', this.#seen);
    this.#seen();
  }

  stop() {
    clearTimeout(this.#resting);
    document.removeEventListener('visibilitychange', this.#seen);
    this.#worker?.terminate();
    this.#worker = null;
    this.clear();
    this.state = 'connecting';
    this.paused = false;
    this.rate = 0;
    this.trouble = null;
    this.#counts = [];
  }

  pause(paused: boolean) {
    this.paused = paused;
    if (paused) return;
    this.#show(this.#held);
    this.#held = [];
    this.waiting = 0;
  }

  clear() {
    this.items = [];
    this.#held = [];
    this.waiting = 0;
  }

  #show(newest: TailItem[]) {
    if (newest.length > 0) this.items = [...newest, ...this.items].slice(0, kKept);
  }

  #hear(message: FromTail) {
    if (message.type === 'state') this.state = message.state;
    else if (message.type === 'ended') this.#end(new Error('The key of this session has ended.'));
    else if (message.type === 'refused') {
      if (message.status === 401) endSession('refused');
      this.#end(parseProblem(message.status, message.text));
    } else {
      const now = performance.now();
      this.#counts = [...this.#counts.filter((each) => each.at > now - kRateOver), { at: now, count: message.count }];
      const since = this.#counts[0]!.at;
      // What the first one tells of came before it.
      const rows = this.#counts.slice(1).reduce((sum, each) => sum + each.count, 0);
      this.rate = now > since ? (rows * 1000) / (now - since) : 0;
      if (!this.paused) return this.#show(message.items);
      this.waiting += message.count;
      this.#held = [...message.items, ...this.#held].slice(0, kKept);
    }
  }

  #end(trouble: unknown) {
    this.state = 'ended';
    this.rate = 0;
    this.trouble = trouble;
    this.#worker?.terminate();
  }
}
