#include "json/row_tree.h"

#include "base/json_text.h"

namespace sd::json {

void RowTree::begin_row() {
  values_.clear();
  frames_.clear();
  key_ = {};
  too_deep_ = 0;
  text_.clear();
}

RowTree::Value* RowTree::add(ValueKind kind) {
  // Such a row is refused by the parser: nothing more is kept of it.
  if (too_deep_ > 0 || values_.size() > kMaxRowValues) return nullptr;
  const auto index = static_cast<Index>(values_.size());
  Value& value = values_.emplace_back();
  value.kind = kind;
  if (!frames_.empty()) {
    Frame& frame = frames_.back();
    if (frame.last == kNone)
      values_[frame.value].first = index;
    else
      values_[frame.last].next = index;
    frame.last = index;
    value.key = key_;
  }
  return &value;
}

void RowTree::on_bool(bool boolean) {
  if (Value* value = add(ValueKind::kBool)) value->boolean = boolean;
}

void RowTree::on_number(std::string_view token, bool is_integer) {
  Value* value = add(ValueKind::kNumber);
  if (value == nullptr) return;
  value->text = {text_.copy(token), token.size()};
  value->is_integer = is_integer;
}

void RowTree::on_string(std::string_view text) {
  if (Value* value = add(ValueKind::kString)) value->text = {text_.copy(text), text.size()};
}

void RowTree::on_key(std::string_view key) {
  if (too_deep_ == 0 && values_.size() <= kMaxRowValues) key_ = {text_.copy(key), key.size()};
}

void RowTree::begin(ValueKind kind) {
  if (frames_.size() > kMaxDepth || add(kind) == nullptr) {
    ++too_deep_;
    return;
  }
  frames_.push_back({static_cast<Index>(values_.size() - 1)});
  key_ = {};
}

void RowTree::end() {
  if (too_deep_ > 0) {
    --too_deep_;
    return;
  }
  frames_.pop_back();
}

RowTree::Index RowTree::find(Index object, std::string_view key) const {
  for (Index i = values_[object].first; i != kNone; i = values_[i].next) {
    if (values_[i].key == key) return i;
  }
  return kNone;
}

void RowTree::append_json(Index index, std::string& out) const {
  const Value& value = values_[index];
  const auto members = [&](char open, char close, bool keys) {
    out += open;
    for (Index i = value.first; i != kNone; i = values_[i].next) {
      if (i != value.first) out += ',';
      if (keys) {
        append_json_string(out, values_[i].key);
        out += ':';
      }
      append_json(i, out);
    }
    out += close;
  };
  switch (value.kind) {
    case ValueKind::kNull:
      out += "null";
      break;
    case ValueKind::kBool:
      out += value.boolean ? "true" : "false";
      break;
    case ValueKind::kNumber:
      out += value.text;
      break;
    case ValueKind::kString:
      append_json_string(out, value.text);
      break;
    case ValueKind::kArray:
      members('[', ']', false);
      break;
    case ValueKind::kObject:
      members('{', '}', true);
      break;
  }
}

Cell cell_of(const RowTree::Value& value) {
  Cell cell;
  switch (value.kind) {
    case ValueKind::kBool:
      cell.kind = Kind::kBool;
      cell.integer = value.boolean ? 1 : 0;
      break;
    case ValueKind::kNumber:
      return classify_number(value.text, value.is_integer);
    case ValueKind::kString:
      cell.kind = Kind::kString;
      cell.text = value.text.data();
      cell.size = static_cast<std::uint32_t>(value.text.size());
      break;
    default:
      break;
  }
  return cell;
}

}  // namespace sd::json
