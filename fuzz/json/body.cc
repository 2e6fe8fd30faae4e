// A body is judged the same whole and in pieces: same rows, same refusals, same verdict. The first
// byte of the input is the size of the pieces, and its lowest bit says whether it is said to be NDJSON.
#include "json/body.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

using sd::json::BodySummary;
using sd::json::Framing;

constexpr uint64_t kMost = 64ULL << 20;

sd::Result<BodySummary> in_pieces(std::string_view body, size_t piece, Framing framing) {
  sd::json::BodyScanner scanner(kMost, framing);
  while (!body.empty()) {
    const size_t size = std::min(piece, body.size());
    if (auto fed = scanner.feed(body.substr(0, size)); !fed) return std::unexpected(fed.error());
    body.remove_prefix(size);
  }
  return scanner.finish();
}

bool same(const BodySummary& a, const BodySummary& b) {
  return a.rows == b.rows && a.failed == b.failed &&
         std::ranges::equal(a.errors, b.errors, [](const auto& x, const auto& y) {
           return x.row == y.row && x.error.code == y.error.code &&
                  x.error.detail == y.error.detail && x.error.offset == y.error.offset;
         });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Framing framing = (data[0] & 1) != 0 ? Framing::kLines : Framing::kDetected;
  const auto whole = sd::json::scan_body(body, kMost, framing);
  const auto pieces = in_pieces(body, size_t{1} + data[0], framing);
  if (whole.has_value() != pieces.has_value()) std::abort();
  if (whole && !same(*whole, *pieces)) std::abort();
  if (!whole && (whole.error().message != pieces.error().message ||
                 whole.error().members != pieces.error().members)) {
    std::abort();
  }
  if (!whole) return 0;
  // What is remembered is true: rising row numbers, offsets within the body, and no more than there are.
  uint64_t next = 0;
  for (const auto& refused : whole->errors) {
    if (refused.row < next || refused.row >= whole->rows + whole->failed) std::abort();
    if (refused.error.code.empty() || refused.error.offset > body.size()) std::abort();
    next = refused.row + 1;
  }
  if (whole->errors.size() != std::min<uint64_t>(whole->failed, sd::json::kMaxErrors)) std::abort();
  return 0;
}
