// What each table of a destination was sent, while somebody watches.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace sd::api {

// Any thread. Inserts pay for it only while there is a Watch.
class TableCounts {
 public:
  struct Count {
    std::uint64_t rows = 0;
    std::uint64_t bytes = 0;
  };

  class Watch {
   public:
    explicit Watch(TableCounts& counts) : counts_(counts) { ++counts_.watchers_; }
    ~Watch() { --counts_.watchers_; }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

   private:
    TableCounts& counts_;
  };

  void add(std::string_view table, std::uint64_t rows, std::uint64_t bytes) {
    if (watchers_.load(std::memory_order_relaxed) == 0) return;
    const std::lock_guard lock(mutex_);
    auto found = tables_.find(table);
    if (found == tables_.end()) {
      if (tables_.size() >= kMost) return;
      found = tables_.emplace(table, Count{}).first;
    }
    found->second.rows += rows;
    found->second.bytes += bytes;
  }

  // Since somebody began to watch; of the first kMost tables only. They only rise.
  std::map<std::string, Count, std::less<>> read() const {
    const std::lock_guard lock(mutex_);
    return tables_;
  }

 private:
  static constexpr std::size_t kMost = 1000;
  std::atomic<int> watchers_{0};
  mutable std::mutex mutex_;
  std::map<std::string, Count, std::less<>> tables_;
};

}  // namespace sd::api
