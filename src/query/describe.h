// What a statement takes and gives, before it has run.
#pragma once

#include <duckdb.h>

#include <string>
#include <vector>

#include "base/result.h"
#include "query/declared_parameter.h"
#include "query/gate.h"
#include "query/result_shape.h"

namespace sd::query {

struct Described {
  struct Parameter {
    std::string name;   // "1" where it stands as ? or $1
    DeclaredType type;  // that holds what the statement takes there; string where it takes anything
  };
  struct Column {
    std::string name;
    std::string type;  // as CAST takes it
  };
  std::vector<Parameter> parameters;  // in DuckDB's order
  std::vector<Column> columns;        // empty: they cannot be told before it runs
};

// The columns of a result that has begun, and a list of them as JSON: [{"name","type"}].
std::vector<Described::Column> described(const ResultShape& shape);
std::string columns_json(const std::vector<Described::Column>& columns);

// Call it inside the statement's own transaction, with what prepare() gave for it as it was written; `statement` may be
// gate_declared()'s. `params` and `types` as bind() takes them; without them parameters are NULL. The columns are those of a run that gives no row: a parameter has a type only once
// it is bound. kInvalidArgument where a run fails whatever the values are: a parameter's type that fits nowhere (400
// "sql-error"), a column's that cannot be sent.
Result<Described> describe(duckdb_connection connection, const GatedStatement& statement,
                           duckdb_prepared_statement prepared, const json::Value* params,
                           const json::Value* types);

}  // namespace sd::query
