#include "query/gate.h"

#include <algorithm>
#include <optional>

#include "base/ascii.h"
#include "base/json_text.h"
#include "query/gate_policy.h"
#include "query/gate_tree.h"
#include "query/pivot_rewrite.h"
#include "query/sql_tokens.h"

namespace sd::query {
namespace {

using destinations::duckdb::Extracted;
using destinations::duckdb::Prepared;
using destinations::duckdb::QueryResult;

// DuckDB's parser takes time with the square of a chain of these: 20,000 are 0.7 s, 100,000 are 17
// s.
constexpr std::size_t kMaxConditions = 20'000;

Error refused(std::string message, std::size_t position) {
  return sql_problem(std::move(message), "sql-not-allowed", position);
}

// Runs a query of ours with one text parameter and gives back the first column, texts only.
Result<std::vector<std::string>> lookup(duckdb_connection connection, const char* sql,
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
  std::vector<std::string> texts;
  while (true) {
    destinations::duckdb::DataChunk chunk(duckdb_fetch_chunk(result.ref()));
    if (!chunk) break;
    duckdb_vector vector = duckdb_data_chunk_get_vector(chunk.get(), 0);
    auto* values = static_cast<duckdb_string_t*>(duckdb_vector_get_data(vector));
    for (idx_t i = 0; i < duckdb_data_chunk_get_size(chunk.get()); ++i) {
      texts.emplace_back(duckdb_string_t_data(&values[i]), duckdb_string_t_length(values[i]));
    }
  }
  return texts;
}

Result<std::string> serialise(duckdb_connection connection, std::string_view sql) {
  TRY_ASSIGN(auto trees, lookup(connection, "SELECT json_serialize_sql($1::VARCHAR)", sql));
  if (trees.size() != 1) return fail(ErrorCode::kInternal, "json_serialize_sql gave no answer");
  return std::move(trees[0]);
}

class Gate {
 public:
  Gate(duckdb_connection connection, const GateOptions& options)
      : connection_(connection), options_(options) {}

  Result<GatedStatement> run(std::string_view sql) {
    TRY(read(sql));
    std::size_t inner = 0;  // token where the statement to judge begins
    TRY_ASSIGN(inner, leading_statement());
    TRY(judge(inner));
    TRY(extract());
    return std::move(gated_);
  }

 private:
  // The text's size and bytes, its tokens; blanks out comments.
  Result<> read(std::string_view sql) {
    if (sql.size() > options_.max_bytes) {
      return fail(
          invalid("the statement is longer than " + std::to_string(options_.max_bytes) + " bytes")
              .with_slug("sql-not-allowed"));
    }
    if (const std::size_t at = sql.find('\0'); at != std::string_view::npos) {
      return fail(sql_problem("the statement contains a NUL character", "sql-syntax", at));
    }
    if (!is_valid_utf8(sql)) {
      return fail(invalid("the statement is not valid UTF-8").with_slug("sql-syntax"));
    }
    TRY_ASSIGN(const SqlTokens original, SqlTokens::read(sql, options_.max_depth));
    gated_.sql.assign(sql);
    std::size_t at = 0;
    for (std::size_t i = 0; i <= original.size(); ++i) {
      const std::size_t next = i == original.size() ? sql.size() : original[i].begin;
      // Line feeds stay: DuckDB's messages count lines, and strings on two lines are one.
      for (; at < next; ++at) {
        if (gated_.sql[at] != '\n') gated_.sql[at] = ' ';
      }
      if (i < original.size()) at = original[i].end;
    }
    TRY_ASSIGN(tokens_, SqlTokens::read(gated_.sql, options_.max_depth));
    return check_tokens();
  }

  Result<> check_tokens() {
    std::size_t conditions = 0;
    std::optional<std::size_t> semicolon;
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      if (tokens_.is_word(i, "and") || tokens_.is_word(i, "or")) ++conditions;
      if (tokens_.is_symbol(i, ';')) {
        semicolon = i;
      } else if (semicolon) {
        return fail(refused(*semicolon == 0 ? "a statement cannot begin with a semicolon"
                                            : "only one statement can be run at a time",
                            tokens_[*semicolon == 0 ? 0 : i].begin));
      }
    }
    if (tokens_.size() == 0 || semicolon == std::size_t{0}) {
      return fail(invalid("the statement is empty").with_slug("sql-syntax"));
    }
    if (conditions > kMaxConditions) {
      return fail(invalid("the statement has more than " + std::to_string(kMaxConditions) +
                          " times AND or OR")
                      .with_slug("sql-not-allowed"));
    }
    return {};
  }

