// Connections, requests and answers, over real sockets.
#include "http/server.h"

#include <gtest/gtest.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <thread>

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

TEST(Server, AnswersManyRequestsOneAfterTheOtherOnOneConnection) {
  TestServer server(basic_routes);
  Client client(server);
  for (int i = 0; i < 2000; ++i) {
    const std::string text = "number " + std::to_string(i);
    const Reply reply = client.ask(post("/echo", text));
    ASSERT_EQ(reply.status, 200);
    ASSERT_EQ(reply.body, text);
    ASSERT_EQ(reply.header("connection"), "");
  }
  EXPECT_EQ(client.ask(get("/hello/a%2Fb")).body, "hello a/b");
}

TEST(Server, AnswersPipelinedRequestsInOrder) {
  TestServer server(basic_routes);
  Client client(server);
  client.send(post("/echo", "one") + get("/hello/two") + post("/echo", "three"));
  EXPECT_EQ(client.reply().body, "one");
  EXPECT_EQ(client.reply().body, "hello two");
  EXPECT_EQ(client.reply().body, "three");
  std::string many;
  for (int i = 0; i < 500; ++i) many += post("/echo", std::to_string(i));
  std::thread sender([&] { client.send(many); });
  for (int i = 0; i < 500; ++i) ASSERT_EQ(client.reply().body, std::to_string(i));
  sender.join();
}

TEST(Server, SendsTheFirstPipelinedAnswerWhileTheSecondRequestIsAtWork) {
  std::atomic<bool> release{false};
  TestServer server([&](Router& router) {
    basic_routes(router);
    // NOLINTNEXTLINE(cppcoreguidelines-avoid-capturing-lambda-coroutines)
    router.add("GET", "/slow", [&release](Exchange& exchange) -> Task<void> {
      net::steady_timer timer(exchange.executor());
      while (!release) {
        timer.expires_after(5ms);
        co_await timer.async_wait(net::use_awaitable);
      }
      co_await exchange.respond(text_response("slow"));
    });
  });
  Client client(server);
  client.send(get("/hello/quick") + get("/slow"));
  EXPECT_EQ(client.reply().body, "hello quick");
  release = true;
  EXPECT_EQ(client.reply().body, "slow");
}

TEST(Server, UnderstandsARequestCutAtAnyByte) {
  TestServer server(basic_routes);
  Client client(server);
  const std::string plain = post("/echo", "hello", "X-Some: thing\r\n");
  const std::string chunked =
      "POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nT: u\r\n\r\n";
  for (const std::string& request : {plain, chunked}) {
    for (std::size_t cut = 1; cut < request.size(); ++cut) {
      client.send(std::string_view(request).substr(0, cut));
      std::this_thread::sleep_for(std::chrono::microseconds(500));
      client.send(std::string_view(request).substr(cut));
      const Reply reply = client.reply();
      ASSERT_EQ(reply.status, 200) << "cut at " << cut;
      ASSERT_EQ(reply.body, "hello") << "cut at " << cut;
    }
  }
}

TEST(Server, ServesManyConnectionsAtOnceOverSeveralThreads) {
  TestServer server(basic_routes, {.threads = 3});
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 200; ++i) clients.push_back(std::make_unique<Client>(server));
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = 0; i < clients.size(); ++i)
      clients[i]->send(post("/echo", std::to_string(i)));
    for (std::size_t i = 0; i < clients.size(); ++i)
      ASSERT_EQ(clients[i]->reply().body, std::to_string(i));
  }
  EXPECT_NE(server.metrics().find("http_connections 200"), std::string::npos);
  clients.clear();
  EXPECT_TRUE(
      eventually([&] { return server.metrics().find("http_connections 0") != std::string::npos; }));
}

TEST(Server, ClosesWhereTheClientAsksAndAfterHttp10) {
  TestServer server(basic_routes);
  Client closing(server);
  const Reply closed = closing.ask(get("/hello/x", "Connection: close\r\n"));
  EXPECT_EQ(closed.header("connection"), "close");
  EXPECT_TRUE(closing.closed_within(5s));
  Client old(server);
  const Reply reply = old.ask("GET /hello/x HTTP/1.0\r\n\r\n");
  EXPECT_EQ(reply.body, "hello x");
  EXPECT_EQ(reply.header("connection"), "close");
  EXPECT_TRUE(old.closed_within(5s));
  Client kept(server);
  for (int i = 0; i < 2; ++i) {
    const Reply again = kept.ask("GET /hello/x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_EQ(again.body, "hello x");
    EXPECT_EQ(again.header("connection"), "keep-alive");
  }
}

TEST(Server, AnswersHeadWithTheHeadersAlone) {
  TestServer server(basic_routes);
  Client client(server);
  client.send("HEAD /hello/world HTTP/1.1\r\nHost: t\r\n\r\n" + get("/hello/next"));
  const Reply head = client.reply(true);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.header("content-length"), "11");
  EXPECT_EQ(client.reply().body, "hello next");
}

