// POST and GET /api/data/insert/{table}: every form of body, what is refused and how, values exact on their way
// through, and what is seen when.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import zlib from 'node:zlib';
import { checkDuckdbFile, holdFile, localFile } from './duckdb.mjs';
import { ExpectedTable } from './flat.mjs';
import { RawSocket, eventually, parseExact, problem, startServer, temporaryDirectory, useServer } from './lib.mjs';
import { random } from './random.mjs';

const kForm = { 'Content-Type': 'application/x-www-form-urlencoded' };

// A real curl; { code, status, body, text }.
function curl(...args) {
  return new Promise((resolve) => {
    execFile('curl', ['-sS', '-w', '\n%{http_code}', ...args], { encoding: 'utf8', timeout: 30_000 }, (error, stdout, stderr) => {
      const at = stdout.lastIndexOf('\n');
      resolve({ code: error ? error.code : 0, status: Number(stdout.slice(at + 1)), text: stdout.slice(0, at), stderr });
    });
  });
}

let counter = 0;
const fresh_table = () => `t${counter += 1}`;

describe('bodies', () => {
  const server = useServer();

  // Posts a body as it is and returns the users that are in the table afterwards.
  async function users_after(body, options = {}) {
    const table = fresh_table();
    const answer = await server.insert(table, body, options);
    const rows = await server.rows(`SELECT "user" AS u FROM ${table} ORDER BY __row_id`);
    assert.equal(answer.rows, rows.length);
    return rows.map((r) => r.u);
  }

  const three = ['{"user":"a"}', '{"user":"b"}', '{"user":"c"}'];
  const forms = {
    'an object': ['{"user":"a"}', ['a']],
    'an object with blanks around it': [' \r\n\t{"user":"a"}\n\n', ['a']],
    'an object over many lines': ['{\n  "user":\n    "a"\n}\n', ['a']],
    'an array': [`[${three.join(',')}]`, ['a', 'b', 'c']],
    'an array over many lines': [`[\n  ${three.join(',\n  ')}\n]\n`, ['a', 'b', 'c']],
    NDJSON: [`${three.join('\n')}\n`, ['a', 'b', 'c']],
    'NDJSON without a last line break': [three.join('\n'), ['a', 'b', 'c']],
    'NDJSON with Windows line ends and empty lines': [`${three.join('\r\n\r\n')}\r\n`, ['a', 'b', 'c']],
    'concatenated objects': [three.join(''), ['a', 'b', 'c']],
    'concatenated objects over many lines': [three.map((r) => JSON.stringify(JSON.parse(r), null, 2)).join('\n'), ['a', 'b', 'c']],
    'a byte order mark before an object': ['\uFEFF{"user":"a"}', ['a']],
    'a byte order mark before an array': [`\uFEFF[${three.join(',')}]`, ['a', 'b', 'c']],
  };
  for (const [name, [body, expected]] of Object.entries(forms)) {
    it(`${name} is taken`, async () => {
      assert.deepEqual(await users_after(body), expected);
    });
    it(`${name} is taken whatever its Content-Type`, async () => {
      for (const type of ['application/x-www-form-urlencoded', 'text/plain', 'application/json; charset=utf-8', 'text/csv', 'nonsense']) {
        assert.deepEqual(await users_after(body, { headers: { 'Content-Type': type } }), expected, type);
      }
    });
  }

  it('an empty array is 200 with 0 rows', async () => {
    const answer = await server.insert(fresh_table(), '[]');
    assert.deepEqual([answer.ok, answer.rows, answer.failed], [true, 0, 0]);
  });

  it('an empty object is a row without values', async () => {
    const table = fresh_table();
    assert.equal((await server.insert(table, '{}')).rows, 1);
    assert.equal(await server.value(`SELECT count(*) FROM ${table}`), 1);
  });

  it('the answer names the table, the rows and a receipt, and is JSON', async () => {
    const table = fresh_table();
    const answer = await server.api(`/api/data/insert/${table}`, { body: '[{"a":1},{"a":2}]' });
    assert.equal(answer.status, 200);
    assert.match(answer.headers['content-type'], /^application\/json/);
    const { receipt, ...rest } = answer.json();
    assert.deepEqual(rest, { ok: true, table, rows: 2, failed: 0 });
    assert.match(receipt, /\S{8,}/);
  });

  it('chunked bodies are taken, cut at any byte', async () => {
    async function* pieces() { for (const c of Buffer.from('[{"user":"ä"},{"user":"€😀"}]')) yield Buffer.from([c]); }
    const table = fresh_table();
    const answer = await server.api(`/api/data/insert/${table}`, { body: pieces() });
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual((await server.rows(`SELECT "user" AS u FROM ${table} ORDER BY __row_id`)).map((r) => r.u), ['ä', '€😀']);
  });

  it('Expect: 100-continue is answered', async () => {
    const socket = await RawSocket.open(server.port);
    const body = '{"user":"a"}';
    socket.send(`POST /api/data/insert/${fresh_table()}?api_key=local HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n`);
    await socket.until((text) => text.startsWith('HTTP/1.1 100'));
    socket.send(body);
    await socket.until((text) => text.includes('HTTP/1.1 200') && text.includes('"rows":1'));
    socket.destroy();
  });

  const codings = {
    gzip: (b) => zlib.gzipSync(b),
    zstd: null,
  };
  it('gzip and zstd bodies are taken, small and large', async () => {
    codings.zstd = (bytes) => {
      const dir = temporaryDirectory();
      fs.writeFileSync(path.join(dir, 'in'), bytes);
      return new Promise((resolve, reject) => execFile('zstd', ['-q', path.join(dir, 'in'), '-o', path.join(dir, 'out')],
        (error) => (error ? reject(error) : resolve(fs.readFileSync(path.join(dir, 'out'))))));
    };
    const large = Array.from({ length: 30_000 }, (_, i) => `{"user":"u${i}","text":"${'lorem ipsum '.repeat(8)}"}`).join('\n');
    for (const [coding, compress] of Object.entries(codings)) {
      const small = await compress(Buffer.from('{"user":"a"}'));
      assert.deepEqual(await users_after(small, { headers: { 'Content-Encoding': coding } }), ['a'], coding);
      const table = fresh_table();
      const answer = await server.insert(table, await compress(Buffer.from(large)), { headers: { 'Content-Encoding': coding } });
      assert.deepEqual([answer.rows, answer.failed], [30_000, 0], coding);
      assert.equal(await server.value(`SELECT count(DISTINCT "user") FROM ${table}`), 30_000, coding);
    }
  });

  it('an unknown coding is 415, a broken one 400, and nothing is stored', async () => {
    const unknown = await server.api('/api/data/insert/coded', { body: '{"a":1}', headers: { 'Content-Encoding': 'rot13' } });
    problem(unknown, 415);
    const broken = await server.api('/api/data/insert/coded', { body: '{"a":1}', headers: { 'Content-Encoding': 'gzip' } });
    problem(broken, 400);
    const packed = zlib.gzipSync(Buffer.from(`[${Array.from({ length: 1000 }, (_, i) => `{"a":${i}}`).join(',')}]`));
    const cut = await server.api('/api/data/insert/coded', { body: packed.subarray(0, packed.length - 9), headers: { 'Content-Encoding': 'gzip' } });
    problem(cut, 400);
    problem(await server.sql('SELECT * FROM coded'), 400);
  });

  it('50 MB of NDJSON stream through, every row once', async () => {
    const table = fresh_table();
    const rows = 100_000;
    async function* pieces() {
      for (let i = 0; i < rows; i += 1000) {
        let text = '';
        for (let j = i; j < i + 1000; j += 1) text += `{"id":${j},"user":"user ${j}","payload":"${`${j}-`.repeat(80).slice(0, 470)}"}\n`;
        yield Buffer.from(text);
      }
    }
    let bytes = 0;
    async function* counted() { for await (const piece of pieces()) { bytes += piece.length; yield piece; } }
    const answer = await server.api(`/api/data/insert/${table}`, { body: counted() });
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual([answer.json().rows, answer.json().failed], [rows, 0]);
    assert.ok(bytes > 50e6, `${bytes} bytes`);
    const [found] = await server.rows(`SELECT count(*) AS n, count(DISTINCT id) AS ids, sum(id) AS s, min(__row_id) < max(__row_id) AS rising FROM ${table}`);
    assert.deepEqual(found, { n: rows, ids: rows, s: (rows * (rows - 1)) / 2, rising: true });
  });
});

