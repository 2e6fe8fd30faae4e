// A cursor that writes to the end of a std::string without clearing memory first and without a
// check per byte: room(n) once, then plain stores.
//
// While a sink lives, its string belongs to it; the destructor leaves the string exactly as long as
// what was written. One thread.
#pragma once

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>

namespace sd::query {

class TextSink {
 public:
  explicit TextSink(std::string& out) : out_(out) { adopt(out.size()); }
  ~TextSink() {
    const std::size_t used = size();
    out_.resize_and_overwrite(used, [](char*, std::size_t n) { return n; });
  }
  TextSink(const TextSink&) = delete;
  TextSink& operator=(const TextSink&) = delete;

  // At least n writable bytes from what it returns; end with set_cursor().
  char* room(std::size_t n) {
    if (static_cast<std::size_t>(end_ - cursor_) < n) [[unlikely]]
      grow(n);
    return cursor_;
  }
  void set_cursor(char* cursor) { cursor_ = cursor; }

  void put(char c) {
    *room(1) = c;
    ++cursor_;
  }
  void put(std::string_view text) {
    char* p = room(text.size());
    std::memcpy(p, text.data(), text.size());
    cursor_ = p + text.size();
  }

  // Bytes in the string so far, what was there before included.
  std::size_t size() const { return static_cast<std::size_t>(cursor_ - begin_); }
  // Drops everything after the first `size` bytes.
  void rewind(std::size_t size) { cursor_ = begin_ + size; }
  std::string_view since(std::size_t from) const { return {begin_ + from, size() - from}; }

 private:
  void adopt(std::size_t used) {
    begin_ = out_.data();
    cursor_ = begin_ + used;
    end_ = begin_ + out_.size();
  }
  void grow(std::size_t n) {
    const std::size_t used = size();
    const std::size_t wanted = std::max({used + n, out_.size() * 2, std::size_t{4096}});
    // The bytes past `used` are written before anybody reads them, or cut off by the destructor.
    out_.resize_and_overwrite(std::max(wanted, out_.capacity()),
                              [](char*, std::size_t size) { return size; });
    adopt(used);
  }

  std::string& out_;
  char* begin_ = nullptr;
  char* cursor_ = nullptr;
  char* end_ = nullptr;
};

}  // namespace sd::query
