#include "http/session.h"

#include <chrono>
#include <optional>

#include "base/log.h"
#include "http/head_check.h"
#include "http/http_exchange.h"

namespace sd::http {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::string_view kAllowedHeaders =
    "Authorization, X-API-KEY, Content-Type, Content-Encoding, Idempotency-Key, If-None-Match, "
    "Last-Event-ID";
constexpr std::string_view kEveryMethod = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

Error not_found() {
  return Error{.code = ErrorCode::kNotFound, .message = "There is nothing at this path."};
}

Error wrong_method(std::string_view method, std::string_view allow) {
  return invalid("This path does not answer to " + std::string(method) + ", but to " +
                 std::string(allow) + ".")
      .with_status(405)
      .with_slug("method-not-allowed");
}

Response preflight(std::string allow) {
  Response response;
  response.status = 204;
  response.headers.emplace_back("Allow", allow);
  response.headers.emplace_back("Access-Control-Allow-Methods", std::move(allow));
  response.headers.emplace_back("Access-Control-Allow-Headers", kAllowedHeaders);
  response.headers.emplace_back("Access-Control-Max-Age", "86400");
  return response;
}

// The answer where no route matched.
Response unrouted_response(const HttpExchange& exchange) {
  std::string allow = exchange.match.allow;
  if (exchange.path() == "*") allow = kEveryMethod;
  if (allow.empty()) return problem_response(not_found(), exchange.request_id());
  if (exchange.method() == "OPTIONS") return preflight(std::move(allow));
  Response response =
      problem_response(wrong_method(exchange.method(), allow), exchange.request_id());
  response.headers.emplace_back("Allow", std::move(allow));
  return response;
}

void log_request(const HttpExchange& exchange, SteadyClock::duration duration) {
  if (!log::enabled(log::Level::kDebug)) return;
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
  const Route* route = exchange.match.route;
  log::debug("request", {{"request_id", std::string(exchange.request_id())},
                         {"method", std::string(exchange.method())},
                         {"route", route == nullptr ? std::string("none") : route->pattern},
                         {"status", std::to_string(exchange.status())},
                         {"duration_us", std::to_string(micros)}});
}

enum class Next : std::uint8_t { kRequest, kLinger, kClose, kReset };

void count(Connection& connection, const HttpExchange& exchange, SteadyClock::duration duration) {
  Worker& worker = connection.worker();
  worker.metrics.count(exchange.match.route, exchange.method(), exchange.status(),
                       std::chrono::duration<double>(duration).count());
  worker.shared.bytes_in.add(static_cast<double>(std::exchange(connection.bytes_in, 0)));
  worker.shared.bytes_out.add(static_cast<double>(std::exchange(connection.bytes_out, 0)));
}

// One request whose head was found good.
Task<Next> serve(Connection& connection, const Head& head) {
  const auto started = SteadyClock::now();
  const Router& router = connection.worker().shared.router;
  HttpExchange exchange(connection, head);
  exchange.match = router.match(head.method, head.path);
  std::optional<std::string> thrown;
  try {
    if (exchange.match.route != nullptr) {
      co_await exchange.match.route->handler(exchange);
    } else {
      Response response = unrouted_response(exchange);
      co_await exchange.respond(std::move(response));
    }
  } catch (const std::exception& error) {
    thrown = error.what();
  } catch (...) {
    thrown = "something that is no std::exception";
  }
  if (thrown) {
    const Route* route = exchange.match.route;
    log::error("a handler failed", {{"request_id", std::string(exchange.request_id())},
                                    {"route", route == nullptr ? std::string() : route->pattern},
                                    {"error", *thrown}});
  }
  if (!exchange.answered()) {
    // A handler breaks off without an answer where nobody is left to have one: that is no fault of ours.
    const Error error =
        exchange.is_cut()
            ? Error{.code = ErrorCode::kCancelled, .message = "The client has gone."}
            : Error{.code = ErrorCode::kInternal,
                    .message =
                        "Something went wrong on our side. The request id finds it in our log."};
    co_await exchange.respond(problem_response(error, exchange.request_id()));
  }
  bool again = exchange.may_continue();
  if (again && !exchange.body_is_taken()) again = co_await exchange.skip_body();
  const auto duration = SteadyClock::now() - started;
  count(connection, exchange, duration);
  log_request(exchange, duration);
  if (again) {
    connection.begin_request(exchange.beyond());
    co_return Next::kRequest;
  }
  Connection::Parts none{};
  static_cast<void>(co_await connection.send(none));  // a head that waited for its first piece
  if (exchange.is_cut()) co_return exchange.ends_with_connection() ? Next::kReset : Next::kClose;
  co_return exchange.may_close_at_once() && connection.input().empty() ? Next::kClose
                                                                       : Next::kLinger;
}

// Answers what never became a request.
Task<void> refuse(Connection& connection, Head& head, const HeadFault& fault) {
  const auto started = SteadyClock::now();
  head.keep_alive = false;
  head.framing = Framing::kNone;
  head.minor_version = 1;
  HttpExchange exchange(connection, head);
  Error error = invalid(std::string(fault.detail))
                    .with_status(fault.status)
                    .with_slug(std::string(fault.slug));
  co_await exchange.respond(problem_response(error, exchange.request_id()));
  count(connection, exchange, SteadyClock::now() - started);
  log_request(exchange, SteadyClock::now() - started);
}

// Reads until a whole head stands in the input. Null: it does; else why the connection ends, where
// status 0 means without a word.
Task<std::optional<HeadFault>> await_head(Connection& connection, HeadScanner& scanner) {
  const Shared& shared = connection.worker().shared;
  std::optional<Time> began;
  for (;;) {
    const auto state = scanner.scan(connection.input());
    if (state == HeadScanner::State::kComplete && scanner.end() <= shared.options.max_header_bytes)
      co_return std::nullopt;
    if (state == HeadScanner::State::kBad) co_return scanner.fault();
    if (connection.input().size() >= shared.options.max_header_bytes) {
      co_return HeadFault{431, "header-too-large", "The request's line and headers are too large."};
    }
    if (connection.has_pending()) {
      Connection::Parts none{};
      const Result<> sent = co_await connection.send(none);
      if (!sent) co_return HeadFault{.status = 0};
    }
    const bool idle = connection.input().empty();
    if (idle && shared.stopping.load(std::memory_order_relaxed)) co_return HeadFault{.status = 0};
    const Time now = SteadyClock::now();
    if (!idle && !began) began = now;
    const Time deadline =
        idle ? now + shared.options.idle_timeout : *began + shared.options.header_timeout;
    const ReadOutcome outcome = co_await connection.fill(deadline, idle);
    if (outcome.end == ReadEnd::kExpired && !idle)
      co_return HeadFault{408, "request-timeout", "The request's headers took too long to arrive."};
    if (outcome.end != ReadEnd::kBytes) co_return HeadFault{.status = 0};
  }
}

}  // namespace

Task<void> run_session(std::shared_ptr<Connection> connection) {
  Head head;
  Next next = Next::kRequest;
  while (next == Next::kRequest) {
    HeadScanner scanner;
    std::optional<HeadFault> fault = co_await await_head(*connection, scanner);
    if (fault && fault->status == 0) {
      next = Next::kClose;
      break;
    }
    if (fault) {
      head = Head{};  // the last request's views do not outlive it
    } else {
      const std::string_view raw =
          connection->input().substr(scanner.begin(), scanner.end() - scanner.begin());
      fault = parse_head(raw, head);
      connection->consume(scanner.end());
    }
    if (fault) {
      co_await refuse(*connection, head, *fault);
      next = Next::kLinger;
    } else {
      next = co_await serve(*connection, head);
    }
  }
  if (next == Next::kLinger)
    co_await connection->linger();
  else if (next == Next::kReset)
    connection->reset();
  else
    connection->close();
}

Task<void> refuse_session(std::shared_ptr<Connection> connection) {
  Head head;
  const HeadFault fault{503, "too-many-connections",
                        "There are too many connections at the moment."};
  co_await refuse(*connection, head, fault);
  co_await connection->linger();
}

}  // namespace sd::http
