// What is said of shares in several places.
import { shellQuoted } from './text';
import type { Share } from './types';

// The line that downloads a share, as its own page has it.
export function downloadLine(url: string, format: string, password: boolean, frozen: boolean): string {
  // A frozen one goes on where it broke off.
  return `curl ${password ? '-u share:PASSWORD ' : ''}${frozen ? '-C - ' : ''}-o data.${format} ${shellQuoted(`${url}/data.${format}`)}`;
}

export const stateWords: Record<Share['state'], string> = { live: 'open', expired: 'expired', used_up: 'used up', revoked: 'revoked' };
