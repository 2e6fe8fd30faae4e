// A file system in memory that can lose power, fill up, and fail the nth call.
//
// Each file has what programs see (cached) and what would survive a power loss (durable), with
// dirty 512-byte blocks between the two; directory entries become durable with sync_directory()
// only. A power loss keeps a random subset of the dirty blocks and of the unsynced directory
// changes. A failed sync forgets that the blocks are dirty, as Linux does: what is read back
// afterwards was never written.
//
// Any thread. Files opened before a power loss fail ever after.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "base/file.h"

namespace sd::journal::testing {

enum class Op { kWrite, kSync, kOpen, kRename, kRemove, kSyncDirectory, kCount };

class MemoryFileSystem final : public FileSystem {
 public:
  static constexpr std::size_t kBlock = 512;

  // The nth call of this kind from now on (1: the next) fails with kInternal.
  void fail_nth(Op op, int n) {
    const std::lock_guard lock(mutex_);
    countdown_[static_cast<std::size_t>(op)] = n;
  }
  void clear_faults() {
    const std::lock_guard lock(mutex_);
    countdown_.fill(0);
  }
  // Bytes that all files together may have; 0: no limit.
  void set_capacity(std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    capacity_ = bytes;
  }
  std::uint64_t used() {
    const std::lock_guard lock(mutex_);
    return used_bytes();
  }
  std::uint64_t calls(Op op) {
    const std::lock_guard lock(mutex_);
    return calls_[static_cast<std::size_t>(op)];
  }

  // From now on every call fails.
  void power_off() {
    const std::lock_guard lock(mutex_);
    off_ = true;
  }

  // What is left is there again; `keep` is the share of unsynced changes that survived (1: all of
  // them, as after the death of the process alone).
  void power_on(std::mt19937_64& random, double keep) {
    const std::lock_guard lock(mutex_);
    off_ = false;
    ++life_;
    const auto survives = [&] {
      return keep >= 1 || std::uniform_real_distribution<>(0, 1)(random) < keep;
    };
    for (auto& [path, directory] : directories_) {
      for (auto& change : directory.changes) {
        if (!survives()) continue;
        for (auto& [name, inode] : change) apply(directory.durable, name, inode);
      }
      directory.changes.clear();
      directory.cached = directory.durable;
    }
    std::set<Inode*> done;
    for (auto& [path, directory] : directories_) {
      for (auto& [name, inode] : directory.cached) {
        inode->locked = false;
        if (!done.insert(inode.get()).second || keep >= 1) continue;
        lose(*inode, survives);
      }
    }
  }

  // The whole of a file, as programs see it, for tests that damage it; empty where it
  // does not exist (housekeeping may have removed it). What is set is durable at once.
  std::string contents(const std::string& path) {
    const std::lock_guard lock(mutex_);
    const auto inode = find(path);
    return inode ? inode->cached : std::string();
  }
  void set_contents(const std::string& path, std::string bytes) {
    const std::lock_guard lock(mutex_);
    Directory& directory = directories_[dir_name(path)];
    auto& inode = directory.cached[std::string(base_name(path))];
    if (!inode) inode = std::make_shared<Inode>();
    directory.durable[std::string(base_name(path))] = inode;
    inode->cached = inode->durable = std::move(bytes);
    inode->dirty.clear();
  }

  // All files and directories of another one, in their cached state.
  void copy_from(MemoryFileSystem& other) {
    const std::scoped_lock lock(mutex_, other.mutex_);
    directories_.clear();
    for (const auto& [path, directory] : other.directories_) {
      Directory& mine = directories_[path];
      for (const auto& [name, inode] : directory.cached) {
        auto copy = std::make_shared<Inode>();
        copy->cached = copy->durable = inode->cached;
        mine.cached[name] = mine.durable[name] = copy;
      }
    }
  }

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    const std::lock_guard lock(mutex_);
    TRY(check(Op::kOpen));
    const auto directory = directories_.find(dir_name(path));
    if (directory == directories_.end()) return fail(errno_error("open", path, ENOENT));
    const std::string name(base_name(path));
    auto inode = find(path);
    if (inode && mode == OpenMode::kCreate) return fail(errno_error("open", path, EEXIST));
    if (!inode) {
      if (mode == OpenMode::kRead || mode == OpenMode::kReadWrite) {
        return fail(errno_error("open", path, ENOENT));
      }
      inode = std::make_shared<Inode>();
      directory->second.cached[name] = inode;
      directory->second.changes.push_back({{name, inode}});
    }
    return std::unique_ptr<File>(new MemoryFile(*this, inode, name, life_));
  }

