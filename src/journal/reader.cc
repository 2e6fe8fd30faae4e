#include "journal/reader.h"

#include <algorithm>

#include "base/checksum.h"
#include "journal/segment.h"

namespace sd::journal {
namespace {

// One read serves thousands of small records.
constexpr std::size_t kReadBytes = 1U << 20;

Error removed(Position position, Position first) {
  return Error{.code = ErrorCode::kNotFound,
               .message = "position " + std::to_string(position) +
                          " is no longer in the journal; it begins at " + std::to_string(first)};
}

class ReaderImpl final : public Reader {
 public:
  ReaderImpl(FileSystem& fs, std::string directory, Id128 log_id)
      : fs_(fs), directory_(std::move(directory)), log_id_(log_id) {}

  // Puts the reader on the record at `from`.
  Result<> start(Position from) {
    TRY_ASSIGN(const auto listing, list_log(fs_, directory_));
    if (listing.segments.empty()) return fail(ErrorCode::kNotFound, "the journal has no segments");
    position_ = from;
    const auto after = std::upper_bound(listing.segments.begin(), listing.segments.end(), from);
    if (after != listing.segments.begin()) return enter(*(after - 1), from);
    // Before the first base there may be nothing but marks and a seal.
    const Position first = listing.segments.front();
    TRY(enter(first, first));
    if (from < header_.previous_end) return fail(removed(from, header_.previous_end));
    return {};
  }

  Result<std::optional<RecordView>> next(Position durable_end) override {
    if (position_ >= durable_end) return std::optional<RecordView>();
    bool again = true;
    while (true) {
      TRY_ASSIGN(const auto record, cursor_->next(durable_end));
      if (!record) {
        // The file may have been replaced or taken for another segment since it was opened.
        if (!std::exchange(again, false)) return fail(damage());
        TRY(reopen());
        continue;
      }
      const RecordHeader& h = record->header;
      if (h.kind == kKindSeal) {
        TRY(enter(cursor_->position(), cursor_->position()));
        if (cursor_->position() >= durable_end) return std::optional<RecordView>();
      } else if (h.is_data()) {
        position_ = cursor_->position();
        return view(*record);
      }
      if (cursor_->position() >= durable_end) return std::optional<RecordView>();
    }
  }

  Position position() const override { return position_; }

 private:
  Result<> enter(Position base, Position at) {
    auto file = fs_.open(directory_ + "/" + segment_name(base), OpenMode::kRead);
    if (!file && file.error().code == ErrorCode::kNotFound) return fail(missing(base));
    if (!file) return fail(std::move(file).error());
    TRY_ASSIGN(const SegmentHeader header, read_segment_header(**file, base));
    if (header.log_id != log_id_) {
      return fail(invalid("the journal has the identity " + header.log_id.to_string() + ", not " +
                          log_id_.to_string()));
    }
    header_ = header;
    cursor_.reset();
    file_ = std::move(*file);
    cursor_.emplace(*file_, header, kReadBytes);
    cursor_->seek(at);
    return {};
  }

  Result<> reopen() {
    const Position at = cursor_->position();
    return enter(header_.base, at);
  }

  // Nothing of that name: removed because it was released, or lost.
  Error missing(Position base) {
    auto first = first_position(fs_, directory_);
    if (!first) return std::move(first).error();
    if (position_ < *first) return removed(position_, *first);
    return Error{.code = ErrorCode::kCorruption,
                 .message = "the journal is damaged: the segment that begins at position " +
                            std::to_string(base) + " is missing"};
  }

  Error damage() {
    const Position at = cursor_->position();
    auto first = first_position(fs_, directory_);
    if (first && position_ < *first) return removed(position_, *first);
    return Error{.code = ErrorCode::kCorruption,
                 .message = "the journal is damaged: no valid record at " +
                            describe_position(header_.base, at)};
  }

  static RecordView view(const ParsedRecord& record) {
    const RecordHeader& h = record.header;
    return {.position = h.position,
            .end = h.position + h.bytes(),
            .time_us = h.time_us,
            .rows_before = h.rows_before,
            .meta = {.kind = static_cast<RecordKind>(h.kind),
                     .rows = h.rows,
                     .receipt = h.receipt,
                     .idempotency = h.idempotency,
                     .blob = h.blob},
            .payload = record.payload};
  }

  FileSystem& fs_;
  std::string directory_;
  Id128 log_id_;
  Position position_ = 0;
  SegmentHeader header_;
  std::unique_ptr<File> file_;
  std::optional<SegmentCursor> cursor_;
};

class BlobReaderImpl final : public BlobReader {
 public:
  BlobReaderImpl(std::unique_ptr<File> file, const BlobRef& ref)
      : file_(std::move(file)), ref_(ref) {}

  Result<std::size_t> read(std::span<char> out) override {
    if (out.empty()) return std::size_t{0};
    std::size_t got = 0;
    if (offset_ < ref_.length) {
      const std::size_t want = std::min<std::uint64_t>(out.size(), ref_.length - offset_);
      TRY_ASSIGN(got, file_->read_at(offset_, out.first(want)));
      if (got < want) return fail(damage("is shorter than written"));
      crc_ = crc32c(crc_, out.data(), got);
      offset_ += got;
    }
    if (offset_ == ref_.length && !verified_) {
      TRY_ASSIGN(const std::uint64_t size, file_->size());
      if (size != ref_.length) return fail(damage("is longer than written"));
      if (crc_ != ref_.crc32c) return fail(damage("does not match its checksum"));
      verified_ = true;
    }
    return got;
  }

 private:
  Error damage(std::string_view what) const {
    return Error{
        .code = ErrorCode::kCorruption,
        .message = "the journal is damaged: " + blob_name(ref_.id) + " " + std::string(what)};
  }

  std::unique_ptr<File> file_;
  BlobRef ref_;
  std::uint64_t offset_ = 0;
  std::uint32_t crc_ = 0;
  bool verified_ = false;
};

}  // namespace

Result<std::unique_ptr<Reader>> Reader::open(FileSystem& fs, std::string directory, Id128 log_id,
                                             Position from) {
  auto reader = std::make_unique<ReaderImpl>(fs, std::move(directory), log_id);
  TRY(reader->start(from));
  return reader;
}

Result<Position> first_position(FileSystem& fs, const std::string& directory) {
  // The first segment may be removed between listing and opening.
  for (int attempt = 0;; ++attempt) {
    TRY_ASSIGN(const auto listing, list_log(fs, directory));
    if (listing.segments.empty()) return fail(ErrorCode::kNotFound, "the journal has no segments");
    const Position base = listing.segments.front();
    auto file = fs.open(directory + "/" + segment_name(base), OpenMode::kRead);
    if (!file && file.error().code == ErrorCode::kNotFound && attempt < 10) continue;
    if (!file) return fail(std::move(file).error());
    TRY_ASSIGN(const SegmentHeader header, read_segment_header(**file, base));
    return header.previous_end;
  }
}

Result<std::unique_ptr<BlobReader>> BlobReader::open(FileSystem& fs, const std::string& directory,
                                                     const BlobRef& ref) {
  const std::string path = directory + "/" + std::string(kBlobDirectory) + "/" + blob_name(ref.id);
  TRY_ASSIGN(auto file, fs.open(path, OpenMode::kRead));
  return std::make_unique<BlobReaderImpl>(std::move(file), ref);
}

}  // namespace sd::journal
