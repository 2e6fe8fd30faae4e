// SQL whose parameters have declared types: a saved endpoint's.
//
// Each place of a parameter stands in a cast to its type before the statement is judged and run: $day → CAST($day AS DATE).
// So it means the same wherever it stands, however often, and as NULL; a column made of it always has the same type, and
// what a column is compared with is not made to fit the column's type first (300 beside a TINYINT is no row, not an error).
//
// Where that does not bind, integers become INTEGER, which some functions take alone (current_date - $days); where that does
// not bind either, the statement is judged and run as it was written: then DuckDB makes of a text what it wants there.
#pragma once

#include <duckdb.h>

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "json/document.h"
#include "query/gate.h"

namespace sd::query {

// The text with casts; nullopt where it has none or one without a type, or is no SQL. `types` and `params` are objects as
// query::bind() takes them; a DECIMAL is as wide as its value's digits. `narrow`: integers are INTEGER.
std::optional<std::string> with_casts(std::string_view sql, const json::Value& types,
                                      const json::Value& params, bool narrow = false);

// gate() of the first of these texts that DuckDB binds. Errors are gate()'s, of the text as it was written. Call it as
// gate() is called; it opens and ends a transaction.
Result<GatedStatement> gate_declared(duckdb_connection connection, std::string_view sql,
                                     const json::Value& types, const json::Value& params,
                                     const GateOptions& options = {});

}  // namespace sd::query
