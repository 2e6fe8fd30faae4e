#include "engine/chunk_reader.h"

#include <algorithm>
#include <system_error>

namespace sd::engine {

using destinations::duckdb::DataChunk;

ChunkReader::ChunkReader(destinations::duckdb::QueryResult& result, RunningQuery& running)
    : result_(result), running_(running) {
  for (idx_t i = 0; i < duckdb_column_count(result_.get()); ++i) {
    const duckdb_type type = duckdb_column_type(result_.get(), i);
    if (type == DUCKDB_TYPE_VARCHAR || type == DUCKDB_TYPE_BLOB) texts_.push_back(i);
  }
}

// Of some rows, for all: texts of one column are of a length, mostly.
std::size_t ChunkReader::text_bytes(duckdb_data_chunk chunk) const {
  constexpr idx_t kLooked = 16;
  const idx_t size = duckdb_data_chunk_get_size(chunk);
  const idx_t step = std::max<idx_t>(1, size / kLooked);
  std::size_t sum = 0;
  for (const idx_t column : texts_) {
    const duckdb_vector vector = duckdb_data_chunk_get_vector(chunk, column);
    std::uint64_t* validity = duckdb_vector_get_validity(vector);
    const auto* values = static_cast<const duckdb_string_t*>(duckdb_vector_get_data(vector));
    for (idx_t row = 0; row < size; row += step) {
      if (validity == nullptr || duckdb_validity_row_is_valid(validity, row))
        sum += values[row].value.inlined.length;
    }
  }
  return sum * step;
}

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

bool ChunkReader::has_thread() {
  if (thread_.joinable()) return true;
  if (fetched_here_++ < kFetchedHere) return false;
  try {
    thread_ = std::thread([this] { run(); });
    return true;
  } catch (const std::system_error&) {
    return false;  // it goes on without, slower
  }
}

ChunkReader::Next ChunkReader::next() {
  if (at_end_) return {};
  if (!has_thread()) {
    Next next = fetch();
    at_end_ = !next.chunk;
    return next;
  }
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return count_ahead_ != 0; });
  Next next = std::move(ahead_[first_ahead_]);
  first_ahead_ = (first_ahead_ + 1) % kAhead;
  --count_ahead_;
  bytes_ahead_ -= next.bytes;
  at_end_ = !next.chunk;
  lock.unlock();
  changed_.notify_all();
  return next;
}

void ChunkReader::run() {
  for (bool more = true; more;) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return stop_ || may_fetch(); });
      if (stop_) break;
    }
    running_.stalls.set_fetching(true);
    Next next = fetch();
    running_.stalls.set_fetching(false);
    more = static_cast<bool>(next.chunk);
    if (more) next.bytes = text_bytes(next.chunk.get());
    const std::lock_guard lock(mutex_);
    bytes_ahead_ += next.bytes;
    ahead_[(first_ahead_ + count_ahead_++) % kAhead] = std::move(next);
    changed_.notify_all();
  }
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
}

}  // namespace sd::engine
