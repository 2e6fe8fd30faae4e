// What a key that is limited to tables may read, what makes a result volatile, what messages tell; and the
// policy's lists against DuckDB's own.
#include <gtest/gtest.h>

#include <set>

#include "base/ascii.h"
#include "query/gate_policy.h"
#include "query/parameters.h"
#include "query/test_gate.h"

namespace sd::query {
namespace {

using testing::Gate;
using testing::position_of;
using testing::TestDatabase;
namespace duck = destinations::duckdb;

class LimitedKey : public Gate {
 protected:
  LimitedKey() {
    database_.run("CREATE TABLE secret(hidden_column INTEGER)");
    database_.run("CREATE TABLE \"Größe\"(a INTEGER)");
    database_.run("CREATE VIEW v_secret AS SELECT * FROM secret");
    database_.run(
        "CREATE VIEW v_mixed AS SELECT * FROM t, (SELECT max(hidden_column) FROM secret)");
    database_.run("CREATE VIEW v_catalog AS SELECT * FROM duckdb_tables()");
    database_.run("CREATE VIEW other.v_elsewhere AS SELECT * FROM other.u");
    // Names that are in main too, elsewhere.
    database_.run("CREATE VIEW other.secret AS SELECT 1 AS a");
    database_.run("CREATE VIEW v_shadowed AS SELECT * FROM secret");
    database_.run("CREATE VIEW other.listed AS SELECT 1 AS a");
    database_.run("CREATE SCHEMA recurring");
    database_.run("CREATE TABLE recurring.t AS SELECT 1 AS a");
    database_.run("CREATE VIEW \"ÄV\" AS SELECT * FROM secret");
    database_.run("CREATE TYPE mood AS ENUM('hidden_column', 'b')");
    database_.run("CREATE MACRO count_secret() AS (SELECT count(*) FROM secret)");
    database_.run("CREATE MACRO rows_secret() AS TABLE SELECT * FROM secret");
    definitions_ = *read_definitions(database_.connection());
    options_.definitions = &definitions_;
    options_.tables = {"T",        "cities",        "missing", "pg_class",
                       "v_secret", "duckdb_tables", "u",       "listed"};
  }

  Result<GatedStatement> limited(std::string_view sql) {
    return query::gate(database_.connection(), sql, options_);
  }
  // The message of what stops it, in the gate, when it is prepared or when it runs; empty where nothing does.
  std::string stopped(std::string_view sql) {
    const Result<GatedStatement> gated = limited(sql);
    if (!gated) return gated.error().message;
    database_.run("BEGIN TRANSACTION READ ONLY");
    const Result<> outcome = run_gated(*gated);
    database_.run("ROLLBACK");
    return outcome ? "" : outcome.error().message;
  }

