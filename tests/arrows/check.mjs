// Reads the sources and says where they break the rules of the house:
//   an include that runs up the table of rooms, or is none of ours; a third-party header outside its room;
//   a room that CMake links to one above it; a .cc file that no target compiles; a file that is too long;
//   a lock file of npm that names addresses, or pins a package by nothing.
//
//   node check.mjs ROOT [COMPILE_COMMANDS]     exit 1 and one line for each fault
import { existsSync, readFileSync, readdirSync, realpathSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as rules from './rules.mjs';

const isSource = (path) => /\.(cc|h)$/.test(path);
// Tests, and headers that only tests include: X_test.h, test_X.h, or in a folder testing/.
const isTest = (path) => /_(test\.cc|test\.h|testing\.h)$|(^|\/)test_\w+\.h$|\/testing\/\w+\.h$/.test(path);

function filesUnder(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : filesUnder(path);
      return isSource(entry.name) ? [path] : [];
    });
}

// The fault of one include, or undefined. `file` is relative to src/.
function includeFault(file, target, quoted, exists) {
  const room = file.split('/')[0];
  const library = rules.libraries.find(({ begins }) => target.startsWith(begins));
  if (library) {
    if (library.tests) return isTest(file) ? undefined : `${target} belongs into tests only`;
    if (library.folders.some((folder) => file.startsWith(`${folder}/`))) return undefined;
    return `${target} belongs into ${library.folders.map((folder) => `src/${folder}`).join(', ')} only`;
  }
  if (!quoted) {
    const known =
      !/[./]/.test(target) ||
      rules.systemHeaders.has(target) ||
      rules.systemFolders.some((folder) => target.startsWith(folder));
    return known ? undefined : `<${target}> has no room in tests/arrows/rules.mjs`;
  }
  if (rules.generated.has(target)) return undefined;
  if (!exists(target)) return `"${target}" is not a file of src/ (include paths begin there)`;
  if (isTest(target) && !isTest(file)) return `"${target}" is for tests only`;
  const other = target.split('/')[0];
  if (other === room || rules.rooms[room].includes(other)) return undefined;
  return `"${target}": ${room} may not include ${other}`;
}

function checkSource(root, path, errors, warnings) {
  const src = join(root, 'src');
  const file = relative(src, path);
  const name = relative(root, path);
  const lines = readFileSync(path, 'utf8').replace(/\n$/, '').split('\n');
  if (lines.length > rules.maxLines) {
    errors.push(`${name}: ${lines.length} lines; over ${rules.maxLines}, a file is two files`);
  } else if (lines.length > rules.manyLines) {
    warnings.push(`${name}: ${lines.length} lines; most files have at most ${rules.manyLines}`);
  }
  if (!file.includes('/') || !(file.split('/')[0] in rules.rooms)) {
    errors.push(`${name}: is in no room of tests/arrows/rules.mjs`);
    return;
  }
  lines.forEach((line, index) => {
    const directive = line.match(/^\s*#\s*include(?:_next)?\b\s*(.*)/);
    if (!directive) return;
    const [, quote, target] = directive[1].match(/^(["<])([^">]+)[">]/) ?? [];
    const fault = target
      ? includeFault(file, target, quote === '"', (other) => other.includes('/') && existsSync(join(src, other)))
      : 'an include that is no plain path';
    if (fault) errors.push(`${name}:${index + 1}: ${fault}`);
  });
}

// What CMake links must obey the same table, or an arrow could run up by a declaration copied by hand.
function checkCMake(root, errors) {
  const path = join(root, 'CMakeLists.txt');
  if (!existsSync(path)) return;
  for (const [, room, rest] of readFileSync(path, 'utf8').matchAll(/^sd_room\((\w+)([^)]*)\)/gm)) {
    const deps = rest.match(/\bDEPS\b((?:\s+[a-z]\w*)*)/)?.[1].trim().split(/\s+/) ?? [];
    for (const dep of deps.filter(Boolean)) {
      if (!rules.rooms[room]?.includes(dep)) errors.push(`CMakeLists.txt: ${room} may not depend on ${dep}`);
    }
  }
}

function checkCompiled(root, commands, errors) {
  if (!existsSync(commands)) {
    errors.push(`${commands}: there is no such file; configure the dev build first`);
    return;
  }
  const compiled = new Set(
    JSON.parse(readFileSync(commands, 'utf8')).map(({ directory, file }) => resolve(directory, file)),
  );
  for (const folder of ['src', 'bench', 'fuzz', 'tests']) {
    for (const path of filesUnder(join(root, folder))) {
      if (path.endsWith('.cc') && !compiled.has(path)) {
        errors.push(`${relative(root, path)}: no target compiles it`);
      }
    }
  }
}

// third_party/README.md says why.
function checkLock(root, folder, errors) {
  const path = join(root, folder, 'package-lock.json');
  if (!existsSync(path)) return;
  const fault = (text) => errors.push(`${folder}/package-lock.json: ${text}`);
  for (const [name, entry] of Object.entries(JSON.parse(readFileSync(path, 'utf8')).packages)) {
    if (name === '') continue;
    if (entry.resolved) fault(`${name} has an address ("resolved")`);
    if (!entry.integrity?.startsWith('sha512-')) fault(`${name} is not pinned by a SHA-512`);
    if (name === 'node_modules/duckdb' && entry.dependencies) fault(`${name} has dependencies again`);
  }
}

export function check(root, commands) {
  root = realpathSync(root);
  const errors = [];
  const warnings = [];
  const sources = filesUnder(join(root, 'src'));
  if (sources.length === 0) errors.push('src: holds no sources');
  for (const path of sources) checkSource(root, path, errors, warnings);
  checkCMake(root, errors);
  for (const folder of ['third_party', 'web']) checkLock(root, folder, errors);
  if (commands) checkCompiled(root, commands, errors);
  return { files: sources.length, errors, warnings };
}

if (import.meta.url === pathToFileURL(realpathSync(process.argv[1])).href) {
  const [root, commands] = process.argv.slice(2);
  if (!root) {
    console.error('usage: node check.mjs ROOT [COMPILE_COMMANDS]');
    process.exit(2);
  }
  const { files, errors, warnings } = check(root, commands);
  for (const line of warnings) console.log(`warning: ${line}`);
  for (const line of errors) console.log(`error: ${line}`);
  console.log(`${files} files read, ${errors.length} errors, ${warnings.length} warnings`);
  process.exit(errors.length ? 1 : 0);
}
