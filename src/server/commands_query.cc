#include "server/commands_query.h"

#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cmath>
#include <iostream>
#include <iterator>
#include <streambuf>

#include "client/query.h"

namespace sd::server {
namespace {

constexpr int kExitInterrupted = 130;  // as a shell has it for SIGINT

std::atomic<bool> interrupted{false};

void on_signal(int /*number*/) {
  if (interrupted.exchange(true)) ::_exit(kExitInterrupted);
}

// Standard output, of which a signal ends the waiting: the stream goes bad then.
class Output final : public std::streambuf {
 public:
  Output() {
    struct stat status {};
    // More than that may block although there is room (POSIX, write to a pipe).
    if (::fstat(STDOUT_FILENO, &status) == 0 && S_ISREG(status.st_mode)) piece_ = 1U << 20;
  }
  ~Output() override { (void)sync(); }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

 protected:
  int overflow(int c) override {
    if (c == traits_type::eof()) return 0;
    const char one = traits_type::to_char_type(c);
    return xsputn(&one, 1) == 1 ? c : traits_type::eof();
  }
  std::streamsize xsputn(const char* text, std::streamsize size) override {
    waiting_.append(text, static_cast<std::size_t>(size));
    return waiting_.size() < kHeld || sync() == 0 ? size : 0;
  }
  int sync() override {
    std::string_view rest = waiting_;
    while (!rest.empty()) {
      if (interrupted) return -1;
      pollfd room{STDOUT_FILENO, POLLOUT, 0};
      if (::poll(&room, 1, 100) <= 0) continue;
      const ssize_t n = ::write(STDOUT_FILENO, rest.data(), std::min(rest.size(), piece_));
      if (n < 0 && errno != EINTR && errno != EAGAIN) return -1;
      if (n > 0) rest.remove_prefix(static_cast<std::size_t>(n));
    }
    waiting_.clear();
    return 0;
  }

 private:
  static constexpr std::size_t kHeld = 64U << 10;
  std::size_t piece_ = PIPE_BUF;
  std::string waiting_;
};

std::optional<std::size_t> terminal_width() {
  if (::isatty(STDOUT_FILENO) == 0) return std::nullopt;
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 20) return 80;
  return size.ws_col;
}

int exit_code(client::QueryOutcome outcome) {
  switch (outcome) {
    case client::QueryOutcome::kDone:
      return kExitOk;
    case client::QueryOutcome::kUsage:
      return kExitUsage;
    case client::QueryOutcome::kInterrupted:
      return kExitInterrupted;
    case client::QueryOutcome::kFailed:
      break;
  }
  return kExitFailed;
}

}  // namespace

int run_query(const QueryCommand& command, CommandContext context) {
  struct sigaction action {};
  action.sa_handler = on_signal;
  for (const int number : {SIGINT, SIGTERM}) ::sigaction(number, &action, nullptr);
  client::QueryOptions options{.sql = command.sql,
                               .url = command.url,
                               .key = command.key,
                               .format = command.format,
                               .params = command.params,
                               .timeout = {}};
  if (command.sql == "-") options.sql.assign(std::istreambuf_iterator<char>(context.in), {});
  if (command.timeout_s) {
    options.timeout =
        std::chrono::milliseconds(static_cast<long long>(std::ceil(*command.timeout_s * 1000)));
  }
  Output output;
  std::ostream out(&output);
  const client::QueryContext query_context{
      .out = out, .err = context.err, .out_width = terminal_width(), .interrupted = interrupted};
  return exit_code(client::run_query(options, query_context));
}

}  // namespace sd::server
