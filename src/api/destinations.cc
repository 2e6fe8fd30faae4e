#include "api/destinations.h"

#include "api/await.h"
#include "api/destination_change.h"
#include "api/destination_health.h"
#include "api/resource.h"

namespace sd::api {
namespace {

using catalog::Destination;

Task<Result<http::Response>> list_destinations(App& app, http::Exchange& exchange) {
  const Query query = parse_query(exchange.raw_query());
  CO_TRY_ASSIGN(const auto key, authorise_admin(app, exchange, query));
  CO_TRY_ASSIGN(const catalog::PageRequest page, read_page_request(query));
  std::vector<std::string> items;
  std::optional<std::string> last, next;
  const auto engines = app.pool().info();
  bool begun = !page.after;
  for (const auto& destination : app.keys().destinations()) {
    if (begun && static_cast<int>(items.size()) == page.limit) {
      next = last;
      break;
    }
    if (begun) {
      items.push_back(destination_json(app, *destination, *key, engines));
      last = destination->id.to_string();
    }
    begun = begun || destination->id == *page.after;
  }
  if (!begun)
    co_return fail(parameter_error("after must be the value of \"next\" of the page before"));
  co_return http::json_response(list_json(items, next));
}

Result<std::string> read_name(const json::Value& body) {
  const json::Value* name = body.find("name");
  if (name == nullptr || !name->is_string())
    return fail(parameter_error("name: say what it is called"));
  return name->text();
}

Result<catalog::NewDestination> read_new_destination(const json::Value& body) {
  TRY(check_members(body, {"name", "type", "settings"}));
  TRY_ASSIGN(catalog::NewDestination spec, read_type_and_settings(body));
  TRY_ASSIGN(spec.name, read_name(body));
  return spec;
}

struct Created {
  Destination destination;
  std::string api_key;
};

// Blocks. What cannot be opened is not left behind.
Result<Created> create(App& app, const catalog::NewDestination& spec) {
  Created out;
  TRY_ASSIGN(out.destination, app.catalog().create_destination(spec));
  const auto opened = app.open_tenant(out.destination);
  if (!opened) {
    (void)app.catalog().delete_destination(out.destination.id);
    return fail(opened.error());
  }
  catalog::NewKey first{.destination_id = out.destination.id};
  first.name = "first key";
  TRY_ASSIGN(const catalog::CreatedKey key, app.catalog().create_key(first));
  out.api_key = key.secret;
  return out;
}

Task<Result<http::Response>> create_destination(App& app, http::Exchange& exchange) {
  const Query query = parse_query(exchange.raw_query());
  CO_TRY_ASSIGN(const auto key, authorise_admin(app, exchange, query));
  const Result<json::Value> body = co_await read_object(exchange);
  if (!body) co_return std::unexpected(body.error());
  CO_TRY_ASSIGN(const catalog::NewDestination spec, read_new_destination(*body));
  const auto work = [&] { return create(app, spec); };
  const Result<Created> created = co_await run_blocking(app.blocking(), exchange.executor(), work);
  if (!created) co_return std::unexpected(created.error());
  const auto engines = app.pool().info();
  co_return http::json_response(
      destination_json(app, created->destination, *key, engines, {.api_key = created->api_key}));
}

Task<Result<http::Response>> get_destination(App& app, http::Exchange& exchange) {
  const Query query = parse_query(exchange.raw_query());
  CO_TRY_ASSIGN(const Managed managed, manage(app, exchange, query, Who::kOwnToo));
  const Id128 id = managed.destination->id;
  const auto work = [&] { return app.catalog().belongings(id); };
  const auto belongings = co_await run_blocking(app.blocking(), exchange.executor(), work);
  if (!belongings) co_return std::unexpected(belongings.error());
  const auto engines = app.pool().info();
  co_return http::json_response(destination_json(app, *managed.destination, *managed.key, engines,
                                                 {.belongings = *belongings}));
}

Result<catalog::DestinationChange> read_change(const json::Value& body, const Destination& before) {
  TRY(check_members(body, {"name", "type", "settings"}));
  catalog::DestinationChange change;
  if (body.find("name") != nullptr) {
    TRY_ASSIGN(change.name, read_name(body));
  }
  if (body.find("type") != nullptr && body.string_or("type", "") != before.type) {
    return fail(parameter_error("the type of a destination cannot be changed; make another one"));
  }
  TRY_ASSIGN(change.settings, read_setting_changes(body, before));
  return change;
}

Task<Result<http::Response>> patch_destination(App& app, http::Exchange& exchange) {
  const Query query = parse_query(exchange.raw_query());
  CO_TRY_ASSIGN(const Managed managed, manage(app, exchange, query, Who::kAdminKey));
  if (managed.destination->read_only()) co_return std::unexpected(owned_by_configuration());
  const Result<json::Value> body = co_await read_object(exchange);
  if (!body) co_return std::unexpected(body.error());
  CO_TRY_ASSIGN(catalog::DestinationChange change, read_change(*body, *managed.destination));
  const Id128 id = managed.destination->id;
  const Result<Destination> after =
      co_await change_destination(app, exchange, id, std::move(change));
  if (!after) co_return std::unexpected(after.error());
  const auto engines = app.pool().info();
  co_return http::json_response(destination_json(app, *after, *managed.key, engines));
}

Result<Pending> read_pending(const Query& query) {
  const std::string* text = query.find("pending");
  if (text == nullptr) return Pending::kRefuse;
  if (*text == "drain") return Pending::kDrain;
  if (*text == "discard") return Pending::kDiscard;
  return fail(parameter_error("pending must be drain or discard"));
}

Task<Result<http::Response>> remove_destination(App& app, http::Exchange& exchange) {
  const Query query = parse_query(exchange.raw_query());
  CO_TRY_ASSIGN(const Managed managed, manage(app, exchange, query, Who::kAdminKey));
  CO_TRY_ASSIGN(const Pending pending, read_pending(query));
  if (managed.destination->read_only()) co_return std::unexpected(owned_by_configuration());
  const Id128 id = managed.destination->id;
  const Result<> deleted = co_await delete_destination(app, exchange, id, pending);
  if (!deleted) co_return std::unexpected(deleted.error());
  co_return no_content();
}

Task<Result<http::Response>> list_types(App& app, http::Exchange& exchange) {
  const Query query = parse_query(exchange.raw_query());
  CO_TRY_ASSIGN(const auto key, authenticate(app, exchange, query));
  if (!key->is_admin()) CO_TRY(authorise(app, key, query, catalog::Scope::kAdmin));
  co_return http::json_response(destination_types_json());
}

}  // namespace

Error owned_by_configuration() {
  return Error{.code = ErrorCode::kPermissionDenied,
               .message = "this destination comes from the configuration: change it there",
               .slug = "read-only-destination"};
}

Result<catalog::NewDestination> read_type_and_settings(const json::Value& body) {
  catalog::NewDestination spec;
  const json::Value* type = body.find("type");
  if (type != nullptr && !type->is_string()) return fail(parameter_error("type must be a text"));
  if (type != nullptr) spec.type = type->text();
  TRY_ASSIGN(const TypeSpec* const kind, type_of(spec.type));
  SettingChanges given;
  if (const json::Value* settings = body.find("settings")) {
    TRY_ASSIGN(given, read_settings(*kind, *settings));
  }
  TRY_ASSIGN(spec.settings, check_settings(*kind, with_changes({}, given)));
  return spec;
}

Result<SettingChanges> read_setting_changes(const json::Value& body, const Destination& before) {
  TRY_ASSIGN(const TypeSpec* const type, type_of(before.type));
  SettingChanges changes;
  if (const json::Value* settings = body.find("settings")) {
    TRY_ASSIGN(changes, read_settings(*type, *settings));
  }
  TRY(check_settings(*type, with_changes(before.settings, changes)));
  return changes;
}

Result<Managed> manage(App& app, const http::Exchange& exchange, const Query& query, Who who) {
  const std::string_view named = exchange.path_parameter("id");
  const Error missing = no_such("destination");
  Managed out;
  TRY_ASSIGN(out.key, authenticate(app, exchange, query));
  if (out.key->is_admin()) {
    out.destination = app.keys().destination_by_text(named);
    if (!out.destination) return fail(missing);
    return out;
  }
  if (who == Who::kAdminKey) return fail(needs_admin_key());
  TRY(authorise(app, out.key, query, catalog::Scope::kAdmin));
  out.destination = app.keys().destination_by_text(named);
  if (!out.destination || out.destination->id != *out.key->destination_id) return fail(missing);
  return out;
}

std::string destination_json(App& app, const Destination& destination, const catalog::KeyInfo& key,
                             const std::vector<engine::EngineInfo>& engines, const Extras& extras) {
  json::Writer w;
  w.begin_object().member("id", destination.id.to_string()).member("name", destination.name);
  w.member("type", destination.type);
  write_settings(w, destination, key.is_admin());
  w.member("state", to_string(destination.state)).member("origin", to_string(destination.origin));
  w.member("read_only", destination.read_only());
  w.member("created_at", format_rfc3339(destination.created_at));
  w.member("updated_at", format_rfc3339(destination.updated_at));
  write_health(w, app, destination, engines);
  if (const auto& counts = extras.belongings) {
    w.member("keys", counts->keys).member("shares", counts->shares);
    w.member("endpoints", counts->endpoints);
  }
  if (!extras.api_key.empty()) w.member("api_key", extras.api_key);
  return w.end_object().take();
}

Task<void> handle_list_destinations(App& app, http::Exchange& exchange) {
  co_await answer_with(app, exchange, list_destinations);
}
Task<void> handle_create_destination(App& app, http::Exchange& exchange) {
  co_await answer_with(app, exchange, create_destination);
}
Task<void> handle_get_destination(App& app, http::Exchange& exchange) {
  co_await answer_with(app, exchange, get_destination);
}
Task<void> handle_change_destination(App& app, http::Exchange& exchange) {
  co_await answer_with(app, exchange, patch_destination);
}
Task<void> handle_delete_destination(App& app, http::Exchange& exchange) {
  co_await answer_with(app, exchange, remove_destination);
}
Task<void> handle_destination_types(App& app, http::Exchange& exchange) {
  co_await answer_with(app, exchange, list_types);
}

}  // namespace sd::api
