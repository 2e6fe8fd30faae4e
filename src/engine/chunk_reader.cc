#include "engine/chunk_reader.h"

namespace sd::engine {

using destinations::duckdb::DataChunk;

ChunkReader::~ChunkReader() {
  if (!thread_.joinable()) return;
  {
    std::unique_lock lock(mutex_);
    stop_ = true;
    changed_.notify_all();
    // An interrupt that comes before the fetch begins is lost.
    while (!changed_.wait_for(lock, std::chrono::milliseconds(5), [&] { return stopped_; }))
      running_.interrupt();
  }
  thread_.join();
}

ChunkReader::Next ChunkReader::fetch() {
  Next next{DataChunk(duckdb_fetch_chunk(result_.ref()))};
  if (next.chunk && duckdb_data_chunk_get_size(next.chunk.get()) != 0) return next;
  next.chunk.reset();
  const char* message = duckdb_result_error(result_.get());
  next.failed = message != nullptr && message[0] != '\0';
  return next;
}

ChunkReader::Next ChunkReader::next() {
  if (at_end_) return {};
  if (fetched_here_ < kFetchedHere) {
    ++fetched_here_;
    Next next = fetch();
    at_end_ = !next.chunk;
    return next;
  }
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !ahead_.empty(); });
  Next next = std::move(ahead_.front());
  ahead_.pop_front();
  at_end_ = !next.chunk;
  lock.unlock();
  changed_.notify_all();
  return next;
}

void ChunkReader::run() {
  for (bool more = true; more;) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return stop_ || ahead_.size() < kAhead; });
      if (stop_) break;
    }
    running_.stalls.set_fetching(true);
    Next next = fetch();
    running_.stalls.set_fetching(false);
    more = static_cast<bool>(next.chunk);
    const std::lock_guard lock(mutex_);
    ahead_.push_back(std::move(next));
    changed_.notify_all();
  }
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
}

}  // namespace sd::engine
