// The beginning of a result, read no further than a look at it needs.
import { Rows, type Cell, type ResultColumn } from './rows';

export interface Beginning {
  columns: ResultColumn[];
  rows: Cell[][];
  total: number | null; // rows of the whole result; null where it was not read to its end
  bytes: number;
}

const kMostBytes = 16 << 20;

// Of an answer in the format jsoncompact, at most `most` rows, read until it has more than `mostBytes`.
export async function readBeginning(answer: Response, most: number, mostBytes = kMostBytes): Promise<Beginning> {
  const result = new Rows();
  const reader = answer.body?.getReader();
  for (;;) {
    const piece = await reader?.read();
    if (!piece?.value) {
      result.finish();
      break;
    }
    result.append(piece.value);
    if (result.bytes > mostBytes) {
      await reader?.cancel();
      break;
    }
  }
  const rows = Array.from({ length: Math.min(most, result.count) }, (_, i) => result.row(i));
  return { columns: result.columns ?? [], rows, total: result.total, bytes: result.bytes };
}
