#include "query/gate_policy.h"

#include <algorithm>
#include <array>
#include <span>

namespace sd::query {
namespace {

bool contains(std::span<const std::string_view> names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

}  // namespace

bool is_allowed_table_function(std::string_view name) {
  static constexpr std::string_view kAllowed[] = {
      // rows from arguments
      "range", "generate_series", "unnest", "repeat", "repeat_row", "json_each", "json_tree",
      "summary",
      // names that the standard or ICU fixes
      "duckdb_keywords", "icu_calendar_names", "pg_timezone_names", "pragma_collations",
      "pragma_version",
      // the destination's own tables, columns, types, views
      "duckdb_columns", "duckdb_constraints", "duckdb_functions", "duckdb_indexes",
      "duckdb_schemas", "duckdb_sequences", "duckdb_tables", "duckdb_types", "duckdb_views",
      "pragma_show", "pragma_table_info"};
  return contains(kAllowed, name);
}

bool is_denied_function(std::string_view name) {
  static constexpr std::string_view kDenied[] = {
      // settings and environment, which hold paths and secrets
      "current_setting", "getenv", "getvariable",
      // change something: sequences, the random state, the log
      "nextval", "currval", "setseed", "write_log",
      // parse, plan or run SQL from text, behind the gate's back
      "json_serialize_sql", "json_serialize_plan", "json_deserialize_sql",
      "json_execute_serialized_sql", "query", "query_table", "sql_auto_complete",
      // bytes or states that DuckDB takes for its own
      "variant_bytes_to_variant", "variant_to_parquet_variant", "combine", "finalize",
      // hold a thread and give nothing
      "sleep_ms", "pg_sleep",
      // would read files if they were scalar functions in some version
      "read_blob", "read_text", "glob", "which_secret"};
  return contains(kDenied, name) || name.starts_with("__internal_");
}

bool is_denied_view(std::string_view name) {
  static constexpr std::string_view kDenied[] = {
      "duckdb_databases",  "duckdb_logs",          "duckdb_settings", "duckdb_secrets",
      "duckdb_extensions", "pragma_database_list", "pg_settings",     "pg_prepared_statements"};
  return contains(kDenied, name);
}

bool is_allowed_leading_keyword(std::string_view word) {
  static constexpr std::string_view kAllowed[] = {
      "select", "from",      "with",    "values", "table",       "describe",     "desc",
      "show",   "summarize", "explain", "pivot",  "pivot_wider", "pivot_longer", "unpivot"};
  return contains(kAllowed, word);
}

bool is_allowed_expression_class(std::string_view name) {
  static constexpr std::string_view kAllowed[] = {
      "BETWEEN",    "CASE",     "CAST",        "COLLATE",   "COLUMN_REF",
      "COMPARISON", "CONSTANT", "CONJUNCTION", "DEFAULT",   "FUNCTION",
      "LAMBDA",     "OPERATOR", "PARAMETER",   "STAR",      "POSITIONAL_REFERENCE",
      "SUBQUERY",   "TYPE",     "WINDOW",      "LAMBDA_REF"};
  return contains(kAllowed, name);
}

bool is_allowed_node_type(std::string_view name) {
  static constexpr std::string_view kAllowed[] = {
      // queries
      "SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE",
      // what stands in FROM
      "BASE_TABLE", "SUBQUERY", "JOIN", "TABLE_FUNCTION", "EXPRESSION_LIST", "EMPTY", "PIVOT",
      "SHOW_REF", "CTE",
      // what follows a query
      "ORDER_MODIFIER", "LIMIT_MODIFIER", "LIMIT_PERCENT_MODIFIER", "DISTINCT_MODIFIER",
      "ORDER_DEFAULT", "ASCENDING", "DESCENDING"};
  // What a type is made of, as in CAST(x AS DECIMAL(3,1)).
  return contains(kAllowed, name) || name.ends_with("_TYPE_INFO");
}

bool is_allowed_show(std::string_view name) {
  static constexpr std::string_view kAllowed[] = {"", "tables", "databases", "schemas",
                                                  "__show_tables_expanded"};
  return contains(kAllowed, name);
}

}  // namespace sd::query
