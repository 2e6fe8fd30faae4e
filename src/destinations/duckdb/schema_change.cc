#include "destinations/duckdb/schema_change.h"

#include <string>
#include <vector>

#include "destinations/duckdb/conversions.h"
#include "destinations/duckdb/rows.h"

namespace sd::destinations::duckdb {
namespace {

// Fewer changes are altered in any case: nobody waits for them.
constexpr std::size_t kManyChanges = 16;
// Rows times columns that may be written once more, some 50 MB.
constexpr double kMostCells = 4e6;

// A conversion above it is not for an ALTER, where there is another way (conversion_cost()).
constexpr double kCostly = 20'000;

constexpr std::uint64_t kRowGroup = 122'880;
// Deeper conversions are not for a SELECT: the time in which DuckDB binds lambdas within lambdas there doubles with each.
constexpr int kDeep = 6;

struct Added {
  std::string name;  // quoted, as below
  std::string type;
};
struct Widened {
  std::string name;
  std::string type;
  std::string value;  // of the new type, out of the old one
};

class SchemaChange {
 public:
  SchemaChange(duckdb_connection connection, const TableBatch& table, const Batch& batch)
      : connection_(connection),
        plan_(*table.plan),
        batch_(batch),
        target_(std::string(kAttachedAs) + ".main." + quote_identifier(plan_.after().name)) {
    if (plan_.creates_table()) {
      log_.push_back({.event = "create", .receipt = receipt_of(table.rows->first_source())});
    }
    if (plan_.creates_row_id()) added_.push_back({"\"__row_id\"", "BIGINT"});
    if (plan_.creates_received_at()) added_.push_back({"\"__received_at\"", "TIMESTAMPTZ"});
    for (const json::SchemaPlan::Change& change : plan_.changes()) take(change);
    if (plan_.creates_overflow()) {
      added_.push_back({"\"__overflow\"", "JSON"});
      log_.push_back({.event = "overflow", .receipt = receipt_of(plan_.overflow_cause())});
    }
  }

  Result<SchemaChangeWay> run(bool may_make_anew, std::uint64_t appended) {
    if (plan_.creates_table()) {
      TRY(create());
      return SchemaChangeWay::kCreate;
    }
    if (added_.empty() && widened_.empty()) return SchemaChangeWay::kNone;
    bool anew = false;
    const bool can = may_make_anew && !is_deep_;
    if (can && (appended > 0 || is_costly_)) {
      TRY_ASSIGN(anew, is_plain());
    } else if (can && added_.size() + widened_.size() >= kManyChanges) {
      TRY_ASSIGN(anew, pays_to_make_anew());
    }
    if (may_make_anew && !anew && appended >= kRowGroup) return fail(too_late());
    TRY(anew ? make_anew() : alter());
    return anew ? SchemaChangeWay::kMakeAnew : SchemaChangeWay::kAlter;
  }

  const std::vector<OwnTables::LogEntry>& log() const { return log_; }

 private:
  Id128 receipt_of(std::uint32_t source) const {
    return source < batch_.sources.size() ? batch_.sources[source] : Id128{};
  }

  void take(const json::SchemaPlan::Change& change) {
    const json::SchemaColumn& column = plan_.after().columns[change.column];
    const std::string name = quote_identifier(column.name);
    const std::string type = json::to_string(change.to);
    OwnTables::LogEntry entry{.event = "state",
                              .path = column.path,
                              .column = column.name,
                              .from_type = "",
                              .to_type = type,
                              .state = column.state,
                              .shape = column.shape,
                              .receipt = receipt_of(change.cause)};
    if (!change.from) {
      entry.event = "add";
      added_.push_back({name, type});
    } else if (*change.from != change.to) {
      entry.event = "widen";
      is_deep_ = is_deep_ || nesting(*change.from) > kDeep;
      is_costly_ = is_costly_ || conversion_cost(*change.from, change.to) > kCostly;
      entry.from_type = json::to_string(*change.from);
      widened_.push_back({name, type,
                          conversion(name, *change.from, change.to,
                                     {change.had_strings, change.shape_before.get()})});
    }
    log_.push_back(std::move(entry));
  }

