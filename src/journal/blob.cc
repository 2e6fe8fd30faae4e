// Blobs: bodies too large for a record, each in a file of its own.
//
// The order on disk: contents → name → record. So a durable record always finds its blob; a blob
// without record is removed by its writer or by the next opening.
#include <chrono>
#include <thread>

#include "base/checksum.h"
#include "journal/log_impl.h"

namespace sd::journal {
namespace {

class BlobWriterImpl final : public BlobWriter {
 public:
  BlobWriterImpl(LogImpl& log, FileSystem& fs, std::string directory, Id128 id)
      : log_(log), fs_(fs), directory_(std::move(directory)) {
    ref_.id = id;
  }

  ~BlobWriterImpl() override {
    if (finished_ && kept_) return;
    file_.reset();
    log_.forget_blob(ref_, fs_, path());
  }

  Result<> create() {
    TRY_ASSIGN(file_, fs_.open(path(), OpenMode::kCreate));
    return {};
  }

  Result<> write(std::string_view data) override {
    if (!file_ || failed_) return fail(ErrorCode::kInternal, "this blob takes no more bytes");
    if (auto reserved = log_.reserve_for_blob(data.size()); !reserved) {
      failed_ = true;
      return reserved;
    }
    const std::uint64_t offset = ref_.length;
    ref_.length += data.size();  // counted from here on, whatever becomes of it
    ref_.crc32c = crc32c(ref_.crc32c, data.data(), data.size());
    if (auto written = file_->write_at(offset, data); !written) {
      failed_ = true;
      return fail(log_.blob_error(written.error()));
    }
    return {};
  }

  Result<BlobRef> finish() override {
    if (finished_) return ref_;
    if (!file_ || failed_)
      return fail(ErrorCode::kInternal, "this blob was not written completely");
    failed_ = true;  // until it is durable; a failed sync is never tried again
    if (auto synced = file_->sync_data(); !synced) return fail(log_.blob_error(synced.error()));
    if (auto synced = fs_.sync_directory(directory_); !synced)
      return fail(log_.blob_error(synced.error()));
    failed_ = false;
    finished_ = true;
    file_.reset();
    return ref_;
  }

  void keep() override { kept_ = true; }

 private:
  std::string path() const { return directory_ + "/" + blob_name(ref_.id); }

  LogImpl& log_;
  FileSystem& fs_;
  const std::string directory_;
  std::unique_ptr<File> file_;
  BlobRef ref_;
  bool failed_ = false;
  bool finished_ = false;
  bool kept_ = false;
};

}  // namespace

Result<std::unique_ptr<BlobWriter>> LogImpl::create_blob() {
  if (failed_ || closing_) {
    return fail(Error{.code = ErrorCode::kUnavailable,
                      .message = "the journal of this destination is not open",
                      .slug = "journal-unavailable",
                      .retry_after_s = 5});
  }
  const std::string directory = path_of(kBlobDirectory);
  {
    const std::lock_guard lock(space_mutex_);
    if (!blob_directory_made_) {
      if (auto made = fs_.make_directories(directory); !made) return fail(blob_error(made.error()));
      if (auto made = fs_.sync_directory(directory_); !made) return fail(blob_error(made.error()));
      blob_directory_made_ = true;
    }
  }
  auto writer = std::make_unique<BlobWriterImpl>(*this, fs_, directory, Id128::make());
  if (auto created = writer->create(); !created) return fail(blob_error(created.error()));
  return writer;
}

Result<> LogImpl::reserve_for_blob(std::uint64_t bytes) {
  for (int i = 0;; ++i) {
    if (!fits(bytes)) make_room(bytes);
    if (reserve(bytes)) return {};
    // Blobs of the segment that is written to are freed with it: it is ended, which takes a moment.
    constexpr int kAttempts = 40;
    {
      const std::lock_guard lock(space_mutex_);
      const bool worth_it = segments_.size() > 1 || last_has_released_blobs(INT64_MAX);
      if (i == kAttempts || !worth_it || bytes > options_.max_bytes || failed_ || closing_) break;
      if (last_has_released_blobs(INT64_MAX))
        rotate_now_ = true;
      else if (i > 4)
        break;
    }
    if (rotate_now_) schedule();
    std::this_thread::sleep_for(std::chrono::milliseconds(25));
  }
  return fail(refusal_error(Refusal::kJournalFull));
}

Error LogImpl::blob_error(Error error) const {
  if (error.code != ErrorCode::kResourceExhausted) return error;
  return refusal_error(Refusal::kDiskFull);
}

// The writer went without keep(). Where a record may refer to the blob after all (the log failed,
// or its owner forgot), it stays: opening knows better.
void LogImpl::forget_blob(const BlobRef& ref, FileSystem& fs, const std::string& path) {
  if (failed_) return;
  const std::lock_guard lock(space_mutex_);
  for (auto segment = segments_.rbegin(); segment != segments_.rend(); ++segment) {
    for (const BlobRef& blob : segment->blobs) {
      if (blob.id == ref.id) return;
    }
  }
  (void)fs.remove(path);
  unreserve(ref.length);
}

}  // namespace sd::journal
