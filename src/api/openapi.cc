#include "api/openapi.h"

#include <algorithm>
#include <array>

#include "api/await.h"
#include "api/resource.h"
#include "base/json_text.h"
#include "openapi_parts.h"

namespace sd::api {
namespace {

// What openapi/*.json say. They are the program's own: what is wrong with them a test finds.
struct Parts {
  std::vector<json::Value> files;
  json::Value components;

  const json::Value* operation(const std::string& name) const {
    for (const json::Value& file : files) {
      const json::Value* operations = file.find("operations");
      const json::Value* found = operations == nullptr ? nullptr : operations->find(name);
      if (found != nullptr) return found;
    }
    return nullptr;
  }
};

const Parts& parts() {
  static const Parts kParts = [] {
    Parts out;
    for (const std::string_view text :
         {openapi_parts::data(), openapi_parts::results(), openapi_parts::manage()}) {
      out.files.push_back(json::parse_document(text).value_or(json::Value()));
    }
    out.components = json::parse_document(openapi_parts::components()).value_or(json::Value());
    return out;
  }();
  return kParts;
}

std::string_view scope_of(Asks asks) {
  switch (asks) {
    case Asks::kInsert:
      return "insert";
    case Asks::kQuery:
    case Asks::kCall:
      return "query";
    case Asks::kShare:
      return "share";
    case Asks::kTail:
      return "tail";
    case Asks::kAdmin:
      return "admin";
    default:
      return "";
  }
}

void write_security(json::Writer& w, Asks asks) {
  w.begin_array("security");
  if (asks == Asks::kLink || asks == Asks::kCall || asks == Asks::kNobody) w.raw_element("{}");
  if (asks == Asks::kLink) w.raw_element(R"({"basic":[]})");
  if (asks != Asks::kLink && asks != Asks::kNobody) {
    for (const char* scheme : {"bearer", "header", "query", "basic"})
      w.raw_element("{\"" + std::string(scheme) + "\":[]}");
  }
  w.end_array();
}

std::string description_of(const json::Value& operation, Asks asks) {
  std::string text(operation.string_or("description", ""));
  const std::string_view scope = scope_of(asks);
  std::string needs;
  if (!scope.empty()) needs = "Scope: `" + std::string(scope) + "`.";
  if (asks == Asks::kAdminKey) needs = "An admin key.";
  if (text.empty() || needs.empty()) return text + needs;
  return text + " " + needs;
}

// "{table}" and "{format}" of "/a/{table}/data.{format}".
std::vector<std::string> names_in(std::string_view pattern) {
  std::vector<std::string> names;
  for (std::size_t at = pattern.find('{'); at != std::string_view::npos;
       at = pattern.find('{', at)) {
    const std::size_t end = pattern.find('}', at);
    names.emplace_back(pattern.substr(at + 1, end - at - 1));
    at = end;
  }
  return names;
}

void write_parameters(json::Writer& w, const RouteEntry& route, const json::Value& operation) {
  w.begin_array("parameters");
  std::vector<std::string> there;
  if (const json::Value* own = operation.find("parameters")) {
    for (const json::Value& each : own->elements()) {
      w.raw_element(json::to_json(each));
      if (each.string_or("in", "") == "path") there.emplace_back(each.string_or("name", ""));
    }
  }
  for (const std::string& name : names_in(route.pattern)) {
    if (std::ranges::count(there, name) != 0) continue;
    w.raw_element("{\"name\":" + json_string(name) +
                  R"(,"in":"path","required":true,"schema":{"type":"string"}})");
  }
  const bool of_destination = !scope_of(route.asks).empty() &&
                              !std::string_view(route.pattern).starts_with("/api/destination");
  if (of_destination) w.raw_element(R"({"$ref":"#/components/parameters/destination_id"})");
  w.end_array();
}

void write_operation(json::Writer& w, const RouteEntry& route) {
  const json::Value* operation = parts().operation(std::string(route.method) + " " + route.pattern);
  std::string method = route.method;
  for (char& c : method) c = static_cast<char>(c - 'A' + 'a');
  w.begin_object(method);
  if (operation == nullptr) {
    w.end_object();
    return;
  }
  w.begin_array("tags").element(operation->string_or("tag", "")).end_array();
  for (const char* member : {"operationId", "summary"})
    w.member(member, operation->string_or(member, ""));
  const std::string description = description_of(*operation, route.asks);
  if (!description.empty()) w.member("description", description);
  if (operation->bool_or("deprecated", false)) w.member("deprecated", true);
  write_security(w, route.asks);
  write_parameters(w, route, *operation);
  if (const json::Value* body = operation->find("requestBody"))
    w.raw_member("requestBody", json::to_json(*body));
  w.begin_object("responses");
  if (const json::Value* responses = operation->find("responses")) {
    for (const auto& [status, response] : responses->members())
      w.raw_member(status, json::to_json(response));
  }
  w.raw_member("default", R"({"$ref":"#/components/responses/Problem"})");
  w.end_object().end_object();
}

// ---- saved endpoints ----

std::string_view schema_of(query::DeclaredType::Kind kind) {
  using enum query::DeclaredType::Kind;
  switch (kind) {
    case kInteger:
      return R"({"type":"integer","format":"int64"})";
    case kNumber:
      return R"({"type":"number"})";
    case kDecimal:
      // Most programs' numbers have fewer digits.
      return R"({"type":["number","string"],"format":"decimal"})";
    case kBoolean:
      return R"({"type":"boolean"})";
    case kDate:
      return R"({"type":"string","format":"date"})";
    case kTimestamp:
      return R"({"type":"string","format":"date-time"})";
    case kUuid:
      return R"({"type":"string","format":"uuid"})";
    case kString:
      break;
  }
  return R"({"type":"string"})";
}

void write_endpoint_parameter(json::Writer& w, const EndpointParameter& parameter) {
  std::string schema(schema_of(parameter.type.kind));
  if (parameter.type.is_list) schema = R"({"type":"array","items":)" + schema + "}";
  if (parameter.fallback) {
    schema.pop_back();
    schema += ",\"default\":" + *parameter.fallback + "}";
  }
  json::Writer p;
  p.begin_object().member("name", parameter.name).member("in", "query");
  p.member("required", parameter.required);
  p.member("description", parameter.description.empty() ? query::declared_type_name(parameter.type)
                                                        : parameter.description);
  p.raw_member("schema", schema);
  w.raw_element(p.end_object().text());
}

std::string row_schema(const EndpointDefinition& definition) {
  if (definition.columns.empty()) return R"({"$ref":"#/components/schemas/Row"})";
  json::Writer w;
  w.begin_object().member("type", "object").begin_array("required");
  for (const EndpointColumn& column : definition.columns) w.element(column.name);
  w.end_array().begin_object("properties");
  for (const EndpointColumn& column : definition.columns)
    w.raw_member(column.name, column_schema(column.type));
  return w.end_object().end_object().take();
}

constexpr const char* kCallOperation = "GET /api/endpoints/{name}.{format}";

// What every call's URL may hold besides the endpoint's own parameters.
void write_call_options(json::Writer& w, const OpenApiView& view) {
  const json::Value* operation = parts().operation(kCallOperation);
  const json::Value* options = operation == nullptr ? nullptr : operation->find("parameters");
  if (options != nullptr) {
    for (const json::Value& option : options->elements()) {
      if (option.string_or("in", "") == "query") w.raw_element(json::to_json(option));
    }
  }
  if (view.destination.empty()) {
    w.raw_element(R"({"$ref":"#/components/parameters/destination_id"})");
    return;
  }
  w.raw_element(R"({"name":"destination_id","in":"query","required":true,"description":"whose )"
                R"(endpoint","schema":{"type":"string","enum":[)" +
                json_string(view.destination) + "]}}");
}

void write_endpoint(json::Writer& w, const DescribedEndpoint& endpoint, const OpenApiView& view) {
  const EndpointDefinition& definition = endpoint.definition;
  w.begin_object("/api/endpoints/" + endpoint.name + ".json").begin_object("get");
  w.begin_array("tags").element("Your endpoints").end_array();
  w.member("operationId", "endpoint_" + endpoint.name).member("summary", endpoint.name);
  w.member("description", (definition.description.empty() ? "" : definition.description + " ") +
                              std::string("Other formats by the name's ending: .csv, .xlsx, "
                                          ".ndjson, .parquet, .arrow …"));
  write_security(w, endpoint.is_public ? Asks::kCall : Asks::kQuery);
  w.begin_array("parameters");
  for (const EndpointParameter& parameter : definition.parameters) {
    if (view.fixed.find(parameter.name) == nullptr) write_endpoint_parameter(w, parameter);
  }
  write_call_options(w, view);
  w.end_array().begin_object("responses").begin_object("200");
  w.member("description", "the rows");
  if (const json::Value* result = parts().components.find("responses")->find("Result"))
    w.raw_member("headers", json::to_json(*result->find("headers")));
  w.begin_object("content").begin_object("application/json");
  w.raw_member("schema", R"({"type":"array","items":)" + row_schema(definition) + "}");
  w.end_object().end_object().end_object();
  w.raw_member("304", R"({"$ref":"#/components/responses/NotModified"})");
  w.raw_member("default", R"({"$ref":"#/components/responses/Problem"})");
  w.end_object().end_object().end_object();
}

void write_paths(json::Writer& w, std::span<const RouteEntry> routes, const OpenApiView& view) {
  w.begin_object("paths");
  // A path's operations stand together.
  std::vector<std::string_view> written;
  for (const RouteEntry& route : routes) {
    if (std::ranges::count(written, route.pattern) != 0) continue;
    written.emplace_back(route.pattern);
    w.begin_object(route.pattern);
    for (const RouteEntry& other : routes) {
      if (std::string_view(other.pattern) == route.pattern) write_operation(w, other);
    }
    w.end_object();
  }
  for (const DescribedEndpoint& endpoint : view.endpoints) write_endpoint(w, endpoint, view);
  w.end_object();
}

void write_tags(json::Writer& w, const OpenApiView& view) {
  w.begin_array("tags");
  if (!view.endpoints.empty()) {
    w.raw_element(
        R"({"name":"Your endpoints","description":"Saved endpoints that you may call."})");
  }
  for (const json::Value& file : parts().files) {
    const json::Value* tags = file.find("tags");
    if (tags == nullptr) continue;
    for (const json::Value& tag : tags->elements()) w.raw_element(json::to_json(tag));
  }
  w.end_array();
}

// ---- which endpoints the asker may see ----

bool may_see(const catalog::Endpoint& endpoint, const catalog::KeyInfo* key) {
  return key == nullptr ? endpoint.is_public : key->may_endpoint(endpoint.name);
}

// Blocks.
Result<std::vector<DescribedEndpoint>> endpoints_of(catalog::Catalog& catalog, Id128 destination,
                                                    const catalog::KeyInfo* key) {
  std::vector<DescribedEndpoint> out;
  catalog::PageRequest page{.limit = 1000, .after = {}};
  do {
    TRY_ASSIGN(const auto found, catalog.list_endpoints(destination, page));
    for (const catalog::Endpoint& endpoint : found.items) {
      if (!may_see(endpoint, key)) continue;
      DescribedEndpoint& each = out.emplace_back();
      each.name = endpoint.name;
      each.is_public = endpoint.is_public;
      TRY_ASSIGN(each.definition, parse_definition(endpoint.version));
    }
    page.after = found.next;
  } while (page.after);
  return out;
}

// Whose endpoints are meant; none: nobody's.
Result<std::optional<Id128>> asked_destination(App& app, const http::Exchange& exchange,
                                               const Query& query,
                                               std::shared_ptr<const catalog::KeyInfo>& key) {
  if (says_who(app, exchange, query)) {
    TRY_ASSIGN(key, authenticate(app, exchange, query));
    if (!key->is_admin()) return key->destination_id;
  }
  if (const std::string* named = query.find("destination_id")) {
    const auto destination = app.keys().destination_by_text(*named);
    if (!destination) return std::optional<Id128>();
    return std::optional(destination->id);
  }
  const auto all = app.keys().destinations();
  if (all.size() != 1) return std::optional<Id128>();
  return std::optional(all.front()->id);
}

Task<Result<http::Response>> answer(App& app, http::Exchange& exchange) {
  const Query query = parse_query(exchange.raw_query());
  OpenApiView view{.base_url = base_url(app, exchange), .version = app.options().version};
  std::shared_ptr<const catalog::KeyInfo> key;
  CO_TRY_ASSIGN(const auto destination, asked_destination(app, exchange, query, key));
  // A key that reads nothing has none to call.
  const bool calls = !key || key->may(catalog::Scope::kQuery);
  const bool names = !key || key->is_admin();
  if (destination && names && app.keys().destinations().size() > 1)
    view.destination = destination->to_string();
  if (destination && calls) {
    const auto work = [&] { return endpoints_of(app.catalog(), *destination, key.get()); };
    auto endpoints = co_await run_blocking(app.blocking(), exchange.executor(), work);
    if (!endpoints) co_return std::unexpected(std::move(endpoints).error());
    view.endpoints = std::move(*endpoints);
  }
  if (key && !key->parameters.empty()) {
    CO_TRY_ASSIGN(view.fixed, json::parse_document(key->parameters));
  }
  http::Response response = http::json_response(openapi_document(route_table(), view));
  response.headers.emplace_back("Cache-Control", "private, no-cache");
  response.headers.emplace_back("Vary", "Authorization, X-API-KEY, Cookie");
  co_return response;
}

}  // namespace

std::string column_schema(std::string_view type) {
  constexpr std::array kIntegers = {"TINYINT",  "SMALLINT",  "INTEGER",  "BIGINT",
                                    "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"};
  if (type.ends_with("[]"))
    return R"({"type":["array","null"],"items":)" + column_schema(type.substr(0, type.size() - 2)) +
           "}";
  if (type == "BOOLEAN") return R"({"type":["boolean","null"]})";
  if (std::ranges::count(kIntegers, type) != 0) return R"({"type":["integer","null"]})";
  if (type == "HUGEINT" || type == "UHUGEINT" || type == "BIGNUM")
    return R"({"type":["integer","null"]})";
  if (type == "FLOAT" || type == "DOUBLE" || type.starts_with("DECIMAL"))
    return R"({"type":["number","null"]})";
  if (type == "DATE") return R"({"type":["string","null"],"format":"date"})";
  if (type == "UUID") return R"({"type":["string","null"],"format":"uuid"})";
  if (type == "TIMESTAMP WITH TIME ZONE")
    return R"({"type":["string","null"],"format":"date-time"})";
  if (type.starts_with("STRUCT(")) return R"({"type":["object","null"]})";
  // Documents, unions and maps are what they are; arrays of a fixed size end with one.
  for (const char* open : {"JSON", "VARIANT", "UNION(", "MAP("}) {
    if (type.starts_with(open)) return "{}";
  }
  if (type.ends_with("]")) return R"({"type":["array","null"]})";
  return R"({"type":["string","null"]})";
}

std::string openapi_document(std::span<const RouteEntry> routes, const OpenApiView& view) {
  json::Writer w;
  w.begin_object().member("openapi", "3.1.0").begin_object("info");
  w.member("title", "Scratch Data").member("version", view.version);
  w.member("description",
           "Your analytics database as a realtime HTTP API. POST JSON, it is on disk when the "
           "answer comes back; a table with the right columns exists within a second; SQL streams "
           "out.");
  w.raw_member("license", R"({"name":"Apache 2.0","identifier":"Apache-2.0"})").end_object();
  w.begin_array("servers").raw_element("{\"url\":" + json_string(view.base_url) + "}").end_array();
  write_tags(w, view);
  write_paths(w, routes, view);
  w.raw_member("components", json::to_json(parts().components));
  return w.end_object().take();
}

std::vector<std::string> described_operations() {
  std::vector<std::string> out;
  for (const json::Value& file : parts().files) {
    const json::Value* operations = file.find("operations");
    if (operations == nullptr) continue;
    for (const auto& [name, operation] : operations->members()) out.push_back(name);
  }
  return out;
}

Task<void> handle_openapi(App& app, http::Exchange& exchange) {
  co_await answer_with(app, exchange, answer);
}

}  // namespace sd::api
