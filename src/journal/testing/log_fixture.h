// A log on a file system in memory, for the tests of the log.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/log.h"
#include "journal/index.h"
#include "journal/log.h"
#include "journal/reader.h"
#include "journal/testing/harness.h"
#include "journal/testing/memory_fs.h"

namespace sd::journal {

using testing::append_now;
using testing::make_append;
using testing::MemoryFileSystem;
using testing::Op;
using testing::OwnedAppend;
using testing::payloads;
using testing::read_all;
using testing::TemporaryDirectory;
using testing::WaitingSink;

inline constexpr const char* kDirectory = "log";

class LogTest : public ::testing::Test {
 protected:
  LogTest() { log::configure(log::Level::kOff, log::Format::kConsole, "test"); }

  Result<std::unique_ptr<Log>> open() {
    return Log::open(fs_, pool_, clock_, kDirectory, options_);
  }
  std::unique_ptr<Log> must_open() {
    auto log = open();
    EXPECT_TRUE(log) << log.error().message;
    return log ? std::move(*log) : nullptr;
  }
  std::size_t count_files(std::string_view suffix) {
    std::size_t count = 0;
    const auto names = fs_.list(kDirectory).value();
    for (const auto& name : names) count += name.ends_with(suffix) ? 1 : 0;
    return count;
  }
  // Fills the log until it refuses; returns the error.
  Error fill(Log& log, std::size_t size = 3000) {
    for (int i = 0; i < 10'000; ++i) {
      const auto done = append_now(log, std::string(size, 'f'));
      if (!done) return done.error();
    }
    ADD_FAILURE() << "never full";
    return {};
  }
  // Housekeeping runs on the pool.
  template <typename Condition>
  bool eventually(Condition condition) {
    for (int i = 0; i < 2000; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return false;
  }

  // Until housekeeping has nothing left to write: an ordered failure must hit what the test does.
  void quiet() {
    for (std::uint64_t before = ~0ULL, now = 0; before != now;) {
      before = now;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      now = fs_.calls(Op::kWrite) + fs_.calls(Op::kSync) + fs_.calls(Op::kSyncDirectory);
    }
  }

  MemoryFileSystem fs_;
  ManualClock clock_;
  SyncPool pool_{2};
  LogOptions options_ = testing::small_segments();
};

}  // namespace sd::journal
