// Reading a log, in the process that writes it or in another one. Readers take no lock and never
// see what is not durable: the caller passes the durable end that the writer told.
//
// A reader belongs to one thread. Views stay valid until the next call on the reader.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "journal/log.h"

namespace sd::journal {

struct RecordView {
  Position position = 0;
  Position end = 0;               // the next record begins here or, after a seal, later
  Micros time_us = 0;             // log time; never runs backwards
  std::uint64_t rows_before = 0;  // rows of all records before this one, since the log began
  RecordMeta meta;
  std::string_view payload;  // head and body; of a record with a blob: the head only
};

class Reader {
 public:
  // Starts at `from`, a position that a record begins at (or the log's end). kNotFound where it
  // lies before the first segment, kInvalidArgument where the log's id is another or a version is
  // newer.
  static Result<std::unique_ptr<Reader>> open(FileSystem& fs, std::string directory, Id128 log_id,
                                              Position from);
  virtual ~Reader() = default;

  // The next record below `durable_end` (skipping the seals and marks between segments); nullopt
  // where there is none yet. kCorruption with the exact position where bytes below durable_end do
  // not verify.
  virtual Result<std::optional<RecordView>> next(Position durable_end) = 0;
  // End of the last record that next() gave, or where the reader was opened: equals the log's
  // durable end when everything was read. Opening here again goes on without a gap.
  virtual Position position() const = 0;
};

// First position still on disk.
Result<Position> first_position(FileSystem& fs, const std::string& directory);

// A blob's bytes, piece by piece; verifies length and checksum at the end.
class BlobReader {
 public:
  static Result<std::unique_ptr<BlobReader>> open(FileSystem& fs, const std::string& directory,
                                                  const BlobRef& ref);
  virtual ~BlobReader() = default;
  // Fills `out`; fewer bytes only at the end. kCorruption if the whole does not verify.
  virtual Result<std::size_t> read(std::span<char> out) = 0;
};

// Walks and verifies a log without owning it; for `scratchdata journal inspect`. Each line is
// human-readable; the last one is the verdict. `records` prints a line for each record too.
struct InspectOptions {
  bool records = true;
};
// Returns true where everything verified (a torn tail is reported but is no damage).
Result<bool> inspect(FileSystem& fs, const std::string& directory, const InspectOptions& options,
                     const std::function<void(std::string_view line)>& print);

}  // namespace sd::journal
