#include <gtest/gtest.h>

#include "api/idempotency.h"
#include "api/insert_body.h"
#include "api/insert_options.h"
#include "journal/testing/harness.h"

namespace sd::api {
namespace {

std::string json_of(std::string_view query_string) {
  const auto rows = rows_of_query(parse_query(query_string));
  return rows ? *rows : "400 " + rows.error().slug;
}

std::string json_of_body(std::string_view body, std::string_view content_type) {
  if (format_of(body, content_type) == BodyFormat::kForm) return *rows_of_form(parse_query(body));
  RowIntake intake(format_of(body, content_type), nullptr, {.in_memory = 1000, .total = 1000},
                   false);
  if (auto fed = intake.feed(body); !fed) return std::to_string(fed.error().effective_status());
  const auto rows = intake.finish();
  return rows ? std::string(rows->json()) : std::to_string(rows.error().effective_status());
}

constexpr std::string_view kForm = "application/x-www-form-urlencoded";

TEST(InsertBodies, CurlsQueryStringsHoldJson) {
  EXPECT_EQ(json_of(R"(api_key=k&{"user":"alice"})"), R"({"user":"alice"})");
  EXPECT_EQ(json_of(R"({"user":"a&b=c"})"), R"({"user":"a&b=c"})");
  EXPECT_EQ(json_of("api_key=k&%7B%22user%22%3A%22al+ice%22%7D"), R"({"user":"al ice"})");
  EXPECT_EQ(json_of("%5B%7B%22a%22%3A1%7D%5D&api_key=k"), R"([{"a":1}])");
  EXPECT_EQ(json_of(R"(api_key=k&{%22user%22:%22x%22})"), R"({"user":"x"})");
  EXPECT_EQ(json_of(R"(api_key=k&{"percent":"100%25"})"), R"({"percent":"100%25"})");
}

TEST(InsertBodies, ParametersAreOneRowOfTextWithoutOurOwn) {
  EXPECT_EQ(json_of("api_key=k&page=%2Fhome&n=1&wait=true&pixel=1"), R"({"page":"/home","n":"1"})");
  EXPECT_EQ(json_of("api_key=k"), "400 empty-body");
  EXPECT_EQ(json_of(""), "400 empty-body");
}

TEST(InsertBodies, FieldsOfAFormAreAllOfItsRowButTheKey) {
  EXPECT_EQ(
      json_of_body("api_key=k&wait=1&flatten=up&destination_id=d&pixel=&payload=%7B%7D", kForm),
      R"({"wait":"1","flatten":"up","destination_id":"d","pixel":"","payload":"{}"})");
}

TEST(InsertBodies, TheFirstByteDecidesBeforeTheContentType) {
  EXPECT_EQ(json_of_body(R"({"a":"x&y=%41"})", kForm), R"({"a":"x&y=%41"})");
  EXPECT_EQ(json_of_body(" \n[{}]", "text/plain"), " \n[{}]");
  EXPECT_EQ(json_of_body("payload=%7B%22a%22%3A1%7D", kForm), R"({"a":1})");
  EXPECT_EQ(json_of_body("api_key=k&payload=%7B%22a%22%3A1%7D", kForm), R"({"a":1})");
  EXPECT_EQ(json_of_body("payload=plain", kForm), R"({"payload":"plain"})");
  EXPECT_EQ(json_of_body("a=1&b=x+y", kForm), R"({"a":"1","b":"x y"})");
  EXPECT_EQ(json_of_body(R"(api_key=k&{"a":1})", kForm), R"({"a":1})");
  EXPECT_EQ(json_of_body("a,b\n1,2\n", "text/csv"), "[\n{\"a\":1,\"b\":2}\n]");
  EXPECT_EQ(json_of_body("a,b\n1,2\n", "Text/CSV ; charset=utf-8"), "[\n{\"a\":1,\"b\":2}\n]");
  EXPECT_EQ(json_of_body("a,b\n1,2\n", "text/csvx"), "400");
  EXPECT_FALSE(check_content_type("text/csv; header=absent"));
  EXPECT_TRUE(check_content_type("text/csv; header=present"));
}

TEST(InsertBodies, ErrorsOfCsvAreInItsOwnTerms) {
  RowIntake good(BodyFormat::kCsv, nullptr, {.in_memory = 1000, .total = 1000}, true);
  ASSERT_TRUE(good.feed("a\n1,2\n3\n\xff\n"));
  const auto rows = good.finish();
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->summary.errors.size(), 2U);
  EXPECT_EQ(rows->summary.errors[0].error.code, "too-many-fields");
  EXPECT_EQ(rows->summary.errors[0].error.offset, 2U);
  EXPECT_EQ(rows->summary.errors[1].error.code, "invalid-utf8");
  EXPECT_EQ(rows->summary.errors[1].error.offset, json::RowError::kNoOffset);
  EXPECT_EQ(*rows->hash, first_bits(sha256(rows->json())));
  for (const auto& [csv, slug] :
       {std::pair("a\n1,2\n", "too-many-fields"), std::pair("a\n\xff\n1,2\n", "invalid-utf8")}) {
    RowIntake bad(BodyFormat::kCsv, nullptr, {.in_memory = 1000, .total = 1000}, false);
    ASSERT_TRUE(bad.feed(csv));
    const auto refused = bad.finish();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().slug, slug);
    EXPECT_EQ(refused.error().message.find("not an object"), std::string::npos);
  }
}

