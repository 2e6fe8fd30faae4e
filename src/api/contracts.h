// Contracts of tables, and the history of their schemas.
//
//   GET /api/tables/{table}/contract    scope query; what holds where none was set is the default
//   PUT /api/tables/{table}/contract    scope admin; the whole contract: members that are left out have
//                                       their defaults (json/contract.h). The table need not exist.
//   GET /api/tables/{table}/history     scope query; each change of the schema, oldest first
//
// A contract takes its place among the rows of the journal: it binds those that are accepted after it.
#pragma once

#include "api/access.h"

namespace sd::api {

Task<void> handle_get_contract(App& app, http::Exchange& exchange);
Task<void> handle_put_contract(App& app, http::Exchange& exchange);
Task<void> handle_get_history(App& app, http::Exchange& exchange);

}  // namespace sd::api
