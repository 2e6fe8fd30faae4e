#include "query/gate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <map>
#include <sstream>

#include "query/gate_policy.h"
#include "query/sql_tokens.h"
#include "query/test_database.h"

namespace sd::query {
namespace {

using testing::TempFolder;
using testing::TestDatabase;
namespace duck = destinations::duckdb;

std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  out.reserve(text.size() * times);
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

std::string slug_of(const Error& error) {
  return error.slug;
}

std::optional<std::size_t> position_of(const Error& error) {
  for (const auto& [name, value] : error.members) {
    if (name == "sql_position") return std::stoul(value);
  }
  return std::nullopt;
}

// Every file under a folder with its bytes.
std::map<std::string, std::string> snapshot(const std::filesystem::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    std::stringstream bytes;
    bytes << in.rdbuf();
    files[entry.path().string()] = bytes.str();
  }
  return files;
}

// A file attached to an instance in memory and locked down, as in production.
class Gate : public ::testing::Test {
 protected:
  Gate() {
    const std::string file = (folder_.path() / "data.duckdb").string();
    std::ofstream(folder_.path() / "secret.csv") << "a,b\n1,secret\n";
    database_.run("ATTACH " + duck::quote_literal(file) + " AS db");
    database_.run("USE db");
    database_.run("CREATE TABLE t AS SELECT range AS i, 'x' || (range % 3) AS s FROM range(10)");
    database_.run("CREATE TABLE cities(country VARCHAR, year INTEGER, population INTEGER)");
    database_.run(
        "INSERT INTO cities VALUES ('NL', 2000, 1005), ('NL', 2010, 1065), ('US', 2000, 8)");
    database_.run("CREATE TABLE \"odd.csv\"(a INTEGER)");
    database_.run("CREATE VIEW v AS SELECT * FROM t");
    database_.run("CREATE SEQUENCE seq");
    database_.run("CREATE SCHEMA other");
    database_.run("CREATE TABLE other.u(a INTEGER)");
    database_.run("PREPARE p AS SELECT 1");
    database_.run("CHECKPOINT db");
    for (const char* setting :
         {"autoinstall_known_extensions = false", "autoload_known_extensions = false",
          "allow_community_extensions = false", "enable_external_access = false",
          "lock_configuration = true"}) {
      database_.run(std::string("SET ") + setting);
    }
  }

  Result<GatedStatement> gate(std::string_view sql) {
    return query::gate(database_.connection(), sql);
  }

  // As the engine does it: gate, then prepare and run in a read-only transaction that is rolled
  // back.
  Result<> run(std::string_view sql) {
    TRY_ASSIGN(const GatedStatement statement, gate(sql));
    database_.run("BEGIN TRANSACTION READ ONLY");
    Result<> outcome = run_gated(statement);
    database_.run("ROLLBACK");
    return outcome;
  }
  Result<> run_gated(const GatedStatement& statement) {
    TRY_ASSIGN(const duck::Prepared prepared, prepare(database_.connection(), statement));
    duck::QueryResult result;
    if (duckdb_execute_prepared(prepared.get(), result.get()) != DuckDBSuccess) {
      return fail(duck::result_error(result.get()));
    }
    return {};
  }

