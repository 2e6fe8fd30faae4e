// GET /api/openapi.json: the API as OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.0) says it.
//
// Its paths are the router's own table, in its order; what is said of each stands in openapi/*.json, under "METHOD /pattern".
// A route that nothing is said of, or the other way round, fails a test.
//
// Saved endpoints are paths of their own, with their parameters and columns: of a key those that it may call, without what
// it fixes; without a key the public ones of the destination that ?destination_id= names, or of the only one.
#pragma once

#include <string>
#include <vector>

#include "api/app.h"
#include "api/endpoint_definition.h"
#include "json/document.h"

namespace sd::api {

Task<void> handle_openapi(App& app, http::Exchange& exchange);

struct DescribedEndpoint {
  std::string name;
  bool is_public = false;
  EndpointDefinition definition;
};

struct OpenApiView {
  std::string base_url;
  std::string version;
  std::vector<DescribedEndpoint> endpoints = {};
  json::Value fixed = {};  // parameters that the asker's key fixes: an object, or null
  // The destination's id, where calls of its endpoints must name it.
  std::string destination = {};
};

// The document. `routes`: the server's table.
std::string openapi_document(std::span<const RouteEntry> routes, const OpenApiView& view);

// "METHOD /pattern" of everything that openapi/*.json speaks of.
std::vector<std::string> described_operations();

// JSON Schema (2020-12) of the values of a column of that type, as results in JSON have them.
std::string column_schema(std::string_view type);

}  // namespace sd::api
