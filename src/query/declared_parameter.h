// Parameters whose types somebody has declared: those of a saved endpoint.
//
//   type       in a URL                             bound as
//   string     any text                             VARCHAR
//   integer    -12                                  BIGINT
//   number     12, 1.5, 1e3                         DOUBLE
//   decimal    19.99, at most 38 digits             DECIMAL, no digit is lost
//   boolean    true, false, 1, 0                    BOOLEAN
//   date       2026-01-31                           DATE
//   timestamp  2026-01-31T10:00:00Z, RFC 3339; also with a blank for the T, without a zone (UTC), without seconds, as a date
//              alone, and with nanoseconds, which are cut off
//                                                   TIMESTAMP WITH TIME ZONE
//   uuid       in its usual form                    UUID
//   T[]        the parameter once for each element  LIST
//
// As JSON (a default, a value that a key has fixed) they are what they are there: a string, a number, true or false, an
// array; null is NULL. A string that spells a number is none.
//
// A value that was read is a JSON text of its own, for the engine: dates are days, timestamps microseconds since 1970.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "json/document.h"

namespace sd::query {

struct DeclaredType {
  enum class Kind : std::uint8_t {
    kString,
    kInteger,
    kNumber,
    kDecimal,
    kBoolean,
    kDate,
    kTimestamp,
    kUuid,
  };
  Kind kind = Kind::kString;
  bool is_list = false;

  friend bool operator==(const DeclaredType&, const DeclaredType&) = default;
};

// The names above, and SQL's for the same (VARCHAR, TEXT, INT, BIGINT, DOUBLE, BOOL, TIMESTAMPTZ …); ASCII case aside.
std::optional<DeclaredType> parse_declared_type(std::string_view name);
std::string declared_type_name(DeclaredType type);
// "string, integer, …", for messages.
std::string_view declared_type_names();

// The value that texts of a URL stand for: one, or of a list any number. The error's message says what it must be and
// follows the parameter's name: "must be a date, as in 2026-01-31".
Result<std::string> read_declared(DeclaredType type, const std::vector<std::string>& texts);
Result<std::string> read_declared(DeclaredType type, const json::Value& value);

}  // namespace sd::query
