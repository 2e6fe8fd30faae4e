// What somebody copies to send and to ask: with the host and key that are right here.
import { readableName, shellQuoted } from './text';

export type Language = 'curl' | 'JavaScript' | 'Python' | 'Go';

export function lines(language: Language, host: string, key: string, table: string): { insert: string; query: string } {
  // An apostrophe, which an address may have, would end the quotes around it.
  const insert = `${host}/api/data/insert/${encodeURIComponent(table).replaceAll("'", '%27')}`;
  const query = `${host}/api/data/query`;
  const sql = `SELECT * FROM ${readableName(table)}`;
  switch (language) {
    case 'curl':
      return {
        insert: `curl '${insert}' -H 'Authorization: Bearer ${key}' \\\n  --data '{"user":"alice","cart":[{"sku":"tea","price":4.5}]}'`,
        query: `curl '${query}' -H 'Authorization: Bearer ${key}' \\\n  --data ${shellQuoted(sql)}`,
      };
    case 'JavaScript':
      return {
        insert: `await fetch('${insert}', {\n  method: 'POST',\n  headers: { Authorization: 'Bearer ${key}' },\n  body: JSON.stringify({ user: 'alice', cart: [{ sku: 'tea', price: 4.5 }] }),\n});`,
        query: `const rows = await (await fetch('${query}', {\n  method: 'POST',\n  headers: { Authorization: 'Bearer ${key}' },\n  body: ${JSON.stringify(sql)},\n})).json();`,
      };
    case 'Python':
      return {
        insert: `import requests\n\nrequests.post('${insert}', headers={'Authorization': 'Bearer ${key}'},\n              json={'user': 'alice', 'cart': [{'sku': 'tea', 'price': 4.5}]}).raise_for_status()`,
        query: `rows = requests.post('${query}', headers={'Authorization': 'Bearer ${key}'},\n                     data=${JSON.stringify(sql)}).json()`,
      };
    case 'Go':
      return {
        insert: `body := strings.NewReader(\`{"user":"alice","cart":[{"sku":"tea","price":4.5}]}\`)\nreq, _ := http.NewRequest("POST", "${insert}", body)\nreq.Header.Set("Authorization", "Bearer ${key}")\nresp, err := http.DefaultClient.Do(req)`,
        query: `req, _ := http.NewRequest("POST", "${query}", strings.NewReader(${JSON.stringify(sql)}))\nreq.Header.Set("Authorization", "Bearer ${key}")\nresp, err := http.DefaultClient.Do(req)`,
      };
  }
}
