// A request's body as a stream: framing taken off, content coding decoded, limits and pace kept.
//
// Belongs to one request; its connection's thread only. After an error the connection cannot be
// used for another request.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "http/chunk_decoder.h"
#include "http/connection.h"
#include "http/content_decoder.h"
#include "http/head_check.h"

namespace sd::http {

class RequestBody {
 public:
  RequestBody(Connection& connection, const Head& head);
  ~RequestBody();
  RequestBody(const RequestBody&) = delete;
  RequestBody& operator=(const RequestBody&) = delete;

  // The body where it lies, if all of it is here already, plain and under the limit: the usual
  // case.
  std::optional<std::string_view> take_whole(std::uint64_t limit);
  // All of it, decoded; the view lives as long as this object. Once, and not mixed with
  // read_some().
  Task<Result<std::string_view>> read_all(std::uint64_t limit);
  // The next decoded piece; empty at the end.
  Task<Result<std::string_view>> read_some();
  void set_limit(std::uint64_t limit) { limit_ = limit; }

  // Nothing of the body is left on the connection.
  bool taken() const { return taken_; }
  // Whether skip() may be expected to end soon: what remains is known to be small or is here
  // already.
  bool remainder_is_small();
  // Reads the rest and throws it away; false where it is too much or does not arrive.
  Task<bool> skip();
  // What was read beyond the body's end: the beginning of the next request.
  std::string_view beyond() const;

 private:
  // The next piece without framing; empty at the end.
  Task<Result<std::string_view>> read_raw();
  std::string_view take_buffered();
  Task<Result<>> read_more(char* to, std::size_t room, std::size_t& got);
  Result<> count_raw(std::size_t bytes);
  Result<> check_declared(std::uint64_t limit);
  Task<Result<std::string_view>> read_all_plain();
  Error too_large() const;

  Connection& connection_;
  const Head& head_;
  std::uint64_t limit_ = UINT64_MAX;
  std::uint64_t remaining_ = 0;  // of a Content-Length
  std::uint64_t raw_bytes_ = 0;
  std::uint64_t decoded_bytes_ = 0;
  ChunkDecoder chunks_;
  std::unique_ptr<ContentDecoder> decoder_;
  std::string_view undecoded_;  // in the connection's input or raw_
  bool unsupported_coding_ = false;
  bool taken_ = false;
  bool owes_continue_ = false;
  bool failed_ = false;

  // How long the client may still take for its next body_window_bytes.
  std::chrono::steady_clock::duration pace_left_;
  std::uint64_t pace_bytes_ = 0;

  Buffer raw_;  // read past the connection's input; for chunked, may hold more than the body
  std::size_t raw_at_ = 0;  // consumed
  Buffer gathered_;         // read_all()'s result, or read_some()'s decoded piece
};

}  // namespace sd::http
