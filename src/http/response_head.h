// Spelling the head of an answer.
#pragma once

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>

#include "http/exchange.h"

namespace sd::http {

// "Not Found"; "Unknown" for a number without a name.
std::string_view reason_phrase(int status);

// 1xx, 204 and 304 never have a body (RFC 9112 section 6.3).
bool status_has_body(int status);

// "Sun, 06 Nov 1994 08:49:37 GMT", made anew once a second. One thread.
class DateHeader {
 public:
  std::string_view at(std::time_t now);

 private:
  std::time_t second_ = -1;
  std::string text_;
};

struct ResponseHead {
  int status = 200;
  int minor_version = 1;  // of the request
  std::string_view date = {};
  std::string_view request_id = {};
  bool keep_alive = true;
  bool chunked = false;
  std::optional<std::uint64_t> content_length = {};
};

// Appends the whole head, empty line included. Line breaks and other controls in the headers' names
// or values are taken out, so that no value can begin a header of its own. Content-Length,
// Connection, Transfer-Encoding, Date and X-Request-Id among `headers` and `more` are left out:
// they come from `head`.
void append_response_head(std::string& out, const ResponseHead& head, const Headers& headers,
                          const Headers& more);

}  // namespace sd::http
