#include "load/loader.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "destinations/duckdb/duckdb_destination.h"
#include "destinations/duckdb/rows.h"
#include "journal/testing/harness.h"
#include "json/body.h"

namespace sd::load {
namespace {

using destinations::TableChange;
using destinations::duckdb::DuckdbDestination;
using destinations::duckdb::DuckdbOptions;
using journal::testing::TemporaryDirectory;
using journal::testing::WaitingSink;

class LoaderTest : public testing::Test {
 protected:
  void SetUp() override {
    auto log =
        journal::Log::open(posix_file_system(), pool_, system_clock(), directory_ / "log", {});
    ASSERT_TRUE(log) << log.error().message;
    log_ = std::move(*log);
    open_destination();
  }

  void open_destination() {
    DuckdbOptions options;
    options.path = directory_ / "data.duckdb";
    destination_ = std::make_unique<DuckdbDestination>(options);
    ASSERT_TRUE(destination_->open());
  }

  Result<> append(journal::RecordKind kind, const std::string& head, const std::string& body,
                  std::optional<journal::BlobRef> blob = {}, std::uint32_t rows = 1) {
    journal::Append append;
    append.meta.kind = kind;
    append.meta.rows = rows;
    append.meta.receipt = Id128::make();
    append.meta.blob = blob;
    append.head = head;
    append.body = body;
    WaitingSink sink;
    append.sink = &sink;
    TRY(log_->append(append));
    sink.wait(1);
    return append.result;
  }

  void insert(const std::string& table, const std::string& body) {
    const auto summary = json::scan_body(body);
    ASSERT_TRUE(summary) << summary.error().message;
    ASSERT_TRUE(append(journal::RecordKind::kInsert, encode_insert_head({.table = table}), body, {},
                       static_cast<std::uint32_t>(summary->rows + summary->failed)));
  }

  void control(const TableChange& change) {
    ASSERT_TRUE(append(journal::RecordKind::kControl, encode_control(change), ""));
  }

  // Loads all there is with a fresh loader.
  void load(LoaderOptions options = {}) {
    Loader loader(posix_file_system(), *destination_, log_->directory(), log_->id(), options);
    const auto started = loader.start(log_->durable_end());
    ASSERT_TRUE(started) << started.error().message;
    while (true) {
      const auto more = loader.load_batch(log_->durable_end());
      ASSERT_TRUE(more) << more.error().message;
      if (!*more) break;
    }
    EXPECT_EQ(loader.state().position, log_->durable_end());
  }

  std::string query(const std::string& sql) {
    auto connection = destination_->connect();
    auto rows = destinations::duckdb::fetch(connection->get(), sql);
    if (!rows) return rows.error().message;
    std::string out;
    for (const auto& row : *rows) out += row.text(0) + ";";
    return out;
  }

