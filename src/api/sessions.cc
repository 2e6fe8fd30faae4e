#include "api/sessions.h"

#include "api/await.h"
#include "api/resource.h"
#include "api/session_cookie.h"

namespace sd::api {
namespace {

constexpr Micros kLifetime = 30LL * 86'400 * kMicrosPerSecond;

Error elsewhere() {
  return Error{.code = ErrorCode::kPermissionDenied,
               .message = "only pages of this server sign in and out"};
}

// What the dashboard must know of whom it shows itself to.
std::string session_json(App& app, const catalog::Key& key, Micros expires_at) {
  json::Writer w;
  w.begin_object().member("admin", key.is_admin()).begin_object("key");
  w.member("id", key.id.to_string()).member("name", key.name).member("prefix", key.prefix);
  write_scopes(w, key.scopes);
  write_names(w, "tables", key.tables);
  write_limit(w, "max_rows", key.max_rows);
  write_limit(w, "max_bytes", key.max_bytes);
  w.end_object();
  const auto home = key.destination_id ? app.keys().destination(*key.destination_id) : nullptr;
  if (home) {
    w.begin_object("destination").member("id", home->id.to_string());
    w.member("name", home->name).end_object();
  } else {
    w.null_member("destination");
  }
  if (expires_at != 0)
    w.member("expires_at", format_rfc3339(expires_at));
  else
    w.null_member("expires_at");
  return w.end_object().take();
}

// The key that signs in, or what a link makes of itself.
struct Asked {
  std::string key;
  std::string link;
};

Task<Result<Asked>> read_asked(http::Exchange& exchange) {
  const Result<json::Value> body = co_await read_object(exchange);
  if (!body) co_return std::unexpected(body.error());
  CO_TRY(check_members(*body, {"key", "link"}));
  Asked asked{std::string(body->string_or("key", "")), std::string(body->string_or("link", ""))};
  if (asked.key.empty() == asked.link.empty())
    co_return fail(parameter_error("send {\"key\":\"sd_…\"}, or {\"link\":\"…\"}"));
  co_return asked;
}

Error not_known() {
  return Error{.code = ErrorCode::kUnauthenticated, .message = "this API key is not known"};
}

// Blocks.
Result<catalog::CreatedSession> make_session(App& app, const Asked& asked,
                                             const catalog::KeyInfo* key) {
  if (key != nullptr) return app.catalog().create_session(key->id, kLifetime);
  auto made = app.catalog().redeem_sign_in_link(asked.link, kLifetime);
  if (!made && made.error().code == ErrorCode::kNotFound)
    return fail(ErrorCode::kUnauthenticated, made.error().message);
  return made;
}

struct SignedIn {
  catalog::CreatedSession made;
  catalog::Key key;
};

Task<Result<http::Response>> sign_in(App& app, http::Exchange& exchange) {
  const Result<Asked> asked = co_await read_asked(exchange);
  if (!asked) co_return std::unexpected(asked.error());
  if (is_of_other_origin(app, exchange)) co_return std::unexpected(elsewhere());
  std::shared_ptr<const catalog::KeyInfo> key;
  if (!asked->key.empty()) {
    key = app.keys().find_key(asked->key);
    const bool usable = key && (!key->well_known || may_be_well_known(exchange));
    if (!usable) co_return std::unexpected(not_known());
    if (key->endpoints) {
      co_return fail(ErrorCode::kPermissionDenied,
                     "this API key is for saved endpoints: there is nothing for it to see here");
    }
  }
  const auto work = [&]() -> Result<SignedIn> {
    SignedIn out;
    TRY_ASSIGN(out.made, make_session(app, *asked, key.get()));
    TRY_ASSIGN(out.key, app.catalog().key(out.made.session.key_id));
    return out;
  };
  const Result<SignedIn> done = co_await run_blocking(app.blocking(), exchange.executor(), work);
  if (!done) co_return std::unexpected(done.error());
  http::Response response =
      http::json_response(session_json(app, done->key, done->made.session.expires_at));
  response.headers.emplace_back("Cache-Control", "no-store");
  response.headers.emplace_back(
      "Set-Cookie", session_cookie(app, exchange, done->made.secret, kLifetime / kMicrosPerSecond));
  co_return response;
}

Task<Result<http::Response>> get_session(App& app, http::Exchange& exchange) {
  const Query query = parse_query(exchange.raw_query());
  CO_TRY_ASSIGN(const auto key, authenticate(app, exchange, query));
  const auto session = signed_in(app, exchange);
  const auto work = [&] { return app.catalog().key(key->id); };
  const Result<catalog::Key> known =
      co_await run_blocking(app.blocking(), exchange.executor(), work);
  if (!known) co_return std::unexpected(known.error());
  const bool by_cookie = session.key && session.key->id == key->id;
  http::Response response =
      http::json_response(session_json(app, *known, by_cookie ? session.expires_at : 0));
  response.headers.emplace_back("Cache-Control", "no-store");
  co_return response;
}

Task<Result<http::Response>> sign_out(App& app, http::Exchange& exchange) {
  if (is_of_other_origin(app, exchange)) co_return std::unexpected(elsewhere());
  const auto session = signed_in(app, exchange);
  if (session.key) {
    const auto work = [&] { return app.catalog().end_session(session.id); };
    const Result<> ended = co_await run_blocking(app.blocking(), exchange.executor(), work);
    if (!ended) co_return std::unexpected(ended.error());
  }
  http::Response response = no_content();
  response.headers.emplace_back("Set-Cookie", session_cookie(app, exchange, "", 0));
  co_return response;
}

}  // namespace

Task<void> handle_sign_in(App& app, http::Exchange& exchange) {
  co_await answer_with(app, exchange, sign_in);
}
Task<void> handle_get_session(App& app, http::Exchange& exchange) {
  co_await answer_with(app, exchange, get_session);
}
Task<void> handle_sign_out(App& app, http::Exchange& exchange) {
  co_await answer_with(app, exchange, sign_out);
}

}  // namespace sd::api
