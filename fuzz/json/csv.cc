// CSV becomes the same JSON whole and in pieces, and JSON that can be read, in which the rows that the
// converter refuses are no rows. The first byte of the input is the size of the pieces.
#include "json/csv.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

struct Converted {
  std::string text;
  std::vector<sd::json::RefusedRow> refused;
};

sd::Result<Converted> convert(std::string_view csv, size_t size, size_t enough) {
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
  return Converted{std::move(out), converter.refused()};
}

bool same(const sd::json::RefusedRow& a, const sd::json::RefusedRow& b) {
  return a.row == b.row && a.error.code == b.error.code && a.error.detail == b.error.detail &&
         a.error.offset == b.error.offset;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view csv(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto whole = convert(csv, SIZE_MAX, SIZE_MAX);
  const auto pieces = convert(csv, size_t{1} + data[0], 1);
  if (whole.has_value() != pieces.has_value()) std::abort();
  if (!whole) {
    if (whole.error().message != pieces.error().message) std::abort();
    return 0;
  }
  if (whole->text != pieces->text) std::abort();
  if (!std::ranges::equal(whole->refused, pieces->refused, same)) std::abort();
  const auto rows = sd::json::scan_body(whole->text);
  if (!rows) {
    if (rows.error().slug == "invalid-json") std::abort();
    return 0;
  }
  // The readers of the JSON refuse what the converter refused (and may refuse more, such as text that
  // is not UTF-8); both remember the first hundred only.
  for (const auto& refused : whole->refused) {
    if (!rows->errors.empty() && refused.row > rows->errors.back().row &&
        rows->errors.size() == sd::json::kMaxErrors) {
      break;
    }
    const auto found = std::ranges::find(rows->errors, refused.row, &sd::json::RefusedRow::row);
    if (found == rows->errors.end() || refused.error.offset > csv.size()) std::abort();
  }
  return 0;
}
