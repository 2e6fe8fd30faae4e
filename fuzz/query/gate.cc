// Any bytes as a statement. The gate never crashes, and what it lets through is one statement, that DuckDB
// calls SELECT or EXPLAIN, and that changes nothing: neither tables, nor settings, nor catalog. Where it is
// limited to one table, nothing of another one comes out. Its tokens and DuckDB's parser agree on how many
// statements there are.
#include "query/gate.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/ascii.h"
#include "query/gate_policy.h"
#include "query/sql_tokens.h"

namespace {

using namespace sd;
namespace duck = destinations::duckdb;
using query::GatedStatement;

constexpr std::size_t kMaxInput = 4096;
constexpr std::chrono::milliseconds kRunFor(100);
constexpr std::size_t kInputsBetweenLooks = 50;
// Stand in a table, and as a column's name, that a limited key may not read.
constexpr std::string_view kSecretValue = "zq7value";
constexpr std::string_view kSecretColumn = "zq7column";

[[noreturn]] void found(const char* what, std::string_view sql) {
  std::fprintf(stderr, "%s: %.*s\n", what, static_cast<int>(sql.size()), sql.data());
  std::abort();
}

// Interrupts a connection again and again while it is armed and over its time.
class Watchdog {
 public:
  explicit Watchdog(duckdb_connection connection) : connection_(connection) {
    thread_ = std::thread([this] {
      while (!done_) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        const auto since = since_.load();
        if (since != 0 && now() - since > kRunFor.count()) duckdb_interrupt(connection_);
      }
    });
  }
  ~Watchdog() {
    done_ = true;
    thread_.join();
  }
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;
  void arm() { since_ = now(); }
  void disarm() { since_ = 0; }

 private:
  static std::int64_t now() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
  }
  duckdb_connection connection_;
  std::atomic<std::int64_t> since_ = 0;
  std::atomic<bool> done_ = false;
  std::thread thread_;
};

struct Instance {
  duck::Database database;
  duck::Connection connection;
  query::Definitions definitions;
  std::string fingerprint, quick_fingerprint;
  std::unique_ptr<Watchdog> watchdog;

  Instance() {
    duck::Config config;
    duckdb_create_config(config.out());
    duckdb_set_config(config.get(), "threads", "1");
    duckdb_set_config(config.get(), "memory_limit", "512MB");
    if (duckdb_open_ext(nullptr, database.out(), config.get(), nullptr) != DuckDBSuccess) abort();
    duckdb_connect(database.get(), connection.out());
    for (const char* sql :
         {"ATTACH ':memory:' AS db", "USE db",
          "CREATE TABLE t AS SELECT range AS i, 'x' || (range % 3) AS s FROM range(10)",
          "CREATE TABLE cities(country VARCHAR, year INTEGER, population INTEGER)",
          "INSERT INTO cities VALUES ('NL', 2000, 1005), ('US', 2000, 8)",
          "CREATE TABLE secret AS SELECT 'zq7value' AS zq7column", "CREATE SCHEMA other",
          "CREATE TABLE other.u(a INTEGER)", "CREATE SEQUENCE seq",
          "CREATE VIEW v AS SELECT * FROM t", "CREATE VIEW v_secret AS SELECT * FROM secret",
          "CREATE MACRO twice(a) AS a + a", "CREATE MACRO rows_secret() AS TABLE FROM secret",
          "PREPARE p AS SELECT 1", "SET autoinstall_known_extensions = false",
          "SET autoload_known_extensions = false", "SET temp_directory = ''",
          "SET enable_external_access = false", "SET lock_configuration = true"}) {
      if (!duck::execute(connection.get(), sql)) found("the fixture failed", sql);
    }
    auto read = query::read_definitions(connection.get());
    if (!read) found("the definitions failed", read.error().message);
    definitions = std::move(*read);
    fingerprint = look();
    quick_fingerprint = look_quickly();
    watchdog = std::make_unique<Watchdog>(connection.get());
  }

