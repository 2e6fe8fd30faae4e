#include "query/gate_arguments.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace sd::query {
namespace {

using Literal = ArgumentShape::Literal;

// A string of so many bytes, a list of so many elements, takes some 20 to 200 ms.
constexpr double kMaxSize = 1'000'000;
// printf('%10000d') over a chunk of rows: 20 MB.
constexpr int kMaxFormatDigits = 4;
// DuckDB tries each % at each place of the text: with 5 of them and 200 letters it takes 0.6 s a row.
// Only a plain LIKE without _ is searched piece by piece.
constexpr std::uint32_t kMaxWildcards = 4;
// '$..a..b' over a document of depth 3,000 takes minutes.
constexpr std::uint32_t kMaxDescents = 1;
// Types are made by recursion.
constexpr std::size_t kMaxStructureDepth = 100;

// Functions that make something of a size, and which argument says it.
struct Sized {
  std::string_view name;
  std::size_t argument;
};
constexpr Sized kSized[] = {{"repeat", 1},
                            {"lpad", 1},
                            {"rpad", 1},
                            {"bitstring", 1},
                            {"list_resize", 1},
                            {"array_resize", 1},
                            {"reservoir_quantile", 2}};

template <std::size_t n>
bool is_one_of(const std::string_view (&names)[n], std::string_view name) {
  return std::ranges::find(names, name) != std::end(names);
}

std::optional<std::string> size_problem(const ArgumentShape& size) {
  if (size.varies) return std::nullopt;
  double number = size.number;
  // DuckDB makes a number of '2000000000' by itself.
  if (size.literal == Literal::kText) number = std::strtod(std::string(size.text).c_str(), nullptr);
  if (size.literal != Literal::kNone && number <= kMaxSize) return std::nullopt;
  return "takes a size of at most 1000000, written as a number";
}

// How many elements a list of numbers has; only what is certain.
std::optional<std::string> range_problem(std::span<const ArgumentShape> arguments) {
  for (const ArgumentShape& argument : arguments) {
    if (argument.literal != Literal::kNumber) return std::nullopt;
  }
  if (arguments.empty()) return std::nullopt;
  const double from = arguments.size() == 1 ? 0 : arguments[0].number;
  const double to = arguments.size() == 1 ? arguments[0].number : arguments[1].number;
  const double step = arguments.size() < 3 ? 1 : arguments[2].number;
  if (step == 0 || (to - from) / step <= kMaxSize) return std::nullopt;
  return "makes a list of more than 1000000 elements here; FROM range(…) makes rows without a "
         "limit";
}

// "{:{}}" and "%*d" take their width from an argument.
bool takes_width(std::string_view function, std::string_view format) {
  const bool braces = function == "format";
  for (std::size_t i = 0; i + 1 < format.size(); ++i) {
    if (format[i] != (braces ? '{' : '%')) continue;
    if (format[i + 1] == format[i]) {
      ++i;
      continue;
    }
    const std::size_t end = format.find_first_of(
        braces ? "{}" : "*abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ%", i + 1);
    if (end == std::string_view::npos) return false;
    if (format[end] == (braces ? '{' : '*')) return true;
    i = end;
  }
  return false;
}

std::optional<std::string> format_problem(std::string_view function, const ArgumentShape& format) {
  if (format.literal != Literal::kText) return "needs its format as a literal text";
  int digits = 0;
  for (const char c : format.text) {
    digits = c >= '0' && c <= '9' ? digits + 1 : 0;
    if (digits > kMaxFormatDigits) return "has a width or a precision over 9999";
  }
  if (takes_width(function, format.text)) return "takes no width from an argument";
  return std::nullopt;
}

std::optional<std::string> pattern_problem(std::string_view function,
                                           const ArgumentShape& pattern) {
  const bool searched = (function == "~~" || function == "!~~") &&
                        pattern.literal == Literal::kText && pattern.underscores == 0;
  if (searched) return std::nullopt;
  const std::uint32_t wildcards = function == "~~~" ? pattern.asterisks : pattern.percents;
  if (wildcards <= kMaxWildcards) return std::nullopt;
  return "has a pattern with more than 4 wildcards; a plain LIKE 'literal' without _ may have any "
         "number, and regexp_matches is an alternative";
}

std::optional<std::string> structure_problem(const ArgumentShape& structure) {
  if (structure.literal != Literal::kText) return "needs its structure as a literal text";
  std::size_t depth = 0;
  for (const char c : structure.text) {
    if (c == '[' || c == '{') ++depth;
    if ((c == ']' || c == '}') && depth > 0) --depth;
    if (depth > kMaxStructureDepth) return "has a structure that is nested too deeply";
  }
  return std::nullopt;
}

}  // namespace

