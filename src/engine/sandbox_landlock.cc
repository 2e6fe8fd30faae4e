// Landlock through its three system calls: no C library wraps them, and the header of Debian 12
// knows half of it.
#include <fcntl.h>
#include <limits.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "base/file.h"
#include "base/unique_fd.h"
#include "engine/sandbox_parts.h"

namespace sd::engine {
namespace {

// As in the kernel's linux/landlock.h; the header that we are built with may be older.
struct RulesetAttributes {
  std::uint64_t files = 0;
  std::uint64_t network = 0;  // from ABI 4 on
  std::uint64_t scopes = 0;   // from ABI 6 on
};

enum FileRight : std::uint64_t {
  kExecute = 1U << 0,
  kWriteFile = 1U << 1,
  kReadFile = 1U << 2,
  kReadFolder = 1U << 3,
  kRemoveFolder = 1U << 4,
  kRemoveFile = 1U << 5,
  kMakeFolder = 1U << 7,
  kMakeFile = 1U << 8,
  kTruncate = 1U << 14,
};
constexpr std::uint64_t kRightsOfAbi1 = (1U << 13) - 1;  // up to making symbolic links
constexpr std::uint64_t kRefer = 1U << 13;               // ABI 2: into another folder
constexpr std::uint64_t kDeviceControl = 1U << 15;       // ABI 5
constexpr std::uint64_t kBindTcp = 1U << 0, kConnectTcp = 1U << 1;
constexpr std::uint64_t kScopeAbstractSockets = 1U << 0, kScopeSignals = 1U << 1;
constexpr std::uint64_t kRightsOfFiles =
    kExecute | kWriteFile | kReadFile | kTruncate | kDeviceControl;

constexpr std::uint64_t kReading = kReadFile | kReadFolder;
constexpr std::uint64_t kFilesInIt = kReadFile | kWriteFile | kTruncate | kMakeFile | kRemoveFile;
constexpr std::uint64_t kEverythingInIt = kFilesInIt | kReading | kMakeFolder | kRemoveFolder;

std::uint64_t handled_files(int abi) {
  std::uint64_t rights = kRightsOfAbi1;
  if (abi >= 2) rights |= kRefer;
  if (abi >= 3) rights |= kTruncate;
  if (abi >= 5) rights |= kDeviceControl;
  return rights;
}

// What resolving names and checking certificates reads. Paths that are not there are passed over.
std::vector<std::string> files_of_the_network() {
  std::vector<std::string> paths = {
      "/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf",
      "/etc/services", "/etc/protocols", "/etc/ssl/certs", "/etc/ssl/openssl.cnf", "/etc/pki",
      "/etc/ca-certificates", "/usr/share/ca-certificates", "/usr/local/share/ca-certificates",
      // resolv.conf is often a link to here, to a file that is written anew by renaming.
      "/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager",
      // Name services are libraries that the C library loads when they are needed.
      "/etc/ld.so.cache", "/lib", "/lib64", "/usr/lib", "/usr/lib64"};
  for (const char* name : {"SSL_CERT_FILE", "SSL_CERT_DIR"}) {
    if (const char* value = std::getenv(name); value != nullptr) paths.emplace_back(value);
  }
  return paths;
}

class Ruleset {
 public:
  static Result<Ruleset> make(const SandboxPlan& plan, int abi) {
    RulesetAttributes attributes{.files = handled_files(abi)};
    if (abi >= 4) attributes.network = plan.network ? kBindTcp : kBindTcp | kConnectTcp;
    if (abi >= 6) attributes.scopes = kScopeAbstractSockets | kScopeSignals;
    // Older kernels take the longer structure as long as what they do not know is zero.
    long fd = ::syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0);
    if (fd < 0 && errno == EINVAL && attributes.scopes != 0) {
      // Distributions' kernels that call themselves ABI 6 and have half of the scopes.
      attributes.scopes = kScopeAbstractSockets;
      fd = ::syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0);
    }
    if (fd < 0) return fail(errno_error("landlock_create_ruleset", "", errno));
    return Ruleset(UniqueFd(static_cast<int>(fd)), attributes.files);
  }

  // `rights` beneath a folder, or of a file.
  Result<> allow(const std::string& path, std::uint64_t rights, bool must_exist = true) {
    const UniqueFd fd(::open(path.c_str(), O_PATH | O_CLOEXEC));
    struct stat st {};
    if (!fd || ::fstat(fd.get(), &st) != 0) {
      if (!must_exist && (errno == ENOENT || errno == ENOTDIR || errno == EACCES)) return {};
      return fail(errno_error("open", path, errno));
    }
    landlock_path_beneath_attr beneath{};
    beneath.allowed_access = rights & handled_ & (S_ISDIR(st.st_mode) ? ~0ULL : kRightsOfFiles);
    beneath.parent_fd = fd.get();
    if (::syscall(SYS_landlock_add_rule, fd_.get(), LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) != 0) {
      return fail(errno_error("landlock_add_rule", path, errno));
    }
    return {};
  }

  Result<> enforce() {
    if (::syscall(SYS_landlock_restrict_self, fd_.get(), 0) != 0) {
      return fail(errno_error("landlock_restrict_self", "", errno));
    }
    return {};
  }

 private:
  Ruleset(UniqueFd fd, std::uint64_t handled) : fd_(std::move(fd)), handled_(handled) {}

  UniqueFd fd_;
  std::uint64_t handled_;
};

}  // namespace

int probe_landlock() {
  const long abi =
      ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  return abi > 0 ? static_cast<int>(abi) : 0;
}

Result<> restrict_files(const SandboxPlan& plan, int abi) {
  TRY_ASSIGN(Ruleset ruleset, Ruleset::make(plan, abi));
  for (const std::string& folder : plan.read_folders) TRY(ruleset.allow(folder, kReading));
  for (const std::string& folder : plan.write_folders) {
    TRY(ruleset.allow(folder, kEverythingInIt));
  }
  TRY(ruleset.allow("/dev/null", kReadFile | kWriteFile, false));
  for (const std::string& folder : plan.file_folders) TRY(ruleset.allow(folder, kFilesInIt));
  if (plan.network) {
    for (const std::string& path : files_of_the_network()) {
      TRY(ruleset.allow(path, kReading, false));
    }
  }
  return ruleset.enforce();
}

}  // namespace sd::engine
