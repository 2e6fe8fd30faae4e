// Plain bytes that grow without being zeroed, and keep their room for the next use.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <string_view>
#include <utility>

namespace sd::http {

class Buffer {
 public:
  Buffer() = default;
  ~Buffer() { std::free(data_); }
  Buffer(Buffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    return *this;
  }

  char* data() { return data_; }
  char* end() { return data_ + size_; }
  std::size_t size() const { return size_; }
  std::size_t capacity() const { return capacity_; }
  std::size_t room() const { return capacity_ - size_; }
  std::string_view view() const { return {data_, size_}; }

  void clear() { size_ = 0; }
  // Counts `n` bytes that were written at end().
  void grew(std::size_t n) { size_ += n; }
  // Room for `capacity` bytes in all; moves what is there.
  void reserve(std::size_t capacity) {
    if (capacity <= capacity_) return;
    void* moved = std::realloc(data_, capacity);
    if (moved == nullptr) throw std::bad_alloc();
    data_ = static_cast<char*>(moved);
    capacity_ = capacity;
  }
  void append(std::string_view bytes) {
    if (bytes.empty()) return;
    if (bytes.size() > room()) reserve(std::max(size_ + bytes.size(), capacity_ * 2));
    std::copy(bytes.begin(), bytes.end(), end());
    size_ += bytes.size();
  }
  // Drops the first `n` bytes.
  void drop(std::size_t n) {
    std::copy(data_ + n, data_ + size_, data_);
    size_ -= n;
  }
  void release() { *this = Buffer(); }

 private:
  char* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace sd::http
