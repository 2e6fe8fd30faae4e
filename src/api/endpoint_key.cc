#include "api/endpoint_key.h"

#include "api/endpoint_definition.h"
#include "api/resource.h"
#include "base/json_text.h"

namespace sd::api {

Result<> lock_to_endpoints(catalog::NewKey& spec, std::vector<std::string> endpoints,
                           const json::Value& params) {
  if (endpoints.empty())
    return fail(parameter_error("endpoints: name at least one; without any the key does nothing"));
  spec.endpoints = std::move(endpoints);
  if (!params.is_null()) {
    if (!params.is_object())
      return fail(parameter_error("params must be an object, as {\"user\":\"alice\"}"));
    spec.parameters = json::to_json(params);
    if (params.members().empty()) spec.parameters.clear();
  }
  // It reads nothing else: it is made to be given away.
  const auto most =
      catalog::Scopes::of(catalog::Scope::kQuery) | catalog::Scopes::of(catalog::Scope::kInsert);
  if ((spec.scopes | most) != most)
    return fail(parameter_error("scopes: a key for saved endpoints can have query and insert"));
  return {};
}

Result<> check_endpoint_key(catalog::Catalog& catalog, const catalog::NewKey& spec) {
  if (!spec.endpoints) return {};
  json::Value fixed;
  if (!spec.parameters.empty()) {
    TRY_ASSIGN(fixed, json::parse_document(spec.parameters));
  }
  for (const std::string& name : *spec.endpoints) {
    const auto endpoint = catalog.endpoint(*spec.destination_id, name);
    if (!endpoint && endpoint.error().code == ErrorCode::kNotFound)
      return fail(parameter_error("endpoints: there is no endpoint " + json_string(name)));
    if (!endpoint) return fail(endpoint.error());
    TRY_ASSIGN(const EndpointDefinition definition, parse_definition(endpoint->version));
    for (const auto& [parameter, value] : fixed.members()) {
      const EndpointParameter* declared = definition.find(parameter);
      const auto problem = [&](const std::string& text) {
        return fail(parameter_error("params: " + json_string(parameter) + " " + text, parameter));
      };
      if (declared == nullptr) return problem("is no parameter of the endpoint " + name);
      if (value.is_null()) return problem("must have a value: null fixes nothing");
      const auto fits = query::read_declared(declared->type, value);
      if (!fits) return problem(fits.error().message);
    }
  }
  return {};
}

}  // namespace sd::api
