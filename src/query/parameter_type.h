// The DuckDB type that a JSON value is bound as: the narrowest that holds it, and all elements of a list.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "json/document.h"
#include "query/declared_parameter.h"
#include "query/value_text.h"

namespace sd::query {

struct ParameterType {
  enum class Kind : std::uint8_t {
    kNull,
    kBoolean,
    kBigint,
    kHugeint,
    kUhugeint,
    kDecimal,
    kDouble,
    kVarchar,
    kDate,  // these three by declaration only
    kTimestampTz,
    kUuid,
    kList,    // children[0]
    kStruct,  // children, names
  };
  Kind kind = Kind::kNull;
  // Of a DECIMAL, and of an integer: digits before and behind the point.
  unsigned integer_digits = 0;
  unsigned scale = 0;
  bool negative = false;
  std::vector<ParameterType> children = {};
  std::vector<std::string> names = {};

  unsigned width() const { return std::max(1U, integer_digits + scale); }
  // As DuckDB writes it.
  std::string name() const;
};

// An Error whose message follows "the parameter … ": of kinds that no list can hold together, an object
// without members, a number beyond DOUBLE.
Result<ParameterType> parameter_type(const json::Value& value);
// The same of a value of a declared type, as read_declared() gives it. NULL has the declared type too.
Result<ParameterType> parameter_type(const json::Value& value, DeclaredType declared);

// A number token without an exponent, times 10^scale, exactly. It has no more digits behind the point than
// that, and fits.
struct ScaledInteger {
  bool negative = false;
  Uint128 magnitude = 0;
};
ScaledInteger scaled_integer(std::string_view token, unsigned scale);

}  // namespace sd::query
