#include "destinations/duckdb/column_types.h"

#include "destinations/duckdb/own_tables.h"

namespace sd::destinations::duckdb {

Result<TypesByName> types_of(duckdb_connection connection, const std::string& table) {
  TableDescription description;
  if (duckdb_table_description_create_ext(connection, kAttachedAs, "main", table.c_str(),
                                          description.out()) != DuckDBSuccess) {
    const char* message = duckdb_table_description_error(description.get());
    return fail(duckdb_error(DUCKDB_ERROR_CATALOG, message != nullptr ? message : "no such table"));
  }
  TypesByName types;
  const idx_t count = duckdb_table_description_get_column_count(description.get());
  types.reserve(count);
  for (idx_t i = 0; i < count; ++i) {
    char* name = duckdb_table_description_get_column_name(description.get(), i);
    types.emplace(name,
                  LogicalType(duckdb_table_description_get_column_type(description.get(), i)));
    duckdb_free(name);
  }
  return types;
}

}  // namespace sd::destinations::duckdb
