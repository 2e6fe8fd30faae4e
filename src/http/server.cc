#include "http/server.h"

#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/socket.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>
#include <future>
#include <thread>

#include "base/log.h"
#include "http/connection.h"
#include "http/worker.h"

namespace sd::http {
namespace {

using boost::system::error_code;
using net::ip::tcp;
using Acceptor = net::basic_socket_acceptor<tcp, Executor>;

constexpr std::chrono::milliseconds kAcceptPause{100};

// "127.0.0.1:8080", "[::1]:8080", "localhost:8080" (IPv4).
Result<tcp::endpoint> parse_endpoint(const std::string& text) {
  const auto wrong = [&] {
    return fail(invalid("\"" + text +
                        "\" is no address to listen on. It is written like 127.0.0.1:8080 or "
                        "[::1]:8080."));
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) return wrong();
  std::string host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (host == "localhost") host = "127.0.0.1";
  error_code ec;
  const auto address = net::ip::make_address(host, ec);
  if (ec || address.is_v6() != bracketed) return wrong();
  unsigned port = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data() + colon + 1, end, port);
  if (parsed.ec != std::errc() || parsed.ptr != end || port > 65535) return wrong();
  return tcp::endpoint(address, static_cast<unsigned short>(port));
}

std::string to_text(const tcp::endpoint& endpoint) {
  const std::string host = endpoint.address().to_string();
  return (endpoint.address().is_v6() ? "[" + host + "]" : host) + ":" +
         std::to_string(endpoint.port());
}

// What accepted sockets inherit from their listener: answers leave at once, and a client that
// vanished without a word is noticed within about two minutes even while nothing is sent to it.
void inherit_options(int listener, error_code& ec) {
  struct Option {
    int level;
    int name;
    int value;
  };
  for (const Option& option :
       {Option{IPPROTO_TCP, TCP_NODELAY, 1}, Option{SOL_SOCKET, SO_KEEPALIVE, 1},
        Option{IPPROTO_TCP, TCP_KEEPIDLE, 60}, Option{IPPROTO_TCP, TCP_KEEPINTVL, 15},
        Option{IPPROTO_TCP, TCP_KEEPCNT, 4}}) {
    if (::setsockopt(listener, option.level, option.name, &option.value, sizeof option.value) != 0)
      ec.assign(errno, boost::system::system_category());
  }
}

}  // namespace

struct Server::Impl {
  struct Listener {
    Acceptor acceptor;
    bool is_loopback;
    std::string address;
  };

  Impl(ServerOptions options, Router router, metrics::Registry& registry)
      : shared(std::move(options), std::move(router), registry) {
    const unsigned count = std::max(1U, shared.options.threads);
    for (unsigned i = 0; i < count; ++i) workers.push_back(std::make_unique<Worker>(shared, i));
  }

  Result<Listener> bind(const std::string& text);
  Task<void> accept_loop(Listener& listener);
  void hand_over(Worker& worker, Socket socket, bool is_loopback);
  void on_every_worker(void (Worker::*action)());
  bool wait_until_closed(std::chrono::steady_clock::time_point deadline);

  Shared shared;
  std::vector<std::unique_ptr<Worker>> workers;
  std::vector<Listener> listeners;  // behind the workers: they go before the contexts
  std::vector<std::thread> threads;
  unsigned next_worker = 0;  // the accepting thread's
};

Result<Server::Impl::Listener> Server::Impl::bind(const std::string& text) {
  TRY_ASSIGN(const tcp::endpoint endpoint, parse_endpoint(text));
  Acceptor acceptor(workers.front()->context.get_executor());
  error_code ec;
  const auto attempt = [&](auto&& action) {
    if (!ec) action();
  };
  acceptor.open(endpoint.protocol(), ec);
  attempt([&] { acceptor.set_option(net::socket_base::reuse_address(true), ec); });
  if (endpoint.address().is_v6()) attempt([&] { acceptor.set_option(net::ip::v6_only(true), ec); });
  attempt([&] { inherit_options(acceptor.native_handle(), ec); });
  attempt([&] { acceptor.bind(endpoint, ec); });
  attempt([&] { acceptor.listen(net::socket_base::max_listen_connections, ec); });
  if (ec)
    return fail(ErrorCode::kUnavailable, "Cannot listen on " + text + ": " + ec.message() + ".");
  const tcp::endpoint bound = acceptor.local_endpoint(ec);
  return Listener{std::move(acceptor), endpoint.address().is_loopback(), to_text(bound)};
}

