#include "json/types.h"

#include <array>
#include <charconv>
#include <cmath>

#include "base/clock.h"
#include "base/json_text.h"
#include "base/result.h"
#include "json/decimal.h"

namespace sd::json {
namespace {

constexpr int kMaxDecimalDigits = 38;

std::uint8_t saturate(std::int64_t n) {
  return static_cast<std::uint8_t>(n < 0 ? 0 : n > 255 ? 255 : n);
}

void set_text(Cell& cell, Kind kind, std::string_view text) {
  cell.kind = kind;
  cell.text = text.data();
  cell.size = static_cast<std::uint32_t>(text.size());
}

Cell classify_integer(std::string_view token) {
  Cell out;
  if (token == "-0") {
    out.kind = Kind::kNegativeZero;
    out.real = -0.0;
    return out;
  }
  const std::size_t digits = token.size() - (token[0] == '-' ? 1 : 0);
  out.int_digits = saturate(static_cast<std::int64_t>(digits));
  std::int64_t value = 0;
  const auto parsed = std::from_chars(token.data(), token.data() + token.size(), value);
  if (parsed.ec == std::errc{}) {
    out.integer = value;
    constexpr std::int64_t kLimit = 1LL << 53;
    out.kind = value >= -kLimit && value <= kLimit ? Kind::kInt53 : Kind::kInt64;
  } else {
    set_text(out, digits <= kMaxDecimalDigits ? Kind::kHuge : Kind::kBigger, token);
  }
  return out;
}

// How many digits a plain fraction (no exponent) has before and behind its point, without the zeros
// that say nothing; false where there is an exponent.
bool plain_digits(std::string_view token, std::int64_t& before, std::int64_t& behind) {
  std::size_t i = token[0] == '-' ? 1 : 0;
  const std::size_t point = token.find('.');
  if (point == std::string_view::npos || token.back() > '9') return false;
  std::size_t last = token.size();
  for (std::size_t k = point + 1; k < last; ++k) {
    if (token[k] == 'e' || token[k] == 'E') return false;
  }
  while (last > point + 1 && token[last - 1] == '0') --last;
  while (i < point && token[i] == '0') ++i;
  before = static_cast<std::int64_t>(point - i);
  behind = static_cast<std::int64_t>(last - point - 1);
  return true;
}

Cell classify_fraction(std::string_view token) {
  Cell out;
  double value = 0;
  const auto parsed = std::from_chars(token.data(), token.data() + token.size(), value);
  bool exact = parsed.ec == std::errc{};
  std::int64_t before = 0, behind = 0;
  // Up to 15 significant digits always survive a double of normal size (DBL_DIG); longer numbers are
  // compared with the shortest spelling of the double that they became.
  if (plain_digits(token, before, behind) && before + behind <= 15) {
    out.int_digits = saturate(before);
    out.scale = saturate(behind);
  } else {
    const Decimal sent = decompose(token);
    const auto count = static_cast<std::int64_t>(sent.digits.size());
    out.int_digits = saturate(count + sent.exponent);
    out.scale = saturate(-sent.exponent);
    if (exact) {
      std::array<char, 64> buffer;
      const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                     std::chars_format::scientific)
                           .ptr;
      const Decimal kept =
          decompose(std::string_view(buffer.data(), static_cast<std::size_t>(end - buffer.data())));
      exact = kept.digits == sent.digits && kept.exponent == sent.exponent;
    }
  }
  if (exact) {
    out.kind = value == 0 && std::signbit(value) ? Kind::kNegativeZero : Kind::kDouble;
    out.real = value;
  } else {
    set_text(out, Kind::kLongFraction, token);
  }
  return out;
}

}  // namespace

ColumnType nested_type(BaseType base, std::vector<std::pair<std::string, ColumnType>> children) {
  return {
      base, 0,
      std::make_shared<const std::vector<std::pair<std::string, ColumnType>>>(std::move(children))};
}

std::string to_string(const ColumnType& type) {
  switch (type.base) {
    case BaseType::kBoolean:
      return "BOOLEAN";
    case BaseType::kBigint:
      return "BIGINT";
    case BaseType::kHugeint:
      return "HUGEINT";
    case BaseType::kDouble:
      return "DOUBLE";
    case BaseType::kDecimal:
      return "DECIMAL(38," + std::to_string(type.scale) + ")";
    case BaseType::kVarchar:
      return "VARCHAR";
    case BaseType::kJson:
      return "JSON";
    case BaseType::kTimestampTz:
      return "TIMESTAMP WITH TIME ZONE";
    case BaseType::kList:
      return to_string(type.children->front().second) + "[]";
    case BaseType::kMap:
      return "MAP(VARCHAR, " + to_string(type.children->back().second) + ")";
    case BaseType::kStruct: {
      std::string out;
      for (const auto& [name, child] : *type.children) {
        out += out.empty() ? "STRUCT(\"" : ", \"";
        for (const char c : name) out += c == '"' ? std::string("\"\"") : std::string(1, c);
        out += "\" " + to_string(child);
      }
      return out + ")";
    }
  }
  return "VARCHAR";
}

