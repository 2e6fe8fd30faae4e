#include "engine/engine_user.h"

#include <dirent.h>
#include <fcntl.h>
#include <pwd.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <functional>

#include "base/file.h"
#include "base/unique_fd.h"

namespace sd::engine {
namespace {

// What is changed of each file and folder.
struct Change {
  uid_t owner;  // as in chown: -1 leaves it
  gid_t group;
  mode_t folder_bits;
  mode_t file_bits;
};

Result<> change(int fd, const std::string& name, const struct stat& st, const Change& change) {
  const bool owned = change.owner == static_cast<uid_t>(-1) || st.st_uid == change.owner;
  if (!owned || st.st_gid != change.group) {
    if (::fchown(fd, change.owner, change.group) != 0)
      return fail(errno_error("chown", name, errno));
  }
  const mode_t bits = S_ISDIR(st.st_mode) ? change.folder_bits : change.file_bits;
  if ((st.st_mode & bits) != bits && ::fchmod(fd, (st.st_mode & 07777) | bits) != 0) {
    return fail(errno_error("chmod", name, errno));
  }
  return {};
}

// Everything under an open folder, and the folder. By descriptors, never by paths: an engine may
// write here, and root must not be led elsewhere by a link.
Result<> change_tree(UniqueFd fd, const std::string& name, const Change& wanted) {
  struct stat st {};
  if (::fstat(fd.get(), &st) != 0) return fail(errno_error("stat", name, errno));
  if (!S_ISDIR(st.st_mode)) {
    if (!S_ISREG(st.st_mode)) return {};
    if (st.st_nlink > 1) {
      return fail(ErrorCode::kInvalidArgument,
                  name + " has a second name elsewhere; an engine's user gets no such file");
    }
    return change(fd.get(), name, st, wanted);
  }
  DIR* folder = ::fdopendir(fd.get());
  if (folder == nullptr) return fail(errno_error("list", name, errno));
  const std::unique_ptr<DIR, int (*)(DIR*)> closed(folder, ::closedir);
  const int folder_fd = fd.release();
  while (const dirent* entry = ::readdir(folder)) {
    const std::string each = entry->d_name;
    if (each == "." || each == "..") continue;
    UniqueFd inner(
        ::openat(folder_fd, each.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (inner)
      TRY(change_tree(std::move(inner), each, wanted));
    else if (errno != ELOOP && errno != ENOENT && errno != ENXIO)
      return fail(errno_error("open", each, errno));
  }
  return change(folder_fd, name, st, wanted);
}

Result<> change_folder(const std::string& folder, const Change& wanted) {
  UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return fail(errno_error("open", folder, errno));
  return change_tree(std::move(fd), std::string(base_name(folder)), wanted);
}

}  // namespace

Result<UserIds> find_user(const std::string& name) {
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 16384> buffer;
  const int rc = ::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (rc != 0 && rc != ENOENT) return fail(errno_error("look up", "a user", rc));
  if (found == nullptr) return fail(invalid("there is no user " + name + " on this system"));
  if (entry.pw_uid == 0) return fail(invalid(name + " is root; engines are to have less"));
  return UserIds{entry.pw_uid, entry.pw_gid};
}

Result<> let_pass(const std::string& folder) {
  struct stat st {};
  if (::stat(folder.c_str(), &st) != 0) return fail(errno_error("stat", folder, errno));
  if ((st.st_mode & S_IXOTH) != 0) return {};
  if (::chmod(folder.c_str(), (st.st_mode & 07777) | S_IXOTH) != 0) {
    return fail(errno_error("chmod", folder, errno));
  }
  return {};
}

Result<> let_read(const std::string& folder, const UserIds& user) {
  // The set-group bit hands the group on to what the server makes in it.
  return change_folder(folder, {.owner = static_cast<uid_t>(-1),
                                .group = user.gid,
                                .folder_bits = S_ISGID | S_IRGRP | S_IXGRP,
                                .file_bits = S_IRGRP});
}

Result<> give(const std::string& folder, const UserIds& user) {
  return change_folder(folder, {.owner = user.uid,
                                .group = user.gid,
                                .folder_bits = S_IRWXU,
                                .file_bits = S_IRUSR | S_IWUSR});
}

bool can_reach(const std::string& folder, const UserIds& user) {
  // The calling thread looks through the user's eyes for a moment; the kernel takes root's powers
  // over files from it meanwhile. There is no error to ask for: setting an id that is set returns
  // it.
  ::setfsgid(user.gid);
  ::setfsuid(user.uid);
  const UniqueFd fd(::open((folder + "/.").c_str(), O_PATH | O_CLOEXEC));
  ::setfsuid(::geteuid());
  ::setfsgid(::getegid());
  return static_cast<bool>(fd);
}

}  // namespace sd::engine
