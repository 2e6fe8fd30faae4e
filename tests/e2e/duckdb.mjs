// Opens a DuckDB file with DuckDB's own library, our server out of the picture: what any DuckDB would see.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from './lib.mjs';

const addon = path.join(root, 'third_party/node_modules/@duckdb/node-bindings-linux-x64/duckdb.node');

// The DuckDB file of the destination `local`, through the link beside the journals; it must stand alone.
export function localFile(dataDir) {
  const file = fs.realpathSync(path.join(dataDir, 'data.duckdb'));
  assert.ok(!fs.existsSync(`${file}.wal`), 'a write-ahead log is left beside the file');
  return file;
}

// The one BIGINT that the statement gives. In a process of its own, so that the file is let go of for sure.
export function duckdbInteger(file, sql) {
  const out = execFileSync(process.execPath, [fileURLToPath(import.meta.url), file, sql], { encoding: 'utf8', timeout: 60_000 });
  return BigInt(out.trim());
}

export const checkDuckdbFile = (dataDir, sql) => duckdbInteger(localFile(dataDir), sql);

// Runs statements in a DuckDB file, as somebody's own tool would. In a process of its own, so that
// the file is let go of for sure; throws where another process has it.
export function changeFile(file, ...statements) {
  execFileSync(process.execPath, ['-e', `
    const duckdb = require(${JSON.stringify(addon)});
    (async () => {
      const database = await duckdb.open(${JSON.stringify(file)}, duckdb.create_config());
      const connection = await duckdb.connect(database);
      for (const sql of ${JSON.stringify(statements)}) await duckdb.query(connection, sql);
      duckdb.disconnect_sync(connection);
      duckdb.close_sync(database);
    })().catch((error) => { console.error(error.message); process.exit(1); });`],
  { stdio: ['ignore', 'ignore', 'pipe'], timeout: 60_000 });
}

// Another process that has the file open for writing, as somebody's DuckDB shell would. Returns { pid, release }.
export async function holdFile(t, file) {
  const holder = spawn(process.execPath, ['-e', `
    const duckdb = require(${JSON.stringify(addon)});
    duckdb.open(${JSON.stringify(file)}, duckdb.create_config()).then((database) => {
      globalThis.database = database;
      console.log('held');
      setInterval(() => {}, 1000);
    });`], { stdio: ['ignore', 'pipe', 'inherit'] });
  const gone = new Promise((resolve) => { holder.once('exit', resolve); });
  const release = () => {
    holder.kill('SIGKILL');
    return gone;
  };
  t.after(release);
  await new Promise((resolve, reject) => {
    holder.stdout.once('data', resolve);
    holder.once('exit', () => reject(new Error('the file could not be held')));
  });
  return { pid: holder.pid, release };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { createRequire } = await import('node:module');
  const duckdb = createRequire(import.meta.url)(addon);
  const [file, sql] = process.argv.slice(2);
  const config = duckdb.create_config();
  duckdb.set_config(config, 'access_mode', 'READ_ONLY');
  const database = await duckdb.open(file, config);
  const connection = await duckdb.connect(database);
  const result = await duckdb.query(connection, `SELECT CAST((${sql}) AS BIGINT)`);
  const chunk = await duckdb.fetch_chunk(result);
  const bytes = duckdb.vector_get_data(duckdb.data_chunk_get_vector(chunk, 0), 8);
  console.log(String(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigInt64(0, true)));
  duckdb.disconnect_sync(connection);
  duckdb.close_sync(database);
}
