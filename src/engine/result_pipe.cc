#include "engine/result_pipe.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
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

Result<> ResultPipe::write(bool at_once, const std::vector<std::string_view>& behind) {
  bytes_ += buffer_.size();
  for (const std::string_view part : behind) bytes_ += part.size();
  if (compressor_ == nullptr) {
    TRY(put(buffer_, behind));
  } else {
    compressor_->add(buffer_, at_once && behind.empty(), compressed_);
    for (const std::string_view& part : behind)
      compressor_->add(part, at_once && &part == &behind.back(), compressed_);
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

Result<> ResultPipe::put(std::string_view first, const std::vector<std::string_view>& rest) {
  constexpr std::size_t kMostAtOnce = 128;
  std::vector<iovec> parts;
  const auto add = [&](std::string_view bytes) {
    if (!bytes.empty()) parts.push_back({const_cast<char*>(bytes.data()), bytes.size()});
  };
  add(first);
  for (const std::string_view part : rest) add(part);
  for (auto next = parts.begin(); next != parts.end();) {
    const auto count = std::min<std::ptrdiff_t>(parts.end() - next, kMostAtOnce);
    const ssize_t n = ::writev(fd_.get(), &*next, static_cast<int>(count));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno != EAGAIN) return fail(ErrorCode::kCancelled, "the client has gone");
    if (n < 0) TRY(wait_for_room());
    for (auto written = static_cast<std::size_t>(std::max<ssize_t>(n, 0)); written != 0;) {
      const std::size_t taken = std::min(written, next->iov_len);
      next->iov_base = static_cast<char*>(next->iov_base) + taken;
      next->iov_len -= taken;
      written -= taken;
      if (next->iov_len == 0) ++next;
    }
  }
  return {};
}

Result<> ResultPipe::wait_for_room() {
  if (should_stop_()) return fail(ErrorCode::kCancelled, "cancelled");
  stalls_.set_writing(true);
  pollfd wait{fd_.get(), POLLOUT, 0};
  (void)::poll(&wait, 1, 100);
  stalls_.set_writing(false);
  return {};
}

}  // namespace sd::engine
