#include "api/receipts.h"

#include <map>

#include "api/ask.h"
#include "api/resource.h"
#include "journal/index.h"
#include "journal/reader.h"
#include "load/record.h"

namespace sd::api {
namespace {

struct Logged {
  journal::IndexEntry entry;
  std::string table;  // empty: no longer known
};

// Blocks.
Result<std::optional<Logged>> find(Tenant& tenant, const Id128& receipt) {
  journal::Log& log = tenant.log();
  TRY_ASSIGN(const auto entry, log.index().find_receipt(receipt));
  if (!entry || entry->kind != journal::RecordKind::kInsert) return std::optional<Logged>();
  // The index of a segment keeps the table's name (Tenant::open); before it is written the segment does.
  Logged logged{.entry = *entry, .table = entry->label};
  if (!logged.table.empty()) return std::optional<Logged>(std::move(logged));
  auto reader =
      journal::Reader::open(posix_file_system(), log.directory(), log.id(), entry->position);
  if (reader) {
    const auto record = (*reader)->next(log.durable_end());
    if (record && *record) {
      TRY_ASSIGN(const load::InsertRecord insert, load::decode_insert((*record)->payload));
      logged.table = insert.head.table;
    }
  }
  return std::optional<Logged>(std::move(logged));
}

struct Counts {
  std::uint64_t rows = 0;
  std::uint64_t failed = 0;
};

void read_counts(const json::Value& answer, const char* name, std::map<std::string, Counts>& tables,
                 std::uint64_t Counts::*count) {
  const json::Value* counts = answer.find(name);
  if (counts == nullptr) return;
  for (const auto& [table, number] : counts->members())
    tables[table].*count = number.as_uint().value_or(0);
}

std::string receipt_json(const Logged& logged, const json::Value* loaded) {
  const std::uint64_t all = logged.entry.rows;
  std::map<std::string, Counts> tables;
  std::uint64_t failed = 0;
  if (loaded != nullptr) {
    failed = std::min<std::uint64_t>(all, static_cast<std::uint64_t>(loaded->int_or("failed", 0)));
    read_counts(*loaded, "tables", tables, &Counts::rows);
    const bool one_table = tables.empty();
    read_counts(*loaded, "failed_tables", tables, &Counts::failed);
    if (one_table && !logged.table.empty()) {
      // As the destination spells it, where it has told; else as it was asked for.
      auto& only = tables.empty() ? tables[logged.table] : tables.begin()->second;
      only.rows = all - failed;
    }
  } else if (!logged.table.empty()) {
    tables[logged.table].rows = all;
  }
  const char* state = loaded == nullptr ? "logged" : failed > 0 ? "partly_failed" : "loaded";
  json::Writer w;
  w.begin_object().member("state", state).member("rows", all - failed).member("failed", failed);
  w.begin_object("tables");
  for (const auto& [table, counts] : tables) {
    w.begin_object(table).member("rows", counts.rows).member("failed", counts.failed).end_object();
  }
  w.end_object().member("logged_at", format_rfc3339(logged.entry.time_us));
  const std::string_view at = loaded != nullptr ? loaded->string_or("loaded_at", "") : "";
  if (at.empty())
    w.null_member("loaded_at");
  else
    w.member("loaded_at", at);
  return w.end_object().take();
}

Task<Result<http::Response>> get_receipt(App& app, http::Exchange& exchange) {
  const Query query = parse_query(exchange.raw_query());
  CO_TRY_ASSIGN(const Access access, authorise(app, exchange, query, catalog::Scope::kInsert));
  const auto receipt = Id128::parse(exchange.path_parameter("receipt"));
  if (!receipt) co_return std::unexpected(no_such("receipt"));
  Tenant& tenant = *access.tenant;
  const auto work = [&] { return find(tenant, *receipt); };
  const Result<std::optional<Logged>> logged =
      co_await run_blocking(app.blocking(), exchange.executor(), work);
  if (!logged) co_return std::unexpected(logged.error());
  if (!*logged) co_return std::unexpected(no_such("receipt"));
  if (!access.key->may_table((*logged)->table) && !(*logged)->table.empty()) {
    co_return std::unexpected(no_such("receipt"));
  }
  // Ever: after a restart no engine may have said anything yet.
  if (tenant.highest_applied() <= (*logged)->entry.position) {
    co_return http::json_response(receipt_json(**logged, nullptr));
  }
  json::Writer w;
  w.begin_object().member("what", "receipt").member("receipt", receipt->to_string());
  std::string question = w.member("position", (*logged)->entry.position).end_object().take();
  const Result<json::Value> answer = co_await ask(app, exchange, tenant, std::move(question));
  if (!answer) co_return std::unexpected(answer.error());
  co_return http::json_response(receipt_json(**logged, &*answer));
}

}  // namespace

Task<void> handle_get_receipt(App& app, http::Exchange& exchange) {
  co_await answer_with(app, exchange, get_receipt);
}

}  // namespace sd::api
