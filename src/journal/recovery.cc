#include "journal/recovery.h"

#include <algorithm>

namespace sd::journal {
namespace {

constexpr Position kNoLimit = ~Position{0};

Error corruption(std::string message) {
  return Error{.code = ErrorCode::kCorruption, .message = std::move(message)};
}

Error damaged_record(Position base, Position at, std::optional<Position> proof) {
  std::string text = "the journal is damaged: no valid record at " + describe_position(base, at);
  if (proof) text += ", but one that was written later at position " + std::to_string(*proof);
  return corruption(std::move(text));
}

Error missing_segments(Position from, Position to) {
  return corruption("the journal is damaged: the segments of positions " + std::to_string(from) +
                    " to " + std::to_string(to) + " are missing");
}

class Recovery {
 public:
  Recovery(FileSystem& fs, const std::string& directory) : fs_(fs), directory_(directory) {}

  Result<std::optional<RecoveredLog>> run() {
    TRY_ASSIGN(const auto listing, list_log(fs_, directory_));
    if (listing.segments.empty()) {
      if (listing.indexes.empty()) return std::optional<RecoveredLog>();
      return fail(corruption("the journal is damaged: it has indexes but no segment"));
    }
    for (const Position base : listing.segments) {
      const bool newest = base == listing.segments.back();
      TRY(add(base, newest));
    }
    if (files_
            .empty()) {  // the only segment never got its header: a first start that was cut short
      if (listing.segments.back() == 0 && listing.indexes.empty()) {
        return std::optional<RecoveredLog>();
      }
      return fail(corruption("the journal is damaged: the header of its only segment, " +
                             segment_name(listing.segments.back()) + ", cannot be read"));
    }
    out_.log_id = files_.front().segment.header.log_id;
    out_.begin = files_.front().segment.header.previous_end;
    TRY(check_sealed());
    TRY(read_tail());
    for (auto& file : files_) out_.segments.push_back(file.segment);
    return std::optional(std::move(out_));
  }

 private:
  struct Opened {
    RecoveredSegment segment;
    std::unique_ptr<File> file;
  };

  Result<> add(Position base, bool newest) {
    TRY_ASSIGN(auto file, fs_.open(directory_ + "/" + segment_name(base), OpenMode::kRead));
    TRY_ASSIGN(const auto size, file->size());
    auto header = read_segment_header(*file, base);
    if (!header && newest && header.error().code == ErrorCode::kCorruption) {
      TRY_ASSIGN(const bool records, may_hold_records(*file, base));
      if (!records) {
        unreadable_newest_ = base;
        out_.empty_file_bytes = size;
        return {};
      }
    }
    if (!header) return fail(std::move(header).error());
    if (!files_.empty() && header->log_id != files_.front().segment.header.log_id) {
      return fail(
          corruption("the journal segment " + segment_name(base) + " belongs to another journal"));
    }
    // The header alone is kept open for the last two; older ones are opened again when needed.
    if (files_.size() >= 2) files_[files_.size() - 2].file.reset();
    files_.push_back({{.header = *header, .file_bytes = size}, std::move(file)});
    return {};
  }

  Result<File*> file_of(Opened& opened) {
    if (!opened.file) {
      const std::string name = segment_name(opened.segment.header.base);
      TRY_ASSIGN(opened.file, fs_.open(directory_ + "/" + name, OpenMode::kRead));
    }
    return opened.file.get();
  }

  // The seal that ends just before `successor`?
  Result<bool> has_seal(Opened& opened, Position successor) {
    const SegmentHeader& header = opened.segment.header;
    if (successor < header.base + kRecordHeaderBytes) return false;
    TRY_ASSIGN(File * file, file_of(opened));
    SegmentCursor cursor(*file, header, kRecordHeaderBytes);
    cursor.seek(successor - kRecordHeaderBytes);
    TRY_ASSIGN(const auto record, cursor.next(successor));
    if (!record || record->header.kind != kKindSeal) return false;
    opened.segment.time_us = record->header.time_us;
    return true;
  }

  // Explains why the segment does not lead up to `successor`.
  Result<Error> explain(Opened& opened, Position successor) {
    TRY_ASSIGN(File * file, file_of(opened));
    TRY_ASSIGN(const auto scan, scan_segment(*file, opened.segment.header, kNoLimit, {}));
    if (scan.sealed && scan.end < successor) return missing_segments(scan.end, successor);
    return damaged_record(opened.segment.header.base, scan.end, successor);
  }