describe('what curl sends', () => {
  const server = useServer();
  const url = (table, rest = '') => `${server.url}/api/data/insert/${table}${rest}`;

  async function check(table, answer, expected) {
    assert.deepEqual([answer.code, answer.status], [0, 200], `${answer.stderr} ${answer.text}`);
    const rows = await server.rows(`SELECT * EXCLUDE (__row_id, __received_at) FROM ${table} ORDER BY __row_id`);
    assert.deepEqual(rows, expected);
  }
  const alice = [{ user: 'alice', n: 1 }];

  it("curl --data '{…}'", async () => {
    const t = fresh_table();
    await check(t, await curl(url(t, '?api_key=local'), '--data', '{"user":"alice","n":1}'), alice);
  });
  it("curl --data '[{…}]' with blanks, & and = in it", async () => {
    const t = fresh_table();
    await check(t, await curl(url(t, '?api_key=local'), '--data', ' [ {"user": "a=b&c=d+e%20", "n": 1} ]'), [{ user: 'a=b&c=d+e%20', n: 1 }]);
  });
  it("curl --json '{…}'", async () => {
    const t = fresh_table();
    await check(t, await curl(url(t), '-H', 'X-API-KEY: local', '--json', '{"user":"alice","n":1}'), alice);
  });
  it('curl --data-binary @file.ndjson', async () => {
    const t = fresh_table();
    const file = path.join(temporaryDirectory(), 'rows.ndjson');
    fs.writeFileSync(file, '{"user":"alice","n":1}\n{"user":"bob","n":2}\n');
    await check(t, await curl(url(t), '-u', 'local:', '--data-binary', `@${file}`), [...alice, { user: 'bob', n: 2 }]);
  });
  it("curl --data @file, which drops line ends: concatenated objects", async () => {
    const t = fresh_table();
    const file = path.join(temporaryDirectory(), 'rows.ndjson');
    fs.writeFileSync(file, '{"user":"alice","n":1}\n{"user":"bob","n":2}\n');
    await check(t, await curl(url(t, '?api_key=local'), '--data', `@${file}`), [...alice, { user: 'bob', n: 2 }]);
  });
  it("curl --data-urlencode 'payload={…}', as GitHub's form type", async () => {
    const t = fresh_table();
    await check(t, await curl(url(t, '?api_key=local'), '--data-urlencode', 'payload={"user":"alice","n":1}'), alice);
  });
  it("curl --data-urlencode '{…}'", async () => {
    const t = fresh_table();
    await check(t, await curl(url(t, '?api_key=local'), '--data-urlencode', '{"user":"alice","n":1}'), alice);
  });
  it("a payload of 5 MB of JSON in GitHub's form type is stored whole, as rows and as one row", async () => {
    const text = (i) => `${i}: a&b=c+d%20e "q" \\ ä€😀 `.repeat(4);
    const rows = Array.from({ length: 36_000 }, (_, i) => ({ id: i, text: text(i) }));
    const commits = Array.from({ length: 200 }, (_, i) => ({ id: i, message: text(i).repeat(180) }));
    const one = { ref: 'refs/heads/main', commits };
    const form = (payload) => `payload=${encodeURIComponent(payload).replaceAll('%20', '+')}`;
    const post = async (table, body) => {
      const answer = await server.request(`/api/data/insert/${table}?wait=true`, { body, headers: kForm });
      assert.equal(answer.status, 200, answer.text);
      return answer.json();
    };
    const [many, single] = [fresh_table(), fresh_table()];
    const texts = [JSON.stringify(rows), JSON.stringify(one)];
    for (const json of texts) assert.ok(Buffer.byteLength(json) > 5_000_000, `${Buffer.byteLength(json)} bytes`);

    // The key behind the payload is found too.
    const sent = await post(many, `${form(texts[0])}&api_key=local`);
    assert.deepEqual([sent.rows, sent.failed, sent.visible], [rows.length, 0, true]);
    assert.deepEqual(await server.rows(`SELECT id, text FROM ${many} ORDER BY __row_id`), rows);

    assert.equal((await post(single, `api_key=local&${form(texts[1])}`)).rows, 1);
    const [found] = await server.rows(`SELECT * FROM ${single}`);
    assert.equal(found.ref, one.ref);
    for (const { id, message } of commits) {
      assert.equal(found[`commits_${id}_id`], id);
      assert.equal(found[`commits_${id}_message`], message);
    }
  });
  it('a form that is too large is 413, and nothing is stored', async () => {
    const t = fresh_table();
    const body = `api_key=local&payload=${encodeURIComponent(JSON.stringify([{ a: 'x'.repeat(17 << 20) }]))}`;
    const answer = await server.request(`/api/data/insert/${t}`, { body, headers: kForm });
    problem(answer, 413, 'body-too-large');
    problem(await server.sql(`SELECT * FROM ${t}`), 400);
  });
  it('curl -d user=alice -d n=1: a form is one row of texts', async () => {
    const t = fresh_table();
    await check(t, await curl(url(t, '?api_key=local'), '-d', 'user=alice', '-d', 'n=1'), [{ user: 'alice', n: '1' }]);
  });
  it('curl -d api_key=local -d user=alice: the key is no column', async () => {
    const t = fresh_table();
    await check(t, await curl(url(t), '-d', 'api_key=local', '-d', 'user=alice'), [{ user: 'alice' }]);
  });
  it("curl -d wait=2 …: a form's fields are columns whatever they are called; its parameters stand in the URL", async () => {
    const t = fresh_table();
    const fields = { wait: 'maybe', strict: '1', flatten: 'sideways', flatten_depth: '0', dry_run: 'true', pixel: '1', destination_id: 'nobody', payload: '{"a":1}' };
    const sent = Object.entries(fields).flatMap(([name, value]) => ['-d', `${name}=${value}`]);
    await check(t, await curl(url(t), '-d', 'api_key=local', ...sent), [fields]);
    const u = fresh_table();
    await check(u, await curl(url(u, '?wait=true&flatten=none&api_key=local'), ...sent), [fields]);
    assert.equal((await server.request(`/api/data/insert/${u}?wait=true&api_key=local`, { body: 'wait=no', headers: kForm })).json().visible, true);
  });
  it("… while of a GET's parameters ours are none", async () => {
    const t = fresh_table();
    await check(t, await curl('-G', url(t), '-d', 'api_key=local', '-d', 'wait=true', '-d', 'flatten=none', '-d', 'payload=x', '-d', 'user=alice'),
      [{ payload: 'x', user: 'alice' }]);
  });
  it("the original's announcement: curl -G --data-urlencode 'api_key=…' --data '{…}'", async () => {
    const t = fresh_table();
    await check(t, await curl('-G', url(t), '--data-urlencode', 'api_key=local', '--data', '{"user":"alice","n":1}'), alice);
  });
  it('… with the key behind the row', async () => {
    const t = fresh_table();
    await check(t, await curl('-G', `${url(t)}?api_key=local`, '--data', '{"user":"alice","n":1}'), alice);
  });
  it('… with an array, with & and = in the row', async () => {
    const t = fresh_table();
    await check(t, await curl('-G', url(t), '--data-urlencode', 'api_key=local', '--data', '[{"user":"a&b=c","n":1}]'), [{ user: 'a&b=c', n: 1 }]);
  });
  it('… all of it encoded, in any order', async () => {
    let t = fresh_table();
    await check(t, await curl('-G', url(t), '--data-urlencode', 'api_key=local', '--data-urlencode', '{"user": "alice", "n": 1}'), alice);
    t = fresh_table();
    await check(t, await curl('-G', url(t), '--data-urlencode', '{"user": "alice", "n": 1}', '--data-urlencode', 'api_key=local'), alice);
  });
  it('… with blanks in the row, which older curls send as they are', async () => {
    const t = fresh_table();
    const socket = await RawSocket.open(server.port);
    socket.send(`GET /api/data/insert/${t}?api_key=local&{"user":"alice","n":1} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await socket.until((text) => text.includes('"rows":1'));
    socket.destroy();
    assert.equal(await server.value(`SELECT "user" FROM ${t}`), 'alice');
  });
  it('… and as a POST: the row in the query string, no body', async () => {
    const t = fresh_table();
    const answer = await curl('-X', 'POST', '-G', url(t), '--data-urlencode', 'api_key=local', '--data', '{"user":"alice","n":1}');
    if (answer.status === 200) await check(t, answer, alice);
    else assert.equal(answer.status, 400, answer.text); // an empty body is 400, never a lost row with a 200
  });
  it('a GET with parameters is one row of texts; &pixel=1 answers a GIF', async () => {
    const t = fresh_table();
    await check(t, await curl(url(t, '?api_key=local&page=/home&n=7')), [{ page: '/home', n: '7' }]);
    const gif = await server.request(`/api/data/insert/${t}?api_key=local&page=/two&pixel=1`);
    assert.equal(gif.status, 200);
    assert.equal(gif.headers['content-type'], 'image/gif');
    assert.equal(gif.body.subarray(0, 6).toString('latin1'), 'GIF89a');
    assert.equal(await server.value(`SELECT count(*) FROM ${t}`), 2);
  });
});

describe('bad input', () => {
  const server = useServer({ flags: ['--api-max-body-bytes', '300000'] });

  async function refused(body, options = {}) {
    const table = fresh_table();
    const answer = await server.api(`/api/data/insert/${table}${options.query ?? ''}`, { body, headers: options.headers });
    const found = await server.sql(`SELECT count(*) AS n FROM ${table}`);
    problem(found, 400); // nothing was stored: there is no such table
    return answer;
  }

  for (const [name, body, offset] of [
    ['a trailing comma in an object', '{"a":1,}', 7],
    ['an object that is cut', '{"a":1', 6],
    ['an array that is cut', '[{"a":1},{"a":2}', 16],
    ['a comma too many in an array', '[{"a":1},,{"a":2}]', 9],
    ['junk behind an array', '[{"a":1}] x', 10],
    ['a word that is none', '{"a":tru}', null],
    ['a number with a leading zero', '{"a":012}', null],
    ['NaN', '{"a":NaN}', 5],
    ['single quotes', "{'a':1}", 1],
    ['a raw line break in a string', '{"a":"x\ny"}', 7],
    ['an unknown escape', '{"a":"\\x"}', null],
    ['concatenated objects with junk between', '{\n"a":1}{"a":2}]{"a":3}', null],
  ]) {
    it(`${name} is 400 with its offset, and nothing is stored`, async () => {
      const said = problem(await refused(body), 400, 'invalid-json');
      assert.equal(typeof said.offset, 'number', JSON.stringify(said));
      if (offset !== null) assert.equal(said.offset, offset);
      else assert.ok(said.offset > 0 && said.offset <= body.length, `offset ${said.offset}`);
    });
  }

  for (const body of ['1', '"text"', 'null', 'true', 'hello', '-', '<xml/>']) {
    it(`${body} is 400`, async () => { problem(await refused(body), 400); });
  }
  for (const body of ['', ' \n\t ', '\uFEFF']) {
    it(`an empty body (${JSON.stringify(body)}) is 400`, async () => { problem(await refused(body), 400); });
  }

  it('an array of what is no object is 400: no row could be recovered', async () => {
    problem(await refused('[1,2,"x"]'), 400);
  });

  it('a bad row among good ones is counted, named and kept, and the good ones are there', async () => {
    const table = fresh_table();
    const answer = await server.insert(table, '{"a":1}\n{"a":}\n{"a":3}\n7\n{"a":5}\n');
    assert.deepEqual([answer.ok, answer.rows, answer.failed], [true, 3, 2]);
    assert.deepEqual(answer.errors.map((e) => [e.row, e.code]), [[1, 'invalid-json'], [3, 'not-an-object']]);
    for (const error of answer.errors) assert.equal(typeof error.detail, 'string');
    assert.deepEqual((await server.rows(`SELECT a FROM ${table} ORDER BY a`)).map((r) => r.a), [1, 3, 5]);
  });

  it('in an array, an element that is no object is a failed row', async () => {
    const table = fresh_table();
    const answer = await server.insert(table, '[{"a":1},[],{"a":3},null,"x"]');
    assert.deepEqual([answer.rows, answer.failed], [2, 3]);
    assert.deepEqual(answer.errors.map((e) => e.row), [1, 3, 4]);
  });

  it('the first 100 errors are named, all are counted', async () => {
    const answer = await server.insert(fresh_table(), `{"a":1}\n${'bad\n'.repeat(150)}`);
    assert.deepEqual([answer.rows, answer.failed, answer.errors.length], [1, 150, 100]);
  });

  it('invalid UTF-8 and lone surrogates refuse their row alone', async () => {
    const table = fresh_table();
    const body = Buffer.concat([Buffer.from('{"a":"ok"}\n{"a":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}\n{"a":"\\ud800"}\n{"a":"fine"}\n')]);
    const answer = await server.insert(table, body);
    assert.deepEqual([answer.rows, answer.failed], [2, 2]);
    assert.deepEqual(answer.errors.map((e) => e.row), [1, 2]);
  });

  it('strict=true makes it all or nothing', async () => {
    const answer = await refused('{"a":1}\n{"a":}\n{"a":3}', { query: '?strict=true' });
    const said = problem(answer, 400);
    assert.equal(said.row, 1);
    const table = fresh_table();
    assert.equal((await server.insert(table, '{"a":1}\n{"a":3}', { query: '?strict=true' })).rows, 2);
    problem(await refused('{"a":1}', { query: '?strict=perhaps' }), 400, 'invalid-parameter');
  });

  it('64 levels are a row, 65 are a refused row', async () => {
    const nested = (levels) => `${'{"a":'.repeat(levels - 1)}{"a":1}${'}'.repeat(levels - 1)}`;
    const table = fresh_table();
    const answer = await server.insert(table, [nested(64), nested(65), '{"b":1}'].join('\n'));
    assert.deepEqual([answer.rows, answer.failed, answer.errors[0].row, answer.errors[0].code], [2, 1, 1, 'too-deep']);
    const deepest = await server.insert(fresh_table(), [`{"b":1,"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, '{"b":1}'].join('\n'));
    assert.deepEqual([deepest.rows, deepest.failed], [1, 1]);
    problem(await refused(nested(65)), 400);
  });

  it('100,000 values are a row, one more are a refused row', async () => {
    // Objects and arrays count as the leaves do: here the row and its array.
    const row = (values) => `{"v":[${'0,'.repeat(values - 3)}0]}`;
    const table = fresh_table();
    const lines = ['{"a":1}', row(100_001), '{"a":3}'];
    const ndjson = await server.insert(table, lines.join('\n'), { query: '?wait=true' });
    const array = await server.insert(table, `[${lines}]`, { query: '?wait=true' });
    for (const answer of [ndjson, array]) {
      assert.deepEqual([answer.rows, answer.failed, answer.visible], [2, 1, true]);
      assert.deepEqual(answer.errors.map((e) => [e.row, e.code]), [[1, 'too-many-values']]);
    }
    assert.deepEqual((await server.rows(`SELECT a FROM ${table} ORDER BY __row_id`)).map((r) => r.a), [1, 3, 1, 3]);
    problem(await refused(row(100_001)), 400);
    const most = await server.insert(fresh_table(), `${row(100_000)}\n{"a":2}`, { query: '?wait=true' });
    assert.deepEqual([most.rows, most.failed, most.visible], [2, 0, true]);
  });

  it('HEAD is 405, and nothing is stored', async () => {
    const table = fresh_table();
    for (const key of ['local', null]) {
      const answer = await server.api(`/api/data/insert/${table}?a=1`, { method: 'HEAD', key });
      assert.equal(answer.status, 405);
      assert.equal(answer.headers.allow, 'GET, POST');
      assert.equal(answer.body.length, 0);
    }
    problem(await server.sql(`SELECT * FROM ${table}`), 400);
  });

  it('a body over the limit is 413 before it is read, and nothing is stored', async () => {
    const body = JSON.stringify({ a: 'x'.repeat(400_000) });
    problem(await refused(body), 413);
    const socket = await RawSocket.open(server.port);
    socket.send('POST /api/data/insert/declared?api_key=local HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999999999\r\n\r\n{"a":1');
    await socket.until((text) => text.startsWith('HTTP/1.1 413'));
    await socket.closed(20_000);
    async function* endless() { for (let i = 0; i < 4000; i += 1) yield Buffer.from(`{"a":${i},"x":"${'y'.repeat(1000)}"}\n`); }
    const streamed = await server.api('/api/data/insert/declared', { body: endless() }).catch((error) => error);
    if (streamed instanceof Error) assert.match(streamed.code ?? '', /ECONNRESET|EPIPE/);
    else problem(streamed, 413);
    const bomb = zlib.gzipSync(Buffer.from(`{"a":"${'x'.repeat(20_000_000)}"}`));
    assert.ok(bomb.length < 300_000);
    problem(await server.api('/api/data/insert/declared', { body: bomb, headers: { 'Content-Encoding': 'gzip' } }), 413);
    problem(await server.sql('SELECT * FROM declared'), 400);
  });

  it('a body that ends too soon stores nothing', async () => {
    const socket = await RawSocket.open(server.port);
    socket.send('POST /api/data/insert/cut?api_key=local HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"a":1}\n{"a":2}\n');
    await new Promise((resolve) => { setTimeout(resolve, 100); });
    socket.destroy();
    problem(await server.sql('SELECT * FROM cut'), 400);
  });

  it('a row of more than 64 MiB is 413', async (t) => {
    const large = await startServer(t, {});
    const answer = await large.api('/api/data/insert/huge', { body: `{"a":"${'x'.repeat(65 << 20)}"}` });
    problem(answer, 413);
    problem(await large.sql('SELECT * FROM huge'), 400);
  });

  it('an unknown parameter value is 400, not passed over', async () => {
    problem(await refused('{"a":1}', { query: '?flatten=sideways' }), 400, 'invalid-parameter');
    problem(await refused('{"a":1}', { query: '?wait=later' }), 400, 'invalid-parameter');
  });

  it("names of tables are only names: quotes, paths, SQL, keywords, 255 bytes", async () => {
    const names = ['a"b', "a'b", '../../etc/passwd', '..', '.', 'x; DROP TABLE y; --', '"; ATTACH \'x\'; --', 'select', 'main.t', '_scratch',
      'information_schema', 'sqlite_master', 'ta ble', 'Tabelle äöü 日本語 😀', '%', '%2F', '\\', '\n', '\t\u0001', 'x'.repeat(255), '__row_id'];
    for (const name of names) {
      const answer = await server.api(`/api/data/insert/${encodeURIComponent(name).replaceAll('.', '%2E')}`, { body: '{"v":1}' });
      assert.equal(answer.status, 200, `${JSON.stringify(name)}: ${answer.text}`);
      assert.equal(answer.json().table, name);
    }
    const lost = [];
    for (const name of names) {
      for (const schema of ['', 'main.']) {
        const sql = `SELECT v FROM ${schema}"${name.replaceAll('"', '""')}"`;
        const answer = await server.sql(sql);
        if (answer.status !== 200 || answer.json()[0]?.v !== 1) lost.push(`${sql}: ${answer.text}`);
      }
    }
    assert.deepEqual(lost, []);
    const tables = (await server.rows('SHOW TABLES')).map((r) => r.name);
    for (const name of names) assert.ok(tables.includes(name), JSON.stringify(name));
  });

  it('names that cannot be are 400 or 404', async () => {
    for (const name of ['a%00b', 'x'.repeat(256), 'x'.repeat(10_000), '%FF%FE']) {
      const answer = await server.api(`/api/data/insert/${name}`, { body: '{"v":1}' });
      assert.ok([400, 404].includes(answer.status), `${name.slice(0, 20)}: ${answer.status} ${answer.text}`);
      problem(answer, answer.status);
    }
    problem(await server.api('/api/data/insert/', { body: '{"v":1}' }), 404);
  });

  it('names of keys are only names too; those that no column can have go to __overflow', async () => {
    const table = fresh_table();
    const row = {
      'a"b': 1, "c'd": 2, '../../x': 3, '"; DROP TABLE x; --': 4, select: 5, 'ä 日本 😀': 6, '\n': 7, 'y': 8, 'a.b': 9,
      '': 'empty', 'n\u0000l': 'nul', ['k'.repeat(10_000)]: 'long', ['m'.repeat(255)]: 10, 'rowid': 11,
    };
    await server.insert(table, row);
    const [found] = await server.rows(`SELECT * FROM ${table}`);
    for (const [key, value] of Object.entries(row)) {
      const spilled = ['empty', 'nul', 'long'].includes(value);
      assert.deepEqual(spilled ? found.__overflow[key] : found[key], value, JSON.stringify(key.slice(0, 30)));
    }
  });

  it('two names that collide in __overflow are both kept', async () => {
    const table = fresh_table();
    const wide = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`c${i}`, i]));
    await server.insert(table, wide);
    await server.insert(table, '{"c0":1,"hook_id":1,"hook":{"id":2}}');
    const answer = await server.sql(`SELECT __overflow FROM ${table} WHERE __overflow IS NOT NULL`);
    assert.deepEqual(Object.values(answer.json()[0].__overflow).sort(), [1, 2], answer.text);
  });
});

