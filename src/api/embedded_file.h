// A file within the program, with what its compressed forms are: made when the program was built.
#pragma once

#include <string>
#include <string_view>

#include "http/exchange.h"

namespace sd::api {

struct EmbeddedFile {
  std::string name;
  std::string content_type;
  std::string etag;  // with its quotes
  std::string_view identity;
  std::string_view gzip;  // empty where it would be no smaller
  std::string_view br;    // likewise (RFC 7932)
};

// The file in the smallest form that the request takes, or 304.
http::Response embedded_response(const http::Exchange& exchange, const EmbeddedFile& file,
                                 std::string_view cache_control);

}  // namespace sd::api
