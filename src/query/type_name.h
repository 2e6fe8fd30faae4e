// Types in SQL's words, as people read them beside a result.
#pragma once

#include <string>

#include "query/result_shape.h"

namespace sd::query {

// What CAST takes: "DECIMAL(18,3)", "STRUCT(\"a\" INTEGER)[]", "ENUM('x', 'y')". Names of members are
// quoted always, which needs no list of reserved words. SQLNULL is "NULL".
std::string type_name(const ValueType& type);

// Numbers stand right-aligned in a table.
bool is_number(ValueKind kind);

}  // namespace sd::query
