// What an engine writes to its standard output and error: its log, and the last words of a library.
// It goes through a pipe of the engine's own and from there to the front's standard error. The
// front's may itself be a pipe; an engine that had it could open it anew, by its name under
// /proc/self/fd, and read what the front logs of others.
//
// The pool's thread only.
#pragma once

#include "base/result.h"
#include "base/unique_fd.h"

namespace sd::engine {

class EngineOutput {
 public:
  ~EngineOutput() { forward(); }

  // The end that a new engine writes to; it waits for room there as it would at the front's own.
  Result<UniqueFd> open();
  // Hands on what has come; waits for nothing but the front's standard error.
  void forward();

 private:
  UniqueFd pipe_;
};

}  // namespace sd::engine
