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
// table functions by allow-list, other functions by deny-list (gate_policy.h says which and why; some
// by their arguments, gate_arguments.h), catalogs: the current one only; a name that DuckDB could take for
// a file must be a table; views and macros of the destination's own by what they stand for; what would be
// planned for long is refused, for planning cannot be interrupted (gate_cost.h); (3) only then does DuckDB
// extract statements from it. Anything unknown is refused.
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
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "destinations/duckdb/handles.h"
#include "query/gate_cost.h"
#include "query/sql_error.h"

namespace sd::query {

// What the destination's own catalog holds that stands for SQL. Nothing of this server makes such
// things, but whoever made the file may have: they are judged by what they stand for.
struct Definitions {
  struct Entry {
    std::string name;  // folded
    std::string sql;   // a view's CREATE VIEW; a macro's body
    bool table_macro = false;
    std::string schema;  // folded
  };
  std::vector<Entry> views;
  std::vector<Entry> macros;
};

// Reads them; some 15 ms, for DuckDB lists all its functions. They cannot change under an engine that
// holds its file alone, and it may keep them.
Result<Definitions> read_definitions(duckdb_connection connection);

struct GateOptions {
  // Largest statement in bytes; 400 beyond.
  std::size_t max_bytes = std::size_t{2} << 20;
  // Deepest nesting of brackets.
  std::uint32_t max_depth = 500;
  // Longest planning, in gate_cost.h's units.
  double max_plan_units = kMaxPlanUnits;
  // The destination's; null: the gate reads them itself.
  const Definitions* definitions = nullptr;
  // What a limited key may read: names of tables in main, ASCII case aside. A view may be read where
  // all that it reads may. Other names are refused in the same words whether they exist or not.
  std::optional<std::vector<std::string>> tables = {};
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
  // DESCRIBE, SHOW or SUMMARIZE: within brackets they stand behind FROM only.
  bool describes = false;
  // A PIVOT that collects its values from the data: prepare() runs that part.
  bool collects_pivot_values = false;
  // The rows of one table as they stand: they come from the start on, and how many have come is all there is to tell
  // of how far it is.
  bool plain_scan = false;
  // Another result for the same data: it asks the clock, chance, the session or the catalog, or it is
  // EXPLAIN. No ETag then. (Rows without an ORDER BY come in any order, which does not count.)
  bool volatile_result = false;
  // Places where a parameter stands, "?" or "$" with a number or name; more than there are parameters where one
  // stands in several. bind() asks.
  std::size_t parameter_marks = 0;
  // Each of them stands in a cast to one type (declared_sql.h).
  bool has_casts = false;
  // GateOptions::tables was given: messages name no other tables.
  bool limited = false;

  // The words that DuckDB takes within brackets as a table: "(…)" behind FROM, COPY. Not EXPLAIN, nor a PIVOT that
  // collects its values.
  std::string within_brackets() const {
    std::string text = sql;
    const std::size_t last = text.find_last_not_of(" \t\r\n;");
    text.resize(last == std::string::npos ? 0 : last + 1);
    return describes ? "FROM (" + text + "\n)" : text;
  }

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

// The same of a COPY to a file whose rows a gated statement makes: `copy` is that text, with the statement's own
// within it. What of it is not the statement's is the caller's to have made safe.
Result<destinations::duckdb::Prepared> prepare_copy(duckdb_connection connection,
                                                    const GatedStatement& statement,
                                                    const std::string& copy);

}  // namespace sd::query
