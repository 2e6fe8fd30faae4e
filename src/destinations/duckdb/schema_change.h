// What a batch's rows ask of their table, as DDL, in the open transaction: a new table, new columns, wider types.
//
// A table that is there gets them one ALTER after the other. DuckDB copies the table's description for each of these,
// so that many on a wide table cost the square (500 on 3,000 columns: 3 s). Where the table is small it is made anew
// instead, in one statement, with its rows (0.4 s).
//
// A table of which this transaction has appended rows already is always made anew: DuckDB 1.5.6 loses the whole instance
// ("Row group prev allocated size is larger …") where appends beyond a row group come after an ALTER of such a
// table. One that cannot be made anew, as somebody's constraint hangs on it, is refused (kInvalidArgument).
#pragma once

#include "destinations/batch.h"
#include "destinations/duckdb/own_tables.h"

namespace sd::destinations::duckdb {

// Which way a table goes to its new columns and types; for tests.
enum class SchemaChangeWay : std::uint8_t { kNone, kCreate, kAlter, kMakeAnew };

// Logs every change in `own`. `may_make_anew`: not where each statement goes over a network. `appended`: rows of
// the table in this transaction.
Result<SchemaChangeWay> change_schema(duckdb_connection connection, OwnTables& own,
                                      const TableBatch& table, const Batch& batch,
                                      bool may_make_anew, std::uint64_t appended = 0);

}  // namespace sd::destinations::duckdb