bool TypeState::has_numbers() const {
  for (const Kind kind : {Kind::kInt53, Kind::kInt64, Kind::kHuge, Kind::kBigger, Kind::kDouble,
                          Kind::kNegativeZero, Kind::kLongFraction}) {
    if (has(kind)) return true;
  }
  return false;
}

ColumnType TypeState::type() const {
  const auto only = [&](std::uint16_t set) { return (kinds_ & ~bit(Kind::kNull) & ~set) == 0; };
  if (!has_values()) return {BaseType::kVarchar, 0};
  if (has(Kind::kJson) || has(Kind::kNested)) return {BaseType::kJson, 0};
  if (only(bit(Kind::kBool))) return {BaseType::kBoolean, 0};
  if (only(bit(Kind::kTime))) return {BaseType::kTimestampTz, 0};
  if (has(Kind::kString) || has(Kind::kBool) || has(Kind::kBigger) || has(Kind::kTime)) {
    return {BaseType::kVarchar, 0};
  }
  const bool fractions = has(Kind::kDouble) || has(Kind::kNegativeZero) || has(Kind::kLongFraction);
  if (!fractions) return {has(Kind::kHuge) ? BaseType::kHugeint : BaseType::kBigint, 0};
  if (only(bit(Kind::kDouble) | bit(Kind::kNegativeZero) | bit(Kind::kInt53))) {
    return {BaseType::kDouble, 0};
  }
  if (!has(Kind::kNegativeZero) && int_digits_ + scale_ <= kMaxDecimalDigits)
    return {BaseType::kDecimal, scale_};
  return {BaseType::kVarchar, 0};
}

bool is_timestamp(std::string_view text) {
  // Most strings are told apart by their length or one character.
  if (text.size() < 20 || text.size() > 32 || text[10] != 'T' || text[4] != '-' ||
      text.back() == 'z') {
    return false;
  }
  // With its offset the instant may lie in a year that RFC 3339 cannot spell.
  constexpr Micros kYear0 = -62'167'219'200 * kMicrosPerSecond;
  constexpr Micros kYear10000 = 253'402'300'800 * kMicrosPerSecond;
  const std::optional<Micros> time = parse_rfc3339(text);
  return time && *time >= kYear0 && *time < kYear10000;
}

Cell classify_number(std::string_view token, bool is_integer) {
  return is_integer ? classify_integer(token) : classify_fraction(token);
}

void append_double(std::string& out, double value) {
  std::array<char, 64> buffer;
  const auto put = [&](std::to_chars_result r) {
    out.append(buffer.data(), static_cast<std::size_t>(r.ptr - buffer.data()));
  };
  if (value == 0 && std::signbit(value)) {
    out += "-0.0";
    return;
  }
  if (std::abs(value) < 1e16 && value == std::trunc(value)) {
    put(std::to_chars(buffer.data(), buffer.data() + buffer.size(),
                      static_cast<std::int64_t>(value)));
    return;
  }
  // As DuckDB prints a DOUBLE: plain from 1e-4 up to 1e16, else with an exponent of two digits.
  const double magnitude = std::abs(value);
  const auto format = magnitude >= 1e-4 && magnitude < 1e16 ? std::chars_format::fixed
                                                            : std::chars_format::scientific;
  put(std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, format));
}

void append_text(std::string& out, const Cell& cell) {
  switch (cell.kind) {
    case Kind::kNull:
      out += "null";
      break;
    case Kind::kBool:
      out += cell.integer != 0 ? "true" : "false";
      break;
    case Kind::kInt53:
    case Kind::kInt64:
      out += std::to_string(cell.integer);
      break;
    case Kind::kDouble:
    case Kind::kNegativeZero:
      append_double(out, cell.real);
      break;
    case Kind::kHuge:
    case Kind::kBigger:
    case Kind::kString:
    case Kind::kTime:
    case Kind::kJson:
    case Kind::kNested:
      out += cell.view();
      break;
    case Kind::kLongFraction: {
      // As a DECIMAL is spelled, since it may have been one. What no DECIMAL holds keeps its exponent, if it
      // has one: written out it could be of any length.
      const std::string_view token = cell.view();
      const bool plain = token.find_first_of("eE") == std::string_view::npos;
      if (plain || cell.int_digits + cell.scale <= kMaxDecimalDigits)
        append_plain(out, decompose(token));
      else
        out += token;
      break;
    }
  }
}

void append_json(std::string& out, const Cell& cell) {
  if (cell.kind == Kind::kString || cell.kind == Kind::kTime)
    append_json_string(out, cell.view());
  else
    append_text(out, cell);
}

Int128 to_scaled(const Cell& cell, std::uint8_t scale) {
  Int128 value = 0;
  std::int64_t power = scale;
  if (cell.kind == Kind::kInt53 || cell.kind == Kind::kInt64) {
    value = cell.integer;
  } else {
    std::string text;
    append_text(text, cell);
    const Decimal decimal = decompose(text);
    for (const char c : decimal.digits) value = value * 10 + (c - '0');
    if (decimal.negative) value = -value;
    power += decimal.exponent;
    SD_ASSERT(decimal.digits.size() <= 38);
  }
  if (value == 0) return 0;
  SD_ASSERT(power >= 0 && power <= 38);
  for (; power > 0; --power) value *= 10;
  return value;
}

}  // namespace sd::json
