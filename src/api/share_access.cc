#include "api/share_access.h"

#include <charconv>

#include "api/resource.h"
#include "api/session_cookie.h"
#include "catalog/seal.h"

namespace sd::api {
namespace {

using catalog::Share;

const std::vector<std::string> kFormats = {"csv", "json", "ndjson", "parquet", "xlsx"};
constexpr std::string_view kCookie = "share_password";

Error no_share() {
  return no_such("share, or it has ended");
}

Error not_now() {
  return Error{.code = ErrorCode::kUnavailable,
               .message = "this result cannot be produced right now",
               .retry_after_s = 30};
}

// What the cookie is sealed for: a changed password makes it worthless.
std::string cookie_place(const Share& share) {
  return "share password " + share.id.to_string() + share.password_hash;
}

bool has_cookie(App& app, const http::Exchange& exchange, const Share& share) {
  const std::string_view value = cookie_value(exchange, kCookie);
  if (value.empty()) return false;
  const Result<std::string> until = app.catalog().unseal(value, cookie_place(share));
  if (!until) return false;
  Micros at = 0;
  std::from_chars(until->data(), until->data() + until->size(), at);
  return app.catalog().clock().wall_us() < at;
}

Error wants_password() {
  return Error{.code = ErrorCode::kUnauthenticated,
               .message =
                   "this share has a password: send it with HTTP Basic, with any user name, as in "
                   "curl -u share:PASSWORD",
               .slug = "password-required"};
}

}  // namespace

std::string public_id(const Share& share) {
  return share.token.value_or(share.id).to_string();
}

std::string share_url(const App& app, const http::Exchange& exchange, const Share& share) {
  return base_url(app, exchange) + "/share/" + public_id(share);
}

const std::vector<std::string>& offered(const std::vector<std::string>& named) {
  return named.empty() ? kFormats : named;
}

Task<Result<FoundShare>> find_share(App& app, http::Exchange& exchange) {
  exchange.add_header("X-Robots-Tag", "noindex");
  const auto token = Id128::parse(exchange.path_parameter("id"));
  if (!token) co_return std::unexpected(no_share());
  const auto work = [&] { return app.catalog().share(*token); };
  Result<Share> share = co_await run_blocking(app.blocking(), exchange.executor(), work);
  if (!share && share.error().code != ErrorCode::kNotFound)
    co_return std::unexpected(share.error());
  const Micros now = app.catalog().clock().wall_us();
  if (!share || share->has_ended(now)) co_return std::unexpected(no_share());
  // Used up by a download of this client's, of which it has not got everything.
  const std::string address(exchange.peer_address());
  if (share->is_used_up() && !app.share_guard().has_left(share->id, address, now))
    co_return std::unexpected(no_share());
  share->token = *token;  // also where it could not be unsealed
  auto tenant = app.tenants().find(share->destination_id);
  if (!tenant) {
    // Not served for now, unless its entry in the configuration is gone.
    const auto destination = app.keys().destination(share->destination_id);
    const bool active = destination && destination->state == catalog::DestinationState::kActive;
    co_return std::unexpected(active ? not_now() : no_share());
  }
  co_return FoundShare{std::move(*share), std::move(tenant)};
}

Task<Result<>> try_password(App& app, http::Exchange& exchange, const Share& share,
                            std::string password) {
  const std::string address(exchange.peer_address());
  ShareGuard& guard = app.share_guard();
  const auto verdict = guard.may_try(share.id, address, app.catalog().clock().wall_us());
  if (!verdict.may) {
    co_return std::unexpected(Error{.code = ErrorCode::kResourceExhausted,
                                    .message = "too many wrong passwords; wait a minute",
                                    .slug = "too-many-passwords",
                                    .status = 429,
                                    .retry_after_s = verdict.retry_after_s});
  }
  const auto work = [&] { return catalog::password_matches(share.password_hash, password); };
  const Result<bool> right = co_await run_blocking(app.passwords(), exchange.executor(), work);
  if (!right) co_return std::unexpected(right.error());
  if (!*right) {
    Error error = wants_password();
    error.message = "this is not the password of this share";
    error.slug = "wrong-password";
    co_return std::unexpected(std::move(error));
  }
  guard.forgive(share.id, address);
  co_return Result<>();
}

Task<Result<>> check_password(App& app, http::Exchange& exchange, const Share& share) {
  if (share.password_hash.empty() || has_cookie(app, exchange, share)) co_return Result<>();
  const auto basic = basic_credentials(exchange);
  if (!basic) co_return std::unexpected(wants_password());
  std::string password = basic->second;
  co_return co_await try_password(app, exchange, share, std::move(password));
}

std::string password_cookie(App& app, const http::Exchange& exchange, const Share& share) {
  const Micros until = app.catalog().clock().wall_us() + kPasswordHours * 3600 * kMicrosPerSecond;
  std::string value(kCookie);
  value += "=" + app.catalog().seal(std::to_string(until), cookie_place(share));
  value +=
      "; Path=/share/" + public_id(share) + "; Max-Age=" + std::to_string(kPasswordHours * 3600);
  value += "; HttpOnly; SameSite=Strict";
  if (base_url(app, exchange).starts_with("https://")) value += "; Secure";
  return value;
}

}  // namespace sd::api
