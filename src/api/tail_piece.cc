#include "api/tail_piece.h"

#include <algorithm>

namespace sd::api {

void TailPiece::add(std::string_view mark, const TailSource& source) {
  Row row{.after = source.cursor(), .begin = text_.size(), .document = 0, .document_bytes = 0};
  text_ += "id: ";
  text_ += tail_id(mark, row.after);
  text_ += "\nevent: row\ndata: {\"received_at\":\"";
  text_ += format_rfc3339(source.time_us());
  text_ += "\",\"receipt\":\"";
  text_ += source.receipt().to_string();
  text_ += "\",\"index\":";
  text_ += std::to_string(source.index());
  text_ += ",\"row\":";
  row.document = text_.size();
  row.document_bytes = source.text().size();
  text_ += source.text();
  // Between tokens only: in a string of JSON they are escaped. An event's line ends with them.
  const auto document = std::span(text_).subspan(row.document);
  std::ranges::replace_if(
      document, [](char c) { return c == '\n' || c == '\r'; }, ' ');
  text_ += "}\n\n";
  time_us_ = source.time_us();
  rows_.push_back(row);
}

std::size_t TailPiece::first_behind(TailCursor cursor) const {
  const auto found = std::ranges::upper_bound(rows_, cursor, {}, &Row::after);
  return static_cast<std::size_t>(found - rows_.begin());
}

TailPiece::Events TailPiece::after(TailCursor cursor) const {
  const std::size_t first = first_behind(cursor);
  if (first == rows_.size()) return {};
  return {.text = std::string_view(text_).substr(rows_[first].begin), .rows = rows_.size() - first};
}

TailPiece::Events TailPiece::after(TailCursor cursor, const TailFilter& filter,
                                   std::string& out) const {
  std::size_t rows = 0;
  for (std::size_t i = first_behind(cursor); i < rows_.size(); ++i) {
    const Row& row = rows_[i];
    const std::string_view text = text_;
    if (!filter.matches(text.substr(row.document, row.document_bytes))) continue;
    const std::size_t end = i + 1 < rows_.size() ? rows_[i + 1].begin : text.size();
    out += text.substr(row.begin, end - row.begin);
    ++rows;
  }
  return {.text = out, .rows = rows};
}

}  // namespace sd::api
