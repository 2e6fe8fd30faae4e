// CSV becomes the same JSON whole and in pieces, and JSON that can be read. The first byte of the input
// is the size of the pieces.
#include "json/csv.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

sd::Result<std::string> convert(std::string_view csv, size_t size, size_t enough) {
  sd::json::CsvConverter converter;
  std::string out;
  while (!csv.empty()) {
    std::string_view piece = csv.substr(0, size);
    csv.remove_prefix(piece.size());
    while (!piece.empty()) {
      std::string part;
      if (auto fed = converter.feed(piece, part, enough); !fed) return std::unexpected(fed.error());
      out += part;
    }
  }
  if (auto finished = converter.finish(out); !finished) return std::unexpected(finished.error());
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view csv(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto whole = convert(csv, SIZE_MAX, SIZE_MAX);
  const auto pieces = convert(csv, size_t{1} + data[0], 1);
  if (whole.has_value() != pieces.has_value()) std::abort();
  if (!whole) return 0;
  if (*whole != *pieces) std::abort();
  const auto rows = sd::json::scan_body(*whole);
  if (!rows && rows.error().slug == "invalid-json") std::abort();
  return 0;
}
