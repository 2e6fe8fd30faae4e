// A small log that is cut at every byte, has every byte flipped, loses files, or comes from the
// future.
#include <gtest/gtest.h>

#include <set>

#include "base/checksum.h"
#include "base/log.h"
#include "journal/format.h"
#include "journal/testing/harness.h"
#include "journal/testing/memory_fs.h"

namespace sd::journal {
namespace {

using testing::append_now;
using testing::MemoryFileSystem;
using testing::read_all;

constexpr const char* kDirectory = "log";

class Damage : public ::testing::Test {
 protected:
  Damage() { log::configure(log::Level::kOff, log::Format::kConsole, "test"); }

  Result<std::unique_ptr<Log>> open(MemoryFileSystem& fs) {
    return Log::open(fs, pool_, clock_, kDirectory, options_);
  }

  // Appends records one by one (each a batch of its own) and ends without closing, or cleanly.
  void build(std::size_t count, std::size_t size, bool clean) {
    auto log = open(fs_);
    ASSERT_TRUE(log) << log.error().message;
    id_ = (*log)->id();
    for (std::size_t i = 0; i < count; ++i) {
      bodies_.push_back(std::to_string(i) + std::string(size + i % 9, static_cast<char>('a' + i)));
      const auto position = append_now(**log, bodies_.back());
      ASSERT_TRUE(position) << position.error().message;
      starts_.push_back(*position);
    }
    end_ = (*log)->durable_end();
    if (clean) {
      ASSERT_TRUE((*log)->close());
      return;
    }
    fs_.power_off();
    log->reset();
    std::mt19937_64 random(1);
    fs_.power_on(random, 1);
  }

  std::vector<std::string> segment_files(MemoryFileSystem& fs) {
    std::vector<std::string> out;
    const auto names = fs.list(kDirectory).value();
    for (const auto& name : names) {
      if (parse_segment_name(name)) out.push_back(std::string(kDirectory) + "/" + name);
    }
    return out;
  }

  // Opens a damaged copy and reads it. What is read must be a prefix of what was written; returns
  // how many records that is, or nullopt where the damage was reported.
  std::optional<std::size_t> outcome(MemoryFileSystem& fs) {
    Position end = 0;
    {
      auto log = open(fs);
      if (!log) {
        EXPECT_EQ(log.error().code, ErrorCode::kCorruption) << log.error().message;
        return std::nullopt;
      }
      end = (*log)->durable_end();
    }
    const auto records = read_all(fs, kDirectory, id_, 0, end);
    if (!records) {
      EXPECT_EQ(records.error().code, ErrorCode::kCorruption) << records.error().message;
      EXPECT_NE(records.error().message.find("osition"), std::string::npos);
      return std::nullopt;
    }
    for (std::size_t i = 0; i < records->size(); ++i) {
      EXPECT_EQ((*records)[i].payload, bodies_[i]);
      if ((*records)[i].payload != bodies_[i]) break;
    }
    return records->size();
  }

