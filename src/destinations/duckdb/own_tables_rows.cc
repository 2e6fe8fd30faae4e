// Contracts, counts and failed rows; see own_tables.h.
#include "base/ascii.h"
#include "destinations/duckdb/own_tables.h"
#include "destinations/duckdb/rows.h"

namespace sd::destinations::duckdb {
namespace {

std::string timestamp(Micros at) {
  return "make_timestamptz(" + std::to_string(at) + ")";
}

// A BLOB as text would be escaped.
std::string from_hex(std::string_view hex) {
  std::string out(hex.size() / 2, '\0');
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<char>(hex_digit(hex[2 * i]) << 4 | hex_digit(hex[2 * i + 1]));
  }
  return out;
}

std::string condition(const FailedFilter& filter) {
  std::string sql = " WHERE true";
  if (!filter.table.empty())
    sql += " AND " + folded("table_name") + " = " + quote_literal(fold_ascii(filter.table));
  if (!filter.receipt.is_zero()) sql += " AND receipt = '" + filter.receipt.to_string() + "'";
  return sql;
}

}  // namespace

Result<std::map<std::string, json::Contract>> OwnTables::contracts(duckdb_connection connection) {
  TRY_ASSIGN(const auto rows,
             fetch(connection, "SELECT table_key, contract FROM db._scratch.contracts"));
  std::map<std::string, json::Contract> out;
  for (const Row& row : rows) {
    TRY_ASSIGN(const json::Value document, json::parse_document(row.text(1)));
    TRY_ASSIGN(out[row.text(0)], json::Contract::from_json(document));
  }
  return out;
}

Result<> OwnTables::write_contract(duckdb_connection connection, const TableChange& change,
                                   Micros at) {
  const std::string key = quote_literal(fold_ascii(change.table));
  TRY(execute(connection, "DELETE FROM db._scratch.contracts WHERE table_key = " + key));
  if (change.contract == json::Contract{}) return {};
  return execute(connection, "INSERT INTO db._scratch.contracts VALUES (" + key + "," +
                                 quote_literal(change.table) + "," +
                                 quote_literal(change.contract.to_json()) + "," + timestamp(at) +
                                 ",'" + change.receipt.to_string() + "')");
}

Result<> OwnTables::move_contract(duckdb_connection connection, const std::string& from,
                                  const std::string& to) {
  const std::string old_key = quote_literal(fold_ascii(from)),
                    new_key = quote_literal(fold_ascii(to));
  if (old_key == new_key) return {};
  TRY_ASSIGN(const auto found,
             fetch(connection, "SELECT 1 FROM db._scratch.contracts WHERE table_key = " + old_key));
  if (found.empty()) return {};
  TRY(execute(connection, "DELETE FROM db._scratch.contracts WHERE table_key = " + new_key));
  return execute(connection, "UPDATE db._scratch.contracts SET table_key = " + new_key +
                                 ", table_name = " + quote_literal(to) +
                                 " WHERE table_key = " + old_key);
}

Result<> OwnTables::write_counts(duckdb_connection connection,
                                 const std::vector<TableCount>& counts, Micros at) {
  if (counts.empty()) return {};
  Appender appender;
  if (duckdb_appender_create_ext(connection, kAttachedAs, "_scratch", "request_tables",
                                 appender.out()) != DuckDBSuccess) {
    return fail(appender_error(appender.get()));
  }
  for (const TableCount& count : counts) {
    const std::string receipt = count.receipt.to_string();
    duckdb_append_varchar_length(appender.get(), receipt.data(), receipt.size());
    duckdb_append_varchar_length(appender.get(), count.table.data(), count.table.size());
    duckdb_append_uint64(appender.get(), count.rows);
    duckdb_append_timestamp(appender.get(), duckdb_timestamp{at});
    if (duckdb_appender_end_row(appender.get()) != DuckDBSuccess)
      return fail(appender_error(appender.get()));
  }
  if (duckdb_appender_flush(appender.get()) == DuckDBSuccess) return {};
  Error error = appender_error(appender.get());
  duckdb_appender_clear(appender.get());
  return fail(std::move(error));
}

Result<std::vector<FailedRow>> OwnTables::failed_rows(duckdb_connection connection,
                                                      const FailedFilter& filter,
                                                      std::uint64_t after_position,
                                                      std::int64_t after_row, std::size_t limit) {
  constexpr std::uint64_t kMostBytes = 16U << 20;
  const std::string position = std::to_string(after_position);
  const std::string where = " FROM db._scratch.failed_rows" + condition(filter) +
                            " AND (position > " + position + " OR (position = " + position +
                            " AND \"row\"::BIGINT > " + std::to_string(after_row) +
                            ")) ORDER BY position, \"row\", receipt LIMIT ";
  // First how long they are: what is fetched stands in memory as a whole.
  TRY_ASSIGN(const auto lengths,
             fetch(connection, "SELECT octet_length(body)" + where + std::to_string(limit)));
  std::size_t count = 0;
  for (std::uint64_t bytes = 0; count < lengths.size() && (count == 0 || bytes <= kMostBytes);
       ++count) {
    bytes += lengths[count].unsigned_integer(0);
  }
  TRY_ASSIGN(
      const auto rows,
      fetch(connection,
            "SELECT position, \"row\", table_name, receipt, epoch_us(received_at), code, detail, "
            "hex(body), flatten, flatten_depth" +
                where + std::to_string(count)));
  std::vector<FailedRow> out;
  for (const Row& row : rows) {
    FailedRow& failed = out.emplace_back();
    failed.position = row.unsigned_integer(0);
    failed.row = row.unsigned_integer(1);
    failed.table = row.text(2);
    failed.receipt = Id128::parse(row.text(3)).value_or(Id128{});
    failed.received_at = row.integer(4);
    failed.code = row.text(5);
    failed.detail = row.text(6);
    failed.body = from_hex(row.text(7));
    if (!row.is_null(8)) failed.flatten = static_cast<json::Flatten>(row.integer(8) & 3);
    if (!row.is_null(9)) failed.flatten_depth = static_cast<std::uint8_t>(row.integer(9));
  }
  return out;
}