  TempFolder folder_;
  TestDatabase database_;
};

enum class Expect {
  kRuns,     // passes and runs
  kPasses,   // passes; DuckDB may have its own objections
  kRefused,  // sql-not-allowed
  kSyntax,   // sql-syntax
};

struct Probe {
  std::string_view sql;
  Expect expect;
};

constexpr Probe kProbes[] = {
    // What people do.
    {"SELECT 1", Expect::kRuns},
    {"select 1;", Expect::kRuns},
    {"SELECT 1 ; ; ", Expect::kRuns},
    {"  \n\t SELECT 1", Expect::kRuns},
    {"-- a comment\nSELECT 1 -- another", Expect::kRuns},
    {"/* a /* nested */ comment */ SELECT 1", Expect::kRuns},
    {"(SELECT 1)", Expect::kRuns},
    {"((FROM t))", Expect::kRuns},
    {"FROM t", Expect::kRuns},
    {"FROM t SELECT i", Expect::kRuns},
    {"TABLE t", Expect::kRuns},
    {"VALUES (1, 'a'), (2, 'b')", Expect::kRuns},
    {"WITH x AS (SELECT 1 AS a) SELECT * FROM x", Expect::kRuns},
    {"WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5) FROM r",
     Expect::kRuns},
    {"WITH RECURSIVE r(a, b) USING KEY (a) AS (SELECT 1, 1 UNION SELECT a, b + 1 FROM r WHERE b < "
     "3) FROM r",
     Expect::kRuns},
    {"SELECT s, count(*), sum(i) FROM t GROUP BY ALL HAVING count(*) > 1 ORDER BY 2 DESC LIMIT 3",
     Expect::kRuns},
    {"SELECT * FROM t JOIN cities ON t.i = cities.year LEFT JOIN v USING (i)", Expect::kRuns},
    {"SELECT i, lag(i) OVER (PARTITION BY s ORDER BY i) FROM t QUALIFY row_number() OVER () < 3",
     Expect::kRuns},
    {"SELECT * EXCLUDE (s) REPLACE (i + 1 AS i), COLUMNS('.*') FROM t", Expect::kRuns},
    {"SELECT [x + 1 FOR x IN [1, 2]], list_transform([1], lambda x: x), {'a': 1}.a, MAP {'k': "
     "1}['k']",
     Expect::kRuns},
    {"SELECT CASE WHEN i > 1 THEN 'a' ELSE (SELECT 'b') END, i BETWEEN 1 AND 2, i::VARCHAR, "
     "TRY_CAST(s AS DOUBLE), s COLLATE NOCASE, DATE '2020-01-01', INTERVAL 1 DAY FROM t",
     Expect::kRuns},
    {"SELECT count(*) FILTER (WHERE i > 3), string_agg(s, ',' ORDER BY s) FROM t", Expect::kRuns},
    {"SELECT * FROM t, LATERAL (SELECT i + 1)", Expect::kRuns},
    {"SELECT unnest([1, 2]), #1 FROM t", Expect::kRuns},
    {"SELECT 1 UNION SELECT 2 EXCEPT SELECT 3 INTERSECT SELECT 4", Expect::kRuns},
    {"SELECT * FROM t TABLESAMPLE 50%", Expect::kRuns},
    {"SELECT * FROM (VALUES (1)) x(a)", Expect::kRuns},
    {"SELECT now(), current_date, current_timestamp, current_user, version(), random(), uuid()",
     Expect::kRuns},
    {"SELECT '{\"a\": 1}'::JSON -> 'a', json_extract('{}', '$.a')", Expect::kRuns},
    {"SELECT ?, $2", Expect::kPasses},
    {"SELECT $name", Expect::kPasses},
    {"SELECT nothing FROM t", Expect::kPasses},
    {"SELECT * FROM missing", Expect::kPasses},
    {"SELECT 'DROP TABLE t; COPY t TO ''x'''", Expect::kRuns},
    {"SELECT $$ ; DROP TABLE t; $$", Expect::kRuns},
    {"SELECT $tag$ ; $$ $tag$", Expect::kRuns},
    {"SELECT E'\\'; DROP TABLE t; --'", Expect::kRuns},
    {"SELECT 1 AS \"; DROP TABLE t\"", Expect::kRuns},
    {"SELECT\u00A01\u3000", Expect::kRuns},
    {"\uFEFFSELECT 1", Expect::kRuns},
    // Names.
    {"SELECT * FROM pg_catalog.pg_database", Expect::kRuns},
    {"SELECT * FROM information_schema.schemata", Expect::kRuns},
    {"SELECT get_block_size('db')", Expect::kPasses},
    {"SELECT * FROM main.t", Expect::kRuns},
    {"SELECT * FROM db.t", Expect::kRuns},
    {"SELECT * FROM db.main.t", Expect::kRuns},
    {"SELECT * FROM DB.MAIN.T", Expect::kRuns},
    {"SELECT * FROM other.u", Expect::kRuns},
    {"SELECT * FROM \"odd.csv\"", Expect::kRuns},
    {"SELECT * FROM main.\"odd.csv\"", Expect::kRuns},
    {"SELECT table_name FROM information_schema.tables", Expect::kRuns},
    {"SELECT * FROM pg_catalog.pg_class", Expect::kRuns},
    {"SELECT * FROM sqlite_master", Expect::kRuns},
    {"SELECT * FROM duckdb_tables", Expect::kRuns},
    // Rows out of nothing, and about the tables.
    {"FROM range(3)", Expect::kRuns},
    {"FROM generate_series(1, 3)", Expect::kRuns},
    {"FROM unnest([1, 2])", Expect::kRuns},
    {"FROM repeat('x', 3)", Expect::kRuns},
    {"SELECT * FROM json_each('{\"a\": 1}')", Expect::kRuns},
    {"SELECT * FROM duckdb_columns()", Expect::kRuns},
    {"SELECT * FROM duckdb_tables()", Expect::kRuns},
    {"SELECT * FROM pragma_table_info('t')", Expect::kRuns},
    // DESCRIBE and its family.
    {"DESCRIBE t", Expect::kRuns},
    {"DESC t", Expect::kRuns},
    {"DESCRIBE SELECT 1", Expect::kRuns},
    {"DESCRIBE", Expect::kRuns},
    {"SHOW TABLES", Expect::kRuns},
    {"SHOW ALL TABLES", Expect::kRuns},
    {"SHOW DATABASES", Expect::kRuns},
    {"SHOW t", Expect::kRuns},
    {"SUMMARIZE t", Expect::kRuns},
    {"SUMMARIZE SELECT i FROM t", Expect::kRuns},
    {"SELECT * FROM (DESCRIBE t)", Expect::kRuns},
    {"SELECT * FROM (SHOW TABLES)", Expect::kRuns},
    {"EXPLAIN SELECT 1", Expect::kRuns},
    {"EXPLAIN FROM t", Expect::kRuns},
    {"EXPLAIN ANALYZE SELECT * FROM t", Expect::kRuns},
    {"EXPLAIN (ANALYZE, FORMAT json) SELECT * FROM t", Expect::kRuns},
    {"EXPLAIN (FORMAT html) SELECT 1", Expect::kRuns},
    {"EXPLAIN (SELECT 1)", Expect::kRuns},
    // PIVOT with and without values.
    {"PIVOT cities ON year USING sum(population)", Expect::kRuns},
    {"PIVOT cities ON year, country USING sum(population)", Expect::kRuns},
    {"PIVOT cities ON year || '_' || country USING sum(population)", Expect::kRuns},
    {"PIVOT cities ON year IN (2000, 2010) USING sum(population) GROUP BY country", Expect::kRuns},
    {"PIVOT (SELECT a.* FROM cities a JOIN cities b ON a.year = b.year) ON year USING count(*) "
     "ORDER BY ALL LIMIT 2",
     Expect::kRuns},
    {"PIVOT cities a JOIN t ON a.year = t.i ON year USING sum(population) GROUP BY country",
     Expect::kRuns},
    {"SELECT * FROM (PIVOT cities ON year USING sum(population)) WHERE country = 'NL'",
     Expect::kRuns},
    {"WITH p AS (PIVOT cities ON year USING sum(population)) SELECT * FROM p", Expect::kRuns},
    {"SELECT * FROM cities PIVOT (sum(population) FOR year IN (2000, 2010))", Expect::kRuns},
    {"PIVOT_WIDER cities ON year USING sum(population)", Expect::kRuns},
    {"DESCRIBE PIVOT cities ON year USING sum(population)", Expect::kPasses},
    {"UNPIVOT cities ON year, population INTO NAME n VALUE v", Expect::kRuns},
    {"PIVOT cities ON year IN (SELECT DISTINCT year FROM cities) USING sum(population)",
     Expect::kRefused},
    {"EXPLAIN PIVOT cities ON year USING sum(population)", Expect::kRefused},
    {"PIVOT read_csv('secret.csv') ON a USING count(*)", Expect::kRefused},
    {"PIVOT 'secret.csv' ON a USING count(*)", Expect::kRefused},
    {"PIVOT cities ON year USING sum(getenv('HOME')::INT)", Expect::kRefused},
    {"PIVOT cities ON getenv(country) USING sum(population)", Expect::kRefused},
    {"PIVOT cities ON getenv('HOME') USING sum(population)", Expect::kSyntax},
    {"PIVOT cities ON (SELECT content FROM read_text('secret.csv')) USING sum(population)",
     Expect::kSyntax},
    {"PIVOT (FROM force_checkpoint()) ON Success USING count(*)", Expect::kRefused},
    {"PIVOT cities ON year USING sum(population); DROP TABLE t", Expect::kRefused},
    // Files and the network.
    {"SELECT * FROM 'secret.csv'", Expect::kRefused},
    {"SELECT * FROM \"secret.csv\"", Expect::kRefused},
    {"SELECT * FROM secret.csv", Expect::kRefused},
    {"SELECT * FROM main.csv", Expect::kRefused},
    {"SELECT * FROM '/etc/passwd.csv'", Expect::kRefused},
    {"SELECT * FROM 'https://example.com/x.parquet'", Expect::kRefused},
    {"SELECT * FROM 's3://bucket/*.parquet'", Expect::kRefused},
    {"SELECT * FROM 'data.duckdb'", Expect::kRefused},
    {"FROM 'x.json'", Expect::kRefused},
    {"TABLE \"x.parquet\"", Expect::kRefused},
    {"DESCRIBE 'secret.csv'", Expect::kRefused},
    {"SUMMARIZE 'secret.csv'", Expect::kRefused},
    {"SELECT (SELECT a FROM 'secret.csv' LIMIT 1)", Expect::kRefused},
    {"WITH \"x.csv\" AS (SELECT 1) FROM \"x.csv\"", Expect::kRefused},
    {"SELECT * FROM t WHERE i IN (FROM 'secret.csv')", Expect::kRefused},
    {"FROM read_csv('secret.csv')", Expect::kRefused},
    {"FROM read_csv_auto('secret.csv')", Expect::kRefused},
    {"FROM READ_CSV('secret.csv')", Expect::kRefused},
    {"FROM \"read_csv\"('secret.csv')", Expect::kRefused},
    {"FROM system.main.read_csv('secret.csv')", Expect::kRefused},
    {"FROM main.read_csv('secret.csv')", Expect::kRefused},
    {"SELECT * FROM range(1), LATERAL (FROM read_text('secret.csv'))", Expect::kRefused},
    {"FROM read_text('secret.csv')", Expect::kRefused},
    {"FROM read_blob('data.duckdb')", Expect::kRefused},
    {"FROM read_parquet('x')", Expect::kRefused},
    {"FROM parquet_scan('x')", Expect::kRefused},
    {"FROM parquet_metadata('x')", Expect::kRefused},
    {"FROM read_json('x')", Expect::kRefused},
    {"FROM read_json_auto('x')", Expect::kRefused},
    {"FROM read_ndjson('x')", Expect::kRefused},
    {"FROM read_duckdb('data.duckdb', table_name := 't')", Expect::kRefused},
    {"FROM glob('*')", Expect::kRefused},
    {"FROM sniff_csv('secret.csv')", Expect::kRefused},
    {"FROM arrow_scan(1, 2, 3)", Expect::kRefused},
    {"FROM seq_scan('t')", Expect::kRefused},
    {"SELECT * FROM histogram_values('t', 'i')", Expect::kRefused},
    // Settings, secrets, the instance.
    {"SELECT current_setting('secret_directory')", Expect::kRefused},
    {"SELECT getenv('HOME')", Expect::kRefused},
    {"SELECT GetEnv('HOME')", Expect::kRefused},
    {"SELECT \"getenv\"('HOME')", Expect::kRefused},
    {"SELECT ('HOME').getenv()", Expect::kRefused},
    {"SELECT list_transform(['HOME'], lambda x: getenv(x))", Expect::kRefused},
    {"SELECT [getenv(x) FOR x IN ['HOME']]", Expect::kRefused},
    {"SELECT 1 ORDER BY getenv('HOME')", Expect::kRefused},
    {"SELECT count(*) FILTER (WHERE getenv('HOME') = '') FROM t", Expect::kRefused},
    {"SELECT sum(i) OVER (PARTITION BY getenv('HOME')) FROM t", Expect::kRefused},
    {"SELECT 1 LIMIT (SELECT length(getenv('HOME')))", Expect::kRefused},
    {"SELECT * FROM range(length(getenv('HOME')))", Expect::kRefused},
    {"VALUES (getenv('HOME'))", Expect::kRefused},
    {"SELECT * FROM t JOIN v ON getenv('HOME') = t.s", Expect::kRefused},
    {"SELECT CASE WHEN true THEN {'a': [getenv('HOME')]} END", Expect::kRefused},
    {"SELECT getvariable('x')", Expect::kRefused},
    {"FROM duckdb_settings()", Expect::kRefused},
    {"FROM duckdb_secrets()", Expect::kRefused},
    {"FROM which_secret('s3://x', 's3')", Expect::kRefused},
    {"FROM duckdb_databases()", Expect::kRefused},
    {"FROM duckdb_databases", Expect::kRefused},
    {"FROM duckdb_extensions()", Expect::kRefused},
    {"FROM duckdb_variables()", Expect::kRefused},
    {"FROM duckdb_temporary_files()", Expect::kRefused},
    {"FROM duckdb_prepared_statements()", Expect::kRefused},
    {"FROM duckdb_logs", Expect::kRefused},
    {"FROM duckdb_logs()", Expect::kRefused},
    {"FROM pragma_database_list", Expect::kRefused},
    {"FROM pragma_database_size()", Expect::kRefused},
    {"FROM pg_settings", Expect::kRefused},
    {"FROM pg_catalog.pg_settings", Expect::kRefused},
    {"FROM pg_catalog.PG_SETTINGS", Expect::kRefused},
    {"SHOW VARIABLES", Expect::kRefused},
    {"FROM checkpoint()", Expect::kRefused},
    {"FROM force_checkpoint()", Expect::kRefused},
    {"FROM enable_logging(storage = 'file', storage_path = 'x')", Expect::kRefused},
    {"FROM disable_logging()", Expect::kRefused},
    {"FROM truncate_duckdb_logs()", Expect::kRefused},
    {"FROM enable_profiling()", Expect::kRefused},
    {"FROM enable_peg_parser()", Expect::kRefused},
    {"FROM test_all_types()", Expect::kRefused},
    {"FROM test_vector_types(NULL::INT)", Expect::kRefused},
    {"SELECT write_log('x')", Expect::kRefused},
    {"SELECT nextval('seq')", Expect::kRefused},
    {"SELECT setseed(0.5)", Expect::kRefused},
    {"SELECT sleep_ms(1)", Expect::kRefused},
    {"SELECT pg_sleep(1)", Expect::kRefused},
    {"SELECT __internal_decompress_string(1)", Expect::kRefused},
    {"SELECT sum(i) EXPORT_STATE FROM t", Expect::kRefused},
    // SQL in text.
    {"FROM query('DROP TABLE t')", Expect::kRefused},
    {"FROM query_table('secret.csv')", Expect::kRefused},
    {"FROM query_table(['t'])", Expect::kRefused},
    {"FROM json_execute_serialized_sql('{}')", Expect::kRefused},
    {"SELECT json_serialize_plan('FROM read_csv(''secret.csv'')')", Expect::kRefused},
    {"SELECT json_serialize_sql('SELECT 1')", Expect::kRefused},
    {"FROM sql_auto_complete('SEL')", Expect::kRefused},
    {"EXECUTE p", Expect::kRefused},
    {"EXPLAIN EXECUTE p", Expect::kRefused},
    {"PREPARE q AS SELECT 1", Expect::kRefused},
    {"DEALLOCATE p", Expect::kRefused},
    // Other databases.
    {"FROM memory.main.t", Expect::kRefused},
    {"FROM system.main.duckdb_tables", Expect::kRefused},
    {"FROM system.information_schema.tables", Expect::kRefused},
    {"FROM temp.t", Expect::kRefused},
    {"FROM elsewhere.main.t", Expect::kRefused},
    {"FROM main.missing", Expect::kRefused},
    {"FROM t AT (VERSION => 1)", Expect::kRefused},
    {"FROM t AT (TIMESTAMP => now())", Expect::kRefused},
    // What writes, in every dress.
    {"INSERT INTO t VALUES (1, 'a')", Expect::kRefused},
    {"UPDATE t SET i = 1", Expect::kRefused},
    {"DELETE FROM t", Expect::kRefused},
    {"MERGE INTO t USING t AS u ON true WHEN MATCHED THEN DELETE", Expect::kRefused},
    {"TRUNCATE t", Expect::kRefused},
    {"CREATE TABLE x AS SELECT 1", Expect::kRefused},
    {"CREATE MACRO m(a) AS a", Expect::kRefused},
    {"CREATE TEMP TABLE x(a INT)", Expect::kRefused},
    {"CREATE OR REPLACE VIEW v AS SELECT 1", Expect::kRefused},
    {"DROP TABLE t", Expect::kRefused},
    {"ALTER TABLE t ADD COLUMN z INT", Expect::kRefused},
    {"COMMENT ON TABLE t IS 'x'", Expect::kRefused},
    {"COPY t TO 'x.csv'", Expect::kRefused},
    {"COPY (SELECT 1) TO 'x.csv'", Expect::kRefused},
    {"COPY t FROM 'secret.csv'", Expect::kRefused},
    {"EXPORT DATABASE 'x'", Expect::kRefused},
    {"IMPORT DATABASE 'x'", Expect::kRefused},
    {"ATTACH ':memory:' AS m", Expect::kRefused},
    {"ATTACH 'x.db'", Expect::kRefused},
    {"DETACH db", Expect::kRefused},
    {"USE memory", Expect::kRefused},
    {"SET threads = 1", Expect::kRefused},
    {"SET VARIABLE x = 1", Expect::kRefused},
    {"RESET threads", Expect::kRefused},
    {"PRAGMA table_info('t')", Expect::kRefused},
    {"PRAGMA enable_profiling", Expect::kRefused},
    {"PRAGMA import_database('x')", Expect::kRefused},
    {"CALL force_checkpoint()", Expect::kRefused},
    {"CALL pragma_version()", Expect::kRefused},
    {"CHECKPOINT", Expect::kRefused},
    {"FORCE CHECKPOINT", Expect::kRefused},
    {"VACUUM", Expect::kRefused},
    {"ANALYZE", Expect::kRefused},
    {"INSTALL httpfs", Expect::kRefused},
    {"LOAD httpfs", Expect::kRefused},
    {"UPDATE EXTENSIONS", Expect::kRefused},
    {"CREATE SECRET (TYPE s3)", Expect::kRefused},
    {"BEGIN", Expect::kRefused},
    {"COMMIT", Expect::kRefused},
    {"ROLLBACK", Expect::kRefused},
    {"EXPLAIN ANALYZE DELETE FROM t", Expect::kRefused},
    {"EXPLAIN DELETE FROM t", Expect::kRefused},
    {"EXPLAIN (ANALYZE) DELETE FROM t", Expect::kRefused},
    {"EXPLAIN (FORMAT json, ANALYZE) INSERT INTO t VALUES (1, 'a')", Expect::kRefused},
    {"EXPLAIN ANALYZE VERBOSE DELETE FROM t", Expect::kRefused},
    {"EXPLAIN ANALYZE COPY t TO 'x.csv'", Expect::kRefused},
    {"EXPLAIN FROM read_csv('secret.csv')", Expect::kRefused},
    {"EXPLAIN ANALYZE FROM force_checkpoint()", Expect::kRefused},
    {"EXPLAIN ANALYZE FROM read_csv('secret.csv')", Expect::kRefused},
    {"EXPLAIN EXPLAIN SELECT 1", Expect::kRefused},
    {"WITH x AS (SELECT 1) DELETE FROM t", Expect::kRefused},
    {"WITH x AS (SELECT 1) INSERT INTO t SELECT 1, 'a'", Expect::kRefused},
    {"WITH x AS (SELECT 1) UPDATE t SET i = 2", Expect::kRefused},
    {"FROM t INSERT INTO t", Expect::kSyntax},
    {"SELECT * INTO x FROM t", Expect::kSyntax},
    {"WITH x AS (INSERT INTO t VALUES (1, 'a') RETURNING *) FROM x", Expect::kSyntax},
    {"WITH x AS (DELETE FROM t RETURNING *) FROM x", Expect::kSyntax},
    {"SELECT * FROM (COPY t TO 'x.csv')", Expect::kSyntax},
    {"DESCRIBE DELETE FROM t", Expect::kSyntax},
    // More than one, hidden or not.
    {"SELECT 1; SELECT 2", Expect::kRefused},
    {"SELECT 1; DROP TABLE t", Expect::kRefused},
    {"SELECT 1; IMPORT DATABASE 'x'", Expect::kRefused},
    {"SELECT 1 /* ; */; DELETE FROM t", Expect::kRefused},
    {"SELECT 1 -- x\n; DELETE FROM t", Expect::kRefused},
    {"SELECT 1 -- x\r; DELETE FROM t", Expect::kRefused},
    {"SELECT ';' ; COMMIT; DELETE FROM t", Expect::kRefused},
    {"SELECT E'\\\\'; DELETE FROM t; --'", Expect::kRefused},
    {"SELECT '\\'; DELETE FROM t; --'", Expect::kRefused},
    {"SELECT $$a$$; DELETE FROM t", Expect::kRefused},
    {"SELECT 1 AS a$$; DELETE FROM t; $$", Expect::kSyntax},
    {"SELECT /* /* */ 1; DELETE FROM t -- */ ", Expect::kSyntax},
    {"EXPLAIN SELECT 1; DELETE FROM t", Expect::kRefused},
    {";SELECT 1", Expect::kRefused},
    {"COMMIT; DELETE FROM t", Expect::kRefused},
    {"/* SELECT */ DELETE FROM t", Expect::kRefused},
    {"-- SELECT\rDELETE FROM t", Expect::kRefused},
    {"\"select\" 1", Expect::kRefused},
    {"\uFF33ELECT 1", Expect::kRefused},
    {"\u2060DELETE FROM t", Expect::kRefused},
    {"(DELETE FROM t)", Expect::kRefused},
    // No SQL at all.
    {"", Expect::kSyntax},
    {"   ", Expect::kSyntax},
    {";", Expect::kSyntax},
    {"-- nothing", Expect::kSyntax},
    {"/* nothing */", Expect::kSyntax},
    {"/* unterminated SELECT 1", Expect::kSyntax},
    {"SELECT 'unterminated", Expect::kSyntax},
    {"SELECT \"unterminated", Expect::kSyntax},
    {"SELECT $x$ unterminated $$", Expect::kSyntax},
    {"SELECT E'unterminated\\'", Expect::kSyntax},
    {"SELECT 1)", Expect::kSyntax},
    {"SELECT (1", Expect::kSyntax},
    {"EXPLAIN", Expect::kSyntax},
    {"EXPLAIN (ANALYZE", Expect::kSyntax},
    {"(", Expect::kSyntax},
    {"SELECT FROM WHERE", Expect::kSyntax},
    {"hello", Expect::kRefused},
    {"123", Expect::kRefused},
    {"{\"query\": \"SELECT 1\"}", Expect::kRefused},
    {"SELECT '\xff'", Expect::kSyntax},
};

TEST_F(Gate, DecidesEveryProbeAsExpectedAndNoneLeavesATrace) {
  const auto before = snapshot(folder_.path());
  for (const Probe& probe : kProbes) {
    SCOPED_TRACE(probe.sql);
    const Result<GatedStatement> gated = gate(probe.sql);
    switch (probe.expect) {
      case Expect::kRuns: {
        const Result<> outcome = run(probe.sql);
        EXPECT_TRUE(outcome) << outcome.error().message;
        break;
      }
      case Expect::kPasses:
        EXPECT_TRUE(gated) << gated.error().message;
        break;
      case Expect::kRefused:
      case Expect::kSyntax:
        EXPECT_FALSE(gated);
        if (gated) break;
        EXPECT_EQ(gated.error().code, ErrorCode::kInvalidArgument) << gated.error().message;
        EXPECT_EQ(slug_of(gated.error()),
                  probe.expect == Expect::kRefused ? "sql-not-allowed" : "sql-syntax")
            << gated.error().message;
        EXPECT_EQ(gated.error().message.find(folder_.path().string()), std::string::npos);
    }
  }
  EXPECT_EQ(database_.value("SELECT count(*) FROM t"), "10");
  EXPECT_EQ(database_.value("SELECT count(*) FROM duckdb_tables()"), "4");
  EXPECT_EQ(database_.value("SELECT count(*) FROM duckdb_types() WHERE type_name LIKE '%pivot%'"),
            "0");
  EXPECT_EQ(snapshot(folder_.path()), before);
  // The database still takes writes, so nothing wedged it.
  database_.run("INSERT INTO t VALUES (10, 'x')");
  database_.run("CHECKPOINT db");
  EXPECT_EQ(database_.value("SELECT count(*) FROM t"), "11");
}

// Nothing that passes tells where the destination lives.
TEST_F(Gate, ShowsNoPathInWhatDescribesTheDatabase) {
  for (const std::string sql :
       {"SHOW DATABASES", "SHOW ALL TABLES", "FROM duckdb_tables()", "FROM duckdb_schemas()",
        "FROM duckdb_views()", "FROM duckdb_columns()", "FROM pg_catalog.pg_database",
        "FROM pg_catalog.pg_tablespace", "FROM information_schema.schemata", "FROM sqlite_master",
        "FROM duckdb_functions()", "FROM duckdb_types()", "EXPLAIN ANALYZE FROM t"}) {
    SCOPED_TRACE(sql);
    ASSERT_TRUE(gate(sql));
    const std::string text = database_.ndjson(sql);
    EXPECT_FALSE(text.starts_with("error: ")) << text;
    EXPECT_EQ(text.find(folder_.path().filename().string()), std::string::npos);
  }
}

TEST_F(Gate, RefusesNulAndTooMuch) {
  const Result<GatedStatement> nul = gate(std::string_view("SELECT 1\0; DROP TABLE t", 23));
  ASSERT_FALSE(nul);
  EXPECT_EQ(nul.error().slug, "sql-syntax");
  EXPECT_EQ(position_of(nul.error()), 8U);
  const Result<GatedStatement> large =
      query::gate(database_.connection(), "SELECT 1 + 1", {.max_bytes = 10});
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().slug, "sql-not-allowed");
}