  MemoryFileSystem fs_;
  ManualClock clock_;
  SyncPool pool_{2};
  LogOptions options_ = testing::small_segments();
  Id128 id_;
  std::vector<std::string> bodies_;
  std::vector<Position> starts_;
  Position end_ = 0;
};

// Bytes that are missing at the end look like a torn tail, whoever took them: a prefix is found,
// and the log goes on. (That a file lost acknowledged bytes of its last batches cannot be seen from
// the file.)
TEST_F(Damage, ALogCutAtAnyByteOpensWithAPrefixAndGoesOn) {
  build(12, 60, false);
  const auto files = segment_files(fs_);
  ASSERT_EQ(files.size(), 1U);
  const std::string whole = fs_.contents(files[0]);
  const std::size_t used = kSegmentHeaderBytes + end_;
  for (std::size_t cut = 0; cut <= used; cut += cut < kSegmentHeaderBytes ? 16 : 1) {
    SCOPED_TRACE(cut);
    MemoryFileSystem copy;
    copy.copy_from(fs_);
    copy.set_contents(files[0], whole.substr(0, cut));
    auto log = open(copy);
    ASSERT_TRUE(log) << log.error().message;
    std::size_t expect = 0;
    while (expect < bodies_.size() &&
           kSegmentHeaderBytes + (expect + 1 < starts_.size() ? starts_[expect + 1] : end_) <=
               cut) {
      ++expect;
    }
    if (cut < kSegmentHeaderBytes) {
      EXPECT_NE((*log)->id(), id_);  // nothing is left of it: a new log
    } else {
      ASSERT_EQ((*log)->id(), id_);
    }
    for (int round = 0; round < 2; ++round) {
      ASSERT_TRUE(append_now(**log, "more"));
      const auto records = read_all(copy, kDirectory, (*log)->id(), 0, (*log)->durable_end());
      ASSERT_TRUE(records) << records.error().message;
      auto wanted = std::vector(bodies_.begin(), bodies_.begin() + static_cast<long>(expect));
      wanted.insert(wanted.end(), static_cast<std::size_t>(round) + 1, "more");
      ASSERT_EQ(testing::payloads(*records), wanted);
      log->reset();
      log = open(copy);
      ASSERT_TRUE(log) << log.error().message;
    }
  }
}

TEST_F(Damage, ACutSealedSegmentIsReported) {
  build(40, 700, false);
  const auto files = segment_files(fs_);
  ASSERT_GE(files.size(), 3U);
  for (std::size_t file = 0; file + 1 < files.size(); ++file) {
    const Position next = *parse_segment_name(base_name(files[file + 1]));
    const Position base = *parse_segment_name(base_name(files[file]));
    const std::size_t used = kSegmentHeaderBytes + (next - base);
    for (std::size_t cut = 0; cut < used; cut += 61) {
      MemoryFileSystem copy;
      copy.copy_from(fs_);
      copy.set_contents(files[file], copy.contents(files[file]).substr(0, cut));
      EXPECT_FALSE(outcome(copy)) << file << " at " << cut;
    }
  }
}

class Flip : public Damage {
 protected:
  // Flips every byte of every segment with each pattern, and says how many records may then be
  // missing.
  void flip_all(std::size_t least_found) {
    for (const auto& path : segment_files(fs_)) {
      const std::string whole = fs_.contents(path);
      const Position base = *parse_segment_name(base_name(path));
      for (std::size_t at = 0; at < whole.size(); ++at) {
        // Behind the end there is nothing but zeros; a few of them are enough.
        if (base + at > end_ + kSegmentHeaderBytes + 200 && at % 509 != 0) continue;
        for (const int pattern : {0x01, 0x80, 0xFF}) {
          // The zeros of the header block and the letters of a body need not see every pattern.
          const bool dull = (at > 128 && at < kSegmentHeaderBytes - 4) ||
                            (at > 0 && whole[at] >= 'a' && whole[at] == whole[at - 1]);
          if (dull && pattern != (at % 2 == 0 ? 0x01 : 0x80)) continue;
          MemoryFileSystem copy;
          copy.copy_from(fs_);
          std::string bytes = whole;
          bytes[at] = static_cast<char>(bytes[at] ^ pattern);
          copy.set_contents(path, std::move(bytes));
          const auto found = outcome(copy);
          if (found) {
            ASSERT_GE(*found, least_found) << path << " byte " << at << " pattern " << pattern;
          }
          if (found && *found < bodies_.size()) cut_.insert(base + at - kSegmentHeaderBytes);
          if (!found) ++reported_;
          if (HasFailure()) FAIL() << path << " byte " << at << " pattern " << pattern;
        }
      }
    }
  }
  std::set<Position> cut_;  // where a flip cost a record without a report
  std::size_t reported_ = 0;
};

TEST_F(Flip, OfAnyByteIsReportedOrCutsTheLastBatchOnly) {
  options_.first_segment_bytes = 8192;
  options_.last_segment_bytes = 8192;
  build(9, 1200, false);
  ASSERT_EQ(segment_files(fs_).size(), 3U);
  flip_all(bodies_.size() - 1);
  for (const Position position : cut_) EXPECT_GE(position, starts_.back());
  EXPECT_GT(reported_, 15'000U);
}

TEST_F(Flip, OfAnyByteIsReportedAfterACleanClose) {
  options_.first_segment_bytes = 8192;
  options_.last_segment_bytes = 8192;
  build(4, 1200, true);
  ASSERT_EQ(segment_files(fs_).size(), 2U);
  flip_all(bodies_.size());
  EXPECT_TRUE(cut_.empty());
}

TEST_F(Damage, AMissingOrRenamedSegmentIsReported) {
  build(40, 700, true);
  const auto files = segment_files(fs_);
  ASSERT_GE(files.size(), 3U);
  for (std::size_t i = 1; i < files.size(); ++i) {
    MemoryFileSystem copy;
    copy.copy_from(fs_);
    ASSERT_TRUE(copy.remove(files[i]));
    const auto log = open(copy);
    ASSERT_FALSE(log) << files[i];
    EXPECT_EQ(log.error().code, ErrorCode::kCorruption);
    EXPECT_NE(log.error().message.find("missing"), std::string::npos) << log.error().message;

    MemoryFileSystem renamed;
    renamed.copy_from(fs_);
    ASSERT_TRUE(renamed.rename(files[i], std::string(kDirectory) + "/" + segment_name(999'999)));
    EXPECT_FALSE(outcome(renamed));
  }
}

TEST_F(Damage, ANewestSegmentThatNeverHeldARecordDoesNotBrickTheLog) {
  build(3, 50, true);
  // As if the power had gone while the next segment was made, on a file system without order.
  const std::string next =
      std::string(kDirectory) + "/" + segment_name(end_ + 2 * kRecordHeaderBytes);
  for (const std::string& bytes : {std::string(), std::string(100, '\0'), std::string(8192, '\0'),
                                   std::string("SDJSEG\r\n") + std::string(9000, '\x55')}) {
    MemoryFileSystem copy;
    copy.copy_from(fs_);
    copy.set_contents(next, bytes);
    ASSERT_EQ(outcome(copy), bodies_.size());
    auto log = open(copy);
    ASSERT_TRUE(log);
    ASSERT_TRUE(append_now(**log, "goes on"));
  }
}

TEST_F(Damage, AnUnreadableHeaderAboveRecordsIsReported) {
  build(3, 50, false);
  const auto path = segment_files(fs_)[0];
  std::string bytes = fs_.contents(path);
  bytes[50] ^= 1;
  fs_.set_contents(path, bytes);
  EXPECT_FALSE(outcome(fs_));
}

TEST_F(Damage, ANewerVersionIsRefusedWithAClearLine) {
  build(3, 50, true);
  const auto path = segment_files(fs_)[0];
  std::string bytes = fs_.contents(path);
  store(bytes.data() + 8, kFormatVersion + 1);
  store(bytes.data() + 4092, crc32c(0, bytes.data(), 4092));
  fs_.set_contents(path, bytes);
  const auto log = open(fs_);
  ASSERT_FALSE(log);
  EXPECT_EQ(log.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(log.error().message.find("version 2"), std::string::npos) << log.error().message;
  const auto reader = Reader::open(fs_, kDirectory, id_, 0);
  ASSERT_FALSE(reader);
  EXPECT_EQ(reader.error().code, ErrorCode::kInvalidArgument);
}

// What a file held in an earlier life is full of valid records of the same log. None may be read.
TEST_F(Damage, WhatARecycledSegmentHeldBeforeNeverReadsAsARecord) {
  options_.last_segment_bytes = options_.first_segment_bytes;
  options_.retention_us = 0;
  auto log = open(fs_);
  ASSERT_TRUE(log);
  id_ = (*log)->id();
  std::vector<std::string> old_files;
  bool recycled = false;
  std::mt19937_64 random(7);
  Position released = 0;
  for (int i = 0; i < 400; ++i) {
    clock_.advance(kMicrosPerSecond);
    ASSERT_TRUE(append_now(**log, "record " + std::to_string(i) + std::string(150, 'r')));
    (*log)->release((*log)->durable_end());
    released = (*log)->durable_end();
    // A file whose tail is not zero was used before.
    for (const auto& path : segment_files(fs_)) {
      const std::string bytes = fs_.contents(path);
      recycled = recycled || (bytes.size() == 8192 && bytes.find("record", 6000) < 8000);
    }
    if (i % 40 != 39) continue;
    fs_.power_off();
    log->reset();
    fs_.power_on(random, 1);
    log = open(fs_);
    ASSERT_TRUE(log) << log.error().message;
    ASSERT_EQ((*log)->durable_end(), released);
    ASSERT_EQ((*log)->stats().rows_durable, static_cast<std::uint64_t>(i) + 1);
  }
  EXPECT_TRUE(recycled);
}

TEST_F(Damage, InspectTellsTheVerdict) {
  build(40, 700, true);
  const auto run = [&](MemoryFileSystem& fs, std::vector<std::string>& lines) {
    const auto whole =
        inspect(fs, kDirectory, {}, [&](std::string_view line) { lines.emplace_back(line); });
    EXPECT_TRUE(whole) << whole.error().message;
    return whole && *whole;
  };
  std::vector<std::string> lines;
  EXPECT_TRUE(run(fs_, lines));
  EXPECT_EQ(lines.back(), "verdict: everything verifies");
  EXPECT_GT(lines.size(), 44U);  // a line for each record
  const auto files = segment_files(fs_);
  for (const auto& path : files) {
    for (const std::size_t at : {std::size_t{40}, kSegmentHeaderBytes + 10}) {
      MemoryFileSystem copy;
      copy.copy_from(fs_);
      std::string bytes = copy.contents(path);
      bytes[at] ^= 4;
      copy.set_contents(path, bytes);
      EXPECT_FALSE(run(copy, lines)) << path << " byte " << at;
      EXPECT_EQ(lines.back(), "verdict: DAMAGED, 1 problem");
    }
  }
}

}  // namespace
}  // namespace sd::journal
