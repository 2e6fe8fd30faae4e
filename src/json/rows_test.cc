#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "json/body.h"

namespace sd::json {
namespace {

std::string shape(std::string_view body) {
  const auto summary = scan_body(body);
  if (!summary) return "400 " + summary.error().message;
  return std::to_string(summary->rows) + " rows, " + std::to_string(summary->failed) + " failed";
}

TEST(Rows, CountsObjectArrayLinesAndConcatenatedObjects) {
  EXPECT_EQ(shape(R"({"a":1})"), "1 rows, 0 failed");
  EXPECT_EQ(shape("  {\n \"a\":1\n}  \n"), "1 rows, 0 failed");
  EXPECT_EQ(shape(R"([{"a":1}, {"a":2} ])"), "2 rows, 0 failed");
  EXPECT_EQ(shape("[]"), "0 rows, 0 failed");
  EXPECT_EQ(shape("{\"a\":1}\n{\"a\":2}\n\n{\"a\":3}"), "3 rows, 0 failed");
  EXPECT_EQ(shape(R"({"a":1}{"a":2} {"a":3})"), "3 rows, 0 failed");
  EXPECT_EQ(shape("{\n\"a\":1\n}\n{\n\"a\":2\n}"), "2 rows, 0 failed");
  EXPECT_EQ(shape("\xEF\xBB\xBF{\"a\":1}"), "1 rows, 0 failed");
}

TEST(Rows, RefusesABodyWithoutARow) {
  EXPECT_EQ(shape(""), "400 the body is empty at offset 0");
  EXPECT_EQ(shape(" \n "), "400 the body is empty at offset 3");
  for (const char* scalar : {"1", "\"x\"", "true", "null", "hello"}) {
    EXPECT_EQ(shape(scalar).substr(0, 3), "400") << scalar;
  }
  EXPECT_EQ(shape("[1,2]"), "400 a row must be a JSON object at offset 1");
  EXPECT_EQ(shape("{\"a\":tru}"),
            "400 expected a value (true, false, null, a number, a string, an "
            "array, an object) at offset 8");
  EXPECT_EQ(shape("{\"a\":1"), "400 the value is not complete at offset 6");
}

TEST(Rows, ASyntaxErrorInAnArrayRefusesTheBody) {
  EXPECT_EQ(shape(R"([{"a":1},{"a":}])"), "400 expected a value at offset 14");
  EXPECT_EQ(shape(R"([{"a":1},])"), "400 expected a value at offset 9");
  EXPECT_EQ(shape(R"([{"a":1} {"a":2}])"), "400 expected ',' or ']' at offset 9");
  EXPECT_EQ(shape(R"([{"a":1}] x)"),
            "400 unexpected bytes after the end of the array at offset 10");
  EXPECT_EQ(shape(R"([{"a":1})"), "400 the array is not closed at offset 8");
  EXPECT_EQ(shape(R"([,{"a":1}])"), "400 expected a value at offset 1");
}

TEST(Rows, AnElementThatIsNoObjectOrHasADefectIsOneRefusedRow) {
  EXPECT_EQ(shape(R"([{"a":1}, 5, {"a":2}])"), "2 rows, 1 failed");
  EXPECT_EQ(shape(R"([{"a":"\ud800"},{"a":2}])"), "1 rows, 1 failed");
  EXPECT_EQ(shape("[{\"a\":\"\xff\"},{\"a\":2}]"), "1 rows, 1 failed");
  const std::string deep = "{\"a\":" + std::string(64, '[') + std::string(64, ']') + "}";
  EXPECT_EQ(shape("[" + deep + ",{\"a\":2}]"), "1 rows, 1 failed");
  std::string wide = "{\"a\":[0";
  for (int i = 0; i < 100'000; ++i) wide += ",0";
  EXPECT_EQ(shape("[" + wide + "]},{\"a\":2}]"), "1 rows, 1 failed");
  const std::string at_limit = "{\"a\":" + std::string(63, '[') + std::string(63, ']') + "}";
  EXPECT_EQ(shape(at_limit), "1 rows, 0 failed");
}

TEST(Rows, EachLineOfNdjsonStandsAlone) {
  EXPECT_EQ(shape("{\"a\":1}\n{bad\n{\"b\":2}\n"), "2 rows, 1 failed");
  EXPECT_EQ(shape("{bad\n{\"b\":2}\n"), "1 rows, 1 failed");
  EXPECT_EQ(shape("{\"a\":1\n{\"b\":2}\n"), "1 rows, 1 failed");
  EXPECT_EQ(shape("{\"a\":1}\nnot json\n{\"b\":2}"), "2 rows, 1 failed");
  EXPECT_EQ(shape("{\"a\":1}\n5\n{\"b\":2}"), "2 rows, 1 failed");
  EXPECT_EQ(shape("{\"a\":1} junk\n{\"b\":2}"), "1 rows, 1 failed");
  EXPECT_EQ(shape("{\"a\":\"x\n{\"b\":2}"), "1 rows, 1 failed");
  EXPECT_EQ(shape("{\"a\":1}\n{\"b\":\n{\"c\":2}\n{\"d\":2}\n"), "3 rows, 1 failed");
  EXPECT_EQ(shape("{\"a\":1}\n{\"b\":"), "1 rows, 1 failed");
  EXPECT_EQ(shape("{\"a\":1}\r\n{\"b\":2}\r\n"), "2 rows, 0 failed");
}

TEST(Rows, WhereItIsSaidToBeNdjsonTheFirstLineMayBeAnythingToo) {
  const auto lines = [](std::string_view body) {
    const auto summary = scan_body(body, 64U << 20, Framing::kLines);
    if (!summary) return "400 " + summary.error().message;
    return std::to_string(summary->rows) + " rows, " + std::to_string(summary->failed) + " failed";
  };
  EXPECT_EQ(lines("oops\n{\"b\":2}\n"), "1 rows, 1 failed");
  EXPECT_EQ(lines("\"s\"\nnull\n{\"b\":2}"), "1 rows, 2 failed");
  EXPECT_EQ(lines("x\n{\"a\":1}\n\n {\"a\":2} \r\n"), "2 rows, 1 failed");
  EXPECT_EQ(lines("x\n{\"a\":[1,\n{\"b\":2}\n{\"c\":3}"), "2 rows, 2 failed");
  EXPECT_EQ(lines("x\n{\"a\":1,\n\"b\":2}\n{\"c\":3}"), "1 rows, 3 failed");
  EXPECT_EQ(lines("x\n{\"a\":1}{\"b\":2}\n{\"c\":3}"), "1 rows, 2 failed");
  EXPECT_EQ(lines("x\n[{\"a\":1}]\n{\"c\":3}"), "1 rows, 2 failed");
  EXPECT_EQ(lines("x\n{\"a\":1}\n{\"b\":"), "1 rows, 2 failed");
  EXPECT_EQ(lines("\xEF\xBB\xBF"
                  "oops\n{}"),
            "1 rows, 1 failed");
  EXPECT_EQ(lines("x").substr(0, 3), "400");
  EXPECT_EQ(lines(" \n "), "400 the body is empty at offset 3");
  // As ever.
  EXPECT_EQ(lines("{\n\"a\":1\n}\n"), "1 rows, 0 failed");
  EXPECT_EQ(lines("{\"a\":1}{\"b\":2}"), "2 rows, 0 failed");
  EXPECT_EQ(lines("[{\"a\":1},\n{\"a\":2}]"), "2 rows, 0 failed");
}

TEST(Rows, ASyntaxErrorBetweenConcatenatedObjectsRefusesTheBody) {
  EXPECT_EQ(shape(R"({"a":1}{"b":tru})").substr(0, 3), "400");
  EXPECT_EQ(shape(R"({"a":1}{"b":1}x)").substr(0, 3), "400");
  EXPECT_EQ(shape("{\n\"a\":[\n{\"b\":1},\n{\"c\":2}\n],\n\"d\":tru\n}").substr(0, 3), "400");
}

TEST(Rows, ReportsRowNumbersAndTheFirstHundredErrors) {
  std::string body = "[{}";
  for (int i = 0; i < 150; ++i) body += ",1";
  body += "]";
  const auto summary = scan_body(body);
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->failed, 150U);
  ASSERT_EQ(summary->errors.size(), 100U);
  EXPECT_EQ(summary->errors[0].row, 1U);
  EXPECT_EQ(summary->errors[99].row, 100U);
}

// Whatever the pieces a body arrives in, the answer is the same.
TEST(Rows, PiecesMakeNoDifference) {
  const std::vector<std::string> bodies = {
      R"([{"a":"x\u00e4\ud83d\ude00","n":[1,2.5e3,-0]}, 5 ,{"b":{}}])",
      "{\"a\":1}\n{bad\n{\"b\":\"gr\xC3\xBC\xC3\x9F\xF0\x9F\x98\x80\"}\n{\"c\":12345",
      R"({"a":1}{"b":2}{"c":tru})",
      "[{\"a\":1}]  \n",
      "\xEF\xBB\xBF {\"a\": -1.5E-7}",
      "{\"a\":1} x",
      "[",
      "{\"a\":\"\\ud800\"}\n{\"b\":1}\n",
      "x\n{\"a\":1}\n{\"b\":[\n7\n{\"c\":2} y\n"};
  for (std::size_t round = 0; round < 2 * bodies.size(); ++round) {
    const std::string& body = bodies[round / 2];
    const Framing framing = round % 2 == 0 ? Framing::kDetected : Framing::kLines;
    const auto whole = scan_body(body, 64U << 20, framing);
    for (std::size_t piece = 1; piece <= body.size(); ++piece) {
      BodyScanner scanner(64U << 20, framing);
      Result<> fed;
      for (std::size_t at = 0; at < body.size() && fed; at += piece) {
        fed = scanner.feed(std::string_view(body).substr(at, piece));
      }
      const Result<BodySummary> parts = fed ? scanner.finish() : fail(fed.error());
      ASSERT_EQ(whole.has_value(), parts.has_value()) << body << " in pieces of " << piece;
      if (whole) {
        EXPECT_EQ(whole->rows, parts->rows) << body << piece;
        EXPECT_EQ(whole->failed, parts->failed) << body << piece;
        for (std::size_t i = 0; i < whole->errors.size(); ++i) {
          EXPECT_EQ(whole->errors[i].error.offset, parts->errors[i].error.offset) << body << piece;
        }
      } else {
        EXPECT_EQ(whole.error().message, parts.error().message)
            << body << " in pieces of " << piece;
      }
    }
  }
}

TEST(Rows, RefusesARowOverTheLimit) {
  BodyScanner scanner(1000);
  Result<> fed = scanner.feed("{\"a\":\"");
  for (int i = 0; i < 100 && fed; ++i) fed = scanner.feed(std::string(100, 'x'));
  ASSERT_FALSE(fed);
  EXPECT_EQ(fed.error().status, 413);
}

TEST(Rows, HoldsTheLimitOfARowToTheByteHoweverItComes) {
  const auto feed = [](std::size_t row_bytes, std::size_t piece) -> Result<BodySummary> {
    const std::string row = "{\"a\":\"" + std::string(row_bytes - 8, 'x') + "\"}";
    const std::string body = row + "\n{\"b\":1}\n" + row;
    BodyScanner scanner(1000);
    for (std::size_t at = 0; at < body.size(); at += piece) {
      TRY(scanner.feed(std::string_view(body).substr(at, piece)));
    }
    return scanner.finish();
  };
  for (const std::size_t piece : {1, 7, 300, 600, 990, 5000}) {
    const auto fits = feed(1000, piece);
    ASSERT_TRUE(fits) << piece << ": " << fits.error().message;
    EXPECT_EQ(fits->rows, 3U);
    const auto over = feed(1001, piece);
    ASSERT_FALSE(over) << piece;
    EXPECT_EQ(over.error().status, 413);
  }
}

// nst/JSONTestSuite: y_ must be accepted, n_ refused, i_ is ours to choose.
TEST(Parser, AgreesWithJsonTestSuite) {
  const std::filesystem::path dir = SD_SOURCE_DIR "/../shared/corpora/json-test-suite/test_parsing";
  if (!std::filesystem::exists(dir))
    GTEST_SKIP() << "the corpus stands beside the project; not here";
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(dir)) {
    std::ifstream file(entry.path(), std::ios::binary);
    std::stringstream content;
    content << file.rdbuf();
    const std::string text = content.str();
    const std::string name = entry.path().filename().string();
    const ParseResult parsed = validate(text);
    std::size_t end = parsed.end;
    while (parsed.outcome == Outcome::kOk && end < text.size() && is_space(text[end])) ++end;
    const bool good =
        parsed.outcome == Outcome::kOk && end == text.size() && parsed.defect == Defect::kNone;
    if (name[0] == 'y') {
      EXPECT_TRUE(good) << name << " " << parsed.message << parsed.end;
    } else if (name[0] == 'n') {
      EXPECT_FALSE(good) << name;
    }
    ++count;
  }
  EXPECT_GT(count, 300);
}

}  // namespace
}  // namespace sd::json
