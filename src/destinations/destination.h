// A system that rows are loaded into and queries run on. One object in one engine process.
//
// Errors and what they mean to the caller:
//   kUnavailable        cannot be reached for now (another process holds the file, the network is
//                       down): nothing happened, try again
//   kResourceExhausted  out of disk or memory: nothing happened, try again later
//   kInDoubt            a commit whose outcome is not known: read load_state() before going on
//   kCorruption         the destination and the log contradict each other: stop
//   kInternal           this object is of no more use: the engine process should end and start anew
//
// Loading: write() any number of batches, then commit() with the position that they reach, or
// rollback(). An error of write() has rolled back already.
//
// Threading: tables() from any thread while the destination is open, the rest from the loader's thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "destinations/batch.h"

namespace sd::destinations {

struct ColumnInfo {
  std::string name;
  std::string type;  // as the destination spells it
};

struct TableInfo {
  std::string name;
  std::vector<ColumnInfo> columns;
  std::uint64_t rows = 0;
  std::optional<std::uint64_t>
      bytes;  // on disk; of one table that was asked for, where it can be told
  std::optional<Micros> first_row_at;
  std::optional<Micros> last_row_at;
};

// A row that loading refused, as its sender is told of it.
struct RefusedRow {
  std::uint64_t row = 0;  // index in its request
  std::string code;
  std::string detail;
};
struct RefusedRows {
  std::uint64_t count = 0;
  std::vector<RefusedRow> first;
};

class Destination {
 public:
  virtual ~Destination() = default;

  // Connects, makes what we keep there (positions, schema history, refused rows), migrates an older
  // version of it. kInvalidArgument where a newer version of the program wrote it.
  virtual Result<> open() = 0;
  virtual Result<LoadState> load_state(const Id128& log_id) = 0;
  // What is known of a table, matched without regard to ASCII case; exists=false where there is none.
  virtual Result<json::TableSchema> schema(const std::string& table) = 0;

  // Tables that look like children of that one (json::Flatten::kMultitable): named <table>_…, with the columns
  // __parent_row_id and <table>_id.
  virtual Result<std::vector<std::string>> child_tables(const std::string& table) = 0;

  // Whether any table may have columns of types that rows never make (json::ForeignType), those of nested types aside.
  virtual Result<bool> has_foreign_columns() { return true; }

  // Contracts by folded table name, of tables that are not there yet too.
  virtual Result<std::map<std::string, json::Contract>> contracts() = 0;

  // Begins a transaction if none is open.
  virtual Result<> write(const Batch& batch) = 0;
  virtual Result<> write(const TableChange& change, Micros at) = 0;
  // Failed rows behind (position, row), in that order: at most `limit`, and not more bytes than a batch
  // should have.
  virtual Result<std::vector<FailedRow>> failed_rows(const FailedFilter& filter,
                                                     std::uint64_t after_position,
                                                     std::int64_t after_row, std::size_t limit) = 0;
  // In the open transaction.
  virtual Result<> remove_failed(const std::vector<FailedRow>& rows) = 0;
  // All that was written and the position, or nothing of it; durable on return.
  virtual Result<> commit(const Id128& log_id, const LoadState& state) = 0;
  virtual void rollback() = 0;

  // Housekeeping between batches (checkpoints); cheap where nothing is due.
  virtual Result<> maintain() = 0;
  // Leaves the destination as another program would want to find it.
  virtual Result<> close() = 0;

  virtual Result<std::vector<TableInfo>> tables() = 0;
};

}  // namespace sd::destinations
