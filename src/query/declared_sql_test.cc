#include "query/declared_sql.h"

#include <gtest/gtest.h>

#include "query/parameters.h"
#include "query/test_database.h"

namespace sd::query {
namespace {

using testing::TestDatabase;
namespace duck = destinations::duckdb;

json::Value parse(const std::string& text) {
  return json::parse_document(text).value();
}

std::string cast(std::string_view sql, const std::string& types, const std::string& params) {
  return with_casts(sql, parse(types), parse(params)).value_or("none");
}

constexpr const char* kTypes = R"({"day":"date","n":"integer","p":"decimal","ids":"integer[]"})";
constexpr const char* kParams = R"({"day":0,"n":1,"p":1.50,"ids":[]})";

TEST(DeclaredSql, EachPlaceOfAParameterStandsInACast) {
  EXPECT_EQ(cast("SELECT $day", kTypes, kParams), "SELECT CAST($day AS DATE)");
  EXPECT_EQ(cast("SELECT $N+$n", kTypes, kParams), "SELECT CAST($N AS BIGINT)+CAST($n AS BIGINT)");
  EXPECT_EQ(cast("SELECT $ day, $\"day\"", kTypes, kParams),
            "SELECT CAST($ day AS DATE), CAST($\"day\" AS DATE)");
  EXPECT_EQ(cast("SELECT $p, $ids", kTypes, kParams),
            "SELECT CAST($p AS DECIMAL(3,2)), CAST($ids AS BIGINT[])");
  EXPECT_EQ(cast("SELECT $p, $ids", kTypes, R"({"p":null,"ids":null})"),
            "SELECT CAST($p AS DECIMAL(18,3)), CAST($ids AS BIGINT[])");
}

TEST(DeclaredSql, AtSomePlacesItIsANarrowerType) {
  EXPECT_EQ(
      with_casts("SELECT $n, $ids, $n, $day", parse(kTypes), parse(kParams), {0, 1, 3}).value(),
      "SELECT CAST(CAST($n AS BIGINT) AS INTEGER), CAST(CAST($ids AS BIGINT[]) AS INTEGER[]), "
      "CAST($n AS BIGINT), CAST($day AS DATE)");
}

TEST(DeclaredSql, ColumnNamesDoNotShowTheCasts) {
  EXPECT_EQ(without_casts("CAST($n AS BIGINT)"), "$n");
  EXPECT_EQ(without_casts("(a * CAST($p AS DECIMAL(3, 2))) + CAST($q AS DECIMAL(1, 0))"),
            "(a * $p) + $q");
  EXPECT_EQ(without_casts("date_trunc('day', CAST($t AS \"TIMESTAMP WITH TIME ZONE\"))"),
            "date_trunc('day', $t)");
  EXPECT_EQ(without_casts("CAST(CAST($n AS BIGINT) AS INTEGER)"), "CAST($n AS INTEGER)");
  for (const char* plain : {"", "a", "CAST(a AS INTEGER)", "CAST($n", "$n"})
    EXPECT_EQ(without_casts(plain), plain);
}

TEST(DeclaredSql, WhatOnlyLooksLikeAParameterStays) {
  EXPECT_EQ(
      cast("SELECT $n, '$day', \"$day\", $day$ $n $day$, /* $day */ 1 -- $day", kTypes, kParams),
      "SELECT CAST($n AS BIGINT), '$day', \"$day\", $day$ $n $day$, /* $day */ 1 -- $day");
}

TEST(DeclaredSql, WithoutATypeForEachThereIsNone) {
  for (const char* sql : {"SELECT 1", "SELECT $other", "SELECT $n, $other", "SELECT $n, ?",
                          "SELECT $n, $1", "SELECT $", "SELECT $n, 'open"}) {
    EXPECT_EQ(cast(sql, kTypes, kParams), "none") << sql;
  }
}

class DeclaredSqlRun : public ::testing::Test {
 protected:
  DeclaredSqlRun() {
    database_.run("CREATE TYPE mood AS ENUM ('glad', 'sad')");
    database_.run(
        "CREATE TABLE t AS SELECT 7::TINYINT AS tiny, 18446744073709551615 AS big, 'glad'::mood AS "
        "m, TIMESTAMP '2026-01-02 10:00:00' AS ts, DATE '2026-01-02' AS day");
  }

