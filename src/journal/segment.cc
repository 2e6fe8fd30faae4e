#include "journal/segment.h"

#include <algorithm>

namespace sd::journal {
namespace {

constexpr std::size_t kScanBytes = 1U << 20;
constexpr Position kNoLimit = ~Position{0};

// Calls `found` for every 8-byte step at which a record of this position could begin, until it
// returns true.
Result<bool> for_each_candidate(File& file, Position base, Position from, Position end,
                                const std::function<Result<bool>(Position)>& found) {
  if (from >= end) return false;
  std::vector<char> buffer(std::min<Position>(kScanBytes + kRecordHeaderBytes, end - from));
  for (Position at = from; at + kRecordHeaderBytes <= end; at += kScanBytes) {
    const std::uint64_t offset = kSegmentHeaderBytes + (at - base);
    const std::size_t want = std::min<std::uint64_t>(buffer.size(), end - at);
    TRY_ASSIGN(const std::size_t got, file.read_at(offset, std::span(buffer.data(), want)));
    for (std::size_t i = 0; i < kScanBytes && i + kRecordHeaderBytes <= got; i += 8) {
      if (load<std::uint64_t>(buffer.data() + i + 8) != at + i) continue;
      const std::span<const char> bytes(buffer.data() + i, got - i);
      if (!looks_like_record(bytes, at + i, end - (at + i))) continue;
      TRY_ASSIGN(const bool done, found(at + i));
      if (done) return true;
    }
  }
  return false;
}

// Where the file's bytes end, as a position; whole 8-byte steps only.
Result<Position> end_of_bytes(File& file, Position base) {
  TRY_ASSIGN(const std::uint64_t size, file.size());
  return size <= kSegmentHeaderBytes ? base : base + ((size - kSegmentHeaderBytes) & ~Position{7});
}

}  // namespace

Result<DirectoryListing> list_log(FileSystem& fs, const std::string& directory) {
  TRY_ASSIGN(const auto names, fs.list(directory));
  DirectoryListing out;
  for (const std::string& name : names) {
    if (const auto segment = parse_segment_name(name)) out.segments.push_back(*segment);
    if (const auto index = parse_index_name(name)) out.indexes.push_back(*index);
    if (name.ends_with(kTemporarySuffix)) out.temporaries.push_back(name);
  }
  std::sort(out.segments.begin(), out.segments.end());
  std::sort(out.indexes.begin(), out.indexes.end());
  return out;
}

std::string describe_position(Position base, Position position) {
  return "position " + std::to_string(position) + " (file " + segment_name(base) + ", byte " +
         std::to_string(kSegmentHeaderBytes + (position - base)) + ")";
}

Result<SegmentHeader> read_segment_header(File& file, Position base_of_name) {
  std::vector<char> block(kSegmentHeaderBytes);
  TRY_ASSIGN(const std::size_t got, file.read_at(0, block));
  auto header = decode_segment_header(std::span(block.data(), got));
  if (!header) {
    Error error = std::move(header).error();
    error.message += " (file " + segment_name(base_of_name) + ")";
    return fail(std::move(error));
  }
  if (header->base != base_of_name) {
    return fail(ErrorCode::kCorruption, "the journal segment " + segment_name(base_of_name) +
                                            " says that it begins at position " +
                                            std::to_string(header->base));
  }
  return header;
}

SegmentCursor::SegmentCursor(File& file, const SegmentHeader& header, std::size_t buffer_bytes)
    : file_(file),
      header_(header),
      seed_(header.record_seed()),
      position_(header.base),
      wanted_bytes_(buffer_bytes) {}

// Makes at least `need` bytes from position_ on available, if there are so many below `limit`;
// returns how many are.
Result<std::size_t> SegmentCursor::fill(std::size_t need, Position limit) {
  const auto available = [&]() -> std::size_t {
    if (position_ < buffer_begin_ || position_ >= buffer_begin_ + buffered_) return 0;
    return buffer_begin_ + buffered_ - position_;
  };
  const std::size_t most = limit > position_ ? std::min<Position>(limit - position_, need) : 0;
  if (available() >= most) return available();
  const std::size_t want = std::min<Position>(std::max(need, wanted_bytes_), limit - position_);
  if (capacity_ < want) {
    buffered_ = 0;
    capacity_ = std::max(want, capacity_ * 2);
    buffer_ = std::make_unique_for_overwrite<char[]>(capacity_);
  }
  buffered_ = 0;
  TRY_ASSIGN(const std::size_t got,
             file_.read_at(header_.file_offset(position_), std::span(buffer_.get(), want)));
  buffer_begin_ = position_;
  buffered_ = got;
  return got;
}

Result<std::optional<ParsedRecord>> SegmentCursor::next(Position limit) {
  // A damaged length must not make us ask for gigabytes.
  limit = std::min(limit, header_.base + (header_.segment_bytes - kSegmentHeaderBytes));
  std::size_t need = kRecordHeaderBytes;
  while (limit > position_) {
    TRY_ASSIGN(const std::size_t available, fill(need, limit));
    if (available < need) break;
    const std::span<const char> bytes(buffer_.get() + (position_ - buffer_begin_), available);
    ParsedRecord record = parse_record(bytes, position_, seed_, limit - position_);
    if (record.state == ParseState::kTooShort) {
      need = record.need;
      continue;
    }
    if (record.state == ParseState::kInvalid) break;
    position_ += record.header.bytes();
    return record;
  }
  return std::optional<ParsedRecord>();
}

Result<SegmentScan> scan_segment(File& file, const SegmentHeader& header, Position limit,
                                 const RecordCallback& each) {
  TRY_ASSIGN(const Position end, end_of_bytes(file, header.base));
  limit = std::min(limit, end);
  SegmentScan scan{.end = header.base,
                   .data_end = header.previous_end,
                   .synced = header.base,
                   .rows = header.rows_before,
                   .time_us = header.time_us};
  SegmentCursor cursor(file, header, kScanBytes);
  while (!scan.sealed) {
    TRY_ASSIGN(const auto record, cursor.next(limit));
    if (!record) break;
    const RecordHeader& h = record->header;
    scan.any_record = true;
    scan.end = cursor.position();
    scan.synced = std::max(scan.synced, h.synced);
    scan.time_us = h.time_us;
    scan.sealed = h.kind == kKindSeal;
    if (h.is_data()) {
      scan.data_end = scan.end;
      scan.rows = h.rows_before + h.rows;
    }
    if (each) each(h, record->payload);
  }
  return scan;
}

Result<std::optional<Position>> find_proof_of_damage(File& file, const SegmentHeader& header,
                                                     Position bad) {
  std::optional<Position> proof;
  TRY_ASSIGN(const Position end, end_of_bytes(file, header.base));
  SegmentCursor cursor(file, header, kRecordHeaderBytes);
  const auto check = [&](Position at) -> Result<bool> {
    cursor.seek(at);
    TRY_ASSIGN(const auto record, cursor.next(kNoLimit));
    if (record && record->header.synced > bad) proof = at;
    return proof.has_value();
  };
  TRY(for_each_candidate(file, header.base, bad + 8, end, check));
  return proof;
}

Result<bool> may_hold_records(File& file, Position base) {
  TRY_ASSIGN(const Position end, end_of_bytes(file, base));
  return for_each_candidate(file, base, base, end, [](Position) -> Result<bool> { return true; });
}

}  // namespace sd::journal
