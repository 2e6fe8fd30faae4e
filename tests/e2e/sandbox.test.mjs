// The walls around an engine, looked at from inside: a server without its SQL gate and without DuckDB's own settings
// (tools/ungated.cc) is sent what strangers would send. Whatever holds, the kernel holds it: Landlock, seccomp, the
// memory limit, or that the engine is a process of its own.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { changeFile, runDuckdb } from './change_file.mjs';
import { checkDuckdbFile } from './duckdb.mjs';
import { Server, binary, eventually, problem, sleep, startServer, temporaryDirectory, useServer } from './lib.mjs';

const tool = (name) => path.join(path.dirname(binary), name);
const ungated = [tool('scratchdata_ungated')];
const isRoot = process.getuid() === 0;
const kWait = { query: '?wait=true' };
const kSlow = { timeout: 600_000 };
const kFront = 'canary-of-the-front-6c1f';
const kOutside = 'canary-outside-93ab';
const kNeighbour = 'canary-of-the-neighbour-77de';
// None of these may ever be in an answer.
const secrets = [kFront, kOutside, kNeighbour, 'root:x:0:0'];

const statusOf = (pid) => fs.readFileSync(`/proc/${pid}/status`, 'utf8');
const kilobytes = (pid, name) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(statusOf(pid))[1]);
const restarts = async (server, destination) =>
  (await server.metrics())('scratchdata_engine_restarts_total', { destination }) ?? 0;

// Names and contents of everything under a folder.
function hashOf(folder) {
  const hash = createHash('sha256');
  for (const name of fs.readdirSync(folder, { recursive: true }).sort()) {
    const file = path.join(folder, name);
    hash.update(name);
    if (fs.lstatSync(file).isFile()) hash.update(fs.readFileSync(file));
  }
  return hash.digest('hex');
}

