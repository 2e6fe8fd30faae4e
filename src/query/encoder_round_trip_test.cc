// What we write, DuckDB's own readers read back as it was.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "query/test_database.h"

namespace sd::query {
namespace {

using testing::TempFolder;
using testing::TestDatabase;
namespace duck = destinations::duckdb;

struct Column {
  std::string name;
  std::string type;
  // How the value comes back from `x`, a column read with `read_type` (empty: `type` itself).
  std::string read_type = {};
  std::string back = "x";
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

// Instead of a type to read: the value's JSON text.
constexpr const char* kRaw = "raw";

class RoundTrip : public ::testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& content) {
    const std::string path = (folder_.path() / name).string();
    std::ofstream(path, std::ios::binary) << content;
    return duck::quote_literal(path);
  }

  // `table` has a column __row that numbers its rows from 0. Encodes one column, reads it back, and
  // counts the rows that differ.
  void check(const std::string& table, const Column& column, Format format) {
    SCOPED_TRACE(column.name + " " + column.type);
    const std::string name = duck::quote_identifier(column.name);
    const std::string sql = "SELECT __row, " + name + " AS x FROM " + table + " ORDER BY __row";
    const std::string text = database_.encode(sql, format);
    ASSERT_FALSE(text.starts_with("error: ")) << text;
    const std::string file = write("data", text);
    const std::string type =
        duck::quote_literal(column.read_type.empty() ? column.type : column.read_type);
    const std::string types = "{'__row': 'BIGINT', 'x': " + type + "}";
    const std::string reader =
        column.read_type == kRaw
            ? "(SELECT regexp_extract(line, '__row\":([0-9]+)', 1)::BIGINT AS __row, "
              "nullif(regexp_extract(line, '\"x\":(.*)}', 1), 'null') AS x FROM (SELECT "
              "unnest(string_split(rtrim(content, chr(10)), chr(10))) AS line FROM read_text(" +
                  file + ")))"
        : format == Format::kCsv
            ? "read_csv(" + file +
                  ", header = true, auto_detect = false, delim = ',', quote = '\"', "
                  "escape = '\"', nullstr = '', allow_quoted_nulls = false, max_line_size = "
                  "20000000, columns = " +
                  types + ")"
            : "read_json(" + file +
                  ", format = 'newline_delimited', maximum_object_size = 100000000, columns = " +
                  types + ")";
    const std::string back = replaced(column.back, "T!", column.type);
    EXPECT_EQ(database_.value("SELECT count(*) FROM " + table + " JOIN (SELECT __row, " + back +
                              " AS b FROM " + reader + ") USING (__row) WHERE (" + name +
                              ")::VARCHAR IS DISTINCT FROM (b)::VARCHAR"),
              "0")
        << text.substr(0, 1000);
    EXPECT_EQ(database_.value("SELECT (SELECT count(*) FROM " + reader +
                              ") = (SELECT count(*) FROM " + table + ")"),
              "true");
  }

