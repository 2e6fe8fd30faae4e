// A Parquet file as NDJSON, row by row in the file's order, through an instance of DuckDB in
// memory. No header of DuckDB is needed to use it.
//
// Values are spelled as in encoder.h, exact integers and decimals, nested values as JSON; but a
// TIMESTAMP, which in Parquet is a moment in UTC or of no zone, is written with Z (RFC 3339),
// nested ones too. One in nanoseconds has nine digits only where they are needed, and within a
// nested value stays without a zone, as DuckDB has no such type.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace sd::query {

class ParquetRows {
 public:
  virtual ~ParquetRows() = default;
  static Result<std::unique_ptr<ParquetRows>> open(const std::string& path);

  // Appends lines until `out` holds `soft_limit` bytes; false: there are no more.
  virtual Result<bool> next(std::string& out, std::size_t soft_limit) = 0;
  virtual std::uint64_t rows_read() const = 0;
  virtual std::uint64_t rows_total() const = 0;
};

// The type as DuckDB spells it with TIMESTAMP (and _S, _MS) made TIMESTAMPTZ wherever it is a type.
// For tests.
std::string with_time_zones(std::string_view type);

}  // namespace sd::query
