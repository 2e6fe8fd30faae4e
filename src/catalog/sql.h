// Inside of the catalog room: a connection, transactions, and the one place where SOCI's exceptions
// become our errors. Names SOCI only by forward declaration; its headers stay in the .cc files.
//
// Threading: a Connection belongs to one thread at a time.
#pragma once

#include <exception>
#include <memory>
#include <string>
#include <utility>

#include "base/result.h"

namespace soci {
class session;
}

namespace sd::catalog {

// kUnavailable busy, kResourceExhausted full, kCorruption damaged, kAlreadyExists a constraint,
// else kInternal. The library's text goes to the log only: it may hold values and paths.
Error sql_error(const std::exception& error);

class Connection {
 public:
  // Opens (never makes) the SQLite file and sets the pragmas that belong to a connection.
  static Result<std::unique_ptr<Connection>> open(const std::string& path);
  ~Connection();
  soci::session& sql() { return *sql_; }

 private:
  explicit Connection(std::unique_ptr<soci::session> sql);
  std::unique_ptr<soci::session> sql_;
};

enum class Access { kRead, kWrite };

// Rolled back unless commit() was called. A writing one takes the write lock at once: one that
// began reading and then wants to write may find, too late to wait, that somebody wrote in between.
class Transaction {
 public:
  Transaction(soci::session& sql, Access access);  // throws
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();  // throws

 private:
  soci::session& sql_;
  bool open_ = true;
};

// Calls f, which returns a Result and may throw what SOCI throws.
template <typename F>
auto guarded(F&& f) -> decltype(f()) {
  try {
    return std::forward<F>(f)();
  } catch (const std::exception& error) {
    return fail(sql_error(error));
  }
}

// f(session) in a transaction that is committed if f succeeds.
template <typename F>
auto in_transaction(Connection& connection, Access access, F&& f) {
  return guarded([&] {
    Transaction transaction(connection.sql(), access);
    auto result = f(connection.sql());
    if (result) transaction.commit();
    return result;
  });
}

}  // namespace sd::catalog