  TempFolder folder_;
  TestDatabase database_;
};

// How each kind of type is read back where the plain reader of its type does not do it by itself.
Column json_column(const std::string& name, const std::string& type) {
  Column column{name, type};
  if (type == "BLOB") {
    column.read_type = "VARCHAR";
    column.back = "from_base64(x)";
  } else if (type == "BIGNUM" || type == "BIT" || type == "GEOMETRY" || type == "INTERVAL" ||
             type.starts_with("TIME") || type == "DATE" || type.starts_with("ENUM") ||
             type == "UUID" || type == "HUGEINT" || type == "UHUGEINT") {
    column.read_type = "JSON";
    column.back = "(x ->> '$')::T!";
  } else if (type.starts_with("DECIMAL")) {
    // DuckDB's reader of JSON takes fractions for doubles: cut the digits out of the text.
    column.read_type = kRaw;
    column.back = "x::T!";
  } else if (type.starts_with("UNION")) {
    column.read_type = "JSON";
    column.back =
        "CASE WHEN json_keys(x)[1] = 'name' THEN union_value(name := x ->> '$.name')::T! WHEN "
        "json_keys(x)[1] = 'age' THEN union_value(age := (x ->> '$.age')::SMALLINT)::T! END";
  }
  return column;
}

Column csv_column(const std::string& name, const std::string& type) {
  const bool nested = type.ends_with("]") || type.starts_with("STRUCT") ||
                      type.starts_with("MAP") || type.starts_with("UNION");
  Column column{name, type, "VARCHAR", "x::T!"};
  if (type == "BLOB") column.back = "from_base64(x)";
  if (nested) {
    column = json_column(name, type);
    if (column.read_type.empty()) {
      column.read_type = "VARCHAR";
      // The reader of JSON, on the text of one field.
      column.back = "from_json('{\"v\":' || coalesce(x, 'null') || '}', '{\"v\":\"T!\"}').v";
    }
  }
  return column;
}

TEST_F(RoundTrip, EveryTypeOfTheLibraryComesBackAsItWas) {
  database_.run(
      "CREATE TABLE everything AS SELECT row_number() OVER () - 1 AS __row, * EXCLUDE "
      "(medium_enum, "
      "large_enum) FROM test_all_types()");
  const std::vector<std::string> columns =
      lines_of(database_.encode("SELECT column_name || '=' || column_type AS c FROM (DESCRIBE "
                                "everything) WHERE column_name <> '__row'",
                                Format::kCsv));
  ASSERT_GT(columns.size(), 50U);
  std::size_t checked = 0;
  for (std::size_t i = 1; i < columns.size(); ++i) {
    std::string line = columns[i];
    if (line.front() == '"') line = replaced(line.substr(1, line.size() - 2), "\"\"", "\"");
    const std::string name = line.substr(0, line.find('='));
    const std::string type = line.substr(line.find('=') + 1);
    // NaN and the infinities are null in JSON, on purpose.
    if (name == "double_array") continue;
    check("everything", json_column(name, type), Format::kNdjson);
    check("everything", csv_column(name, type), Format::kCsv);
    ++checked;
  }
  EXPECT_GE(checked, 50U);
}

TEST_F(RoundTrip, RandomValuesOfEveryTypeComeBackAsTheyWere) {
  // Seeded by row and column: the same values on every run.
  const Column columns[] = {
      {"c_bool", "BOOLEAN"},
      {"c_tiny", "TINYINT"},
      {"c_int", "INTEGER"},
      {"c_big", "BIGINT"},
      {"c_ubig", "UBIGINT"},
      {"c_huge", "HUGEINT"},
      {"c_uhuge", "UHUGEINT"},
      {"c_double", "DOUBLE"},
      {"c_float", "FLOAT"},
      {"c_d4", "DECIMAL(4,2)"},
      {"c_d9", "DECIMAL(9,3)"},
      {"c_d18", "DECIMAL(18,9)"},
      {"c_d38", "DECIMAL(38,20)"},
      {"c_text", "VARCHAR"},
      {"c_blob", "BLOB"},
      {"c_uuid", "UUID"},
      {"c_date", "DATE"},
      {"c_time", "TIME"},
      {"c_ts", "TIMESTAMP"},
      {"c_tss", "TIMESTAMP_S"},
      {"c_tsms", "TIMESTAMP_MS"},
      {"c_tsns", "TIMESTAMP_NS"},
      {"c_tstz", "TIMESTAMP WITH TIME ZONE"},
      {"c_interval", "INTERVAL"},
      {"c_bit", "BIT"},
      {"c_bignum", "BIGNUM"},
      {"c_list", "BIGINT[]"},
      {"c_texts", "VARCHAR[]"},
      {"c_struct", "STRUCT(a BIGINT, b VARCHAR)"},
      {"c_map", "MAP(VARCHAR, BIGINT)"},
      {"c_deep", "STRUCT(a BIGINT[], b STRUCT(c VARCHAR)[])[]"},
      {"c_array", "INTEGER[3]"},
  };
  const std::string text =
      "array_to_string([chr(CASE hash(__row, j) % 5 WHEN 0 THEN 1 + (hash(j, __row) % 31)::INT "
      "WHEN 1 THEN "
      "128 + (hash(j, __row) % 2000)::INT WHEN 2 THEN 127744 + (hash(j, __row) % 700)::INT ELSE 32 "
      "+ "
      "(hash(j, __row) % 96)::INT END) FOR j IN range((hash(__row, 't') % 40)::BIGINT)], '')";
  database_.run("CREATE TABLE base AS SELECT range AS __row, " + text +
                " AS txt, hash(range, 'a') AS h, "
                "(hash(range, 'b') // 8)::HUGEINT * (hash(range, 'c') // 8)::HUGEINT * (CASE WHEN "
                "range % 2 = 0 THEN 1 ELSE -1 END) AS w "
                "FROM (SELECT range, range AS __row FROM range(3000))");
  const std::pair<std::string, std::string> values[] = {
      {"c_bool", "h % 2 = 0"},
      {"c_tiny", "(h % 256 - 128::HUGEINT)::TINYINT"},
      {"c_int", "(h::HUGEINT % 4294967296 - 2147483648)::INTEGER"},
      {"c_big", "(h::HUGEINT - 9223372036854775808)::BIGINT"},
      {"c_ubig", "h"},
      {"c_huge", "w"},
      {"c_uhuge", "abs(w)::UHUGEINT"},
      {"c_double", "(w::DOUBLE) * pow(10, (h % 500)::INT - 290)"},
      {"c_float",
       "((h::HUGEINT - 9223372036854775808)::FLOAT * pow(10, (h % 40)::INT - 35))::FLOAT"},
      {"c_d4", "((h % 19999)::INT - 9999) / 100.0"},
      {"c_d9", "(((h % 1999999999)::BIGINT - 999999999) / 1000.0)"},
      {"c_d18",
       "((h % 999999999999999999)::HUGEINT - 499999999999999999)::DECIMAL(38,0) / 1000000000"},
      {"c_d38",
       "(w % 1000000000000000000)::DECIMAL(38,20) + (h % 1000000)::DECIMAL(38,20) / 1000000"},
      {"c_text", "txt"},
      {"c_blob", "unhex(substr(sha256(txt), 1, 2 * (h % 32)::INT))"},
      {"c_uuid", "md5(txt || h)::UUID"},
      {"c_date", "DATE '1970-01-01' + ((h % 6000000)::INT - 900000)"},
      {"c_time", "make_time((h % 24)::BIGINT, (h % 60)::BIGINT, (h % 60000000)::DOUBLE / 1e6)"},
      {"c_ts", "make_timestamp((h::HUGEINT % 400000000000000000 - 60000000000000000)::BIGINT)"},
      {"c_tss",
       "make_timestamp((h::HUGEINT % 400000000000000000 - "
       "60000000000000000)::BIGINT)::TIMESTAMP_S"},
      {"c_tsms",
       "make_timestamp((h::HUGEINT % 400000000000000000 - "
       "60000000000000000)::BIGINT)::TIMESTAMP_MS"},
      {"c_tsns", "make_timestamp_ns((h::HUGEINT - 9223372036854775808)::BIGINT // 2)"},
      {"c_tstz",
       "make_timestamp((h::HUGEINT % 400000000000000000 - "
       "60000000000000000)::BIGINT)::TIMESTAMPTZ"},
      {"c_interval",
       "to_months((h % 2000)::INT - 1000) + to_days((h % 77)::INT - 30) + to_microseconds((h % "
       "99999999999)::BIGINT)"},
      {"c_bit", "bin(h)::BIT"},
      {"c_bignum", "(w::VARCHAR || h::VARCHAR || abs(w)::VARCHAR)::BIGNUM"},
      {"c_list",
       "list_transform(range((h % 5)::BIGINT), lambda j: CASE WHEN (h + j) % 4 = 0 THEN NULL ELSE "
       "j * 7 END)"},
      {"c_texts", "[txt, NULL, '']"},
      {"c_struct", "{'a': nullif((h % 9)::BIGINT, 3), 'b': txt}"},
      {"c_map", "MAP {txt || 'k': (h % 9)::BIGINT, 'z': NULL}"},
      {"c_deep", "[{'a': range((h % 4)::BIGINT), 'b': [{'c': txt}, NULL]}, NULL]"},
      {"c_array", "[(h % 9)::INT, NULL, -1]"},
  };
  std::string sql = "CREATE TABLE random_values AS SELECT __row";
  for (const Column& column : columns) {
    const auto value =
        std::ranges::find(values, column.name, &std::pair<std::string, std::string>::first);
    ASSERT_NE(value, std::end(values)) << column.name;
    sql += ", (CASE WHEN hash(__row, '" + column.name + "') % 9 <> 0 THEN " + value->second +
           " END)::" + column.type + " AS " + column.name;
  }
  database_.run(sql + " FROM base");
  for (const Column& column : columns) {
    EXPECT_NE(
        database_.value("SELECT count(DISTINCT " + column.name + "::VARCHAR) FROM random_values"),
        "1");
    check("random_values", json_column(column.name, column.type), Format::kNdjson);
    check("random_values", csv_column(column.name, column.type), Format::kCsv);
  }
}

TEST_F(RoundTrip, NaughtyStringsComeBackAsTheyWere) {
  const std::string corpus = SD_SOURCE_DIR "/../shared/corpora/naughty-strings/blns.json";
  if (!std::filesystem::exists(corpus)) GTEST_SKIP() << "no corpus of naughty strings here";
  database_.run(
      "CREATE TABLE naughty AS SELECT row_number() OVER () - 1 AS __row, json ->> '$' AS s FROM "
      "read_json_objects(" +
      duck::quote_literal(corpus) + ", format = 'array')");
  ASSERT_GE(std::stoi(database_.value("SELECT count(*) FROM naughty")), 500);
  check("naughty", {"s", "VARCHAR"}, Format::kNdjson);
  check("naughty", {"s", "VARCHAR"}, Format::kCsv);
}

TEST_F(RoundTrip, JsonArraysAreOneDocument) {
  const std::string text = database_.encode(
      "SELECT range AS a, 'x' || chr(10) AS b, {'c': range} AS d FROM range(4000)", Format::kJson);
  const std::string file = write("data.json", text);
  EXPECT_EQ(database_.value(
                "SELECT count(*) || ' ' || sum(a) || ' ' || sum(d.c) FROM read_json(" + file +
                ", format = 'array', columns = {a: 'BIGINT', b: 'VARCHAR', d: 'STRUCT(c BIGINT)'}) "
                "WHERE b = 'x' || chr(10)"),
            "4000 7998000 7998000");
}

// Operators hand out constant and dictionary vectors; what the C API fetches must be flat, nested
// too.
TEST_F(RoundTrip, StreamedChunksReadLikeMaterialisedOnes) {
  database_.run(
      "CREATE TABLE d AS SELECT range AS i, 'v' || range % 3 AS s, nullif(range % 5, 2) AS n, "
      "[range, 1] AS l FROM range(10000)");
  for (const std::string sql :
       {"SELECT 1 AS c, 'const' AS s, {'c': 1, 'i': i, 'l': ['q', s]} AS st, [1, 2] AS l FROM d",
        "SELECT s, n, l, {'s': s, 'n': n} AS st FROM d WHERE i % 3 = 1",
        "SELECT a.s, b.n, a.l, MAP {a.s: b.l} AS m, [a.n, b.n] AS x, [{'a': a.s}]  AS y FROM d a "
        "JOIN d b ON "
        "a.i = b.i + 1",
        "SELECT NULL AS a, NULL::STRUCT(a INTEGER) AS b, NULL::INTEGER[] AS c, NULL::MAP(VARCHAR, "
        "INTEGER) "
        "AS e, NULL::INTEGER[2] AS f FROM d",
        "SELECT {'a': NULL::VARCHAR, 'b': [NULL::INTEGER], 'c': [1, NULL]::INTEGER[2]} AS a, "
        "7::VARIANT AS v, "
        "{'k': s}::VARIANT AS w, union_value(u := s) AS u FROM d",
        "SELECT s::ENUM('v0', 'v1', 'v2') AS e, unnest(l) AS u, n FROM d"}) {
    SCOPED_TRACE(sql);
    duckdb_prepared_statement raw = nullptr;
    ASSERT_EQ(duckdb_prepare(database_.connection(), sql.c_str(), &raw), DuckDBSuccess);
    const duck::Prepared prepared(raw);
    duck::Pending pending;
    ASSERT_EQ(duckdb_pending_prepared_streaming(prepared.get(), pending.out()), DuckDBSuccess);
    std::string streamed;
    {
      duck::QueryResult result;
      ASSERT_EQ(duckdb_execute_pending(pending.get(), result.get()), DuckDBSuccess);
      ASSERT_TRUE(duckdb_result_is_streaming(result.ref()));
      const Result<ResultShape> shape = ResultShape::from(result.ref());
      ASSERT_TRUE(shape);
      const auto encoder = Encoder::make(Format::kNdjson, {}, *shape);
      while (true) {
        duck::DataChunk chunk(duckdb_fetch_chunk(result.ref()));
        if (!chunk) break;
        ASSERT_TRUE(encoder->rows(chunk.get(), 0, SIZE_MAX, streamed));
      }
    }
    std::vector<std::string> a = lines_of(streamed);
    std::vector<std::string> b = lines_of(database_.ndjson(sql));
    std::ranges::sort(a);
    std::ranges::sort(b);
    EXPECT_EQ(a.size(), b.size());
    EXPECT_EQ(a, b);
    // And the text that DuckDB itself makes of the same rows.
    std::vector<std::string> c =
        lines_of(database_.ndjson("SELECT to_json(whole) AS j FROM (" + sql + ") whole"));
    if (sql.find("VARIANT") != std::string::npos) continue;  // to_json makes strings of them
    for (std::string& line : c) line = line.substr(5, line.size() - 6);
    std::ranges::sort(c);
    EXPECT_EQ(a, c);
  }
}

}  // namespace
}  // namespace sd::query
