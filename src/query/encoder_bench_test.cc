// What encoding costs beside DuckDB's own writers. Not a test: disabled, to be run by hand in an
// optimised build with --gtest_also_run_disabled_tests --gtest_filter='*EncoderBench*'.
#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>
#include <functional>
#include <iostream>

#include "query/test_database.h"

namespace sd::query {
namespace {

using testing::TestDatabase;
namespace duck = destinations::duckdb;

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

std::size_t stream(const TestDatabase& database, const std::string& sql, Format format) {
  duckdb_prepared_statement raw = nullptr;
  EXPECT_EQ(duckdb_prepare(database.connection(), sql.c_str(), &raw), DuckDBSuccess);
  const duck::Prepared prepared(raw);
  duck::Pending pending;
  EXPECT_EQ(duckdb_pending_prepared_streaming(raw, pending.out()), DuckDBSuccess);
  duck::QueryResult result;
  EXPECT_EQ(duckdb_execute_pending(pending.get(), result.get()), DuckDBSuccess);
  const Result<ResultShape> shape = ResultShape::from(result.ref());
  const auto encoder = Encoder::make(format, {}, *shape);
  std::size_t bytes = 0;
  std::string out;
  while (true) {
    duck::DataChunk chunk(duckdb_fetch_chunk(result.ref()));
    if (!chunk) break;
    for (idx_t row = 0; row < duckdb_data_chunk_get_size(chunk.get());) {
      out.clear();
      row = encoder->rows(chunk.get(), row, 1 << 20, out).value();
      bytes += out.size();
      for (const std::string_view part : encoder->behind()) bytes += part.size();
    }
  }
  return bytes;
}

TEST(EncoderBench, DISABLED_BesideDuckDbsOwnWriters) {
  const TestDatabase database;
  database.run("SET threads = 1");
  database.run(
      "CREATE TABLE events AS SELECT range AS __row_id, make_timestamp(1700000000000000 + range * "
      "1234567)"
      "::TIMESTAMPTZ AS __received_at, 'user_' || (range % 100000) AS user_id, ['click', 'view', "
      "'purchase', 'sign\"up'][1 + range % 4] AS event, 'https://example.com/path/' || hash(range) "
      "AS url, "
      "(hash(range) % 100000) / 100.0 AS amount, random() AS ratio, range % 3 = 0 AS flag, "
      "nullif(range % 7, 3) "
      "AS maybe, ('{\"a\":' || range || ',\"b\":\"x\"}')::JSON AS props FROM range(1000000)");
  const std::pair<std::string, std::function<void()>> runs[] = {
      {"COPY FORMAT JSON", [&] { database.run("COPY events TO '/dev/null' (FORMAT JSON)"); }},
      {"our NDJSON",
       [&] { std::cout << stream(database, "FROM events", Format::kNdjson) << " bytes\n"; }},
      {"our JSON", [&] { stream(database, "FROM events", Format::kJson); }},
      {"COPY FORMAT CSV", [&] { database.run("COPY events TO '/dev/null' (FORMAT CSV)"); }},
      {"our CSV",
       [&] { std::cout << stream(database, "FROM events", Format::kCsv) << " bytes\n"; }},
  };
  std::vector<double> seconds[std::size(runs)];
  for (int round = 0; round < 5; ++round) {
    for (std::size_t i = 0; i < std::size(runs); ++i) {
      const double start = cpu_seconds();
      runs[i].second();
      seconds[i].push_back(cpu_seconds() - start);
    }
  }
  for (std::size_t i = 0; i < std::size(runs); ++i) {
    std::ranges::sort(seconds[i]);
    std::cout << runs[i].first << ": " << seconds[i][2] << " s of CPU\n";
  }
}

}  // namespace
}  // namespace sd::query
