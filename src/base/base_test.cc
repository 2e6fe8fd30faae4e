#include <gtest/gtest.h>

#include "base/checksum.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/ids.h"
#include "base/json_text.h"
#include "base/metrics.h"

namespace sd {
namespace {

TEST(Checksum, Crc32cMatchesRfc3720Vectors) {
  const std::string zeros(32, '\0');
  EXPECT_EQ(crc32c(0, zeros.data(), zeros.size()), 0x8A9136AAU);
  const std::string ones(32, '\xff');
  EXPECT_EQ(crc32c(0, ones.data(), ones.size()), 0x62A8AB43U);
  EXPECT_EQ(crc32c(0, "123456789", 9), 0xE3069283U);
  EXPECT_EQ(crc32c(crc32c(0, "1234", 4), "56789", 5), 0xE3069283U);
}

TEST(Checksum, Sha256MatchesFips180Vector) {
  EXPECT_EQ(to_hex(sha256("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Clock, FormatsAndParsesRfc3339) {
  EXPECT_EQ(format_rfc3339(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(format_rfc3339(-1), "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(format_rfc3339(1'700'000'000'000'000), "2023-11-14T22:13:20Z");
  EXPECT_EQ(parse_rfc3339("2023-11-14T22:13:20Z"), 1'700'000'000'000'000);
  EXPECT_EQ(parse_rfc3339("2023-11-15T00:13:20.5+02:00"), 1'700'000'000'500'000);
  EXPECT_EQ(parse_rfc3339("2024-02-29T00:00:00Z"), 1'709'164'800'000'000);
  for (const char* bad : {"2023-02-29T00:00:00Z", "2023-11-14T22:13:20", "2023-11-14", "",
                          "2023-11-14T24:00:00Z", "2023-11-14T22:13:20.Z", "x023-11-14T22:13:20Z",
                          "2023-11-14T22:13:20.1234567Z", "2023-11-14T22:13:20+0200"}) {
    EXPECT_EQ(parse_rfc3339(bad), std::nullopt) << bad;
  }
}

TEST(Ids, Id128RoundTripsAndIsVersion4) {
  const Id128 id = Id128::make();
  const std::string text = id.to_string();
  EXPECT_EQ(text.size(), 36U);
  EXPECT_EQ(text[14], '4');
  EXPECT_EQ(Id128::parse(text), id);
  EXPECT_EQ(Id128::parse("not a uuid"), std::nullopt);
  EXPECT_EQ(Id128::parse(text.substr(0, 35) + "g"), std::nullopt);
  EXPECT_EQ(random_base62(43).size(), 43U);
}

TEST(JsonText, EscapesWhatJsonMustEscapeAndReplacesInvalidUtf8) {
  EXPECT_EQ(json_string("a\"b\\c\n\x01"), "\"a\\\"b\\\\c\\n\\u0001\"");
  EXPECT_EQ(json_string("gr\xC3\xBC\xC3\x9F"), "\"gr\xC3\xBC\xC3\x9F\"");
  EXPECT_EQ(json_string("\xff"
                        "x"),
            "\"\xEF\xBF\xBDx\"");
  EXPECT_FALSE(is_valid_utf8("\xED\xA0\x80"));      // a surrogate
  EXPECT_FALSE(is_valid_utf8("\xC0\xAF"));          // overlong
  EXPECT_FALSE(is_valid_utf8("\xF4\x90\x80\x80"));  // above U+10FFFF
  EXPECT_TRUE(is_valid_utf8("\xF4\x8F\xBF\xBF"));
}

TEST(File, WritesPiecesReadsBackLocksAndListsInOrder) {
  FileSystem& fs = posix_file_system();
  const std::string dir = testing::TempDir() + "sd_base_" + Id128::make().to_string();
  ASSERT_TRUE(fs.make_directories(dir + "/a/b"));
  const std::string path = dir + "/a/b/file";
  {
    auto file = fs.open(path, OpenMode::kCreate);
    ASSERT_TRUE(file) << file.error().message;
    std::vector<std::string> parts(200, "xyz");
    std::vector<std::string_view> pieces(parts.begin(), parts.end());
    ASSERT_TRUE((*file)->write_at(5, std::span<const std::string_view>(pieces)));
    ASSERT_TRUE((*file)->sync_data());
    EXPECT_EQ((*file)->size().value(), 605U);
    ASSERT_TRUE((*file)->try_lock());
    auto second = fs.open(path, OpenMode::kReadWrite);
    EXPECT_EQ((*second)->try_lock().error().code, ErrorCode::kUnavailable);
  }
  EXPECT_EQ(read_file(fs, path)->substr(4, 4), std::string("\0xyz", 4));
  EXPECT_EQ(fs.open(path, OpenMode::kCreate).error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(fs.open(path + "x", OpenMode::kRead).error().code, ErrorCode::kNotFound);
  ASSERT_TRUE(write_file_atomically(fs, path, "new"));
  EXPECT_EQ(*read_file(fs, path), "new");
  EXPECT_EQ(*fs.list(dir + "/a/b"), std::vector<std::string>{"file"});
  EXPECT_TRUE(fs.remove(path) && fs.remove(dir + "/a/b") && fs.remove(dir + "/a") &&
              fs.remove(dir));
  EXPECT_FALSE(*fs.exists(dir));
}

TEST(Metrics, RendersPrometheusText) {
  metrics::Registry registry;
  registry.counter("sd_requests_total", "Requests.", {{"route", "insert"}}).add(2);
  registry.counter("sd_requests_total", "Requests.", {{"route", "insert"}}).add();
  registry.gauge("sd_lag", "Lag.").set(7);
  registry.histogram("sd_seconds", "Seconds.").observe(0.2);
  const std::string text = registry.render();
  EXPECT_NE(text.find("sd_requests_total{route=\"insert\"} 3"), std::string::npos) << text;
  EXPECT_NE(text.find("sd_lag 7"), std::string::npos);
  EXPECT_NE(text.find("sd_seconds_count 1"), std::string::npos);
  registry.remove_gauge("sd_lag", {});
  EXPECT_EQ(registry.render().find("sd_lag 7"), std::string::npos);
}

}  // namespace
}  // namespace sd
