// CSV (RFC 4180) on its way to becoming rows: a stream of bytes in, a JSON array of objects out, so
// that whatever comes behind knows of JSON only.
//
//  - The first line that is not blank names the columns; a name that stands there twice is a key
//    that is there twice. A byte order mark is skipped. Lines end with LF or CR LF.
//  - Without quotes true, false, null and numbers as JSON spells them are just those, and nothing
//    at all is null. Anything else, and everything in quotes, is text, byte for byte: 007, +1,
//    1_000, NaN.
//  - A line with fewer fields than the header lacks the other keys. One with more, with bytes between
//    a closing quote and the next comma, or with a CR outside of quotes that no LF follows, is no row:
//    it becomes ["<code>","<why>","<line>"],
//    which is refused by those who read the rows, and kept by them as refused_line() says.
//  - A blank line is passed over, but where there is one column only it is a row whose value is
//    null.
//
// An array, because its elements may be anything: in NDJSON the first line must be an object.
// Memory: the largest row, and as much JSON as is asked for at a time. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "json/body.h"

namespace sd::json {

class CsvConverter {
 public:
  // Rows over `max_row_bytes` end the conversion with an error (status 413).
  explicit CsvConverter(std::uint64_t max_row_bytes = 64ULL << 20)
      : max_row_bytes_(max_row_bytes) {}

  // Converts a prefix of `piece`, which it removes: all of it, or up to the row with which `out`
  // holds `enough` bytes. (A long header makes much JSON of few bytes.)
  Result<> feed(std::string_view& piece, std::string& out, std::size_t enough);
  // The body is complete. An open quote is kInvalidArgument "invalid-csv" with "offset" and "line".
  Result<> finish(std::string& out);

  // The first kMaxErrors rows that were no rows, and why, with their offset in the CSV.
  const std::vector<RefusedRow>& refused() const { return refused_; }

 private:
  enum class At : std::uint8_t { kFieldStart, kPlain, kQuoted, kQuoteInQuoted };
  struct Field {
    std::string_view text;
    bool quoted = false;
    const char* fault = nullptr;  // what is wrong with it
  };

  void skip_byte_order_mark(std::string_view& piece);
  // Behind the line break that ends the record, or npos; goes on where the last piece ended.
  std::size_t find_end(std::string_view piece);
  Result<> take_record(std::string_view record, std::string& out);
  Result<> take_header(std::string_view record);
  void take_row(std::string_view record, std::string& out);
  RowError why_refused(std::size_t fields, const char* fault) const;
  // Takes a field and the comma behind it off `record`; `more` says whether there was a comma.
  Field next_field(std::string_view& record, bool& more);
  Error error_at(std::string message, std::uint64_t offset, std::uint64_t line) const;
  Error too_large() const;

  const std::uint64_t max_row_bytes_;
  std::size_t mark_bytes_ = 0;  // of a byte order mark, seen so far; kMarkDone behind it
  At at_ = At::kFieldStart;
  std::string rest_;                // the beginning of a record that the last piece cut
  std::uint64_t offset_ = 0;        // in the body, of the record that is being read
  std::uint64_t record_bytes_ = 0;  // of it, seen so far
  std::uint64_t line_ = 1;          // where it begins
  std::uint64_t line_breaks_ = 0;   // within it
  std::uint64_t quote_offset_ = 0;  // of the last opening quote
  std::uint64_t quote_line_ = 0;
  std::vector<std::string> keys_;  // as JSON, with the colon
  std::uint64_t rows_ = 0;
  std::string unquoted_;  // a field whose doubled quotes were taken out
  std::vector<RefusedRow> refused_;
};

// A line that is no row, and why.
struct RefusedLine {
  RowError error;
  std::string_view text;  // a JSON string, but that it may hold bytes that are not UTF-8
};
// Reads an element of the converter's array; nullopt where it was made of a row.
std::optional<RefusedLine> refused_line(std::string_view element);

}  // namespace sd::json
