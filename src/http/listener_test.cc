// Listening, accepting, stopping, over real sockets.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <thread>

#include "http/server.h"
#include "http/test_client.h"

namespace sd::http::test {
namespace {

// Answers with the body; over the limit, or anything else that is wrong with it, a problem.
Task<void> echo(Exchange& exchange) {
  auto body = co_await exchange.read_body(1U << 20);
  Response response = body ? text_response(std::string(*body))
                           : problem_response(body.error(), exchange.request_id());
  co_await exchange.respond(std::move(response));
}

Task<void> hello(Exchange& exchange) {
  std::string text = "hello ";
  text += exchange.path_parameter("name");
  co_await exchange.respond(text_response(std::move(text)));
}

void basic_routes(Router& router) {
  router.add("POST", "/echo", echo);
  router.add("GET", "/hello/{name}", hello);
  router.add("PUT", "/hello/{name}", hello);
}

TEST(Listener, RefusesConnectionsBeyondTheLimit) {
  TestServer server(basic_routes, {.max_connections = 2});
  Client first(server);
  auto second = std::make_unique<Client>(server);
  EXPECT_EQ(first.ask(get("/hello/x")).status, 200);
  EXPECT_EQ(second->ask(get("/hello/x")).status, 200);
  Client third(server);
  const Reply refused = third.reply();
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.header("retry-after"), "1");
  EXPECT_EQ(refused.header("connection"), "close");
  third.close();
  second.reset();
  EXPECT_TRUE(eventually([&] { return Client(server).ask(get("/hello/x")).status == 200; }));
}

TEST(Listener, AnswersAClientThatHasClosedItsSide) {
  TestServer server(basic_routes);
  Client client(server);
  client.send(post("/echo", "one") + post("/echo", "two"));
  client.shutdown_send();
  EXPECT_EQ(client.reply().body, "one");
  EXPECT_EQ(client.reply().body, "two");
  EXPECT_TRUE(client.closed_within(5s));
}

TEST(Listener, ListensOnBothLoopbacks) {
  metrics::Registry registry;
  Router router;
  basic_routes(router);
  Server server({.listen = {"127.0.0.1:0", "[::1]:0"}}, std::move(router), registry);
  const Result<> started = server.start();
  if (!started) GTEST_SKIP() << "no IPv6 here: " << started.error().message;
  ASSERT_EQ(server.addresses().size(), 2U);
  EXPECT_TRUE(server.addresses()[1].starts_with("[::1]:"));
  EXPECT_NE(server.addresses()[1], "[::1]:0");
  EXPECT_TRUE(server.all_loopback());
}

// Out of descriptors: connections wait in the kernel's queue, and are served as soon as there are
// some.
TEST(Listener, LivesThroughAShortageOfDescriptors) {
  TestServer server(basic_routes);
  Client before(server);
  EXPECT_EQ(before.ask(get("/hello/x")).status, 200);
  Client waiting;
  rlimit allowed{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &allowed), 0);
  const rlimit few{std::min<rlim_t>(allowed.rlim_cur, 512), allowed.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  std::vector<int> hoard;
  for (int fd = 0; (fd = ::dup(0)) >= 0;) hoard.push_back(fd);
  ASSERT_EQ(errno, EMFILE);
  waiting.connect(server.port());
  waiting.send(get("/hello/waiting"));
  EXPECT_EQ(before.ask(get("/hello/x")).status, 200) << "the others go on";
  EXPECT_EQ(waiting.receive(20ms), "");
  for (const int fd : hoard) ::close(fd);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &allowed), 0);
  EXPECT_EQ(waiting.reply().body, "hello waiting");
}

TEST(Listener, BindsEveryAddressOrNone) {
  metrics::Registry registry;
  Router router;
  basic_routes(router);
  TestServer taken(basic_routes);
  const std::string address = "127.0.0.1:" + std::to_string(taken.port());
  Server server({.listen = {"127.0.0.1:0", address}}, std::move(router), registry);
  const Result<> started = server.start();
  ASSERT_FALSE(started);
  EXPECT_NE(started.error().message.find(address), std::string::npos) << started.error().message;
  EXPECT_TRUE(server.addresses().empty());
  for (const char* wrong : {"127.0.0.1", "8080", "127.0.0.1:", "127.0.0.1:99999", "::1:80",
                            "[127.0.0.1]:80", "[::1]", "example.com:80", ":80", "127.0.0.1:8o"}) {
    Server other({.listen = {wrong}}, Router(), registry);
    EXPECT_FALSE(other.start()) << wrong;
  }
}

