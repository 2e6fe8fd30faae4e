#include "base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace sd {
namespace {

class PosixFile final : public File {
 public:
  PosixFile(int fd, std::string name) : fd_(fd), name_(std::move(name)) {}
  ~PosixFile() override { ::close(fd_); }

  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> out) override {
    std::size_t done = 0;
    while (done < out.size()) {
      const ssize_t n =
          ::pread(fd_, out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return fail(errno_error("read", name_, errno));
      if (n == 0) break;
      done += static_cast<std::size_t>(n);
    }
    return done;
  }

  Result<> write_at(std::uint64_t offset, std::string_view data) override {
    return write_at(offset, std::span(&data, 1));
  }

  Result<> write_at(std::uint64_t offset, std::span<const std::string_view> pieces) override {
    std::array<iovec, 64> vectors;
    std::size_t piece = 0;  // first one not yet written completely
    std::size_t skip = 0;   // bytes of it already written
    while (piece < pieces.size()) {
      int count = 0;
      for (std::size_t i = piece; i < pieces.size() && count < 64; ++i) {
        const std::size_t from = i == piece ? skip : 0;
        vectors[static_cast<std::size_t>(count++)] = {const_cast<char*>(pieces[i].data()) + from,
                                                      pieces[i].size() - from};
      }
      const ssize_t n = ::pwritev(fd_, vectors.data(), count, static_cast<off_t>(offset));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return fail(errno_error("write", name_, errno));
      offset += static_cast<std::uint64_t>(n);
      auto left = static_cast<std::size_t>(n);
      while (piece < pieces.size() && left >= pieces[piece].size() - skip) {
        left -= pieces[piece].size() - skip;
        skip = 0;
        ++piece;
      }
      skip += left;
    }
    return {};
  }

  Result<> sync_data() override {
    // Never repeated after a failure: the kernel has marked the pages clean (see PostgreSQL's
    // "fsync surprise" of 2018), so a second call would report success for lost bytes.
    if (::fdatasync(fd_) != 0) return fail(errno_error("sync", name_, errno));
    return {};
  }

  Result<> truncate(std::uint64_t size) override {
    if (::ftruncate(fd_, static_cast<off_t>(size)) != 0) {
      return fail(errno_error("truncate", name_, errno));
    }
    return {};
  }

  Result<std::uint64_t> size() override {
    struct stat st {};
    if (::fstat(fd_, &st) != 0) return fail(errno_error("stat", name_, errno));
    return static_cast<std::uint64_t>(st.st_size);
  }

  Result<> try_lock() override {
    if (::flock(fd_, LOCK_EX | LOCK_NB) == 0) return {};
    if (errno == EWOULDBLOCK)
      return fail(ErrorCode::kUnavailable, name_ + " is locked by another process");
    return fail(errno_error("lock", name_, errno));
  }

 private:
  int fd_;
  std::string name_;
};

class PosixFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    int flags = O_CLOEXEC;
    switch (mode) {
      case OpenMode::kRead:
        flags |= O_RDONLY;
        break;
      case OpenMode::kReadWrite:
        flags |= O_RDWR;
        break;
      case OpenMode::kCreate:
        flags |= O_RDWR | O_CREAT | O_EXCL;
        break;
      case OpenMode::kOpenOrCreate:
        flags |= O_RDWR | O_CREAT;
        break;
    }
    // Folders are closed to the group, so that its bit lets nobody in, until a server opens one.
    const int fd = ::open(path.c_str(), flags, 0640);
    if (fd < 0) return fail(errno_error("open", path, errno));
    return std::make_unique<PosixFile>(fd, std::string(base_name(path)));
  }

  Result<> rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return fail(errno_error("rename", from, errno));
    return {};
  }

  Result<> remove(const std::string& path) override {
    if (::unlink(path.c_str()) == 0) return {};
    if (errno == EISDIR || errno == EPERM) {
      if (::rmdir(path.c_str()) == 0) return {};
    }
    return fail(errno_error("remove", path, errno));
  }

  Result<std::vector<std::string>> list(const std::string& directory) override {
    DIR* dir = ::opendir(directory.c_str());
    if (dir == nullptr) return fail(errno_error("list", directory, errno));
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = ::readdir(dir)) {
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
      errno = 0;
    }
    const int error_number = errno;
    ::closedir(dir);
    if (error_number != 0) return fail(errno_error("list", directory, error_number));
    std::sort(names.begin(), names.end());
    return names;
  }

  Result<> make_directories(const std::string& path) override {
    if (::mkdir(path.c_str(), 0700) == 0) return {};
    if (errno == EEXIST) {
      struct stat st {};
      if (::stat(path.c_str(), &st) == 0 && S_ISDIR(st.st_mode)) return {};
      return fail(errno_error("make directory", path, ENOTDIR));
    }
    if (errno != ENOENT) return fail(errno_error("make directory", path, errno));
    const std::string parent = dir_name(path);
    if (parent == path) return fail(errno_error("make directory", path, ENOENT));
    TRY(make_directories(parent));
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
      return fail(errno_error("make directory", path, errno));
    }
    return {};
  }

  Result<> sync_directory(const std::string& path) override {
    const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return fail(errno_error("open directory", path, errno));
    const int rc = ::fsync(fd);
    const int error_number = errno;
    ::close(fd);
    if (rc != 0) return fail(errno_error("sync directory", path, error_number));
    return {};
  }

  Result<bool> exists(const std::string& path) override {
    struct stat st {};
    if (::lstat(path.c_str(), &st) == 0) return true;
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return fail(errno_error("stat", path, errno));
  }
};

}  // namespace

FileSystem& posix_file_system() {
  static PosixFileSystem fs;
  return fs;
}

std::string_view base_name(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string dir_name(std::string_view path) {
  const auto slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return std::string(slash == 0 ? "/" : path.substr(0, slash));
}

Error errno_error(std::string_view operation, std::string_view path, int error_number) {
  ErrorCode code = ErrorCode::kInternal;
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
      code = ErrorCode::kResourceExhausted;
      break;
    case ENOENT:
      code = ErrorCode::kNotFound;
      break;
    case EEXIST:
      code = ErrorCode::kAlreadyExists;
      break;
    case EACCES:
    case EPERM:
      code = ErrorCode::kPermissionDenied;
      break;
    default:
      break;
  }
  std::array<char, 256> buffer{};
  const char* text = ::strerror_r(error_number, buffer.data(), buffer.size());
  return Error{
      .code = code,
      .message = std::string(operation) + " " + std::string(base_name(path)) + ": " + text};
}

Result<std::string> read_file(FileSystem& fs, const std::string& path) {
  TRY_ASSIGN(auto file, fs.open(path, OpenMode::kRead));
  TRY_ASSIGN(const auto size, file->size());
  std::string content(size, '\0');
  TRY_ASSIGN(const auto n, file->read_at(0, content));
  content.resize(n);
  return content;
}

Result<> write_file_atomically(FileSystem& fs, const std::string& path, std::string_view content) {
  const std::string temporary = path + ".new";
  {
    TRY_ASSIGN(auto file, fs.open(temporary, OpenMode::kOpenOrCreate));
    TRY(file->truncate(0));
    TRY(file->write_at(0, content));
    TRY(file->sync_data());
  }
  TRY(fs.rename(temporary, path));
  return fs.sync_directory(dir_name(path));
}

}  // namespace sd
