#include "http/byte_range.h"

#include <algorithm>
#include <charconv>

#include "base/ascii.h"

namespace sd::http {
namespace {

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

// Digits only; beyond 64 bits it is as much as there can be.
std::optional<std::uint64_t> read_number(std::string_view text) {
  const bool digits =
      !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  if (!digits) return std::nullopt;
  std::uint64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  return parsed.ec == std::errc{} ? value : UINT64_MAX;
}

struct Asked {
  std::optional<std::uint64_t> first;  // none: the last `last` bytes
  std::optional<std::uint64_t> last;   // none: to the end
};

std::optional<Asked> read_range(std::string_view range) {
  constexpr std::string_view kUnit = "bytes=";
  if (range.size() < kUnit.size() || !same_ascii_folded(range.substr(0, kUnit.size()), kUnit))
    return std::nullopt;
  range = trimmed(range.substr(kUnit.size()));
  const std::size_t dash = range.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const std::string_view left = trimmed(range.substr(0, dash));
  const std::string_view right = trimmed(range.substr(dash + 1));
  const Asked asked{read_number(left), read_number(right)};
  if ((!left.empty() && !asked.first) || (!right.empty() && !asked.last)) return std::nullopt;
  if (!asked.first && !asked.last) return std::nullopt;
  if (asked.first && asked.last && *asked.last < *asked.first) return std::nullopt;
  return asked;
}

}  // namespace

std::string RangeAnswer::content_range(std::uint64_t size) const {
  if (status == 416) return "bytes */" + std::to_string(size);
  if (status != 206) return {};
  return "bytes " + std::to_string(first) + "-" + std::to_string(first + length - 1) + "/" +
         std::to_string(size);
}

RangeAnswer answer_range(std::string_view range, std::string_view if_range, std::string_view etag,
                         std::uint64_t size) {
  const RangeAnswer whole{.status = 200, .first = 0, .length = size};
  const auto asked = read_range(range);
  if (!asked || (!if_range.empty() && if_range != etag)) return whole;
  const RangeAnswer none{.status = 416, .first = 0, .length = 0};
  if (!asked->first) {
    if (*asked->last == 0 || size == 0) return none;
    const std::uint64_t length = std::min(*asked->last, size);
    return {.status = 206, .first = size - length, .length = length};
  }
  if (*asked->first >= size) return none;
  const std::uint64_t last = std::min(asked->last.value_or(UINT64_MAX), size - 1);
  return {.status = 206, .first = *asked->first, .length = last - *asked->first + 1};
}

bool matches_etag(std::string_view if_none_match, std::string_view etag) {
  while (!if_none_match.empty()) {
    const std::size_t comma = if_none_match.find(',');
    std::string_view tag = trimmed(if_none_match.substr(0, comma));
    if (tag == "*") return true;
    if (tag.starts_with("W/")) tag.remove_prefix(2);
    if (!tag.empty() && tag == etag) return true;
    if_none_match =
        comma == std::string_view::npos ? std::string_view() : if_none_match.substr(comma + 1);
  }
  return false;
}

}  // namespace sd::http
