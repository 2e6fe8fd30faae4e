// Connections for queries, made before the settings of the instance are locked: a connection keeps count of how far
// its query is only when told so, and nobody can tell it afterwards. Those that do not keep count are for results that
// are rows as they stand, which cost 2 to 5 % more processor time with it (measured; DuckDB counts at each look for a chunk).
//
// A lease gives its connection back when it ends, with no transaction open. Where all are out, another connection is
// made, which works as well and knows no progress. Any thread; a lease must end before the pool does.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <vector>

#include "destinations/duckdb/handles.h"

namespace sd::destinations::duckdb {

class Readers {
 public:
  enum class Kind : std::uint8_t { kPlain, kCountsProgress };

  class Lease {
   public:
    Lease(Connection connection, Readers* home, Kind kind)
        : connection_(std::move(connection)), home_(home), kind_(kind) {}
    ~Lease();
    Lease(Lease&& other) noexcept = default;
    Lease& operator=(Lease&&) = delete;
    duckdb_connection get() const { return connection_.get(); }

   private:
    Connection connection_;
    Readers* home_;  // null: ends with the lease
    Kind kind_;
  };

  // Makes `count` connections of each kind with `db` as their default database.
  Result<> make(duckdb_database database, std::size_t count);
  Result<Lease> take(duckdb_database database, Kind kind);
  void clear();

 private:
  void give_back(Connection connection, Kind kind);
  std::vector<Connection>& idle(Kind kind) { return idle_[static_cast<std::size_t>(kind)]; }

  std::mutex mutex_;
  std::array<std::vector<Connection>, 2> idle_;  // by kind
};

}  // namespace sd::destinations::duckdb
