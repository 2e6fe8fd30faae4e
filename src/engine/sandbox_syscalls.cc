// The system calls of an engine. The list was made by watching engines (strace) through every
// end-to-end test, queries that spill, checkpoints and large joins; what stands in it without
// having been seen is another spelling of a call that was (a newer C library's fstatat for stat),
// and says so.
//
// What becomes of other calls:
//   EPERM    a call that a library may try, and can do without
//   SIGSYS   a call that starts programs or processes, looks into other processes, or speaks to the
//            kernel's less tried parts. Nothing in an engine ever makes one: whoever does has taken
//            it over, and is ended.
//   ENOSYS   all others: a C library that is newer than this list takes it for an older kernel, and
//            falls back.
#include <asm/termbits.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <initializer_list>
#include <memory>

#include "base/file.h"
#include "engine/sandbox_parts.h"

namespace sd::engine {
namespace {

using Calls = std::initializer_list<int>;

constexpr Calls kMemory = {SCMP_SYS(brk),   SCMP_SYS(madvise), SCMP_SYS(munmap), SCMP_SYS(mremap),
                           SCMP_SYS(mlock), SCMP_SYS(munlock)};  // mmap, mprotect: by argument

constexpr Calls kThreads = {SCMP_SYS(futex),
                            SCMP_SYS(rseq),
                            SCMP_SYS(set_robust_list),
                            SCMP_SYS(sched_yield),
                            SCMP_SYS(sched_getaffinity),
                            SCMP_SYS(sched_setaffinity),
                            SCMP_SYS(getcpu),
                            SCMP_SYS(gettid),
                            SCMP_SYS(membarrier),
                            SCMP_SYS(exit),
                            SCMP_SYS(exit_group)};

constexpr Calls kSignals = {SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),
                            SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack),
                            SCMP_SYS(restart_syscall)};  // kill, tgkill: to itself

constexpr Calls kTime = {SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres),
                         SCMP_SYS(gettimeofday),  SCMP_SYS(time),
                         SCMP_SYS(nanosleep),     SCMP_SYS(clock_nanosleep)};

// Which of them: Landlock's part.
constexpr Calls kFiles = {
    SCMP_SYS(open),      SCMP_SYS(openat),     SCMP_SYS(close),     SCMP_SYS(read),
    SCMP_SYS(write),     SCMP_SYS(pread64),    SCMP_SYS(pwrite64),  SCMP_SYS(readv),
    SCMP_SYS(writev),    SCMP_SYS(preadv),     SCMP_SYS(pwritev),   SCMP_SYS(lseek),
    SCMP_SYS(fsync),     SCMP_SYS(fdatasync),  SCMP_SYS(ftruncate), SCMP_SYS(fallocate),
    SCMP_SYS(fadvise64), SCMP_SYS(flock),      SCMP_SYS(stat),      SCMP_SYS(fstat),
    SCMP_SYS(lstat),     SCMP_SYS(newfstatat), SCMP_SYS(statx),     SCMP_SYS(statfs),
    SCMP_SYS(fstatfs),   SCMP_SYS(access),     SCMP_SYS(faccessat), SCMP_SYS(faccessat2),
    SCMP_SYS(readlink),  SCMP_SYS(readlinkat), SCMP_SYS(getcwd),    SCMP_SYS(getdents64),
    SCMP_SYS(unlink),    SCMP_SYS(unlinkat),   SCMP_SYS(rename),    SCMP_SYS(renameat),
    SCMP_SYS(renameat2), SCMP_SYS(mkdir),      SCMP_SYS(mkdirat),   SCMP_SYS(rmdir)};

// The control socket, and the pipes that come through it and are put where they are wanted.
constexpr Calls kPipes = {SCMP_SYS(sendmsg), SCMP_SYS(recvmsg), SCMP_SYS(poll), SCMP_SYS(ppoll),
                          SCMP_SYS(dup),     SCMP_SYS(dup2),    SCMP_SYS(dup3), SCMP_SYS(pipe2)};

// Questions that change nothing.
constexpr Calls kQuestions = {SCMP_SYS(getrandom),  SCMP_SYS(sysinfo), SCMP_SYS(uname),
                              SCMP_SYS(getpid),     SCMP_SYS(getuid),  SCMP_SYS(geteuid),
                              SCMP_SYS(getgid),     SCMP_SYS(getegid), SCMP_SYS(getrusage),
                              SCMP_SYS(getpriority)};

// Where the destination is elsewhere; not seen, as it cannot be reached from where this was
// written: what resolving a name and a TLS connection take.
constexpr Calls kNetwork = {
    SCMP_SYS(connect),        SCMP_SYS(bind),           SCMP_SYS(getsockname),
    SCMP_SYS(getpeername),    SCMP_SYS(getsockopt),     SCMP_SYS(setsockopt),
    SCMP_SYS(sendto),         SCMP_SYS(recvfrom),       SCMP_SYS(sendmmsg),
    SCMP_SYS(recvmmsg),       SCMP_SYS(shutdown),       SCMP_SYS(select),
    SCMP_SYS(pselect6),       SCMP_SYS(epoll_create1),  SCMP_SYS(epoll_ctl),
    SCMP_SYS(epoll_wait),     SCMP_SYS(epoll_pwait),    SCMP_SYS(eventfd2),
    SCMP_SYS(timerfd_create), SCMP_SYS(timerfd_settime)};

