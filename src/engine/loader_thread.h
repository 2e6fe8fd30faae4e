// The engine's loading thread: keeps the destination open, loads what is due, keeps house, and lets
// others wait until a position has been applied.
//
// When rows are loaded: at once when somebody waits for them (a query, wait=true, a stop), else when the
// oldest is `load_after_ms` old or `load_after_bytes` have gathered: larger batches cost less.
//
// When something fails: what may pass (another process holds the file, the disk is full) is tried again
// every second, and reported as trouble; a destination that contradicts its journal, or that a newer
// program wrote, stays in trouble until it is mended; after kInternal the process ends, and the next one
// goes on from the position in the destination.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "base/clock.h"
#include "destinations/destination.h"
#include "load/loader.h"

namespace sd::engine {

struct LoaderThreadOptions {
  std::string log_directory;
  Id128 log_id;
  journal::Position durable_end = 0;
  load::LoaderOptions loader;
  Micros load_after_us = 300'000;
  std::uint64_t load_after_bytes = 8U << 20;
};

class LoaderThread {
 public:
  struct Events {
    // With the rows that were refused since it was called last.
    std::function<void(const destinations::LoadState&, const destinations::RowsByTable&)> applied;
    std::function<void(const std::optional<Error>&)> trouble;
    std::function<void(const Error&)> fatal;  // the process must end; does not return
    std::function<void()> on_thread_start;    // before the destination is opened, on the thread
  };

  LoaderThread(destinations::Destination& destination, LoaderThreadOptions options, Events events);
  ~LoaderThread();
  LoaderThread(const LoaderThread&) = delete;
  LoaderThread& operator=(const LoaderThread&) = delete;

  // Any thread.
  void set_durable(journal::Position position);
  void set_wanted(journal::Position position);  // load up to here at once

  enum class Waited { kApplied, kTimeout, kTrouble };
  // Waits until `position` has been applied. kTrouble: it will not be for now; see trouble().
  // `give_up` is asked ten times a second.
  Waited wait_applied(journal::Position position, Micros timeout_us,
                      const std::function<bool()>& give_up);
  std::optional<Error> trouble() const;
  destinations::LoadState state() const;
  journal::Position durable() const;

  // Runs `job` on the loader's thread between two batches, once the destination is open, and returns its result;
  // kUnavailable where that has not begun in time. `give_up` is asked ten times a second.
  using Job = std::function<Result<>()>;
  Result<> between_batches(Job job, const std::function<bool()>& give_up, Micros timeout_us);

  // Loads up to `position`, and nothing where that is loaded; closes the destination, ends the thread.
  Result<> stop(journal::Position position);

 private:
  void run();
  bool open_and_start();
  void load_once();
  bool due(Micros now) const;
  void run_jobs();
  void report(std::optional<Error> error);
  bool may_pass(const Error& error) const;

  destinations::Destination& destination_;
  const LoaderThreadOptions options_;
  const Events events_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  journal::Position durable_ = 0;
  journal::Position wanted_ = 0;
  Micros durable_since_ = 0;  // steady time when the oldest row not loaded became durable
  destinations::LoadState state_;
  bool started_ = false;
  std::optional<Error> trouble_;
  bool stopping_ = false;
  journal::Position stop_at_ = 0;
  Result<> closed_;
  struct Waiting {
    Job job;
    std::optional<Result<>> result;
  };
  std::deque<std::shared_ptr<Waiting>> jobs_;

  bool open_ = false;         // the thread's own
  bool load_failed_ = false;  // the last batch did not go in
  std::string last_failure_;
  std::unique_ptr<load::Loader> loader_;
  std::thread thread_;
};

}  // namespace sd::engine
