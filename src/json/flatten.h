// Events of one row → values at places (api.md, flatten=horizontal): nested keys and array elements
// each become a place of their own; an empty object or array, which has no leaf, stays whole.
#pragma once

#include <string_view>
#include <vector>

#include "json/parser.h"
#include "json/table_builder.h"

namespace sd::json {

// A handler for Parser and RowSplitter. The caller commits the row when the splitter says it is good.
class HorizontalFlattener {
 public:
  static constexpr bool kWantsStrings = true;

  explicit HorizontalFlattener(TableBuilder& builder) : builder_(&builder) {}
  void set_builder(TableBuilder& builder) { builder_ = &builder; }

  void begin_row() {
    frames_.clear();
    too_deep_ = 0;
    values_ = 0;
    at_ = PathTree::kRoot;
    builder_->begin_row();
  }

  void on_key(std::string_view key) {
    if (values_ > kMaxRowValues || too_deep_ > 0 || frames_.empty()) return;
    Frame& frame = frames_.back();
    frame.empty = false;
    at_ = builder_->tree().child(frame.node, key);
  }

  void on_null() {
    if (place()) builder_->add_null(at_);
  }
  void on_bool(bool value) {
    if (!place()) return;
    Cell cell;
    cell.kind = Kind::kBool;
    cell.integer = value ? 1 : 0;
    builder_->add(at_, cell);
  }
  void on_number(std::string_view token, bool is_integer) {
    if (!place()) return;
    builder_->add_copy(at_, classify_number(token, is_integer));
  }
  void on_string(std::string_view text) {
    if (place()) builder_->add_string(at_, text);
  }

  void begin_object() { begin(false); }
  void begin_array() { begin(true); }
  void end_object() { end("{}"); }
  void end_array() { end("[]"); }

 private:
  struct Frame {
    PathTree::Node node;
    bool is_array;
    bool empty = true;
    std::uint32_t next = 0;  // index of the next element
  };

  // Moves to the place of the value that comes; false where it has none (a row that is no object, or
  // one that is refused for its depth).
  bool place() {
    // The row will be refused: nothing more is kept of it.
    if (++values_ > kMaxRowValues) return false;
    if (too_deep_ > 0 || frames_.empty()) return false;
    Frame& frame = frames_.back();
    if (frame.is_array) {
      frame.empty = false;
      at_ = builder_->tree().element(frame.node, frame.next++);
    }
    return true;
  }

  void begin(bool is_array) {
    if (too_deep_ > 0 || frames_.size() >= kMaxFrames || values_ > kMaxRowValues) {
      ++too_deep_;
      return;
    }
    if (!frames_.empty()) place();
    frames_.push_back({frames_.empty() ? PathTree::kRoot : at_, is_array});
  }

  void end(std::string_view whole) {
    if (too_deep_ > 0) {
      --too_deep_;
      return;
    }
    const Frame frame = frames_.back();
    frames_.pop_back();
    if (frame.empty && !frames_.empty() && values_ <= kMaxRowValues)
      builder_->add_text(frame.node, Kind::kJson, whole);
  }

  static constexpr std::size_t kMaxFrames = 64;  // deeper rows are refused by the parser

  TableBuilder* builder_;
  std::vector<Frame> frames_;
  std::size_t too_deep_ = 0;
  std::uint32_t values_ = 0;
  PathTree::Node at_ = PathTree::kRoot;
};

}  // namespace sd::json
