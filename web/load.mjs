// A source of the dashboard, with all that it imports, as a module that node runs: for the tests in test/.
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

export async function load(file) {
  const { outputFiles: [{ text }] } = buildSync({ entryPoints: [fileURLToPath(new URL(`src/lib/${file}`, import.meta.url))], bundle: true, format: 'esm', write: false });
  return import(`data:text/javascript,${encodeURIComponent(text)}`);
}
