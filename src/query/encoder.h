// Encoders: chunks of a DuckDB result → bytes of a format, appended to a buffer of the caller.
//
//   json         "[" rows separated by ",\n" "]\n"; each row an object; no rows: "[]\n"
//   ndjson       each row an object and a line feed
//   csv          RFC 4180 with \n; a header always; NULL is empty, the empty string is ""
//   tsv          the same with tabs
//   jsoncompact  {"meta":[{"name":…,"type":…}, …],\n"data":[ rows as arrays, separated by ",\n"
//                ],\n"rows":N}\n; the types are SQL's (type_name.h)
//   html         a page of one table
//   arrow        see arrow_encoder.h
//
// Values in JSON (nested ones in CSV too are spelled this way):
//   BOOLEAN            true, false
//   integers, HUGEINT, DECIMAL, BIGNUM   exact numbers; with quote_int64, integers of 64 bits and
//                      more are strings (the numbers in JSON values stay as they are)
//   FLOAT, DOUBLE      shortest text that reads back the same, visibly a fraction (5.0, 1e+22); NaN
//                      and infinities null; with quote_nan "NaN", "Infinity", "-Infinity" (those within JSON
//                      values stay null)
//   VARCHAR, ENUM, UUID, BIT, TIME, TIMETZ, GEOMETRY (WKT), INTERVAL (DuckDB's text)   strings
//   DATE, TIMESTAMP…   ISO 8601 "2024-01-02", "2024-01-02T03:04:05.123456" (of the fraction as many
//                      groups of three digits as are needed); years above 9999 have more digits,
//                      1 BC is 0000, 44 BC is -0043; "infinity", "-infinity"
//   TIMESTAMPTZ        the same with Z: the session's time zone is UTC
//   BLOB               base64 with padding (RFC 4648 section 4)
//   JSON               the value itself on one line, NaN and infinities in it null; text that is no
//                      JSON (a column can hold it): a string
//   VARIANT            as the value in it
//   LIST, ARRAY        arrays
//   STRUCT             an object (unnamed, as from row(): an array)
//   UNION              an object of one member, its tag
//   MAP                an object where keys are VARCHAR or ENUM, else an array of
//                      {"key":…,"value":…}
//
// Values in CSV: as in JSON without the quotes of strings, and quote_int64 and quote_nan change nothing. NaN and the
// infinities are NaN, Infinity, -Infinity: an empty field would be a missing value. JSON columns are
// their text as it is stored, nested values (LIST, STRUCT, VARIANT …) are JSON text. A field is quoted
// where it is empty, holds a quote, a line break or what separates fields, or begins or ends with a
// blank. TSV and HTML: the same values.
//
// With `spreadsheet`, CSV and TSV begin with a byte order mark, without which Excel does not take them for UTF-8; and
// text that a spreadsheet would take for a formula, since it begins with = + - @, a tab, a line break or NUL, or with the
// wide forms of the first four, gets an apostrophe before it (OWASP, "CSV Injection"). Numbers are left as they are.
//
// An encoder is used by one thread, for one result: begin(), rows()…, end(). It keeps a reference
// to the shape, which must outlive it, and keeps nothing of a chunk.
#pragma once

#include <duckdb.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "query/format.h"
#include "query/result_shape.h"

namespace sd::query {

struct EncodeOptions {
  bool quote_int64 = false;
  // JSON only: NaN and the infinities as strings, so that they are told from NULL.
  bool quote_nan = false;
  // CSV and TSV for people who open them in a spreadsheet, see above.
  bool spreadsheet = false;
};

class Encoder {
 public:
  static std::unique_ptr<Encoder> make(Format format, EncodeOptions options,
                                       const ResultShape& shape);
  virtual ~Encoder() = default;

  virtual void begin(std::string& out) = 0;
  // Appends rows from `first` on until the chunk ends or `out` holds `soft_limit` bytes or more; at
  // least one. Returns the row after the last one taken. So a chunk of huge values does not become
  // one huge buffer: write out, clear, call again. A chunk begins with 0. Arrow's gathers rows and
  // writes them later, all of them before end() returns. kInvalidArgument: a value that the format cannot hold (Arrow only).
  virtual Result<idx_t> rows(duckdb_data_chunk chunk, idx_t first, std::size_t soft_limit,
                             std::string& out) = 0;
  virtual void end(std::string& out) = 0;

  // What rows() and end() leave where it is, to be written behind `out`: large parts that nothing is gained by copying.
  // Valid until the next call of any of them.
  const std::vector<std::string_view>& behind() const { return behind_; }

 protected:
  std::vector<std::string_view> behind_;
};

// The whole of what a call left, for who wants it in one string.
inline void append_behind(const Encoder& encoder, std::string& out) {
  for (const std::string_view part : encoder.behind()) out += part;
}

}  // namespace sd::query