TEST(Server, AnswersUnknownPathsAndWrongMethodsWithProblems) {
  TestServer server(basic_routes);
  Client client(server);
  const Reply unknown = client.ask(get("/nowhere"));
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(unknown.header("content-type"), "application/problem+json");
  EXPECT_NE(unknown.body.find("\"/problems/not-found\""), std::string::npos);
  const Reply wrong = client.ask(post("/hello/x", "body that nobody reads"));
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.header("allow"), "GET, HEAD, PUT, OPTIONS");
  EXPECT_NE(wrong.body.find("\"/problems/method-not-allowed\""), std::string::npos);
  EXPECT_EQ(client.ask(get("/hello/still-here")).body, "hello still-here");
}

TEST(Server, AnswersPreflightsOnExistingPathsOnly) {
  TestServer server(basic_routes);
  Client client(server);
  const std::string asks = "Origin: https://a.example\r\nAccess-Control-Request-Method: PUT\r\n";
  const Reply reply = client.ask("OPTIONS /hello/x HTTP/1.1\r\nHost: t\r\n" + asks + "\r\n");
  EXPECT_EQ(reply.status, 204);
  EXPECT_EQ(reply.header("access-control-allow-origin"), "*");
  EXPECT_EQ(reply.header("access-control-allow-methods"), "GET, HEAD, PUT, OPTIONS");
  EXPECT_EQ(reply.header("access-control-allow-headers"),
            "Authorization, X-API-KEY, Content-Type, Content-Encoding, Idempotency-Key, "
            "If-None-Match, Last-Event-ID");
  EXPECT_NE(reply.header("access-control-max-age"), "");
  EXPECT_EQ(reply.header("access-control-allow-credentials"), "");
  EXPECT_FALSE(reply.headers.contains("content-length"));
  EXPECT_EQ(client.ask("OPTIONS /nowhere HTTP/1.1\r\nHost: t\r\n" + asks + "\r\n").status, 404);
  EXPECT_EQ(client.ask("OPTIONS * HTTP/1.1\r\nHost: t\r\n\r\n").status, 204);
}

TEST(Server, GivesEveryAnswerARequestIdAndCors) {
  TestServer server(basic_routes);
  Client client(server);
  EXPECT_EQ(client.ask(get("/hello/x", "X-Request-Id: abc-1.2_Z\r\n")).header("x-request-id"),
            "abc-1.2_Z");
  const Reply problem = client.ask(get("/nowhere", "x-request-id: mine\r\n"));
  EXPECT_EQ(problem.header("x-request-id"), "mine");
  EXPECT_NE(problem.body.find("\"request_id\":\"mine\""), std::string::npos);
  const std::string first = client.ask(get("/hello/x")).header("x-request-id");
  const std::string second =
      client.ask(get("/hello/x", "X-Request-Id: <script>\r\n")).header("x-request-id");
  EXPECT_EQ(first.size(), 16U);
  EXPECT_EQ(second.size(), 16U);
  EXPECT_NE(first, second);
  const std::string long_id = "X-Request-Id: " + std::string(129, 'a') + "\r\n";
  EXPECT_EQ(client.ask(get("/hello/x", long_id)).header("x-request-id").size(), 16U);
  const Reply bad =
      client.ask("GET /x HTTP/1.1\r\nX-Request-Id: bad-one\r\nHost: a\r\nHost: b\r\n\r\n");
  EXPECT_EQ(bad.status, 400);
  EXPECT_EQ(bad.header("x-request-id"), "bad-one");
  EXPECT_EQ(bad.header("access-control-allow-origin"), "*");
  EXPECT_EQ(bad.header("access-control-expose-headers"),
            "X-Request-Id, X-Query-Id, X-Endpoint-Version, X-Fresh, X-Lag-Rows, ETag, "
            "Content-Disposition, Retry-After");
  Client noise(server);
  EXPECT_EQ(noise.ask("\x16\x03\x01\x02noise").header("x-request-id").size(), 16U);
}

