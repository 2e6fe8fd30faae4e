// Streamed answers, gone clients, and pipes, over real sockets.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <thread>

#include "http/pipe.h"
#include "http/test_client.h"

namespace sd::http::test {
namespace {

using namespace net::experimental::awaitable_operators;

Task<void> wait(Exchange& exchange, std::chrono::milliseconds time) {
  net::steady_timer timer(exchange.executor(), time);
  co_await timer.async_wait(net::use_awaitable);
}

Task<void> three_pieces(Exchange& exchange) {
  Headers headers;
  headers.emplace_back("Content-Type", "text/plain");
  co_await exchange.begin(200, std::move(headers));
  for (const char* piece : {"one ", "", "two ", "three"}) co_await exchange.write(piece);
  const auto finished = co_await exchange.finish();
  EXPECT_TRUE(finished);
}

Task<void> with_length(Exchange& exchange, std::size_t promised) {
  Headers headers;
  headers.emplace_back("Content-Length", std::to_string(promised));
  co_await exchange.begin(200, std::move(headers));
  co_await exchange.write("12345");
  co_await exchange.finish();
}

void stream_routes(Router& router) {
  router.add("GET", "/three", three_pieces);
  router.add("GET", "/five", [](Exchange& e) { return with_length(e, 5); });
  router.add("GET", "/short", [](Exchange& e) { return with_length(e, 9); });
  router.add("GET", "/long", [](Exchange& e) { return with_length(e, 3); });
  router.add("GET", "/broken", [](Exchange& e) -> Task<void> {
    co_await e.begin(200, {});
    co_await e.write("half");
    e.break_off();
  });
  router.add("GET", "/empty", [](Exchange& e) -> Task<void> {
    co_await e.begin(204, {});
    co_await e.finish();
  });
}

TEST(Stream, SendsChunksAndKeepsTheConnection) {
  TestServer server(stream_routes);
  Client client(server);
  client.send(get("/three"));
  const Reply reply = client.reply();
  EXPECT_EQ(reply.body, "one two three");
  EXPECT_TRUE(reply.whole);
  EXPECT_EQ(reply.header("transfer-encoding"), "chunked");
  EXPECT_FALSE(reply.headers.contains("content-length"));
  client.send("HEAD /three HTTP/1.1\r\nHost: t\r\n\r\n");
  EXPECT_EQ(client.reply(true).header("transfer-encoding"), "chunked");
  EXPECT_EQ(client.ask(get("/empty")).status, 204);
  EXPECT_EQ(client.ask(get("/five")).body, "12345");
  EXPECT_EQ(client.ask(get("/three")).body, "one two three");
}

TEST(Stream, EndsWithTheConnectionForHttp10) {
  TestServer server(stream_routes);
  Client client(server);
  const Reply reply = client.ask("GET /three HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(reply.body, "one two three");
  EXPECT_TRUE(reply.whole);
  EXPECT_EQ(reply.header("connection"), "close");
}

TEST(Stream, ThatIsBrokenOffHasNoProperEnd) {
  TestServer server(stream_routes);
  for (const std::string path : {"/broken", "/short", "/long"}) {
    Client client(server);
    const Reply reply = client.ask(get(path));
    EXPECT_EQ(reply.status, 200);
    EXPECT_FALSE(reply.whole && path != "/long") << path;
    EXPECT_TRUE(client.closed_within(5s));
  }
  Client chunked(server);
  chunked.send(get("/broken"));
  std::string all;
  for (std::string more; !(more = chunked.receive(5s)).empty();) all += more;
  EXPECT_TRUE(all.ends_with("4\r\nhalf\r\n")) << all;
  // Where only the connection's end ends an answer, it must not look like a proper one.
  Client old(server);
  old.send("GET /broken HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(old.closed_within(5s));
  EXPECT_TRUE(old.was_reset());
}

TEST(Stream, ShowsItsHeadBeforeItsFirstPiece) {
  std::atomic<bool> go{false};
  TestServer server([&](Router& router) {
    // NOLINTNEXTLINE(cppcoreguidelines-avoid-capturing-lambda-coroutines)
    router.add("GET", "/late", [&](Exchange& e) -> Task<void> {
      co_await e.begin(200, {});
      while (!go) co_await wait(e, 2ms);
      co_await e.write("x");
      co_await e.finish();
    });
  });
  Client client(server);
  client.send(get("/late"));
  EXPECT_TRUE(client.receive(5s).starts_with("HTTP/1.1 200 OK\r\n"));
  go = true;
  EXPECT_EQ(client.receive(5s).substr(0, 6), "1\r\nx\r\n");
}

TEST(Stream, SlowsDownToItsReadersPace) {
  std::atomic<std::size_t> written{0};
  constexpr std::size_t kTotal = 64U << 20;
  TestServer server([&](Router& router) {
    // NOLINTNEXTLINE(cppcoreguidelines-avoid-capturing-lambda-coroutines)
    router.add("GET", "/flood", [&](Exchange& e) -> Task<void> {
      const std::string piece(1U << 20, 'x');
      co_await e.begin(200, {});
      for (std::size_t sent = 0; sent < kTotal; sent += piece.size()) {
        const auto ok = co_await e.write(piece);
        if (!ok) co_return;
        written += piece.size();
      }
      co_await e.finish();
    });
  });
  Client client(server);
  client.send(get("/flood"));
  client.receive(5s);
  std::size_t before = 1;
  // Stalls well before the end: what is under way is bounded by the sockets' buffers.
  EXPECT_TRUE(eventually([&] {
    std::this_thread::sleep_for(30ms);
    return std::exchange(before, written.load()) == written.load();
  }));
  EXPECT_LT(written.load(), kTotal);
  while (written < kTotal && !client.receive(5s).empty()) {
  }
  EXPECT_EQ(written.load(), kTotal);
}

TEST(Stream, GivesUpAClientThatTakesNothing) {
  std::atomic<bool> failed{false};
  TestServer server(
      [&](Router& router) {
        // NOLINTNEXTLINE(cppcoreguidelines-avoid-capturing-lambda-coroutines)
        router.add("GET", "/flood", [&](Exchange& e) -> Task<void> {
          const std::string piece(1U << 20, 'x');
          co_await e.begin(200, {});
          for (;;) {
            const auto ok = co_await e.write(piece);
            if (ok) continue;
            failed = ok.error().code == ErrorCode::kCancelled;
            co_return;
          }
        });
      },
      {.write_timeout = 80ms});
  Client client(server);
  client.send(get("/flood"));
  EXPECT_TRUE(eventually([&] { return failed.load(); }));
}

// Both ways of leaving, while bytes that the handler never reads lie in front of the end.
TEST(ClientGone, IsNoticedWithinASecondBehindUnreadBytes) {
  std::atomic<int> gone{0};
  TestServer server([&](Router& router) {
    // NOLINTNEXTLINE(cppcoreguidelines-avoid-capturing-lambda-coroutines)
    router.add("GET", "/query", [&](Exchange& e) -> Task<void> {
      const auto outcome = co_await (wait(e, 30s) || e.client_gone());
      if (outcome.index() == 1) ++gone;
    });
  });
  const auto before = std::chrono::steady_clock::now();
  Client leaving(server);
  leaving.send(get("/query") + get("/query"));
  leaving.close();
  Client resetting(server);
  resetting.send(get("/query"));
  const linger hard{1, 0};
  ::setsockopt(resetting.fd(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  resetting.close();
  EXPECT_TRUE(eventually([&] { return gone.load() >= 2; }));
  EXPECT_LT(std::chrono::steady_clock::now() - before, 1s);
}

TEST(ClientGone, StaysSilentWhileTheClientIsThere) {
  TestServer server([&](Router& router) {
    router.add("GET", "/query", [](Exchange& e) -> Task<void> {
      const auto outcome = co_await (wait(e, 600ms) || e.client_gone());
      std::string text = outcome.index() == 0 ? "worked" : "gone";
      co_await e.respond(text_response(std::move(text)));
    });
  });
  Client client(server);
  EXPECT_EQ(client.ask(get("/query")).body, "worked");
  EXPECT_EQ(client.ask(get("/query")).body, "worked") << "the connection is unharmed";
}

TEST(Pipe, IsCopiedOutAsItIsWritten) {
  TestServer server([](Router& router) {
    router.add("GET", "/copy", [](Exchange& e) -> Task<void> {
      const auto ends = make_pipe(1U << 20);
      EXPECT_TRUE(ends);
      EXPECT_EQ(::fcntl(ends->write_fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
      EXPECT_EQ(::fcntl(ends->write_fd, F_GETFL) & O_NONBLOCK, 0);
      std::thread writer([fd = ends->write_fd] {
        const std::string piece(100000, 'p');
        for (int i = 0; i < 50; ++i) EXPECT_EQ(::write(fd, piece.data(), piece.size()), 100000);
        ::close(fd);
      });
      PipeSource source(e.executor(), ends->read_fd);
      co_await e.begin(200, {});
      for (;;) {
        const auto piece = co_await source.read_some();
        EXPECT_TRUE(piece);
        if (!piece || piece->empty()) break;
        co_await e.write(*piece);
      }
      writer.join();
      co_await e.finish();
    });
  });
  Client client(server);
  const Reply reply = client.ask(get("/copy"));
  EXPECT_TRUE(reply.whole);
  EXPECT_EQ(reply.body, std::string(5000000, 'p'));
}

// Writes `piece` into a new pipe so many times from a thread, and sends what comes out of it.
Task<void> send_pipe(Exchange& e, Headers headers, std::string piece, int times) {
  const auto ends = make_pipe(1U << 20);
  EXPECT_TRUE(ends);
  std::thread writer([fd = ends->write_fd, piece = std::move(piece), times] {
    bool taken = true;
    for (int i = 0; taken && i < times; ++i) {
      const auto size = static_cast<ssize_t>(piece.size());
      taken = ::write(fd, piece.data(), piece.size()) == size;
    }
    ::close(fd);
  });
  {
    PipeSource source(e.executor(), ends->read_fd);
    co_await e.begin(200, std::move(headers));
    for (bool more = true; more;) {
      const auto bytes = co_await source.wait_readable();
      EXPECT_TRUE(bytes);
      more = bytes && *bytes != 0;
      if (!more) continue;
      const Result<> written = co_await e.write_from(source, *bytes);
      more = written.has_value();
    }
  }
  writer.join();
  co_await e.finish();
}

std::string numbered(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; text.size() < size; ++i) text += std::to_string(i) + '\n';
  text.resize(size);
  return text;
}

void pipe_routes(Router& router) {
  ::signal(SIGPIPE, SIG_IGN);
  router.add("GET", "/chunked",
             [](Exchange& e) { return send_pipe(e, {}, numbered(300'001), 40); });
  router.add("GET", "/long", [](Exchange& e) {
    return send_pipe(e, {{"Content-Length", "12000040"}}, numbered(300'001), 40);
  });
  router.add("GET", "/longer", [](Exchange& e) {
    return send_pipe(e, {{"Content-Length", "300000"}}, numbered(300'001), 1);
  });
  router.add("GET", "/empty", [](Exchange& e) { return send_pipe(e, {}, "", 0); });
}

std::string numbered_times(int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += numbered(300'001);
  return all;
}

TEST(Pipe, IsSentWithoutACopyInEveryFraming) {
  TestServer server(pipe_routes);
  Client client(server);
  const Reply chunked = client.ask(get("/chunked"));
  EXPECT_TRUE(chunked.whole);
  EXPECT_EQ(chunked.header("transfer-encoding"), "chunked");
  EXPECT_TRUE(chunked.body == numbered_times(40));
  const Reply sized = client.ask(get("/long"));
  EXPECT_TRUE(sized.whole);
  EXPECT_TRUE(sized.body == numbered_times(40));
  EXPECT_EQ(client.ask(get("/empty")).body, "");
  client.send("HEAD /chunked HTTP/1.1\r\nHost: t\r\n\r\n");
  EXPECT_EQ(client.reply(true).status, 200);
  EXPECT_TRUE(client.ask(get("/chunked")).body == numbered_times(40))
      << "the connection is unharmed";
  Client old(server);
  const Reply without_chunks = old.ask("GET /chunked HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(without_chunks.whole);
  EXPECT_TRUE(without_chunks.body == numbered_times(40));
  Client cut(server);
  EXPECT_FALSE(cut.ask(get("/longer")).whole);
}

TEST(Pipe, WaitsForASlowClientAndGivesUpOneThatHasGone) {
  TestServer server(pipe_routes);
  Client slow(server);
  slow.send(get("/chunked"));
  std::this_thread::sleep_for(300ms);  // the socket and the pipe are full
  const Reply reply = slow.reply();
  EXPECT_TRUE(reply.whole);
  EXPECT_TRUE(reply.body == numbered_times(40));
  Client leaving(server);
  leaving.send(get("/chunked"));
  leaving.receive();
  leaving.close();  // the handler ends, or the server's end would wait for it
}

TEST(Pipe, ShowsAPieceBeforeTheNextIsThere) {
  std::atomic<bool> go{false};
  TestServer server([&](Router& router) {
    // NOLINTNEXTLINE(cppcoreguidelines-avoid-capturing-lambda-coroutines)
    router.add("GET", "/late", [&](Exchange& e) -> Task<void> {
      const auto ends = make_pipe(4096);
      EXPECT_TRUE(ends);
      EXPECT_EQ(::write(ends->write_fd, "abc", 3), 3);
      PipeSource source(e.executor(), ends->read_fd);
      co_await e.begin(200, {});
      co_await e.write_from(source, 3);
      while (!go) co_await wait(e, 2ms);
      ::close(ends->write_fd);
      const auto at_end = co_await source.wait_readable();
      EXPECT_TRUE(at_end && *at_end == 0);
      co_await e.finish();
    });
  });
  Client client(server);
  client.send(get("/late"));
  std::string got;
  while (!got.ends_with("\r\n3\r\nabc\r\n")) {
    const std::string more = client.receive(5s);
    ASSERT_FALSE(more.empty()) << got;
    got += more;
  }
  go = true;
  EXPECT_EQ(client.receive(5s), "0\r\n\r\n");
}

TEST(Pipe, TellsItsWriterThatItIsClosed) {
  net::io_context context;
  const auto ends = make_pipe(64U << 10);
  ASSERT_TRUE(ends);
  PipeSource source(context.get_executor(), ends->read_fd);
  source.close();
  source.close();
  ::signal(SIGPIPE, SIG_IGN);
  EXPECT_EQ(::write(ends->write_fd, "x", 1), -1);
  EXPECT_EQ(errno, EPIPE);
  ::close(ends->write_fd);
}

TEST(Pipe, IsAsLargeAsTheSystemAllows) {
  for (const std::size_t capacity :
       {std::size_t{1} << 16, std::size_t{1} << 20, std::size_t{1} << 30}) {
    const auto ends = make_pipe(capacity);
    ASSERT_TRUE(ends);
    const int size = ::fcntl(ends->read_fd, F_GETPIPE_SZ);
    EXPECT_GE(size, 4096);
    EXPECT_LE(size, 1 << 20);
    ::close(ends->read_fd);
    ::close(ends->write_fd);
  }
}

}  // namespace
}  // namespace sd::http::test
