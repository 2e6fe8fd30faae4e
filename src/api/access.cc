#include "api/access.h"

#include <algorithm>

#include "api/resource.h"
#include "api/session_cookie.h"
#include "base/ascii.h"
#include "json/parser.h"

namespace sd::api {
namespace {

bool is_json_start(std::string_view text) {
  return !text.empty() && (text[0] == '{' || text[0] == '[');
}

std::string decode(std::string_view text) {
  return http::percent_decode(text, true).value_or(std::string(text));
}

// RFC 4648 base64, for Basic credentials; nullopt where it is none.
std::optional<std::string> base64_decode(std::string_view text) {
  std::string out;
  std::uint32_t bits = 0;
  int have = 0;
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  for (const char c : text) {
    int value;
    if (c >= 'A' && c <= 'Z')
      value = c - 'A';
    else if (c >= 'a' && c <= 'z')
      value = c - 'a' + 26;
    else if (c >= '0' && c <= '9')
      value = c - '0' + 52;
    else if (c == '+' || c == '-')
      value = 62;
    else if (c == '/' || c == '_')
      value = 63;
    else
      return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    have += 6;
    if (have >= 8) {
      have -= 8;
      out += static_cast<char>(bits >> have & 0xFF);
    }
  }
  return out;
}

bool starts_with_word(std::string_view text, std::string_view word) {
  if (text.size() <= word.size() || text[word.size()] != ' ') return false;
  return same_ascii_folded(text.substr(0, word.size()), word);
}

std::string_view host_without_port(std::string_view host) {
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
  return host.substr(0, host.find(':'));
}

bool is_loopback_name(std::string_view host) {
  host = host_without_port(host);
  return host == "localhost" || host == "[::1]" || host.ends_with(".localhost") ||
         (host.starts_with("127.") &&
          host.find_first_not_of("0123456789.") == std::string_view::npos);
}

bool is_loopback_origin(std::string_view origin) {
  const auto slashes = origin.find("://");
  if (slashes == std::string_view::npos) return false;
  const std::string_view rest = origin.substr(slashes + 3);  // of a Referer, with its path
  return is_loopback_name(rest.substr(0, rest.find('/')));
}

}  // namespace

bool may_be_well_known(const http::Exchange& exchange) {
  const std::string_view origin = exchange.header("Origin");
  if (!exchange.local_is_loopback() || !is_loopback_name(exchange.header("Host"))) return false;
  if (!origin.empty() && !is_loopback_origin(origin)) return false;
  // Browsers send no Origin with an image or a link of another site, but they do say where it is from.
  // The Host is loopback: what is of the same site is too.
  const std::string_view site = exchange.header("Sec-Fetch-Site");
  if (!site.empty() && site != "same-origin" && site != "same-site" && site != "none") return false;
  const std::string_view referer = exchange.header("Referer");
  if (!referer.empty() && !is_loopback_origin(referer)) return false;
  for (const char* forwarded : {"Forwarded", "X-Forwarded-For", "X-Forwarded-Host",
                                "X-Forwarded-Proto", "X-Real-IP", "Via"}) {
    if (!exchange.header(forwarded).empty()) return false;
  }
  return true;
}

bool says_who(App& app, const http::Exchange& exchange, const Query& query) {
  return !find_secrets(exchange, query).empty() || signed_in(app, exchange).key;
}

bool is_still(App& app, const http::Exchange& exchange, const Query& query, const Id128& key_id) {
  for (const std::string& secret : find_secrets(exchange, query)) {
    const auto key = app.keys().find_key(secret);
    if (key && key->id == key_id) return true;
  }
  const auto session = signed_in(app, exchange);
  return session.key && session.key->id == key_id;
}

Result<std::shared_ptr<const catalog::KeyInfo>> authenticate(App& app,
                                                             const http::Exchange& exchange,
                                                             const Query& query,
                                                             const Query* form) {
  const auto secrets = find_secrets(exchange, query, form);
  std::shared_ptr<const catalog::KeyInfo> key;
  if (secrets.empty()) key = signed_in(app, exchange).key;
  if (secrets.empty() && !key) {
    return fail(ErrorCode::kUnauthenticated,
                "no API key: send it as 'Authorization: Bearer KEY', as 'X-API-KEY: KEY' or as "
                "?api_key=KEY");
  }
  for (const std::string& secret : secrets) {
    if (!key) key = app.keys().find_key(secret);
  }
  if (!key) return fail(ErrorCode::kUnauthenticated, "this API key is not known");
  if (key->well_known && !may_be_well_known(exchange)) {
    return fail(ErrorCode::kUnauthenticated,
                "this well-known API key works only from the machine itself; create one with "
                "'scratchdata key create'");
  }
  if (key->requests_per_minute != 0) {
    const int wait_s =
        app.rate_limiter().admit(key->id, key->requests_per_minute, system_clock().steady_us());
    if (wait_s > 0) {
      return fail(Error{.code = ErrorCode::kResourceExhausted,
                        .message = "this API key may be used " +
                                   std::to_string(key->requests_per_minute) + " times a minute",
                        .slug = "rate-limit",
                        .status = 429,
                        .retry_after_s = wait_s});
    }
  }
  return key;
}

const std::string* Query::find(std::string_view name) const {
  const auto found = std::find_if(parameters.rbegin(), parameters.rend(),
                                  [&](const http::Parameter& p) { return p.name == name; });
  return found == parameters.rend() ? nullptr : &found->value;
}

std::string Query::get(std::string_view name) const {
  const std::string* value = find(name);
  return value == nullptr ? "" : *value;
}

Result<bool> Query::flag(std::string_view name, bool fallback) const {
  const std::string* value = find(name);
  if (value == nullptr) return fallback;
  if (value->empty() || *value == "true" || *value == "1" || *value == "yes") return true;
  if (*value == "false" || *value == "0" || *value == "no") return false;
  return fail(
      parameter_error("the parameter " + std::string(name) + " must be true or false", name));
}

Query parse_query(std::string_view text) {
  Query out;
  while (!text.empty()) {
    if (is_json_start(text)) {
      // As it stands where that is JSON already, else decoded.
      const auto parsed = json::validate(text);
      const bool raw = parsed.outcome == json::Outcome::kOk;
      out.json = raw ? std::string(text) : decode(text);
      return out;
    }
    const std::size_t amp = text.find('&');
    const std::string_view part = text.substr(0, amp);
    text = amp == std::string_view::npos ? std::string_view() : text.substr(amp + 1);
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos) {
      std::string whole = decode(part);
      if (is_json_start(whole))
        out.json = std::move(whole);
      else if (!part.empty())
        out.parameters.push_back({std::move(whole), ""});
    } else {
      out.parameters.push_back({decode(part.substr(0, equals)), decode(part.substr(equals + 1))});
    }
  }
  return out;
}

