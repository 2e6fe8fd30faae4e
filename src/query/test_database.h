// For tests: a DuckDB as the engine opens it, and results as text.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

#include "destinations/duckdb/handles.h"
#include "query/encoder.h"

namespace sd::query::testing {

namespace duck = destinations::duckdb;

class TempFolder {
 public:
  TempFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "sd_query_XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// An instance in memory with one connection.
class TestDatabase {
 public:
  TestDatabase() {
    EXPECT_EQ(duckdb_open(nullptr, database_.out()), DuckDBSuccess);
    EXPECT_EQ(duckdb_connect(database_.get(), connection_.out()), DuckDBSuccess);
    run("SET TimeZone = 'UTC'");
  }

  duckdb_connection connection() const { return connection_.get(); }

  void run(const std::string& sql) const {
    const Result<> result = duck::execute(connection_.get(), sql);
    ASSERT_TRUE(result) << sql.substr(0, 300) << "\n" << result.error().message;
  }

  // The whole result in a format; an error's text after "error: ".
  std::string encode(const std::string& sql, Format format, EncodeOptions options = {},
                     std::size_t soft_limit = SIZE_MAX) const {
    duck::QueryResult result;
    if (duckdb_query(connection_.get(), sql.c_str(), result.get()) != DuckDBSuccess) {
      return std::string("error: ") + duckdb_result_error(result.get());
    }
    Result<ResultShape> shape = ResultShape::from(result.ref());
    if (!shape) return "error: " + shape.error().message;
    const std::unique_ptr<Encoder> encoder = Encoder::make(format, options, *shape);
    std::string out;
    encoder->begin(out);
    while (true) {
      duck::DataChunk chunk(duckdb_fetch_chunk(result.ref()));
      if (!chunk) break;
      std::string part;
      for (idx_t row = 0; row < duckdb_data_chunk_get_size(chunk.get());) {
        part.clear();
        const Result<idx_t> taken = encoder->rows(chunk.get(), row, soft_limit, part);
        if (!taken) return "error: " + taken.error().message;
        row = *taken;
        append_behind(*encoder, part);
        out += part;
      }
    }
    encoder->end(out);
    append_behind(*encoder, out);
    return out;
  }

  // Of a statement that runs.
  ResultShape shape(const std::string& sql) const {
    duck::QueryResult result;
    EXPECT_EQ(duckdb_query(connection_.get(), sql.c_str(), result.get()), DuckDBSuccess) << sql;
    return ResultShape::from(result.ref()).value();
  }
  std::string ndjson(const std::string& sql) const { return encode(sql, Format::kNdjson); }

  // The first value of the first row, as text; NULL is "NULL".
  std::string value(const std::string& sql) const {
    std::string csv = encode("SELECT coalesce((" + sql + ")::VARCHAR, 'NULL') AS v", Format::kCsv);
    if (csv.starts_with("error: ")) return csv;
    return csv.substr(2, csv.size() - 3);
  }

 private:
  duck::Database database_;
  duck::Connection connection_;
};

}  // namespace sd::query::testing