  // What must stay as it is; empty where the instance is unusable.
  std::string look() const {
    std::string all = look_quickly();
    for (const char* sql :
         {"SELECT sum(hash(c))::VARCHAR || count(*) FROM cities c", "SELECT count(*) FROM other.u",
          "SELECT string_agg(table_name, ',' ORDER BY ALL) FROM duckdb_tables()",
          "SELECT string_agg(view_name, ',' ORDER BY ALL) FROM duckdb_views() WHERE NOT internal",
          "SELECT count(*) FROM duckdb_types()", "SELECT last_value FROM duckdb_sequences()",
          "SELECT string_agg(database_name, ',' ORDER BY ALL) FROM duckdb_databases()",
          "SELECT sum(hash(name, value)) FROM duckdb_settings()",
          "SELECT count(*) FROM duckdb_variables()"}) {
      all += first_value(sql);
    }
    return all;
  }
  std::string look_quickly() const {
    return first_value("SELECT sum(hash(i, s))::VARCHAR || count(*) FROM t");
  }
  std::string first_value(const char* sql) const {
    duck::QueryResult result;
    if (duckdb_query(connection.get(), sql, result.get()) != DuckDBSuccess) return "";
    char* text = duckdb_value_varchar(result.get(), 0, 0);
    std::string out = text == nullptr ? "NULL;" : std::string(text) + ";";
    duckdb_free(text);
    return out;
  }
};

Instance& instance() {
  static std::unique_ptr<Instance> the = std::make_unique<Instance>();
  // An INTERNAL error of DuckDB's makes the whole instance unusable. The engine ends then.
  if (the->look_quickly().empty()) {
    std::fprintf(stderr, "DuckDB had to be opened anew\n");
    the.reset();
    the = std::make_unique<Instance>();
  }
  return *the;
}

// How many statements there are; 0 where one of them is of a kind that DuckDB itself makes several of (PIVOT, COPY
// FROM DATABASE, IMPORT …).
std::size_t count_by_tokens(const query::SqlTokens& tokens) {
  std::size_t count = 0;
  bool in_statement = false;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const bool semicolon = tokens.is_symbol(i, ';');
    const std::string word = fold_ascii(tokens.text(i));
    const bool begins = !semicolon && !in_statement && word != "(";
    if (begins && (word == "explain" || !query::is_allowed_leading_keyword(word))) return 0;
    if (word.starts_with("pivot")) return 0;
    if (begins) ++count;
    in_statement = !semicolon && (in_statement || begins);
  }
  return count;
}

void compare_counts(duckdb_connection connection, const std::string& sql) {
  if (sql.find('\0') != std::string::npos) return;
  const auto tokens = query::SqlTokens::read(sql, 500);
  const std::size_t expected = tokens ? count_by_tokens(*tokens) : 0;
  if (expected == 0) return;
  duck::Extracted extracted;
  const idx_t count = duckdb_extract_statements(connection, sql.c_str(), extracted.out());
  if (count != 0 && count != count_by_tokens(*tokens))
    found("statements were counted wrongly", sql);
}

