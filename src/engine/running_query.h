// A query, check or question while it runs: what its own thread, the control thread and the watcher share of it.
#pragma once

#include <atomic>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "destinations/duckdb/handles.h"
#include "engine/stalls.h"

namespace sd::engine {

struct RunningQuery {
  std::uint64_t id = 0;
  Micros started_us = system_clock().steady_us();
  Micros timeout_us = 0;
  std::atomic<bool> reads{true};  // holds a transaction that a checkpoint has to wait for
  Stalls stalls;
  std::atomic<std::uint64_t> rows{0};   // written out so far
  std::atomic<std::uint64_t> bytes{0};  // the same, before compression
  std::atomic<bool> cancelled{false};
  std::atomic<bool> over_time{false};
  std::atomic<bool> make_way{false};  // for a checkpoint that cannot wait
  std::atomic<bool> ended{false};
  Micros over_time_since = 0;  // the watcher's own
  std::thread thread;

  // Without the time that it waited for its client.
  Micros active_us(Micros now) const { return now - started_us - stalls.total_us(now); }
  bool should_stop() const { return cancelled.load() || over_time.load() || make_way.load(); }

  void interrupt() {
    const std::lock_guard lock(connection_mutex_);
    if (connection_ != nullptr) duckdb_interrupt(connection_);
  }
  // Percent of the statement that DuckDB has done; negative where it cannot tell.
  double progress() {
    const std::lock_guard lock(connection_mutex_);
    return connection_ != nullptr ? duckdb_query_progress(connection_).percentage : -1;
  }
  // While it lives, the connection may be interrupted.
  class Interruptible {
   public:
    Interruptible(RunningQuery& running, duckdb_connection connection) : running_(running) {
      running_.set_connection(connection);
    }
    ~Interruptible() { running_.set_connection(nullptr); }
    Interruptible(const Interruptible&) = delete;
    Interruptible& operator=(const Interruptible&) = delete;

   private:
    RunningQuery& running_;
  };

 private:
  void set_connection(duckdb_connection connection) {
    const std::lock_guard lock(connection_mutex_);
    connection_ = connection;
  }

  std::mutex connection_mutex_;
  duckdb_connection connection_ = nullptr;
};

}  // namespace sd::engine