  // All values of the first row, or the error.
  std::string run(const std::string& sql, const std::string& types, const std::string& params) {
    const json::Value declared = parse(types), values = parse(params);
    const auto statement = gate_declared(database_.connection(), sql, declared, values,
                                         {.definitions = &none_}, &known_);
    if (!statement) return "refused: " + statement.error().message;
    const auto prepared = prepare(database_.connection(), *statement);
    if (!prepared) return "error: " + prepared.error().message;
    if (const auto bound = bind(prepared->get(), *statement, &values, &declared); !bound)
      return "error: " + bound.error().message;
    duck::QueryResult result;
    if (duckdb_execute_prepared(prepared->get(), result.get()) != DuckDBSuccess)
      return std::string("error: ") + duckdb_result_error(result.get());
    if (duckdb_row_count(result.get()) == 0) return "no rows";
    std::string out;
    for (idx_t i = 0; i < duckdb_column_count(result.get()); ++i) {
      char* text = duckdb_value_varchar(result.get(), i, 0);
      out += (i == 0 ? "" : "|") + std::string(text == nullptr ? "NULL" : text);
      duckdb_free(text);
    }
    return out;
  }

  TestDatabase database_;
  Definitions none_;
  KnownForms known_;
};

TEST_F(DeclaredSqlRun, AParameterHasItsTypeWhereverItStands) {
  EXPECT_EQ(run("SELECT typeof($x), typeof([$x]), typeof({a: $x}), $x = 'glad', m = $x FROM t",
                R"({"x":"string"})", R"({"x":"glad"})"),
            "VARCHAR|VARCHAR[]|STRUCT(a VARCHAR)|true|true");
  EXPECT_EQ(run("SELECT typeof($x), $x > ts, $x::DATE, typeof({a: $x}) FROM t",
                R"({"x":"timestamp"})", R"({"x":0})"),
            "TIMESTAMP WITH TIME ZONE|false|1970-01-01|STRUCT(a TIMESTAMP WITH TIME ZONE)");
  EXPECT_EQ(run("SELECT {a: $x}.a, $x::BIGINT, typeof($x)", R"({"x":"integer"})", R"({"x":5})"),
            "5|5|BIGINT");
}

TEST_F(DeclaredSqlRun, NullHasTheTypeToo) {
  EXPECT_EQ(run("SELECT typeof($x), date_trunc('day', $x), $x IS NULL OR ts > $x FROM t",
                R"({"x":"timestamp"})", R"({"x":null})"),
            "TIMESTAMP WITH TIME ZONE|NULL|true");
  EXPECT_EQ(run("SELECT typeof($i), typeof($d), typeof($u), typeof($l), typeof($b)",
                R"({"i":"integer","d":"decimal","u":"uuid","l":"date[]","b":"boolean"})",
                R"({"i":null,"d":null,"u":null,"l":null,"b":null})"),
            "BIGINT|DECIMAL(18,3)|UUID|DATE[]|BOOLEAN");
}

TEST_F(DeclaredSqlRun, AValueIsNotMadeToFitWhatItIsComparedWith) {
  EXPECT_EQ(run("FROM t WHERE tiny = $x", R"({"x":"integer"})", R"({"x":300})"), "no rows");
  EXPECT_EQ(run("FROM t WHERE m = $x", R"({"x":"string"})", R"({"x":"angry"})"), "no rows");
  EXPECT_EQ(run("SELECT tiny FROM t WHERE tiny < $x", R"({"x":"decimal"})", R"({"x":7.4})"), "7");
  EXPECT_EQ(
      run("SELECT 1 FROM t WHERE big = $x", R"({"x":"decimal"})", R"({"x":18446744073709551615})"),
      "1");
  EXPECT_EQ(run("SELECT 1 FROM t WHERE big >= $x", R"({"x":"decimal"})",
                R"({"x":18446744073709551614.5})"),
            "1");
  EXPECT_EQ(run("SELECT 1 FROM t WHERE big < $x", R"({"x":"decimal"})",
                R"({"x":18446744073709551615.5})"),
            "1");
}

TEST_F(DeclaredSqlRun, WhereSqlWantsANarrowerTypeTheValueIsFittedIn) {
  EXPECT_EQ(run("SELECT day - $x, typeof($x) FROM t", R"({"x":"integer"})", R"({"x":null})"),
            "NULL|BIGINT");
  EXPECT_EQ(
      run("SELECT day - $x FROM t", R"({"x":"integer"})", R"({"x":3000000000})"),
      "refused: the parameter \"x\" must be a whole number of 32 bits: SQL takes no larger one "
      "where it stands");
  EXPECT_EQ(run("SELECT day - $x FROM t", R"({"x":"integer"})", R"({"x":1})"), "2026-01-01");
  EXPECT_EQ(run("SELECT round(1.234, $x)", R"({"x":"integer"})", R"({"x":1})"), "1.2");
  EXPECT_EQ(run("SELECT ts > $x, day = $x FROM t", R"({"x":"string"})", R"({"x":"2026-01-02"})"),
            "true|true");
  EXPECT_EQ(run("FROM t LIMIT $x", R"({"x":"integer"})", R"({"x":0})"), "no rows");
  EXPECT_EQ(run("SELECT ts + INTERVAL ($x) DAY FROM t", R"({"x":"integer"})", R"({"x":1})"),
            "2026-01-03 10:00:00");
}

TEST_F(DeclaredSqlRun, OnlyThePlacesThatNeedItAreNarrow) {
  const std::string types = R"({"uid":"integer","days":"integer"})";
  const std::string sql =
      "SELECT big > $uid, day - $days, $days * 86400000 FROM t WHERE $uid > $days";
  // The second time from memory.
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(run(sql, types, R"({"uid":3000000000,"days":30})"), "true|2025-12-03|2592000000");
    EXPECT_EQ(run(sql, types, R"({"uid":-3000000000,"days":1})"), "no rows");
  }
  EXPECT_EQ(run("SELECT round(1.55, $d), rpad('x', $d, 'y'), $d + 2147483647, typeof($d)",
                R"({"d":"integer"})", R"({"d":1})"),
            "1.6|x|2147483648|BIGINT");
  EXPECT_EQ(run("SELECT approx_quantile(tiny, $q) FROM t", R"({"q":"number"})", R"({"q":0.5})"),
            "7");
  EXPECT_EQ(run("SELECT greatest(ts, $since)::VARCHAR FROM t", R"({"since":"timestamp"})",
                R"({"since":0})"),
            "2026-01-02 10:00:00+00");
}

TEST_F(DeclaredSqlRun, AsItIsWrittenARepeatedParameterLeavesTheInstanceUsable) {
  const std::string sql = "SELECT ts > $x, $x, [$x][1], {a: $x}.a, $x = '2026-01-01' FROM t";
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(run(sql, R"({"x":"string"})", R"({"x":"2026-01-01"})"),
              "true|2026-01-01|2026-01-01|2026-01-01|true");
    EXPECT_EQ(run(sql, R"({"x":"string"})", R"({"x":null})"), "NULL|NULL|NULL|NULL|NULL");
  }
  EXPECT_EQ(run("SELECT 1", "{}", "{}"), "1");
}

