// The columns of a result: names that do not repeat, and types resolved once, so that encoders ask
// the library nothing while rows go by.
//
// Names: JSON objects and CSV headers need unique ones. A repeated name gets _1, _2 … until nobody
// else has it (compared byte for byte: JSON and CSV are case-sensitive).
//
// Immutable once made; any thread may read it.
#pragma once

#include <duckdb.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace sd::query {

// What a type means to an encoder. Aliases (JSON) and physical widths (DECIMAL, ENUM) are resolved.
enum class ValueKind : std::uint8_t {
  kNull,  // SQLNULL: has no values
  kBoolean,
  kTinyint,
  kSmallint,
  kInteger,
  kBigint,
  kUtinyint,
  kUsmallint,
  kUinteger,
  kUbigint,
  kHugeint,
  kUhugeint,
  kFloat,
  kDouble,
  kDecimal16,  // DECIMAL by the width of what holds it
  kDecimal32,
  kDecimal64,
  kDecimal128,
  kVarchar,
  kJson,  // VARCHAR with the alias JSON
  kBlob,
  kBit,
  kBignum,
  kUuid,
  kEnum8,  // ENUM by the width of its index
  kEnum16,
  kEnum32,
  kDate,
  kTime,
  kTimeNs,
  kTimeTz,
  kTimestamp,
  kTimestampS,
  kTimestampMs,
  kTimestampNs,
  kTimestampTz,
  kInterval,
  kGeometry,
  kVariant,
  kList,
  kArray,
  kStruct,
  kMap,
  kUnion,
};

struct ValueType {
  ValueKind kind = ValueKind::kNull;
  std::uint8_t width = 0;  // DECIMAL: digits in all, and behind the point
  std::uint8_t scale = 0;
  std::uint64_t array_size = 0;     // ARRAY
  std::vector<std::string> labels;  // ENUM: its values; STRUCT and UNION: names of the members
  std::vector<ValueType> children;  // LIST, ARRAY: 1; MAP: key, value; STRUCT, UNION: members
};

struct ResultColumn {
  std::string name;  // unique in the result
  ValueType type;
};

class ResultShape {
 public:
  // Reads names and types only; takes no row. kInvalidArgument names a column whose type has no
  // spelling here (DuckDB's TYPE, say): the statement should cast it.
  // `has_casts`: of a statement of declared_sql.h, whose casts its names do not show.
  static Result<ResultShape> from(duckdb_result& result, bool has_casts = false);

  const std::vector<ResultColumn>& columns() const { return columns_; }

 private:
  std::vector<ResultColumn> columns_;
};

}  // namespace sd::query
