// What each table of a destination was sent, what of that waits to be loaded, and what was refused.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "base/ascii.h"
#include "base/clock.h"
#include "destinations/batch.h"
#include "journal/log.h"

namespace sd::api {

// Any thread. A name in any ASCII case is the same table; it is called as it was first seen. Of the first kMost tables only,
// and of what was sent since the destination was opened: what waited in the journal before is nobody's here.
class TableCounts {
 public:
  static constexpr std::size_t kMost = 1000;

  struct Amount {
    std::uint64_t rows = 0;
    std::uint64_t bytes = 0;
  };
  // A request that is durable.
  struct Sent {
    Amount acknowledged;
    std::uint64_t to_load = 0;  // rows, refused ones too: the unit of lag
    journal::Position end = 0;  // applied up to here, it is loaded
  };
  struct Count {
    Amount acknowledged;       // only rises
    std::uint64_t failed = 0;  // rows refused; only rises, whatever becomes of them
    std::uint64_t lag_rows = 0;
    Micros lag_us = 0;  // age of the oldest of them
  };
  struct FoldedLess {
    using is_transparent = void;
    bool operator()(std::string_view a, std::string_view b) const {
      const auto same = [](char x, char y) { return x == y || ascii_lower(x) == ascii_lower(y); };
      const auto [x, y] = std::ranges::mismatch(a, b, same);
      if (x == a.end() || y == b.end()) return x == a.end() && y != b.end();
      return ascii_lower(*x) < ascii_lower(*y);
    }
  };
  using Counts = std::map<std::string, Count, FoldedLess>;

  void add(std::string_view table, const Sent& sent, Micros now) {
    const std::lock_guard lock(mutex_);
    Table* const found = find(table);
    if (found == nullptr) return;
    found->acknowledged.rows += sent.acknowledged.rows;
    found->acknowledged.bytes += sent.acknowledged.bytes;
    if (sent.to_load == 0 || sent.end <= applied_) return;
    auto& marks = found->marks;
    while (!marks.empty() && marks.front().end <= applied_) marks.pop_front();
    // As old as the oldest row that it stands for, and waiting until the youngest is loaded.
    if (marks.empty() || (now - marks.back().since >= kMarkEvery && marks.size() < kMostMarks))
      marks.push_back({.end = sent.end, .rows = 0, .since = now});
    marks.back().end = std::max(marks.back().end, sent.end);
    marks.back().rows += sent.to_load;
  }

  // The destination has loaded up to here, and refused these since it said so last.
  void applied(journal::Position position, const destinations::RowsByTable& refused) {
    const std::lock_guard lock(mutex_);
    applied_ = position;
    for (const auto& [name, rows] : refused) {
      Table* const found = find(name);
      if (found != nullptr) found->failed += rows;
    }
  }

  Counts read(Micros now) const {
    const std::lock_guard lock(mutex_);
    Counts out;
    for (const auto& [name, table] : tables_) {
      Count& count = out.emplace_hint(out.end(), name, Count{})->second;
      count.acknowledged = table.acknowledged;
      count.failed = table.failed;
      for (const Mark& mark : table.marks) {
        if (mark.end <= applied_) continue;
        count.lag_rows += mark.rows;
        count.lag_us = std::max(count.lag_us, now - mark.since);
      }
    }
    return out;
  }

 private:
  static constexpr Micros kMarkEvery = 100'000;
  static constexpr std::size_t kMostMarks = 100;

  // Rows that were acknowledged within kMarkEvery, or since the last of so many marks.
  struct Mark {
    journal::Position end = 0;
    std::uint64_t rows = 0;
    Micros since = 0;
  };
  struct Table {
    Amount acknowledged;
    std::uint64_t failed = 0;
    std::deque<Mark> marks;  // oldest first
  };

  Table* find(std::string_view name) {
    const auto found = tables_.find(name);
    if (found != tables_.end()) return &found->second;
    return tables_.size() < kMost ? &tables_[std::string(name)] : nullptr;
  }

  mutable std::mutex mutex_;
  std::map<std::string, Table, FoldedLess> tables_;
  journal::Position applied_ = 0;
};

}  // namespace sd::api
