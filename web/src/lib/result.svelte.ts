// A query's result: started, on its way, here, or what went wrong. Its rows are in a worker.
import { Problem, get, parseProblem, remove, scoped } from './api';
import type { FromWorker, ToWorker } from './result.worker';
import type { Cell, ResultColumn } from './rows';
import type { Asked as AskedSeries, Series } from './series';
import { endSession } from './session.svelte';
import { uuid } from './uuid';

export type State = 'running' | 'done' | 'failed' | 'cancelled';
const kAskEvery = 700; // milliseconds

// Of what crosses to the worker, without knowing which message it is.
type Asked = { type: 'rows'; from: number; to: number; cut: number } | { type: 'series'; of: AskedSeries };

export class Result {
  state = $state<State>('running');
  columns = $state.raw<ResultColumn[] | null>(null);
  rows = $state(0);
  bytes = $state(0);
  elapsed = $state(0); // milliseconds
  percent = $state<number | null>(null);
  queued = $state(false);
  // null: it saw all rows; else so many were not loaded yet
  stale = $state<number | null>(null);
  ending = $state<'whole' | 'full' | 'broken'>('whole');
  error = $state.raw<unknown>(null);
  readonly sql: string;
  // Until it is here whole, failed or cancelled.
  readonly ended: Promise<void>;
  #ending!: () => void;
  readonly id = uuid();
  #worker = new Worker(new URL('./result.worker.ts', import.meta.url), { type: 'module' });
  #began = performance.now();
  #timer: ReturnType<typeof setInterval>;
  #asked = 0;
  #waiting = new Map<number, (message: FromWorker) => void>();

  constructor(sql: string) {
    this.sql = sql;
    this.ended = new Promise((resolve) => { this.#ending = resolve; });
    this.#worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#hear(data);
    this.#worker.onerror = () => this.#fail(new Error('The page could not run its part that reads results. Reload it.'));
    this.#send({ type: 'run', url: scoped('/api/data/query'), body: JSON.stringify({ query: sql, format: 'jsoncompact', quote_nan: true, query_id: this.id }) });
    let ticks = 0;
    this.#timer = setInterval(() => {
      this.elapsed = performance.now() - this.#began;
      if (++ticks % (kAskEvery / 100) === 0 && this.rows === 0) void this.#askHowFar();
    }, 100);
  }

  // Rows from..to, as many as there are; text beyond `cut` characters is cut.
  async cells(from: number, to: number, cut = 300): Promise<Cell[][]> {
    return ((await this.#ask({ type: 'rows', from, to, cut })) as { rows: Cell[][] }).rows;
  }
  async series(of: AskedSeries): Promise<Series> {
    return ((await this.#ask({ type: 'series', of })) as { series: Series }).series;
  }

  async cancel() {
    if (this.state !== 'running') return;
    this.#end('cancelled');
    this.#send({ type: 'stop' });
    // It ends with its client too; this is sooner. One that has ended is not there any more, and that is well.
    await remove(`/api/data/query/${this.id}`).catch(() => undefined);
  }

  // Its rows go; it is of no use afterwards.
  free() {
    void this.cancel();
    clearInterval(this.#timer);
    this.#worker.terminate();
  }

  #send(message: ToWorker) { this.#worker.postMessage(message); }

  #ask(what: Asked): Promise<FromWorker> {
    const ask = ++this.#asked;
    const answer = new Promise<FromWorker>((resolve) => this.#waiting.set(ask, resolve));
    this.#send({ ...what, ask });
    return answer;
  }

  #hear(message: FromWorker) {
    switch (message.type) {
      case 'columns':
        this.columns = message.columns;
        this.stale = message.stale;
        break;
      case 'progress':
        this.rows = message.rows;
        this.bytes = message.bytes;
        break;
      case 'done':
        this.rows = message.rows;
        this.bytes = message.bytes;
        this.ending = message.ending;
        if (this.state === 'running') this.#end('done');
        break;
      case 'failed':
        if (message.status === 401) endSession('refused');
        if (this.state !== 'running') break;
        this.#fail(message.status === 0 ? new Problem(0, 'about:blank', 'No answer', 'The server does not answer. Is it running?') : parseProblem(message.status, message.text));
        break;
      default:
        this.#waiting.get(message.ask)?.(message);
        this.#waiting.delete(message.ask);
    }
  }

  #fail(error: unknown) {
    this.error = error;
    this.#end('failed');
  }
  #end(state: State) {
    this.state = state;
    this.elapsed = performance.now() - this.#began;
    clearInterval(this.#timer);
    this.#ending();
  }

  async #askHowFar() {
    try {
      const { state, percent } = await get<{ state: string; percent?: number }>(`/api/data/query/${this.id}`);
      this.queued = state === 'queued';
      this.percent = percent ?? null;
    } catch {
      // It has ended, or has not begun.
    }
  }
}
