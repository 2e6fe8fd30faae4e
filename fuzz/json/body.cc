// A body is judged the same whole and in pieces: same rows, same refusals, same verdict. The first
// byte of the input is the size of the pieces.
#include "json/body.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

sd::Result<sd::json::BodySummary> in_pieces(std::string_view body, size_t piece) {
  sd::json::BodyScanner scanner;
  while (!body.empty()) {
    const size_t size = std::min(piece, body.size());
    if (auto fed = scanner.feed(body.substr(0, size)); !fed) return std::unexpected(fed.error());
    body.remove_prefix(size);
  }
  return scanner.finish();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto whole = sd::json::scan_body(body);
  const auto pieces = in_pieces(body, size_t{1} + data[0]);
  if (whole.has_value() != pieces.has_value()) std::abort();
  if (whole && (whole->rows != pieces->rows || whole->failed != pieces->failed)) std::abort();
  return 0;
}
