#include "destinations/duckdb/duckdb_destination.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <map>
#include <random>

#include "destinations/duckdb/conversions.h"
#include "destinations/duckdb/rows.h"
#include "json/flatten.h"
#include "json/rows.h"

namespace sd::destinations::duckdb {
namespace {

using namespace std::string_literals;

const Id128 kLog = Id128::make();

class DuckdbTest : public testing::Test {
 protected:
  void SetUp() override {
    dir_ = std::filesystem::path(testing::TempDir()) / ("sd_duckdb_" + Id128::make().to_string());
    std::filesystem::create_directories(dir_);
    reopen();
  }
  void TearDown() override {
    destination_.reset();
    std::filesystem::remove_all(dir_);
  }

  std::string file() const { return (dir_ / "data.duckdb").string(); }

  void reopen() {
    if (destination_) {
      EXPECT_TRUE(destination_->close());
    }
    DuckdbOptions options;
    options.path = file();
    destination_ = std::make_unique<DuckdbDestination>(options);
    const auto opened = destination_->open();
    ASSERT_TRUE(opened) << opened.error().message;
  }

  // Loads a body as one batch.
  Result<> load(const std::string& table, std::string_view body,
                std::size_t max_columns = json::kDefaultMaxColumns) {
    json::TableBuilder builder;
    json::HorizontalFlattener flattener(builder);
    json::RowSplitter<json::HorizontalFlattener> splitter(flattener);
    TRY_ASSIGN(LoadState state, destination_->load_state(kLog));
    TRY_ASSIGN(const json::TableSchema schema, destination_->schema(table));
    Batch batch;
    std::size_t used = 0;
    for (std::uint64_t row = 0;; ++row) {
      auto step = splitter.next(body.substr(used), true);
      used += splitter.consumed();
      using State = decltype(splitter)::State;
      if (step.state == State::kRow) {
        builder.commit_row(state.next_row_id++, 1'700'000'000'000'000);
      } else if (step.state == State::kRefused) {
        builder.begin_row();
        ++state.next_row_id;
        batch.failed.push_back({state.position, row, table, Id128::make(), 1, step.error.code,
                                step.error.detail, std::string(step.text)});
      } else {
        break;
      }
    }
    const json::SchemaPlan plan(schema, builder, max_columns);
    state.position += 1;
    batch.at = 1'700'000'000'000'000;
    batch.sources = {Id128::make()};
    batch.tables.push_back({&builder, &plan});
    TRY(destination_->write(batch));
    return destination_->commit(kLog, state);
  }

  Result<> change(const TableChange& change) {
    TRY_ASSIGN(LoadState state, destination_->load_state(kLog));
    state.position += 1;
    TRY(destination_->write(change, 1));
    return destination_->commit(kLog, state);
  }

  // The result as text: values by '|', rows by newline, NULL as ~.
  std::string query(const std::string& sql) {
    auto connection = destination_->connect();
    if (!connection) return connection.error().message;
    auto rows = fetch(connection->get(), sql);
    if (!rows) return rows.error().message;
    std::string out;
    const std::string count = "SELECT count(*) FROM (DESCRIBE " + sql + ")";
    const auto columns = fetch(connection->get(), count);
    for (const Row& row : *rows) {
      for (std::int64_t i = 0; i < (*columns)[0].integer(0); ++i) {
        if (i > 0) out += '|';
        out +=
            row.is_null(static_cast<std::size_t>(i)) ? "~" : row.text(static_cast<std::size_t>(i));
      }
      out += '\n';
    }
    return out;
  }

  std::filesystem::path dir_;
  std::unique_ptr<DuckdbDestination> destination_;
};

TEST_F(DuckdbTest, MakesTablesAndColumnsAndKeepsEveryValue) {
  ASSERT_TRUE(load("events", R"([{"a":1,"s":"x","f":1.5,"b":true,"n":null,"e":{}},{"a":2}])"));
  EXPECT_EQ(query("SELECT * EXCLUDE (__received_at) FROM events ORDER BY __row_id"),
            "1|1|x|1.5|true|~|{}\n2|2|~|~|~|~|~\n");
  ASSERT_TRUE(load("events", R"({"z":"a string that is longer than twelve bytes"})"));
  EXPECT_EQ(query("SELECT z FROM events WHERE z IS NOT NULL"),
            "a string that is longer than twelve bytes\n");
  EXPECT_EQ(query("SELECT data_type FROM duckdb_columns() WHERE table_name='events' AND "
                  "column_name IN ('__row_id','__received_at','e') ORDER BY column_name"),
            "TIMESTAMP WITH TIME ZONE\nBIGINT\nJSON\n");
}

TEST_F(DuckdbTest, WideningKeepsEveryEarlierValueReadable) {
  ASSERT_TRUE(load("t", R"([{"v":1},{"v":9007199254740993}])"));
  ASSERT_TRUE(load("t", R"({"v":0.25})"));
  EXPECT_EQ(query("SELECT v, typeof(v) FROM t ORDER BY __row_id"),
            "1.00|DECIMAL(38,2)\n9007199254740993.00|DECIMAL(38,2)\n0.25|DECIMAL(38,2)\n");
  ASSERT_TRUE(load("t", R"({"v":18446744073709551616})"));
  ASSERT_TRUE(load("t", R"({"v":"text"})"));
  EXPECT_EQ(query("SELECT v FROM t ORDER BY __row_id"),
            "1\n9007199254740993\n0.25\n18446744073709551616\ntext\n");
  ASSERT_TRUE(load("t", R"({"v":{}})"));
  EXPECT_EQ(query("SELECT typeof(v), v FROM t WHERE __row_id IN (5, 6) ORDER BY __row_id"),
            "JSON|\"text\"\nJSON|{}\n");
}

TEST_F(DuckdbTest, FractionsOf38DigitsKeepTheZeroBeforeTheirPointAsText) {
  const std::string digits = "0.12345678901234567890123456789012345678";
  ASSERT_TRUE(load("t", "[{\"v\":" + digits + "},{\"v\":-0.5},{\"v\":0.0}]"));
  EXPECT_EQ(query("SELECT DISTINCT typeof(v) FROM t"), "DECIMAL(38,38)\n");
  ASSERT_TRUE(load("t", R"({"v":"x"})"));
  EXPECT_EQ(query("SELECT v FROM t ORDER BY __row_id"), digits + "\n-0.5\n0\nx\n");
}

TEST_F(DuckdbTest, ADoubleColumnBecomesTextInItsCanonicalSpelling) {
  std::mt19937_64 random(3);
  std::string body = "[";
  std::vector<std::string> expected;
  for (int i = 0; i < 3000; ++i) {
    const std::uint64_t bits = random();
    double value;
    __builtin_memcpy(&value, &bits, 8);
    if (i % 3 == 0)
      value = static_cast<double>(static_cast<std::int64_t>(bits % 20'000'000'000'000)) / 1000;
    if (i % 7 == 0) value = static_cast<double>(bits % 100);
    if (!std::isfinite(value)) value = 0.5;
    std::string text;
    json::append_double(text, value);
    expected.push_back(text);
    // The shortest spelling, always with an exponent or point, so that each is a DOUBLE.
    const bool integral = text.find_first_of(".e") == std::string::npos;
    body += (i == 0 ? "{\"v\":" : ",{\"v\":") + text + (integral ? ".0" : "") + "}";
  }
  ASSERT_TRUE(load("t", body + "]"));
  EXPECT_EQ(query("SELECT DISTINCT typeof(v) FROM t"), "DOUBLE\n");
  ASSERT_TRUE(load("t", R"({"v":"x"})"));
  std::string all;
  for (const std::string& text : expected) all += text + "\n";
  EXPECT_EQ(query("SELECT v FROM t WHERE v <> 'x' ORDER BY __row_id"), all);
}

// However rows are cut into batches, the tables are the same.
TEST_F(DuckdbTest, BatchBoundsMakeNoDifference) {
  const std::vector<std::string> values = {"1",
                                           "2.5",
                                           "9007199254740993",
                                           "true",
                                           "\"s\"",
                                           "1e300",
                                           "5.0",
                                           "-0.0",
                                           "12345678901234567890123",
                                           "0.1234567890123456789"};
  std::mt19937 random(5);
  for (int round = 0; round < 12; ++round) {
    std::vector<std::string> rows;
    for (int i = 0; i < 6; ++i) rows.push_back("{\"v\":" + values[random() % values.size()] + "}");
    const std::string one = "one" + std::to_string(round), many = "many" + std::to_string(round);
    std::string body;
    for (const std::string& row : rows) {
      body += row + "\n";
      ASSERT_TRUE(load(many, row));
    }
    ASSERT_TRUE(load(one, body));
    EXPECT_EQ(query("SELECT v, typeof(v) FROM " + one + " ORDER BY __row_id"),
              query("SELECT v, typeof(v) FROM " + many + " ORDER BY __row_id"))
        << body;
  }
}

TEST_F(DuckdbTest, WhenItWasLoadedIsKnownOfTheFirstBatchAndForThirtyDaysToTheMinute) {
  ASSERT_TRUE(load("t", R"({"a":1})"));
  ASSERT_TRUE(load("t", R"({"a":2})"));
  const auto connection = destination_->connect();
  OwnTables& own = destination_->own();
  EXPECT_TRUE(own.loaded_at(connection->get(), kLog, 0)->has_value()) << "of the first batch";

  // A row each 20 seconds for some minutes: long ago, some days ago, and just now.
  const Id128 log = Id128::make();
  const std::string rows = "INSERT INTO db._scratch.positions SELECT '" + log.to_string() + "', ";
  const auto some = [&](int first, int hours_ago) {
    return rows + std::to_string(first) +
           " + range, 1, 0, 0, make_timestamptz((epoch_us(now()) // 3600000000 - " +
           std::to_string(hours_ago) + ") * 3600000000 + range * 20000000) FROM range(30);";
  };
  ASSERT_TRUE(
      execute(connection->get(), some(100, 960) + some(200, 600) + some(300, 576) + some(400, -1)));
  ASSERT_TRUE(own.prune_positions(connection->get()));
  EXPECT_EQ(query("SELECT position // 100, count(*) FROM db._scratch.positions WHERE log_id = '" +
                  log.to_string() + "' GROUP BY ALL ORDER BY 1"),
            "2|10\n3|10\n4|30\n");
  const auto minute_of = [&](std::uint64_t position) {
    const auto at = own.loaded_at(connection->get(), log, position);
    return *at ? **at / (60 * kMicrosPerSecond) % 60 : -1;
  };
  EXPECT_EQ(minute_of(99), -1) << "too long ago";
  EXPECT_EQ(minute_of(201), -1) << "nothing is kept that tells when the first of these were loaded";
  EXPECT_EQ(minute_of(202), 1);
  EXPECT_EQ(minute_of(304), 1);
  EXPECT_EQ(minute_of(305), 2);
  ASSERT_TRUE(own.prune_positions(connection->get()));
  EXPECT_EQ(
      query("SELECT count(*) FROM db._scratch.positions WHERE log_id = '" + log.to_string() + "'"),
      "50\n");
}

TEST_F(DuckdbTest, SchemasSurviveARestart) {
  ASSERT_TRUE(load("Ev", R"({"User":1,"user":"x","a":{"b_c":1},"a_b":{"c":2}})"));
  reopen();
  ASSERT_TRUE(load("ev", R"({"user":"y","a_b":{"c":3},"User":2})"));
  EXPECT_EQ(query("SELECT * EXCLUDE (__row_id, __received_at) FROM Ev ORDER BY __row_id"),
            "1|x|1|2\n2|y|~|3\n");
  const auto state = destination_->load_state(kLog);
  EXPECT_EQ(state->position, 2U);
  EXPECT_EQ(state->next_row_id, 3);
  EXPECT_EQ(destination_->load_state(Id128::make())->position, 0U);
}

TEST_F(DuckdbTest, AdoptsTablesThatSomebodyElseMade) {
  {
    auto connection = destination_->connect();
    ASSERT_TRUE(execute(connection->get(),
                        "CREATE TABLE main.mine(n BIGINT, d DATE, \"two words\" VARCHAR);"
                        "INSERT INTO main.mine VALUES (1, '2024-01-01', 'x')"));
  }
  const auto loaded = load("mine", R"({"n":2,"d":"2024-01-02","two words":"y"})");
  EXPECT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(query("SELECT n, \"two words\", d FROM mine ORDER BY n"),
            "1|x|2024-01-01\n2|y|2024-01-02\n");
  EXPECT_FALSE(load("mine", R"({"n":3,"d":"2024-02-30"})"));
}

TEST_F(DuckdbTest, HostileNamesAreNamesAndNothingElse) {
  for (const std::string name : {"x'; DROP TABLE t; --", "\"quoted\"", "../../etc/passwd", "sp ace",
                                 "select", "gr\xC3\xBC\xC3\x9F", "a.b", "%s", "\\", "\t\n"}) {
    const auto loaded = load(
        name, "{\"" + std::string(name == "\\" || name == "\t\n" || name[0] == '"' ? "k" : name) +
                  "\":1}");
    EXPECT_TRUE(loaded) << name << loaded.error().message;
    EXPECT_EQ(query("SELECT count(*) FROM " + quote_identifier(name)), "1\n") << name;
  }
}

TEST_F(DuckdbTest, KeepsRefusedRowsWhole) {
  ASSERT_TRUE(load("t", R"([{"a":1}, 5, {"a":"\ud800"}])"));
  EXPECT_EQ(query("SELECT \"row\", code, body::VARCHAR FROM db._scratch.failed_rows ORDER BY 1"),
            "1|not-an-object|5\n2|lone-surrogate|{\\x22a\\x22:\\x22\\x5Cud800\\x22}\n");
}

TEST_F(DuckdbTest, DropsAndRenamesInOrder) {
  ASSERT_TRUE(load("a", R"({"x":1})"));
  ASSERT_TRUE(change({.kind = TableChange::Kind::kRename,
                      .table = "a",
                      .new_name = "b",
                      .contract = {},
                      .of_receipt = {},
                      .receipt = Id128::make()}));
  ASSERT_TRUE(load("b", R"({"x":"wide"})"));
  EXPECT_EQ(query("SELECT x FROM b ORDER BY __row_id"), "1\nwide\n");
  ASSERT_TRUE(load("a", R"({"y":1})"));
  ASSERT_TRUE(change({.kind = TableChange::Kind::kDrop,
                      .table = "b",
                      .new_name = {},
                      .contract = {},
                      .of_receipt = {},
                      .receipt = Id128::make()}));
  EXPECT_NE(query("SELECT * FROM b").find("does not exist"), std::string::npos);
  ASSERT_TRUE(load("b", R"({"x":2.5})"));
  EXPECT_EQ(query("SELECT x, typeof(x) FROM b"), "2.5|DOUBLE\n");
  EXPECT_EQ(destination_->tables()->size(), 2U);
}

// ---- many changes of a table at once

// `count` members, c<first> and on; each third one a number, a text, a fraction.
std::string members(int first, int count, bool wider = false) {
  std::string out;
  for (int i = first; i < first + count; ++i) {
    const std::string value = std::to_string(i);
    const char* const text = i % 3 == 1 ? "\"" : "";
    out += (out.empty() ? "\"c" : ",\"c") + value + "\":" + text + value + text +
           (i % 3 == 2 || (wider && i % 3 == 0) ? ".5" : "");
  }
  return out;
}

constexpr const char* kOid = "SELECT table_oid FROM duckdb_tables() WHERE table_name = 't'";

TEST_F(DuckdbTest, ManyNewColumnsMakeASmallTableAnewWithEverythingThatWasInIt) {
  ASSERT_TRUE(load("t", "[{" + members(0, 100) + R"(,"e":{},"n":null,"at":"2024-01-01T00:00:00Z"},
                          {"c0":7},{"c1":"x\u0000y"}])"));
  const std::string columns = query("SELECT column_name FROM (DESCRIBE t)");
  const std::string oid = query(kOid);
  ASSERT_TRUE(load("t", "{" + members(0, 180, true) + "}"));
  EXPECT_NE(query(kOid), oid) << "it was altered";
  EXPECT_EQ(query("SELECT column_name FROM (DESCRIBE t)").substr(0, columns.size()), columns);
  EXPECT_EQ(query("SELECT data_type, count(*) FROM duckdb_columns() WHERE table_name = 't' AND "
                  "starts_with(column_name, 'c') GROUP BY ALL ORDER BY ALL"),
            "DOUBLE|120\nVARCHAR|60\n");
  EXPECT_EQ(query("SELECT c0, c1, c2, e, n, \"at\", c179 FROM t ORDER BY rowid"),
            "0.0|1|2.5|{}|~|2024-01-01 00:00:00+00|~\n7.0|~|~|~|~|~|~\n"
            "~|x\0y|~|~|~|~|~\n0.5|1|2.5|~|~|~|179.5\n"s);
  EXPECT_EQ(query("SELECT __row_id FROM t ORDER BY rowid"), "1\n2\n3\n4\n");
  reopen();
  ASSERT_TRUE(load("t", R"({"c179":1,"c0":2})")) << "what is logged is what is there";
  EXPECT_EQ(query("SELECT count(*), sum(c0) FROM t"), "5|9.5\n");
}

TEST_F(DuckdbTest, ATableWithMoreThanOurOwnInItIsAltered) {
  for (const std::string mine :
       {"CREATE INDEX i ON main.t(c0)", "ALTER TABLE main.t ALTER c0 SET DEFAULT 5",
        "COMMENT ON TABLE main.t IS 'mine'", "COMMENT ON COLUMN main.t.c1 IS 'mine'"}) {
    ASSERT_TRUE(load("t", "{" + members(0, 100) + "}"));
    {
      auto connection = destination_->connect();
      const auto done = execute(connection->get(), mine);
      ASSERT_TRUE(done) << mine << done.error().message;
    }
    reopen();
    const std::string oid = query(kOid);
    ASSERT_TRUE(load("t", "{" + members(0, 180) + "}")) << mine;
    EXPECT_EQ(query(kOid), oid) << mine;
    EXPECT_EQ(query("SELECT count(c179), count(*) FROM t"), "1|2\n");
    ASSERT_TRUE(change({.kind = TableChange::Kind::kDrop,
                        .table = "t",
                        .new_name = {},
                        .contract = {},
                        .of_receipt = {},
                        .receipt = Id128::make()}));
  }
}

TEST_F(DuckdbTest, FewColumnsOrManyRowsAreAltered) {
  ASSERT_TRUE(load("t", "{" + members(0, 100) + "}"));
  std::string oid = query(kOid);
  ASSERT_TRUE(load("t", "{" + members(100, 15) + "}"));
  EXPECT_EQ(query(kOid), oid);
  {
    auto connection = destination_->connect();
    ASSERT_TRUE(execute(connection->get(), "INSERT INTO main.t(c0) SELECT 1 FROM range(40000)"));
  }
  ASSERT_TRUE(load("t", "{" + members(200, 100) + "}"));
  EXPECT_EQ(query(kOid), oid);
  EXPECT_EQ(query("SELECT count(*), count(c299) FROM t"), "40003|1\n");
}

TEST_F(DuckdbTest, ManyRowsAndBatchesOverTheAppendersLimit) {
  std::string body;
  for (int i = 0; i < 250'000; ++i) {
    body += "{\"i\":" + std::to_string(i) + (i % 10 == 0 ? ",\"s\":\"sparse\"}\n" : "}\n");
  }
  ASSERT_TRUE(load("big", body));
  EXPECT_EQ(query("SELECT count(*), count(s), sum(i), min(__row_id), max(__row_id) FROM big"),
            "250000|25000|31249875000|1|250000\n");
}

TEST_F(DuckdbTest, AClosedFileIsOneThatAnyDuckdbOpens) {
  ASSERT_TRUE(load("t", R"({"a":1})"));
  ASSERT_TRUE(destination_->close());
  EXPECT_FALSE(std::filesystem::exists(file() + ".wal"));
  reopen();
  EXPECT_EQ(query("SELECT a FROM t"), "1\n");
}

TEST_F(DuckdbTest, SettingsAreLockedAndFilesOutOfReach) {
  EXPECT_NE(query("SELECT * FROM read_text('/etc/hostname')").find("disabled by configuration"),
            std::string::npos);
  auto connection = destination_->connect();
  EXPECT_FALSE(execute(connection->get(), "SET enable_external_access=true"));
  EXPECT_FALSE(execute(connection->get(), "SET lock_configuration=false"));
  EXPECT_FALSE(execute(connection->get(), "ATTACH '" + dir_.string() + "/other.duckdb'"));
}

TEST_F(DuckdbTest, ManyColumnsAtOnce) {
  std::string body = "{\"k0\":0";
  for (int i = 1; i < 3000; ++i) body += ",\"k" + std::to_string(i) + "\":" + std::to_string(i);
  ASSERT_TRUE(load("wide", body + "}", 4000));
  ASSERT_TRUE(load("wide", R"({"new":1,"k7":"text"})", 4000));
  EXPECT_EQ(query("SELECT k2999, new, k7 FROM wide ORDER BY __row_id"), "2999|~|7\n~|1|text\n");
}

TEST(DuckdbLibrary, IsTheOneThatWasPinnedAndHasWhatTheHeaderLacks) {
  EXPECT_TRUE(check_library());
  DuckdbOptions options;
  options.target = DuckdbOptions::Target::kMemory;
  DuckdbDestination destination(options);
  ASSERT_TRUE(destination.open());
  auto connection = destination.connect();
  ASSERT_TRUE(execute(connection->get(), "CREATE TABLE db.main.t(a INTEGER NOT NULL)"));
  Appender appender;
  ASSERT_EQ(duckdb_appender_create_ext(connection->get(), "db", "main", "t", appender.out()),
            DuckDBSuccess);
  duckdb_append_null(appender.get());
  duckdb_appender_end_row(appender.get());
  EXPECT_EQ(duckdb_appender_flush(appender.get()), DuckDBError);
  EXPECT_EQ(duckdb_appender_clear(appender.get()), DuckDBSuccess);
}

TEST(DuckdbSettings, ReadTheOriginalsKeys) {
  const auto md = options_from_settings({{"token", "t"}}, "/x");
  EXPECT_EQ(md->target, DuckdbOptions::Target::kMotherDuck);
  EXPECT_EQ(md->database, "my_db");
  EXPECT_EQ(options_from_settings({{"file", "/y"}}, "/x")->path, "/y");
  EXPECT_EQ(options_from_settings({}, "/x")->path, "/x");
  EXPECT_EQ(options_from_settings({{"in_memory", "true"}}, "")->target,
            DuckdbOptions::Target::kMemory);
}

TEST(DuckdbMotherDuck, AMissingExtensionIsAClearErrorWithoutTheToken) {
  DuckdbOptions options;
  options.target = DuckdbOptions::Target::kMotherDuck;
  options.token = "secret-token";
  options.database = "my_db";
  options.extension_repository = testing::TempDir() + "no-such-mirror";
  DuckdbDestination destination(options);
  const auto opened = destination.open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(opened.error().message.find("motherduck"), std::string::npos);
  EXPECT_EQ(opened.error().message.find("secret-token"), std::string::npos);
}

TEST(DuckdbLocks, AFileHeldElsewhereNamesTheHolder) {
  const auto explained = [](const std::string& holder) {
    return explain_attach_error({.code = ErrorCode::kUnavailable,
                                 .message = "IO Error: Could not set lock on file \"/d/x.duckdb\": "
                                            "Conflicting lock is held in " +
                                            holder + ". See also https://duckdb.org/docs"})
        .message;
  };
  EXPECT_EQ(explained("/usr/bin/duckdb (PID 42) by user root"),
            "the database file is held by another process: duckdb (PID 42)");
  // From inside the sandbox, where other processes cannot be looked at.
  EXPECT_EQ(explained("PID 42. However, you would be able to open this database in read-only mode"),
            "the database file is held by another process (PID 42)");
}

TEST(DuckdbMotherDuck, ItsErrorsAreInWordsThatHelpAndHoldNoSecret) {
  const auto explained = [](const std::string& message) {
    return explain_motherduck_error({.code = ErrorCode::kInternal, .message = message},
                                    {"secret-token", "", "/srv/data/extensions"})
        .message;
  };
  EXPECT_EQ(explained("Invalid Error: Request failed: Your request is not authenticated. Please "
                      "check your MotherDuck token. (Jwt …, request id: '8')"),
            "MotherDuck does not accept the token: it is mistyped, or has ended");
  EXPECT_EQ(
      explained("no database 'x' (secret-token, secret-token) in /srv/data/extensions/a\nat 1"),
      "MotherDuck cannot be reached: no database 'x' (…, …) in …/a");
}

}  // namespace
}  // namespace sd::destinations::duckdb
