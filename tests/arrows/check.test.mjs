// Each rule is broken once in a small tree, and must be reported, with its place and nothing else.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import test from 'node:test';
import { check } from './check.mjs';
import { rooms } from './rules.mjs';

// A tree that breaks nothing; `files` are added, or stand in for its own.
function withTree(files, use) {
  const root = mkdtempSync(join(tmpdir(), 'arrows-'));
  const tree = {
    'CMakeLists.txt': 'sd_room(base LIBS z)\nsd_room(json DEPS base)\nsd_room(api DEPS base json LIBS x)\n',
    'src/base/result.h': '#pragma once\n#include <string>\n#include <sys/stat.h>\n#include <unistd.h>\n',
    'src/base/result.cc': '#include "base/result.h"\n\n#include <prometheus/registry.h>\n',
    'src/json/rows.h': '#include "base/result.h"\n',
    'src/json/rows.cc': '#include "json/rows.h"\n',
    'src/json/rows_test.cc': '#include <gtest/gtest.h>\n\n#include "json/rows.h"\n',
    'src/api/insert.cc': '#include "json/rows.h"\n',
    'src/http/session.cc': '#include <boost/asio.hpp>\n#include <zstd.h>\n',
    'src/server/main.cc': '#include "build_info.h"\n#include "json/rows.h"\n',
    'third_party/package-lock.json': lock({ 'node_modules/duckdb': { integrity: 'sha512-x' } }),
    ...files,
  };
  try {
    for (const [name, text] of Object.entries(tree)) {
      mkdirSync(dirname(join(root, name)), { recursive: true });
      writeFileSync(join(root, name), text);
    }
    return use(root, Object.keys(tree));
  } finally {
    rmSync(root, { recursive: true });
  }
}

function lock(packages) {
  return JSON.stringify({ lockfileVersion: 3, packages: { '': { name: 'x' }, ...packages } });
}

function reports(name, files, errors, warnings = []) {
  test(name, () => withTree(files, (root) => {
    const found = check(root);
    assert.deepEqual({ errors: found.errors, warnings: found.warnings }, { errors, warnings });
  }));
}

reports('A tree that keeps the rules passes', {}, []);
reports('An include that runs up', { 'src/base/result.cc': '#include "base/result.h"\n#include "json/rows.h"\n' },
  ['src/base/result.cc:2: "json/rows.h": base may not include json']);
reports('An include of a neighbour', { 'src/journal/log.h': '  #  include "json/rows.h"\n' },
  ['src/journal/log.h:1: "json/rows.h": journal may not include json']);
reports('The api includes the server', {
  'src/server/app.h': '', 'src/api/insert.cc': '#include "server/app.h"\n',
}, ['src/api/insert.cc:1: "server/app.h": api may not include server']);
reports('A test includes more than its room may', { 'src/json/rows_test.cc': '#include "api/x.h"\n', 'src/api/x.h': '' },
  ['src/json/rows_test.cc:1: "api/x.h": json may not include api']);
reports('A quoted include that is no file of src', { 'src/json/rows.cc': '#include "rows.h"\n#include "json/gone.h"\n' }, [
  'src/json/rows.cc:1: "rows.h" is not a file of src/ (include paths begin there)',
  'src/json/rows.cc:2: "json/gone.h" is not a file of src/ (include paths begin there)',
]);
reports('An include by macro', { 'src/json/rows.cc': '#include HEADER\n' },
  ['src/json/rows.cc:1: an include that is no plain path']);
reports('A folder that is no room', { 'src/utils/x.cc': '#include <vector>\n', 'src/loose.h': '' }, [
  'src/loose.h: is in no room of tests/arrows/rules.mjs',
  'src/utils/x.cc: is in no room of tests/arrows/rules.mjs',
]);
reports('GoogleTest outside tests, and a test header outside tests', {
  'src/json/rows.cc': '#include <gtest/gtest.h>\n#include "json/fake_testing.h"\n',
  'src/json/fake_testing.h': '#include <gmock/gmock.h>\n',
}, [
  'src/json/rows.cc:1: gtest/gtest.h belongs into tests only',
  'src/json/rows.cc:2: "json/fake_testing.h" is for tests only',
]);
reports('A test header is for tests, wherever it stands', {
  'src/json/testing/harness.h': '#include <gtest/gtest.h>\n',
  'src/json/test_client.h': '#include <gtest/gtest.h>\n',
  'src/json/rows_test.cc': '#include "json/testing/harness.h"\n#include "json/test_client.h"\n',
  'src/json/rows.cc': '#include "json/testing/harness.h"\n#include "json/test_client.h"\n',
}, [
  'src/json/rows.cc:1: "json/testing/harness.h" is for tests only',
  'src/json/rows.cc:2: "json/test_client.h" is for tests only',
]);
reports('A library that nobody gave a room', { 'src/json/rows.cc': '#include <rapidjson/reader.h>\n#include <yyjson.h>\n' }, [
  'src/json/rows.cc:1: <rapidjson/reader.h> has no room in tests/arrows/rules.mjs',
  'src/json/rows.cc:2: <yyjson.h> has no room in tests/arrows/rules.mjs',
]);

