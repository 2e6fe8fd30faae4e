// The read end of a pipe as an asynchronous source: what an engine writes, a session copies out.
#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"
#include "http/exchange.h"

namespace sd::http {

struct PipeEnds {
  int read_fd = -1;
  int write_fd = -1;
};
// A close-on-exec pipe whose capacity is as near to `capacity` bytes as the system allows; the read
// end does not block, the write end does. The caller owns both descriptors.
Result<PipeEnds> make_pipe(std::size_t capacity);

class PipeSource {
 public:
  // Takes the descriptor over.
  PipeSource(const net::any_io_executor& executor, int read_fd);
  ~PipeSource();
  PipeSource(const PipeSource&) = delete;
  PipeSource& operator=(const PipeSource&) = delete;
  // The next bytes (valid until the next call); empty at end of file.
  Task<Result<std::string_view>> read_some();
  // Waits until there is something to read; how many bytes that are, 0 at end of file. For
  // Exchange::write_from().
  Task<Result<std::size_t>> wait_readable();
  int native_handle() const;
  // The writer gets EPIPE from now on. Idempotent.
  void close();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sd::http
