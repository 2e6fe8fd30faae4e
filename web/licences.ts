// The licences of what is in the bundle go where it goes: assets/licences.txt, made of the packages whose modules are in it.
import fs from 'node:fs';
import path from 'node:path';
import type { Plugin } from 'vite';

// Of ".../node_modules/@a/b/dist/c.js" the folder of the package, which is where the last node_modules leads to.
function packageOf(id: string): string | null {
  const found = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(id.replace(/^\0/, ''));
  return found ? found[1]! : null;
}

function licenceOf(folder: string): string {
  const { name, version, license } = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
  const file = fs.readdirSync(folder).find((each) => /^licen[cs]e(\.|$)/i.test(each));
  if (!file) throw new Error(`licences.ts: ${name} has no licence in its package`);
  return `${name} ${version} (${license})\n\n${fs.readFileSync(path.join(folder, file), 'utf8').trim()}\n`;
}

export function licences(): Plugin {
  return {
    name: 'licences',
    generateBundle(_, bundle) {
      const folders = new Set<string>();
      for (const part of Object.values(bundle)) {
        if (part.type !== 'chunk') continue;
        for (const id of Object.keys(part.modules)) {
          const folder = packageOf(id);
          if (folder) folders.add(folder);
        }
      }
      const source = [...folders].sort().map(licenceOf).join(`\n${'-'.repeat(80)}\n\n`);
      this.emitFile({ type: 'asset', fileName: 'assets/licences.txt', source });
    },
  };
}
