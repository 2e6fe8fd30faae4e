// The SQL gate: decides whether a statement of a stranger may be prepared on a destination's
// connection. Exactly one statement, that reads only, and reads only the destination.
//
// It is the first wall of several: the engine then prepares what comes back, checks the type of the
// prepared statement, runs it inside BEGIN TRANSACTION READ ONLY … ROLLBACK, in a process of its
// own that is locked in.
//
// How: (1) the text is tokenised here, because DuckDB's own extraction can already act (IMPORT
// DATABASE opens files): its leading keyword is in an allow-list, brackets are not too deep, one
// statement; comments are blanked out, so that what is judged is what is run; (2) what
// json_serialize_sql says of it (which parses and does nothing else) is walked: kinds of nodes and
// table functions by allow-list, other functions by deny-list (gate_policy.h says which and why),
// catalogs: the current one only; a name that DuckDB could take for a file must be a table; (3)
// only then does DuckDB extract statements from it. Anything unknown is refused.
//
// json_serialize_sql knows SELECT only. EXPLAIN is judged by its inner statement. A PIVOT whose
// values come from the data is judged with a list of values put in: everything else of it stays as
// it is.
//
// Errors, all kInvalidArgument, 400:
//   slug "sql-not-allowed"   a construct that the policy refuses; detail names it
//   slug "sql-syntax"        DuckDB's parser refuses it; the message is its own
// with the member `sql_position` (byte offset from 0) where it is known.
#pragma once

#include <duckdb.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "destinations/duckdb/handles.h"

namespace sd::query {

struct GateOptions {
  // Largest statement in bytes; 400 beyond.
  std::size_t max_bytes = std::size_t{2} << 20;
  // Deepest nesting of brackets.
  std::uint32_t max_depth = 500;
};

// A statement that passed.
struct GatedStatement {
  enum class Kind : std::uint8_t {
    kSelect,  // DUCKDB_STATEMENT_TYPE_SELECT once prepared (DESCRIBE, SHOW, SUMMARIZE are that too)
    kExplain,  // DUCKDB_STATEMENT_TYPE_EXPLAIN
  };
  Kind kind = Kind::kSelect;
  // As it came, but for comments, which are blanks: positions stay the same. Run this, not the
  // original.
  std::string sql;
  // A PIVOT that collects its values from the data: prepare() runs that part.
  bool collects_pivot_values = false;

  // The type that duckdb_prepared_statement_type must answer.
  duckdb_statement_type prepared_type() const {
    return kind == Kind::kExplain ? DUCKDB_STATEMENT_TYPE_EXPLAIN : DUCKDB_STATEMENT_TYPE_SELECT;
  }
};

// `connection` is one on which the destination's database is the current one (USE), with no
// transaction open and no stream: some lookups in the catalog run on it, nothing of the statement
// does.
Result<GatedStatement> gate(duckdb_connection connection, std::string_view sql,
                            const GateOptions& options = {});

// Prepares a gated statement and checks its type. Call it inside the statement's own BEGIN
// TRANSACTION READ ONLY: where the statement collects_pivot_values, this runs a SELECT DISTINCT for
// each column and makes temporary types of them, which the transaction's ROLLBACK drops; that takes
// as long as a query and can be interrupted like one. Errors of binding (no such table …) are
// kInvalidArgument with slug "sql-error", and sql_position where DuckDB says it.
Result<destinations::duckdb::Prepared> prepare(duckdb_connection connection,
                                               const GatedStatement& statement);

// What DuckDB says of `sql` as an Error (see destinations::duckdb::duckdb_error). Where it is the
// statement's fault, it gets the slug and, if the message carries "LINE n: … ^", sql_position.
Error sql_error(duckdb_error_type type, std::string_view message, std::string_view sql,
                std::string slug);

}  // namespace sd::query
