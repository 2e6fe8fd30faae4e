#include "json/csv.h"

#include <gtest/gtest.h>

#include <random>

#include "base/json_text.h"
#include "json/document.h"

namespace sd::json {
namespace {

struct Converted {
  std::string text;  // or what is wrong
  std::vector<RefusedRow> refused;
};

Converted convert(std::string_view csv, std::size_t step = SIZE_MAX, std::size_t enough = SIZE_MAX,
                  std::uint64_t max_row_bytes = 64U << 20) {
  CsvConverter converter(max_row_bytes);
  Converted out;
  const auto wrong = [&](const Error& error) {
    out.text = std::to_string(error.effective_status()) + " " + error.slug;
    for (const auto& [name, value] : error.members) out.text += " " + name + "=" + value;
    return out;
  };
  while (!csv.empty()) {
    std::string_view piece = csv.substr(0, step);
    csv.remove_prefix(piece.size());
    while (!piece.empty()) {
      std::string part;
      if (auto fed = converter.feed(piece, part, enough); !fed) return wrong(fed.error());
      out.text += part;
    }
  }
  if (auto finished = converter.finish(out.text); !finished) return wrong(finished.error());
  out.refused = converter.refused();
  return out;
}

std::string rows(std::string_view csv) {
  std::string text = convert(csv).text;
  std::erase(text, '\n');
  return text;
}

TEST(Csv, ValuesAreTypedLikeJsonScalarsOnlyWhereTheyAreSpelledLikeThose) {
  EXPECT_EQ(rows("a,b,c,d,e,f\n1,-2.5e3,true,false,null,\n"),
            R"([{"a":1,"b":-2.5e3,"c":true,"d":false,"e":null,"f":null}])");
  EXPECT_EQ(
      rows("a,b,c,d,e,f,g,h,i\n007,+1,1_000,NaN,.5,1.,True, 1,-\n"),
      R"([{"a":"007","b":"+1","c":"1_000","d":"NaN","e":".5","f":"1.","g":"True","h":" 1","i":"-"}])");
  EXPECT_EQ(rows("a,b,c,d\n\"1\",\"true\",\"null\",\"\"\n"),
            R"([{"a":"1","b":"true","c":"null","d":""}])");
}

TEST(Csv, QuotesHoldCommasLineBreaksAndQuotes) {
  EXPECT_EQ(rows("a,\"b,\"\"x\"\"\"\r\n\"1,2\r\n3\",\"say \"\"hi\"\"\"\r\n"),
            R"([{"a":"1,2\r\n3","b,\"x\"":"say \"hi\""}])");
  EXPECT_EQ(rows("a,b\nx\"y\",\"\"\"\"\n"), R"([{"a":"x\"y\"","b":"\""}])") << "inside of a field";
  EXPECT_EQ(rows(std::string_view("a\n\\\t\0\x1f\n", 7)), R"([{"a":"\\\t\u0000\u001f"}])");
}

TEST(Csv, LinesEndWithLfOrCrLfAndTheLastOneWithNothing) {
  for (const char* csv :
       {"a,b\n1,2\n3,4\n", "a,b\r\n1,2\r\n3,4\r\n", "a,b\n1,2\n3,4", "a,b\r\n1,2\r\n3,4\r",
        "\xEF\xBB\xBF"
        "a,b\n1,2\n3,4",
        "\n \t\na,b\n\n1,2\n\r\n3,4\n\n"}) {
    EXPECT_EQ(rows(csv), R"([{"a":1,"b":2},{"a":3,"b":4}])") << csv;
  }
  EXPECT_EQ(rows("\xEF\xBB\xBF\"a\"\n1\n"), R"([{"a":1}])") << "a quote behind the mark";
  EXPECT_EQ(rows("\xEF\xBB,b\n1,2\n"), "400 invalid-csv offset=0 line=1") << "half a mark is text";
}

TEST(Csv, ACarriageReturnAloneEndsNoLineAndIsRefusedRatherThanGuessedAt) {
  CsvConverter header;
  std::string out;
  std::string_view old_mac = "a,b\r1,2\r3,4";
  ASSERT_TRUE(header.feed(old_mac, out, SIZE_MAX));
  const auto refused = header.finish(out);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().slug, "invalid-csv");
  CsvConverter rows;
  std::string_view body = "a,b\n1,x\ry\n\"q\rq\",2\r\n3,4\r";
  out.clear();
  ASSERT_TRUE(rows.feed(body, out, SIZE_MAX));
  ASSERT_TRUE(rows.finish(out));
  EXPECT_NE(out.find(R"(["invalid-csv","line 2 has a carriage return)"), std::string::npos) << out;
  EXPECT_NE(out.find(R"({"a":"q\rq","b":2})"), std::string::npos) << out;
  EXPECT_NE(out.find(R"({"a":3,"b":4})"), std::string::npos) << out;
}

TEST(Csv, ABlankLineIsARowOnlyWhereThereIsOneColumn) {
  EXPECT_EQ(rows("a\n1\n\n2\n"), R"([{"a":1},{"a":null},{"a":2}])");
  EXPECT_EQ(rows("a,b\n1,2\n\n3,4\n"), R"([{"a":1,"b":2},{"a":3,"b":4}])");
}

