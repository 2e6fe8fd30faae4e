// The server's public API, as docs/api.md says it; nothing else is asked.
import { rest } from './poll';
import { endSession, session } from './session.svelte';

const kRest = 60_000; // milliseconds: what a limit of requests is of

// RFC 9457, as every error of the server comes.
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly type: string,
    readonly title: string,
    readonly detail: string,
    readonly members: Record<string, unknown> = {},
  ) {
    super(detail || title);
  }
}

// What of a body it is about, as "name" or "settings.file"; "" where that is not said.
export const memberOf = (error: unknown) => (error instanceof Problem && typeof error.members.member === 'string' ? error.members.member : '');

export function parseProblem(status: number, text: string): Problem {
  try {
    const { type, title, detail, ...members } = JSON.parse(text);
    // Deleted elsewhere, most likely. Its type is that of all that is not found.
    if (status === 404 && /^(there is )?no such destination$/.test(detail)) ++session.doubts;
    return new Problem(status, type, title, detail, members);
  } catch {
    // A proxy's page, most likely: its title says as much as all of it.
    const title = /<title>([^<]*)<\/title>/i.exec(text)?.[1]?.trim();
    const words = title ?? (text.startsWith('<') ? '' : text.slice(0, 500));
    return new Problem(status, 'about:blank', `HTTP ${status}`, `The answer is none of this server's: HTTP ${status}${words ? `, ${words}` : ''}`);
  }
}

// With ?destination_id=: a session for all of them must say which is meant, and one for a single one is told when it is another
// one's by now, as somebody signed in anew in another tab.
export function scoped(path: string): string {
  if (!session.destination) return path;
  return `${path}${path.includes('?') ? '&' : '?'}destination_id=${encodeURIComponent(session.destination.id)}`;
}

export interface Asked {
  method?: string;
  body?: unknown; // an object is sent as JSON, a string or Blob as it is
  headers?: Record<string, string>;
  signal?: AbortSignal;
  cache?: RequestCache;
  scope?: boolean; // false: about the server, not about one destination
}

export async function ask(path: string, { method, body, headers = {}, signal, cache, scope = true }: Asked = {}): Promise<Response> {
  const plain = body === undefined || typeof body === 'string' || body instanceof Blob;
  let answer: Response;
  try {
    answer = await fetch(scope ? scoped(path) : path, {
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      credentials: 'same-origin',
      headers: plain ? headers : { 'Content-Type': 'application/json', ...headers },
      body: plain ? (body as string | Blob | undefined) : JSON.stringify(body),
      signal,
      cache,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem(0, 'about:blank', 'No answer', 'The server does not answer. Is it running?');
  }
  if (answer.ok) return answer;
  if (answer.status === 429) rest(kRest);
  if (answer.status === 401 && session.current) endSession('refused');
  throw parseProblem(answer.status, await answer.text().catch(() => ''));
}

export async function get<T>(path: string, options: Asked = {}): Promise<T> {
  return (await ask(path, options)).json() as Promise<T>;
}

export async function send<T>(path: string, body: unknown, options: Asked = {}): Promise<T> {
  const answer = await ask(path, { body, ...options });
  return (answer.status === 204 ? undefined : await answer.json()) as T;
}

export async function remove(path: string, options: Asked = {}): Promise<void> {
  await ask(path, { method: 'DELETE', ...options });
}

// A list's pages, one after the other.
export async function all<T>(path: string, options: Asked = {}): Promise<T[]> {
  const out: T[] = [];
  let after: string | null = null;
  do {
    const page: { data: T[]; next: string | null } = await get(`${path}${path.includes('?') ? '&' : '?'}limit=1000${after ? `&after=${encodeURIComponent(after)}` : ''}`, options);
    out.push(...page.data);
    after = page.next;
  } while (after);
  return out;
}

export const wordsOf = (error: unknown) => (error instanceof Problem ? error.detail : error instanceof Error ? error.message : String(error));