TEST(Listener, TellsLoopbackFromOtherAddresses) {
  std::string peer;
  bool local = false;
  bool remote = false;
  const auto routes = [&](Router& router) {
    // NOLINTNEXTLINE(cppcoreguidelines-avoid-capturing-lambda-coroutines)
    router.add("GET", "/who", [&](Exchange& exchange) -> Task<void> {
      peer = exchange.peer_address();
      local = exchange.local_is_loopback();
      remote = exchange.peer_is_loopback();
      co_await exchange.respond(text_response("ok"));
    });
  };
  {
    TestServer server(routes);
    EXPECT_TRUE(server.server().all_loopback());
    EXPECT_EQ(Client(server).ask(get("/who")).status, 200);
    EXPECT_EQ(peer, "127.0.0.1");
    EXPECT_TRUE(local);
    EXPECT_TRUE(remote);
  }
  TestServer open(routes, {.listen = {"0.0.0.0:0"}});
  EXPECT_FALSE(open.server().all_loopback());
  EXPECT_EQ(Client(open).ask(get("/who")).status, 200);
  EXPECT_FALSE(local);
  EXPECT_TRUE(remote);
}

TEST(Listener, LetsARequestInFlightFinishWhenItStops) {
  std::atomic<bool> started{false};
  TestServer server([&](Router& router) {
    basic_routes(router);
    // NOLINTNEXTLINE(cppcoreguidelines-avoid-capturing-lambda-coroutines)
    router.add("POST", "/work", [&](Exchange& exchange) -> Task<void> {
      started = true;
      auto body = co_await exchange.read_body(1000);
      net::steady_timer timer(exchange.executor(), 50ms);
      co_await timer.async_wait(net::use_awaitable);
      std::string text = body ? std::string(*body) : "lost";
      co_await exchange.respond(text_response(std::move(text)));
    });
  });
  Client working(server);
  Client idle(server);
  EXPECT_EQ(idle.ask(get("/hello/x")).status, 200);
  Client fresh(server);
  working.send("POST /work HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\nbo");
  ASSERT_TRUE(eventually([&] { return started.load(); }));
  EXPECT_FALSE(server.server().stopping());
  std::thread stopping([&] { server.server().stop(5s); });
  EXPECT_EQ(idle.receive(5s), "");
  EXPECT_TRUE(fresh.closed_within(5s));
  EXPECT_TRUE(server.server().stopping());
  working.send("dy");
  const Reply reply = working.reply();
  EXPECT_EQ(reply.body, "body");
  EXPECT_EQ(reply.header("connection"), "close");
  working.close();
  stopping.join();
}

TEST(Listener, EndsAHandlerThatOutlivesTheGrace) {
  auto alive = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = alive;
  {
    TestServer server([held = std::move(alive)](Router& router) {
      // NOLINTNEXTLINE(cppcoreguidelines-avoid-capturing-lambda-coroutines)
      router.add("GET", "/stuck", [held](Exchange& exchange) -> Task<void> {
        // NOLINTNEXTLINE(performance-unnecessary-copy-initialization)
        const auto mine = held;
        net::steady_timer timer(exchange.executor(), 1h);
        co_await timer.async_wait(net::use_awaitable);
      });
    });
    Client client(server);
    client.send(get("/stuck"));
    ASSERT_TRUE(eventually([&] { return watch.use_count() == 2; })) << watch.use_count();
    const auto before = std::chrono::steady_clock::now();
    server.server().stop(20ms);
    EXPECT_LT(std::chrono::steady_clock::now() - before, 2s);
    EXPECT_TRUE(client.closed_within(5s));
  }
  EXPECT_TRUE(watch.expired()) << "the frame went with the server";
}

}  // namespace
}  // namespace sd::http::test
