// Walking a log for people: every header, every record, every checksum, and a verdict.
#include <algorithm>

#include "base/log.h"
#include "journal/index.h"
#include "journal/reader.h"
#include "journal/recovery.h"

namespace sd::journal {
namespace {

constexpr Position kNoLimit = ~Position{0};

std::string number(std::uint64_t n) {
  return std::to_string(n);
}

std::string_view kind_name(std::uint8_t kind) {
  switch (kind) {
    case static_cast<std::uint8_t>(RecordKind::kInsert):
      return "insert";
    case static_cast<std::uint8_t>(RecordKind::kControl):
      return "control";
    case kKindMark:
      return "mark";
    case kKindSeal:
      return "seal";
    default:
      return "unknown";
  }
}

class Inspector {
 public:
  Inspector(FileSystem& fs, const std::string& directory, const InspectOptions& options,
            const std::function<void(std::string_view)>& print)
      : fs_(fs), directory_(directory), options_(options), print_(print) {}

  Result<bool> run() {
    TRY_ASSIGN(const auto listing, list_log(fs_, directory_));
    for (const Position base : listing.segments) TRY(segment(base));
    for (const Position base : listing.indexes) TRY(index(base));
    for (const BlobRef& ref : blobs_) TRY(blob(ref));
    TRY(whole());
    print_(problems_ == 0 ? "verdict: everything verifies"
                          : "verdict: DAMAGED, " + number(problems_) +
                                (problems_ == 1 ? " problem" : " problems"));
    return problems_ == 0;
  }

 private:
  void problem(std::string_view what) {
    ++problems_;
    print_("PROBLEM: " + std::string(what));
  }

  // Damage is printed and counted; other errors (a newer version, the disk) end the walk.
  Result<> note(const Error& error) {
    if (error.code != ErrorCode::kCorruption && error.code != ErrorCode::kNotFound) {
      return fail(error);
    }
    problem(error.message);
    return {};
  }

  Result<> segment(Position base) {
    TRY_ASSIGN(auto file, fs_.open(directory_ + "/" + segment_name(base), OpenMode::kRead));
    TRY_ASSIGN(const std::uint64_t size, file->size());
    const auto header = read_segment_header(*file, base);
    if (!header) {
      print_(segment_name(base) + "  " + number(size) + " bytes, header unreadable");
      if (header.error().code == ErrorCode::kCorruption)
        return {};  // whole() decides what it means
      return fail(header.error());
    }
    print_(segment_name(base) + "  journal " + header->log_id.to_string() + ", " + number(size) +
           " bytes, made " + format_rfc3339(header->time_us) + ", " + number(header->rows_before) +
           " rows before");
    std::uint64_t records = 0;
    TRY_ASSIGN(const SegmentScan scan,
               scan_segment(*file, *header, kNoLimit, [&](const RecordHeader& h, auto) {
                 records += h.is_data() ? 1 : 0;
                 if (h.blob) blobs_.push_back(*h.blob);
                 if (options_.records) record(h);
               }));
    print_("  " + number(records) + " records, " + number(scan.rows - header->rows_before) +
           " rows, ends at position " + number(scan.end) +
           (scan.sealed ? ", sealed" : ", not sealed"));
    if (scan.sealed) return {};
    TRY_ASSIGN(const auto proof, find_proof_of_damage(*file, *header, scan.end));
    if (proof) return {};  // whole() reports it
    return torn_tail(*file, *header, scan.end);
  }

  void record(const RecordHeader& h) {
    std::string line = "  " + number(h.position) + "  " + std::string(kind_name(h.kind)) + "  " +
                       format_rfc3339(h.time_us);
    if (h.is_data()) {
      line += "  rows " + number(h.rows) + "  payload " + number(h.payload_bytes) + "  receipt " +
              h.receipt.to_string();
    }
    if (h.idempotency) line += "  key " + h.idempotency->key.to_string();
    if (h.blob) line += "  blob " + h.blob->id.to_string() + " of " + number(h.blob->length);
    print_(line);
  }

  // Something behind the last record that is not zero, and proves nothing.
  Result<> torn_tail(File& file, const SegmentHeader& header, Position end) {
    std::vector<char> bytes(64U << 10);
    TRY_ASSIGN(const std::size_t got, file.read_at(header.file_offset(end), bytes));
    const bool torn = std::any_of(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(got),
                                  [](char c) { return c != '\0'; });
    if (torn) {
      print_("  behind position " + number(end) +
             " stand bytes that are no record: a torn tail, or what the file held before");
    }
    return {};
  }

  Result<> index(Position base) {
    auto file = IndexFile::open(fs_, directory_ + "/" + index_name(base), base);
    if (!file) return note(file.error());
    const IndexHeader& h = (*file)->header();
    print_(index_name(base) + "  " + number(h.records) + " records up to position " +
           number(h.end) + ", " + number(h.keys) + " keys, " + number(h.blobs) + " blobs");
    if (auto verified = (*file)->verify(); !verified) return note(verified.error());
    return {};
  }

  Result<> blob(const BlobRef& ref) {
    print_(blob_name(ref.id) + "  " + number(ref.length) + " bytes");
    auto reader = BlobReader::open(fs_, directory_, ref);
    if (!reader) return note(reader.error());
    std::vector<char> bytes(1U << 20);
    while (true) {
      const auto got = (*reader)->read(bytes);
      if (!got) return note(got.error());
      if (*got < bytes.size()) return {};
    }
  }

  // What the log would say when it is opened, and every record once more the way a reader goes.
  Result<> whole() {
    const auto recovered = recover_log(fs_, directory_);
    if (!recovered) return note(recovered.error());
    if (!*recovered) {
      print_("there is no journal here, or nothing was ever written to it");
      return {};
    }
    const RecoveredLog& log = **recovered;
    auto reader = Reader::open(fs_, directory_, log.log_id, log.begin);
    if (!reader) return note(reader.error());
    while (true) {
      const auto record = (*reader)->next(log.data_end);
      if (!record) return note(record.error());
      if (!*record) break;
    }
    print_("positions " + number(log.begin) + " to " + number(log.data_end) + ", " +
           number(log.rows) + " rows ever, " + (log.clean ? "closed cleanly" : "not closed"));
    return {};
  }

  FileSystem& fs_;
  const std::string& directory_;
  const InspectOptions& options_;
  const std::function<void(std::string_view)>& print_;
  std::vector<BlobRef> blobs_;
  std::uint64_t problems_ = 0;
};

}  // namespace

Result<bool> inspect(FileSystem& fs, const std::string& directory, const InspectOptions& options,
                     const std::function<void(std::string_view line)>& print) {
  // Every journal has its lock file; a folder above it, or a slip of the finger, has not.
  TRY_ASSIGN(const bool is_journal, fs.exists(directory + "/" + std::string(kLockName)));
  if (!is_journal) {
    return fail(ErrorCode::kNotFound,
                directory + " is no journal (one destination's is a folder in DATA_DIR/journals)");
  }
  return Inspector(fs, directory, options, print).run();
}

}  // namespace sd::journal
