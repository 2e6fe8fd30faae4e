// The way out of a result: bytes → compressed, if the client takes it so → the pipe to the front.
//
// The pipe does not block: a query that waits for its client can still be told to stop, and the time that it waits
// does not count as its own. One thread, the query's; Stalls may be read by any.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "query/compression.h"

namespace sd::engine {

// How long a query has been waiting for its client.
class Stalls {
 public:
  // All of it, up to `now` where it waits right now.
  Micros total_us(Micros now) const {
    const Micros since = since_.load();
    return finished_us_.load() + (since != 0 ? now - since : 0);
  }
  bool stalled() const { return since_.load() != 0; }
  void begin(Micros now) { since_ = now; }
  void end(Micros now) {
    finished_us_ += now - since_.load();
    since_ = 0;
  }

 private:
  std::atomic<Micros> finished_us_{0};
  std::atomic<Micros> since_{0};  // 0: not now
};

class ResultPipe {
 public:
  // `should_stop` is asked ten times a second while the pipe is full.
  ResultPipe(UniqueFd fd, Stalls& stalls, std::function<bool()> should_stop);

  // What is to go out next; the encoder appends here.
  std::string& buffer() { return buffer_; }
  // Compresses from here on. Before the first write.
  Result<> compress(query::Coding coding);
  // Writes the buffer out; with `at_once` also what a compressor holds back. kCancelled where the client has gone or
  // the query is to stop.
  Result<> write(bool at_once);
  // The rest, and the end of the pipe.
  Result<> finish();

  // Given to write() so far, not compressed.
  std::uint64_t bytes() const { return bytes_; }

 private:
  Result<> put(std::string_view bytes);

  UniqueFd fd_;
  Stalls& stalls_;
  const std::function<bool()> should_stop_;
  std::unique_ptr<query::Compressor> compressor_;
  std::string buffer_;
  std::string compressed_;
  std::atomic<std::uint64_t> bytes_{0};
};

}  // namespace sd::engine
