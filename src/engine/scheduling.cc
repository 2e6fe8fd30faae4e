#include "engine/scheduling.h"

#include <dirent.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>

namespace sd::engine {
namespace {

// linux/ioprio.h: class in the bits from 13 on; 3 is idle; "who" 1 is a thread, 0 the calling one.
constexpr int kIoprioWhoProcess = 1;
constexpr int kIoprioClassShift = 13;
constexpr int kIoprioClassIdle = 3;

}  // namespace

void yield_to_front(int nice) {
  if (nice == 0) return;
  const auto self = static_cast<id_t>(::syscall(SYS_gettid));
  (void)::setpriority(PRIO_PROCESS, self, nice);
  (void)::syscall(SYS_ioprio_set, kIoprioWhoProcess, 0, kIoprioClassIdle << kIoprioClassShift);
}

void set_other_threads_nice(int nice) {
  const auto self = static_cast<int>(::syscall(SYS_gettid));
  DIR* dir = ::opendir("/proc/self/task");
  if (dir == nullptr) return;
  while (const dirent* entry = ::readdir(dir)) {
    const int tid = std::atoi(entry->d_name);
    if (tid > 0 && tid != self) (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(tid), nice);
  }
  ::closedir(dir);
}

}  // namespace sd::engine
