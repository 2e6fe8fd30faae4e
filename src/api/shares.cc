#include "api/shares.h"

#include <algorithm>

#include "api/ask.h"
#include "api/freeze.h"
#include "api/frozen_files.h"
#include "api/resource.h"
#include "api/share_access.h"
#include "catalog/seal.h"

namespace sd::api {
namespace {

using catalog::Share;

// A key of one destination that may share. A key limited to tables may not: what a query reads is not
// held against the list in this version.
Result<Access> may_share(App& app, const http::Exchange& exchange, const Query& query,
                         const Query* form) {
  TRY_ASSIGN(Access access, authorise(app, exchange, query, catalog::Scope::kShare, form));
  if (access.key->tables || access.key->max_rows != 0 || access.key->max_bytes != 0) {
    return fail(ErrorCode::kPermissionDenied,
                "this API key has limits; such keys cannot share queries in this version");
  }
  return access;
}

std::string state_of(const Share& share, Micros now) {
  if (share.revoked_at) return "revoked";
  if (now >= share.expires_at) return "expired";
  return share.is_live(now) ? "live" : "used_up";
}

std::string share_json(const App& app, const http::Exchange& exchange, const Share& share,
                       Micros now) {
  json::Writer w;
  w.begin_object().member("id", public_id(share));
  if (share.token)
    w.member("url", share_url(app, exchange, share));
  else
    w.null_member("url");
  w.member("name", share.name).member("query", share.query).member("state", state_of(share, now));
  w.begin_array("formats");
  for (const std::string& format : formats_of(share)) w.element(format);
  w.end_array();
  if (share.frozen) {
    w.begin_object("frozen").member("rows", share.frozen->rows);
    w.member("bytes", share.frozen->bytes).end_object();
  } else {
    w.null_member("frozen");
  }
  w.member("created_at", format_rfc3339(share.created_at));
  w.member("expires_at", format_rfc3339(share.expires_at)).member("downloads", share.downloads);
  if (share.max_downloads)
    w.member("max_downloads", *share.max_downloads);
  else
    w.null_member("max_downloads");
  w.member("password", !share.password_hash.empty());
  write_limit(w, "max_rows", static_cast<std::uint64_t>(share.max_rows));
  write_limit(w, "timeout_ms", static_cast<std::uint64_t>(share.timeout_ms));
  write_limit(w, "max_simultaneous", static_cast<std::uint64_t>(share.max_running));
  w.member("embed", !share.embed.empty()).begin_array("origins");
  for (const std::string& origin : share.embed) w.element(origin);
  w.end_array();
  return w.end_object().take();
}

Task<Result<FrozenResult>> freeze_for(App& app, http::Exchange& exchange, const Access& access,
                                      const catalog::NewShare& spec) {
  FreezeRequest request{.share = spec.id, .sql = spec.query, .formats = offered(spec.formats)};
  request.max_rows =
      spec.max_rows != 0 ? static_cast<std::uint64_t>(spec.max_rows) : app.options().share_max_rows;
  request.timeout = spec.timeout_ms != 0 ? std::chrono::milliseconds(spec.timeout_ms)
                                         : app.options().share_timeout;
  request.leaves_out = spec.formats.empty();
  request.party = access.key->id.to_string();
  std::shared_ptr<Tenant> tenant = access.tenant;
  co_return co_await freeze(app, exchange, std::move(tenant), std::move(request));
}

Task<Result<Share>> create(App& app, http::Exchange& exchange) {
  const Query query = parse_query(exchange.raw_query());
  const Result<std::string_view> body = co_await exchange.read_body(kMaxObjectBytes);
  if (!body) co_return std::unexpected(body.error());
  Query form;
  Result<ShareRequest> request =
      read_share_request(query, exchange.header("Content-Type"), *body, form);
  CO_TRY_ASSIGN(const Access access, may_share(app, exchange, query, &form));
  if (!request) co_return std::unexpected(std::move(request).error());
  std::string sql = request->query;
  const Result<> checked = co_await check_sql(app, exchange, *access.tenant, std::move(sql));
  if (!checked) co_return std::unexpected(checked.error());
  catalog::NewShare spec{.destination_id = access.tenant->destination().id,
                         .query = request->query};
  spec.key_id = access.key->id;
  spec.name = request->name;
  spec.formats = request->formats;
  spec.max_downloads = request->max_downloads;
  spec.max_rows = request->max_rows;
  spec.timeout_ms = request->timeout_ms;
  spec.max_running = request->max_running;
  spec.embed = request->embed;
  if (!request->password.empty()) {
    const auto hashing = [&] { return catalog::hash_password(request->password); };
    const Result<std::string> hash =
        co_await run_blocking(app.passwords(), exchange.executor(), hashing);
    if (!hash) co_return std::unexpected(hash.error());
    spec.password_hash = *hash;
  }
  spec.expires_at = app.catalog().clock().wall_us() + request->duration_s * kMicrosPerSecond;
  if (request->frozen) {
    Result<FrozenResult> frozen = co_await freeze_for(app, exchange, access, spec);
    if (!frozen) co_return std::unexpected(std::move(frozen).error());
    spec.frozen = frozen->frozen;
    if (frozen->formats.size() < offered(spec.formats).size()) spec.formats = frozen->formats;
  }
  const auto work = [&] {
    Result<Share> made = app.catalog().create_share(spec);
    if (!made && spec.frozen) remove_frozen(access.tenant->frozen_folder(), spec.id);
    return made;
  };
  Result<Share> share = co_await run_blocking(app.blocking(), exchange.executor(), work);
  co_return share;
}

Task<Result<http::Response>> list_shares(App& app, http::Exchange& exchange) {
  const Query query = parse_query(exchange.raw_query());
  CO_TRY_ASSIGN(const Access access, may_share(app, exchange, query, nullptr));
  CO_TRY_ASSIGN(const catalog::PageRequest wanted, read_page_request(query));
  CO_TRY_ASSIGN(const bool all, query.flag("all"));
  const Micros now = app.catalog().clock().wall_us();
  const Id128 destination = access.tenant->destination().id;
  const auto work = [&] {
    return kept_page<Share>(
        wanted,
        [&](catalog::PageRequest page) { return app.catalog().list_shares(destination, page); },
        [&](const Share& share) { return all || share.is_live(now); });
  };
  const Result<catalog::Page<Share>> shares =
      co_await run_blocking(app.blocking(), exchange.executor(), work);
  if (!shares) co_return std::unexpected(shares.error());
  std::vector<std::string> items;
  for (const Share& share : shares->items) items.push_back(share_json(app, exchange, share, now));
  std::optional<std::string> next;
  if (shares->next) next = shares->next->to_string();
  co_return http::json_response(list_json(items, next));
}

Task<Result<http::Response>> get_share(App& app, http::Exchange& exchange) {
  const Query query = parse_query(exchange.raw_query());
  CO_TRY_ASSIGN(const Access access, may_share(app, exchange, query, nullptr));
  const auto id = Id128::parse(exchange.path_parameter("id"));
  if (!id) co_return std::unexpected(no_such("share"));
  const Id128 destination = access.tenant->destination().id;
  const auto work = [&] { return app.catalog().share_of(destination, *id); };
  const Result<Share> share = co_await run_blocking(app.blocking(), exchange.executor(), work);
  if (!share) co_return std::unexpected(share.error());
  const Micros now = app.catalog().clock().wall_us();
  co_return http::json_response(share_json(app, exchange, *share, now));
}

std::string download_json(const catalog::Download& download) {
  json::Writer w;
  w.begin_object().member("at", format_rfc3339(download.at)).member("format", download.format);
  w.member("bytes", download.bytes).member("complete", download.whole);
  if (download.address.empty())
    w.null_member("address");
  else
    w.member("address", download.address);
  return w.end_object().take();
}

Task<Result<http::Response>> list_downloads(App& app, http::Exchange& exchange) {
  const Query query = parse_query(exchange.raw_query());
  CO_TRY_ASSIGN(const Access access, may_share(app, exchange, query, nullptr));
  CO_TRY_ASSIGN(const catalog::PageRequest wanted, read_page_request(query));
  const auto id = Id128::parse(exchange.path_parameter("id"));
  if (!id) co_return std::unexpected(no_such("share"));
  const Id128 destination = access.tenant->destination().id;
  const auto work = [&]() -> Result<catalog::Page<catalog::Download>> {
    TRY_ASSIGN(const Share share, app.catalog().share_of(destination, *id));
    return app.catalog().list_downloads(share.id, wanted);
  };
  const auto downloads = co_await run_blocking(app.blocking(), exchange.executor(), work);
  if (!downloads) co_return std::unexpected(downloads.error());
  std::vector<std::string> items;
  for (const catalog::Download& each : downloads->items) items.push_back(download_json(each));
  std::optional<std::string> next;
  if (downloads->next) next = downloads->next->to_string();
  co_return http::json_response(list_json(items, next));
}

Task<Result<http::Response>> revoke_share(App& app, http::Exchange& exchange) {
  const Query query = parse_query(exchange.raw_query());
  CO_TRY_ASSIGN(const Access access, may_share(app, exchange, query, nullptr));
  const auto id = Id128::parse(exchange.path_parameter("id"));
  if (!id) co_return std::unexpected(no_such("share"));
  const Id128 destination = access.tenant->destination().id;
  const auto work = [&]() -> Result<> {
    TRY_ASSIGN(const Share share, app.catalog().share_of(destination, *id));
    TRY(app.catalog().revoke_share(destination, share.id));
    if (share.frozen) remove_frozen(access.tenant->frozen_folder(), share.id);
    return {};
  };
  const Result<> revoked = co_await run_blocking(app.blocking(), exchange.executor(), work);
  if (!revoked) co_return std::unexpected(revoked.error());
  co_return no_content();
}

}  // namespace

Task<void> handle_create_share(App& app, http::Exchange& exchange) {
  const Result<Share> share = co_await create(app, exchange);
  if (!share) {
    Error error = share.error();
    co_await refuse(exchange, std::move(error));
    co_return;
  }
  const std::string url = share_url(app, exchange, *share);
  http::Response response;
  if (prefers_plain_text(exchange.header_list("Accept"))) {
    response = http::text_response(url);
  } else {
    json::Writer w;
    w.begin_object().member("id", public_id(*share)).member("url", url).member("name", share->name);
    w.member("expires_at", format_rfc3339(share->expires_at)).end_object();
    response = http::json_response(w.take());
  }
  co_await exchange.respond(std::move(response));
}

Task<void> handle_share_by_get(App& app, http::Exchange& exchange) {
  exchange.add_header("Allow", "POST");
  Error error = invalid("a share is made with POST: curl -X POST '" + base_url(app, exchange) +
                        std::string(exchange.path()) +
                        "' -H 'Authorization: Bearer YOUR_API_KEY' --data "
                        "'{\"query\":\"SELECT 42 AS answer\",\"duration\":3600}'")
                    .with_status(405)
                    .with_slug("method-not-allowed");
  co_await refuse(exchange, std::move(error));
}

Task<void> handle_list_shares(App& app, http::Exchange& exchange) {
  co_await answer_with(app, exchange, list_shares);
}

Task<void> handle_get_share(App& app, http::Exchange& exchange) {
  co_await answer_with(app, exchange, get_share);
}

Task<void> handle_list_downloads(App& app, http::Exchange& exchange) {
  co_await answer_with(app, exchange, list_downloads);
}

Task<void> handle_revoke_share(App& app, http::Exchange& exchange) {
  co_await answer_with(app, exchange, revoke_share);
}

}  // namespace sd::api
