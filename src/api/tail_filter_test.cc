#include "api/tail_filter.h"

#include <gtest/gtest.h>

namespace sd::api {
namespace {

bool matches(std::string_view document, std::vector<http::Parameter> parameters) {
  return TailFilter(std::move(parameters), {"api_key"}).matches(document);
}

TEST(TailFilter, ComparesValuesAsTheyAreSpelled) {
  EXPECT_TRUE(matches(R"({"a":1.50})", {{"a", "1.50"}}));
  EXPECT_FALSE(matches(R"({"a":1.50})", {{"a", "1.5"}}));
  EXPECT_TRUE(matches(R"({"a":"1"})", {{"a", "1"}}));
  EXPECT_TRUE(
      matches(R"({"a":true,"b":false,"c":null})", {{"a", "true"}, {"b", "false"}, {"c", "null"}}));
  EXPECT_FALSE(matches(R"({"a":"x y"})", {{"a", "x"}}));
  EXPECT_TRUE(matches(R"({"a":""})", {{"a", ""}}));
  EXPECT_FALSE(matches(R"({"a":{}, "b":[]})", {{"a", ""}}));
  EXPECT_FALSE(matches(R"({"b":1})", {{"a", "null"}}));
}

TEST(TailFilter, SeesThroughEscapes) {
  EXPECT_TRUE(matches(R"({"a":"\u00e9\n"})", {{"a", "é\n"}}));
  EXPECT_TRUE(matches(R"({"\u0061":"x"})", {{"a", "x"}}));
}

TEST(TailFilter, FindsColumnsByTheirPathWithUnderscoresOrDots) {
  const std::string_view row =
      R"({"User":{"name":"x","tags":["p",{"q":7}]},"a_b":{"c":1},"a":{"b_c":2}})";
  for (const char* column : {"user_name", "user.name", "USER_NAME", "User.Name"})
    EXPECT_TRUE(matches(row, {{column, "x"}})) << column;
  EXPECT_TRUE(matches(row, {{"user_tags_0", "p"}}));
  EXPECT_TRUE(matches(row, {{"user.tags.1.q", "7"}}));
  // Two places of one name: either.
  EXPECT_TRUE(matches(row, {{"a_b_c", "1"}}));
  EXPECT_TRUE(matches(row, {{"a_b_c", "2"}}));
  for (const char* column : {"user", "user_", "username", "user_name_", "user_tags_00",
                             "user_tags_2", "tags_0", "", "_"}) {
    for (const char* value : {"x", "p", "7", "1", ""})
      EXPECT_FALSE(matches(row, {{column, value}})) << column << "=" << value;
  }
}

TEST(TailFilter, WantsEachOfItsConditionsAndLeavesOutWhatIsNotAColumn) {
  const std::string_view row = R"({"a":1,"b":2,"api_key":"other"})";
  EXPECT_TRUE(matches(row, {{"a", "1"}, {"b", "2"}, {"api_key", "mine"}}));
  EXPECT_FALSE(matches(row, {{"a", "1"}, {"a", "2"}}));
  EXPECT_TRUE(TailFilter({{"api_key", "mine"}}, {"api_key"}).empty());
}

}  // namespace
}  // namespace sd::api
