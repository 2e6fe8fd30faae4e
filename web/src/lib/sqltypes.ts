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
