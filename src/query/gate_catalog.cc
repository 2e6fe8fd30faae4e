#include "query/gate_catalog.h"

#include <algorithm>
#include <cstdlib>

#include "base/ascii.h"
#include "base/json_text.h"
#include "query/gate_policy.h"
#include "query/sql_tokens.h"

namespace sd::query {
namespace {

using destinations::duckdb::Prepared;
using destinations::duckdb::QueryResult;
using destinations::duckdb::quote_identifier;
using destinations::duckdb::quote_literal;

// SELECT * FROM a join of so many tables is looked at more closely.
constexpr double kManyStarTables = 16;

Error refused(std::string message, std::size_t position) {
  return sql_problem(std::move(message), "sql-not-allowed", position);
}

// Runs a query of ours, with one text parameter or none: rows of texts.
Result<std::vector<std::vector<std::string>>> rows_of(duckdb_connection connection, const char* sql,
                                                      std::optional<std::string_view> parameter) {
  Prepared prepared;
  if (duckdb_prepare(connection, sql, prepared.out()) != DuckDBSuccess) {
    return fail(ErrorCode::kInternal, "a lookup of the SQL gate could not be prepared");
  }
  if (parameter) {
    duckdb_bind_varchar_length(prepared.get(), 1, parameter->data(), parameter->size());
  }
  QueryResult result;
  if (duckdb_execute_prepared(prepared.get(), result.get()) != DuckDBSuccess) {
    return fail(destinations::duckdb::result_error(result.get()));
  }
  std::vector<std::vector<std::string>> rows;
  while (true) {
    destinations::duckdb::DataChunk chunk(duckdb_fetch_chunk(result.ref()));
    if (!chunk) break;
    const std::size_t first = rows.size();
    rows.resize(first + duckdb_data_chunk_get_size(chunk.get()));
    for (idx_t column = 0; column < duckdb_data_chunk_get_column_count(chunk.get()); ++column) {
      duckdb_vector vector = duckdb_data_chunk_get_vector(chunk.get(), column);
      auto* values = static_cast<duckdb_string_t*>(duckdb_vector_get_data(vector));
      std::uint64_t* valid = duckdb_vector_get_validity(vector);
      for (std::size_t i = 0; first + i < rows.size(); ++i) {
        const bool null = valid != nullptr && !duckdb_validity_row_is_valid(valid, i);
        rows[first + i].emplace_back(null ? "" : duckdb_string_t_data(&values[i]),
                                     null ? 0 : duckdb_string_t_length(values[i]));
      }
    }
  }
  return rows;
}

// "CREATE VIEW name (columns) AS query" → query; empty where it is something else.
std::string query_of_view(const std::string& sql, std::uint32_t max_depth) {
  const Result<SqlTokens> tokens = SqlTokens::read(sql, max_depth);
  if (!tokens) return "";
  for (std::size_t i = 0; i < tokens->size(); ++i) {
    if ((*tokens)[i].depth == 0 && tokens->is_word(i, "as")) return sql.substr((*tokens)[i].end);
  }
  return "";
}

// What its name looks up, with quotes.
std::string qualified(const TableReference& table) {
  std::string name;
  for (const std::string& part : {table.catalog, table.schema, table.table}) {
    if (part.empty()) continue;
    if (!name.empty()) name += '.';
    name += quote_identifier(part);
  }
  return name;
}

}  // namespace

Result<Definitions> read_definitions(duckdb_connection connection) {
  Definitions definitions;
  TRY_ASSIGN(const auto views,
             rows_of(connection,
                     "SELECT view_name, sql, schema_name FROM duckdb_views() WHERE NOT internal "
                     "AND database_name = current_database()",
                     std::nullopt));
  // Folded here: SQL's lower() knows more letters than DuckDB's names do.
  for (const auto& row : views)
    definitions.views.push_back({fold_ascii(row[0]), row[1], false, fold_ascii(row[2])});
  TRY_ASSIGN(
      const auto macros,
      rows_of(
          connection,
          "SELECT function_name, coalesce(macro_definition, ''), function_type, schema_name FROM "
          "duckdb_functions() WHERE NOT internal AND database_name = current_database() AND "
          "function_type IN ('macro', 'table_macro')",
          std::nullopt));
  for (const auto& row : macros) {
    definitions.macros.push_back(
        {fold_ascii(row[0]), row[1], row[2] == "table_macro", fold_ascii(row[3])});
  }
  return definitions;
}

Result<std::vector<std::string>> GateCatalog::lookup(const char* sql,
                                                     std::optional<std::string_view> parameter) {
  TRY_ASSIGN(auto rows, rows_of(connection_, sql, parameter));
  std::vector<std::string> texts;
  for (auto& row : rows) texts.push_back(std::move(row[0]));
  return texts;
}

Result<std::string> GateCatalog::serialise(std::string_view sql) {
  TRY_ASSIGN(auto trees, lookup("SELECT json_serialize_sql($1::VARCHAR)", sql));
  if (trees.size() != 1) return fail(ErrorCode::kInternal, "json_serialize_sql gave no answer");
  return std::move(trees[0]);
}

Result<> GateCatalog::load_definitions() {
  if (definitions_ != nullptr) return {};
  definitions_ = options_.definitions;
  if (definitions_ == nullptr) {
    TRY_ASSIGN(own_definitions_, read_definitions(connection_));
    definitions_ = &*own_definitions_;
  }
  for (const Definitions::Entry& macro : definitions_->macros) {
    if (macro.table_macro) own_table_functions_.insert(macro.name);
  }
  return {};
}

Result<TreeFindings> GateCatalog::judge(std::string_view tree, bool inlines_ctes,
                                        const std::function<std::size_t(std::size_t)>& where) {
  TRY(load_definitions());
  TRY_ASSIGN(TreeFindings findings, walk_tree(tree, {.limited = options_.tables.has_value(),
                                                     .inlines_ctes = inlines_ctes,
                                                     .max_plan_units = options_.max_plan_units,
                                                     .own_table_functions = &own_table_functions_,
                                                     .where = where}));
  TRY(judge_stars(findings, where(0)));
  TRY(judge_functions(findings));
  TRY(types_must_be_common(findings));
  for (const TableReference& table : findings.tables) TRY(judge_table(table));
  volatile_result_ = volatile_result_ || findings.volatile_result;
  findings.volatile_result = volatile_result_;
  return findings;
}

// How many columns a table has is only known here.
Result<> GateCatalog::judge_stars(const TreeFindings& findings, std::size_t position) {
  if (findings.star_tables < kManyStarTables) return {};
  TRY_ASSIGN(const auto widest,
             lookup("SELECT coalesce(max(n), 1)::VARCHAR FROM (SELECT column_count AS n FROM "
                    "duckdb_tables() UNION ALL SELECT column_count FROM duckdb_views() WHERE NOT "
                    "internal)",
                    std::nullopt));
  const double columns = findings.star_tables * std::strtod(widest[0].c_str(), nullptr);
  if (columns * kColumnUnits <= options_.max_plan_units) return {};
  return fail(refused("the statement may have " +
                          std::to_string(static_cast<std::uint64_t>(columns)) +
                          " columns, which DuckDB would plan for long",
                      position));
}

Result<> GateCatalog::judge_functions(const TreeFindings& findings) {
  if (definitions_->macros.empty()) return {};
  for (const FunctionReference& function : findings.functions) {
    for (const Definitions::Entry& macro : definitions_->macros) {
      if (macro.name != function.name) continue;
      const std::string query = macro.table_macro ? macro.sql : "SELECT " + macro.sql;
      TRY(judge_definition("the macro " + json_string(macro.name), macro, query,
                           function.position));
    }
  }
  return {};
}

// Whatever it does is told of the place where the statement names it.
Result<> GateCatalog::judge_definition(const std::string& what, const Definitions::Entry& entry,
                                       const std::string& query, std::size_t position) {
  if (!judged_.insert(&entry).second) return {};
  const auto here = [position](std::size_t) { return position; };
  TRY_ASSIGN(const std::string tree, serialise(query));
  const Result<TreeFindings> judged = judge(tree, true, here);
  if (!judged && judged.error().code != ErrorCode::kInvalidArgument) return fail(judged.error());
  if (judged && judged->statements == 1) return {};
  return fail(refused(
      what + " stands for what is not allowed here" + (judged ? "" : ": " + judged.error().message),
      position));
}

Result<> GateCatalog::judge_table(const TableReference& table) {
  TRY_ASSIGN(const bool is_view, judge_view(table));
  if (options_.tables && !is_view) return must_be_listed(table);
  const bool may_be_file =
      !table.catalog.empty() || !table.schema.empty() || table.table.find('.') != std::string::npos;
  if (!may_be_file) return {};
  Result<> exists = must_exist(table);
  return exists || !options_.tables ? exists : fail(not_readable(table));
}

// By the name alone, whichever schema it is in. A limited key reads those of main and no others: in another schema's
// view DuckDB looks for names in that schema first.
Result<bool> GateCatalog::judge_view(const TableReference& table) {
  bool found = false;
  for (const Definitions::Entry& view : definitions_->views) {
    if (view.name != fold_ascii(table.table)) continue;
    if (options_.tables) {
      TRY_ASSIGN(const bool in_main, is_in_main(table));
      if (!in_main || view.schema != "main") continue;
    }
    found = true;
    Result<> judged = judge_definition("the view " + json_string(table.table), view,
                                       query_of_view(view.sql, options_.max_depth), table.position);
    // What it reads is not this key's to know.
    if (!judged && options_.tables) return fail(not_readable(table));
    TRY(std::move(judged));
  }
  return found;
}

Error GateCatalog::not_readable(const TableReference& table) const {
  return refused("there is no table " + qualified(table) + " that this key may read",
                 table.position);
}

// "main.t" and "db.t": DuckDB takes either qualifier there.
Result<bool> GateCatalog::is_in_main(const TableReference& table) {
  TRY_ASSIGN(const auto database, lookup("SELECT current_database()", std::nullopt));
  const std::string name = fold_ascii(database[0]);
  const std::string schema = fold_ascii(table.schema);
  return (schema.empty() || schema == "main" || (table.catalog.empty() && schema == name)) &&
         (table.catalog.empty() || fold_ascii(table.catalog) == name);
}

// A type of the destination's own may list what stands in a column (ENUM). Those that there are not are refused in the
// same words.
Result<> GateCatalog::types_must_be_common(const TreeFindings& findings) {
  if (!options_.tables || findings.types.empty()) return {};
  TRY_ASSIGN(const auto common,
             lookup("SELECT type_name FROM duckdb_types() WHERE internal", std::nullopt));
  for (const FunctionReference& type : findings.types) {
    const bool known = std::ranges::any_of(
        common, [&](const std::string& name) { return fold_ascii(name) == type.name; });
    if (!known) {
      return fail(refused("there is no type " + quote_identifier(type.name) +
                              " that a key limited to tables may name",
                          type.position));
    }
  }
  return {};
}

Result<> GateCatalog::must_be_listed(const TableReference& table) {
  if (!tables_of_main_) {
    TRY_ASSIGN(const auto names,
               lookup("SELECT table_name FROM duckdb_tables() WHERE database_name = "
                      "current_database() AND schema_name = 'main'",
                      std::nullopt));
    tables_of_main_.emplace();
    for (const std::string& name : names) tables_of_main_->insert(fold_ascii(name));
  }
  TRY_ASSIGN(const bool in_main, is_in_main(table));
  const std::string key = fold_ascii(table.table);
  const bool listed = std::ranges::any_of(
      *options_.tables, [&](const std::string& name) { return fold_ascii(name) == key; });
  if (in_main && listed && tables_of_main_->contains(key)) return {};
  return fail(not_readable(table));
}

Result<> GateCatalog::must_be_here(const TableReference& table) {
  if (!other_catalogs_) {
    TRY_ASSIGN(other_catalogs_, lookup("SELECT lower(database_name) FROM duckdb_databases() "
                                       "WHERE database_name <> current_database()",
                                       std::nullopt));
  }
  for (const std::string& part : {table.catalog, table.schema}) {
    if (!part.empty() &&
        std::ranges::find(*other_catalogs_, fold_ascii(part)) != other_catalogs_->end()) {
      return fail(refused("the database " + json_string(part) + " is not this destination's",
                          table.position));
    }
  }
  return {};
}

// A table with a qualifier, or with a dot in its name, must exist, in this destination: DuckDB would look
// for a file of that name.
Result<> GateCatalog::must_exist(const TableReference& table) {
  TRY(must_be_here(table));
  const std::string name = qualified(table);
  // Looks into the catalog and never at files; an error where there is no such table or view.
  if (lookup("SELECT name FROM pragma_table_info($1::VARCHAR)", name)) return {};
  // pragma_table_info cannot read a name with a quotation mark in it.
  if (table.table.find('"') != std::string::npos) {
    std::string sql =
        "SELECT name FROM (SELECT database_name AS d, schema_name AS s, table_name AS name FROM "
        "duckdb_tables() UNION ALL SELECT database_name, schema_name, view_name FROM "
        "duckdb_views()) WHERE d = current_database() AND lower(name) = lower(" +
        quote_literal(table.table) + ")";
    if (!table.schema.empty()) {  // a lone qualifier is a schema or the database
      const std::string schema = "lower(" + quote_literal(table.schema) + ")";
      sql += " AND (lower(s) = " + schema;
      sql += table.catalog.empty() ? " OR lower(d) = " + schema + ")" : ")";
    }
    TRY_ASSIGN(const auto listed, lookup(sql.c_str(), std::nullopt));
    if (!listed.empty()) return {};
  }
  return fail(refused(
      "there is no table or view " + name + " in this destination, and files cannot be read",
      table.position));
}

}  // namespace sd::query
