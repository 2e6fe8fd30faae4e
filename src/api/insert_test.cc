#include "api/insert.h"

#include <gtest/gtest.h>

namespace sd::api {
namespace {

std::string json_of(std::string_view query_string) {
  const auto rows = rows_of_query(parse_query(query_string));
  return rows ? std::string(rows->json()) : "400 " + rows.error().slug;
}

std::string json_of_body(std::string_view body, std::string_view content_type) {
  Query form;
  const auto rows = rows_of_body(body, content_type, form);
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

TEST(InsertBodies, TheFirstByteDecidesBeforeTheContentType) {
  EXPECT_EQ(json_of_body(R"({"a":"x&y=%41"})", kForm), R"({"a":"x&y=%41"})");
  EXPECT_EQ(json_of_body(" \n[{}]", "text/plain"), " \n[{}]");
  EXPECT_EQ(json_of_body("payload=%7B%22a%22%3A1%7D", kForm), R"({"a":1})");
  EXPECT_EQ(json_of_body("api_key=k&payload=%7B%22a%22%3A1%7D", kForm), R"({"a":1})");
  EXPECT_EQ(json_of_body("payload=plain", kForm), R"({"payload":"plain"})");
  EXPECT_EQ(json_of_body("a=1&b=x+y", kForm), R"({"a":"1","b":"x y"})");
  EXPECT_EQ(json_of_body(R"(api_key=k&{"a":1})", kForm), R"({"a":1})");
  EXPECT_EQ(json_of_body("a,b\n1,2\n", "text/csv"), "415");
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
