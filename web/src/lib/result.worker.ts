// Fetches a result and keeps it, so that the page stays free for whoever looks at it.
import { Rows, type Cell, type ResultColumn } from './rows';
import { seriesOf, type Asked, type Series } from './series';

export type ToWorker =
  | { type: 'run'; url: string; body: string }
  | { type: 'stop' }
  | { type: 'rows'; ask: number; from: number; to: number; cut: number }
  | { type: 'series'; ask: number; of: Asked };

export type FromWorker =
  | { type: 'columns'; columns: ResultColumn[]; stale: number | null }
  | { type: 'progress'; rows: number; bytes: number }
  | { type: 'done'; rows: number; bytes: number; ending: 'whole' | 'full' | 'broken' }
  | { type: 'failed'; status: number; text: string }
  | { type: 'rows'; ask: number; rows: Cell[][] }
  | { type: 'series'; ask: number; series: Series };

// More than this is for a download, not for a page.
const kMostBytes = 512 * 2 ** 20;
const kTellEvery = 100; // milliseconds
const kAtAStretch = 15; // milliseconds

const rows = new Rows();
const stop = new AbortController();
const tell = (message: FromWorker) => postMessage(message);

// While pieces come faster than they are read, nothing else would be heard: whoever scrolls would wait for the end.
const pause = new MessageChannel();
function breathe(): Promise<void> {
  return new Promise((resolve) => {
    pause.port1.onmessage = () => resolve();
    pause.port2.postMessage(null);
  });
}

async function run(url: string, body: string) {
  let answer: Response;
  try {
    answer = await fetch(url, { method: 'POST', credentials: 'same-origin', headers: { 'Content-Type': 'application/json' }, body, signal: stop.signal });
  } catch {
    return tell({ type: 'failed', status: 0, text: '' });
  }
  if (!answer.ok || !answer.body) return tell({ type: 'failed', status: answer.status, text: await answer.text().catch(() => '') });
  const lag = answer.headers.get('X-Lag-Rows');
  const reader = answer.body.getReader();
  let told = 0;
  let heard = performance.now();
  let ending: 'whole' | 'full' | 'broken' = 'whole';
  let columnsTold = false;
  const tellColumns = () => {
    if (columnsTold || !rows.columns) return;
    tell({ type: 'columns', columns: rows.columns, stale: lag === null ? null : Number(lag) });
    columnsTold = true;
  };
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      rows.append(value);
      tellColumns();
      const now = performance.now();
      if (now - told >= kTellEvery) {
        tell({ type: 'progress', rows: rows.count, bytes: rows.bytes });
        told = now;
      }
      if (now - heard >= kAtAStretch) {
        await breathe();
        heard = performance.now();
      }
      if (rows.bytes > kMostBytes) {
        ending = 'full';
        stop.abort();
        break;
      }
    }
    if (ending === 'whole') rows.finish();
    if (ending === 'whole' && rows.total === null) ending = 'broken';
  } catch {
    ending = 'broken';
  }
  tellColumns();
  tell({ type: 'done', rows: rows.count, bytes: rows.bytes, ending });
}

const shorter = (cell: Cell, cut: number): Cell => (cell.text.length > cut ? { kind: cell.kind, text: `${cell.text.slice(0, cut)}…` } : cell);

onmessage = ({ data }: MessageEvent<ToWorker>) => {
  switch (data.type) {
    case 'run': void run(data.url, data.body); break;
    case 'stop': stop.abort(); break;
    case 'rows': {
      const out: Cell[][] = [];
      for (let i = data.from; i < Math.min(data.to, rows.count); ++i) out.push(rows.row(i).map((cell) => shorter(cell, data.cut)));
      tell({ type: 'rows', ask: data.ask, rows: out });
      break;
    }
    case 'series': tell({ type: 'series', ask: data.ask, series: seriesOf(rows, data.of) }); break;
  }
};
