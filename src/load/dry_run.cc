#include "load/dry_run.h"

#include <algorithm>

#include "base/ascii.h"

namespace sd::load {
namespace {

constexpr std::size_t kMostShown = 100;

class KeepsNothing final : public destinations::Destination {
 public:
  KeepsNothing(SchemaReader& reader, DryRun& out) : reader_(reader), out_(out) {}

  Result<> open() override { return {}; }
  Result<destinations::LoadState> load_state(const Id128&) override {
    return destinations::LoadState{};
  }
  Result<json::TableSchema> schema(const std::string& table) override {
    return reader_.schema(table);
  }
  Result<std::vector<std::string>> child_tables(const std::string& table) override {
    return reader_.child_tables(table);
  }
  Result<bool> has_foreign_columns() override { return reader_.has_foreign_columns(); }
  Result<std::map<std::string, json::Contract>> contracts() override { return reader_.contracts(); }

  Result<> write(const destinations::Batch& batch) override {
    if (reader_.should_stop()) return fail(ErrorCode::kCancelled, "the dry run was cancelled");
    for (const destinations::TableBatch& table : batch.tables) note(table);
    for (const destinations::FailedRow& row : batch.failed) {
      if (out_.refused.size() < kMostShown) out_.refused.push_back(row);
    }
    return {};
  }
  Result<> write(const destinations::TableChange&, Micros) override { return {}; }
  Result<std::vector<destinations::FailedRow>> failed_rows(const destinations::FailedFilter&,
                                                           std::uint64_t, std::int64_t,
                                                           std::size_t) override {
    return std::vector<destinations::FailedRow>();
  }
  Result<> remove_failed(const std::vector<destinations::FailedRow>&) override { return {}; }
  Result<> commit(const Id128&, const destinations::LoadState&) override { return {}; }
  void rollback() override {}
  Result<> maintain() override { return {}; }
  Result<> close() override { return {}; }
  Result<std::vector<destinations::TableInfo>> tables() override {
    return std::vector<destinations::TableInfo>();
  }

 private:
  // A large body comes in parts; a column that is added by one part may be widened by the next.
  void note(const destinations::TableBatch& batch) {
    const json::TableSchema& schema = batch.plan->after();
    auto table = std::ranges::find(out_.tables, schema.name, &DryRun::Table::name);
    if (table == out_.tables.end()) {
      out_.tables.push_back(
          {.name = schema.name, .created = batch.plan->creates_table(), .columns = {}});
      table = out_.tables.end() - 1;
    }
    table->rows += batch.rows->rows();
    for (std::size_t i = table->columns.size(); i < schema.columns.size(); ++i) {
      table->columns.push_back(
          {.name = schema.columns[i].name, .type = {}, .change = "none", .from = {}});
    }
    for (const json::SchemaPlan::Change& change : batch.plan->changes()) {
      DryRun::Column& column = table->columns[change.column];
      if (!change.from) {
        column.change = "add";
      } else if (*change.from != change.to && column.change == "none") {
        column.change = "widen";
        column.from = json::to_string(*change.from);
      }
    }
    for (std::size_t i = 0; i < schema.columns.size(); ++i) {
      table->columns[i].type = schema.columns[i].type_name();
    }
    if (batch.plan->creates_overflow()) overflow.push_back(schema.name);
  }

  SchemaReader& reader_;
  DryRun& out_;

 public:
  std::vector<std::string> overflow;  // tables that get this column
};

// The table that the rows were sent to is there in the answer even where it refuses all of them.
Result<> show_target(SchemaReader& reader, const std::string& name, DryRun& out) {
  const auto is_it = [&](const DryRun::Table& t) { return same_ascii_folded(t.name, name); };
  if (std::ranges::any_of(out.tables, is_it)) return {};
  TRY_ASSIGN(const json::TableSchema schema, reader.schema(name));
  DryRun::Table table{.name = schema.name, .created = false, .columns = {}, .rows = 0};
  for (const auto& column : schema.columns) {
    table.columns.push_back(
        {.name = column.name, .type = column.type_name(), .change = "none", .from = {}});
  }
  out.tables.insert(out.tables.begin(), std::move(table));
  return {};
}

}  // namespace

Result<DryRun> dry_run(SchemaReader& reader, const std::string& log_directory,
                       const InsertHead& head, const Body& body, const LoaderOptions& options) {
  DryRun out;
  KeepsNothing nowhere(reader, out);
  Loader loader(posix_file_system(), nowhere, log_directory, Id128{}, options);
  TRY_ASSIGN(const destinations::LoadState state, loader.try_insert(head, body));
  out.rows = state.rows_loaded;
  out.failed = state.rows_failed;
  TRY(show_target(reader, head.table, out));
  for (const std::string& name : nowhere.overflow) {
    const auto table = std::ranges::find(out.tables, name, &DryRun::Table::name);
    table->columns.push_back(
        {.name = std::string(json::kOverflow), .type = "JSON", .change = "add", .from = {}});
  }
  return out;
}

}  // namespace sd::load