describe("without the gate and DuckDB's own walls", () => {
  const home = temporaryDirectory();
  const outside = temporaryDirectory();
  const server = useServer({
    command: ungated, env: { HOME: home, SECRET_OF_THE_FRONT: kFront }, flags: ['--engine-memory-limit', '256MiB', '--engine-threads', '2'],
  });
  let connections = 0;
  const listener = net.createServer((socket) => { connections += 1; socket.destroy(); });
  after(() => listener.close());
  let neighbour; let own; let journal; let neighboursFolder; let neighboursJournal; let before_; let shape;
  let rows = 0; // of the neighbour

  // Folders of the server, and what is directly in them: nothing may appear or go.
  const shapeOf = () => ['', 'journals', 'destinations', path.relative(server.dir, neighboursFolder)]
    .map((name) => fs.readdirSync(path.join(server.dir, name)).filter((n) => !n.endsWith('.wal') && !n.startsWith('catalog.db-')).sort());

  before(async () => {
    const made = await server.api('/api/destinations', { key: server.adminKey, body: '{"name":"neighbour"}' });
    neighbour = { key: made.json().api_key };
    await server.insert('t', { secret: kNeighbour }, { ...kWait, ...neighbour });
    await server.insert('t', { a: 1 }, kWait);
    rows = 1;
    const all = (name) => fs.readdirSync(path.join(server.dir, name)).map((n) => path.join(server.dir, name, n));
    own = path.dirname(fs.realpathSync(path.join(server.dir, 'data.duckdb')));
    neighboursFolder = all('destinations').find((f) => f !== own);
    journal = all('journals').find((f) => f.includes(path.basename(own)));
    neighboursJournal = all('journals').find((f) => f.includes(path.basename(neighboursFolder)));
    fs.writeFileSync(path.join(outside, 'canary.txt'), kOutside);
    fs.writeFileSync(path.join(outside, 'canary.csv'), `secret\n${kOutside}\n`);
    fs.writeFileSync(path.join(outside, 'schema.sql'), `CREATE TABLE imported AS SELECT '${kOutside}' AS secret;`);
    fs.writeFileSync(path.join(outside, 'load.sql'), '');
    fs.writeFileSync(path.join(outside, 'canary.json'), `{"secret":"${kOutside}"}`);
    await changeFile(path.join(outside, 'canary.duckdb'), `CREATE TABLE secrets AS SELECT '${kOutside}' AS secret`,
      `COPY secrets TO '${outside}/canary.parquet'`);
    await new Promise((resolve) => { listener.listen(0, '127.0.0.1', resolve); });
    before_ = [hashOf(outside), hashOf(home)];
    shape = shapeOf();
  });

  const assertSecret = (sql, answer) => {
    for (const secret of secrets) assert.ok(!answer.text.includes(secret), `${sql}: ${secret} in ${answer.text.slice(0, 300)}`);
  };

  // Sends one; gives the answer, whose secrets are looked for.
  async function send(sql, timeout = 5000) {
    const answer = await server.sql(sql, { query: `?timeout_ms=${timeout}` });
    assertSecret(sql, answer);
    return answer;
  }

  async function assertUnharmed(sql) {
    assert.deepEqual([hashOf(outside), hashOf(home)], before_, `${sql}: something outside was changed`);
    assert.deepEqual(shapeOf(), shape, `${sql}: something was made or removed in the data directory`);
    assert.equal(connections, 0, `${sql}: a connection was made`);
    // What is accepted is accepted, and the neighbour notices nothing.
    assert.equal((await server.insert('t', { a: 2 })).rows, 1);
    const inserted = await server.insert('t', { secret: 'x' }, { ...kWait, ...neighbour });
    rows += 1;
    assert.equal(inserted.visible, true, sql);
    assert.equal(await server.value('SELECT count(*) AS n FROM t', neighbour), rows, sql);
  }

  // Also the attacked destination itself loads on; by a new engine where the old one was ended.
  const assertLoads = (sql) => eventually(`loading after ${sql}`, async () => (await server.insert('t', { a: 3 }, kWait)).visible === true, 15_000, 100);

  // What an answer is like that this wall has stopped.
  const walls = {
    Landlock: /Permission denied/,
    'Landlock, which lists nothing': /^\[\]\n?$/,
    'Landlock, without a word': /^/,
    seccomp: /Operation not permitted|Could not establish connection|Function not implemented|failed to map/i,
    'the memory limit': /Out of Memory|bad allocation|engine-stopped|could not allocate/i,
    'a process of its own': /engine-stopped/,
    'an error': /"status":(400|503)/,
  };
  // `wedges`: the instance is of no use afterwards, which without a gate is its own matter; a new engine is.
  function attack(wall, sql, what = sql, { wedges = false } = {}) {
    it(`${what}: ${wall}`, kSlow, async () => {
      const text = typeof sql === 'function' ? sql() : sql;
      const answer = await send(text);
      assert.match(answer.text, walls[wall], text);
      if (wedges) for (const pid of server.enginePids()) process.kill(pid, 'SIGKILL');
      await assertUnharmed(text);
      await assertLoads(text);
    });
  }

  it('the walls that are meant to be down are down', async () => {
    const [settings] = await server.rows(`SELECT current_setting('enable_external_access') AS access, current_setting('lock_configuration') AS locked`);
    assert.deepEqual(settings, { access: true, locked: false });
    await send('CREATE TABLE made_by_sql AS SELECT 1 AS i; DELETE FROM made_by_sql; SELECT 1');
    assert.equal(await server.value('SELECT count(*) AS n FROM made_by_sql'), 0);
    assert.equal(await server.value(`SELECT count(*) AS n FROM glob('${own}/*') WHERE file LIKE '%.duckdb'`), 1);
  });

  it('its own journal can be read, and another one cannot', async () => {
    assert.ok((await server.value(`SELECT sum(size) AS n FROM read_blob('${journal}/*.seg')`)) > 0);
    const answer = await send(`SELECT * FROM read_blob('${neighboursJournal}/*.seg')`);
    assert.match(answer.text, /^\[\]\n?$/);
  });

  describe('reading', () => {
    for (const [file, read] of [
      ['canary.txt', 'read_text'], ['canary.txt', 'read_blob'], ['canary.csv', 'read_csv'], ['canary.csv', 'sniff_csv'],
      ['canary.json', 'read_json'], ['canary.json', 'read_ndjson_objects'], ['canary.parquet', 'read_parquet'],
      ['canary.parquet', 'parquet_metadata'],
    ]) attack('Landlock', () => `SELECT * FROM ${read}('${outside}/${file}')`, `${read} of a file outside`);
    attack('Landlock', () => `FROM '${outside}/canary.csv'`, 'a path as a table');
    attack('Landlock', () => `CREATE TEMP TABLE taken(line VARCHAR); COPY taken FROM '${outside}/canary.csv'; FROM taken`, 'COPY FROM');
    attack('Landlock', () => `ATTACH '${outside}/canary.duckdb' AS other (READ_ONLY); FROM other.secrets`, 'ATTACH of a database outside');
    attack('Landlock', () => `IMPORT DATABASE '${outside}'`, 'IMPORT DATABASE');
    attack('Landlock', () => `ATTACH '${neighboursFolder}/data.duckdb' AS other (READ_ONLY); FROM other.t`, "ATTACH of the neighbour's database");
    attack('Landlock', () => `SELECT * FROM read_blob('${neighboursFolder}/data.duckdb')`, "the neighbour's file");
    attack('Landlock', () => `SELECT * FROM read_blob('${neighboursFolder}/data.duckdb.wal')`, "the neighbour's write-ahead log");
    attack('Landlock', () => `SELECT * FROM read_blob('${neighboursJournal}/${fs.readdirSync(neighboursJournal).find((n) => n.endsWith('.seg'))}')`, "the neighbour's journal");
    attack('Landlock', () => `SELECT * FROM read_blob('${server.dir}/${fs.readdirSync(server.dir).find((n) => /^catalog.*(db|sqlite)$/.test(n))}')`, 'the catalog');
    attack('Landlock', () => `SELECT * FROM read_text('${own}/../../LOCK')`, 'up and out of its own folder');
    attack('Landlock', () => `SELECT * FROM read_text('/proc/${server.pid}/environ')`, "the front's environment");
    attack('Landlock', () => `SELECT * FROM read_blob('/proc/${server.pid}/mem')`, "the front's memory");
    attack('Landlock', () => `SELECT * FROM read_text('/proc/${server.pid}/cmdline')`, "the front's command line");
    for (const file of ['/etc/passwd', '/etc/hostname', '/proc/self/environ', '/proc/self/maps', '/proc/self/cmdline',
      '/proc/self/root/etc/passwd', '/proc/self/task/self/../../environ', '/proc/1/environ', '/sys/kernel/uevent_helper', '/dev/mem']) {
      if (fs.existsSync(file)) attack('Landlock', `SELECT * FROM read_text('${file}')`);
    }
    for (const pattern of ['/etc/*', '/*', '/proc/*/environ', '/home/*/.ssh/*', '/root/*']) {
      attack('Landlock, which lists nothing', `SELECT * FROM glob('${pattern}')`);
    }
    attack('Landlock, which lists nothing', () => `SELECT * FROM glob('${server.dir}/**')`, 'glob of the data directory');
    attack('Landlock, which lists nothing', () => `SELECT * FROM glob('${outside}/*')`, 'glob of a folder outside');

    it('a link in its own folder leads nowhere', async () => {
      fs.symlinkSync(path.join(outside, 'canary.txt'), path.join(own, 'link.txt'));
      const sql = `SELECT * FROM read_text('${own}/link.txt')`;
      assert.match((await send(sql)).text, walls.Landlock);
      fs.rmSync(path.join(own, 'link.txt'));
      await assertUnharmed(sql);
    });

    it("of the front's environment it was given nothing", async () => {
      const environment = fs.readFileSync(`/proc/${server.pid}/environ`, 'utf8');
      assert.ok(environment.includes(kFront));
      for (const pid of server.enginePids()) assert.ok(!fs.readFileSync(`/proc/${pid}/environ`, 'utf8').includes(kFront));
    });
  });

  describe('writing', () => {
    attack('Landlock', () => `COPY (SELECT 1) TO '${outside}/made.csv'`, 'COPY TO a new file');
    attack('Landlock', () => `COPY (SELECT 1) TO '${outside}/canary.csv' (USE_TMP_FILE false)`, 'COPY TO over a file');
    attack('Landlock', () => `COPY (SELECT 1 AS p, 2 AS v) TO '${outside}/made' (FORMAT csv, PARTITION_BY (p), OVERWRITE true)`, 'COPY TO a folder');
    attack('Landlock', () => `COPY (SELECT 1) TO '${outside}/made.parquet' (FORMAT parquet)`, 'COPY TO as Parquet');
    attack('Landlock', () => `COPY (SELECT 1) TO '${journal}/made.seg' (FORMAT csv)`, 'COPY TO its own journal');
    attack('Landlock', () => `COPY (SELECT 1) TO '${neighboursFolder}/data.duckdb' (FORMAT csv, USE_TMP_FILE false)`, "COPY TO the neighbour's file");
    attack('Landlock', () => `COPY (SELECT 1) TO '${neighboursFolder}/made.csv'`, "COPY TO the neighbour's folder");
    attack('Landlock', () => `COPY (SELECT 1) TO '${server.dir}/made.csv'`, 'COPY TO the data directory');
    attack('Landlock', () => `EXPORT DATABASE '${outside}/export'`, 'EXPORT DATABASE');
    attack('Landlock', () => `ATTACH '${outside}/made.duckdb' AS made; SELECT 1`, 'ATTACH of a new database');
    attack('Landlock', () => `SET temp_directory = '${outside}/spill'; SET memory_limit = '20MB'; SELECT count(*) FROM (SELECT i, count(*) FROM range(3000000) t(i) GROUP BY i); SELECT 1`, 'spilling elsewhere');
    attack('Landlock', () => `SET secret_directory = '${outside}/secrets'; CREATE PERSISTENT SECRET s (TYPE http, BEARER_TOKEN 'x'); SELECT 1`, 'a secret that persists');
    attack('Landlock, without a word', () => `PRAGMA enable_profiling = 'json'; SET profiling_output = '${outside}/profile.json'; SELECT 42; SELECT 1`, 'a profile in a file');
    // Whatever is to be logged from here on is an error.
    attack('an error', () => `CALL enable_logging(storage = 'file', storage_path = '${outside}/logs'); SELECT 1`, 'a log in a file', { wedges: true });
    attack('Landlock', "COPY (SELECT 1) TO '/dev/full' (FORMAT csv, USE_TMP_FILE false)");
    attack('Landlock', "COPY (SELECT 1) TO '/tmp/scratchdata-made.csv'");
    attack('Landlock', "COPY (SELECT 1) TO '/dev/shm/scratchdata-made.csv'");
  });

  describe('the network', () => {
    const repository = () => `http://127.0.0.1:${listener.address().port}`;
    it('is there for the same statement outside of the sandbox', async () => {
      const { code, said } = await runDuckdb(':memory:', [`SET extension_directory = '${temporaryDirectory()}'`, `INSTALL spatial FROM '${repository()}'`]);
      assert.equal(code, 1, said);
      await eventually('a connection', () => connections > 0);
      connections = 0;
    });
    attack('seccomp', () => `INSTALL spatial FROM '${repository()}'`, 'INSTALL from a repository on this machine');
    attack('seccomp', () => `SET custom_extension_repository = '${repository()}'; INSTALL httpfs`, 'INSTALL from a repository of a setting');
    attack('seccomp', () => `SET autoinstall_known_extensions = true; SET autoload_known_extensions = true; SELECT * FROM read_csv('${repository()}/x.csv')`, 'a URL as a file');
    attack('seccomp', () => `SELECT * FROM read_parquet('s3://bucket/x.parquet')`, 'a bucket as a file');
    attack('seccomp', () => `SET http_proxy = '127.0.0.1:${listener.address().port}'; INSTALL spatial`, 'by a proxy');
  });

  describe('code', () => {
    // What DuckDB wants at the end of an extension: eight fields of 32 bytes, the last one first, and a signature.
    function plant(file) {
      const footer = Buffer.alloc(512);
      ['', '', '', 'CPP', 'v0', 'v1.5.6', 'linux_amd64', '4'].forEach((field, i) => footer.write(field, i * 32));
      fs.writeFileSync(file, Buffer.concat([fs.readFileSync(tool('planted.so')), footer]));
    }
    it('that is planted runs outside of the sandbox, and cannot be loaded inside', kSlow, async () => {
      const planted = path.join(own, 'planted.duckdb_extension');
      plant(planted);
      const load = `LOAD '${planted}'`;
      const { code, said } = await runDuckdb(':memory:', [load], { allow_unsigned_extensions: 'true' });
      assert.equal(code, 77, `the extension was not loaded: ${said}`);
      const had = await restarts(server, 'local');
      const answer = await send(load);
      assert.match(answer.text, walls.seccomp);
      assert.equal(await restarts(server, 'local'), had);
      fs.rmSync(planted);
      await assertUnharmed(load);
      await assertLoads(load);
    });
  });

  describe('a crash, or too much of everything', () => {
    it('memory: an error or an end, never more than the limit', kSlow, async (t) => {
      const front = kilobytes(server.pid, 'VmRSS');
      let most = 0;
      const watch = setInterval(() => {
        for (const pid of server.enginePids()) {
          try { most = Math.max(most, kilobytes(pid, 'VmData')); } catch { /* gone */ }
        }
      }, 20);
      t.after(() => clearInterval(watch));
      for (const sql of [
        "SET memory_limit = '64GB'; SELECT sum(len(range(0, 200000000 + i % 2))) FROM range(8) t(i)",
        "SET memory_limit = '64GB'; SELECT length(repeat('x', 3000000000)) + length(repeat('y', 3000000000))",
        "SET memory_limit = '64GB'; CREATE TEMP TABLE large AS SELECT hash(i) AS h, i::VARCHAR AS s FROM range(100000000) t(i); SELECT 1",
        "SET memory_limit = '64GB'; SELECT max(length(l)) FROM (SELECT string_agg(i::VARCHAR || repeat('x', 100), ',') AS l FROM range(100000000) t(i))",
        "SET memory_limit = '64GB'; SELECT len(list(i)) AS n FROM range(3000000000) t(i)",
      ]) {
        const answer = await send(sql, 3000);
        assert.notEqual(answer.status, 200, sql);
        await assertUnharmed(sql);
        await assertLoads(sql);
      }
      // child.cc, memory_for(): half as much again, 1.5 GiB, and 32 MiB for each of two threads.
      const limit = 256 * 1024 * 1.5 + 1536 * 1024 + 2 * 32 * 1024;
      assert.ok(most > 0 && most <= limit, `${most} kB of ${limit}`);
      const grown = kilobytes(server.pid, 'VmRSS') - front;
      assert.ok(grown < 64 * 1024, `the front grew by ${grown} kB`);
    });

    it('a query that ends its engine each time keeps nobody out for long', kSlow, async () => {
      for (let i = 0; i < 8; i += 1) {
        // After this every statement fails, and the first one ends the engine.
        await send("FROM enable_logging(storage = 'file', storage_path = 'x')");
        assert.equal((await send('SELECT 1')).status, 503);
        await eventually('an answer', async () => (await server.sql('SELECT 1')).status === 200, 3000, 20);
      }
      await assertUnharmed('enable_logging');
    });

    it('leaves no core, and is the first to go where memory is short', () => {
      for (const pid of server.enginePids()) {
        assert.match(fs.readFileSync(`/proc/${pid}/limits`, 'utf8'), /Max core file size\s+0\s+0/);
        assert.equal(fs.readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8'), '500\n');
      }
      assert.deepEqual(fs.readdirSync(own).filter((name) => /core/.test(name)), []);
    });
  });

  // Not what they answer is looked at, but what they reach: several only pass a gate, several end the engine.
  it('every probe of the gate reaches nothing outside', kSlow, async (t) => {
    const probes = JSON.parse(execFileSync(tool('gate_probes'), { encoding: 'utf8', maxBuffer: 64 << 20 }));
    assert.ok(probes.length >= 300, `${probes.length} probes`);
    const counts = {};
    let asked = 0;
    let useless = 0;
    const answers = async () => {
      const one = (ms) => eventually('an engine', async () => (await server.sql('SELECT 1')).status === 200, ms, 50);
      await one(10_000).catch(() => {
        useless += 1;
        for (const pid of server.enginePids()) process.kill(pid, 'SIGKILL');
        return one(20_000);
      });
    };
    await answers();
    for (const sql of probes) {
      const answer = await send(sql, 300);
      assert.doesNotMatch(answer.text, /is being restarted/, 'nobody ran it');
      if (answer.status >= 500) await answers();
      counts[answer.status] = (counts[answer.status] ?? 0) + 1;
      asked += 1;
      // Each is looked at for what it says; what it may have done, with its neighbours.
      if (asked % 25 === 0) await assertUnharmed(`probes up to ${sql}`);
    }
    await assertUnharmed('the last probe');
    assert.equal(useless, 0, 'an engine that is of no use ends by itself');
    t.diagnostic(`${probes.length} probes: ${JSON.stringify(counts)}, ${useless} left the engine of no use`);
  });

  it('what was done to the destination itself ends with its engine; what was acknowledged is there', kSlow, async () => {
    for (const pid of server.enginePids()) process.kill(pid, 'SIGKILL');
    await assertUnharmed('the end');
    await server.stop();
    assert.equal(execFileSync(binary, ['journal', 'inspect', neighboursJournal], { encoding: 'utf8' }).includes('damage'), false);
  });
});

describe('an engine', () => {
  it('is locked in, every thread of it', async (t) => {
    const server = await startServer(t, {});
    await server.insert('t', { a: 1 }, kWait);
    await server.sql('SELECT count(*) FROM range(10000000) a(i) JOIN range(1000) b(i) USING (i)');
    const [pid] = server.enginePids();
    for (const thread of fs.readdirSync(`/proc/${pid}/task`)) {
      const status = fs.readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8');
      assert.match(status, /Seccomp:\t2\n/);
      assert.match(status, /NoNewPrivs:\t1\n/);
      // Of root's capabilities: files (within Landlock) and priorities.
      assert.match(status, isRoot ? /CapEff:\t0000000000800002\n/ : /CapEff:\t0000000000000000\n/);
    }
    assert.doesNotMatch(server.stderr, /locked in/);
  });

  it('has no hold on the log of the front, and its own lines come there all the same', async (t) => {
    const server = await startServer(t, {});
    await server.insert('t', { a: 1 }, kWait);
    const [pid] = server.enginePids();
    const opened = (process, fd) => fs.readlinkSync(`/proc/${process}/fd/${fd}`);
    for (const fd of [1, 2]) {
      assert.match(opened(pid, fd), /^pipe:/);
      for (const own of [1, 2]) assert.notEqual(opened(pid, fd), opened(server.pid, own));
    }
    for (const fd of fs.readdirSync(`/proc/${pid}/fd`)) {
      const target = opened(pid, fd);
      const inside = target.startsWith(fs.realpathSync(server.dir)) || target === `/proc/${pid}/task` || target === '/dev/null';
      assert.ok(inside || /^(pipe|socket|anon_inode):/.test(target), `${fd} is ${target}`);
    }
    problem(await server.sql("SELECT levenshtein(repeat('a', 400000), repeat('b', 400000)) AS n", { query: '?timeout_ms=100' }), 504);
    // The next one answers whoever asks at once, though the old one may not be dead yet.
    assert.equal((await server.sql('SELECT 1 AS a')).text, '[{"a":1}]\n');
    await eventually('its last line', () => /warn engine\[local\]: a query cannot be stopped/.test(server.stderr));
  });

  it('has the memory again that a refused result had taken', kSlow, async (t) => {
    const server = await startServer(t, { flags: ['--engine-memory-limit', '1GiB'] });
    await server.insert('t', Array.from({ length: 100_000 }, (_, i) => `{"n":${i}}`).join('\n'), kWait);
    const [pid] = server.enginePids();
    for (let i = 0; i < 3; i += 1) {
      problem(await server.sql('SELECT NULL::DOUBLE[50000], NULL::DOUBLE[50001]'), 422);
      problem(await server.sql("SELECT length(string_agg(repeat('x', 100000))) FROM range(20000)"), 422);
    }
    assert.equal(await server.value('SELECT count(DISTINCT hash(n) % 100000) AS n FROM t') > 10_000, true);
    assert.deepEqual(server.enginePids(), [pid]);
    assert.ok(kilobytes(pid, 'VmData') < 700 * 1024, `${kilobytes(pid, 'VmData')} kB`);
  });

  it('of a file elsewhere keeps to its folder', async (t) => {
    const folder = temporaryDirectory();
    const file = path.join(folder, 'my.duckdb');
    const config = `destinations:\n  - {type: duckdb, name: mine, api_keys: [mine-key], settings: {file: ${file}}}\n`;
    const server = await startServer(t, { config, flags: ['--engine-require-sandbox', 'true'] });
    const mine = { key: 'mine-key' };
    for (let i = 0; i < 3; i += 1) {
      await server.insert('t', { i }, { ...kWait, ...mine });
      assert.ok(fs.existsSync(`${file}.wal`));
      await server.stop();
      assert.ok(!fs.existsSync(`${file}.wal`));
      await server.start();
    }
    assert.equal(await server.value('SELECT count(*) AS n FROM t', mine), 3);
    assert.deepEqual(fs.readdirSync(folder), fs.existsSync(`${file}.wal`) ? ['my.duckdb', 'my.duckdb.wal'] : ['my.duckdb']);
  });

  it('of a file beside the data directory can do too much: that is said, or refused', async (t) => {
    const folder = temporaryDirectory();
    const dir = path.join(folder, 'data');
    const config = `destinations:\n  - {type: duckdb, name: mine, api_keys: [mine-key], settings: {file: ${folder}/my.duckdb}}\n`;
    const server = await startServer(t, { dir, config });
    await server.insert('t', { a: 1 }, { ...kWait, key: 'mine-key' });
    assert.equal(server.stderr.match(/locked in/g).length, 1, server.stderr);
    assert.match(server.stderr, /destination mine can change the data directory/);
    await server.stop();
    const refused = new Server({ dir, config, flags: ['--engine-require-sandbox', 'true'] });
    t.after(() => refused.destroy());
    await assert.rejects(refused.start(), /engine\.require_sandbox: the engine of destination mine/);
  });
});

// What a server of an ordinary user has, which is no root's, and where nothing belongs to root.
describe('a server of an ordinary user', { skip: !isRoot }, () => {
  const command = ['setpriv', '--reuid=nobody', '--regid=nogroup', '--clear-groups', binary];
  it('locks its engines in as well', async (t) => {
    const folder = temporaryDirectory();
    fs.chmodSync(folder, 0o777);
    // The binary may lie where nobody else comes.
    try {
      execFileSync(command[0], [...command.slice(1), '--version'], { stdio: 'ignore' });
    } catch {
      return t.skip('the user nobody cannot run the binary');
    }
    const server = await startServer(t, { command, dir: path.join(folder, 'data'), flags: ['--engine-require-sandbox', 'true'] });
    await server.insert('t', { a: 1 }, kWait);
    assert.equal(await server.value('SELECT a FROM t'), 1);
    const [pid] = server.enginePids();
    assert.match(statusOf(pid), /Seccomp:\t2\n/);
    assert.equal(fs.readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8'), '500\n');
    process.kill(pid, 'SIGKILL');
    await eventually('the next engine', async () => (await server.value('SELECT a FROM t')) === 1);
    await server.stop();
    const withUser = new Server({ command, dir: path.join(folder, 'data'), flags: ['--engine-user', 'daemon'] });
    t.after(() => withUser.destroy());
    await assert.rejects(withUser.start(), /engine\.user: only a server that runs as root/);
  });
});

describe('a kernel that lacks a part', () => {
  for (const [call, part] of [['landlock_create_ruleset', 'Landlock'], ['seccomp', 'seccomp']]) {
    const command = [tool('older_kernel'), call, binary];
    it(`${part}: one line says so, and all else goes on`, async (t) => {
      const server = await startServer(t, { command });
      const other = await server.api('/api/destinations', { key: server.adminKey, body: '{"name":"other"}' });
      for (const options of [{}, { key: other.json().api_key }]) {
        await server.insert('t', { a: 1 }, { ...kWait, ...options });
        assert.equal(await server.value('SELECT a FROM t', options), 1);
      }
      const lines = server.stderr.split('\n').filter((line) => line.includes('locked in'));
      assert.equal(lines.length, 1, server.stderr);
      assert.match(lines[0], new RegExp(part));
    });

    it(`${part}: with engine.require_sandbox the server does not start`, async (t) => {
      const server = new Server({ command, flags: ['--engine-require-sandbox', 'true'] });
      t.after(() => server.destroy());
      await assert.rejects(server.start(), new RegExp(`"code":2.*engine\\.require_sandbox: .*${part}`, 's'));
    });
  }
});

describe('a user for engines', { skip: !isRoot }, () => {
  const flags = ['--engine-user', 'nobody', '--engine-require-sandbox', 'true'];
  const uid = Number(execFileSync('id', ['-u', 'nobody'], { encoding: 'utf8' }));

  it('cannot be reached through a closed folder, which is said', async (t) => {
    const server = new Server({ flags });
    t.after(() => server.destroy());
    await assert.rejects(server.start(), /engine\.user: a folder above the data directory is closed to the user nobody/);
  });

  it('that there is not, or is root, is refused', async (t) => {
    for (const [name, words] of [['no-such-user', /engine\.user: there is no user no-such-user/], ['root', /engine\.user: root is root/]]) {
      const server = new Server({ flags: ['--engine-user', name] });
      t.after(() => server.destroy());
      await assert.rejects(server.start(), words);
    }
  });

  it('is what engines run as, also of a directory that was used without it, and back', kSlow, async (t) => {
    const folder = temporaryDirectory();
    fs.chmodSync(folder, 0o755);
    const dir = path.join(folder, 'data');
    const blob = Array.from({ length: 20_000 }, (_, i) => `{"i":${i},"text":"${'x'.repeat(100)}"}`).join('\n');
    let rows = 0;
    const use = async (options, expected) => {
      const server = await startServer(t, { dir, ...options });
      for (let round = 0; round < 2; round += 1) {
        rows += (await server.insert('t', { i: -1 }, kWait)).rows;
        rows += (await server.insert('t', blob, kWait)).rows;
        await eventually('all rows', async () => (await server.value('SELECT count(*) AS n FROM t')) === rows);
        const [pid] = server.enginePids();
        assert.match(statusOf(pid), new RegExp(`Uid:\\t${expected}\\t${expected}\\t${expected}\\t${expected}\n`));
        if (expected !== 0) {
          assert.match(statusOf(pid), /Groups:\t\s*\n/);
          assert.match(statusOf(pid), /CapEff:\t0000000000000000\n/);
        }
        process.kill(pid, 'SIGKILL');
      }
      await server.stop();
      assert.equal(checkDuckdbFile(dir, 'SELECT count(*) FROM t'), BigInt(rows));
      assert.equal(fs.statSync(path.join(dir, 'data.duckdb')).uid, expected);
    };
    await use({}, 0);
    await use({ flags }, uid);
    await use({ flags: ['--journal-retention', '1'].concat(flags) }, uid);
    // Root opens what is the user's.
    const back = await startServer(t, { dir });
    assert.equal(await back.value('SELECT count(*) AS n FROM t'), rows);
  });

  it('is kept out by the system where the kernel has no Landlock', async (t) => {
    const folder = temporaryDirectory();
    fs.chmodSync(folder, 0o755);
    const server = await startServer(t, {
      dir: path.join(folder, 'data'), flags: ['--engine-user', 'nobody'], command: [tool('older_kernel'), 'landlock_create_ruleset', ...ungated],
    });
    await server.insert('t', { a: 1 }, kWait);
    for (const name of fs.readdirSync(server.dir)) {
      const file = path.join(server.dir, name);
      if (!fs.statSync(file).isFile() || name === 'data.duckdb') continue;
      const answer = await server.sql(`SELECT * FROM read_blob('${file}')`);
      assert.match(answer.text, /Permission denied/, name);
    }
    problem(await server.sql(`COPY (SELECT 1) TO '${server.dir}/made.csv'`), 503);
    assert.ok(!fs.existsSync(`${server.dir}/made.csv`));
  });
});
