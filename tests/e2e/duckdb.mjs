// Opens a DuckDB file with DuckDB's own library, our server out of the picture: what any DuckDB would see.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { removeDirectory, root, temporaryDirectory } from './lib.mjs';

const addon = path.join(root, 'third_party/node_modules/@duckdb/node-bindings-linux-x64/duckdb.node');

// The DuckDB file of the destination `local`, through the link beside the journals; it must stand alone.
export function localFile(dataDir) {
  const file = fs.realpathSync(path.join(dataDir, 'data.duckdb'));
  assert.ok(!fs.existsSync(`${file}.wal`), 'a write-ahead log is left beside the file');
  return file;
}

// Runs statements, and gives the BIGINTs of the last one's only row. In a process of its own, so that the file is let go of
// for sure. The statements go through a file: they may be long.
function run(file, statements) {
  const list = path.join(temporaryDirectory('scratchdata-sql-'), 'statements.json');
  fs.writeFileSync(list, JSON.stringify(statements));
  const out = execFileSync(process.execPath, [fileURLToPath(import.meta.url), file, list], { encoding: 'utf8', timeout: 60_000 });
  removeDirectory(path.dirname(list));
  return JSON.parse(out).map(BigInt);
}

// In an empty database in memory.
export const duckdbIntegers = (statements) => run('', statements);

// The one BIGINT that the statement gives.
export const duckdbInteger = (file, sql) => run(file, [`SELECT CAST((${sql}) AS BIGINT)`])[0];

export const checkDuckdbFile = (dataDir, sql) => duckdbInteger(localFile(dataDir), sql);

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
  const [file, list] = process.argv.slice(2);
  const config = duckdb.create_config();
  if (file !== '') duckdb.set_config(config, 'access_mode', 'READ_ONLY');
  const database = await duckdb.open(file || ':memory:', config);
  const connection = await duckdb.connect(database);
  let result;
  for (const sql of JSON.parse(fs.readFileSync(list, 'utf8'))) result = await duckdb.query(connection, sql);
  const chunk = await duckdb.fetch_chunk(result);
  const values = Array.from({ length: duckdb.data_chunk_get_column_count(chunk) }, (_, column) => {
    const bytes = duckdb.vector_get_data(duckdb.data_chunk_get_vector(chunk, column), 8);
    return String(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigInt64(0, true));
  });
  console.log(JSON.stringify(values));
  duckdb.disconnect_sync(connection);
  duckdb.close_sync(database);
}
