#include "api/shares.h"

#include <algorithm>

#include "api/ask.h"
#include "api/html.h"
#include "api/query.h"
#include "api/resource.h"
#include "api/share_page.h"
#include "api/share_preview.h"

namespace sd::api {
namespace {

using catalog::Share;

const std::vector<std::string> kFormats = {"csv", "json", "ndjson"};

const std::vector<std::string>& formats_of(const Share& share) {
  return share.formats.empty() ? kFormats : share.formats;
}

std::string share_url(const App& app, const http::Exchange& exchange, const Share& share) {
  return base_url(app, exchange) + "/share/" + share.id.to_string();
}

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
  w.begin_object()
      .member("id", share.id.to_string())
      .member("url", share_url(app, exchange, share));
  w.member("name", share.name).member("query", share.query).member("state", state_of(share, now));
  w.begin_array("formats");
  for (const std::string& format : formats_of(share)) w.element(format);
  w.end_array().member("created_at", format_rfc3339(share.created_at));
  w.member("expires_at", format_rfc3339(share.expires_at)).member("downloads", share.downloads);
  if (share.max_downloads)
    w.member("max_downloads", *share.max_downloads);
  else
    w.null_member("max_downloads");
  return w.end_object().take();
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
  spec.expires_at = app.catalog().clock().wall_us() + request->duration_s * kMicrosPerSecond;
  const auto work = [&] { return app.catalog().create_share(spec); };
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

Task<Result<http::Response>> revoke_share(App& app, http::Exchange& exchange) {
  const Query query = parse_query(exchange.raw_query());
  CO_TRY_ASSIGN(const Access access, may_share(app, exchange, query, nullptr));
  const auto id = Id128::parse(exchange.path_parameter("id"));
  if (!id) co_return std::unexpected(no_such("share"));
  const Id128 destination = access.tenant->destination().id;
  const auto work = [&] { return app.catalog().revoke_share(destination, *id); };
  const Result<> revoked = co_await run_blocking(app.blocking(), exchange.executor(), work);
  if (!revoked) co_return std::unexpected(revoked.error());
  co_return no_content();
}

// The live share that a path names, and its destination; the same error whatever is amiss.
struct Found {
  Share share;
  std::shared_ptr<Tenant> tenant;
};

Error no_share() {
  return no_such("share, or it has ended");
}

Error not_now() {
  return Error{.code = ErrorCode::kUnavailable,
               .message = "this result cannot be produced right now",
               .retry_after_s = 30};
}

Task<Result<Found>> find_share(App& app, http::Exchange& exchange) {
  exchange.add_header("X-Robots-Tag", "noindex");
  const auto id = Id128::parse(exchange.path_parameter("id"));
  if (!id) co_return std::unexpected(no_share());
  const auto work = [&] { return app.catalog().share(*id); };
  Result<Share> share = co_await run_blocking(app.blocking(), exchange.executor(), work);
  if (!share && share.error().code != ErrorCode::kNotFound)
    co_return std::unexpected(share.error());
  if (!share || !share->is_live(app.catalog().clock().wall_us()))
    co_return std::unexpected(no_share());
  auto tenant = app.tenants().find(share->destination_id);
  if (!tenant) {
    // Not served for now, unless its entry in the configuration is gone.
    const auto destination = app.keys().destination(share->destination_id);
    const bool active = destination && destination->state == catalog::DestinationState::kActive;
    co_return std::unexpected(active ? not_now() : no_share());
  }
  co_return Found{std::move(*share), std::move(tenant)};
}

// People get a page, programs a problem.
Task<void> refuse_page(http::Exchange& exchange, Error error) {
  const bool person = exchange.header("Accept").find("text/html") != std::string_view::npos;
  if (!person || error.code != ErrorCode::kNotFound) {
    co_await refuse(exchange, std::move(error));
    co_return;
  }
  http::Response response =
      page("Nothing here",
           "<h1>Nothing here</h1>\n<p>There is no such share, or it has ended. "
           "Ask whoever sent you the link for a new one.</p>\n",
           404);
  co_await exchange.respond(std::move(response));
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
  if (prefers_plain_text(exchange.header("Accept"))) {
    response = http::text_response(url);
  } else {
    json::Writer w;
    w.begin_object()
        .member("id", share->id.to_string())
        .member("url", url)
        .member("name", share->name);
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

Task<void> handle_revoke_share(App& app, http::Exchange& exchange) {
  co_await answer_with(app, exchange, revoke_share);
}

Task<void> handle_share_page(App& app, http::Exchange& exchange) {
  Result<Found> found = co_await find_share(app, exchange);
  if (!found) {
    co_await refuse_page(exchange, std::move(found).error());
    co_return;
  }
  const Share& share = found->share;
  SharePage content;
  content.preview =
      co_await preview_of(app, exchange, found->tenant, share.query, share.id.to_string());
  content.id = share.id.to_string();
  content.url = share_url(app, exchange, share);
  content.name = share.name;
  content.expires_at = share.expires_at;
  content.now = app.catalog().clock().wall_us();
  content.formats = formats_of(share);
  if (share.max_downloads) content.downloads_left = *share.max_downloads - share.downloads;
  http::Response response = page(share.name, render_share_page(content));
  co_await exchange.respond(std::move(response));
}

Task<void> handle_share_data(App& app, http::Exchange& exchange) {
  Result<Found> found = co_await find_share(app, exchange);
  if (!found) {
    co_await refuse(exchange, std::move(found).error());
    co_return;
  }
  const Share& share = found->share;
  const std::string format(exchange.path_parameter("format"));
  const auto& formats = formats_of(share);
  const auto parsed = query::parse_format(format);
  if (!parsed || std::find(formats.begin(), formats.end(), format) == formats.end()) {
    Error error = no_such("format of this share; look at its page for those that it has");
    co_await refuse(exchange, std::move(error));
    co_return;
  }
  StreamRequest stream;
  stream.party = share.id.to_string();
  stream.headers = {{"Content-Disposition", content_disposition(share.name, format)},
                    {"Cache-Control", "no-store"},
                    {"X-Content-Type-Options", "nosniff"}};
  if (exchange.method() == "HEAD") {
    stream.headers.emplace_back("Content-Type", query::content_type(*parsed));
    const Result<> began = co_await exchange.begin(200, std::move(stream.headers));
    if (began) co_await exchange.finish();
    co_return;
  }
  stream.query.sql = share.query;
  stream.query.format = *parsed;
  stream.query.timeout = app.options().query_timeout;
  stream.query.position = found->tenant->log().durable_end();
  stream.hide_errors = true;
  // Counted when the result is there and before its first byte leaves.
  // The closure lives in `stream`, which outlives the task that it makes.
  // NOLINTNEXTLINE(cppcoreguidelines-avoid-capturing-lambda-coroutines)
  stream.admit = [&app, &exchange, id = share.id]() -> Task<Result<>> {
    const auto work = [&] { return app.catalog().count_download(id); };
    Result<> counted = co_await run_blocking(app.blocking(), exchange.executor(), work);
    if (!counted && counted.error().code == ErrorCode::kNotFound) counted = fail(no_share());
    co_return counted;
  };
  std::shared_ptr<Tenant> tenant = found->tenant;
  co_await stream_query(app, exchange, std::move(tenant), std::move(stream));
}

}  // namespace sd::api
