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
