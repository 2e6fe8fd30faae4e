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
  EXPECT_EQ(query("SELECT n, \"two words\", d, d_2 FROM mine ORDER BY n"),
            "1|x|2024-01-01|~\n2|y|~|2024-01-02\n");
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

}  // namespace
}  // namespace sd::destinations::duckdb
