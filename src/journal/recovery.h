// Reads a log's directory and decides what it holds: which segments, where the log ends, and how
// appending goes on. Changes nothing on disk.
//
// The rules (docs/journal_format.md, "Opening"):
//  - Every segment but the newest ends with a seal just before its successor's base. A gap, a
//  missing
//    seal or a missing successor is kCorruption.
//  - In the newest segment the chain of valid records ends at P. Is a record behind P valid that
//  was
//    written when the log was durable beyond P, then acknowledged bytes are damaged: kCorruption.
//    Otherwise what stands behind P is a torn tail: nobody was told that it is durable.
//  - A newest segment without a record may stand beside a predecessor that lacks its seal: the
//  crash
//    came between the two. The chain of the predecessor must then reach the place of the seal.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "journal/segment.h"

namespace sd::journal {

struct RecoveredSegment {
  SegmentHeader header;
  Position end = 0;       // base of its successor; of the last one: end of the chain
  Position data_end = 0;  // known if `scanned`
  Micros time_us = 0;     // of its last record; known if `scanned`
  std::uint64_t file_bytes = 0;
  bool scanned = false;  // every record was read and verified
};

struct RecoveredLog {
  Id128 log_id;
  std::vector<RecoveredSegment> segments;  // those that hold records, in order
  Position begin = 0;                      // first position from which nothing is missing
  Position data_end = 0;                   // end of the last insert or control record
  std::uint64_t rows = 0;
  Micros time_us = 0;
  // The bytes [synced, end of the last segment) may be in the page cache only.
  Position synced = 0;
  bool clean = false;  // a mark ends it: the last process closed it

  Position next_base = 0;           // of the segment that the next record opens
  std::optional<Position> seal_at;  // the last segment must get its seal here first
  bool replaces_empty = false;      // a file of that name exists and holds no record
  std::uint64_t empty_file_bytes = 0;
};

// nullopt where there is no log yet (nothing was ever acknowledged).
Result<std::optional<RecoveredLog>> recover_log(FileSystem& fs, const std::string& directory);

}  // namespace sd::journal
