#include "api/contracts.h"

#include <charconv>

#include "api/ask.h"
#include "api/resource.h"
#include "json/contract.h"

namespace sd::api {
namespace {

struct Asked {
  Access access;
  std::string table;
};

Result<Asked> read_request(App& app, const http::Exchange& exchange, const Query& query,
                           catalog::Scope scope) {
  Asked asked;
  TRY_ASSIGN(asked.access, authorise(app, exchange, query, scope));
  asked.table = exchange.path_parameter("table");
  if (!json::is_valid_name(asked.table)) {
    return fail(invalid("a table's name is 1 to 255 bytes of UTF-8 without NUL")
                    .with_slug("invalid-table-name"));
  }
  TRY(may_use_table(asked.access, asked.table));
  return asked;
}

std::string question_about(const char* what, const std::string& table) {
  json::Writer w;
  return w.begin_object().member("what", what).member("table", table).end_object().take();
}

Task<Result<http::Response>> get_contract(App& app, http::Exchange& exchange) {
  const Query query = parse_query(exchange.raw_query());
  CO_TRY_ASSIGN(const Asked asked, read_request(app, exchange, query, catalog::Scope::kQuery));
  std::string question = question_about("contract", asked.table);
  const Result<json::Value> answer =
      co_await ask(app, exchange, *asked.access.tenant, std::move(question), true);
  if (!answer) co_return std::unexpected(answer.error());
  const json::Value* found = answer->find("contract");
  json::Contract contract;
  if (found != nullptr && found->is_object()) {
    CO_TRY_ASSIGN(contract, json::Contract::from_json(*found));
  }
  co_return http::json_response(contract.to_json());
}

Task<Result<http::Response>> put_contract(App& app, http::Exchange& exchange) {
  const Query query = parse_query(exchange.raw_query());
  CO_TRY_ASSIGN(const Asked asked, read_request(app, exchange, query, catalog::Scope::kAdmin));
  const Result<json::Value> body = co_await read_object(exchange);
  if (!body) co_return std::unexpected(body.error());
  destinations::TableChange change;
  change.kind = destinations::TableChange::Kind::kContract;
  change.table = asked.table;
  CO_TRY_ASSIGN(change.contract, json::Contract::from_json(*body));
  std::string text = change.contract.to_json();
  const Result<bool> done =
      co_await carry_out(app, exchange, *asked.access.tenant, std::move(change));
  if (!done) co_return std::unexpected(done.error());
  co_return http::json_response(std::move(text));
}

std::string change_json(const json::Value& change) {
  json::Writer w;
  w.begin_object()
      .member("at", change.string_or("at", ""))
      .member("table", change.string_or("table", ""));
  w.member("event", change.string_or("event", ""));
  for (const char* name : {"column", "from", "to", "receipt"}) {
    const json::Value* value = change.find(name);
    if (value == nullptr || value->is_null())
      w.null_member(name);
    else
      w.member(name, value->text());
  }
  return w.end_object().take();
}

Task<Result<http::Response>> get_history(App& app, http::Exchange& exchange) {
  const Query query = parse_query(exchange.raw_query());
  CO_TRY_ASSIGN(const Asked asked, read_request(app, exchange, query, catalog::Scope::kQuery));
  CO_TRY_ASSIGN(const ListRequest list, read_list_request(query));
  std::uint64_t after = 0;
  if (list.after) {
    const char* end = list.after->data() + list.after->size();
    const auto parsed = std::from_chars(list.after->data(), end, after);
    if (parsed.ec != std::errc{} || parsed.ptr != end)
      co_return fail(parameter_error("after must be what next said"));
  }
  json::Writer w;
  w.begin_object().member("what", "history").member("table", asked.table).member("after", after);
  std::string question = w.member("limit", list.limit + 1).end_object().take();
  const Result<json::Value> answer =
      co_await ask(app, exchange, *asked.access.tenant, std::move(question));
  if (!answer) co_return std::unexpected(answer.error());
  std::vector<std::string> items;
  std::optional<std::string> last, next;
  const json::Value* changes = answer->find("changes");
  if (changes == nullptr || (changes->elements().empty() && after == 0))
    co_return std::unexpected(no_such("table"));
  for (const json::Value& change : changes->elements()) {
    if (static_cast<int>(items.size()) == list.limit) {
      next = last;
      break;
    }
    items.push_back(change_json(change));
    last = std::to_string(change.int_or("seq", 0));
  }
  co_return http::json_response(list_json(items, next));
}

}  // namespace

Task<void> handle_get_contract(App& app, http::Exchange& exchange) {
  co_await answer_with(app, exchange, get_contract);
}
Task<void> handle_put_contract(App& app, http::Exchange& exchange) {
  co_await answer_with(app, exchange, put_contract);
}
Task<void> handle_get_history(App& app, http::Exchange& exchange) {
  co_await answer_with(app, exchange, get_history);
}

}  // namespace sd::api
