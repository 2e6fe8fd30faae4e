#include "query/describe.h"

#include <optional>

#include "base/json_text.h"
#include "destinations/duckdb/handles.h"
#include "query/parameters.h"
#include "query/sql_error.h"
#include "query/type_name.h"

namespace sd::query {
namespace {

using destinations::duckdb::LogicalType;
using Kind = DeclaredType::Kind;

// The one that holds values of DuckDB's type; string where none does.
DeclaredType declared_type_for(duckdb_type type, duckdb_type element) {
  if (type == DUCKDB_TYPE_LIST || type == DUCKDB_TYPE_ARRAY) {
    DeclaredType of = declared_type_for(element, DUCKDB_TYPE_INVALID);
    of.is_list = true;
    return of;
  }
  switch (type) {
    case DUCKDB_TYPE_BOOLEAN:
      return {Kind::kBoolean};
    case DUCKDB_TYPE_TINYINT:
    case DUCKDB_TYPE_SMALLINT:
    case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_BIGINT:
    case DUCKDB_TYPE_UTINYINT:
    case DUCKDB_TYPE_USMALLINT:
    case DUCKDB_TYPE_UINTEGER:
      return {Kind::kInteger};
    case DUCKDB_TYPE_UBIGINT:
    case DUCKDB_TYPE_HUGEINT:
    case DUCKDB_TYPE_UHUGEINT:
    case DUCKDB_TYPE_DECIMAL:
      return {Kind::kDecimal};
    case DUCKDB_TYPE_FLOAT:
    case DUCKDB_TYPE_DOUBLE:
      return {Kind::kNumber};
    case DUCKDB_TYPE_DATE:
      return {Kind::kDate};
    case DUCKDB_TYPE_TIMESTAMP:
    case DUCKDB_TYPE_TIMESTAMP_S:
    case DUCKDB_TYPE_TIMESTAMP_MS:
    case DUCKDB_TYPE_TIMESTAMP_NS:
    case DUCKDB_TYPE_TIMESTAMP_TZ:
      return {Kind::kTimestamp};
    case DUCKDB_TYPE_UUID:
      return {Kind::kUuid};
    default:
      return {Kind::kString};
  }
}

duckdb_type element_of(duckdb_logical_type type) {
  const bool array = duckdb_get_type_id(type) == DUCKDB_TYPE_ARRAY;
  if (!array && duckdb_get_type_id(type) != DUCKDB_TYPE_LIST) return DUCKDB_TYPE_INVALID;
  const LogicalType element(array ? duckdb_array_type_child_type(type)
                                  : duckdb_list_type_child_type(type));
  return duckdb_get_type_id(element.get());
}

// The error of a run without rows, where it would be that of any run: a type that fits nowhere, not a value.
Result<> fatal(Error error, duckdb_error_type type) {
  if (type != DUCKDB_ERROR_BINDER) return {};
  error.message = without_excerpt(error.message);
  std::erase_if(error.members, [](const auto& member) { return member.first == "sql_position"; });
  return fail(std::move(error));
}

// What a run without rows has; nullopt: it has none, for a reason that another run may not have.
Result<std::optional<ResultShape>> shape_of(duckdb_connection connection,
                                            const GatedStatement& statement,
                                            const json::Value& params, const json::Value* types) {
  std::optional<ResultShape> none;
  if (statement.kind != GatedStatement::Kind::kSelect || statement.collects_pivot_values)
    return none;
  GatedStatement empty = statement;
  empty.sql = "FROM (" + statement.within_brackets() + "\n) LIMIT 0";
  const auto prepared = prepare(connection, empty);
  if (!prepared || !bind(prepared->get(), statement, &params, types)) return none;
  destinations::duckdb::QueryResult result;
  if (duckdb_execute_prepared(prepared->get(), result.get()) != DuckDBSuccess) {
    const duckdb_error_type type = duckdb_result_error_type(result.get());
    const char* message = duckdb_result_error(result.get());
    // With casts it binds whatever the values are, and without types it is not known yet.
    const bool is_last_word = types != nullptr && types->is_object() && !statement.has_casts;
    if (is_last_word)
      TRY(fatal(sql_error(type, message != nullptr ? message : "", empty.sql, "sql-error"), type));
    return none;
  }
  Result<ResultShape> shape = ResultShape::from(result.ref(), statement.has_casts);
  if (!shape) return fail(std::move(shape).error());
  return std::optional(std::move(*shape));
}

}  // namespace

Result<Described> describe(duckdb_connection connection, const GatedStatement& statement,
                           duckdb_prepared_statement prepared, const json::Value* params,
                           const json::Value* types) {
  Described out;
  std::string nulls;
  for (idx_t i = 1; i <= duckdb_nparams(prepared); ++i) {
    const char* name = duckdb_parameter_name(prepared, i);
    if (name == nullptr) return fail(invalid("parameters that are numbered must have no gap"));
    const LogicalType type(duckdb_param_logical_type(prepared, i));
    const duckdb_type id = type ? duckdb_get_type_id(type.get()) : DUCKDB_TYPE_INVALID;
    const duckdb_type element = type ? element_of(type.get()) : DUCKDB_TYPE_INVALID;
    out.parameters.push_back({name, declared_type_for(id, element)});
    nulls += (nulls.empty() ? "" : ",") + json_string(name) + ":null";
    duckdb_free(const_cast<char*>(name));
  }
  TRY_ASSIGN(const json::Value none, json::parse_document("{" + nulls + "}"));
  const bool given = params != nullptr && !params->is_null();
  TRY_ASSIGN(const auto shape, shape_of(connection, statement, given ? *params : none, types));
  if (shape) out.columns = described(*shape);
  return out;
}

std::vector<Described::Column> described(const ResultShape& shape) {
  std::vector<Described::Column> out;
  for (const ResultColumn& column : shape.columns())
    out.push_back({column.name, type_name(column.type)});
  return out;
}

std::string columns_json(const std::vector<Described::Column>& columns) {
  json::Writer w;
  w.begin_array();
  for (const auto& column : columns)
    w.begin_object().member("name", column.name).member("type", column.type).end_object();
  return w.end_array().take();
}

}  // namespace sd::query
