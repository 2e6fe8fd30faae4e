// Secrets of destinations: in no file, no log and no process that need not have them; what happens without their key; another key.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { eventually, problem, runBinary, startServer } from './lib.mjs';

const admin = (server, target, options = {}) => server.api(target, { key: server.adminKey, ...options });
const send = (server, method, target, body) => admin(server, target, { method, body: body === undefined ? undefined : JSON.stringify(body) });
const get = async (server, name) => (await admin(server, `/api/destinations/${name}`)).json();
const make = async (server, token) => {
  const answer = await send(server, 'POST', '/api/destinations', { name: 'cloud', settings: { token, database: 'd' } });
  assert.equal(answer.status, 200, answer.text);
  return answer.json();
};
const files = (dir) => fs.readdirSync(dir, { recursive: true }).map((name) => path.join(dir, name)).filter((name) => fs.lstatSync(name).isFile());
// Where any of these texts stands.
const holding = (dir, texts) => files(dir).filter((name) => { const bytes = fs.readFileSync(name); return texts.some((text) => bytes.includes(text)); });
const failing = (server, pattern) => eventually(`it says ${pattern}`, async () => {
  const { health } = await get(server, 'cloud');
  return health.status === 'failing' && pattern.test(health.detail) ? health : null;
}, 30_000, 100);
const keyFile = (server) => path.join(server.dir, 'secret.key');

test('the token of a destination is in no file, no log, and nobody\'s environment or arguments', { timeout: 90_000 }, async (t) => {
  const tokens = ['the-first-secret-token', 'the-second-secret-token', 'a-tried-secret-token'];
  const server = await startServer(t, { logLevel: 'trace' });
  const made = await make(server, tokens[0]);
  await server.insert('t', { a: 1 }, { key: made.api_key });
  // While it is open: with SQLite's log, which holds what was written last.
  const catalog = path.join(server.dir, 'catalog.sqlite');
  assert.ok(fs.statSync(`${catalog}-wal`).size > 0);
  assert.deepEqual(holding(server.dir, tokens), []);
  await failing(server, /MotherDuck/);
  for (const pid of [server.pid, ...server.enginePids()]) {
    for (const name of ['environ', 'cmdline']) {
      const text = fs.readFileSync(`/proc/${pid}/${name}`, 'latin1');
      assert.ok(!tokens.some((token) => text.includes(token)), name);
    }
  }
  const changed = await send(server, 'PATCH', `/api/destinations/${made.id}`, { settings: { token: tokens[1] } });
  assert.equal(changed.status, 200, changed.text);
  await send(server, 'POST', `/api/destinations/${made.id}/test`, { settings: { token: tokens[2] } });
  await server.kill();
  assert.deepEqual(holding(server.dir, tokens), []);
  await server.start();
  await failing(server, /MotherDuck/);
  assert.equal((await send(server, 'DELETE', `/api/destinations/${made.id}?pending=discard`)).status, 204);
  await server.stop();
  assert.deepEqual(holding(server.dir, tokens), []);
  for (const log of [server.stdout, server.stderr]) assert.ok(!tokens.some((token) => log.includes(token)), 'in the log');
  assert.match(server.stderr, /MotherDuck/);
});

test('without its key a destination says so, rows are taken, and the key or the secret mends it', { timeout: 120_000 }, async (t) => {
  const server = await startServer(t, {});
  const made = await make(server, 'a-secret-token');
  const own = { key: made.api_key };
  await server.insert('t', { a: 1 }, own);
  await server.stop();
  const old = fs.readFileSync(keyFile(server));
  fs.rmSync(keyFile(server));

  await server.start();
  const lost = await failing(server, /encrypted with a secret key that the server does not have/);
  assert.match(lost.detail, /"token".*enter it again.*secret\.key/);
  assert.equal(lost.lag_rows, 1);
  const shown = await get(server, 'cloud');
  assert.deepEqual(shown.settings, { database: 'd', token: { secret: true, set: true } });
  assert.equal((await admin(server, '/api/destinations')).json().data.length, 2);
  await server.insert('t', { a: 2 }, own);
  assert.match(problem(await server.sql('FROM t', own), 503, 'secret-unreadable').detail, /enter it again/);
  const tried = (body) => send(server, 'POST', '/api/destinations/cloud/test', body).then((answer) => answer.json());
  for (const body of [undefined, { settings: { database: 'e' } }]) assert.match((await tried(body)).error, /enter it again/);
  assert.match((await tried({ settings: { token: 'another' } })).error, /MotherDuck/, 'a new one is tried');
  assert.deepEqual(server.enginePids(), [], 'an engine was started without the secret');
  assert.equal(await server.value('SELECT 1'), 1, 'other destinations serve');
  // A change of something else keeps it as it was.
  assert.equal((await send(server, 'PATCH', '/api/destinations/cloud', { name: 'cloud9' })).status, 200);
  assert.equal((await send(server, 'PATCH', '/api/destinations/cloud9', { name: 'cloud' })).status, 200);

  // The old key comes back.
  await server.stop();
  fs.writeFileSync(keyFile(server), old);
  await server.start();
  assert.equal((await failing(server, /MotherDuck/)).lag_rows, 2);

  // Or the secret is entered again.
  await server.stop();
  fs.rmSync(keyFile(server));
  await server.start();
  await failing(server, /enter it again/);
  const mended = await send(server, 'PATCH', '/api/destinations/cloud', { settings: { token: 'entered-again' } });
  assert.equal(mended.status, 200, mended.text);
  await failing(server, /MotherDuck/);
  await server.stop();
});

