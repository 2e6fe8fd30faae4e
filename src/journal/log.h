// The journal: one append-only log on local disk for each destination. Its positions are the only
// truth about what was accepted.
//
// A log is a directory:
//
//   LOCK              held by the one process that appends
//   <base>.seg        segments; <base> is the position of the first record, 20 decimal digits
//   <base>.idx        index of a sealed segment (outlives it)
//   blobs/<id>.blob   large bodies, each referenced by exactly one record
//
// docs/journal_format.md and format.h give every byte. A *position* is a logical byte offset in the
// log: it only grows, and the record at position p is found in the segment with the largest base ≤
// p.
//
// Invariants:
//  - An append that was answered with success is on stable storage (written, fdatasync returned).
//  - Records are durable in the order of their positions; readers see only what is durable.
//  - After a failed write or sync nothing more is appended, ever: the log is failed until it is
//  opened
//    again, and opening reads back from disk.
//  - Opening cuts a torn tail (bytes that no acknowledged append can have written) and reports any
//    other damage as kCorruption with the position; it never skips a record.
//  - An append never blocks its caller and there is no timer: what is queued while the disk is busy
//    goes out with one write and one fdatasync.
//
// Threading: append(), durable_end(), stats() from any thread. Everything else from one thread at a
// time. Completions run on a thread of the SyncPool.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "base/ids.h"
#include "base/result.h"

namespace sd::journal {

using Position = std::uint64_t;

enum class RecordKind : std::uint8_t {
  kInsert = 1,   // rows of a request
  kControl = 2,  // a change to tables, contracts …, applied in order with the rows
};

// 128 bits of SHA-256 of an idempotency key (with its table) and of the body that it came with.
struct Idempotency {
  Id128 key;
  Id128 body;
};

// A body that stands in a file of its own. Written and synced before the record that refers to it.
struct BlobRef {
  Id128 id;
  std::uint64_t length = 0;  // bytes
  std::uint32_t crc32c = 0;  // of all of it
};

struct RecordMeta {
  RecordKind kind = RecordKind::kInsert;
  std::uint32_t rows = 0;  // of this record, refused ones too: the unit of lag
  Id128 receipt;
  std::optional<Idempotency> idempotency;
  std::optional<BlobRef> blob;
};

struct Append;

// Where finished appends go. One call hands over a whole list, so that a batch costs one thread
// hop.
class AppendSink {
 public:
  virtual ~AppendSink() = default;
  // `first` and its `next`s belong to the caller again. Must not block and must not throw.
  virtual void completed(Append* first) noexcept = 0;
};

// One append, in memory of the caller from append() until completed(). Not copied, not moved.
struct Append {
  RecordMeta meta;
  // The payload is the pieces one behind the other; the bytes stay valid until completion.
  std::string_view head;
  std::string_view body;
  AppendSink* sink = nullptr;

  // Set on completion. kInDoubt: its write or sync failed; it may or may not be found at the next
  // opening. Any other error: it was not stored.
  Result<> result;
  Position position = 0;  // of this record
  Position end = 0;       // of the next one: "durable up to here" includes this record
  Micros time_us = 0;     // the record's log time
  Append* next = nullptr;
};

// What is kept of an insert record's payload for as long as its receipt is known: up to 255 bytes, none
// for nothing. The payload is what stands in the record, without a blob.
using LabelOf = std::function<std::string(std::string_view payload)>;

struct LogOptions {
  std::uint64_t max_bytes =
      10ULL << 30;  // segments, blobs and indexes; past it appends are refused
  std::uint32_t max_record_bytes = 4U << 20;  // payload of one record; larger bodies are blobs
  std::uint32_t first_segment_bytes = 256U << 10;
  std::uint32_t last_segment_bytes = 64U << 20;  // sizes double from the first to this
  Micros retention_us =
      3600 * kMicrosPerSecond;  // loaded segments are kept this long, disk permitting
  Micros index_retention_us = 30 * 86400 * kMicrosPerSecond;  // indexes outlive their segments
  LabelOf label_of = {};
};

struct LogStats {
  Position begin = 0;              // first position still on disk
  Position durable_end = 0;        // end of the last record: what Append::end said
  std::uint64_t rows_durable = 0;  // rows ever accepted
  std::uint64_t bytes_on_disk = 0;
  std::uint64_t syncs = 0;
  std::uint64_t appends = 0;
  bool failed = false;
};

// Threads that write and sync; each log is served by at most one of them at a time. Outlives its
// logs.
class SyncPool {
 public:
  explicit SyncPool(unsigned threads = 8);
  ~SyncPool();
  SyncPool(const SyncPool&) = delete;
  SyncPool& operator=(const SyncPool&) = delete;
  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

class BlobWriter;
class Index;  // journal/index.h

class Log {
 public:
  // Called on a pool thread after each batch became durable, before its sinks. Must not block.
  using DurableListener = std::function<void(Position durable_end, std::uint64_t rows_durable)>;
  // Called with the seconds that each fdatasync took.
  using SyncObserver = std::function<void(double seconds)>;

  // Opens or creates. kUnavailable where another process owns it, kCorruption with exact positions
  // where acknowledged bytes are damaged, kInvalidArgument where a newer version wrote it.
  static Result<std::unique_ptr<Log>> open(FileSystem& fs, SyncPool& pool, const Clock& clock,
                                           std::string directory, const LogOptions& options);
  virtual ~Log() = default;  // finishes what is queued

  // Queues it; `append.sink` hears of it once. An error here means: not queued, sink not called.
  // kResourceExhausted (journal full; retry_after_s set), kUnavailable (failed or closing),
  // kInvalidArgument (payload over max_record_bytes). Errors of the disk come through the sink.
  virtual Result<> append(Append& append) = 0;

  // Random, made with the log, never changes: keys the position row in the destination.
  virtual Id128 id() const = 0;
  virtual const std::string& directory() const = 0;
  virtual Position durable_end() const = 0;
  virtual LogStats stats() const = 0;

  virtual void set_durable_listener(DurableListener listener) = 0;
  virtual void set_sync_observer(SyncObserver observer) = 0;

  // Everything below `position` is durable in the destination: its segments may go when their
  // retention is over, or at once when the space is needed. Removing runs on the pool.
  virtual void release(Position position) = 0;
  // Removes what has reached its age meanwhile. Cheap; to be called now and then, for a log that nobody
  // writes to.
  virtual void tidy() = 0;

  // A new blob file in this log. It counts against the size limit while it grows; a blob that no
  // record refers to is removed with its writer, or at the next open.
  virtual Result<std::unique_ptr<BlobWriter>> create_blob() = 0;

  // Look-ups by receipt and by idempotency key, over all that is durable. Any thread; lives as long
  // as the log.
  virtual const Index& index() const = 0;

  // Waits until everything queued is durable, then refuses appends. Idempotent.
  virtual Result<> close() = 0;
};

// Any one thread at a time; writes block (call it on a blocking pool). Must end before its log, and
// not before the append that refers to it was completed.
class BlobWriter {
 public:
  virtual ~BlobWriter() =
      default;  // removes the file unless finish() succeeded and keep() was called
  virtual Result<> write(std::string_view data) = 0;
  // Syncs file and directory. The reference may be put into a record after this.
  virtual Result<BlobRef> finish() = 0;
  // The record that refers to it is durable: the file stays.
  virtual void keep() = 0;
};

}  // namespace sd::journal
