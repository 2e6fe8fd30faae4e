#include "destinations/duckdb/readers.h"

namespace sd::destinations::duckdb {
namespace {

Result<Connection> connect(duckdb_database database) {
  Connection connection;
  if (duckdb_connect(database, connection.out()) != DuckDBSuccess) {
    return fail(ErrorCode::kInternal, "DuckDB gave no connection");
  }
  TRY(execute(connection.get(), "USE db"));
  return connection;
}

}  // namespace

Readers::Lease::~Lease() {
  if (home_ != nullptr && connection_) home_->give_back(std::move(connection_), kind_);
}

Result<> Readers::make(duckdb_database database, std::size_t count) {
  for (const Kind kind : {Kind::kPlain, Kind::kCountsProgress}) {
    for (std::size_t i = 0; i < count; ++i) {
      TRY_ASSIGN(Connection connection, connect(database));
      // Less than DuckDB's 1 MB: what waits for the encoder stays in the processor's cache.
      TRY(execute(connection.get(), "SET streaming_buffer_size='400KB'"));
      if (kind == Kind::kCountsProgress) {
        TRY(execute(connection.get(),
                    "SET enable_progress_bar=true; SET enable_progress_bar_print=false; "
                    "SET progress_bar_time=0"));
      }
      const std::lock_guard lock(mutex_);
      idle(kind).push_back(std::move(connection));
    }
  }
  return {};
}

auto Readers::take(duckdb_database database, Kind kind) -> Result<Lease> {
  {
    const std::lock_guard lock(mutex_);
    if (!idle(kind).empty()) {
      Lease lease(std::move(idle(kind).back()), this, kind);
      idle(kind).pop_back();
      return lease;
    }
  }
  TRY_ASSIGN(Connection connection, connect(database));
  return Lease(std::move(connection), nullptr, kind);
}

void Readers::give_back(Connection connection, Kind kind) {
  // Where none is open this is an error, and says nothing.
  (void)execute(connection.get(), "ROLLBACK");
  const std::lock_guard lock(mutex_);
  idle(kind).push_back(std::move(connection));
}

void Readers::clear() {
  const std::lock_guard lock(mutex_);
  for (auto& connections : idle_) connections.clear();
}

}  // namespace sd::destinations::duckdb