  // Checks the first keyword, steps over EXPLAIN and its options.
  Result<std::size_t> leading_statement() {
    TRY(leading_keyword(0));
    if (!tokens_.is_word(0, "explain")) return 0;
    gated_.kind = GatedStatement::Kind::kExplain;
    std::size_t i = 1;
    if (tokens_.is_symbol(i, '(') &&
        (tokens_.is_word(i + 1, "analyze") || tokens_.is_word(i + 1, "analyse") ||
         tokens_.is_word(i + 1, "format"))) {
      const std::uint32_t depth = tokens_[i].depth;
      for (++i; i < tokens_.size() && tokens_[i].depth != depth; ++i) {
      }
      ++i;  // the closing bracket
    } else {
      if (tokens_.is_word(i, "analyze") || tokens_.is_word(i, "analyse")) ++i;
      if (tokens_.is_word(i, "verbose")) ++i;
    }
    TRY(leading_keyword(i));
    return i;
  }

  Result<> leading_keyword(std::size_t i) {
    while (tokens_.is_symbol(i, '(')) ++i;
    if (i >= tokens_.size()) {
      return fail(sql_problem("the statement ends too early", "sql-syntax", gated_.sql.size()));
    }
    const std::string word = fold_ascii(tokens_.text(i));
    if (tokens_[i].kind == SqlToken::Kind::kWord && is_allowed_leading_keyword(word)) return {};
    return fail(
        refused("a statement that begins with " + json_string(tokens_.text(i).substr(0, 40)) +
                    " is not allowed here: only statements that read are (SELECT, FROM, WITH, "
                    "VALUES, TABLE, DESCRIBE, SHOW, SUMMARIZE, EXPLAIN, PIVOT, UNPIVOT)",
                tokens_[i].begin));
  }

  Result<> judge(std::size_t first_token) {
    const std::size_t begin = tokens_[first_token].begin;
    const std::string_view inner = std::string_view(gated_.sql).substr(begin);
    TRY_ASSIGN(std::string tree, serialise(connection_, inner));
    RewrittenSql rewritten(inner);
    if (is_not_a_select(tree)) {
      TRY_ASSIGN(const SqlTokens inner_tokens, SqlTokens::read(inner, options_.max_depth));
      rewritten = with_pivot_values(inner, inner_tokens);
      if (rewritten.changed()) {
        TRY_ASSIGN(tree, serialise(connection_, rewritten.text()));
      }
      if (is_not_a_select(tree) || !rewritten.changed()) {
        return fail(
            refused("this statement is not one that only reads, or a PIVOT whose values come "
                    "from a subquery, which is not allowed here",
                    begin));
      }
      if (gated_.kind == GatedStatement::Kind::kExplain) {
        return fail(
            refused("EXPLAIN of a PIVOT needs its values: PIVOT … ON column IN (…)", begin));
      }
      gated_.collects_pivot_values = true;
    }
    TRY_ASSIGN(const TreeFindings findings, walk_tree(tree, [&](std::size_t position) {
                 return begin + rewritten.original_position(position);
               }));
    if (findings.statements != 1) {
      return fail(refused("only one statement can be run at a time", begin));
    }
    for (const TableReference& table : findings.to_resolve) TRY(resolve(table));
    return {};
  }

