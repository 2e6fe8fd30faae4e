#include "api/failed.h"

#include <charconv>

#include "api/ask.h"
#include "api/resource.h"

namespace sd::api {
namespace {

using destinations::TableChange;

struct Asked {
  Access access;
  Query query;
  destinations::FailedFilter filter;
};

Result<> read_filter(const std::string* table, const std::string* receipt, Asked& asked) {
  if (table != nullptr) asked.filter.table = *table;
  if (receipt != nullptr) {
    const auto id = Id128::parse(*receipt);
    if (!id) return fail(parameter_error("receipt must be a receipt, as an insert answers it"));
    asked.filter.receipt = *id;
  }
  if (!asked.filter.table.empty()) return may_use_table(asked.access, asked.filter.table);
  if (asked.access.key->tables) {
    return fail(ErrorCode::kPermissionDenied,
                "this API key is limited to tables: name one with ?table=");
  }
  return {};
}

// Whose failed rows; which ones says read_filter().
Result<Asked> read_access(App& app, const http::Exchange& exchange) {
  Asked asked;
  asked.query = parse_query(exchange.raw_query());
  // A filter that is misspelled must not become none.
  TRY(check_parameters(
      asked.query, {"table", "receipt", "after", "limit", "counts", "destination_id", "api_key"}));
  TRY_ASSIGN(asked.access, authorise(app, exchange, asked.query, catalog::Scope::kAdmin));
  return asked;
}

Result<Asked> read_request(App& app, const http::Exchange& exchange) {
  TRY_ASSIGN(Asked asked, read_access(app, exchange));
  TRY(read_filter(asked.query.find("table"), asked.query.find("receipt"), asked));
  return asked;
}

json::Writer question_about(const char* what, const destinations::FailedFilter& filter) {
  json::Writer w;
  w.begin_object().member("what", what).member("table", filter.table);
  if (!filter.receipt.is_zero()) w.member("receipt", filter.receipt.to_string());
  return w;
}

Task<Result<json::Value>> ask_about(App& app, http::Exchange& exchange, const Asked& asked,
                                    json::Writer& question) {
  return ask(app, exchange, *asked.access.tenant, question.end_object().take(), true);
}

Task<Result<json::Value>> count(App& app, http::Exchange& exchange, const Asked& asked) {
  json::Writer question = question_about("failed_count", asked.filter);
  return ask_about(app, exchange, asked, question);
}

// What is to be done with them, known by `receipt`; false where it is not done yet.
Task<Result<bool>> change(App& app, http::Exchange& exchange, const Asked& asked,
                          TableChange::Kind kind, const Id128& receipt) {
  TableChange change;
  change.kind = kind;
  change.receipt = receipt;
  change.table = asked.filter.table;
  change.of_receipt = asked.filter.receipt;
  return carry_out(app, exchange, *asked.access.tenant, std::move(change));
}

// "<position>.<row>"
Result<std::pair<std::uint64_t, std::int64_t>> read_id(const std::string& text) {
  std::pair<std::uint64_t, std::int64_t> id;
  const char* const end = text.data() + text.size();
  const auto position = std::from_chars(text.data(), end, id.first);
  if (position.ec == std::errc{} && position.ptr != end && *position.ptr == '.') {
    const auto row = std::from_chars(position.ptr + 1, end, id.second);
    if (row.ec == std::errc{} && row.ptr == end && id.second >= 0) return id;
  }
  return fail(parameter_error("after must be what next said"));
}

std::string id_of(const json::Value& row) {
  return std::to_string(row.int_or("position", 0)) + "." + std::to_string(row.int_or("row", 0));
}

std::string row_json(const json::Value& row) {
  json::Writer w;
  w.begin_object().member("id", id_of(row)).member("table", row.string_or("table", ""));
  w.member("receipt", row.string_or("receipt", "")).member("row", row.int_or("row", 0));
  for (const char* name : {"code", "detail", "received_at"})
    w.member(name, row.string_or(name, ""));
  // One that is too large for an answer is kept, and can be retried, but not shown.
  if (const json::Value* body = row.find("body"))
    w.member("body", body->text());
  else
    w.null_member("body");
  w.member("body_bytes", row.int_or("body_bytes", 0));
  // The bytes of a body that is not UTF-8, which a JSON string cannot hold.
  if (const json::Value* bytes = row.find("body_base64")) w.member("body_base64", bytes->text());
  return w.end_object().take();
}

Task<Result<http::Response>> list_failed(App& app, http::Exchange& exchange) {
  CO_TRY_ASSIGN(const Asked asked, read_request(app, exchange));
  CO_TRY_ASSIGN(const ListRequest list, read_list_request(asked.query));
  json::Writer question = question_about("failed", asked.filter);
  if (list.after) {
    CO_TRY_ASSIGN(const auto after, read_id(*list.after));
    question.member("position", after.first).member("row", after.second);
  }
  question.member("limit", list.limit);
  CO_TRY_ASSIGN(const bool only_counts, asked.query.flag("counts"));
  Result<json::Value> answer = json::Value();
  if (!only_counts) answer = co_await ask_about(app, exchange, asked, question);
  if (!answer) co_return std::unexpected(answer.error());
  const Result<json::Value> counted = co_await count(app, exchange, asked);
  if (!counted) co_return std::unexpected(counted.error());
  json::Writer w;
  std::optional<std::string> last;
  w.begin_object().begin_array("data");
  if (const json::Value* rows = answer->find("rows")) {
    for (const json::Value& row : rows->elements()) {
      w.raw_element(row_json(row));
      last = id_of(row);
    }
  }
  w.end_array();
  if (last && answer->bool_or("more", false))
    w.member("next", *last);
  else
    w.null_member("next");
  w.member("total", counted->int_or("total", 0)).begin_object("tables");
  if (const json::Value* tables = counted->find("tables")) {
    for (const auto& [table, number] : tables->members())
      w.member(table, number.as_int().value_or(0));
  }
  co_return http::json_response(w.end_object().end_object().take());
}

Task<Result<http::Response>> retry_failed(App& app, http::Exchange& exchange) {
  CO_TRY_ASSIGN(Asked asked, read_access(app, exchange));
  const Result<json::Value> body = co_await read_object(exchange);
  if (!body) co_return std::unexpected(body.error());
  CO_TRY(check_members(*body, {"table", "receipt"}));
  std::optional<std::string> table, receipt;
  if (const json::Value* value = body->find("table")) table = value->text();
  if (const json::Value* value = body->find("receipt")) receipt = value->text();
  const std::string* by_table = table ? &*table : asked.query.find("table");
  const std::string* by_receipt = receipt ? &*receipt : asked.query.find("receipt");
  CO_TRY(read_filter(by_table, by_receipt, asked));
  const Id128 retry = Id128::make();
  const Result<bool> done = co_await change(app, exchange, asked, TableChange::Kind::kRetry, retry);
  if (!done) co_return std::unexpected(done.error());
  json::Writer question = question_about("retried", {});
  question.member("retry", retry.to_string());
  const Result<json::Value> loaded = co_await ask_about(app, exchange, asked, question);
  if (!loaded) co_return std::unexpected(loaded.error());
  const Result<json::Value> after = co_await count(app, exchange, asked);
  if (!after) co_return std::unexpected(after.error());
  json::Writer w;
  w.begin_object().member("ok", true).member("retried", loaded->int_or("rows", 0));
  w.member("failed", after->int_or("total", 0));
  if (!*done) w.member("visible", false);
  co_return http::json_response(w.end_object().take());
}

Task<Result<http::Response>> delete_failed(App& app, http::Exchange& exchange) {
  CO_TRY_ASSIGN(const Asked asked, read_request(app, exchange));
  const Result<bool> done =
      co_await change(app, exchange, asked, TableChange::Kind::kForget, Id128::make());
  if (!done) co_return std::unexpected(done.error());
  co_return no_content();
}

}  // namespace

Task<void> handle_list_failed(App& app, http::Exchange& exchange) {
  co_await answer_with(app, exchange, list_failed);
}
Task<void> handle_retry_failed(App& app, http::Exchange& exchange) {
  co_await answer_with(app, exchange, retry_failed);
}
Task<void> handle_delete_failed(App& app, http::Exchange& exchange) {
  co_await answer_with(app, exchange, delete_failed);
}

}  // namespace sd::api
