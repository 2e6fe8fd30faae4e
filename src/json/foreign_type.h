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
//   ENUM                               strings that it knows
//   LIST, ARRAY                        an array of what its elements take: as above, and BOOLEAN true and false, BIGINT
//                                      and HUGEINT integers, DOUBLE numbers that it holds exactly, VARCHAR any scalar,
//                                      TIMESTAMP WITH TIME ZONE times of RFC 3339
//   STRUCT, MAP, UNION, lists of them  an object or array that reads back the same (the destination looks)
//   any other                          a number or string that reads back the same (the destination looks)
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "json/row_tree.h"
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
  bool is_nested() const { return family_ == Family::kNested || family_ == Family::kList; }

 private:
  enum class Family : std::uint8_t {
    kInteger,
    kDecimal,
    kFloat,
    kDate,
    kTime,
    kTimestamp,
    kUuid,
    kEnum,
    kBoolean,  // this and the next ones as elements of lists
    kDouble,
    kText,
    kInstant,
    kList,
    kNested,
    kOther,
  };

  std::optional<std::string> spell_number(std::string_view text) const;
  std::optional<std::string> spell_string(std::string_view text) const;
  std::optional<std::string> spell_list(std::string_view json) const;
  bool append_list(const RowTree& tree, RowTree::Index list, std::string& out) const;

  std::string sql_;
  Family family_ = Family::kOther;
  std::string lowest_, highest_;      // kInteger: magnitudes of the negative and the positive end
  std::uint8_t width_ = 0;            // kDecimal
  std::uint8_t fraction_digits_ = 0;  // kDecimal, kTimestamp
  std::vector<std::string> words_;    // kEnum
  std::shared_ptr<const ForeignType> element_;  // kList
  std::optional<std::size_t> length_;           // kList: of an ARRAY
};

}  // namespace sd::json
