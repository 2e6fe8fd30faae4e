#include "api/file_answer.h"

#include <algorithm>

#include "base/log.h"

namespace sd::api {
namespace {

constexpr std::size_t kPiece = 512U << 10;

}  // namespace

FileAnswer plan_file_answer(const http::Exchange& exchange, std::shared_ptr<File> file,
                            std::uint64_t size, std::string etag) {
  FileAnswer answer{.file = std::move(file), .size = size, .etag = std::move(etag)};
  answer.not_modified = http::matches_etag(exchange.header_list("If-None-Match"), answer.etag);
  // A Range has a meaning for GET alone (RFC 9110 14.2).
  const std::string_view range =
      exchange.method() == "GET" ? exchange.header("Range") : std::string_view();
  answer.range = http::answer_range(range, exchange.header("If-Range"), answer.etag, size);
  return answer;
}

Task<FileSent> send_file(App& app, http::Exchange& exchange, FileAnswer answer,
                         http::Headers headers) {
  headers.emplace_back("ETag", answer.etag);
  headers.emplace_back("Accept-Ranges", "bytes");
  FileSent sent;
  if (answer.not_modified) {
    http::Response unchanged{.status = 304, .headers = std::move(headers), .body = {}};
    co_await exchange.respond(std::move(unchanged));
    co_return sent;
  }
  if (answer.range.status == 416) {
    const Error error =
        invalid("there is no such part: the file has " + std::to_string(answer.size) + " bytes")
            .with_slug("range-not-satisfiable")
            .with_status(416);
    http::Response refused = http::problem_response(error, exchange.request_id());
    refused.headers.emplace_back("Content-Range", answer.range.content_range(answer.size));
    refused.headers.emplace_back("ETag", answer.etag);
    refused.headers.emplace_back("Accept-Ranges", "bytes");
    co_await exchange.respond(std::move(refused));
    co_return sent;
  }
  if (std::string part = answer.range.content_range(answer.size); !part.empty())
    headers.emplace_back("Content-Range", std::move(part));
  headers.emplace_back("Content-Length", std::to_string(answer.range.length));
  const Result<> began = co_await exchange.begin(answer.range.status, std::move(headers));
  if (!began) co_return sent;
  if (exchange.method() == "HEAD") {
    co_await exchange.finish();
    co_return sent;
  }
  std::string piece;
  while (sent.bytes < answer.range.length) {
    const std::uint64_t left = answer.range.length - sent.bytes;
    piece.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, left)));
    const auto work = [&] { return answer.file->read_at(answer.range.first + sent.bytes, piece); };
    const Result<std::size_t> read =
        co_await run_blocking(app.blocking(), exchange.executor(), work);
    if (!read || *read == 0) {
      log::error("a file that is sent cannot be read to its end",
                 {{"error", read ? "it is too short" : read.error().message}});
      exchange.break_off();
      co_return sent;
    }
    const Result<> written = co_await exchange.write(std::string_view(piece).substr(0, *read));
    if (!written) {
      exchange.break_off();
      co_return sent;
    }
    sent.bytes += *read;
  }
  const Result<> finished = co_await exchange.finish();
  sent.whole = finished.has_value();
  co_return sent;
}

}  // namespace sd::api
