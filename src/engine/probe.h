// An engine that only tries to open a database, and ends: whether settings that nobody has saved yet work.
// The pool's thread only. Its process locks itself in like any other engine.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/clock.h"
#include "engine/engine_process.h"
#include "engine/protocol.h"

namespace sd::engine {

class Probe {
 public:
  using Done = std::function<void(Result<>)>;

  // `done` is called once, when the process is gone.
  Probe(const std::string& executable, std::uint64_t key, int epoll, Done done)
      : process_(executable, key, epoll), done_(std::move(done)) {}

  // kDeadlineExceeded where it has not answered after `limit`.
  void start(StartMessage message, Micros limit);
  void cancel();
  void on_socket(std::uint32_t events);
  void tick(Micros now);
  bool finished() const { return told_; }

 private:
  void end(Result<> result);

  EngineProcess process_;
  const Done done_;
  Micros deadline_ = 0;
  Micros ended_at_ = 0;
  std::optional<Result<>> result_;
  bool told_ = false;
};

}  // namespace sd::engine