std::optional<std::pair<std::string, std::string>> basic_credentials(
    const http::Exchange& exchange) {
  const std::string_view authorization = exchange.header("Authorization");
  if (!starts_with_word(authorization, "basic")) return std::nullopt;
  const auto decoded = base64_decode(authorization.substr(6));
  if (!decoded) return std::nullopt;
  const auto colon = decoded->find(':');
  return std::pair(decoded->substr(0, colon),
                   colon == std::string::npos ? "" : decoded->substr(colon + 1));
}

bool is_form_with(std::string_view body, std::string_view field) {
  const std::string_view first = body.substr(0, body.find_first_of("=&"));
  const bool is_name = !first.empty() && std::ranges::all_of(first, [](char c) {
    return (c >= '0' && c <= '9') || c == '_' || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z');
  });
  const std::string part = std::string(field) + "=";
  return is_name && (body.starts_with(part) || body.find("&" + part) != std::string_view::npos);
}

std::vector<std::string> find_secrets(const http::Exchange& exchange, const Query& query,
                                      const Query* form) {
  const std::string_view authorization = exchange.header("Authorization");
  if (starts_with_word(authorization, "bearer")) {
    std::string_view token = authorization.substr(7);
    while (token.starts_with(' ')) token.remove_prefix(1);
    return {std::string(token)};
  }
  if (const auto pair = basic_credentials(exchange)) {
    std::vector<std::string> candidates = {pair->first, pair->second};
    std::erase(candidates, "");
    return candidates;
  }
  if (const auto key = exchange.header("X-API-KEY"); !key.empty()) return {std::string(key)};
  if (const std::string* key = query.find("api_key")) return {*key};
  if (form != nullptr) {
    if (const std::string* key = form->find("api_key")) return {*key};
  }
  return {};
}