test('scratchdata secret rotate: everything with another key', { timeout: 120_000 }, async (t) => {
  const server = await startServer(t, {});
  const made = await make(server, 'a-secret-token');
  const share = (await server.api('/api/data/share', { body: JSON.stringify({ query: 'SELECT 1 AS a', duration: 600 }) })).json();
  const rotate = (args = [], env = {}) => runBinary(['secret', 'rotate', '--data-dir', server.dir, ...args], { env });
  const works = async () => {
    assert.equal((await get(server, 'cloud')).id, made.id);
    await failing(server, /MotherDuck/);
    const { data } = (await server.api('/api/shares')).json();
    assert.equal(data.find((each) => each.url?.includes(share.id))?.name, share.name);
    assert.deepEqual((await server.request(`/share/${share.id}/data.json`)).json(), [{ a: 1 }]);
  };
  await server.insert('t', { a: 1 }, { key: made.api_key });
  await works();

  const before = fs.readFileSync(keyFile(server), 'utf8');
  const running = await rotate();
  assert.equal(running.code, 2);
  assert.match(running.stderr, /^scratchdata: a server runs on .*: stop it[^\n]*\n$/);
  assert.equal(fs.readFileSync(keyFile(server), 'utf8'), before);

  await server.stop();
  const rotated = await rotate();
  assert.equal(rotated.code, 0, rotated.stderr);
  assert.match(rotated.stdout, /^2 secrets are encrypted with the new key, which is in .*secret\.key\.\n$/);
  assert.notEqual(fs.readFileSync(keyFile(server), 'utf8'), before);
  assert.ok(!fs.existsSync(`${keyFile(server)}.next`));
  await server.start();
  await works();
  await server.stop();

  // To a key of the environment, and from there to another one.
  const [one, two] = ['1'.repeat(64), '2'.repeat(64)];
  assert.match((await rotate(['--new-key-env', 'NEW_KEY'])).stderr, /no NEW_KEY in the environment/);
  assert.match((await rotate(['--new-key-env', 'NEW_KEY'], { NEW_KEY: 'short' })).stderr, /64 hexadecimal digits/);
  const out = await rotate(['--new-key-env', 'NEW_KEY'], { NEW_KEY: one });
  assert.equal(out.code, 0, out.stderr);
  assert.match(out.stdout, /SCRATCH_SECRET_KEY[\s\S]*remove .*secret\.key/);
  fs.rmSync(keyFile(server));
  assert.match((await rotate([], { SCRATCH_SECRET_KEY: one })).stderr, /--new-key-env/);
  const again = await rotate(['--new-key-env', 'NEW_KEY'], { SCRATCH_SECRET_KEY: one, NEW_KEY: two });
  assert.equal(again.code, 0, again.stderr);
  assert.ok(!(out.stdout + again.stdout).includes(one) && !again.stdout.includes(two));
  server.env = { SCRATCH_SECRET_KEY: two };
  await server.start();
  await works();
  await server.stop();
  assert.ok(!fs.existsSync(keyFile(server)));

  const nowhere = await runBinary(['secret', 'rotate', '--data-dir', path.join(server.dir, 'nothing')]);
  assert.equal(nowhere.code, 2);
  assert.match(nowhere.stderr, /no catalog; name it with --data-dir/);
  assert.ok(!fs.existsSync(path.join(server.dir, 'nothing')));
});
