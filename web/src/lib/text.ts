// Text inside other text.

// One word of a POSIX shell.
export const shellQuoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

// A name in SQL, whatever it is: a keyword too.
export const sqlName = (name: string) => `"${name.replaceAll('"', '""')}"`;
export const sqlText = (value: string) => `'${value.replaceAll("'", "''")}'`;

// What DuckDB takes for a name nowhere, or not everywhere (duckdb_keywords(), of a table or a column).
const keywords = new Set(`all analyse analyze and anti any array as asc asof asymmetric at authorization between binary bigint bit boolean both by case cast char character check
  coalesce collate collation column columns concurrently constraint create cross current_role dec decimal default deferrable desc describe distinct do else end except exists extract
  false fetch float for foreign freeze from full generated glob group grouping grouping_id having ilike in initially inner inout int integer intersect interval into is isnull join
  lambda lateral leading left like limit map national natural nchar none not notnull null nullif numeric offset on only or order out outer overlaps overlay pivot pivot_longer
  pivot_wider placing position positional precision primary qualify real references returning right row select semi setof show similar smallint some struct substring summarize
  symmetric table tablesample then time timestamp to trailing treat trim true try_cast union unique unpack unpivot user using values varchar variadic verbose when where window with
  xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable`.split(/\s+/));
// Without quotes where it needs none, for SQL that people read.
export const readableName = (name: string) => (/^[a-z_][a-z0-9_]*$/.test(name) && !keywords.has(name) ? name : sqlName(name));

// Where in a text the byte of its UTF-8 stands that has this number.
export const charOfByte = (text: string, byte: number) => new TextDecoder().decode(new TextEncoder().encode(text).subarray(0, byte)).length;
