// An engine's process and the control socket to it: started, spoken to, killed and reaped. When that is done,
// and what is said, is PoolEngine's. The pool's thread only.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "engine/engine_output.h"
#include "engine/protocol.h"

namespace sd::engine {

class EngineProcess {
 public:
  // The control socket is watched by `epoll`, under `key`.
  EngineProcess(const std::string& executable, std::uint64_t key, int epoll)
      : executable_(executable), key_(key), epoll_(epoll) {}
  ~EngineProcess() { end(); }
  EngineProcess(const EngineProcess&) = delete;
  EngineProcess& operator=(const EngineProcess&) = delete;

  // Where none is alive.
  Result<> start();

  bool alive() const { return pid_ > 0; }  // not known to be dead
  pid_t pid() const { return pid_; }
  bool connected() const { return static_cast<bool>(socket_); }

  void send(std::string_view json, UniqueFd fd = {});
  // The socket takes bytes again.
  void flush();
  // Reads what has arrived; false where the engine has hung up.
  bool read();
  // The next frame of what was read.
  Result<std::optional<Frame>> next() { return reader_.next(); }
  void hang_up();
  // Hands on what it has written to its standard output and error; its last words, once it is reaped.
  void forward_output() { output_.forward(); }

  void kill();
  // Never waits: a process that the kernel is slow to end must not hold up the other destinations.
  void reap();
  // Of the one that was reaped last: "signal 9", "exit code 3".
  std::string cause_of_death() const;
  // Kills it and waits a moment; one that hangs in the kernel is left to it.
  void end();

 private:
  void watch_socket();

  const std::string& executable_;
  const std::uint64_t key_;
  const int epoll_;
  pid_t pid_ = 0;
  int wait_status_ = 0;
  UniqueFd socket_;
  EngineOutput output_;
  bool watching_write_ = false;
  FrameReader reader_;
  FrameWriter writer_;
};

}  // namespace sd::engine
