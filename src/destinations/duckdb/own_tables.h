// What we keep in a destination, in the schema _scratch beside the users' tables (which stand in main):
//
//   meta(key, value)        key 'version': of this layout
//   positions(log_id, position, next_row_id, rows_loaded, rows_failed, loaded_at)
//       how far each log has been loaded; the row with the highest position counts. Rows are only
//       inserted, never updated: an updated row beside two overlapping queries has CHECKPOINT refused.
//       The last hour's are kept, and for 30 days the last one of each minute, which tell when a request was
//       loaded; the others are deleted just before a checkpoint. A log's first row has position 0.
//   schema_log(seq, logged_at, table_key, table_name, event, path, column_name, from_type, to_type,
//              kinds, int_digits, scale, receipt, shape)
//       every change of a schema, in order; the last row of a path says what the column is now.
//       table_key is the name with ASCII case folded. Events: create, add, widen, state (what the column
//       has seen grew, its type did not), overflow (the table has its __overflow column), drop, rename
//       (logged for each column under the new name).
//   failed_rows(position, row, table_name, receipt, received_at, code, detail, body, flatten,
//               flatten_depth)
//       refused rows, whole, with how they were to become rows.
//   contracts(table_key, table_name, contract, set_at, receipt)
//       what rows may change of a table (json::Contract); one row a table, which may not exist yet.
//   request_tables(receipt, table_name, rows, loaded_at)
//       how many rows a request brought to which table, where that may be more than one.
//   given_up(receipt, table_name, rows, given_up_at)
//       how many failed rows of a request were deleted: they were never loaded.
#pragma once

#include <string>
#include <vector>

#include "destinations/destination.h"
#include "destinations/duckdb/handles.h"
#include "json/schema.h"

namespace sd::destinations::duckdb {

inline constexpr int kOwnTablesVersion = 3;

// Name of the attached database, in every process and for every kind of target.
inline constexpr const char* kAttachedAs = "db";

class OwnTables {
 public:
  // Makes the schema where it is missing. kInvalidArgument where a newer program wrote it.
  Result<> open(duckdb_connection connection);

  Result<LoadState> load_state(duckdb_connection connection, const Id128& log_id);
  Result<> write_state(duckdb_connection connection, const Id128& log_id, const LoadState& state,
                       Micros at);
  // Deletes what is over an hour old, but for the last row of each minute, and what is over 30 days old, but
  // for each log's last position.
  Result<> prune_positions(duckdb_connection connection);

  // The schema as logged, checked against the table that is really there: columns that somebody
  // dropped are forgotten, columns that somebody made are adopted.
  Result<json::TableSchema> schema(duckdb_connection connection, const std::string& table);

  // Those of Destination::child_tables().
  Result<std::vector<std::string>> child_tables(duckdb_connection connection,
                                                const std::string& parent);

  // That of Destination::has_foreign_columns().
  static Result<bool> has_foreign_columns(duckdb_connection connection);

  struct LogEntry {
    std::string event;
    std::string path;
    std::string column;
    std::string from_type;  // empty: NULL
    std::string to_type;
    json::TypeState state;
    std::shared_ptr<const json::Shape> shape = {};
    Id128 receipt;
  };
  Result<> log_schema(duckdb_connection connection, const std::string& table, Micros at,
                      const std::vector<LogEntry>& entries);
  Result<std::map<std::string, json::Contract>> contracts(duckdb_connection connection);
  Result<> write_contract(duckdb_connection connection, const TableChange& change, Micros at);
  // The contract and the failed rows of a table that is renamed go with it.
  Result<> move_failed(duckdb_connection connection, const std::string& from,
                       const std::string& to);
  Result<> move_contract(duckdb_connection connection, const std::string& from,
                         const std::string& to);
  Result<> write_counts(duckdb_connection connection, const std::vector<TableCount>& counts,
                        Micros at);
  Result<std::vector<FailedRow>> failed_rows(duckdb_connection connection,
                                             const FailedFilter& filter,
                                             std::uint64_t after_position, std::int64_t after_row,
                                             std::size_t limit);
  Result<> remove_failed(duckdb_connection connection, const std::vector<FailedRow>& rows);
  struct Change {
    std::int64_t seq = 0;
    Micros at = 0;
    std::string table, event, column, from, to, receipt;
  };
  // The changes of a table's schema behind a number, oldest first.
  Result<std::vector<Change>> history(duckdb_connection connection, const std::string& table,
                                      std::uint64_t after, std::uint64_t limit);
  Result<std::map<std::string, std::uint64_t>> failed_counts(duckdb_connection connection,
                                                             const FailedFilter& filter);
  Result<std::map<std::string, std::uint64_t>> request_tables(duckdb_connection connection,
                                                              std::string_view receipt);
  // When everything up to behind `position` was loaded; nothing where that is long ago.
  Result<std::optional<Micros>> loaded_at(duckdb_connection connection, const Id128& log_id,
                                          std::uint64_t position);
  // How many failed rows of a request were deleted, by table.
  Result<std::map<std::string, std::uint64_t>> given_up(duckdb_connection connection,
                                                        std::string_view receipt);
  Result<> forget_failed(duckdb_connection connection, const FailedFilter& filter, Micros at);
  Result<> write_failed(duckdb_connection connection, const std::vector<FailedRow>& rows);
  // How many rows of a request were refused, and the first of them.
  Result<RefusedRows> refused(duckdb_connection connection, std::string_view receipt,
                              std::size_t limit);

 private:
  Result<> make(duckdb_connection connection);
  Result<> migrate(duckdb_connection connection, int version);

  std::int64_t next_seq_ = 1;
  bool log_is_new_ = false;  // the one of load_state(): no position of it is written yet
};

// The type that a column of the destination has, where it is one that we make ourselves.
std::optional<json::ColumnType> parse_type(std::string_view type);

}  // namespace sd::destinations::duckdb
