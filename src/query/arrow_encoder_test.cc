#include "query/arrow_encoder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "query/test_database.h"
#include "query/testing/arrow_reader.h"
#include "query/testing/values.h"

namespace sd::query {
namespace {

using testing::ArrowReader;
using testing::kValues;
using testing::TestDatabase;
using testing::Value;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

class ArrowTest : public ::testing::Test {
 protected:
  // The rows in both formats.
  void check(const std::string& sql, std::size_t soft_limit = SIZE_MAX) {
    SCOPED_TRACE(sql);
    const std::string stream = database_.encode(sql, Format::kArrow, {}, soft_limit);
    ASSERT_FALSE(stream.starts_with("error: ")) << stream;
    const ResultShape shape = database_.shape(sql);
    EXPECT_EQ(ArrowReader(stream, shape).lines(), lines_of(database_.ndjson(sql)));
  }

  TestDatabase database_;
};

TEST_F(ArrowTest, HoldsEveryTypeExactly) {
  for (const Value& value : kValues) {
    if (value.sql.starts_with("NULL::UNION")) continue;  // see below
    check("SELECT " + std::string(value.sql) + " AS v");
  }
}

TEST_F(ArrowTest, HoldsEveryTypeOfTheLibrary) {
  check("SELECT * EXCLUDE (medium_enum, large_enum, \"union\", interval) FROM test_all_types()");
  check("SELECT medium_enum, large_enum FROM test_all_types()");
}

// Bitmaps that begin in the middle of a word, values under a NULL, runs of NULL parents.
TEST_F(ArrowTest, HoldsColumnsWithNullsOverManyChunks) {
  std::string sql = "SELECT i";
  int n = 0;
  for (const char* value : {"i % 2 = 0",
                            "i::TINYINT",
                            "i::SMALLINT",
                            "i::UINTEGER",
                            "i::UBIGINT",
                            "i::HUGEINT",
                            "i::UHUGEINT",
                            "i / 7::DOUBLE",
                            "i::FLOAT",
                            "i::DECIMAL(4,0)",
                            "(i / 10)::DECIMAL(9,3)",
                            "i::DECIMAL(18,2)",
                            "i::DECIMAL(38,9)",
                            "repeat('x', (i % 40)::INT)",
                            "md5(i::VARCHAR)",
                            "md5(i::VARCHAR)::UUID",
                            "encode(i::VARCHAR)",
                            "bin(i)::BIT",
                            "i::BIGNUM",
                            "to_days(i::INT) + to_microseconds(i)",
                            "DATE '1970-01-01' + i::INT",
                            "make_timestamp(i * 1000000)::TIMESTAMPTZ",
                            "('v' || i % 3)::ENUM('v0', 'v1', 'v2')",
                            "[i, NULL, i + 1]",
                            "list_transform(range(i % 4), lambda j: 'e' || j)",
                            "[]::INTEGER[]",
                            "[i, NULL, 3]::BIGINT[3]",
                            "[{'a': i, 'b': [i::VARCHAR]}, NULL]",
                            "{'a': nullif(i % 3, 1), 'b': 't' || i, 'c': {'d': [i]}}",
                            "MAP {'k' || i % 3: i, 'z': NULL}",
                            "MAP {i: [i]}",
                            "{'k': i}::VARIANT",
                            "('{\"a\":' || i || '}')::JSON"}) {
    // DuckDB has no CASE of arrays: they are cast from lists.
    std::string whole = value;
    const std::size_t array = whole.find("::BIGINT[3]");
    const std::string cast = array == std::string::npos ? "" : "::BIGINT[3]";
    whole = "(CASE WHEN hash(i, '" + std::to_string(n) + "') % 5 <> 0 AND r % 3000 < 2900 THEN " +
            whole.substr(0, array) + " END)" + cast;
    sql += ", " + whole + " AS c" + std::to_string(n++);
  }
  sql += " FROM (SELECT range AS r, range % 100 AS i FROM range(9000))";
  check(sql);
  check(sql, 1);
}

TEST_F(ArrowTest, GathersChunksIntoBatches) {
  const std::string sql = "SELECT range AS a, 'x' || range AS b FROM range(300000)";
  const ResultShape shape = database_.shape(sql);
  const ArrowReader reader(database_.encode(sql, Format::kArrow), shape);
  EXPECT_EQ(reader.lines(), lines_of(database_.ndjson(sql)));
  ASSERT_GT(reader.batches().size(), 3U);
  EXPECT_EQ(reader.batches()[0].rows, 2048);
  for (std::size_t i = 1; i + 1 < reader.batches().size(); ++i) {
    EXPECT_GE(reader.batches()[i].bytes, kArrowBatchBytes * 9 / 10);
    EXPECT_LE(reader.batches()[i].bytes, kArrowBatchBytes * 5 / 4);
  }
  // Small rows: a batch ends by its rows.
  const std::string flags = "SELECT range % 2 = 0 AS a FROM range(200000)";
  const ResultShape flag_shape = database_.shape(flags);
  const ArrowReader flag_reader(database_.encode(flags, Format::kArrow), flag_shape);
  ASSERT_GT(flag_reader.batches().size(), 2U);
  EXPECT_EQ(flag_reader.batches()[1].rows, static_cast<std::int64_t>(kArrowBatchRows));
}

TEST_F(ArrowTest, EndsABatchOfHugeValuesNearItsSize) {
  const std::string sql = "SELECT repeat('x', 1000000) AS a FROM range(50)";
  const ResultShape shape = database_.shape(sql);
  const std::string stream = database_.encode(sql, Format::kArrow);
  const ArrowReader reader(stream, shape);
  EXPECT_EQ(reader.lines().size(), 50U);
  for (const ArrowReader::Batch& batch : reader.batches()) EXPECT_LE(batch.bytes, 2'100'000U);
}

TEST_F(ArrowTest, IsAStreamWithoutBatchesWhereThereAreNoRows) {
  const std::string sql = "SELECT 1 AS a, [2] AS b WHERE false";
  const ResultShape shape = database_.shape(sql);
  const ArrowReader reader(database_.encode(sql, Format::kArrow), shape);
  EXPECT_TRUE(reader.lines().empty());
  EXPECT_TRUE(reader.batches().empty());
}

TEST_F(ArrowTest, NamesColumnsOnceAndSaysWhatTextIs) {
  const std::string sql =
      "SELECT 1 AS a, 2 AS a, '1'::JSON AS j, 1::VARIANT AS v, 'POINT(1 2)'::GEOMETRY AS g";
  const ResultShape shape = database_.shape(sql);
  const ArrowReader reader(database_.encode(sql, Format::kArrow), shape);
  EXPECT_EQ(reader.fields(), (std::vector<std::string>{"a", "a_1", "j arrow.json", "v arrow.json",
                                                       "g geoarrow.wkb"}));
}

TEST_F(ArrowTest, ANullUnionIsItsFirstMemberNull) {
  const std::string sql =
      "SELECT unnest([union_value(a := 1)::UNION(a INTEGER, b VARCHAR), NULL, "
      "union_value(b := 'x')::UNION(a INTEGER, b VARCHAR)]) AS u";
  const ResultShape shape = database_.shape(sql);
  const std::vector<std::string> expected = {R"({"u":{"a":1}})", R"({"u":{"a":null}})",
                                             R"({"u":{"b":"x"}})"};
  EXPECT_EQ(ArrowReader(database_.encode(sql, Format::kArrow), shape).lines(), expected);
}

TEST_F(ArrowTest, RefusesWhatItCannotHold) {
  const std::string text =
      database_.encode("SELECT to_microseconds(9223372036854775807) AS i", Format::kArrow);
  EXPECT_EQ(text,
            "error: an INTERVAL is too long for Arrow, which counts nanoseconds: cast it to "
            "VARCHAR");
}

TEST_F(ArrowTest, LeavesNothingUnderANull) {
  database_.run("CREATE TABLE t AS SELECT range AS a, 'secret' || range AS b FROM range(5000)");
  // The reader refuses a stream with anything but zeros there.
  check(
      "SELECT nullif(a, a // 2 * 2) AS a, CASE WHEN a % 3 = 0 THEN b END AS b, "
      "CASE WHEN a % 5 = 0 THEN {'x': a, 'y': b} END AS c, "
      "(CASE WHEN a % 7 = 0 THEN [a, a] END)::BIGINT[2] AS d FROM t");
}

}  // namespace
}  // namespace sd::query
