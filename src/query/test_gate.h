// For tests: a destination as the gate meets one, with what its maker may have left in it.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <map>
#include <sstream>
#include <thread>

#include "query/gate.h"
#include "query/test_database.h"

namespace sd::query::testing {

inline std::string slug_of(const Error& error) {
  return error.slug;
}

inline std::optional<std::size_t> position_of(const Error& error) {
  for (const auto& [name, value] : error.members) {
    if (name == "sql_position") return std::stoul(value);
  }
  return std::nullopt;
}

// Every file under a folder with its bytes.
inline std::map<std::string, std::string> snapshot(const std::filesystem::path& folder) {
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
    database_.run("CREATE TABLE \"quo\"\"ted\"(a INTEGER)");
    std::string columns;
    for (int i = 0; i < 1000; ++i) columns += (i == 0 ? "c" : ", c") + std::to_string(i) + " INT";
    database_.run("CREATE TABLE wide(" + columns + ")");
    database_.run("CREATE SCHEMA _scratch");
    database_.run("CREATE TABLE _scratch.failed_rows(body BLOB)");
    database_.run("CREATE SEQUENCE seq");
    database_.run("CREATE SCHEMA other");
    database_.run("CREATE TABLE other.u(a INTEGER)");
    make_definitions();
    database_.run("PREPARE p AS SELECT 1");
    database_.run("CHECKPOINT db");
    auto definitions = read_definitions(database_.connection());
    EXPECT_TRUE(definitions);
    if (definitions) definitions_ = std::move(*definitions);
    for (const char* setting :
         {"autoinstall_known_extensions = false", "autoload_known_extensions = false",
          "allow_community_extensions = false", "enable_external_access = false",
          "lock_configuration = true"}) {
      database_.run(std::string("SET ") + setting);
    }
  }

  // Views and macros that read, and some that do what they should not.
  void make_definitions() {
    const std::string csv = duck::quote_literal((folder_.path() / "secret.csv").string());
    for (const std::string& sql : std::initializer_list<std::string>{
             "CREATE VIEW v AS SELECT * FROM t",
             "CREATE VIEW v_of_v AS SELECT * FROM v WHERE i > 1",
             "CREATE VIEW v_reads AS SELECT * FROM read_csv(" + csv + ")",
             "CREATE VIEW v_hidden AS SELECT * FROM v_reads",
             "CREATE VIEW v_own AS SELECT * FROM _scratch.failed_rows",
             "CREATE VIEW v_checkpoint AS SELECT * FROM force_checkpoint()",
             "CREATE VIEW v_time AS SELECT now() AS at",
             "CREATE VIEW v_other AS SELECT * FROM other.u", "CREATE MACRO twice(a) AS a + a",
             "CREATE MACRO count_all() AS (SELECT count(*) FROM t)",
             "CREATE MACRO rows_of_t() AS TABLE SELECT * FROM t",
             "CREATE MACRO rows_of_file(f) AS TABLE SELECT * FROM read_text(f)",
             "CREATE MACRO reads(f) AS (SELECT content FROM read_text(f))",
             "CREATE MACRO sign(x) AS (SELECT content FROM read_text('secret.csv'))",
             "CREATE MACRO deep(x) AS reads(x)"}) {
      database_.run(sql);
    }
  }

  Result<GatedStatement> gate(std::string_view sql) {
    return query::gate(database_.connection(), sql, {.definitions = &definitions_});
  }

  // As the engine does it: gate, then prepare and run in a read-only transaction that is rolled
  // back.
  Result<> run(std::string_view sql) {
    TRY_ASSIGN(const GatedStatement statement, gate(sql));
    database_.run("BEGIN TRANSACTION READ ONLY");
    Result<> outcome = run_gated(statement);
    // An interrupt may hit this one too.
    Result<> rolled_back = duck::execute(database_.connection(), "ROLLBACK");
    while (!rolled_back && rolled_back.error().code == ErrorCode::kCancelled)
      rolled_back = duck::execute(database_.connection(), "ROLLBACK");
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

  // Runs it, interrupting it again and again behind a time, as the engine does. How long it took, and
  // how long after the first interrupt.
  struct Timed {
    Result<> outcome;
    std::chrono::milliseconds took, held;
  };
  Timed run_for(std::string_view sql, std::chrono::milliseconds limit) {
    using Clock = std::chrono::steady_clock;
    const auto start = Clock::now();
    std::atomic<bool> done = false;
    std::atomic<Clock::rep> interrupted = 0;
    std::thread watch([&] {
      while (!done) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
        if (Clock::now() - start < limit || done) continue;
        if (interrupted == 0) interrupted = Clock::now().time_since_epoch().count();
        duckdb_interrupt(database_.connection());
      }
    });
    Result<> outcome = run(sql);
    const auto end = Clock::now();
    done = true;
    watch.join();
    const auto since = [&](Clock::time_point from) {
      return std::chrono::duration_cast<std::chrono::milliseconds>(end - from);
    };
    const Clock::time_point first{Clock::duration(interrupted.load())};
    return {std::move(outcome), since(start),
            interrupted == 0 ? std::chrono::milliseconds(0) : since(first)};
  }

  TempFolder folder_;
  TestDatabase database_;
  Definitions definitions_;
};

}  // namespace sd::query::testing
