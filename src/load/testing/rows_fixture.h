// A journal, a DuckDB file and the loader between them, for the tests of rows.
#pragma once

#include <gtest/gtest.h>

#include "base/ascii.h"
#include "destinations/duckdb/duckdb_destination.h"
#include "destinations/duckdb/rows.h"
#include "journal/testing/harness.h"
#include "json/body.h"
#include "load/loader.h"

namespace sd::load::testing {

using destinations::TableChange;
using destinations::duckdb::DuckdbDestination;
using destinations::duckdb::DuckdbOptions;
using journal::testing::TemporaryDirectory;
using journal::testing::WaitingSink;
using json::Flatten;

class RowsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto log = journal::Log::open(posix_file_system(), pool_, system_clock(), directory_ / "log",
                                  {.max_record_bytes = 8U << 20});
    ASSERT_TRUE(log) << log.error().message;
    log_ = std::move(*log);
    DuckdbOptions options;
    options.path = directory_ / "data.duckdb";
    destination_ = std::make_unique<DuckdbDestination>(options);
    ASSERT_TRUE(destination_->open());
  }

  Id128 append(journal::RecordKind kind, const std::string& head, const std::string& body,
               std::uint32_t rows) {
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

  Id128 insert(const std::string& table, const std::string& body,
               std::optional<Flatten> flatten = {}, bool strict = false) {
    const auto summary = json::scan_body(body);
    EXPECT_TRUE(summary) << summary.error().message;
    InsertHead head;
    head.table = table;
    head.flatten = flatten;
    head.strict = strict;
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
    refused_ = loader.take_refused();
    EXPECT_TRUE(loader.take_refused().empty());
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
    return query(
        "SELECT column_name || ' ' || data_type FROM duckdb_columns() WHERE table_name = '" +
        table + "' AND NOT starts_with(column_name, '__r') ORDER BY column_index");
  }
  std::string failed() {
    return query(
        "SELECT code || ' ' || decode(body) FROM db._scratch.failed_rows ORDER BY position, "
        "\"row\"");
  }

  TemporaryDirectory directory_;
  journal::SyncPool pool_{2};
  std::unique_ptr<journal::Log> log_;
  std::unique_ptr<DuckdbDestination> destination_;
  destinations::LoadState state_;
  destinations::RowsByTable refused_;  // by the latest load()
};

}  // namespace sd::load::testing
