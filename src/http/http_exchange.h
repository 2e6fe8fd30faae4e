// The Exchange of one request on a Connection: the request as its head tells it, the body as a
// stream, the answer as bytes. Lives in the session's coroutine.
#pragma once

#include <array>
#include <chrono>
#include <string>
#include <string_view>

#include "http/connection.h"
#include "http/head_check.h"
#include "http/request_body.h"
#include "http/response_head.h"
#include "http/router.h"

namespace sd::http {

class HttpExchange final : public Exchange {
 public:
  HttpExchange(Connection& connection, const Head& head);

  std::string_view method() const override { return head_.method; }
  std::string_view target() const override { return head_.target; }
  std::string_view path() const override { return head_.path; }
  std::string_view raw_query() const override { return head_.query; }
  std::string_view path_parameter(std::string_view name) const override;
  std::string_view header(std::string_view name) const override { return head_.find(name); }
  std::string header_list(std::string_view name) const override { return head_.find_list(name); }
  std::string_view request_id() const override { return request_id_; }
  std::string_view peer_address() const override { return connection_.peer_address(); }
  std::string local_authority() const override { return connection_.local_authority(); }
  bool local_is_loopback() const override { return connection_.listener_is_loopback(); }
  bool peer_is_loopback() const override { return connection_.peer_is_loopback(); }

  Task<Result<std::string_view>> read_body(std::uint64_t limit) override;
  Task<Result<std::string_view>> read_some() override;
  void set_body_limit(std::uint64_t limit) override { body_.set_limit(limit); }
  std::optional<std::uint64_t> declared_length() const override;

  void add_header(std::string name, std::string value) override;
  Task<Result<>> respond(Response response) override;
  Task<Result<>> begin(int status, Headers headers) override;
  Task<Result<>> write(std::string_view data) override;
  Task<Result<>> write_from(PipeSource& pipe, std::size_t bytes) override;
  Task<Result<>> finish() override;
  void break_off() override { broken_off_ = true; }
  bool answered() const override { return answered_; }

  Task<void> client_gone() override;
  net::any_io_executor executor() override { return connection_.worker().context.get_executor(); }
  unsigned thread_index() const override { return connection_.worker().index; }

  // ---- for the session
  Match match;
  int status() const { return status_; }
  // After the handler: whether the connection may carry another request, once skip_body() has ended
  // well.
  bool may_continue() const;
  bool body_is_taken() const { return body_.taken(); }
  Task<bool> skip_body() { return body_.skip(); }
  // The answer will have no proper end.
  bool is_cut() const { return broken_off_ || (answered_ && !finished_); }
  // Nothing but the connection's end tells the client where the answer ends.
  bool ends_with_connection() const { return !chunked_ && !promised_; }
  // The answer is sent and the client has nothing more under way that matters: no need to linger.
  bool may_close_at_once() const { return !head_.keep_alive && body_.taken(); }
  std::string_view beyond() const { return body_.beyond(); }

 private:
  void start_head(int status, std::optional<std::uint64_t> length, bool chunked,
                  const Headers& headers);
  // Whether a piece of so many bytes may go out now, which it then is counted as.
  Result<> may_write(std::size_t bytes);
  Result<> may_finish() const;
  void put_chunk_size(std::size_t bytes);

  Connection& connection_;
  const Head& head_;
  RequestBody body_;
  std::array<char, 16> made_id_;
  std::string_view request_id_;
  Headers extra_;
  int status_ = 0;
  bool is_head_;
  bool keep_alive_;
  bool answered_ = false;
  bool finished_ = false;
  bool body_failed_ = false;
  bool broken_off_ = false;
  bool chunked_ = false;
  std::optional<std::uint64_t>
      promised_;  // a streamed answer's own Content-Length, as it runs down
};

}  // namespace sd::http
