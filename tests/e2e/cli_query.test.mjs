// `scratchdata query` against a server: formats, parameters, errors, a terminal, Ctrl-C.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { binary, eventually, runBinary, useServer } from './lib.mjs';

const server = useServer();
const query = (args, options = {}) => runBinary(['query', ...args, '--url', server.url, '--key', 'local'], options);
const kSlow = "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range + b.range = 7";

describe('scratchdata query', () => {
  it('in a pipe: NDJSON, or the format that was asked for, byte for byte', async () => {
    const sql = "SELECT i, repeat('x', i::INT) AS s FROM range(3) t(i)";
    const plain = await query([sql]);
    assert.deepEqual([plain.code, plain.stderr, plain.stdout], [0, '', '{"i":0,"s":""}\n{"i":1,"s":"x"}\n{"i":2,"s":"xx"}\n']);
    for (const format of ['json', 'ndjson', 'csv', 'tsv', 'jsoncompact', 'html']) {
      const asked = await query([sql, '--format', format]);
      assert.equal(asked.code, 0, asked.stderr);
      assert.equal(asked.stdout, (await server.sql(sql, { query: `?format=${format}` })).text, format);
    }
    const table = await query([sql, '--format', 'table']);
    assert.equal(table.stdout, ' i | s\n---+----\n 0 | \n 1 | x\n 2 | xx\n(3 rows)\n');
  });

  it('takes the statement from standard input, and parameters by name', async () => {
    const out = await query(['-', '--param', 'n=5', '--param', 'text=it\'s "5"', '--param', 'list=[1,2]', '--format', 'json'],
      { input: 'SELECT $n + 1 AS n,\n $text AS t, len($list) AS l' });
    assert.equal(out.code, 0, out.stderr);
    assert.deepEqual(JSON.parse(out.stdout), [{ n: 6, t: 'it\'s "5"', l: 2 }]);
  });

  it('errors: 1 and where in the statement, 2 where nothing was sent', async () => {
    const bad = await query(['SELECT 1,\n  nonsense AS x']);
    assert.deepEqual([bad.code, bad.stdout], [1, '']);
    assert.match(bad.stderr, /400.*nonsense.*\n {4}nonsense AS x\n {4}\^\n/s);
    assert.equal((await query(['DELETE FROM t'])).code, 1);
    assert.match((await runBinary(['query', 'SELECT 1', '--url', server.url, '--key', 'sd_wrong'])).stderr, /401/);
    const nobody = await runBinary(['query', 'SELECT 1', '--url', 'http://127.0.0.1:1', '--key', 'x']);
    assert.deepEqual([nobody.code, /cannot connect/.test(nobody.stderr)], [1, true], nobody.stderr);
    assert.equal((await runBinary(['query', 'SELECT 1', '--url', 'ftp://x', '--key', 'x'])).code, 2);
    assert.equal((await query(['SELECT 1', '--param', 'x'])).code, 2);
    assert.match((await query([kSlow, '--timeout', '0.3'])).stderr, /504/);
    assert.match((await query(['SELECT 1', '--timeout', '0'])).stderr, /--timeout: Value 0 not in range 0\.001000 to 86400/);
    // An output that takes nothing: closed, or full.
    for (const out of ['>&-', '>/dev/full']) {
      const line = `exec '${binary}' query 'SELECT 1' --url '${server.url}' --key local ${out}`;
      const refused = spawnSync('sh', ['-c', line], { encoding: 'utf8' });
      assert.deepEqual([refused.status, refused.stderr], [1, 'scratchdata: the output cannot be written\n'], out);
    }
    // A result that breaks off is no result.
    const broken = await query(["SELECT CASE WHEN i = 900000 THEN error('late') ELSE 'x' END AS v FROM range(1000000) t(i)", '--format', 'csv']);
    assert.deepEqual([broken.code, /broke off/.test(broken.stderr)], [1, true], broken.stderr);
  });

  it('on a terminal: a table that fits; binary formats are refused', async () => {
    const run = (args) => new Promise((resolve) => {
      const line = [binary, 'query', ...args, '--url', server.url, '--key', 'local'].map((a) => `'${a.replaceAll("'", "'\\''")}'`).join(' ');
      const child = spawn('script', ['-qec', `stty cols 40; exec ${line}`, '/dev/null'], { stdio: ['ignore', 'pipe', 'inherit'] });
      let out = '';
      child.stdout.on('data', (d) => { out += d; });
      child.on('exit', (code) => resolve({ code, out: out.replaceAll('\r\n', '\n') }));
    });
    const { code, out } = await run(["SELECT 1 AS a, repeat('long ', 30) AS text"]);
    assert.equal(code, 0, out);
    const lines = out.trimEnd().split('\n');
    assert.equal(lines.length, 4, out);
    for (const line of lines) assert.ok([...line].length <= 40, line);
    assert.match(lines[2], /^ 1 \| long long .*…$/);
    // A part of a number looks like another number.
    const long = await run(["SELECT range AS n, 'text ' || range AS t FROM range(12000)"]);
    const cells = long.out.split('\n').filter((line) => /^ *\d+ \| /.test(line));
    assert.equal(cells.length, 12_000);
    for (const [i, line] of cells.entries()) assert.equal(line.trim(), `${i} | text ${i}`);
    const wide = await run(["SELECT 170141183460469231731687303715884105727::HUGEINT AS a, 123456789012345678 AS b, repeat('x', 50) AS c"]);
    assert.match(wide.out, / 170141183460469231731687303715884105727 \| 123456789012345678 \| x{7}…/);
    const refused = await run(['SELECT 1', '--format', 'parquet']);
    assert.deepEqual([refused.code, /not|nothing for a terminal/.test(refused.out)], [2, true], refused.out);
  });

  it('Ctrl-C cancels on the server, before and amid the result', async () => {
    for (const sql of [kSlow, "SELECT i, repeat('x', 100) AS s FROM range(1000000000) t(i)"]) {
      const child = spawn(binary, ['query', sql, '--url', server.url, '--key', 'local'], { stdio: ['ignore', 'pipe', 'pipe'] });
      let said = '';
      child.stderr.on('data', (d) => { said += d; });
      if (sql !== kSlow) child.stdout.once('data', () => child.stdout.pause());
      const running = async () => (await server.metrics())('scratchdata_queries_running', { destination: 'local' }) ?? 0;
      await eventually('the query', async () => (await running()) >= 1);
      child.kill('SIGINT');
      const code = await new Promise((resolve) => { child.once('exit', resolve); });
      assert.deepEqual([code, said], [130, 'cancelled\n']);
      await eventually('its end', async () => (await running()) === 0, 3000);
    }
  });
});
