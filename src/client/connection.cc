// The only file that sees Beast: it takes long to compile.
#include "client/connection.h"

#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <optional>
#include <span>

#include "base/ascii.h"

namespace sd::client {
namespace {

namespace net = boost::asio;
namespace ssl = boost::asio::ssl;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;

using PlainStream = beast::tcp_stream;
using TlsStream = ssl::stream<beast::tcp_stream>;

constexpr std::uint64_t kMaxAnswerBytes = 16U << 20;
constexpr std::size_t kMaxRefusalBytes = 1U << 20;
constexpr std::size_t kPieceBytes = 256U << 10;

Error no_answer(std::string_view what, const error_code& error) {
  const std::string why = error == beast::error::timeout ? "no answer within the time limit"
                          : error == http::error::end_of_stream || error == net::error::eof
                              ? "the server closed the connection"
                              : error.message();
  return Error{.code = ErrorCode::kUnavailable, .message = std::string(what) + ": " + why};
}

bool is_address(const std::string& host) {
  error_code error;
  net::ip::make_address(host, error);
  return !error;
}

class Connection final : public StreamTransport {
 public:
  Connection(Url url, std::chrono::milliseconds timeout)
      : url_(std::move(url)), timeout_(timeout) {}
  ~Connection() override { close(); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Result<HttpAnswer> send(const HttpRequest& request) override {
    // A connection that served before may have been closed meanwhile, which says nothing about the
    // server.
    const bool kept = is_open();
    Result<HttpAnswer> answer = try_once(request);
    if (!answer && kept && broke_off_) answer = try_once(request);
    return answer;
  }

  Result<> stream(const HttpRequest& request, const Sink& sink) override {
    if (!is_open()) TRY(open());
    const Request message = message_of(request);
    Result<> done = tls_ ? stream_over(*tls_, message, sink) : stream_over(*plain_, message, sink);
    close();
    return done;
  }

 private:
  using Request = http::request<http::span_body<const char>>;

  bool is_open() const { return plain_ || tls_; }

  void close() {
    plain_.reset();
    tls_.reset();
    buffer_.clear();
  }

  // Asynchronous work, waited for: only that has time limits.
  void run() {
    ioc_.restart();
    ioc_.run();
  }

  Result<HttpAnswer> try_once(const HttpRequest& request) {
    broke_off_ = false;
    if (!is_open()) TRY(open());
    const Request message = message_of(request);
    Result<HttpAnswer> answer = tls_ ? exchange(*tls_, message) : exchange(*plain_, message);
    if (!answer) close();
    return answer;
  }

  Request message_of(const HttpRequest& request) const {
    Request message(http::string_to_verb(request.method), url_.base + request.target, 11);
    message.set(http::field::host, url_.authority());
    message.set(http::field::user_agent, "scratchdata");
    for (const auto& [name, value] : request.headers) message.set(name, value);
    message.body() = {request.body.data(), request.body.size()};
    message.prepare_payload();
    return message;
  }

  // Waits for asynchronous work, and for who no longer wants it.
  template <typename Stream>
  Result<> run_unless(Stream& stream, const std::function<bool()>& should_stop) {
    ioc_.restart();
    while (!ioc_.stopped()) {
      ioc_.run_for(std::chrono::milliseconds(100));
      if (ioc_.stopped() || !should_stop()) continue;
      beast::get_lowest_layer(stream).close();
      ioc_.run();
      return fail(ErrorCode::kCancelled, "interrupted");
    }
    return {};
  }

  template <typename Stream>
  Result<> stream_over(Stream& stream, const Request& message, const Sink& sink) {
    error_code error;
    beast::get_lowest_layer(stream).expires_never();
    http::async_write(stream, message, [&](const error_code& e, std::size_t) { error = e; });
    TRY(run_unless(stream, sink.should_stop));
    http::response_parser<http::buffer_body> parser;
    parser.body_limit(boost::none);
    http::async_read_header(stream, buffer_, parser,
                            [&](const error_code& e, std::size_t) { error = e; });
    TRY(run_unless(stream, sink.should_stop));
    if (error) return fail(no_answer("no answer", error));
    HttpAnswer head = head_of(parser.get());
    const bool is_refusal = head.status != 200;
    if (!is_refusal) TRY(sink.head(head));
    std::string piece(kPieceBytes, '\0');
    while (!parser.is_done()) {
      parser.get().body().data = piece.data();
      parser.get().body().size = piece.size();
      http::async_read_some(stream, buffer_, parser,
                            [&](const error_code& e, std::size_t) { error = e; });
      TRY(run_unless(stream, sink.should_stop));
      if (error == http::error::need_buffer) error = {};
      const std::string_view got(piece.data(), piece.size() - parser.get().body().size);
      if (error) return fail(no_answer("the answer broke off", error));
      if (!is_refusal)
        TRY(sink.bytes(got));
      else if (head.body.size() < kMaxRefusalBytes)
        head.body += got;
    }
    return is_refusal ? sink.head(head) : Result<>();
  }

  Result<> open() {
    error_code error;
    net::ip::tcp::resolver resolver(ioc_);
    const auto endpoints = resolver.resolve(url_.host, url_.port, error);
    if (error) return fail(no_answer(url_.host, error));
    if (url_.tls) return open_tls(endpoints);
    plain_.emplace(ioc_);
    return connect(*plain_, endpoints);
  }

  Result<> connect(PlainStream& stream, const net::ip::tcp::resolver::results_type& endpoints) {
    error_code error;
    stream.expires_after(timeout_);
    stream.async_connect(endpoints, [&](const error_code& e, const auto&) { error = e; });
    run();
    if (error) {
      close();
      return fail(no_answer("cannot connect to " + url_.authority(), error));
    }
    stream.socket().set_option(net::ip::tcp::no_delay(true), error);
    return {};
  }

  Result<> open_tls(const net::ip::tcp::resolver::results_type& endpoints) {
    error_code error;
    if (!context_) {
      context_.emplace(ssl::context::tls_client);
      context_->set_default_verify_paths(error);
    }
    tls_.emplace(ioc_, *context_);
    tls_->set_verify_mode(ssl::verify_peer);
    SSL* const tls = tls_->native_handle();
    // OpenSSL's own check: unlike a callback it can say what is wrong.
    const bool named =
        is_address(url_.host)
            ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls), url_.host.c_str()) == 1
            : SSL_set1_host(tls, url_.host.c_str()) == 1 &&
                  SSL_set_tlsext_host_name(tls, url_.host.c_str()) == 1;
    if (!named) {
      close();
      return fail(invalid("no certificate can be for the host " + url_.host));
    }
    TRY(connect(tls_->next_layer(), endpoints));
    tls_->async_handshake(ssl::stream_base::client, [&](const error_code& e) { error = e; });
    run();
    if (!error) return {};
    const long verdict = SSL_get_verify_result(tls_->native_handle());
    close();
    if (verdict != X509_V_OK) {
      return fail(ErrorCode::kPermissionDenied,
                  "the certificate of " + url_.authority() +
                      " is not to be trusted: " + X509_verify_cert_error_string(verdict));
    }
    return fail(no_answer("TLS with " + url_.authority(), error));
  }

