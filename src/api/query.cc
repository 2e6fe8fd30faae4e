#include "api/query.h"

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "api/ask.h"
#include "api/html.h"
#include "api/query_place.h"
#include "api/query_request.h"
#include "api/resource.h"
#include "http/pipe.h"

namespace sd::api {
namespace {

using std::chrono::milliseconds;
using namespace net::experimental::awaitable_operators;

constexpr std::uint64_t kMaxRequestBytes = 4U << 20;
constexpr std::size_t kPipeBytes = 1U << 20;

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

Error too_many_bytes(std::uint64_t limit) {
  return Error{.code = ErrorCode::kInvalidArgument,
               .message = "the result has more than " + std::to_string(limit) +
                          " bytes, which is the limit of this API key",
               .slug = "result-too-large",
               .status = 422};
}

Error hidden(const Error& error, bool has_parameters) {
  if (error.code == ErrorCode::kUnavailable || error.code == ErrorCode::kResourceExhausted) {
    return Error{.code = ErrorCode::kUnavailable,
                 .message = "this result cannot be produced right now",
                 .retry_after_s = 2};
  }
  if (error.code == ErrorCode::kDeadlineExceeded) {
    return Error{.code = ErrorCode::kDeadlineExceeded,
                 .message = "this result took too long to produce"};
  }
  if (error.slug == "result-too-large") {
    return Error{.code = ErrorCode::kInvalidArgument,
                 .message = "this result is larger than may be sent here, or than the format holds",
                 .slug = error.slug,
                 .status = 422};
  }
  // What is wrong with a value that the caller gave.
  if (error.slug == "invalid-parameter") return error;
  if (has_parameters && error.code == ErrorCode::kInvalidArgument) {
    return Error{.code = ErrorCode::kInvalidArgument,
                 .message = "there is no result for these parameters",
                 .slug = "no-result",
                 .status = 422};
  }
  return Error{.code = ErrorCode::kInternal, .message = "this result cannot be produced any more"};
}

enum class Copied { kAll, kBroken, kClientGone };

// Copies what the engine writes until the pipe ends, or there is more than `max_bytes` (0: any number).
Task<Copied> copy_all(http::Exchange& exchange, http::PipeSource& pipe, std::uint64_t max_bytes,
                      std::uint64_t& written_bytes) {
  for (;;) {
    const Result<std::size_t> bytes = co_await pipe.wait_readable();
    if (!bytes) co_return Copied::kBroken;
    if (*bytes == 0) co_return Copied::kAll;
    written_bytes += *bytes;
    if (max_bytes != 0 && written_bytes > max_bytes) co_return Copied::kBroken;
    const Result<> written = co_await exchange.write_from(pipe, *bytes);
    if (!written) co_return Copied::kClientGone;
  }
}

// The same, until the client has gone, or `stop` says that the result will not be whole: however slowly the client reads.
Task<Copied> copy_out(http::Exchange& exchange, http::PipeSource& pipe, std::uint64_t max_bytes,
                      Mailbox<bool>& stop, std::uint64_t& written_bytes) {
  const auto end = co_await (copy_all(exchange, pipe, max_bytes, written_bytes) ||
                             exchange.client_gone() || stop.pop());
  if (end.index() == 0) co_return std::get<0>(end);
  co_return end.index() == 1 ? Copied::kClientGone : Copied::kBroken;
}

Task<std::optional<Event>> next_event(Mailbox<Event>& mailbox, http::Exchange& exchange) {
  auto next = co_await (mailbox.pop() || exchange.client_gone());
  if (next.index() == 1) co_return std::nullopt;
  co_return std::move(std::get<0>(next));
}

// How the answer begins, once the engine has told that it will.
http::Headers answer_headers(const Tenant& tenant, const engine::QueryStarted& started,
                             StreamRequest& request) {
  http::Headers headers = std::move(request.headers);
  headers.emplace_back("Vary", "Accept, Accept-Encoding, Authorization, X-API-KEY, Cookie");
  const bool tagged = request.has_tag && !started.etag.empty();
  if (tagged) headers.emplace_back("ETag", started.etag);
  if (tagged || request.is_cached) headers.emplace_back("Cache-Control", request.cache_control);
  if (!started.fresh) {
    headers.emplace_back("X-Fresh", "false");
    if (!request.hide_errors) headers.emplace_back("X-Lag-Rows", std::to_string(tenant.lag_rows()));
  }
  if (started.not_modified) return headers;
  headers.emplace_back("Content-Type", started.content_type);
  if (started.length) headers.emplace_back("Content-Length", std::to_string(*started.length));
  if (started.coding != query::Coding::kIdentity)
    headers.emplace_back("Content-Encoding", std::string(query::coding_name(started.coding)));
  if (started.content_type.starts_with("text/html")) add_page_policy(headers);
  return headers;
}

// One query on its way through the engine to the client.
class QueryStream {
 public:
  QueryStream(App& app, http::Exchange& exchange, Tenant& tenant, StreamRequest& request)
      : app_(app),
        exchange_(exchange),
        tenant_(tenant),
        request_(request),
        mailbox_(exchange.executor()),
        stop_(exchange.executor()) {}

