// Segment files: made ahead, opened, sealed.
#include <algorithm>
#include <array>

#include "base/log.h"
#include "journal/log_impl.h"

namespace sd::journal {
namespace {

constexpr std::size_t kFillBytes = 1U << 20;
// Filling syncs this often, so that an append beside it never waits for a large flush.
constexpr std::uint64_t kFillSyncBytes = 4U << 20;
// Without a file made ahead, an append waits for one: a small one.
constexpr std::uint64_t kMostBytesOnDemand = 4U << 20;

constexpr std::uint64_t round_up(std::uint64_t n, std::uint64_t to) {
  return (n + to - 1) / to * to;
}

std::string_view zeros() {
  static const std::string bytes(kFillBytes, '\0');
  return bytes;
}

}  // namespace

std::string LogImpl::path_of(std::string_view name) const {
  return directory_ + "/" + std::string(name);
}

std::string LogImpl::temporary_path() {
  return path_of("next-" + std::to_string(++temporaries_) + std::string(kTemporarySuffix));
}

Micros LogImpl::now_log_time() const {
  return std::max(clock_.wall_us(), time_us_.load());
}

// Ends the active segment (if there is one) and begins the next, which has room for a record of
// `record_bytes`. kResourceExhausted leaves everything as it was; any other error is final.
//
// The order on disk: file written through → header → its name → the predecessor's seal → records.
Result<> LogImpl::open_segment(std::size_t record_bytes) {
  const std::optional<Position> seal_at = active_file_ ? position_ : seal_at_;
  const Position base = active_file_ ? position_ + kRecordHeaderBytes : next_base_;
  TRY_ASSIGN(PreparedFile prepared,
             obtain_file(kSegmentHeaderBytes + record_bytes + kSegmentTailBytes));
  const SegmentHeader header{.log_id = id_,
                             .base = base,
                             .generation = random_u64(),
                             .segment_bytes = prepared.bytes,
                             .time_us = now_log_time(),
                             .rows_before = rows_,
                             .previous_end = data_end_};
  if (auto named = name_segment(prepared, header); !named) {
    discard(prepared);
    if (named.error().code != ErrorCode::kResourceExhausted) return named;
    refuse(Refusal::kDiskFull);
    return fail(refusal_error(Refusal::kDiskFull));
  }
  // From here on a failure is final: the name may or may not be durable.
  const auto final = [](Result<> result) -> Result<> {
    if (!result && result.error().code == ErrorCode::kResourceExhausted) {
      result.error().code = ErrorCode::kInternal;
    }
    return result;
  };
  TRY(final(fs_.sync_directory(directory_)));
  if (seal_at) TRY(final(seal_predecessor(*seal_at)));

  unreserve(std::exchange(replaced_bytes_, 0));
  seal_at_.reset();
  tail_file_ = std::move(prepared.file);
  active_file_ = tail_file_;
  tail_header_ = active_header_ = header;
  active_seed_ = header.record_seed();
  position_ = base;
  active_blob_bytes_ = 0;
  active_limit_ = base + (prepared.bytes - kSegmentHeaderBytes - kSegmentTailBytes);
  {
    const std::lock_guard lock(space_mutex_);
    if (!segments_.empty()) {
      segments_.back().end = base;
      segments_.back().sealed = true;
      segments_.back().data_end = data_end_;
      segments_.back().time_us = time_us_;
    }
    if (segments_.empty()) begin_ = header.previous_end;
    segments_.push_back({.header = header,
                         .data_end = base,
                         .time_us = header.time_us,
                         .file_bytes = prepared.bytes});
    index_.add_live(std::make_shared<LiveIndex>(active_file_, header));
    next_bytes_ = std::clamp<std::uint64_t>(next_bytes_ * 2, options_.first_segment_bytes,
                                            most_segment_bytes());
  }
  if (seal_at) request_housekeeping();  // the segment before wants its index
  return {};
}

// Writes the header into the file and gives it its name.
Result<> LogImpl::name_segment(PreparedFile& prepared, const SegmentHeader& header) {
  std::array<char, kSegmentHeaderBytes> block;
  encode(header, block);
  TRY(prepared.file->write_at(0, std::string_view(block.data(), block.size())));
  TRY(prepared.file->sync_data());
  return fs_.rename(prepared.path, path_of(segment_name(header.base)));
}

// Writes and syncs the seal of the segment before. One that was cut by recovery gives back the
// space behind its seal, and with it the torn tail.
Result<> LogImpl::seal_predecessor(Position at) {
  const RecordHeader seal{
      .position = at, .kind = kKindSeal, .time_us = time_us_, .rows_before = rows_, .synced = at};
  std::array<char, kRecordHeaderBytes> bytes;
  encode_bare_record(seal, tail_header_.record_seed(), bytes);
  const std::string_view piece(bytes.data(), bytes.size());
  TRY(write_and_sync(*tail_file_, tail_header_.file_offset(at), std::span(&piece, 1)));
  if (active_file_) return {};
  const std::uint64_t keep = round_up(tail_header_.file_offset(at) + bytes.size(), 4096);
  const std::lock_guard lock(space_mutex_);
  SegmentInfo& info = segments_.back();
  if (info.file_bytes > keep) {
    TRY(tail_file_->truncate(keep));
    TRY(tail_file_->sync_data());
    unreserve(info.file_bytes - keep);
    info.file_bytes = keep;
  }
  return {};
}

// ---- files made ahead

std::uint64_t LogImpl::most_segment_bytes() const {
  // Small limits get small segments: what can be freed is whole segments.
  const std::uint64_t share = options_.max_bytes / 8 / 4096 * 4096;
  return std::clamp<std::uint64_t>(share, options_.first_segment_bytes,
                                   options_.last_segment_bytes);
}

// The file that was made ahead, if it is large enough.
std::optional<PreparedFile> LogImpl::take_spare(std::uint64_t least_bytes) {
  std::unique_lock lock(space_mutex_);
  // One that is nearly ready comes sooner than another one.
  spare_changed_.wait(lock, [&] { return spare_state_ != SpareState::kPreparing; });
  if (spare_state_ != SpareState::kReady || spare_.bytes < least_bytes) return std::nullopt;
  spare_state_ = SpareState::kNone;
  return std::move(spare_);
}

Result<PreparedFile> LogImpl::obtain_file(std::uint64_t least_bytes) {
  least_bytes = round_up(least_bytes, 4096);
  if (auto spare = take_spare(least_bytes)) return std::move(*spare);
  const std::uint64_t floor = std::max<std::uint64_t>(least_bytes, options_.first_segment_bytes);
  std::uint64_t bytes;
  {
    const std::lock_guard lock(space_mutex_);
    bytes = std::max(floor, std::min(next_bytes_, kMostBytesOnDemand));
  }
  while (true) {
    auto created = create_file(bytes, false);
    if (created || created.error().code != ErrorCode::kResourceExhausted) return created;
    // Making room may have freed a segment that serves again as it is.
    if (auto spare = take_spare(least_bytes)) return std::move(*spare);
    if (bytes == floor) {
      const bool journal = created.error().slug == "journal-full";
      refuse(journal ? Refusal::kJournalFull : Refusal::kDiskFull);
      return fail(refusal_error(journal ? Refusal::kJournalFull : Refusal::kDiskFull));
    }
    bytes = std::max(floor, bytes / 2 / 4096 * 4096);
  }
}

// A file whose blocks are all written and synced: appending into it changes no metadata, so that a
// sync costs two thirds, and no append can run out of disk.
Result<PreparedFile> LogImpl::create_file(std::uint64_t bytes, bool ahead) {
  if (!fits(bytes)) make_room(bytes);
  if (!reserve(bytes)) return fail(refusal_error(Refusal::kJournalFull));
  PreparedFile prepared{.file = nullptr, .path = temporary_path(), .bytes = bytes};
  const auto create = [&]() -> Result<> {
    TRY_ASSIGN(prepared.file, fs_.open(prepared.path, OpenMode::kCreate));
    return fill_with_zeros(*prepared.file, bytes, ahead);
  };
  if (auto created = create(); !created) {
    discard(prepared);
    // What is released may go before its time, so that the next attempt finds room.
    if (created.error().code == ErrorCode::kResourceExhausted) make_room(options_.max_bytes);
    return fail(std::move(created).error());
  }
  return prepared;
}

// `ahead`: nobody waits for it, so closing may cut it short.
Result<> LogImpl::fill_with_zeros(File& file, std::uint64_t bytes, bool ahead) {
  for (std::uint64_t at = 0; at < bytes;) {
    if (ahead && closing_) return fail(ErrorCode::kUnavailable, "the journal is closing");
    const std::uint64_t n = std::min<std::uint64_t>(kFillBytes, bytes - at);
    TRY(file.write_at(at, zeros().substr(0, n)));
    at += n;
    if (at % kFillSyncBytes == 0 || at == bytes) TRY(file.sync_data());
  }
  return {};
}

void LogImpl::discard(PreparedFile& prepared) {
  prepared.file.reset();
  (void)fs_.remove(prepared.path);
  unreserve(prepared.bytes);
}

// The serving thread: the active segment fills up.
void LogImpl::want_spare() {
  if (spare_asked_for_ == active_header_.base) return;
  spare_asked_for_ = active_header_.base;
  {
    const std::lock_guard lock(space_mutex_);
    if (spare_state_ != SpareState::kNone) return;
    spare_state_ = SpareState::kWanted;
  }
  request_housekeeping();
}

void LogImpl::prepare_spare() {
  std::uint64_t bytes;
  {
    const std::lock_guard lock(space_mutex_);
    if (spare_state_ != SpareState::kWanted) return;
    spare_state_ = SpareState::kPreparing;
    bytes = next_bytes_;
  }
  auto created = create_file(bytes, true);
  // No room now is no harm: the append that needs a segment tries again, and reports it.
  if (!created && created.error().code != ErrorCode::kResourceExhausted && !closing_) {
    log::warn("the journal could not make a segment ahead", {{"cause", created.error().message}});
  }
  {
    const std::lock_guard lock(space_mutex_);
    spare_state_ = created ? SpareState::kReady : SpareState::kNone;
    if (created) spare_ = std::move(*created);
  }
  spare_changed_.notify_all();
}

}  // namespace sd::journal
