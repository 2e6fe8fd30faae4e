// Small results of our own statements as rows of text. Not for users' queries.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "destinations/duckdb/handles.h"

namespace sd::destinations::duckdb {

class Row {
 public:
  explicit Row(std::vector<std::optional<std::string>> values) : values_(std::move(values)) {}
  bool is_null(std::size_t column) const { return !values_[column].has_value(); }
  std::string text(std::size_t column) const { return values_[column].value_or(""); }
  std::int64_t integer(std::size_t column) const;
  std::uint64_t unsigned_integer(std::size_t column) const;

 private:
  std::vector<std::optional<std::string>> values_;
};

// Every value as DuckDB's cast to VARCHAR spells it.
Result<std::vector<Row>> fetch(duckdb_connection connection, const std::string& sql);

// SQL that folds the letters A to Z and no others, as fold_ascii() does.
std::string folded(const std::string& expression);

// The error of an appender call that failed.
Error appender_error(duckdb_appender appender);

}  // namespace sd::destinations::duckdb
