#include "client/upload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "client/identity.h"
#include "client/report.h"
#include "client/retry.h"
#include "client/url.h"

namespace sd::client {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// ---- rules

TEST(Retry, OnlyWhatMayPassIsTriedAgain) {
  for (const int status : {408, 429, 500, 502, 503, 504, 599}) {
    EXPECT_EQ(judge(status), Verdict::kRetry) << status;
  }
  EXPECT_EQ(judge(std::nullopt), Verdict::kRetry);
  for (const int status : {301, 400, 401, 403, 404, 409, 413, 415, 422}) {
    EXPECT_EQ(judge(status), Verdict::kRefused) << status;
  }
  EXPECT_EQ(judge(200), Verdict::kStored);
}

TEST(Retry, WaitsDoubleUpToALimitAndJitterTakesAtMostHalf) {
  const RetryPolicy policy;
  const auto wait = [&](unsigned failures, double jitter) {
    return next_wait(policy, failures, milliseconds{0}, std::nullopt, jitter);
  };
  EXPECT_EQ(wait(1, 0), milliseconds{250});
  EXPECT_EQ(wait(2, 0), milliseconds{500});
  EXPECT_EQ(wait(3, 1), milliseconds{500});
  EXPECT_EQ(wait(7, 0), milliseconds{15'000});
  EXPECT_EQ(wait(1000, 0), milliseconds{15'000});
}

TEST(Retry, TheServersWishIsTheLeastWait) {
  EXPECT_EQ(next_wait({}, 1, milliseconds{0}, milliseconds{30'000}, 0.5), milliseconds{30'000});
  EXPECT_EQ(parse_retry_after("30"), milliseconds{30'000});
  for (const char* text : {"", "x", "3x", "-1", "Wed, 21 Oct 2015 07:28:00 GMT"}) {
    EXPECT_EQ(parse_retry_after(text), std::nullopt) << text;
  }
}

TEST(Retry, EndsAfterItsTriesOrItsPatience) {
  const RetryPolicy twice{.retries = 2};
  const milliseconds long_ago{3'600'000};
  EXPECT_TRUE(next_wait(twice, 2, long_ago, std::nullopt, 0));
  EXPECT_FALSE(next_wait(twice, 3, milliseconds{0}, std::nullopt, 0));
  EXPECT_FALSE(next_wait({.retries = 0}, 1, milliseconds{0}, std::nullopt, 0));
  EXPECT_TRUE(next_wait({}, 9, milliseconds{280'000}, std::nullopt, 0));
  EXPECT_FALSE(next_wait({}, 9, milliseconds{290'000}, std::nullopt, 0));
  EXPECT_FALSE(next_wait({}, 1, milliseconds{0}, milliseconds{400'000}, 0));
}

TEST(Identity, IsTheSameForTheSameAndDiffersInEveryPart) {
  const std::string file = file_identity("/one/a.json", 10, 20, 0);
  EXPECT_EQ(file, file_identity("other/a.json", 10, 20, 0));
  const std::string key = idempotency_key("t", "", file, 3, "{}");
  EXPECT_EQ(key, idempotency_key("t", "", file, 3, "{}"));
  EXPECT_EQ(key.size(), 64U);
  const std::vector<std::string> others = {
      idempotency_key("T", "", file, 3, "{}"),
      idempotency_key("t", "flatten=none", file, 3, "{}"),
      idempotency_key("t", "", file_identity("a.json", 11, 20, 0), 3, "{}"),
      idempotency_key("t", "", file_identity("a.json", 10, 21, 0), 3, "{}"),
      idempotency_key("t", "", file_identity("a.json", 10, 20, 1), 3, "{}"),
      idempotency_key("t", "", file_identity("b.json", 10, 20, 0), 3, "{}"),
      idempotency_key("t", "", named_identity("x", 0), 3, "{}"),
      idempotency_key("t", "", named_identity("x", 1), 3, "{}"),
      idempotency_key("t", "", file, 4, "{}"),
      idempotency_key("t", "", file, 3, "{ }"),
      idempotency_key("", "t", file, 3, "{}"),
  };
  std::set<std::string> all(others.begin(), others.end());
  all.insert(key);
  EXPECT_EQ(all.size(), others.size() + 1);
}

TEST(Urls, AreReadOrRefusedWithoutRepeatingThem) {
  const Url url = parse_url("HTTP://example.com/base/").value();
  EXPECT_EQ(url.to_string(), "http://example.com/base");
  EXPECT_EQ(url.port, "80");
  EXPECT_EQ(parse_url("https://[::1]:8443").value().authority(), "[::1]:8443");
  EXPECT_EQ(parse_url("https://h").value().port, "443");
  for (const char* text :
       {"", "h:1", "ftp://h", "http://", "http://u:secret@h", "http://h?api_key=secret",
        "http://h:0", "http://h:65536", "http://h:x", "http://[::1", "http://h\r\nx"}) {
    const auto refused = parse_url(text);
    ASSERT_FALSE(refused) << text;
    EXPECT_THAT(refused.error().message, Not(HasSubstr("secret")));
  }
  EXPECT_EQ(percent_encode("a b/ä%"), "a%20b%2F%C3%A4%25");
  EXPECT_EQ(percent_encode(".."), "%2E%2E");
}

TEST(Reports, SayWhatPeopleWantToKnow) {
  Totals totals{
      .stored = 1'234'567, .replayed = 1000, .refused = 12, .unsent = 1, .bytes = 30'000'000};
  totals.first_refused = {{"a.json", 7, "invalid-json", "x\x1b[2J"}};
  EXPECT_EQ(
      progress_line(totals, 120'000'000, milliseconds{10'000}, 200),
      " 25 %  30.0 MB of 120.0 MB  1,234,579 rows  0:30 left  123,457 rows/s, 3.0 MB/s  12 refused"
      "  [=======>                      ]");
  EXPECT_THAT(progress_line(totals, std::nullopt, milliseconds{10'000}, 200),
              AllOf(Not(HasSubstr("%")), Not(HasSubstr("left")), HasSubstr("30.0 MB")));
  for (std::size_t width = 1; width < 120; ++width) {
    EXPECT_LE(progress_line(totals, 120'000'000, milliseconds{10'000}, width).size(), width);
  }
  EXPECT_EQ(summary_line(totals, "t", milliseconds{10'000}),
            "1,234,567 rows stored in t (1,000 of them before), 12 refused, in 10.0 s "
            "(123,457 rows/s, 3.0 MB/s)");
  EXPECT_THAT(refused_lines(totals),
              AllOf(HasSubstr("a.json, row 7: invalid-json: x [2J\n"), HasSubstr("and 11 more")));
}

// ---- the upload, without a network

// A server that keeps what it stores by key; a script says how each request is answered.
struct FakeServer {
  std::mutex mutex;
  std::map<std::string, std::string> stored;  // Idempotency-Key → body
  unsigned requests = 0;
  std::function<Result<HttpAnswer>(unsigned)> instead;  // of request n; status 0: answer as usual
  // Where it is there, answers have a receipt, "r" and the key, and this answers for receipts.
  std::function<Result<HttpAnswer>(const std::string& target)> receipt;

  Result<HttpAnswer> send(const HttpRequest& request) {
    if (request.method == "GET") return receipt(request.target);
    const std::lock_guard lock(mutex);
    const unsigned n = requests++;
    if (instead) {
      Result<HttpAnswer> answer = instead(n);
      if (!answer || answer->status != 0) return answer;
    }
    std::string key;
    for (const auto& [name, value] : request.headers) {
      if (name == "Idempotency-Key") key = value;
    }
    const bool replayed = !stored.emplace(key, request.body).second;
    return HttpAnswer{
        .status = 200,
        .replayed = replayed,
        .body = R"({"ok":true,"rows":1,"failed":1,"errors":[{"row":1,"code":"c","detail":"d"}])" +
                (receipt ? R"(,"receipt":"r)" + key + "\"}" : "}")};
  }
};

class FakeTransport final : public Transport {
 public:
  explicit FakeTransport(FakeServer& server) : server_(server) {}
  Result<HttpAnswer> send(const HttpRequest& request) override { return server_.send(request); }

 private:
  FakeServer& server_;
};

struct Finished {
  Totals totals;
  std::optional<Error> failure;
};

Finished upload(FakeServer& server, unsigned chunks, RetryPolicy retry = {.retries = 3},
                milliseconds settle_within = milliseconds{20'000}) {
  unsigned next = 0;
  Upload upload(
      {.concurrency = 4, .retry = retry, .settle_within = settle_within},
      [&] { return std::make_unique<FakeTransport>(server); },
      [&]() -> Result<std::optional<Outgoing>> {
        if (next == chunks) return std::nullopt;
        const unsigned n = next++;
        return Outgoing{.chunk = {.body = std::to_string(n), .rows = 2, .first_row = n * 2ULL},
                        .input = "in",
                        .idempotency_key = "k" + std::to_string(n),
                        .bytes = 10};
      });
  upload.start();
  EXPECT_TRUE(upload.wait_for(milliseconds{20'000}));
  return {upload.totals(), upload.failure()};
}

TEST(Upload, SendsEveryChunkOnceAndAddsUpTheAnswers) {
  FakeServer server;
  const Finished done = upload(server, 50);
  EXPECT_FALSE(done.failure);
  EXPECT_EQ(server.stored.size(), 50U);
  EXPECT_EQ(server.requests, 50U);
  EXPECT_EQ(done.totals.stored, 50U);
  EXPECT_EQ(done.totals.refused, 50U);
  EXPECT_EQ(done.totals.bytes, 500U);
  ASSERT_EQ(done.totals.first_refused.size(), kShownRefused);
  for (std::size_t i = 0; i < kShownRefused; ++i) {
    EXPECT_EQ(done.totals.first_refused[i].row, i * 2 + 1) << "the first ones, in order";
  }
}

TEST(Upload, AsksInTheEndWhatLoadingRefused) {
  FakeServer server;
  std::mutex mutex;
  std::map<std::string, int> asked;
  server.receipt = [&](const std::string& target) -> Result<HttpAnswer> {
    const std::lock_guard lock(mutex);
    const int before = asked[target]++;
    if (target == "/api/receipts/rk0" && before == 0) return fail(ErrorCode::kUnavailable, "reset");
    if (before < 2) return HttpAnswer{.status = 200, .body = R"({"state":"logged","failed":0})"};
    const bool bad = target == "/api/receipts/rk2";
    return HttpAnswer{.status = 200,
                      .body = bad ? R"({"state":"partly_failed","failed":2})"
                                  : R"({"state":"partly_failed","failed":1})"};
  };
  const Finished done = upload(server, 3);
  EXPECT_FALSE(done.failure);
  EXPECT_EQ(asked.size(), 3U);
  EXPECT_EQ(done.totals.stored, 2U);
  EXPECT_EQ(done.totals.refused, 4U);
  EXPECT_EQ(done.totals.late, 1U);
  EXPECT_EQ(done.totals.unsettled, 0U);
  EXPECT_THAT(refused_lines(done.totals),
              HasSubstr("1 of them were refused when they were loaded"));
}

TEST(Upload, SaysOfHowManyChunksItIsNotKnownWhatLoadingRefused) {
  FakeServer server;
  server.receipt = [](const std::string&) -> Result<HttpAnswer> {
    return HttpAnswer{.status = 200, .body = R"({"state":"logged","failed":0})"};
  };
  EXPECT_EQ(upload(server, 3, {}, milliseconds{300}).totals.unsettled, 3U);
  server.receipt = [](const std::string&) -> Result<HttpAnswer> {
    return HttpAnswer{.status = 403};
  };
  EXPECT_EQ(upload(server, 3).totals.unsettled, 3U);
}

TEST(Upload, TriesAgainUnderTheSameKeyWhereTheAnswerWasLost) {
  FakeServer server;
  server.instead = [&](unsigned n) -> Result<HttpAnswer> {
    if (n == 0) {
      server.stored["k0"] = "0";  // stored, but the connection broke
      return fail(ErrorCode::kUnavailable, "reset");
    }
    if (n == 1) return HttpAnswer{.status = 503, .retry_after = "0"};
    return HttpAnswer{};
  };
  const Finished done = upload(server, 1);
  EXPECT_FALSE(done.failure);
  EXPECT_EQ(server.requests, 3U);
  EXPECT_EQ(server.stored.size(), 1U);
  EXPECT_EQ(done.totals.stored, 1U);
  EXPECT_EQ(done.totals.replayed, 1U);
}

TEST(Upload, EndsAtARefusalWithTheServersWords) {
  FakeServer server;
  server.instead = [](unsigned) -> Result<HttpAnswer> {
    return HttpAnswer{.status = 403, .body = R"({"title":"t","detail":"lacks the scope insert"})"};
  };
  const Finished done = upload(server, 1000);
  ASSERT_TRUE(done.failure);
  EXPECT_THAT(done.failure->message, AllOf(HasSubstr("403"), HasSubstr("lacks the scope insert")));
  EXPECT_LE(server.requests, 4U);
}

TEST(Upload, GivesUpWhenItsTriesAreUsedUp) {
  FakeServer server;
  server.instead = [](unsigned) -> Result<HttpAnswer> {
    return fail(ErrorCode::kUnavailable, "down");
  };
  const Finished done = upload(server, 1, {.retries = 2});
  ASSERT_TRUE(done.failure);
  EXPECT_THAT(done.failure->message, AllOf(HasSubstr("down"), HasSubstr("3 tries")));
  EXPECT_EQ(server.requests, 3U);
}

TEST(Upload, TakesNoAnswerOfAStrangerForSuccess) {
  FakeServer server;
  server.instead = [](unsigned) -> Result<HttpAnswer> {
    return HttpAnswer{.status = 200, .body = "<html>hello</html>"};
  };
  const Finished done = upload(server, 1);
  ASSERT_TRUE(done.failure);
  EXPECT_THAT(done.failure->message, HasSubstr("not as Scratch Data"));
  EXPECT_EQ(done.totals.stored, 0U);
}

}  // namespace
}  // namespace sd::client