  GateOptions options_;
};

TEST_F(LimitedKey, ReadsItsTablesInEveryWay) {
  for (const std::string_view sql : {"SELECT 1",
                                     "FROM t",
                                     "FROM T",
                                     "TABLE t",
                                     "FROM main.t",
                                     "FROM db.t",
                                     "FROM db.main.t",
                                     "FROM DB.MAIN.\"t\"",
                                     "FROM t JOIN cities ON t.i = cities.year",
                                     "SELECT (SELECT count(*) FROM t)",
                                     "WITH secret AS (SELECT 1 AS a) FROM secret",
                                     "WITH a AS (FROM t), secret AS (FROM a) FROM secret",
                                     "WITH RECURSIVE secret(n) AS (SELECT 1 UNION ALL SELECT n + 1 "
                                     "FROM secret WHERE n < 3) FROM secret",
                                     "WITH RECURSIVE r(a, b) USING KEY (a) AS (SELECT 1, 1 UNION "
                                     "SELECT a, b + 1 FROM recurring.r WHERE b < 3) FROM r",
                                     "WITH x AS (SELECT 1 AS n) SELECT i FROM t ORDER BY (SELECT n "
                                     "FROM x) LIMIT (SELECT n FROM x)",
                                     "SELECT * FROM (WITH x AS (FROM t) FROM x) y",
                                     "FROM range(3), t",
                                     "DESCRIBE t",
                                     "SUMMARIZE t",
                                     "SHOW t",
                                     "DESCRIBE SELECT i FROM t",
                                     "EXPLAIN FROM t",
                                     "EXPLAIN ANALYZE FROM t",
                                     "PIVOT cities ON year USING sum(population)",
                                     "UNPIVOT cities ON year, population",
                                     "FROM v",
                                     "FROM v_of_v",
                                     "SELECT twice(i), count_all() FROM t",
                                     "FROM rows_of_t()",
                                     "SELECT now(), random(), current_database()",
                                     "SELECT '{}'::JSON, 1::HUGEINT, '1'::BIGNUM, NULL::GEOMETRY, "
                                     "'a'::ENUM('a', 'b'), NULL::TIME_NS, NULL::DECIMAL(3,1)[2]",
                                     "FROM duckdb_keywords()",
                                     "SELECT t FROM t",
                                     "SELECT COLUMNS(*) FROM t"}) {
    EXPECT_EQ(stopped(sql), "") << sql;
  }
}

TEST_F(LimitedKey, ReadsNothingElse) {
  for (const std::string_view sql :
       {"FROM secret", "FROM SECRET", "TABLE secret", "FROM \"secret\"", "FROM main.secret",
        "FROM db.secret", "FROM db.main.secret", "FROM t, secret", "FROM t JOIN secret ON true",
        "SELECT (SELECT max(hidden_column) FROM secret)", "FROM t WHERE i IN (FROM secret)",
        "FROM t WHERE EXISTS (FROM secret)", "SELECT i FROM t LIMIT (SELECT count(*) FROM secret)",
        "SELECT i FROM t ORDER BY (SELECT count(*) FROM secret)", "FROM (FROM secret)",
        "FROM t UNION ALL FROM secret", "FROM t, LATERAL (FROM secret)",
        "FROM range((SELECT count(*) FROM secret))", "VALUES ((SELECT count(*) FROM secret))",
        "DESCRIBE secret", "SUMMARIZE secret", "SHOW secret", "DESCRIBE FROM secret",
        "EXPLAIN FROM secret", "EXPLAIN ANALYZE FROM secret",
        "PIVOT secret ON hidden_column USING count(*)", "UNPIVOT secret ON hidden_column",
        // a CTE's name outside of where it counts
        "WITH secret AS (FROM secret) FROM secret",
        "FROM (WITH secret AS (SELECT 1) FROM secret) x, secret",
        "WITH a AS (FROM secret), secret AS (SELECT 1) FROM a",
        "WITH secret AS (SELECT 1) FROM main.secret", "WITH secret AS (SELECT 1) FROM db.secret",
        "SELECT * FROM secret WHERE 1 IN (WITH secret AS (SELECT 1) FROM secret)",
        "WITH RECURSIVE secret AS (FROM secret UNION ALL FROM secret) FROM secret",
        "WITH x AS (WITH secret AS (SELECT 1) FROM secret) FROM secret",
        "(WITH secret AS (SELECT 1) FROM secret) UNION ALL FROM secret",
        "SELECT i FROM t ORDER BY (WITH secret AS (SELECT 1) SELECT count(*) FROM main.secret)",
        "FROM recurring.secret", "WITH r AS (SELECT 1) FROM recurring.secret",
        // "recurring" outside of a recursion USING KEY
        "WITH t AS (SELECT 1) FROM recurring.t", "WITH secret AS (SELECT 1) FROM recurring.secret",
        "WITH RECURSIVE t(a) AS (SELECT 1 UNION SELECT a FROM recurring.t) FROM t",
        "WITH RECURSIVE t(a) USING KEY (a) AS (SELECT 1 UNION SELECT a FROM recurring.t) FROM "
        "recurring.t",
        "WITH RECURSIVE r(a) USING KEY (a) AS (SELECT 1 UNION (WITH t AS (SELECT 1) FROM "
        "recurring.t)) FROM r",
        // views of the same name in another schema
        "FROM v_shadowed", "FROM other.secret", "FROM db.other.secret", "FROM listed",
        "FROM other.listed", "FROM \"ÄV\"", "FROM \"äV\"",
        // types of the destination's own
        "SELECT enum_range(NULL::mood)", "SELECT 'x'::mood", "SELECT NULL::STRUCT(a mood[])",
        "SELECT TRY_CAST('b' AS main.mood)", "SELECT NULL::nowhere",
        // PIVOT collects its values in a statement of its own, with names in another order
        "WITH secret AS (SELECT 1 AS x) SELECT * FROM (WITH a AS (FROM secret) PIVOT a ON x USING "
        "count(*))",
        "WITH secret AS (SELECT 1 AS hidden_column) PIVOT secret ON hidden_column USING count(*)",
        "SELECT * FROM (WITH a AS (FROM secret) PIVOT a ON hidden_column USING count(*))",
        // views and macros over it
        "FROM v_secret", "FROM v_mixed", "FROM v_other", "FROM other.v_elsewhere", "FROM v_own",
        "FROM v_reads", "SELECT count_secret()", "FROM rows_secret()", "FROM v_catalog",
        // what is listed, but is no table of main
        "FROM missing", "FROM pg_class", "FROM pg_catalog.pg_class", "FROM duckdb_tables", "FROM u",
        "FROM other.u", "FROM other.t", "FROM memory.t", "FROM db.other.u",
        // lists of tables
        "SHOW TABLES", "SHOW ALL TABLES", "SHOW DATABASES", "SHOW TABLES FROM other", "DESCRIBE",
        "FROM duckdb_tables()", "FROM duckdb_columns()", "FROM duckdb_views()",
        "FROM duckdb_constraints()", "FROM duckdb_indexes()", "FROM duckdb_schemas()",
        "FROM duckdb_sequences()", "FROM duckdb_types()", "FROM duckdb_functions()",
        "FROM pragma_show('secret')", "FROM pragma_table_info('secret')",
        "FROM pragma_table_info('t')", "FROM sqlite_master", "FROM information_schema.tables",
        "FROM information_schema.columns", "FROM pg_catalog.pg_tables", "FROM pg_tables",
        "FROM duckdb_columns", "FROM duckdb_views", "FROM (SHOW TABLES)",
        "SELECT pg_get_viewdef(1)", "SELECT pg_get_constraintdef(1)", "SELECT format_type(1, 1)",
        "SELECT get_block_size('db')", "FROM _scratch.failed_rows", "FROM 'secret.csv'",
        "FROM query_table('secret')", "FROM query('FROM secret')"}) {
    EXPECT_NE(stopped(sql), "") << sql;
  }
}

// What it may not read looks as if it did not exist.
TEST_F(LimitedKey, LearnsNothingFromMessages) {
  const auto message = [&](const std::string& name) {
    const Result<GatedStatement> gated = limited("SELECT 1 FROM " + name);
    EXPECT_FALSE(gated) << name;
    if (gated) return std::string();
    EXPECT_EQ(gated.error().slug, "sql-not-allowed");
    EXPECT_EQ(position_of(gated.error()), 14U);
    return gated.error().message;
  };
  EXPECT_EQ(message("secret"), "there is no table \"secret\" that this key may read");
  EXPECT_EQ(message("secrex"), "there is no table \"secrex\" that this key may read");
  EXPECT_EQ(message("v_secret"), "there is no table \"v_secret\" that this key may read");
  EXPECT_EQ(message("main.secret"), "there is no table \"main\".\"secret\" that this key may read");
  EXPECT_EQ(message("main.secrex"), "there is no table \"main\".\"secrex\" that this key may read");
  EXPECT_EQ(message("nowhere.v"), "there is no table \"nowhere\".\"v\" that this key may read");
  for (const std::string_view sql :
       {"FROM t SELECT hidden_colum", "FROM t SELECT secret.i", "SELECT secrets(1)",
        "SELECT 1::secre", "SELECT secret", "FROM t WHERE hidden_column = 1",
        "SELECT t.hidden_column FROM t", "SELECT x.i FROM t", "DESCRIBE secrets",
        "SELECT 'a' COLLATE secre", "SELECT hidden_column FROM cities", "SELECT count_secre()"}) {
    const std::string text = stopped(sql);
    EXPECT_NE(text, "") << sql;
    EXPECT_EQ(text.find("Did you mean"), std::string::npos) << text;
    // Nothing but what the statement itself says.
    for (const std::string_view name : {"other", "v_mixed", "count_secret", "Größe"}) {
      EXPECT_EQ(text.find(name), std::string::npos) << text;
    }
    if (sql.find("hidden_column") == std::string_view::npos) {
      EXPECT_EQ(text.find("hidden_column"), std::string::npos) << text;
    }
  }
}

TEST_F(LimitedKey, NamesFoldAsTheServersNamesDo) {
  options_.tables = {"gRößE"};
  EXPECT_EQ(stopped("FROM \"Größe\""), "");
  EXPECT_EQ(stopped("FROM größe"), "");
  EXPECT_NE(stopped("FROM t"), "");
  // Only A to Z have a case: to DuckDB these are the same name, to this server they are two.
  options_.tables = {"GRÖSSE", "GRÖßE"};
  EXPECT_NE(stopped("FROM \"GRÖßE\""), "");
  options_.tables = std::vector<std::string>{};
  EXPECT_EQ(stopped("SELECT 1"), "");
  EXPECT_NE(stopped("FROM t"), "");
}

TEST_F(Gate, KnowsWhatIsRowsOfOneTableAsTheyStand) {
  const auto is_plain = [&](std::string_view sql) {
    const Result<GatedStatement> gated = gate(sql);
    EXPECT_TRUE(gated) << sql << gated.error().message;
    return gated && gated->plain_scan;
  };
  for (const std::string_view sql :
       {"FROM t", "SELECT * FROM t", "SELECT i, s AS x FROM main.t AS a WHERE i > 3 AND s != 'x'",
        "SELECT * EXCLUDE (i) FROM t LIMIT 10 OFFSET 2", "SELECT i::VARCHAR, 1 FROM t",
        "SELECT i FROM t WHERE i IS NOT NULL AND i IN (1, 2) AND i BETWEEN $a AND $b"}) {
    EXPECT_TRUE(is_plain(sql)) << sql;
  }
  for (const std::string_view sql : {"SELECT 1",
                                     "FROM range(3)",
                                     "SELECT count(*) FROM t",
                                     "SELECT i + 1 FROM t",
                                     "SELECT DISTINCT i FROM t",
                                     "SELECT i FROM t GROUP BY i",
                                     "SELECT i FROM t GROUP BY ALL",
                                     "FROM t ORDER BY i",
                                     "FROM t, cities",
                                     "FROM t JOIN cities ON i = year",
                                     "FROM (FROM t)",
                                     "WITH a AS (FROM t) FROM a",
                                     "FROM t UNION ALL FROM t",
                                     "SELECT sum(i) OVER () FROM t",
                                     "SELECT i FROM t QUALIFY row_number() OVER () = 1",
                                     "SELECT i FROM t WHERE i = (SELECT 1)",
                                     "FROM t USING SAMPLE 3 ROWS",
                                     "EXPLAIN FROM t",
                                     "SUMMARIZE t",
                                     "DESCRIBE t",
                                     "UNPIVOT cities ON year, population",
                                     "FROM t LIMIT 10%"}) {
    EXPECT_FALSE(is_plain(sql)) << sql;
  }
}

TEST_F(Gate, KnowsWhatIsVolatile) {
  const auto is_volatile = [&](std::string_view sql) {
    const Result<GatedStatement> gated = gate(sql);
    EXPECT_TRUE(gated) << sql << gated.error().message;
    return gated && gated->volatile_result;
  };
  for (const std::string_view sql : {"SELECT now()",
                                     "SELECT current_timestamp",
                                     "SELECT current_date",
                                     "SELECT CURRENT_TIME",
                                     "SELECT localtimestamp",
                                     "SELECT today()",
                                     "SELECT get_current_timestamp()",
                                     "SELECT transaction_timestamp()",
                                     "SELECT random()",
                                     "SELECT uuid()",
                                     "SELECT gen_random_uuid()",
                                     "SELECT uuidv7()",
                                     "SELECT age(DATE '2020-01-01')",
                                     "SELECT ago(INTERVAL 1 DAY)",
                                     "SELECT txid_current()",
                                     "SELECT current_query()",
                                     "SELECT current_connection_id()",
                                     "SELECT current_schema()",
                                     "FROM t WHERE i > random()",
                                     "FROM t ORDER BY random()",
                                     "SELECT (SELECT now())",
                                     "WITH x AS (SELECT now()) FROM x",
                                     "SELECT list_transform([1], lambda x: random())",
                                     "SELECT sum(random()) OVER () FROM t",
                                     "SELECT i FROM t LIMIT (SELECT random()::INT)",
                                     "PIVOT cities ON year USING sum(population * random())",
                                     "FROM t TABLESAMPLE 10%",
                                     "FROM t USING SAMPLE 3 ROWS",
                                     "SELECT * FROM (FROM t USING SAMPLE 10%)",
                                     "FROM v_time",
                                     "FROM (SELECT * FROM v_time)",
                                     "FROM duckdb_tables()",
                                     "FROM duckdb_columns()",
                                     "FROM pragma_table_info('t')",
                                     "FROM pg_timezone_names()",
                                     "SHOW TABLES",
                                     "FROM information_schema.tables",
                                     "FROM pg_catalog.pg_class",
                                     "FROM sqlite_master",
                                     "FROM duckdb_tables",
                                     "EXPLAIN FROM t",
                                     "EXPLAIN ANALYZE FROM t",
                                     "DESCRIBE SELECT now()"}) {
    EXPECT_TRUE(is_volatile(sql)) << sql;
  }
  for (const std::string_view sql :
       {"SELECT 1", "FROM t", "SELECT count(*), sum(i) FROM t GROUP BY s ORDER BY ALL",
        "SELECT age(DATE '2020-01-01', DATE '2019-01-01')",
        "SELECT date_trunc('day', TIMESTAMP '2020-01-01'), upper('x'), i + 1 FROM t", "FROM v",
        "FROM v_of_v", "FROM range(3)", "SELECT twice(i), count_all() FROM t",
        "FROM t TABLESAMPLE 10% (system, 42)",
        "FROM t USING SAMPLE reservoir(3 ROWS) REPEATABLE (7)", "DESCRIBE t", "SUMMARIZE t",
        "PIVOT cities ON year USING sum(population)",
        "SELECT 'now()', \"now\" FROM (SELECT 1 AS \"now\")",
        "SELECT today FROM (SELECT 1 AS today)", "SELECT $1::INT", "SELECT version()",
        "FROM json_each('{}')"}) {
    EXPECT_FALSE(is_volatile(sql)) << sql;
  }
}

// By DuckDB's own word, where it has one; and by what its macros stand for.
TEST_F(Gate, KnowsEveryFunctionThatDuckdbCallsVolatile) {
  TestDatabase fresh;
  const auto names = [&](const std::string& where) {
    std::istringstream words(fresh.value(
        "SELECT string_agg(DISTINCT function_name, ' ') FROM duckdb_functions() WHERE " + where));
    return std::set<std::string>(std::istream_iterator<std::string>(words), {});
  };
  const auto marked = names("stability <> 'CONSISTENT'");
  EXPECT_GE(marked.size(), 25U);
  std::string pattern;
  for (const std::string& name : marked) {
    EXPECT_TRUE(is_volatile_function(name) || is_denied_function(name)) << name;
    pattern += (pattern.empty() ? "" : "|") + name;
  }
  const auto macros =
      names("function_type = 'macro' AND regexp_matches(macro_definition, '\\b(current_timestamp|" +
            pattern + ")\\b')");
  EXPECT_GE(macros.size(), 5U);
  for (const std::string& name : macros) {
    if (name == "json_group_object") continue;  // it only fails by error()
    EXPECT_TRUE(is_volatile_function(name) || is_denied_function(name)) << name;
  }
  const auto readers = names("function_type = 'macro' AND macro_definition ILIKE '%from %'");
  EXPECT_GE(readers.size(), 4U);
  for (const std::string& name : readers) {
    EXPECT_TRUE(is_catalog_function(name)) << name;
    EXPECT_TRUE(is_volatile_function(name)) << name;
  }
}

// A macro that names an argument twice makes a tree of it, when it is nested.
TEST_F(Gate, KnowsWhichMacrosCopyTheirArguments) {
  TestDatabase fresh;
  const std::string copied = fresh.value(
      "SELECT string_agg(DISTINCT function_name, ' ') FROM (SELECT function_name, "
      "macro_definition, "
      "unnest(parameters) AS p FROM duckdb_functions() WHERE function_type = 'macro') WHERE "
      "len(regexp_extract_all(macro_definition, '(^|[^a-z_])\"?' || p || '\"?($|[^a-z_])')) > 1");
  std::istringstream words(copied);
  std::size_t seen = 0;
  for (std::string name; words >> name; ++seen) {
    // Long chains of CASE over one text; nobody nests them, and they cannot be: they give no such text.
    if (name == "map_to_pg_oid" || name == "format_pg_type" || name.starts_with("has_") ||
        is_catalog_function(name))
      continue;
    EXPECT_GT(macro_copies(name), 1) << name;
  }
  EXPECT_GE(seen, 8U);
}

TEST_F(Gate, KnowsEveryViewOfTheLibrary) {
  TestDatabase fresh;
  // Another number: see whether what is new names paths or settings, then change it.
  EXPECT_EQ(fresh.value("SELECT count(DISTINCT view_name) FROM duckdb_views() WHERE internal"),
            "47");
}

TEST(SqlError, HasNoStackTraceNoPathAndNoAdviceAboutSettings) {
  const Error internal =
      sql_error(DUCKDB_ERROR_INTERNAL,
                "INTERNAL Error: something\n\nStack Trace:\n\n/usr/lib/libduckdb.so(x)", "SELECT 1",
                "sql-error");
  EXPECT_EQ(internal.code, ErrorCode::kInternal);
  EXPECT_EQ(internal.message, "INTERNAL Error: something");
  const Error memory =
      sql_error(DUCKDB_ERROR_OUT_OF_MEMORY,
                "Out of Memory Error: failed to allocate\n\nPossible solutions:\n* SET threads",
                "SELECT 1", "sql-error");
  EXPECT_EQ(memory.message, "Out of Memory Error: failed to allocate");
  const Error io = sql_error(
      DUCKDB_ERROR_IO, "IO Error: Could not write file \"/data/x/tmp\": No space left on device",
      "SELECT 1", "sql-error");
  EXPECT_EQ(io.code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(io.message.find("/data"), std::string::npos);
  const char* guess =
      "Catalog Error: Table with name x does not exist!\nDid you mean \"secret\"?\n\nLINE 1: FROM "
      "x\n             ^";
  EXPECT_NE(sql_error(DUCKDB_ERROR_CATALOG, guess, "FROM x", "sql-error").message.find("secret"),
            std::string::npos);
  const Error limited = sql_error(DUCKDB_ERROR_CATALOG, guess, "FROM x", "sql-error", true);
  EXPECT_EQ(limited.message,
            "Catalog Error: Table with name x does not exist!\n\nLINE 1: FROM x\n             ^");
  EXPECT_EQ(position_of(limited), 5U);
}

}  // namespace
}  // namespace sd::query
