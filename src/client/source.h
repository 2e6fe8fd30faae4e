// Where bytes come from: files and pipes, decompressed on the way where they are compressed.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"

namespace sd::client {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // Blocks until there is something; 0 is the end.
  virtual Result<std::size_t> read(std::span<char> out) = 0;
  // How much of the file behind it is used up, of file_size().
  virtual std::uint64_t position() const = 0;
};

// The bytes of a descriptor as they are.
std::unique_ptr<ByteSource> make_fd_source(UniqueFd fd);

// gzip and zstd are known by their first bytes, not by the file's name: a pipe has none. Anything
// else passes as it is. A compressed stream that is cut short or damaged is an error where that
// shows.
std::unique_ptr<ByteSource> make_decoding_source(std::unique_ptr<ByteSource> raw);

// A piece of a source that can be looked at before it is taken, and grows as far as somebody needs.
class Window {
 public:
  explicit Window(std::unique_ptr<ByteSource> source, std::size_t read_bytes = 256U << 10)
      : source_(std::move(source)), read_bytes_(read_bytes) {}

  std::string_view view() const { return std::string_view(buffer_).substr(begin_); }
  void consume(std::size_t bytes) { begin_ += bytes; }
  // Reads once more; view() is then longer, or ended() true. Views from before are invalid.
  Result<> grow();
  bool ended() const { return ended_; }
  // Of the file behind it, up to what has been consumed; where it is compressed, about there.
  std::uint64_t position() const;

 private:
  std::unique_ptr<ByteSource> source_;
  std::size_t read_bytes_;
  std::string buffer_;
  std::size_t begin_ = 0;
  std::uint64_t total_ = 0;  // bytes that were ever in the buffer
  bool ended_ = false;
};

}  // namespace sd::client
