// What a column of nested values has seen, and the native type that follows (flatten=none).
//
//   objects                                          STRUCT, a field for each key
//   objects of more than 64 keys, whose values are   MAP(VARCHAR, type): there the keys are data
//     scalars of one family
//   arrays                                           LIST of what the elements have seen
//   objects and arrays, or either with scalars;      JSON
//     a key that stands twice in one object (ASCII
//     case aside) or cannot be a name; more than
//     600 places (what takes longer to widen than anybody waits)
//
// Joining is a union, as with TypeState: a type does not depend on how rows were cut into batches. For that
// places below what has become JSON are still counted. In a STRUCT a key that is missing and one that is
// null are the same.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "json/document.h"
#include "json/row_tree.h"
#include "json/types.h"

namespace sd::json {

class Shape {
 public:
  // Of one value.
  // `times`: whether strings that are times are times.
  static Shape of(const RowTree& tree, RowTree::Index value, bool times = true);
  void join(const Shape& other);

  ColumnType type() const;
  std::size_t places() const;

  // What it has seen below: null where there is nothing known.
  const Shape* field(std::string_view name) const;
  const Shape* element() const { return element_.empty() ? nullptr : &element_.front(); }
  // Whether there was a string here, or in a field of the objects here.
  bool has_strings() const { return sd::json::has_strings(scalars_); }
  bool has_strings_in_fields() const;

  std::string to_json() const;
  // Reads what to_json() wrote.
  static Result<Shape> parse(std::string_view json);
  friend bool operator==(const Shape&, const Shape&) = default;

 private:
  bool has_scalars() const { return scalars_.has_values(); }
  ColumnType object_type() const;
  bool join_field(std::string_view name, const Shape& other);
  void drop_if_too_many();
  void write(Writer& w, const char* member) const;
  static Result<Shape> read(const Value& value);

  TypeState scalars_;
  bool irregular_ = false;  // an object that no STRUCT can hold
  bool too_many_ = false;   // places: nothing is kept of what stands below
  bool object_ = false;
  bool array_ = false;
  std::vector<std::pair<std::string, Shape>> fields_;  // in the order of their first appearance
  std::vector<Shape> element_;                         // one, where there is an array
};

// The type of a column: of its shape where all its values are nested, else of its state.
ColumnType column_type(const TypeState& state, const Shape* shape);

}  // namespace sd::json