for (const [header, wrong, right, where] of [
  ['duckdb.h', 'destinations/x.cc', 'destinations/duckdb/x.cc', 'src/destinations/duckdb, src/query'],
  ['soci/soci.h', 'api/x.cc', 'catalog/x.cc', 'src/catalog'],
  ['sodium.h', 'api/x.cc', 'catalog/x.cc', 'src/catalog'],
  ['xlsxwriter.h', 'engine/x.cc', 'query/x.cc', 'src/query'],
  ['sqlite3.h', 'journal/x.cc', 'catalog/x.cc', 'src/catalog'],
  ['boost/beast/http.hpp', 'engine/x.cc', 'api/x.cc', 'src/http, src/api, src/client, src/server'],
  ['yaml-cpp/yaml.h', 'api/x.cc', 'server/x.cc', 'src/server'],
  ['CLI/CLI.hpp', 'base/x.cc', 'server/x.cc', 'src/server'],
  ['prometheus/counter.h', 'api/x.cc', 'base/x.cc', 'src/base'],
  ['openssl/evp.h', 'api/x.cc', 'webhooks/x.cc', 'src/base, src/webhooks'],
  ['simdjson.h', 'load/x.cc', 'json/x.cc', 'src/json'],
  ['zlib.h', 'json/x.cc', 'query/x.cc', 'src/http, src/query, src/client'],
  ['zstd_errors.h', 'journal/x.cc', 'http/x.cc', 'src/http, src/query, src/client'],
  ['libpq-fe.h', 'catalog/x.cc', 'destinations/postgres/x.cc', 'src/destinations/postgres'],
]) {
  reports(`${header} outside its room`, {
    [`src/${wrong}`]: `#include <${header}>\n`, [`src/${right}`]: `#include "${header}"\n`,
  }, [`src/${wrong}:1: ${header} belongs into ${where} only`]);
}

reports('CMake links a room to one above it', { 'CMakeLists.txt': 'sd_room(json DEPS base journal LIBS x)\n' },
  ['CMakeLists.txt: json may not depend on journal']);
reports('Long files', { 'src/json/long.h': '\n'.repeat(601), 'src/json/longish.h': '\n'.repeat(401), 'src/json/ok.h': '\n'.repeat(400) },
  ['src/json/long.h: 601 lines; over 600, a file is two files'],
  ['src/json/longish.h: 401 lines; most files have at most 400']);
reports('A lock file with an address, without a hash, with dependencies', {
  'third_party/package-lock.json': lock({
    'node_modules/a': { resolved: 'https://packages.invalid/a.tgz', integrity: 'sha512-x' },
    'node_modules/b': { integrity: 'sha1-x' },
    'node_modules/duckdb': { integrity: 'sha512-x', dependencies: { 'node-gyp': '1' } },
  }),
  'web/package-lock.json': lock({ 'node_modules/c': { integrity: 'sha512-x' }, 'node_modules/d': { resolved: 'https://packages.invalid/d.tgz', integrity: 'sha512-x' } }),
}, [
  'third_party/package-lock.json: node_modules/a has an address ("resolved")',
  'third_party/package-lock.json: node_modules/b is not pinned by a SHA-512',
  'third_party/package-lock.json: node_modules/duckdb has dependencies again',
  'web/package-lock.json: node_modules/d has an address ("resolved")',
]);

test('A .cc file that no target compiles', () => withTree(
  { 'fuzz/json/x.cc': '', 'bench/x.cc': '', 'tests/contract/x.cc': '' },
  (root, names) => {
    const commands = join(root, 'compile_commands.json');
    const write = (list) => writeFileSync(commands, JSON.stringify(list.map((file) => ({ directory: root, file }))));
    const sources = names.filter((name) => name.endsWith('.cc'));
    write(sources);
    assert.deepEqual(check(root, commands).errors, []);
    for (const left of sources) {
      write(sources.filter((name) => name !== left));
      assert.deepEqual(check(root, commands).errors, [`${left}: no target compiles it`]);
    }
    assert.match(check(root, join(root, 'gone.json')).errors[0], /configure the dev build first/);
  }));

test('An empty tree is a fault, not a success', () => {
  const root = mkdtempSync(join(tmpdir(), 'arrows-'));
  try {
    assert.deepEqual(check(root).errors, ['src: holds no sources']);
  } finally {
    rmSync(root, { recursive: true });
  }
});

test('The table itself has no cycle', () => {
  const visit = (room, path) => {
    assert.ok(!path.includes(room), [...path, room].join(' → '));
    for (const next of rooms[room]) visit(next, [...path, room]);
  };
  for (const room of Object.keys(rooms)) visit(room, []);
});

test('The program prints the faults and exits 1', () => withTree(
  { 'src/base/result.cc': '#include "json/rows.h"\n' },
  (root) => {
    const program = join(dirname(fileURLToPath(import.meta.url)), 'check.mjs');
    const bad = spawnSync(process.execPath, [program, root], { encoding: 'utf8' });
    assert.equal(bad.status, 1);
    assert.match(bad.stdout, /^error: src\/base\/result\.cc:1: "json\/rows\.h": base may not include json$/m);
    writeFileSync(join(root, 'src/base/result.cc'), '');
    assert.equal(spawnSync(process.execPath, [program, root]).status, 0);
  }));
