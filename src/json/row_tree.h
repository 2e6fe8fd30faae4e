// One row as a tree in memory, for the flatten modes that must have seen a row whole before they can say
// what becomes of it. Horizontal flattening does without.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "json/parser.h"
#include "json/table_builder.h"
#include "json/types.h"

namespace sd::json {

// A handler for Parser and RowSplitter. Values stand in the order in which they begin; the tree lives
// until the next begin_row(). Text stands in the tree.
class RowTree {
 public:
  static constexpr bool kWantsStrings = true;
  using Index = std::uint32_t;
  static constexpr Index kRoot = 0;
  static constexpr Index kNone = UINT32_MAX;

  struct Value {
    ValueKind kind = ValueKind::kNull;
    bool boolean = false;
    bool is_integer = false;  // of a number's token
    Index first = kNone;      // of a container's values
    Index next = kNone;       // in the container that it stands in
    std::string_view key;     // in an object
    std::string_view text;    // a string decoded, a number's token

    bool is_container() const { return kind == ValueKind::kObject || kind == ValueKind::kArray; }
  };

  void begin_row();
  void on_null() { add(ValueKind::kNull); }
  void on_bool(bool value);
  void on_number(std::string_view token, bool is_integer);
  void on_string(std::string_view text);
  void on_key(std::string_view key);
  void begin_object() { begin(ValueKind::kObject); }
  void begin_array() { begin(ValueKind::kArray); }
  void end_object() { end(); }
  void end_array() { end(); }

  const Value& operator[](Index index) const { return values_[index]; }
  Index size() const { return static_cast<Index>(values_.size()); }
  // The first member of an object with this key; kNone where there is none.
  Index find(Index object, std::string_view key) const;
  // The value as JSON: numbers as they were sent.
  void append_json(Index index, std::string& out) const;

 private:
  struct Frame {
    Index value;
    Index last = kNone;
  };
  Value* add(ValueKind kind);
  void begin(ValueKind kind);
  void end();

  std::vector<Value> values_;
  std::vector<Frame> frames_;
  std::string_view key_;
  std::size_t too_deep_ = 0;
  Arena text_;
};

// What a scalar is as a cell; its text stands in the tree.
Cell cell_of(const RowTree::Value& value);

}  // namespace sd::json