  Result<> rename(const std::string& from, const std::string& to) override {
    const std::lock_guard lock(mutex_);
    TRY(check(Op::kRename));
    const auto inode = find(from);
    if (!inode) return fail(errno_error("rename", from, ENOENT));
    SD_ASSERT(dir_name(from) == dir_name(to));
    Directory& directory = directories_[dir_name(from)];
    const std::string old_name(base_name(from));
    const std::string new_name(base_name(to));
    directory.cached.erase(old_name);
    directory.cached[new_name] = inode;
    directory.changes.push_back({{old_name, nullptr}, {new_name, inode}});
    return {};
  }

  Result<> remove(const std::string& path) override {
    const std::lock_guard lock(mutex_);
    TRY(check(Op::kRemove));
    if (!find(path)) return fail(errno_error("remove", path, ENOENT));
    Directory& directory = directories_[dir_name(path)];
    directory.cached.erase(std::string(base_name(path)));
    directory.changes.push_back({{std::string(base_name(path)), nullptr}});
    return {};
  }

  Result<std::vector<std::string>> list(const std::string& path) override {
    const std::lock_guard lock(mutex_);
    if (off_) return fail(ErrorCode::kInternal, "power is off");
    const auto directory = directories_.find(path);
    if (directory == directories_.end()) return fail(errno_error("list", path, ENOENT));
    std::vector<std::string> names;
    for (const auto& [name, inode] : directory->second.cached) names.push_back(name);
    return names;
  }

  // Directories themselves are durable at once: what is tested is what stands in them.
  Result<> make_directories(const std::string& path) override {
    const std::lock_guard lock(mutex_);
    if (off_) return fail(ErrorCode::kInternal, "power is off");
    for (std::string p = path; p != "." && p != "/"; p = dir_name(p)) directories_[p];
    directories_["."];
    return {};
  }

  Result<> sync_directory(const std::string& path) override {
    const std::lock_guard lock(mutex_);
    TRY(check(Op::kSyncDirectory));
    Directory& directory = directories_[path];
    directory.durable = directory.cached;
    directory.changes.clear();
    return {};
  }

  Result<bool> exists(const std::string& path) override {
    const std::lock_guard lock(mutex_);
    if (off_) return fail(ErrorCode::kInternal, "power is off");
    return path == "." || directories_.contains(path) || find(path) != nullptr;
  }

 private:
  struct Inode {
    std::string cached;
    std::string durable;
    std::set<std::size_t> dirty;  // numbers of blocks
    bool locked = false;
  };
  using Entries = std::map<std::string, std::shared_ptr<Inode>>;
  // One change is atomic; a null inode removes the name.
  using Change = std::vector<std::pair<std::string, std::shared_ptr<Inode>>>;
  struct Directory {
    Entries cached;
    Entries durable;
    std::vector<Change> changes;
  };

  class MemoryFile final : public File {
   public:
    MemoryFile(MemoryFileSystem& fs, std::shared_ptr<Inode> inode, std::string name, int life)
        : fs_(fs), inode_(std::move(inode)), name_(std::move(name)), life_(life) {}
    ~MemoryFile() override {
      const std::lock_guard lock(fs_.mutex_);
      if (locked_ && life_ == fs_.life_) inode_->locked = false;
    }
    Result<std::size_t> read_at(std::uint64_t offset, std::span<char> out) override {
      const std::lock_guard lock(fs_.mutex_);
      TRY(alive());
      if (offset >= inode_->cached.size()) return std::size_t{0};
      return inode_->cached.copy(out.data(), out.size(), offset);
    }
    Result<> write_at(std::uint64_t offset, std::string_view data) override {
      return write_at(offset, std::span(&data, 1));
    }
    Result<> write_at(std::uint64_t offset, std::span<const std::string_view> pieces) override {
      const std::lock_guard lock(fs_.mutex_);
      TRY(alive());
      const auto checked = fs_.check(Op::kWrite);
      // A failed write has written some of it.
      for (const std::string_view data : pieces) {
        TRY(put(offset, checked ? data : data.substr(0, data.size() / 2)));
        offset += data.size();
      }
      return checked;
    }
    Result<> sync_data() override {
      const std::lock_guard lock(fs_.mutex_);
      TRY(alive());
      const auto checked = fs_.check(Op::kSync);
      if (checked) {
        inode_->durable.resize(inode_->cached.size());
        for (const std::size_t block : inode_->dirty) copy_block(*inode_, block);
      }
      inode_->dirty.clear();
      return checked;
    }
    Result<> truncate(std::uint64_t size) override {
      const std::lock_guard lock(fs_.mutex_);
      TRY(alive());
      inode_->cached.resize(size);
      return {};
    }
    Result<std::uint64_t> size() override {
      const std::lock_guard lock(fs_.mutex_);
      TRY(alive());
      return inode_->cached.size();
    }
    Result<> try_lock() override {
      const std::lock_guard lock(fs_.mutex_);
      TRY(alive());
      if (inode_->locked) return fail(ErrorCode::kUnavailable, name_ + " is locked");
      inode_->locked = locked_ = true;
      return {};
    }

