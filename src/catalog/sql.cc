#include "catalog/sql.h"

#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include "base/log.h"

namespace sd::catalog {
namespace {

// SQLite's primary result codes, https://www.sqlite.org/rescode.html
enum SqliteCode {
  kPerm = 3,
  kBusy = 5,
  kLocked = 6,
  kReadOnly = 8,
  kIoError = 10,
  kCorrupt = 11,
  kFull = 13,
  kCantOpen = 14,
  kConstraint = 19,
  kNotADatabase = 26
};

}  // namespace

Error sql_error(const std::exception& error) {
  const auto* sqlite = dynamic_cast<const soci::sqlite3_soci_error*>(&error);
  const int code = sqlite == nullptr ? 0 : sqlite->result() & 0xFF;
  const auto make = [](ErrorCode kind, std::string message) {
    return Error{.code = kind, .message = std::move(message)};
  };
  switch (code) {
    case kBusy:
    case kLocked:
      return make(ErrorCode::kUnavailable, "the catalog is in use by another process; try again")
          .with_retry_after(1);
    case kFull:
      return make(ErrorCode::kResourceExhausted, "the disk that holds the catalog is full");
    case kCorrupt:
    case kNotADatabase:
      return make(ErrorCode::kCorruption, "the catalog file is damaged, or is not a catalog");
    case kConstraint:
      return make(ErrorCode::kAlreadyExists, "this would collide with something that exists");
    case kCantOpen:
    case kPerm:
      return make(ErrorCode::kInternal, "the catalog file cannot be opened");
    case kReadOnly:
      return make(ErrorCode::kInternal, "the catalog file cannot be written");
    case kIoError:
      return make(ErrorCode::kInternal, "the disk that holds the catalog failed");
    default:
      log::error("catalog failed", {{"reason", error.what()}});
      return make(ErrorCode::kInternal, "the catalog failed");
  }
}

Connection::Connection(std::unique_ptr<soci::session> sql) : sql_(std::move(sql)) {}
Connection::~Connection() = default;

Result<std::unique_ptr<Connection>> Connection::open(const std::string& path) {
  // SOCI's connection string quotes the path, and knows no way to spell a quote inside.
  if (path.find('"') != std::string::npos) {
    return fail(invalid("the path of the data directory must not contain a double quote"));
  }
  return guarded([&]() -> Result<std::unique_ptr<Connection>> {
    static const soci::backend_factory& factory = *soci::factory_sqlite3();
    auto sql = std::make_unique<soci::session>(factory, "dbname=\"" + path + "\"");
    *sql << "PRAGMA busy_timeout = 5000";
    *sql << "PRAGMA foreign_keys = ON";
    *sql << "PRAGMA synchronous = FULL";
    // What a migration or a change takes away is not left readable in free pages.
    *sql << "PRAGMA secure_delete = ON";
    return std::unique_ptr<Connection>(new Connection(std::move(sql)));
  });
}

Transaction::Transaction(soci::session& sql, Access access) : sql_(sql) {
  sql_ << (access == Access::kWrite ? "BEGIN IMMEDIATE" : "BEGIN");
}

Transaction::~Transaction() {
  if (!open_) return;
  try {
    sql_ << "ROLLBACK";
  } catch (const std::exception& error) {
    // SQLite has rolled back by itself after some errors; then there is nothing left to undo.
    log::debug("rollback", {{"reason", error.what()}});
  }
}

void Transaction::commit() {
  sql_ << "COMMIT";
  open_ = false;
}

}  // namespace sd::catalog
