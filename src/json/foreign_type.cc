#include "json/foreign_type.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/ascii.h"
#include "base/clock.h"
#include "base/json_text.h"
#include "json/decimal.h"

namespace sd::json {
namespace {

struct Range {
  std::string_view type, lowest, highest;
};
constexpr std::array<Range, 10> kIntegers = {{
    {"TINYINT", "128", "127"},
    {"SMALLINT", "32768", "32767"},
    {"INTEGER", "2147483648", "2147483647"},
    {"BIGINT", "9223372036854775808", "9223372036854775807"},
    {"HUGEINT", "170141183460469231731687303715884105728",
     "170141183460469231731687303715884105727"},
    {"UTINYINT", "", "255"},
    {"USMALLINT", "", "65535"},
    {"UINTEGER", "", "4294967295"},
    {"UBIGINT", "", "18446744073709551615"},
    {"UHUGEINT", "", "340282366920938463463374607431768211455"},
}};

struct Precision {
  std::string_view type;
  std::uint8_t digits;
};
constexpr std::array<Precision, 4> kTimestamps = {
    {{"TIMESTAMP_S", 0}, {"TIMESTAMP_MS", 3}, {"TIMESTAMP", 6}, {"TIMESTAMP_NS", 9}}};

std::size_t count_digits(std::string_view text) {
  std::size_t count = 0;
  while (count < text.size() && is_ascii_digit(text[count])) ++count;
  return count;
}

// A plain number: -?(0|[1-9][0-9]*)(\.[0-9]+)?, without the zeros at its end that say nothing.
struct Plain {
  bool negative = false;
  std::string_view before, behind;
};

std::optional<Plain> parse_plain(std::string_view text) {
  Plain out;
  out.negative = text.starts_with('-');
  if (out.negative) text.remove_prefix(1);
  const std::size_t before = count_digits(text);
  if (before == 0 || (before > 1 && text[0] == '0')) return std::nullopt;
  out.before = text.substr(0, before);
  text.remove_prefix(before);
  if (text.empty()) return out;
  if (text[0] != '.' || text.size() == 1 || count_digits(text.substr(1)) != text.size() - 1)
    return std::nullopt;
  out.behind = text.substr(1);
  while (out.behind.ends_with('0')) out.behind.remove_suffix(1);
  return out;
}

bool is_zero(const Plain& number) {
  return number.before == "0" && number.behind.empty();
}

// Of two numbers in digits.
bool is_at_most(std::string_view number, std::string_view limit) {
  return number.size() != limit.size() ? number.size() < limit.size() : number <= limit;
}

bool is_float(std::string_view text) {
  float value = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  if (parsed.ec != std::errc{} || parsed.ptr != end) return false;
  std::array<char, 64> buffer;
  const auto spelled = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return decompose(text) ==
         decompose({buffer.data(), static_cast<std::size_t>(spelled.ptr - buffer.data())});
}

bool is_date(std::string_view text) {
  return text.size() == 10 && parse_rfc3339(std::string(text) + "T00:00:00Z");
}

// HH:MM[:SS[.fraction]], cut into its seconds and what counts of its fraction.
struct TimeOfDay {
  std::string seconds;  // HH:MM:SS
  std::string_view fraction;
  std::string_view rest;  // behind it
};

std::optional<TimeOfDay> parse_time_of_day(std::string_view text) {
  if (text.size() < 5) return std::nullopt;
  const bool has_seconds = text.size() >= 8 && text[5] == ':';
  TimeOfDay out{.seconds = std::string(text.substr(0, has_seconds ? 8 : 5)), .fraction = {}};
  text.remove_prefix(out.seconds.size());
  if (!has_seconds) out.seconds += ":00";
  if (!parse_rfc3339("2000-01-01T" + out.seconds + "Z")) return std::nullopt;
  if (has_seconds && text.starts_with('.')) {
    const std::size_t digits = count_digits(text.substr(1));
    if (digits == 0) return std::nullopt;
    out.fraction = text.substr(1, digits);
    while (out.fraction.ends_with('0')) out.fraction.remove_suffix(1);
    text.remove_prefix(1 + digits);
  }
  out.rest = text;
  return out;
}

std::string with_fraction(std::string seconds, std::string_view fraction) {
  if (!fraction.empty()) (seconds += '.') += fraction;
  return seconds;
}

std::optional<std::string> spell_time(std::string_view text) {
  const auto time = parse_time_of_day(text);
  if (!time || !time->rest.empty() || time->fraction.size() > 6) return std::nullopt;
  return with_fraction(time->seconds, time->fraction);
}

// In UTC: DuckDB's own cast would leave the zone out of account.
std::optional<std::string> spell_timestamp(std::string_view text, std::size_t digits) {
  if (!is_date(text.substr(0, std::min<std::size_t>(text.size(), 10)))) return std::nullopt;
  if (text.size() == 10) return std::string(text) + " 00:00:00";
  if (text[10] != 'T' && text[10] != ' ') return std::nullopt;
  const auto time = parse_time_of_day(text.substr(11));
  if (!time || time->fraction.size() > digits) return std::nullopt;
  const std::string zone = time->rest.empty() ? "Z" : std::string(time->rest);
  const auto at = parse_rfc3339(std::string(text.substr(0, 10)) + "T" + time->seconds + zone);
  if (!at) return std::nullopt;
  std::string utc = format_rfc3339(*at);
  if (utc.size() != 20 || utc[0] == '-') return std::nullopt;  // in UTC its year has no four digits
  utc.pop_back();
  utc[10] = ' ';
  return with_fraction(std::move(utc), time->fraction);
}

std::optional<std::string> spell_uuid(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  std::string out = fold_ascii(text);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
    const bool is_hex = is_ascii_digit(out[i]) || (out[i] >= 'a' && out[i] <= 'f');
    if (is_dash ? out[i] != '-' : !is_hex) return std::nullopt;
  }
  return out;
}

// ENUM('a', 'it''s') → a, it's
std::vector<std::string> words_of(std::string_view type) {
  std::vector<std::string> words;
  bool within = false;
  for (std::size_t i = 0; i < type.size(); ++i) {
    if (type[i] != '\'') {
      if (within) words.back() += type[i];
    } else if (within && i + 1 < type.size() && type[i + 1] == '\'') {
      words.back() += type[++i];
    } else {
      within = !within;
      if (within) words.emplace_back();
    }
  }
  return words;
}

bool is_number(Kind kind) {
  return kind == Kind::kInt53 || kind == Kind::kInt64 || kind == Kind::kHuge ||
         kind == Kind::kBigger || kind == Kind::kDouble || kind == Kind::kNegativeZero ||
         kind == Kind::kLongFraction;
}

// Whether DuckDB's JSON reads every number in it exactly: it takes those for doubles that are no 64 bits long.
bool has_exact_numbers(std::string_view json) {
  for (std::size_t i = 0; i < json.size();) {
    if (json[i] == '"') {
      for (++i; i < json.size() && json[i] != '"'; ++i) i += json[i] == '\\' ? 1 : 0;
      ++i;
    } else if (json[i] == '-' || is_ascii_digit(json[i])) {
      const std::size_t end = std::min(json.find_first_not_of("+-.0123456789eE", i), json.size());
      const std::string_view token = json.substr(i, end - i);
      const bool is_integer = token.find_first_of(".eE") == std::string_view::npos;
      const Kind kind = classify_number(token, is_integer).kind;
      if (kind != Kind::kInt53 && kind != Kind::kInt64 && kind != Kind::kDouble) return false;
      i = end;
    } else {
      ++i;
    }
  }
  return true;
}

// Numbers that append_text() leaves with an exponent, as far as a column could hold them.
std::string without_exponent(std::string text) {
  if (text.find_first_of("eE") == std::string::npos) return text;
  const Decimal number = decompose(text);
  const std::int64_t point = static_cast<std::int64_t>(number.digits.size()) + number.exponent;
  if (point > 40 || point < -40) return text;
  std::string out;
  append_plain(out, number);
  return out;
}

}  // namespace

