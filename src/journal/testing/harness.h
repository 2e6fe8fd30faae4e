// What the journal's tests share: a sink to wait on, appends that own their bytes, a directory that
// goes away, and reading a log whole.
#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "journal/log.h"
#include "journal/reader.h"

namespace sd::journal::testing {

class WaitingSink final : public AppendSink {
 public:
  void completed(Append* first) noexcept override {
    const std::lock_guard lock(mutex_);
    ++calls_;
    while (first != nullptr) {
      Append* next = first->next;
      first->next = nullptr;
      ++done_;
      first = next;
    }
    changed_.notify_all();
  }
  void wait(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return done_ >= count; });
  }
  std::size_t done() {
    const std::lock_guard lock(mutex_);
    return done_;
  }
  std::size_t calls() {
    const std::lock_guard lock(mutex_);
    return calls_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t done_ = 0;
  std::size_t calls_ = 0;
};

struct OwnedAppend {
  std::string body;
  Append append;
};

inline std::unique_ptr<OwnedAppend> make_append(AppendSink& sink, std::string body,
                                                std::uint32_t rows = 1) {
  auto out = std::make_unique<OwnedAppend>();
  out->body = std::move(body);
  out->append.meta.rows = rows;
  out->append.meta.receipt = Id128::make();
  out->append.body = out->body;
  out->append.sink = &sink;
  return out;
}

// Appends one record and waits for it.
inline Result<Position> append_now(Log& log, std::string body) {
  WaitingSink sink;
  auto owned = make_append(sink, std::move(body));
  TRY(log.append(owned->append));
  sink.wait(1);
  TRY(owned->append.result);
  return owned->append.position;
}

struct ReadRecord {
  Position position;
  Position end;
  std::string payload;
};

// Everything from `from` up to `end`.
inline Result<std::vector<ReadRecord>> read_all(FileSystem& fs, const std::string& directory,
                                                Id128 id, Position from, Position end) {
  std::vector<ReadRecord> out;
  TRY_ASSIGN(auto reader, Reader::open(fs, directory, id, from));
  while (true) {
    TRY_ASSIGN(const auto record, reader->next(end));
    if (!record) return out;
    out.push_back({record->position, record->end, std::string(record->payload)});
  }
}

inline std::vector<std::string> payloads(const std::vector<ReadRecord>& records) {
  std::vector<std::string> out;
  for (const auto& record : records) out.push_back(record.payload);
  return out;
}

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    path_ = ::testing::TempDir() + "journal-" + random_base62(12);
    std::filesystem::create_directories(path_);
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }

 private:
  std::string path_;
};

// Small segments, so that a test sees many.
inline LogOptions small_segments() {
  LogOptions options;
  options.first_segment_bytes = 8192;
  options.last_segment_bytes = 32768;
  options.max_bytes = 4 << 20;
  options.max_record_bytes = 128 << 10;
  return options;
}

}  // namespace sd::journal::testing
