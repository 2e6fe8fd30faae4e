// A column of a type that we never make, in a table that somebody else made. It keeps its type whatever comes: a
// value goes in where nothing of it is lost, else its row is refused.
//
//   type                               takes
//   TINYINT … UHUGEINT                 integers in its range, as numbers or spelled in a string
//   DECIMAL(p,s)                       numbers that have no more digits, as such or in a string
//   FLOAT                              numbers whose shortest spelling as a FLOAT they are
//   DATE                               "2026-01-31"
//   TIME                               "12:30", "12:30:00", "12:30:00.5", to the microsecond
//   TIMESTAMP, TIMESTAMP_S, _MS, _NS   a date, with 'T' or a blank before a time as above, no finer than the type;
//                                      with a zone it is stored in UTC
//   UUID                               in either case
//   LIST, ARRAY, STRUCT, MAP, UNION    an object or array that reads back the same (the destination looks)
//   any other                          a number or string that reads back the same (the destination looks)
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "json/types.h"

namespace sd::json {

class ForeignType {
 public:
  // As DuckDB spells it in its catalog.
  explicit ForeignType(std::string sql);

  const std::string& sql() const { return sql_; }
  // How the value is spelled for a cast that loses nothing; nothing where there is none. Not for kNull.
  std::optional<std::string> spell(const Cell& cell) const;
  // Whether only the destination can tell: then spell() says no more than that it may be tried.
  bool is_looked_at() const { return family_ == Family::kNested || family_ == Family::kOther; }
  bool is_nested() const { return family_ == Family::kNested; }

 private:
  enum class Family : std::uint8_t {
    kInteger,
    kDecimal,
    kFloat,
    kDate,
    kTime,
    kTimestamp,
    kUuid,
    kNested,
    kOther,
  };

  std::optional<std::string> spell_number(std::string_view text) const;
  std::optional<std::string> spell_string(std::string_view text) const;

  std::string sql_;
  Family family_ = Family::kOther;
  std::string lowest_, highest_;      // kInteger: magnitudes of the negative and the positive end
  std::uint8_t width_ = 0;            // kDecimal
  std::uint8_t fraction_digits_ = 0;  // kDecimal, kTimestamp
};

}  // namespace sd::json
