#include "client/table.h"

#include <wchar.h>

#include <algorithm>
#include <array>
#include <clocale>
#include <ostream>

#include "client/report.h"
#include "json/document.h"

namespace sd::client {
namespace {

constexpr std::size_t kNarrowest = 8;  // a column is not cut below it

bool is_number(std::string_view type) {
  static constexpr std::array<std::string_view, 14> kNumbers = {
      "TINYINT",  "SMALLINT", "INTEGER",  "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT",
      "UINTEGER", "UBIGINT",  "UHUGEINT", "FLOAT",  "DOUBLE",  "BIGNUM",   "DECIMAL"};
  return std::ranges::find(kNumbers, type.substr(0, type.find('('))) != kNumbers.end();
}

// The next code point of valid UTF-8, and its bytes.
std::pair<char32_t, std::size_t> code_point(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const unsigned first = byte(0);
  if (first < 0x80) return {first, 1};
  if (first < 0xE0) return {(first & 0x1F) << 6 | (byte(1) & 0x3F), 2};
  if (first < 0xF0) return {(first & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F), 3};
  return {(first & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F),
          4};
}

std::size_t width_of(char32_t c) {
  const int width = ::wcwidth(static_cast<wchar_t>(c));
  return width < 0 ? 1 : static_cast<std::size_t>(width);
}

std::string cut(std::string_view text, std::size_t width) {
  std::string out;
  std::size_t used = 0;
  while (!text.empty()) {
    const auto [c, bytes] = code_point(text);
    if (used + width_of(c) > width - 1) break;
    used += width_of(c);
    out += text.substr(0, bytes);
    text.remove_prefix(std::min(bytes, text.size()));
  }
  return out + "…";
}

std::string cell_text(const json::Value& value) {
  if (value.is_null()) return "NULL";
  return printable(value.is_string() ? value.text() : json::to_json(value));
}

}  // namespace

std::size_t display_width(std::string_view text) {
  // wcwidth() knows the characters of the locale.
  static const char* const locale = std::setlocale(LC_CTYPE, "C.UTF-8");
  (void)locale;
  std::size_t width = 0;
  while (!text.empty()) {
    const auto [c, bytes] = code_point(text);
    width += width_of(c);
    text.remove_prefix(std::min(bytes, text.size()));
  }
  return width;
}

Result<> TableWriter::feed(std::string_view bytes) {
  while (true) {
    const std::size_t end = bytes.find('\n');
    line_ += bytes.substr(0, end);
    if (end == std::string_view::npos) return {};
    bytes.remove_prefix(end + 1);
    TRY(take_line(line_));
    line_.clear();
  }
}

Result<> TableWriter::take_meta(std::string_view line) {
  TRY_ASSIGN(const json::Value head,
             json::parse_document(std::string(line.substr(0, line.size() - 1)) + "}"));
  const json::Value* meta = head.find("meta");
  if (meta == nullptr) return fail(ErrorCode::kInternal, "the answer is no table");
  for (const json::Value& column : meta->elements()) {
    names_.push_back(printable(column.string_or("name", "")));
    right_.push_back(is_number(column.string_or("type", "")));
  }
  has_meta_ = true;
  return {};
}

// {"meta":[…],  "data":[[…],  […],  […]],  "rows":n}
Result<> TableWriter::take_line(std::string_view line) {
  if (!has_meta_) return take_meta(line);
  constexpr std::string_view kData = "\"data\":[";
  if (line.starts_with(kData)) line.remove_prefix(kData.size());
  if (line.starts_with("\"rows\":")) ended_ = true;
  if (ended_ || line == "],") return {};
  if (line.ends_with(',')) line.remove_suffix(1);
  Result<json::Value> row = json::parse_document(line);
  if (!row && line.ends_with(']')) row = json::parse_document(line.substr(0, line.size() - 1));
  if (!row || row->elements().size() != names_.size())
    return fail(ErrorCode::kInternal, "the answer is no table");
  Cells cells;
  for (const json::Value& value : row->elements()) cells.push_back(cell_text(value));
  ++rows_;
  if (head_printed_) {
    print_row(cells);
  } else {
    waiting_.push_back(std::move(cells));
    if (waiting_.size() >= kRowsToLookAt) print_head();
  }
  return {};
}

void TableWriter::print_head() {
  head_printed_ = true;
  widths_.clear();
  for (const std::string& name : names_) widths_.push_back(display_width(name));
  for (const Cells& cells : waiting_) {
    for (std::size_t i = 0; i < cells.size(); ++i)
      widths_[i] = std::max(widths_[i], display_width(cells[i]));
  }
  if (width_) {
    // The widest gives way first.
    const auto total = [&] {
      std::size_t sum = 0;
      for (const std::size_t width : widths_) sum += width + 3;
      return sum - 1;
    };
    while (total() > *width_) {
      // Numbers are never cut: a part of one looks like another.
      std::size_t* widest = nullptr;
      for (std::size_t i = 0; i < widths_.size(); ++i) {
        if (!right_[i] && (widest == nullptr || widths_[i] > *widest)) widest = &widths_[i];
      }
      if (widest == nullptr || *widest <= kNarrowest) break;
      *widest = std::max(kNarrowest, *widest - std::min(*widest, total() - *width_));
    }
    spare_ = *width_ - std::min(*width_, total());
  }
  print_row(names_);
  for (std::size_t i = 0; i < widths_.size(); ++i)
    out_ << (i == 0 ? "" : "+") << std::string(widths_[i] + 2, '-');
  out_ << "\n";
  for (const Cells& cells : waiting_) print_row(cells);
  waiting_.clear();
}

// What is wider than the rows that the columns were made for takes of what the line has left.
void TableWriter::put(std::string_view text, std::size_t column, bool is_last, std::size_t& spare) {
  std::string shown(text);
  const std::size_t room = widths_[column] + spare;
  if (width_ && !right_[column] && display_width(text) > room) shown = cut(text, room);
  const std::size_t used = display_width(shown);
  if (used > widths_[column]) spare -= std::min(spare, used - widths_[column]);
  const std::string blanks(used < widths_[column] ? widths_[column] - used : 0, ' ');
  if (right_[column])
    out_ << blanks << shown;
  else
    out_ << shown << (is_last ? "" : blanks);
}

void TableWriter::print_row(const Cells& cells) {
  std::size_t spare = spare_;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    out_ << (i == 0 ? " " : " | ");
    put(cells[i], i, i + 1 == cells.size(), spare);
  }
  out_ << "\n";
}

void TableWriter::finish() {
  if (!has_meta_) return;
  if (!head_printed_) print_head();
  out_ << "(" << rows_ << (rows_ == 1 ? " row)\n" : " rows)\n");
}

}  // namespace sd::client
