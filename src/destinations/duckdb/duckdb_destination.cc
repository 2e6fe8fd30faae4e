#include "destinations/duckdb/duckdb_destination.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "base/log.h"
#include "destinations/duckdb/append_rows.h"
#include "destinations/duckdb/conversions.h"
#include "destinations/duckdb/rows.h"
#include "destinations/duckdb/schema_change.h"

namespace sd::destinations::duckdb {
namespace {

constexpr Micros kRefusedTooLong = 10 * kMicrosPerSecond;
constexpr std::uint64_t kWalFarTooLarge = 512ULL << 20;
constexpr std::uint64_t kWalBesideSnapshot = 4ULL << 30;
constexpr int kMostDescriptors = 4096;

std::string table_in_main(std::string_view name) {
  return "db.main." + quote_identifier(name);
}

}  // namespace

DuckdbDestination::DuckdbDestination(DuckdbOptions options) : options_(std::move(options)) {}
DuckdbDestination::~DuckdbDestination() = default;

Result<> DuckdbDestination::open() {
  TRY(check_library());
  Result<> opened = open_instance();
  if (opened) opened = attach();
  if (opened) opened = own_.open(writer_.get());
  if (opened) opened = readers_.make(database_.get(), options_.readers);
  if (opened) opened = lock_down();
  if (opened) {
    open_ = true;
  } else {
    // The next attempt begins from nothing: a half-open instance would stand in its own way.
    readers_.clear();
    writer_.reset();
    database_.reset();
  }
  return opened;
}

Result<> DuckdbDestination::probe() {
  TRY(check_library());
  Result<> opened = open_instance();
  if (opened) opened = attach();
  if (opened) opened = execute(writer_.get(), "SELECT 1");
  writer_.reset();
  database_.reset();
  return opened;
}

Result<> DuckdbDestination::open_instance() {
  Config config;
  if (duckdb_create_config(config.out()) != DuckDBSuccess) {
    return fail(ErrorCode::kInternal, "DuckDB could not make a configuration");
  }
  std::vector<std::pair<std::string, std::string>> settings = protective_settings();
  settings.insert(settings.end(),
                  {{"threads", std::to_string(options_.threads)},
                   {"checkpoint_threshold", "1TB"},
                   {"preserve_insertion_order", "true"},
                   {"custom_user_agent", "scratchdata"},
                   {"max_temp_directory_size", std::to_string(options_.max_temp_bytes) + "B"}});
  if (options_.memory_limit_bytes != 0) {
    settings.emplace_back("memory_limit", std::to_string(options_.memory_limit_bytes) + "B");
  }
  if (!options_.temp_directory.empty()) {
    settings.emplace_back("temp_directory", options_.temp_directory);
  }
  if (!options_.extension_directory.empty()) {
    settings.emplace_back("extension_directory", options_.extension_directory);
  }
  if (!options_.extension_repository.empty()) {
    settings.emplace_back("custom_extension_repository", options_.extension_repository);
  }
  for (const auto& [name, value] : settings) {
    if (duckdb_set_config(config.get(), name.c_str(), value.c_str()) != DuckDBSuccess) {
      return fail(ErrorCode::kInternal, "DuckDB refuses the setting " + name);
    }
  }
  char* message = nullptr;
  if (duckdb_open_ext(nullptr, database_.out(), config.get(), &message) != DuckDBSuccess) {
    Error error =
        duckdb_error(DUCKDB_ERROR_IO, message != nullptr ? message : "DuckDB did not start");
    duckdb_free(message);
    return fail(std::move(error));
  }
  if (duckdb_connect(database_.get(), writer_.out()) != DuckDBSuccess) {
    return fail(ErrorCode::kInternal, "DuckDB gave no connection");
  }
  return execute(writer_.get(), "SET GLOBAL TimeZone='UTC'");
}

Result<> DuckdbDestination::attach() {
  std::string target;
  switch (options_.target) {
    case DuckdbOptions::Target::kFile:
      target = options_.path;
      break;
    case DuckdbOptions::Target::kMemory:
      target = ":memory:";
      break;
    case DuckdbOptions::Target::kMotherDuck: {
      // The token is accepted before the extension is there; it must never be part of a message.
      const auto loaded = execute(writer_.get(), "INSTALL motherduck; LOAD motherduck");
      if (!loaded) {
        Error error = loaded.error();
        error.message = "DuckDB's motherduck extension cannot be installed here: " + error.message;
        return fail(explain_motherduck_error(error, hidden()));
      }
      const auto set =
          execute(writer_.get(), "SET GLOBAL motherduck_token=" + quote_literal(options_.token));
      if (!set) return fail(explain_motherduck_error(set.error(), hidden()));
      target = "md:" + options_.database + "?attach_mode=single&saas_mode=true";
      break;
    }
  }
  const auto attached = execute(writer_.get(), "ATTACH " + quote_literal(target) + " AS db" +
                                                   (options_.read_only ? " (READ_ONLY)" : ""));
  const bool remote = options_.target == DuckdbOptions::Target::kMotherDuck;
  if (!attached && remote) return fail(explain_motherduck_error(attached.error(), hidden()));
  if (!attached) return fail(explain_attach_error(attached.error()));
  return execute(writer_.get(), "USE db");
}

Result<Connection> DuckdbDestination::connect() {
  if (!open_) return fail(ErrorCode::kUnavailable, "the database is not open");
  Connection connection;
  if (duckdb_connect(database_.get(), connection.out()) != DuckDBSuccess) {
    return fail(ErrorCode::kInternal, "DuckDB gave no connection");
  }
  TRY(execute(connection.get(), "USE db"));
  return connection;
}

Result<Readers::Lease> DuckdbDestination::reader(Readers::Kind kind) {
  if (!open_) return fail(ErrorCode::kUnavailable, "the database is not open");
  return readers_.take(database_.get(), kind);
}

Result<LoadState> DuckdbDestination::load_state(const Id128& log_id) {
  return own_.load_state(writer_.get(), log_id);
}

Result<json::TableSchema> DuckdbDestination::schema(const std::string& table) {
  return own_.schema(writer_.get(), table);
}

Result<> DuckdbDestination::begin() {
  if (in_transaction_) return {};
  TRY(execute(writer_.get(), "BEGIN TRANSACTION"));
  in_transaction_ = true;
  appended_.clear();
  return {};
}

// After any error in a transaction: COMMIT on an aborted one would report success and discard the rows.
void DuckdbDestination::rollback() {
  if (!in_transaction_) return;
  in_transaction_ = false;
  const auto rolled_back = execute(writer_.get(), "ROLLBACK");
  if (!rolled_back) log::warn("rollback failed", {{"error", rolled_back.error().message}});
}

Result<> DuckdbDestination::or_rollback(Result<> result) {
  if (!result) rollback();
  return result;
}

Result<> DuckdbDestination::write(const Batch& batch) {
  TRY(begin());
  for (const TableBatch& table : batch.tables) TRY(or_rollback(write_table(table, batch)));
  TRY(or_rollback(own_.write_counts(writer_.get(), batch.counts, batch.at)));
  return or_rollback(own_.write_failed(writer_.get(), batch.failed));
}

Result<> DuckdbDestination::remove_failed(const std::vector<FailedRow>& rows) {
  TRY(begin());
  return or_rollback(own_.remove_failed(writer_.get(), rows));
}

Result<> DuckdbDestination::commit(const Id128& log_id, const LoadState& state) {
  TRY(begin());
  TRY(or_rollback(own_.write_state(writer_.get(), log_id, state, system_clock().wall_us())));
  const auto committed = execute(writer_.get(), "COMMIT");
  in_transaction_ = false;
  if (!committed) {
    // It may stand in the log on disk or not. The engine process ends; the next one reads the position.
    return fail(ErrorCode::kInternal, "a commit failed: " + committed.error().message);
  }
  return {};
}

Result<> DuckdbDestination::write_table(const TableBatch& table, const Batch& batch) {
  std::uint64_t& appended = appended_[fold_ascii(table.plan->after().name)];
  TRY(change_schema(writer_.get(), own_, table, batch,
                    options_.target != DuckdbOptions::Target::kMotherDuck, appended));
  TRY(append_rows(writer_.get(), table));
  appended += table.rows->rows();
  return {};
}

Result<> DuckdbDestination::write(const TableChange& change, Micros at) {
  TRY(begin());
  if (change.kind == TableChange::Kind::kContract) {
    return or_rollback(own_.write_contract(writer_.get(), change, at));
  }
  if (change.kind == TableChange::Kind::kForget) {
    return or_rollback(own_.forget_failed(writer_.get(), change.failed(), at));
  }
  const auto schema = own_.schema(writer_.get(), change.table);
  if (!schema) return or_rollback(fail(schema.error()));
  if (!schema->exists) return {};  // dropped by a change before this one
  const bool drops = change.kind == TableChange::Kind::kDrop;
  return or_rollback(drops ? drop(*schema, change, at) : rename(*schema, change, at));
}

Result<> DuckdbDestination::drop(const json::TableSchema& schema, const TableChange& change,
                                 Micros at) {
  TRY(execute(writer_.get(), "DROP TABLE " + table_in_main(schema.name)));
  return own_.log_schema(writer_.get(), schema.name, at,
                         {{.event = "drop", .receipt = change.receipt}});
}

Result<> DuckdbDestination::rename(const json::TableSchema& schema, const TableChange& change,
                                   Micros at) {
  TRY_ASSIGN(const json::TableSchema other, own_.schema(writer_.get(), change.new_name));
  const bool same = same_ascii_folded(change.table, change.new_name);
  if (other.exists && !same) return {};  // the name was taken by rows that came before this change
  TRY(execute(writer_.get(), "ALTER TABLE " + table_in_main(schema.name) + " RENAME TO " +
                                 quote_identifier(change.new_name)));
  TRY(own_.log_schema(writer_.get(), schema.name, at,
                      {{.event = "drop", .to_type = change.new_name, .receipt = change.receipt}}));
  TRY(own_.move_contract(writer_.get(), schema.name, change.new_name));
  TRY(own_.move_failed(writer_.get(), schema.name, change.new_name));
  std::vector<OwnTables::LogEntry> entries;
  entries.push_back({.event = "rename",
                     .from_type = schema.name,
                     .to_type = change.new_name,
                     .receipt = change.receipt});
  for (const json::SchemaColumn& column : schema.columns) {
    // Should a column of somebody else's type become one of ours one day, it holds more than nothing.
    json::TypeState state = column.state;
    if (column.foreign) state.add(json::Kind::kString);
    entries.push_back({.event = "rename",
                       .path = column.path,
                       .column = column.name,
                       .to_type = column.type_name(),
                       .state = state,
                       .shape = column.shape,
                       .receipt = change.receipt});
  }
  return own_.log_schema(writer_.get(), change.new_name, at, entries);
}

std::uint64_t DuckdbDestination::wal_bytes() const {
  struct stat st {};
  if (options_.target != DuckdbOptions::Target::kFile) return 0;
  if (::stat((options_.path + ".wal").c_str(), &st) != 0) return 0;
  return static_cast<std::uint64_t>(st.st_size);
}

Result<> DuckdbDestination::maintain() {
  if (!open_ || options_.target != DuckdbOptions::Target::kFile) return {};
  const std::uint64_t wal = wal_bytes();
  if (wal < options_.checkpoint_wal_bytes) return {};
  Held held = Held::kYes;
  if (wal < kWalBesideSnapshot && held_ == Held::kYes) return {};
  held_.compare_exchange_strong(held, Held::kInVain);
  const auto done = checkpoint();
  const Micros now = system_clock().steady_us();
  if (done) {
    checkpoint_refused_since_ = 0;
    wants_readers_gone_ = false;
    return {};
  }
  if (done.error().code == ErrorCode::kInternal) return done;
  if (checkpoint_refused_since_ == 0) checkpoint_refused_since_ = now;
  if (now - checkpoint_refused_since_ > kRefusedTooLong || wal > kWalFarTooLarge) {
    wants_readers_gone_ = true;
  }
  return {};
}

// Whose descriptor it is cannot be asked of DuckDB: it is the one of that file.
std::optional<int> DuckdbDestination::own_descriptor() const {
  struct stat wanted {};
  if (::stat(options_.path.c_str(), &wanted) != 0) return std::nullopt;
  for (int fd = 3; fd < kMostDescriptors; ++fd) {
    struct stat found {};
    if (::fstat(fd, &found) == 0 && found.st_dev == wanted.st_dev && found.st_ino == wanted.st_ino)
      return fd;
  }
  return std::nullopt;
}

Result<DuckdbDestination::HeldFile> DuckdbDestination::hold_file() {
  if (options_.target != DuckdbOptions::Target::kFile) {
    return fail(Error{.code = ErrorCode::kInvalidArgument,
                      .message = "this destination has no file of its own",
                      .slug = "no-file",
                      .status = 409});
  }
  if (held_ != Held::kNo) {
    return fail(Error{.code = ErrorCode::kUnavailable,
                      .message = "another snapshot of this destination is under way",
                      .slug = "snapshot-running",
                      .retry_after_s = 5});
  }
  const Result<> done = checkpoint();
  if (!done) {
    Error error = done.error();
    if (error.code == ErrorCode::kInvalidArgument) error.code = ErrorCode::kUnavailable;
    return fail(std::move(error));
  }
  const auto fd = own_descriptor();
  struct stat st {};
  if (!fd || ::fstat(*fd, &st) != 0)
    return fail(ErrorCode::kInternal, "the database's file is not to be found");
  held_ = Held::kYes;
  return HeldFile{.fd = *fd, .bytes = static_cast<std::uint64_t>(st.st_size)};
}

bool DuckdbDestination::release_file() {
  return held_.exchange(Held::kNo) == Held::kYes;
}

Result<> DuckdbDestination::checkpoint() {
  TRY(own_.prune_positions(writer_.get()));
  // Never FORCE: beside an open stream it spins and blocks everything.
  TRY(execute(writer_.get(), "CHECKPOINT db"));
  return {};
}

Result<> DuckdbDestination::close() {
  if (!database_) return {};
  Result<> done;
  if (open_ && options_.target == DuckdbOptions::Target::kFile) done = checkpoint();
  if (open_) {
    // Detached before the instance ends, so that the file is closed when this returns.
    readers_.clear();
    (void)execute(writer_.get(), "USE memory");
    const auto detached = execute(writer_.get(), "DETACH db");
    if (done && !detached) done = detached;
  }
  open_ = false;
  writer_.reset();
  database_.reset();
  return done;
}

// In one transaction: a table that is dropped meanwhile is there to the end.
Result<std::vector<TableInfo>> DuckdbDestination::tables() {
  TRY_ASSIGN(const Connection connection, connect());
  TRY(execute(connection.get(), "BEGIN TRANSACTION READ ONLY"));
  return tables(connection.get());
}

// The blocks of the file that hold something of it. DuckDB keeps no count, so this walks the table's segments (1,200 of them, of
// 6,000,000 rows, take 65 ms) and is for one table, not for a list; where there are too many nothing is told. Small tables
// share a block, which each of them counts; rows that are in the write-ahead log only are in none. The function takes its name
// apart by a reader of DuckDB's that knows no quote within quotes.
Result<> DuckdbDestination::measure(duckdb_connection connection, TableInfo& table) {
  constexpr std::uint64_t kRowGroup = 122'880, kMostSegments = 20'000;
  // Of each column its values and its validity.
  const std::uint64_t segments = (table.rows / kRowGroup + 1) * table.columns.size() * 2;
  if (options_.target != DuckdbOptions::Target::kFile || segments > kMostSegments ||
      table.name.contains('"')) {
    return {};
  }
  // Segments of one value all over have no block, and say -1.
  TRY_ASSIGN(
      auto counts,
      fetch(connection,
            "SELECT count(DISTINCT id) * (SELECT block_size FROM pragma_database_size() "
            "WHERE database_name = 'db') FROM (SELECT unnest(list_append("
            "additional_block_ids, block_id)) AS id FROM pragma_storage_info(" +
                quote_literal(table_in_main(table.name)) + ") WHERE persistent) WHERE id >= 0"));
  table.bytes = counts[0].unsigned_integer(0);
  return {};
}

Result<std::vector<TableInfo>> DuckdbDestination::tables(duckdb_connection connection,
                                                         const std::string& only) {
  TRY_ASSIGN(auto rows,
             fetch(connection,
                   "SELECT t.table_name, c.column_name, c.data_type FROM duckdb_tables() t "
                   "JOIN duckdb_columns() c USING (database_name, schema_name, table_name) "
                   "WHERE database_name='db' AND schema_name='main' "
                   "ORDER BY t.table_name, c.column_index"));
  std::vector<TableInfo> out;
  for (const Row& row : rows) {
    if (!only.empty() && !same_ascii_folded(row.text(0), only)) continue;
    if (out.empty() || out.back().name != row.text(0)) out.emplace_back().name = row.text(0);
    out.back().columns.push_back({row.text(1), row.text(2)});
  }
  for (TableInfo& table : out) {
    const bool has_time =
        std::any_of(table.columns.begin(), table.columns.end(), [](const ColumnInfo& c) {
          return c.name == json::kReceivedAt && c.type == "TIMESTAMP WITH TIME ZONE";
        });
    const std::string times =
        has_time ? "epoch_us(min(__received_at)), epoch_us(max(__received_at))" : "NULL, NULL";
    TRY_ASSIGN(auto counts, fetch(connection, "SELECT count(*), " + times + " FROM " +
                                                  table_in_main(table.name)));
    table.rows = counts[0].unsigned_integer(0);
    if (!counts[0].is_null(1)) table.first_row_at = counts[0].integer(1);
    if (!counts[0].is_null(2)) table.last_row_at = counts[0].integer(2);
    if (!only.empty()) TRY(measure(connection, table));
  }
  return out;
}

}  // namespace sd::destinations::duckdb
