// The chunks of a streamed result, fetched ahead of whoever encodes them.
//
// DuckDB makes a streamed result on the thread that fetches it, so that one thread would scan and encode by turns.
// From the fifth chunk on another thread fetches, a few chunks ahead; small results do without.
#pragma once

#include <condition_variable>
#include <deque>
#include <thread>

#include "destinations/duckdb/handles.h"
#include "engine/running_query.h"

namespace sd::engine {

class ChunkReader {
 public:
  // Both outlive the reader. The connection of the result is the one of `running`.
  ChunkReader(destinations::duckdb::QueryResult& result, RunningQuery& running)
      : result_(result), running_(running) {}
  // Interrupts a fetch that is under way. The result is the caller's own again afterwards.
  ~ChunkReader();
  ChunkReader(const ChunkReader&) = delete;
  ChunkReader& operator=(const ChunkReader&) = delete;

  struct Next {
    destinations::duckdb::DataChunk chunk;  // none: the end
    bool failed = false;                    // the result says why
  };
  // One thread.
  Next next();

 private:
  static constexpr unsigned kFetchedHere = 4;
  static constexpr std::size_t kAhead = 4;

  Next fetch();
  void run();

  destinations::duckdb::QueryResult& result_;
  RunningQuery& running_;
  unsigned fetched_here_ = 0;
  bool at_end_ = false;
  std::thread thread_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Next> ahead_;
  bool stop_ = false;
  bool stopped_ = false;
};

}  // namespace sd::engine
