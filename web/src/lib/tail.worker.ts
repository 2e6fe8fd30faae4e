// Follows a table's rows for the page, which would not answer to anybody under a flood: an event costs little more here than
// keeping its text, and the page is told of the newest a few times a second.
import type { TailNotice } from './types';

// A row's document is its text, for JSON.parse would round large numbers; a notice says what happened between rows.
export interface TailItem { id: number; at: string; receipt: string; text: string; notice?: string }

export type FromTail =
  | { type: 'state'; state: 'connecting' | 'open' }
  | { type: 'refused'; status: number; text: string }
  | { type: 'ended' } // as the key has
  | { type: 'rows'; count: number; items: TailItem[] }; // how many came, and the newest of them, the newest first

const kKept = 500;
const kTellEvery = 250; // milliseconds
const kAgainAfter = 1000;
const kFlood = 100; // more than these at once are told of once a second: nobody reads them, and drawing them is work

const kRow = /^\{"received_at":"([^"]*)","receipt":"([^"]*)","index":\d+,"row":(.*)\}$/s;
const gaps: Record<string, string> = {
  released: 'Rows are missing here: they are older than what the server still has for this stream. They are in the table.',
  'other-journal': 'The destination got a new target. What came meanwhile is not shown.',
  unknown: 'The server was put back to an earlier state. What came meanwhile may be missing here.',
};
const tell = (message: FromTail) => postMessage(message);

let fresh: { data: string; notice?: string }[] = [];
let count = 0;
let lastId = 0;
let told = 0;

function take(data: string, notice?: string) {
  fresh.push({ data, notice });
  if (fresh.length > 4 * kKept) fresh = fresh.slice(-kKept);
}

function tellRows() {
  if (fresh.length > kFlood && performance.now() - told < 4 * kTellEvery) return;
  told = performance.now();
  const items = fresh.slice(-kKept).map(({ data, notice }) => {
    const found = kRow.exec(data);
    return { id: ++lastId, at: found?.[1] ?? '', receipt: found?.[2] ?? '', text: found?.[3] ?? data, notice };
  });
  tell({ type: 'rows', count, items: items.reverse() });
  fresh = [];
  count = 0;
}

// One event of the stream; false where it is the last one.
function hear(event: string, data: string): boolean {
  if (event === 'row') {
    ++count;
    take(data);
  } else if (event === 'gap') take('', gaps[(JSON.parse(data) as TailNotice).reason] ?? 'Rows are missing here.');
  else if (event === 'dropped') take('', 'This page read too slowly, and goes on from there.');
  else if (event === 'end') return (JSON.parse(data) as TailNotice).reason !== 'key'; // after all others connecting again is right
  return true;
}

let lastEventId = '';

// While nobody sees the page there is no connection, of which a browser has six for all of its tabs. Nothing is missed: the
// stream goes on behind the last event.
let rest = new AbortController();
let wake = Promise.resolve();
let awake = () => {};
function setResting(resting: boolean) {
  awake();
  if (!resting) return;
  wake = new Promise((resolve) => { awake = resolve; });
  rest.abort();
}

// Server-sent events, as the server writes them: lines, and an empty one behind each event. False where it is over for good.
async function read(body: ReadableStream<Uint8Array>): Promise<boolean> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let begun = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return true;
    const events = (begun + decoder.decode(value, { stream: true })).split('\n\n');
    begun = events.pop() ?? '';
    for (const text of events) {
      let event = '';
      let data = '';
      for (const line of text.split('\n')) {
        if (line.startsWith('data: ')) data = line.slice(6);
        else if (line.startsWith('event: ')) event = line.slice(7);
        else if (line.startsWith('id: ')) lastEventId = line.slice(4);
      }
      if (event !== '' && !hear(event, data)) return false;
    }
  }
}

// An EventSource would do this too, an event at a time and without saying why it was refused.
async function follow(url: string) {
  setInterval(tellRows, kTellEvery);
  for (let wasOpen = false; ; ) {
    try {
      await wake;
      rest = new AbortController();
      const answer = await fetch(url, { signal: rest.signal, credentials: 'same-origin', headers: lastEventId ? { 'Last-Event-ID': lastEventId } : {} });
      // A server that has just started may not take anybody yet.
      const isPassing = wasOpen && answer.status === 503;
      if (!answer.ok && !isPassing) return tell({ type: 'refused', status: answer.status, text: await answer.text() });
      if (answer.ok && answer.body) {
        wasOpen = true;
        tell({ type: 'state', state: 'open' });
        if (!(await read(answer.body))) return tell({ type: 'ended' });
      }
    } catch { /* it broke off, or nobody is there: again */ }
    tell({ type: 'state', state: 'connecting' });
    await new Promise((resolve) => setTimeout(resolve, kAgainAfter));
  }
}

onmessage = ({ data }: MessageEvent<string | boolean>) => {
  if (typeof data === 'string') void follow(data);
  else setResting(data);
};