// What comes out of it, as one text; at most a thousand cells.
std::string run(Instance& db, const GatedStatement& statement) {
  std::string out;
  // DuckDB's own word, asked without prepare(), which would refuse another type.
  duck::Prepared classified;
  if (!statement.collects_pivot_values &&
      duckdb_prepare(db.connection.get(), statement.sql.c_str(), classified.out()) ==
          DuckDBSuccess &&
      duckdb_prepared_statement_type(classified.get()) != statement.prepared_type()) {
    found("a statement of another type passed", statement.sql);
  }
  const auto prepared = query::prepare(db.connection.get(), statement);
  if (!prepared) return prepared.error().message;
  if (duckdb_nparams(prepared->get()) != 0) return "";
  duck::Pending pending;
  duck::QueryResult result;
  if (duckdb_pending_prepared_streaming(prepared->get(), pending.out()) != DuckDBSuccess)
    return duckdb_pending_error(pending.get());
  if (duckdb_execute_pending(pending.get(), result.get()) != DuckDBSuccess) {
    return query::sql_error(duckdb_result_error_type(result.get()),
                            duckdb_result_error(result.get()), statement.sql, "sql-error",
                            statement.limited)
        .message;
  }
  for (idx_t i = 0; i < duckdb_column_count(result.get()); ++i)
    out += duckdb_column_name(result.get(), i);
  for (int chunks = 0; chunks < 4; ++chunks) {
    const duck::DataChunk chunk(duckdb_fetch_chunk(result.ref()));
    if (!chunk) break;
    for (idx_t column = 0; column < duckdb_data_chunk_get_column_count(chunk.get()); ++column) {
      if (duckdb_column_type(result.get(), column) != DUCKDB_TYPE_VARCHAR) continue;
      duckdb_vector vector = duckdb_data_chunk_get_vector(chunk.get(), column);
      auto* texts = static_cast<duckdb_string_t*>(duckdb_vector_get_data(vector));
      std::uint64_t* valid = duckdb_vector_get_validity(vector);
      for (idx_t row = 0; row < std::min<idx_t>(duckdb_data_chunk_get_size(chunk.get()), 50);
           ++row) {
        if (valid != nullptr && !duckdb_validity_row_is_valid(valid, row)) continue;
        out.append(duckdb_string_t_data(&texts[row]), duckdb_string_t_length(texts[row]));
      }
    }
  }
  return out;
}

std::string run_in_transaction(Instance& db, const GatedStatement& statement) {
  if (!duck::execute(db.connection.get(), "BEGIN TRANSACTION READ ONLY")) return "";
  db.watchdog->arm();
  std::string out = run(db, statement);
  db.watchdog->disarm();
  // An interrupt that comes late may hit this one; an unusable instance fails it for good.
  for (int i = 0; i < 50 && !duck::execute(db.connection.get(), "ROLLBACK"); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return out;
}

bool mentions_secret(std::string_view text) {
  const std::string folded = fold_ascii(text);
  return folded.find(kSecretValue) != std::string::npos ||
         folded.find(kSecretColumn) != std::string::npos;
}

void check(Instance& db, const std::string& sql, bool limited) {
  query::GateOptions options{.definitions = &db.definitions};
  if (limited) options.tables = {"t"};
  const auto gated = query::gate(db.connection.get(), sql, options);
  if (!gated) {
    if (limited && !mentions_secret(sql) && mentions_secret(gated.error().message))
      found("the gate told of a table that may not be read", sql);
    return;
  }
  if (gated->sql.size() != sql.size()) found("the statement's length changed", sql);
  duck::Extracted extracted;
  const idx_t count =
      duckdb_extract_statements(db.connection.get(), gated->sql.c_str(), extracted.out());
  if (count != 1 && !gated->collects_pivot_values) found("more than one statement passed", sql);
  const std::string out = run_in_transaction(db, *gated);
  if (limited && !mentions_secret(sql) && mentions_secret(out))
    found("a table was read that may not be", sql);
}

}  // namespace

// DuckDB keeps allocations between two inputs that the leak checker then takes for lost.
extern "C" const char* __asan_default_options() {  // NOLINT
  return "detect_leaks=0";
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string sql(reinterpret_cast<const char*>(data), std::min(size, kMaxInput));
  Instance& db = instance();
  compare_counts(db.connection.get(), sql);
  check(db, sql, false);
  check(db, sql, true);
  const std::string after = db.look_quickly();
  if (after.empty()) return 0;
  if (after != db.quick_fingerprint) found("something changed", sql);
  // Catalog and settings are dear to look at: after every few inputs, and it was one of those.
  static std::vector<std::string> latest;
  latest.push_back(sql);
  if (latest.size() < kInputsBetweenLooks) return 0;
  if (db.look() != db.fingerprint) {
    std::string all;
    for (const std::string& one : latest) all += "\n---- " + one;
    found("something changed", all);
  }
  latest.clear();
  return 0;
}
