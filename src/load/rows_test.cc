// Flatten modes, times, contracts and failed rows, from the journal into a DuckDB file.
#include <gtest/gtest.h>

#include "base/ascii.h"
#include "destinations/duckdb/duckdb_destination.h"
#include "destinations/duckdb/rows.h"
#include "journal/testing/harness.h"
#include "json/body.h"
#include "load/loader.h"

namespace sd::load {
namespace {

using destinations::TableChange;
using destinations::duckdb::DuckdbDestination;
using destinations::duckdb::DuckdbOptions;
using journal::testing::TemporaryDirectory;
using journal::testing::WaitingSink;
using json::Flatten;

class RowsTest : public testing::Test {
 protected:
  void SetUp() override {
    auto log = journal::Log::open(posix_file_system(), pool_, system_clock(), directory_ / "log", {});
    ASSERT_TRUE(log) << log.error().message;
    log_ = std::move(*log);
    DuckdbOptions options;
    options.path = directory_ / "data.duckdb";
    destination_ = std::make_unique<DuckdbDestination>(options);
    ASSERT_TRUE(destination_->open());
  }

  Id128 append(journal::RecordKind kind, const std::string& head, const std::string& body, std::uint32_t rows) {
    journal::Append append;
    append.meta.kind = kind;
    append.meta.rows = rows;
    append.meta.receipt = Id128::make();
    append.head = head;
    append.body = body;
    WaitingSink sink;
    append.sink = &sink;
    EXPECT_TRUE(log_->append(append));
    sink.wait(1);
    EXPECT_TRUE(append.result);
    return append.meta.receipt;
  }

  Id128 insert(const std::string& table, const std::string& body, std::optional<Flatten> flatten = {}) {
    const auto summary = json::scan_body(body);
    EXPECT_TRUE(summary) << summary.error().message;
    InsertHead head;
    head.table = table;
    head.flatten = flatten;
    return append(journal::RecordKind::kInsert, encode_insert_head(head), body,
                  static_cast<std::uint32_t>(summary->rows + summary->failed));
  }

  void change(TableChange::Kind kind, const std::string& table, const std::string& contract = "{}",
              Id128 of = {}) {
    TableChange out;
    out.kind = kind;
    out.table = table;
    out.contract = *json::Contract::from_json(*json::parse_document(contract));
    out.of_receipt = of;
    append(journal::RecordKind::kControl, encode_control(out), "", 0);
  }
  void contract(const std::string& table, const std::string& contract) {
    change(TableChange::Kind::kContract, table, contract);
  }
  void retry(const std::string& table = "") { change(TableChange::Kind::kRetry, table); }

  void load(LoaderOptions options = {}) {
    Loader loader(posix_file_system(), *destination_, log_->directory(), log_->id(), options);
    ASSERT_TRUE(loader.start(log_->durable_end()));
    while (true) {
      const auto more = loader.load_batch(log_->durable_end());
      ASSERT_TRUE(more) << more.error().message;
      if (!*more) break;
    }
    EXPECT_EQ(loader.state().position, log_->durable_end());
    state_ = loader.state();
  }

  std::string query(const std::string& sql) {
    auto connection = destination_->connect();
    auto rows = destinations::duckdb::fetch(connection->get(), sql);
    if (!rows) return rows.error().message;
    std::string out;
    for (const auto& row : *rows) out += row.text(0) + ";";
    return out;
  }
  std::string columns(const std::string& table) {
    return query("SELECT column_name || ' ' || data_type FROM duckdb_columns() WHERE table_name = '" + table +
                 "' AND NOT starts_with(column_name, '__r') ORDER BY column_index");
  }
  std::string failed() {
    return query("SELECT code || ' ' || decode(body) FROM db._scratch.failed_rows ORDER BY position, \"row\"");
  }

