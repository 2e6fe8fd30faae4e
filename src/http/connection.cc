#include "http/connection.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>

namespace sd::http {
namespace {

using boost::system::error_code;

// A new connection's input buffer; one that was filled to the brim grows once, so that a body of
// the usual size arrives with its head.
constexpr std::size_t kSmallInput = 4096;
constexpr std::size_t kLargeInput = 16384;
constexpr std::size_t kKeptOutput = 16384;
constexpr std::chrono::milliseconds kLingerTime{2000};

}  // namespace

Connection::Connection(Worker& worker, Socket socket, bool listener_is_loopback)
    : worker_(worker), socket_(std::move(socket)), listener_is_loopback_(listener_is_loopback) {
  error_code ignored;
  socket_.non_blocking(true, ignored);
  const auto peer = socket_.remote_endpoint(ignored);
  auto address = peer.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    address = net::ip::make_address_v4(net::ip::v4_mapped, address.to_v6());
  peer_address_ = address.to_string();
  peer_is_loopback_ = address.is_loopback();
  worker_.add(*this);
}

Connection::~Connection() {
  worker_.remove(*this);
}

std::string Connection::local_authority() const {
  error_code failed;
  const auto local = socket_.local_endpoint(failed);
  if (failed) return "localhost";
  auto address = local.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    address = net::ip::make_address_v4(net::ip::v4_mapped, address.to_v6());
  const std::string text = address.to_string();
  return (address.is_v6() ? "[" + text + "]" : text) + ":" + std::to_string(local.port());
}

void Connection::begin_request(std::string_view more) {
  if (input().empty()) {
    in_.clear();
    in_at_ = 0;
    if (in_.capacity() > kLargeInput) in_.release();
  }
  in_.append(more);
}

// read() into the buffer, spelled out: this is where every connection spends its life, and a
// coroutine inside it would cost each request a frame.
Task<ReadOutcome> Connection::fill(Time deadline, bool idle) {
  if (in_at_ > 0) {
    in_.drop(in_at_);
    in_at_ = 0;
  }
  if (in_.room() == 0) in_.reserve(in_.capacity() == 0 ? kSmallInput : in_.capacity() * 4);
  const std::size_t room = in_.room();
  idle_ = idle;
  error_code ec;
  expired_ = false;
  deadline_ = deadline;
  const net::mutable_buffer buffer(in_.end(), room);
  const std::size_t n =
      co_await socket_.async_read_some(buffer, net::redirect_error(net::use_awaitable, ec));
  const ReadOutcome outcome = read_outcome(ec, n);
  idle_ = false;
  in_.grew(outcome.bytes);
  if (outcome.bytes == room && in_.capacity() < kLargeInput) in_.reserve(kLargeInput);
  co_return outcome;
}

Task<ReadOutcome> Connection::read(char* to, std::size_t room, Time deadline) {
  error_code ec;
  expired_ = false;
  deadline_ = deadline;
  const net::mutable_buffer buffer(to, room);
  const std::size_t n =
      co_await socket_.async_read_some(buffer, net::redirect_error(net::use_awaitable, ec));
  co_return read_outcome(ec, n);
}

ReadOutcome Connection::read_outcome(error_code ec, std::size_t bytes) {
  deadline_ = Time::max();
  bytes_in += bytes;
  if (ec == net::error::operation_aborted)
    return {expired_ ? ReadEnd::kExpired : ReadEnd::kStopped, bytes};
  return {ec || bytes == 0 ? ReadEnd::kClosed : ReadEnd::kBytes, bytes};
}

Connection::Sent Connection::try_send(Parts& parts, int flags) {
  if (broken_) return Sent::kBroken;
  for (;;) {
    std::array<iovec, 4> vectors;
    std::size_t count = 0;
    std::size_t total = 0;
    const auto add = [&](std::string_view bytes) {
      if (bytes.empty()) return;
      vectors[count++] = {const_cast<char*>(bytes.data()), bytes.size()};
      total += bytes.size();
    };
    add(std::string_view(out_).substr(out_at_));
    for (const std::string_view part : parts) add(part);
    if (total == 0) {
      out_.clear();
      out_at_ = 0;
      if (out_.capacity() > kKeptOutput) std::string().swap(out_);
      return Sent::kAll;
    }
    msghdr message{};
    message.msg_iov = vectors.data();
    message.msg_iovlen = count;
    const ssize_t sent = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL | flags);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return Sent::kBlocked;
    if (sent < 0) {
      broken_ = true;
      return Sent::kBroken;
    }
    auto left = static_cast<std::size_t>(sent);
    bytes_out += left;
    const std::size_t from_pending = std::min(left, out_.size() - out_at_);
    out_at_ += from_pending;
    left -= from_pending;
    for (std::string_view& part : parts) {
      const std::size_t from_part = std::min(left, part.size());
      part.remove_prefix(from_part);
      left -= from_part;
    }
  }
}

