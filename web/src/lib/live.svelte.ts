// What the server tells of itself each second, what that comes to a second, and since when it tells nothing.
import { folded } from './names';
import { every } from './poll';
import type { Live } from './types';

export interface Rate { rows: number; bytes: number }
export type LiveDestination = Live['destinations'][number];
export type LiveTable = LiveDestination['tables'][number];

const kWindow = 5; // events that a rate is of
const kKept = 120; // seconds that are drawn
const kSilence = 5000; // ms: one comes each second
const kAgain = 3000; // ms
export const kMostTables = 1000; // that the server counts

// One event, in which a thousand tables are each found at once.
class Moment {
  readonly at: number;
  readonly #destinations: Map<string, LiveDestination>;
  readonly #tables = new Map<string, Map<string, LiveTable>>();

  constructor(live: Live) {
    this.at = Date.parse(live.at);
    this.#destinations = new Map(live.destinations.map((each) => [each.id, each]));
  }

  destination(id: string): LiveDestination | null {
    return this.#destinations.get(id) ?? null;
  }

  table(id: string, name: string): LiveTable | null {
    let tables = this.#tables.get(id);
    if (!tables) {
      tables = new Map(this.destination(id)?.tables.map((each) => [folded(each.name), each]));
      this.#tables.set(id, tables);
    }
    return tables.get(folded(name)) ?? null;
  }

  // Of a table that was sent nothing it has no word; one that is beyond those that are counted has none either.
  counts(id: string, table: string | undefined): Rate | null {
    const destination = this.destination(id);
    if (!destination || table === undefined) return destination;
    return this.table(id, table) ?? (destination.tables.length < kMostTables ? { rows: 0, bytes: 0 } : null);
  }
}

// Null is what nobody knows.
export class LiveFeed {
  latest = $state.raw<Moment | null>(null);
  // when the last event came, while none comes; 0: there was none yet
  lost = $state<number | null>(null);
  // how often the server has answered with something else than events
  refused = $state(0);
  // rows a second of the destination that is looked at, oldest first
  history = $state.raw<(number | null)[]>([]);
  #heard = 0;
  #tried = 0;
  #moments: Moment[] = [];
  #source: EventSource | null = null;
  #end = () => {};
  #rested = false;

  start(destinationId: string) {
    this.stop();
    if (!document.hidden) this.#open(destinationId);
    const seen = () => (document.hidden ? this.#rest() : this.#open(destinationId));
    document.addEventListener('visibilitychange', seen);
    const ticking = every(1000, () => {
      const now = Date.now();
      if (now - Math.max(this.#heard, this.#tried) > kSilence) this.#lose();
      // The browser tries again by itself, but where it got an answer that is no stream.
      if (this.#source?.readyState === EventSource.CLOSED && now - this.#tried >= kAgain) this.#open(destinationId);
    });
    this.#end = () => { ticking(); document.removeEventListener('visibilitychange', seen); };
  }

  stop() {
    this.#end();
    this.#source?.close();
    this.#source = null;
    this.#moments = [];
    this.#heard = 0;
    this.latest = null;
    this.lost = null;
    this.history = [];
  }

  destination(id: string): LiveDestination | null {
    return this.latest?.destination(id) ?? null;
  }

  table(id: string, name: string): LiveTable | null {
    return this.latest?.table(id, name) ?? null;
  }

  // Over the last few seconds, of a destination or one of its tables.
  rate(id: string, table?: string): Rate | null {
    void this.latest;
    return this.lost === null ? this.#rateOver(kWindow, id, table) : null;
  }

  // A browser has six connections to a server, for all of its tabs: those that nobody sees keep none.
  #rest() {
    this.#source?.close();
    this.#source = null;
    this.#moments = [];
    this.#rested = true;
  }

  #open(destinationId: string) {
    this.#source?.close();
    this.#tried = Date.now();
    // An admin sees every destination.
    const source = new EventSource('/api/live');
    this.#source = source;
    source.addEventListener('live', (event) => this.#take(JSON.parse((event as MessageEvent<string>).data) as Live, destinationId));
    source.onerror = () => {
      this.#lose();
      if (source.readyState === EventSource.CLOSED) ++this.refused;
    };
  }

  #take(live: Live, destinationId: string) {
    const missed = (this.lost || this.#rested) && this.#heard ? Math.round((Date.now() - this.#heard) / 1000) - 1 : 0;
    if (missed > 0) this.history = [...this.history, ...Array<null>(Math.min(missed, kKept)).fill(null)].slice(-kKept);
    const moment = new Moment(live);
    this.#heard = Date.now();
    this.#moments = [...this.#moments.slice(-kWindow), moment];
    this.latest = moment;
    this.lost = null;
    this.#rested = false;
    if (this.#moments.length > 1) this.history = [...this.history.slice(1 - kKept), this.#rateOver(1, destinationId)?.rows ?? null];
  }

  // What comes afterwards may be of a server that counts from 0 again.
  #lose() {
    this.#moments = [];
    this.lost ??= this.#heard;
  }

  #rateOver(moments: number, id: string, table?: string): Rate | null {
    const last = this.#moments.at(-1);
    const first = this.#moments[Math.max(0, this.#moments.length - 1 - moments)];
    if (!last || !first || first === last) return null;
    const [to, from] = [last.counts(id, table), first.counts(id, table)];
    // One that was opened anew counts from 0 again.
    if (!to || !from || to.rows < from.rows || to.bytes < from.bytes) return null;
    const seconds = Math.max(0.001, (last.at - first.at) / 1000);
    return { rows: (to.rows - from.rows) / seconds, bytes: (to.bytes - from.bytes) / seconds };
  }
}
