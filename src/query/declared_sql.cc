#include "query/declared_sql.h"

#include <optional>

#include "base/ascii.h"
#include "destinations/duckdb/handles.h"
#include "query/declared_parameter.h"
#include "query/parameter_type.h"
#include "query/parameters.h"
#include "query/sql_tokens.h"

namespace sd::query {
namespace {

const json::Value* find_folded(const json::Value& object, std::string_view name) {
  for (const auto& [member, value] : object.members()) {
    if (same_ascii_folded(member, name)) return &value;
  }
  return nullptr;
}

// $user is two tokens, also as $ user and $"user".
std::string_view parameter_name(const SqlTokens& tokens, std::size_t i) {
  const std::string_view text = tokens.text(i);
  if (tokens[i].kind == SqlToken::Kind::kName) return text.substr(1, text.size() - 2);
  return tokens[i].kind == SqlToken::Kind::kWord ? text : std::string_view();
}

// The type that SQL writes for a parameter's value; nullopt: none is declared.
std::optional<std::string> sql_type(std::string_view name, const json::Value& types,
                                    const json::Value& params, bool narrow) {
  const json::Value* type = find_folded(types, name);
  if (type == nullptr || !type->is_string()) return std::nullopt;
  const auto declared = parse_declared_type(type->text());
  const json::Value* value = find_folded(params, name);
  if (!declared || value == nullptr) return std::nullopt;
  if (narrow && declared->kind == DeclaredType::Kind::kInteger)
    return declared->is_list ? "INTEGER[]" : "INTEGER";
  const auto made = parameter_type(*value, *declared);
  return made ? std::optional(made->name()) : std::nullopt;
}

// Whether DuckDB takes the statement with values of those types.
bool binds(duckdb_connection connection, const GatedStatement& statement, const json::Value& types,
           const json::Value& params) {
  if (!destinations::duckdb::execute(connection, "BEGIN TRANSACTION READ ONLY")) return false;
  const auto prepared = prepare(connection, statement);
  const bool takes = prepared && bind(prepared->get(), statement, &params, &types);
  (void)destinations::duckdb::execute(connection, "ROLLBACK");
  return takes;
}

}  // namespace

std::optional<std::string> with_casts(std::string_view sql, const json::Value& types,
                                      const json::Value& params, bool narrow) {
  const auto tokens = SqlTokens::read(sql, GateOptions().max_depth);
  if (!tokens) return std::nullopt;
  std::string out;
  std::size_t copied = 0;
  for (std::size_t i = 0; i < tokens->size(); ++i) {
    if (tokens->is_symbol(i, '?')) return std::nullopt;
    if (!tokens->is_symbol(i, '$')) continue;
    const auto type = i + 1 < tokens->size()
                          ? sql_type(parameter_name(*tokens, i + 1), types, params, narrow)
                          : std::nullopt;
    if (!type) return std::nullopt;
    const std::size_t begin = (*tokens)[i].begin, end = (*tokens)[i + 1].end;
    out.append(sql.substr(copied, begin - copied)).append("CAST(");
    out.append(sql.substr(begin, end - begin)).append(" AS ").append(*type).append(")");
    copied = end;
  }
  if (copied == 0) return std::nullopt;
  return out.append(sql.substr(copied));
}

Result<GatedStatement> gate_declared(duckdb_connection connection, std::string_view sql,
                                     const json::Value& types, const json::Value& params,
                                     const GateOptions& options) {
  std::string tried;
  for (const bool narrow : {false, true}) {
    const auto text = with_casts(sql, types, params, narrow);
    if (!text || *text == tried) break;
    auto gated = gate(connection, *text, options);
    // Preparing one of those runs a query.
    if (!gated || gated->collects_pivot_values) break;
    gated->has_casts = true;
    if (binds(connection, *gated, types, params)) return gated;
    tried = *text;
  }
  return gate(connection, sql, options);
}

}  // namespace sd::query
