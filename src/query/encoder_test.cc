#include "query/encoder.h"

#include <gtest/gtest.h>

#include "query/embedded_json.h"
#include "query/test_database.h"
#include "query/testing/values.h"
#include "query/value_text.h"

namespace sd::query {
namespace {

using testing::kValues;
using testing::TestDatabase;
using testing::Value;
namespace duck = destinations::duckdb;

TEST(Encoder, SpellsEveryTypeAsDocumented) {
  const TestDatabase database;
  for (const Value& value : kValues) {
    SCOPED_TRACE(value.sql);
    const std::string sql = "SELECT " + std::string(value.sql) + " AS v";
    EXPECT_EQ(database.ndjson(sql), "{\"v\":" + std::string(value.json) + "}\n");
    EXPECT_EQ(database.encode(sql, Format::kJson), "[{\"v\":" + std::string(value.json) + "}]\n");
    if (value.csv.data() != nullptr) {
      EXPECT_EQ(database.encode(sql, Format::kCsv), "v\n" + std::string(value.csv) + "\n");
    }
  }
}

TEST(Encoder, QuotesWideIntegersWhenAsked) {
  const TestDatabase database;
  const std::string sql =
      "SELECT 1::BIGINT AS a, 2::UBIGINT AS b, 3::HUGEINT AS c, 4::UHUGEINT AS d, 5::BIGNUM AS e, "
      "6::INTEGER AS f, 7.5::DECIMAL(38,1) AS g, [8::BIGINT] AS h, {'x': 9::BIGINT} AS i, "
      "'[10]'::JSON AS j, 11::BIGINT::VARIANT AS k, 12::UINTEGER AS l, NULL::BIGINT AS m";
  EXPECT_EQ(database.encode(sql, Format::kNdjson, {.quote_int64 = true}),
            "{\"a\":\"1\",\"b\":\"2\",\"c\":\"3\",\"d\":\"4\",\"e\":\"5\",\"f\":6,\"g\":7.5,\"h\":["
            "\"8\"],"
            "\"i\":{\"x\":\"9\"},\"j\":[10],\"k\":\"11\",\"l\":12,\"m\":null}\n");
  EXPECT_EQ(database.encode("SELECT 1::BIGINT AS a", Format::kCsv, {.quote_int64 = true}),
            "a\n1\n");
}

TEST(Encoder, TellsNanFromNullWhenAsked) {
  const TestDatabase database;
  const std::string sql =
      "SELECT 'nan'::DOUBLE AS a, 'inf'::FLOAT AS b, '-inf'::DOUBLE AS c, NULL::DOUBLE AS d, "
      "1.5::DOUBLE AS e, "
      "['nan'::DOUBLE, 2.0::DOUBLE] AS f, 'inf'::DOUBLE::VARIANT AS g";
  EXPECT_EQ(database.encode(sql, Format::kNdjson, {.quote_nan = true}),
            "{\"a\":\"NaN\",\"b\":\"Infinity\",\"c\":\"-Infinity\",\"d\":null,\"e\":1.5,"
            "\"f\":[\"NaN\",2.0],\"g\":\"Infinity\"}\n");
  EXPECT_EQ(
      database.encode(sql, Format::kNdjson),
      "{\"a\":null,\"b\":null,\"c\":null,\"d\":null,\"e\":1.5,\"f\":[null,2.0],\"g\":null}\n");
}

TEST(Encoder, EncodesNoRowsAndManyRows) {
  const TestDatabase database;
  EXPECT_EQ(database.encode("SELECT 1 AS a WHERE false", Format::kJson), "[]\n");
  EXPECT_EQ(database.encode("SELECT 1 AS a WHERE false", Format::kNdjson), "");
  EXPECT_EQ(database.encode("SELECT 1 AS a, 2 AS b WHERE false", Format::kCsv), "a,b\n");
  EXPECT_EQ(database.encode("FROM range(3) t(a)", Format::kJson),
            "[{\"a\":0},\n{\"a\":1},\n{\"a\":2}]\n");
  std::string expected;
  for (int i = 0; i < 5000; ++i) {
    expected += i % 7 == 0 ? "{\"a\":null}\n" : "{\"a\":" + std::to_string(i) + "}\n";
  }
  EXPECT_EQ(database.ndjson("SELECT nullif(range, range // 7 * 7) AS a FROM range(5000)"),
            expected);
}

TEST(Encoder, CanStopAfterAnyRow) {
  const TestDatabase database;
  const std::string sql = "SELECT range AS a, repeat('x', (range % 50)::INT) AS b FROM range(3000)";
  for (const Format format : {Format::kJson, Format::kNdjson, Format::kCsv}) {
    const std::string whole = database.encode(sql, format);
    EXPECT_EQ(database.encode(sql, format, {}, 1), whole);
    EXPECT_EQ(database.encode(sql, format, {}, 1000), whole);
  }
}

TEST(Encoder, GivesRepeatedColumnsNamesOfTheirOwn) {
  const TestDatabase database;
  EXPECT_EQ(database.ndjson("SELECT 1 AS a, 2 AS a, 3 AS a"), "{\"a\":1,\"a_1\":2,\"a_2\":3}\n");
  EXPECT_EQ(database.ndjson("SELECT 1 AS a, 2 AS a, 3 AS a_1, 4 AS a_1"),
            "{\"a\":1,\"a_2\":2,\"a_1\":3,\"a_1_1\":4}\n");
  EXPECT_EQ(database.ndjson("SELECT 1 AS a, 2 AS A"), "{\"a\":1,\"A\":2}\n");
  EXPECT_EQ(database.encode("SELECT 1 AS a, 2 AS a", Format::kCsv), "a,a_1\n1,2\n");
  EXPECT_EQ(database.encode("SELECT 1 AS \"q\"\"u,o\", 2 AS \"é\n\"", Format::kCsv),
            "\"q\"\"u,o\",\"é\n\"\n1,2\n");
  EXPECT_EQ(database.ndjson("SELECT 1 AS \"q\"\"u\n\""), "{\"q\\\"u\\n\":1}\n");
}

TEST(Encoder, NamesAColumnThatItCannotSpell) {
  const TestDatabase database;
  EXPECT_EQ(
      database.ndjson("SELECT 1 AS a, get_type(1) AS kind"),
      "error: column \"kind\" has a type that cannot be sent: cast it, for example to VARCHAR");
}

TEST(Encoder, EscapesEveryByteThatJsonWantsEscaped) {
  const TestDatabase database;
  for (int c = 0; c < 0x80; ++c) {
    SCOPED_TRACE(c);
    const char ch = static_cast<char>(c);
    // Before, inside and after runs longer than what is looked at in one step.
    for (const std::size_t length : {0, 1, 7, 15, 16, 17, 40}) {
      const std::string text = std::string(length, 'a') + ch + std::string(length, 'b');
      std::string ours;
      {
        TextSink sink(ours);
        put_json_string(sink, text);
      }
      for (const char o : ours) EXPECT_GE(static_cast<unsigned char>(o), 0x20);
      duckdb_prepared_statement raw = nullptr;
      ASSERT_EQ(duckdb_prepare(database.connection(), "SELECT ($1::JSON ->> '$') = $2", &raw),
                DuckDBSuccess);
      const duck::Prepared prepared(raw);
      duckdb_bind_varchar_length(raw, 1, ours.data(), ours.size());
      duckdb_bind_varchar_length(raw, 2, text.data(), text.size());
      duck::QueryResult result;
      ASSERT_EQ(duckdb_execute_prepared(raw, result.get()), DuckDBSuccess)
          << duckdb_result_error(result.get());
      EXPECT_TRUE(duckdb_value_boolean(result.get(), 0, 0)) << ours;
    }
  }
}

TEST(Encoder, ReplacesBytesThatAreNotUtf8) {
  const auto spelled = [](std::string_view text) {
    std::string out;
    {
      TextSink sink(out);
      put_json_string(sink, text);
    }
    return out;
  };
  EXPECT_EQ(spelled("a\xff"
                    "b"),
            "\"a\uFFFD"
            "b\"");
  EXPECT_EQ(spelled("\xc3"), "\"\uFFFD\"");
  EXPECT_EQ(spelled("\xed\xa0\x80"), "\"\uFFFD\uFFFD\uFFFD\"");
  // A sequence across the edge of a block.
  for (std::size_t before : {4090, 4093, 4094, 4095, 4096}) {
    const std::string text = std::string(before, 'a') + "\U0001F986" + std::string(100, '\n');
    std::string expected = "\"" + std::string(before, 'a') + "\U0001F986";
    for (int i = 0; i < 100; ++i) expected += "\\n";
    EXPECT_EQ(spelled(text), expected + "\"");
  }
}

TEST(EmbeddedJson, CopiesOneLineOrNothing) {
  const auto copied = [](std::string_view text) {
    std::string out = "before ";
    bool ok = false;
    {
      TextSink sink(out);
      ok = put_embedded_json(sink, text);
    }
    return ok ? out.substr(7) : out == "before " ? "refused" : "left something behind: " + out;
  };
  EXPECT_EQ(
      copied(" { \"a\" :\n[ 1 , -2.5e+3,\ttrue,false , null,\"x\\n\\u00e9 y\" ],\r\n\"b\":{} } "),
      "{\"a\":[1,-2.5e+3,true,false,null,\"x\\n\\u00e9 y\"],\"b\":{}}");
  EXPECT_EQ(copied("NaN"), "null");
  EXPECT_EQ(copied("[NaN,NaN,-Infinity,Infinity]"), "[null,null,null,null]");
  EXPECT_EQ(copied("\"\U0001F986\""), "\"\U0001F986\"");
  EXPECT_EQ(copied("0"), "0");
  const std::string deep = std::string(1000, '[') + std::string(1000, ']');
  EXPECT_EQ(copied(deep), deep);
  EXPECT_EQ(copied("[" + deep + "]"), "refused");
  for (const std::string_view bad :
       {"",         " ",          "{",         "}",      "[1,]",    "[,1]",        "{\"a\"}",
        "{\"a\":}", "{\"a\":1,}", "{a:1}",     "[1 2]",  "1 2",     "01",          "1.",
        ".5",       "-",          "+1",        "1e",     "1e+",     "tru",         "nul",
        "NULL",     "nan",        "\"",        "\"\\\"", "\"\\x\"", "\"\\u12g4\"", "\"\\u12",
        "\"a\nb\"", "\"\x01\"",   "'a'",       "[1",     "]",       "[}",          "{]",
        "[1]]",     "\"\xff\"",   "{\"a\" 1}", "{1:2}",  "[1,,2]",  "truefalse",   "0x10",
        "--1",      "Infinit",    "// c\n1"}) {
    EXPECT_EQ(copied(bad), "refused") << bad;
  }
}

TEST(EmbeddedJson, FallsBackToAStringInAJsonColumnThatHoldsSomethingElse) {
  const TestDatabase database;
  database.run("CREATE TABLE j(v JSON)");
  duckdb_appender appender = nullptr;
  ASSERT_EQ(duckdb_appender_create(database.connection(), nullptr, "j", &appender), DuckDBSuccess);
  for (const char* text : {"{\"ok\": 1}", "not json\n", "[1,", ""}) {
    duckdb_append_varchar(appender, text);
    duckdb_appender_end_row(appender);
  }
  ASSERT_EQ(duckdb_appender_destroy(&appender), DuckDBSuccess);
  EXPECT_EQ(database.ndjson("FROM j"),
            "{\"v\":{\"ok\":1}}\n{\"v\":\"not json\\n\"}\n{\"v\":\"[1,\"}\n{\"v\":\"\"}\n");
}

}  // namespace
}  // namespace sd::query
