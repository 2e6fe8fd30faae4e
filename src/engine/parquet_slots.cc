#include "engine/parquet_slots.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/file.h"

namespace sd::engine {

std::string ParquetSlots::path_of(int index) {
  return "/proc/self/fd/" + std::to_string(kFirstFd + index);
}

std::vector<std::string> ParquetSlots::paths() {
  std::vector<std::string> all;
  for (int i = 0; i < kCount; ++i) all.push_back(path_of(i));
  return all;
}

Result<> ParquetSlots::reserve() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail(errno_error("make", "a pipe", errno));
  nothing_ = UniqueFd(ends[1]);
  ::close(ends[0]);
  for (int i = 0; i < kCount; ++i) {
    if (::dup3(nothing_.get(), kFirstFd + i, O_CLOEXEC) < 0) {
      return fail(errno_error("reserve", "a descriptor for Parquet", errno));
    }
  }
  return {};
}

Result<std::optional<ParquetSlots::Slot>> ParquetSlots::put(UniqueFd& pipe) {
  const std::lock_guard lock(mutex_);
  for (int i = 0; i < kCount; ++i) {
    if (used_[static_cast<std::size_t>(i)]) continue;
    if (::dup3(pipe.get(), kFirstFd + i, O_CLOEXEC) < 0) {
      return fail(errno_error("place", "a descriptor for Parquet", errno));
    }
    pipe.reset();
    used_[static_cast<std::size_t>(i)] = true;
    return std::optional<Slot>(std::in_place, *this, i);
  }
  return std::optional<Slot>();
}

void ParquetSlots::Slot::close() {
  if (home_ == nullptr) return;
  ParquetSlots& home = *std::exchange(home_, nullptr);
  const std::lock_guard lock(home.mutex_);
  (void)::dup3(home.nothing_.get(), fd(), O_CLOEXEC);
  home.used_[static_cast<std::size_t>(index_)] = false;
}

}  // namespace sd::engine
