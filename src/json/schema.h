// What is known about a table's columns, and what a batch adds to it.
//
// Which column a place goes to, and how it is named:
//  - A column belongs to one place (PathTree::path). Places never share a column, so that `a.b_c` and
//    `a_b.c`, `User` and `user`, and the second value of a repeated key are all kept.
//  - It is named by the keys and indexes on the way, joined with '_'. Where that name is taken (DuckDB
//    folds ASCII case, so `user` is taken by `User`), the one that came later gets "_2", "_3" …
//  - __row_id, __received_at and __overflow are always taken.
//  - A place whose name is empty, holds a NUL or is longer than 255 bytes, or that comes when the table
//    has its full number of columns, goes to the JSON column __overflow, in this and every later batch.
//
// Pure; one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "json/foreign_type.h"
#include "json/shape.h"
#include "json/table_builder.h"
#include "json/types.h"

namespace sd::json {

inline constexpr std::string_view kRowId = "__row_id";
inline constexpr std::string_view kReceivedAt = "__received_at";
inline constexpr std::string_view kOverflow = "__overflow";
inline constexpr std::size_t kMaxNameBytes = 255;
inline constexpr std::size_t kDefaultMaxColumns = 1000;

// 1–255 bytes of UTF-8 without NUL.
bool is_valid_name(std::string_view name);

struct SchemaColumn {
  std::string path;  // identity
  std::string name;
  TypeState state;
  std::shared_ptr<const Shape> shape;  // of nested values
  ColumnType type;                     // that the destination's column has
  // Where that is a type that we never make: it stays, and `type` and `state` say nothing.
  std::shared_ptr<const ForeignType> foreign = {};

  std::string type_name() const { return foreign ? foreign->sql() : to_string(type); }
};

struct TableSchema {
  explicit TableSchema(std::string table_name = {});

  std::string name;
  bool exists = false;  // in the destination
  bool has_overflow = false;
  // False only in a table that somebody else made and that has no such column yet.
  bool has_row_id = true;
  bool has_received_at = true;
  std::vector<SchemaColumn> columns;

  // A column that the destination has; its name is taken from now on.
  void add_existing(SchemaColumn column);
  // A name that is in use for something else.
  void take_name(std::string_view column_name);
  std::optional<std::size_t> find(const std::string& path) const;
  bool has_foreign() const;

 private:
  friend class SchemaPlan;
  std::string free_name(const std::string& wanted) const;
  std::unordered_map<std::string, std::size_t> by_path_;
  std::unordered_set<std::string> taken_;  // folded
};

// How one batch of a table meets its schema: computed once a batch, before anything is written.
class SchemaPlan {
 public:
  struct Change {
    std::size_t column = 0;          // in after().columns
    std::optional<ColumnType> from;  // nullopt: the column is new
    ColumnType to;
    std::uint32_t cause = 0;  // BuilderColumn::cause
    // Before the batch: text that may be anything, here and in nested values.
    bool had_strings = false;
    std::shared_ptr<const Shape> shape_before = {};
  };

  SchemaPlan(const TableSchema& before, const TableBuilder& batch, std::size_t max_columns);

  // The schema once the batch is in.
  const TableSchema& after() const { return after_; }
  TableSchema take_after() { return std::move(after_); }
  bool creates_table() const { return creates_table_; }
  bool creates_overflow() const { return creates_overflow_; }
  std::uint32_t overflow_cause() const { return overflow_cause_; }  // BuilderColumn::cause
  bool creates_row_id() const { return creates_row_id_; }
  bool creates_received_at() const { return creates_received_at_; }
  // New columns, columns whose type changes, and columns whose state alone changes (from == to).
  const std::vector<Change>& changes() const { return changes_; }

  // For each column of the batch that has values: the index in after().columns.
  struct Mapping {
    const BuilderColumn* source;
    std::size_t column;
  };
  const std::vector<Mapping>& mappings() const { return mappings_; }
  // Rows' __overflow values, in the order of their rows; text stands in this plan.
  const std::vector<Cell>& overflow() const { return overflow_; }

 private:
  void build_overflow(const TableBuilder& batch, const std::vector<const BuilderColumn*>& columns);

  TableSchema after_;
  bool creates_table_ = false;
  bool creates_overflow_ = false;
  std::uint32_t overflow_cause_ = UINT32_MAX;
  bool creates_row_id_ = false;
  bool creates_received_at_ = false;
  std::vector<Change> changes_;
  std::vector<Mapping> mappings_;
  std::vector<Cell> overflow_;
  Arena overflow_text_;
};

}  // namespace sd::json
