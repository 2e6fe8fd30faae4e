#include "destinations/duckdb/own_tables.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <unordered_map>

#include "base/ascii.h"
#include "base/json_text.h"
#include "destinations/duckdb/column_types.h"
#include "destinations/duckdb/nested_writer.h"
#include "destinations/duckdb/rows.h"

namespace sd::destinations::duckdb {
namespace {

using json::BaseType;
using json::Kind;

std::string micros(Micros at) {
  return "make_timestamptz(" + std::to_string(at) + ")";
}

Result<> flush(const Appender& appender) {
  if (duckdb_appender_flush(appender.get()) == DuckDBSuccess) return {};
  Error error = appender_error(appender.get());
  duckdb_appender_clear(appender.get());
  return fail(std::move(error));
}

// What a column that we did not make must be taken to have seen, so that no value of it is harmed.
json::TypeState state_of_type(const json::ColumnType& type) {
  json::TypeState state;
  switch (type.base) {
    case BaseType::kBoolean:
      state.add(Kind::kBool);
      break;
    case BaseType::kBigint:
      state.add(Kind::kInt64);
      state.add_digits(19, 0);
      break;
    case BaseType::kHugeint:
      state.add(Kind::kHuge);
      state.add_digits(38, 0);
      break;
    case BaseType::kDouble:
      state.add(Kind::kDouble);
      state.add_digits(255, 255);
      break;
    case BaseType::kDecimal:
      state.add(Kind::kLongFraction);
      state.add_digits(static_cast<std::uint8_t>(38 - type.scale), type.scale);
      break;
    case BaseType::kVarchar:
      state.add(Kind::kString);
      break;
    case BaseType::kJson:
    case BaseType::kStruct:
    case BaseType::kList:
    case BaseType::kMap:
      state.add(Kind::kJson);
      break;
    case BaseType::kTimestampTz:
      state.add(Kind::kTime);
      break;
  }
  return state;
}

}  // namespace

std::optional<json::ColumnType> parse_type(std::string_view type) {
  static const std::map<std::string_view, BaseType> kTypes = {
      {"BOOLEAN", BaseType::kBoolean},
      {"BIGINT", BaseType::kBigint},
      {"HUGEINT", BaseType::kHugeint},
      {"DOUBLE", BaseType::kDouble},
      {"VARCHAR", BaseType::kVarchar},
      {"JSON", BaseType::kJson},
      {"TIMESTAMP WITH TIME ZONE", BaseType::kTimestampTz}};
  const auto found = kTypes.find(type);
  if (found != kTypes.end()) return json::ColumnType{found->second, 0};
  constexpr std::string_view kDecimal = "DECIMAL(38,";
  if (type.starts_with(kDecimal)) {
    int scale = -1;
    std::from_chars(type.data() + kDecimal.size(), type.data() + type.size(), scale);
    if (scale >= 0 && scale <= 38) {
      return json::ColumnType{BaseType::kDecimal, static_cast<std::uint8_t>(scale)};
    }
  }
  return std::nullopt;
}

namespace {

constexpr const char* kVersion2 =
    "CREATE TABLE db._scratch.contracts(table_key VARCHAR NOT NULL, table_name VARCHAR NOT NULL, "
    "contract VARCHAR NOT NULL, set_at TIMESTAMPTZ NOT NULL, receipt VARCHAR);"
    "CREATE TABLE db._scratch.request_tables(receipt VARCHAR NOT NULL, table_name VARCHAR NOT "
    "NULL, "
    "rows UBIGINT NOT NULL, loaded_at TIMESTAMPTZ NOT NULL);";

constexpr const char* kVersion3 =
    "CREATE TABLE db._scratch.given_up(receipt VARCHAR NOT NULL, table_name VARCHAR NOT NULL, "
    "rows UBIGINT NOT NULL, given_up_at TIMESTAMPTZ NOT NULL);";

// One transaction: a crash leaves either nothing or all of it.
Result<> in_transaction(duckdb_connection connection, const std::string& sql) {
  TRY(execute(connection, "BEGIN TRANSACTION"));
  const auto done = execute(connection, sql);
  if (!done) {
    (void)execute(connection, "ROLLBACK");
    return done;
  }
  return execute(connection, "COMMIT");
}

}  // namespace

Result<> OwnTables::make(duckdb_connection connection) {
  return in_transaction(
      connection,
      std::string(kVersion2) + kVersion3 +
          "CREATE TABLE db._scratch.positions(log_id VARCHAR NOT NULL, position UBIGINT NOT NULL, "
          "next_row_id BIGINT NOT NULL, rows_loaded UBIGINT NOT NULL, rows_failed UBIGINT NOT "
          "NULL, "
          "loaded_at TIMESTAMPTZ NOT NULL);"
          "CREATE TABLE db._scratch.schema_log(seq BIGINT NOT NULL, logged_at TIMESTAMPTZ NOT "
          "NULL, "
          "table_key VARCHAR NOT NULL, table_name VARCHAR NOT NULL, event VARCHAR NOT NULL, "
          "path VARCHAR, column_name VARCHAR, from_type VARCHAR, to_type VARCHAR, kinds USMALLINT, "
          "int_digits UTINYINT, scale UTINYINT, receipt VARCHAR, shape VARCHAR);"
          "CREATE TABLE db._scratch.failed_rows(position UBIGINT NOT NULL, \"row\" UBIGINT NOT "
          "NULL, "
          "table_name VARCHAR NOT NULL, receipt VARCHAR NOT NULL, received_at TIMESTAMPTZ NOT "
          "NULL, "
          "code VARCHAR NOT NULL, detail VARCHAR NOT NULL, body BLOB NOT NULL, flatten UTINYINT, "
          "flatten_depth UTINYINT);"
          "INSERT INTO db._scratch.meta VALUES ('version', '" +
          std::to_string(kOwnTablesVersion) + "')");
}

Result<> OwnTables::migrate(duckdb_connection connection, int version) {
  if (version >= kOwnTablesVersion) return {};
  std::string sql = kVersion3;
  if (version < 2) {
    sql += std::string(kVersion2) +
           "ALTER TABLE db._scratch.schema_log ADD COLUMN shape VARCHAR;"
           "ALTER TABLE db._scratch.failed_rows ADD COLUMN flatten UTINYINT;"
           "ALTER TABLE db._scratch.failed_rows ADD COLUMN flatten_depth UTINYINT;";
  }
  return in_transaction(connection, sql + "UPDATE db._scratch.meta SET value = '" +
                                        std::to_string(kOwnTablesVersion) +
                                        "' WHERE key = 'version'");
}

Result<> OwnTables::open(duckdb_connection connection) {
  TRY(execute(connection, "CREATE SCHEMA IF NOT EXISTS db._scratch"));
  TRY(execute(connection,
              "CREATE TABLE IF NOT EXISTS db._scratch.meta(key VARCHAR NOT NULL, value VARCHAR)"));
  TRY_ASSIGN(auto found,
             fetch(connection, "SELECT value FROM db._scratch.meta WHERE key='version'"));
  if (found.empty()) {
    TRY(make(connection));
  } else {
    const int version = std::atoi(found[0].text(0).c_str());
    if (version > kOwnTablesVersion) {
      return fail(ErrorCode::kInvalidArgument,
                  "this database was written by a newer version of the program (layout " +
                      found[0].text(0) + ", this one knows " + std::to_string(kOwnTablesVersion) +
                      ")");
    }
    TRY(migrate(connection, version));
  }
  TRY_ASSIGN(auto seq,
             fetch(connection, "SELECT coalesce(max(seq), 0) FROM db._scratch.schema_log"));
  next_seq_ = seq[0].integer(0) + 1;
  return {};
}

Result<LoadState> OwnTables::load_state(duckdb_connection connection, const Id128& log_id) {
  TRY_ASSIGN(
      auto rows,
      fetch(connection,
            "SELECT position, next_row_id, rows_loaded, rows_failed FROM db._scratch.positions "
            "WHERE log_id = '" +
                log_id.to_string() + "' ORDER BY position DESC, next_row_id DESC LIMIT 1"));
  LoadState state;
  log_is_new_ = rows.empty();
  if (rows.empty()) {
    // A new log goes on numbering where the one before it stopped.
    TRY_ASSIGN(auto last, fetch(connection,
                                "SELECT coalesce(max(next_row_id), 1) FROM db._scratch.positions"));
    state.next_row_id = last[0].integer(0);
    return state;
  }
  state.position = rows[0].unsigned_integer(0);
  state.next_row_id = rows[0].integer(1);
  state.rows_loaded = rows[0].unsigned_integer(2);
  state.rows_failed = rows[0].unsigned_integer(3);
  return state;
}

Result<> OwnTables::write_state(duckdb_connection connection, const Id128& log_id,
                                const LoadState& state, Micros at) {
  const std::string log = "('" + log_id.to_string() + "', ";
  const std::string row_id = std::to_string(state.next_row_id);
  std::string sql = "INSERT INTO db._scratch.positions VALUES ";
  // Where the log begins: what is loaded first lies between two rows as well.
  if (log_is_new_) sql += log + "0, " + row_id + ", 0, 0, " + micros(at) + "), ";
  sql += log + std::to_string(state.position) + ", " + row_id + ", " +
         std::to_string(state.rows_loaded) + ", " + std::to_string(state.rows_failed) + ", " +
         micros(at) + ")";
  TRY(execute(connection, sql));
  log_is_new_ = false;
  return {};
}

Result<> OwnTables::prune_positions(duckdb_connection connection) {
  return execute(
      connection,
      "DELETE FROM db._scratch.positions p WHERE loaded_at < now() - INTERVAL 1 HOUR AND "
      "position < (SELECT max(position) FROM db._scratch.positions q WHERE q.log_id = p.log_id) "
      "AND (loaded_at < now() - INTERVAL 30 DAY OR ("
      "position > (SELECT min(position) FROM db._scratch.positions q WHERE q.log_id = p.log_id) "
      "AND position < (SELECT max(position) FROM db._scratch.positions q WHERE "
      "q.log_id = p.log_id AND "
      "epoch_us(q.loaded_at) // 60000000 = epoch_us(p.loaded_at) // 60000000)));"
      "DELETE FROM db._scratch.request_tables WHERE loaded_at < now() - INTERVAL 30 DAY;"
      "DELETE FROM db._scratch.given_up WHERE given_up_at < now() - INTERVAL 30 DAY");
}

Result<std::vector<std::string>> OwnTables::child_tables(duckdb_connection connection,
                                                         const std::string& parent) {
  TRY_ASSIGN(const auto rows,
             fetch(connection,
                   "SELECT c.table_name FROM duckdb_columns() c JOIN duckdb_tables() t USING "
                   "(database_name, schema_name, table_name) WHERE database_name = 'db' AND "
                   "schema_name = 'main' AND " +
                       folded("c.column_name") + " IN ('__parent_row_id', " +
                       quote_literal(fold_ascii(parent + "_id")) +
                       ") GROUP BY c.table_name HAVING count(*) = 2 ORDER BY c.table_name"));
  const std::string beginning = fold_ascii(parent) + "_";
  std::vector<std::string> children;
  for (const Row& row : rows) {
    if (fold_ascii(row.text(0)).starts_with(beginning)) children.push_back(row.text(0));
  }
  return children;
}

Result<bool> OwnTables::has_foreign_columns(duckdb_connection connection) {
  TRY_ASSIGN(const auto rows,
             fetch(connection,
                   "SELECT DISTINCT data_type FROM duckdb_columns() WHERE database_name = 'db' AND "
                   "schema_name = 'main' AND NOT regexp_matches(data_type, "
                   "'[]]$|^(STRUCT|MAP|UNION)[(]')"));
  return std::ranges::any_of(rows, [](const Row& row) { return !parse_type(row.text(0)); });
}

Result<json::TableSchema> OwnTables::schema(duckdb_connection connection,
                                            const std::string& table) {
  struct Logged {
    std::string path, name;
    json::TypeState state;
    std::shared_ptr<const json::Shape> shape;
  };
  const std::string key = fold_ascii(table);
  TRY_ASSIGN(auto physical,
             fetch(connection,
                   "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE "
                   "database_name = 'db' AND schema_name = 'main' AND " +
                       folded("table_name") + " = " + quote_literal(fold_ascii(table)) +
                       " ORDER BY column_index"));
  if (physical.empty()) return json::TableSchema(table);

  TRY_ASSIGN(auto log,
             fetch(connection,
                   "SELECT event, path, column_name, kinds, int_digits, scale, shape FROM "
                   "db._scratch.schema_log WHERE table_key = " +
                       quote_literal(key) + " ORDER BY seq"));
  std::unordered_map<std::string, Logged> logged;  // by path
  for (const Row& row : log) {
    const std::string event = row.text(0);
    if (event == "drop") logged.clear();
    if (event == "drop" || row.text(1).empty()) continue;
    Logged& entry = logged[row.text(1)];
    entry.path = row.text(1);
    entry.name = row.text(2);
    entry.state = json::TypeState(static_cast<std::uint16_t>(row.integer(3)),
                                  static_cast<std::uint8_t>(row.integer(4)),
                                  static_cast<std::uint8_t>(row.integer(5)));
    if (row.is_null(6)) continue;
    TRY_ASSIGN(json::Shape shape, json::Shape::parse(row.text(6)));
    entry.shape = std::make_shared<const json::Shape>(std::move(shape));
  }
  std::unordered_map<std::string, const Logged*> by_name;
  for (const auto& [path, entry] : logged) by_name[entry.name] = &entry;

  json::TableSchema schema(physical[0].text(0));
  schema.exists = true;
  const auto has = [&](std::string_view column) {
    return std::any_of(physical.begin(), physical.end(),
                       [&](const Row& r) { return same_ascii_folded(r.text(1), column); });
  };
  std::optional<TypesByName> types;  // of nested columns their names do not say enough
  schema.has_row_id = has(json::kRowId);
  schema.has_received_at = has(json::kReceivedAt);
  for (const Row& row : physical) {
    const std::string name = row.text(1);
    if (name == json::kOverflow) schema.has_overflow = row.text(2) == "JSON";
    if (name == json::kRowId || name == json::kReceivedAt || name == json::kOverflow) continue;
    const auto found = by_name.find(name);
    const Logged* own = found == by_name.end() ? nullptr : found->second;
    const auto type = parse_type(row.text(2));
    const json::ColumnType logged_type =
        own != nullptr ? json::column_type(own->state, own->shape.get()) : json::ColumnType{};
    bool is_as_logged = own != nullptr && type && logged_type == *type;
    if (own != nullptr && logged_type.is_nested()) {
      if (!types) {
        TRY_ASSIGN(types, types_of(connection, schema.name));
      }
      const auto there = types->find(name);
      is_as_logged = there != types->end() && has_type(there->second.get(), logged_type);
    }
    if (is_as_logged) {
      schema.add_existing({own->path, name, own->state, own->shape, logged_type});
    } else {
      const std::string path = own != nullptr ? own->path : "[" + json_string(name) + "]";
      json::SchemaColumn adopted{.path = path, .name = name, .state = {}, .shape = {}, .type = {}};
      if (type) {
        adopted.type = *type;
        adopted.state = state_of_type(*type);
      } else {
        adopted.foreign = std::make_shared<const json::ForeignType>(row.text(2));
      }
      schema.add_existing(std::move(adopted));
    }
  }
  return schema;
}

Result<> OwnTables::log_schema(duckdb_connection connection, const std::string& table, Micros at,
                               const std::vector<LogEntry>& entries) {
  if (entries.empty()) return {};
  // Appended: SQL for the 3,588 columns of a wide table took 180 ms to parse, this takes 4.
  Appender appender;
  if (duckdb_appender_create_ext(connection, kAttachedAs, "_scratch", "schema_log",
                                 appender.out()) != DuckDBSuccess) {
    return fail(appender_error(appender.get()));
  }
  const auto put = [&](std::string_view text) {
    duckdb_append_varchar_length(appender.get(), text.data(), text.size());
  };
  const auto put_or_null = [&](std::string_view text) {
    if (text.empty())
      duckdb_append_null(appender.get());
    else
      put(text);
  };
  const std::string key = fold_ascii(table);
  std::int64_t seq = next_seq_;
  for (const LogEntry& entry : entries) {
    duckdb_append_int64(appender.get(), seq++);
    duckdb_append_timestamp(appender.get(), duckdb_timestamp{at});
    put(key);
    put(table);
    put(entry.event);
    put_or_null(entry.path);
    put_or_null(entry.column);
    put_or_null(entry.from_type);
    put_or_null(entry.to_type);
    duckdb_append_uint16(appender.get(), entry.state.kinds());
    duckdb_append_uint8(appender.get(), entry.state.int_digits());
    duckdb_append_uint8(appender.get(), entry.state.scale());
    put_or_null(entry.receipt.is_zero() ? "" : entry.receipt.to_string());
    put_or_null(entry.shape ? entry.shape->to_json() : "");
    if (duckdb_appender_end_row(appender.get()) != DuckDBSuccess) {
      return fail(appender_error(appender.get()));
    }
  }
  TRY(flush(appender));
  next_seq_ = seq;
  return {};
}

Result<> OwnTables::write_failed(duckdb_connection connection, const std::vector<FailedRow>& rows) {
  if (rows.empty()) return {};
  Appender appender;
  if (duckdb_appender_create_ext(connection, kAttachedAs, "_scratch", "failed_rows",
                                 appender.out()) != DuckDBSuccess) {
    return fail(appender_error(appender.get()));
  }
  const auto put = [&](std::string_view text) {
    return duckdb_append_varchar_length(appender.get(), text.data(), text.size());
  };
  for (const FailedRow& row : rows) {
    duckdb_append_uint64(appender.get(), row.position);
    duckdb_append_uint64(appender.get(), row.row);
    put(row.table);
    put(row.receipt.to_string());
    duckdb_append_timestamp(appender.get(), duckdb_timestamp{row.received_at});
    put(row.code);
    put(row.detail);
    duckdb_append_blob(appender.get(), row.body.data(), row.body.size());
    if (row.flatten)
      duckdb_append_uint8(appender.get(), static_cast<std::uint8_t>(*row.flatten));
    else
      duckdb_append_null(appender.get());
    duckdb_append_uint8(appender.get(), row.flatten_depth);
    if (duckdb_appender_end_row(appender.get()) != DuckDBSuccess) {
      return fail(appender_error(appender.get()));
    }
  }
  return flush(appender);
}

Result<RefusedRows> OwnTables::refused(duckdb_connection connection, std::string_view receipt,
                                       std::size_t limit) {
  const std::string where =
      " FROM db._scratch.failed_rows WHERE receipt = " + quote_literal(receipt);
  TRY_ASSIGN(const auto count, fetch(connection, "SELECT count(*)" + where));
  RefusedRows out{.count = count[0].unsigned_integer(0), .first = {}};
  if (out.count == 0) return out;
  TRY_ASSIGN(const auto rows,
             fetch(connection, "SELECT \"row\", code, detail" + where + " ORDER BY \"row\" LIMIT " +
                                   std::to_string(limit)));
  for (const Row& row : rows)
    out.first.push_back({row.unsigned_integer(0), row.text(1), row.text(2)});
  return out;
}

}  // namespace sd::destinations::duckdb
