// What a saved endpoint is: SQL with named parameters of declared types, and what it answers with.
//
// As JSON, in requests, in answers and in the catalog:
//
//   {"query":"SELECT … WHERE user = $user",
//    "params":[{"name":"user","type":"string","required":true,"description":"…"},
//              {"name":"days","type":"integer","default":7}],
//    "description":"…","cache_seconds":60,"max_rows":1000,"timeout_ms":5000}
//
// A parameter without a default is required unless it says "required":false; then it is NULL where nobody gives it. In
// answers and in the catalog there is "columns" too: [{"name","type"}], as far as they are known before it runs.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/access.h"
#include "json/document.h"
#include "query/declared_parameter.h"

namespace sd::api {

struct EndpointParameter {
  std::string name;
  query::DeclaredType type;
  std::optional<std::string> fallback;  // the default, as JSON
  bool required = true;
  std::string description;
};

struct EndpointColumn {
  std::string name;
  std::string type;  // as CAST takes it
};

struct EndpointDefinition {
  std::string query;
  std::vector<EndpointParameter> parameters;
  bool has_parameters = false;  // they were named; else they are those of the query
  std::vector<EndpointColumn> columns;
  std::string description;
  std::uint64_t cache_s = 0;
  std::uint64_t max_rows = 0;    // 0: any number
  std::uint64_t timeout_ms = 0;  // 0: as the server's queries

  const EndpointParameter* find(std::string_view name) const;
};

// "the parameter "user" …": 400, with its name as the member "parameter".
Error about_parameter(const std::string& name, const std::string& problem);

// Names of endpoints: 1 to 100 letters, digits, "_" and "-".
Result<> check_endpoint_name(std::string_view name);

// From a request. kInvalidArgument: 400, with the member "parameter" where it is about one of its parameters.
Result<EndpointDefinition> read_definition(const json::Value& body);
// From the catalog.
Result<EndpointDefinition> parse_definition(const catalog::EndpointVersion& version);
// Its members, into an object that is open.
void write_definition(json::Writer& w, const EndpointDefinition& definition);
// For the catalog: what somebody has said, and what was found out.
std::string stored_definition(const EndpointDefinition& definition);
std::string stored_columns(const EndpointDefinition& definition);

// {"day":"date"}, for query::bind().
std::string declared_types(const EndpointDefinition& definition);
// Some value of each parameter, for query::describe().
std::string sample_values(const EndpointDefinition& definition);

// What a call gives its parameters, as JSON for query::bind(): from the URL, of `fixed` what the key has fixed (an object),
// else the default. kInvalidArgument, 422, with the member "parameter": a value that is none of its type, one that is
// missing, twice there or not known. kPermissionDenied with slug "parameter-fixed" where the URL names one that is fixed,
// or one that is fixed is none of the endpoint's.
Result<std::string> call_values(const EndpointDefinition& definition, const Query& query,
                                const json::Value& fixed);

// ?version=N, where it is given. kInvalidArgument where that is no number from 1.
Result<std::optional<std::int64_t>> read_version(const Query& query);

// What else the URL of a call may hold.
const std::vector<std::string>& call_options();
// Names that no parameter may have: those, and what a query's URL may hold.
const std::vector<std::string>& reserved_parameters();

}  // namespace sd::api
