// JSON text → DuckDB's STRUCT, LIST and MAP vectors.
#pragma once

#include <string_view>

#include "destinations/duckdb/handles.h"
#include "json/row_tree.h"
#include "json/table_builder.h"
#include "json/types.h"

namespace sd::destinations::duckdb {

// One nested column while a chunk is filled.
class NestedWriter {
 public:
  // Text of strings goes into `text`, which lives as long as the chunk.
  explicit NestedWriter(json::Arena& text) : text_(text) {}

  // `json` is an object or array that fits the type, as json::Shape says.
  void put(duckdb_vector vector, idx_t row, const json::ColumnType& type, std::string_view json);
  void put_null(duckdb_vector vector, idx_t row, const json::ColumnType& type);

 private:
  void put_value(duckdb_vector vector, idx_t row, const json::ColumnType& type,
                 json::RowTree::Index value);
  void put_struct(duckdb_vector vector, idx_t row, const json::ColumnType& type,
                  json::RowTree::Index value);
  void put_entries(duckdb_vector vector, idx_t row, const json::ColumnType& type,
                   json::RowTree::Index value);
  void put_text(duckdb_vector vector, idx_t row, std::string_view text);

  json::Arena& text_;
  json::RowTree tree_;
};

// Whether a column of the destination has this very type.
bool has_type(duckdb_logical_type type, const json::ColumnType& wanted);

// A scalar of a column of one of our types, into a vector's data; not for text and JSON.
void put_scalar(void* data, idx_t row, const json::ColumnType& type, const json::Cell& cell);

}  // namespace sd::destinations::duckdb