describe('values', () => {
  const server = useServer();

  const exact_rows = async (table, columns) => {
    const answer = await server.sql(`SELECT ${columns} FROM ${table} ORDER BY __row_id`, { query: '?format=ndjson' });
    assert.equal(answer.status, 200, answer.text);
    return answer.text.split('\n').filter((line) => line !== '').map(parseExact);
  };

  it('integers beyond 2^53 come back with every digit', async () => {
    const numbers = ['9007199254740991', '9007199254740992', '9007199254740993', '-9007199254740993', '9223372036854775807', '-9223372036854775808',
      '9223372036854775808', '18446744073709551615', '99999999999999999999999999999999999999', '-99999999999999999999999999999999999999', '0', '-1'];
    for (const number of numbers) {
      const table = fresh_table();
      await server.insert(table, `{"n":${number}}`);
      const [row] = await exact_rows(table, 'n');
      assert.equal(row.n.token, number);
    }
    const together = fresh_table();
    await server.insert(together, numbers.map((n) => `{"n":${n}}`).join('\n'));
    assert.deepEqual((await exact_rows(together, 'n')).map((r) => r.n.token), numbers);
    assert.equal(await server.value(`SELECT typeof(n) FROM ${together} LIMIT 1`), 'HUGEINT');
    const quoted = await server.sql(`SELECT n FROM ${together} ORDER BY __row_id LIMIT 3`, { query: '?quote_int64=true' });
    assert.deepEqual(quoted.json().map((r) => r.n), numbers.slice(0, 3));
  });

  it('integers and fractions in one column keep every digit', async () => {
    const numbers = ['9007199254740993', '0.5', '-0.125', '123456789012345678901234567890', '0.00000001', '19.99'];
    const table = fresh_table();
    for (const number of numbers) await server.insert(table, `{"n":${number}}`);
    const found = await exact_rows(table, 'n');
    const plain = (t) => (t.includes('.') ? t.replace(/0+$/, '').replace(/\.$/, '') : t);
    assert.deepEqual(found.map((r) => plain(r.n.token)), numbers);
    assert.match(await server.value(`SELECT typeof(n) FROM ${table} LIMIT 1`), /^DECIMAL\(38/);
  });

  it('numbers that no type holds become text with every digit', async () => {
    const table = fresh_table();
    const huge = '1'.repeat(60);
    await server.insert(table, `{"n":${huge}}\n{"n":1.${'3'.repeat(50)}}\n{"n":1e999}\n{"n":7}`);
    assert.deepEqual((await server.rows(`SELECT n FROM ${table} ORDER BY __row_id`)).map((r) => r.n).slice(0, 2), [huge, `1.${'3'.repeat(50)}`]);
    assert.equal(await server.value(`SELECT typeof(n) FROM ${table} LIMIT 1`), 'VARCHAR');
  });

  it('a column widens over time, and no old value changes', async () => {
    const table = fresh_table();
    const steps = [
      ['null', 'VARCHAR', [null]],
      ['7', 'BIGINT', [null, 7]],
      ['0.5', 'DOUBLE', [null, 7, 0.5]],
      ['"text"', 'VARCHAR', [null, '7', '0.5', 'text']],
      ['true', 'VARCHAR', [null, '7', '0.5', 'text', 'true']],
      ['[]', 'JSON', [null, 7, 0.5, 'text', true, []]],
    ];
    for (const [value, type, expected] of steps) {
      await server.insert(table, `{"v":${value}}`);
      assert.equal(await server.value(`SELECT typeof(v) FROM ${table} LIMIT 1`), type, value);
      const rows = (await server.rows(`SELECT v FROM ${table} ORDER BY __row_id`)).map((r) => r.v);
      if (type !== 'JSON') assert.deepEqual(rows, expected, value);
      else assert.deepEqual(rows.map((v) => (Array.isArray(v) ? v : String(v))), expected.map((v) => (Array.isArray(v) ? v : String(v))), value);
    }
  });

  it('widening in one batch gives the same as over time', async () => {
    const values = ['1', '2.5', '"x"', 'true', 'null', '9007199254740993'];
    const [one, many] = [fresh_table(), fresh_table()];
    await server.insert(one, values.map((v) => `{"v":${v}}`).join('\n'));
    for (const value of values) {
      await server.insert(many, `{"v":${value}}`);
      await server.value(`SELECT count(*) FROM ${many}`); // loads it by itself
    }
    const [a, b] = [await server.rows(`SELECT v FROM ${one} ORDER BY __row_id`), await server.rows(`SELECT v FROM ${many} ORDER BY __row_id`)];
    assert.deepEqual(a, b);
    assert.deepEqual(a.map((r) => r.v), ['1', '2.5', 'x', 'true', null, '9007199254740993']);
  });

  it('numbers and booleans that meet an object become JSON values, the same in one batch and over time', async () => {
    const values = ['1', 'true', '2.5', '{}'];
    const [one, many] = [fresh_table(), fresh_table()];
    await server.insert(one, values.map((v) => `{"v":${v}}`).join('\n'));
    for (const value of values) {
      await server.insert(many, `{"v":${value}}`);
      await server.value(`SELECT count(*) FROM ${many}`);
    }
    assert.deepEqual((await server.rows(`SELECT v FROM ${one} ORDER BY __row_id`)).map((r) => r.v), [1, true, 2.5, {}]);
    assert.deepEqual((await server.rows(`SELECT v FROM ${many} ORDER BY __row_id`)).map((r) => r.v), [1, true, 2.5, {}]);
  });

  it('strings come back as they were: escapes, NUL, emoji, long ones', async () => {
    const table = fresh_table();
    const strings = ['', ' ', '"', '\\', '\u0000', 'a\u0000b', '\u0001\u001f\u007f', '\r\n\t', '😀 e\u0301 \u2028', '{"not":"json"}', "'; DROP TABLE x; --",
      'null', '0042', '2024-01-01T00:00:00Z', 'x'.repeat(100_000), 'ünï'.repeat(5000)];
    await server.insert(table, strings.map((s) => ({ s })));
    assert.deepEqual((await server.rows(`SELECT s FROM ${table} ORDER BY __row_id`)).map((r) => r.s), strings);
  });

  it('nested values flatten by the documented rule; names that collide are both kept', async () => {
    const table = fresh_table();
    const rows = [
      { a: { b_c: 1 }, a_b: { c: 2 }, User: 'x', user: 'y', list: [10, [20, { deep: true }]], none: null, empty: {}, no_elements: [] },
      { a_b_c: 3, USER: 'z', list: { 0: 'key zero' }, __row: 1 },
      { a: 5, list: 'scalar' },
    ];
    const expected = new ExpectedTable();
    for (const row of rows) {
      expected.add(row);
      await server.insert(table, row);
      await server.value(`SELECT count(*) FROM ${table}`);
    }
    const types = Object.fromEntries((await server.rows(`DESCRIBE ${table}`)).map((c) => [c.column_name, c.column_type]));
    expected.check(await exact_rows(table, '*'), types, 'collisions');
    assert.ok(expected.columns.includes('a_b_c_2') && expected.columns.includes('user_2') && expected.columns.includes('list_0_2'));
  });

  it('a key that stands twice in an object: both values are kept', async () => {
    const table = fresh_table();
    await server.insert(table, '{"k":1,"k":2}');
    const [row] = await server.rows(`SELECT * EXCLUDE (__row_id, __received_at) FROM ${table}`);
    assert.deepEqual(Object.values(row).sort(), [1, 2]);
  });

  it('__row_id rises in the order of acceptance, is unique over all tables, and can be brought along', async () => {
    const [a, b] = [fresh_table(), fresh_table()];
    for (let i = 0; i < 5; i += 1) {
      await server.insert(a, [{ i }, { i: i + 0.5 }]);
      await server.insert(b, { i });
    }
    const rows = await server.rows(`SELECT __row_id AS id, i FROM ${a} ORDER BY __row_id`);
    assert.deepEqual(rows.map((r) => r.i), [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5]);
    assert.ok(rows.every((r) => Number.isSafeInteger(r.id)));
    assert.equal(await server.value(`SELECT count(DISTINCT __row_id) FROM (SELECT __row_id FROM ${a} UNION ALL SELECT __row_id FROM ${b})`), 15);
    const own = fresh_table();
    await server.insert(own, '{"__row_id":42,"x":1}\n{"__row_id":"text","x":2}');
    const [first, second] = await server.rows(`SELECT * FROM ${own} ORDER BY x`);
    assert.equal(first.__row_id, 42);
    assert.equal(typeof second.__row_id, 'number');
    assert.ok(Object.values(second).includes('text'), 'a __row_id of another type is kept as a value');
  });

  it('__received_at is when it came, in UTC', async () => {
    const table = fresh_table();
    const before = Date.now();
    await server.insert(table, { a: 1 });
    const after = Date.now();
    const text = await server.value(`SELECT __received_at FROM ${table}`);
    assert.match(text, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
    const at = new Date(text).getTime();
    assert.ok(at >= before - 1 && at <= after + 1, `${before} ≤ ${at} ≤ ${after}`);
  });
});

describe('what is seen when', () => {
  const server = useServer();

  it('a query sees every row that was acknowledged before it: 1,000 times insert and count', async () => {
    for (let i = 1; i <= 1000; i += 1) {
      await server.insert('counted', `{"i":${i}}`);
      const n = await server.value('SELECT count(*) AS n FROM counted');
      assert.equal(n, i);
    }
  });

  it('wait=true answers when the rows can be queried, even by fresh=false', async () => {
    for (let i = 1; i <= 20; i += 1) {
      const answer = await server.insert('awaited', [{ i }, { i }], { query: '?wait=true' });
      assert.deepEqual([answer.rows, answer.failed, answer.visible], [2, 0, true]);
      assert.equal(await server.value('SELECT count(*) FROM awaited', { query: '?fresh=false' }), 2 * i);
    }
  });

  it('without a reader a table exists within a second or so of the answer', async () => {
    await server.insert('unread', { a: 1 });
    await eventually('the row by fresh=false', async () => {
      const answer = await server.sql('SELECT count(*) AS n FROM unread', { query: '?fresh=false' });
      return answer.status === 200 && answer.json()[0].n === 1;
    }, 3000);
  });

  it('64 writers and a reader: what is counted never falls behind what was acknowledged', async () => {
    let acknowledged = 0;
    let writing = true;
    let reads = 0;
    const reader = (async () => {
      await server.insert('contended', { w: -1, i: 0 });
      while (writing) {
        const floor = acknowledged;
        const n = await server.value('SELECT count(*) AS n FROM contended');
        assert.ok(n >= floor, `${n} counted, ${floor} acknowledged`);
        reads += 1;
      }
    })();
    await Promise.all(Array.from({ length: 64 }, async (_, w) => {
      for (let i = 0; i < 50; i += 1) {
        const answer = await server.insert('contended', { w, i, text: `writer ${w}` });
        assert.equal(answer.rows, 1);
        acknowledged += 1;
      }
    }));
    writing = false;
    await reader;
    const [found] = await server.rows('SELECT count(*) AS n, count(DISTINCT (w, i)) AS pairs, count(DISTINCT __row_id) AS ids FROM contended');
    assert.deepEqual(found, { n: 3201, pairs: 3201, ids: 3201 });
    assert.ok(reads > 1, `${reads} reads`);
    // Of one writer, rows are in the order in which they were acknowledged.
    assert.equal(await server.value('SELECT count(*) FROM (SELECT i, lag(i) OVER (PARTITION BY w ORDER BY __row_id) AS before FROM contended) WHERE before >= i'), 0);
  });
});

describe('a journal that is full', () => {
  it('answers 503 with Retry-After, stores nothing of it, and goes on by itself when there is room', { timeout: 60_000 }, async (t) => {
    const server = await startServer(t, { flags: ['--journal-max-bytes', '4MB', '--journal-retention', '3600'] });
    const row = (i) => JSON.stringify({ i, text: 'x'.repeat(100_000) });
    await server.insert('filled', row(0));
    await server.stop();
    // Nothing can be loaded while somebody else holds the file: the journal must fill.
    const holder = await holdFile(t, localFile(server.dir));
    await server.start();
    const accepted = [0];
    let full = null;
    for (let i = 1; i < 200 && !full; i += 1) {
      const answer = await server.api('/api/data/insert/filled', { body: row(i) });
      if (answer.status === 200) accepted.push(i);
      else full = answer;
    }
    assert.ok(full && accepted.length > 5, `${accepted.length} rows of 100 kB in 4 MB`);
    problem(full, 503);
    assert.match(full.headers['retry-after'], /^\d+$/);
    const blob = await server.api('/api/data/insert/filled', { body: JSON.stringify({ i: -1, text: 'y'.repeat(5_000_000) }) });
    problem(blob, 503);
    await holder.release();
    await eventually('room again', async () => {
      const answer = await server.api('/api/data/insert/filled', { body: row(1000) });
      if (answer.status === 200) accepted.push(1000);
      return answer.status === 200;
    }, 30_000, 100);
    await eventually('an engine that has the file', async () => (await server.sql('SELECT 1')).status === 200, 20_000, 100);
    assert.deepEqual((await server.rows('SELECT i FROM filled ORDER BY i')).map((r) => r.i), accepted);
  });
});

describe('refused rows', () => {
  it('are kept whole, each once, with number and reason, through kills', async (t) => {
    const server = await startServer(t, {});
    const bad = ['{"a":}', '{"a":"\\ud800"}', '[1, 2]', `{"deep":${'['.repeat(70)}${']'.repeat(70)}}`];
    const answer = await server.insert('t', ['{"a":1}', ...bad, '{"a":2}'].join('\n'));
    assert.deepEqual([answer.rows, answer.failed], [2, 4]);
    await server.kill();
    await server.start();
    assert.equal(await server.value('SELECT count(*) FROM t'), 2);
    await server.stop();
    assert.equal(checkDuckdbFile(server.dir, 'SELECT count(*) FROM _scratch.failed_rows'), 4n);
    for (const [index, text] of bad.entries()) {
      const literal = `'${text.replaceAll("'", "''")}'::VARCHAR`;
      assert.equal(checkDuckdbFile(server.dir, `SELECT count(*) FROM _scratch.failed_rows WHERE body = encode(${literal}) AND "row" = ${index + 1} AND table_name = 't' AND code <> '' AND detail <> ''`), 1n, text);
    }
  });
});

// Random rows through random batches, and what the documented rule says of each value.
describe('random rows', () => {
  const server = useServer();
  const seed = Number(process.env.SD_SEED ?? (Date.now() % 1_000_000) + 1);

  it(`are found again, value by value (SD_SEED=${seed})`, async () => {
    const next = random(seed);
    const keys = ['a', 'b', 'A', 'a_b', 'b_c', 'c', '0', '1', 'ü', 'x y', '"q"', 'a.b', '__row', ''];
    const scalar = () => {
      switch (next.between(0, 7)) {
        case 0: return null;
        case 1: return next() < 0.5;
        case 2: return next.between(-5, 5);
        case 3: return next.between(-1e15, 1e15);
        case 4: return next.between(-1000, 1000) / 8;
        case 5: return next.between(-100_000, 100_000) / 100;
        case 6: return next.pick(['', 'text', '12', 'true', 'null', '{}', 'é\u0000"\\', 'x'.repeat(next.between(1, 400))]);
        default: return `${next.between(0, 1e6)}`;
      }
    };
    const value = (depth) => {
      const dice = next();
      if (depth < 3 && dice < 0.15) return object(depth + 1);
      if (depth < 3 && dice < 0.25) return Array.from({ length: next.between(0, 3) }, () => value(depth + 1));
      return scalar();
    };
    function object(depth) {
      const out = {};
      // A column of each kind alone, so that types other than VARCHAR and JSON are there too.
      if (depth === 0) Object.assign(out, { only_int: next.between(-1e15, 1e15), only_half: next.between(-99, 99) / 2, only_bool: next() < 0.5, id: counter += 1 });
      for (let n = next.between(0, 5); n > 0; n -= 1) {
        const key = next.pick(depth === 0 ? keys.slice(0, -1) : keys);
        if (!(key in out)) out[key] = value(depth);
      }
      return out;
    }
    for (let table = 0; table < 6; table += 1) {
      const name = `random${table}`;
      const expected = new ExpectedTable();
      for (let batch = 0; batch < 12; batch += 1) {
        const rows = Array.from({ length: next.between(1, 25) }, () => object(0));
        for (const row of rows) expected.add(row);
        const texts = rows.map((r) => JSON.stringify(r));
        await server.insert(name, next.pick([`[${texts}]`, texts.join('\n'), texts.join('')]));
        if (next() < 0.5) await server.value(`SELECT count(*) FROM ${name}`); // a batch of its own
      }
      const types = Object.fromEntries((await server.rows(`DESCRIBE ${name}`)).map((c) => [c.column_name, c.column_type]));
      assert.deepEqual([types.only_int, types.only_half, types.only_bool], ['BIGINT', 'DOUBLE', 'BOOLEAN']);
      const answer = await server.sql(`SELECT * FROM ${name} ORDER BY __row_id`, { query: '?format=ndjson' });
      expected.check(answer.text.split('\n').filter((line) => line !== '').map(parseExact), types, name);
    }
  });
});
