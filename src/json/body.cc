#include "json/body.h"

#include <algorithm>

namespace sd::json {

namespace {

Error body_error(const RowError& error) {
  return invalid(error.detail + " at offset " + std::to_string(error.offset))
      .with_slug(error.code)
      .with_member("offset", std::to_string(error.offset));
}

Error too_large(std::uint64_t limit) {
  return invalid("a row is larger than " + std::to_string(limit) + " bytes")
      .with_slug("row-too-large")
      .with_status(413);
}

}  // namespace

Result<> BodyScanner::run(std::string_view window, bool final, std::size_t& used) {
  using State = decltype(splitter_)::State;
  used = 0;
  while (true) {
    auto step = splitter_.next(window.substr(used), final);
    used += splitter_.consumed();
    switch (step.state) {
      case State::kRow:
        if (step.text.size() > max_row_bytes_) return fail(too_large(max_row_bytes_));
        ++summary_.rows;
        break;
      case State::kRefused:
        if (summary_.errors.size() < kMaxErrors) {
          summary_.errors.push_back({summary_.rows + summary_.failed, std::move(step.error)});
        }
        ++summary_.failed;
        break;
      case State::kNeedMore:
      case State::kEnd:
        return {};
      case State::kSyntax:
        return fail(body_error(step.error));
    }
  }
}

Result<> BodyScanner::feed(std::string_view piece) {
  std::size_t used = 0;
  if (rest_.empty()) {
    TRY(run(piece, false, used));
    rest_.assign(piece.substr(used));
    rest_checked_ = rest_.size();
  } else {
    rest_.append(piece);
    // A row cut by many pieces is looked at again only when there is twice as much of it, so that a
    // large row costs no more than twice its length; and when it may be over the limit.
    if (rest_.size() < rest_checked_ * 2 && rest_.size() <= max_rest()) return {};
    TRY(run(rest_, false, used));
    rest_.erase(0, used);
    rest_checked_ = rest_.size();
  }
  if (rest_.size() > max_rest()) return fail(too_large(max_row_bytes_));
  return {};
}

Result<BodySummary> BodyScanner::finish() {
  return finish_whole(rest_);
}

Result<BodySummary> BodyScanner::finish_whole(std::string_view body) {
  std::size_t used = 0;
  TRY(run(body, true, used));
  if (summary_.rows == 0 && summary_.failed > 0) {
    // Nothing could be recovered: the answer is the first row's error, and nothing is stored.
    return fail(body_error(summary_.errors.front().error));
  }
  return std::move(summary_);
}

Result<BodySummary> scan_body(std::string_view body, std::uint64_t max_row_bytes, Framing framing) {
  BodyScanner scanner(max_row_bytes, framing);
  return scanner.finish_whole(body);
}

}  // namespace sd::json