TEST(Server, RefusesBadHeadsAndClosesTheConnection) {
  TestServer server(basic_routes);
  for (const auto& [bytes, status] : std::initializer_list<std::pair<std::string, int>>{
           {"GET /hello/x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
           {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5,5\r\n\r\nhello", 400},
           {"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n", 501},
           {"GET /hello/x HTTP/1.1\nHost: a\n\n", 400},
           {"GET /hello/x HTTP/3.0\r\nHost: a\r\n\r\n", 505},
       }) {
    Client client(server);
    client.send(bytes + get("/hello/smuggled"));
    const Reply reply = client.reply();
    EXPECT_EQ(reply.status, status) << bytes;
    EXPECT_EQ(reply.header("content-type"), "application/problem+json");
    EXPECT_EQ(reply.header("connection"), "close");
    EXPECT_EQ(client.receive(5s), "") << "nothing after it is read as a request";
    EXPECT_FALSE(client.was_reset());
  }
}

TEST(Server, RefusesHeadersThatAreTooLarge) {
  TestServer server(basic_routes);
  Client at_limit(server);
  const std::string start = "GET /hello/x HTTP/1.1\r\nHost: t\r\nX: ";
  const std::string fits(65536 - start.size() - 4, 'x');
  EXPECT_EQ(at_limit.ask(start + fits + "\r\n\r\n").status, 200);
  EXPECT_EQ(at_limit.ask(start + fits + "x\r\n\r\n").status, 431);
  EXPECT_TRUE(at_limit.closed_within(5s));
  Client endless(server);
  EXPECT_EQ(endless.ask("GET /" + std::string(70000, 'a')).status, 431);
}

TEST(Server, CutsSlowHeadersOffAndClosesIdleConnections) {
  TestServer server(basic_routes, {.header_timeout = 60ms, .idle_timeout = 120ms});
  Client slow(server);
  slow.send("GET /hello/x HT");
  const Reply reply = slow.reply();
  EXPECT_EQ(reply.status, 408);
  EXPECT_NE(reply.body.find("/problems/request-timeout"), std::string::npos);
  EXPECT_TRUE(slow.closed_within(5s));
  // Dripping does not prolong it.
  Client dripping(server);
  bool cut = false;
  for (int i = 0; i < 400 && !cut; ++i) {
    dripping.send("a");
    cut = !dripping.receive(5ms).empty();
  }
  EXPECT_TRUE(cut);
  Client idle(server);
  EXPECT_EQ(idle.ask(get("/hello/x")).status, 200);
  EXPECT_EQ(idle.receive(5s), "") << "closed without a word";
  EXPECT_FALSE(idle.was_reset());
  Client silent(server);
  EXPECT_TRUE(silent.closed_within(5s));
}

TEST(Server, LivesOnWhenAHandlerThrowsOrSaysNothing) {
  TestServer server([](Router& router) {
    basic_routes(router);
    router.add("GET", "/throw", [](Exchange&) -> Task<void> {
      throw std::runtime_error("a secret path /etc/x");
      co_return;
    });
    router.add("GET", "/silent", [](Exchange&) -> Task<void> { co_return; });
    router.add("GET", "/throw-late", [](Exchange& exchange) -> Task<void> {
      co_await exchange.begin(200, {});
      co_await exchange.write("some");
      throw 42;
    });
    router.add("GET", "/twice", [](Exchange& exchange) -> Task<void> {
      co_await exchange.respond(text_response("first"));
      const auto second = co_await exchange.respond(text_response("second"));
      EXPECT_FALSE(second);
      EXPECT_FALSE(co_await exchange.write("more"));
    });
  });
  Client client(server);
  for (const std::string path : {"/throw", "/silent"}) {
    const Reply reply = client.ask(get(path));
    EXPECT_EQ(reply.status, 500) << path;
    EXPECT_NE(reply.body.find("/problems/internal"), std::string::npos);
    EXPECT_EQ(reply.body.find("secret"), std::string::npos);
  }
  EXPECT_EQ(client.ask(get("/twice")).body, "first");
  EXPECT_EQ(client.ask(get("/hello/x")).body, "hello x");
  const Reply cut = client.ask(get("/throw-late"));
  EXPECT_EQ(cut.body, "some");
  EXPECT_FALSE(cut.whole);
  EXPECT_EQ(Client(server).ask(get("/hello/x")).body, "hello x");
}

TEST(Server, CountsRequestsByRouteMethodAndStatus) {
  TestServer server(basic_routes);
  Client client(server);
  client.ask(post("/echo", "x"));
  client.ask(get("/hello/a"));
  client.ask(get("/hello/b"));
  client.ask(get("/secret-looking-path"));
  client.ask("BREW /hello/x HTTP/1.1\r\nHost: t\r\n\r\n");
  const auto counted = [&](const std::string& line) {
    return eventually([&] { return server.metrics().find(line) != std::string::npos; });
  };
  EXPECT_TRUE(counted("http_requests_total{method=\"POST\",route=\"/echo\",status=\"200\"} 1"));
  EXPECT_TRUE(
      counted("http_requests_total{method=\"GET\",route=\"/hello/{name}\",status=\"200\"} 2"));
  EXPECT_TRUE(counted("http_requests_total{method=\"GET\",route=\"none\",status=\"404\"} 1"));
  EXPECT_TRUE(counted("http_requests_total{method=\"other\",route=\"none\",status=\"405\"} 1"));
  EXPECT_TRUE(counted("http_request_duration_seconds_count{route=\"/hello/{name}\"} 2"));
  EXPECT_EQ(server.metrics().find("secret"), std::string::npos);
}

}  // namespace
}  // namespace sd::http::test