void ArgumentShape::set_text(std::string_view raw) {
  literal = Literal::kText;
  text = raw;
  percents = static_cast<std::uint32_t>(std::ranges::count(raw, '%'));
  underscores = static_cast<std::uint32_t>(std::ranges::count(raw, '_'));
  asterisks = static_cast<std::uint32_t>(std::ranges::count(raw, '*'));
  descents = 0;
  for (std::size_t i = 1; i < raw.size(); ++i) {
    if ((raw[i] == '.' || raw[i] == '*') && raw[i] == raw[i - 1]) ++descents;
  }
}

void ArgumentShape::add(const ArgumentShape& part) {
  varies = varies || part.varies;
  percents += part.percents;
  underscores += part.underscores;
  asterisks += part.asterisks;
  descents += part.descents;
}

std::optional<std::string> argument_problem(std::string_view function,
                                            std::span<const ArgumentShape> arguments) {
  static constexpr std::string_view kPatterns[] = {"~~",
                                                   "!~~",
                                                   "~~*",
                                                   "!~~*",
                                                   "~~~",
                                                   "like_escape",
                                                   "ilike_escape",
                                                   "not_like_escape",
                                                   "not_ilike_escape"};
  static constexpr std::string_view kPaths[] = {"->",
                                                "->>",
                                                "json_extract",
                                                "json_extract_path",
                                                "json_extract_string",
                                                "json_exists",
                                                "json_value",
                                                "json_extract_path_text",
                                                "json_type",
                                                "json_keys",
                                                "json_array_length"};
  static constexpr std::string_view kStructures[] = {"json_transform", "json_transform_strict",
                                                     "from_json", "from_json_strict"};
  for (const Sized& sized : kSized) {
    if (sized.name == function && arguments.size() > sized.argument)
      return size_problem(arguments[sized.argument]);
  }
  if (function == "range" || function == "generate_series") return range_problem(arguments);
  if ((function == "format" || function == "printf") && !arguments.empty())
    return format_problem(function, arguments[0]);
  if (arguments.size() < 2) return std::nullopt;
  if (is_one_of(kPatterns, function)) return pattern_problem(function, arguments[1]);
  if (is_one_of(kPaths, function) && arguments[1].descents > kMaxDescents)
    return "has a path with more than one \"..\"";
  if (is_one_of(kStructures, function)) return structure_problem(arguments[1]);
  return std::nullopt;
}

ArgumentShape folded(std::string_view function, std::span<const ArgumentShape> arguments,
                     ArgumentShape otherwise) {
  for (const ArgumentShape& argument : arguments) {
    if (argument.literal != Literal::kNumber) return otherwise;
  }
  std::optional<double> value;
  if (arguments.size() == 1 && function == "-") value = -arguments[0].number;
  if (arguments.size() == 2) {
    const double a = arguments[0].number;
    const double b = arguments[1].number;
    if (function == "+") value = a + b;
    if (function == "-") value = a - b;
    if (function == "*") value = a * b;
  }
  if (!value || !std::isfinite(*value)) return otherwise;
  otherwise.literal = Literal::kNumber;
  otherwise.number = *value;
  return otherwise;
}

}  // namespace sd::query
