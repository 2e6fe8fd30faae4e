#include "http/request_body.h"

#include <algorithm>

namespace sd::http {
namespace {

constexpr std::size_t kPiece = 64U << 10;
constexpr std::uint64_t kSmallRemainder = 64U << 10;
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

// A coded body may be a little longer than what it decodes to; far beyond that it is not worth
// reading.
std::uint64_t raw_limit(std::uint64_t limit) {
  const std::uint64_t slack = limit / 64 + 4096;
  return limit > UINT64_MAX - slack ? UINT64_MAX : limit + slack;
}

}  // namespace

RequestBody::RequestBody(Connection& connection, const Head& head)
    : connection_(connection),
      head_(head),
      remaining_(head.framing == Framing::kLength ? head.content_length : 0),
      taken_(head.framing == Framing::kNone),
      owes_continue_(head.expects_continue),
      pace_left_(connection.worker().shared.options.body_window) {
  const std::size_t codings = head.count("content-encoding");
  if (codings == 0) return;
  const std::string_view coding = head.find("content-encoding");
  if (codings == 1 && is_identity(coding)) return;
  if (codings == 1) decoder_ = make_content_decoder(coding);
  unsupported_coding_ = decoder_ == nullptr;
}

RequestBody::~RequestBody() {
  connection_.worker().give_back(std::move(gathered_));
  connection_.worker().give_back(std::move(raw_));
}

Error RequestBody::too_large() const {
  return invalid("The body is larger than the limit of " + std::to_string(limit_) + " bytes.")
      .with_status(413)
      .with_slug("body-too-large")
      .with_member("limit", std::to_string(limit_));
}

// What can be refused before a byte of the body is read.
Result<> RequestBody::check_declared(std::uint64_t limit) {
  if (unsupported_coding_ && head_.framing != Framing::kNone) {
    return fail(invalid("The Content-Encoding is not one of gzip, deflate, br, zstd and identity.")
                    .with_status(415)
                    .with_slug("unsupported-encoding"));
  }
  const std::uint64_t most = decoder_ ? raw_limit(limit) : limit;
  if (head_.framing == Framing::kLength && head_.content_length > most) return fail(too_large());
  return {};
}

Result<> RequestBody::count_raw(std::size_t bytes) {
  raw_bytes_ += bytes;
  if (raw_bytes_ > (decoder_ ? raw_limit(limit_) : limit_)) return fail(too_large());
  return {};
}

// Takes the next piece out of what is here already; empty where nothing is, or at the end.
std::string_view RequestBody::take_buffered() {
  while (!taken_) {
    const bool from_connection = !connection_.input().empty();
    const std::string_view source =
        from_connection ? connection_.input() : raw_.view().substr(raw_at_);
    if (source.empty()) return {};
    std::size_t consumed = 0;
    std::string_view data;
    if (head_.framing == Framing::kLength) {
      consumed = static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, source.size()));
      data = source.substr(0, consumed);
      remaining_ -= consumed;
      taken_ = remaining_ == 0;
    } else {
      const ChunkDecoder::Step step = chunks_.next(source);
      consumed = step.consumed;
      data = step.data;
      taken_ = chunks_.done();
    }
    if (from_connection)
      connection_.consume(consumed);
    else
      raw_at_ += consumed;
    if (!data.empty() || chunks_.failed()) return data;
  }
  return {};
}

Task<Result<>> RequestBody::read_more(char* to, std::size_t room, std::size_t& got) {
  if (owes_continue_) {
    owes_continue_ = false;
    connection_.pending() += kContinue;
  }
  CO_TRY(co_await connection_.send({}));
  const Time before = std::chrono::steady_clock::now();
  const ReadOutcome outcome = co_await connection_.read(to, room, before + pace_left_);
  got = outcome.bytes;
  switch (outcome.end) {
    case ReadEnd::kBytes:
      break;
    case ReadEnd::kExpired:
      co_return fail(Error{.code = ErrorCode::kInvalidArgument,
                           .message = "The body arrives too slowly.",
                           .slug = "request-timeout",
                           .status = 408});
    case ReadEnd::kClosed:
      co_return fail(Error{.code = ErrorCode::kCancelled,
                           .message = "The connection was closed before the body's end.",
                           .slug = "client-gone",
                           .status = 400});
    case ReadEnd::kStopped:
      co_return fail(ErrorCode::kCancelled, "Reading the body was given up.");
  }
  // Only waiting counts: a handler that is slow to ask for more does not make the client slow.
  const auto& options = connection_.worker().shared.options;
  pace_bytes_ += got;
  if (pace_bytes_ >= options.body_window_bytes) {
    pace_bytes_ = 0;
    pace_left_ = options.body_window;
  } else {
    pace_left_ -= std::chrono::steady_clock::now() - before;
  }
  co_return Result<>();
}

