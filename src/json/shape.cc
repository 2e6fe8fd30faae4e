#include "json/shape.h"

#include <algorithm>

#include "base/ascii.h"
#include "json/schema.h"

namespace sd::json {
namespace {

constexpr std::size_t kMaxPlaces = 600;
constexpr std::size_t kMaxFieldsOfStruct = 64;  // beyond it a MAP, where the values agree

}  // namespace

Shape Shape::of(const RowTree& tree, RowTree::Index index, bool times) {
  const RowTree::Value& value = tree[index];
  Shape shape;
  if (!value.is_container()) {
    if (times && value.kind == ValueKind::kString && is_timestamp(value.text))
      shape.scalars_.add(Kind::kTime);
    else
      shape.scalars_.add(cell_of(value));
    return shape;
  }
  shape.array_ = value.kind == ValueKind::kArray;
  shape.object_ = !shape.array_;
  if (shape.array_) shape.element_.emplace_back();
  for (RowTree::Index each = value.first; each != RowTree::kNone; each = tree[each].next) {
    const Shape child = of(tree, each, times);
    if (shape.array_) {
      shape.element_.front().join(child);
    } else {
      const std::string_view key = tree[each].key;
      const bool again = shape.join_field(key, child);
      shape.irregular_ = shape.irregular_ || again || !is_valid_name(key);
    }
    if (shape.fields_.size() > kMaxPlaces) break;
  }
  shape.drop_if_too_many();
  return shape;
}

const Shape* Shape::field(std::string_view name) const {
  const auto found = std::ranges::find(fields_, name, &std::pair<std::string, Shape>::first);
  return found == fields_.end() ? nullptr : &found->second;
}

bool Shape::has_strings_in_fields() const {
  return std::ranges::any_of(fields_, [](const auto& f) { return f.second.has_strings(); });
}

// Whether there was one of this name.
bool Shape::join_field(std::string_view name, const Shape& other) {
  const auto same = std::ranges::find(fields_, name, &std::pair<std::string, Shape>::first);
  if (same != fields_.end()) {
    same->second.join(other);
    return true;
  }
  // The same name in another case: DuckDB's STRUCT does not tell the two apart.
  irregular_ = irregular_ || std::ranges::any_of(fields_, [&](const auto& field) {
                 return same_ascii_folded(field.first, name);
               });
  fields_.emplace_back(name, other);
  return false;
}

void Shape::join(const Shape& other) {
  scalars_.join(other.scalars_);
  object_ = object_ || other.object_;
  array_ = array_ || other.array_;
  irregular_ = irregular_ || other.irregular_;
  too_many_ = too_many_ || other.too_many_;
  for (const auto& [name, shape] : other.fields_) join_field(name, shape);
  if (!other.element_.empty()) {
    if (element_.empty()) element_.emplace_back();
    element_.front().join(other.element_.front());
  }
  drop_if_too_many();
}

// What is around too many places has too many as well.
void Shape::drop_if_too_many() {
  for (const auto& [name, shape] : fields_) too_many_ = too_many_ || shape.too_many_;
  for (const Shape& shape : element_) too_many_ = too_many_ || shape.too_many_;
  too_many_ = too_many_ || places() > kMaxPlaces;
  if (!too_many_) return;
  fields_.clear();
  element_.clear();
}

std::size_t Shape::places() const {
  std::size_t count = 1;
  for (const auto& [name, shape] : fields_) count += shape.places();
  for (const Shape& shape : element_) count += shape.places();
  return count;
}

ColumnType Shape::object_type() const {
  if (fields_.empty()) return {BaseType::kJson, 0};
  if (fields_.size() > kMaxFieldsOfStruct) {
    TypeState values;
    bool scalars = true;
    for (const auto& [name, shape] : fields_) {
      scalars = scalars && !shape.object_ && !shape.array_;
      values.join(shape.scalars_);
    }
    const ColumnType value = values.type();
    const bool one_family =
        value.base != BaseType::kVarchar ||
        (json::has_strings(values) && !values.has(Kind::kBool) && !values.has_numbers());
    if (scalars && values.has_values() && one_family) {
      return nested_type(BaseType::kMap, {{"key", {BaseType::kVarchar, 0}}, {"value", value}});
    }
  }
  std::vector<std::pair<std::string, ColumnType>> children;
  for (const auto& [name, shape] : fields_) children.emplace_back(name, shape.type());
  return nested_type(BaseType::kStruct, std::move(children));
}

ColumnType Shape::type() const {
  if (!object_ && !array_) return scalars_.type();
  if (irregular_ || too_many_ || has_scalars() || (object_ && array_)) return {BaseType::kJson, 0};
  if (object_) return object_type();
  return nested_type(BaseType::kList,
                     {{"", element_.empty() ? ColumnType{} : element_.front().type()}});
}

ColumnType column_type(const TypeState& state, const Shape* shape) {
  return shape != nullptr && state.has_only(Kind::kNested) ? shape->type() : state.type();
}

// {"k":kinds,"i":int_digits,"s":scale,"x":irregular,"m":true,"o":[{"n":name,"v":shape},…],"a":shape}
// "m" where there were too many places. Before it was there, nothing stood below where "x" was true.
void Shape::write(Writer& w, const char* member) const {
  if (member != nullptr)
    w.begin_object(member);
  else
    w.begin_object();
  w.member("k", static_cast<int>(scalars_.kinds()))
      .member("i", static_cast<int>(scalars_.int_digits()));
  w.member("s", static_cast<int>(scalars_.scale())).member("x", irregular_);
  if (too_many_) w.member("m", true);
  if (object_) {
    w.begin_array("o");
    for (const auto& [name, shape] : fields_) {
      w.begin_object().member("n", name);
      shape.write(w, "v");
      w.end_object();
    }
    w.end_array();
  }
  if (array_ && element_.empty()) w.null_member("a");
  if (!element_.empty()) element_.front().write(w, "a");
  w.end_object();
}

std::string Shape::to_json() const {
  Writer w;
  write(w, nullptr);
  return w.take();
}

Result<Shape> Shape::parse(std::string_view json) {
  // An object is written as three levels, and a row may have kMaxDepth of them.
  TRY_ASSIGN(const Value document, parse_document(json, 3 * kMaxDepth + 1));
  return read(document);
}

Result<Shape> Shape::read(const Value& value) {
  if (!value.is_object()) return fail(ErrorCode::kCorruption, "a shape cannot be read");
  Shape shape;
  shape.scalars_ = TypeState(static_cast<std::uint16_t>(value.int_or("k", 0)),
                             static_cast<std::uint8_t>(value.int_or("i", 0)),
                             static_cast<std::uint8_t>(value.int_or("s", 0)));
  shape.irregular_ = value.bool_or("x", false);
  shape.too_many_ = value.bool_or("m", false);
  if (const Value* fields = value.find("o")) {
    shape.object_ = true;
    for (const Value& field : fields->elements()) {
      const Value* child = field.find("v");
      if (child == nullptr) return fail(ErrorCode::kCorruption, "a shape cannot be read");
      TRY_ASSIGN(Shape inner, read(*child));
      shape.fields_.emplace_back(field.string_or("n", ""), std::move(inner));
    }
  }
  if (const Value* element = value.find("a")) {
    shape.array_ = true;
    if (element->is_object()) {
      TRY_ASSIGN(Shape inner, read(*element));
      shape.element_.push_back(std::move(inner));
    }
  }
  return shape;
}

}  // namespace sd::json
