#include "api/tail_filter.h"

#include <algorithm>
#include <charconv>

#include "base/ascii.h"
#include "json/document.h"

namespace sd::api {
namespace {

using json::ValueKind;

bool is_spelled(const json::Value& value, std::string_view wanted) {
  switch (value.kind()) {
    case ValueKind::kNull:
      return wanted == "null";
    case ValueKind::kBool:
      return wanted == (value.as_bool().value_or(false) ? "true" : "false");
    case ValueKind::kNumber:
    case ValueKind::kString:
      return wanted == value.text();
    default:
      return false;
  }
}

bool has(const json::Value& value, std::string_view column, std::string_view wanted);

bool member_has(std::string_view name, const json::Value& value, std::string_view column,
                std::string_view wanted) {
  if (!same_ascii_folded(column.substr(0, name.size()), name)) return false;
  column.remove_prefix(name.size());
  if (column.empty()) return is_spelled(value, wanted);
  return (column.front() == '_' || column.front() == '.') && has(value, column.substr(1), wanted);
}

// A place has one path, so that each is looked at once. Rows are at most json::kMaxDepth deep.
bool has(const json::Value& value, std::string_view column, std::string_view wanted) {
  if (value.is_object()) {
    return std::ranges::any_of(value.members(), [&](const auto& member) {
      return member_has(member.first, member.second, column, wanted);
    });
  }
  if (!value.is_array()) return false;
  std::size_t index = 0;
  const auto read = std::from_chars(column.data(), column.data() + column.size(), index);
  return read.ec == std::errc{} && index < value.elements().size() &&
         member_has(std::to_string(index), value.elements()[index], column, wanted);
}

}  // namespace

TailFilter::TailFilter(std::vector<http::Parameter> parameters, const std::vector<std::string>& own)
    : filters_(std::move(parameters)) {
  std::erase_if(filters_, [&](const http::Parameter& each) {
    return std::ranges::find(own, each.name) != own.end();
  });
}

bool TailFilter::matches(std::string_view document) const {
  if (filters_.empty()) return true;
  // Where nothing is escaped, what is spelled so stands there.
  const auto is_missing = [&](const http::Parameter& each) {
    return !document.contains(each.value);
  };
  if (!document.contains('\\') && std::ranges::any_of(filters_, is_missing)) return false;
  const auto parsed = json::parse_document(document);
  return parsed && std::ranges::all_of(filters_, [&](const http::Parameter& each) {
           return has(*parsed, each.name, each.value);
         });
}

}  // namespace sd::api
