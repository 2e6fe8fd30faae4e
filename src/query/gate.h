// The SQL gate: decides whether a statement of a stranger may be prepared on a destination's
// connection. Exactly one statement, that reads only, and reads only the destination.
//
// It is the first wall of several: the engine then prepares what comes back, checks the type of the
// prepared statement, runs it inside BEGIN TRANSACTION READ ONLY … ROLLBACK, in a process of its own
// that is locked in.
//
// How: (1) the text is tokenised here, because DuckDB's own extraction can already act (IMPORT
// DATABASE opens files): one statement, its leading keyword in an allow-list, parentheses not too deep;
// (2) DuckDB's parser is run over it; (3) what json_serialize_sql says of it is walked: kinds of nodes,
// table functions and catalogs by allow-list, scalar functions by deny-list of those with side effects
// or that reach outside (see gate_policy.h). Anything unknown is refused.
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
};

// A statement that passed.
struct GatedStatement {
  enum class Kind : std::uint8_t {
    kSelect,   // DUCKDB_STATEMENT_TYPE_SELECT once prepared (DESCRIBE, SHOW, SUMMARIZE are that too)
    kExplain,  // DUCKDB_STATEMENT_TYPE_EXPLAIN
  };
  Kind kind = Kind::kSelect;
  std::string sql;  // as it came

  // The type that duckdb_prepared_statement_type must answer.
  duckdb_statement_type prepared_type() const {
    return kind == Kind::kExplain ? DUCKDB_STATEMENT_TYPE_EXPLAIN : DUCKDB_STATEMENT_TYPE_SELECT;
  }
};

// `connection` is one on which the destination's database is the current one (USE). Nothing of the
// statement is executed. The connection must have no open stream and no aborted transaction.
Result<GatedStatement> gate(duckdb_connection connection, std::string_view sql,
                            const GateOptions& options = {});

// Prepares a gated statement and checks its type. Errors of binding (no such table …) are
// kInvalidArgument with slug "sql-error" and sql_position where DuckDB says it.
Result<destinations::duckdb::Prepared> prepare(duckdb_connection connection,
                                               const GatedStatement& statement);

// A DuckDB error message as ours: slug and, where the message carries "LINE n: … ^", sql_position.
Error sql_error(duckdb_error_type type, std::string_view message, std::string_view sql,
                std::string slug);

}  // namespace sd::query
