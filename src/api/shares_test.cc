#include "api/shares.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sd::api {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view kForm = "application/x-www-form-urlencoded";

Result<ShareRequest> read(std::string_view body,
                          std::string_view content_type = "application/json") {
  Query form;
  return read_share_request({}, content_type, body, form);
}

std::string refusal(std::string_view body, std::string_view content_type = "application/json") {
  const auto request = read(body, content_type);
  return request ? "taken" : request.error().message;
}

TEST(ShareRequest, IsReadFromJson) {
  const auto request = read(
      R"({"query":"SELECT 1","duration":60,"name":"n","formats":["jsonl","csv","csv"],"max_downloads":3})");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->query, "SELECT 1");
  EXPECT_EQ(request->duration_s, 60);
  EXPECT_EQ(request->name, "n");
  EXPECT_THAT(request->formats, ElementsAre("ndjson", "csv"));
  EXPECT_EQ(request->max_downloads, 3);
}

TEST(ShareRequest, IsReadFromAFormAndSqlAndParameters) {
  const auto form = read("query=SELECT+1&duration=60&formats=csv,+json", kForm);
  ASSERT_TRUE(form);
  EXPECT_EQ(form->query, "SELECT 1");
  EXPECT_THAT(form->formats, ElementsAre("csv", "json"));
  // What curl --data labels a form and is SQL.
  const auto sql = read("SELECT 1 AS a", kForm);
  ASSERT_TRUE(sql);
  EXPECT_EQ(sql->query, "SELECT 1 AS a");
  Query parameters, body_form;
  parameters.parameters = {{"query", "SELECT 2"}, {"duration", "5"}, {"api_key", "k"}};
  const auto query = read_share_request(parameters, "", "", body_form);
  ASSERT_TRUE(query);
  EXPECT_EQ(query->duration_s, 5);
}

TEST(ShareRequest, LastsSevenDaysUnlessItSays) {
  EXPECT_EQ(read(R"({"query":"SELECT 1"})")->duration_s, 7 * 86400);
  EXPECT_EQ(read(R"({"query":"SELECT 1","duration":null})")->duration_s, 7 * 86400);
}

TEST(ShareRequest, RefusesDurationsOutOfRange) {
  for (const char* duration :
       {"0", "-1", "315360001", "1.5", "\"x\"", "1e99", "99999999999999999999", "true", "[]"}) {
    EXPECT_THAT(refusal(std::string(R"({"query":"SELECT 1","duration":)") + duration + "}"),
                HasSubstr("duration must be"))
        << duration;
  }
  EXPECT_EQ(refusal(R"({"query":"SELECT 1","duration":315360000})"), "taken");
}

TEST(ShareRequest, NeverPassesOverWhatWouldProtectTheShare) {
  EXPECT_EQ(refusal(R"({"query":"SELECT 1","frozen":true})"), "taken");
  EXPECT_EQ(refusal(R"({"query":"SELECT 1","frozen":false,"password":null})"), "taken");
  for (const char* bad :
       {R"({"query":"SELECT 1","password":""})", R"({"query":"SELECT 1","password":5})",
        R"({"query":"SELECT 1","max_rows":0})", R"({"query":"SELECT 1","max_rows":"x"})",
        R"({"query":"SELECT 1","timeout_ms":-5})", R"({"query":"SELECT 1","frozen":5})",
        R"({"query":"SELECT 1","max_simultaneous":true})"}) {
    EXPECT_NE(refusal(bad), "taken") << bad;
  }
  EXPECT_EQ(refusal("query=SELECT+1&password=x&max_rows=5&timeout_ms=10", kForm), "taken");
  EXPECT_THAT(refusal(R"({"query":"SELECT 1","max_download":1})"),
              HasSubstr("did you mean \"max_downloads\"?"));
  EXPECT_THAT(refusal("query=SELECT+1&max_download=1", kForm),
              HasSubstr("did you mean \"max_downloads\"?"));
}

TEST(ShareRequest, TakesOriginsThatMeanNothingElseInAPolicy) {
  const auto with = [](const std::string& origins) {
    return refusal(R"({"query":"SELECT 1","embed":true,"origins":)" + origins + "}");
  };
  EXPECT_EQ(
      with(
          R"(["https://a.example","http://localhost:3000","https://*.b.example","http://[::1]:80"])"),
      "taken");
  for (const char* bad :
       {"[]", "null", R"(["a.example"])", R"(["https://"])", R"(["https://A.example"])",
        R"(["https://a.example/x"])", R"(["https://a.example; x"])",
        R"(["https://a.example,https://b.example"])", R"(["*"])", R"(["'self'"])", R"([5])",
        R"(["https://*"])"}) {
    EXPECT_NE(with(bad), "taken") << bad;
  }
  EXPECT_NE(refusal(R"({"query":"SELECT 1","embed":true})"), "taken");
  EXPECT_NE(refusal(R"({"query":"SELECT 1","origins":["https://a.example"]})"), "taken");
}

TEST(ShareRequest, RefusesWhatIsNoRequest) {
  EXPECT_THAT(refusal(""), HasSubstr("no SQL"));
  EXPECT_THAT(refusal(R"({"duration":5})"), HasSubstr("no SQL"));
  EXPECT_THAT(refusal(R"({"query":5})"), HasSubstr("query must be a text"));
  EXPECT_THAT(refusal(R"({"query":"SELECT 1","formats":["pdf"]})"),
              HasSubstr("arrow, parquet and xlsx"));
  EXPECT_THAT(refusal(R"({"query":"SELECT 1","formats":[1]})"), HasSubstr("formats must be"));
  EXPECT_THAT(refusal(R"({"query":"SELECT 1","formats":[]})"), HasSubstr("formats"));
  EXPECT_THAT(refusal(R"({"query":"SELECT 1","max_downloads":0})"), HasSubstr("max_downloads"));
  EXPECT_NE(refusal("{\"query\":"), "taken");
}

TEST(ShareRequest, TellsWhoAsksEvenWhereTheRestIsWrong) {
  Query form;
  EXPECT_FALSE(read_share_request({}, "", R"({"nonsense":1,"destination_id":"d"})", form));
  EXPECT_EQ(form.get("destination_id"), "d");
}

TEST(PlainText, IsPreferredOnlyWhereAcceptSaysSo) {
  EXPECT_TRUE(prefers_plain_text("text/plain"));
  EXPECT_TRUE(prefers_plain_text("text/*"));
  EXPECT_TRUE(prefers_plain_text("text/plain, */*"));
  EXPECT_TRUE(prefers_plain_text("application/json;q=0.5, text/plain"));
  EXPECT_FALSE(prefers_plain_text(""));
  EXPECT_FALSE(prefers_plain_text("*/*"));
  EXPECT_FALSE(prefers_plain_text("application/json"));
  EXPECT_FALSE(prefers_plain_text("application/json, text/plain;q=0.9"));
  EXPECT_FALSE(prefers_plain_text("application/json, text/plain"));
  EXPECT_FALSE(prefers_plain_text("text/plain;q=0"));
}

}  // namespace
}  // namespace sd::api
