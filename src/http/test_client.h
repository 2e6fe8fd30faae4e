// For this room's tests: a server on a free port of 127.0.0.1, and a client that sends raw bytes.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/metrics.h"
#include "http/server.h"

namespace sd::http::test {

using namespace std::chrono_literals;

// Starts at once, with short deadlines only where a test asks for them.
class TestServer {
 public:
  explicit TestServer(const std::function<void(Router&)>& add_routes, ServerOptions options = {});
  ~TestServer();

  Server& server() { return *server_; }
  int port() const { return port_; }
  std::string metrics() const { return registry_.render(); }

 private:
  metrics::Registry registry_;
  std::unique_ptr<Server> server_;
  int port_ = 0;
};

struct Reply {
  int status = 0;
  std::string head;
  std::map<std::string, std::string> headers;  // lower-case names
  std::string body;
  bool whole = false;  // ended as its framing says
  std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string() : found->second;
  }
};

// A blocking connection; every wait ends after 10 s.
class Client {
 public:
  Client();  // a socket that is not connected yet
  explicit Client(int port) : Client() { connect(port); }
  explicit Client(TestServer& server) : Client(server.port()) {}
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void connect(int port);
  bool send(std::string_view bytes);
  // Bytes as they come; empty at the end, on a reset, or when `wait` is over.
  std::string receive(std::chrono::milliseconds wait = 10s);
  Reply reply(bool to_head = false);
  Reply ask(std::string_view bytes) {
    send(bytes);
    return reply();
  }
  // True once the server has closed; bytes before that are dropped.
  bool closed_within(std::chrono::milliseconds wait);
  bool was_reset() const { return reset_; }
  void shutdown_send();
  void close();
  int fd() const { return fd_; }
  std::string& buffered() { return buffered_; }

 private:
  bool more(std::chrono::milliseconds wait = 10s);
  int fd_ = -1;
  bool reset_ = false;
  bool timed_out_ = false;
  std::string buffered_;
};

// "POST /path HTTP/1.1\r\nHost: t\r\nContent-Length: …".
std::string post(std::string_view path, std::string_view body, std::string_view more_headers = "");
std::string get(std::string_view path, std::string_view more_headers = "");
// Polls until it is true, for at most 5 s.
bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds within = 5s);

}  // namespace sd::http::test
