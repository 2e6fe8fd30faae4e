#include "engine/snapshot.h"

#include <unistd.h>

#include <cerrno>

#include "engine/result_pipe.h"

namespace sd::engine {
namespace {

using destinations::duckdb::DuckdbDestination;

constexpr std::size_t kPiece = 256U << 10;
constexpr Micros kPatience = 5 * kMicrosPerSecond;

// Gives the file back at the end, whatever the end is.
class Hold {
 public:
  explicit Hold(DuckdbDestination& destination) : destination_(destination) {}
  ~Hold() {
    if (held_) (void)destination_.release_file();
  }
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;
  void set() { held_ = true; }
  // Whether the file stayed as it was.
  bool end() {
    held_ = false;
    return destination_.release_file();
  }

 private:
  DuckdbDestination& destination_;
  bool held_ = false;
};

// A checkpoint may be refused for as long as somebody reads: tried again for a while.
Result<DuckdbDestination::HeldFile> hold(RunningQuery& running, DuckdbDestination& destination,
                                         LoaderThread& loader) {
  const Micros began = system_clock().steady_us();
  while (true) {
    DuckdbDestination::HeldFile file;
    const auto job = [&]() -> Result<> {
      TRY_ASSIGN(file, destination.hold_file());
      return {};
    };
    const Result<> done = loader.between_batches(
        job, [&] { return running.should_stop(); }, kPatience);
    if (done) return file;
    const bool may_pass = done.error().code == ErrorCode::kUnavailable && done.error().slug.empty();
    if (!may_pass || system_clock().steady_us() - began > kPatience || running.should_stop())
      return fail(done.error());
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

}  // namespace

Result<std::uint64_t> stream_snapshot(RunningQuery& running, QueryTask& task,
                                      DuckdbDestination& destination, LoaderThread& loader,
                                      const std::function<Result<>(std::uint64_t)>& started) {
  running.reads = false;  // it holds no transaction
  Hold held(destination);
  TRY_ASSIGN(const DuckdbDestination::HeldFile file, hold(running, destination, loader));
  held.set();
  TRY(started(file.bytes));
  ResultPipe pipe(std::move(task.out), running.stalls, [&] { return running.should_stop(); });
  std::uint64_t sent = 0;
  while (sent < file.bytes) {
    if (running.should_stop()) return fail(ErrorCode::kCancelled, "cancelled");
    std::string& buffer = pipe.buffer();
    buffer.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, file.bytes - sent)));
    const ssize_t n = ::pread(file.fd, buffer.data(), buffer.size(), static_cast<off_t>(sent));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return fail(ErrorCode::kInternal, "the database's file cannot be read");
    buffer.resize(static_cast<std::size_t>(n));
    sent += static_cast<std::uint64_t>(n);
    TRY(pipe.write(false));
    running.bytes = sent;
  }
  // What is in the pipe can be taken back no more; but the answer is whole only by our word.
  if (!held.end()) {
    return fail(Error{.code = ErrorCode::kUnavailable,
                      .message = "the snapshot took so long that the file had to change",
                      .slug = "snapshot-too-slow",
                      .retry_after_s = 60});
  }
  TRY(pipe.finish());
  return sent;
}

}  // namespace sd::engine
