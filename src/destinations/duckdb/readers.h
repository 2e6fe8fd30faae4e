// Connections for queries, made before the settings of the instance are locked: a connection keeps count of how far
// its query is only when told so, and nobody can tell it afterwards.
//
// A lease gives its connection back when it ends, with no transaction open. Where all are out, another connection is
// made, which works as well and knows no progress. Any thread; a lease must end before the pool does.
#pragma once

#include <mutex>
#include <vector>

#include "destinations/duckdb/handles.h"

namespace sd::destinations::duckdb {

class Readers {
 public:
  class Lease {
   public:
    Lease(Connection connection, Readers* home) : connection_(std::move(connection)), home_(home) {}
    ~Lease();
    Lease(Lease&& other) noexcept = default;
    Lease& operator=(Lease&&) = delete;
    duckdb_connection get() const { return connection_.get(); }

   private:
    Connection connection_;
    Readers* home_;  // null: ends with the lease
  };

  // Makes `count` connections with `db` as their default database.
  Result<> make(duckdb_database database, std::size_t count);
  Result<Lease> take(duckdb_database database);
  void clear();

 private:
  void give_back(Connection connection);

  std::mutex mutex_;
  std::vector<Connection> idle_;
};

}  // namespace sd::destinations::duckdb
