// Questions to a destination's engine, from the coroutine of a request.
#pragma once

#include <chrono>
#include <string>

#include "api/access.h"
#include "api/await.h"
#include "json/body.h"

namespace sd::api {

// More queries than may run at once on a destination: 503.
// How far the pool's query of this id is: {percent?, rows, bytes, stalled}. kNotFound where it has ended.
Task<Result<json::Value>> ask_progress(App& app, http::Exchange& exchange, const Tenant& tenant,
                                       std::uint64_t engine_id);

// Waits until the destination has loaded everything below `position`; false after `limit`.
Task<bool> wait_applied(App& app, http::Exchange& exchange, const Tenant& tenant,
                        journal::Position position, std::chrono::milliseconds limit);

// Gates and binds a statement, with every row in sight that was acknowledged before: what Query would
// refuse is refused in the same words.
Task<Result<>> check_sql(App& app, http::Exchange& exchange, Tenant& tenant, std::string sql);

// The same, and what it takes and gives where that is asked for: see engine::Pool::check().
Task<Result<json::Value>> describe_sql(App& app, http::Exchange& exchange, Tenant& tenant,
                                       engine::Pool::Checked what);

// What loading refused of a request, and what the front had refused of it already: nullopt where the
// engine cannot say now.
struct RefusedRows {
  std::uint64_t count = 0;
  std::vector<json::RefusedRow> first;  // at most json::kMaxErrors
};
Task<std::optional<RefusedRows>> ask_refused(App& app, http::Exchange& exchange,
                                             const Tenant& tenant, journal::Position end,
                                             const Id128& receipt);

// Asks a question of engine/questions.h, once the destination has loaded what the journal holds now; where
// that takes too long, it is answered from what is there, or refused where it must be fresh. `more` time than
// usual for the answer to a long question.
Task<Result<json::Value>> ask(App& app, http::Exchange& exchange, Tenant& tenant,
                              std::string question, bool must_be_fresh = false,
                              std::chrono::seconds more = {});

// Puts a change into the journal, under its receipt if it has one; what it returns says whether it has been carried out within 30 s. Once it
// is durable it will be.
Task<Result<bool>> carry_out(App& app, http::Exchange& exchange, Tenant& tenant,
                             destinations::TableChange change);

}  // namespace sd::api
