// One destination's engine as the pool's thread sees it. That thread only.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "engine/engine_process.h"
#include "engine/pool.h"
#include "engine/protocol.h"

namespace sd::engine {

class PoolEngine {
 public:
  PoolEngine(const PoolOptions& options, metrics::Registry& metrics, std::string destination_id,
             std::shared_ptr<Source> source, std::uint64_t key, int epoll);
  ~PoolEngine();

  void news();  // the journal has grown
  void query(std::uint64_t id, QueryRequest request, UniqueFd out, QueryEvents events);
  void ask(std::uint64_t id, std::string message, Pool::Answer answer);
  void cancel(std::uint64_t id);
  void wait_applied(std::uint64_t id, std::uint64_t position, Pool::Applied done);
  void forget_wait(std::uint64_t id);
  void stop();
  void stop_for_good();  // the pool ends
  void retire(bool drain);
  void kill(const char* why);

  void on_socket(std::uint32_t events);
  void tick(Micros now);

  bool alive() const { return process_.alive(); }
  bool idle() const;
  bool wants_tick() const;
  bool finished() const { return retired_ && !alive(); }
  EngineInfo::Health health() const;
  Micros last_used() const { return last_used_; }
  std::uint64_t key() const { return key_; }
  EngineInfo info() const;

 private:
  // kEnding: killed or gone, and its process not yet seen dead.
  enum class State { kStopped, kRunning, kStopping, kWaiting, kEnding };
  struct Query {
    QueryEvents events;
  };
  struct Held {  // a message for the next engine
    std::uint64_t id;
    std::string json;
    UniqueFd fd;
  };
  struct Wait {
    std::uint64_t position;
    Pool::Applied done;
  };

  bool ensure_running();
  // Sends it now, or with the next start where that is near; false where it is not.
  bool send_or_hold(std::uint64_t id, std::string json, UniqueFd fd);
  bool next_comes_soon(Micros now) const;
  void start();
  void handle(Frame& frame);
  void on_applied(const json::Value& message);
  void on_death();
  void on_reaped();
  void tick_ending(Micros now);
  bool lingers(Micros now) const { return now - ending_since_ > 2 * kMicrosPerSecond; }
  void fail_all(const Error& error);
  Error not_running() const;
  void give_up(std::uint64_t id);
  void end_query(std::uint64_t id, Result<std::uint64_t> result);
  void send_durable();
  void cannot_start(Error why, Micros pause);

  const PoolOptions& options_;
  const std::string destination_id_;
  const std::shared_ptr<Source> source_;
  const std::uint64_t key_;
  metrics::Counter restarts_;
  metrics::Gauge up_;

  State state_ = State::kStopped;
  EngineProcess process_;
  Micros started_at_ = 0;
  Micros last_heard_ = 0;
  Micros last_used_ = 0;
  Micros start_again_at_ = 0;
  Micros ending_since_ = 0;
  bool starts_again_ = false;  // once the dead one is reaped
  bool stop_when_reaped_ = false;
  bool said_stopped_ = false;
  int failed_stops_ = 0;
  unsigned quick_deaths_ = 0;
  std::uint64_t restart_count_ = 0;
  bool ends_for_query_ = false;  // the engine says that it does
  bool retired_ = false;
  bool leaving_ = false;
  bool drain_ = true;
  Micros stop_sent_at_ = 0;

  destinations::LoadState applied_;
  bool applied_known_ = false;
  std::uint64_t durable_sent_ = 0;
  std::optional<Error> trouble_;
  std::optional<Error>
      failure_;  // as trouble_, and it outlives the engine until another one is well
  EngineInfo::Health health_ = EngineInfo::Health::kIdle;  // as of the last tick
  Micros health_since_ = 0;
  std::map<std::uint64_t, Query> queries_;
  std::vector<Held> held_;
  std::map<std::uint64_t, Pool::Answer> asks_;
  std::map<std::uint64_t, Wait> waits_;
};

}  // namespace sd::engine
