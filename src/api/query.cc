#include "api/query.h"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <charconv>

#include "api/ask.h"
#include "api/html.h"
#include "api/resource.h"
#include "base/json_text.h"
#include "http/pipe.h"
#include "json/document.h"

namespace sd::api {
namespace {

using std::chrono::milliseconds;
using namespace net::experimental::awaitable_operators;

constexpr std::uint64_t kMaxRequestBytes = 4U << 20;
constexpr std::size_t kPipeBytes = 1U << 20;

struct Asked {
  std::string sql;
  std::optional<std::string> format;
  std::optional<std::string> timeout_ms;
  std::optional<bool> fresh;
  bool quote_int64 = false;
};

Result<> read_parameters(const Query& query, Asked& asked) {
  if (const std::string* sql = query.find("query")) asked.sql = *sql;
  if (const std::string* format = query.find("format")) asked.format = *format;
  if (const std::string* timeout = query.find("timeout_ms")) asked.timeout_ms = *timeout;
  if (query.find("fresh") != nullptr) {
    TRY_ASSIGN(asked.fresh, query.flag("fresh"));
  }
  TRY_ASSIGN(asked.quote_int64, query.flag("quote_int64", asked.quote_int64));
  return {};
}

Result<> read_json(std::string_view body, Asked& asked) {
  TRY_ASSIGN(const json::Value document, json::parse_document(body));
  if (!document.is_object())
    return fail(parameter_error("a JSON body is an object with the member \"query\""));
  for (const auto& [name, value] : document.members()) {
    if (name == "query" && value.is_string())
      asked.sql = value.text();
    else if (name == "format" && value.is_string())
      asked.format = value.text();
    else if (name == "timeout_ms" && value.as_int())
      asked.timeout_ms = value.text();
    else if (name == "fresh" && value.as_bool())
      asked.fresh = value.as_bool();
    else if (name == "quote_int64" && value.as_bool())
      asked.quote_int64 = *value.as_bool();
    else if (name == "destination_id" || name == "api_key")
      continue;
    else
      return fail(
          parameter_error("the member \"" + name + "\" is not known, or not of the right type"));
  }
  return {};
}

bool begins_as_json(std::string_view body) {
  const auto at = body.find_first_not_of(" \t\r\n");
  return at != std::string_view::npos && body[at] == '{';
}

Result<engine::QueryRequest> to_request(const App& app, const http::Exchange& exchange,
                                        const Asked& asked) {
  engine::QueryRequest request;
  request.sql = asked.sql;
  if (asked.sql.empty())
    return fail(invalid("no SQL: send it as ?query=, as the body, or as {\"query\":…}")
                    .with_slug("empty-query"));
  if (!is_valid_utf8(asked.sql))
    return fail(invalid("the SQL is not valid UTF-8").with_slug("invalid-utf8"));
  if (asked.format) {
    TRY_ASSIGN(request.format, read_format("format", *asked.format));
  } else {
    // Something else than we have is no reason to refuse.
    request.format = query::negotiate(exchange.header("Accept")).value_or(query::Format::kJson);
    TRY(read_format("Accept", query::format_name(request.format)));
  }
  request.timeout = app.options().query_timeout;
  if (asked.timeout_ms) {
    std::int64_t ms = 0;
    const auto parsed = std::from_chars(asked.timeout_ms->data(),
                                        asked.timeout_ms->data() + asked.timeout_ms->size(), ms);
    if (parsed.ec != std::errc{} ||
        parsed.ptr != asked.timeout_ms->data() + asked.timeout_ms->size() || ms <= 0) {
      return fail(parameter_error("timeout_ms must be a positive number of milliseconds"));
    }
    request.timeout = std::min<milliseconds>(milliseconds(ms), std::chrono::hours(24));
  }
  request.must_be_fresh = asked.fresh.value_or(false);
  if (!asked.fresh.value_or(true)) request.fresh_timeout = milliseconds(0);
  request.quote_int64 = asked.quote_int64;
  return request;
}

// What the engine tells of a query, in order.
struct Event {
  std::optional<engine::QueryStarted> started;
  std::optional<Result<std::uint64_t>> ended;
};

// Counts the time of a query, also of one that ends badly.
class Timer {
 public:
  explicit Timer(Tenant& tenant) : tenant_(tenant), began_(system_clock().steady_us()) {}
  ~Timer() {
    tenant_.observe_query(static_cast<double>(system_clock().steady_us() - began_) / 1e6);
  }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

