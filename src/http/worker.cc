#include "http/worker.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "base/ids.h"
#include "base/log.h"
#include "http/connection.h"
#include "http/session.h"

namespace sd::http {
namespace {

constexpr std::size_t kSpareBuffers = 4;
constexpr std::size_t kLargestSpare = 4U << 20;
// Refused connections are held for a moment so that the client can read why; beyond so many they
// are simply closed.
constexpr std::size_t kRefusedHeld = 256;
constexpr std::chrono::milliseconds kLongestTick{250};
constexpr std::chrono::milliseconds kShortestTick{5};

const char* known_method(std::string_view method) {
  for (const char* name : {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}) {
    if (method == name) return name;
  }
  return "other";
}

// Fine enough for the shortest of the deadlines; tests use short ones.
std::chrono::milliseconds tick_for(const ServerOptions& options) {
  const auto shortest = std::min(
      {options.header_timeout, options.idle_timeout, options.body_window, options.write_timeout});
  return std::clamp(shortest / 8, kShortestTick, kLongestTick);
}

}  // namespace

Shared::Shared(ServerOptions o, Router r, metrics::Registry& m)
    : options(std::move(o)),
      router(std::move(r)),
      registry(m),
      connections(m.gauge("scratchdata_http_connections", "Open client connections.")),
      bytes_in(m.counter("scratchdata_http_received_bytes_total", "Bytes received from clients.")),
      bytes_out(m.counter("scratchdata_http_sent_bytes_total", "Bytes sent to clients.")),
      refused_connections(m.counter("scratchdata_http_refused_connections_total",
                                    "Connections refused because there were too many.")) {}

RequestMetrics::RequestMetrics(const Router& router, metrics::Registry& registry)
    : registry_(registry) {
  const auto add = [&](const std::string& pattern) {
    routes_.push_back(
        {pattern,
         registry.histogram("scratchdata_http_request_duration_seconds",
                            "From the end of a request's head to the end of its answer.",
                            {{"route", pattern}}),
         {}});
  };
  for (const auto& route : router.routes()) add(route->pattern);
  add("none");
}

void RequestMetrics::count(const Route* route, std::string_view method, int status,
                           double seconds) {
  PerRoute& per_route = route == nullptr ? routes_.back() : routes_[route->index];
  per_route.duration.observe(seconds);
  const char* name = known_method(method);
  for (Seen& seen : per_route.seen) {
    if (seen.method == name && seen.status == status) return seen.counter.add();
  }
  metrics::Counter counter = registry_.counter(
      "scratchdata_http_requests_total", "Requests answered.",
      {{"route", per_route.pattern}, {"method", name}, {"status", std::to_string(status)}});
  counter.add();
  per_route.seen.push_back({name, status, counter});
}

Worker::Worker(Shared& s, unsigned i)
    : shared(s),
      index(i),
      metrics(s.router, s.registry),
      id_state_(random_u64()),
      tick_interval_(tick_for(s.options)),
      timer_(context) {}

Worker::~Worker() = default;

void Worker::run() {
  const auto work = net::make_work_guard(context);
  for (;;) {
    try {
      context.run();
      return;
    } catch (const std::exception& error) {
      log::error("an event of the HTTP server failed", {{"error", error.what()}});
    }
  }
}

void Worker::adopt(Socket socket, bool listener_is_loopback) {
  const std::size_t open = shared.open.load();
  auto connection = std::make_shared<Connection>(*this, std::move(socket), listener_is_loopback);
  if (open >= shared.options.max_connections) {
    shared.refused_connections.add();
    if (open >= shared.options.max_connections + kRefusedHeld) return;
    net::co_spawn(context, refuse_session(std::move(connection)), net::detached);
    return;
  }
  net::co_spawn(context, run_session(std::move(connection)), net::detached);
}

void Worker::add(Connection& connection) {
  connections_.insert(&connection);
  shared.open.fetch_add(1);
  shared.connections.add(1);
  if (!ticking_) tick();
}

void Worker::remove(Connection& connection) {
  connections_.erase(&connection);
  shared.connections.add(-1);
  if (shared.open.fetch_sub(1) == 1 && shared.stopping.load()) {
    const std::lock_guard lock(shared.mutex);
    shared.changed.notify_all();
  }
}

// Looks at every connection's deadline a few times a second: setting one is then a plain store,
// where a timer of its own would cost each wait a heap operation.
void Worker::tick() {
  ticking_ = !connections_.empty();
  if (!ticking_) return;
  timer_.expires_after(tick_interval_);
  timer_.async_wait([this](boost::system::error_code ec) {
    if (ec) return;
    const Time now = std::chrono::steady_clock::now();
    for (Connection* connection : connections_) connection->expire_if_due(now);
    tick();
  });
}

void Worker::close_idle() {
  for (Connection* connection : connections_) connection->close_if_idle();
}

void Worker::close_all() {
  for (Connection* connection : connections_) connection->close();
}

std::array<char, 16> Worker::make_request_id() {
  // splitmix64 from a random start: distinct for 2^64 requests, and no secret.
  id_state_ += 0x9E3779B97F4A7C15ULL;
  std::uint64_t x = id_state_;
  x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27U)) * 0x94D049BB133111EBULL;
  x ^= x >> 31U;
  std::array<char, 16> id;
  for (char& c : id) {
    c = "0123456789abcdef"[x & 15U];
    x >>= 4U;
  }
  return id;
}

std::string_view Worker::date() {
  return date_.at(std::time(nullptr));
}

Buffer Worker::borrow_buffer() {
  if (spare_.empty()) return {};
  Buffer buffer = std::move(spare_.back());
  spare_.pop_back();
  buffer.clear();
  return buffer;
}

void Worker::give_back(Buffer buffer) {
  if (buffer.capacity() == 0 || buffer.capacity() > kLargestSpare || spare_.size() >= kSpareBuffers)
    return;
  spare_.push_back(std::move(buffer));
}

}  // namespace sd::http
