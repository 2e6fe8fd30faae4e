// The file seam: everything that the journal and the data directory ask of a file system, so that
// tests can lose unsynced bytes, fail the nth call, or fill the disk.
//
// Errors: a full disk (ENOSPC, EDQUOT) is kResourceExhausted, a missing file kNotFound, an existing
// one kAlreadyExists, a lock held elsewhere kUnavailable; anything else kInternal with errno's text.
// New files have mode 0640.
// Messages name the operation and the file's last path component only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sd {

// An open file. Reads and writes at offsets may come from any thread; the rest from one at a time.
// Closing never reports an error: whoever cares has synced before.
class File {
 public:
  virtual ~File() = default;
  // Bytes read; fewer than asked only at the end of the file.
  virtual Result<std::size_t> read_at(std::uint64_t offset, std::span<char> out) = 0;
  // All of it, or an error (then any part may have been written).
  virtual Result<> write_at(std::uint64_t offset, std::string_view data) = 0;
  // The pieces one behind the other, with as few system calls as the kernel allows.
  virtual Result<> write_at(std::uint64_t offset, std::span<const std::string_view> pieces) = 0;
  // Contents (and the size, where needed to reach them) are on stable storage on return.
  virtual Result<> sync_data() = 0;
  virtual Result<> truncate(std::uint64_t size) = 0;
  virtual Result<std::uint64_t> size() = 0;
  // Takes an exclusive lock that ends with this object or its process; kUnavailable if held elsewhere.
  virtual Result<> try_lock() = 0;
};

enum class OpenMode {
  kRead,       // must exist
  kReadWrite,  // must exist
  kCreate,     // must not exist; read and write
  kOpenOrCreate,
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;
  virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  virtual Result<> rename(const std::string& from, const std::string& to) = 0;
  virtual Result<> remove(const std::string& path) = 0;
  // Names (not paths) of the entries, sorted.
  virtual Result<std::vector<std::string>> list(const std::string& directory) = 0;
  // Makes missing parents too; an existing directory is no error. Mode 0700.
  virtual Result<> make_directories(const std::string& path) = 0;
  // What was created, renamed or removed in the directory is on stable storage on return.
  virtual Result<> sync_directory(const std::string& path) = 0;
  virtual Result<bool> exists(const std::string& path) = 0;
};

// The operating system's files. Any thread.
FileSystem& posix_file_system();

// Whole small files, through the seam.
Result<std::string> read_file(FileSystem& fs, const std::string& path);
// Written beside it, synced, renamed over it, directory synced: after a crash the old or the new one.
Result<> write_file_atomically(FileSystem& fs, const std::string& path, std::string_view content);

// Last component of a path, and what stands before it ("." where there is none).
std::string_view base_name(std::string_view path);
std::string dir_name(std::string_view path);

// An Error from errno, as described at the top of this file.
Error errno_error(std::string_view operation, std::string_view path, int error_number);

}  // namespace sd