Task<Result<>> Connection::send(Parts parts) {
  for (;;) {
    const Sent sent = try_send(parts);
    if (sent == Sent::kAll) co_return Result<>();
    if (sent == Sent::kBroken) co_return fail(gone());
    const bool has_room = co_await wait_for_room();
    if (!has_room) co_return fail(gone());
  }
}

Connection::Sent Connection::try_splice(int pipe, std::size_t& bytes) {
  Parts none{};
  const Sent before = try_send(none, MSG_MORE);
  if (before != Sent::kAll) return before;
  while (bytes > 0) {
    const ssize_t sent =
        ::splice(pipe, nullptr, socket_.native_handle(), nullptr, bytes, SPLICE_F_NONBLOCK);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return Sent::kBlocked;
    if (sent <= 0) {
      broken_ = true;
      return Sent::kBroken;
    }
    bytes -= static_cast<std::size_t>(sent);
    bytes_out += static_cast<std::size_t>(sent);
  }
  return Sent::kAll;
}

Task<Result<>> Connection::send_from(int pipe, std::size_t bytes) {
  for (;;) {
    const Sent sent = try_splice(pipe, bytes);
    if (sent == Sent::kAll) co_return Result<>();
    if (sent == Sent::kBroken) co_return fail(gone());
    const bool has_room = co_await wait_for_room();
    if (!has_room) co_return fail(gone());
  }
}

Task<bool> Connection::wait_for_room() {
  error_code ec;
  expired_ = false;
  deadline_ = std::chrono::steady_clock::now() + worker_.shared.options.write_timeout;
  co_await socket_.async_wait(Socket::wait_write, net::redirect_error(net::use_awaitable, ec));
  deadline_ = Time::max();
  if (ec) broken_ = true;
  co_return !ec;
}

Error Connection::gone() {
  return Error{.code = ErrorCode::kCancelled,
               .message = expired_ ? "The client took no data for too long."
                                   : "The client closed the connection.",
               .slug = "client-gone"};
}

void Connection::flush_later() {
  if (flush_posted_) return;
  flush_posted_ = true;
  net::post(socket_.get_executor(), [self = shared_from_this()] {
    self->flush_posted_ = false;
    self->flush_now();
  });
}

// Where the socket is full the rest waits for room, unless the session sends it before. The
// deadline belongs to the session's own waits: a client that takes nothing is found by the next
// send.
void Connection::flush_now() {
  if (out_.size() == out_at_) return;
  Parts none{};
  if (try_send(none) != Sent::kBlocked) return;
  socket_.async_wait(Socket::wait_write, [self = shared_from_this()](error_code ec) {
    if (!ec) self->flush_now();
  });
}

Task<void> Connection::linger() {
  if (broken_) {
    close();
    co_return;
  }
  error_code ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
  const Time deadline = std::chrono::steady_clock::now() + kLingerTime;
  in_.clear();
  in_at_ = 0;
  in_.reserve(kLargeInput);
  for (;;) {
    const ReadOutcome outcome = co_await read(in_.data(), in_.capacity(), deadline);
    if (outcome.end != ReadEnd::kBytes || std::chrono::steady_clock::now() >= deadline) break;
  }
  close();
}

void Connection::close() {
  error_code ignored;
  socket_.close(ignored);
  broken_ = true;
}

void Connection::reset() {
  error_code ignored;
  socket_.set_option(net::socket_base::linger(true, 0), ignored);
  close();
}

bool Connection::peer_has_closed() {
  if (broken_ || !socket_.is_open()) return true;
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return true;
  return info.tcpi_state != TCP_ESTABLISHED;
}

void Connection::expire_if_due(Time now) {
  if (now < deadline_) return;
  deadline_ = Time::max();
  expired_ = true;
  error_code ignored;
  socket_.cancel(ignored);
}

void Connection::close_if_idle() {
  if (!idle_) return;
  error_code ignored;
  socket_.cancel(ignored);
}

}  // namespace sd::http
