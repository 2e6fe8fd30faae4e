#include "query/declared_parameter.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/ascii.h"
#include "base/clock.h"
#include "base/ids.h"
#include "base/json_text.h"

namespace sd::query {
namespace {

using Kind = DeclaredType::Kind;

struct Named {
  std::string_view name;
  Kind kind;
};
// Those that we write come first.
constexpr std::array kNames = {
    Named{"string", Kind::kString},         Named{"integer", Kind::kInteger},
    Named{"number", Kind::kNumber},         Named{"decimal", Kind::kDecimal},
    Named{"boolean", Kind::kBoolean},       Named{"date", Kind::kDate},
    Named{"timestamp", Kind::kTimestamp},   Named{"uuid", Kind::kUuid},
    Named{"varchar", Kind::kString},        Named{"text", Kind::kString},
    Named{"int", Kind::kInteger},           Named{"bigint", Kind::kInteger},
    Named{"int64", Kind::kInteger},         Named{"double", Kind::kNumber},
    Named{"float", Kind::kNumber},          Named{"real", Kind::kNumber},
    Named{"numeric", Kind::kDecimal},       Named{"bool", Kind::kBoolean},
    Named{"timestamptz", Kind::kTimestamp}, Named{"datetime", Kind::kTimestamp}};

constexpr std::size_t kMostDigits = 38;
constexpr std::size_t kDay = 10;  // characters of a date
// DuckDB's own limits of a list have no meaning for a URL.
constexpr std::size_t kMostElements = 10'000;

std::unexpected<Error> must(const char* what) {
  return fail(invalid(std::string("must be ") + what));
}

// A number as JSON spells it, "+" and leading zeros aside; nullopt: it is none.
std::optional<std::string> number_token(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || !is_ascii_digit(text.front()) || !is_ascii_digit(text.back()))
    return std::nullopt;
  while (text.size() > 1 && text[0] == '0' && is_ascii_digit(text[1])) text.remove_prefix(1);
  std::string token = (negative ? "-" : "") + std::string(text);
  const auto value = json::parse_document(token);
  if (!value || value->kind() != json::ValueKind::kNumber) return std::nullopt;
  return token;
}

std::size_t digits_in(std::string_view token) {
  return static_cast<std::size_t>(std::ranges::count_if(token, is_ascii_digit));
}

Result<std::string> read_number(Kind kind, std::string_view text) {
  const auto token = number_token(text);
  const bool plain = token && token->find_first_of("eE") == std::string::npos;
  if (kind == Kind::kInteger) {
    std::int64_t value = 0;
    if (!token) return must("a whole number");
    const auto parsed = std::from_chars(token->data(), token->data() + token->size(), value);
    if (parsed.ec == std::errc::result_out_of_range)
      return must("a whole number of 64 bits, from -9223372036854775808 to 9223372036854775807");
    if (parsed.ec != std::errc{} || parsed.ptr != token->data() + token->size())
      return must("a whole number");
    return std::to_string(value);
  }
  if (kind == Kind::kDecimal) {
    if (!plain || digits_in(*token) > kMostDigits)
      return must("a decimal number of at most 38 digits, as in 19.99");
    return *token;
  }
  double value = 0;
  if (!token) return must("a number");
  const auto parsed = std::from_chars(token->data(), token->data() + token->size(), value);
  if (parsed.ec != std::errc{} || !std::isfinite(value)) return must("a number of 64 bits");
  return *token;
}

// RFC 3339 of what programs write besides: no seconds, nanoseconds, no zone.
std::string full_time(const std::string& text) {
  constexpr std::size_t kMinutes = 16, kMicroseconds = 26, kNanoseconds = 29;
  const std::size_t zone = std::min(text.find_first_of("Zz+-", kDay), text.size());
  std::string time = text.substr(0, zone);
  if (time.size() == kMinutes) time += ":00";
  const bool fine = time.size() > kMicroseconds && time.size() <= kNanoseconds &&
                    std::all_of(time.begin() + kMicroseconds, time.end(), is_ascii_digit);
  if (fine) time.resize(kMicroseconds);
  return time + (zone == text.size() ? "Z" : text.substr(zone));
}

Result<std::string> read_time(Kind kind, std::string_view text) {
  std::string full(text);
  if (kind == Kind::kDate) {
    const auto at = text.size() == kDay ? parse_rfc3339(full + "T00:00:00Z") : std::nullopt;
    if (!at) return must("a date, as in 2026-01-31");
    return std::to_string(*at / (86'400 * kMicrosPerSecond));
  }
  if (full.size() == kDay) full += "T00:00";
  const auto at = parse_rfc3339(full_time(full));
  if (!at) {
    // A plus sign in a URL is a blank.
    return must("a time as in 2026-01-31T10:00:00Z; the + of a zone is %2B in a URL");
  }
  return std::to_string(*at);
}

Result<std::string> read_text(Kind kind, const std::string& text) {
  switch (kind) {
    case Kind::kString:
      if (!is_valid_utf8(text)) return must("valid UTF-8");
      return json_string(text);
    case Kind::kInteger:
    case Kind::kNumber:
    case Kind::kDecimal:
      return read_number(kind, text);
    case Kind::kBoolean:
      if (text == "true" || text == "1") return "true";
      if (text == "false" || text == "0") return "false";
      return must("true or false");
    case Kind::kDate:
    case Kind::kTimestamp:
      return read_time(kind, text);
    case Kind::kUuid: {
      const auto id = Id128::parse(text);
      if (!id) return must("a UUID");
      return json_string(id->to_string());
    }
  }
  return must("of a known type");
}

Result<std::string> read_one(Kind kind, const json::Value& value) {
  using enum json::ValueKind;
  const auto is = value.kind();
  if (is == kNull) return "null";
  const bool fits = kind == Kind::kBoolean ? is == kBool
                    : kind == Kind::kInteger || kind == Kind::kNumber || kind == Kind::kDecimal
                        ? is == kNumber
                        : is == kString;
  if (!fits) {
    return must(kind == Kind::kBoolean  ? "true or false"
                : kind == Kind::kString ? "a text"
                : is == kString         ? "a number, not a text"
                                        : "of its type");
  }
  if (is == kBool) return *value.as_bool() ? "true" : "false";
  return read_text(kind, value.text());
}

// The elements of a list of decimals have one type, as wide as all of their digits together.
Result<> check_width(const std::vector<std::string>& decimals) {
  std::size_t before = 0, behind = 0;
  for (const std::string& token : decimals) {
    const std::size_t point = std::min(token.find('.'), token.size());
    const std::size_t whole = digits_in(std::string_view(token).substr(0, point));
    before = std::max(before, whole);
    behind = std::max(behind, digits_in(token) - whole);
  }
  if (before + behind <= kMostDigits) return {};
  return must("decimal numbers that fit together into 38 digits");
}

// The elements, each read by `read`, as an array.
template <typename Items, typename Read>
Result<std::string> read_list(Kind kind, const Items& items, Read read) {
  if (items.size() > kMostElements) return must("a list of at most 10000 values");
  std::vector<std::string> elements;
  std::string list = "[";
  for (const auto& item : items) {
    TRY_ASSIGN(std::string element, read(item));
    list += (elements.empty() ? "" : ",") + element;
    elements.push_back(std::move(element));
  }
  if (kind == Kind::kDecimal) TRY(check_width(elements));
  return list + "]";
}

}  // namespace

std::optional<DeclaredType> parse_declared_type(std::string_view name) {
  DeclaredType type;
  if (name.ends_with("[]")) {
    type.is_list = true;
    name.remove_suffix(2);
  }
  if (same_ascii_folded(name, "timestamp with time zone")) name = "timestamp";
  const auto found =
      std::ranges::find_if(kNames, [&](const Named& n) { return same_ascii_folded(n.name, name); });
  if (found == kNames.end()) return std::nullopt;
  type.kind = found->kind;
  return type;
}

std::string declared_type_name(DeclaredType type) {
  const auto found = std::ranges::find(kNames, type.kind, &Named::kind);
  return std::string(found->name) + (type.is_list ? "[]" : "");
}

std::string_view declared_type_names() {
  return "string, integer, number, decimal, boolean, date, timestamp, uuid, and lists of them: "
         "string[], integer[] …";
}

Result<std::string> read_declared(DeclaredType type, const std::vector<std::string>& texts) {
  if (type.is_list) {
    return read_list(type.kind, texts,
                     [&](const std::string& text) { return read_text(type.kind, text); });
  }
  if (texts.size() != 1)
    return fail(invalid("is given " + std::to_string(texts.size()) + " times"));
  return read_text(type.kind, texts.front());
}

Result<std::string> read_declared(DeclaredType type, const json::Value& value) {
  if (!type.is_list || value.is_null()) return read_one(type.kind, value);
  if (!value.is_array()) return must("a list");
  return read_list(type.kind, value.elements(),
                   [&](const json::Value& each) { return read_one(type.kind, each); });
}

}  // namespace sd::query
