// A DuckDB database as a destination: a file, memory, or MotherDuck, always attached to an instance in
// memory under the name `db`, so that all three are one code path.
//
// Durability: DuckDB's own write-ahead log stays on; a commit is durable. One writer: every change (rows,
// DDL, deletion, CHECKPOINT) runs on the loader's connection, on the loader's thread. Automatic
// checkpoints are off; maintain() checkpoints when the log has grown, see there.
//
// Settings are made once and then locked: no file, network, extension or setting can be reached from a
// statement afterwards, as far as DuckDB itself sees to it (it says that this is no sandbox; see
// docs/architecture.md).
#pragma once

#include <atomic>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "destinations/destination.h"
#include "destinations/duckdb/handles.h"
#include "destinations/duckdb/own_tables.h"
#include "destinations/duckdb/readers.h"

namespace sd::destinations::duckdb {

struct DuckdbOptions {
  enum class Target { kFile, kMemory, kMotherDuck };
  Target target = Target::kFile;
  std::string path;      // of the file
  std::string database;  // of MotherDuck
  std::string token;     // of MotherDuck
  unsigned threads = 2;
  std::uint64_t memory_limit_bytes = 0;  // 0: DuckDB's default, 80 % of the machine
  std::string temp_directory;            // where large queries spill
  std::uint64_t max_temp_bytes = 20ULL << 30;
  std::string extension_directory;   // empty: DuckDB's own, in HOME
  std::string extension_repository;  // a mirror for closed networks; empty: DuckDB's own
  std::uint64_t checkpoint_wal_bytes = 64ULL << 20;
  bool read_only = false;    // for probe()
  std::size_t readers = 16;  // connections that know how far their query is
  // Files that statements may open although everything else is closed to them.
  std::vector<std::string> open_paths;
  // Folders, the same of what is in them.
  std::vector<std::string> open_folders;
};

// Reads the settings of a destination of type "duckdb" (api.md). `default_path` is the file where the
// settings name none.
Result<DuckdbOptions> options_from_settings(
    const std::vector<std::pair<std::string, std::string>>& settings,
    const std::string& default_path);

class DuckdbDestination final : public Destination {
 public:
  explicit DuckdbDestination(DuckdbOptions options);
  ~DuckdbDestination() override;

  Result<> open() override;
  // Whether it could be opened: attaches the database, asks it something, and lets go of it. Nothing of ours is put
  // into it; a file that is not there is made.
  Result<> probe();
  Result<LoadState> load_state(const Id128& log_id) override;
  Result<json::TableSchema> schema(const std::string& table) override;
  Result<std::vector<std::string>> child_tables(const std::string& table) override {
    return own_.child_tables(writer_.get(), table);
  }
  Result<bool> has_foreign_columns() override { return own_.has_foreign_columns(writer_.get()); }
  Result<> write(const Batch& batch) override;
  Result<> write(const TableChange& change, Micros at) override;
  Result<> commit(const Id128& log_id, const LoadState& state) override;
  void rollback() override;
  Result<> maintain() override;
  Result<> close() override;
  Result<std::vector<TableInfo>> tables() override;
  // On a connection of the caller's, who may interrupt it.
  Result<std::vector<TableInfo>> tables(duckdb_connection connection, const std::string& only = {});
  Result<std::map<std::string, json::Contract>> contracts() override {
    return own_.contracts(writer_.get());
  }
  Result<std::vector<FailedRow>> failed_rows(const FailedFilter& filter,
                                             std::uint64_t after_position, std::int64_t after_row,
                                             std::size_t limit) override {
    return own_.failed_rows(writer_.get(), filter, after_position, after_row, limit);
  }
  Result<> remove_failed(const std::vector<FailedRow>& rows) override;
  // What we keep in the destination, to read on a connection of the caller's.
  OwnTables& own() { return own_; }

  // A connection of its own for one query, with `db` as its default database. Any thread, while open.
  Result<Connection> connect();
  // The same out of those that are kept.
  Result<Readers::Lease> reader(Readers::Kind kind);

  bool is_open() const { return open_.load(); }
  // Others may change it too.
  bool is_shared() const { return options_.target == DuckdbOptions::Target::kMotherDuck; }

  // The file right after a checkpoint, which stays as it is until release_file(): no other checkpoint is made, unless the
  // write-ahead log grows beyond all bounds. hold_file() on the loader's thread. The descriptor is DuckDB's own: it is
  // read at offsets and never closed, as that would let go of DuckDB's lock. kUnavailable with a slug where it is held
  // already, without one where a checkpoint is refused for now; kInvalidArgument where there is no file.
  struct HeldFile {
    int fd = -1;
    std::uint64_t bytes = 0;
  };
  Result<HeldFile> hold_file();
  // Any thread. Whether the file stayed as it was.
  bool release_file();

  // Set while a checkpoint has been refused for so long that readers must make way: the engine then
  // admits no new query and cancels the oldest ones. Any thread.
  bool wants_readers_gone() const { return wants_readers_gone_.load(); }

 private:
  Result<> measure(duckdb_connection connection, TableInfo& table);
  static std::vector<std::pair<std::string, std::string>> protective_settings();
  Result<> open_instance();
  Result<> attach();
  std::vector<std::string> hidden() const { return {options_.token, options_.extension_directory}; }
  Result<> lock_down();
  Result<> begin();
  // Passes a result on; where it is an error, rolls back first.
  Result<> or_rollback(Result<> result);
  Result<> drop(const json::TableSchema& schema, const TableChange& change, Micros at);
  Result<> rename(const json::TableSchema& schema, const TableChange& change, Micros at);
  Result<> write_table(const TableBatch& table, const Batch& batch);
  Result<> checkpoint();
  std::uint64_t wal_bytes() const;
  std::optional<int> own_descriptor() const;

  const DuckdbOptions options_;
  Database database_;
  Connection writer_;
  Readers readers_;
  OwnTables own_;
  std::atomic<bool> open_{false};
  bool in_transaction_ = false;
  std::map<std::string, std::uint64_t> appended_;  // rows in it, by folded table name
  Micros checkpoint_refused_since_ = 0;
  std::atomic<bool> wants_readers_gone_{false};
  enum class Held : std::uint8_t { kNo, kYes, kInVain };
  std::atomic<Held> held_{Held::kNo};
};

}  // namespace sd::destinations::duckdb
