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
      // recurse with the depth of a document that they are given, and end the process with its stack
      "json_structure", "json_group_structure", "json_merge_patch",
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

bool is_volatile_function(std::string_view name) {
  static constexpr std::string_view kVolatile[] = {
      "random", "reservoir_quantile", "uuid", "uuidv4", "uuidv7", "gen_random_uuid",
      // age(x) is too; age(x, y) is not
      "now", "today", "transaction_timestamp", "get_current_time", "get_current_timestamp",
      "current_localtime", "current_localtimestamp", "current_date", "ago", "pg_conf_load_time",
      "pg_postmaster_start_time",
      // the session and the instance
      "current_query", "current_query_id", "current_connection_id", "current_transaction_id",
      "txid_current", "current_database", "current_catalog", "current_schema", "current_schemas",
      "in_search_path", "stats", "get_block_size", "pg_get_viewdef", "pg_get_constraintdef",
      "format_type",
      // no value at all, but DuckDB says so
      "error"};
  return contains(kVolatile, name);
}

bool is_volatile_table_function(std::string_view name) {
  return name == "pg_timezone_names" || name.starts_with("duckdb_") || name.starts_with("pragma_");
}

bool is_volatile_keyword(std::string_view name) {
  static constexpr std::string_view kVolatile[] = {
      "current_date",   "current_time",   "current_timestamp", "localtime",
      "localtimestamp", "current_schema", "current_catalog"};
  return contains(kVolatile, name);
}

bool is_volatile_view(std::string_view schema, std::string_view name) {
  return schema == "pg_catalog" || schema == "information_schema" || name.starts_with("duckdb_") ||
         name.starts_with("pg_") || name.starts_with("pragma_") || name.starts_with("sqlite_");
}

bool is_catalog_function(std::string_view name) {
  static constexpr std::string_view kHarmless[] = {"duckdb_keywords", "pragma_version",
                                                   "pragma_collations"};
  static constexpr std::string_view kCatalog[] = {"pg_get_viewdef", "pg_get_constraintdef",
                                                  "format_type", "get_block_size"};
  if (contains(kHarmless, name)) return false;
  return name.starts_with("duckdb_") || name.starts_with("pragma_") || contains(kCatalog, name);
}

int macro_copies(std::string_view name) {
  static constexpr std::string_view kTwice[] = {"nullif",
                                                "split_part",
                                                "fmod",
                                                "weighted_avg",
                                                "wavg",
                                                "array_pop_back",
                                                "array_pop_front",
                                                "map_contains_entry",
                                                "array_to_string",
                                                "array_to_string_comma_default",
                                                "json_group_array",
                                                "json_group_object",
                                                "pg_size_pretty"};
  if (name == "round_even" || name == "roundbankers") return 3;
  return contains(kTwice, name) ? 2 : 1;
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
