#include "engine/engine_process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <thread>

#include "base/file.h"

extern char** environ;

namespace sd::engine {
namespace {

constexpr int kChildFd = 3;
constexpr Micros kReapLimit = kMicrosPerSecond;

// What an engine may know of the front's environment. Credentials that stand there are for the front:
// an engine is told those of its own destination over the control socket.
constexpr std::array<std::string_view, 14> kEnvironment = {"PATH",
                                                           "HOME",
                                                           "USER",
                                                           "LANG",
                                                           "TZ",
                                                           "TMPDIR",
                                                           "LD_LIBRARY_PATH",
                                                           "SSL_CERT_FILE",
                                                           "SSL_CERT_DIR",
                                                           "http_proxy",
                                                           "https_proxy",
                                                           "no_proxy",
                                                           "ASAN_OPTIONS",
                                                           "UBSAN_OPTIONS"};

// DuckDB's allocator (jemalloc) keeps address space that it has given back otherwise, and the kernel counts that against
// the engine's limit of memory: one refused allocation of 8 GB would leave next to nothing for anything else. What is
// small enough to be used again waits longer for that than it does by default (10 s).
std::string kAllocator =
    "DUCKDB_JE_MALLOC_CONF=retain:false,dirty_decay_ms:30000,muzzy_decay_ms:30000";

std::vector<char*> child_environment() {
  std::vector<char*> kept = {kAllocator.data()};
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view name =
        std::string_view(*entry).substr(0, std::string_view(*entry).find('='));
    if (std::ranges::find(kEnvironment, name) != kEnvironment.end()) kept.push_back(*entry);
  }
  kept.push_back(nullptr);
  return kept;
}

}  // namespace

Result<> EngineProcess::start() {
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
    return fail(errno_error("socketpair", "control socket", errno));
  }
  UniqueFd ours(pair[0]), theirs(pair[1]);
  ::fcntl(ours.get(), F_SETFL, O_NONBLOCK);
  // dup2 onto itself would keep close-on-exec.
  if (theirs.get() == kChildFd)
    theirs = UniqueFd(::fcntl(theirs.get(), F_DUPFD_CLOEXEC, kChildFd + 1));

  TRY_ASSIGN(const UniqueFd output, output_.open());

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  // First: their own numbers may be the one that the socket gets.
  posix_spawn_file_actions_adddup2(&actions, output.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output.get(), STDERR_FILENO);
  posix_spawn_file_actions_adddup2(&actions, theirs.get(), kChildFd);
  posix_spawn_file_actions_addclosefrom_np(&actions, kChildFd + 1);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::string fd = std::to_string(kChildFd);
  std::string program = executable_, command = "engine", flag = "--control-fd";
  char* argv[] = {program.data(), command.data(), flag.data(), fd.data(), nullptr};
  pid_t pid = 0;
  const int rc = ::posix_spawn(&pid, executable_.c_str(), &actions, &attributes, argv,
                               child_environment().data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (rc != 0) return fail(errno_error("start", executable_, rc));

  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = key_;
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, ours.get(), &event) != 0) {
    const int error_number = errno;
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return fail(errno_error("watch", "control socket", error_number));
  }
  pid_ = pid;
  socket_ = std::move(ours);
  watching_write_ = false;
  reader_ = FrameReader();
  writer_ = FrameWriter();
  return {};
}

void EngineProcess::send(std::string_view json, UniqueFd fd) {
  writer_.push(json, std::move(fd));
  flush();
}

void EngineProcess::flush() {
  if (!socket_) return;
  const auto written = writer_.write_to(socket_.get());
  if (!written) return;  // the engine is dying; its socket will say so
  if (*written == watching_write_) watch_socket();
}

void EngineProcess::watch_socket() {
  watching_write_ = !writer_.empty();
  epoll_event event{};
  event.events = EPOLLIN | (watching_write_ ? EPOLLOUT : 0U);
  event.data.u64 = key_;
  ::epoll_ctl(epoll_, EPOLL_CTL_MOD, socket_.get(), &event);
}

bool EngineProcess::read() {
  const auto open = reader_.read_from(socket_.get());
  return open && *open;
}

void EngineProcess::hang_up() {
  if (!socket_) return;
  ::epoll_ctl(epoll_, EPOLL_CTL_DEL, socket_.get(), nullptr);
  socket_.reset();
}

void EngineProcess::kill() {
  if (pid_ > 0) ::kill(pid_, SIGKILL);
}

void EngineProcess::reap() {
  if (pid_ <= 0) return;
  int status = 0;
  const pid_t done = ::waitpid(pid_, &status, WNOHANG);
  if (done == pid_) wait_status_ = status;
  if (done == pid_ || (done < 0 && errno == ECHILD)) pid_ = 0;
  if (pid_ == 0) output_.forward();
}

std::string EngineProcess::cause_of_death() const {
  return WIFSIGNALED(wait_status_) ? "signal " + std::to_string(WTERMSIG(wait_status_))
                                   : "exit code " + std::to_string(WEXITSTATUS(wait_status_));
}

void EngineProcess::end() {
  if (!alive()) return;
  kill();
  const Micros limit = system_clock().steady_us() + kReapLimit;
  for (reap(); alive() && system_clock().steady_us() < limit; reap()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace sd::engine
