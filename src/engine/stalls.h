// How long a query has been waiting for its client: time that does not count as its own.
#pragma once

#include <mutex>

#include "base/clock.h"

namespace sd::engine {

// Any thread. It is stalled while somebody waits to write and nobody fetches for it at the same time.
class Stalls {
 public:
  void set_writing(bool waits) { set(writing_, waits); }
  void set_fetching(bool fetches) { set(fetching_, fetches); }

  // All of it, up to `now` where it waits right now.
  Micros total_us(Micros now) const {
    const std::lock_guard lock(mutex_);
    return finished_us_ + (since_ != 0 ? now - since_ : 0);
  }
  bool stalled() const {
    const std::lock_guard lock(mutex_);
    return since_ != 0;
  }

 private:
  void set(bool& what, bool value) {
    const std::lock_guard lock(mutex_);
    what = value;
    const bool stalled = writing_ && !fetching_;
    if (stalled == (since_ != 0)) return;
    const Micros now = system_clock().steady_us();
    if (!stalled) finished_us_ += now - since_;
    since_ = stalled ? now : 0;
  }

  mutable std::mutex mutex_;
  bool writing_ = false;   // waits for room in the pipe
  bool fetching_ = false;  // the next rows are being made
  Micros finished_us_ = 0;
  Micros since_ = 0;  // 0: not now
};

}  // namespace sd::engine