  Error too_late() const {
    return invalid("the columns of \"" + plan_.after().name +
                   "\" cannot be changed amid a large request, as something hangs on the table");
  }

  Result<> create() {
    std::string columns = "\"__row_id\" BIGINT, \"__received_at\" TIMESTAMPTZ";
    for (const Added& added : added_) columns += ", " + added.name + " " + added.type;
    return execute(connection_, "CREATE TABLE " + target_ + " (" + columns + ")");
  }

  Result<> alter() {
    const std::string table = "ALTER TABLE " + target_;
    for (const Added& added : added_) {
      TRY(execute(connection_, table + " ADD COLUMN " + added.name + " " + added.type));
    }
    for (const Widened& widened : widened_) {
      TRY(execute(connection_, table + " ALTER COLUMN " + widened.name + " SET DATA TYPE " +
                                   widened.type + " USING " + widened.value));
    }
    return {};
  }

  // Rows keep their order, columns their places.
  Result<> make_anew() {
    std::string select = "*";
    for (const Widened& widened : widened_) {
      select += select == "*" ? " REPLACE (" : ", ";
      select += "CAST(" + widened.value + " AS " + widened.type + ") AS " + widened.name;
    }
    if (!widened_.empty()) select += ")";
    for (const Added& added : added_) {
      select += ", CAST(NULL AS " + added.type + ") AS " + added.name;
    }
    return execute(connection_, "CREATE OR REPLACE TABLE " + target_ + " AS SELECT " + select +
                                    " FROM " + target_);
  }

  // By what both ways were measured to take, in µs.
  Result<bool> pays_to_make_anew() {
    TRY_ASSIGN(const auto count, fetch(connection_, "SELECT count(*) FROM " + target_));
    const auto changes = static_cast<double>(added_.size() + widened_.size());
    const auto columns =
        static_cast<double>(plan_.after().columns.size() + 2);  // afterwards, with our own
    const double cells = static_cast<double>(count[0].unsigned_integer(0)) * columns;
    if (cells > kMostCells) return false;
    const double anew = 100 * columns + 0.07 * cells;
    const double altered = changes * (300 + 2 * columns);
    if (2 * anew > altered) return false;
    return is_plain();
  }

  // Nothing hangs on the table, or stands in it, that would not be made anew with it. Names of columns that look like
  // such words only make it slower.
  Result<bool> is_plain() {
    const std::string of_table =
        " WHERE database_name = current_database() AND schema_name = 'main' AND table_name = " +
        quote_literal(plan_.after().name);
    TRY_ASSIGN(const auto found,
               fetch(connection_,
                     "SELECT count(*) FROM duckdb_tables()" + of_table +
                         " AND comment IS NULL AND index_count = 0 AND NOT regexp_matches(sql, "
                         "'NOT NULL|DEFAULT|CHECK|UNIQUE|PRIMARY|FOREIGN|GENERATED|COLLATE') "
                         "AND NOT EXISTS (SELECT 1 FROM duckdb_columns()" +
                         of_table + " AND comment IS NOT NULL)"));
    return found[0].unsigned_integer(0) == 1;
  }

  duckdb_connection connection_;
  const json::SchemaPlan& plan_;
  const Batch& batch_;
  const std::string target_;
  std::vector<Added> added_;
  std::vector<Widened> widened_;
  bool is_costly_ = false;
  bool is_deep_ = false;
  std::vector<OwnTables::LogEntry> log_;
};

}  // namespace

Result<SchemaChangeWay> change_schema(duckdb_connection connection, OwnTables& own,
                                      const TableBatch& table, const Batch& batch,
                                      bool may_make_anew, std::uint64_t appended) {
  SchemaChange change(connection, table, batch);
  TRY_ASSIGN(const SchemaChangeWay way, change.run(may_make_anew, appended));
  TRY(own.log_schema(connection, table.plan->after().name, batch.at, change.log()));
  return way;
}

}  // namespace sd::destinations::duckdb
