#include "query/encoder.h"

#include <gtest/gtest.h>

#include "query/embedded_json.h"
#include "query/test_database.h"
#include "query/value_text.h"

namespace sd::query {
namespace {

using testing::TestDatabase;
namespace duck = destinations::duckdb;

struct Value {
  std::string_view sql;
  std::string_view json;
  std::string_view csv;
};

// One value of each kind, and the edges of each. CSV as the field stands in its line.
constexpr Value kValues[] = {
    {"NULL", "null", ""},
    {"true", "true", "true"},
    {"false", "false", "false"},
    {"NULL::BOOLEAN", "null", ""},
    {"(-128)::TINYINT", "-128", "-128"},
    {"127::TINYINT", "127", "127"},
    {"(-32768)::SMALLINT", "-32768", "-32768"},
    {"2147483647", "2147483647", "2147483647"},
    {"(-2147483648)::INTEGER", "-2147483648", "-2147483648"},
    {"9007199254740993", "9007199254740993", "9007199254740993"},
    {"(-9223372036854775808)::BIGINT", "-9223372036854775808", "-9223372036854775808"},
    {"255::UTINYINT", "255", "255"},
    {"65535::USMALLINT", "65535", "65535"},
    {"4294967295::UINTEGER", "4294967295", "4294967295"},
    {"18446744073709551615::UBIGINT", "18446744073709551615", "18446744073709551615"},
    {"(-170141183460469231731687303715884105728)::HUGEINT",
     "-170141183460469231731687303715884105728", "-170141183460469231731687303715884105728"},
    {"18446744073709551616::HUGEINT", "18446744073709551616", "18446744073709551616"},
    {"1000000000000000000000000000000000000::HUGEINT", "1000000000000000000000000000000000000",
     "1000000000000000000000000000000000000"},
    {"340282366920938463463374607431768211455::UHUGEINT", "340282366920938463463374607431768211455",
     "340282366920938463463374607431768211455"},
    {"'123456789012345678901234567890123456789012345'::BIGNUM",
     "123456789012345678901234567890123456789012345",
     "123456789012345678901234567890123456789012345"},
    {"'-1000000000000000000000000'::BIGNUM", "-1000000000000000000000000",
     "-1000000000000000000000000"},
    {"0::BIGNUM", "0", "0"},
    {"'-1'::BIGNUM", "-1", "-1"},
    {"5.0::DOUBLE", "5.0", "5.0"},
    {"'-0.0'::DOUBLE", "-0.0", "-0.0"},
    {"0.1::DOUBLE", "0.1", "0.1"},
    {"1e15::DOUBLE", "1e+15", "1e+15"},
    {"999999999999999::DOUBLE", "999999999999999.0", "999999999999999.0"},
    {"1e300::DOUBLE", "1e+300", "1e+300"},
    {"5e-324::DOUBLE", "5e-324", "5e-324"},
    {"1.7976931348623157e308::DOUBLE", "1.7976931348623157e+308", "1.7976931348623157e+308"},
    {"9007199254740993.0::DOUBLE", "9007199254740992.0", "9007199254740992.0"},
    {"123456.789::DOUBLE", "123456.789", "123456.789"},
    {"'nan'::DOUBLE", "null", "NaN"},
    {"'inf'::DOUBLE", "null", "Infinity"},
    {"'-inf'::DOUBLE", "null", "-Infinity"},
    {"0.1::FLOAT", "0.1", "0.1"},
    {"16777216::FLOAT", "16777216.0", "16777216.0"},
    {"1e20::FLOAT", "1e+20", "1e+20"},
    {"'nan'::FLOAT", "null", "NaN"},
    {"1.5::DECIMAL(4,1)", "1.5", "1.5"},
    {"(-0.05)::DECIMAL(4,2)", "-0.05", "-0.05"},
    {"12345.6789::DECIMAL(9,4)", "12345.6789", "12345.6789"},
    {"7::DECIMAL(9,0)", "7", "7"},
    {"(-0.000001)::DECIMAL(18,6)", "-0.000001", "-0.000001"},
    {"0.1::DECIMAL(18,18)", "0.100000000000000000", "0.100000000000000000"},
    {"99999999999999999999999999.999999999999::DECIMAL(38,12)",
     "99999999999999999999999999.999999999999", "99999999999999999999999999.999999999999"},
    {"0.00000000000000000000000000000000000001::DECIMAL(38,38)",
     "0.00000000000000000000000000000000000001", "0.00000000000000000000000000000000000001"},
    {"(-1.000000000000000000000000000000000001)::DECIMAL(37,36)",
     "-1.000000000000000000000000000000000001", "-1.000000000000000000000000000000000001"},
    {"'text'", "\"text\"", "text"},
    {"''", "\"\"", "\"\""},
    {"' padded '", "\" padded \"", "\" padded \""},
    {"'a,b'", "\"a,b\"", "\"a,b\""},
    {"'say \"hi\"'", "\"say \\\"hi\\\"\"", "\"say \"\"hi\"\"\""},
    {"'two' || chr(10) || 'lines'", "\"two\\nlines\"", "\"two\nlines\""},
    {"'cr' || chr(13)", "\"cr\\r\"", "\"cr\r\""},
    {"'tab' || chr(9) || 'x'", "\"tab\\tx\"", "tab\tx"},
    {"'back\\slash'", "\"back\\\\slash\"", "back\\slash"},
    {"'/'", "\"/\"", "/"},
    {"'NULL'", "\"NULL\"", "NULL"},
    {"'zażółć 🦆'", "\"zażółć 🦆\"", "zażółć 🦆"},
    {"'abc'::BLOB", "\"YWJj\"", "YWJj"},
    {"'ab'::BLOB", "\"YWI=\"", "YWI="},
    {"'a'::BLOB", "\"YQ==\"", "YQ=="},
    {"''::BLOB", "\"\"", "\"\""},
    {"'\\xFF\\xFE\\x00'::BLOB", "\"//4A\"", "//4A"},
    {"'0101100'::BIT", "\"0101100\"", "0101100"},
    {"'1'::BIT", "\"1\"", "1"},
    {"'0123456789abcdef0123456789abcdef'::UUID", "\"01234567-89ab-cdef-0123-456789abcdef\"",
     "01234567-89ab-cdef-0123-456789abcdef"},
    {"'ffffffff-ffff-ffff-ffff-ffffffffffff'::UUID", "\"ffffffff-ffff-ffff-ffff-ffffffffffff\"",
     "ffffffff-ffff-ffff-ffff-ffffffffffff"},
    {"'a\"b'::ENUM('x', 'a\"b')", "\"a\\\"b\"", "\"a\"\"b\""},
    {"DATE '2024-02-29'", "\"2024-02-29\"", "2024-02-29"},
    {"DATE '1969-12-31'", "\"1969-12-31\"", "1969-12-31"},
    {"DATE '0044-03-15 (BC)'", "\"-0043-03-15\"", "-0043-03-15"},
    {"DATE '0001-01-01 (BC)'", "\"0000-01-01\"", "0000-01-01"},
    {"DATE '12345-01-01'", "\"12345-01-01\"", "12345-01-01"},
    {"DATE 'infinity'", "\"infinity\"", "infinity"},
    {"DATE '-infinity'", "\"-infinity\"", "-infinity"},
    {"TIME '01:02:03'", "\"01:02:03\"", "01:02:03"},
    {"TIME '24:00:00'", "\"24:00:00\"", "24:00:00"},
    {"TIME '23:59:59.000001'", "\"23:59:59.000001\"", "23:59:59.000001"},
    {"TIME '23:59:59.5'", "\"23:59:59.500\"", "23:59:59.500"},
    {"'01:02:03.000000001'::TIME_NS", "\"01:02:03.000000001\"", "01:02:03.000000001"},
    {"'12:00:00+05:30'::TIMETZ", "\"12:00:00+05:30\"", "12:00:00+05:30"},
    {"'12:00:00.25-08'::TIMETZ", "\"12:00:00.250-08:00\"", "12:00:00.250-08:00"},
    {"'12:00:00+00'::TIMETZ", "\"12:00:00+00:00\"", "12:00:00+00:00"},
    {"'12:00:00-15:59:59'::TIMETZ", "\"12:00:00-15:59:59\"", "12:00:00-15:59:59"},
    {"TIMESTAMP '2024-01-02 03:04:05.123456'", "\"2024-01-02T03:04:05.123456\"",
     "2024-01-02T03:04:05.123456"},
    {"TIMESTAMP '2024-01-02 03:04:05'", "\"2024-01-02T03:04:05\"", "2024-01-02T03:04:05"},
    {"TIMESTAMP '2024-01-02 03:04:05.12'", "\"2024-01-02T03:04:05.120\"",
     "2024-01-02T03:04:05.120"},
    {"TIMESTAMP '1969-12-31 23:59:59.999999'", "\"1969-12-31T23:59:59.999999\"",
     "1969-12-31T23:59:59.999999"},
    {"TIMESTAMP 'infinity'", "\"infinity\"", "infinity"},
    {"TIMESTAMP '-infinity'", "\"-infinity\"", "-infinity"},
    {"'2024-01-02 03:04:05'::TIMESTAMP_S", "\"2024-01-02T03:04:05\"", "2024-01-02T03:04:05"},
    {"'2024-01-02 03:04:05.678'::TIMESTAMP_MS", "\"2024-01-02T03:04:05.678\"",
     "2024-01-02T03:04:05.678"},
    {"'2024-01-02 03:04:05.123456789'::TIMESTAMP_NS", "\"2024-01-02T03:04:05.123456789\"",
     "2024-01-02T03:04:05.123456789"},
    {"'1960-01-02 03:04:05.000000001'::TIMESTAMP_NS", "\"1960-01-02T03:04:05.000000001\"",
     "1960-01-02T03:04:05.000000001"},
    {"'infinity'::TIMESTAMP_NS", "\"infinity\"", "infinity"},
    {"TIMESTAMPTZ '2024-01-02 03:04:05.5+02'", "\"2024-01-02T01:04:05.500Z\"",
     "2024-01-02T01:04:05.500Z"},
    {"TIMESTAMPTZ '-infinity'", "\"-infinity\"", "-infinity"},
    {"INTERVAL '1 year 2 months 3 days 04:05:06.7'", "\"1 year 2 months 3 days 04:05:06.7\"",
     "1 year 2 months 3 days 04:05:06.7"},
    {"INTERVAL 0 DAY", "\"00:00:00\"", "00:00:00"},
    {"INTERVAL (-1) MONTH + INTERVAL (-90) SECOND", "\"-1 month -00:01:30\"", "-1 month -00:01:30"},
    {"INTERVAL 1000 HOUR", "\"1000:00:00\"", "1000:00:00"},
    {"'{\"a\" : [1,\n 2]}'::JSON", "{\"a\":[1,2]}", "\"{\"\"a\"\" : [1,\n 2]}\""},
    {"' \"text\" '::JSON", "\"text\"", "\" \"\"text\"\" \""},
    {"'null'::JSON", "null", "null"},
    {"NULL::JSON", "null", ""},
    {"'12345678901234567890.10'::JSON", "12345678901234567890.10", "12345678901234567890.10"},
    {"to_json(['nan'::DOUBLE, 'inf'::DOUBLE, '-inf'::DOUBLE])", "[null,null,null]",
     "\"[NaN,Infinity,-Infinity]\""},
    {"['{}'::JSON, NULL, '[ 1 ]'::JSON]", "[{},null,[1]]", "\"[{},null,[1]]\""},
    {"{'j': '{\"k\": 1}'::JSON}", "{\"j\":{\"k\":1}}", "\"{\"\"j\"\":{\"\"k\"\":1}}\""},
    {"[1, NULL, 3]", "[1,null,3]", "\"[1,null,3]\""},
    {"[]::INTEGER[]", "[]", "[]"},
    {"NULL::INTEGER[]", "null", ""},
    {"[[1], [], NULL, [2, 3]]", "[[1],[],null,[2,3]]", "\"[[1],[],null,[2,3]]\""},
    {"['a', 'b\"c']", "[\"a\",\"b\\\"c\"]", "\"[\"\"a\"\",\"\"b\\\"\"c\"\"]\""},
    {"[1.5, 2.5]::DOUBLE[2]", "[1.5,2.5]", "\"[1.5,2.5]\""},
    {"[[1, 2], NULL]::INTEGER[2][2]", "[[1,2],null]", "\"[[1,2],null]\""},
    {"{'a': 1, 'b\"c': 'x', 'n': NULL}", "{\"a\":1,\"b\\\"c\":\"x\",\"n\":null}",
     "\"{\"\"a\"\":1,\"\"b\\\"\"c\"\":\"\"x\"\",\"\"n\"\":null}\""},
    {"NULL::STRUCT(a INTEGER)", "null", ""},
    {"row(1, 'x')", "[1,\"x\"]", "\"[1,\"\"x\"\"]\""},
    {"{'a': {'b': [DATE '2024-01-01']}}", "{\"a\":{\"b\":[\"2024-01-01\"]}}",
     "\"{\"\"a\"\":{\"\"b\"\":[\"\"2024-01-01\"\"]}}\""},
    {"MAP {'k\"1': 1, 'k2': NULL}", "{\"k\\\"1\":1,\"k2\":null}",
     "\"{\"\"k\\\"\"1\"\":1,\"\"k2\"\":null}\""},
    {"MAP {1: 'a', 2: 'b'}", "[{\"key\":1,\"value\":\"a\"},{\"key\":2,\"value\":\"b\"}]",
     "\"[{\"\"key\"\":1,\"\"value\"\":\"\"a\"\"},{\"\"key\"\":2,\"\"value\"\":\"\"b\"\"}]\""},
    {"MAP {}", "[]", "[]"},
    {"map {'x'::ENUM('x'): 1}", "{\"x\":1}", "\"{\"\"x\"\":1}\""},
    {"union_value(num := 1)", "{\"num\":1}", "\"{\"\"num\"\":1}\""},
    {"NULL::UNION(a INTEGER)", "null", ""},
    {"union_value(num := NULL::INTEGER)::UNION(str VARCHAR, num INTEGER)", "{\"num\":null}",
     "\"{\"\"num\"\":null}\""},
    {"'POINT(1 2.5)'::GEOMETRY", "\"POINT (1 2.5)\"", "POINT (1 2.5)"},
    {"'POINT ZM (1 2 3 4)'::GEOMETRY", "\"POINT ZM (1 2 3 4)\"", "POINT ZM (1 2 3 4)"},
    {"'POLYGON((0 0, 1 0, 1 1, 0 0))'::GEOMETRY", "\"POLYGON ((0 0, 1 0, 1 1, 0 0))\"",
     "\"POLYGON ((0 0, 1 0, 1 1, 0 0))\""},
    {"42::VARIANT", "42", "42"},
    {"'x\"y'::VARIANT", "\"x\\\"y\"", "\"\"\"x\\\"\"y\"\"\""},
    {"{'a': [1, 2.5::DECIMAL(9,2), NULL], 'b': ['x'], 'd': DATE '2024-01-01', 't': true}::VARIANT",
     "{\"a\":[1.00,2.50,null],\"b\":[\"x\"],\"d\":\"2024-01-01\",\"t\":true}",
     {}},
    {"[1::UTINYINT::VARIANT, 18446744073709551615::UBIGINT::VARIANT, 1.5::VARIANT, "
     "'nan'::DOUBLE::VARIANT, 'ab'::BLOB::VARIANT, NULL, "
     "TIMESTAMPTZ '2024-01-01 00:00:00+00'::VARIANT, '101'::BIT::VARIANT, "
     "1e30::DOUBLE::HUGEINT::VARIANT, INTERVAL 1 DAY::VARIANT, "
     "'12345678901234567890123'::BIGNUM::VARIANT, "
     "'0123456789abcdef0123456789abcdef'::UUID::VARIANT, 0.5::FLOAT::VARIANT, TIME "
     "'01:02:03'::VARIANT]",
     "[1,18446744073709551615,1.5,null,\"YWI=\",null,\"2024-01-01T00:00:00Z\",\"101\","
     "1000000000000000019884624838656,\"1 day\",12345678901234567890123,"
     "\"01234567-89ab-cdef-0123-456789abcdef\",0.5,\"01:02:03\"]",
     {}},
};

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

TEST(Format, HasNamesAndContentTypes) {
  EXPECT_EQ(parse_format("json"), Format::kJson);
  EXPECT_EQ(parse_format("ndjson"), Format::kNdjson);
  EXPECT_EQ(parse_format("jsonl"), Format::kNdjson);
  EXPECT_EQ(parse_format("csv"), Format::kCsv);
  EXPECT_EQ(parse_format("CSV"), std::nullopt);
  EXPECT_EQ(parse_format(""), std::nullopt);
  EXPECT_EQ(content_type(Format::kJson), "application/json");
  EXPECT_EQ(content_type(Format::kNdjson), "application/x-ndjson");
  EXPECT_EQ(content_type(Format::kCsv), "text/csv; charset=utf-8");
}

TEST(Format, IsNegotiatedByWeightThenExactness) {
  const std::pair<std::string_view, std::optional<Format>> cases[] = {
      {"", Format::kJson},
      {"*/*", Format::kJson},
      {"application/json", Format::kJson},
      {"APPLICATION/JSON", Format::kJson},
      {"application/*", Format::kJson},
      {"text/csv", Format::kCsv},
      {"text/*", Format::kCsv},
      {"text/csv; charset=utf-8", Format::kCsv},
      {"application/x-ndjson", Format::kNdjson},
      {"application/ndjson", Format::kNdjson},
      {"application/x-ndjson, */*", Format::kNdjson},
      {"text/csv, application/json", Format::kJson},
      {"text/csv;q=0.9, application/json;q=0.8", Format::kCsv},
      {"text/csv;q=0.8, application/json;q=0.80", Format::kJson},
      {"application/json;q=0, */*", Format::kNdjson},
      {"application/*;q=0, */*;q=0.1", Format::kCsv},
      {"text/html, application/xhtml+xml, */*;q=0.8", Format::kJson},
      {"text/html", std::nullopt},
      {"text/csv;q=0", std::nullopt},
      {"image/png, text/csv ; Q=0.001", Format::kCsv},
      {"text/csv;a=\"x,y;q=0\";q=1", Format::kCsv},
      {" , text/csv , ", Format::kCsv},
      {"text/csv;q=2", std::nullopt},
      {"text/csv;q=x", std::nullopt},
      {"text/csv;q=0.1234", std::nullopt},
      {"text", std::nullopt},
      {"/", std::nullopt},
      {"text/", std::nullopt},
      {"*", std::nullopt},
  };
  for (const auto& [accept, format] : cases) {
    EXPECT_EQ(negotiate(accept), format) << accept;
  }
}

}  // namespace
}  // namespace sd::query
