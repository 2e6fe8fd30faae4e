#include "api/tables.h"

#include <algorithm>

#include "api/append.h"
#include "api/ask.h"
#include "api/resource.h"
#include "base/ascii.h"
#include "json/schema.h"
#include "load/record.h"

namespace sd::api {
namespace {

using destinations::TableChange;
using std::chrono::milliseconds;

std::string_view name_of(const json::Value& table) {
  return table.string_or("name", "");
}

std::vector<std::string> column_items(const json::Value& table) {
  std::vector<std::string> items;
  const json::Value* columns = table.find("columns");
  if (columns == nullptr) return items;
  for (const json::Value& column : columns->elements()) {
    json::Writer w;
    w.begin_object().member("name", column.string_or("name", ""));
    items.push_back(w.member("type", column.string_or("type", "")).end_object().take());
  }
  return items;
}

std::string table_json(const json::Value& table) {
  json::Writer w;
  w.begin_object().member("name", name_of(table)).member("rows", table.int_or("rows", 0));
  if (const json::Value* bytes = table.find("bytes")) w.raw_member("bytes", bytes->text());
  for (const char* time : {"first_row_at", "last_row_at"}) {
    const std::string_view at = table.string_or(time, "");
    if (at.empty())
      w.null_member(time);
    else
      w.member(time, at);
  }
  w.begin_array("columns");
  for (const std::string& column : column_items(table)) w.raw_element(column);
  return w.end_array().end_object().take();
}

// Who asks, and the tables that the key may see, in the order of their names.
struct Tables {
  Access access;
  std::vector<json::Value> all;