constexpr Calls kRefused = {
    SCMP_SYS(socket),    SCMP_SYS(socketpair), SCMP_SYS(connect),   SCMP_SYS(bind),
    SCMP_SYS(listen),    SCMP_SYS(accept),     SCMP_SYS(accept4),   SCMP_SYS(memfd_create),
    SCMP_SYS(creat),     SCMP_SYS(truncate),   SCMP_SYS(link),      SCMP_SYS(linkat),
    SCMP_SYS(symlink),   SCMP_SYS(symlinkat),  SCMP_SYS(mknod),     SCMP_SYS(mknodat),
    SCMP_SYS(chmod),     SCMP_SYS(fchmod),     SCMP_SYS(fchmodat),  SCMP_SYS(chown),
    SCMP_SYS(fchown),    SCMP_SYS(lchown),     SCMP_SYS(fchownat),  SCMP_SYS(setxattr),
    SCMP_SYS(lsetxattr), SCMP_SYS(fsetxattr),  SCMP_SYS(utimensat), SCMP_SYS(chdir),
    SCMP_SYS(fchdir),    SCMP_SYS(umask),      SCMP_SYS(setrlimit), SCMP_SYS(personality),
    SCMP_SYS(setuid),    SCMP_SYS(setgid),     SCMP_SYS(setresuid), SCMP_SYS(setresgid),
    SCMP_SYS(setgroups), SCMP_SYS(capset),     SCMP_SYS(setsid),    SCMP_SYS(pkey_mprotect)};

constexpr Calls kDeadly = {SCMP_SYS(execve),
                           SCMP_SYS(execveat),
                           SCMP_SYS(fork),
                           SCMP_SYS(vfork),
                           SCMP_SYS(ptrace),
                           SCMP_SYS(process_vm_readv),
                           SCMP_SYS(process_vm_writev),
                           SCMP_SYS(kcmp),
                           SCMP_SYS(pidfd_open),
                           SCMP_SYS(pidfd_getfd),
                           SCMP_SYS(pidfd_send_signal),
                           SCMP_SYS(process_madvise),
                           SCMP_SYS(mount),
                           SCMP_SYS(umount2),
                           SCMP_SYS(move_mount),
                           SCMP_SYS(open_tree),
                           SCMP_SYS(fsopen),
                           SCMP_SYS(fsmount),
                           SCMP_SYS(mount_setattr),
                           SCMP_SYS(pivot_root),
                           SCMP_SYS(chroot),
                           SCMP_SYS(setns),
                           SCMP_SYS(unshare),
                           SCMP_SYS(open_by_handle_at),
                           SCMP_SYS(bpf),
                           SCMP_SYS(perf_event_open),
                           SCMP_SYS(userfaultfd),
                           SCMP_SYS(io_uring_setup),
                           SCMP_SYS(io_uring_enter),
                           SCMP_SYS(io_uring_register),
                           SCMP_SYS(keyctl),
                           SCMP_SYS(add_key),
                           SCMP_SYS(request_key),
                           SCMP_SYS(init_module),
                           SCMP_SYS(finit_module),
                           SCMP_SYS(delete_module),
                           SCMP_SYS(kexec_load),
                           SCMP_SYS(kexec_file_load),
                           SCMP_SYS(reboot),
                           SCMP_SYS(swapon),
                           SCMP_SYS(swapoff),
                           SCMP_SYS(acct),
                           SCMP_SYS(quotactl),
                           SCMP_SYS(syslog),
                           SCMP_SYS(iopl),
                           SCMP_SYS(ioperm),
                           SCMP_SYS(modify_ldt),
                           SCMP_SYS(settimeofday),
                           SCMP_SYS(clock_settime),
                           SCMP_SYS(adjtimex),
                           SCMP_SYS(sethostname),
                           SCMP_SYS(setdomainname)};

// Rules are gathered, and the first error is kept.
class Filter {
 public:
  Filter() : context_(seccomp_init(SCMP_ACT_ERRNO(ENOSYS)), seccomp_release) {
    if (!context_) error_ = ENOMEM;
  }
  void add(std::uint32_t action, Calls calls) {
    for (const int call : calls) add_if(action, call, {});
  }
  void add_if(std::uint32_t action, int call, std::initializer_list<scmp_arg_cmp> conditions) {
    if (error_ != 0) return;
    const int rc = seccomp_rule_add_array(
        context_.get(), action, call, static_cast<unsigned>(conditions.size()), conditions.begin());
    if (rc < 0) error_ = -rc;
  }
  void set(scmp_filter_attr attribute, std::uint32_t value) {
    if (error_ == 0) error_ = -seccomp_attr_set(context_.get(), attribute, value);
  }
  Result<> load() {
    if (error_ == 0) error_ = -seccomp_load(context_.get());
    if (error_ != 0) return fail(errno_error("load", "seccomp filter", error_));
    return {};
  }

