// The chunks of a streamed result, fetched ahead of whoever encodes them.
//
// DuckDB makes a streamed result on the thread that fetches it, so that one thread would scan and encode by turns.
// From the fifth chunk on another thread fetches, a few chunks ahead; small results do without.
#pragma once

#include <array>
#include <condition_variable>
#include <thread>
#include <vector>

#include "destinations/duckdb/handles.h"
#include "engine/running_query.h"

namespace sd::engine {

class ChunkReader {
 public:
  // Both outlive the reader. The connection of the result is the one of `running`.
  ChunkReader(destinations::duckdb::QueryResult& result, RunningQuery& running);
  // Interrupts a fetch that is under way. The result is the caller's own again afterwards.
  ~ChunkReader();
  ChunkReader(const ChunkReader&) = delete;
  ChunkReader& operator=(const ChunkReader&) = delete;

  struct Next {
    destinations::duckdb::DataChunk chunk;  // none: the end
    bool failed = false;                    // the result says why
    std::size_t bytes = 0;                  // of its texts, about
  };
  // One thread.
  Next next();

 private:
  static constexpr unsigned kFetchedHere = 4;
  // So many chunks, and no more of them once they hold so much: of long texts one alone may be 100 MB.
  static constexpr std::size_t kAhead = 4;
  static constexpr std::size_t kAheadBytes = 4U << 20;

  Next fetch();
  // Starts it once it is worth it.
  bool has_thread();
  std::size_t text_bytes(duckdb_data_chunk chunk) const;
  bool may_fetch() const {
    return count_ahead_ == 0 || (count_ahead_ < kAhead && bytes_ahead_ < kAheadBytes);
  }
  void run();

  destinations::duckdb::QueryResult& result_;
  RunningQuery& running_;
  std::vector<idx_t> texts_;  // columns of text and bytes
  std::uint64_t fetched_here_ = 0;
  bool at_end_ = false;
  std::thread thread_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::array<Next, kAhead> ahead_;  // a ring: nothing is allocated on the way
  std::size_t first_ahead_ = 0;
  std::size_t count_ahead_ = 0;
  std::size_t bytes_ahead_ = 0;
  bool stop_ = false;
  bool stopped_ = false;
};

}  // namespace sd::engine