TEST_F(Gate, SurvivesStatementsMadeToHurt) {
  const std::pair<std::string, bool> statements[] = {
      {"SELECT " + repeated("(", 10'000) + "1" + repeated(")", 10'000), false},
      {"SELECT " + repeated("[", 10'000) + repeated("]", 10'000), false},
      {repeated("(", 400) + "SELECT 1" + repeated(")", 400), true},
      {"SELECT " + repeated("(", 10'000), false},
      {"SELECT '" + repeated("x", 1'000'000) + "'", true},
      {"SELECT 1 " + repeated("/* x */", 100'000), true},
      {"SELECT 1 --" + repeated("x", 1'000'000), true},
      {repeated("/*", 500'000), false},
      {"SELECT 1" + repeated(" + 1", 200'000), false},
      {"SELECT 1" + repeated("::INT", 100'000), false},
      {"SELECT " + repeated("NOT ", 100'000) + "true", false},
      {"SELECT " + repeated("- ", 100'000) + "1", false},
      {"SELECT true" + repeated(" AND true", 100'000), false},
      {"SELECT 1 IN (" + repeated("1,", 100'000) + "1)", true},
      {"SELECT 1 FROM t" + repeated(", t", 20'000), false},
      {"SELECT 1" + repeated(" UNION ALL SELECT 1", 5'000), true},
      {"SELECT * FROM " + repeated("(SELECT * FROM ", 450) + "t" + repeated(")", 450), true},
      {"SELECT 1" + repeated(";", 100'000), true},
      {"SELECT 1" + repeated(";SELECT 1", 10'000), false},
      {repeated("EXPLAIN ", 10'000) + "SELECT 1", false},
      {"SELECT \"" + repeated("\"\"", 100'000) + "\"", true},
      {repeated("PIVOT t ON s ", 10'000), false},
      {"SELECT $" + repeated("a", 500'000), true},
      {repeated("$a$", 100'001), false},
  };
  for (const auto& [sql, passes] : statements) {
    SCOPED_TRACE(sql.substr(0, 40));
    const auto start = std::chrono::steady_clock::now();
    const Result<GatedStatement> gated = gate(sql);
    EXPECT_EQ(gated.has_value(), passes) << (gated ? "" : gated.error().message);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
  }
  EXPECT_EQ(database_.value("SELECT count(*) FROM t"), "10");
}

TEST_F(Gate, SaysWhereTheRefusedPartStands) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"SELECT 1, getenv('x')", "getenv"},
      {"-- é\nSELECT '\u00fc', getenv('x')", "getenv"},
      {"SELECT\u00A01,\u00A0getenv('x')", "getenv"},
      {"EXPLAIN SELECT /* getenv */ getenv('x')", "getenv('x')"},
      {"SELECT * FROM t, read_csv('x')", "read_csv"},
      {"SELECT * FROM 'x.csv'", "'x.csv'"},
      {"SELECT 1; DROP TABLE t", "DROP"},
      {"EXPLAIN DELETE FROM t", "DELETE"},
      {"PIVOT cities ON year, country USING sum(getenv('x')::INT)", "getenv"},
      {"SELECT * FROM memory.main.x", "memory"},
      {"SELECT 1 FROM t WHERE WHERE", "WHERE WHERE"},
  };
  for (const auto& [sql, what] : cases) {
    SCOPED_TRACE(sql);
    const Result<GatedStatement> gated = gate(sql);
    ASSERT_FALSE(gated);
    std::size_t expected = sql.find(what);
    if (what == "WHERE WHERE") expected += 6;
    EXPECT_EQ(position_of(gated.error()), expected) << gated.error().message;
  }
}

TEST_F(Gate, NamesWhatItRefuses) {
  EXPECT_EQ(gate("SELECT getenv('x')").error().message,
            "the function \"getenv\" is not allowed here");
  EXPECT_EQ(gate("FROM glob('*')").error().message,
            "the table function \"glob\" is not allowed here");
  EXPECT_EQ(gate("FROM 'x.csv'").error().message,
            "there is no table or view \"x.csv\" in this destination, and files cannot be read");
  EXPECT_EQ(gate("FROM memory.x").error().message,
            "the database \"memory\" is not this destination's");
  EXPECT_NE(gate("SELECT 1 +").error().message.find("syntax error at end of input"),
            std::string::npos);
}

TEST_F(Gate, PreparesWithTheTypeThatItPromised) {
  database_.run("BEGIN TRANSACTION READ ONLY");
  const Result<GatedStatement> select = gate("SELECT ?::INTEGER + 1");
  ASSERT_TRUE(select);
  EXPECT_EQ(select->kind, GatedStatement::Kind::kSelect);
  const Result<duck::Prepared> prepared = prepare(database_.connection(), *select);
  ASSERT_TRUE(prepared);
  EXPECT_EQ(duckdb_nparams(prepared->get()), 1U);
  const Result<GatedStatement> explain = gate("EXPLAIN SELECT 1");
  ASSERT_TRUE(explain);
  EXPECT_EQ(explain->prepared_type(), DUCKDB_STATEMENT_TYPE_EXPLAIN);
  database_.run("ROLLBACK");
}

TEST_F(Gate, PrepareRefusesAStatementOfAnotherType) {
  const Result<duck::Prepared> prepared =
      prepare(database_.connection(), GatedStatement{.sql = "DELETE FROM t"});
  ASSERT_FALSE(prepared);
  EXPECT_EQ(prepared.error().slug, "sql-not-allowed");
  EXPECT_FALSE(prepare(database_.connection(), GatedStatement{.sql = "SELECT 1; SELECT 2"}));
  EXPECT_EQ(database_.value("SELECT count(*) FROM t"), "10");
}

TEST_F(Gate, SaysWhereBindingFailed) {
  const std::string before = "SELECT i, " + repeated("'padding', ", 30);
  for (const std::string& sql :
       {std::string("SELECT nothing FROM t"), std::string("SELECT 1,\n  nothing\nFROM t"),
        before + "nothing FROM t", std::string("SELECT 'ü', nothing FROM t")}) {
    SCOPED_TRACE(sql);
    const Result<GatedStatement> gated = gate(sql);
    ASSERT_TRUE(gated);
    const Result<duck::Prepared> prepared = prepare(database_.connection(), *gated);
    ASSERT_FALSE(prepared);
    EXPECT_EQ(prepared.error().slug, "sql-error");
    EXPECT_EQ(position_of(prepared.error()), sql.find("nothing")) << prepared.error().message;
  }
}

TEST_F(Gate, DropsTheTypesOfAPivotWithItsTransaction) {
  for (int i = 0; i < 3; ++i) {
    const Result<> outcome = run("PIVOT cities ON year USING sum(population)");
    ASSERT_TRUE(outcome) << outcome.error().message;
  }
  EXPECT_EQ(database_.value("SELECT count(*) FROM duckdb_types() WHERE NOT internal"), "0");
}

// A function that a new version of the library brings must be judged by somebody: the allow-list of
// table functions refuses it by itself, the others would pass.
TEST_F(Gate, KnowsEveryFunctionThatIsMarkedAsHavingEffects) {
  TestDatabase fresh;
  // Volatile ones that only look at the clock, the random state or the session.
  const std::string harmless =
      "('random', 'uuid', 'uuidv4', 'uuidv7', 'gen_random_uuid', 'error', 'stats', "
      "'current_query', "
      "'current_query_id', 'current_connection_id', 'current_transaction_id')";
  const std::string names = fresh.value(
      "SELECT string_agg(DISTINCT function_name, ' ') FROM duckdb_functions() WHERE function_type "
      "= "
      "'scalar' AND (stability = 'VOLATILE' OR has_side_effects) AND function_name NOT IN " +
      harmless);
  std::istringstream words(names);
  std::size_t seen = 0;
  for (std::string name; words >> name; ++seen) EXPECT_TRUE(is_denied_function(name)) << name;
  EXPECT_GE(seen, 4U);
  // The count of names that were judged. Another number: look at what is new, then change it.
  EXPECT_EQ(fresh.value("SELECT count(DISTINCT function_name) FROM duckdb_functions() WHERE "
                        "function_type IN ('scalar', 'macro', 'aggregate')"),
            "813");
}

}  // namespace
}  // namespace sd::query