 private:
  Tenant& tenant_;
  const Micros began_;
};

Error hidden(const Error& error) {
  if (error.code == ErrorCode::kUnavailable || error.code == ErrorCode::kResourceExhausted) {
    return Error{.code = ErrorCode::kUnavailable,
                 .message = "this result cannot be produced right now",
                 .retry_after_s = 2};
  }
  if (error.code == ErrorCode::kDeadlineExceeded) {
    return Error{.code = ErrorCode::kDeadlineExceeded,
                 .message = "this result took too long to produce"};
  }
  return Error{.code = ErrorCode::kInternal, .message = "this result cannot be produced any more"};
}

// Copies what the engine writes until the pipe ends; false when the client has gone.
Task<bool> copy_out(http::Exchange& exchange, http::PipeSource& pipe) {
  while (true) {
    auto next = co_await (pipe.read_some() || exchange.client_gone());
    if (next.index() == 1) co_return false;
    Result<std::string_view> bytes = std::move(std::get<0>(next));
    if (!bytes || bytes->empty()) co_return true;
    const Result<> written = co_await exchange.write(*bytes);
    if (!written) co_return false;
  }
}

Task<std::optional<Event>> next_event(Mailbox<Event>& mailbox, http::Exchange& exchange) {
  auto next = co_await (mailbox.pop() || exchange.client_gone());
  if (next.index() == 1) co_return std::nullopt;
  co_return std::move(std::get<0>(next));
}

}  // namespace

Result<query::Format> read_format(std::string_view parameter, std::string_view name) {
  const auto format = query::parse_format(name);
  if (format && *format != query::Format::kParquet) return *format;
  return fail(parameter_error(std::string(parameter) +
                              ": the formats are json, ndjson, csv, tsv, jsoncompact, html and "
                              "arrow"));
}

Task<void> stream_query(App& app, http::Exchange& exchange, std::shared_ptr<Tenant> tenant,
                        StreamRequest request) {
  const Tenant::QueryPlace place(*tenant, app.options().max_running_queries);
  if (!place) {
    Error busy = too_many_queries();
    co_await refuse(exchange, std::move(busy));
    co_return;
  }
  const Timer timer(*tenant);
  Result<http::PipeEnds> ends = http::make_pipe(kPipeBytes);
  if (!ends) {
    co_await refuse(exchange, std::move(ends).error());
    co_return;
  }
  http::PipeSource pipe(exchange.executor(), ends->read_fd);
  Mailbox<Event> mailbox(exchange.executor());
  const auto sender = mailbox.sender();
  engine::QueryEvents events{.on_started =
                                 [sender](engine::QueryStarted started) {
                                   sender.push(Event{std::move(started), {}});
                                 },
                             .on_end =
                                 [sender](Result<std::uint64_t> rows) {
                                   sender.push(Event{{}, std::move(rows)});
                                 }};
  const std::uint64_t id = app.pool().query(tenant->id(), std::move(request.query),
                                            UniqueFd(ends->write_fd), std::move(events));
  std::optional<Event> first = co_await next_event(mailbox, exchange);
  if (!first) {  // the client has gone
    app.pool().cancel(id);
    exchange.break_off();
    co_return;
  }
  if (first->ended) {
    const Error error = first->ended->has_value() ? Error{.message = "the engine gave no result"}
                                                  : first->ended->error();
    Error shown = request.hide_errors ? hidden(error) : error;
    co_await refuse(exchange, std::move(shown));
    co_return;
  }
  if (request.admit) {
    Result<> admitted = co_await request.admit();
    if (!admitted) {
      pipe.close();
      app.pool().cancel(id);
      co_await refuse(exchange, std::move(admitted).error());
      co_return;
    }
  }
  http::Headers headers = std::move(request.headers);
  headers.emplace_back("Content-Type", first->started->content_type);
  if (first->started->content_type.starts_with("text/html")) add_page_policy(headers);
  if (!first->started->fresh) {
    headers.emplace_back("X-Fresh", "false");
    if (!request.hide_errors)
      headers.emplace_back("X-Lag-Rows", std::to_string(tenant->lag_rows()));
  }
  const Result<> began = co_await exchange.begin(200, std::move(headers));
  if (began && exchange.method() == "HEAD") {
    pipe.close();
    app.pool().cancel(id);
    co_await exchange.finish();
    co_return;
  }
  bool whole = began.has_value();
  if (whole) whole = co_await copy_out(exchange, pipe);
  pipe.close();
  if (!whole) {
    app.pool().cancel(id);
    exchange.break_off();
    co_return;
  }
  // The end of the pipe is not the end of the result: only the engine's word is.
  const std::optional<Event> last = co_await next_event(mailbox, exchange);
  if (last && last->ended && last->ended->has_value())
    co_await exchange.finish();
  else
    exchange.break_off();
}

Task<void> handle_query(App& app, http::Exchange& exchange) {
  const Query query = parse_query(exchange.raw_query());
  Asked asked;
  Query form;
  Result<> read = read_parameters(query, asked);
  const bool is_form =
      exchange.header("Content-Type").starts_with("application/x-www-form-urlencoded");
  if (read && exchange.method() == "POST") {
    const Result<std::string_view> body = co_await exchange.read_body(kMaxRequestBytes);
    if (!body) {
      read = fail(body.error());
    } else if (begins_as_json(*body)) {
      read = read_json(*body, asked);
    } else if (is_form && is_form_with(*body, "query")) {
      form.parameters = http::parse_form(*body);
      read = read_parameters(form, asked);
    } else if (!body->empty()) {
      asked.sql = *body;
    }
  }
  // Who asks comes first: what is wrong with a request is told to those who may make one.
  Result<Access> access = authorise(app, exchange, query, catalog::Scope::kQuery, &form);
  if (!access) {
    co_await refuse(exchange, std::move(access).error());
    co_return;
  }
  if (access->key->tables) {
    // What a statement reads is not held against the list yet: rather nothing than everything.
    Error limited{
        .code = ErrorCode::kPermissionDenied,
        .message =
            "this API key is limited to tables; such keys cannot run queries in this version"};
    co_await refuse(exchange, std::move(limited));
    co_return;
  }
  if (!read) {
    co_await refuse(exchange, std::move(read).error());
    co_return;
  }
  Result<engine::QueryRequest> request = to_request(app, exchange, asked);
  if (!request) {
    co_await refuse(exchange, std::move(request).error());
    co_return;
  }
  const bool wants_latest = asked.fresh.value_or(true);
  request->position =
      wants_latest ? access->tenant->log().durable_end() : access->tenant->highest_applied();
  if (!wants_latest) request->fresh_timeout = milliseconds(10'000);
  exchange.add_header("X-Query-Id", Id128::make().to_string());
  exchange.add_header("X-Content-Type-Options", "nosniff");
  StreamRequest stream;
  stream.query = std::move(*request);
  std::shared_ptr<Tenant> tenant = access->tenant;
  co_await stream_query(app, exchange, std::move(tenant), std::move(stream));
}

}  // namespace sd::api
