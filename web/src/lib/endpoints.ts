// Calls of saved endpoints: their addresses, and lines to copy.
import { ask } from './api';
import { parseExact } from './parameters';
import { shellQuoted } from './text';
import type { Language } from './lines';
import type { Endpoint } from './types';

export type Value = [name: string, value: string];

// One endpoint; defaults of many digits come as texts.
export async function getEndpoint(name: string, version?: number): Promise<Endpoint> {
  const answer = await ask(`/api/endpoints/${encodeURIComponent(name)}${version === undefined ? '' : `?version=${version}`}`);
  return parseExact<Endpoint>(await answer.text());
}

// What a call's address has behind the ?, where `base` may have something there already.
export function callUrl(base: string, format: string, values: Value[], version?: number): string {
  const [path, query] = base.split('?');
  const all = [...values, ...(version === undefined ? [] : [['version', String(version)] as Value])].map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
  if (query) all.push(query);
  return `${(path ?? '').replace(/\.json$/, `.${format}`)}${all.length > 0 ? `?${all.join('&')}` : ''}`;
}

// Something to put in where a parameter is wanted and nobody said what.
export function exampleOf(type: string): string {
  switch (type.replace('[]', '')) {
    case 'integer': return '1';
    case 'number': case 'decimal': return '1.5';
    case 'boolean': return 'true';
    case 'date': return '2026-01-31';
    case 'timestamp': return '2026-01-31T12:00:00Z';
    case 'uuid': return '00000000-0000-4000-8000-000000000000';
    default: return 'alice';
  }
}

// Those that a call has to have.
export const exampleValues = (endpoint: Endpoint, fixed: string[] = []): Value[] =>
  endpoint.params.filter((each) => each.required && !fixed.includes(each.name)).map((each) => [each.name, exampleOf(each.type ?? 'string')]);

// A call as a program makes it; without a key where `key` is ''.
export function callLines(language: Language, url: string, key: string): string {
  switch (language) {
    case 'curl':
      return `curl ${shellQuoted(url)}${key ? ` -H 'Authorization: Bearer ${key}'` : ''}`;
    case 'JavaScript':
      return `const answer = await fetch(${JSON.stringify(url)}${key ? `, {\n  headers: { Authorization: 'Bearer ${key}' },\n}` : ''});\nif (!answer.ok) throw new Error((await answer.json()).detail);\nconst rows = await answer.json();`;
    case 'Python':
      return `import requests\n\nanswer = requests.get(${JSON.stringify(url)}${key ? `,\n                      headers={'Authorization': 'Bearer ${key}'}` : ''})\nanswer.raise_for_status()\nrows = answer.json()`;
    case 'Go':
      return `req, err := http.NewRequest("GET", ${JSON.stringify(url)}, nil)\nif err != nil {\n\treturn err\n}\n${key ? `req.Header.Set("Authorization", "Bearer ${key}")\n` : ''}resp, err := http.DefaultClient.Do(req)\nif err != nil {\n\treturn err\n}\ndefer resp.Body.Close()\nvar rows []map[string]any\nerr = json.NewDecoder(resp.Body).Decode(&rows)`;
  }
}