  // A table with a qualifier or a dot in its name must exist, in this destination.
  Result<> resolve(const TableReference& table) {
    if (!other_catalogs_) {
      TRY_ASSIGN(other_catalogs_, lookup(connection_,
                                         "SELECT lower(database_name) FROM duckdb_databases() "
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
    std::string name;
    for (const std::string& part : {table.catalog, table.schema, table.table}) {
      if (part.empty()) continue;
      if (!name.empty()) name += '.';
      name += destinations::duckdb::quote_identifier(part);
    }
    // Looks into the catalog and never at files; an error where there is no such table or view.
    const auto found = lookup(connection_, "SELECT name FROM pragma_table_info($1::VARCHAR)", name);
    if (found) return {};
    // pragma_table_info cannot read a name with a quotation mark in it.
    if (table.table.find('"') != std::string::npos) {
      TRY_ASSIGN(const auto listed, lookup(connection_, listed_sql(table).c_str(), std::nullopt));
      if (!listed.empty()) return {};
    }
    return fail(refused(
        "there is no table or view " + name + " in this destination, and files cannot be read",
        table.position));
  }

  // The same question to the lists of tables and views. A lone qualifier is a schema or the database.
  static std::string listed_sql(const TableReference& table) {
    using destinations::duckdb::quote_literal;
    std::string sql =
        "SELECT name FROM (SELECT database_name AS d, schema_name AS s, table_name AS name FROM "
        "duckdb_tables() UNION ALL SELECT database_name, schema_name, view_name FROM "
        "duckdb_views()) "
        "WHERE d = current_database() AND lower(name) = lower(" +
        quote_literal(table.table) + ")";
    if (!table.schema.empty()) {
      const std::string schema = "lower(" + quote_literal(table.schema) + ")";
      sql += " AND (lower(s) = " + schema;
      sql += table.catalog.empty() ? " OR lower(d) = " + schema + ")" : ")";
    }
    return sql;
  }

  // DuckDB's own count. Reached only by what is known to read.
  Result<> extract() {
    Extracted extracted;
    const idx_t count = duckdb_extract_statements(connection_, gated_.sql.c_str(), extracted.out());
    if (count == 0) {
      const char* message = duckdb_extract_statements_error(extracted.get());
      return fail(sql_error(DUCKDB_ERROR_PARSER, message == nullptr ? "" : message, gated_.sql,
                            "sql-syntax"));
    }
    if (count != 1 && !gated_.collects_pivot_values) {
      return fail(refused("only one statement can be run at a time", 0));
    }
    return {};
  }

  duckdb_connection connection_;
  const GateOptions& options_;
  GatedStatement gated_;
  SqlTokens tokens_;
  std::optional<std::vector<std::string>> other_catalogs_;
};

// Prepares the i-th statement, which must be of this type.
Result<Prepared> prepare_one(duckdb_connection connection, const GatedStatement& statement,
                             const Extracted& extracted, idx_t i, duckdb_statement_type type) {
  Prepared prepared;
  if (duckdb_prepare_extracted_statement(connection, extracted.get(), i, prepared.out()) !=
      DuckDBSuccess) {
    const char* message = duckdb_prepare_error(prepared.get());
    return fail(sql_error(DUCKDB_ERROR_BINDER, message == nullptr ? "" : message, statement.sql,
                          "sql-error"));
  }
  if (duckdb_prepared_statement_type(prepared.get()) != type) {
    return fail(refused("this statement is not one that only reads", 0));
  }
  return prepared;
}

}  // namespace

Result<GatedStatement> gate(duckdb_connection connection, std::string_view sql,
                            const GateOptions& options) {
  return Gate(connection, options).run(sql);
}

Result<Prepared> prepare(duckdb_connection connection, const GatedStatement& statement) {
  Extracted extracted;
  const idx_t count = duckdb_extract_statements(connection, statement.sql.c_str(), extracted.out());
  if (count == 0 || (count != 1 && !statement.collects_pivot_values)) {
    return fail(ErrorCode::kInternal, "a statement changed between the gate and its preparation");
  }
  for (idx_t i = 0; i + 1 < count; ++i) {
    TRY_ASSIGN(const Prepared values,
               prepare_one(connection, statement, extracted, i, DUCKDB_STATEMENT_TYPE_CREATE));
    QueryResult result;
    if (duckdb_execute_prepared(values.get(), result.get()) != DuckDBSuccess) {
      const char* message = duckdb_result_error(result.get());
      return fail(sql_error(duckdb_result_error_type(result.get()),
                            message == nullptr ? "" : message, statement.sql, "sql-error"));
    }
  }
  return prepare_one(connection, statement, extracted, count - 1, statement.prepared_type());
}

}  // namespace sd::query
