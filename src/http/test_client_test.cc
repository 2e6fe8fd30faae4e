#include "http/test_client.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <thread>

namespace sd::http::test {

TestServer::TestServer(const std::function<void(Router&)>& add_routes, ServerOptions options) {
  Router router;
  add_routes(router);
  if (options.listen.empty()) options.listen = {"127.0.0.1:0"};
  server_ = std::make_unique<Server>(std::move(options), std::move(router), registry_);
  const Result<> started = server_->start();
  EXPECT_TRUE(started) << started.error().message;
  const std::string address = server_->addresses().front();
  port_ = std::stoi(address.substr(address.rfind(':') + 1));
}

TestServer::~TestServer() = default;

Client::Client() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}

void Client::connect(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int one = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0)
      << strerror(errno);
}

Client::~Client() {
  close();
}

void Client::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

void Client::shutdown_send() {
  ::shutdown(fd_, SHUT_WR);
}

bool Client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool Client::more(std::chrono::milliseconds wait) {
  pollfd poller{fd_, POLLIN, 0};
  timed_out_ = ::poll(&poller, 1, static_cast<int>(wait.count())) == 0;
  if (timed_out_) return false;
  char bytes[65536];
  const ssize_t got = ::recv(fd_, bytes, sizeof bytes, 0);
  if (got < 0) reset_ = errno == ECONNRESET;
  if (got <= 0) return false;
  buffered_.append(bytes, static_cast<std::size_t>(got));
  return true;
}

std::string Client::receive(std::chrono::milliseconds wait) {
  if (buffered_.empty()) more(wait);
  return std::exchange(buffered_, {});
}

bool Client::closed_within(std::chrono::milliseconds wait) {
  const auto deadline = std::chrono::steady_clock::now() + wait;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    if (left.count() < 0) return false;
    if (!more(left)) return !timed_out_;
    buffered_.clear();
  }
}

Reply Client::reply(bool to_head) {
  Reply reply;
  std::size_t end = std::string::npos;
  while ((end = buffered_.find("\r\n\r\n")) == std::string::npos) {
    if (!more()) return reply;
  }
  reply.head = buffered_.substr(0, end + 4);
  buffered_.erase(0, end + 4);
  reply.status = std::atoi(reply.head.c_str() + 9);
  for (std::size_t at = reply.head.find("\r\n") + 2; at + 2 < reply.head.size();) {
    const std::size_t stop = reply.head.find("\r\n", at);
    const std::size_t colon = reply.head.find(": ", at);
    std::string name = reply.head.substr(at, colon - at);
    for (char& c : name) c = static_cast<char>(std::tolower(c));
    reply.headers[name] = reply.head.substr(colon + 2, stop - colon - 2);
    at = stop + 2;
  }
  if (reply.status / 100 == 1 || reply.status == 204 || reply.status == 304 || to_head) {
    reply.whole = true;
  } else if (reply.header("transfer-encoding") == "chunked") {
    for (;;) {
      while ((end = buffered_.find("\r\n")) == std::string::npos) {
        if (!more()) return reply;
      }
      const std::size_t size = std::stoul(buffered_, nullptr, 16);
      while (buffered_.size() < end + 2 + size + 2) {
        if (!more()) return reply;
      }
      reply.body += buffered_.substr(end + 2, size);
      buffered_.erase(0, end + 2 + size + 2);
      if (size == 0) break;
    }
    reply.whole = true;
  } else if (reply.headers.contains("content-length")) {
    const std::size_t size = std::stoul(reply.header("content-length"));
    while (buffered_.size() < size) {
      if (!more()) break;
    }
    reply.whole = buffered_.size() >= size;
    reply.body = buffered_.substr(0, size);
    buffered_.erase(0, size);
  } else {
    while (more()) {
    }
    reply.body = std::exchange(buffered_, {});
    reply.whole = !reset_;
  }
  return reply;
}

std::string post(std::string_view path, std::string_view body, std::string_view more_headers) {
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: t\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string(more_headers) + "\r\n" + std::string(body);
}

std::string get(std::string_view path, std::string_view more_headers) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: t\r\n" + std::string(more_headers) +
         "\r\n";
}

bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds within) {
  const auto deadline = std::chrono::steady_clock::now() + within;
  while (std::chrono::steady_clock::now() < deadline) {
    if (condition()) return true;
    std::this_thread::sleep_for(2ms);
  }
  return condition();
}

}  // namespace sd::http::test
