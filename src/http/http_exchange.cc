#include "http/http_exchange.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>

#include "base/ascii.h"
#include "http/pipe.h"

namespace sd::http {
namespace {

// Answers up to this size are copied behind their head; larger ones go out from where they lie.
constexpr std::size_t kCopiedBody = 16U << 10;
// Pipelined answers are gathered up to this size.
constexpr std::size_t kGatheredAnswers = 64U << 10;
constexpr std::chrono::milliseconds kGonePoll{250};

bool is_sane_id(std::string_view id) {
  if (id.empty() || id.size() > 128) return false;
  for (const char c : id) {
    const bool good = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                      c == '.' || c == '_' || c == '-';
    if (!good) return false;
  }
  return true;
}

std::optional<std::uint64_t> length_among(const Headers& headers) {
  for (const auto& [name, value] : headers) {
    if (!same_ascii_folded(name, "content-length")) continue;
    std::uint64_t length = 0;
    const auto end = std::from_chars(value.data(), value.data() + value.size(), length);
    if (end.ec == std::errc() && end.ptr == value.data() + value.size()) return length;
  }
  return std::nullopt;
}

}  // namespace

HttpExchange::HttpExchange(Connection& connection, const Head& head)
    : connection_(connection),
      head_(head),
      body_(connection, head),
      request_id_(head.find("x-request-id")),
      is_head_(head.method == "HEAD"),
      keep_alive_(head.keep_alive) {
  if (is_sane_id(request_id_)) return;
  made_id_ = connection.worker().make_request_id();
  request_id_ = {made_id_.data(), made_id_.size()};
}

std::string_view HttpExchange::path_parameter(std::string_view name) const {
  for (const auto& [key, value] : match.parameters) {
    if (key == name) return value;
  }
  return {};
}

Task<Result<std::string_view>> HttpExchange::read_body(std::uint64_t limit) {
  if (const auto whole = body_.take_whole(limit)) co_return *whole;
  auto body = co_await body_.read_all(limit);
  if (!body) body_failed_ = true;
  co_return body;
}

Task<Result<std::string_view>> HttpExchange::read_some() {
  auto piece = co_await body_.read_some();
  if (!piece) body_failed_ = true;
  co_return piece;
}

std::optional<std::uint64_t> HttpExchange::declared_length() const {
  if (head_.framing == Framing::kChunked || !is_identity(head_.find("content-encoding")))
    return std::nullopt;
  if (head_.framing == Framing::kNone && head_.count("content-length") == 0) return std::nullopt;
  return head_.content_length;
}

void HttpExchange::add_header(std::string name, std::string value) {
  extra_.emplace_back(std::move(name), std::move(value));
}

// Decides, before the head is written, whether this connection can carry another request.
void HttpExchange::start_head(int status, std::optional<std::uint64_t> length, bool chunked,
                              const Headers& headers) {
  answered_ = true;
  status_ = status;
  Worker& worker = connection_.worker();
  if (body_failed_ || broken_off_ || worker.shared.stopping.load(std::memory_order_relaxed) ||
      !body_.remainder_is_small())
    keep_alive_ = false;
  const ResponseHead head{.status = status,
                          .minor_version = head_.minor_version,
                          .date = worker.date(),
                          .request_id = request_id_,
                          .keep_alive = keep_alive_,
                          .chunked = chunked,
                          .content_length = length};
  append_response_head(connection_.pending(), head, headers, extra_);
}

Task<Result<>> HttpExchange::respond(Response response) {
  if (answered_) co_return fail(ErrorCode::kInternal, "The request was answered already.");
  const bool has_body = status_has_body(response.status);
  std::optional<std::uint64_t> length;
  if (has_body) length = response.body.size();
  start_head(response.status, length, false, response.headers);
  finished_ = true;
  Connection::Parts parts{};
  if (has_body && !is_head_) {
    if (response.body.size() <= kCopiedBody)
      connection_.pending() += response.body;
    else
      parts[0] = response.body;
  }
  // The next request is here already: its answer may go along with this one.
  if (parts[0].empty() && keep_alive_ && !connection_.input().empty() &&
      connection_.pending().size() < kGatheredAnswers) {
    connection_.flush_later();
    co_return Result<>();
  }
  if (connection_.try_send(parts) == Connection::Sent::kAll) co_return Result<>();
  co_return co_await connection_.send(parts);
}

Task<Result<>> HttpExchange::begin(int status, Headers headers) {
  if (answered_) co_return fail(ErrorCode::kInternal, "The request was answered already.");
  const bool has_body = status_has_body(status);
  if (has_body) promised_ = length_among(headers);
  // HTTP/1.0 knows no chunks: there the end of the connection ends the answer.
  chunked_ = has_body && !promised_ && head_.minor_version == 1;
  if (has_body && !promised_ && !chunked_) keep_alive_ = false;
  start_head(status, promised_, chunked_, headers);
  if (!has_body) promised_ = 0;
  // The head goes out with the first piece, or by itself if that takes a while.
  connection_.flush_later();
  co_return Result<>();
}

Result<> HttpExchange::may_finish() const {
  if (!answered_ || finished_ || broken_off_)
    return fail(ErrorCode::kInternal, "No streamed answer is open.");
  return {};
}

Result<> HttpExchange::may_write(std::size_t bytes) {
  TRY(may_finish());
  if (!promised_) return {};
  if (bytes > *promised_) {
    broken_off_ = true;
    return fail(ErrorCode::kInternal, "The answer is longer than its Content-Length.");
  }
  *promised_ -= bytes;
  return {};
}

// RFC 9112 7.1: the size of a chunk, which its bytes follow.
void HttpExchange::put_chunk_size(std::size_t bytes) {
  std::array<char, 16> digits;
  const char* end = std::to_chars(digits.data(), digits.data() + digits.size(), bytes, 16).ptr;
  std::string& pending = connection_.pending();
  pending.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
  pending += "\r\n";
}

Task<Result<>> HttpExchange::write(std::string_view data) {
  if (data.empty()) co_return may_finish();
  CO_TRY(may_write(data.size()));
  Connection::Parts parts{};
  if (!is_head_) {
    if (chunked_) put_chunk_size(data.size());
    parts = {data, chunked_ ? "\r\n" : ""};
  }
  co_return co_await connection_.send(parts);
}

Task<Result<>> HttpExchange::write_from(PipeSource& pipe, std::size_t bytes) {
  if (bytes == 0) co_return may_finish();
  CO_TRY(may_write(bytes));
  if (is_head_) {
    CO_TRY(co_await pipe.read_some());
    co_return Result<>();
  }
  if (chunked_) put_chunk_size(bytes);
  CO_TRY(co_await connection_.send_from(pipe.native_handle(), bytes));
  // Goes along with the next piece's size, if that comes soon.
  if (chunked_) {
    connection_.pending() += "\r\n";
    connection_.flush_later();
  }
  co_return Result<>();
}

Task<Result<>> HttpExchange::finish() {
  CO_TRY(may_finish());
  if (promised_ && *promised_ != 0 && !is_head_) {
    broken_off_ = true;
    co_return fail(ErrorCode::kInternal, "The answer is shorter than its Content-Length.");
  }
  finished_ = true;
  if (chunked_ && !is_head_) connection_.pending() += "0\r\n\r\n";
  Connection::Parts none{};
  co_return co_await connection_.send(none);
}

bool HttpExchange::may_continue() const {
  return keep_alive_ && !body_failed_ && !is_cut() && !connection_.broken();
}

Task<void> HttpExchange::client_gone() {
  net::steady_timer timer(connection_.worker().context);
  while (!connection_.peer_has_closed()) {
    boost::system::error_code ec;
    timer.expires_after(kGonePoll);
    co_await timer.async_wait(net::redirect_error(net::use_awaitable, ec));
    if (ec) throw boost::system::system_error(ec);
  }
}

}  // namespace sd::http
