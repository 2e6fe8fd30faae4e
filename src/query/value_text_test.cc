// The quick ways of the encoders give what the plain ways give.
#include "query/value_text.h"

#include <gtest/gtest.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <random>

#include "query/test_database.h"

namespace sd::query {
namespace {

template <typename Put>
std::string spelled(Put put) {
  std::string out;
  {
    TextSink sink(out);
    put(sink);
  }
  return out;
}

// As documented: the shortest text that reads back, visibly a fraction; whole numbers below 10^15
// (2^24) without an exponent.
template <typename T>
std::string plainly(T value) {
  char buffer[400];
  const T whole = std::is_same_v<T, float> ? T{16'777'216} : T{1e15};
  const bool fixed = std::abs(value) < whole && value == std::trunc(value);
  // Larger ones with an exponent: without it there would be digits that are not of the shortest text.
  const bool exponent = std::abs(value) > std::ldexp(T{1}, std::numeric_limits<T>::digits);
  const auto end =
      fixed      ? std::to_chars(buffer, std::end(buffer), value, std::chars_format::fixed).ptr
      : exponent ? std::to_chars(buffer, std::end(buffer), value, std::chars_format::scientific).ptr
                 : std::to_chars(buffer, std::end(buffer), value).ptr;
  std::string text(buffer, end);
  return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
}

template <typename T>
void expect_plain(T value) {
  ASSERT_EQ(spelled([&](TextSink& sink) { put_fraction(sink, value); }), plainly(value));
}

TEST(ValueText, FractionsAreTheShortestThatReadBack) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 300'000; ++i) {
    const std::uint64_t bits = random();
    if (const double any = std::bit_cast<double>(bits); std::isfinite(any)) expect_plain(any);
    const auto small = static_cast<std::uint32_t>(bits);
    if (const float any = std::bit_cast<float>(small); std::isfinite(any)) expect_plain(any);
    // Decimals of up to 9 places and their neighbours.
    const double scale = std::pow(10.0, static_cast<double>(random() % 10));
    const double decimal =
        static_cast<double>(static_cast<std::int64_t>(bits) >> (random() % 60)) / scale;
    expect_plain(decimal);
    expect_plain(std::nextafter(decimal, 1e300));
    const auto single = static_cast<float>(decimal);
    expect_plain(single);
    expect_plain(std::nextafter(single, 0.0F));
  }
  for (const double edge :
       {0.0, -0.0, 0.001, 0.0009999, 0.00123, 999'999'999.999999, 1e9, 1e9 + 0.5, 0.1 + 0.2, 1e15,
        1e15 - 1, 123'456.789, 0.000001, 1.0000005}) {
    expect_plain(edge);
    expect_plain(-edge);
    expect_plain(static_cast<float>(edge));
  }
}

TEST(ValueText, AColumnOfDoublesIsSpelledLikeEachOfThem) {
  std::mt19937_64 random(3);
  std::vector<double> values = {0.0,       -0.0,  0.001,  0.000999, 999'999'999.999999,
                                1e9,       5.0,   -5.0,   1e15,     0.0000005,
                                0.1 + 0.2, 1e300, -1e300, 5e-324};
  values.push_back(std::numeric_limits<double>::quiet_NaN());
  values.push_back(-std::numeric_limits<double>::infinity());
  for (int i = 0; i < 200'000; ++i) {
    const std::uint64_t bits = random();
    values.push_back(std::bit_cast<double>(bits));
    const double scale = std::pow(10.0, static_cast<double>(random() % 9));
    const auto digits = static_cast<double>(static_cast<std::int64_t>(bits) >> (random() % 64));
    values.push_back(digits / scale);
    values.push_back(std::nextafter(digits / scale, 1e300));
  }
  std::vector<std::int64_t> millionths(values.size());
  find_millionths(values.data(), values.size(), millionths.data());
  std::size_t found = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (millionths[i] == kNoMillionths) continue;
    ++found;
    char text[kMostScalarBytes];
    const char* end = millionths_text(text, millionths[i], std::signbit(values[i]));
    ASSERT_EQ(std::string_view(text, end), plainly(values[i]));
  }
  EXPECT_GT(found, values.size() / 10);
  EXPECT_LT(found, values.size() / 2);
}

TEST(ValueText, IntegersHaveTheirDigits) {
  std::mt19937_64 random(2);
  const auto check = [](std::int64_t value) {
    EXPECT_EQ(spelled([&](TextSink& sink) { put_signed(sink, value); }), std::to_string(value));
    const auto positive = static_cast<std::uint64_t>(value);
    EXPECT_EQ(spelled([&](TextSink& sink) { put_unsigned(sink, positive); }),
              std::to_string(positive));
  };
  for (int i = 0; i < 100'000; ++i) check(static_cast<std::int64_t>(random() >> (i % 64)));
  for (std::uint64_t power = 1; power < 10'000'000'000'000'000'000U; power *= 10) {
    for (const std::int64_t near : {-1, 0, 1}) check(static_cast<std::int64_t>(power) + near);
  }
  check(std::numeric_limits<std::int64_t>::min());
  check(-1);
}

// Texts are looked at in blocks: something special at every place of every length.
TEST(ValueText, WhatNeedsQuotesIsSeenWhereverItStands) {
  const testing::TestDatabase database;
  database.run("CREATE TABLE t(s VARCHAR)");
  std::string csv = "s\n";
  std::string json;
  std::string insert;
  for (std::size_t length = 1; length <= 40; ++length) {
    for (std::size_t at = 0; at < length; ++at) {
      const char special = "\",\n\r"[(length + at) % 4];
      std::string text(length, 'x');
      text[at] = special;
      insert += (insert.empty() ? "(" : ", (") + testing::duck::quote_literal(text) + ")";
      const std::string twice = special == '"' ? "\"\"" : std::string(1, special);
      csv += "\"" + std::string(at, 'x') + twice + std::string(length - at - 1, 'x') + "\"\n";
      const std::string spelled = special == '"'    ? "\\\""
                                  : special == '\n' ? "\\n"
                                  : special == '\r' ? "\\r"
                                                    : ",";
      json += "{\"s\":\"" + std::string(at, 'x') + spelled + std::string(length - at - 1, 'x') +
              "\"}\n";
    }
  }
  database.run("INSERT INTO t VALUES " + insert);
  EXPECT_EQ(database.encode("FROM t", Format::kCsv), csv);
  EXPECT_EQ(database.encode("FROM t", Format::kNdjson), json);
}

}  // namespace
}  // namespace sd::query