TEST_F(DeclaredSqlRun, TablesThatChangeMakeAFormAnew) {
  const std::string sql = "SELECT count(*) FROM changing WHERE a - $n > DATE '2020-01-01'";
  database_.run("CREATE TABLE changing AS SELECT DATE '2026-01-01' AS a");
  EXPECT_EQ(run(sql, R"({"n":"integer"})", R"({"n":1})"), "1");
  database_.run("DROP TABLE changing");
  EXPECT_NE(run(sql, R"({"n":"integer"})", R"({"n":1})").find("error"), std::string::npos);
  database_.run("CREATE TABLE changing AS SELECT DATE '2026-01-01' AS a");
  EXPECT_EQ(run(sql, R"({"n":"integer"})", R"({"n":1})"), "1");
}

TEST_F(DeclaredSqlRun, WhatTheGateRefusesIsRefusedInTheWordsThatWereSent) {
  const std::string sql = "SELECT $x, * FROM read_csv('a')";
  const auto refused = gate_declared(database_.connection(), sql, parse(R"({"x":"integer"})"),
                                     parse(R"({"x":1})"), {.definitions = &none_}, nullptr);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().slug, "sql-not-allowed");
  const auto plain = gate(database_.connection(), sql, {.definitions = &none_});
  EXPECT_EQ(refused.error().members, plain.error().members);
}

}  // namespace
}  // namespace sd::query