ForeignType::ForeignType(std::string sql) : sql_(std::move(sql)) {
  const std::string_view type = sql_;
  const auto integer = std::ranges::find(kIntegers, type, &Range::type);
  const auto timestamp = std::ranges::find(kTimestamps, type, &Precision::type);
  if (integer != kIntegers.end()) {
    family_ = Family::kInteger;
    lowest_ = integer->lowest;
    highest_ = integer->highest;
  } else if (timestamp != kTimestamps.end()) {
    family_ = Family::kTimestamp;
    fraction_digits_ = timestamp->digits;
  } else if (type.ends_with(']')) {
    const std::size_t open = type.rfind('[');
    element_ = std::make_shared<const ForeignType>(std::string(type.substr(0, open)));
    family_ = element_->is_looked_at() ? Family::kNested : Family::kList;
    std::size_t length = 0;
    if (std::from_chars(type.data() + open + 1, type.data() + type.size(), length).ec ==
        std::errc{})
      length_ = length;
  } else if (type.starts_with("STRUCT(") || type.starts_with("MAP(") ||
             type.starts_with("UNION(")) {
    family_ = Family::kNested;
  } else if (type.starts_with("ENUM(")) {
    family_ = Family::kEnum;
    words_ = words_of(type);
  } else if (type == "BOOLEAN") {
    family_ = Family::kBoolean;
  } else if (type == "DOUBLE") {
    family_ = Family::kDouble;
  } else if (type == "VARCHAR") {
    family_ = Family::kText;
  } else if (type == "TIMESTAMP WITH TIME ZONE") {
    family_ = Family::kInstant;
  } else if (type.starts_with("DECIMAL(")) {
    family_ = Family::kDecimal;
    const char* end = type.data() + type.size();
    const auto width = std::from_chars(type.data() + 8, end, width_);
    if (width.ptr != end) std::from_chars(width.ptr + 1, end, fraction_digits_);
  } else if (type == "FLOAT") {
    family_ = Family::kFloat;
  } else if (type == "DATE") {
    family_ = Family::kDate;
  } else if (type == "TIME") {
    family_ = Family::kTime;
  } else if (type == "UUID") {
    family_ = Family::kUuid;
  }
}

