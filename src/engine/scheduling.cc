#include "engine/scheduling.h"

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

OwnThreads::OwnThreads() : directory_(::opendir("/proc/self/task")) {}

OwnThreads::~OwnThreads() {
  if (directory_ != nullptr) ::closedir(directory_);
}

void OwnThreads::set_others_nice(int nice) {
  if (directory_ == nullptr) return;
  const auto self = static_cast<int>(::syscall(SYS_gettid));
  ::rewinddir(directory_);
  while (const dirent* entry = ::readdir(directory_)) {
    const int tid = std::atoi(entry->d_name);
    if (tid > 0 && tid != self) (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(tid), nice);
  }
}

}  // namespace sd::engine
