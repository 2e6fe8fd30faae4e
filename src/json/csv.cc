#include "json/csv.h"

#include <algorithm>
#include <cstring>

#include "base/json_text.h"

namespace sd::json {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::size_t kMarkDone = 4;
constexpr std::string_view kNext = "\",\"";  // between two texts of an array

bool is_number(std::string_view text) {
  if (text[0] != '-' && (text[0] < '0' || text[0] > '9')) return false;
  const detail::NumberScan scan = detail::scan_number(text, 0);
  return scan.ok && scan.end == text.size();
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

constexpr const char* kBehindQuote = "bytes behind a closing quote";
// RFC 4180 has none in a field without quotes. Whether it was meant to end the line cannot be known.
constexpr const char* kBareCr = "a carriage return outside of quotes that no line feed follows";

// As JSON text. Bytes that are not UTF-8 stay what they are: they are for the reader of the rows to
// refuse and to keep.
void append_text(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text, begin, i - begin);
    begin = i + 1;
    if (c >= 0x20) {
      out += '\\';
      out += text[i];
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else {
      out += "\\u00";
      out += kHex[c >> 4];
      out += kHex[c & 15];
    }
  }
  out.append(text, begin);
  out += '"';
}

void append_value(std::string& out, std::string_view text, bool quoted) {
  if (!quoted) {
    if (text.empty()) {
      out += "null";
      return;
    }
    if (text == "true" || text == "false" || text == "null" || is_number(text)) {
      out += text;
      return;
    }
  }
  append_text(out, text);
}

}  // namespace

Error CsvConverter::error_at(std::string message, std::uint64_t offset, std::uint64_t line) const {
  return invalid(std::move(message) + " (line " + std::to_string(line) + ", offset " +
                 std::to_string(offset) + ")")
      .with_slug("invalid-csv")
      .with_member("offset", std::to_string(offset))
      .with_member("line", std::to_string(line));
}

Error CsvConverter::too_large() const {
  return invalid("a row of CSV is larger than " + std::to_string(max_row_bytes_) + " bytes")
      .with_slug("row-too-large")
      .with_status(413);
}

void CsvConverter::skip_byte_order_mark(std::string_view& piece) {
  while (mark_bytes_ < kByteOrderMark.size() && !piece.empty()) {
    if (piece.front() != kByteOrderMark[mark_bytes_]) {
      // It was none: what looked like one is text.
      rest_ = kByteOrderMark.substr(0, mark_bytes_);
      record_bytes_ = mark_bytes_;
      if (mark_bytes_ > 0) at_ = At::kPlain;
      mark_bytes_ = kMarkDone;
      return;
    }
    ++mark_bytes_;
    piece.remove_prefix(1);
  }
  if (mark_bytes_ == kByteOrderMark.size()) {
    offset_ = mark_bytes_;
    mark_bytes_ = kMarkDone;
  }
}

std::size_t CsvConverter::find_end(std::string_view piece) {
  for (std::size_t i = 0; i < piece.size(); ++i) {
    switch (at_) {
      case At::kPlain:
        while (i < piece.size() && piece[i] != ',' && piece[i] != '\n') ++i;
        if (i == piece.size()) break;
        if (piece[i] == '\n') return i + 1;
        at_ = At::kFieldStart;
        break;
      case At::kFieldStart:
        if (piece[i] == '\n') return i + 1;
        if (piece[i] == '"') {
          at_ = At::kQuoted;
          quote_offset_ = offset_ + record_bytes_ + i;
          quote_line_ = line_ + line_breaks_;
        } else if (piece[i] != ',') {
          at_ = At::kPlain;
        }
        break;
      case At::kQuoted: {
        const std::size_t quote = std::min(piece.find('"', i), piece.size());
        line_breaks_ += static_cast<std::uint64_t>(
            std::count(piece.begin() + static_cast<std::ptrdiff_t>(i),
                       piece.begin() + static_cast<std::ptrdiff_t>(quote), '\n'));
        i = quote;
        if (i < piece.size()) at_ = At::kQuoteInQuoted;
        break;
      }
      case At::kQuoteInQuoted:
        if (piece[i] == '\n') return i + 1;
        at_ = piece[i] == '"' ? At::kQuoted : piece[i] == ',' ? At::kFieldStart : At::kPlain;
        break;
    }
  }
  return std::string_view::npos;
}

Result<> CsvConverter::feed(std::string_view& piece, std::string& out, std::size_t enough) {
  if (mark_bytes_ != kMarkDone) skip_byte_order_mark(piece);
  while (!piece.empty() && out.size() < enough) {
    const std::size_t end = find_end(piece);
    const bool cut = end == std::string_view::npos;
    const std::string_view part = piece.substr(0, end);
    piece.remove_prefix(part.size());
    record_bytes_ += part.size();
    if (record_bytes_ > max_row_bytes_) return fail(too_large());
    if (cut) {
      rest_ += part;
      break;
    }
    if (rest_.empty()) {
      TRY(take_record(part, out));
    } else {
      rest_ += part;
      TRY(take_record(rest_, out));
      rest_.clear();
    }
    offset_ += record_bytes_;
    line_ += line_breaks_ + 1;
    record_bytes_ = line_breaks_ = 0;
    at_ = At::kFieldStart;
  }
  return {};
}

