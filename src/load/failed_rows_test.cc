// Failed rows, and files of older layouts, from the journal into a DuckDB file.
#include "load/testing/rows_fixture.h"

namespace sd::load {
namespace {

using namespace testing;

// ---- failed rows

TEST_F(RowsTest, APoisonRowAmongManyIsOneFailedRowAndRetriedInOneCall) {
  insert("t", R"({"n":0})");
  contract("t", R"({"data_type":"freeze"})");
  std::string body;
  for (int i = 1; i <= 100'000; ++i)
    body += i == 4711 ? "{\"n\":\"poison\"}\n" : "{\"n\":" + std::to_string(i) + "}\n";
  const Id128 receipt = insert("t", body);
  load();
  EXPECT_EQ(query("SELECT count(*) FROM t"), "100000;");
  EXPECT_EQ(failed(), "contract-freeze {\"n\":\"poison\"};");
  EXPECT_EQ(refused_, (destinations::RowsByTable{{"t", 1}}));
  EXPECT_EQ(query("SELECT \"row\" || receipt FROM db._scratch.failed_rows"),
            "4710" + receipt.to_string() + ";");
  retry();
  load();
  EXPECT_EQ(failed(), "contract-freeze {\"n\":\"poison\"};") << "nothing has changed";
  EXPECT_TRUE(refused_.empty()) << "it was counted before";
  contract("t", R"({"data_type":"evolve"})");
  retry();
  load();
  EXPECT_EQ(failed(), "");
  EXPECT_EQ(query("SELECT count(*) || min(n) FROM t WHERE n = 'poison' OR n = '4710'"), "24710;");
  EXPECT_EQ(state_.rows_loaded, 100'001U);
  EXPECT_EQ(state_.rows_failed, 0U);
}

TEST_F(RowsTest, RetryTakesTheRowsThatGoInAndLeavesTheOthers) {
  auto connection = destination_->connect();
  insert("t", R"([{"n":1},{"n":2}])");
  load();
  contract("t", R"({"data_type":"freeze"})");
  insert("t", R"([{"n":"a"},{"n":"b"},7])");
  const Id128 other = insert("t", R"([{"n":"c"}])");
  load();
  contract("t", R"({})");
  change(TableChange::Kind::kRetry, "", "{}", other);
  load();
  EXPECT_EQ(failed(),
            "contract-freeze {\"n\":\"a\"};contract-freeze {\"n\":\"b\"};not-an-object 7;");
  retry("T");
  load();
  EXPECT_EQ(failed(), "not-an-object 7;");
  EXPECT_EQ(query("SELECT n FROM t ORDER BY ALL"), "1;2;a;b;c;");
  change(TableChange::Kind::kForget, "t");
  load();
  EXPECT_EQ(failed(), "");
}

// A large record goes in in parts of one transaction: what holds for the first holds for all.
TEST_F(RowsTest, ARecordInPartsKeepsItsContractAndItsRowsWhateverThePartsHold) {
  insert("t", R"({"n":0})");
  contract("t", R"({"data_type":"freeze"})");
  std::string body = "[";
  for (int i = 0; i < 20; ++i) body += "\"refused " + std::string(100, 'x') + "\",";
  for (int i = 1; i <= 20; ++i) body += "{\"n\":" + std::to_string(i) + "},{\"n\":\"text\"},";
  insert("t", body + "{\"n\":21}]");
  load({.max_batch_bytes = 1000});
  EXPECT_EQ(query("SELECT count(*) || ':' || max(n) FROM t"), "22:21;");
  EXPECT_EQ(
      query("SELECT code || count(*) FROM db._scratch.failed_rows GROUP BY code ORDER BY ALL"),
      "contract-freeze20;not-an-object20;");
}

// Positions begin anew where a destination gets another journal.
TEST_F(RowsTest, RetryingOneRowLeavesAnotherThatStoodAtTheSamePositionOfAnOlderJournal) {
  contract("t", R"({"tables":"freeze"})");
  insert("t", R"({"n":1})");
  load();
  const std::string old = Id128::make().to_string();
  auto connection = destination_->connect();
  ASSERT_TRUE(destinations::duckdb::execute(
      connection->get(),
      "INSERT INTO db._scratch.failed_rows SELECT position, \"row\", 'older', '" + old +
          "', received_at, code, detail, body, flatten, flatten_depth FROM "
          "db._scratch.failed_rows"));
  *connection = {};
  contract("t", "{}");
  retry("t");
  load();
  EXPECT_EQ(query("SELECT n FROM t"), "1;");
  EXPECT_EQ(query("SELECT table_name || ' ' || receipt FROM db._scratch.failed_rows"),
            "older " + old + ";");
}

TEST_F(RowsTest, FilesOfOlderLayoutsAreTakenOver) {
  insert("t", R"([{"n":1},7])");
  load();
  const std::string to_2 = "DROP TABLE _scratch.given_up;";
  const std::string to_1 =
      "ALTER TABLE _scratch.schema_log DROP COLUMN shape;"
      "ALTER TABLE _scratch.failed_rows DROP COLUMN flatten;"
      "ALTER TABLE _scratch.failed_rows DROP COLUMN flatten_depth;"
      "DROP TABLE _scratch.contracts; DROP TABLE _scratch.request_tables;";
  int rows = 1;
  for (const auto& [back, version] : {std::pair{to_2, "2"}, std::pair{to_2 + to_1, "1"}}) {
    ASSERT_TRUE(destination_->close());
    destinations::duckdb::Database file;
    destinations::duckdb::Connection connection;
    const std::string path = directory_ / "data.duckdb";
    ASSERT_EQ(duckdb_open(path.c_str(), file.out()), DuckDBSuccess);
    ASSERT_EQ(duckdb_connect(file.get(), connection.out()), DuckDBSuccess);
    const auto changed = destinations::duckdb::execute(
        connection.get(),
        back + "UPDATE _scratch.meta SET value = '" + version + "' WHERE key = 'version'");
    ASSERT_TRUE(changed) << changed.error().message;
    connection = {};
    file = {};
    ASSERT_TRUE(destination_->open());
    contract("t", R"({"columns":"freeze"})");
    insert("t", R"([{"n":2},{"m":1}])");
    load();
    EXPECT_EQ(query("SELECT count(*) FROM t"), std::to_string(++rows) + ";");
    EXPECT_EQ(query("SELECT count(*) FROM db._scratch.failed_rows"), std::to_string(rows) + ";");
    EXPECT_EQ(query("SELECT value FROM db._scratch.meta WHERE key = 'version'"), "3;");
  }
  change(TableChange::Kind::kForget, "t");
  load();
  EXPECT_EQ(query("SELECT sum(rows) FROM db._scratch.given_up"), "3;");
}

TEST_F(RowsTest, OfAStrictRecordOneRefusedRowRefusesAllAndTheRecordsAroundItGoIn) {
  contract("t", R"({"columns":"freeze"})");
  insert("t", R"([{"n":1}])");
  load();
  insert("t", R"([{"n":2},{"n":3}])", {}, true);
  insert("t", R"([{"n":4},{"n":5,"m":1},{"n":6}])", {}, true);
  insert("t", R"([{"n":7},{"n":8,"m":1}])");
  load();
  EXPECT_EQ(query("SELECT n FROM t ORDER BY n"), "1;2;3;7;");
  EXPECT_EQ(failed(),
            R"(strict {"n":4};strict {"n":5,"m":1};strict {"n":6};contract-freeze {"n":8,"m":1};)");
  EXPECT_EQ(query("SELECT DISTINCT detail FROM db._scratch.failed_rows WHERE code = 'strict'")
                .substr(0, 60),
            "a strict request, and the destination refused row 1: contrac");
  EXPECT_EQ(state_.rows_loaded, 4);
  EXPECT_EQ(state_.rows_failed, 4);
}

TEST_F(RowsTest, OfAStrictRecordOneRowThatTheTablesOwnConstraintRefusesRefusesAll) {
  ASSERT_TRUE(destinations::duckdb::execute(destination_->connect()->get(),
                                            "CREATE TABLE main.t(n BIGINT CHECK (n < 100))"));
  insert("t", R"([{"n":4},{"n":500},{"n":6}])", {}, true);
  insert("t", R"([{"n":7}])", {}, true);
  load();
  EXPECT_EQ(query("SELECT n FROM t ORDER BY n"), "7;");
  EXPECT_EQ(failed(), R"(strict {"n":4};strict {"n":500};strict {"n":6};)");
}

// DuckDB breaks where an ALTER comes after an append of two row groups exactly, in one transaction.
TEST_F(RowsTest, ALongRecordMayChangeItsTableInAnyOfItsParts) {
  const auto rows = [](int count, const std::string& last) {
    std::string body;
    for (int i = 0; i < count; ++i) body += "{\"a\":" + std::to_string(i) + "}\n";
    return body + last;
  };
  for (const int count : {122'880, 245'759, 245'760, 245'761, 368'640}) {
    const std::string table = "t" + std::to_string(count);
    insert(table, rows(count, "{\"a\":1.5}\n{\"b\":2}"));
    load();
    ASSERT_EQ(query("SELECT count(*) || ' ' || max(a) || ' ' || sum(b) FROM " + table),
              std::to_string(count + 2) + ' ' + std::to_string(count - 1) + ".0 2;");
  }
}

TEST_F(RowsTest, RowsOfOneDocumentAreHeldTogetherAgainstAContractThatKeepsTypes) {
  insert("t", R"({"a":null})");
  load();
  contract("t", R"({"data_type":"freeze"})");
  insert("t", R"({"a":[1,"x"]})", Flatten::kVertical);
  insert("t", R"({"a":[1,2]})", Flatten::kVertical);
  insert("t", R"({"a":["y"]})", Flatten::kVertical);
  load();
  EXPECT_EQ(query("SELECT a FROM t WHERE a IS NOT NULL ORDER BY __row_id"), "1;2;");
  EXPECT_EQ(failed(), R"(contract-freeze {"a":[1,"x"]};contract-freeze {"a":["y"]};)");
}

TEST_F(RowsTest, OfRowsThatContradictEachOtherTheFirstGoesIn) {
  ASSERT_TRUE(destinations::duckdb::execute(destination_->connect()->get(),
                                            "CREATE TABLE main.u(a BIGINT UNIQUE)"));
  std::string body;
  for (int i = 0; i < 3000; ++i) body += "{\"a\":" + std::to_string(i == 1700 ? 7 : i) + "}\n";
  insert("u", body + R"({"a":9})");
  load();
  EXPECT_EQ(query("SELECT count(*) FROM u"), "2999;");
  EXPECT_EQ(failed(), R"(refused-by-destination {"a":7};refused-by-destination {"a":9};)");
}

TEST_F(RowsTest, ALimitedRequestReachesNoTableBesideItsOwn) {
  InsertHead head{.flatten = Flatten::kMultitable, .tables = {{"P", "p_c"}}, .table = "p"};
  append(journal::RecordKind::kInsert, encode_insert_head(head), R"({"c":[1]})", 1);
  append(journal::RecordKind::kInsert, encode_insert_head(head), R"({"secret":[1]})", 1);
  load();
  EXPECT_EQ(query("SELECT c FROM p_c"), "1;");
  EXPECT_EQ(query("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'p_secret'"), "0;");
  EXPECT_EQ(query("SELECT count(*) FROM p"), "1;");
  EXPECT_EQ(failed(), R"(table-not-allowed {"secret":[1]};)");
}

}  // namespace
}  // namespace sd::load