  TemporaryDirectory directory_;
  journal::SyncPool pool_{2};
  std::unique_ptr<journal::Log> log_;
  std::unique_ptr<DuckdbDestination> destination_;
  destinations::LoadState state_;
};

// ---- times

TEST_F(RowsTest, TimesWithAZoneBecomeTimesAndEverythingElseStaysText) {
  insert("t", R"([{"at":"2024-02-29T12:00:00.5+02:00","local":"2024-02-29T12:00:00","day":"2024-02-29","zip":"01234"},
                  {"at":"1969-12-31T23:59:59Z","local":"x","day":"y","zip":"1"}])");
  load();
  EXPECT_EQ(columns("t"), "at TIMESTAMP WITH TIME ZONE;local VARCHAR;day VARCHAR;zip VARCHAR;");
  EXPECT_EQ(query("SELECT epoch_us(\"at\") FROM t ORDER BY __row_id"), "1709200800500000;-1000000;");
}

TEST_F(RowsTest, ATimeColumnThatMeetsTextKeepsEveryValueReadable) {
  insert("t", R"([{"at":"2024-01-01T00:00:00.25+01:00"},{"at":"2024-01-01T00:00:00Z"}])");
  load();
  insert("t", R"({"at":"soon"})");
  load();
  EXPECT_EQ(columns("t"), "at VARCHAR;");
  EXPECT_EQ(query("SELECT \"at\" FROM t ORDER BY __row_id"),
            "2023-12-31T23:00:00.250000Z;2024-01-01T00:00:00Z;soon;");
  insert("u", R"({"at":"2024-01-01T00:00:00Z"})");
  load();
  insert("u", R"({"at":[]})");
  load();
  EXPECT_EQ(query("SELECT \"at\" FROM u ORDER BY __row_id"), "\"2024-01-01T00:00:00Z\";[];");
}

TEST_F(RowsTest, TimesCanBeSwitchedOffForATable) {
  contract("T", R"({"timestamps":false})");
  insert("t", R"({"at":"2024-01-01T00:00:00Z"})");
  load();
  EXPECT_EQ(columns("t"), "at VARCHAR;");
}

// ---- flatten modes

TEST_F(RowsTest, EachModeBringsItsRows) {
  const std::string row = R"({"u":"x","items":[{"sku":1},{"sku":2}]})";
  insert("v", row, Flatten::kVertical);
  insert("m", row, Flatten::kMultitable);
  insert("n", row, Flatten::kNone);
  load();
  EXPECT_EQ(query("SELECT u || items_sku || __order_items || ___document_id || __row_id FROM v ORDER BY ALL"),
            "x1011;x2112;");
  EXPECT_EQ(query("SELECT m.u || i.sku || i.__row_id FROM m JOIN m_items i ON i.m_id = m.id AND "
                  "i.__parent_row_id = m.__row_id ORDER BY ALL"),
            "x14;x25;");
  EXPECT_EQ(query("SELECT table_name || rows FROM db._scratch.request_tables ORDER BY ALL"), "m1;m_items2;v2;");
  EXPECT_EQ(state_.rows_loaded, 3U) << "rows of requests are counted, whatever they became";
}

TEST_F(RowsTest, TheContractSaysHowRowsAreFlattenedWhereTheRequestDoesNot) {
  contract("t", R"({"flatten":"vertical"})");
  insert("t", R"({"a":[1,2]})");
  insert("t", R"({"a":[3]})", Flatten::kHorizontal);
  load();
  EXPECT_EQ(query("SELECT coalesce(a, a_0) FROM t ORDER BY ALL"), "1;2;3;");
  contract("d", R"({"flatten_depth":1})");
  insert("d", R"({"a":{"b":1}})");
  load();
  EXPECT_EQ(columns("d"), "a JSON;");
}

TEST_F(RowsTest, AProductThatIsTooLargeIsAFailedRow) {
  insert("t", R"([{"a":[1,2,3]},{"a":[4]}])", Flatten::kVertical);
  load({.max_rows_of_a_row = 2});
  EXPECT_EQ(query("SELECT a FROM t"), "4;");
  EXPECT_EQ(failed(), "too-many-rows {\"a\":[1,2,3]};");
  retry();
  load();
  EXPECT_EQ(query("SELECT a FROM t ORDER BY a"), "1;2;3;4;");
  EXPECT_EQ(failed(), "");
}

// ---- contracts

TEST_F(RowsTest, AFrozenTableRefusesWhatWouldChangeIt) {
  contract("t", R"({"columns":"freeze","data_type":"freeze"})");
  insert("t", R"([{"n":1,"s":"a"},{"n":2}])");
  load();
  insert("t", R"([{"n":3},{"n":4,"new":1},{"n":"text"},{"n":5,"new":null},{"n":6,"s":7}])");
  load();
  EXPECT_EQ(query("SELECT n FROM t ORDER BY n"), "1;2;3;5;6;");
  EXPECT_EQ(columns("t"), "n BIGINT;s VARCHAR;");
  EXPECT_EQ(failed(), "contract-freeze {\"n\":4,\"new\":1};contract-freeze {\"n\":\"text\"};");
}

TEST_F(RowsTest, DiscardedValuesLeaveTheirRowsBehind) {
  insert("t", R"({"n":1})");
  contract("t", R"({"columns":"discard_value","data_type":"discard_value"})");
  insert("t", R"([{"n":2,"new":1},{"n":{"o":[]}},{"n":1.5}])");
  load();
  EXPECT_EQ(columns("t"), "n BIGINT;");
  EXPECT_EQ(query("SELECT coalesce(n, -1) FROM t ORDER BY __row_id"), "1;2;-1;-1;");
  EXPECT_EQ(failed(), "");
}

TEST_F(RowsTest, NoNewTableMeansNoNewTable) {
  contract("t_items", R"({"tables":"freeze"})");
  contract("no", R"({"tables":"discard_row"})");
  insert("no", R"({"a":1})");
  insert("t", R"([{"items":[1]},{"x":1}])", Flatten::kMultitable);
  load();
  EXPECT_EQ(query("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'main' ORDER BY ALL"), "t;");
  EXPECT_EQ(query("SELECT x FROM t"), "1;");
  EXPECT_EQ(failed(), "contract-discard-row {\"a\":1};contract-freeze {\"items\":[1]};");
  contract("t_items", "{}");
  retry("t");
  load();
  EXPECT_EQ(query("SELECT items FROM t_items"), "1;");
  EXPECT_EQ(failed(), "contract-discard-row {\"a\":1};");
}

TEST_F(RowsTest, TheContractSetsTheNumberOfColumns) {
  contract("t", R"({"max_columns":1})");
  insert("t", R"({"a":1,"b":2})");
  insert("u", R"({"a":1,"b":2})");
  load();
  EXPECT_EQ(columns("t"), "a BIGINT;__overflow JSON;");
  EXPECT_EQ(columns("u"), "a BIGINT;b BIGINT;");
}

TEST_F(RowsTest, AContractGoesWithItsTable) {
  insert("t", R"({"a":1})");
  contract("t", R"({"columns":"freeze"})");
  TableChange rename;
  rename.kind = TableChange::Kind::kRename;
  rename.table = "t";
  rename.new_name = "u";
  append(journal::RecordKind::kControl, encode_control(rename), "", 0);
  insert("u", R"({"b":1})");
  insert("t", R"({"b":1})");
  load();
  EXPECT_EQ(columns("u"), "a BIGINT;");
  EXPECT_EQ(columns("t"), "b BIGINT;");
}

// ---- failed rows

TEST_F(RowsTest, APoisonRowAmongManyIsOneFailedRowAndRetriedInOneCall) {
  insert("t", R"({"n":0})");
  contract("t", R"({"data_type":"freeze"})");
  std::string body;
  for (int i = 1; i <= 100'000; ++i) body += i == 4711 ? "{\"n\":\"poison\"}\n" : "{\"n\":" + std::to_string(i) + "}\n";
  const Id128 receipt = insert("t", body);
  load();
  EXPECT_EQ(query("SELECT count(*) FROM t"), "100000;");
  EXPECT_EQ(failed(), "contract-freeze {\"n\":\"poison\"};");
  EXPECT_EQ(query("SELECT \"row\" || receipt FROM db._scratch.failed_rows"), "4710" + receipt.to_string() + ";");
  retry();
  load();
  EXPECT_EQ(failed(), "contract-freeze {\"n\":\"poison\"};") << "nothing has changed";
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
  EXPECT_EQ(failed(), "contract-freeze {\"n\":\"a\"};contract-freeze {\"n\":\"b\"};not-an-object 7;");
  retry("T");
  load();
  EXPECT_EQ(failed(), "not-an-object 7;");
  EXPECT_EQ(query("SELECT n FROM t ORDER BY ALL"), "1;2;a;b;c;");
  change(TableChange::Kind::kForget, "t");
  load();
  EXPECT_EQ(failed(), "");
}

TEST_F(RowsTest, AFileOfTheFirstLayoutIsTakenOver) {
  insert("t", R"([{"n":1},7])");
  load();
  auto connection = destination_->connect();
  ASSERT_TRUE(destinations::duckdb::execute(
      connection->get(),
      "ALTER TABLE db._scratch.failed_rows DROP COLUMN flatten; ALTER TABLE db._scratch.failed_rows DROP "
      "COLUMN flatten_depth; DROP TABLE db._scratch.contracts; DROP TABLE db._scratch.request_tables; "
      "UPDATE db._scratch.meta SET value = '1' WHERE key = 'version'"));
  *connection = {};
  const auto closed = destination_->close();
  ASSERT_TRUE(closed) << closed.error().message;
  ASSERT_TRUE(destination_->open());
  contract("t", R"({"columns":"freeze"})");
  insert("t", R"([{"n":2},{"m":1}])");
  load();
  EXPECT_EQ(query("SELECT n FROM t ORDER BY n"), "1;2;");
  EXPECT_EQ(failed(), "not-an-object 7;contract-freeze {\"m\":1};");
}

}  // namespace
}  // namespace sd::load
