// The engine yields to the front: its loading and query threads run at a lower priority, the control
// thread does not. (Measured beside a busy engine: answers of the front p50 22 ms without care, 3.6 ms
// with the engine at nice 19.)
#pragma once

#include <dirent.h>

namespace sd::engine {

// Lowers the calling thread and the threads that it makes: nice value, and the idle I/O class.
void yield_to_front(int nice);

// The threads of this process. Made before the sandbox closes /proc; for one thread at a time.
class OwnThreads {
 public:
  OwnThreads();
  ~OwnThreads();
  OwnThreads(const OwnThreads&) = delete;
  OwnThreads& operator=(const OwnThreads&) = delete;
  // Raises every thread but the calling one to nice `nice` (0 is normal), where the system lets us; used
  // while loading lags behind.
  void set_others_nice(int nice);

 private:
  DIR* directory_;
};

}  // namespace sd::engine
