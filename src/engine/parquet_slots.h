// Places where DuckDB may write a Parquet file: descriptors of this process with fixed numbers, which its settings name
// as the only files that a statement may open (/proc/self/fd/900 …). A query that wants Parquet has the pipe to its
// client stand there while its COPY runs.
//
// So Parquet is written by DuckDB's own writer, on all its threads, in the instance that holds the data, and straight
// into the pipe. Statements of users cannot name these places: the gate lets no COPY and no reader of files through.
// Unused places hold the end of a pipe that nobody reads, so that no other file ever gets their numbers. (Not /dev/null:
// DuckDB follows links when it is told the paths, and would then know that file instead of the place.)
//
// Any thread. Slots must end before this does.
#pragma once

#include <array>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace sd::engine {

class ParquetSlots {
 public:
  static constexpr int kFirstFd = 900;
  static constexpr int kCount = 16;

  class Slot {
   public:
    Slot(ParquetSlots& home, int index) : home_(&home), index_(index) {}
    ~Slot() { close(); }
    Slot(Slot&& other) noexcept
        : home_(std::exchange(other.home_, nullptr)), index_(other.index_) {}
    Slot& operator=(Slot&&) = delete;
    int fd() const { return kFirstFd + index_; }
    std::string path() const { return path_of(index_); }
    // Takes the pipe away again: its reader sees the end once DuckDB has closed it too.
    void close();

   private:
    ParquetSlots* home_;
    int index_;
  };

  // Fills the places.
  Result<> reserve();
  // Puts the descriptor into a free place; nothing where all are in use. The caller's own is closed.
  Result<std::optional<Slot>> put(UniqueFd& pipe);

  static std::vector<std::string> paths();

 private:
  static std::string path_of(int index);

  UniqueFd nothing_;  // that end
  std::mutex mutex_;
  std::array<bool, kCount> used_{};
};

}  // namespace sd::engine