TEST(InsertBodies, WhatDoesNotFitIsRefused) {
  for (const RowIntake::Limits limits :
       {RowIntake::Limits{.in_memory = 10, .total = 1000}, RowIntake::Limits{1000, 10}}) {
    RowIntake intake(BodyFormat::kJson, nullptr, limits, false);
    EXPECT_TRUE(intake.feed("{\"a\":1}\n"));
    const auto fed = intake.feed("{\"a\":2}\n");
    ASSERT_FALSE(fed);
    EXPECT_EQ(fed.error().effective_status(), 413);
  }
}

TEST(InsertOptions, SayHowToFlattenOrWhatIsWrong) {
  const auto read = [](std::string_view text) { return read_insert_options(parse_query(text)); };
  EXPECT_EQ(read("").flatten, std::nullopt) << "the table's contract decides";
  EXPECT_EQ(read("").flatten_depth, 0);
  EXPECT_EQ(read("flatten=explode").flatten, json::Flatten::kVertical);
  EXPECT_EQ(read("flatten=multitable&flatten_depth=64").flatten, json::Flatten::kMultitable);
  EXPECT_EQ(read("flatten=none&flatten_depth=64").flatten_depth, 64);
  for (const char* bad : {"flatten=", "flatten=sideways", "flatten_depth=0", "flatten_depth=65",
                          "flatten_depth=1x", "flatten_depth=-1", "flatten_depth="}) {
    ASSERT_TRUE(read(bad).error) << bad;
    EXPECT_EQ(read(bad).error->slug, "invalid-parameter") << bad;
  }
  EXPECT_NE(read("flatten=x").error->message.find("multitable"), std::string::npos);
}

TEST(Idempotency, KeysBelongToTheirTable) {
  EXPECT_EQ(hash_of_key("Events", "k"), hash_of_key("events", "k"));
  EXPECT_NE(hash_of_key("events", "k"), hash_of_key("events", "K"));
  EXPECT_NE(hash_of_key("events", "k"), hash_of_key("event", "sk"));
  std::string characters;
  for (int i = 0; i < 255; ++i) characters += "ä";
  EXPECT_TRUE(read_idempotency_key(characters, "t"));
  EXPECT_FALSE(read_idempotency_key(characters + "x", "t"));
  EXPECT_EQ(read_idempotency_key("", "t").value(), std::nullopt);
}

TEST(Idempotency, AKeyIsRememberedForADay) {
  journal::testing::TemporaryDirectory directory;
  journal::SyncPool pool(1);
  const ManualClock clock;
  const auto log =
      journal::Log::open(posix_file_system(), pool, clock, directory / "log", {}).value();
  journal::testing::WaitingSink sink;
  const auto owned = journal::testing::make_append(sink, "body");
  const Id128 key = hash_of_key("t", "k");
  owned->append.meta.idempotency = journal::Idempotency{key, Id128::make()};
  ASSERT_TRUE(log->append(owned->append));
  sink.wait(1);
  const Micros hour = 3600 * kMicrosPerSecond;
  EXPECT_TRUE(find_accepted(*log, key, clock.wall_us()).value());
  EXPECT_TRUE(find_accepted(*log, key, clock.wall_us() + 23 * hour).value());
  EXPECT_FALSE(find_accepted(*log, key, clock.wall_us() + 25 * hour).value());
  EXPECT_FALSE(find_accepted(*log, hash_of_key("u", "k"), clock.wall_us()).value());
}

// One thread: what is posted runs when it is asked to.
TEST(Idempotency, OneAtATimeHasTheTurnAndOthersWaitInOrder) {
  net::io_context io;
  IdempotencyTurns turns;
  const Id128 key = Id128::make();
  std::string order;
  // It outlives the tasks that it makes.
  // NOLINTNEXTLINE(cppcoreguidelines-avoid-capturing-lambda-coroutines)
  const auto one = [&](char name, int work_ms, int limit_ms) -> Task<void> {
    const std::chrono::milliseconds limit(limit_ms);
    auto turn = co_await turns.wait(io.get_executor(), key, limit);
    order += name;
    if (!turn) {
      order += turn.error().retry_after_s > 0 ? '!' : '?';
      co_return;
    }
    net::steady_timer timer(io, std::chrono::milliseconds(work_ms));
    co_await timer.async_wait(net::use_awaitable);
    order += '.';
  };
  net::co_spawn(io, one('a', 150, 1000), net::detached);
  net::co_spawn(io, one('b', 10, 1000), net::detached);
  net::co_spawn(io, one('c', 10, 50), net::detached);
  net::co_spawn(io, one('d', 10, 1000), net::detached);
  io.run();
  EXPECT_EQ(order, "ac!.b.d.");
  io.restart();
  net::co_spawn(io, one('e', 1, 50), net::detached);
  io.run();
  EXPECT_EQ(order, "ac!.b.d.e.") << "free again";
}

TEST(Query, FlagsAreTrueFalseOrAnError) {
  const Query query = parse_query("a=true&b&c=0&d=maybe&a=false");
  EXPECT_EQ(query.flag("a").value(), false) << "the last one counts";
  EXPECT_EQ(query.flag("b").value(), true);
  EXPECT_EQ(query.flag("c").value(), false);
  EXPECT_FALSE(query.flag("d"));
  EXPECT_EQ(query.flag("none", true).value(), true);
}

}  // namespace
}  // namespace sd::api