Result<> OwnTables::remove_failed(duckdb_connection connection,
                                  const std::vector<FailedRow>& rows) {
  constexpr std::size_t kAtOnce = 1000;
  for (std::size_t begin = 0; begin < rows.size(); begin += kAtOnce) {
    // With the receipt: positions begin anew where a destination gets another journal.
    std::string sql = "DELETE FROM db._scratch.failed_rows WHERE (position, \"row\", receipt) IN (";
    for (std::size_t i = begin; i < std::min(rows.size(), begin + kAtOnce); ++i) {
      if (i != begin) sql += ',';
      sql += "(" + std::to_string(rows[i].position) + "," + std::to_string(rows[i].row) + ",'" +
             rows[i].receipt.to_string() + "')";
    }
    TRY(execute(connection, sql + ")"));
  }
  return {};
}

Result<std::vector<OwnTables::Change>> OwnTables::history(duckdb_connection connection,
                                                          const std::string& table,
                                                          std::uint64_t after,
                                                          std::uint64_t limit) {
  TRY_ASSIGN(const auto rows,
             fetch(connection,
                   "SELECT seq, epoch_us(logged_at), table_name, event, coalesce(column_name, ''), "
                   "coalesce(from_type, ''), coalesce(to_type, ''), coalesce(receipt, '') FROM "
                   "db._scratch.schema_log WHERE event <> 'state' AND table_key = " +
                       quote_literal(fold_ascii(table)) + " AND seq > " + std::to_string(after) +
                       " ORDER BY seq LIMIT " + std::to_string(limit)));
  std::vector<Change> out;
  for (const Row& row : rows) {
    out.push_back({row.integer(0), row.integer(1), row.text(2), row.text(3), row.text(4),
                   row.text(5), row.text(6), row.text(7)});
  }
  return out;
}

namespace {

Result<std::map<std::string, std::uint64_t>> counts(duckdb_connection connection,
                                                    const std::string& sql) {
  TRY_ASSIGN(const auto rows, fetch(connection, sql));
  std::map<std::string, std::uint64_t> out;
  for (const Row& row : rows) out[row.text(0)] = row.unsigned_integer(1);
  return out;
}

}  // namespace

Result<std::map<std::string, std::uint64_t>> OwnTables::failed_counts(duckdb_connection connection,
                                                                      const FailedFilter& filter) {
  return counts(connection, "SELECT table_name, count(*) FROM db._scratch.failed_rows" +
                                condition(filter) + " GROUP BY table_name");
}

Result<std::map<std::string, std::uint64_t>> OwnTables::request_tables(duckdb_connection connection,
                                                                       std::string_view receipt) {
  return counts(
      connection,
      "SELECT table_name, sum(rows)::UBIGINT FROM db._scratch.request_tables WHERE receipt = " +
          quote_literal(receipt) + " GROUP BY table_name");
}

Result<std::optional<Micros>> OwnTables::loaded_at(duckdb_connection connection,
                                                   const Id128& log_id, std::uint64_t position) {
  // Before the first position that is kept, nothing is known.
  TRY_ASSIGN(const auto rows,
             fetch(connection,
                   "SELECT epoch_us(min(loaded_at)) FROM db._scratch.positions p WHERE log_id = '" +
                       log_id.to_string() + "' AND position > " + std::to_string(position) +
                       " AND (SELECT min(position) FROM db._scratch.positions q WHERE q.log_id = "
                       "p.log_id) <= " +
                       std::to_string(position)));
  if (rows.empty() || rows[0].is_null(0)) return std::optional<Micros>();
  return std::optional<Micros>(rows[0].integer(0));
}

Result<std::map<std::string, std::uint64_t>> OwnTables::given_up(duckdb_connection connection,
                                                                 std::string_view receipt) {
  return counts(connection,
                "SELECT table_name, sum(rows)::UBIGINT FROM db._scratch.given_up WHERE receipt = " +
                    quote_literal(receipt) + " GROUP BY table_name");
}

Result<> OwnTables::move_failed(duckdb_connection connection, const std::string& from,
                                const std::string& to) {
  return execute(connection, "UPDATE db._scratch.failed_rows SET table_name = " +
                                 quote_literal(to) + condition(FailedFilter{.table = from}));
}

Result<> OwnTables::forget_failed(duckdb_connection connection, const FailedFilter& filter,
                                  Micros at) {
  const std::string which = " FROM db._scratch.failed_rows" + condition(filter);
  TRY(execute(connection,
              "INSERT INTO db._scratch.given_up SELECT receipt, table_name, count(*), "
              "make_timestamptz(" +
                  std::to_string(at) + ")" + which + " GROUP BY receipt, table_name"));
  return execute(connection, "DELETE" + which);
}

}  // namespace sd::destinations::duckdb
