// The listener: N I/O threads, each with an io_context of its own; connections are spread over
// them.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "http/router.h"

namespace sd::http {

struct ServerOptions {
  std::vector<std::string> listen = {};  // "127.0.0.1:8080", "[::1]:8080"; port 0 picks a free one
  unsigned threads = 1;
  std::size_t max_header_bytes = 64U << 10;          // else 431
  std::chrono::milliseconds header_timeout{10'000};  // from the first byte to the end of the head
  std::chrono::milliseconds idle_timeout{75'000};    // between requests
  // A body must arrive at this rate on average over any such window, else 408 and close.
  std::chrono::milliseconds body_window{10'000};
  std::uint64_t body_window_bytes = 1024;
  // A client that takes no byte of the answer for so long is gone.
  std::chrono::milliseconds write_timeout{300'000};
  std::size_t max_connections = 20'000;  // beyond: accept, 503, close
};

class Server {
 public:
  Server(ServerOptions options, Router router, metrics::Registry& metrics);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Binds every address (all or none: the error names the one that failed) and starts the threads.
  Result<> start();
  // "127.0.0.1:8080" …, with the ports that were really bound.
  std::vector<std::string> addresses() const;
  bool all_loopback() const;

  unsigned threads() const;
  net::io_context& context(unsigned thread);

  // Stops accepting, lets requests in flight end (each answers Connection: close), closes idle
  // connections, and returns when all are gone or the time is over.
  void stop(std::chrono::milliseconds grace);
  // stop() was called: handlers that would answer for ever should come to an end. Any thread.
  bool stopping() const;

  const Router& router() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sd::http
