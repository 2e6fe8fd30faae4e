// Questions to a destination's engine, from the coroutine of a request.
#pragma once

#include <chrono>
#include <string>

#include "api/access.h"
#include "api/await.h"

namespace sd::api {

// Waits until the destination has loaded everything below `position`; false after `limit`.
Task<bool> wait_applied(App& app, http::Exchange& exchange, const Tenant& tenant,
                        journal::Position position, std::chrono::milliseconds limit);

// Gates and binds a statement, with every row in sight that was acknowledged before: what Query would
// refuse is refused in the same words.
Task<Result<>> check_sql(App& app, http::Exchange& exchange, const Tenant& tenant, std::string sql);

// The destination's tables as the engine tells them (see engine/query_runner.cc), once it has loaded
// what the journal holds now.
Task<Result<json::Value>> ask_tables(App& app, http::Exchange& exchange, Tenant& tenant);

}  // namespace sd::api
