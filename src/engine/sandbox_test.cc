// Each test locks in a child process of its own, which then tries something.
#include "engine/sandbox.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "engine/engine_user.h"
#include "engine/sandbox_parts.h"
#include "journal/testing/harness.h"

namespace sd::engine {
namespace {

using journal::testing::TemporaryDirectory;

constexpr int kNotLockedIn = 200;

int wait_status(pid_t child) {
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return status;
}

class SandboxTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!missing_parts(probe_kernel()).empty()) GTEST_SKIP() << "this kernel has no sandbox";
    for (const char* folder : {"journal", "own", "elsewhere", "elsewhere/below"}) {
      std::filesystem::create_directory(directory_ / folder);
      std::ofstream(directory_ / (std::string(folder) + "/file")) << "secret";
    }
    plan_.read_folders = {directory_ / "journal"};
    plan_.write_folders = {directory_ / "own"};
  }

  // What waitpid() says of a child that has called `attempt` inside the sandbox: its exit code is
  // what that returned.
  int status_of(const std::function<int()>& attempt) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::close(2);  // where a sanitizer would tell of a death that is meant
      const auto entered = enter_sandbox(plan_, probe_kernel());
      ::_exit(entered ? attempt() : kNotLockedIn);
    }
    return wait_status(child);
  }
  // The errno that an attempt ends with; 0: it succeeds.
  int error_of(const std::function<bool()>& attempt) {
    const int status = status_of([&] { return attempt() ? 0 : errno; });
    EXPECT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
    EXPECT_NE(WEXITSTATUS(status), kNotLockedIn);
    return WEXITSTATUS(status);
  }
  int error_of_open(const std::string& name, int flags) {
    const std::string path = name.starts_with('/') ? name : directory_ / name;
    return error_of([&] { return ::open(path.c_str(), flags, 0600) >= 0; });
  }
  int error_of_pipe_by_name() {
    int pipe[2];
    EXPECT_EQ(::pipe(pipe), 0);
    // As the pool does it: a pipe can be opened by whom it belongs to.
    if (plan_.user) {
      EXPECT_EQ(::fchown(pipe[1], plan_.user->uid, plan_.user->gid), 0);
    }
    const int error = error_of([&] {
      if (::dup3(pipe[1], 90, O_CLOEXEC) != 90) return false;
      const int fd = ::open("/proc/self/fd/90", O_WRONLY | O_CREAT | O_TRUNC, 0600);
      return fd >= 0 && ::write(fd, "x", 1) == 1;
    });
    ::close(pipe[0]);
    ::close(pipe[1]);
    return error;
  }
  void expect_killed(const std::function<void()>& attempt) {
    const int status = status_of([&] {
      attempt();
      return 0;
    });
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) << "status " << status;
  }

  TemporaryDirectory directory_;
  SandboxPlan plan_;
};

TEST_F(SandboxTest, TheJournalCanBeReadAndListedAndNotChanged) {
  EXPECT_EQ(error_of_open("journal/file", O_RDONLY), 0);
  EXPECT_EQ(error_of_open("journal", O_RDONLY | O_DIRECTORY), 0);
  EXPECT_EQ(error_of_open("journal/file", O_WRONLY), EACCES);
  EXPECT_EQ(error_of_open("journal/file", O_RDONLY | O_TRUNC), EACCES);
  EXPECT_EQ(error_of_open("journal/new", O_WRONLY | O_CREAT), EACCES);
  EXPECT_EQ(error_of([&] { return ::unlink((directory_ / "journal/file").c_str()) == 0; }), EACCES);
  EXPECT_EQ(error_of([&] {
              return ::rename((directory_ / "journal/file").c_str(),
                              (directory_ / "own/x").c_str()) == 0;
            }),
            EACCES);
}

TEST_F(SandboxTest, ItsOwnFolderCanBeReadAndChanged) {
  EXPECT_EQ(error_of_open("own/file", O_RDWR), 0);
  EXPECT_EQ(error_of_open("own/new", O_RDWR | O_CREAT), 0);
  EXPECT_EQ(error_of_open("own/new", O_RDWR | O_TRUNC), 0);
  EXPECT_EQ(error_of([&] { return ::mkdir((directory_ / "own/folder").c_str(), 0700) == 0; }), 0);
  EXPECT_EQ(error_of([&] {
              return ::rename((directory_ / "own/new").c_str(),
                              (directory_ / "own/newer").c_str()) == 0;
            }),
            0);
  EXPECT_EQ(error_of([&] { return ::unlink((directory_ / "own/newer").c_str()) == 0; }), 0);
  EXPECT_EQ(error_of([&] { return ::rmdir((directory_ / "own/folder").c_str()) == 0; }), 0);
}

