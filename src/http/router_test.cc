#include "http/router.h"

#include <gtest/gtest.h>

namespace sd::http {
namespace {

Handler nothing() {
  return [](Exchange&) -> Task<void> { co_return; };
}

Router sample() {
  Router router;
  for (const auto& [method, pattern] : std::initializer_list<std::pair<const char*, const char*>>{
           {"GET", "/"},
           {"GET", "/api/tables"},
           {"GET", "/api/tables/{table}"},
           {"DELETE", "/api/tables/{table}"},
           {"GET", "/api/tables/{table}/columns"},
           {"GET", "/api/tables/special"},
           {"GET", "/api/endpoints/{name}"},
           {"PUT", "/api/endpoints/{name}"},
           {"GET", "/api/endpoints/{name}.{format}"},
           {"GET", "/share/{id}/data.{format}"},
           {"GET", "/share/{id}"},
           {"POST", "/{index}/_bulk"},
           {"OPTIONS", "/own"},
           {"HEAD", "/heads"},
           {"GET", "/heads"},
       })
    router.add(method, pattern, nothing());
  return router;
}

// "pattern name=value name=value", or "404", or "405 allowed".
std::string ask(const Router& router, std::string_view method, std::string_view path) {
  const Match match = router.match(method, path);
  if (match.route == nullptr) return match.allow.empty() ? "404" : "405 " + match.allow;
  std::string text = match.route->pattern;
  for (const auto& [name, value] : match.parameters) text += " " + std::string(name) + "=" + value;
  return text;
}

TEST(Router, PrefersALiteralToAParameter) {
  const Router router = sample();
  EXPECT_EQ(ask(router, "GET", "/"), "/");
  EXPECT_EQ(ask(router, "GET", "/api/tables/special"), "/api/tables/special");
  EXPECT_EQ(ask(router, "GET", "/api/tables/other"), "/api/tables/{table} table=other");
  EXPECT_EQ(ask(router, "GET", "/api/tables/special/columns"),
            "/api/tables/{table}/columns table=special");
  EXPECT_EQ(ask(router, "POST", "/api/_bulk"), "/{index}/_bulk index=api");
}

TEST(Router, TakesTheParameterWhereTheLiteralHasNoSuchMethod) {
  const Router router = sample();
  EXPECT_EQ(ask(router, "DELETE", "/api/tables/special"), "/api/tables/{table} table=special");
}

TEST(Router, SplitsTheLastSegmentAtItsLastDot) {
  const Router router = sample();
  EXPECT_EQ(ask(router, "GET", "/api/endpoints/top.csv"),
            "/api/endpoints/{name}.{format} name=top format=csv");
  EXPECT_EQ(ask(router, "GET", "/api/endpoints/a.b.csv"),
            "/api/endpoints/{name}.{format} name=a.b format=csv");
  EXPECT_EQ(ask(router, "GET", "/api/endpoints/top"), "/api/endpoints/{name} name=top");
  EXPECT_EQ(ask(router, "GET", "/api/endpoints/top."), "/api/endpoints/{name} name=top.");
  EXPECT_EQ(ask(router, "GET", "/api/endpoints/.csv"), "/api/endpoints/{name} name=.csv");
  EXPECT_EQ(ask(router, "GET", "/share/1-2/data.xlsx"),
            "/share/{id}/data.{format} id=1-2 format=xlsx");
  EXPECT_EQ(ask(router, "GET", "/share/1-2/other.xlsx"), "404");
}

TEST(Router, TellsAWrongMethodFromAWrongPath) {
  const Router router = sample();
  EXPECT_EQ(ask(router, "GET", "/nowhere"), "404");
  EXPECT_EQ(ask(router, "GET", "/api/tables/"), "404") << "an empty parameter is none";
  EXPECT_EQ(ask(router, "GET", "/api/tables//columns"), "404");
  EXPECT_EQ(ask(router, "GET", ""), "404");
  EXPECT_EQ(ask(router, "OPTIONS", "*"), "404");
  EXPECT_EQ(ask(router, "POST", "/api/tables/x"), "405 GET, HEAD, DELETE, OPTIONS");
  EXPECT_EQ(ask(router, "PUT", "/api/tables/special"), "405 GET, HEAD, OPTIONS");
  EXPECT_EQ(ask(router, "GET", "/own"), "405 OPTIONS");
  EXPECT_EQ(ask(router, "POST", "/heads"), "405 HEAD, GET, OPTIONS");
}

TEST(Router, AnswersHeadWithTheRouteOfGet) {
  const Router router = sample();
  EXPECT_EQ(router.match("HEAD", "/api/tables").route->method, "GET");
  EXPECT_EQ(router.match("HEAD", "/heads").route->method, "HEAD");
  EXPECT_EQ(ask(router, "HEAD", "/own"), "405 OPTIONS");
}

TEST(Router, DecodesParametersAfterCuttingAtSlashes) {
  const Router router = sample();
  EXPECT_EQ(ask(router, "GET", "/api/tables/a%2Fb"), "/api/tables/{table} table=a/b");
  EXPECT_EQ(ask(router, "GET", "/api/tables/a%20b%C3%A9+c"),
            "/api/tables/{table} table=a b\xC3\xA9+c");
  EXPECT_EQ(ask(router, "GET", "/api/tables/100%"), "/api/tables/{table} table=100%");
  EXPECT_EQ(ask(router, "GET", "/api/t%61bles"), "/api/tables");
  EXPECT_EQ(ask(router, "GET", "/api%2Ftables"), "404") << "an encoded slash parts no segments";
  EXPECT_EQ(ask(router, "GET", "/api/endpoints/a%2Eb"), "/api/endpoints/{name} name=a.b");
}

TEST(Router, AnswersNoPathDeeperThanAnyPattern) {
  const Router router = sample();
  std::string path;
  for (int i = 0; i < 1000; ++i) path += "/a";
  EXPECT_EQ(ask(router, "GET", path), "404");
}

TEST(RouterDeathTest, RefusesTheSameRouteTwice) {
  Router router = sample();
  EXPECT_DEATH(router.add("GET", "/api/tables", nothing()), "assertion failed");
}

TEST(Router, NumbersItsRoutesInOrder) {
  const Router router = sample();
  for (std::size_t i = 0; i < router.routes().size(); ++i) EXPECT_EQ(router.routes()[i]->index, i);
}

}  // namespace
}  // namespace sd::http
