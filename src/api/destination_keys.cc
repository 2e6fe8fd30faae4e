// The keys of a destination; see destinations.h.
#include <algorithm>

#include "api/await.h"
#include "api/destinations.h"
#include "api/endpoint_key.h"
#include "api/resource.h"
#include "base/json_text.h"
#include "json/document_flattener.h"

namespace sd::api {
namespace {

using catalog::Key;

void write_time(json::Writer& w, const char* member, const std::optional<Micros>& at) {
  if (at)
    w.member(member, format_rfc3339(*at));
  else
    w.null_member(member);
}

std::string key_json(const Key& key, const std::string& secret = {}) {
  json::Writer w;
  w.begin_object()
      .member("id", key.id.to_string())
      .member("name", key.name)
      .member("prefix", key.prefix);
  write_scopes(w, key.scopes);
  write_names(w, "tables", key.tables);
  write_names(w, "endpoints", key.endpoints);
  w.raw_member("params", key.parameters.empty() ? "{}" : key.parameters);
  if (key.flatten.empty())
    w.null_member("flatten");
  else
    w.member("flatten", key.flatten);
  write_limit(w, "max_rows", key.max_rows);
  write_limit(w, "max_bytes", key.max_bytes);
  write_limit(w, "requests_per_minute", key.requests_per_minute);
  w.member("origin", to_string(key.origin)).member("created_at", format_rfc3339(key.created_at));
  write_time(w, "last_used_at", key.last_used_at);
  write_time(w, "revoked_at", key.revoked_at);
  if (!secret.empty()) w.member("api_key", secret);
  return w.end_object().take();
}

Result<std::vector<std::string>> read_texts(std::string_view member, const json::Value& value) {
  std::vector<std::string> out;
  for (const json::Value& each : value.elements()) {
    if (!each.is_string())
      return fail(parameter_error(std::string(member) + " must be a list of texts"));
    out.push_back(each.text());
  }
  if (!value.is_array())
    return fail(parameter_error(std::string(member) + " must be a list of texts"));
  return out;
}

Result<catalog::Scopes> read_scopes(const json::Value& value) {
  if (value.is_string()) return catalog::parse_scopes(value.text());
  TRY_ASSIGN(const auto words, read_texts("scopes", value));
  catalog::Scopes scopes;
  for (const std::string& word : words) {
    TRY_ASSIGN(const catalog::Scopes one, catalog::parse_scopes(word));
    scopes = scopes | one;
  }
  return scopes;
}

// The maker's own where nothing else is said; what is more than that is an error.
Result<std::uint64_t> read_limit(const std::string& name, const json::Value& body,
                                 std::uint64_t makers) {
  const json::Value* value = body.find(name);
  if (value == nullptr || value->is_null()) return makers;
  const auto limit = value->as_uint();
  if (!limit || *limit == 0 || *limit > INT64_MAX)
    return fail(parameter_error(name + " must be a positive whole number"));
  if (makers != 0 && *limit > makers) {
    return fail(ErrorCode::kPermissionDenied, "a key can be given at most the " + name +
                                                  " of the key that makes it, " +
                                                  std::to_string(makers));
  }
  return *limit;
}

Result<> read_endpoints(const json::Value& body, catalog::NewKey& spec) {
  const json::Value* endpoints = body.find("endpoints");
  const json::Value* params = body.find("params");
  if (endpoints == nullptr || endpoints->is_null()) {
    if (params == nullptr || params->is_null()) return {};
    return fail(parameter_error("params: what a key fixes are parameters of its \"endpoints\""));
  }
  TRY_ASSIGN(std::vector<std::string> names, read_texts("endpoints", *endpoints));
  if (body.find("scopes") == nullptr) spec.scopes = catalog::Scopes::of(catalog::Scope::kQuery);
  return lock_to_endpoints(spec, std::move(names), params == nullptr ? json::Value() : *params);
}

// Without a word on scopes or tables a key gets what its maker has.
Result<catalog::NewKey> read_new_key(const json::Value& body, const catalog::KeyInfo& maker,
                                     const Id128& destination_id) {
  TRY(check_members(body, {"name", "scopes", "tables", "endpoints", "params", "flatten", "max_rows",
                           "max_bytes", "requests_per_minute"}));
  catalog::NewKey spec{.destination_id = destination_id};
  const json::Value* name = body.find("name");
  if (name != nullptr && !name->is_string()) return fail(parameter_error("name must be a text"));
  if (name != nullptr) spec.name = name->text();
  spec.scopes = maker.scopes;
  if (const json::Value* scopes = body.find("scopes"); scopes != nullptr && !scopes->is_null()) {
    TRY_ASSIGN(spec.scopes, read_scopes(*scopes));
  }
  spec.tables = maker.tables;
  if (const json::Value* tables = body.find("tables"); tables != nullptr && !tables->is_null()) {
    TRY_ASSIGN(spec.tables, read_texts("tables", *tables));
  }
  TRY(read_endpoints(body, spec));
  if (const json::Value* flatten = body.find("flatten");
      flatten != nullptr && !flatten->is_null()) {
    const auto mode = json::parse_flatten(flatten->as_string().value_or(""));
    if (!mode)
      return fail(parameter_error("flatten must be horizontal, vertical, multitable or none"));
    spec.flatten = json::to_string(*mode);
  }
  TRY_ASSIGN(spec.max_rows, read_limit("max_rows", body, maker.max_rows));
  TRY_ASSIGN(spec.max_bytes, read_limit("max_bytes", body, maker.max_bytes));
  TRY_ASSIGN(spec.requests_per_minute,
             read_limit("requests_per_minute", body, maker.requests_per_minute));
  // Nobody hands out more than they have.
  const bool wider = (spec.scopes | maker.scopes) != maker.scopes;
  const bool other_tables =
      spec.tables && std::ranges::any_of(*spec.tables, [&](const std::string& table) {
        return !maker.may_table(table);
      });
  if (wider || other_tables) {
    return fail(ErrorCode::kPermissionDenied,
                "a key can be given only the scopes and tables of the key that makes it");
  }
  return spec;
}

Task<Result<http::Response>> list_keys(App& app, http::Exchange& exchange) {
  const Query query = parse_query(exchange.raw_query());
  CO_TRY_ASSIGN(const Managed managed, manage(app, exchange, query, Who::kOwnToo));
  CO_TRY_ASSIGN(const catalog::PageRequest wanted, read_page_request(query));
  CO_TRY_ASSIGN(const bool all, query.flag("all"));
  const Id128 id = managed.destination->id;
  const auto work = [&] {
    return kept_page<Key>(
        wanted, [&](catalog::PageRequest page) { return app.catalog().list_keys(id, page); },
        [&](const Key& key) { return all || !key.revoked_at; });
  };
  const Result<catalog::Page<Key>> keys =
      co_await run_blocking(app.blocking(), exchange.executor(), work);
  if (!keys) co_return std::unexpected(keys.error());
  std::vector<std::string> items;
  for (const Key& key : keys->items) items.push_back(key_json(key));
  std::optional<std::string> next;
  if (keys->next) next = keys->next->to_string();
  co_return http::json_response(list_json(items, next));
}

Task<Result<http::Response>> create_key(App& app, http::Exchange& exchange) {
  const Query query = parse_query(exchange.raw_query());
  CO_TRY_ASSIGN(const Managed managed, manage(app, exchange, query, Who::kOwnToo));
  const Result<json::Value> body = co_await read_object(exchange);
  if (!body) co_return std::unexpected(body.error());
  CO_TRY_ASSIGN(const catalog::NewKey spec,
                read_new_key(*body, *managed.key, managed.destination->id));
  const auto work = [&]() -> Result<catalog::CreatedKey> {
    TRY(check_endpoint_key(app.catalog(), spec));
    return app.catalog().create_key(spec);
  };
  const Result<catalog::CreatedKey> created =
      co_await run_blocking(app.blocking(), exchange.executor(), work);
  if (!created) co_return std::unexpected(created.error());
  co_return http::json_response(key_json(created->key, created->secret));
}

Task<Result<http::Response>> revoke_key(App& app, http::Exchange& exchange) {
  const Query query = parse_query(exchange.raw_query());
  CO_TRY_ASSIGN(const Managed managed, manage(app, exchange, query, Who::kOwnToo));
  const auto id = Id128::parse(exchange.path_parameter("key"));
  const Id128 destination = managed.destination->id;
  const auto work = [&]() -> Result<> {
    if (!id) return fail(no_such("key"));
    const Result<Key> key = app.catalog().key(*id);
    if (!key && key.error().code != ErrorCode::kNotFound) return fail(key.error());
    if (!key || key->destination_id != destination) return fail(no_such("key"));
    TRY(app.catalog().revoke_key(*id));
    return {};
  };
  const Result<> revoked = co_await run_blocking(app.blocking(), exchange.executor(), work);
  if (!revoked) co_return std::unexpected(revoked.error());
  co_return no_content();
}

}  // namespace

Task<void> handle_list_keys(App& app, http::Exchange& exchange) {
  co_await answer_with(app, exchange, list_keys);
}
Task<void> handle_create_key(App& app, http::Exchange& exchange) {
  co_await answer_with(app, exchange, create_key);
}
Task<void> handle_revoke_key(App& app, http::Exchange& exchange) {
  co_await answer_with(app, exchange, revoke_key);
}

}  // namespace sd::api
