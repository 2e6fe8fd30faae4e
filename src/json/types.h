// From values to column types: what a column has seen decides its type, and nothing is ever rounded.
//
// Each JSON value has a Kind. A column remembers the set of kinds that it has seen, the most integer
// digits and the longest fraction of its numbers (TypeState). Joining two states is a union and two
// maxima: associative, commutative, idempotent. So a column's type does not depend on how rows were
// cut into batches, and replay gives the same tables.
//
//   seen                                                    column type
//   nothing but null                                        VARCHAR (takes the type of its first value)
//   booleans                                                BOOLEAN
//   integers within 64 bits                                 BIGINT
//   … and larger ones of up to 38 digits                    HUGEINT
//   fractions that a double holds exactly, integers ≤ 2^53  DOUBLE (so is -0)
//   other numbers of up to 38 digits with their fraction    DECIMAL(38, longest fraction)
//   other numbers                                           VARCHAR, every digit kept
//   RFC 3339 times with a zone                              TIMESTAMP WITH TIME ZONE
//   strings, or scalars of several of these families        VARCHAR, each value's JSON spelling
//   anything with an object or array that stayed whole      JSON
//
// "Exactly" means: the double's shortest decimal spelling is the number that was sent. 19.99 is such a
// number, 0.1234567890123456789 is not.
//
// Spelling: a number that ends up in a VARCHAR or JSON column is spelled canonically (5.0 and 5 are
// "5", 1.50 is "1.5"), the same whether it went there at once or through a numeric column before. A time
// is spelled as it was sent, or, where it had gone into a TIMESTAMPTZ column before, in UTC with 'Z'.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sd::json {

enum class Kind : std::uint8_t {
  kNull,
  kBool,
  kInt53,         // magnitude up to 2^53: exact as a double
  kInt64,         // other integers of 64 bits
  kHuge,          // other integers of up to 38 digits
  kBigger,        // other integers
  kDouble,        // a fraction or exponent that a double holds exactly
  kNegativeZero,  // -0: only a double, or text, keeps its sign
  kLongFraction,  // any other
  kString,
  kJson,    // an object or array that stays whole
  kTime,    // a string that is_timestamp() knows
  kNested,  // an object or array that may become a native nested value
};

enum class BaseType : std::uint8_t {
  kBoolean,
  kBigint,
  kHugeint,
  kDouble,
  kDecimal,
  kVarchar,
  kJson,
  kTimestampTz,
  kStruct,
  kList,
  kMap,
};

struct ColumnType {
  BaseType base = BaseType::kVarchar;
  std::uint8_t scale = 0;  // of a DECIMAL(38, scale)
  // Fields of a STRUCT; "key" and "value" of a MAP; the one type of a LIST's elements.
  std::shared_ptr<const std::vector<std::pair<std::string, ColumnType>>> children = {};

  bool is_nested() const { return children != nullptr; }
  friend bool operator==(const ColumnType& a, const ColumnType& b) {
    if (a.base != b.base || a.scale != b.scale || a.is_nested() != b.is_nested()) return false;
    return !a.is_nested() || *a.children == *b.children;
  }
};

ColumnType nested_type(BaseType base, std::vector<std::pair<std::string, ColumnType>> children);

// "BIGINT", "DECIMAL(38,2)", "TIMESTAMP WITH TIME ZONE", "STRUCT(\"a\" BIGINT, \"b\" VARCHAR[])" …
std::string to_string(const ColumnType& type);

struct Cell;

class TypeState {
 public:
  constexpr TypeState() = default;
  TypeState(std::uint16_t kinds, std::uint8_t int_digits, std::uint8_t scale)
      : kinds_(kinds), int_digits_(int_digits), scale_(scale) {}

  void add(const Cell& cell);
  void add(Kind kind) { kinds_ = static_cast<std::uint16_t>(kinds_ | bit(kind)); }
  void add_digits(std::uint8_t int_digits, std::uint8_t scale) {
    if (int_digits > int_digits_) int_digits_ = int_digits;
    if (scale > scale_) scale_ = scale;
  }
  void join(const TypeState& other) {
    kinds_ = static_cast<std::uint16_t>(kinds_ | other.kinds_);
    add_digits(other.int_digits_, other.scale_);
  }
  bool has(Kind kind) const { return (kinds_ & bit(kind)) != 0; }
  // Besides null.
  bool has_only(Kind kind) const { return (kinds_ & ~bit(Kind::kNull)) == bit(kind); }
  bool has_numbers() const;
  bool has_values() const { return (kinds_ & ~bit(Kind::kNull)) != 0; }
  ColumnType type() const;

  std::uint16_t kinds() const { return kinds_; }
  std::uint8_t int_digits() const { return int_digits_; }
  std::uint8_t scale() const { return scale_; }
  friend bool operator==(const TypeState&, const TypeState&) = default;

 private:
  static constexpr std::uint16_t bit(Kind kind) {
    return static_cast<std::uint16_t>(1U << static_cast<unsigned>(kind));
  }
  std::uint16_t kinds_ = 0;
  std::uint8_t int_digits_ = 0;  // of numbers; 255: that many or more
  std::uint8_t scale_ = 0;       // digits behind the point; 255: that many or more
};

// Whether text that it stands for may be anything, and not only the spelling of numbers and booleans.
inline bool has_strings(const TypeState& state) {
  return state.has(Kind::kString) || state.has(Kind::kTime);
}

// One value of one column. Text (strings decoded, large numbers as their token, JSON as sent) is not
// owned: it stands in the arena of whoever built the cell.
struct Cell {
  std::uint32_t row = 0;
  std::uint32_t size = 0;  // of the text
  union {
    std::int64_t integer;  // kInt53, kInt64, kBool (0 or 1)
    double real;           // kDouble, kNegativeZero
    const char* text;      // the rest
  };
  Kind kind = Kind::kNull;
  std::uint8_t int_digits = 0;  // of numbers, as in TypeState
  std::uint8_t scale = 0;

  Cell() : integer(0) {}
  std::string_view view() const { return {text, size}; }
};

// A date and time of day with a zone, as RFC 3339 spells it with an upper-case T and Z, no finer than a
// microsecond. Anything else that looks like one (no zone, a blank for the T, a leap second) stays text.
bool is_timestamp(std::string_view text);

// Classifies a JSON number token; text kinds point into the token.
Cell classify_number(std::string_view token, bool is_integer);

// The canonical spelling of a double (see above). Reads back as the same double.
void append_double(std::string& out, double value);
inline void TypeState::add(const Cell& cell) {
  add(cell.kind);
  add_digits(cell.int_digits, cell.scale);
}

// What the value becomes in a VARCHAR column; not for kNull.
void append_text(std::string& out, const Cell& cell);
// What it becomes in a JSON column: append_text, but strings are quoted.
void append_json(std::string& out, const Cell& cell);
// The value as an integer times 10^scale, for a DECIMAL(38, scale) or HUGEINT (scale 0) column. The
// type was chosen from a state that holds the value, so that it always fits.
__extension__ typedef __int128 Int128;
Int128 to_scaled(const Cell& cell, std::uint8_t scale);

}  // namespace sd::json
