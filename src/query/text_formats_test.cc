// TSV, jsoncompact and HTML: what they have beside JSON and CSV, whose values are theirs.
#include <gtest/gtest.h>

#include "query/test_database.h"
#include "query/testing/values.h"
#include "query/type_name.h"

namespace sd::query {
namespace {

using testing::kValues;
using testing::TestDatabase;
using testing::Value;

// A field of CSV or TSV without its quotes; nullopt is NULL.
std::optional<std::string> unquoted(std::string_view field) {
  if (field.empty()) return std::nullopt;
  if (field.front() != '"') return std::string(field);
  std::string out;
  for (std::size_t i = 1; i + 1 < field.size(); ++i) {
    out += field[i];
    if (field[i] == '"') ++i;
  }
  return out;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '\r')
      out += "&#13;";
    else
      out += c;
  }
  return out;
}

std::string between(const std::string& text, std::string_view from, std::string_view to) {
  const std::size_t start = text.find(from);
  if (start == std::string::npos) return "nothing before " + std::string(from);
  const std::size_t end = text.find(to, start + from.size());
  return text.substr(start + from.size(), end - start - from.size());
}

TEST(TextFormats, SpellEveryTypeAsJsonAndCsvDo) {
  const TestDatabase database;
  for (const Value& value : kValues) {
    SCOPED_TRACE(value.sql);
    const std::string sql = "SELECT " + std::string(value.sql) + " AS v";
    const std::string compact = database.encode(sql, Format::kJsonCompact);
    EXPECT_EQ(between(compact, "\"data\":[", "],\n\"rows\":1}\n"),
              "[" + std::string(value.json) + "]");
    if (value.csv.data() == nullptr) continue;
    const std::string tsv = database.encode(sql, Format::kTsv);
    ASSERT_TRUE(tsv.starts_with("v\n") && tsv.ends_with("\n")) << tsv;
    const std::string_view field = std::string_view(tsv).substr(2, tsv.size() - 3);
    EXPECT_EQ(unquoted(field), unquoted(value.csv));
    const bool quoted = field.starts_with('"');
    const std::string plain = unquoted(field).value_or("");
    const bool needs = plain.empty() ? !field.empty()
                                     : plain.find_first_of("\"\t\n\r") != std::string::npos ||
                                           plain.front() == ' ' || plain.back() == ' ';
    EXPECT_EQ(quoted, needs) << field;
    const std::string html = database.encode(sql, Format::kHtml);
    EXPECT_EQ(between(html, "<tr><td>", "</tr>"), field.empty() ? "<i>NULL</i>" : escaped(plain));
  }
}

TEST(TextFormats, SeparateFieldsByTabs) {
  const TestDatabase database;
  EXPECT_EQ(database.encode("SELECT 1 AS a, 'x,y' AS \"b\tc\", chr(9) AS c, NULL AS d, '' AS e, "
                            "'POLYGON((0 0, 1 0, 1 1, 0 0))'::GEOMETRY AS f, [1, 2] AS g, 2 AS a",
                            Format::kTsv),
            "a\t\"b\tc\"\tc\td\te\tf\tg\ta_1\n"
            "1\tx,y\t\"\t\"\t\t\"\"\tPOLYGON ((0 0, 1 0, 1 1, 0 0))\t[1,2]\t2\n");
  EXPECT_EQ(database.encode("SELECT 1 AS a, 2 AS b WHERE false", Format::kTsv), "a\tb\n");
}

