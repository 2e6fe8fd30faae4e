#include "json/types.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace sd::json {
namespace {

bool token_is_integer(std::string_view t) {
  return t.find_first_of(".eE") == std::string_view::npos;
}

TypeState state_of(std::initializer_list<const char*> tokens) {
  TypeState state;
  for (const std::string_view token : tokens) {
    if (token == "null")
      state.add(Kind::kNull);
    else if (token == "true" || token == "false")
      state.add(Kind::kBool);
    else if (token[0] == '"')
      state.add(Kind::kString);
    else if (token[0] == '{' || token[0] == '[')
      state.add(Kind::kJson);
    else {
      state.add(classify_number(token, token_is_integer(token)));
    }
  }
  return state;
}

std::string type_of(std::initializer_list<const char*> tokens) {
  return to_string(state_of(tokens).type());
}

std::string text_of(std::string_view token) {
  std::string out;
  append_text(out, classify_number(token, token_is_integer(token)));
  return out;
}

TEST(Types, AColumnsTypeFollowsFromWhatItHasSeen) {
  EXPECT_EQ(type_of({"null"}), "VARCHAR");
  EXPECT_EQ(type_of({"null", "1"}), "BIGINT");
  EXPECT_EQ(type_of({"true", "false"}), "BOOLEAN");
  EXPECT_EQ(type_of({"1", "9223372036854775807"}), "BIGINT");
  EXPECT_EQ(type_of({"1", "9223372036854775808"}), "HUGEINT");
  EXPECT_EQ(type_of({"-99999999999999999999999999999999999999"}), "HUGEINT");
  EXPECT_EQ(type_of({"123456789012345678901234567890123456789"}), "VARCHAR");
  EXPECT_EQ(type_of({"1.5"}), "DOUBLE");
  EXPECT_EQ(type_of({"1.5", "9007199254740992"}), "DOUBLE");
  EXPECT_EQ(type_of({"1.5", "9007199254740993"}), "DECIMAL(38,1)");
  EXPECT_EQ(type_of({"1.25", "18446744073709551616"}), "DECIMAL(38,2)");
  EXPECT_EQ(type_of({"1e300", "9007199254740993"}), "VARCHAR");
  EXPECT_EQ(type_of({"0.1234567890123456789"}), "DECIMAL(38,19)");
  EXPECT_EQ(type_of({"1e400"}), "VARCHAR");
  EXPECT_EQ(type_of({"1", "\"x\""}), "VARCHAR");
  EXPECT_EQ(type_of({"true", "1"}), "VARCHAR");
  EXPECT_EQ(type_of({"-0"}), "DOUBLE");
  EXPECT_EQ(type_of({"-0.0", "9007199254740993"}), "VARCHAR");
  EXPECT_EQ(type_of({"1", "{}"}), "JSON");
}

TEST(Types, JoinIsAssociativeCommutativeAndIdempotent) {
  const std::vector<const char*> values = {"null",
                                           "true",
                                           "1",
                                           "9007199254740993",
                                           "1.5",
                                           "1e300",
                                           "18446744073709551616",
                                           "0.1234567890123456789",
                                           "\"s\"",
                                           "{}"};
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    std::vector<TypeState> states;
    for (int i = 0; i < 4; ++i) states.push_back(state_of({values[random() % values.size()]}));
    TypeState forward;
    for (const TypeState& s : states) forward.join(s);
    std::shuffle(states.begin(), states.end(), random);
    TypeState left = states[0], right = states[2];
    left.join(states[1]);
    right.join(states[3]);
    left.join(right);
    left.join(left);
    EXPECT_EQ(forward, left);
  }
}

TEST(Types, NumbersKeepTheirValueInEverySpelling) {
  EXPECT_EQ(text_of("5"), "5");
  EXPECT_EQ(text_of("5.0"), "5");
  EXPECT_EQ(text_of("1e2"), "100");
  EXPECT_EQ(text_of("1.50"), "1.5");
  EXPECT_EQ(text_of("-0"), "-0.0");
  EXPECT_EQ(text_of("1e-7"), "1e-07");
  EXPECT_EQ(text_of("1e20"), "1e+20");
  EXPECT_EQ(text_of("9007199254740993"), "9007199254740993");
  EXPECT_EQ(text_of("0.12345678901234567890"), "0.1234567890123456789");
  EXPECT_EQ(text_of("1e400"), "1e400");
  EXPECT_EQ(text_of("18446744073709551616.0"), "18446744073709551616");
  EXPECT_EQ(text_of("-" + std::string(45, '9') + ".00"), "-" + std::string(45, '9'));
  // As a DECIMAL would be on its way to text.
  EXPECT_EQ(text_of("12345678901234567890.5e1"), "123456789012345678905");
  EXPECT_EQ(text_of("-123456789012345678905E-4"), "-12345678901234567.8905");
  EXPECT_EQ(text_of("0.00123456789012345678901e-2"), "0.0000123456789012345678901");
  EXPECT_EQ(text_of("123456789012345678901e3"), "123456789012345678901000");
}

TEST(Types, ScaledValuesAreExact) {
  const auto scaled = [](std::string_view token, std::uint8_t scale) {
    return to_scaled(classify_number(token, token_is_integer(token)), scale);
  };
  EXPECT_TRUE(scaled("1.5", 2) == 150);
  EXPECT_TRUE(scaled("-1.5", 1) == -15);
  EXPECT_TRUE(scaled("9007199254740993", 1) == Int128{90071992547409930});
  EXPECT_TRUE(scaled("0", 5) == 0);
  EXPECT_TRUE(scaled("0.0", 5) == 0);
  EXPECT_TRUE(scaled("1e3", 0) == 1000);
  EXPECT_TRUE(scaled("18446744073709551616", 0) == Int128{1} << 64);
}

TEST(Types, ADoubleKindMeansThatTheShortestSpellingIsWhatWasSent) {
  EXPECT_EQ(classify_number("19.99", false).kind, Kind::kDouble);
  EXPECT_EQ(classify_number("0.30000000000000004", false).kind, Kind::kDouble);
  EXPECT_EQ(classify_number("0.300000000000000041", false).kind, Kind::kLongFraction);
  EXPECT_EQ(classify_number("5e-324", false).kind, Kind::kDouble);
  EXPECT_EQ(classify_number("4e-324", false).kind, Kind::kLongFraction);
  EXPECT_EQ(classify_number("1e-400", false).kind, Kind::kLongFraction);
  std::mt19937_64 random(11);
  for (int i = 0; i < 20000; ++i) {
    const std::uint64_t bits = random();
    double value;
    __builtin_memcpy(&value, &bits, 8);
    if (!std::isfinite(value)) continue;
    std::string text;
    append_double(text, value);
    EXPECT_EQ(std::strtod(text.c_str(), nullptr), value) << text;
    if (!token_is_integer(text)) {
      EXPECT_EQ(classify_number(text, false).kind, Kind::kDouble) << text;
    }
  }
}

TEST(Types, ATimeIsOneThatRfc3339CanSpellInUtcToo) {
  for (const std::string_view time : {"0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z",
                                      "9999-12-31T23:59:59+00:01", "0000-01-01T00:00:00-23:59"}) {
    EXPECT_TRUE(is_timestamp(time)) << time;
  }
  for (const std::string_view text : {"9999-12-31T23:59:59-00:01", "0000-01-01T00:00:00+00:01"})
    EXPECT_FALSE(is_timestamp(text)) << text;
}

}  // namespace
}  // namespace sd::json