TEST_F(SandboxTest, NothingElseCanBeOpened) {
  for (const char* path :
       {"elsewhere/file", "elsewhere", "/etc/passwd", "/proc/self/environ", "/proc/self/mem",
        "/proc/1/cmdline", "/dev/zero", "/dev/shm", "/", "/bin/sh"}) {
    EXPECT_EQ(error_of_open(path, O_RDONLY), EACCES) << path;
  }
  EXPECT_EQ(error_of_open("elsewhere/new", O_WRONLY | O_CREAT), EACCES);
  EXPECT_EQ(error_of_open("/tmp/sandbox_test", O_WRONLY | O_CREAT), EACCES);
  // By another way to the same place.
  EXPECT_EQ(error_of_open("own/../elsewhere/file", O_RDONLY), EACCES);
  std::filesystem::create_symlink("../elsewhere/file", directory_ / "own/link");
  EXPECT_EQ(error_of_open("own/link", O_RDONLY), EACCES);
}

// By its name under /proc/self/fd, as DuckDB's writers open what they are given.
TEST_F(SandboxTest, APipeOfItsOwnIsOpenedByName) {
  EXPECT_EQ(error_of_pipe_by_name(), 0);
  EXPECT_EQ(error_of_open("/dev/null", O_RDWR), 0);
}

// The names of what it has open lead no further than it could go itself.
TEST_F(SandboxTest, AFileThatWasOpenBeforeIsNotOpenedAgain) {
  const int fd = ::open((directory_ / "elsewhere/file").c_str(), O_RDONLY);
  EXPECT_EQ(error_of_open("/proc/self/fd/" + std::to_string(fd), O_RDWR), EACCES);
  ::close(fd);
}

TEST_F(SandboxTest, LinksAndSpecialFilesCannotBeMade) {
  const std::string target = directory_ / "elsewhere/file", made = directory_ / "own/made";
  EXPECT_EQ(error_of([&] { return ::symlink(target.c_str(), made.c_str()) == 0; }), EPERM);
  EXPECT_EQ(error_of([&] { return ::link(target.c_str(), made.c_str()) == 0; }), EPERM);
  EXPECT_EQ(error_of([&] { return ::mkfifo(made.c_str(), 0600) == 0; }), EPERM);
  EXPECT_EQ(error_of([&] { return ::truncate(target.c_str(), 0) == 0; }), EPERM);
  EXPECT_EQ(error_of([&] { return ::chmod(target.c_str(), 0777) == 0; }), EPERM);
}

// DuckDB's log beside a file of the configuration's; no more of the folder than that takes.
TEST_F(SandboxTest, TheFolderOfAConfiguredFileCanBeChangedAndNotListed) {
  EXPECT_EQ(error_of_open("elsewhere/file", O_RDWR), EACCES);
  plan_.add_file(directory_ / "elsewhere/file");
  plan_.add_file(directory_ / "own/file");
  EXPECT_EQ(plan_.file_folders, std::vector<std::string>{directory_ / "elsewhere"});
  EXPECT_EQ(error_of_open("elsewhere/file", O_RDWR), 0);
  EXPECT_EQ(error_of_open("elsewhere/file.wal", O_RDWR | O_CREAT), 0);
  EXPECT_EQ(error_of([&] { return ::unlink((directory_ / "elsewhere/file.wal").c_str()) == 0; }),
            0);
  // Known, and said in docs/architecture.md: Landlock cannot be narrower.
  EXPECT_EQ(error_of_open("elsewhere/below/file", O_RDWR), 0);
  EXPECT_EQ(error_of_open("elsewhere", O_RDONLY | O_DIRECTORY), EACCES);
  EXPECT_EQ(error_of([&] { return ::mkdir((directory_ / "elsewhere/folder").c_str(), 0700) == 0; }),
            EACCES);
}

