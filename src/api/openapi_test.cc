#include "api/openapi.h"

#include <gtest/gtest.h>

#include <set>

namespace sd::api {
namespace {

TEST(OpenApi, SaysSomethingOfEachRouteAndOfNoOther) {
  std::set<std::string> routes, described;
  for (const RouteEntry& route : route_table())
    routes.insert(std::string(route.method) + " " + route.pattern);
  for (const std::string& operation : described_operations()) described.insert(operation);
  EXPECT_EQ(routes, described);
}

TEST(OpenApi, IsADocumentOfItsVersion) {
  const std::string text =
      openapi_document(route_table(), {.base_url = "http://h:1", .version = "9.9"});
  const json::Value document = json::parse_document(text).value();
  EXPECT_EQ(document.string_or("openapi", ""), "3.1.0");
  EXPECT_EQ(document.find("info")->string_or("version", ""), "9.9");
  EXPECT_EQ(document.find("servers")->elements()[0].string_or("url", ""), "http://h:1");
  EXPECT_NE(document.find("components")->find("schemas"), nullptr);
}

TEST(OpenApi, LeavesOutWhatTheAskersKeyFixes) {
  DescribedEndpoint endpoint{.name = "e"};
  endpoint.definition.parameters = {{.name = "user", .type = {}}, {.name = "n", .type = {}}};
  const OpenApiView view{.base_url = "http://h",
                         .version = "1",
                         .endpoints = {endpoint},
                         .fixed = json::parse_document(R"({"user":"hush-hush"})").value()};
  const std::string text = openapi_document(route_table(), view);
  const json::Value document = json::parse_document(text).value();
  const json::Value* get = document.find("paths")->find("/api/endpoints/e.json")->find("get");
  EXPECT_EQ(get->find("parameters")->elements()[0].string_or("name", ""), "n");
  EXPECT_EQ(text.find("hush-hush"), std::string::npos);
}

TEST(OpenApi, ColumnsHaveTheSchemasOfTheirJson) {
  EXPECT_EQ(column_schema("BIGINT"), R"({"type":["integer","null"]})");
  EXPECT_EQ(column_schema("DECIMAL(18,3)"), R"({"type":["number","null"]})");
  EXPECT_EQ(column_schema("VARCHAR[]"),
            R"({"type":["array","null"],"items":{"type":["string","null"]}})");
  EXPECT_EQ(column_schema("STRUCT(\"a\" BIGINT)[]"),
            R"({"type":["array","null"],"items":{"type":["object","null"]}})");
  EXPECT_EQ(column_schema("INTEGER[3]"), R"({"type":["array","null"]})");
  EXPECT_EQ(column_schema("JSON"), "{}");
  EXPECT_EQ(column_schema("ENUM('[]')"), R"({"type":["string","null"]})");
}

}  // namespace
}  // namespace sd::api
