// Parameters of a statement: JSON from the client, bound as values, never spliced into the text.
//
// An array gives ?, $1, $2 … in their order; an object gives $name, without regard to ASCII case.
//
//   null             NULL
//   true, false      BOOLEAN
//   12               BIGINT; HUGEINT or UHUGEINT where it needs to be, no digit is lost
//   1.50             DECIMAL, up to 38 digits; beyond, and with an exponent, DOUBLE, as in SQL
//   "text"           VARCHAR, which DuckDB casts where it is used: WHERE d > $d, $d::DATE
//   [1, 2]           LIST, of the type that holds all elements: list_contains($ids, id)
//   {"a": 1}         STRUCT
//
// An array or object to be used as a document is sent as a string: $1::JSON.
#pragma once

#include <duckdb.h>

#include "base/result.h"
#include "json/document.h"
#include "query/gate.h"

namespace sd::query {

// Binds all of them; `params` is null where the client sent none. Errors: kInvalidArgument with slug
// "invalid-parameter", and the parameter's name as the member "parameter" where it is about one: too few, too
// many, an unknown name, a value that is no value for the type that the statement takes there. What only
// a cast can find ('abc' as a date) DuckDB says when the statement runs, as "sql-error".
//
// `types`, where it is not null, is an object of the types that somebody has declared for some of them, by name:
// {"day": "date"}; those values are as read_declared() of declared_parameter.h gives them, and become what it says.
Result<> bind(duckdb_prepared_statement prepared, const GatedStatement& statement,
              const json::Value* params, const json::Value* types = nullptr);

}  // namespace sd::query
