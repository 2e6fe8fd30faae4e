// What a log takes on disk: index files of sealed segments, retirement, the limit.
//
// A segment goes when everything in it is released, its index file is durable, and it is older than
// the retention; when space is needed, its age does not count. Segments go in order, and each
// removal is durable before the next, so that no crash leaves a gap. Indexes go when they are older
// than their own retention; when space is needed, from one day on.
#include <algorithm>

#include "base/log.h"
#include "journal/log_impl.h"

namespace sd::journal {
bool LogImpl::reserve(std::uint64_t bytes) {
  std::uint64_t used = bytes_on_disk_.load();
  do {
    if (used + bytes > options_.max_bytes) return false;
  } while (!bytes_on_disk_.compare_exchange_weak(used, used + bytes));
  return true;
}

void LogImpl::request_housekeeping() {
  if (closing_ || housekeeping_requested_.exchange(true)) return;
  pool_.submit_housekeeping(*this);
}

void LogImpl::housekeep() noexcept {
  housekeeping_requested_ = false;
  const std::lock_guard lock(housekeep_mutex_);
  if (closing_ || failed_) return;
  write_indexes();
  const std::uint64_t before = bytes_on_disk_;
  make_room(0);
  prepare_spare();
  const bool refusing = refusal_ == Refusal::kJournalFull;
  if (refusing) make_room(options_.first_segment_bytes);
  // The next append finds out whether it is enough.
  if (refusing && (bytes_on_disk_ < before || fits(options_.first_segment_bytes))) {
    refusal_ = Refusal::kNone;
  }
}

// For each sealed segment that has none. A failure is tried again with the next segment.
void LogImpl::write_indexes() {
  std::vector<SegmentInfo> wanting;
  {
    const std::lock_guard lock(space_mutex_);
    for (const SegmentInfo& info : segments_) {
      if (info.sealed && !info.indexed) wanting.push_back(info);
    }
  }
  for (const SegmentInfo& info : wanting) {
    const Position base = info.header.base;
    const auto write = [&]() -> Result<IndexHeader> {
      TRY_ASSIGN(auto file, fs_.open(path_of(segment_name(base)), OpenMode::kRead));
      return write_index(fs_, directory_, *file, info.header, info.end, options_.label_of);
    };
    auto written = write();
    auto opened = written ? IndexFile::open(fs_, path_of(index_name(base)), base)
                          : Result<std::shared_ptr<IndexFile>>(std::unexpected(written.error()));
    if (!opened) {
      log::warn("the journal could not write the index of a segment; it stays until it is written",
                {{"file", index_name(base)}, {"cause", opened.error().message}});
      return;
    }
    index_.add_file(std::move(*opened));
    const std::uint64_t bytes = written->file_bytes();
    if (!fits(bytes)) make_room(bytes);
    bytes_on_disk_ += bytes;
    const std::lock_guard lock(space_mutex_);
    for (SegmentInfo& segment : segments_) {
      if (segment.header.base != base) continue;
      segment.indexed = true;
      segment.index_bytes = bytes;
    }
  }
}

void LogImpl::make_room(std::uint64_t bytes) {
  const std::lock_guard lock(space_mutex_);
  const Micros now = now_log_time();
  while (segments_.size() > 1) {
    const SegmentInfo& first = segments_.front();
    if (!first.indexed || first.data_end > released_) break;
    const bool old = first.time_us + options_.retention_us < now;
    const bool needed = bytes > 0 && !fits(bytes);
    if (!old && !needed) break;
    if (!retire_first(first.file_bytes == next_bytes_)) return;
  }
  while (!retired_indexes_.empty()) {
    const Micros age = now - retired_indexes_.front().time_us;
    const bool needed = bytes > 0 && !fits(bytes);
    if (age <= options_.index_retention_us && !needed) break;
    drop_index();
  }
}

// False where the disk refuses.
bool LogImpl::retire_first(bool keep_for_next) {
  const SegmentInfo info = segments_.front();
  const std::string path = path_of(segment_name(info.header.base));
  const bool keep = keep_for_next && !closing_ &&
                    (spare_state_ == SpareState::kNone || spare_state_ == SpareState::kWanted);
  const auto remove = [&]() -> Result<> {
    if (!keep) {
      TRY(fs_.remove(path));
      return fs_.sync_directory(directory_);
    }
    // The old name is gone for good before anything is written over the old bytes.
    const std::string spare = temporary_path();
    TRY(fs_.rename(path, spare));
    TRY(fs_.sync_directory(directory_));
    TRY_ASSIGN(spare_.file, fs_.open(spare, OpenMode::kReadWrite));
    spare_.path = spare;
    spare_.bytes = info.file_bytes;
    spare_state_ = SpareState::kReady;
    return {};
  };
  if (auto removed = remove(); !removed) {
    log::warn("the journal could not remove a segment", {{"cause", removed.error().message}});
    return false;
  }
  if (!keep) unreserve(info.file_bytes);
  retired_indexes_.push_back({info.header.base, info.time_us, info.index_bytes});
  segments_.pop_front();
  begin_ = segments_.front().header.previous_end;
  // After the segment: a crash between the two leaves blobs without a record, which opening sweeps.
  for (const BlobRef& blob : info.blobs) {
    (void)fs_.remove(path_of(kBlobDirectory) + "/" + blob_name(blob.id));
    unreserve(blob.length);
  }
  return true;
}

void LogImpl::drop_index() {
  const RetiredIndex index = retired_indexes_.front();
  retired_indexes_.pop_front();
  index_.remove(index.base);
  (void)fs_.remove(path_of(index_name(index.base)));
  unreserve(index.bytes);
}

bool LogImpl::last_has_released_blobs(Micros before) const {
  if (segments_.empty()) return false;
  const SegmentInfo& last = segments_.back();
  return !last.blobs.empty() && data_end_ <= released_ && time_us_ < before;
}

void LogImpl::tidy() {
  if (failed_ || closing_) return;
  const Micros old = now_log_time() - options_.retention_us;
  bool wanted;
  {
    const std::lock_guard lock(space_mutex_);
    wanted = segments_.size() > 1 && segments_.front().indexed &&
             segments_.front().data_end <= released_ && segments_.front().time_us < old;
    if (last_has_released_blobs(old)) rotate_now_ = true;
  }
  if (rotate_now_) schedule();
  if (wanted) request_housekeeping();
}

void LogImpl::release(Position position) {
  Position before = released_.load();
  while (before < position && !released_.compare_exchange_weak(before, position)) {
  }
  if (before < position) request_housekeeping();
}

}  // namespace sd::journal
