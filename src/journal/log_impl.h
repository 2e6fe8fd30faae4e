// The log behind log.h. Three kinds of threads meet here:
//
//  - callers of append(): push onto `queue_` (one compare-and-swap) and, if nobody serves the log,
//    hand it to the pool;
//  - the one pool thread that serves it: takes the whole queue, writes a batch, syncs, completes;
//    everything under "serving" belongs to it (`serve_mutex_`, uncontended but for close());
//  - the pool thread that keeps house: indexes, retirement, the next segment's file. What it shares
//    with the serving thread is under `space_mutex_`, which is never held over a write or a sync
//    of the append path.
//
// log.cc: queue, batches, closing. log_open.cc: opening. log_segments.cc: making and sealing
// segments. log_space.cc: what is removed, and when. blob.cc: blobs.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>

#include "journal/index.h"
#include "journal/log.h"
#include "journal/recovery.h"
#include "journal/segment.h"
#include "journal/sync_pool.h"

namespace sd::journal {

// A segment that holds records, as the writer knows it.
struct SegmentInfo {
  SegmentHeader header;
  Position end = 0;       // its successor's base; of the active one: 0
  Position data_end = 0;  // end of its last insert or control record
  Micros time_us = 0;     // of its last record
  std::uint64_t file_bytes = 0;
  bool sealed = false;   // nothing comes into it any more
  bool indexed = false;  // its index file is durable
  std::uint64_t index_bytes = 0;
  std::vector<BlobRef> blobs;  // of its records
};

// An index file whose segment is gone.
struct RetiredIndex {
  Position base = 0;
  Micros time_us = 0;  // of the last record
  std::uint64_t bytes = 0;
};

// A file that has been written through once and waits to become a segment.
struct PreparedFile {
  std::unique_ptr<File> file;
  std::string path;
  std::uint64_t bytes = 0;
};

class LogImpl final : public Log, private PoolClient {
 public:
  LogImpl(FileSystem& fs, SyncPool& pool, const Clock& clock, std::string directory,
          const LogOptions& options);
  ~LogImpl() override;
  Result<> start();

  Result<> append(Append& append) override;
  Id128 id() const override { return id_; }
  const std::string& directory() const override { return directory_; }
  Position durable_end() const override { return data_end_.load(std::memory_order_acquire); }
  LogStats stats() const override;
  void set_durable_listener(DurableListener listener) override;
  void set_sync_observer(SyncObserver observer) override;
  void release(Position position) override;
  void tidy() override;
  Result<std::unique_ptr<BlobWriter>> create_blob() override;
  const Index& index() const override { return index_; }
  Result<> close() override;

  // For blob.cc.
  Result<> reserve_for_blob(std::uint64_t bytes);
  Error blob_error(Error error) const;
  void forget_blob(const BlobRef& ref, FileSystem& fs, const std::string& path);

 private:
  enum class Refusal : int { kNone, kJournalFull, kDiskFull };
  enum class SpareState { kNone, kWanted, kPreparing, kReady };

  // log.cc
  bool serve(Scratch& scratch) noexcept override;
  void serve_batch(Scratch& scratch);
  void take_queue();
  struct Batch {
    Append* first = nullptr;
    Append* last = nullptr;
    std::size_t bytes = 0;
    std::size_t count = 0;
    Position end = 0;
    std::uint64_t rows = 0;
  };
  Batch select_batch();
  // Ends a segment early whose blobs take much of the room: what can be freed is whole segments.
  bool wants_rotation() const;
  void rotate();
  void encode_batch(const Batch& batch, Scratch& scratch);
  void finish_batch(const Batch& batch);
  Result<> write_and_sync(File& file, std::uint64_t offset,
                          std::span<const std::string_view> pieces);
  void complete(Append* first);
  void fail_pending(const Error& error);
  void fail_log(const Batch& batch, const Error& cause);
  Error refusal_error(Refusal refusal) const;
  void refuse(Refusal refusal);
  void refuse_first(const Error& error);
  bool may_probe();
  void schedule();
  Result<> write_mark();

  // log_open.cc
  Result<> make_directory();
  Result<> make_tail_durable(const RecoveredLog& recovered);
  Result<> adopt(const RecoveredLog& recovered);
  Result<> adopt_index(SegmentInfo& info);
  Result<> adopt_records(SegmentInfo& info);
  Result<> adopt_retired(const std::vector<Position>& bases);
  Result<> adopt_blobs();

