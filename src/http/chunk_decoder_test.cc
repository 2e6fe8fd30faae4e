#include "http/chunk_decoder.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace sd::http {
namespace {

struct Outcome {
  std::string body;
  bool done = false;
  bool failed = false;
  std::size_t consumed = 0;
};

// Feeds the bytes in pieces of `step`.
Outcome decode(std::string_view bytes, std::size_t step = SIZE_MAX) {
  ChunkDecoder decoder;
  Outcome outcome;
  while (outcome.consumed < bytes.size() && !decoder.done() && !decoder.failed()) {
    const auto piece = decoder.next(bytes.substr(outcome.consumed, step));
    outcome.consumed += piece.consumed;
    outcome.body += piece.data;
  }
  outcome.done = decoder.done();
  outcome.failed = decoder.failed();
  return outcome;
}

TEST(ChunkDecoder, TakesChunksExtensionsAndTrailersOff) {
  const std::string bytes =
      "5\r\nhello\r\n00006;name=\"v\"\r\n world\r\nA \r\n0123456789\r\n0\r\nX: y\r\n\r\n";
  for (const std::size_t step : {1UL, 2UL, 3UL, 7UL, SIZE_MAX}) {
    const Outcome outcome = decode(bytes + "GET / HTTP/1.1", step);
    EXPECT_EQ(outcome.body, "hello world0123456789") << step;
    EXPECT_TRUE(outcome.done);
    EXPECT_EQ(outcome.consumed, bytes.size()) << "what follows belongs to the next request";
  }
}

TEST(ChunkDecoder, IsDoneOnlyAtTheVeryEnd) {
  const std::string bytes = "3\r\nabc\r\n0\r\n\r\n";
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    const Outcome outcome = decode(std::string_view(bytes).substr(0, cut));
    EXPECT_FALSE(outcome.done) << cut;
    EXPECT_FALSE(outcome.failed) << cut;
  }
}

TEST(ChunkDecoder, RefusesMalformedChunks) {
  for (const std::string bad : {
           "\r\nabc",
           "x\r\n",
           "-1\r\n",
           "+1\r\na",
           "0x1\r\na",
           " 1\r\na",
           "1\na\r\n",
           "1\r\nab\r\n",
           "1\r\na\n",
           "1\r\na\r0",
           "1\r\na0\r\n",
           "fffffffffffffffff\r\n",
           "1;a\nb\r\n",
           "1;\x01\r\n",
           "0\r\n\n",
           "0\r\nX: y\n\r\n",
           "0\r\n\rX",
           "1\rX",
       }) {
    EXPECT_TRUE(decode(bad).failed) << bad;
    EXPECT_TRUE(decode(bad, 1).failed) << bad;
  }
}

TEST(ChunkDecoder, BoundsExtensionsAndTrailers) {
  EXPECT_TRUE(decode("1;" + std::string(5000, 'x')).failed);
  std::string trailers = "0\r\n";
  for (int i = 0; i < 20000; ++i) trailers += "a:\r\n";
  EXPECT_TRUE(decode(trailers).failed);
}

}  // namespace
}  // namespace sd::http
