// Opening a log: one owner, recovery, and taking over what is there.
#include <algorithm>
#include <set>

#include "base/log.h"
#include "journal/log_impl.h"

namespace sd::journal {
namespace {

Result<> check_options(const LogOptions& options) {
  if (options.first_segment_bytes < 2 * kSegmentHeaderBytes ||
      options.first_segment_bytes % kSegmentHeaderBytes != 0 ||
      options.last_segment_bytes % kSegmentHeaderBytes != 0 ||
      options.last_segment_bytes < options.first_segment_bytes) {
    return fail(invalid("journal segments need sizes that are multiples of 4096, at least 8192"));
  }
  if (options.max_bytes < 4ULL * options.first_segment_bytes) {
    return fail(invalid("the journal's size limit is below four of its smallest segments (" +
                        std::to_string(4ULL * options.first_segment_bytes) + " bytes)"));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Log>> Log::open(FileSystem& fs, SyncPool& pool, const Clock& clock,
                                       std::string directory, const LogOptions& options) {
  TRY(check_options(options));
  auto log = std::make_unique<LogImpl>(fs, pool, clock, std::move(directory), options);
  TRY(log->start());
  return log;
}

Result<> LogImpl::start() {
  TRY(make_directory());
  TRY_ASSIGN(lock_, fs_.open(path_of(kLockName), OpenMode::kOpenOrCreate));
  if (auto locked = lock_->try_lock(); !locked) {
    if (locked.error().code != ErrorCode::kUnavailable) return locked;
    return fail(Error{.code = ErrorCode::kUnavailable,
                      .message = "this journal is in use by another process",
                      .slug = "journal-unavailable",
                      .retry_after_s = 5});
  }
  TRY_ASSIGN(auto recovered, recover_log(fs_, directory_));
  TRY_ASSIGN(const auto listing, list_log(fs_, directory_));
  for (const auto& name : listing.temporaries) TRY(fs_.remove(path_of(name)));
  if (!recovered) {
    id_ = Id128::make();
    TRY(open_segment(0));
    return {};
  }
  id_ = recovered->log_id;
  TRY(make_tail_durable(*recovered));
  return adopt(*recovered);
}

// Creates it with the missing directories above; each new name is made durable in its parent.
Result<> LogImpl::make_directory() {
  std::vector<std::string> created;
  std::string path = directory_;
  while (true) {
    TRY_ASSIGN(const bool exists, fs_.exists(path));
    if (exists) break;
    created.push_back(path);
    std::string parent = dir_name(path);
    if (parent == path) break;
    path = std::move(parent);
  }
  // Also where it exists: a crash may have come between making it and this.
  if (created.empty()) created.push_back(directory_);
  TRY(fs_.make_directories(directory_));
  for (const auto& made : created) TRY(fs_.sync_directory(dir_name(made)));
  return {};
}

// What we are about to call durable may be in the page cache only: the process before us may have
// died between write and sync, and after a failed sync the kernel calls the pages clean. So the
// bytes of the last batch are written again before they are synced.
Result<> LogImpl::make_tail_durable(const RecoveredLog& recovered) {
  if (recovered.seal_at) {
    const RecoveredSegment& tail = recovered.segments.back();
    const std::string path = path_of(segment_name(tail.header.base));
    TRY_ASSIGN(auto file, fs_.open(path, OpenMode::kReadWrite));
    Position at = std::max(recovered.synced, tail.header.base);
    std::vector<char> buffer(std::min<Position>(1U << 20, tail.end - at));
    while (at < tail.end) {
      const std::size_t want = std::min<Position>(buffer.size(), tail.end - at);
      const std::span<char> bytes(buffer.data(), want);
      TRY_ASSIGN(const std::size_t got, file->read_at(tail.header.file_offset(at), bytes));
      if (got < want) return fail(ErrorCode::kInternal, "the journal's last segment shrank");
      TRY(file->write_at(tail.header.file_offset(at), std::string_view(buffer.data(), want)));
      at += want;
    }
    TRY(file->sync_data());
    tail_file_ = std::move(file);
    tail_header_ = tail.header;
  }
  return fs_.sync_directory(directory_);
}

// Takes over what recovery found, and sees to indexes and blobs.
Result<> LogImpl::adopt(const RecoveredLog& recovered) {
  data_end_ = recovered.data_end;
  rows_ = recovered.rows;
  time_us_ = recovered.time_us;
  begin_ = recovered.begin;
  next_base_ = recovered.next_base;
  seal_at_ = recovered.seal_at;
  replaced_bytes_ = recovered.empty_file_bytes;
  bytes_on_disk_ = replaced_bytes_;
  TRY_ASSIGN(const auto listing, list_log(fs_, directory_));
  for (std::size_t i = 0; i < recovered.segments.size(); ++i) {
    const RecoveredSegment& segment = recovered.segments[i];
    const bool last = i + 1 == recovered.segments.size();
    SegmentInfo info{
        .header = segment.header,
        .end = segment.end,
        .data_end = last ? recovered.data_end : recovered.segments[i + 1].header.previous_end,
        .time_us = segment.time_us,
        .file_bytes = segment.file_bytes};
    const bool sealed = !last || !recovered.seal_at;
    const bool listed =
        std::binary_search(listing.indexes.begin(), listing.indexes.end(), segment.header.base);
    if (sealed && listed) TRY(adopt_index(info));
    info.sealed = sealed;
    if (!info.indexed) TRY(adopt_records(info));
    bytes_on_disk_ += info.file_bytes + info.index_bytes;
    for (const BlobRef& blob : info.blobs) bytes_on_disk_ += blob.length;
    segments_.push_back(std::move(info));
  }
  TRY(adopt_retired(listing.indexes));
  TRY(adopt_blobs());
  request_housekeeping();
  return {};
}

// The index file of a segment that is still there. One that does not fit is made again.
Result<> LogImpl::adopt_index(SegmentInfo& info) {
  const Position base = info.header.base;
  auto file = IndexFile::open(fs_, path_of(index_name(base)), base);
  if (!file && file.error().code == ErrorCode::kInvalidArgument) return fail(file.error());
  if (!file || (*file)->header().log_id != id_ ||
      (*file)->header().generation != info.header.generation || (*file)->header().end != info.end) {
    log::warn("an index of the journal does not verify and is made again",
              {{"file", index_name(base)}});
    return {};
  }
  auto blobs = (*file)->blobs();
  if (!blobs && blobs.error().code != ErrorCode::kCorruption) return fail(blobs.error());
  if (!blobs) return {};
  info.blobs = std::move(*blobs);
  info.indexed = true;
  info.index_bytes = (*file)->header().file_bytes();
  index_.add_file(std::move(*file));
  return {};
}

// A segment without index file: its records are read (and so verified) into a table in memory.
Result<> LogImpl::adopt_records(SegmentInfo& info) {
  const Position base = info.header.base;
  TRY_ASSIGN(auto opened, fs_.open(path_of(segment_name(base)), OpenMode::kRead));
  const std::shared_ptr<File> file = std::move(opened);
  index_.add_live(std::make_shared<LiveIndex>(file, info.header));
  TRY_ASSIGN(const SegmentScan scan,
             scan_segment(*file, info.header, info.end, [&](const RecordHeader& h, auto) {
               if (h.is_data()) index_.add(base, h);
               if (h.blob) info.blobs.push_back(*h.blob);
             }));
  if (scan.end != info.end || scan.sealed != info.sealed) {
    return fail(ErrorCode::kCorruption,
                "the journal is damaged: no valid record at " + describe_position(base, scan.end));
  }
  return {};
}

// Index files whose segments are gone; all of them must lie before the first segment.
Result<> LogImpl::adopt_retired(const std::vector<Position>& bases) {
  for (const Position base : bases) {
    const auto same = [&](const SegmentInfo& info) { return info.header.base == base; };
    if (std::any_of(segments_.begin(), segments_.end(), same)) continue;
    auto file = IndexFile::open(fs_, path_of(index_name(base)), base);
    if (!file && file.error().code != ErrorCode::kCorruption) return fail(file.error());
    if (!file || (*file)->header().log_id != id_) {
      log::warn("an index of the journal does not verify and is left out",
                {{"file", index_name(base)}});
      continue;
    }
    const IndexHeader& header = (*file)->header();
    if (header.end > (segments_.empty() ? next_base_ : segments_.front().header.base)) {
      return fail(ErrorCode::kCorruption, "the journal is damaged: the segment of positions " +
                                              std::to_string(base) + " to " +
                                              std::to_string(header.end) + " is missing");
    }
    retired_indexes_.push_back({base, header.last_time_us, header.file_bytes()});
    bytes_on_disk_ += header.file_bytes();
    index_.add_file(std::move(*file));
  }
  return {};
}

// Every blob that a record refers to must be there; the others never got their record.
Result<> LogImpl::adopt_blobs() {
  const std::string directory = path_of(kBlobDirectory);
  std::vector<std::string> names;
  TRY_ASSIGN(const bool exists, fs_.exists(directory));
  if (exists) {
    TRY_ASSIGN(names, fs_.list(directory));
  }
  std::set<Id128> wanted;
  for (const SegmentInfo& info : segments_) {
    for (const BlobRef& blob : info.blobs) wanted.insert(blob.id);
  }
  for (const std::string& name : names) {
    const auto id = parse_blob_name(name);
    if (!id || wanted.erase(*id) != 0) continue;
    TRY(fs_.remove(directory + "/" + name));
  }
  if (wanted.empty()) return {};
  return fail(ErrorCode::kCorruption, "the journal is damaged: " + blob_name(*wanted.begin()) +
                                          ", to which a record refers, is missing");
}

}  // namespace sd::journal