namespace {

Result<Access> access_with(App& app, std::shared_ptr<const catalog::KeyInfo> key,
                           const Query& query, catalog::Scope scope, const Query* form) {
  Access access{.key = std::move(key), .tenant = nullptr};
  if (!access.key->may(scope)) {
    return fail(ErrorCode::kPermissionDenied,
                "this API key does not have the scope '" + std::string(to_string(scope)) + "'");
  }
  const auto missing = [] { return fail(ErrorCode::kNotFound, "no such destination"); };
  const auto not_served = [] {
    return fail(
        Error{.code = ErrorCode::kUnavailable,
              .message =
                  "this destination cannot be served now: its operator finds the reason in the log",
              .slug = "destination-unavailable",
              .retry_after_s = 30});
  };
  // A destination that exists and is not served is no mistake of the client's.
  const auto is_active = [](const catalog::Destination* d) {
    return d != nullptr && d->state == catalog::DestinationState::kActive;
  };
  if (!access.key->is_admin()) {
    // Rows never go to another destination than the one that was named.
    const std::string* meant = query.find("destination_id");
    if (meant == nullptr && form != nullptr) meant = form->find("destination_id");
    const auto other = meant != nullptr ? app.keys().destination_by_text(*meant) : nullptr;
    if (meant != nullptr && (!other || other->id != *access.key->destination_id)) return missing();
    access.tenant = app.tenants().find(*access.key->destination_id);
    if (access.tenant) return access;
    if (is_active(app.keys().destination(*access.key->destination_id).get())) return not_served();
    return missing();
  }
  const std::string* named = query.find("destination_id");
  if (named == nullptr && form != nullptr) named = form->find("destination_id");
  if (named != nullptr) {
    const auto destination = app.keys().destination_by_text(*named);
    if (destination) access.tenant = app.tenants().find(destination->id);
    if (access.tenant) return access;
    if (is_active(destination.get())) return not_served();
    return missing();
  }
  auto all = app.keys().destinations();
  std::erase_if(all, [&](const auto& d) { return !is_active(d.get()); });
  if (all.size() != 1) {
    return fail(invalid("an admin key names its destination with ?destination_id=")
                    .with_slug("destination-required"));
  }
  access.tenant = app.tenants().find(all.front()->id);
  if (!access.tenant) return not_served();
  return access;
}

}  // namespace

Result<Access> authorise_call(App& app, std::shared_ptr<const catalog::KeyInfo> key,
                              const Query& query) {
  return access_with(app, std::move(key), query, catalog::Scope::kQuery, nullptr);
}

Result<Access> authorise(App& app, std::shared_ptr<const catalog::KeyInfo> key, const Query& query,
                         catalog::Scope scope, const Query* form) {
  if (key->endpoints && scope != catalog::Scope::kInsert) {
    return fail(ErrorCode::kPermissionDenied,
                "this API key is for saved endpoints: GET /api/endpoints/{name}.{format}");
  }
  return access_with(app, std::move(key), query, scope, form);
}

Result<Access> authorise(App& app, const http::Exchange& exchange, const Query& query,
                         catalog::Scope scope, const Query* form) {
  TRY_ASSIGN(auto key, authenticate(app, exchange, query, form));
  return authorise(app, std::move(key), query, scope, form);
}

Error needs_admin_key() {
  return Error{.code = ErrorCode::kPermissionDenied,
               .message = "this needs an admin key; this one belongs to a destination"};
}

Result<std::shared_ptr<const catalog::KeyInfo>> authorise_admin(App& app,
                                                                const http::Exchange& exchange,
                                                                const Query& query) {
  TRY_ASSIGN(auto key, authenticate(app, exchange, query));
  if (!key->is_admin()) return fail(needs_admin_key());
  return key;
}

Result<> may_use_table(const Access& access, std::string_view table) {
  if (access.key->may_table(table)) return {};
  return fail(ErrorCode::kPermissionDenied, "this API key is limited to other tables");
}

std::string base_url(const App& app, const http::Exchange& exchange) {
  if (!app.options().base_url.empty()) return app.options().base_url;
  const std::string_view host = exchange.header("Host");
  const auto& hosts = app.options().hosts;
  const bool listed = std::any_of(hosts.begin(), hosts.end(), [&](const std::string& h) {
    return h == host || h == host_without_port(host);
  });
  if (!host.empty() && (is_loopback_name(host) || listed)) return "http://" + std::string(host);
  return "http://" + exchange.local_authority();
}

Task<void> refuse(http::Exchange& exchange, Error error) {
  http::Response response = http::problem_response(error, exchange.request_id());
  co_await exchange.respond(std::move(response));
}

}  // namespace sd::api
