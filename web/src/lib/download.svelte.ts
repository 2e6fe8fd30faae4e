// A file that the server makes, on its way to the disk. A bare link would leave an error to nobody: the browser names the
// file "failed", if it says anything. So the beginning is fetched here. What ends within it is saved from memory; what is
// longer is asked for once more by the browser itself, which streams it to the disk and shows how far it is.
import { ask } from './api';
import { number } from './format';

export interface Wanted {
  address: string;
  file?: string; // else as the server names it
  body?: unknown; // asked by POST: for what is too long for an address. All of it goes through memory
}

const kMostBytes = 16 * 2 ** 20;
const kMostPosted = 512 * 2 ** 20;
// Until the server has seen that the first answer is not wanted any more: of snapshots there is one at a time.
const kBetween = 500; // milliseconds

const broke = (bytes: number) => new Error(`The download broke off after ${number(bytes)} bytes: it is not whole. Try it again; the server's log says why.`);

// Those that were begun, the newest last: they are shown wherever somebody goes meanwhile.
const begun = $state<Download[]>([]);
export const downloads = () => begun;
export function dismiss(download: Download) {
  download.cancel();
  begun.splice(begun.indexOf(download), 1);
}

export class Download {
  state = $state<'asking' | 'saved' | 'handed' | 'failed' | 'cancelled'>('asking');
  bytes = $state(0);
  error = $state.raw<unknown>(null);
  file = $state('');
  #stop = new AbortController();

  constructor(wanted: Wanted) {
    this.file = wanted.file ?? '';
    void this.#run(wanted);
  }

  cancel() {
    if (this.state !== 'asking') return;
    this.state = 'cancelled';
    this.#stop.abort();
  }

  async #run(wanted: Wanted) {
    try {
      // Addresses are scoped where they are made: a link says the same.
      const answer = await ask(wanted.address, { body: wanted.body, signal: this.#stop.signal, cache: 'no-store', scope: false });
      this.file ||= nameIn(answer) ?? 'result';
      const parts = await this.#read(answer, wanted.body === undefined ? kMostBytes : kMostPosted);
      if (this.state !== 'asking') return;
      if (parts) {
        save(URL.createObjectURL(new Blob(parts)), this.file, true);
        this.state = 'saved';
      } else if (wanted.body === undefined) {
        this.#stop.abort();
        await new Promise((resolve) => setTimeout(resolve, kBetween));
        save(wanted.address, this.file, false);
        this.state = 'handed';
      } else {
        this.#stop.abort();
        throw new Error('It is over 512 MiB, and its statement too long for an address: the page cannot keep it. Share it, or save it as an endpoint, and download that.');
      }
    } catch (error) {
      if (this.state !== 'asking') return;
      this.error = error;
      this.state = 'failed';
    }
  }

  // null: there is more than `most`.
  async #read(answer: Response, most: number): Promise<Uint8Array<ArrayBuffer>[] | null> {
    if (Number(answer.headers.get('Content-Length') ?? 0) > most) return null;
    const reader = answer.body!.getReader();
    const parts: Uint8Array<ArrayBuffer>[] = [];
    for (;;) {
      const { done, value } = await reader.read().catch(() => { throw broke(this.bytes); });
      if (done) return parts;
      parts.push(value as Uint8Array<ArrayBuffer>);
      this.bytes += value.length;
      if (this.bytes > most) return null;
    }
  }
}

const nameIn = (answer: Response) => /filename="([^"]*)"/.exec(answer.headers.get('Content-Disposition') ?? '')?.[1];

function save(address: string, file: string, ours: boolean) {
  const link = document.createElement('a');
  link.href = address;
  link.download = file;
  link.click();
  if (ours) setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

// Of a click on the link to `wanted`: false where the browser is asked for something else, such as a new tab.
export function beginDownload(event: MouseEvent, wanted: Wanted): boolean {
  if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return false;
  event.preventDefault();
  // What is over and was seen goes.
  for (const each of begun.filter(({ state }) => state !== 'asking')) dismiss(each);
  begun.push(new Download(wanted));
  return true;
}