  // The error is the answer; none where there has been one, or nobody is left to have it.
  Task<Result<>> run();
  // Whether its error is StreamRequest::admit()'s, which is told to anybody.
  bool is_not_admitted() const { return not_admitted_; }
  const StreamOutcome& outcome() const { return outcome_; }

 private:
  Task<Result<>> stream(http::PipeSource& pipe, std::uint64_t id);

  App& app_;
  http::Exchange& exchange_;
  Tenant& tenant_;
  StreamRequest& request_;
  Mailbox<Event> mailbox_;
  Mailbox<bool> stop_;  // the query was cancelled, or the engine has failed
  bool not_admitted_ = false;
  StreamOutcome outcome_;
};

Task<Result<>> QueryStream::run() {
  PlaceWait wait(exchange_);
  RunningQueries::Entry entry = app_.running_queries().add(
      request_.id, tenant_.id(), [sender = wait.sender(), stop = stop_.sender()] {
        sender.push(PlaceWait::News::kCancelled);
        stop.push(true);
      });
  if (!entry) {
    co_return std::unexpected(Error{.code = ErrorCode::kAlreadyExists,
                                    .message = "a query with this query_id is running",
                                    .slug = "query-id-in-use"});
  }
  const Result<QueryQueue::Place> place =
      co_await wait.enter(tenant_, request_.party, request_.query.timeout);
  if (!place) co_return std::unexpected(place.error());
  const Timer timer(tenant_);
  CO_TRY_ASSIGN(const http::PipeEnds ends, http::make_pipe(kPipeBytes));
  http::PipeSource pipe(exchange_.executor(), ends.read_fd);
  const auto sender = mailbox_.sender();
  engine::QueryEvents events{.on_started =
                                 [sender](engine::QueryStarted started) {
                                   sender.push(Event{std::move(started), {}});
                                 },
                             .on_end =
                                 [sender, stop = stop_.sender()](Result<std::uint64_t> rows) {
                                   if (!rows) stop.push(true);
                                   sender.push(Event{{}, std::move(rows)});
                                 }};
  const std::uint64_t id = app_.pool().query(tenant_.id(), std::move(request_.query),
                                             UniqueFd(ends.write_fd), std::move(events));
  entry.set_engine_id(id);
  if (entry.is_cancelled()) app_.pool().cancel(id);  // before there was an id to cancel
  Result<> streamed = co_await stream(pipe, id);
  pipe.close();
  // Also of a client that has gone and a result that is over its limit: the engine has better to do.
  if (!streamed || !exchange_.answered()) app_.pool().cancel(id);
  if (entry.is_cancelled()) outcome_.given_up = true;
  if (!streamed && entry.is_cancelled()) co_return std::unexpected(query_cancelled());
  co_return streamed;
}

Task<Result<>> QueryStream::stream(http::PipeSource& pipe, std::uint64_t id) {
  const std::optional<Event> first = co_await next_event(mailbox_, exchange_);
  if (!first) {
    outcome_.given_up = true;
    app_.pool().cancel(id);
    exchange_.break_off();
    co_return Result<>();
  }
  if (first->ended) {
    if (!first->ended->has_value()) co_return std::unexpected(first->ended->error());
    co_return std::unexpected(Error{.message = "the engine gave no result"});
  }
  if (request_.admit) {
    Result<> admitted = co_await request_.admit();
    if (!admitted) {
      not_admitted_ = true;
      co_return std::unexpected(std::move(admitted).error());
    }
  }
  if (request_.max_bytes != 0 && !first->started->not_modified) {
    // What is over the limit at once is an error and no broken answer.
    auto begun = co_await (pipe.wait_readable() || exchange_.client_gone());
    const Result<std::size_t> bytes =
        begun.index() == 0 ? std::get<0>(begun) : Result<std::size_t>(0);
    if (bytes && *bytes > request_.max_bytes)
      co_return std::unexpected(too_many_bytes(request_.max_bytes));
  }
  outcome_.columns = first->started->columns;
  http::Headers headers = answer_headers(tenant_, *first->started, request_);
  if (first->started->not_modified) {
    http::Response unchanged{.status = 304, .headers = std::move(headers), .body = {}};
    co_await exchange_.respond(std::move(unchanged));
    outcome_.unchanged = true;
    co_return Result<>();
  }
  const Result<> began = co_await exchange_.begin(200, std::move(headers));
  outcome_.began = began.has_value();
  if (began && exchange_.method() == "HEAD") {
    app_.pool().cancel(id);
    const Result<> finished = co_await exchange_.finish();
    outcome_.whole = finished.has_value();
    co_return Result<>();
  }
  Copied copied = Copied::kClientGone;
  if (began) copied = co_await copy_out(exchange_, pipe, request_.max_bytes, stop_, outcome_.bytes);
  pipe.close();
  if (copied != Copied::kAll) {
    outcome_.given_up = copied == Copied::kClientGone;
    app_.pool().cancel(id);
    exchange_.break_off();
    co_return Result<>();
  }
  // The end of the pipe is not the end of the result: only the engine's word is.
  const std::optional<Event> last = co_await next_event(mailbox_, exchange_);
  if (last && last->ended && last->ended->has_value()) {
    const Result<> finished = co_await exchange_.finish();
    outcome_.whole = finished.has_value();
    outcome_.given_up = !outcome_.whole;
  } else {
    outcome_.given_up = !last;
    exchange_.break_off();
  }
  co_return Result<>();
}

}  // namespace

Task<StreamOutcome> stream_query(App& app, http::Exchange& exchange, std::shared_ptr<Tenant> tenant,
                                 StreamRequest request) {
  request.query.coding = query::negotiate_coding(exchange.header_list("Accept-Encoding"));
  request.query.variant =
      std::string(query::coding_name(request.query.coding)) +
      (request.query.quote_int64 ? " quoted " : " ") + (request.query.quote_nan ? "nan " : "") +
      (request.query.spreadsheet ? "spreadsheet " : "") + std::to_string(request.query.max_rows);
  const bool has_parameters = request.query.parameters.size() > 2;  // not "{}"
  QueryStream stream(app, exchange, *tenant, request);
  Result<> answered = co_await stream.run();
  if (answered) co_return stream.outcome();
  const bool cancelled = answered.error().code == ErrorCode::kCancelled;
  const bool hides = request.hide_errors && !stream.is_not_admitted();
  Error shown = hides ? hidden(answered.error(), has_parameters) : std::move(answered).error();
  if (shown.slug == "invalid-parameter" && shown.status == 0)
    shown.status = request.parameter_status;
  co_await refuse(exchange, std::move(shown));
  co_return StreamOutcome{.given_up = cancelled};
}

Result<Id128> query_id_of(const Asked& asked) {
  if (!asked.query_id) return Id128::make();
  const auto id = Id128::parse(*asked.query_id);
  if (!id) return fail(parameter_error("query_id must be a UUID", "query_id"));
  return *id;
}

void set_freshness(const Asked& asked, Tenant& tenant, engine::QueryRequest& request) {
  const bool wants_latest = asked.fresh.value_or(true);
  request.position = wants_latest ? tenant.log().durable_end() : tenant.highest_applied();
  if (!wants_latest) request.fresh_timeout = milliseconds(10'000);
}

Task<void> handle_query(App& app, http::Exchange& exchange) {
  const Query query = parse_query(exchange.raw_query());
  Asked asked;
  Query form;
  Result<> read = read_parameters(query, asked);
  if (read && exchange.method() == "POST") {
    const Result<std::string_view> body = co_await exchange.read_body(kMaxRequestBytes);
    if (!body)
      read = fail(body.error());
    else
      read = read_query_body(*body, exchange.header("Content-Type"), form, asked);
  }
  // Who asks comes first: what is wrong with a request is told to those who may make one.
  Result<Access> access = authorise(app, exchange, query, catalog::Scope::kQuery, &form);
  if (!access) {
    co_await refuse(exchange, std::move(access).error());
    co_return;
  }
  if (!read) {
    co_await refuse(exchange, std::move(read).error());
    co_return;
  }
  Result<engine::QueryRequest> request = to_request(app, exchange, asked, *access->key);
  const Result<Id128> id = query_id_of(asked);
  if (request && !id) request = fail(id.error());
  if (!request) {
    co_await refuse(exchange, std::move(request).error());
    co_return;
  }
  set_freshness(asked, *access->tenant, *request);
  exchange.add_header("X-Query-Id", id->to_string());
  exchange.add_header("X-Content-Type-Options", "nosniff");
  StreamRequest stream;
  stream.query = std::move(*request);
  stream.id = *id;
  stream.party = access->key->id.to_string();
  stream.max_bytes = access->key->max_bytes;
  std::shared_ptr<Tenant> tenant = access->tenant;
  co_await stream_query(app, exchange, std::move(tenant), std::move(stream));
}

}  // namespace sd::api
