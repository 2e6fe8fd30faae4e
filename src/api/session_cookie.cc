#include "api/session_cookie.h"

#include "api/access.h"

namespace sd::api {
namespace {

// Of this port alone: cookies do not tell ports apart, and several servers may run on a machine.
std::string cookie_name(const http::Exchange& exchange) {
  const std::string authority = exchange.local_authority();
  return "scratchdata_session_" + authority.substr(authority.rfind(':') + 1);
}

std::string_view host_of(std::string_view url) {
  const std::size_t slashes = url.find("://");
  if (slashes == std::string_view::npos) return {};
  const std::string_view rest = url.substr(slashes + 3);
  return rest.substr(0, rest.find('/'));
}

bool is_ours(const App& app, const http::Exchange& exchange, std::string_view origin) {
  const std::string_view host = host_of(origin);
  return !host.empty() &&
         (host == exchange.header("Host") || host == host_of(app.options().base_url));
}

bool only_reads(const http::Exchange& exchange) {
  return exchange.method() == "GET" || exchange.method() == "HEAD";
}

}  // namespace

std::string_view cookie_value(const http::Exchange& exchange, std::string_view name) {
  std::string_view header = exchange.header("Cookie");
  while (!header.empty()) {
    const std::size_t end = header.find(';');
    std::string_view pair = header.substr(0, end);
    header = end == std::string_view::npos ? std::string_view() : header.substr(end + 1);
    while (pair.starts_with(' ')) pair.remove_prefix(1);
    if (pair.starts_with(name) && pair.substr(name.size()).starts_with('='))
      return pair.substr(name.size() + 1);
  }
  return {};
}

bool is_of_other_origin(const App& app, const http::Exchange& exchange) {
  const std::string_view site = exchange.header("Sec-Fetch-Site");
  // "none": a person's own doing, an address typed or a bookmark.
  if (!site.empty() && site != "same-origin" && !(site == "none" && only_reads(exchange)))
    return true;
  const std::string_view origin = exchange.header("Origin");
  return !origin.empty() && !is_ours(app, exchange, origin);
}

catalog::KeyCache::FoundSession signed_in(App& app, const http::Exchange& exchange) {
  const std::string_view secret = cookie_value(exchange, cookie_name(exchange));
  if (secret.empty() || is_of_other_origin(app, exchange)) return {};
  const bool says_origin =
      !exchange.header("Origin").empty() || !exchange.header("Sec-Fetch-Site").empty();
  if (!only_reads(exchange) && !says_origin) return {};
  if (only_reads(exchange) && exchange.path().starts_with("/api/data/insert/")) return {};
  return app.keys().find_session(secret);
}

std::string session_cookie(const App& app, const http::Exchange& exchange, std::string_view secret,
                           std::int64_t max_age_s) {
  std::string value = cookie_name(exchange) + "=" + std::string(secret);
  value += "; Path=/; Max-Age=" + std::to_string(max_age_s) + "; HttpOnly; SameSite=Strict";
  if (base_url(app, exchange).starts_with("https://")) value += "; Secure";
  return value;
}

}  // namespace sd::api
