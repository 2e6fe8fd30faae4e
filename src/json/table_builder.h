// Rows of one table on their way into columns: each column is the list of its values with the row that
// each belongs to, so that a column that few rows have costs little.
//
// A row is built between begin_row() and commit_row(); begin_row() forgets an unfinished one, with
// everything that only it brought. Text that is put into cells is copied into the builder's arena.
// One thread. Views and cells live until clear().
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "json/path.h"
#include "json/types.h"

namespace sd::json {

// Memory for text that lives as long as a batch.
class Arena {
 public:
  const char* copy(std::string_view text);
  void clear();
  std::size_t bytes() const { return bytes_; }

 private:
  static constexpr std::size_t kBlock = 256U << 10;
  struct Block {
    std::unique_ptr<char[]> data;
    std::size_t size = 0;
  };
  std::vector<Block> blocks_;
  std::size_t used_ = 0;   // in the last block
  std::size_t bytes_ = 0;  // handed out
};

class RowTree;
class Shape;

struct BuilderColumn {
  PathTree::Node node = PathTree::kRoot;
  TypeState state;               // of the values in this batch
  std::shared_ptr<Shape> shape;  // of those that are nested, if any
  std::vector<Cell> cells;       // in the order of their rows
  std::int64_t last_row = -1;
  bool used = false;        // a committed row has the key: the column is in used()
  std::uint32_t cause = 0;  // index of the source that last changed `state`
};

class TableBuilder {
 public:
  TableBuilder();

  void begin_row();
  // A value at a place; a second one at the same place of the same row goes to its again().
  void add(PathTree::Node node, Cell cell);
  void add_text(PathTree::Node node, Kind kind, std::string_view text);
  void add_null(PathTree::Node node);
  // A string, which may be a time.
  void add_string(PathTree::Node node, std::string_view text) {
    add_text(node, kind_of_string(text), text);
  }
  Kind kind_of_string(std::string_view text) const {
    return times_ && is_timestamp(text) ? Kind::kTime : Kind::kString;
  }
  // A value whose text, if it has any, stands elsewhere.
  void add_copy(PathTree::Node node, Cell cell);
  // An object or array that may become a native value.
  void add_nested(PathTree::Node node, const RowTree& tree, std::uint32_t value);
  // What add_nested() was given for a column, in the row under construction.
  const Shape* new_shape(std::uint32_t column) const;
  // The id that the row under construction will have.
  std::int64_t row_id_or(std::int64_t next_row_id) const {
    return own_row_id_ ? row_id_ : next_row_id;
  }
  // `next_row_id` is used unless the row brought an integer of 64 bits as "__row_id".
  void commit_row(std::int64_t next_row_id, Micros received_at);

  // A row that is only tried: it leaves behind what its values would do to the types of their columns, for the next
  // rows that are tried, until end_trial().
  void try_row();
  void end_trial();

  // Has the column of a place take such values too, because of `source`. Not while a row is being built.
  void widen(PathTree::Node node, const TypeState& state, std::uint32_t source);
  // The column of a place that has one in this batch; null where none has.
  const BuilderColumn* find(PathTree::Node node) const;

  // What the row under construction has so far.
  struct Touched {
    std::uint32_t column;  // index in columns()
    bool has_cell;         // false: null
    bool forgotten = false;
  };
  const std::vector<Touched>& touched() const { return touched_; }
  // Takes a value back out of it.
  void forget(std::size_t touched);

  PathTree& tree() { return tree_; }
  const PathTree& tree() const { return tree_; }
  const std::vector<BuilderColumn>& columns() const { return columns_; }
  // The columns that committed rows have, in the order in which those rows brought them: what a refused
  // row brought first does not count, as it would not in a batch without that row.
  const std::vector<std::uint32_t>& used() const { return used_; }
  std::uint32_t rows() const { return static_cast<std::uint32_t>(row_ids_.size()); }
  const std::vector<std::int64_t>& row_ids() const { return row_ids_; }
  const std::vector<Micros>& received_at() const { return received_at_; }
  // Bytes that the batch holds, for deciding when it is large enough.
  // A place costs far more than its value: its node, its column, and its path and name when planned.
  std::size_t bytes() const {
    constexpr std::size_t kPlaceBytes = 512;
    return arena_.bytes() + cells_ * sizeof(Cell) + columns_.size() * kPlaceBytes;
  }
  Arena& arena() { return arena_; }

  // Whether strings that are times become times; they do at first.
  void set_times(bool times) { times_ = times; }

  // What rows from now on come from (an index that the caller gives a meaning).
  void set_source(std::uint32_t source) { source_ = source; }
  // Of the first row in the batch.
  std::uint32_t first_source() const { return first_source_; }

  // Empties the batch; the tree stays warm unless it has grown out of all proportion.
  void clear();

 private:
  BuilderColumn& column_for(PathTree::Node node, std::uint32_t& index);
  std::uint32_t index_for(PathTree::Node node);

  PathTree tree_;
  PathTree::Node row_id_node_;
  std::vector<std::int32_t> column_of_node_;
  std::vector<BuilderColumn> columns_;
  std::vector<std::uint32_t> used_;
  std::vector<Touched> touched_;  // by the row under construction
  std::vector<std::pair<std::uint32_t, std::shared_ptr<Shape>>> new_shapes_;  // of that row
  std::vector<std::pair<std::uint32_t, TypeState>> tried_;  // columns, and what they had before
  std::vector<std::int64_t> row_ids_;
  std::vector<Micros> received_at_;
  bool times_ = true;
  bool own_row_id_ = false;
  std::int64_t row_id_ = 0;
  std::uint32_t source_ = 0;
  std::uint32_t first_source_ = 0;
  std::size_t cells_ = 0;
  Arena arena_;
};

}  // namespace sd::json