TEST(TextFormats, JsonCompactNamesColumnsOnce) {
  const TestDatabase database;
  EXPECT_EQ(database.encode("SELECT range AS a, 'x\"' AS a, NULL AS \"q\"\"\" FROM range(2)",
                            Format::kJsonCompact),
            "{\"meta\":[{\"name\":\"a\",\"type\":\"BIGINT\"},{\"name\":\"a_1\",\"type\":"
            "\"VARCHAR\"},{\"name\":\"q\\\"\",\"type\":\"INTEGER\"}],\n\"data\":[[0,\"x\\\"\","
            "null],\n[1,\"x\\\"\",null]],\n\"rows\":2}\n");
  EXPECT_EQ(database.encode("SELECT 1::BIGINT AS a WHERE false", Format::kJsonCompact),
            "{\"meta\":[{\"name\":\"a\",\"type\":\"BIGINT\"}],\n\"data\":[],\n\"rows\":0}\n");
  EXPECT_EQ(
      database.encode("SELECT 1::BIGINT AS a", Format::kJsonCompact, {.quote_int64 = true}),
      "{\"meta\":[{\"name\":\"a\",\"type\":\"BIGINT\"}],\n\"data\":[[\"1\"]],\n\"rows\":1}\n");
}

TEST(TextFormats, HtmlIsAPageWithoutScriptWhateverTheDataHolds) {
  const TestDatabase database;
  const std::string html = database.encode(
      "SELECT '<script>alert(1)</script>' AS \"<b>&\", 1.5 AS n, 'NULL' AS s, NULL AS z, "
      "'</td></table>'::ENUM('</td></table>') AS e, ['<i>'] AS l, 7::HUGEINT AS n",
      Format::kHtml);
  EXPECT_TRUE(html.starts_with("<!doctype html>\n"));
  EXPECT_TRUE(html.ends_with("<p>1 row</p>\n</body>\n</html>\n"));
  EXPECT_EQ(html.find("<script"), std::string::npos);
  EXPECT_EQ(html.find("<b>"), std::string::npos);
  EXPECT_NE(html.find("prefers-color-scheme:dark"), std::string::npos);
  EXPECT_NE(html.find("<th scope=\"col\">&lt;b&gt;&amp;<small>VARCHAR</small>"), std::string::npos);
  EXPECT_NE(html.find("<td>NULL<td><i>NULL</i><td>&lt;/td&gt;&lt;/table&gt;<td>[\"&lt;i&gt;\"]"),
            std::string::npos)
      << html;
  EXPECT_NE(html.find("th:nth-child(2),td:nth-child(2),\nth:nth-child(4),td:nth-child(4),\n"
                      "th:nth-child(7),td:nth-child(7)"
                      "{text-align:right"),
            std::string::npos)
      << html;
  EXPECT_EQ(html.find("nth-child(1)"), std::string::npos);
  const std::string none = database.encode("SELECT 1 AS a WHERE false", Format::kHtml);
  EXPECT_NE(none.find("<tbody>\n</tbody>\n</table>\n<p>0 rows</p>"), std::string::npos);
}

TEST(TextFormats, CanStopAfterAnyRow) {
  const TestDatabase database;
  const std::string sql = "SELECT range AS a, repeat('x', (range % 50)::INT) AS b FROM range(3000)";
  for (const Format format : {Format::kTsv, Format::kJsonCompact, Format::kHtml}) {
    const std::string whole = database.encode(sql, format);
    EXPECT_EQ(database.encode(sql, format, {}, 1), whole);
    EXPECT_EQ(database.encode(sql, format, {}, 1000), whole);
  }
}

