// Cells → DuckDB's vectors: fills data chunks of up to 2,048 rows from a batch's columns.
//
// Strings are handed over as views: the bytes stay in the batch's arena (and in this writer, for
// spelled-out numbers) until the chunk has been appended, which copies them.
#pragma once

#include <vector>

#include "base/result.h"
#include "destinations/duckdb/handles.h"
#include "json/schema.h"
#include "json/table_builder.h"

namespace sd::destinations::duckdb {

class ChunkWriter {
 public:
  struct Column {
    const std::vector<json::Cell>* cells;  // in the order of their rows
    json::ColumnType type;
    const json::ForeignType* foreign = nullptr;  // then as a VARCHAR that is cast to it
  };

  // Columns of a chunk: the rows' ids, their times, then `columns`.
  ChunkWriter(const json::TableBuilder& rows, std::vector<Column> columns);

  // Fills the chunk with the next rows; false when there are none left.
  bool fill(duckdb_data_chunk chunk);
  // Whether a column met a value that its type does not take.
  bool has_misfit() const { return has_misfit_; }

 private:
  void fill_column(std::size_t index, duckdb_vector vector, std::uint32_t begin, std::uint32_t end);

  const json::TableBuilder& rows_;
  std::vector<Column> columns_;
  std::vector<std::size_t> next_cell_;  // of each column
  std::uint32_t next_row_ = 0;
  bool has_misfit_ = false;
  json::Arena text_;  // numbers spelled out for VARCHAR and JSON columns of this chunk
};

// A string as DuckDB's vectors hold it; `text` must outlive the chunk where it is over 12 bytes.
duckdb_string_t make_string(std::string_view text);

}  // namespace sd::destinations::duckdb
