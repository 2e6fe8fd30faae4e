//   node pack.mjs DIST PACK
//
// Every file of DIST with its compressed forms, one after the other, for the server to embed (src/api/web.h reads it).
//
//   4 bytes     length of the index, little-endian
//   index       JSON: [{"name","type","etag","forms":{"identity":[offset,length],"gzip":…,"br":…}}]
//   the forms   offsets count from the end of the index
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';

const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8', '.svg': 'image/svg+xml', '.txt': 'text/plain; charset=utf-8' };

function files(dir, base = dir) {
  return fs.readdirSync(dir, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1)).flatMap((entry) => {
    const full = path.join(dir, entry.name);
    return entry.isDirectory() ? files(full, base) : [path.relative(base, full)];
  });
}

const [dist, pack] = process.argv.slice(2);
const index = [];
const parts = [];
let size = 0;
for (const name of files(dist)) {
  const bytes = fs.readFileSync(path.join(dist, name));
  const type = types[path.extname(name)];
  if (!type) throw new Error(`pack.mjs: what is ${name}?`);
  const forms = {};
  const add = (coding, form) => {
    if (coding !== 'identity' && form.length >= bytes.length) return;
    forms[coding] = [size, form.length];
    parts.push(form);
    size += form.length;
  };
  add('identity', bytes);
  add('gzip', zlib.gzipSync(bytes, { level: 9 }));
  add('br', zlib.brotliCompressSync(bytes, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 11, [zlib.constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }));
  index.push({ name, type, etag: createHash('sha256').update(bytes).digest('hex').slice(0, 32), forms });
}
const head = Buffer.from(JSON.stringify(index));
const length = Buffer.alloc(4);
length.writeUInt32LE(head.length);
fs.writeFileSync(pack, Buffer.concat([length, head, ...parts]));
