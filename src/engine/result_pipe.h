// The way out of a result: bytes → compressed, if the client takes it so → the pipe to the front.
//
// The pipe does not block: a query that waits for its client can still be told to stop, and the time that it waits
// does not count as its own. One thread, the query's; Stalls may be read by any.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "engine/stalls.h"
#include "query/compression.h"

namespace sd::engine {

class ResultPipe {
 public:
  // `should_stop` is asked ten times a second while the pipe is full.
  ResultPipe(UniqueFd fd, Stalls& stalls, std::function<bool()> should_stop);

  // What is to go out next; the encoder appends here.
  std::string& buffer() { return buffer_; }
  // Compresses from here on. Before the first write.
  Result<> compress(query::Coding coding);
  // Writes the buffer out and what is to follow it; with `at_once` also what a compressor holds back. kCancelled where
  // the client has gone or the query is to stop.
  Result<> write(bool at_once, const std::vector<std::string_view>& behind = {});
  // The rest, and the end of the pipe.
  Result<> finish();

  // Given to write() so far, not compressed.
  std::uint64_t bytes() const { return bytes_; }

 private:
  Result<> put(std::string_view first, const std::vector<std::string_view>& rest = {});
  Result<> wait_for_room();

  UniqueFd fd_;
  Stalls& stalls_;
  const std::function<bool()> should_stop_;
  std::unique_ptr<query::Compressor> compressor_;
  std::string buffer_;
  std::string compressed_;
  std::atomic<std::uint64_t> bytes_{0};
};

}  // namespace sd::engine