TEST_F(SandboxTest, AConfiguredFileThatIsALinkOpensBothFolders) {
  std::filesystem::create_directory(directory_ / "linked");
  std::filesystem::create_symlink(directory_ / "elsewhere/file", directory_ / "linked/file");
  plan_.add_file(directory_ / "linked/file");
  EXPECT_EQ(plan_.file_folders.size(), 2U);
  EXPECT_EQ(error_of_open("linked/file", O_RDWR), 0);
  EXPECT_EQ(error_of_open("linked/file.wal", O_RDWR | O_CREAT), 0);
  EXPECT_EQ(error_of_open("elsewhere/file.wal", O_RDWR | O_CREAT), 0);
}

TEST_F(SandboxTest, AMissingFolderIsAnErrorAndNoOpenDoor) {
  plan_.write_folders.push_back(directory_ / "missing");
  const int status = status_of([] { return 0; });
  EXPECT_EQ(WEXITSTATUS(status), kNotLockedIn);
}

TEST_F(SandboxTest, ThereAreNoSockets) {
  for (const int family : {AF_INET, AF_INET6, AF_UNIX, AF_NETLINK, AF_PACKET}) {
    EXPECT_EQ(error_of([&] { return ::socket(family, SOCK_STREAM, 0) >= 0; }), EPERM) << family;
  }
  int pair[2];
  EXPECT_EQ(error_of([&] { return ::socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0; }), EPERM);
}

TEST_F(SandboxTest, WithTheNetworkThereAreInternetSocketsThatDoNotListen) {
  plan_.network = true;
  EXPECT_EQ(error_of([&] { return ::socket(AF_INET, SOCK_STREAM, 0) >= 0; }), 0);
  EXPECT_NE(error_of([&] { return ::socket(AF_UNIX, SOCK_STREAM, 0) >= 0; }), 0);
  EXPECT_NE(error_of([&] { return ::socket(AF_PACKET, SOCK_RAW, 0) >= 0; }), 0);
  EXPECT_NE(error_of([&] {
              const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
              sockaddr_in address{};
              address.sin_family = AF_INET;
              address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
              // NOLINTNEXTLINE(clang-analyzer-unix.StdCLibraryFunctions)
              return ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
                     ::listen(fd, 1) == 0;
            }),
            0);
  EXPECT_EQ(error_of_open("/etc/hosts", O_RDONLY), 0);
  EXPECT_EQ(error_of_open("/etc/passwd", O_RDONLY), EACCES);
}

TEST_F(SandboxTest, WhatOnlyATakenOverEngineWouldDoEndsIt) {
  char* nothing[] = {nullptr};
  expect_killed([&] { ::execve("/bin/true", nothing, nothing); });
  expect_killed([] { (void)::syscall(SYS_fork); });
  // NOLINTNEXTLINE(bugprone-unsafe-functions,clang-analyzer-security.insecureAPI.vfork)
  expect_killed([] { (void)!::vfork(); });
  expect_killed([] { (void)::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0); });
  expect_killed([] { ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr); });
  for (const long call :
       std::vector<long>{SYS_process_vm_readv, SYS_mount, SYS_unshare, SYS_bpf, SYS_keyctl,
                         SYS_userfaultfd, SYS_perf_event_open, SYS_setns, SYS_open_by_handle_at,
                         SYS_init_module, SYS_io_uring_setup}) {
    expect_killed([&] { ::syscall(call, 0, 0, 0, 0, 0); });
  }
}

