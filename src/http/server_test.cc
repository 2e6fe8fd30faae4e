// Connections and requests, over real sockets.
#include "http/server.h"

#include <gtest/gtest.h>

#include <thread>

#include "http/test_client.h"

namespace sd::http::test {
namespace {

void echo_routes(Router& router) {
  router.add("POST", "/echo", [](Exchange& exchange) -> Task<void> {
    auto body = co_await exchange.read_body(1U << 20);
    if (!body) {
      co_await exchange.respond(problem_response(body.error(), exchange.request_id()));
      co_return;
    }
    co_await exchange.respond(text_response(std::string(*body)));
  });
  router.add("GET", "/hello/{name}", [](Exchange& exchange) -> Task<void> {
    std::string text = "hello ";
    text += exchange.path_parameter("name");
    co_await exchange.respond(text_response(std::move(text)));
  });
}

TEST(Server, AnswersRequestsOneAfterTheOtherOnOneConnection) {
  TestServer server(echo_routes);
  Client client(server);
  const Reply first = client.ask(post("/echo", "one"));
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(first.body, "one");
  EXPECT_EQ(first.header("connection"), "");
  const Reply second = client.ask(get("/hello/world"));
  EXPECT_EQ(second.body, "hello world");
}

}  // namespace
}  // namespace sd::http::test
