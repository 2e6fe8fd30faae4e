#include "query/xlsx_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "query/test_database.h"

namespace sd::query::testing {
namespace {

using ::testing::HasSubstr;
namespace duck = destinations::duckdb;

// What is in the file, by readers that we did not write: tests/e2e/readers.test.mjs.
class XlsxWriterTest : public ::testing::Test {
 protected:
  XlsxWriterTest() : folder_(::testing::TempDir() + "xlsx_writer_test") {
    std::filesystem::create_directories(folder_);
  }
  ~XlsxWriterTest() override { std::filesystem::remove_all(folder_); }

  std::string path() const { return folder_ + "/result.xlsx"; }

  // The error's message; "made" where there is none.
  std::string write(const std::string& sql) {
    duck::QueryResult result;
    if (duckdb_query(database_.connection(), sql.c_str(), result.get()) != DuckDBSuccess)
      return duckdb_result_error(result.get());
    const auto shape = ResultShape::from(result.ref());
    if (!shape) return shape.error().message;
    auto writer = XlsxWriter::make(path(), folder_, *shape);
    Result<> done = writer ? Result<>() : std::unexpected(writer.error());
    while (done) {
      const duck::DataChunk chunk(duckdb_fetch_chunk(result.ref()));
      if (!chunk) break;
      done = (*writer)->rows(chunk.get());
    }
    if (done) done = (*writer)->finish();
    if (done) return "made";
    EXPECT_EQ(done.error().slug, "result-too-large");
    EXPECT_EQ(done.error().effective_status(), 422);
    return done.error().message;
  }

  std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(folder_), {}));
  }

  TestDatabase database_;
  const std::string folder_;
};

TEST_F(XlsxWriterTest, WritesOneFileAndLeavesNoneBeside) {
  EXPECT_EQ(write("SELECT i, 'text ' || i AS s FROM range(10000) t(i)"), "made");
  EXPECT_EQ(files(), 1U);
  std::ifstream file(path(), std::ios::binary);
  std::string head(2, ' ');
  file.read(head.data(), 2);
  EXPECT_EQ(head, "PK");
  EXPECT_EQ(write("SELECT 1 AS a WHERE false"), "made");
}

TEST_F(XlsxWriterTest, GivenUpLeavesNothingAndPacksNothing) {
  const auto open_files = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
  };
  const auto before = open_files();
  {
    duck::QueryResult result;
    ASSERT_EQ(duckdb_query(database_.connection(),
                           "SELECT i, 'text ' || i AS s FROM range(2000) t(i)", result.get()),
              DuckDBSuccess);
    const auto shape = ResultShape::from(result.ref());
    ASSERT_TRUE(shape);
    const auto writer = XlsxWriter::make(path(), folder_, *shape);
    ASSERT_TRUE(writer);
    const duck::DataChunk chunk(duckdb_fetch_chunk(result.ref()));
    ASSERT_TRUE((*writer)->rows(chunk.get()));
  }
  EXPECT_EQ(files(), 0U);
  EXPECT_EQ(open_files(), before);
}

TEST_F(XlsxWriterTest, RefusesWhatTheFormatCannotHold) {
  EXPECT_EQ(write("SELECT repeat('x', 32767) AS a"), "made");
  EXPECT_THAT(write("SELECT repeat('x', 32768) AS wide"),
              HasSubstr("32767 characters, and one of the column \"wide\" has more"));
  EXPECT_EQ(write("SELECT repeat('ü', 32767) AS a"), "made");
  EXPECT_THAT(write("SELECT repeat('😀', 16384) AS a"), HasSubstr("32767 characters"));
  std::string columns;
  for (int i = 0; i < 16'385; ++i)
    columns += (i == 0 ? "" : ", ") + std::to_string(i) + " AS c" + std::to_string(i);
  EXPECT_THAT(write("SELECT " + columns), HasSubstr("at most 16384 columns"));
}

TEST_F(XlsxWriterTest, HasAsManyRowsAsTheFormatAndNoMore) {
  EXPECT_EQ(write("SELECT true AS a FROM range(1048575)"), "made");
  EXPECT_THAT(write("SELECT true AS a FROM range(1048576)"), HasSubstr("at most 1048575 rows"));
}

}  // namespace
}  // namespace sd::query::testing
