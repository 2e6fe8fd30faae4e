#include "api/endpoint_definition.h"

#include <algorithm>
#include <set>

#include "api/resource.h"
#include "base/ascii.h"
#include "base/json_text.h"

namespace sd::api {
namespace {

constexpr std::size_t kLongestName = 100;
constexpr std::size_t kMostParameters = 100;
constexpr std::uint64_t kLongestCache = 86'400;
constexpr std::uint64_t kLongestTimeout = 86'400'000;

bool is_letter(char c) {
  return ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z';
}
Error unfit(const std::string& name, const std::string& problem) {
  return about_parameter(name, problem).with_status(422);
}

Result<> check_parameter_name(const std::string& name) {
  const bool plain = !name.empty() && name.size() <= kLongestName && !is_ascii_digit(name[0]) &&
                     std::ranges::all_of(name, [](char c) {
                       return is_letter(c) || is_ascii_digit(c) || c == '_';
                     });
  if (!plain)
    return fail(about_parameter(name, "needs a name of letters, digits and _, as in $user"));
  for (const std::string& taken : reserved_parameters()) {
    if (same_ascii_folded(taken, name))
      return fail(about_parameter(name, "has a name that every call's URL has a use for already"));
  }
  return {};
}

Result<std::string> read_text(const json::Value& object, std::string_view member) {
  const json::Value* value = object.find(member);
  if (value == nullptr || value->is_null()) return std::string();
  if (!value->is_string()) return fail(parameter_error(std::string(member) + " must be a text"));
  return value->text();
}

Result<std::uint64_t> read_number(const json::Value& object, std::string_view member,
                                  std::uint64_t least, std::uint64_t most) {
  const json::Value* value = object.find(member);
  if (value == nullptr || value->is_null()) return 0;
  const auto number = value->as_uint();
  if (!number || *number < least || *number > most) {
    return fail(parameter_error(std::string(member) + " must be a whole number from " +
                                std::to_string(least) + " to " + std::to_string(most)));
  }
  return *number;
}

Result<EndpointParameter> read_parameter(const json::Value& object) {
  if (!object.is_object())
    return fail(parameter_error("params: each is an object, as {\"name\":\"user\"}"));
  TRY(check_members(object, {"name", "type", "default", "required", "description"}));
  EndpointParameter parameter;
  TRY_ASSIGN(parameter.name, read_text(object, "name"));
  TRY(check_parameter_name(parameter.name));
  TRY_ASSIGN(const std::string type, read_text(object, "type"));
  const auto declared = query::parse_declared_type(type.empty() ? "string" : type);
  if (!declared) {
    return fail(about_parameter(parameter.name, "has a type that is not known; there are " +
                                                    std::string(query::declared_type_names())));
  }
  parameter.type = *declared;
  const json::Value* fallback = object.find("default");
  if (fallback != nullptr && !fallback->is_null()) {
    const auto fits = query::read_declared(parameter.type, *fallback);
    if (!fits)
      return fail(about_parameter(parameter.name, "has a default that " + fits.error().message));
    parameter.fallback = json::to_json(*fallback);
  }
  const json::Value* required = object.find("required");
  if (required != nullptr && !required->is_null() && !required->as_bool())
    return fail(about_parameter(parameter.name, "is required or not: true or false"));
  const bool says = required != nullptr && required->as_bool();
  parameter.required = says ? *required->as_bool() : !parameter.fallback;
  if (parameter.required && parameter.fallback)
    return fail(about_parameter(parameter.name, "is required, so that its default is never used"));
  TRY_ASSIGN(parameter.description, read_text(object, "description"));
  return parameter;
}

Result<std::vector<EndpointParameter>> read_parameters(const json::Value& list) {
  if (!list.is_array()) return fail(parameter_error("params must be a list"));
  if (list.elements().size() > kMostParameters)
    return fail(parameter_error("params: at most " + std::to_string(kMostParameters)));
  std::vector<EndpointParameter> out;
  for (const json::Value& each : list.elements()) {
    TRY_ASSIGN(EndpointParameter parameter, read_parameter(each));
    // $user and $USER are one in SQL.
    for (const EndpointParameter& other : out) {
      if (same_ascii_folded(other.name, parameter.name))
        return fail(about_parameter(parameter.name, "is there twice"));
    }
    out.push_back(std::move(parameter));
  }
  return out;
}

std::string sample(query::DeclaredType type) {
  if (type.is_list) return "[]";
  switch (type.kind) {
    case query::DeclaredType::Kind::kString:
      return "\"\"";
    case query::DeclaredType::Kind::kBoolean:
      return "false";
    case query::DeclaredType::Kind::kUuid:
      return json_string(Id128().to_string());
    default:
      return "0";
  }
}

Result<std::string> default_value(const EndpointParameter& parameter) {
  if (!parameter.fallback) return std::string("null");
  TRY_ASSIGN(const json::Value value, json::parse_document(*parameter.fallback));
  return query::read_declared(parameter.type, value);
}

std::vector<std::string> parameter_names(const EndpointDefinition& definition) {
  std::vector<std::string> names = call_options();
  for (const EndpointParameter& parameter : definition.parameters) names.push_back(parameter.name);
  return names;
}

Error is_fixed(const std::string& name) {
  return Error{
      .code = ErrorCode::kPermissionDenied,
      .message = "the parameter " + json_string(name) + " is fixed by this API key: leave it out",
      .slug = "parameter-fixed",
      .members = {{"parameter", json_string(name)}}};
}

// The value of one parameter in a call.
Result<std::string> call_value(const EndpointParameter& parameter, const Query& query,
                               const json::Value& fixed) {
  std::vector<std::string> given;
  for (const http::Parameter& each : query.parameters) {
    if (each.name == parameter.name) given.push_back(each.value);
  }
  Result<std::string> value;
  if (const json::Value* mine = fixed.find(parameter.name)) {
    if (!given.empty()) return fail(is_fixed(parameter.name));
    // NULL is what many a query takes for "any".
    if (mine->is_null()) return fail(unfit(parameter.name, "is fixed to nothing by this API key"));
    value = query::read_declared(parameter.type, *mine);
  } else if (!given.empty()) {
    value = query::read_declared(parameter.type, given);
  } else if (parameter.required) {
    return fail(unfit(parameter.name, "is missing"));
  } else {
    value = default_value(parameter);
  }
  if (!value) return fail(unfit(parameter.name, value.error().message));
  return value;
}

}  // namespace

Error about_parameter(const std::string& name, const std::string& problem) {
  return parameter_error("the parameter " + json_string(name) + " " + problem, name);
}
const EndpointParameter* EndpointDefinition::find(std::string_view name) const {
  const auto found = std::ranges::find(parameters, name, &EndpointParameter::name);
  return found == parameters.end() ? nullptr : &*found;
}

const std::vector<std::string>& reserved_parameters() {
  static const std::vector<std::string> kNames = [] {
    std::vector<std::string> names = {"format", "query", "params"};
    names.insert(names.end(), call_options().begin(), call_options().end());
    return names;
  }();
  return kNames;
}

const std::vector<std::string>& call_options() {
  static const std::vector<std::string> kNames = {"api_key",     "destination_id", "version",
                                                  "timeout_ms",  "fresh",          "query_id",
                                                  "quote_int64", "quote_nan",      "spreadsheet"};
  return kNames;
}

Result<> check_endpoint_name(std::string_view name) {
  const bool plain =
      !name.empty() && name.size() <= kLongestName && std::ranges::all_of(name, [](char c) {
        return is_letter(c) || is_ascii_digit(c) || c == '_' || c == '-';
      });
  if (plain) return {};
  return fail(parameter_error("name: an endpoint is called by 1 to " +
                              std::to_string(kLongestName) + " letters, digits, _ and -"));
}

Result<EndpointDefinition> read_definition(const json::Value& body) {
  EndpointDefinition out;
  TRY_ASSIGN(out.query, read_text(body, "query"));
  if (out.query.find_first_not_of(" \t\r\n") == std::string::npos) {
    return fail(
        invalid("no SQL: send {\"name\":…,\"query\":\"SELECT …\"}").with_slug("empty-query"));
  }
  const json::Value* params = body.find("params");
  out.has_parameters = params != nullptr && !params->is_null();
  if (out.has_parameters) {
    TRY_ASSIGN(out.parameters, read_parameters(*params));
  }
  TRY_ASSIGN(out.description, read_text(body, "description"));
  TRY_ASSIGN(out.cache_s, read_number(body, "cache_seconds", 0, kLongestCache));
  TRY_ASSIGN(out.max_rows, read_number(body, "max_rows", 1, INT64_MAX));
  TRY_ASSIGN(out.timeout_ms, read_number(body, "timeout_ms", 1, kLongestTimeout));
  return out;
}

Result<EndpointDefinition> parse_definition(const catalog::EndpointVersion& version) {
  TRY_ASSIGN(const json::Value body, json::parse_document(version.definition));
  TRY_ASSIGN(EndpointDefinition out, read_definition(body));
  if (version.columns.empty()) return out;
  TRY_ASSIGN(const json::Value columns, json::parse_document(version.columns));
  for (const json::Value& column : columns.elements()) {
    out.columns.push_back(
        {std::string(column.string_or("name", "")), std::string(column.string_or("type", ""))});
  }
  return out;
}

namespace {

void write_said(json::Writer& w, const EndpointDefinition& definition) {
  w.member("query", definition.query).begin_array("params");
  for (const EndpointParameter& parameter : definition.parameters) {
    w.begin_object().member("name", parameter.name);
    w.member("type", query::declared_type_name(parameter.type));
    w.member("required", parameter.required);
    if (parameter.fallback) w.raw_member("default", *parameter.fallback);
    w.member("description", parameter.description).end_object();
  }
  w.end_array().member("description", definition.description);
  w.member("cache_seconds", definition.cache_s);
  write_limit(w, "max_rows", definition.max_rows);
  write_limit(w, "timeout_ms", definition.timeout_ms);
}

}  // namespace

void write_definition(json::Writer& w, const EndpointDefinition& definition) {
  write_said(w, definition);
  w.raw_member("columns", stored_columns(definition));
}

std::string stored_definition(const EndpointDefinition& definition) {
  json::Writer w;
  w.begin_object();
  write_said(w, definition);
  return w.end_object().take();
}

std::string stored_columns(const EndpointDefinition& definition) {
  json::Writer w;
  w.begin_array();
  for (const EndpointColumn& column : definition.columns)
    w.begin_object().member("name", column.name).member("type", column.type).end_object();
  return w.end_array().take();
}

std::string declared_types(const EndpointDefinition& definition) {
  json::Writer w;
  w.begin_object();
  for (const EndpointParameter& parameter : definition.parameters)
    w.member(parameter.name, query::declared_type_name(parameter.type));
  return w.end_object().take();
}

std::string sample_values(const EndpointDefinition& definition) {
  json::Writer w;
  w.begin_object();
  for (const EndpointParameter& parameter : definition.parameters) {
    const auto value = default_value(parameter);
    const bool has_default = parameter.fallback && value;
    w.raw_member(parameter.name, has_default ? *value : sample(parameter.type));
  }
  return w.end_object().take();
}

Result<std::string> call_values(const EndpointDefinition& definition, const Query& query,
                                const json::Value& fixed) {
  // Where what is fixed has no place, the key would see what it was not made for.
  for (const auto& [name, value] : fixed.members()) {
    if (definition.find(name) != nullptr) continue;
    return fail(Error{.code = ErrorCode::kPermissionDenied,
                      .message = "this API key fixes the parameter " + json_string(name) +
                                 ", which this endpoint does not have",
                      .slug = "parameter-fixed",
                      .members = {{"parameter", json_string(name)}}});
  }
  if (query.json) {
    return fail(parameter_error("the URL holds JSON; an endpoint's parameters are ?name=value")
                    .with_status(422));
  }
  for (const http::Parameter& each : query.parameters) {
    const bool option = std::ranges::count(call_options(), each.name) != 0;
    if (option || definition.find(each.name) != nullptr) continue;
    Error error = unfit(each.name, "is not known");
    error.message = unknown_text("parameter", each.name, parameter_names(definition));
    return fail(std::move(error));
  }
  json::Writer w;
  w.begin_object();
  for (const EndpointParameter& parameter : definition.parameters) {
    TRY_ASSIGN(const std::string value, call_value(parameter, query, fixed));
    w.raw_member(parameter.name, value);
  }
  return w.end_object().take();
}

}  // namespace sd::api
