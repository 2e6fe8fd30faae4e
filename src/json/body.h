// What the front does with a body of rows: count them, check each, remember what is wrong.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "json/rows.h"

namespace sd::json {

struct RefusedRow {
  std::uint64_t row = 0;  // index in the body, refused rows counted too, from 0
  RowError error;
};

struct BodySummary {
  std::uint64_t rows = 0;          // good ones
  std::uint64_t failed = 0;        // refused ones
  std::vector<RefusedRow> errors;  // the first kMaxErrors
};

inline constexpr std::size_t kMaxErrors = 100;

// Feeds on a body piece by piece. Memory: the largest row, and the errors.
class BodyScanner {
 public:
  // Rows over `max_row_bytes` end the scan with an error (status 413).
  explicit BodyScanner(std::uint64_t max_row_bytes = 64ULL << 20,
                       Framing framing = Framing::kDetected)
      : splitter_(handler_, framing), max_row_bytes_(max_row_bytes) {}
  BodyScanner(const BodyScanner&) = delete;
  BodyScanner& operator=(const BodyScanner&) = delete;

  // The next piece of the body. The error is the answer to the whole request: kInvalidArgument with
  // slug "invalid-json" and member "offset".
  Result<> feed(std::string_view piece);
  // The body is complete. An error too where it holds no good row but bad ones.
  Result<BodySummary> finish();
  // Instead of feed() and finish(), for a body that stands in memory: nothing is copied.
  Result<BodySummary> finish_whole(std::string_view body);

 private:
  Result<> run(std::string_view window, bool final, std::size_t& used);
  // A row and what may stand around it.
  std::uint64_t max_rest() const { return max_row_bytes_ + 1024; }

  NullHandler handler_;
  RowSplitter<NullHandler> splitter_;
  BodySummary summary_;
  std::string rest_;              // bytes of a row that the last piece cut
  std::size_t rest_checked_ = 0;  // size of rest_ at the last attempt: retried when it has doubled
  std::uint64_t max_row_bytes_;
};

// The whole body at once.
Result<BodySummary> scan_body(std::string_view body, std::uint64_t max_row_bytes = 64ULL << 20,
                              Framing framing = Framing::kDetected);

}  // namespace sd::json