Result<> CsvConverter::finish(std::string& out) {
  if (at_ == At::kQuoted) {
    return fail(
        error_at("the quote that was opened here is never closed", quote_offset_, quote_line_));
  }
  if (mark_bytes_ < kByteOrderMark.size()) rest_ = kByteOrderMark.substr(0, mark_bytes_);
  if (!rest_.empty()) TRY(take_record(rest_, out));
  rest_.clear();
  if (keys_.empty()) return fail(error_at("the body is empty", 0, 1));
  out += rows_ == 0 ? "[]" : "\n]";
  return {};
}

Result<> CsvConverter::take_record(std::string_view record, std::string& out) {
  if (record.ends_with('\n')) record.remove_suffix(1);
  if (record.ends_with('\r')) record.remove_suffix(1);
  if (keys_.empty()) return is_blank(record) ? Result<>() : take_header(record);
  if (!record.empty() || keys_.size() == 1) take_row(record, out);
  return {};
}

Result<> CsvConverter::take_header(std::string_view record) {
  if (!is_valid_utf8(record)) {
    return fail(error_at("the names of the columns are not valid UTF-8", offset_, line_));
  }
  for (bool more = true; more;) {
    const Field field = next_field(record, more);
    if (field.fault != nullptr) {
      return fail(error_at(std::string("the header has ") + field.fault, offset_, line_));
    }
    append_text(keys_.emplace_back(), field.text);
    keys_.back() += ':';
  }
  return {};
}

CsvConverter::Field CsvConverter::next_field(std::string_view& record, bool& more) {
  Field field;
  if (!record.starts_with('"')) {
    const std::size_t comma = record.find(',');
    more = comma != std::string_view::npos;
    field.text = record.substr(0, comma);
    if (field.text.find('\r') != std::string_view::npos) field.fault = kBareCr;
    record.remove_prefix(more ? comma + 1 : record.size());
    return field;
  }
  field.quoted = true;
  std::size_t end = record.find('"', 1);
  if (record.substr(end + 1).starts_with('"')) {
    unquoted_.clear();
    std::size_t begin = 1;
    while (record.substr(end + 1).starts_with('"')) {
      unquoted_.append(record, begin, end + 1 - begin);
      begin = end + 2;
      end = record.find('"', begin);
    }
    unquoted_.append(record, begin, end - begin);
    field.text = unquoted_;
  } else {
    field.text = record.substr(1, end - 1);
  }
  record.remove_prefix(end + 1);
  if (!record.empty() && record[0] != ',') field.fault = kBehindQuote;
  const std::size_t comma = record.find(',');
  more = comma != std::string_view::npos;
  record.remove_prefix(more ? comma + 1 : record.size());
  return field;
}

RowError CsvConverter::why_refused(std::size_t fields, const char* fault) const {
  const std::string line = "line " + std::to_string(line_);
  if (fault != nullptr) return {"invalid-csv", line + " has " + fault, offset_};
  return {"too-many-fields",
          line + " has " + std::to_string(fields) + " fields, the header " +
              std::to_string(keys_.size()),
          offset_};
}

void CsvConverter::take_row(std::string_view record, std::string& out) {
  const std::string_view whole = record;
  out += rows_ == 0 ? "[\n" : ",\n";
  const std::size_t begin = out.size();
  std::size_t fields = 0;
  const char* fault = nullptr;
  out += '{';
  for (bool more = true; more; ++fields) {
    const Field field = next_field(record, more);
    if (fault == nullptr) fault = field.fault;
    if (fields >= keys_.size() || fault != nullptr) continue;
    if (fields > 0) out += ',';
    out += keys_[fields];
    append_value(out, field.text, field.quoted);
  }
  out += '}';
  if (fields > keys_.size() || fault != nullptr) {
    out.resize(begin);
    RowError error = why_refused(fields, fault);
    out.append("[\"").append(error.code).append(kNext).append(error.detail).append("\",");
    append_text(out, whole);
    out += ']';
    if (refused_.size() < kMaxErrors) refused_.push_back({rows_, std::move(error)});
  }
  ++rows_;
}

std::optional<RefusedLine> refused_line(std::string_view element) {
  // Code and reason are the converter's own words: no quote is in them.
  if (!element.starts_with("[\"") || !element.ends_with("\"]")) return std::nullopt;
  const std::size_t code_end = element.find(kNext);
  if (code_end == std::string_view::npos) return std::nullopt;
  const std::size_t why = code_end + kNext.size();
  const std::size_t why_end = element.find(kNext, why);
  if (why_end == std::string_view::npos) return std::nullopt;
  RefusedLine line;
  line.error = {std::string(element.substr(2, code_end - 2)),
                std::string(element.substr(why, why_end - why)), RowError::kNoOffset};
  line.text = element.substr(why_end + 2, element.size() - why_end - 3);
  return line;
}

}  // namespace sd::json