// One loop a listener, on the first thread; connections go round the threads.
Task<void> Server::Impl::accept_loop(Listener& listener) {
  net::steady_timer pause(workers.front()->context);
  while (listener.acceptor.is_open()) {
    error_code ec;
    Worker& worker = *workers[next_worker++ % workers.size()];
    Socket socket(worker.context.get_executor());
    co_await listener.acceptor.async_accept(socket, net::redirect_error(net::use_awaitable, ec));
    if (!ec) {
      hand_over(worker, std::move(socket), listener.is_loopback);
      continue;
    }
    if (!listener.acceptor.is_open()) break;
    if (ec == net::error::connection_aborted) continue;
    // Out of descriptors or memory: the connection stays in the kernel's queue; asking again at
    // once would spin.
    log::warn("cannot accept a connection", {{"error", ec.message()}});
    pause.expires_after(kAcceptPause);
    co_await pause.async_wait(net::redirect_error(net::use_awaitable, ec));
  }
}

void Server::Impl::hand_over(Worker& worker, Socket socket, bool is_loopback) {
  if (&worker == workers.front().get()) {
    worker.adopt(std::move(socket), is_loopback);
    return;
  }
  net::post(worker.context, [&worker, moved = std::move(socket), is_loopback]() mutable {
    worker.adopt(std::move(moved), is_loopback);
  });
}

void Server::Impl::on_every_worker(void (Worker::*action)()) {
  for (const auto& worker : workers) {
    net::post(worker->context, [w = worker.get(), action] { (w->*action)(); });
  }
}

bool Server::Impl::wait_until_closed(std::chrono::steady_clock::time_point deadline) {
  std::unique_lock lock(shared.mutex);
  return shared.changed.wait_until(lock, deadline, [this] { return shared.open.load() == 0; });
}

Server::Server(ServerOptions options, Router router, metrics::Registry& metrics)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(router), metrics)) {}

Server::~Server() {
  stop(std::chrono::milliseconds(0));
  for (const auto& worker : impl_->workers) worker->context.stop();
  for (std::thread& thread : impl_->threads) thread.join();
}

Result<> Server::start() {
  SD_ASSERT(impl_->threads.empty());
  for (const std::string& address : impl_->shared.options.listen) {
    auto listener = impl_->bind(address);
    if (!listener) {
      impl_->listeners.clear();
      return fail(listener.error());
    }
    impl_->listeners.push_back(std::move(*listener));
  }
  for (Impl::Listener& listener : impl_->listeners)
    net::co_spawn(impl_->workers.front()->context, impl_->accept_loop(listener), net::detached);
  for (const auto& worker : impl_->workers) {
    std::thread& thread = impl_->threads.emplace_back([w = worker.get()] { w->run(); });
    pthread_setname_np(thread.native_handle(), ("http-" + std::to_string(worker->index)).c_str());
  }
  return {};
}

std::vector<std::string> Server::addresses() const {
  std::vector<std::string> addresses;
  for (const Impl::Listener& listener : impl_->listeners) addresses.push_back(listener.address);
  return addresses;
}

bool Server::all_loopback() const {
  for (const Impl::Listener& listener : impl_->listeners) {
    if (!listener.is_loopback) return false;
  }
  return true;
}

unsigned Server::threads() const {
  return static_cast<unsigned>(impl_->workers.size());
}

net::io_context& Server::context(unsigned thread) {
  return impl_->workers.at(thread)->context;
}

void Server::stop(std::chrono::milliseconds grace) {
  if (impl_->threads.empty()) return;
  Impl& impl = *impl_;
  const auto deadline = std::chrono::steady_clock::now() + grace;
  impl.shared.stopping = true;
  net::post(impl.workers.front()->context, [&impl] {
    for (Impl::Listener& listener : impl.listeners) {
      error_code ignored;
      listener.acceptor.close(ignored);
    }
  });
  impl.on_every_worker(&Worker::close_idle);
  if (impl.wait_until_closed(deadline)) return;
  impl.on_every_worker(&Worker::close_all);
  // Their coroutines end as soon as they notice; one that waits for something else does not hold us
  // up.
  impl.wait_until_closed(std::chrono::steady_clock::now() + std::chrono::milliseconds(200));
}

bool Server::stopping() const {
  return impl_->shared.stopping.load();
}

const Router& Server::router() const {
  return impl_->shared.router;
}

}  // namespace sd::http
