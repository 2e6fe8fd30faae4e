// DuckDB's C library: its header, the few functions that the header (of 1.4.4) lacks, and the check
// that the library found at run time is the one that this program was built and tested with.
#pragma once

#include <duckdb.h>

#include "base/result.h"

extern "C" {
// In libduckdb since 1.5; not in the 1.4.4 header. library_test.cc calls each.
// Drops what an appender has buffered, after a flush that failed.
duckdb_state duckdb_appender_clear(duckdb_appender appender);
// Columns of a described table. The type must be destroyed; null behind the last column.
idx_t duckdb_table_description_get_column_count(duckdb_table_description description);
duckdb_logical_type duckdb_table_description_get_column_type(duckdb_table_description description,
                                                             idx_t index);
}

namespace sd::destinations::duckdb {

inline constexpr const char* kPinnedVersion = "v1.5.6";

// kInternal with both versions where another library was found.
Result<> check_library();

}  // namespace sd::destinations::duckdb
