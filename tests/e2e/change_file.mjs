// DuckDB's own library, as somebody's own tool would use it: without any of our walls.
import { execFile } from 'node:child_process';
import path from 'node:path';
import { root } from './lib.mjs';

const addon = path.join(
  root, 'third_party/node_modules/@duckdb/node-bindings-linux-x64/duckdb.node');

// Runs statements in a file, or ':memory:', with settings of the instance. In a process of its own, so that the file is
// let go of for sure. Gives its exit code (1: a statement failed) and what it said.
export function runDuckdb(file, statements, settings = {}) {
  const script = `
    const duckdb = require(${JSON.stringify(addon)});
    (async () => {
      const config = duckdb.create_config();
      for (const [name, value] of ${JSON.stringify(Object.entries(settings))}) duckdb.set_config(config, name, value);
      const database = await duckdb.open(${JSON.stringify(file)}, config);
      const connection = await duckdb.connect(database);
      for (const sql of ${JSON.stringify(statements)}) await duckdb.query(connection, sql);
      duckdb.disconnect_sync(connection);
      duckdb.close_sync(database);
    })().catch((error) => { console.error(error.message); process.exit(1); });`;
  return new Promise((resolve) => {
    execFile(process.execPath, ['-e', script], { timeout: 60_000 }, (error, stdout, said) => {
      resolve({ code: error ? error.code : 0, said });
    });
  });
}

// Changes a file; throws where another process has it, or a statement fails.
export async function changeFile(file, ...statements) {
  const { code, said } = await runDuckdb(file, statements);
  if (code !== 0) throw new Error(said);
}