  TemporaryDirectory directory_;
  journal::SyncPool pool_{2};
  std::unique_ptr<journal::Log> log_;
  std::unique_ptr<DuckdbDestination> destination_;
};

TEST_F(LoaderTest, LoadsWhatTheJournalHoldsExactlyOnceAcrossRestarts) {
  insert("a", R"([{"x":1},{"x":2}])");
  insert("b", R"({"y":"z"})");
  load();
  load();
  ASSERT_TRUE(destination_->close());
  open_destination();
  insert("a", R"({"x":3})");
  load();
  EXPECT_EQ(query("SELECT x || ':' || __row_id FROM a ORDER BY x"), "1:1;2:2;3:4;");
  EXPECT_EQ(query("SELECT y FROM b"), "z;");
}

TEST_F(LoaderTest, RefusedRowsAreKeptAndCounted) {
  insert("a", R"([{"x":1},7,{"x":"\ud800"},{"x":2}])");
  load();
  EXPECT_EQ(query("SELECT x || ':' || __row_id FROM a ORDER BY x"), "1:1;2:4;");
  EXPECT_EQ(query("SELECT code FROM db._scratch.failed_rows ORDER BY \"row\""),
            "not-an-object;lone-surrogate;");
  EXPECT_EQ(destination_->load_state(log_->id())->rows_failed, 2U);
}

TEST_F(LoaderTest, ChangesOfTablesKeepTheirPlaceAmongTheRows) {
  insert("a", R"({"x":1})");
  control({TableChange::Kind::kRename, "a", "b", {}});
  insert("a", R"({"x":"text"})");
  insert("b", R"({"x":2})");
  control({TableChange::Kind::kDrop, "a", "", {}});
  insert("a", R"({"other":true})");
  control({TableChange::Kind::kDrop, "never", "", {}});
  load();
  EXPECT_EQ(query("SELECT x FROM b ORDER BY x"), "1;2;");
  EXPECT_EQ(query("SELECT column_name FROM duckdb_columns() WHERE table_name='a'"),
            "__row_id;__received_at;other;");
}

TEST_F(LoaderTest, SmallBatchesGiveTheSameTables) {
  for (int i = 0; i < 30; ++i) {
    insert(i % 3 == 0 ? "a" : "b", "{\"x\":" + std::to_string(i) + (i == 20 ? ".5}" : "}"));
  }
  load({.max_batch_rows = 1});
  EXPECT_EQ(query("SELECT count(*) || ':' || sum(x) || typeof(any_value(x)) FROM a"),
            "10:135BIGINT;");
  EXPECT_EQ(query("SELECT count(*) || ':' || sum(x) || typeof(any_value(x)) FROM b"),
            "20:300.5DOUBLE;");
}

TEST_F(LoaderTest, ABlobIsLoadedInPartsOfOneTransaction) {
  auto writer = log_->create_blob();
  ASSERT_TRUE(writer) << writer.error().message;
  std::uint32_t rows = 0;
  for (; rows < 30'000; ++rows) {
    ASSERT_TRUE((*writer)->write("{\"i\":" + std::to_string(rows) + ",\"s\":\"" +
                                 std::string(rows % 100, 's') + "\"}\n"));
  }
  const std::string large(3 << 20, 'L');
  ASSERT_TRUE((*writer)->write("{\"i\":30000,\"s\":\"" + large + "\"}\n{\"i\":"));
  const auto blob = (*writer)->finish();
  ASSERT_TRUE(blob) << blob.error().message;
  ASSERT_TRUE(append(journal::RecordKind::kInsert, encode_insert_head({.table = "a"}), "", *blob,
                     rows + 2));
  (*writer)->keep();
  load({.max_batch_rows = 1000});
  EXPECT_EQ(query("SELECT count(*) || ':' || sum(i) || ':' || max(length(s)) FROM a"),
            "30001:450015000:3145728;");
  EXPECT_EQ(query("SELECT body::VARCHAR FROM db._scratch.failed_rows"), "{\\x22i\\x22:;");
}

TEST_F(LoaderTest, RowsThatTheDestinationRefusesAreIsolated) {
  {
    auto connection = destination_->connect();
    ASSERT_TRUE(destinations::duckdb::execute(
        connection->get(), "CREATE TABLE main.strict(n BIGINT CHECK (n < 100), u BIGINT UNIQUE)"));
  }
  insert("strict", R"([{"n":1,"u":1},{"n":500,"u":2},{"n":2,"u":3}])");
  insert("other", R"({"x":1})");
  insert("strict", R"([{"n":3,"u":7},{"n":4,"u":7}])");
  insert("strict", R"([{"n":5,"u":9}])");
  load();
  EXPECT_EQ(query("SELECT n FROM strict ORDER BY n"), "1;2;3;5;");
  EXPECT_EQ(query("SELECT count(*) FROM other"), "1;");
  EXPECT_EQ(query("SELECT body::VARCHAR FROM db._scratch.failed_rows ORDER BY position, \"row\""),
            "{\\x22n\\x22:500,\\x22u\\x22:2};{\\x22n\\x22:4,\\x22u\\x22:7};");
}

TEST_F(LoaderTest, AChangeOfATableThatTheDestinationRefusesIsLeftOut) {
  insert("a", R"({"x":1})");
  load();
  {
    // DuckDB renames no table that has an index.
    auto connection = destination_->connect();
    ASSERT_TRUE(destinations::duckdb::execute(connection->get(), "CREATE INDEX own ON main.a(x)"));
  }
  insert("a", R"({"x":2})");
  control({TableChange::Kind::kRename, "a", "b", {}});
  insert("a", R"({"x":3})");
  load();
  EXPECT_EQ(query("SELECT x FROM a ORDER BY x"), "1;2;3;");
}

TEST_F(LoaderTest, APositionBeyondTheJournalIsCorruptionWithBothNumbers) {
  insert("a", R"({"x":1})");
  load();
  Loader loader(posix_file_system(), *destination_, log_->directory(), log_->id(), {});
  const auto started = loader.start(log_->durable_end() - 8);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::kCorruption);
  EXPECT_NE(started.error().message.find(std::to_string(log_->durable_end())), std::string::npos);
}

TEST(Record, InsertHeadsRoundTripAndDamagedOnesAreRefused) {
  const std::string head = encode_insert_head({.table = "events/../x\"'"});
  const std::string payload = head + "{}";
  const auto decoded = decode_insert(payload);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->head.table, "events/../x\"'");
  EXPECT_EQ(decoded->body, "{}");
  EXPECT_FALSE(decoded->head.strict);
  const std::string strict =
      encode_insert_head({.body = BodyKind::kCsv, .strict = true, .table = "t"});
  ASSERT_TRUE(decode_insert(strict));
  EXPECT_TRUE(decode_insert(strict)->head.strict);
  EXPECT_EQ(decode_insert(strict)->head.body, BodyKind::kCsv);
  const std::string limited =
      encode_insert_head({.strict = true, .tables = {{"t", "t_c"}}, .table = "t"});
  ASSERT_TRUE(decode_insert(limited + "{}"));
  EXPECT_EQ(decode_insert(limited + "{}")->head.tables->at(1), "t_c");
  EXPECT_EQ(decode_insert(limited + "{}")->body, "{}");
  for (std::size_t cut = 0; cut < limited.size(); ++cut)
    EXPECT_FALSE(decode_insert(limited.substr(0, cut))) << cut;
  for (std::size_t cut = 0; cut < head.size(); ++cut)
    EXPECT_FALSE(decode_insert(head.substr(0, cut)));
  std::string newer = head;
  newer[0] = 4;
  EXPECT_EQ(decode_insert(newer).error().code, ErrorCode::kInvalidArgument);
}

TEST(Record, TheFirstVersionIsReadAndStillWrittenForJson) {
  const std::string first("\x01\x02\x00\x05\x01\x00t{}", 9);
  const auto decoded = decode_insert(first);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->head.flatten, json::Flatten::kMultitable);
  EXPECT_EQ(decoded->head.flatten_depth, 5);
  EXPECT_EQ(decoded->head.body, BodyKind::kJson);
  EXPECT_EQ(decoded->body, "{}");
  EXPECT_EQ(encode_insert_head(decoded->head) + "{}", first);

  InsertHead csv = decoded->head;
  csv.body = BodyKind::kCsv;
  const std::string second = encode_insert_head(csv);
  EXPECT_EQ(second, std::string("\x02\x02\x01\x05\x01\x00t", 7));
  EXPECT_EQ(decode_insert(second)->head.body, BodyKind::kCsv);
  std::string mixed = second;
  mixed[0] = 1;
  EXPECT_EQ(decode_insert(mixed).error().code, ErrorCode::kCorruption) << "1 knew JSON only";
}

}  // namespace
}  // namespace sd::load
