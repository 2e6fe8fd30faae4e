// Bytes that grow without being cleared first, and keep their memory when they begin anew.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

namespace sd::query {

class GrowingBytes {
 public:
  // `count` more bytes, to be written by the caller.
  char* extend(std::size_t count) {
    if (capacity_ - size_ < count) [[unlikely]]
      grow(count);
    char* at = bytes_.get() + size_;
    size_ += count;
    return at;
  }
  // Room for `count` bytes behind the end, which stays where it is.
  char* room(std::size_t count) {
    if (capacity_ - size_ < count) [[unlikely]]
      grow(count);
    return bytes_.get() + size_;
  }
  void append(std::string_view bytes) {
    if (!bytes.empty()) std::memcpy(extend(bytes.size()), bytes.data(), bytes.size());
  }
  void zeros(std::size_t count) { std::memset(extend(count), 0, count); }
  void set_end(const char* end) { size_ = static_cast<std::size_t>(end - bytes_.get()); }
  void clear() { size_ = 0; }

  char* data() { return bytes_.get(); }
  std::size_t size() const { return size_; }
  std::string_view view() const { return {bytes_.get(), size_}; }

 private:
  void grow(std::size_t count) {
    capacity_ = std::max({size_ + count, capacity_ * 2, std::size_t{1024}});
    std::unique_ptr<char[]> bytes = std::make_unique_for_overwrite<char[]>(capacity_);
    if (size_ != 0) std::memcpy(bytes.get(), bytes_.get(), size_);
    bytes_ = std::move(bytes);
  }

  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace sd::query
