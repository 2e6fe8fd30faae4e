// The beginning of a result as it comes (format jsoncompact), for a look at it.
import { Rows } from './rows';

const kMostBytes = 16 << 20; // what is read of a large one

export interface First { rows: Rows; whole: boolean }

export async function firstRows(answer: Response): Promise<First> {
  const rows = new Rows();
  const reader = answer.body?.getReader();
  if (!reader) return { rows, whole: true };
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    rows.append(value);
    if (rows.bytes > kMostBytes) {
      await reader.cancel();
      return { rows, whole: false };
    }
  }
  rows.finish();
  return { rows, whole: true };
}
