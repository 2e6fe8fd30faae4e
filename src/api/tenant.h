// An active destination in the front: its journal, its engine, and what is known of both.
//
// Threading: every function from any thread. A Tenant lives as long as anybody holds it; close() ends
// its journal.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "api/idempotency.h"
#include "api/query_queue.h"
#include "api/table_counts.h"
#include "base/metrics.h"
#include "catalog/model.h"
#include "engine/pool.h"
#include "engine/sandbox.h"
#include "journal/log.h"

namespace sd::api {

class TailHub;

struct TenantOptions {
  std::string data_dir;
  journal::LogOptions log;
  unsigned engine_threads = 2;
  std::uint64_t engine_memory_bytes = 0;
  std::size_t max_running_queries = 16;
  std::size_t max_waiting_queries = 64;
  bool require_sandbox = false;
  std::optional<engine::UserIds> engine_user;  // whom engines become
  std::uint64_t max_columns = 1000;
  std::uint64_t max_rows_of_a_row = 10'000;
  std::string log_level = "info";
  bool log_json = false;
};

// What every engine is told, whatever its destination: limits, walls, logs.
engine::StartMessage engine_limits(const TenantOptions& options);
// What the engine of a destination is told of its settings.
std::vector<std::pair<std::string, std::string>> engine_settings(
    const std::string& data_dir, const catalog::Destination& destination);

class Tenant final : public engine::Source {
 public:
  // Opens the journal and makes the destination known to the pool.
  static Result<std::shared_ptr<Tenant>> open(const TenantOptions& options,
                                              const catalog::Destination& destination,
                                              journal::SyncPool& sync_pool, engine::Pool& pool,
                                              metrics::Registry& metrics);
  ~Tenant() override;

  const catalog::Destination& destination() const { return destination_; }
  const std::string& id() const { return id_; }
  journal::Log& log() { return *log_; }
  // Where its frozen shares lie; see frozen_files.h.
  std::string frozen_folder() const;
  IdempotencyTurns& idempotency() { return idempotency_; }

  // Rows that are durable and not yet applied, as far as the front has heard.
  std::uint64_t lag_rows() const;
  double lag_seconds() const;
  destinations::LoadState applied_state() const;
  // The same, or where no engine has spoken yet, how it was when the server stopped last; nullopt where that is not known.
  std::optional<destinations::LoadState> known_state() const;
  // The highest position ever heard as applied, and where the database is in memory all that was in
  // the journal at its opening: no query may see less, also after a restart of the engine.
  journal::Position highest_applied() const;
  void count_acknowledged(std::string_view table, const TableCounts::Sent& sent);
  // Since it was opened.
  TableCounts::Amount acknowledged() const;
  TableCounts::Counts table_counts() const;
  // Who follows its rows.
  const std::shared_ptr<TailHub>& tails() const { return tails_; }
  void count_tail_rows(std::size_t rows) { tail_rows_.add(static_cast<double>(rows)); }
  void count_tail_dropped() { tails_dropped_.add(1); }
  void observe_query(double seconds);
  // Brings the gauges up to date; called when metrics are read.
  void refresh_metrics();

  // Who may run a query now, and who must wait.
  QueryQueue& queries() { return queries_; }
  const QueryQueue& queries() const { return queries_; }

  // Finishes what is queued; appends are refused from here on.
  void close();

  // engine::Source
  engine::StartMessage start_message() const override;
  std::string name() const override { return destination_.name; }
  std::optional<Error> cannot_start() const override {
    return catalog::unreadable_secret(destination_);
  }
  std::uint64_t durable_end() const override;
  void applied(const destinations::LoadState& state,
               const destinations::RowsByTable& refused) override;
  std::optional<engine::UserIds> engine_user() const override { return options_.engine_user; }
  bool may_idle_stop() const override { return !in_memory_; }

 private:
  Tenant(const TenantOptions& options, catalog::Destination destination,
         metrics::Registry& metrics);
  Result<> open_to_engine_user() const;
  void on_durable(journal::Position end);
  std::string hint_path() const;
  // Without numbers of rows where an older version wrote it.
  struct Hint {
    std::uint64_t position = 0;
    std::optional<destinations::LoadState> state = {};
  };
  Hint read_hint() const;
  void write_hint() const;

  const TenantOptions options_;
  const catalog::Destination destination_;
  const std::string id_;
  const std::string log_directory_;
  std::unique_ptr<journal::Log> log_;
  IdempotencyTurns idempotency_;
  bool in_memory_ = false;
  QueryQueue queries_;

  mutable std::mutex mutex_;
  destinations::LoadState applied_;
  bool heard_ = false;  // of applied_, from an engine
  Hint hint_;           // as it was read when this was opened
  journal::Position highest_applied_ = 0;
  struct Mark {
    journal::Position end;
    Micros steady_us;
  };
  std::deque<Mark> marks_;  // when the journal reached which end; coarse, oldest first

  std::atomic<std::uint64_t> acknowledged_rows_{0}, acknowledged_bytes_{0};
  TableCounts table_counts_;
  std::shared_ptr<TailHub> tails_;

  metrics::Counter acknowledged_, loaded_, failed_, tail_rows_, tails_dropped_;
  metrics::Gauge lag_rows_, lag_seconds_, journal_bytes_;
  metrics::Gauge running_, waiting_, tails_open_;
  metrics::Histogram sync_seconds_, query_seconds_;
  double loaded_seen_ = 0, failed_seen_ = 0;
};

}  // namespace sd::api
