// Request bodies over real sockets: framing, codings, limits, deadlines.
#include <gtest/gtest.h>

#include <thread>

#include "http/test_client.h"
#include "http/test_coding.h"

namespace sd::http::test {
namespace {

constexpr std::uint64_t kLimit = 1000;

Task<void> answer(Exchange& exchange, Result<std::string> body) {
  Response response = body ? text_response(std::move(*body))
                           : problem_response(body.error(), exchange.request_id());
  co_await exchange.respond(std::move(response));
}

Task<void> read_at_once(Exchange& exchange, std::uint64_t limit) {
  auto body = co_await exchange.read_body(limit);
  Result<std::string> text = body ? Result<std::string>(std::string(*body)) : fail(body.error());
  co_await answer(exchange, std::move(text));
}

// Says how many bytes came and a checksum of them, having held only a piece at a time.
Task<void> read_in_pieces(Exchange& exchange, std::uint64_t limit) {
  exchange.set_body_limit(limit);
  std::uint64_t bytes = 0;
  std::size_t largest = 0;
  unsigned sum = 0;
  for (;;) {
    auto piece = co_await exchange.read_some();
    if (!piece) {
      Result<std::string> failed = fail(piece.error());
      co_await answer(exchange, std::move(failed));
      co_return;
    }
    if (piece->empty()) break;
    bytes += piece->size();
    largest = std::max(largest, piece->size());
    for (const char c : *piece) sum = sum * 31 + static_cast<unsigned char>(c);
  }
  EXPECT_LE(largest, 4U << 20);
  Result<std::string> text = std::to_string(bytes) + " " + std::to_string(sum);
  co_await answer(exchange, std::move(text));
}

std::string summary(std::string_view text) {
  unsigned sum = 0;
  for (const char c : text) sum = sum * 31 + static_cast<unsigned char>(c);
  return std::to_string(text.size()) + " " + std::to_string(sum);
}

void body_routes(Router& router) {
  router.add("POST", "/small", [](Exchange& e) { return read_at_once(e, kLimit); });
  router.add("POST", "/large", [](Exchange& e) { return read_at_once(e, 64U << 20); });
  router.add("POST", "/pieces", [](Exchange& e) { return read_in_pieces(e, 64U << 20); });
  router.add("POST", "/few-pieces", [](Exchange& e) { return read_in_pieces(e, kLimit); });
  router.add("POST", "/ignore",
             [](Exchange& e) -> Task<void> { co_await e.respond(text_response("ignored")); });
  router.add("POST", "/declared", [](Exchange& e) -> Task<void> {
    const auto length = e.declared_length();
    std::string text = length ? std::to_string(*length) : "unknown";
    co_await e.respond(text_response(std::move(text)));
  });
}

std::string chunked(std::string_view path, std::string_view body, std::size_t chunk,
                    std::string_view headers = "") {
  std::string out = "POST " + std::string(path) +
                    " HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n" +
                    std::string(headers) + "\r\n";
  while (!body.empty()) {
    const std::string_view piece = body.substr(0, chunk);
    body.remove_prefix(piece.size());
    char size[20];
    std::snprintf(size, sizeof size, "%zx\r\n", piece.size());
    out += size;
    out += piece;
    out += "\r\n";
  }
  return out + "0\r\n\r\n";
}

std::string text_of(std::size_t size) {
  std::string text;
  unsigned state = 1;
  while (text.size() < size) text += std::to_string(state = state * 1664525 + 1013904223) + ",";
  text.resize(size);
  return text;
}

// The same connection afterwards: framing was kept exactly.
void expect_alive(Client& client) {
  EXPECT_EQ(client.ask(post("/small", "alive")).body, "alive");
}

TEST(Body, ArrivesWholeWhateverItsSizeAndFraming) {
  TestServer server(body_routes);
  Client client(server);
  for (const std::size_t size : {0UL, 1UL, 3900UL, 4096UL, 16384UL, 65536UL, 300000UL, 5000000UL}) {
    const std::string text = text_of(size);
    EXPECT_EQ(client.ask(post("/large", text)).body, text) << size;
    EXPECT_EQ(client.ask(post("/pieces", text)).body, summary(text)) << size;
    EXPECT_EQ(client.ask(chunked("/large", text, 4000)).body, text) << size;
    EXPECT_EQ(client.ask(chunked("/pieces", text, 100000)).body, summary(text)) << size;
  }
  expect_alive(client);
}

TEST(Body, LeavesWhatFollowsItToTheNextRequest) {
  TestServer server(body_routes);
  Client client(server);
  const std::string text = text_of(100000);
  client.send(chunked("/large", text, 5000) + chunked("/pieces", text, 1) + post("/small", "last"));
  EXPECT_EQ(client.reply().body, text);
  EXPECT_EQ(client.reply().body, summary(text));
  EXPECT_EQ(client.reply().body, "last");
}

TEST(Body, RefusesMalformedChunks) {
  TestServer server(body_routes);
  for (const std::string bad : {"x\r\n", "5\r\nhelloX", "5\nhello\r\n0\r\n\r\n", "-1\r\n",
                                "5\r\nhello\r\n0\r\nX"
                                "\n\r\n"}) {
    Client client(server);
    const Reply reply =
        client.ask("POST /small HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n" + bad);
    EXPECT_EQ(reply.status, 400) << bad;
    EXPECT_NE(reply.body.find("/problems/invalid-chunk"), std::string::npos);
    EXPECT_EQ(reply.header("connection"), "close");
    EXPECT_TRUE(client.closed_within(5s));
  }
}

TEST(Body, IsDecodedAsItsContentEncodingSays) {
  TestServer server(body_routes);
  Client client(server);
  const std::string text = text_of(200000);
  for (const auto& [coding, bytes] : std::initializer_list<std::pair<std::string, std::string>>{
           {"gzip", gzip_text(text)},
           {"GZIP", gzip_text(text.substr(0, 1000)) + gzip_text(text.substr(1000))},
           {"x-gzip", gzip_text(text)},
           {"deflate", deflate_text(text)},
           {"deflate", raw_deflate_text(text)},
           {"zstd", zstd_text(text)},
           {"zstd", zstd_text(text.substr(0, 7)) + zstd_text(text.substr(7))},
           {"identity", text},
       }) {
    const std::string header = "Content-Encoding: " + coding + "\r\n";
    EXPECT_EQ(client.ask(post("/large", bytes, header)).body, text) << coding;
    EXPECT_EQ(client.ask(post("/pieces", bytes, header)).body, summary(text)) << coding;
    EXPECT_EQ(client.ask(chunked("/large", bytes, 777, header)).body, text) << coding;
  }
  EXPECT_EQ(client.ask(post("/large", "", "Content-Encoding: gzip\r\n")).status, 200);
  expect_alive(client);
}

TEST(Body, RefusesCorruptAndUnknownCodings) {
  TestServer server(body_routes);
  const std::string whole = gzip_text(text_of(5000));
  const auto ask = [&](const std::string& coding, const std::string& bytes) {
    Client client(server);
    const Reply reply = client.ask(post("/large", bytes, "Content-Encoding: " + coding + "\r\n"));
    const std::size_t type = reply.body.find("/problems/");
    return std::to_string(reply.status) + " " +
           reply.body.substr(type + 10, reply.body.find('"', type) - type - 10);
  };
  EXPECT_EQ(ask("gzip", whole.substr(0, whole.size() / 2)), "400 invalid-encoding");
  EXPECT_EQ(ask("gzip", whole + "tail"), "400 invalid-encoding");
  EXPECT_EQ(ask("gzip", "{\"plain\":1}"), "400 invalid-encoding");
  EXPECT_EQ(ask("zstd", zstd_text("abc").substr(0, 9)), "400 invalid-encoding");
  EXPECT_EQ(ask("compress", "x"), "415 unsupported-encoding");
  EXPECT_EQ(ask("gzip, gzip", "x"), "415 unsupported-encoding");
  EXPECT_EQ(ask("gzip\r\nContent-Encoding: gzip", "x"), "415 unsupported-encoding");
}

TEST(Body, StopsABombAtTheLimit) {
  TestServer server(body_routes);
  const std::string zeros(50U << 20, '\0');
  for (const auto& [coding, bomb] : std::initializer_list<std::pair<std::string, std::string>>{
           {"gzip", gzip_text(gzip_text(zeros))},
           {"gzip", gzip_text(zeros)},
           {"zstd", zstd_text(zeros)}}) {
    for (const std::string path : {"/small", "/few-pieces"}) {
      Client client(server);
      const Reply reply =
          client.ask(chunked(path, bomb, 500, "Content-Encoding: " + coding + "\r\n"));
      if (bomb.size() < 500) continue;  // the doubly packed one is a small text
      EXPECT_EQ(reply.status, 413) << coding;
      EXPECT_NE(reply.body.find("/problems/body-too-large"), std::string::npos);
    }
  }
}

TEST(Body, IsTakenUpToTheLimitAndNotBeyond) {
  TestServer server(body_routes);
  Client client(server);
  EXPECT_EQ(client.ask(post("/small", std::string(kLimit, 'x'))).status, 200);
  EXPECT_EQ(client.ask(chunked("/small", std::string(kLimit, 'x'), 100)).status, 200);
  EXPECT_EQ(
      client.ask(post("/small", gzip_text(std::string(kLimit, 'x')), "Content-Encoding: gzip\r\n"))
          .status,
      200);
  for (const std::string& request :
       {post("/small", std::string(kLimit + 1, 'x')),
        chunked("/small", std::string(kLimit + 1, 'x'), 100),
        post("/few-pieces", std::string(kLimit + 1, 'x')),
        post("/small", gzip_text(std::string(kLimit + 1, 'x')), "Content-Encoding: gzip\r\n")}) {
    Client other(server);
    const Reply reply = other.ask(request);
    EXPECT_EQ(reply.status, 413);
    EXPECT_EQ(reply.header("connection"), "close");
    EXPECT_NE(reply.body.find("\"limit\":1000"), std::string::npos);
  }
}

TEST(Body, IsRefusedBeforeItArrivesWhereItsLengthIsToldAndTooMuch) {
  TestServer server(body_routes);
  Client client(server);
  client.send("POST /small HTTP/1.1\r\nHost: t\r\nContent-Length: 10000000000\r\n\r\n");
  EXPECT_EQ(client.reply().status, 413);
  // A client that goes on sending still reads the answer: the connection is not reset under it.
  Client stubborn(server);
  stubborn.send("POST /small HTTP/1.1\r\nHost: t\r\nContent-Length: 8000000\r\n\r\n");
  EXPECT_TRUE(stubborn.send(std::string(8000000, 'x')));
  EXPECT_EQ(stubborn.reply().status, 413);
}

TEST(Body, ThatArrivesTooSlowlyIsCutOff) {
  TestServer server(body_routes, {.body_window = 80ms, .body_window_bytes = 64});
  Client silent(server);
  const Reply reply =
      silent.ask("POST /small HTTP/1.1\r\nHost: t\r\nContent-Length: 100\r\n\r\nabc");
  EXPECT_EQ(reply.status, 408);
  EXPECT_EQ(reply.header("connection"), "close");
  // One byte at a time is slow too.
  Client dripping(server);
  dripping.send("POST /small HTTP/1.1\r\nHost: t\r\nContent-Length: 100\r\n\r\n");
  std::string answer;
  for (int i = 0; i < 90 && answer.empty(); ++i) {
    dripping.send("x");
    answer = dripping.receive(10ms);
  }
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 408")) << answer;
}

TEST(Body, ThatComesSteadilyIsNotCutOff) {
  TestServer server(body_routes, {.body_window = 100ms, .body_window_bytes = 64});
  Client steady(server);
  steady.send("POST /small HTTP/1.1\r\nHost: t\r\nContent-Length: 900\r\n\r\n");
  for (int i = 0; i < 9; ++i) {
    std::this_thread::sleep_for(20ms);
    steady.send(std::string(100, 'x'));
  }
  EXPECT_EQ(steady.reply().status, 200);
}

TEST(Body, OfAClientThatLeavesEndsTheRequest) {
  TestServer server(body_routes);
  Client client(server);
  client.send("POST /small HTTP/1.1\r\nHost: t\r\nContent-Length: 100\r\n\r\nabc");
  client.close();
  EXPECT_TRUE(eventually([&] {
    return server.metrics().find("route=\"/small\",status=\"400\"} 1") != std::string::npos &&
           server.metrics().find("http_connections 0") != std::string::npos;
  }));
}

TEST(Body, IsSkippedWhereNobodyReadsItAndItIsSmall) {
  TestServer server(body_routes);
  Client client(server);
  EXPECT_EQ(client.ask(post("/ignore", std::string(60000, 'x'))).body, "ignored");
  EXPECT_EQ(client.ask(chunked("/ignore", "hello", 2)).body, "ignored");
  expect_alive(client);
  client.send("POST /ignore HTTP/1.1\r\nHost: t\r\nContent-Length: 1000000\r\n\r\n");
  EXPECT_EQ(client.reply().header("connection"), "close");
  EXPECT_TRUE(client.closed_within(5s));
}

TEST(Body, IsAskedForWhereTheClientExpectsIt) {
  TestServer server(body_routes);
  Client client(server);
  const std::string expect = "Expect: 100-continue\r\n\r\n";
  client.send("POST /small HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n" + expect);
  EXPECT_EQ(client.reply().status, 100);
  EXPECT_EQ(client.ask("hello").body, "hello");
  client.send("POST /small HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n" + expect);
  EXPECT_EQ(client.reply().status, 100);
  EXPECT_EQ(client.ask("5\r\nhello\r\n0\r\n\r\n").body, "hello");
  // Sent along at once: no interim answer is needed.
  EXPECT_EQ(
      client.ask("POST /small HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n" + expect + "hello")
          .status,
      200);
}

TEST(Body, ThatIsRefusedIsNotAskedFor) {
  TestServer server(body_routes);
  for (const std::string path : {"/small", "/nowhere", "/ignore"}) {
    Client client(server);
    client.send("POST " + path +
                " HTTP/1.1\r\nHost: t\r\nContent-Length: 5000\r\nExpect: 100-continue\r\n\r\n");
    const Reply reply = client.reply();
    EXPECT_EQ(reply.status, path == "/small" ? 413 : path == "/ignore" ? 200 : 404);
    EXPECT_EQ(reply.header("connection"), "close");
    EXPECT_TRUE(client.closed_within(5s));
  }
}

TEST(Body, TellsItsLengthWhereItIsDeclaredAndPlain) {
  TestServer server(body_routes);
  Client client(server);
  EXPECT_EQ(client.ask(post("/declared", "hello")).body, "5");
  EXPECT_EQ(client.ask(post("/declared", "")).body, "0");
  EXPECT_EQ(client.ask(post("/declared", "hello", "Content-Encoding: gzip\r\n")).body, "unknown");
  EXPECT_EQ(client.ask(chunked("/declared", "hello", 5)).body, "unknown");
  EXPECT_EQ(client.ask("POST /declared HTTP/1.1\r\nHost: t\r\n\r\n").body, "unknown");
}

}  // namespace
}  // namespace sd::http::test
