// The walls around an engine process. DuckDB says itself that its settings are no sandbox; so
// before an engine opens anything it gives up, for good, everything that it does not need:
//
//   Landlock    files: its journal to read, its own folder to read and write, /dev/null (and what
//               a destination that is not of the usual kind needs beyond that, see SandboxPlan);
//               nothing else can be opened, made, removed or run. TCP and other processes' signals and
//               abstract sockets, where the kernel's version has them.
//   seccomp     system calls: those of sandbox_syscalls.cc and no others. No program is started, no
//               process made, no socket opened, no memory made executable.
//   limits      memory; no core dump; the first that the kernel ends when memory is short.
//   privileges  none can be gained. Root keeps of its capabilities only those that the files need;
//               where the server gives its engines a user, there is no root left.
//
// What remains: names. That a path exists, its size and times can be asked (Landlock has no right
// for stat), not what it holds, and no folder but its own lists its entries.
//
// Threading: enter_sandbox() must be called while the process has one thread; every later one
// inherits the walls. The rest: any thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace sd::engine {

// What a kernel reports about itself.
struct KernelParts {
  int landlock_abi = 0;  // 0: has none, or does not let us
  bool seccomp_filters = false;
  bool no_new_privileges = false;
};
KernelParts probe_kernel();

// What a sandbox on this kernel would lack, each as a few words for one line of a log; empty:
// nothing. An older Landlock is no lack: what it does not handle, the system call list does.
std::vector<std::string> missing_parts(const KernelParts& kernel);

// A system user, other than root.
struct UserIds {
  uid_t uid = 0;
  gid_t gid = 0;
};

struct SandboxPlan {
  std::vector<std::string> read_folders;   // with all that is in them
  std::vector<std::string> write_folders;  // the same, and things may be made and removed
  // Where a configured file stands outside of these. Files in it and in folders below it can be
  // read, written, made and removed, not listed: DuckDB makes its log beside the file, and Landlock
  // knows no right for one name.
  std::vector<std::string> file_folders;
  // Sockets, name resolution, certificates; and code may be loaded (extensions, out of
  // write_folders).
  bool network = false;
  std::uint64_t memory_bytes = 0;  // writable memory, in the address space; 0: no limit
  std::optional<UserIds> user;     // to become; only as root

  // Sees to file_folders.
  void add_file(const std::string& path);
};

// Locks the calling process in. A part that the kernel does not have is left out; one that it has
// and that fails is an error, and the process must then end: it is half locked in.
Result<> enter_sandbox(const SandboxPlan& plan, const KernelParts& kernel);

}  // namespace sd::engine
