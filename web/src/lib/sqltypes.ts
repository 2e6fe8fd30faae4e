// What DuckDB's types mean to whoever reads a table.

export type Family = 'number' | 'time' | 'boolean' | 'text' | 'json' | 'nested' | 'bytes' | 'other';

export function family(type: string): Family {
  if (/\[\d*\]$/.test(type) || /^(STRUCT|MAP|UNION)\b/.test(type)) return 'nested';
  if (/^(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL|BIGNUM)\b/.test(type)) return 'number';
  if (/^(TIMESTAMP|DATE|TIME)/.test(type)) return 'time';
  if (type === 'BOOLEAN') return 'boolean';
  if (type === 'VARCHAR' || type.startsWith('ENUM')) return 'text';
  if (type === 'JSON' || type === 'VARIANT') return 'json';
  return type === 'BLOB' ? 'bytes' : 'other';
}

// As short as the head of a column; times with a zone come in UTC.
export function shortType(type: string): string {
  if (type === 'TIMESTAMP WITH TIME ZONE') return 'timestamp UTC';
  return family(type) === 'nested' && type.length > 24 ? `${type.slice(0, 22)}…` : type.toLowerCase();
}

export const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;
// Without quotes where the name needs none, for SQL that people read. (What is a keyword needs them.)
const kKeywords = /^(all|and|any|array|as|asc|case|cast|check|column|constraint|create|default|desc|distinct|do|else|end|except|false|fetch|for|foreign|from|grant|group|having|in|initially|intersect|into|lateral|leading|limit|not|null|offset|on|only|or|order|pivot|placing|primary|qualify|references|returning|select|show|some|summarize|symmetric|table|then|to|trailing|true|union|unique|unpivot|using|variadic|when|where|window|with|describe|natural|join|inner|left|right|full|outer|cross|is|like|ilike|similar|between|collate|user|values)$/i;
export const readable = (name: string) => (/^[a-z_][a-z0-9_]*$/.test(name) && !kKeywords.test(name) ? name : quoted(name));
export const literal = (value: string) => `'${value.replaceAll("'", "''")}'`;
