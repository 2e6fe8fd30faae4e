// The types that the columns of a table have in the destination.
#pragma once

#include <string>
#include <unordered_map>

#include "base/result.h"
#include "destinations/duckdb/handles.h"

namespace sd::destinations::duckdb {

using TypesByName = std::unordered_map<std::string, LogicalType>;

// Of a table in main, by the names of its columns as they are spelled there.
Result<TypesByName> types_of(duckdb_connection connection, const std::string& table);

}  // namespace sd::destinations::duckdb
