#include "http/pipe.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <system_error>

#include "http/buffer.h"

namespace sd::http {
namespace {

constexpr std::size_t kReadSize = 256U << 10;
constexpr std::size_t kLargestPipe = 1U << 20;
constexpr std::size_t kSmallestPipe = 4096;

}  // namespace

Result<PipeEnds> make_pipe(std::size_t capacity) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    return fail(ErrorCode::kResourceExhausted,
                "Cannot make a pipe: " + std::generic_category().message(errno) + ".");
  // Only the read end: O_NONBLOCK belongs to an end's open file description, and the writer shall
  // block.
  if (::fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0) {
    const int error = errno;
    ::close(ends[0]);
    ::close(ends[1]);
    return fail(ErrorCode::kInternal,
                "Cannot prepare a pipe: " + std::generic_category().message(error) + ".");
  }
  // The system refuses what is over a user's allowance (pipe-max-size, pipe-user-pages-soft).
  for (std::size_t size = std::min(capacity, kLargestPipe); size >= kSmallestPipe; size /= 2) {
    if (::fcntl(ends[1], F_SETPIPE_SZ, static_cast<int>(size)) >= 0) break;
  }
  return PipeEnds{ends[0], ends[1]};
}

struct PipeSource::Impl {
  net::posix::stream_descriptor descriptor;
  Buffer buffer;
};

PipeSource::PipeSource(const net::any_io_executor& executor, int read_fd)
    : impl_(new Impl{net::posix::stream_descriptor(executor, read_fd), Buffer()}) {}

PipeSource::~PipeSource() = default;

Task<Result<std::string_view>> PipeSource::read_some() {
  impl_->buffer.reserve(kReadSize);
  boost::system::error_code ec;
  const net::mutable_buffer room(impl_->buffer.data(), kReadSize);
  const std::size_t n =
      co_await impl_->descriptor.async_read_some(room, net::redirect_error(net::use_awaitable, ec));
  if (ec == net::error::eof) co_return std::string_view();
  if (ec == net::error::operation_aborted)
    co_return fail(ErrorCode::kCancelled, "Reading a pipe was given up.");
  if (ec) co_return fail(ErrorCode::kInternal, "Reading a pipe failed: " + ec.message() + ".");
  co_return std::string_view(impl_->buffer.data(), n);
}

Task<Result<std::size_t>> PipeSource::wait_readable() {
  for (;;) {
    // In this order: what the writer put in before it closed its end is seen.
    pollfd state{native_handle(), POLLIN, 0};
    const bool ended = ::poll(&state, 1, 0) == 1 && (state.revents & POLLHUP) != 0;
    int bytes = 0;
    const bool asked = ::ioctl(native_handle(), FIONREAD, &bytes) == 0;
    if (!asked || bytes > 0 || ended) co_return static_cast<std::size_t>(bytes);
    boost::system::error_code ec;
    co_await impl_->descriptor.async_wait(net::posix::stream_descriptor::wait_read,
                                          net::redirect_error(net::use_awaitable, ec));
    if (ec == net::error::operation_aborted)
      co_return fail(ErrorCode::kCancelled, "Reading a pipe was given up.");
    if (ec) co_return fail(ErrorCode::kInternal, "Reading a pipe failed: " + ec.message() + ".");
  }
}

int PipeSource::native_handle() const {
  return impl_->descriptor.native_handle();
}

void PipeSource::close() {
  boost::system::error_code ignored;
  impl_->descriptor.close(ignored);
}

}  // namespace sd::http
