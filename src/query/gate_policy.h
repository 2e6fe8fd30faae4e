// What the SQL gate lets through, by name. Names are lower case. Written for DuckDB 1.5.6:
// gate_test.cc fails when the library has a function that nobody has judged.
#pragma once

#include <string_view>

namespace sd::query {

// Table functions: those that make rows out of nothing or out of their arguments, and those that
// describe the destination's own tables. Everything else is refused: readers of files, the network
// and settings, what runs SQL from text, what changes the instance (checkpoint, logging, profiling,
// parser), what names paths (duckdb_databases, duckdb_extensions …), what takes pointers
// (arrow_scan).
bool is_allowed_table_function(std::string_view name);

// Scalar and aggregate functions, and macros: refused are those that change something, reach
// outside the destination, take bytes that DuckDB trusts to be its own, or only serve to hold a
// thread.
bool is_denied_function(std::string_view name);

// Views of DuckDB's own catalog that name paths or settings.
bool is_denied_view(std::string_view name);

// The schema in which the server keeps its own tables (destinations/duckdb/own_tables.h). SQL does not
// look there: failed rows are whole rows of any table, and listing them is an admin's.
inline constexpr std::string_view kOwnSchema = "_scratch";

// Functions, table functions, words (current_date is a column until it turns out to be none) and views
// whose result is another one for the same data: the clock, chance, the session, the catalog.
bool is_volatile_function(std::string_view name);
bool is_volatile_table_function(std::string_view name);
bool is_volatile_keyword(std::string_view name);
bool is_volatile_view(std::string_view schema, std::string_view name);

// Functions and table functions that name tables, or columns, that the statement does not: refused for
// keys that are limited to tables.
bool is_catalog_function(std::string_view name);

// How many times a macro of DuckDB's names one argument; 1 for everything else.
int macro_copies(std::string_view name);

// Words that may begin a statement.
bool is_allowed_leading_keyword(std::string_view word);

// Kinds of nodes in json_serialize_sql's tree: "class" of an expression; "type" of everything else.
bool is_allowed_expression_class(std::string_view name);
bool is_allowed_node_type(std::string_view name);

// SHOW <what>, beside tables.
bool is_allowed_show(std::string_view name);

}  // namespace sd::query
