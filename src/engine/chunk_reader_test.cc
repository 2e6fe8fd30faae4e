#include "engine/chunk_reader.h"

#include <gtest/gtest.h>

namespace sd::engine {
namespace {

using namespace destinations::duckdb;
using std::chrono::milliseconds;

class ChunkReaderTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(duckdb_open(nullptr, database_.out()), DuckDBSuccess);
    ASSERT_EQ(duckdb_connect(database_.get(), connection_.out()), DuckDBSuccess);
    ASSERT_TRUE(execute(connection_.get(), "SET threads = 2"));
  }

  void stream(const char* sql, QueryResult& result) {
    ASSERT_EQ(duckdb_prepare(connection_.get(), sql, prepared_.out()), DuckDBSuccess);
    Pending pending;
    ASSERT_EQ(duckdb_pending_prepared_streaming(prepared_.get(), pending.out()), DuckDBSuccess);
    ASSERT_EQ(duckdb_execute_pending(pending.get(), result.get()), DuckDBSuccess);
  }
  static std::int64_t first_of(const DataChunk& chunk) {
    return *static_cast<const std::int64_t*>(
        duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk.get(), 0)));
  }

  Database database_;
  Connection connection_;
  Prepared prepared_;
};

TEST_F(ChunkReaderTest, GivesEveryRowInItsOrderAndThenTheEnd) {
  for (const std::int64_t rows : {0, 1, 2048, 4 * 2048, 4 * 2048 + 1, 1'000'000}) {
    const std::string sql = "SELECT i FROM range(" + std::to_string(rows) + ") t(i)";
    QueryResult result;
    stream(sql.c_str(), result);
    RunningQuery running;
    const RunningQuery::Interruptible interruptible(running, connection_.get());
    ChunkReader reader(result, running);
    std::int64_t seen = 0;
    for (;;) {
      const ChunkReader::Next next = reader.next();
      ASSERT_FALSE(next.failed);
      if (!next.chunk) break;
      ASSERT_EQ(first_of(next.chunk), seen);
      seen += static_cast<std::int64_t>(duckdb_data_chunk_get_size(next.chunk.get()));
    }
    EXPECT_EQ(seen, rows);
    EXPECT_FALSE(reader.next().chunk) << "the end stays the end";
  }
}

TEST_F(ChunkReaderTest, SaysThatTheResultFailedAfterTheRowsBefore) {
  // With two threads DuckDB 1.5.6 may say "Interrupted!" instead: of the task that it stopped for the one that failed.
  ASSERT_TRUE(execute(connection_.get(), "SET threads = 1"));
  QueryResult result;
  stream(
      "SELECT CASE WHEN i = 300000 THEN error('late trouble') ELSE i END FROM range(400000) t(i)",
      result);
  RunningQuery running;
  const RunningQuery::Interruptible interruptible(running, connection_.get());
  ChunkReader reader(result, running);
  std::uint64_t chunks = 0;
  ChunkReader::Next next = reader.next();
  for (; next.chunk; next = reader.next()) ++chunks;
  EXPECT_TRUE(next.failed);
  EXPECT_GT(chunks, 10U);
  EXPECT_NE(std::string(duckdb_result_error(result.get())).find("late trouble"), std::string::npos)
      << duckdb_result_error(result.get());
}

TEST_F(ChunkReaderTest, EndsAtOnceWhileAFetchGoesOn) {
  QueryResult result;
  // Each chunk fills DuckDB's buffer, and all of them take hours.
  stream("SELECT i, repeat('x', 1000), list_sum(range(5000 + i % 2)) FROM range(1000000000) t(i)",
         result);
  RunningQuery running;
  const RunningQuery::Interruptible interruptible(running, connection_.get());
  const auto began = std::chrono::steady_clock::now();
  {
    ChunkReader reader(result, running);
    for (int i = 0; i < 6; ++i) EXPECT_TRUE(reader.next().chunk);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - began, milliseconds(5000));
  // The connection is of use again.
  EXPECT_TRUE(execute(connection_.get(), "SELECT 42"));
}

TEST_F(ChunkReaderTest, StaysAFewChunksAhead) {
  QueryResult result;
  stream("SELECT i FROM range(100000000000) t(i)", result);
  RunningQuery running;
  const RunningQuery::Interruptible interruptible(running, connection_.get());
  ChunkReader reader(result, running);
  for (int i = 0; i < 6; ++i) EXPECT_TRUE(reader.next().chunk);
  // Nobody takes more: the fetches end, and the time is the client's.
  running.stalls.set_writing(true);
  bool stalled = false;
  for (int i = 0; i < 1000 && !stalled; ++i) {
    std::this_thread::sleep_for(milliseconds(5));
    stalled = running.stalls.stalled();
  }
  EXPECT_TRUE(stalled);
  std::this_thread::sleep_for(milliseconds(50));
  EXPECT_TRUE(running.stalls.stalled());
}

TEST(Stalls, CountWhereSomebodyWritesAndNobodyFetches) {
  Stalls stalls;
  const auto now = [] { return system_clock().steady_us(); };
  EXPECT_EQ(stalls.total_us(now()), 0);
  stalls.set_fetching(true);
  stalls.set_writing(true);
  EXPECT_FALSE(stalls.stalled());
  std::this_thread::sleep_for(milliseconds(20));
  EXPECT_EQ(stalls.total_us(now()), 0);
  stalls.set_fetching(false);
  EXPECT_TRUE(stalls.stalled());
  std::this_thread::sleep_for(milliseconds(20));
  EXPECT_GE(stalls.total_us(now()), 20'000);
  stalls.set_fetching(true);
  const Micros total = stalls.total_us(now());
  EXPECT_FALSE(stalls.stalled());
  std::this_thread::sleep_for(milliseconds(20));
  EXPECT_EQ(stalls.total_us(now()), total);
  stalls.set_writing(false);
  stalls.set_writing(false);
  stalls.set_fetching(false);
  EXPECT_FALSE(stalls.stalled());
  EXPECT_EQ(stalls.total_us(now()), total);
}

}  // namespace
}  // namespace sd::engine
