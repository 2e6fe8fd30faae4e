#include "client/url.h"

#include <algorithm>

#include "base/ascii.h"

namespace sd::client {
namespace {

// Nothing that could break a header or a log line, and nothing that needs an encoding.
bool is_visible_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7F; });
}

bool is_port(std::string_view text) {
  if (text.empty() || text.size() > 5 || !std::ranges::all_of(text, is_ascii_digit)) return false;
  const int value = std::stoi(std::string(text));
  return value > 0 && value < 65536;
}

}  // namespace

std::string Url::authority() const {
  std::string out = host.find(':') == std::string::npos ? host : "[" + host + "]";
  if (port != (tls ? "443" : "80")) out += ":" + port;
  return out;
}

std::string Url::to_string() const {
  return (tls ? "https://" : "http://") + authority() + base;
}

Result<Url> parse_url(std::string_view text) {
  Url url;
  const std::size_t colon = text.find("://");
  const std::string scheme = fold_ascii(text.substr(0, colon));
  if (colon == std::string_view::npos || (scheme != "http" && scheme != "https")) {
    return fail(invalid("the URL must begin with http:// or https://"));
  }
  url.tls = scheme == "https";
  std::string_view rest = text.substr(colon + 3);
  if (!is_visible_ascii(rest)) return fail(invalid("the URL holds characters that no URL has"));
  if (rest.find_first_of("?#") != std::string_view::npos) {
    return fail(invalid("the URL must end before the query: give the key with --key"));
  }
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  std::string_view authority = rest.substr(0, slash);
  url.base = rest.substr(slash);
  while (url.base.ends_with('/')) url.base.pop_back();
  if (authority.find('@') != std::string_view::npos) {
    return fail(invalid("the URL must hold no user or password: give the key with --key"));
  }
  std::string_view port;
  if (authority.starts_with('[')) {
    const std::size_t end = authority.find(']');
    if (end == std::string_view::npos) return fail(invalid("the URL's address lacks a ']'"));
    url.host = authority.substr(1, end - 1);
    port = authority.substr(end + 1);
  } else {
    const std::size_t at = std::min(authority.find(':'), authority.size());
    url.host = authority.substr(0, at);
    port = authority.substr(at);
  }
  if (url.host.empty()) return fail(invalid("the URL names no host"));
  if (port.empty()) {
    url.port = url.tls ? "443" : "80";
  } else if (port.front() == ':' && is_port(port.substr(1))) {
    url.port = port.substr(1);
  } else {
    return fail(invalid("the URL's port is no number from 1 to 65535"));
  }
  return url;
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const char lower = ascii_lower(c);
    if ((lower >= 'a' && lower <= 'z') || is_ascii_digit(c) || c == '-' || c == '.' || c == '_' ||
        c == '~') {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kHex[byte >> 4U];
    out += kHex[byte & 0x0FU];
  }
  // A segment "." or ".." would be taken for a step in the path.
  if (out == "." || out == "..") {
    std::string dots;
    for (std::size_t i = 0; i < out.size(); ++i) dots += "%2E";
    return dots;
  }
  return out;
}

std::string query_string(const std::vector<std::pair<std::string, std::string>>& parameters) {
  std::string out;
  for (const auto& [name, value] : parameters) {
    if (!out.empty()) out += '&';
    out += percent_encode(name) + "=" + percent_encode(value);
  }
  return out;
}

}  // namespace sd::client
