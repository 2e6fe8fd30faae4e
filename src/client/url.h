// The address of a server, and paths on it. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace sd::client {

struct Url {
  bool tls = false;
  std::string host;  // an IPv6 address without its brackets
  std::string port;
  std::string base;  // what stands before /api, without a slash at its end

  std::string authority() const;  // as in Host: the scheme's own port is left out
  std::string to_string() const;
};

// http://HOST[:PORT][/BASE], or https. Never with a user or a query: a key in a URL ends in logs,
// and the error does not repeat the text either.
Result<Url> parse_url(std::string_view text);

// One segment of a path, or a value of a query string: everything but letters, digits and -._~ is
// %XX.
std::string percent_encode(std::string_view text);

// "a=1&b=2", empty for none.
std::string query_string(const std::vector<std::pair<std::string, std::string>>& parameters);

}  // namespace sd::client
