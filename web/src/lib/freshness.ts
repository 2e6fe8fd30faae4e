// How long nothing has come, in a word. Days are those of who looks.
export function freshness(at: string | null, now: number): { tag: '' | 'good' | 'warn'; words: string } {
  if (at === null) return { tag: 'warn', words: 'no times' };
  const minutes = (now - Date.parse(at)) / 60_000;
  if (minutes < 5) return { tag: 'good', words: 'fresh' };
  if (minutes >= 24 * 60) return { tag: 'warn', words: 'quiet' };
  return { tag: '', words: new Date(at).toDateString() === new Date(now).toDateString() ? 'today' : 'yesterday' };
}
