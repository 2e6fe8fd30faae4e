#include "http/head_check.h"

#include <gtest/gtest.h>

#include <string>

namespace sd::http {
namespace {

// What scanner and parser together say about these bytes: 200 for a good head, 0 for "not all yet".
int judge(std::string_view bytes, Head* out = nullptr) {
  HeadScanner scanner;
  const auto state = scanner.scan(bytes);
  if (state == HeadScanner::State::kMore) return 0;
  if (state == HeadScanner::State::kBad) return scanner.fault().status;
  Head local;
  Head& head = out == nullptr ? local : *out;
  const auto fault =
      parse_head(bytes.substr(scanner.begin(), scanner.end() - scanner.begin()), head);
  return fault ? fault->status : 200;
}

std::string with(std::string_view headers) {
  return "POST /x HTTP/1.1\r\nHost: t\r\n" + std::string(headers) + "\r\n";
}

TEST(HeadCheck, ReadsAnOrdinaryRequest) {
  Head head;
  ASSERT_EQ(judge("POST /api/x?a=1&b=2 HTTP/1.1\r\nHost: localhost:8080\r\nContent-Length: 5\r\n"
                  "X-Blank:  \t value with blanks \t\r\n\r\nhello",
                  &head),
            200);
  EXPECT_EQ(head.method, "POST");
  EXPECT_EQ(head.target, "/api/x?a=1&b=2");
  EXPECT_EQ(head.path, "/api/x");
  EXPECT_EQ(head.query, "a=1&b=2");
  EXPECT_EQ(head.framing, Framing::kLength);
  EXPECT_EQ(head.content_length, 5U);
  EXPECT_TRUE(head.keep_alive);
  EXPECT_EQ(head.find("x-bLANK"), "value with blanks");
  EXPECT_EQ(head.find("absent"), "");
}

TEST(HeadCheck, AListMayComeInSeveralLines) {
  Head head;
  ASSERT_EQ(judge("GET / HTTP/1.1\r\nHost: a\r\nIf-None-Match: \"a\"\r\nAccept: text/html\r\n"
                  "if-none-match: \"b\", \"c\"\r\nIf-None-Match:\r\n\r\n",
                  &head),
            200);
  EXPECT_EQ(head.find_list("If-None-Match"), "\"a\", \"b\", \"c\"");
  EXPECT_EQ(head.find_list("accept"), "text/html");
  EXPECT_EQ(head.find_list("absent"), "");
}

TEST(HeadCheck, KeepsOrEndsTheConnectionAsVersionAndConnectionSay) {
  Head head;
  ASSERT_EQ(judge("GET / HTTP/1.0\r\n\r\n", &head), 200);
  EXPECT_FALSE(head.keep_alive);
  ASSERT_EQ(judge("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", &head), 200);
  EXPECT_TRUE(head.keep_alive);
  ASSERT_EQ(judge(with("Connection: upgrade , CLOSE\r\n"), &head), 200);
  EXPECT_FALSE(head.keep_alive);
  ASSERT_EQ(judge(with("Connection: close\r\nConnection: keep-alive\r\n"), &head), 200);
  EXPECT_FALSE(head.keep_alive);
}

struct Case {
  const char* what;
  std::string bytes;
  int status;
};

TEST(HeadCheck, RefusesWhateverTwoServersMightReadDifferently) {
  using std::string_literals::operator""s;
  const Case cases[] = {
      {"two lengths", with("Content-Length: 5\r\nContent-Length: 5\r\n"), 400},
      {"a list of lengths", with("Content-Length: 5,5\r\n"), 400},
      {"signed length", with("Content-Length: +5\r\n"), 400},
      {"negative length", with("Content-Length: -5\r\n"), 400},
      {"hexadecimal length", with("Content-Length: 0x5\r\n"), 400},
      {"empty length", with("Content-Length:\r\n"), 400},
      {"length with a blank inside", with("Content-Length: 5 5\r\n"), 400},
      {"length beyond 64 bits", with("Content-Length: 99999999999999999999\r\n"), 400},
      {"length and coding", with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), 400},
      {"coding and length", with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), 400},
      {"xchunked", with("Transfer-Encoding: xchunked\r\n"), 501},
      {"gzip, chunked", with("Transfer-Encoding: gzip, chunked\r\n"), 501},
      {"chunked, identity", with("Transfer-Encoding: chunked, identity\r\n"), 501},
      {"empty coding", with("Transfer-Encoding:\r\n"), 501},
      {"two codings", with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400},
      {"coding in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"folded header", with("X-A: b\r\n c\r\n"), 400},
      {"first header folded", "GET / HTTP/1.1\r\n Host: t\r\n\r\n", 400},
      {"blank before colon", with("Content-Length : 5\r\n"), 400},
      {"tab before colon", with("Transfer-Encoding\t: chunked\r\n"), 400},
      {"no colon", with("Nonsense\r\n"), 400},
      {"no name", with(": x\r\n"), 400},
      {"control in name", with("X\x01Y: x\r\n"), 400},
      {"byte from 0x80 in name", with("X\xC3\xA9: x\r\n"), 400},
      {"NUL in value", with("X: a\0b\r\n"s), 400},
      {"DEL in value", with("X: a\x7F\r\n"), 400},
      {"bare CR in value", with("X: a\rb\r\n"), 400},
      {"bare LF in value", with("X: a\nY: b\r\n"), 400},
      {"bare LF at the end", "GET / HTTP/1.1\r\nHost: t\n\n", 400},
      {"CR CR LF", with("X: a\r\r\n"), 400},
      {"no Host", "GET / HTTP/1.1\r\n\r\n", 400},
      {"two Hosts", with("Host: u\r\n"), 400},
      {"two Hosts in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n", 400},
      {"Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
      {"Host list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400},
      {"Host with user", "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", 400},
      {"method with a bad character", "GE(T / HTTP/1.1\r\nHost: t\r\n\r\n", 400},
      {"no method", " / HTTP/1.1\r\nHost: t\r\n\r\n", 400},
      {"two spaces", "GET  / HTTP/1.1\r\nHost: t\r\n\r\n", 400},
      {"space in target", "GET /a b HTTP/1.1\r\nHost: t\r\n\r\n", 400},
      {"tab in target", "GET /a\tb HTTP/1.1\r\nHost: t\r\n\r\n", 400},
      {"NUL in target", "GET /a\0b HTTP/1.1\r\nHost: t\r\n\r\n"s, 400},
      {"DEL in target", "GET /a\x7F HTTP/1.1\r\nHost: t\r\n\r\n", 400},
      {"no target", "GET HTTP/1.1\r\nHost: t\r\n\r\n", 400},
      {"relative target", "GET a/b HTTP/1.1\r\nHost: t\r\n\r\n", 400},
      {"ftp target", "GET ftp://h/ HTTP/1.1\r\nHost: t\r\n\r\n", 400},
      {"target without authority", "GET http:///x HTTP/1.1\r\nHost: t\r\n\r\n", 400},
      {"star without OPTIONS", "GET * HTTP/1.1\r\nHost: t\r\n\r\n", 400},
      {"query without path", "GET ?a=b HTTP/1.1\r\nHost: t\r\n\r\n", 400},
      {"CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"no version", "GET /\r\nHost: t\r\n\r\n", 400},
      {"lower-case version", "GET / http/1.1\r\nHost: t\r\n\r\n", 400},
      {"version with blanks", "GET / HTTP/1.1 \r\nHost: t\r\n\r\n", 400},
      {"three-part version", "GET / HTTP/1.1.1\r\nHost: t\r\n\r\n", 400},
      {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: t\r\n\r\n", 505},
      {"HTTP/2's preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"HTTP/0.9", "GET / HTTP/0.9\r\nHost: t\r\n\r\n", 505},
      {"unknown Expect", with("Content-Length: 1\r\nExpect: a-miracle\r\n"), 417},
      {"a TLS hello", "\x16\x03\x01\x02", 400},
      {"NUL at once", "\0"s, 400},
      {"many empty lines first", "\r\n\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: t\r\n\r\n", 400},
  };
  for (const Case& c : cases) EXPECT_EQ(judge(c.bytes), c.status) << c.what;
}

TEST(HeadCheck, AcceptsWhatRealClientsSend) {
  const Case cases[] = {
      {"raw JSON in the query",
       "GET /i?api_key=k&{\"user\":\"alice\",\"n\":[1]} HTTP/1.1\r\nHost: t\r\n\r\n", 200},
      {"raw UTF-8 in the path", "GET /caf\xC3\xA9 HTTP/1.1\r\nHost: t\r\n\r\n", 200},
      {"other raw characters", "GET /a|b^c`<>\\ HTTP/1.1\r\nHost: t\r\n\r\n", 200},
      {"an empty line first", "\r\nGET / HTTP/1.1\r\nHost: t\r\n\r\n", 200},
      {"an absolute target", "GET http://h:80/x HTTP/1.1\r\nHost: h:80\r\n\r\n", 200},
      {"an empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 200},
      {"an IPv6 Host", "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", 200},
      {"an empty value", with("X:\r\n"), 200},
      {"UTF-8 in a value", with("X: caf\xC3\xA9\r\n"), 200},
      {"Chunked", with("Transfer-Encoding: Chunked\r\n"), 200},
      {"a method of one's own", "BREW /pot HTTP/1.1\r\nHost: t\r\n\r\n", 200},
      {"OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: t\r\n\r\n", 200},
      {"no Host in HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", 200},
      {"a zero length", with("Content-Length: 0\r\n"), 200},
      {"leading zeros", with("Content-Length: 0005\r\n"), 200},
  };
  for (const Case& c : cases) EXPECT_EQ(judge(c.bytes), c.status) << c.what;
}

TEST(HeadCheck, TakesSchemeAndAuthorityOffAnAbsoluteTarget) {
  Head head;
  ASSERT_EQ(judge("GET HTTP://h:80/x?q=/ HTTP/1.1\r\nHost: h\r\n\r\n", &head), 200);
  EXPECT_EQ(head.path, "/x");
  EXPECT_EQ(head.query, "q=/");
  ASSERT_EQ(judge("GET http://h?q HTTP/1.1\r\nHost: h\r\n\r\n", &head), 200);
  EXPECT_EQ(head.path, "/");
  EXPECT_EQ(head.query, "q");
}

TEST(HeadCheck, ExpectsAContinueOnlyWhereABodyFollows) {
  Head head;
  ASSERT_EQ(judge(with("Content-Length: 5\r\nExpect: 100-Continue\r\n"), &head), 200);
  EXPECT_TRUE(head.expects_continue);
  ASSERT_EQ(judge(with("Content-Length: 0\r\nExpect: 100-continue\r\n"), &head), 200);
  EXPECT_FALSE(head.expects_continue);
  ASSERT_EQ(judge("POST / HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n", &head),
            200);
  EXPECT_FALSE(head.expects_continue);
}

TEST(HeadScanner, FindsTheEndHoweverTheHeadArrives) {
  const std::string bytes = "\r\nGET / HTTP/1.1\r\nHost: t\r\n\r\nrest";
  const std::size_t end = bytes.size() - 4;
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    HeadScanner scanner;
    const auto first = scanner.scan(std::string_view(bytes).substr(0, cut));
    EXPECT_EQ(first, cut < end ? HeadScanner::State::kMore : HeadScanner::State::kComplete) << cut;
    if (first == HeadScanner::State::kMore) {
      EXPECT_EQ(scanner.scan(bytes), HeadScanner::State::kComplete) << cut;
    }
    EXPECT_EQ(scanner.begin(), 2U);
    EXPECT_EQ(scanner.end(), end);
  }
}

TEST(HeadCheck, NeverReadsAHeadThatIsCutShort) {
  const std::string whole = with("Content-Length: 5\r\n");
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    Head head;
    EXPECT_TRUE(parse_head(std::string_view(whole).substr(0, cut), head)) << cut;
  }
}

// Every byte, at every place of a head: nothing crashes, and where the head is still accepted, the
// framing that was understood is the one that stands there.
TEST(HeadCheck, SurvivesEverySingleByteChange) {
  const std::string good = "POST /a?b HTTP/1.1\r\nHost: t\r\nContent-Length: 7\r\n\r\n";
  std::size_t accepted = 0;
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string changed = good;
      changed[at] = static_cast<char>(byte);
      Head head;
      if (judge(changed, &head) != 200) continue;
      ++accepted;
      EXPECT_EQ(head.content_length, head.find("content-length").empty()
                                         ? 0
                                         : std::stoull(std::string(head.find("content-length"))));
      EXPECT_NE(head.framing, Framing::kChunked);
    }
  }
  EXPECT_GT(accepted, 0U);
}

}  // namespace
}  // namespace sd::http
