// The formats of results: as they are called in an address, and as people call them.
export const formats = [
  { name: 'csv', label: 'CSV' },
  { name: 'json', label: 'JSON' },
  { name: 'ndjson', label: 'NDJSON' },
  { name: 'parquet', label: 'Parquet' },
  { name: 'xlsx', label: 'Excel' },
  { name: 'tsv', label: 'TSV' },
  { name: 'jsoncompact', label: 'JSON, compact' },
  { name: 'html', label: 'HTML' },
  { name: 'arrow', label: 'Arrow' },
] as const;
export type FormatName = (typeof formats)[number]['name'];

// Those of a share, unless it says which.
export const usualFormats: FormatName[] = ['csv', 'json', 'ndjson', 'parquet', 'xlsx'];

// A result as a file, in the order in which people look for them.
export const fileFormats: { name: FormatName; label: string; is: string; options?: Record<string, boolean> }[] = [
  { name: 'csv', label: 'CSV', is: 'as programs read it' },
  { name: 'csv', label: 'CSV for spreadsheets', is: 'no text is run as a formula', options: { spreadsheet: true } },
  { name: 'xlsx', label: 'Excel', is: 'up to 1,048,575 rows' },
  { name: 'json', label: 'JSON', is: 'an array of objects' },
  { name: 'ndjson', label: 'NDJSON', is: 'an object a line' },
  { name: 'jsoncompact', label: 'JSON, compact', is: 'an array of arrays' },
  { name: 'parquet', label: 'Parquet', is: 'typed, compressed' },
  { name: 'arrow', label: 'Arrow', is: 'an IPC stream' },
  { name: 'tsv', label: 'TSV', is: 'tabs between the fields' },
  { name: 'html', label: 'HTML', is: 'a page of one table' },
];
export const endingOf = (name: FormatName) => (name === 'jsoncompact' ? 'json' : name);
