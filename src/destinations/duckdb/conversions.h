// How a column's values are carried over when its type widens, and errors of attaching.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "json/types.h"

namespace sd::destinations::duckdb {

// SQL that turns the (quoted) column of type `from` into type `to` without losing a digit, spelled as
// json/types.h says. Text of a column that has seen no strings is numbers and booleans: they become
// JSON values; any other text becomes JSON strings (`had_strings`).
std::string conversion(std::string_view column, const json::ColumnType& from,
                       const json::ColumnType& to, bool had_strings);

// What an ATTACH error means to the user: who holds the file, that it is no database, that a newer
// DuckDB wrote it. Without paths.
Error explain_attach_error(const Error& error);

}  // namespace sd::destinations::duckdb
