// The rules of the house as tables: which room may include which (docs/architecture.md, "Rooms"), and where a
// third-party header may stand. A new room or library gets its line here, and a reason in the review.

const below = {
  base: [],
  json: ['base'],
  journal: ['base'],
  catalog: ['base'],
  destinations: ['base', 'json'],
  load: ['base', 'json', 'journal', 'destinations'],
  query: ['base', 'json', 'destinations'],
  // load and query speak of destinations, positions and rows in their own headers, and someone must open the destination.
  engine: ['base', 'json', 'journal', 'destinations', 'load', 'query'],
  http: ['base'],
  webhooks: ['base'],
};

// What a user runs against a server. The server's own rooms know nothing of it. http: decoders, and Asio's compiled parts.
const client = ['base', 'json', 'http'];

// Room → the rooms that it may include, besides itself.
export const rooms = {
  ...below,
  api: Object.keys(below),
  client,
  server: [...Object.keys(below), 'api', 'client'],
};

// How an include path begins → the folders of src/ where it may stand.
export const libraries = [
  { begins: 'duckdb', folders: ['destinations/duckdb', 'query'] },
  { begins: 'flatbuffers/', folders: ['query'] },
  { begins: 'arrow_ipc_generated.h', folders: ['query'] }, // made by flatc of src/query/arrow_ipc.fbs
  { begins: 'xlsxwriter', folders: ['query'] },
  { begins: 'libpq', folders: ['destinations/postgres'] },
  { begins: 'soci/', folders: ['catalog'] },
  { begins: 'sodium', folders: ['catalog'] },
  { begins: 'sqlite3.h', folders: ['catalog'] },
  { begins: 'simdjson', folders: ['json'] },
  { begins: 'boost/', folders: ['http', 'api', 'client', 'server'] },
  { begins: 'zlib.h', folders: ['http', 'query', 'client'] },
  { begins: 'zstd', folders: ['http', 'query', 'client'] },
  { begins: 'brotli/', folders: ['http'] },
  { begins: 'yaml-cpp/', folders: ['server'] },
  { begins: 'CLI/', folders: ['server'] },
  { begins: 'prometheus/', folders: ['base'] },
  { begins: 'seccomp.h', folders: ['engine'] },
  { begins: 'openssl/', folders: ['base', 'webhooks'] },
  { begins: 'gtest/', folders: [], tests: true },
  { begins: 'gmock/', folders: [], tests: true },
];

// Headers of the C library and of Linux. C++'s own have neither dot nor slash. Anything else is a library that nobody
// has given a room.
export const systemFolders = ['sys/', 'linux/', 'asm/', 'net/', 'netinet/', 'arpa/', 'sanitizer/'];
export const systemHeaders = new Set(
  ('assert ctype dirent dlfcn emmintrin errno execinfo fcntl fenv float ftw getopt glob grp inttypes immintrin langinfo libgen ' +
    'limits locale malloc math netdb nmmintrin poll pthread pwd regex sched semaphore setjmp signal smmintrin spawn stdarg stddef ' +
    'stdint stdio stdlib string strings syscall sysexits syslog termios time ucontext ucred unistd utime wchar ' +
    'x86intrin cpuid').split(' ').map((name) => `${name}.h`),
);

// Made by the build, not found under src/.
export const generated = new Set(['build_info.h', 'docs_files.h', 'openapi_parts.h', 'web_pack.h']);

export const maxLines = 600;
export const manyLines = 400;
