#include "engine/sandbox.h"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <string_view>

#include "base/file.h"
#include "base/unique_fd.h"
#include "engine/sandbox_parts.h"

namespace sd::engine {
namespace {

// Where memory is short, the kernel ends the process with the highest score; 0 is usual, 1000 the
// most.
constexpr std::string_view kOomScore = "500";

Result<> check_one_thread() {
  DIR* threads = ::opendir("/proc/self/task");
  if (threads == nullptr) return {};  // no /proc: nothing to count in
  int count = 0;
  while (const dirent* entry = ::readdir(threads)) count += entry->d_name[0] != '.' ? 1 : 0;
  ::closedir(threads);
  if (count == 1) return {};
  return fail(ErrorCode::kInternal, "the sandbox is entered too late: there are threads already");
}

Result<> set_limit(__rlimit_resource resource, const char* name, std::uint64_t value) {
  const rlimit limit{value, value};
  if (::setrlimit(resource, &limit) != 0) return fail(errno_error("setrlimit", name, errno));
  return {};
}

Result<> limit_resources(std::uint64_t memory_bytes) {
  TRY(set_limit(RLIMIT_CORE, "core", 0));
  if (memory_bytes != 0) TRY(set_limit(RLIMIT_DATA, "data", memory_bytes));
  // Raising one's own score needs no privilege; where it cannot be done (no /proc), it is not done.
  const UniqueFd score(::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
  if (score) (void)!::write(score.get(), kOomScore.data(), kOomScore.size());
  return {};
}

Result<> become(const UserIds& user) {
  if (::setgroups(0, nullptr) != 0) return fail(errno_error("setgroups", "", errno));
  if (::setresgid(user.gid, user.gid, user.gid) != 0)
    return fail(errno_error("setresgid", "", errno));
  if (::setresuid(user.uid, user.uid, user.uid) != 0)
    return fail(errno_error("setresuid", "", errno));
  if (user.uid == 0 || ::setuid(0) == 0)
    return fail(ErrorCode::kInternal, "the engine could become root again");
  return {};
}

// Root without a user to become keeps what lets it open files that belong to somebody else (which
// ones: Landlock's part) and raise its priority again; an ordinary user has nothing to lose.
Result<> drop_capabilities() {
  constexpr std::uint32_t kKept = (1U << CAP_DAC_OVERRIDE) | (1U << CAP_SYS_NICE);
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  if (::syscall(SYS_capget, &header, data) != 0) return fail(errno_error("capget", "", errno));
  data[0] = {data[0].effective & kKept, data[0].permitted & kKept, 0};
  data[1] = {};
  if (::syscall(SYS_capset, &header, data) != 0) return fail(errno_error("capset", "", errno));
  return {};
}

}  // namespace

KernelParts probe_kernel() {
  // Asks what the flag is: a kernel without it does not know the question.
  return {.landlock_abi = probe_landlock(),
          .seccomp_filters = probe_seccomp(),
          .no_new_privileges = ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) >= 0};
}

std::vector<std::string> missing_parts(const KernelParts& kernel) {
  std::vector<std::string> missing;
  // Both need it.
  const bool privileges = kernel.no_new_privileges;
  if (!privileges) missing.emplace_back("no_new_privs");
  if (kernel.landlock_abi < 1 || !privileges)
    missing.emplace_back("Landlock (an engine could read and write other files of this user)");
  if (!kernel.seccomp_filters || !privileges)
    missing.emplace_back("seccomp (an engine could use the network and start programs)");
  return missing;
}

// DuckDB follows links to the file; its log has been seen beside either.
void SandboxPlan::add_file(const std::string& path) {
  std::error_code ignored;
  const std::filesystem::path given(path);
  for (const auto& each : {given, std::filesystem::weakly_canonical(given, ignored)}) {
    const std::string folder = each.parent_path().string();
    const auto holds = [&](const std::string& other) {
      return (folder + "/").starts_with(other + "/");
    };
    if (folder.empty() || std::ranges::any_of(write_folders, holds) ||
        std::ranges::find(file_folders, folder) != file_folders.end())
      continue;
    file_folders.push_back(folder);
  }
}

Result<> enter_sandbox(const SandboxPlan& plan, const KernelParts& kernel) {
  TRY(check_one_thread());
  TRY(limit_resources(plan.memory_bytes));
  if (plan.user) TRY(become(*plan.user));
  TRY(drop_capabilities());
  // After the change of user, which would set it anew: no memory of this process in a file, and
  // none for other processes of the same user to look at.
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
    return fail(errno_error("prctl", "dumpable", errno));
  if (!kernel.no_new_privileges) return {};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return fail(errno_error("prctl", "no_new_privs", errno));
  }
  if (kernel.landlock_abi > 0) TRY(restrict_files(plan, kernel.landlock_abi));
  if (kernel.seccomp_filters) TRY(restrict_syscalls(plan.network));
  return {};
}

}  // namespace sd::engine
