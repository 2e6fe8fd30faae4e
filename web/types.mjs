// src/lib/schema.d.ts, of what the server's own description says of its objects: the dashboard is checked against it.
import fs from 'node:fs';
import openapiTS, { astToString } from 'openapi-typescript';

const components = JSON.parse(fs.readFileSync(new URL('../src/api/openapi/components.json', import.meta.url), 'utf8'));
const spec = { openapi: '3.1.0', info: { title: 'Scratch Data', version: '1' }, paths: {}, components };
fs.writeFileSync(new URL('src/lib/schema.d.ts', import.meta.url), `// Made by types.mjs.\n${astToString(await openapiTS(spec))}`);
