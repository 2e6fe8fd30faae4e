#include "query/gate.h"

#include <algorithm>
#include <optional>

#include "base/ascii.h"
#include "base/json_text.h"
#include "query/gate_catalog.h"
#include "query/gate_policy.h"
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

// And with the square of what GROUP BY lists: 4,000 are 0.3 s, 20,000 are 10 s.
constexpr std::size_t kMaxGroups = 5'000;
// The syntax tree of 400,000 tokens (a list of 200,000 numbers) takes 300 to 500 MB for a moment.
constexpr std::size_t kMaxTokens = 400'000;

Error refused(std::string message, std::size_t position) {
  return sql_problem(std::move(message), "sql-not-allowed", position);
}

class Gate {
 public:
  Gate(duckdb_connection connection, const GateOptions& options)
      : connection_(connection), options_(options), catalog_(connection, options) {
    gated_.limited = options.tables.has_value();
  }

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
          refused("the statement is longer than " + std::to_string(options_.max_bytes) + " bytes",
                  options_.max_bytes));
    }
    if (const std::size_t at = sql.find('\0'); at != std::string_view::npos) {
      return fail(sql_problem("the statement contains a NUL character", "sql-syntax", at));
    }
    if (!is_valid_utf8(sql)) {
      std::size_t at = 0;
      while (const std::size_t n = utf8_sequence_length(sql.substr(at))) at += n;
      return fail(sql_problem("the statement is not valid UTF-8", "sql-syntax", at));
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
    if (tokens_.size() > kMaxTokens) {
      return fail(refused("the statement has more than " + std::to_string(kMaxTokens) +
                              " words, numbers and signs; lists can be sent as parameters",
                          tokens_[kMaxTokens].begin));
    }
    std::size_t conditions = 0;
    std::optional<std::size_t> semicolon;
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      if ((tokens_.is_word(i, "and") || tokens_.is_word(i, "or")) &&
          ++conditions > kMaxConditions) {
        return fail(refused(
            "the statement has more than " + std::to_string(kMaxConditions) + " times AND or OR",
            tokens_[i].begin));
      }
      if (tokens_.is_symbol(i, ';')) {
        semicolon = i;
      } else if (semicolon) {
        return fail(refused(*semicolon == 0 ? "a statement cannot begin with a semicolon"
                                            : "only one statement can be run at a time",
                            tokens_[*semicolon == 0 ? 0 : i].begin));
      }
    }
    TRY(check_groups());
    if (tokens_.size() == 0 || semicolon == std::size_t{0}) {
      return fail(sql_problem("the statement is empty", "sql-syntax", 0));
    }
    return {};
  }

  // Commas behind GROUP BY, until its query ends or goes on with another clause.
  Result<> check_groups() const {
    static constexpr std::string_view kAfter[] = {"having", "order", "qualify", "window",
                                                  "limit",  "union", "except",  "intersect"};
    std::size_t groups = 0;
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      if (!tokens_.is_word(i, "group") || !tokens_.is_word(i + 1, "by")) continue;
      const std::uint32_t depth = tokens_[i].depth;
      for (i += 2; i < tokens_.size() && tokens_[i].depth >= depth; ++i) {
        if (tokens_[i].depth == depth &&
            std::ranges::any_of(kAfter, [&](auto word) { return tokens_.is_word(i, word); })) {
          break;
        }
        if (tokens_.is_symbol(i, ',') && ++groups > kMaxGroups) {
          return fail(refused(
              "GROUP BY more than " + std::to_string(kMaxGroups) + " expressions is not allowed",
              tokens_[i].begin));
        }
      }
    }
    return {};
  }

  // Checks the first keyword, steps over EXPLAIN and its options.
  Result<std::size_t> leading_statement() {
    TRY(leading_keyword(0));
    gated_.describes = tokens_.is_word(0, "describe") || tokens_.is_word(0, "desc") ||
                       tokens_.is_word(0, "show") || tokens_.is_word(0, "summarize");
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
    TRY_ASSIGN(std::string tree, catalog_.serialise(inner));
    RewrittenSql rewritten(inner);
    if (is_not_a_select(tree)) {
      TRY_ASSIGN(const SqlTokens inner_tokens, SqlTokens::read(inner, options_.max_depth));
      rewritten = with_pivot_values(inner, inner_tokens);
      if (rewritten.changed()) {
        TRY_ASSIGN(tree, catalog_.serialise(rewritten.text()));
      }
      if (is_not_a_select(tree) || !rewritten.changed()) {
        return fail(
            refused("this statement is not one that only reads, or a PIVOT whose values come "
                    "from a subquery, which is not allowed here",
                    begin));
      }
      TRY(check_values_can_be_collected(begin));
      gated_.collects_pivot_values = true;
    }
    TRY_ASSIGN(const TreeFindings findings,
               catalog_.judge(tree, inlines_ctes(), [&](std::size_t position) {
                 return begin + rewritten.original_position(position);
               }));
    if (findings.statements != 1) {
      return fail(refused("only one statement can be run at a time", begin));
    }
    count_parameters();
    gated_.plain_scan =
        findings.plain_scan && gated_.kind == GatedStatement::Kind::kSelect && !gated_.describes;
    gated_.volatile_result =
        findings.volatile_result || gated_.kind == GatedStatement::Kind::kExplain;
    return {};
  }

  // A PIVOT without values becomes several statements, of which only the last one is the user's. Those before it name the
  // same tables; but of nested WITHs DuckDB 1.5.6 writes the inner one first there, so that what it names is a table of
  // the catalog and not what the outer one calls so, as it is in the statement that was judged.
  Result<> check_values_can_be_collected(std::size_t begin) const {
    constexpr std::string_view kNeeds = " needs its values: PIVOT … ON column IN (…)";
    if (gated_.kind == GatedStatement::Kind::kExplain)
      return fail(refused("EXPLAIN of a PIVOT" + std::string(kNeeds), begin));
    std::size_t withs = 0;
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      if (tokens_.is_word(i, "with") && !follows_as_modifier(i) &&
          ++withs > (gated_.limited ? 0U : 1U)) {
        return fail(refused((gated_.limited ? "a PIVOT in a statement with WITH"
                                            : "a PIVOT in a statement with more than one WITH") +
                                std::string(kNeeds),
                            tokens_[i].begin));
      }
      if (tokens_.is_symbol(i, '$') || tokens_.is_symbol(i, '?'))
        return fail(refused("a PIVOT with parameters" + std::string(kNeeds), tokens_[i].begin));
    }
    return {};
  }

  // The WITH of TIMESTAMP WITH TIME ZONE, WITH ORDINALITY and WITH TIES, which names nothing.
  bool follows_as_modifier(std::size_t i) const {
    return (tokens_.is_word(i + 1, "time") && tokens_.is_word(i + 2, "zone")) ||
           tokens_.is_word(i + 1, "ordinality") || tokens_.is_word(i + 1, "ties");
  }

  void count_parameters() {
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      if (tokens_.is_symbol(i, '$') || tokens_.is_symbol(i, '?')) ++gated_.parameter_marks;
    }
  }

  // NOT MATERIALIZED, which the syntax tree does not tell.
  bool inlines_ctes() const {
    for (std::size_t i = 0; i + 1 < tokens_.size(); ++i) {
      if (tokens_.is_word(i, "not") && tokens_.is_word(i + 1, "materialized")) return true;
    }
    return false;
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
  GateCatalog catalog_;
};

