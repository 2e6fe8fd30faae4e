// One request and its one response, as a handler sees them.
//
// A handler is a coroutine that runs on the thread of its connection; it never blocks. It reads the
// body (or not), then answers with exactly one of respond() or begin() … finish(). What it leaves
// undone is mended: no answer becomes a 500 problem, an unfinished streamed answer breaks the
// connection, an unread body is skipped if it is small, else the connection closes.
//
// GCC 12 miscompiles a conditional (a ? b : c) that makes class temporaries inside a co_await
// expression, and initializer lists there: the temporary is freed twice. Give them a name on the
// line before.
//
// Lifetime: an Exchange lives in its connection's coroutine and ends with the handler. Views that
// it returns live as long as it does, unless they say otherwise.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace sd::http {

namespace net = boost::asio;
template <typename T = void>
using Task = net::awaitable<T>;

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Response {
  int status = 200;
  Headers
      headers;  // Content-Length, Connection, Date, X-Request-Id and CORS are added by the session
  std::string body;
};

// application/json and text/html answers.
Response json_response(std::string body, int status = 200);
Response html_response(std::string body, int status = 200);
Response text_response(std::string body, int status = 200);
// RFC 9457 application/problem+json with type, title, status, detail, request_id and the error's
// members; Retry-After and WWW-Authenticate where the status wants them.
Response problem_response(const Error& error, std::string_view request_id);

// A query string's or form's parameters in order, percent-decoded ('+' is a space).
struct Parameter {
  std::string name;
  std::string value;
};

class PipeSource;

class Exchange {
 public:
  virtual ~Exchange() = default;

  // ---- the request
  virtual std::string_view method() const = 0;     // "GET", "POST" …
  virtual std::string_view target() const = 0;     // as sent
  virtual std::string_view path() const = 0;       // target without the query, not decoded
  virtual std::string_view raw_query() const = 0;  // what follows '?', not decoded
  // A {name} of the route's pattern, percent-decoded.
  virtual std::string_view path_parameter(std::string_view name) const = 0;
  // A header's value without surrounding blanks; empty where absent. Name in any case.
  virtual std::string_view header(std::string_view name) const = 0;
  // Of a field that is a list (Accept, If-None-Match …), which may come in several lines: all of it.
  virtual std::string header_list(std::string_view name) const = 0;
  virtual std::string_view request_id() const = 0;
  virtual std::string_view peer_address() const = 0;  // of the TCP connection
  virtual bool local_is_loopback() const = 0;         // the listener's address
  // Where the connection came in, as it stands in a URL: "127.0.0.1:8080", "[::1]:8080".
  virtual std::string local_authority() const = 0;
  virtual bool peer_is_loopback() const = 0;

  // ---- its body, decoded as Content-Encoding says (gzip, zstd; else 415)
  // All of it, in a buffer that the connection reuses. kInvalidArgument with status 413 where it is
  // over `limit` bytes after decoding (before it is buffered where Content-Length tells), 415, 408.
  virtual Task<Result<std::string_view>> read_body(std::uint64_t limit) = 0;
  // The next piece, empty at the end; the view lives until the next call. Counts against the
  // `limit` of set_body_limit().
  virtual Task<Result<std::string_view>> read_some() = 0;
  virtual void set_body_limit(std::uint64_t limit) = 0;
  // As declared by Content-Length and only where no Content-Encoding is given.
  virtual std::optional<std::uint64_t> declared_length() const = 0;

  // ---- the answer
  // A header that whatever answer follows will carry.
  virtual void add_header(std::string name, std::string value) = 0;
  virtual Task<Result<>> respond(Response response) = 0;
  // Streams: head, then chunks, then the final chunk. A HEAD request gets the head only. With a
  // Content-Length among `headers` the pieces go out as they are, and finish() fails unless they
  // add up. The head leaves with the first piece, or by itself once the handler waits for
  // something.
  virtual Task<Result<>> begin(int status, Headers headers) = 0;
  virtual Task<Result<>> write(std::string_view data) = 0;
  // write() of the next `bytes` of a pipe that holds as many (PipeSource::wait_readable()), without
  // copying them through this process. The process must ignore SIGPIPE. For a HEAD request what the
  // pipe holds is dropped.
  virtual Task<Result<>> write_from(PipeSource& pipe, std::size_t bytes) = 0;
  virtual Task<Result<>> finish() = 0;
  // No final chunk: the client sees a broken answer. The connection closes after the handler.
  virtual void break_off() = 0;
  virtual bool answered() const = 0;  // respond() or begin() was called

  // Returns when the client has closed or reset the connection (looked at four times a second),
  // never otherwise: meant for `work || exchange.client_gone()`.
  virtual Task<void> client_gone() = 0;

  virtual net::any_io_executor executor() = 0;
  // Index of the I/O thread, 0 … threads-1.
  virtual unsigned thread_index() const = 0;
};

// Percent-decodes (RFC 3986); nullopt for a broken escape. `plus_is_space` as in forms.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space);
// name=value&… as in application/x-www-form-urlencoded; broken escapes stay as they are.
std::vector<Parameter> parse_form(std::string_view text);

}  // namespace sd::http
