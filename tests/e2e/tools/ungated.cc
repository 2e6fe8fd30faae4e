// The server without its SQL gate and without DuckDB's own walls, for sandbox.test.mjs: what a
// stranger's SQL reaches then, the engine's sandbox alone has let through. Never built by ./dev
// build, never installed.
//
// These functions stand in for the rooms' own: the linker takes an object's before a library's.
#include "destinations/duckdb/duckdb_destination.h"
#include "query/gate.h"
#include "query/sql_error.h"

namespace sd::query {

// The client hears DuckDB's own words, so that a test can tell which wall it was.
Error sql_error(duckdb_error_type type, std::string_view message, std::string_view /*sql*/,
                std::string slug, bool /*limited*/) {
  Error error = destinations::duckdb::duckdb_error(type, message);
  error.slug = std::move(slug);
  return error;
}
std::string_view without_advice(std::string_view message) {
  return message;
}

Result<GatedStatement> gate(duckdb_connection /*connection*/, std::string_view sql,
                            const GateOptions& /*options*/) {
  return GatedStatement{.sql = std::string(sql)};
}

// Runs every statement but the last, outside of any transaction, and prepares that.
static Result<destinations::duckdb::Prepared> prepare_all(duckdb_connection connection,
                                                          const std::string& sql) {
  using namespace destinations::duckdb;
  (void)execute(connection, "ROLLBACK");
  Extracted all;
  const idx_t count = duckdb_extract_statements(connection, sql.c_str(), all.out());
  if (count == 0) {
    const char* message = duckdb_extract_statements_error(all.get());
    return fail(invalid(message != nullptr ? message : "no statement"));
  }
  Prepared prepared;
  for (idx_t i = 0; i < count; ++i) {
    prepared = Prepared();
    if (duckdb_prepare_extracted_statement(connection, all.get(), i, prepared.out()) !=
        DuckDBSuccess)
      return fail(invalid(duckdb_prepare_error(prepared.get())));
    if (i + 1 == count) break;
    QueryResult result;
    if (duckdb_execute_prepared(prepared.get(), result.get()) != DuckDBSuccess)
      return fail(result_error(result.get()));
  }
  return prepared;
}

Result<destinations::duckdb::Prepared> prepare(duckdb_connection connection,
                                               const GatedStatement& statement) {
  return prepare_all(connection, statement.sql);
}

Result<destinations::duckdb::Prepared> prepare_copy(duckdb_connection connection,
                                                    const GatedStatement& /*statement*/,
                                                    const std::string& copy) {
  return prepare_all(connection, copy);
}

}  // namespace sd::query

namespace sd::destinations::duckdb {

std::vector<std::pair<std::string, std::string>> DuckdbDestination::protective_settings() {
  return {{"allow_unsigned_extensions", "true"}};
}

Result<> DuckdbDestination::lock_down() {
  return {};
}

}  // namespace sd::destinations::duckdb
