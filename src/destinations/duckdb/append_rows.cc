#include "destinations/duckdb/append_rows.h"

#include <string>
#include <unordered_map>
#include <vector>

#include "destinations/duckdb/chunk_writer.h"
#include "destinations/duckdb/column_types.h"
#include "destinations/duckdb/nested_writer.h"
#include "destinations/duckdb/own_tables.h"
#include "destinations/duckdb/rows.h"

namespace sd::destinations::duckdb {
namespace {

constexpr const char* kAppended = "_scratch_rows";

LogicalType varchar() {
  return LogicalType(duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR));
}

// The value of a type that is not ours, out of its text. What only the cast can tell is looked at: it must be spelled
// so again. Of JSON, zeros behind a point and members that are null say nothing.
std::string cast_to(const std::string& text, const json::ForeignType& type) {
  if (!type.is_looked_at()) return "CAST(" + text + " AS " + type.sql() + ")";
  const std::string value = "TRY_CAST(" + (type.is_nested() ? "CAST(" + text + " AS JSON)" : text) +
                            " AS " + type.sql() + ")";
  const auto spelled = [](const std::string& json) {
    return "regexp_replace(CAST(json_merge_patch('{}', " + json +
           ") AS VARCHAR), '\\.0+([],}])', '\\1', 'g')";
  };
  const std::string same =
      type.is_nested() ? spelled("to_json(" + value + ")") + " = " + spelled("json(" + text + ")")
                       : "CAST(" + value + " AS VARCHAR) = " + text;
  return "CASE WHEN " + text + " IS NULL OR " + same + " THEN " + value +
         " ELSE error('a value cannot be stored without a loss in a column of type ' || " +
         quote_literal(type.sql()) + ") END";
}

// The columns that a batch brings, in the order of its chunks, with the types that they have in the table.
struct Target {
  std::vector<LogicalType> types;
  std::vector<duckdb_logical_type> raw_types;  // of `types`
  std::string insert;
  std::string select;  // what the columns are made of, and whether that is more than themselves
  bool casts = false;
  std::vector<ChunkWriter::Column> columns;  // behind __row_id and __received_at

  void add(const std::string& name, LogicalType type, const json::ForeignType* foreign = nullptr) {
    const std::string comma = types.empty() ? "" : ", ";
    const std::string appended = "col" + std::to_string(types.size() + 1);
    insert += comma + quote_identifier(name);
    select += comma + (foreign != nullptr ? cast_to(appended, *foreign) : appended);
    casts = casts || foreign != nullptr;
    raw_types.push_back(type.get());
    types.push_back(std::move(type));
  }
};

Error changed(const std::string& name) {
  return invalid("the column " + quote_identifier(name) + " was changed by somebody else");
}

Result<> add_column(Target& target, TypesByName& types, const std::string& name,
                    const std::vector<json::Cell>& cells, const json::ColumnType& type) {
  const auto found = types.find(name);
  if (found == types.end() || !has_type(found->second.get(), type)) {
    return fail(changed(name));
  }
  target.add(name, std::move(found->second));
  target.columns.push_back({&cells, type});
  return {};
}

Result<> add_foreign(duckdb_connection connection, Target& target, const TableBatch& table) {
  const json::TableSchema& schema = table.plan->after();
  if (!schema.has_foreign()) return {};
  TRY_ASSIGN(const auto columns,
             fetch(connection,
                   "SELECT column_name, data_type FROM duckdb_columns() WHERE database_name = " +
                       quote_literal(kAttachedAs) +
                       " AND schema_name = 'main' AND table_name = " + quote_literal(schema.name)));
  std::unordered_map<std::string, std::string> types;
  for (const Row& row : columns) types.emplace(row.text(0), row.text(1));
  for (const json::SchemaPlan::Mapping& mapping : table.plan->mappings()) {
    const json::SchemaColumn& column = schema.columns[mapping.column];
    if (!column.foreign) continue;
    if (types[column.name] != column.foreign->sql()) return fail(changed(column.name));
    target.add(column.name, varchar(), column.foreign.get());
    target.columns.push_back({&mapping.source->cells, {}, column.foreign.get()});
  }
  return {};
}

Result<Target> make_target(duckdb_connection connection, const TableBatch& table) {
  const json::TableSchema& schema = table.plan->after();
  TRY_ASSIGN(TypesByName types, types_of(connection, schema.name));
  Target target;
  target.insert = "INSERT INTO " + quote_identifier(kAttachedAs) + ".main." +
                  quote_identifier(schema.name) + "(";
  // Where somebody else's table has these two with other types, DuckDB casts.
  target.add(std::string(json::kRowId),
             LogicalType(duckdb_create_logical_type(DUCKDB_TYPE_BIGINT)));
  target.add(std::string(json::kReceivedAt),
             LogicalType(duckdb_create_logical_type(DUCKDB_TYPE_TIMESTAMP_TZ)));
  for (const json::SchemaPlan::Mapping& mapping : table.plan->mappings()) {
    const json::SchemaColumn& column = schema.columns[mapping.column];
    if (column.foreign) continue;
    TRY(add_column(target, types, column.name, mapping.source->cells, column.type));
  }
  if (!table.plan->overflow().empty()) {
    TRY(add_column(target, types, std::string(json::kOverflow), table.plan->overflow(),
                   {json::BaseType::kJson, 0}));
  }
  TRY(add_foreign(connection, target, table));
  // Thousands of names cost DuckDB time to parse: only where they say something.
  target.insert += ") ";
  if (target.casts) target.insert += "SELECT " + target.select + " ";
  target.insert += std::string("FROM ") + kAppended;
  return target;
}

}  // namespace

Result<> append_rows(duckdb_connection connection, const TableBatch& table) {
  if (table.rows->rows() == 0) return {};
  TRY_ASSIGN(Target target, make_target(connection, table));
  Appender appender;
  const auto check = [&](duckdb_state state) -> Result<> {
    if (state == DuckDBSuccess) return {};
    Error error = appender_error(appender.get());
    duckdb_appender_clear(appender.get());
    return fail(std::move(error));
  };
  TRY(check(duckdb_appender_create_query(connection, target.insert.c_str(), target.types.size(),
                                         target.raw_types.data(), kAppended, nullptr,
                                         appender.out())));
  DataChunk chunk(duckdb_create_data_chunk(target.raw_types.data(), target.raw_types.size()));
  ChunkWriter writer(*table.rows, std::move(target.columns));
  while (writer.fill(chunk.get())) {
    // The rows are held against their columns before; not so the first ones of a child table that nobody knew of.
    if (writer.has_misfit()) {
      duckdb_appender_clear(appender.get());
      return fail(invalid("a value cannot be stored in its column without a loss"));
    }
    TRY(check(duckdb_append_data_chunk(appender.get(), chunk.get())));
  }
  return check(duckdb_appender_flush(appender.get()));
}

}  // namespace sd::destinations::duckdb
