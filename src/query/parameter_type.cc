#include "query/parameter_type.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <optional>

#include "base/ascii.h"

namespace sd::query {
namespace {

using Kind = ParameterType::Kind;

constexpr unsigned kMaxDecimalDigits = 38;
constexpr Uint128 kMaxUint128 = ~Uint128{0};

// The integer that the digits of a token make; nothing where it is beyond 128 bits.
std::optional<Uint128> integer_of(std::string_view digits) {
  Uint128 value = 0;
  for (const char c : digits) {
    const auto digit = static_cast<unsigned>(c - '0');
    if (value > (kMaxUint128 - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
}

Result<ParameterType> double_type(const std::string& token) {
  if (!std::isfinite(std::strtod(token.c_str(), nullptr)))
    return fail(invalid("is a number that is too large"));
  return ParameterType{.kind = Kind::kDouble};
}

Result<ParameterType> number_type(const std::string& token) {
  if (token.find_first_of("eE") != std::string::npos) return double_type(token);
  const std::string_view unsigned_token =
      std::string_view(token).substr(token.starts_with('-') ? 1 : 0);
  const std::size_t point = unsigned_token.find('.');
  const std::string_view before = unsigned_token.substr(0, point);
  const auto digits = static_cast<unsigned>(before == "0" ? 0 : before.size());
  if (point != std::string_view::npos) {
    const auto scale = static_cast<unsigned>(unsigned_token.size() - point - 1);
    if (digits + scale > kMaxDecimalDigits) return double_type(token);
    return ParameterType{.kind = Kind::kDecimal,
                         .integer_digits = digits,
                         .scale = scale,
                         .negative = token.starts_with('-')};
  }
  const auto magnitude = integer_of(before);
  if (!magnitude) return fail(invalid("is an integer of more than 128 bits"));
  const bool negative = token.starts_with('-');
  const Uint128 bigint_limit = (Uint128{1} << 63) - (negative ? 0 : 1);
  const Uint128 hugeint_limit = (Uint128{1} << 127) - (negative ? 0 : 1);
  ParameterType type{.integer_digits = digits, .negative = negative};
  if (*magnitude <= bigint_limit)
    type.kind = Kind::kBigint;
  else if (*magnitude <= hugeint_limit)
    type.kind = Kind::kHugeint;
  else if (!negative)
    type.kind = Kind::kUhugeint;
  else
    return fail(invalid("is an integer of more than 128 bits"));
  return type;
}

bool is_numeric(Kind kind) {
  return kind >= Kind::kBigint && kind <= Kind::kDouble;
}

Result<ParameterType> mixed() {
  return fail(invalid("is an array of different kinds; send it as a string and cast it, $1::JSON"));
}

// No number may be rounded because another one stands beside it.
Result<ParameterType> common_number(const ParameterType& a, const ParameterType& b) {
  ParameterType type{.kind = std::max(a.kind, b.kind),
                     .integer_digits = std::max(a.integer_digits, b.integer_digits),
                     .scale = std::max(a.scale, b.scale),
                     .negative = a.negative || b.negative};
  const bool rounds =
      (type.kind == Kind::kDecimal && type.width() > kMaxDecimalDigits) ||
      (type.kind == Kind::kUhugeint && type.negative) ||
      (type.kind == Kind::kDouble && type.integer_digits > std::numeric_limits<double>::digits10);
  if (rounds) return mixed();
  return type;
}

Result<ParameterType> common_type(const ParameterType& a, const ParameterType& b);

Result<ParameterType> common_struct(const ParameterType& a, const ParameterType& b) {
  ParameterType type = a;
  for (std::size_t i = 0; i < b.names.size(); ++i) {
    const auto found = std::ranges::find_if(
        type.names, [&](const std::string& name) { return same_ascii_folded(name, b.names[i]); });
    if (found == type.names.end()) {
      type.names.push_back(b.names[i]);
      type.children.push_back(b.children[i]);
      continue;
    }
    if (*found != b.names[i]) return mixed();
    ParameterType& child = type.children[static_cast<std::size_t>(found - type.names.begin())];
    TRY_ASSIGN(child, common_type(child, b.children[i]));
  }
  return type;
}

Result<ParameterType> common_type(const ParameterType& a, const ParameterType& b) {
  if (a.kind == Kind::kNull) return b;
  if (b.kind == Kind::kNull) return a;
  if (is_numeric(a.kind) && is_numeric(b.kind)) return common_number(a, b);
  if (a.kind != b.kind) return mixed();
  if (a.kind == Kind::kStruct) return common_struct(a, b);
  if (a.kind != Kind::kList) return a;
  ParameterType type = a;
  TRY_ASSIGN(type.children[0], common_type(a.children[0], b.children[0]));
  return type;
}

Result<ParameterType> list_type(const json::Value& value) {
  ParameterType element;
  for (const json::Value& each : value.elements()) {
    TRY_ASSIGN(const ParameterType type, parameter_type(each));
    TRY_ASSIGN(element, common_type(element, type));
  }
  return ParameterType{.kind = Kind::kList, .children = {std::move(element)}};
}

Result<ParameterType> struct_type(const json::Value& value) {
  if (value.members().empty()) return fail(invalid("is, or holds, an object without members"));
  ParameterType type{.kind = Kind::kStruct};
  for (const auto& [name, member] : value.members()) {
    if (name.empty() || name.find('\0') != std::string::npos)
      return fail(invalid("holds an object with a name that no STRUCT can have"));
    for (const std::string& other : type.names) {
      if (same_ascii_folded(name, other))
        return fail(invalid("holds an object with two names that differ in case only"));
    }
    TRY_ASSIGN(ParameterType child, parameter_type(member));
    type.names.push_back(name);
    type.children.push_back(std::move(child));
  }
  return type;
}

}  // namespace

Result<ParameterType> parameter_type(const json::Value& value) {
  switch (value.kind()) {
    case json::ValueKind::kNull:
      return ParameterType{};
    case json::ValueKind::kBool:
      return ParameterType{.kind = Kind::kBoolean};
    case json::ValueKind::kNumber:
      return number_type(value.text());
    case json::ValueKind::kString:
      return ParameterType{.kind = Kind::kVarchar};
    case json::ValueKind::kArray:
      return list_type(value);
    case json::ValueKind::kObject:
      break;
  }
  return struct_type(value);
}

namespace {

Kind kind_of(DeclaredType::Kind declared) {
  using enum DeclaredType::Kind;
  switch (declared) {
    case kString:
      return Kind::kVarchar;
    case kInteger:
      return Kind::kBigint;
    case kNumber:
      return Kind::kDouble;
    case kDecimal:
      return Kind::kDecimal;
    case kBoolean:
      return Kind::kBoolean;
    case kDate:
      return Kind::kDate;
    case kTimestamp:
      return Kind::kTimestampTz;
    case kUuid:
      break;
  }
  return Kind::kUuid;
}

}  // namespace

Result<ParameterType> parameter_type(const json::Value& value, DeclaredType declared) {
  TRY_ASSIGN(ParameterType type, parameter_type(value));
  // Its digits say how wide a DECIMAL is; of all else the declaration says everything.
  const auto declare = [&](ParameterType& scalar) {
    if (declared.kind == DeclaredType::Kind::kDecimal && is_numeric(scalar.kind))
      scalar.kind = Kind::kDecimal;
    else
      scalar = ParameterType{.kind = kind_of(declared.kind)};
  };
  if (type.kind == Kind::kNull) {
    // DuckDB's own width, where no digits say another.
    type = {.kind = kind_of(declared.kind), .integer_digits = 15, .scale = 3};
    if (declared.is_list) type = {.kind = Kind::kList, .children = {std::move(type)}};
    return type;
  }
  if (declared.is_list != (type.kind == Kind::kList)) return fail(invalid("is not of its type"));
  declare(declared.is_list ? type.children[0] : type);
  return type;
}

std::string ParameterType::name() const {
  switch (kind) {
    case Kind::kNull:
      return "NULL";
    case Kind::kBoolean:
      return "BOOLEAN";
    case Kind::kBigint:
      return "BIGINT";
    case Kind::kHugeint:
      return "HUGEINT";
    case Kind::kUhugeint:
      return "UHUGEINT";
    case Kind::kDecimal:
      return "DECIMAL(" + std::to_string(width()) + "," + std::to_string(scale) + ")";
    case Kind::kDouble:
      return "DOUBLE";
    case Kind::kVarchar:
      return "VARCHAR";
    case Kind::kDate:
      return "DATE";
    case Kind::kTimestampTz:
      return "TIMESTAMP WITH TIME ZONE";
    case Kind::kUuid:
      return "UUID";
    case Kind::kList:
      return children[0].name() + "[]";
    case Kind::kStruct:
      break;
  }
  std::string text = "STRUCT(";
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i != 0) text += ", ";
    text += names[i] + " " + children[i].name();
  }
  return text + ")";
}

ScaledInteger scaled_integer(std::string_view token, unsigned scale) {
  ScaledInteger number{.negative = token.starts_with('-')};
  if (number.negative) token.remove_prefix(1);
  const std::size_t point = std::min(token.find('.'), token.size());
  std::string digits(token.substr(0, point));
  const std::string_view fraction = token.substr(std::min(point + 1, token.size()));
  digits += fraction;
  digits.append(scale - fraction.size(), '0');
  number.magnitude = integer_of(digits).value_or(0);
  return number;
}

}  // namespace sd::query
