#include "server/commands_insert.h"

#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <memory>

#include "client/insert.h"
#include "query/parquet_rows.h"

namespace sd::server {
namespace {

constexpr int kExitInterrupted = 130;  // as a shell has it for SIGINT
constexpr std::size_t kParquetBytes = 1U << 20;

std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler writes it");

void on_signal(int /*number*/) {
  // Whoever asks a second time wants no report.
  if (interrupted.exchange(true)) ::_exit(kExitInterrupted);
}

// The rows of a Parquet file as the bytes of NDJSON.
class ParquetSource final : public client::ByteSource {
 public:
  ParquetSource(std::unique_ptr<query::ParquetRows> rows, std::uint64_t file_bytes)
      : rows_(std::move(rows)), file_bytes_(file_bytes) {}

  Result<std::size_t> read(std::span<char> out) override {
    while (used_ == lines_.size() && more_) {
      lines_.clear();
      used_ = 0;
      TRY_ASSIGN(more_, rows_->next(lines_, kParquetBytes));
    }
    const std::size_t length = std::min(out.size(), lines_.size() - used_);
    std::copy_n(lines_.data() + used_, length, out.data());
    used_ += length;
    return length;
  }
  // Of the file, as its rows are: nobody knows which of its bytes they took.
  std::uint64_t position() const override {
    if (rows_->rows_total() == 0) return 0;
    const double part =
        static_cast<double>(rows_->rows_read()) / static_cast<double>(rows_->rows_total());
    return static_cast<std::uint64_t>(static_cast<double>(file_bytes_) * part);
  }

 private:
  std::unique_ptr<query::ParquetRows> rows_;
  std::uint64_t file_bytes_;
  std::string lines_;
  std::size_t used_ = 0;
  bool more_ = true;
};

Result<std::unique_ptr<client::ByteSource>> open_parquet(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return fail(invalid("the file is gone"));
  TRY_ASSIGN(auto rows, query::ParquetRows::open(path));
  return std::make_unique<ParquetSource>(std::move(rows),
                                         static_cast<std::uint64_t>(status.st_size));
}

std::optional<std::size_t> terminal_width() {
  if (::isatty(STDERR_FILENO) == 0) return std::nullopt;
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 20) return 80;
  return size.ws_col;
}

client::InsertOptions options_of(const InsertCommand& command) {
  const auto milliseconds = [](double seconds) {
    return client::milliseconds(static_cast<long long>(std::ceil(seconds * 1000)));
  };
  return {.table = command.table,
          .files = command.files,
          .url = command.url,
          .key = command.key,
          .format = client::parse_format(command.format),
          .flatten = command.flatten,
          .flatten_depth = command.flatten_depth,
          .strict = command.strict,
          .wait = command.wait,
          .gzip = command.gzip,
          .concurrency = command.concurrency,
          .timeout = milliseconds(command.timeout_s),
          .retry = {.retries = command.retries},
          .limits = {.bytes = command.chunk_bytes},
          .resume_key = command.resume_key,
          .quiet = command.quiet};
}

int exit_code(client::InsertOutcome outcome) {
  switch (outcome) {
    case client::InsertOutcome::kStored:
      return kExitOk;
    case client::InsertOutcome::kUsage:
      return kExitUsage;
    case client::InsertOutcome::kInterrupted:
      return kExitInterrupted;
    case client::InsertOutcome::kRefused:
      break;
  }
  return kExitFailed;
}

}  // namespace

int run_insert(const InsertCommand& command, CommandContext context) {
  struct sigaction action {};
  action.sa_handler = on_signal;
  for (const int number : {SIGINT, SIGTERM}) ::sigaction(number, &action, nullptr);
  const client::InsertOptions options = options_of(command);
  const client::InsertContext client_context{.err = context.err,
                                             .terminal_width = terminal_width,
                                             .open_parquet = open_parquet,
                                             .interrupted = interrupted};
  const client::InsertResult result = client::run_insert(options, client_context);
  const int code = exit_code(result.outcome);
  if (!result.abandoned) return code;
  // At once: no waiting for threads that wait for a network or a pipe.
  context.err.flush();
  ::_exit(code);
}

}  // namespace sd::server
