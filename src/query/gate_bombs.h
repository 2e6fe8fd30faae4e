// More of gate_probes.h: statements that are made, long, or cost more than they look.
#pragma once

#include <string>
#include <vector>

#include "query/gate_probes.h"
#include "query/gate_probes_writing.h"

namespace sd::query {

struct MadeProbe {
  std::string sql;
  Expect expect;
};

inline std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  out.reserve(text.size() * times);
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

// "before 0 after", separator, "before 1 after" …
inline std::string numbered(std::size_t n, const std::string& before, const std::string& after,
                            const std::string& separator, std::size_t from = 0) {
  std::string out;
  for (std::size_t i = from; i < n; ++i) {
    if (i != from) out += separator;
    out += before + std::to_string(i) + after;
  }
  return out;
}

// around around … core … closing closing
inline std::string nested(std::size_t n, std::string_view opening, std::string_view core,
                          std::string_view closing) {
  return repeated(opening, n) + std::string(core) + repeated(closing, n);
}

// t0 JOIN t1 ON t1.i = t0.i JOIN t2 …
inline std::string joined(std::size_t n, const std::string& kind) {
  std::string out = "t t0";
  for (std::size_t i = 1; i < n; ++i) {
    const std::string name = "t" + std::to_string(i);
    out += " " + kind + " t " + name + " ON " + name + ".i = t" + std::to_string(i - 1) + ".i";
  }
  return out;
}

// Each CTE names the one before it twice.
inline std::string doubling_ctes(std::size_t n, const std::string& hint) {
  std::string out = "WITH a0 AS " + hint + " (SELECT 1 AS x)";
  for (std::size_t i = 1; i < n; ++i) {
    const std::string before = "a" + std::to_string(i - 1);
    out += ", a" + std::to_string(i) + " AS " + hint + " (SELECT p.x FROM " + before + " p, " +
           before + " q)";
  }
  return out + " SELECT count(*) FROM a" + std::to_string(n - 1);
}

// A subquery in a subquery, each naming the table around it.
inline std::string correlated(std::size_t n) {
  std::string out = "SELECT ";
  for (std::size_t i = 0; i < n; ++i) {
    const std::string name = "t" + std::to_string(i);
    out += "(SELECT max(" + name + ".i) FROM t " + name + " WHERE " + name + ".i > ";
  }
  return out + "0" + repeated(")", n);
}

// Long statements, and deep ones.
inline std::vector<MadeProbe> long_probes() {
  using enum Expect;
  return {
      {"SELECT " + nested(10'000, "(", "1", ")"), kRefused},
      {"SELECT " + nested(10'000, "[", "", "]"), kRefused},
      {nested(400, "(", "SELECT 1", ")"), kRuns},
      {"SELECT " + repeated("(", 10'000), kRefused},
      {"SELECT '" + repeated("x", 1'000'000) + "'", kRuns},
      {"SELECT 1 " + repeated("/* x */", 100'000), kRuns},
      {"SELECT 1 --" + repeated("x", 1'000'000), kRuns},
      {repeated("/*", 500'000), kSyntax},
      {"SELECT 1" + repeated(" + 1", 100'000), kSyntax},
      {"SELECT 1" + repeated("::INT", 100'000), kSyntax},
      {"SELECT NULL::INT" + repeated("[]", 100'000), kSyntax},
      {"SELECT a" + repeated(".b", 20'000) + " FROM t", kPasses},
      {"SELECT [1]" + repeated("[1]", 50'000), kSyntax},
      {"SELECT i" + repeated(".abs()", 50'000) + " FROM t", kSyntax},
      {"SELECT " + repeated("NOT ", 100'000) + "true", kSyntax},
      {"SELECT " + repeated("- ", 100'000) + "1", kSyntax},
      {"SELECT true" + repeated(" AND true", 100'000), kRefused},
      {"SELECT 1 IN (" + repeated("1,", 50'000) + "1)", kRuns},
      {"SELECT 1 IN (" + numbered(20'000, "", "", ",") + ")", kRuns},
      {"VALUES " + repeated("(1),", 20'000) + "(1)", kRuns},
      {"SELECT " + repeated("1,", 20'000) + "1", kRuns},
      {"SELECT " + repeated("1,", 300'000) + "1", kRefused},
      {"SELECT 1 IN (" + repeated("1,", 800'000) + "1)", kRefused},
      {"SELECT 1 FROM t" + repeated(", t", 20'000), kSyntax},
      {"SELECT 1" + repeated(" UNION ALL SELECT 1", 1'000), kPasses},
      {"SELECT * FROM " + nested(200, "(SELECT * FROM ", "t", ")"), kRuns},
      {"SELECT " + nested(20'000, "CASE WHEN true THEN ", "1", " END"), kSyntax},
      {"SELECT 1" + repeated(";", 100'000), kRuns},
      {"SELECT 1" + repeated(";SELECT 1", 10'000), kRefused},
      {repeated("EXPLAIN ", 10'000) + "SELECT 1", kSyntax},
      {"SELECT 1 AS \"" + repeated("\"\"", 100'000) + "\"", kRuns},
      {repeated("PIVOT t ON s ", 10'000), kSyntax},
      {"SELECT $" + repeated("a", 500'000), kPasses},
      {repeated("$a$", 100'001), kSyntax},
      {"SELECT $a$" + repeated("$b$", 100'000) + "$a$", kRuns},
      {"SELECT 1 FROM t GROUP BY CUBE(" + numbered(20, "i + ", "", ",") + ")", kSyntax},
      {"SELECT regexp_matches('a', '" + repeated("(a{1000})", 1000) + "')", kPasses},
      {"WITH a0 AS (SELECT 1 AS x)" + numbered(3'000, ", a", " AS (SELECT 1)", "", 1) +
           " SELECT * FROM a0",
       kPasses},
  };
}

// What DuckDB would plan for seconds, and never be interrupted; each beside one that it plans at once.
inline std::vector<MadeProbe> planning_probes() {
  using enum Expect;
  const std::string three = "SELECT * FROM (SELECT 1 AS x)";
  return {
      {"SELECT 1" + repeated(" + 1", 200), kRuns},
      {"SELECT 1" + repeated(" + 1", 900), kRefused},
      {"SELECT s" + repeated(" || s", 200) + " FROM t", kRuns},
      {"SELECT s" + repeated(" || s", 900) + " FROM t", kRefused},
      {"SELECT " + nested(8, "list_transform([1], lambda x: ", "1", ")"), kRuns},
      {"SELECT " + nested(25, "list_transform([1], lambda x: ", "1", ")"), kRefused},
      {"SELECT '{}'::JSON" + repeated("->'a'", 10), kRuns},
      {"SELECT '{}'::JSON" + repeated("->'a'", 30), kRefused},
      {"SELECT '{}'::JSON" + repeated("->>'a'", 100), kRuns},
      {"SELECT " + nested(6, "nullif(", "1", ", 2)"), kRuns},
      {"SELECT " + nested(25, "nullif(", "1", ", 2)"), kRefused},
      {"SELECT " + nested(25, "round_even(", "1", ", 0)"), kRefused},
      {"SELECT " + nested(50, "list_append(", "[1]", ", 1)"), kRuns},
      {"SELECT " + nested(100, "{'a': ", "1", "}"), kRuns},
      {"SELECT " + nested(450, "{'a': ", "1", "}"), kRefused},
      {"SELECT " + nested(150, "[", "1", "]"), kRuns},
      {"SELECT " + nested(450, "[", "1", "]"), kRefused},
      {correlated(5), kRuns},
      {correlated(20), kRefused},
      {"SELECT " + nested(25, "(SELECT 1 + ", "1", ")"), kRefused},
      {doubling_ctes(5, "NOT MATERIALIZED"), kRuns},
      {doubling_ctes(25, "NOT MATERIALIZED"), kRefused},
      {doubling_ctes(25, "/**/NOT/**/materialized"), kRefused},
      {doubling_ctes(25, ""), kRuns},
      {"SELECT count(*) FROM " + nested(8, "(SELECT *, * FROM ", "(SELECT 1 AS x)", ")"), kRuns},
      {"SELECT count(*) FROM " + nested(25, "(SELECT *, * FROM ", "(SELECT 1 AS x)", ")"),
       kRefused},
      {"SELECT count(*) FROM " +
           nested(25, "(SELECT COLUMNS(*), COLUMNS('.*') FROM ", "(SELECT 1 AS x)", ")"),
       kRefused},
      {"SELECT count(*) FROM " + nested(8, "(SELECT *, * FROM ", "wide", ")"), kRefused},
      {"SELECT count(*) FROM " + nested(3, "(SELECT *, * FROM ", "wide", ")"), kRuns},
      {"WITH a0 AS (SELECT 1 AS x)" +
           numbered(30, ", b", " AS (SELECT *, * FROM a0), a0 AS (SELECT *, * FROM a0)", "") +
           " SELECT 1",
       kSyntax},
      {"SELECT 1 FROM " + joined(40, "JOIN"), kRuns},
      {"SELECT 1 FROM " + joined(200, "JOIN"), kRefused},
      {"SELECT 1 FROM (SELECT t0.i FROM " + joined(100, "JOIN") + ") a JOIN (SELECT t0.i FROM " +
           joined(100, "JOIN") + ") b ON a.i = b.i",
       kRefused},
      {"SELECT 1 FROM " + joined(60, "LEFT JOIN"), kRuns},
      {"SELECT 1 FROM " + joined(40, "JOIN") + " UNION ALL SELECT 1 FROM " + joined(40, "JOIN") +
           " UNION ALL SELECT 1 FROM " + joined(40, "JOIN"),
       kRuns},
      {"SELECT 1 FROM t WHERE " + numbered(1'000, "i = ", "", " OR "), kRuns},
      {"SELECT 1 FROM t WHERE " + numbered(19'000, "i = ", "", " OR "), kRefused},
      {"SELECT 1 FROM t WHERE " + numbered(300, "(i = ", " AND s = 'a')", " OR "), kRuns},
      {"SELECT 1 FROM t WHERE " + numbered(5'000, "(i = ", " AND s = 'a')", " OR "), kRefused},
      {"SELECT 1 FROM t WHERE " + numbered(2'000, "i <> ", "", " AND "), kRuns},
      {"SELECT " + numbered(30, "sum(i) OVER (PARTITION BY i + ", ")", ",") + " FROM t", kPasses},
      {"SELECT " + numbered(5'000, "sum(i) OVER (PARTITION BY i + ", ")", ",") + " FROM t",
       kRefused},
      {"SELECT 1 FROM t GROUP BY " + numbered(300, "(i + ", ")", ","), kRuns},
      {"SELECT 1 FROM t GROUP BY " + numbered(20'000, "(i + ", ")", ","), kRefused},
      {"SELECT * REPLACE (" + numbered(500, "1 AS c", "", ",") + ") FROM (SELECT " +
           numbered(500, "1 AS c", "", ",") + ")",
       kRuns},
      {"SELECT * REPLACE (" + numbered(10'000, "1 AS c", "", ",") + ") FROM (SELECT " +
           numbered(10'000, "1 AS c", "", ",") + ")",
       kRefused},
      {"SELECT * RENAME (" + numbered(10'000, "c", " AS d", ",") + ") FROM t", kRefused},
      {"SELECT " + numbered(100, "(SELECT max(i) + ", " FROM t)", ","), kRuns},
      {"SELECT " + numbered(2'000, "i + ", "", ",") + " FROM t", kRuns},
      {three, kRuns},
  };
}

// What runs without end, or in steps that nothing interrupts.
inline std::vector<MadeProbe> running_probes() {
  using enum Expect;
  return {
      // rows without end
      {"WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r",
       kEndless},
      {"WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT 1 FROM r) SELECT count(*) FROM r",
       kEndless},
      {"WITH RECURSIVE r(a, b) USING KEY (a) AS (SELECT 1, 1::HUGEINT UNION SELECT a, b + 1 FROM "
       "r) "
       "SELECT count(*) FROM r",
       kEndless},
      {"WITH RECURSIVE r(n) AS (SELECT 1 UNION SELECT n + 1 FROM r) SELECT count(*) FROM r",
       kEndless},
      {"SELECT count(*) FROM range(1000000000000) a, range(1000000) b WHERE (a.range * b.range) % "
       "7 = 3",
       kEndless},
      {"SELECT count(*) FROM range(10000000) a(i) JOIN range(10000000) b(i) ON a.i % 7 < b.i % 5",
       kEndless},
      {"SELECT sum(hash(i)) FROM range(9000000000000000000) t(i)", kEndless},
      {"SELECT max(i) FROM generate_series(1, 9000000000000000000) t(i) WHERE i % 3 = 5", kEndless},
      {"SELECT count(*) FROM repeat('x', 9000000000000000000)", kEndless},
      {"SELECT count(*) FROM repeat_row(1, 2, num_rows := 9000000000000000000)", kEndless},
      {"SELECT count(*) FROM range(TIMESTAMP '0001-01-01', TIMESTAMP '9999-01-01', INTERVAL 1 "
       "MICROSECOND) t(x) WHERE hash(x) = 1",
       kEndless},
      {"SELECT count(*) FROM range(1000) a, range(1000) b, range(1000) c, range(1000) d WHERE "
       "hash(a.range, b.range, c.range, d.range) = 1",
       kEndless},
      {"SELECT count(*) FROM range(9000000000) t(i) WHERE regexp_matches(md5(i::VARCHAR), "
       "'(a|b)*c(d|e)*f$')",
       kEndless},
      {"SELECT count(DISTINCT i % 1000) FROM range(9000000000000) t(i)", kEndless},
      {"SELECT i FROM range(9000000000000) t(i) QUALIFY row_number() OVER () = -1", kEndless},
      {"SELECT sum(length(repeat('x', 1000) || i)) FROM range(9000000000) t(i)", kEndless},
      {"SELECT count(*) FROM t TABLESAMPLE reservoir(1000000000 ROWS)", kRuns},
      // one large value
      {"SELECT length(repeat('x', 1000000))", kRuns},
      {"SELECT length(repeat('x', 1000 * 1000))", kRuns},
      {"SELECT length(repeat('x', 2000000000))", kRefused},
      {"SELECT length(repeat('x', 1000000 * 2000))", kRefused},
      {"SELECT length(repeat('x', '2000000000'))", kRefused},
      {"SELECT length(repeat('x', 2000000000::BIGINT))", kRefused},
      {"SELECT length(repeat('x', 2e9::BIGINT))", kRefused},
      {"SELECT length(repeat('x', abs(2000000000)))", kRefused},
      {"SELECT length(repeat('x', -(-2000000000)))", kRefused},
      {"SELECT length(('x').repeat(2000000000))", kRefused},
      {"SELECT length(Repeat('x', 2000000000))", kRefused},
      {"SELECT length(main.repeat('x', 2000000000))", kRefused},
      {"SELECT list_transform([1], lambda x: repeat('x', 2000000000))", kRefused},
      {"SELECT repeat('x', i) FROM t", kRuns},
      {"SELECT len(repeat([1], 200000000))", kRefused},
      {"SELECT length(lpad('x', 2000000000, 'y'))", kRefused},
      {"SELECT length(rpad('x', 2000000000, 'y'))", kRefused},
      {"SELECT lpad(i::VARCHAR, 10, '0') FROM t", kRuns},
      {"SELECT bit_length(bitstring('1', 2000000000))", kRefused},
      {"SELECT len(list_resize([1], 1000000000))", kRefused},
      {"SELECT len(array_resize([1], 1000000000))", kRefused},
      {"SELECT len(range(1000000000))", kRefused},
      {"SELECT len(range(0, 1000000000, 1))", kRefused},
      {"SELECT len(range(0, 1000000000, 1000000))", kRuns},
      {"SELECT len(range(1000000000, 0, -1))", kRefused},
      {"SELECT len(generate_series(1, 300000000))", kRefused},
      {"SELECT len(range(100000)), unnest(generate_series(DATE '2024-01-01', DATE '2024-01-03', "
       "INTERVAL 1 DAY))",
       kRuns},
      {"SELECT length(format('{:>1000000000}', 1))", kRefused},
      {"SELECT length(format('{:.1000000000f}', 1.0))", kRefused},
      {"SELECT length(format('{:{}}', 1, 1000000000))", kRefused},
      {"SELECT length(format(s, 1)) FROM t", kRefused},
      {"SELECT format('{:06.2f} {{}} {1}', 1.5, 'x')", kPasses},
      {"SELECT format('{} {:>10}', 1, 'x')", kRuns},
      {"SELECT length(printf('%1000000000d', 1))", kRefused},
      {"SELECT length(printf('%*d', 1000000000, 1))", kRefused},
      {"SELECT length(printf('%.1000000000f', 1.0))", kRefused},
      {"SELECT printf('%05d %% %s', 1, 'x')", kRuns},
      {"SELECT reservoir_quantile(i, 0.5, 1000000000) FROM t", kRefused},
      {"SELECT equi_width_bins(0, 10, 1000000000, true)", kPasses},
      {"SELECT bar(1, 0, 1, 1000000000)", kPasses},
      {"SELECT max(i, 1000000000) FROM t", kPasses},
      // patterns that are tried at every place
      {"SELECT repeat('a', 1000) LIKE '%a%a%a%a%a%a%a%b'", kRuns},
      {"SELECT s NOT LIKE '%a%a%a%a%a%a%a%b' FROM t", kRuns},
      {"SELECT repeat('a', 1000) ILIKE '%a%a%a%a%a%a%a%b'", kRefused},
      {"SELECT repeat('a', 1000) NOT ILIKE '%a%a%a%a%a%a%a%b'", kRefused},
      {"SELECT repeat('a', 1000) LIKE '%a%a_%a%a%a%a%a%b'", kRefused},
      {"SELECT repeat('a', 100) LIKE ('%a%a%a%a%a%a%a%a%a%b' || s) FROM t", kRefused},
      {"SELECT repeat('a', 1000) LIKE '%a%a%a%a%a%a%a%b' ESCAPE 'x'", kRefused},
      {"SELECT repeat('a', 1000) GLOB '*a*a*a*a*a*a*b'", kRefused},
      {"SELECT like_escape(repeat('a', 1000), '%a%a%a%a%a%a%a%b', 'x')", kRefused},
      {"SELECT s ILIKE '%x%' || i || '%' FROM t", kRuns},
      {"SELECT s GLOB '*x*' FROM t", kRuns},
      {"SELECT regexp_matches(repeat('a', 10000), '(a?){100}b')", kRuns},
      {"SELECT regexp_matches(repeat('a', 100000), '(a*)*(a*)*(a*)*b')", kRuns},
      {"SELECT regexp_replace(repeat('a', 10000), '(a|aa)+$', 'x', 'g')", kRuns},
      // documents: what recurses with their depth
      {"SELECT json_structure(repeat('{\"a\":', 1000000))", kRefused},
      {"SELECT json_group_structure(s) FROM t", kRefused},
      {"SELECT json_merge_patch(s, s) FROM t", kRefused},
      {"SELECT json_transform('[]', '[\"INT\"]')", kRuns},
      {"SELECT json_transform('1', repeat('[', 100000))", kRefused},
      {"SELECT from_json('1', s) FROM t", kRefused},
      {"SELECT from_json('1', '" + nested(1'000, "[", "\"INT\"", "]") + "')", kRefused},
      {"SELECT '[]'::JSON::VARIANT", kRefused},
      {"SELECT TRY_CAST('[]'::JSON AS VARIANT)", kRefused},
      {"SELECT '[]'::JSON::VARIANT[]", kRefused},
      {"SELECT '[]'::JSON::STRUCT(a variant)", kRefused},
      {"SELECT '[]'::JSON::\"VaRiAnT\"", kRefused},
      {"SELECT json_extract('{}', '$..a')", kRuns},
      {"SELECT json_extract('{}', '$..*..*..*')", kRefused},
      {"SELECT '{}'::JSON->'$..*..*..*'", kRefused},
      {"SELECT '{}'::JSON->>'$..*..*..*'", kRefused},
      {"SELECT length(json(repeat('[', 100000) || repeat(']', 100000)))", kRuns},
      {"SELECT error('x')", kPasses},
      // Known: these hold their thread, whatever the gate can see of them (docs/sql.md).
      {"SELECT levenshtein(repeat('a', 400000), repeat('b', 400000))", kHolds},
      {"SELECT length(repeat('x', i)) FROM (SELECT 2000000000 AS i)", kHolds},
      {"SELECT s LIKE s || '%a%a%a%a' FROM (SELECT repeat('%a', 50) AS s FROM t)", kHolds},
  };
}

inline std::vector<MadeProbe> all_probes() {
  std::vector<MadeProbe> all;
  for (const Probe& probe : kProbes) all.push_back({std::string(probe.sql), probe.expect});
  for (const Probe& probe : kWritingProbes) all.push_back({std::string(probe.sql), probe.expect});
  for (auto make : {long_probes, planning_probes, running_probes}) {
    for (MadeProbe& probe : make()) all.push_back(std::move(probe));
  }
  return all;
}

}  // namespace sd::query
