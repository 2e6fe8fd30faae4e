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
        insert: `const inserted = await fetch('${insert}', {\n  method: 'POST',\n  headers: { Authorization: 'Bearer ${key}' },\n  body: JSON.stringify({ user: 'alice', cart: [{ sku: 'tea', price: 4.5 }] }),\n});\nif (!inserted.ok) throw new Error((await inserted.json()).detail);`,
        query: `const answer = await fetch('${query}', {\n  method: 'POST',\n  headers: { Authorization: 'Bearer ${key}' },\n  body: ${JSON.stringify(sql)},\n});\nif (!answer.ok) throw new Error((await answer.json()).detail);\nconst rows = await answer.json();`,
      };
    case 'Python':
      return {
        insert: `import requests\n\nrequests.post('${insert}', headers={'Authorization': 'Bearer ${key}'},\n              json={'user': 'alice', 'cart': [{'sku': 'tea', 'price': 4.5}]}).raise_for_status()`,
        query: `import requests\n\nanswer = requests.post('${query}', headers={'Authorization': 'Bearer ${key}'},\n                       data=${JSON.stringify(sql)}.encode())\nanswer.raise_for_status()\nrows = answer.json()`,
      };
    case 'Go':
      return {
        insert: goProgram(insert, key, '`{"user":"alice","cart":[{"sku":"tea","price":4.5}]}`'),
        query: goProgram(query, key, JSON.stringify(sql)),
      };
  }
}

// A whole program, which `go run` takes as it is.
const goProgram = (url: string, key: string, body: string) => `package main

import (
	"io"
	"log"
	"net/http"
	"os"
	"strings"
)

func main() {
	req, err := http.NewRequest("POST", "${url}", strings.NewReader(${body}))
	if err != nil {
		log.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer ${key}")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	io.Copy(os.Stdout, resp.Body)
	if resp.StatusCode != http.StatusOK {
		log.Fatal(resp.Status)
	}
}`;