  // log_segments.cc
  Result<> open_segment(std::size_t record_bytes);
  Result<> name_segment(PreparedFile& prepared, const SegmentHeader& header);
  std::optional<PreparedFile> take_spare(std::uint64_t least_bytes);
  Result<PreparedFile> obtain_file(std::uint64_t least_bytes);
  Result<PreparedFile> create_file(std::uint64_t bytes, bool ahead);
  // A new one each time: one file may be taken and not yet renamed while the next is made.
  std::string temporary_path();
  Result<> fill_with_zeros(File& file, std::uint64_t bytes, bool ahead);
  void discard(PreparedFile& prepared);
  Result<> seal_predecessor(Position at);
  void want_spare();
  void prepare_spare();

  // log_space.cc
  void housekeep() noexcept override;
  void request_housekeeping();
  void write_indexes();
  // Removes what is released and old enough; with `bytes` > 0 also what is younger, until so many
  // bytes fit under the limit.
  void make_room(std::uint64_t bytes);
  // Whether the last segment holds blobs and nothing that is still to be loaded.
  bool last_has_released_blobs(Micros before) const;
  bool retire_first(bool keep_for_next);  // under space_mutex_
  void drop_index();                      // the oldest retired one; under space_mutex_
  bool reserve(std::uint64_t bytes);      // counts the bytes if the limit allows them
  bool fits(std::uint64_t bytes) const { return bytes_on_disk_ + bytes <= options_.max_bytes; }
  void unreserve(std::uint64_t bytes) { bytes_on_disk_ -= bytes; }
  std::uint64_t most_segment_bytes() const;
  Micros now_log_time() const;
  std::string path_of(std::string_view name) const;

  FileSystem& fs_;
  SyncPool::Impl& pool_;
  const Clock& clock_;
  const std::string directory_;
  const LogOptions options_;
  Id128 id_;
  std::unique_ptr<File> lock_;

  // The queue, newest first.
  std::atomic<Append*> queue_{nullptr};
  std::atomic<bool> scheduled_{false};
  std::atomic<bool> closing_{false};
  std::atomic<bool> failed_{false};
  std::atomic<Refusal> refusal_{Refusal::kNone};
  std::atomic<Micros> next_probe_us_{0};
  std::atomic<bool> rotate_now_{false};  // also without an append

  // What readers and stats see.
  std::atomic<Position> data_end_{0};
  std::atomic<std::uint64_t> rows_{0};
  std::atomic<Position> begin_{0};
  std::atomic<std::uint64_t> bytes_on_disk_{0};
  std::atomic<std::uint64_t> syncs_{0};
  std::atomic<std::uint64_t> appends_{0};
  std::atomic<Micros> time_us_{0};

  std::mutex listener_mutex_;
  DurableListener durable_listener_;
  SyncObserver sync_observer_;

  // Serving.
  std::mutex serve_mutex_;
  Append* pending_first_ = nullptr;  // taken from the queue, not yet in a batch
  Append* pending_last_ = nullptr;
  std::shared_ptr<File> active_file_;  // null until the first append after opening
  SegmentHeader active_header_;
  std::uint32_t active_seed_ = 0;
  Position position_ = 0;  // where the next record goes
  std::uint64_t active_blob_bytes_ = 0;
  Position active_limit_ = 0;  // records end at or before this
  bool dirty_ = false;         // something was appended since the log was opened
  bool closed_ = false;
  // Before active_file_ exists: how appending begins.
  Position next_base_ = 0;
  std::optional<Position> seal_at_;
  std::shared_ptr<File> tail_file_;   // the last segment, which gets the seal
  std::uint64_t replaced_bytes_ = 0;  // size of a file without records that gives way
  Position spare_asked_for_ = ~Position{0};
  SegmentHeader tail_header_;
  struct SinkList {
    AppendSink* sink;
    Append* first;
    Append* last;
  };
  std::vector<SinkList> sinks_;

  // Space.
  std::mutex housekeep_mutex_;
  std::atomic<bool> housekeeping_requested_{false};
  std::atomic<Position> released_{0};
  mutable std::mutex space_mutex_;
  std::condition_variable spare_changed_;
  std::deque<SegmentInfo> segments_;  // in order; the last one is the active one, if there is one
  std::deque<RetiredIndex> retired_indexes_;  // oldest first
  bool blob_directory_made_ = false;
  Index index_;  // locks itself
  SpareState spare_state_ = SpareState::kNone;
  std::atomic<std::uint64_t> temporaries_{0};
  PreparedFile spare_;
  std::uint64_t next_bytes_ = 0;  // size of the next segment
};

}  // namespace sd::journal
