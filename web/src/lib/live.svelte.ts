// What the server tells of itself each second, and what that comes to a second.
import type { Live } from './types';

export interface Rate { rows: number; bytes: number }

const kWindow = 5; // events that a rate is of
const kKept = 120; // seconds that are drawn

export class LiveFeed {
  latest = $state.raw<Live | null>(null);
  broken = $state(false);
  // rows a second of the destination that is looked at, oldest first
  history = $state.raw<number[]>([]);
  #events: Live[] = [];
  #source: EventSource | null = null;

  start(destinationId: string) {
    this.stop();
    // An admin sees every destination.
    const source = new EventSource('/api/live');
    this.#source = source;
    source.addEventListener('live', (event) => {
      const live = JSON.parse((event as MessageEvent<string>).data) as Live;
      this.#events = [...this.#events.slice(-kWindow), live];
      this.latest = live;
      this.broken = false;
      const rate = this.#rateOver(1, destinationId);
      if (this.#events.length > 1) this.history = [...this.history.slice(1 - kKept), rate.rows];
    });
    source.onerror = () => { this.broken = true; };
  }

  stop() {
    this.#source?.close();
    this.#source = null;
    this.#events = [];
    this.latest = null;
    this.history = [];
  }

  destination(id: string) {
    return this.latest?.destinations.find((each) => each.id === id) ?? null;
  }

  // Over the last few seconds, of a destination or one of its tables.
  rate(id: string, table?: string): Rate {
    void this.latest;
    return this.#rateOver(kWindow, id, table);
  }

  #rateOver(events: number, id: string, table?: string): Rate {
    const last = this.#events.at(-1);
    const first = this.#events[Math.max(0, this.#events.length - 1 - events)];
    if (!last || !first || first === last) return { rows: 0, bytes: 0 };
    const count = (live: Live) => {
      const destination = live.destinations.find((each) => each.id === id);
      return table === undefined ? destination : destination?.tables.find((each) => each.name === table);
    };
    const seconds = Math.max(0.001, (Date.parse(last.at) - Date.parse(first.at)) / 1000);
    const [to, from] = [count(last), count(first)];
    // A server that has started anew counts from 0 again.
    const risen = (name: 'rows' | 'bytes') => Math.max(0, (to?.[name] ?? 0) - (from?.[name] ?? 0)) / seconds;
    return { rows: risen('rows'), bytes: risen('bytes') };
  }
}
