// Inside of the configuration: words, numbers, sizes, times and addresses as people write them.
// Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/words.h"
#include "server/config.h"

namespace sd::server {

// Digits with an optional sign; nothing else, and no overflow.
std::optional<std::int64_t> parse_integer(std::string_view text);
// "1048576", "64MB" (decimal), "64MiB" or "64M" (binary), up to T.
std::optional<std::int64_t> parse_bytes(std::string_view text);
// "250ms", "30s", "5m", "1h", "7d"; a bare number counts `bare`.
std::optional<Millis> parse_duration(std::string_view text, Millis bare);

struct Address {
  std::string host;  // without brackets
  int port = 0;      // 0: any free one
};
// "127.0.0.1:8080", "[::1]:8080", "localhost:8080".
std::optional<Address> parse_address(std::string_view text);
// The inverse: brackets around a host that holds a colon.
std::string format_address(std::string_view host, std::int64_t port);
bool is_loopback_host(std::string_view host);

// "a, b" → a and b; blanks around words and empty words fall away.
std::vector<std::string> split_list(std::string_view text);

// The candidate with the least distance to the word; empty if there are none.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace sd::server
