#include "query/gate_reader.h"

#include <charconv>

namespace sd::query {
namespace {

std::unexpected<Error> broken() {
  return fail(ErrorCode::kInternal, "the statement's syntax tree could not be read");
}

}  // namespace

Result<> TreeReader::read() {
  while (!rest_.empty()) TRY(step());
  if (!nodes_.empty() || !done_) return broken();
  return {};
}

// One token of JSON.
Result<> TreeReader::step() {
  const char c = rest_.front();
  switch (c) {
    case '{':
    case '[':
      rest_.remove_prefix(1);
      nodes_.push_back({.key = key_, .array = c == '['});
      key_ = {};
      return opened(nodes_.back());
    case '}':
    case ']': {
      rest_.remove_prefix(1);
      if (nodes_.empty() || nodes_.back().array != (c == ']')) return broken();
      TreeNode node = std::move(nodes_.back());
      nodes_.pop_back();
      done_ = nodes_.empty();
      return closed(node);
    }
    case ',':
      rest_.remove_prefix(1);
      return {};
    case '"':
      return read_text();
    default:
      return read_scalar();
  }
}

Result<> TreeReader::read_text() {
  std::size_t end = 1;
  while (true) {
    end = rest_.find_first_of("\"\\", end);
    if (end == std::string_view::npos) return broken();
    if (rest_[end] == '"') break;
    end += 2;
  }
  const std::string_view raw = rest_.substr(1, end - 1);
  rest_.remove_prefix(end + 1);
  if (nodes_.empty()) return broken();
  if (key_.empty() && !nodes_.back().array) {
    if (rest_.empty() || rest_.front() != ':') return broken();
    rest_.remove_prefix(1);
    key_ = raw;
    return {};
  }
  text(nodes_.back(), key_, raw);
  key_ = {};
  return {};
}

Result<> TreeReader::read_scalar() {
  const std::size_t end = rest_.find_first_of(",]}");
  if (end == 0 || end == std::string_view::npos || nodes_.empty()) return broken();
  scalar(nodes_.back(), key_, rest_.substr(0, end));
  rest_.remove_prefix(end);
  key_ = {};
  return {};
}

std::string unescape_json(std::string_view raw) {
  std::string out;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] != '\\' || i + 1 == raw.size()) {
      out += raw[i];
      continue;
    }
    switch (raw[++i]) {
      case 'n':
        out += '\n';
        break;
      case 't':
        out += '\t';
        break;
      case 'r':
        out += '\r';
        break;
      case 'b':
        out += '\b';
        break;
      case 'f':
        out += '\f';
        break;
      case 'u': {
        // yyjson writes control characters so, and nothing else.
        unsigned code = 0;
        if (i + 4 < raw.size()) std::from_chars(&raw[i + 1], &raw[i + 1] + 4, code, 16);
        out += static_cast<char>(code & 0x7F);
        i += 4;
        break;
      }
      default:
        out += raw[i];
    }
  }
  return out;
}

}  // namespace sd::query