TEST(Csv, FewerFieldsAreAbsentAndMoreAreARefusedRowKeptWhole) {
  EXPECT_EQ(rows("a,b,c\n1\n1,\n"), R"([{"a":1},{"a":1,"b":null}])");
  const Converted out = convert("a,b\n1,2,\"3\"\n4,5\n\"6\"7,8\n\xff,9,\n");
  EXPECT_EQ(out.text,
            "[\n[\"too-many-fields\",\"line 2 has 3 fields, the header 2\",\"1,2,\\\"3\\\"\"],\n"
            "{\"a\":4,\"b\":5},\n"
            "[\"invalid-csv\",\"line 4 has bytes behind a closing quote\",\"\\\"6\\\"7,8\"],\n"
            "[\"too-many-fields\",\"line 5 has 3 fields, the header 2\",\"\xff,9,\"]\n]");
  ASSERT_EQ(out.refused.size(), 3U);
  EXPECT_EQ(out.refused[0].row, 0U);
  EXPECT_EQ(out.refused[0].error.code, "too-many-fields");
  EXPECT_EQ(out.refused[0].error.detail, "line 2 has 3 fields, the header 2");
  EXPECT_EQ(out.refused[0].error.offset, 4U);
  EXPECT_EQ(out.refused[1].row, 2U);
  EXPECT_EQ(out.refused[1].error.code, "invalid-csv");
  EXPECT_EQ(out.refused[1].error.offset, 16U);
  const auto summary = scan_body(out.text);
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->rows, 1U);
  EXPECT_EQ(summary->failed, 3U);
  EXPECT_EQ(summary->errors.front().row, 0U);
}

TEST(Csv, ARefusedLineIsReadBackWithItsReason) {
  for (const std::string line : {"1,2", "\"x\"y", "x\",y\"]", ",", "\\,\xff", R"(["a","b","c"])"}) {
    const Converted out = convert("a\n" + line + "\n0\n");
    const std::string_view array = out.text;
    const auto read =
        refused_line(array.substr(2, array.size() - std::string_view("[\n,\n{\"a\":0}\n]").size()));
    ASSERT_TRUE(read) << array;
    EXPECT_EQ(read->error.code, out.refused[0].error.code);
    EXPECT_EQ(read->error.detail, out.refused[0].error.detail);
    EXPECT_EQ(read->error.offset, RowError::kNoOffset);
    const auto text = parse_document(read->text);
    EXPECT_EQ(text ? text->text() : "no text",
              line.find('\xff') == std::string::npos ? line : "no text");
  }
  for (const char* other :
       {R"({"a":1})", R"("text")", "[1]", R"(["a"])", R"(["a","b"])", R"(["a","b",1])"})
    EXPECT_FALSE(refused_line(other)) << other;
}

TEST(Csv, OnlyTheFirstHundredRefusedRowsAreRemembered) {
  std::string csv = "a\n";
  for (int i = 0; i < 150; ++i) csv += "1,2\n";
  EXPECT_EQ(convert(csv).refused.size(), kMaxErrors);
}

TEST(Csv, ANameTwiceIsAKeyTwice) {
  EXPECT_EQ(rows("a,a,\n1,2,3\n"), R"([{"a":1,"a":2,"":3}])");
}

TEST(Csv, AnOpenQuoteAtTheEndIsAnErrorWhereItWasOpened) {
  EXPECT_EQ(rows("a,b\n1,2\n\"x\ny\",\"z\n"), "400 invalid-csv offset=14 line=4");
  EXPECT_EQ(rows("a,b\n1,\""), "400 invalid-csv offset=6 line=2");
  EXPECT_EQ(rows("a,b\n1,\"\"\"\""), R"([{"a":1,"b":"\""}])");
}

TEST(Csv, AHeaderAloneIsNoRowsAndNothingAtAllIsAnError) {
  for (const char* csv : {"a,b", "a,b\n", "a,b\r\n\r\n"}) EXPECT_EQ(rows(csv), "[]") << csv;
  for (const char* csv : {"", "\n\n", "\xEF\xBB\xBF", " \r\n"})
    EXPECT_EQ(rows(csv), "400 invalid-csv offset=0 line=1") << csv;
}

TEST(Csv, ARowOverTheLimitIs413) {
  EXPECT_EQ(convert("a\n" + std::string(100, 'x') + "\n", 7, SIZE_MAX, 50).text,
            "413 row-too-large");
  EXPECT_EQ(convert("a\n\"" + std::string(100, 'x'), 7, SIZE_MAX, 50).text, "413 row-too-large");
}

TEST(Csv, MuchJsonOfFewBytesComesALittleAtATime) {
  const std::string name(10'000, 'n');
  std::string csv = name + "\n";
  for (int i = 0; i < 1000; ++i) csv += "1\n";
  CsvConverter converter;
  std::string_view piece = csv;
  std::size_t most = 0;
  int rounds = 0;
  for (; !piece.empty(); ++rounds) {
    std::string out;
    ASSERT_TRUE(converter.feed(piece, out, 100'000));
    most = std::max(most, out.size());
  }
  EXPECT_LT(most, 120'000U);
  EXPECT_GT(rounds, 90);
}

// Every way to cut a body gives the same rows: random bytes out of those that mean something.
TEST(Csv, RowsAreTheSameHoweverTheBodyIsCut) {
  std::mt19937 random(7);
  constexpr std::string_view kBytes = "a1,,\"\"\n\n\r\xc3\xa4 -.\xEF\xBB\xBF";
  for (int i = 0; i < 3000; ++i) {
    std::string csv = i % 2 == 0 ? "" : "a,b\n";
    for (auto n = random() % 40; n > 0; --n) csv += kBytes[random() % kBytes.size()];
    const std::string whole = convert(csv).text;
    for (const std::size_t step : {1U, 2U, 3U, 7U}) {
      EXPECT_EQ(convert(csv, step).text, whole) << json_string(csv);
      EXPECT_EQ(convert(csv, step, 1).text, whole) << json_string(csv);
    }
    if (whole.starts_with('[')) {
      const auto summary = scan_body(whole);
      EXPECT_TRUE(summary || summary.error().slug != "invalid-json") << json_string(csv) << whole;
    }
  }
}

}  // namespace
}  // namespace sd::json
