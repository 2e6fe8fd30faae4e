// A client's TCP connection: bytes in, bytes out, and one deadline for whatever is being waited
// for.
//
// Input is a buffer that keeps its place while a request is served, because the request's head is
// read in place. Output gathers in `pending()`, so that small answers leave with one system call
// and pipelined ones together. Sending is tried at once, without the event loop; only a full socket
// waits.
//
// One thread (its worker's). Held by shared_ptr: by its session, and by a flush that waits.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/buffer.h"
#include "http/exchange.h"
#include "http/worker.h"

namespace sd::http {

enum class ReadEnd : std::uint8_t {
  kBytes,    // some arrived
  kClosed,   // the client has closed or reset the connection
  kExpired,  // the deadline passed
  kStopped,  // cancelled: the server stops, or the handler was given up
};
struct ReadOutcome {
  ReadEnd end = ReadEnd::kClosed;
  std::size_t bytes = 0;
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Worker& worker, Socket socket, bool listener_is_loopback);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Worker& worker() { return worker_; }
  const std::string& peer_address() const { return peer_address_; }
  bool peer_is_loopback() const { return peer_is_loopback_; }
  std::string local_authority() const;
  bool listener_is_loopback() const { return listener_is_loopback_; }

  // ---- input
  // What has arrived and was not consumed.
  std::string_view input() const { return in_.view().substr(in_at_); }
  void consume(std::size_t n) { in_at_ += n; }
  // Between requests: gives room back that only a large request needed, and puts `more` behind
  // input().
  void begin_request(std::string_view more);
  // Waits for more input(), which it may move. `idle`: nothing is owed to the client, so stopping
  // the server ends the wait.
  Task<ReadOutcome> fill(Time deadline, bool idle);
  // Reads past input() (which must be empty) into memory of the caller.
  Task<ReadOutcome> read(char* to, std::size_t room, Time deadline);

  // ---- output
  // Bytes that go out before all others.
  std::string& pending() { return out_; }
  // Sends pending() and then the parts; returns when the kernel has taken everything. An error
  // means that the client is gone (kCancelled); the connection is then broken().
  using Parts = std::array<std::string_view, 3>;
  Task<Result<>> send(Parts parts);
  // The same without the event loop, where the kernel takes everything at once; kBlocked: what is
  // left of `parts` must go through send(). Most answers end here, and spare a coroutine.
  enum class Sent : std::uint8_t { kAll, kBlocked, kBroken };
  Sent try_send(Parts& parts, int flags = 0);
  // Sends pending() and then the next `bytes` of a pipe, which holds as many and has no other reader.
  // They never enter this process: splice(2).
  Task<Result<>> send_from(int pipe, std::size_t bytes);
  bool has_pending() const { return out_.size() > out_at_; }
  // Sends pending() as soon as the event loop turns, unless it was sent before: what is added until
  // then goes along.
  void flush_later();
  bool broken() const { return broken_; }

  // ---- the end
  // Says that no more will be sent, reads for a while what the client still sends, so that the
  // kernel does not reset the connection under the answer, and closes.
  Task<void> linger();
  void close();
  // Closes so that the client sees a reset: an answer that has no other sign of being cut.
  void reset();
  // The client has closed its side, or the connection was reset, as the kernel knows it: bytes that
  // nobody has read yet do not hide it.
  bool peer_has_closed();

  // Called by the worker.
  void expire_if_due(Time now);
  void close_if_idle();

  // Running totals of the current request, taken and reset by its end.
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;

 private:
  ReadOutcome read_outcome(boost::system::error_code ec, std::size_t bytes);
  void flush_now();
  Sent try_splice(int pipe, std::size_t& bytes);
  // Until the kernel takes more; false where the client is gone.
  Task<bool> wait_for_room();
  Error gone();

  Worker& worker_;
  Socket socket_;
  Buffer in_;
  std::size_t in_at_ = 0;
  std::string out_;
  std::size_t out_at_ = 0;  // sent already
  Time deadline_ = Time::max();
  bool expired_ = false;
  bool idle_ = false;
  bool flush_posted_ = false;
  bool broken_ = false;
  bool listener_is_loopback_;
  bool peer_is_loopback_ = false;
  std::string peer_address_;
};

}  // namespace sd::http
