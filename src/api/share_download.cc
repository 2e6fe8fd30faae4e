// What a share shows to whoever has its link: the page, and the downloads. See shares.h.
#include <algorithm>

#include "api/frozen_files.h"
#include "api/html.h"
#include "api/query.h"
#include "api/resource.h"
#include "api/share_access.h"
#include "api/share_frozen.h"
#include "api/share_page.h"
#include "api/share_preview.h"
#include "api/shares.h"
#include "base/log.h"

namespace sd::api {
namespace {

using catalog::Share;

bool wants_page(const http::Exchange& exchange) {
  return exchange.header_list("Accept").find("text/html") != std::string_view::npos;
}

// People get a page, programs a problem.
Task<void> refuse_page(http::Exchange& exchange, Error error) {
  if (!wants_page(exchange) || error.code != ErrorCode::kNotFound) {
    co_await refuse(exchange, std::move(error));
    co_return;
  }
  http::Response response =
      card_page("Nothing here",
                "<h1>Nothing here</h1>\n<p class=\"soft\">There is no such share, or it has ended. "
                "Ask whoever sent you the link for a new one.</p>\n",
                404);
  co_await exchange.respond(std::move(response));
}

// The share, once its password is known too.
Task<Result<FoundShare>> open_share(App& app, http::Exchange& exchange) {
  Result<FoundShare> found = co_await find_share(app, exchange);
  if (!found) co_return std::unexpected(std::move(found).error());
  const Result<> known = co_await check_password(app, exchange, found->share);
  if (!known) co_return std::unexpected(known.error());
  co_return found;
}

Task<void> show_password_form(http::Exchange& exchange, const Error& error) {
  const bool tried = error.slug != "password-required";
  http::Response response =
      password_page(tried ? error.message : std::string(), error.effective_status());
  if (error.retry_after_s > 0)
    response.headers.emplace_back("Retry-After", std::to_string(error.retry_after_s));
  co_await exchange.respond(std::move(response));
}

// The name of the format where the share comes in it.
const std::string* offered_format(const Share& share, std::string_view format) {
  const auto& formats = formats_of(share);
  const auto found = std::ranges::find(formats, format);
  return found == formats.end() ? nullptr : &*found;
}

Error busy() {
  return Error{.code = ErrorCode::kUnavailable,
               .message = "this share is being downloaded as often as it may be at a time",
               .slug = "share-busy",
               .retry_after_s = 5};
}

// Its owner's, or the server's where that says nothing.
std::uint64_t limit_of(std::int64_t own, std::uint64_t servers) {
  return own != 0 ? static_cast<std::uint64_t>(own) : servers;
}

Task<void> log_download(App& app, http::Exchange& exchange, catalog::Download download) {
  if (app.options().share_log_addresses) download.address = exchange.peer_address();
  const auto work = [&] { return app.catalog().log_download(download); };
  const Result<> logged = co_await run_blocking(app.blocking(), exchange.executor(), work);
  if (!logged)
    log::warn("a download is not in its share's log", {{"error", logged.error().message}});
}

}  // namespace

Task<void> handle_share_page(App& app, http::Exchange& exchange) {
  Result<FoundShare> found = co_await find_share(app, exchange);
  if (!found) {
    co_await refuse_page(exchange, std::move(found).error());
    co_return;
  }
  const Share& share = found->share;
  const Result<> known = co_await check_password(app, exchange, share);
  if (!known) {
    Error error = known.error();
    if (wants_page(exchange))
      co_await show_password_form(exchange, error);
    else
      co_await refuse(exchange, std::move(error));
    co_return;
  }
  SharePage content;
  if (share.frozen) {
    content.preview = co_await frozen_preview(app, exchange, *found);
    content.rows = share.frozen->rows;
    content.frozen_at = share.created_at;
  } else {
    content.preview =
        co_await preview_of(app, exchange, found->tenant, share.query, share.id.to_string());
  }
  content.id = public_id(share);
  content.url = share_url(app, exchange, share);
  content.name = share.name;
  content.expires_at = share.expires_at;
  content.now = app.catalog().clock().wall_us();
  content.formats = formats_of(share);
  content.has_password = !share.password_hash.empty();
  if (share.max_downloads) content.downloads_left = *share.max_downloads - share.downloads;
  http::Response response = page(share.name, render_share_page(content), share.embed);
  co_await exchange.respond(std::move(response));
}

Task<void> handle_share_password(App& app, http::Exchange& exchange) {
  constexpr std::uint64_t kMostForm = 8192;
  Result<FoundShare> found = co_await find_share(app, exchange);
  if (!found) {
    co_await refuse_page(exchange, std::move(found).error());
    co_return;
  }
  const Share& share = found->share;
  const Result<std::string_view> body = co_await exchange.read_body(kMostForm);
  Result<> right;
  if (!body) {
    right = fail(body.error());
  } else if (!share.password_hash.empty()) {
    std::string password;
    for (const http::Parameter& each : http::parse_form(*body)) {
      if (each.name == "password") password = each.value;
    }
    right = co_await try_password(app, exchange, share, std::move(password));
  }
  if (!right) {
    Error error = right.error();
    if (wants_page(exchange))
      co_await show_password_form(exchange, error);
    else
      co_await refuse(exchange, std::move(error));
    co_return;
  }
  http::Response response;
  response.status = 303;
  response.headers.emplace_back("Location", "/share/" + public_id(share));
  response.headers.emplace_back("Cache-Control", "no-store");
  if (!share.password_hash.empty())
    response.headers.emplace_back("Set-Cookie", password_cookie(app, exchange, share));
  co_await exchange.respond(std::move(response));
}

Task<void> handle_share_data(App& app, http::Exchange& exchange) {
  Result<FoundShare> found = co_await open_share(app, exchange);
  if (!found) {
    co_await refuse(exchange, std::move(found).error());
    co_return;
  }
  const Share& share = found->share;
  const std::string* format = offered_format(share, exchange.path_parameter("format"));
  const auto parsed = format != nullptr ? query::parse_format(*format) : std::nullopt;
  if (!parsed) {
    Error error = no_such("format of this share; look at its page for those that it has");
    co_await refuse(exchange, std::move(error));
    co_return;
  }
  const Result<bool> spreadsheet = parse_query(exchange.raw_query()).flag("spreadsheet");
  if (!spreadsheet) {
    Error error = spreadsheet.error();
    co_await refuse(exchange, std::move(error));
    co_return;
  }
  http::Headers headers = {{"Content-Disposition", content_disposition(share.name, *format)},
                           {"Cache-Control", share.frozen ? "private, no-cache" : "no-store"},
                           {"Referrer-Policy", "no-referrer"},
                           {"X-Content-Type-Options", "nosniff"}};
  const bool is_head = exchange.method() == "HEAD";
  if (share.frozen || is_head) headers.emplace_back("Content-Type", query::content_type(*parsed));
  if (is_head && !share.frozen) {
    const Result<> began = co_await exchange.begin(200, std::move(headers));
    if (began) co_await exchange.finish();
    co_return;
  }
  const auto most = limit_of(share.max_running, app.options().share_max_running);
  ShareGuard::Place place;
  if (!is_head) place = app.share_guard().enter(share.id, most);
  if (!place && !is_head) {
    Error error = busy();
    co_await refuse(exchange, std::move(error));
    co_return;
  }
  if (share.frozen) {
    std::optional<catalog::Download> download =
        co_await send_frozen(app, exchange, *found, *format,
                             *spreadsheet && has_spreadsheet_form(*format), std::move(headers));
    if (download) co_await log_download(app, exchange, std::move(*download));
    co_return;
  }
  StreamRequest stream;
  stream.query.spreadsheet = *spreadsheet;
  stream.party = share.id.to_string();
  stream.headers = std::move(headers);
  stream.query.sql = share.query;
  stream.query.format = *parsed;
  stream.query.timeout = app.options().share_timeout;
  if (share.timeout_ms != 0) stream.query.timeout = std::chrono::milliseconds(share.timeout_ms);
  stream.query.max_rows = limit_of(share.max_rows, app.options().share_max_rows);
  stream.query.position = found->tenant->log().durable_end();
  stream.hide_errors = true;
  stream.has_tag = false;
  // Counted when the result is there and before its first byte leaves.
  // The closure lives in `stream`, which outlives the task that it makes.
  // NOLINTNEXTLINE(cppcoreguidelines-avoid-capturing-lambda-coroutines)
  stream.admit = [&app, &exchange, id = share.id]() -> Task<Result<>> {
    const auto work = [&] { return app.catalog().count_download(id); };
    Result<> counted = co_await run_blocking(app.blocking(), exchange.executor(), work);
    if (!counted && counted.error().code == ErrorCode::kNotFound)
      counted = fail(no_such("share, or it has ended"));
    co_return counted;
  };
  catalog::Download download{.share_id = share.id, .format = *format};
  download.at = app.catalog().clock().wall_us();
  std::shared_ptr<Tenant> tenant = found->tenant;
  const StreamOutcome outcome =
      co_await stream_query(app, exchange, std::move(tenant), std::move(stream));
  if (!outcome.began) co_return;
  download.bytes = static_cast<std::int64_t>(outcome.bytes);
  download.whole = outcome.whole;
  co_await log_download(app, exchange, std::move(download));
}

}  // namespace sd::api