  template <typename Stream>
  Result<HttpAnswer> exchange(Stream& stream, const Request& message) {
    error_code wrote;
    beast::get_lowest_layer(stream).expires_after(timeout_);
    http::async_write(stream, message, [&](const error_code& e, std::size_t) { wrote = e; });
    run();
    if (wrote == beast::error::timeout) return fail(no_answer("sending", wrote));
    // A server that refuses a request need not read all of it: the answer may stand there all the
    // same.
    error_code got;
    http::response_parser<http::string_body> parser;
    parser.body_limit(kMaxAnswerBytes);
    http::async_read(stream, buffer_, parser, [&](const error_code& e, std::size_t) { got = e; });
    run();
    if (got) {
      broke_off_ = got != beast::error::timeout && !parser.got_some();
      return fail(no_answer("no answer", wrote ? wrote : got));
    }
    HttpAnswer answer = answer_of(parser.get());
    if (!parser.get().keep_alive() || wrote) close();
    return answer;
  }

  template <typename Message>
  static HttpAnswer head_of(const Message& message) {
    const auto header = [&](std::string_view name) { return std::string(message[name]); };
    HttpAnswer answer{.status = static_cast<int>(message.result_int()),
                      .retry_after = header("Retry-After"),
                      .location = header("Location")};
    // Nobody has standardised this one; both spellings are about.
    answer.replayed = same_ascii_folded(header("Idempotent-Replayed"), "true") ||
                      same_ascii_folded(header("Idempotency-Replayed"), "true");
    return answer;
  }

  static HttpAnswer answer_of(http::response<http::string_body>& message) {
    HttpAnswer answer = head_of(message);
    answer.body = std::move(message.body());
    return answer;
  }

  Url url_;
  std::chrono::milliseconds timeout_;
  net::io_context ioc_{1};
  std::optional<ssl::context> context_;
  std::optional<PlainStream> plain_;
  std::optional<TlsStream> tls_;
  beast::flat_buffer buffer_;
  bool broke_off_ = false;  // the last failure: before the first byte of an answer
};

}  // namespace

std::unique_ptr<StreamTransport> make_connection(Url url, std::chrono::milliseconds timeout) {
  return std::make_unique<Connection>(std::move(url), timeout);
}

}  // namespace sd::client