std::optional<std::string> ForeignType::spell_number(std::string_view text) const {
  if (family_ == Family::kFloat) {
    return is_float(text) ? std::optional(std::string(text)) : std::nullopt;
  }
  const auto number = parse_plain(text);
  if (!number || (number->negative && is_zero(*number))) return std::nullopt;
  if (family_ == Family::kInteger) {
    const std::string_view limit = number->negative ? lowest_ : highest_;
    if (!number->behind.empty() || !is_at_most(number->before, limit)) return std::nullopt;
  } else {
    const std::size_t before = number->before == "0" ? 0 : number->before.size();
    if (before + fraction_digits_ > width_ || number->behind.size() > fraction_digits_)
      return std::nullopt;
  }
  return with_fraction((number->negative ? "-" : "") + std::string(number->before), number->behind);
}

std::optional<std::string> ForeignType::spell_string(std::string_view text) const {
  switch (family_) {
    case Family::kInteger:
    case Family::kDecimal:
    case Family::kFloat:
      return parse_plain(text) ? spell_number(text) : std::nullopt;
    case Family::kDate:
      return is_date(text) ? std::optional(std::string(text)) : std::nullopt;
    case Family::kTime:
      return spell_time(text);
    case Family::kTimestamp:
      return spell_timestamp(text, fraction_digits_);
    case Family::kUuid:
      return spell_uuid(text);
    case Family::kEnum:
      if (std::ranges::find(words_, text) == words_.end()) return std::nullopt;
      return std::string(text);
    case Family::kInstant:
      return is_timestamp(text) ? std::optional(std::string(text)) : std::nullopt;
    case Family::kText:
    case Family::kOther:
      return std::string(text);
    case Family::kBoolean:
    case Family::kDouble:
    case Family::kList:
    case Family::kNested:
      return std::nullopt;
  }
  return std::nullopt;
}

// Every element as a JSON string, which a cast of the list reads as it would read it alone.
bool ForeignType::append_list(const RowTree& tree, RowTree::Index list, std::string& out) const {
  if (tree[list].kind != ValueKind::kArray) return false;
  out += '[';
  std::size_t count = 0;
  for (RowTree::Index each = tree[list].first; each != RowTree::kNone; each = tree[each].next) {
    if (count++ > 0) out += ',';
    if (tree[each].kind == ValueKind::kNull) {
      out += "null";
    } else if (element_->family_ == Family::kList) {
      if (!element_->append_list(tree, each, out)) return false;
    } else {
      if (tree[each].is_container()) return false;
      const auto spelled = element_->spell(cell_of(tree[each]));
      if (!spelled) return false;
      append_json_string(out, *spelled);
    }
  }
  out += ']';
  return !length_ || *length_ == count;
}

std::optional<std::string> ForeignType::spell_list(std::string_view json) const {
  RowTree tree;
  Parser<RowTree> parser(tree);
  tree.begin_row();
  std::string out;
  if (parser.parse(json, 0, true).outcome != Outcome::kOk) return std::nullopt;
  return append_list(tree, RowTree::kRoot, out) ? std::optional(std::move(out)) : std::nullopt;
}

std::optional<std::string> ForeignType::spell(const Cell& cell) const {
  if (cell.kind == Kind::kJson || cell.kind == Kind::kNested) {
    if (family_ == Family::kList) return spell_list(cell.view());
    const bool can = family_ == Family::kNested && has_exact_numbers(cell.view());
    return can ? std::optional(std::string(cell.view())) : std::nullopt;
  }
  if (cell.kind == Kind::kString || cell.kind == Kind::kTime) return spell_string(cell.view());
  std::string text;
  append_text(text, cell);
  if (family_ == Family::kText || (family_ == Family::kBoolean && cell.kind == Kind::kBool))
    return text;
  if (!is_number(cell.kind)) return std::nullopt;
  switch (family_) {
    case Family::kInteger:
    case Family::kDecimal:
      return spell_number(without_exponent(std::move(text)));
    case Family::kFloat:
      return spell_number(text);
    case Family::kDouble:
      if (cell.kind == Kind::kInt64 || cell.kind == Kind::kHuge || cell.kind == Kind::kBigger ||
          cell.kind == Kind::kLongFraction)
        return std::nullopt;
      return text;
    case Family::kOther:
      return text;
    default:
      return std::nullopt;
  }
}

}  // namespace sd::json
