#include "api/endpoints.h"

#include <algorithm>
#include <charconv>

#include "api/ask.h"
#include "api/endpoint_definition.h"
#include "api/resource.h"
#include "base/ascii.h"
#include "base/json_text.h"

namespace sd::api {
namespace {

using catalog::Endpoint;

constexpr std::int64_t kDayUs = 86'400 * kMicrosPerSecond;
constexpr std::int64_t kUsageDays = 30;

// Who makes an endpoint gives away what it reads.
Result<> has_no_limits(const Access& access) {
  const catalog::KeyInfo& key = *access.key;
  if (!key.tables && key.max_rows == 0 && key.max_bytes == 0) return {};
  return fail(ErrorCode::kPermissionDenied,
              "this API key has limits; such keys cannot make or change endpoints");
}

std::string endpoint_url(App& app, const http::Exchange& exchange, const Endpoint& endpoint) {
  std::string url = base_url(app, exchange) + "/api/endpoints/" + endpoint.name + ".json";
  // Without a key only the name would say which is meant, and another destination may get one of that name some day.
  if (endpoint.is_public) url += "?destination_id=" + endpoint.destination_id.to_string();
  return url;
}

void write_endpoint(json::Writer& w, App& app, const http::Exchange& exchange,
                    const Endpoint& endpoint, const EndpointDefinition& definition) {
  w.member("name", endpoint.name).member("version", endpoint.version.number);
  write_definition(w, definition);
  w.member("public", endpoint.is_public).member("url", endpoint_url(app, exchange, endpoint));
  w.member("created_at", format_rfc3339(endpoint.created_at));
  w.member("updated_at", format_rfc3339(endpoint.updated_at));
}

Result<std::string> endpoint_json(App& app, const http::Exchange& exchange,
                                  const Endpoint& endpoint) {
  TRY_ASSIGN(const EndpointDefinition definition, parse_definition(endpoint.version));
  json::Writer w;
  w.begin_object();
  write_endpoint(w, app, exchange, endpoint, definition);
  return w.end_object().take();
}

// The query's own parameters, where nobody named them; else they must be those that were named.
Result<> match_parameters(EndpointDefinition& definition, const json::Value& described) {
  const json::Value* found = described.find("parameters");
  if (found == nullptr) return fail(ErrorCode::kInternal, "the engine described no parameters");
  std::vector<std::string> names;
  for (const json::Value& each : found->elements()) {
    const std::string name(each.string_or("name", ""));
    if (!name.empty() && name[0] >= '0' && name[0] <= '9')
      return fail(parameter_error("the query's parameters need names: $user, not ? or $1"));
    names.push_back(name);
    if (definition.has_parameters) {
      const bool named = std::ranges::any_of(definition.parameters, [&](const auto& parameter) {
        return same_ascii_folded(parameter.name, name);
      });
      if (!named) return fail(about_parameter(name, "stands in the query and not in params"));
      continue;
    }
    const auto type = query::parse_declared_type(each.string_or("type", "string"));
    definition.parameters.push_back({.name = name, .type = type.value_or(query::DeclaredType{})});
  }
  for (const EndpointParameter& parameter : definition.parameters) {
    const bool used = std::ranges::any_of(
        names, [&](const std::string& name) { return same_ascii_folded(parameter.name, name); });
    if (!used) return fail(about_parameter(parameter.name, "is nowhere in the query"));
  }
  return {};
}

void take_columns(EndpointDefinition& definition, const json::Value& described) {
  const json::Value* columns = described.find("columns");
  if (columns == nullptr) return;
  for (const json::Value& column : columns->elements()) {
    definition.columns.push_back(
        {std::string(column.string_or("name", "")), std::string(column.string_or("type", ""))});
  }
}

// Has the engine look at the query, and completes the definition by what it says.
Task<Result<>> complete(App& app, http::Exchange& exchange, Tenant& tenant,
                        EndpointDefinition& definition) {
  engine::Pool::Checked first{.sql = definition.query, .describe = true};
  if (definition.has_parameters) {
    first.parameters = sample_values(definition);
    first.types = declared_types(definition);
  }
  const Result<json::Value> described =
      co_await describe_sql(app, exchange, tenant, std::move(first));
  if (!described) co_return std::unexpected(described.error());
  CO_TRY(match_parameters(definition, *described));
  if (definition.has_parameters || definition.parameters.empty()) {
    take_columns(definition, *described);
    co_return Result<>();
  }
  // What is derived must hold as if it had been named: the columns are those of the types that it has now.
  const std::string stored = stored_definition(definition);
  CO_TRY(parse_definition(catalog::EndpointVersion{.definition = stored}));
  engine::Pool::Checked again{.sql = definition.query,
                              .parameters = sample_values(definition),
                              .types = declared_types(definition),
                              .describe = true};
  const Result<json::Value> typed = co_await describe_sql(app, exchange, tenant, std::move(again));
  if (!typed) co_return std::unexpected(typed.error());
  take_columns(definition, *typed);
  co_return Result<>();
}

struct Wanted {
  catalog::NewEndpoint spec;
  EndpointDefinition definition;
};

// A request's body as what is to be saved, or would be.
Task<Result<Wanted>> read_wanted(App& app, http::Exchange& exchange, const Access& access,
                                 std::string name, bool dry_run) {
  const Result<json::Value> body = co_await read_object(exchange);
  if (!body) co_return std::unexpected(body.error());
  CO_TRY(check_members(*body, {"name", "query", "params", "description", "public", "cache_seconds",
                               "max_rows", "timeout_ms", "destination_id"}));
  catalog::NewEndpoint spec{.destination_id = access.tenant->destination().id};
  const json::Value* named = body->find("name");
  if (named != nullptr && !named->is_string())
    co_return fail(parameter_error("name must be a text"));
  const std::string said = named == nullptr ? std::string() : named->text();
  if (!name.empty() && !said.empty() && said != name)
    co_return fail(parameter_error("name: an endpoint keeps its name; make another one"));
  spec.name = name.empty() ? said : name;
  // People ask what a query takes before they have a name for it.
  if (!dry_run || !spec.name.empty()) CO_TRY(check_endpoint_name(spec.name));
  const json::Value* is_public = body->find("public");
  if (is_public != nullptr && !is_public->is_null() && !is_public->as_bool())
    co_return fail(parameter_error("public must be true or false"));
  spec.is_public = body->bool_or("public", false);
  CO_TRY_ASSIGN(EndpointDefinition definition, read_definition(*body));
  const Result<> completed = co_await complete(app, exchange, *access.tenant, definition);
  if (!completed) co_return std::unexpected(completed.error());
  spec.definition = stored_definition(definition);
  spec.columns = stored_columns(definition);
  co_return Wanted{std::move(spec), std::move(definition)};
}

Task<Result<http::Response>> save(App& app, http::Exchange& exchange, bool is_new) {
  const Query query = parse_query(exchange.raw_query());
  CO_TRY_ASSIGN(const Access access, authorise(app, exchange, query, catalog::Scope::kAdmin));
  CO_TRY(has_no_limits(access));
  CO_TRY_ASSIGN(const bool dry_run, query.flag("dry_run"));
  const Id128 destination = access.tenant->destination().id;
  std::string name = is_new ? std::string() : std::string(exchange.path_parameter("name"));
  if (!is_new) {
    // What is not there is told before what is wrong with the body.
    const auto look = [&] { return app.catalog().endpoint(destination, name); };
    const Result<Endpoint> old = co_await run_blocking(app.blocking(), exchange.executor(), look);
    if (!old) co_return std::unexpected(old.error());
  }
  const Result<Wanted> wanted =
      co_await read_wanted(app, exchange, access, std::move(name), dry_run);
  if (!wanted) co_return std::unexpected(wanted.error());
  if (dry_run) {
    json::Writer w;
    w.begin_object();
    write_definition(w, wanted->definition);
    co_return http::json_response(w.end_object().take());
  }
  const auto work = [&] {
    return is_new ? app.catalog().create_endpoint(wanted->spec)
                  : app.catalog().change_endpoint(wanted->spec);
  };
  const Result<Endpoint> saved = co_await run_blocking(app.blocking(), exchange.executor(), work);
  if (!saved) co_return std::unexpected(saved.error());
  CO_TRY_ASSIGN(std::string text, endpoint_json(app, exchange, *saved));
  co_return http::json_response(std::move(text));
}

Task<Result<http::Response>> create(App& app, http::Exchange& exchange) {
  co_return co_await save(app, exchange, true);
}
Task<Result<http::Response>> change(App& app, http::Exchange& exchange) {
  co_return co_await save(app, exchange, false);
}

// The calls of the last days, as the catalog knows them.
Result<std::vector<catalog::EndpointUsage>> recent_usage(App& app, const Id128& endpoint) {
  const std::int64_t today = app.catalog().clock().wall_us() / kDayUs;
  return app.catalog().endpoint_usage(endpoint, today - kUsageDays + 1);
}

void write_usage(json::Writer& w, const std::vector<catalog::EndpointUsage>& usage) {
  std::int64_t calls = 0, errors = 0, bytes = 0;
  for (const auto& each : usage) {
    calls += each.calls;
    errors += each.errors;
    bytes += each.bytes;
  }
  w.begin_object("usage").member("days", kUsageDays).member("calls", calls);
  w.member("errors", errors).member("bytes", bytes).end_object();
}

Task<Result<http::Response>> list(App& app, http::Exchange& exchange) {
  const Query query = parse_query(exchange.raw_query());
  CO_TRY_ASSIGN(const Access access, authorise(app, exchange, query, catalog::Scope::kQuery));
  CO_TRY_ASSIGN(const catalog::PageRequest wanted, read_page_request(query));
  const Id128 destination = access.tenant->destination().id;
  std::optional<std::string> next;
  const auto work = [&]() -> Result<std::vector<std::string>> {
    TRY(app.endpoint_usage().flush());
    TRY_ASSIGN(const auto page, app.catalog().list_endpoints(destination, wanted));
    if (page.next) next = page.next->to_string();
    std::vector<std::string> items;
    for (const Endpoint& endpoint : page.items) {
      TRY_ASSIGN(const EndpointDefinition definition, parse_definition(endpoint.version));
      TRY_ASSIGN(const auto usage, recent_usage(app, endpoint.id));
      json::Writer w;
      w.begin_object();
      write_endpoint(w, app, exchange, endpoint, definition);
      write_usage(w, usage);
      items.push_back(w.end_object().take());
    }
    return items;
  };
  const auto items = co_await run_blocking(app.blocking(), exchange.executor(), work);
  if (!items) co_return std::unexpected(items.error());
  co_return http::json_response(list_json(*items, next));
}

// An endpoint with what there is to know of it.
struct Known {
  Endpoint endpoint;
  std::vector<catalog::EndpointVersion> versions;
  std::vector<catalog::EndpointUsage> usage;
};

Task<Result<http::Response>> get_one(App& app, http::Exchange& exchange) {
  const Query query = parse_query(exchange.raw_query());
  CO_TRY_ASSIGN(const Access access, authorise(app, exchange, query, catalog::Scope::kQuery));
  CO_TRY_ASSIGN(const auto version, read_version(query));
  const Id128 destination = access.tenant->destination().id;
  const std::string name(exchange.path_parameter("name"));
  const auto work = [&]() -> Result<Known> {
    Known known;
    TRY_ASSIGN(known.endpoint, app.catalog().endpoint(destination, name, version));
    TRY(app.endpoint_usage().flush());
    TRY_ASSIGN(known.versions, app.catalog().endpoint_versions(known.endpoint.id));
    TRY_ASSIGN(known.usage, recent_usage(app, known.endpoint.id));
    return known;
  };
  const Result<Known> known = co_await run_blocking(app.blocking(), exchange.executor(), work);
  if (!known) co_return std::unexpected(known.error());
  CO_TRY_ASSIGN(const EndpointDefinition definition, parse_definition(known->endpoint.version));
  json::Writer w;
  w.begin_object();
  write_endpoint(w, app, exchange, known->endpoint, definition);
  w.begin_array("versions");
  for (const auto& each : known->versions) {
    w.begin_object().member("version", each.number);
    w.member("created_at", format_rfc3339(each.created_at));
    w.member("public", each.is_public).member("retired", each.retired_at.has_value());
    w.end_object();
  }
  w.end_array();
  write_usage(w, known->usage);
  co_return http::json_response(w.end_object().take());
}

std::string usage_json(const catalog::EndpointUsage& usage) {
  json::Writer w;
  w.begin_object().member("day", format_rfc3339(usage.day * kDayUs).substr(0, 10));
  if (usage.key_id)
    w.member("key_id", usage.key_id->to_string());
  else
    w.null_member("key_id");
  w.member("calls", usage.calls).member("errors", usage.errors).member("bytes", usage.bytes);
  return w.end_object().take();
}

Task<Result<http::Response>> get_usage(App& app, http::Exchange& exchange) {
  const Query query = parse_query(exchange.raw_query());
  CO_TRY_ASSIGN(const Access access, authorise(app, exchange, query, catalog::Scope::kQuery));
  const Id128 destination = access.tenant->destination().id;
  const std::string name(exchange.path_parameter("name"));
  const auto work = [&]() -> Result<std::vector<catalog::EndpointUsage>> {
    TRY_ASSIGN(const Endpoint endpoint, app.catalog().endpoint(destination, name));
    TRY(app.endpoint_usage().flush());
    return recent_usage(app, endpoint.id);
  };
  const auto usage = co_await run_blocking(app.blocking(), exchange.executor(), work);
  if (!usage) co_return std::unexpected(usage.error());
  std::vector<std::string> items;
  for (const auto& each : *usage) items.push_back(usage_json(each));
  co_return http::json_response(list_json(items, std::nullopt));
}

Task<Result<http::Response>> remove(App& app, http::Exchange& exchange) {
  const Query query = parse_query(exchange.raw_query());
  CO_TRY_ASSIGN(const Access access, authorise(app, exchange, query, catalog::Scope::kAdmin));
  CO_TRY(has_no_limits(access));
  // A misspelled ?version= would delete all of them.
  CO_TRY(check_parameters(query, {"version", "destination_id", "api_key"}));
  CO_TRY_ASSIGN(const auto version, read_version(query));
  const Id128 destination = access.tenant->destination().id;
  const std::string name(exchange.path_parameter("name"));
  const auto work = [&] {
    return version ? app.catalog().retire_endpoint_version(destination, name, *version)
                   : app.catalog().delete_endpoint(destination, name);
  };
  const Result<> removed = co_await run_blocking(app.blocking(), exchange.executor(), work);
  if (!removed) co_return std::unexpected(removed.error());
  co_return no_content();
}

}  // namespace

Result<std::optional<std::int64_t>> read_version(const Query& query) {
  const std::string* text = query.find("version");
  if (text == nullptr) return std::optional<std::int64_t>();
  std::int64_t version = 0;
  const auto parsed = std::from_chars(text->data(), text->data() + text->size(), version);
  if (parsed.ec != std::errc{} || parsed.ptr != text->data() + text->size() || version < 1)
    return fail(parameter_error("version must be a number from 1", "version"));
  return std::optional(version);
}

Task<void> handle_list_endpoints(App& app, http::Exchange& exchange) {
  co_await answer_with(app, exchange, list);
}
Task<void> handle_create_endpoint(App& app, http::Exchange& exchange) {
  co_await answer_with(app, exchange, create);
}
Task<void> handle_get_endpoint(App& app, http::Exchange& exchange) {
  co_await answer_with(app, exchange, get_one);
}
Task<void> handle_change_endpoint(App& app, http::Exchange& exchange) {
  co_await answer_with(app, exchange, change);
}
Task<void> handle_delete_endpoint(App& app, http::Exchange& exchange) {
  co_await answer_with(app, exchange, remove);
}
Task<void> handle_endpoint_usage(App& app, http::Exchange& exchange) {
  co_await answer_with(app, exchange, get_usage);
}

}  // namespace sd::api
