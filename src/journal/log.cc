#include "journal/log.h"

#include <algorithm>

#include "base/checksum.h"
#include "base/log.h"
#include "journal/log_impl.h"

namespace sd::journal {
namespace {

// What goes out with one write at most; more waits for the next one, so that nobody waits long.
constexpr std::size_t kMaxBatchBytes = 8U << 20;
// Pieces from this size on are written from where they are; smaller ones are gathered.
constexpr std::size_t kGatherBelow = 32U << 10;
constexpr Micros kProbeInterval = kMicrosPerSecond;
constexpr int kRetryAfterSeconds = 5;

Error unavailable(std::string message) {
  return Error{.code = ErrorCode::kUnavailable,
               .message = std::move(message),
               .slug = "journal-unavailable",
               .retry_after_s = kRetryAfterSeconds};
}

}  // namespace

LogImpl::LogImpl(FileSystem& fs, SyncPool& pool, const Clock& clock, std::string directory,
                 const LogOptions& options)
    : fs_(fs),
      pool_(pool.impl()),
      clock_(clock),
      directory_(std::move(directory)),
      options_(options),
      next_bytes_(options.first_segment_bytes) {}

LogImpl::~LogImpl() {
  (void)close();
}

// ---- the queue

Result<> LogImpl::append(Append& append) {
  const std::size_t payload = append.head.size() + append.body.size();
  if (payload > options_.max_record_bytes) {
    return fail(invalid("a record of " + std::to_string(payload) +
                        " bytes is over the journal's limit of " +
                        std::to_string(options_.max_record_bytes)));
  }
  if (failed_.load(std::memory_order_acquire)) {
    return fail(unavailable("the journal of this destination failed and must be opened again"));
  }
  if (closing_.load(std::memory_order_acquire)) {
    return fail(unavailable("the journal of this destination is closing"));
  }
  const Refusal refusal = refusal_.load(std::memory_order_acquire);
  if (refusal != Refusal::kNone && !may_probe()) return fail(refusal_error(refusal));

  Append* head = queue_.load(std::memory_order_relaxed);
  do {
    append.next = head;
  } while (!queue_.compare_exchange_weak(head, &append, std::memory_order_seq_cst,
                                         std::memory_order_relaxed));
  schedule();
  return {};
}

void LogImpl::schedule() {
  // The load spares the cache line when somebody serves the log already, which is the common case.
  if (!scheduled_.load(std::memory_order_seq_cst) && !scheduled_.exchange(true)) {
    pool_.submit(*this);
  }
}

Error LogImpl::refusal_error(Refusal refusal) const {
  const bool journal = refusal == Refusal::kJournalFull;
  return Error{
      .code = ErrorCode::kResourceExhausted,
      .message = journal ? "the journal of this destination is full: it holds events that the "
                           "destination has not taken yet; nothing was stored, try again later"
                         : "the disk of the journal is full; nothing was stored, try again later",
      .slug = journal ? "journal-full" : "disk-full",
      .retry_after_s = kRetryAfterSeconds};
}

// While appends are refused, one a second is let through to find out whether there is room again.
bool LogImpl::may_probe() {
  const Micros now = clock_.steady_us();
  Micros due = next_probe_us_.load();
  return now >= due && next_probe_us_.compare_exchange_strong(due, now + kProbeInterval);
}

void LogImpl::refuse(Refusal refusal) {
  next_probe_us_ = clock_.steady_us() + kProbeInterval;
  refusal_.store(refusal, std::memory_order_release);
  request_housekeeping();
}

// Moves the queue behind what is pending, oldest first.
void LogImpl::take_queue() {
  Append* taken = queue_.exchange(nullptr, std::memory_order_seq_cst);
  if (taken == nullptr) return;
  Append* last = taken;
  Append* reversed = nullptr;
  while (taken != nullptr) {
    Append* next = taken->next;
    taken->next = reversed;
    reversed = taken;
    taken = next;
  }
  if (pending_last_ != nullptr) {
    pending_last_->next = reversed;
  } else {
    pending_first_ = reversed;
  }
  pending_last_ = last;
}

bool LogImpl::serve(Scratch& scratch) noexcept {
  {
    const std::lock_guard lock(serve_mutex_);
    take_queue();
    if (rotate_now_.exchange(false)) rotate();
    if (pending_first_ != nullptr) serve_batch(scratch);
    if (pending_first_ != nullptr) return true;
  }
  if (queue_.load(std::memory_order_seq_cst) != nullptr) return true;
  scheduled_.store(false, std::memory_order_seq_cst);
  const bool more = queue_.load(std::memory_order_seq_cst) != nullptr || rotate_now_.load();
  return more && !scheduled_.exchange(true);
}

bool LogImpl::wants_rotation() const {
  return active_file_ && active_blob_bytes_ >= options_.max_bytes / 8;
}

// Where no file can be had for the next segment, the active one goes on.
void LogImpl::rotate() {
  if (closed_ || failed_) return;
  const bool has_records = active_file_ ? position_ != active_header_.base : seal_at_.has_value();
  if (!has_records) return;
  const Refusal before = refusal_;
  auto opened = open_segment(0);
  if (opened) return;
  if (opened.error().code != ErrorCode::kResourceExhausted) return fail_log({}, opened.error());
  refusal_ = before;  // nobody asked for this room but we ourselves
}

void LogImpl::serve_batch(Scratch& scratch) {
  if (closed_) return fail_pending(unavailable("the journal of this destination is closed"));
  if (failed_) return fail_pending(unavailable("the journal of this destination failed"));
  if (wants_rotation()) rotate();
  if (failed_) return fail_pending(unavailable("the journal of this destination failed"));
  const Batch batch = select_batch();
  if (batch.first == nullptr) return;
  encode_batch(batch, scratch);
  const std::uint64_t offset = active_header_.file_offset(position_);
  if (auto written = write_and_sync(*active_file_, offset, scratch.pieces); !written) {
    return fail_log(batch, written.error());
  }
  finish_batch(batch);
}

// Cuts from what is pending as much as goes out with one write. Opens a segment where the first one
// does not fit; where that cannot be, completes appends with the error and gives an empty batch.
LogImpl::Batch LogImpl::select_batch() {
  Batch batch;
  const Micros now = std::max(clock_.wall_us(), time_us_.load(std::memory_order_relaxed));
  batch.end = position_;
  batch.rows = rows_.load(std::memory_order_relaxed);
  for (Append* a = pending_first_; a != nullptr; a = a->next) {
    const std::size_t size = record_bytes(a->meta, a->head.size() + a->body.size());
    if (batch.first != nullptr && batch.bytes + size > kMaxBatchBytes) break;
    if (!active_file_ || batch.end + size > active_limit_) {
      if (batch.first != nullptr) break;
      if (auto opened = open_segment(size); !opened) {
        refuse_first(opened.error());
        return {};
      }
      batch.end = position_;
    }
    if (batch.first == nullptr) batch.first = a;
    batch.last = a;
    batch.bytes += size;
    ++batch.count;
    a->time_us = now;
    a->position = batch.end;
    batch.end += size;
    a->end = batch.end;
  }
  time_us_.store(now, std::memory_order_relaxed);
  pending_first_ = batch.last->next;
  if (pending_first_ == nullptr) pending_last_ = nullptr;
  batch.last->next = nullptr;
  return batch;
}

// The first pending append needs a segment that cannot be made.
void LogImpl::refuse_first(const Error& error) {
  if (error.code != ErrorCode::kResourceExhausted) return fail_log({}, error);
  Append* first = pending_first_;
  pending_first_ = first->next;
  if (pending_first_ == nullptr) pending_last_ = nullptr;
  first->next = nullptr;
  first->result = fail(error);
  complete(first);
}

// Fills scratch.pieces with the batch's bytes.
void LogImpl::encode_batch(const Batch& batch, Scratch& scratch) {
  if (scratch.bytes.size() < batch.bytes)
    scratch.bytes.resize(std::max<std::size_t>(batch.bytes, 64U << 10));
  scratch.pieces.clear();
  char* gathered = scratch.bytes.data();  // not yet in a piece
  char* out = gathered;
  std::uint64_t rows = rows_.load(std::memory_order_relaxed);
  const auto add = [&](std::string_view bytes, std::uint32_t crc) {
    if (bytes.empty()) return crc;
    if (bytes.size() < kGatherBelow) {
      std::memcpy(out, bytes.data(), bytes.size());
      crc = crc32c(crc, out, bytes.size());
      out += bytes.size();
      return crc;
    }
    if (out != gathered) scratch.pieces.emplace_back(gathered, out - gathered);
    gathered = out;
    scratch.pieces.push_back(bytes);
    return crc32c(crc, bytes.data(), bytes.size());
  };
  for (const Append* a = batch.first; a != nullptr; a = a->next) {
    const RecordMeta& meta = a->meta;
    const RecordHeader header{
        .payload_bytes = static_cast<std::uint32_t>(a->head.size() + a->body.size()),
        .position = a->position,
        .kind = static_cast<std::uint8_t>(meta.kind),
        .flags = static_cast<std::uint8_t>((meta.idempotency ? kFlagIdempotency : 0) |
                                           (meta.blob ? kFlagBlob : 0)),
        .rows = meta.rows,
        .time_us = a->time_us,
        .rows_before = rows,
        .synced = position_,
        .receipt = meta.receipt,
        .idempotency = meta.idempotency,
        .blob = meta.blob};
    rows += meta.rows;
    char* record = out;
    encode_record_header(header, record);
    out += header.payload_offset();
    std::uint32_t crc = crc32c(active_seed_, record + 4, header.payload_offset() - 4);
    crc = add(a->head, crc);
    crc = add(a->body, crc);
    const std::size_t padding = header.bytes() - header.payload_offset() - header.payload_bytes;
    std::memset(out, 0, padding);
    crc = crc32c(crc, out, padding);
    out += padding;
    store_crc(record, crc);
  }
  if (out != gathered) scratch.pieces.emplace_back(gathered, out - gathered);
}

Result<> LogImpl::write_and_sync(File& file, std::uint64_t offset,
                                 std::span<const std::string_view> pieces) {
  TRY(file.write_at(offset, pieces));
  const Micros start = clock_.steady_us();
  TRY(file.sync_data());
  syncs_.fetch_add(1, std::memory_order_relaxed);
  const std::lock_guard lock(listener_mutex_);
  if (sync_observer_) {
    sync_observer_(static_cast<double>(clock_.steady_us() - start) / kMicrosPerSecond);
  }
  return {};
}

void LogImpl::finish_batch(const Batch& batch) {
  std::uint64_t rows = rows_.load(std::memory_order_relaxed);
  bool blobs = false;
  {
    Index::Adding index(index_);
    for (const Append* a = batch.first; a != nullptr; a = a->next) {
      rows += a->meta.rows;
      blobs = blobs || a->meta.blob.has_value();
      index.add(a->position, a->meta);
    }
  }
  if (blobs) {
    const std::lock_guard lock(space_mutex_);
    for (const Append* a = batch.first; a != nullptr; a = a->next) {
      if (!a->meta.blob) continue;
      segments_.back().blobs.push_back(*a->meta.blob);
      active_blob_bytes_ += a->meta.blob->length;
    }
  }
  position_ = batch.end;
  dirty_ = true;
  rows_.store(rows, std::memory_order_relaxed);
  data_end_.store(batch.end, std::memory_order_release);
  appends_.fetch_add(batch.count, std::memory_order_relaxed);
  if (refusal_.load(std::memory_order_relaxed) != Refusal::kNone) refusal_ = Refusal::kNone;
  if (position_ - active_header_.base > (active_limit_ - active_header_.base) / 4) want_spare();
  {
    const std::lock_guard lock(listener_mutex_);
    if (durable_listener_) durable_listener_(batch.end, rows);
  }
  complete(batch.first);
}

// Hands every append to its sink: one call for each sink, in order. The appends belong to their
// owners as soon as a sink has them, so the lists are cut apart before the first call.
void LogImpl::complete(Append* first) {
  sinks_.clear();
  std::size_t recent = 0;
  while (first != nullptr) {
    Append* next = first->next;
    first->next = nullptr;
    if (sinks_.empty() || sinks_[recent].sink != first->sink) {
      recent = 0;
      while (recent < sinks_.size() && sinks_[recent].sink != first->sink) ++recent;
    }
    if (recent == sinks_.size()) {
      sinks_.push_back({first->sink, first, first});
    } else {
      sinks_[recent].last->next = first;
      sinks_[recent].last = first;
    }
    first = next;
  }
  for (const SinkList& list : sinks_) list.sink->completed(list.first);
}

void LogImpl::fail_pending(const Error& error) {
  take_queue();
  Append* first = pending_first_;
  pending_first_ = pending_last_ = nullptr;
  for (Append* a = first; a != nullptr; a = a->next) a->result = fail(error);
  if (first != nullptr) complete(first);
}

// After this nothing is written to the log any more. The batch may or may not be found at the next
// opening; what was queued behind it was never written.
void LogImpl::fail_log(const Batch& batch, const Error& cause) {
  failed_.store(true, std::memory_order_release);
  log::error("the journal failed; nothing more is appended until it is opened again",
             {{"position", std::to_string(position_)}, {"cause", cause.message}});
  for (Append* a = batch.first; a != nullptr; a = a->next) {
    a->result = fail(ErrorCode::kInDoubt,
                     "the journal could not confirm that this was stored; it may or may not be");
  }
  if (batch.first != nullptr) complete(batch.first);
  fail_pending(unavailable("the journal of this destination failed; nothing was stored"));
}

// ---- the rest

LogStats LogImpl::stats() const {
  return {.begin = begin_,
          .durable_end = durable_end(),
          .rows_durable = rows_,
          .bytes_on_disk = bytes_on_disk_,
          .syncs = syncs_,
          .appends = appends_,
          .failed = failed_};
}

void LogImpl::set_durable_listener(DurableListener listener) {
  const std::lock_guard lock(listener_mutex_);
  durable_listener_ = std::move(listener);
}

void LogImpl::set_sync_observer(SyncObserver observer) {
  const std::lock_guard lock(listener_mutex_);
  sync_observer_ = std::move(observer);
}

Result<> LogImpl::close() {
  closing_ = true;
  pool_.wait_idle(*this);
  const std::lock_guard lock(serve_mutex_);
  if (closed_) return {};
  closed_ = true;
  Result<> marked = failed_ ? Result<>() : write_mark();
  active_file_.reset();
  tail_file_.reset();
  {
    const std::lock_guard space_lock(space_mutex_);
    if (spare_state_ == SpareState::kReady) discard(spare_);
    spare_state_ = SpareState::kNone;
  }
  lock_.reset();
  if (failed_) return fail(unavailable("the journal of this destination failed"));
  return marked;
}

// So that the next opening can tell damage from a torn tail in the last batch too.
Result<> LogImpl::write_mark() {
  if (!dirty_) return {};
  const RecordHeader header{.position = position_,
                            .kind = kKindMark,
                            .time_us = time_us_,
                            .rows_before = rows_,
                            .synced = position_};
  std::array<char, kRecordHeaderBytes> bytes;
  encode_bare_record(header, active_seed_, bytes);
  const std::string_view piece(bytes.data(), bytes.size());
  return write_and_sync(*active_file_, active_header_.file_offset(position_), std::span(&piece, 1));
}

}  // namespace sd::journal
