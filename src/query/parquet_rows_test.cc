#include "query/parquet_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "query/test_database.h"

namespace sd::query {
namespace {

using ::testing::HasSubstr;

class ParquetRowsTest : public ::testing::Test {
 protected:
  std::string path() const { return (folder_.path() / "a [1]*.parquet").string(); }

  void write(const std::string& sql) {
    database_.run("COPY (" + sql + ") TO '" + path() + "' (FORMAT parquet)");
  }
  // Opened through its descriptor, as the command does: the name is a pattern.
  std::string read(std::size_t soft_limit = 1U << 20) {
    const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path().c_str(), "rb"),
                                                     &std::fclose);
    if (!file) return "no file";
    auto rows = ParquetRows::open("/proc/self/fd/" + std::to_string(fileno(file.get())));
    if (!rows) return "error: " + rows.error().message;
    std::string all;
    bool more = true;
    while (more) {
      std::string part;
      auto got = (*rows)->next(part, soft_limit);
      if (!got) return "error: " + got.error().message;
      more = *got;
      all += part;
    }
    EXPECT_EQ((*rows)->rows_read(), (*rows)->rows_total());
    return all;
  }

  testing::TempFolder folder_;
  testing::TestDatabase database_;
};

TEST_F(ParquetRowsTest, NumbersKeepEveryDigit) {
  write(
      "SELECT 9007199254740993 AS i, 18446744073709551615::UBIGINT AS u, "
      "12345678901234567890.123456789::DECIMAL(38,9) AS d, 0.1::DOUBLE AS f, 'x' AS s, NULL::INT "
      "AS n");
  EXPECT_EQ(
      read(),
      "{\"i\":9007199254740993,\"u\":18446744073709551615,\"d\":12345678901234567890.123456789,"
      "\"f\":0.1,\"s\":\"x\",\"n\":null}\n");
}

TEST_F(ParquetRowsTest, TimestampsHaveAZone) {
  write(
      "SELECT TIMESTAMP '2024-01-02 03:04:05.123456' AS t, TIMESTAMPTZ '2024-01-02 03:04:05+02' AS "
      "z, "
      "DATE '2024-01-02' AS d");
  EXPECT_EQ(read(),
            "{\"t\":\"2024-01-02T03:04:05.123456Z\",\"z\":\"2024-01-02T01:04:05Z\",\"d\":\"2024-01-"
            "02\"}\n");
}

TEST_F(ParquetRowsTest, NanosecondsAreKeptOnlyWhereThereAreSome) {
  write(
      "SELECT * FROM (VALUES (TIMESTAMP_NS '2024-01-02 03:04:05.123456789'), "
      "(TIMESTAMP_NS '2024-01-02 03:04:05.123456'), (NULL)) AS v(t)");
  EXPECT_EQ(read(),
            "{\"t\":\"2024-01-02T03:04:05.123456789Z\"}\n{\"t\":\"2024-01-02T03:04:05.123456Z\"}\n"
            "{\"t\":null}\n");
}

TEST_F(ParquetRowsTest, NestedValuesAreJson) {
  write(
      "SELECT {'a b': [1, 2], 'timestamp': {'t': TIMESTAMP '2024-01-02 03:04:05'}} AS s, "
      "MAP {'k': TIMESTAMP '2024-01-02 03:04:05'} AS m");
  EXPECT_EQ(read(),
            "{\"s\":{\"a b\":[1,2],\"timestamp\":{\"t\":\"2024-01-02T03:04:05Z\"}},"
            "\"m\":{\"k\":\"2024-01-02T03:04:05Z\"}}\n");
}

TEST_F(ParquetRowsTest, RowsComeInTheFilesOrderHoweverTheyAreTaken) {
  write("SELECT range AS i, repeat('x', (range % 100)::INT) AS s FROM range(300000)");
  const std::string whole = read(SIZE_MAX);
  EXPECT_EQ(read(1), whole);
  std::size_t at = 0;
  for (int i = 0; i < 300000; ++i) {
    const std::string begins = "{\"i\":" + std::to_string(i) + ",";
    ASSERT_EQ(whole.compare(at, begins.size(), begins), 0) << i;
    at = whole.find('\n', at) + 1;
  }
  EXPECT_EQ(at, whole.size());
}

TEST_F(ParquetRowsTest, WhatIsNoParquetIsAnError) {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path().c_str(), "wb"), &std::fclose);
  std::fputs("{\"a\":1}\n{\"a\":1}\n{\"a\":1}\n", file.get());
  std::fflush(file.get());
  EXPECT_THAT(read(), HasSubstr("error: "));
}

TEST(ParquetTypes, OnlyTypesGetAZoneAndNamesStay) {
  EXPECT_EQ(with_time_zones("TIMESTAMP"), "TIMESTAMPTZ");
  EXPECT_EQ(with_time_zones("TIMESTAMP_MS[]"), "TIMESTAMPTZ[]");
  EXPECT_EQ(with_time_zones("TIMESTAMP_NS"), "TIMESTAMP_NS");
  EXPECT_EQ(with_time_zones("TIMESTAMP WITH TIME ZONE"), "TIMESTAMP WITH TIME ZONE");
  EXPECT_EQ(with_time_zones("STRUCT(TIMESTAMP TIMESTAMP, \"a \"\"TIMESTAMP\" DECIMAL(18,3))"),
            "STRUCT(TIMESTAMP TIMESTAMPTZ, \"a \"\"TIMESTAMP\" DECIMAL(18,3))");
  EXPECT_EQ(with_time_zones("MAP(TIMESTAMP, STRUCT(a INTEGER, b TIMESTAMP[2]))"),
            "MAP(TIMESTAMPTZ, STRUCT(a INTEGER, b TIMESTAMPTZ[2]))");
  EXPECT_EQ(with_time_zones("ENUM('TIMESTAMP', 'it''s TIMESTAMP')"),
            "ENUM('TIMESTAMP', 'it''s TIMESTAMP')");
}

}  // namespace
}  // namespace sd::query
