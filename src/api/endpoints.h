// Saved endpoints: SQL under a name, with parameters, for applications to call.
//
//   POST   /api/endpoints                  makes one (scope admin)
//   GET    /api/endpoints                  the destination's (scope query)
//   GET    /api/endpoints/{name}           its definition, versions and usage (scope query); ?version=N: an older one
//   PUT    /api/endpoints/{name}           changes it: a new version (scope admin)
//   DELETE /api/endpoints/{name}           deletes it; ?version=N retires that version only (scope admin)
//   GET    /api/endpoints/{name}/usage     calls by day and key (scope query)
//   GET    /api/endpoints/{name}.{format}  the result: endpoint_call.cc
//
// A call needs a key with the scope query, or none where the endpoint is public. A key may be for some endpoints only, and
// have values of their parameters fixed: then it has no other use, and what it fixes cannot be said otherwise. What it is not
// for is 404, like what is not there.
//
// A key that is for everything may give any parameter; SQL of others it never sees changed, for parameters are bound.
//
// Callers that have no key, or one for endpoints only, are not told why a query failed: that would be its SQL.
#pragma once

#include "api/app.h"

namespace sd::api {

Task<void> handle_list_endpoints(App& app, http::Exchange& exchange);
Task<void> handle_create_endpoint(App& app, http::Exchange& exchange);
Task<void> handle_get_endpoint(App& app, http::Exchange& exchange);
Task<void> handle_change_endpoint(App& app, http::Exchange& exchange);
Task<void> handle_delete_endpoint(App& app, http::Exchange& exchange);
Task<void> handle_endpoint_usage(App& app, http::Exchange& exchange);
Task<void> handle_call_endpoint(App& app, http::Exchange& exchange);

}  // namespace sd::api
