#include "json/document.h"

#include <charconv>
#include <utility>

#include "base/json_text.h"

namespace sd::json {

// Builds the tree from the parser's events.
class DocumentBuilder {
 public:
  static constexpr bool kWantsStrings = true;

  explicit DocumentBuilder(std::uint32_t max_depth) : max_depth_(max_depth) {}

  void begin_row() {}
  void on_null() { put(Value()); }
  void on_bool(bool value) {
    Value v;
    v.kind_ = ValueKind::kBool;
    v.bool_ = value;
    put(std::move(v));
  }
  void on_number(std::string_view token, bool) {
    Value v;
    v.kind_ = ValueKind::kNumber;
    v.text_ = token;
    put(std::move(v));
  }
  void on_string(std::string_view text) {
    Value v;
    v.kind_ = ValueKind::kString;
    v.text_ = text;
    put(std::move(v));
  }
  void on_key(std::string_view key) {
    if (!open_.empty()) keys_.back() = key;
  }
  void begin_object() { open(ValueKind::kObject); }
  void begin_array() { open(ValueKind::kArray); }
  void end_object() { close(); }
  void end_array() { close(); }
  Value take() { return std::move(root_); }

 private:
  // Beyond the depth limit the document is refused anyway; nothing is built there.
  void open(ValueKind kind) {
    Value v;
    v.kind_ = kind;
    if (skipped_ > 0 || open_.size() >= max_depth_) {
      ++skipped_;
      return;
    }
    open_.push_back(std::move(v));
    keys_.emplace_back();
  }
  void close() {
    if (skipped_ > 0) {
      --skipped_;
      return;
    }
    Value v = std::move(open_.back());
    open_.pop_back();
    keys_.pop_back();
    put(std::move(v));
  }
  void put(Value v) {
    if (skipped_ > 0) return;
    if (open_.empty())
      root_ = std::move(v);
    else if (open_.back().is_array())
      open_.back().elements_.push_back(std::move(v));
    else
      open_.back().members_.emplace_back(keys_.back(), std::move(v));
  }

  const std::uint32_t max_depth_;
  Value root_;
  std::vector<Value> open_;
  std::vector<std::string> keys_;
  std::size_t skipped_ = 0;
};

Result<Value> parse_document(std::string_view text, std::uint32_t max_depth) {
  DocumentBuilder builder(max_depth);
  const ParseResult parsed = Parser<DocumentBuilder>(builder, max_depth).parse(text, 0, true);
  const auto refuse = [](const char* what, std::size_t offset) {
    return fail(invalid(std::string(what) + " at offset " + std::to_string(offset))
                    .with_slug("invalid-json")
                    .with_member("offset", std::to_string(offset)));
  };
  if (parsed.outcome != Outcome::kOk) return refuse(parsed.message, parsed.end);
  if (parsed.defect != Defect::kNone) return refuse(to_string(parsed.defect), parsed.defect_offset);
  std::size_t end = parsed.end;
  while (end < text.size() && is_space(text[end])) ++end;
  if (end != text.size()) return refuse("unexpected bytes after the document", end);
  return builder.take();
}

std::optional<bool> Value::as_bool() const {
  if (kind_ != ValueKind::kBool) return std::nullopt;
  return bool_;
}

namespace {
template <typename T>
std::optional<T> number_as(ValueKind kind, const std::string& text) {
  T value{};
  if (kind != ValueKind::kNumber) return std::nullopt;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}
}  // namespace

std::optional<std::int64_t> Value::as_int() const {
  return number_as<std::int64_t>(kind_, text_);
}
std::optional<std::uint64_t> Value::as_uint() const {
  return number_as<std::uint64_t>(kind_, text_);
}
std::optional<double> Value::as_double() const {
  return number_as<double>(kind_, text_);
}

std::optional<std::string_view> Value::as_string() const {
  if (kind_ != ValueKind::kString) return std::nullopt;
  return text_;
}

const Value* Value::find(std::string_view key) const {
  for (auto it = members_.rbegin(); it != members_.rend(); ++it) {
    if (it->first == key) return &it->second;
  }
  return nullptr;
}

std::string_view Value::string_or(std::string_view key, std::string_view fallback) const {
  const Value* value = find(key);
  return value != nullptr && value->is_string() ? std::string_view(value->text_) : fallback;
}

std::int64_t Value::int_or(std::string_view key, std::int64_t fallback) const {
  const Value* value = find(key);
  return value == nullptr ? fallback : value->as_int().value_or(fallback);
}

bool Value::bool_or(std::string_view key, bool fallback) const {
  const Value* value = find(key);
  return value == nullptr ? fallback : value->as_bool().value_or(fallback);
}

void Writer::comma() {
  if (!first_) out_ += ',';
  first_ = false;
}

void Writer::key(std::string_view name) {
  comma();
  append_json_string(out_, name);
  out_ += ':';
}

Writer& Writer::begin_object() {
  comma();
  out_ += '{';
  first_ = true;
  return *this;
}
Writer& Writer::begin_object(std::string_view name) {
  key(name);
  out_ += '{';
  first_ = true;
  return *this;
}
Writer& Writer::end_object() {
  out_ += '}';
  first_ = false;
  return *this;
}
Writer& Writer::begin_array() {
  comma();
  out_ += '[';
  first_ = true;
  return *this;
}
Writer& Writer::begin_array(std::string_view name) {
  key(name);
  out_ += '[';
  first_ = true;
  return *this;
}
Writer& Writer::end_array() {
  out_ += ']';
  first_ = false;
  return *this;
}
Writer& Writer::member(std::string_view name, std::string_view value) {
  key(name);
  append_json_string(out_, value);
  return *this;
}
Writer& Writer::member(std::string_view name, bool value) {
  return raw_member(name, value ? "true" : "false");
}
Writer& Writer::member(std::string_view name, std::int64_t value) {
  return raw_member(name, std::to_string(value));
}
Writer& Writer::member(std::string_view name, std::uint64_t value) {
  return raw_member(name, std::to_string(value));
}
Writer& Writer::null_member(std::string_view name) {
  return raw_member(name, "null");
}
Writer& Writer::raw_member(std::string_view name, std::string_view json) {
  key(name);
  out_ += json;
  return *this;
}
Writer& Writer::element(std::string_view value) {
  comma();
  append_json_string(out_, value);
  return *this;
}
Writer& Writer::raw_element(std::string_view json) {
  comma();
  out_ += json;
  return *this;
}

namespace {

void append_value(std::string& out, const Value& value) {
  const auto list = [&](char open, char close, const auto& items, const auto& append) {
    out += open;
    bool first = true;
    for (const auto& item : items) {
      if (!std::exchange(first, false)) out += ',';
      append(item);
    }
    out += close;
  };
  switch (value.kind()) {
    case ValueKind::kNull:
      out += "null";
      break;
    case ValueKind::kBool:
      out += *value.as_bool() ? "true" : "false";
      break;
    case ValueKind::kNumber:
      out += value.text();
      break;
    case ValueKind::kString:
      append_json_string(out, value.text());
      break;
    case ValueKind::kArray:
      list('[', ']', value.elements(), [&](const Value& each) { append_value(out, each); });
      break;
    case ValueKind::kObject:
      list('{', '}', value.members(), [&](const auto& member) {
        append_json_string(out, member.first);
        out += ':';
        append_value(out, member.second);
      });
      break;
  }
}

}  // namespace

std::string to_json(const Value& value) {
  std::string out;
  append_value(out, value);
  return out;
}

}  // namespace sd::json
