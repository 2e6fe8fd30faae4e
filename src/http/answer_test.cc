// Forms, problems, and the spelling of an answer's head.
#include <gtest/gtest.h>

#include "http/exchange.h"
#include "http/response_head.h"

namespace sd::http {
namespace {

std::string form(std::string_view text) {
  std::string out;
  for (const Parameter& p : parse_form(text)) out += "[" + p.name + "|" + p.value + "]";
  return out;
}

TEST(Form, DecodesNamesAndValuesInOrder) {
  EXPECT_EQ(form("a=1&b=2&a=3"), "[a|1][b|2][a|3]");
  EXPECT_EQ(form("q=SELECT+1%2B1&x%5B%5D=%C3%A9"), "[q|SELECT 1+1][x[]|\xC3\xA9]");
  EXPECT_EQ(form("flag&=v&k==x&&"), "[flag|][|v][k|=x]");
  EXPECT_EQ(form(""), "");
}

TEST(Form, KeepsBrokenEscapesAsTheyAre) {
  EXPECT_EQ(form("a=100%&b=%zz&c=%4"), "[a|100%][b|%zz][c|%4]");
  EXPECT_EQ(percent_decode("100%", false), std::nullopt);
  EXPECT_EQ(percent_decode("%41%4a+", false), "AJ+");
  EXPECT_EQ(percent_decode("%41%4A+", true), "AJ ");
  EXPECT_EQ(percent_decode("%00", false), std::string(1, '\0'));
}

std::string header(const Response& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return "";
}

TEST(Problem, SpellsTheErrorAsRfc9457) {
  const Error error =
      invalid("Unexpected \"}\".").with_slug("invalid-json").with_member("offset", "17");
  const Response response = problem_response(error, "req-1");
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(header(response, "Content-Type"), "application/problem+json");
  EXPECT_EQ(response.body,
            "{\"type\":\"/problems/invalid-json\",\"title\":\"Invalid json\",\"status\":400,"
            "\"detail\":\"Unexpected \\\"}\\\".\",\"request_id\":\"req-1\",\"offset\":17}\n");
  EXPECT_EQ(header(response, "Retry-After"), "");
}

TEST(Problem, SaysHowToLogInAndWhenToRetry) {
  const Response unknown =
      problem_response(Error{.code = ErrorCode::kUnauthenticated, .message = "No key."}, "r");
  EXPECT_EQ(unknown.status, 401);
  EXPECT_EQ(header(unknown, "WWW-Authenticate"),
            "Bearer realm=\"scratchdata\", Basic realm=\"scratchdata\"");
  EXPECT_NE(unknown.body.find("/problems/unauthenticated"), std::string::npos);
  EXPECT_EQ(header(problem_response(Error{.code = ErrorCode::kUnavailable, .message = "x"}, "r"),
                   "Retry-After"),
            "1");
  EXPECT_EQ(header(problem_response(invalid("x").with_status(429).with_retry_after(7), "r"),
                   "Retry-After"),
            "7");
}

TEST(ResponseHead, KeepsOneValueFromBecomingTwoHeaders) {
  std::string out;
  const ResponseHead head{.status = 404, .date = "D", .request_id = "r", .content_length = 3};
  append_response_head(out, head,
                       {{"X-A", "a\r\nSet-Cookie: b"}, {"bad name", "x"}, {"content-length", "9"}},
                       {{"X-B", "c"}});
  EXPECT_EQ(
      out,
      "HTTP/1.1 404 Not Found\r\nDate: D\r\nX-Request-Id: r\r\nAccess-Control-Allow-Origin: *\r\n"
      "Access-Control-Expose-Headers: X-Request-Id, X-Query-Id, X-Endpoint-Version, X-Fresh, "
      "X-Lag-Rows, ETag, Content-Disposition, Retry-After\r\n"
      "X-A: a  Set-Cookie: b\r\nX-B: c\r\nContent-Length: 3\r\n\r\n");
}

TEST(ResponseHead, SaysWhetherTheConnectionStays) {
  std::string out;
  append_response_head(out, {.minor_version = 0, .keep_alive = true}, {}, {});
  EXPECT_NE(out.find("Connection: keep-alive\r\n"), std::string::npos);
  out.clear();
  append_response_head(out, {.keep_alive = false, .chunked = true}, {}, {});
  EXPECT_NE(out.find("Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"), std::string::npos);
}

TEST(DateHeader, IsAnHttpDate) {
  DateHeader date;
  EXPECT_EQ(date.at(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(date.at(784111777 + 86400), "Mon, 07 Nov 1994 08:49:37 GMT");
}

}  // namespace
}  // namespace sd::http