   private:
    Result<> alive() const {
      if (fs_.off_ || life_ != fs_.life_) return fail(ErrorCode::kInternal, "power is off");
      return {};
    }
    Result<> put(std::uint64_t offset, std::string_view data) {
      std::string& bytes = inode_->cached;
      if (offset + data.size() > bytes.size()) {
        const std::uint64_t more = offset + data.size() - bytes.size();
        if (fs_.capacity_ != 0 && fs_.used_bytes() + more > fs_.capacity_) {
          return fail(errno_error("write", name_, ENOSPC));
        }
        bytes.resize(offset + data.size());
      }
      bytes.replace(offset, data.size(), data);
      for (std::size_t b = offset / kBlock; b * kBlock < offset + data.size(); ++b) {
        inode_->dirty.insert(b);
      }
      return {};
    }

    MemoryFileSystem& fs_;
    std::shared_ptr<Inode> inode_;
    std::string name_;
    int life_;
    bool locked_ = false;
  };

  static void copy_block(Inode& inode, std::size_t block) {
    const std::size_t from = block * kBlock;
    if (from >= inode.cached.size()) return;
    const std::size_t n = std::min(kBlock, inode.cached.size() - from);
    if (inode.durable.size() < from + n) inode.durable.resize(from + n);
    inode.durable.replace(from, n, inode.cached, from, n);
  }

  template <typename Survives>
  static void lose(Inode& inode, const Survives& survives) {
    if (inode.cached.size() < inode.durable.size() && survives()) {
      inode.durable.resize(inode.cached.size());
    }
    for (const std::size_t block : inode.dirty) {
      if (survives()) copy_block(inode, block);
    }
    inode.dirty.clear();
    inode.cached = inode.durable;
  }

  static void apply(Entries& entries, const std::string& name,
                    const std::shared_ptr<Inode>& inode) {
    if (inode) {
      entries[name] = inode;
    } else {
      entries.erase(name);
    }
  }

  Result<> check(Op op) {
    if (off_) return fail(ErrorCode::kInternal, "power is off");
    const auto at = static_cast<std::size_t>(op);
    ++calls_[at];
    if (countdown_[at] == 0) return {};
    --countdown_[at];
    if (countdown_[at] == 0) return fail(errno_error("injected failure", "", EIO));
    return {};
  }

  std::shared_ptr<Inode> find(const std::string& path) {
    const auto directory = directories_.find(dir_name(path));
    if (directory == directories_.end()) return nullptr;
    const auto entry = directory->second.cached.find(std::string(base_name(path)));
    return entry == directory->second.cached.end() ? nullptr : entry->second;
  }

  std::uint64_t used_bytes() {
    std::uint64_t sum = 0;
    for (auto& [path, directory] : directories_) {
      for (auto& [name, inode] : directory.cached) sum += inode->cached.size();
    }
    return sum;
  }

  std::mutex mutex_;
  std::map<std::string, Directory> directories_;
  std::array<int, static_cast<std::size_t>(Op::kCount)> countdown_{};
  std::array<std::uint64_t, static_cast<std::size_t>(Op::kCount)> calls_{};
  std::uint64_t capacity_ = 0;
  bool off_ = false;
  int life_ = 0;
};

}  // namespace sd::journal::testing