// Prepares the i-th statement, which must be of this type.
Result<Prepared> prepare_one(duckdb_connection connection, const GatedStatement& statement,
                             const Extracted& extracted, idx_t i, duckdb_statement_type type) {
  Prepared prepared;
  if (duckdb_prepare_extracted_statement(connection, extracted.get(), i, prepared.out()) !=
      DuckDBSuccess) {
    const char* message = duckdb_prepare_error(prepared.get());
    return fail(sql_error(DUCKDB_ERROR_BINDER, message == nullptr ? "" : message, statement.sql,
                          "sql-error", statement.limited));
  }
  if (duckdb_prepared_statement_type(prepared.get()) != type) {
    return fail(refused("this statement is not one that only reads", 0));
  }
  return prepared;
}

Result<Prepared> prepare_text(duckdb_connection connection, const GatedStatement& statement,
                              const std::string& sql, duckdb_statement_type type) {
  Extracted extracted;
  const idx_t count = duckdb_extract_statements(connection, sql.c_str(), extracted.out());
  if (count == 0 || (count != 1 && !statement.collects_pivot_values)) {
    // A fault of ours, and none of the instance's: it must not end the engine (kInternal does).
    return fail(invalid("this statement is not read in the same way twice")
                    .with_slug("sql-error")
                    .with_status(500));
  }
  for (idx_t i = 0; i + 1 < count; ++i) {
    TRY_ASSIGN(const Prepared values,
               prepare_one(connection, statement, extracted, i, DUCKDB_STATEMENT_TYPE_CREATE));
    QueryResult result;
    if (duckdb_execute_prepared(values.get(), result.get()) != DuckDBSuccess) {
      const char* message = duckdb_result_error(result.get());
      return fail(sql_error(duckdb_result_error_type(result.get()),
                            message == nullptr ? "" : message, statement.sql, "sql-error",
                            statement.limited));
    }
  }
  return prepare_one(connection, statement, extracted, count - 1, type);
}

}  // namespace

Result<GatedStatement> gate(duckdb_connection connection, std::string_view sql,
                            const GateOptions& options) {
  return Gate(connection, options).run(sql);
}

Result<Prepared> prepare(duckdb_connection connection, const GatedStatement& statement) {
  return prepare_text(connection, statement, statement.sql, statement.prepared_type());
}

Result<Prepared> prepare_copy(duckdb_connection connection, const GatedStatement& statement,
                              const std::string& copy) {
  return prepare_text(connection, statement, copy, DUCKDB_STATEMENT_TYPE_COPY);
}

}  // namespace sd::query