TEST(TypeName, IsWhatCastTakes) {
  const TestDatabase database;
  const ResultShape shape = database.shape(
      "SELECT * EXCLUDE (medium_enum, large_enum), 1::VARIANT AS v, 'POINT(1 2)'::GEOMETRY AS g, "
      "'1'::JSON AS j, {'end': 1, 'a b': 2, 'q\"': ['x''y'::ENUM('x''y', 'z')]} AS s, "
      "[{'d': 1::DECIMAL(38,10)}] AS d, MAP {1: [TIMETZ '00:00:00+00']} AS m "
      "FROM test_all_types()");
  ASSERT_GT(shape.columns().size(), 55U);
  for (const ResultColumn& column : shape.columns()) {
    const std::string name = type_name(column.type);
    EXPECT_EQ(type_name(database.shape("SELECT NULL::" + name + " AS x").columns()[0].type), name);
  }
  const auto named = [&](const std::string& sql) {
    return type_name(database.shape("SELECT " + sql).columns()[0].type);
  };
  EXPECT_EQ(named("1.5::DECIMAL(18,3)"), "DECIMAL(18,3)");
  EXPECT_EQ(named("{'a b': [1]}"), "STRUCT(\"a b\" INTEGER[])");
  EXPECT_EQ(named("row(1, 'x')"), "STRUCT(INTEGER, VARCHAR)");
  EXPECT_EQ(named("'a'::ENUM('a', 'it''s')"), "ENUM('a', 'it''s')");
  EXPECT_EQ(named("now()"), "TIMESTAMP WITH TIME ZONE");
  EXPECT_EQ(named("union_value(k := [1, 2]::INTEGER[2])"), "UNION(\"k\" INTEGER[2])");
}

TEST(Spreadsheet, TakesNoTextForAFormula) {
  const TestDatabase database;
  const auto csv = [&](const std::string& sql) {
    return database.encode(sql, Format::kCsv, {.spreadsheet = true});
  };
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  EXPECT_EQ(csv("SELECT 1 AS a"), std::string(kMark) + "a\n1\n");
  for (const std::string text : {"=1+1", "+1", "-1", "@SUM(A1)", "＝1", "＋1", "－1", "＠x"}) {
    const std::string expected = std::string(kMark) + "a\n\"'" + text + "\"\n";
    EXPECT_EQ(csv("SELECT '" + text + "' AS a"), expected);
    EXPECT_EQ(csv("SELECT ('" + text + "')::ENUM('" + text + "') AS a"), expected);
  }
  for (const int code : {9, 10, 13}) {
    const std::string c(1, static_cast<char>(code));
    EXPECT_EQ(csv("SELECT chr(" + std::to_string(code) + ") || '=1' AS a"),
              std::string(kMark) + "a\n\"'" + c + "=1\"\n");
  }
  EXPECT_EQ(csv("SELECT chr(0) || '=1' AS a"),
            std::string(kMark) + "a\n\"'" + std::string("\0=1", 3) + "\"\n");
  EXPECT_EQ(csv("SELECT '=\"x\"' AS \"=h\""), std::string(kMark) + "\"'=h\"\n\"'=\"\"x\"\"\"\n");
}

TEST(Spreadsheet, LeavesNumbersAndPlainTextAsTheyAre) {
  const TestDatabase database;
  const std::string sql =
      "SELECT -1 AS i, -1.5 AS d, -2::DOUBLE AS f, -3::HUGEINT AS h, 'a=b' AS s, '' AS e, NULL AS "
      "n, "
      "INTERVAL '-1 month' AS v, DATE '-0043-03-15' AS b, DATE '2024-01-02' AS t, [-1] AS l, "
      "TIMESTAMP '-0043-03-15 00:00:00' AS ts, TIMESTAMP '2024-01-02' AS tt";
  EXPECT_EQ(database.encode(sql, Format::kCsv, {.spreadsheet = true}),
            "\xEF\xBB\xBFi,d,f,h,s,e,n,v,b,t,l,ts,tt\n-1,-1.5,-2.0,-3,a=b,\"\",,\"'-1 "
            "month\",\"'-0043-03-15\","
            "2024-01-02,[-1],\"'-0043-03-15T00:00:00\",2024-01-02T00:00:00\n");
  // Without the option nothing is changed, and other formats know none.
  EXPECT_EQ(database.encode("SELECT '=1' AS a", Format::kCsv), "a\n=1\n");
  EXPECT_EQ(database.encode("SELECT '=1' AS a", Format::kNdjson, {.spreadsheet = true}),
            "{\"a\":\"=1\"}\n");
}

}  // namespace
}  // namespace sd::query
