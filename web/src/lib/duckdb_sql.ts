// DuckDB's SQL for the editor: what is coloured and offered. Only what a statement that reads may hold.
import type { Completion, CompletionContext, CompletionResult, CompletionSource } from '@codemirror/autocomplete';
import { PostgreSQL, SQLDialect } from '@codemirror/lang-sql';
import { readableName, sqlName } from './text';
import type { Table } from './types';

const keywords = `all and any array as asc asof anti between both by case cast collate cross cube current describe desc distinct else end escape except exclude exists explain
  extract false fetch filter first following for from full glob group grouping having ilike in inner intersect interval into is isnull join last lateral left like limit
  materialized natural not notnull null nulls offset on or order ordinality outer over overlaps partition percent pivot positional preceding qualify range recursive repeatable
  replace respect ignore right rollup row rows sample select semi sets show similar some summarize table tablesample then to trailing true try_cast unbounded union unique unpivot
  using values when where window with within`;
const types = `bigint bignum bit blob boolean char date decimal double enum float geometry hugeint int integer json list map numeric real smallint struct text time timestamp
  timestamptz timestamp_ms timestamp_ns timestamp_s tinyint ubigint uhugeint uinteger union usmallint utinyint uuid varchar variant`;

export const usualFunctions = `abs age any_value approx_count_distinct approx_quantile arg_max arg_min array_agg avg bool_and bool_or ceil coalesce concat concat_ws contains count cume_dist
  current_date current_timestamp date_diff date_part date_trunc dayname dense_rank ends_with epoch epoch_ms exp extract first first_value floor format generate_series greatest hash
  histogram ifnull json_extract json_extract_string json_keys json_type lag last last_day last_value lead least length list list_aggregate list_contains list_filter list_sort
  list_transform ln log10 lower lpad ltrim make_date make_timestamp max max_by md5 mean median min min_by mode monthname now ntile nullif percent_rank power quantile_cont quantile_disc
  random range rank regexp_extract regexp_extract_all regexp_full_match regexp_matches regexp_replace repeat replace reverse round row_number rpad rtrim split_part sqrt starts_with
  stddev stddev_pop strftime string_agg string_split strip_accents strptime struct_extract substring sum time_bucket to_timestamp trim trunc typeof unnest upper uuid var_pop variance
  week year`.split(/\s+/);

// As the language wants them: with one space between.
const words = (list: string) => list.trim().split(/\s+/).join(' ');

export const duckdb = SQLDialect.define({
  ...PostgreSQL.spec,
  keywords: words(keywords),
  types: words(types),
  builtin: '',
  doubleDollarQuotedStrings: true,
  operatorChars: '+-*/<>=~!@#%^&|?:',
});

// Columns of the tables that the statement names, and functions: where no table stands before the word, the language's own
// completion knows neither.
export function columnsAndFunctions(tables: Table[], functions: string[]): CompletionSource {
  const functionOptions: Completion[] = functions.map((name) => ({ label: name, type: 'function', detail: 'function', apply: `${name}(`, boost: -1 }));
  return (context: CompletionContext): CompletionResult | null => {
    const word = context.matchBefore(/[A-Za-z_][\w]*$/);
    if (!word || /["'.]/.test(context.state.sliceDoc(Math.max(0, word.from - 1), word.from))) return null;
    const text = context.state.doc.toString().toLowerCase();
    const words = new Set(text.split(/[^\p{L}\p{N}_]+/u));
    const isNamed = (name: string) => (readableName(name) === name ? words.has(name) : text.includes(sqlName(name)));
    const named = tables.filter((table) => isNamed(table.name.toLowerCase()));
    const columns = new Map<string, Completion>();
    for (const table of named.length > 0 ? named : tables.slice(0, 20)) {
      for (const { name, type } of table.columns) columns.set(name, { label: name, apply: readableName(name), detail: type, type: 'property', boost: named.length > 0 ? 2 : 0 });
    }
    return { from: word.from, options: [...columns.values(), ...functionOptions], validFor: /^\w*$/ };
  };
}
