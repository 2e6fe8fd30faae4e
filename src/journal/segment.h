// Reading one segment file: its header, its records one behind the other, and what the bytes behind
// the last valid record prove.
//
// Threading: one thread per cursor; the functions are pure apart from reading.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "journal/format.h"

namespace sd::journal {

// What stands in a log's directory. Names that are none of ours are left alone.
struct DirectoryListing {
  std::vector<Position> segments;  // ascending
  std::vector<Position> indexes;   // ascending
  std::vector<std::string> temporaries;
};
Result<DirectoryListing> list_log(FileSystem& fs, const std::string& directory);

// Reads and checks the header block; its base must be the one of the file's name.
// kCorruption, or kInvalidArgument where a newer version wrote it.
Result<SegmentHeader> read_segment_header(File& file, Position base_of_name);

// Walks the records of one segment. Views stay valid until the next call.
class SegmentCursor {
 public:
  SegmentCursor(File& file, const SegmentHeader& header, std::size_t buffer_bytes);

  // The record at position(), which is then moved behind it. nullopt where none verifies there.
  // Bytes at or above `limit` are neither looked at nor kept in the buffer: they may change.
  Result<std::optional<ParsedRecord>> next(Position limit);
  Position position() const { return position_; }
  void seek(Position position) { position_ = position; }
  // Forgets what is buffered.
  void drop_buffer() { buffered_ = 0; }

 private:
  Result<std::size_t> fill(std::size_t need, Position limit);

  File& file_;
  SegmentHeader header_;
  std::uint32_t seed_;
  Position position_;
  std::size_t wanted_bytes_;
  std::size_t capacity_ = 0;
  std::unique_ptr<char[]> buffer_;
  Position buffer_begin_ = 0;
  std::size_t buffered_ = 0;
};

struct SegmentScan {
  Position end = 0;  // where the chain of valid records ends (behind the seal, if there is one)
  Position data_end = 0;  // of the last insert or control record; the header's previous end if none
  Position synced = 0;    // the log was durable up to here, as far as these records know
  bool any_record = false;
  bool sealed = false;
  std::uint64_t rows = 0;  // of the whole log, up to data_end
  Micros time_us = 0;      // of the last record, or of the header
};

// Follows the chain from the base up to a seal, the first record that does not verify, or `limit`.
// `each` (may be empty) sees every record.
using RecordCallback = std::function<void(const RecordHeader& header, std::string_view payload)>;
Result<SegmentScan> scan_segment(File& file, const SegmentHeader& header, Position limit,
                                 const RecordCallback& each);

// No record verifies at `bad`. Looks behind it for a record that was written when `bad` was durable
// already: then acknowledged bytes are damaged; else `bad` begins a torn tail. Gives that record's
// position.
Result<std::optional<Position>> find_proof_of_damage(File& file, const SegmentHeader& header,
                                                     Position bad);

// For a file whose header cannot be read: does anything in it look like a record of this base? If
// not, nothing was ever appended to it.
Result<bool> may_hold_records(File& file, Position base);

// "position 123 (file 00…0.seg, byte 4219)", for reports of damage.
std::string describe_position(Position base, Position position);

}  // namespace sd::journal
