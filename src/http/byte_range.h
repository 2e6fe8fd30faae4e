// The Range header of a GET (RFC 9110 14.2): which part of a representation of known size is wanted.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sd::http {

// How a request for something of `size` bytes is to be answered.
struct RangeAnswer {
  int status = 200;  // 200: all of it; 206: a part; 416: there is no such part
  std::uint64_t first = 0;
  std::uint64_t length = 0;  // of what goes out

  // The value of Content-Range; empty where the answer has none.
  std::string content_range(std::uint64_t size) const;
};

// One range of bytes is served. A header that asks for several, in another unit or in no known form is as good as none,
// which the RFC leaves to the server: the answer is then the whole. `if_range` is that header's value (13.1.5): where it
// is not exactly `etag` (strong, with its quotes), the client's part is of something else, and it gets the whole too.
RangeAnswer answer_range(std::string_view range, std::string_view if_range, std::string_view etag,
                         std::uint64_t size);

// Whether an If-None-Match names `etag` (13.1.2: weakly compared; "*" is any).
bool matches_etag(std::string_view if_none_match, std::string_view etag);

}  // namespace sd::http
