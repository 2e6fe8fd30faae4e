#include "server/config_text.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <limits>

namespace sd::server {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

// Splits "64MB" into 64 and "MB".
std::optional<std::int64_t> leading_number(std::string_view& text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || value < 0) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

std::optional<std::int64_t> times(std::int64_t value, std::int64_t factor) {
  if (value > std::numeric_limits<std::int64_t>::max() / factor) return std::nullopt;
  return value * factor;
}

}  // namespace

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::int64_t> parse_bytes(std::string_view text) {
  const auto value = leading_number(text);
  if (!value) return std::nullopt;
  const std::string unit = lower(text);
  if (unit.empty() || unit == "b") return value;
  const std::size_t power = std::string_view("kmgt").find(unit[0]);
  if (power == std::string_view::npos) return std::nullopt;
  const std::string_view rest = std::string_view(unit).substr(1);
  if (!rest.empty() && rest != "b" && rest != "ib") return std::nullopt;
  std::int64_t factor = 1;
  for (std::size_t i = 0; i <= power; ++i) factor *= rest == "b" ? 1000 : 1024;
  return times(*value, factor);
}

std::optional<Millis> parse_duration(std::string_view text, Millis bare) {
  const auto value = leading_number(text);
  if (!value) return std::nullopt;
  std::int64_t factor = 0;
  if (text.empty()) factor = bare.count();
  if (text == "ms") factor = 1;
  if (text == "s") factor = 1000;
  if (text == "m") factor = 60'000;
  if (text == "h") factor = 3'600'000;
  if (text == "d") factor = 86'400'000;
  if (factor == 0) return std::nullopt;
  const auto millis = times(*value, factor);
  if (!millis) return std::nullopt;
  return Millis(*millis);
}

std::optional<Address> parse_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const auto port = parse_integer(text.substr(colon + 1));
  if (!port || *port < 0 || *port > 65535) return std::nullopt;
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return std::nullopt;  // an IPv6 address needs its brackets, or its end is taken for the port
  }
  if (host.empty() || host.find_first_of("[] /@") != std::string_view::npos) return std::nullopt;
  return Address{.host = std::string(host), .port = static_cast<int>(*port)};
}

std::string format_address(std::string_view host, std::int64_t port) {
  const bool v6 = host.find(':') != std::string_view::npos;
  const std::string text(host);
  return (v6 ? "[" + text + "]" : text) + ":" + std::to_string(port);
}

bool is_loopback_host(std::string_view host) {
  if (lower(host) == "localhost" || host == "::1") return true;
  // 127.0.0.0/8, written in full: "127.evil.example" is a name like any other.
  if (!host.starts_with("127.")) return false;
  int numbers = 0;
  while (true) {
    const std::size_t dot = host.find('.');
    const auto number = parse_integer(host.substr(0, dot));
    if (!number || *number < 0 || *number > 255) return false;
    ++numbers;
    if (dot == std::string_view::npos) return numbers == 4;
    host.remove_prefix(dot + 1);
  }
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    std::string_view word = text.substr(0, comma);
    while (word.starts_with(' ')) word.remove_prefix(1);
    while (word.ends_with(' ')) word.remove_suffix(1);
    if (!word.empty()) out.emplace_back(word);
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
  }
  return out;
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  const auto last_part = [](std::string_view key) { return key.substr(key.rfind('.') + 1); };
  std::string best;
  std::size_t least = std::string::npos;
  for (const std::string& candidate : candidates) {
    // A key in the wrong section is near too: `port` at the top means api.port.
    const std::size_t distance = std::min(edit_distance(word, candidate),
                                          edit_distance(last_part(word), last_part(candidate)) + 1);
    if (distance >= least) continue;
    least = distance;
    best = candidate;
  }
  return best;
}

}  // namespace sd::server
