#include "engine/result_pipe.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>

namespace sd::engine {

ResultPipe::ResultPipe(UniqueFd fd, Stalls& stalls, std::function<bool()> should_stop)
    : fd_(std::move(fd)), stalls_(stalls), should_stop_(std::move(should_stop)) {
  ::fcntl(fd_.get(), F_SETFL, O_NONBLOCK);
}

Result<> ResultPipe::compress(query::Coding coding) {
  SD_ASSERT(bytes_.load() == 0);
  TRY_ASSIGN(compressor_, query::Compressor::make(coding));
  return {};
}

Result<> ResultPipe::write(bool at_once) {
  bytes_ += buffer_.size();
  if (compressor_ == nullptr) {
    TRY(put(buffer_));
  } else {
    compressor_->add(buffer_, at_once, compressed_);
    TRY(put(compressed_));
    compressed_.clear();
  }
  buffer_.clear();
  return {};
}

Result<> ResultPipe::finish() {
  TRY(write(false));
  if (compressor_ != nullptr) {
    compressor_->finish(compressed_);
    TRY(put(compressed_));
  }
  fd_.reset();
  return {};
}

Result<> ResultPipe::put(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd_.get(), bytes.data(), bytes.size());
    if (n >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(n));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return fail(ErrorCode::kCancelled, "the client has gone");
    if (should_stop_()) return fail(ErrorCode::kCancelled, "cancelled");
    stalls_.set_writing(true);
    pollfd wait{fd_.get(), POLLOUT, 0};
    (void)::poll(&wait, 1, 100);
    stalls_.set_writing(false);
  }
  return {};
}

}  // namespace sd::engine
