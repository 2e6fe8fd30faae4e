// What a table's tab shows is the end of its address: to find it again after a reload or on another tab, and to send it to somebody.
import { untrack } from 'svelte';
import { link, route, stay } from '../../lib/router.svelte';

// Of the component that calls it. `adopt` hears of what another address asks for; what is returned writes the address.
export function inAddress(tab: string, adopt: (text: string) => void): (text: string) => void {
  let written = route.parts[3] ?? '';
  $effect(() => {
    const [, , at = 'rows', text = ''] = route.parts;
    if (at !== tab || text === written) return;
    written = text;
    untrack(() => adopt(text));
  });
  return (text) => {
    written = text;
    // The table's name as it stands there: of other case it would be another page.
    stay(link('data', route.parts[1] ?? '', tab, ...(text ? [text] : [])));
  };
}