TEST_F(SandboxTest, AnUnknownCallIsOneThatThisKernelDoesNotHave) {
  EXPECT_EQ(error_of([] { return ::syscall(SYS_clone3, nullptr, 0) >= 0; }), ENOSYS);
  EXPECT_EQ(error_of([] { return ::syscall(100'000) >= 0; }), ENOSYS);
}

TEST_F(SandboxTest, ThreadsAreMadeAndLockedInToo) {
  const std::string path = directory_ / "elsewhere/file";
  EXPECT_EQ(error_of([&] {
              bool opened = true;
              int error = 0;
              std::thread([&] {
                opened = ::open(path.c_str(), O_RDONLY) >= 0;
                error = errno;
              }).join();
              errno = error;
              return opened;
            }),
            EACCES);
}

TEST_F(SandboxTest, WithThreadsThereAlreadyItIsTooLate) {
  const pid_t child = ::fork();
  if (child == 0) {
    std::thread other([] { ::pause(); });
    other.detach();
    ::_exit(enter_sandbox(plan_, probe_kernel()) ? 0 : kNotLockedIn);
  }
  EXPECT_EQ(WEXITSTATUS(wait_status(child)), kNotLockedIn);
}

TEST_F(SandboxTest, NoMemoryBecomesCode) {
  const auto map = [](int protection) {
    return ::mmap(nullptr, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  };
  const auto attempt = [&] { return map(PROT_READ | PROT_WRITE | PROT_EXEC) != MAP_FAILED; };
  EXPECT_EQ(error_of(attempt), EPERM);
  EXPECT_EQ(error_of([&] {
              return ::mprotect(map(PROT_READ | PROT_WRITE), 4096, PROT_READ | PROT_EXEC) == 0;
            }),
            EPERM);
  // Extensions are code that is loaded.
  plan_.network = true;
  EXPECT_EQ(error_of(attempt), 0);
}

TEST_F(SandboxTest, SignalsReachNobodyElse) {
  const pid_t parent = ::getpid();
  EXPECT_EQ(error_of([&] { return ::kill(parent, 0) == 0; }), EPERM);
  EXPECT_EQ(error_of([&] { return ::kill(-1, 0) == 0; }), EPERM);
  EXPECT_EQ(error_of([&] { return ::kill(::getpid(), 0) == 0; }), 0);
  const int status = status_of([] { return ::raise(SIGKILL); });
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

TEST_F(SandboxTest, ThereIsNoCoreNoPrivilegeToGainAndFewToLose) {
  const int status = status_of([] {
    rlimit core{1, 1};
    ::getrlimit(RLIMIT_CORE, &core);
    if (core.rlim_max != 0) return 1;
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct capabilities[2] = {};
    // Neither prctl() nor capget() is on the list: what can be seen is what can be done.
    if (::syscall(SYS_capget, &header, capabilities) == 0 || errno != ENOSYS) return 2;
    if (::setuid(12345) == 0) return 3;
    if (::chown("/", 0, 0) == 0) return 4;
    return 0;
  });
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

// The address space of a sanitized program is full from the start: this one asks what is set.
TEST_F(SandboxTest, MemoryHasALimit) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "AddressSanitizer's own memory is beyond any limit";
#endif
  plan_.memory_bytes = 1ULL << 30;
  EXPECT_EQ(error_of([] {
              return ::mmap(nullptr, 2ULL << 30, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
            }),
            ENOMEM);
}

TEST(SandboxParts, WhatAKernelLacksIsNamed) {
  EXPECT_TRUE(missing_parts({.landlock_abi = 1, .seccomp_filters = true, .no_new_privileges = true})
                  .empty());
  EXPECT_TRUE(
      missing_parts({.landlock_abi = 99, .seccomp_filters = true, .no_new_privileges = true})
          .empty());
  const auto only = [](const KernelParts& kernel) {
    const auto missing = missing_parts(kernel);
    EXPECT_EQ(missing.size(), 1U);
    return missing.at(0).substr(0, missing.at(0).find(' '));
  };
  EXPECT_EQ(only({.landlock_abi = 0, .seccomp_filters = true, .no_new_privileges = true}),
            "Landlock");
  EXPECT_EQ(only({.landlock_abi = 4, .seccomp_filters = false, .no_new_privileges = true}),
            "seccomp");
  EXPECT_EQ(missing_parts({.landlock_abi = 4, .seccomp_filters = true}).size(), 3U);
}

// An older kernel is told less: each version's set of rights must be one that a newer kernel takes
// too.
TEST_F(SandboxTest, EveryVersionOfLandlockClosesTheSameDoors) {
  const int here = probe_kernel().landlock_abi;
  for (int abi = 1; abi <= here; ++abi) {
    const pid_t child = ::fork();
    if (child == 0) {
      KernelParts kernel = probe_kernel();
      kernel.landlock_abi = abi;
      if (!enter_sandbox(plan_, kernel)) ::_exit(kNotLockedIn);
      const bool reads = ::open((directory_ / "elsewhere/file").c_str(), O_RDONLY) >= 0;
      const bool works = ::open((directory_ / "own/file").c_str(), O_RDWR | O_TRUNC) >= 0;
      ::_exit(!reads && works ? 0 : 1);
    }
    EXPECT_EQ(WEXITSTATUS(wait_status(child)), 0) << "ABI " << abi;
  }
}

TEST_F(SandboxTest, AKernelWithoutLandlockStillFiltersCalls) {
  const pid_t child = ::fork();
  if (child == 0) {
    KernelParts kernel = probe_kernel();
    kernel.landlock_abi = 0;
    if (!enter_sandbox(plan_, kernel)) ::_exit(kNotLockedIn);
    ::_exit(::socket(AF_INET, SOCK_STREAM, 0) < 0 && errno == EPERM ? 0 : 1);
  }
  EXPECT_EQ(WEXITSTATUS(wait_status(child)), 0);
}

class EngineUserTest : public SandboxTest {
 protected:
  void SetUp() override {
    SandboxTest::SetUp();
    if (::geteuid() != 0) GTEST_SKIP() << "only root can become somebody else";
    user_ = *find_user("nobody");
    std::filesystem::permissions(directory_ / "", std::filesystem::perms::owner_all);
    for (const char* folder : {"journal", "own"}) {
      std::filesystem::permissions(directory_ / folder, std::filesystem::perms::owner_all);
    }
    std::filesystem::permissions(directory_ / "journal/file", std::filesystem::perms(0600));
    plan_.user = user_;
  }
  UserIds user_;
};

TEST_F(EngineUserTest, ReachesItsOwnAndItsJournal) {
  EXPECT_FALSE(can_reach(directory_ / "own", user_));
  ASSERT_TRUE(let_pass(directory_ / ""));
  ASSERT_TRUE(let_read(directory_ / "journal", user_));
  ASSERT_TRUE(give(directory_ / "own", user_));
  EXPECT_TRUE(can_reach(directory_ / "own", user_));
  // What the server adds later.
  std::ofstream(directory_ / "journal/later") << "x";
  ::chmod((directory_ / "journal/later").c_str(), 0640);
  EXPECT_EQ(error_of_open("journal/file", O_RDONLY), 0);
  EXPECT_EQ(error_of_open("journal/later", O_RDONLY), 0);
  EXPECT_EQ(error_of_open("own/file", O_RDWR), 0);
  EXPECT_EQ(error_of_open("own/new", O_RDWR | O_CREAT), 0);
  EXPECT_EQ(error_of_pipe_by_name(), 0);
  EXPECT_EQ(error_of_open("/dev/null", O_RDWR), 0);
  struct stat st {};
  ASSERT_EQ(::stat((directory_ / "own/new").c_str(), &st), 0);
  EXPECT_EQ(st.st_uid, user_.uid);
  EXPECT_EQ(st.st_gid, user_.gid);
}

// Without Landlock, it is the system's own rights that keep the user out.
TEST_F(EngineUserTest, IsKeptOutByTheSystemToo) {
  ASSERT_TRUE(let_pass(directory_ / ""));
  ASSERT_TRUE(let_read(directory_ / "journal", user_));
  std::ofstream(directory_ / "catalog") << "secret";
  ::chmod((directory_ / "catalog").c_str(), 0600);
  const pid_t child = ::fork();
  if (child == 0) {
    KernelParts kernel = probe_kernel();
    kernel.landlock_abi = 0;
    if (!enter_sandbox(plan_, kernel)) ::_exit(kNotLockedIn);
    const bool reads = ::open((directory_ / "catalog").c_str(), O_RDONLY) >= 0;
    const bool lists = ::open((directory_ / "").c_str(), O_RDONLY | O_DIRECTORY) >= 0;
    const bool writes = ::open((directory_ / "journal/file").c_str(), O_WRONLY) >= 0;
    ::_exit(reads || lists || writes ? 1 : 0);
  }
  EXPECT_EQ(WEXITSTATUS(wait_status(child)), 0);
}

TEST_F(EngineUserTest, GivesNothingAwayThatIsOnlyLinkedFromItsFolder) {
  std::filesystem::create_symlink(directory_ / "elsewhere/file", directory_ / "own/link");
  ASSERT_TRUE(give(directory_ / "own", user_));
  struct stat st {};
  ASSERT_EQ(::stat((directory_ / "elsewhere/file").c_str(), &st), 0);
  EXPECT_EQ(st.st_uid, 0U);
  std::filesystem::create_hard_link(directory_ / "elsewhere/file", directory_ / "own/hard");
  EXPECT_FALSE(give(directory_ / "own", user_));
  ASSERT_EQ(::stat((directory_ / "elsewhere/file").c_str(), &st), 0);
  EXPECT_EQ(st.st_uid, 0U);
}

TEST(EngineUser, MustBeOneThatThereIsAndNotRoot) {
  EXPECT_TRUE(find_user("nobody"));
  EXPECT_FALSE(find_user("root"));
  EXPECT_FALSE(find_user("no-such-user-here"));
}

}  // namespace
}  // namespace sd::engine
