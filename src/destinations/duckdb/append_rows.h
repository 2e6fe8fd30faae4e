// Rows of a batch → a table, in the open transaction.
//
// An appender over an INSERT that names the batch's columns, so that a wide table costs what is written, not
// what is declared. (duckdb_appender_add_column() would do the same, with the square of the columns: 3,588
// took 3.2 s, this 3 ms.)
#pragma once

#include "destinations/batch.h"
#include "destinations/duckdb/handles.h"

namespace sd::destinations::duckdb {

// kInvalidArgument where the table refuses a row, or where a column is no longer of the type that the plan
// knows: then nothing is written into memory of another shape, and the schema must be read again.
Result<> append_rows(duckdb_connection connection, const TableBatch& table);

}  // namespace sd::destinations::duckdb
