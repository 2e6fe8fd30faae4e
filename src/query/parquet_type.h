// What Parquet cannot hold as it is, and what it is written as instead.
//
// DuckDB's writer makes doubles of HUGEINT and UHUGEINT, drops the offset of TIMETZ, cuts an INTERVAL to
// milliseconds and refuses negative ones, and loses which member of a UNION is meant. Rather exact than
// alike: such columns are cast before they are written.
#pragma once

#include <optional>
#include <string>

#include "query/result_shape.h"

namespace sd::query {

// The type to cast to, as SQL; none where the writer holds every value of the type. A HUGEINT becomes
// DECIMAL(38,0), into which a value of 39 digits does not go: the cast is an error then.
std::optional<std::string> parquet_type(const ValueType& type);

// A statement that gives what `sql` (which may stand after FROM, in brackets) does, with those columns
// cast and named as the shape says; none where nothing is to cast, unless its names are to be given anyway.
std::optional<std::string> cast_for_parquet(const std::string& sql, const ResultShape& shape,
                                            bool names = false);

}  // namespace sd::query