 private:
  std::unique_ptr<void, void (*)(scmp_filter_ctx)> context_;
  int error_ = 0;
};

constexpr std::uint32_t kAllow = SCMP_ACT_ALLOW;
constexpr std::uint32_t kRefuse = SCMP_ACT_ERRNO(EPERM);
constexpr std::uint32_t kEnd = SCMP_ACT_KILL_PROCESS;

scmp_arg_cmp is(unsigned argument, std::uint64_t value) {
  return {argument, SCMP_CMP_EQ, value, 0};
}
scmp_arg_cmp is_not(unsigned argument, std::uint64_t value) {
  return {argument, SCMP_CMP_NE, value, 0};
}
scmp_arg_cmp has_bits(unsigned argument, std::uint64_t bits) {
  return {argument, SCMP_CMP_MASKED_EQ, bits, bits};
}
scmp_arg_cmp lacks_bits(unsigned argument, std::uint64_t bits) {
  return {argument, SCMP_CMP_MASKED_EQ, bits, 0};
}

// Calls that are right with some arguments and wrong with others.
void add_by_argument(Filter& filter, bool may_load_code) {
  // Memory that can be run is code from elsewhere: a library that was planted, or an exploit's own.
  for (const int call : {SCMP_SYS(mmap), SCMP_SYS(mprotect)}) {
    filter.add_if(kAllow, call, {lacks_bits(2, PROT_EXEC)});
    filter.add_if(may_load_code ? kAllow : kRefuse, call, {has_bits(2, PROT_EXEC)});
  }
  // Threads, never processes. clone3 has its flags in memory, where a filter cannot look: it is
  // ENOSYS like all that is not named, and the C library then uses clone.
  filter.add_if(kAllow, SCMP_SYS(clone), {has_bits(0, CLONE_THREAD | CLONE_VM)});
  filter.add_if(kEnd, SCMP_SYS(clone), {lacks_bits(0, CLONE_THREAD)});
  // To itself alone: abort(), and the end of an engine with a query that cannot be stopped.
  const auto self = static_cast<std::uint64_t>(::getpid());
  for (const int call : {SCMP_SYS(kill), SCMP_SYS(tgkill)}) {
    filter.add_if(kAllow, call, {is(0, self)});
    filter.add_if(kRefuse, call, {is_not(0, self)});
  }
  for (const int command :
       {F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GETLK, F_SETLK, F_SETLKW, F_DUPFD_CLOEXEC}) {
    filter.add_if(kAllow, SCMP_SYS(fcntl), {is(1, static_cast<std::uint64_t>(command))});
  }
  filter.add_if(kAllow, SCMP_SYS(ioctl), {is(1, TCGETS)});    // isatty()
  filter.add_if(kAllow, SCMP_SYS(ioctl), {is(1, FIONREAD)});  // what is in a pipe
  filter.add_if(kAllow, SCMP_SYS(prctl), {is(0, PR_SET_NAME)});
  // A thread's priority: the engine yields to the front.
  filter.add_if(kAllow, SCMP_SYS(setpriority), {is(0, PRIO_PROCESS)});
  constexpr std::uint64_t kIoprioWhoProcess = 1;
  filter.add_if(kAllow, SCMP_SYS(ioprio_set), {is(0, kIoprioWhoProcess)});
  // Asking for limits, of itself.
  filter.add_if(kAllow, SCMP_SYS(prlimit64), {is(0, 0), is(2, 0)});
}

void add_network(Filter& filter) {
  filter.add(kAllow, kNetwork);
  for (const int family : {AF_INET, AF_INET6, AF_NETLINK}) {
    filter.add_if(kAllow, SCMP_SYS(socket), {is(0, static_cast<std::uint64_t>(family))});
  }
  filter.add_if(kAllow, SCMP_SYS(ioctl), {is(1, FIONBIO)});
}

}  // namespace

bool probe_seccomp() {
  // Asks whether a filter may end the process; says so without setting anything.
  std::uint32_t action = SCMP_ACT_KILL_PROCESS;
  constexpr int kGetActionAvailable = 2;  // linux/seccomp.h
  return ::syscall(SYS_seccomp, kGetActionAvailable, 0, &action) == 0;
}

Result<> restrict_syscalls(bool network) {
  Filter filter;
  filter.set(SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
  filter.set(SCMP_FLTATR_CTL_OPTIMIZE, 2);  // a binary tree: the cost does not grow with the list
  for (const Calls& calls : {kMemory, kThreads, kSignals, kTime, kFiles, kPipes, kQuestions}) {
    filter.add(kAllow, calls);
  }
  add_by_argument(filter, network);
  if (network) add_network(filter);
  for (const int call : kRefused) {
    const bool used = network && (call == SCMP_SYS(socket) || call == SCMP_SYS(connect) ||
                                  call == SCMP_SYS(bind));
    if (!used) filter.add_if(kRefuse, call, {});
  }
  filter.add(kEnd, kDeadly);
  return filter.load();
}

}  // namespace sd::engine