  // All but the newest. A sealed segment is not read through here: whoever reads a record verifies
  // it.
  Result<> check_sealed() {
    std::size_t count = files_.size() - 1;
    for (std::size_t i = 0; i < count; ++i) {
      const Position successor = files_[i + 1].segment.header.base;
      files_[i].segment.end = successor;
      TRY_ASSIGN(const bool sealed, has_seal(files_[i], successor));
      if (sealed) continue;
      const bool before_newest = i + 1 == count && !unreadable_newest_;
      if (before_newest) {
        unsealed_ = true;  // allowed if the newest holds no record; read_tail() decides
        continue;
      }
      TRY_ASSIGN(Error error, explain(files_[i], successor));
      return fail(std::move(error));
    }
    return {};
  }

  Result<> read_tail() {
    if (unreadable_newest_) return end_before_empty(*unreadable_newest_);
    Opened& newest = files_.back();
    const SegmentHeader header = newest.segment.header;
    TRY_ASSIGN(File * file, file_of(newest));
    TRY_ASSIGN(const auto scan, scan_segment(*file, header, kNoLimit, [this](const auto& h, auto) {
                 out_.clean = h.kind == kKindMark;
               }));
    if (scan.sealed) {
      return fail(corruption("the journal is damaged: the segment that begins at position " +
                             std::to_string(scan.end) + " is missing"));
    }
    TRY_ASSIGN(const auto proof, find_proof_of_damage(*file, header, scan.end));
    if (proof) return fail(damaged_record(header.base, scan.end, proof));
    if (!scan.any_record) return drop_empty(header);
    if (unsealed_) {
      Opened& before = files_[files_.size() - 2];
      TRY_ASSIGN(Error error, explain(before, header.base));
      return fail(std::move(error));
    }
    take(newest.segment, scan);
    out_.synced = scan.synced;
    out_.next_base = scan.end + kRecordHeaderBytes;
    out_.seal_at = scan.end;
    return {};
  }

  void take(RecoveredSegment& segment, const SegmentScan& scan) {
    segment.end = scan.end;
    segment.data_end = scan.data_end;
    segment.time_us = scan.time_us;
    segment.scanned = true;
    out_.data_end = scan.data_end;
    out_.rows = scan.rows;
    out_.time_us = scan.time_us;
  }

  // The newest segment is readable and empty.
  Result<> drop_empty(const SegmentHeader& header) {
    out_.empty_file_bytes = files_.back().segment.file_bytes;
    files_.pop_back();
    out_.data_end = header.previous_end;
    out_.rows = header.rows_before;
    out_.time_us = header.time_us;
    if (files_.empty()) {
      out_.next_base = header.base;
      out_.synced = header.base;
      out_.replaces_empty = true;
      return {};
    }
    return end_before_empty(header.base);
  }

  // The log ends with files_.back(); a file for the successor `base` exists and holds nothing.
  // Whether or not the seal can be read: it is written (again) before the first record of the
  // successor, for the one that we see may be in the page cache only.
  Result<> end_before_empty(Position base) {
    Opened& last = files_.back();
    TRY_ASSIGN(File * file, file_of(last));
    // Bytes behind the seal's place were cut off by an earlier opening.
    const Position limit = base - kRecordHeaderBytes;
    TRY_ASSIGN(const auto scan, scan_segment(*file, last.segment.header, limit, {}));
    if (scan.end != limit) {
      TRY_ASSIGN(Error error, explain(last, base));
      return fail(std::move(error));
    }
    take(last.segment, scan);
    out_.synced = scan.end;
    out_.clean = true;
    out_.next_base = base;
    out_.replaces_empty = true;
    out_.seal_at = limit;
    return {};
  }

  FileSystem& fs_;
  const std::string& directory_;
  std::vector<Opened> files_;
  std::optional<Position> unreadable_newest_;
  bool unsealed_ = false;
  RecoveredLog out_;
};

}  // namespace

Result<std::optional<RecoveredLog>> recover_log(FileSystem& fs, const std::string& directory) {
  return Recovery(fs, directory).run();
}

}  // namespace sd::journal