Task<Result<std::string_view>> RequestBody::read_raw() {
  for (;;) {
    const std::string_view data = take_buffered();
    if (chunks_.failed()) {
      failed_ = true;
      co_return fail(invalid("The chunked body is malformed.").with_slug("invalid-chunk"));
    }
    if (!data.empty()) {
      CO_TRY(count_raw(data.size()));
      co_return data;
    }
    if (taken_) co_return std::string_view();
    if (raw_.capacity() == 0) {
      raw_ = connection_.worker().borrow_buffer();
      raw_.reserve(kPiece);
    }
    raw_.clear();
    raw_at_ = 0;
    std::size_t room = raw_.capacity();
    if (head_.framing == Framing::kLength)
      room = static_cast<std::size_t>(std::min<std::uint64_t>(room, remaining_));
    std::size_t got = 0;
    const Result<> more = co_await read_more(raw_.data(), room, got);
    if (!more) {
      failed_ = true;
      co_return fail(more.error());
    }
    raw_.grew(got);
  }
}

Task<Result<std::string_view>> RequestBody::read_some() {
  CO_TRY(check_declared(limit_));
  if (!decoder_) co_return co_await read_raw();
  gathered_.clear();
  gathered_.reserve(kPiece);
  for (;;) {
    const auto made = decoder_->decode(undecoded_, {gathered_.data(), kPiece});
    if (!made) co_return fail(made.error());
    if (*made > 0) {
      gathered_.grew(*made);
      decoded_bytes_ += *made;
      if (decoded_bytes_ > limit_) co_return fail(too_large());
      co_return gathered_.view();
    }
    const auto piece = co_await read_raw();
    if (!piece) co_return fail(piece.error());
    undecoded_ = *piece;
    if (piece->empty()) {
      CO_TRY(decoder_->finish());
      co_return std::string_view();
    }
  }
}

// Content-Length without a coding is read straight to its place. The buffer follows what arrives,
// not what was promised.
Task<Result<std::string_view>> RequestBody::read_all_plain() {
  gathered_ = connection_.worker().borrow_buffer();
  gathered_.append(take_buffered());
  while (!taken_) {
    const std::uint64_t whole = gathered_.size() + remaining_;
    gathered_.reserve(static_cast<std::size_t>(
        std::min<std::uint64_t>(whole, std::max<std::size_t>(kPiece, gathered_.size() * 2))));
    const auto room =
        static_cast<std::size_t>(std::min<std::uint64_t>(gathered_.room(), remaining_));
    std::size_t got = 0;
    const Result<> more = co_await read_more(gathered_.end(), room, got);
    if (!more) {
      failed_ = true;
      co_return fail(more.error());
    }
    gathered_.grew(got);
    remaining_ -= got;
    taken_ = remaining_ == 0;
  }
  co_return gathered_.view();
}

std::optional<std::string_view> RequestBody::take_whole(std::uint64_t limit) {
  if (decoder_ || unsupported_coding_ || remaining_ > limit) return std::nullopt;
  if (head_.framing == Framing::kNone) return std::string_view();
  if (head_.framing != Framing::kLength || connection_.input().size() < remaining_)
    return std::nullopt;
  return take_buffered();
}

Task<Result<std::string_view>> RequestBody::read_all(std::uint64_t limit) {
  limit_ = limit;
  CO_TRY(check_declared(limit));
  if (head_.framing == Framing::kNone) co_return std::string_view();
  if (!decoder_ && head_.framing == Framing::kLength) co_return co_await read_all_plain();
  Buffer whole = connection_.worker().borrow_buffer();
  for (;;) {
    const auto piece = co_await read_some();
    if (!piece) co_return fail(piece.error());
    if (piece->empty()) break;
    whole.append(*piece);
  }
  connection_.worker().give_back(std::move(gathered_));
  gathered_ = std::move(whole);
  co_return gathered_.view();
}

bool RequestBody::remainder_is_small() {
  if (failed_) return false;
  if (taken_) return true;
  if (owes_continue_) return false;
  if (head_.framing == Framing::kLength) return remaining_ <= kSmallRemainder;
  while (!taken_ && !take_buffered().empty()) {
  }
  return taken_;
}

Task<bool> RequestBody::skip() {
  limit_ = UINT64_MAX;
  raw_bytes_ = 0;
  while (!taken_) {
    if (failed_ || owes_continue_ || raw_bytes_ > kSmallRemainder) co_return false;
    const auto piece = co_await read_raw();
    if (!piece) co_return false;
  }
  co_return true;
}

std::string_view RequestBody::beyond() const {
  return raw_.view().substr(raw_at_);
}

}  // namespace sd::http
