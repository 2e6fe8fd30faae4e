// What one I/O thread owns: its io_context, its connections and their deadlines, and the small
// things that answering needs without a lock (date, request ids, metric handles).
//
// Everything but `context` is touched by that one thread only. A Worker outlives its connections'
// coroutines: those that still wait when the server ends are destroyed with the context.
#pragma once

#include <array>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/metrics.h"
#include "http/buffer.h"
#include "http/response_head.h"
#include "http/router.h"
#include "http/server.h"

namespace sd::http {

class Connection;
using Time = std::chrono::steady_clock::time_point;
using Executor = net::io_context::executor_type;
using Socket = net::basic_stream_socket<net::ip::tcp, Executor>;

// Shared by all workers of a server. `stopping` and `open` are for any thread.
struct Shared {
  Shared(ServerOptions o, Router r, metrics::Registry& m);

  const ServerOptions options;
  const Router router;
  metrics::Registry& registry;
  metrics::Gauge connections;
  metrics::Counter bytes_in;
  metrics::Counter bytes_out;
  metrics::Counter refused_connections;

  std::atomic<bool> stopping{false};
  std::atomic<std::size_t> open{0};  // connections
  std::mutex mutex;                  // for `changed` alone
  std::condition_variable changed;   // when `open` fell while stopping
};

// A request's counters, resolved once for each route, method and status that occur.
class RequestMetrics {
 public:
  RequestMetrics(const Router& router, metrics::Registry& registry);
  // `route` null: no route matched.
  void count(const Route* route, std::string_view method, int status, double seconds);

 private:
  struct Seen {
    const char* method;  // one of a few static names
    int status;
    metrics::Counter counter;
  };
  struct PerRoute {
    std::string pattern;
    metrics::Histogram duration;
    std::vector<Seen> seen;
  };
  metrics::Registry& registry_;
  std::vector<PerRoute> routes_;  // by Route::index; one more for no route
};

class Worker {
 public:
  Worker(Shared& shared, unsigned index);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Runs the context until it is stopped. Called on the worker's own thread.
  void run();

  // Takes a connected socket over and serves it; or refuses it politely where there are too many.
  // Call on the worker's thread.
  void adopt(Socket socket, bool listener_is_loopback);
  void add(Connection& connection);
  void remove(Connection& connection);

  // Stopping: connections that wait for a request close now. On the worker's thread.
  void close_idle();
  // The time is over: all of them close.
  void close_all();

  // 16 characters, unlike any other of this process and very likely of any.
  std::array<char, 16> make_request_id();
  std::string_view date();

  // A large buffer that some request is done with, for the next one that needs one.
  Buffer borrow_buffer();
  void give_back(Buffer buffer);

  Shared& shared;
  const unsigned index;
  RequestMetrics metrics;

 private:
  void tick();

  std::unordered_set<Connection*> connections_;
  std::vector<Buffer> spare_;
  DateHeader date_;
  std::uint64_t id_state_;
  bool ticking_ = false;
  std::chrono::milliseconds tick_interval_;

 public:
  // Stands behind what the coroutines use: its end is theirs.
  net::io_context context{1};

 private:
  net::steady_timer timer_;
};

}  // namespace sd::http
