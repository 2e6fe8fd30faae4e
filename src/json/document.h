// A small JSON document in memory, for request bodies and control messages (not for rows), and a
// writer. Numbers keep their token. Objects keep order; of a repeated key the last one counts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "json/parser.h"

namespace sd::json {

class Value {
 public:
  using Members = std::vector<std::pair<std::string, Value>>;

  ValueKind kind() const { return kind_; }
  bool is_null() const { return kind_ == ValueKind::kNull; }
  bool is_object() const { return kind_ == ValueKind::kObject; }
  bool is_array() const { return kind_ == ValueKind::kArray; }
  bool is_string() const { return kind_ == ValueKind::kString; }

  // Each is empty where the value is of another kind (or the number no such integer).
  std::optional<bool> as_bool() const;
  std::optional<std::int64_t> as_int() const;
  std::optional<std::uint64_t> as_uint() const;
  std::optional<double> as_double() const;
  std::optional<std::string_view> as_string() const;
  // The token of a number, the text of a string.
  const std::string& text() const { return text_; }

  const std::vector<Value>& elements() const { return elements_; }
  const Members& members() const { return members_; }
  // The member, or null where there is none.
  const Value* find(std::string_view key) const;
  // A member that is a string, or `fallback`.
  std::string_view string_or(std::string_view key, std::string_view fallback) const;
  std::int64_t int_or(std::string_view key, std::int64_t fallback) const;
  bool bool_or(std::string_view key, bool fallback) const;

 private:
  friend class DocumentBuilder;
  ValueKind kind_ = ValueKind::kNull;
  bool bool_ = false;
  std::string text_;
  std::vector<Value> elements_;
  Members members_;
};

// One complete document, nothing behind it. kInvalidArgument with slug "invalid-json" and "offset".
Result<Value> parse_document(std::string_view text, std::uint32_t max_depth = kMaxDepth);

// The value as JSON again: numbers by their token, members as they stood.
std::string to_json(const Value& value);

// Writes one object or array, member by member.
//   Writer w; w.begin_object(); w.member("ok", true); w.end_object(); w.take()
class Writer {
 public:
  Writer& begin_object();
  Writer& begin_object(std::string_view key);
  Writer& end_object();
  Writer& begin_array();
  Writer& begin_array(std::string_view key);
  Writer& end_array();
  Writer& member(std::string_view key, std::string_view value);
  Writer& member(std::string_view key, const char* value) {
    return member(key, std::string_view(value));
  }
  Writer& member(std::string_view key, const std::string& value) {
    return member(key, std::string_view(value));
  }
  Writer& member(std::string_view key, bool value);
  Writer& member(std::string_view key, std::int64_t value);
  Writer& member(std::string_view key, std::uint64_t value);
  Writer& member(std::string_view key, int value) {
    return member(key, static_cast<std::int64_t>(value));
  }
  Writer& member(std::string_view key, unsigned value) {
    return member(key, static_cast<std::uint64_t>(value));
  }
  Writer& null_member(std::string_view key);
  Writer& raw_member(std::string_view key, std::string_view json);
  Writer& element(std::string_view value);
  Writer& raw_element(std::string_view json);

  const std::string& text() const { return out_; }
  std::string take() { return std::move(out_); }

 private:
  void comma();
  void key(std::string_view name);
  std::string out_;
  bool first_ = true;
};

}  // namespace sd::json
