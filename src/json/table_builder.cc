#include "json/table_builder.h"

#include <cstring>

#include "json/row_tree.h"
#include "json/shape.h"

namespace sd::json {

const char* Arena::copy(std::string_view text) {
  if (text.empty()) return "";
  if (blocks_.empty() || used_ + text.size() > blocks_.back().size) {
    const std::size_t size = text.size() > kBlock ? text.size() : kBlock;
    blocks_.push_back({std::make_unique_for_overwrite<char[]>(size), size});
    used_ = 0;
  }
  char* out = blocks_.back().data.get() + used_;
  std::memcpy(out, text.data(), text.size());
  used_ += text.size();
  bytes_ += text.size();
  return out;
}

void Arena::clear() {
  if (blocks_.size() > 1) blocks_.resize(1);
  if (!blocks_.empty() && blocks_.front().size > kBlock) blocks_.clear();
  used_ = 0;
  bytes_ = 0;
}

TableBuilder::TableBuilder() : row_id_node_(tree_.child(PathTree::kRoot, "__row_id")) {}

void TableBuilder::begin_row() {
  for (const Touched& touched : touched_) {
    BuilderColumn& column = columns_[touched.column];
    if (touched.has_cell) {
      column.cells.pop_back();
      --cells_;
    }
    column.last_row = -1;
  }
  touched_.clear();
  new_shapes_.clear();
  own_row_id_ = false;
}

void TableBuilder::forget(std::size_t index) {
  const Touched touched = touched_[index];
  BuilderColumn& column = columns_[touched.column];
  if (touched.has_cell) {
    column.cells.pop_back();
    --cells_;
  }
  column.last_row = -1;
  std::erase_if(new_shapes_, [&](const auto& entry) { return entry.first == touched.column; });
  touched_[index] = {touched.column, false, true};
}

std::uint32_t TableBuilder::index_for(PathTree::Node node) {
  if (static_cast<std::size_t>(node) >= column_of_node_.size()) {
    column_of_node_.resize(tree_.size(), -1);
  }
  std::int32_t& slot = column_of_node_[static_cast<std::size_t>(node)];
  if (slot < 0) {
    slot = static_cast<std::int32_t>(columns_.size());
    columns_.emplace_back().node = node;
  }
  return static_cast<std::uint32_t>(slot);
}

const BuilderColumn* TableBuilder::find(PathTree::Node node) const {
  const auto place = static_cast<std::size_t>(node);
  const std::int32_t slot = place < column_of_node_.size() ? column_of_node_[place] : -1;
  return slot < 0 ? nullptr : &columns_[static_cast<std::size_t>(slot)];
}

void TableBuilder::widen(PathTree::Node node, const TypeState& state, std::uint32_t source) {
  const std::uint32_t index = index_for(node);
  BuilderColumn& column = columns_[index];
  if (!column.used) used_.push_back(index);
  column.used = true;
  TypeState joined = column.state;
  joined.join(state);
  if (joined == column.state) return;
  column.state = joined;
  column.cause = source;
}

BuilderColumn& TableBuilder::column_for(PathTree::Node node, std::uint32_t& index) {
  const auto row = static_cast<std::int64_t>(row_ids_.size());
  while (true) {
    index = index_for(node);
    BuilderColumn& column = columns_[index];
    if (column.last_row != row) {
      column.last_row = row;
      return column;
    }
    node = tree_.again(node);
  }
}

void TableBuilder::add(PathTree::Node node, Cell cell) {
  if (node == row_id_node_ && !own_row_id_ &&
      (cell.kind == Kind::kInt53 || cell.kind == Kind::kInt64)) {
    own_row_id_ = true;
    row_id_ = cell.integer;
    return;
  }
  std::uint32_t index = 0;
  BuilderColumn& column = column_for(node, index);
  cell.row = rows();
  column.cells.push_back(cell);
  ++cells_;
  touched_.push_back({index, true});
}

void TableBuilder::add_text(PathTree::Node node, Kind kind, std::string_view text) {
  Cell cell;
  cell.kind = kind;
  cell.text = arena_.copy(text);
  cell.size = static_cast<std::uint32_t>(text.size());
  add(node, cell);
}

void TableBuilder::add_copy(PathTree::Node node, Cell cell) {
  if (cell.size > 0) cell.text = arena_.copy(cell.view());
  add(node, cell);
}

void TableBuilder::add_nested(PathTree::Node node, const RowTree& tree, std::uint32_t value) {
  std::string text;
  tree.append_json(value, text);
  add_text(node, Kind::kNested, text);
  if (touched_.empty()) return;
  new_shapes_.emplace_back(touched_.back().column,
                           std::make_shared<Shape>(Shape::of(tree, value, times_)));
}

const Shape* TableBuilder::new_shape(std::uint32_t column) const {
  for (const auto& [index, shape] : new_shapes_) {
    if (index == column) return shape.get();
  }
  return nullptr;
}

void TableBuilder::add_null(PathTree::Node node) {
  if (node == row_id_node_) return;  // the row gets an id as if it had brought none
  std::uint32_t index = 0;
  column_for(node, index);
  touched_.push_back({index, false});
}

void TableBuilder::commit_row(std::int64_t next_row_id, Micros received_at) {
  if (row_ids_.empty()) first_source_ = source_;
  for (const Touched& touched : touched_) {
    if (touched.forgotten) continue;
    BuilderColumn& column = columns_[touched.column];
    if (!column.used) used_.push_back(touched.column);
    column.used = true;
    TypeState state = column.state;
    if (touched.has_cell)
      state.add(column.cells.back());
    else
      state.add(Kind::kNull);
    if (state != column.state) {
      column.state = state;
      column.cause = source_;
    }
  }
  for (auto& [index, shape] : new_shapes_) {
    BuilderColumn& column = columns_[index];
    if (!column.shape) {
      column.shape = std::move(shape);
      continue;
    }
    Shape joined = *column.shape;
    joined.join(*shape);
    if (joined == *column.shape) continue;
    *column.shape = std::move(joined);
    column.cause = source_;
  }
  new_shapes_.clear();
  touched_.clear();
  row_ids_.push_back(row_id_or(next_row_id));
  received_at_.push_back(received_at);
  own_row_id_ = false;
}

void TableBuilder::try_row() {
  for (const Touched& touched : touched_) {
    if (touched.forgotten || !touched.has_cell) continue;
    BuilderColumn& column = columns_[touched.column];
    TypeState state = column.state;
    state.add(column.cells.back());
    if (state == column.state) continue;
    tried_.emplace_back(touched.column, column.state);
    column.state = state;
  }
  begin_row();
}

void TableBuilder::end_trial() {
  // The latest first: a column may stand there more than once.
  for (; !tried_.empty(); tried_.pop_back())
    columns_[tried_.back().first].state = tried_.back().second;
}

void TableBuilder::clear() {
  constexpr std::size_t kMaxWarmNodes = 100'000;
  if (tree_.size() > kMaxWarmNodes) {
    tree_ = PathTree();
    row_id_node_ = tree_.child(PathTree::kRoot, "__row_id");
  }
  column_of_node_.clear();
  columns_.clear();
  used_.clear();
  touched_.clear();
  row_ids_.clear();
  received_at_.clear();
  own_row_id_ = false;
  cells_ = 0;
  arena_.clear();
}

}  // namespace sd::json