  const json::Value* find(std::string_view name) const {
    const auto found = std::ranges::find_if(
        all, [&](const json::Value& t) { return same_ascii_folded(name_of(t), name); });
    return found == all.end() ? nullptr : &*found;
  }
};

// All, or those of one name, which may not be there.
Task<Result<Tables>> read_tables(App& app, http::Exchange& exchange, catalog::Scope scope,
                                 std::string only = {}) {
  const Query query = parse_query(exchange.raw_query());
  Tables out;
  CO_TRY_ASSIGN(out.access, authorise(app, exchange, query, scope));
  json::Writer question;
  question.begin_object().member("what", "tables").member("table", only).end_object();
  const Result<json::Value> answer =
      co_await ask(app, exchange, *out.access.tenant, question.take());
  if (!answer) co_return std::unexpected(answer.error());
  if (const json::Value* tables = answer->find("tables")) {
    for (const json::Value& table : tables->elements()) {
      if (out.access.key->may_table(name_of(table))) out.all.push_back(table);
    }
  }
  std::ranges::sort(out.all, {}, [](const json::Value& t) { return std::string(name_of(t)); });
  co_return out;
}

// The one that the path names, and what was read beside it.
struct OneTable {
  Tables tables;
  json::Value table;
};

enum class Beside : std::uint8_t { kNothing, kOtherTables };

// Reading a table counts its rows, so that others are read only where they are needed.
Task<Result<OneTable>> read_table(App& app, http::Exchange& exchange, catalog::Scope scope,
                                  Beside beside = Beside::kNothing) {
  OneTable out;
  const std::string name(exchange.path_parameter("table"));
  std::string only;  // no temporary in the co_await: as GCC 12 builds that, it crashes
  if (beside == Beside::kNothing) only = name;
  Result<Tables> tables = co_await read_tables(app, exchange, scope, std::move(only));
  if (!tables) co_return std::unexpected(std::move(tables).error());
  const json::Value* found = tables->find(name);
  if (found == nullptr) co_return std::unexpected(no_such("table"));
  out.table = *found;
  out.tables = std::move(*tables);
  co_return out;
}

Task<Result<http::Response>> list_tables(App& app, http::Exchange& exchange) {
  const Query query = parse_query(exchange.raw_query());
  const Result<ListRequest> request = read_list_request(query);
  const Result<Tables> tables = co_await read_tables(app, exchange, catalog::Scope::kQuery);
  if (!tables) co_return std::unexpected(tables.error());
  if (!request) co_return std::unexpected(request.error());
  std::vector<std::string> items;
  std::optional<std::string> last, next;
  for (const json::Value& table : tables->all) {
    if (request->after && name_of(table) <= *request->after) continue;
    if (static_cast<int>(items.size()) == request->limit) {
      next = last;
      break;
    }
    items.push_back(table_json(table));
    last = std::string(name_of(table));
  }
  co_return http::json_response(list_json(items, next));
}

Task<Result<http::Response>> get_table(App& app, http::Exchange& exchange) {
  const Result<OneTable> one = co_await read_table(app, exchange, catalog::Scope::kQuery);
  if (!one) co_return std::unexpected(one.error());
  co_return http::json_response(table_json(one->table));
}

Task<Result<http::Response>> get_columns(App& app, http::Exchange& exchange) {
  const Result<OneTable> one = co_await read_table(app, exchange, catalog::Scope::kQuery);
  if (!one) co_return std::unexpected(one.error());
  co_return http::json_response(list_json(column_items(one->table), std::nullopt));
}

// True where it is the same table yet, and not one that later rows have made.
bool still_there(const json::Value& before, const Tables& now) {
  const json::Value* found = now.find(name_of(before));
  const std::string_view first = before.string_or("first_row_at", "");
  return found != nullptr && !first.empty() && found->string_or("first_row_at", "") == first;
}

Error refused_by_destination() {
  return Error{.code = ErrorCode::kAlreadyExists,
               .message =
                   "the destination refuses this change: something else in the database depends on "
                   "the table",
               .slug = "change-refused"};
}

Task<Result<http::Response>> delete_table(App& app, http::Exchange& exchange) {
  const Result<OneTable> one = co_await read_table(app, exchange, catalog::Scope::kAdmin);
  if (!one) co_return std::unexpected(one.error());
  TableChange change{.kind = TableChange::Kind::kDrop,
                     .table = std::string(name_of(one->table)),
                     .new_name = {},
                     .receipt = {}};
  Tenant& tenant = *one->tables.access.tenant;
  const Result<bool> done = co_await carry_out(app, exchange, tenant, std::move(change));
  if (!done) co_return std::unexpected(done.error());
  if (!*done) co_return no_content();
  std::string only(name_of(one->table));
  const Result<Tables> after =
      co_await read_tables(app, exchange, catalog::Scope::kAdmin, std::move(only));
  if (after && still_there(one->table, *after)) co_return std::unexpected(refused_by_destination());
  co_return no_content();
}

Error name_is_taken(const std::string& name) {
  return Error{.code = ErrorCode::kAlreadyExists,
               .message = "there is a table \"" + name + "\" already"};
}

Result<std::string> read_new_name(const json::Value& body) {
  TRY(check_members(body, {"name"}));
  const json::Value* name = body.find("name");
  if (name == nullptr || !name->is_string()) {
    return fail(parameter_error("the body must say the new name: {\"name\":\"…\"}"));
  }
  if (!json::is_valid_name(name->text())) {
    return fail(invalid("a table's name is 1 to 255 bytes of UTF-8 without NUL")
                    .with_slug("invalid-table-name"));
  }
  return name->text();
}

Task<Result<http::Response>> rename_table(App& app, http::Exchange& exchange) {
  const Result<json::Value> body = co_await read_object(exchange);
  const Result<OneTable> one =
      co_await read_table(app, exchange, catalog::Scope::kAdmin, Beside::kOtherTables);
  if (!one) co_return std::unexpected(one.error());
  if (!body) co_return std::unexpected(body.error());
  CO_TRY_ASSIGN(const std::string new_name, read_new_name(*body));
  const std::string old_name(name_of(one->table));
  if (new_name == old_name) co_return http::json_response(table_json(one->table));
  const Access& access = one->tables.access;
  if (!access.key->may_table(new_name)) {
    co_return fail(ErrorCode::kPermissionDenied, "this API key is limited to other tables");
  }
  const bool same = same_ascii_folded(new_name, old_name);
  if (!same && one->tables.find(new_name) != nullptr)
    co_return std::unexpected(name_is_taken(new_name));
  TableChange change{
      .kind = TableChange::Kind::kRename, .table = old_name, .new_name = new_name, .receipt = {}};
  const Result<bool> done = co_await carry_out(app, exchange, *access.tenant, std::move(change));
  if (!done) co_return std::unexpected(done.error());
  if (!*done) {
    json::Writer w;
    w.begin_object().member("name", new_name).member("visible", false).end_object();
    co_return http::json_response(w.take());
  }
  // Rows may have made a table of the new name before the change came to its turn, or the destination
  // refused it; then it was left out.
  const Result<Tables> after = co_await read_tables(app, exchange, catalog::Scope::kAdmin);
  if (!after) co_return std::unexpected(after.error());
  const json::Value* renamed = after->find(new_name);
  const bool stayed = !same && still_there(one->table, *after);
  if (renamed == nullptr) co_return std::unexpected(refused_by_destination());
  if (stayed) co_return std::unexpected(name_is_taken(new_name));
  co_return http::json_response(table_json(*renamed));
}

}  // namespace

Task<void> handle_list_tables(App& app, http::Exchange& exchange) {
  co_await answer_with(app, exchange, list_tables);
}
Task<void> handle_get_table(App& app, http::Exchange& exchange) {
  co_await answer_with(app, exchange, get_table);
}
Task<void> handle_get_columns(App& app, http::Exchange& exchange) {
  co_await answer_with(app, exchange, get_columns);
}
Task<void> handle_delete_table(App& app, http::Exchange& exchange) {
  co_await answer_with(app, exchange, delete_table);
}
Task<void> handle_rename_table(App& app, http::Exchange& exchange) {
  co_await answer_with(app, exchange, rename_table);
}

}  // namespace sd::api
