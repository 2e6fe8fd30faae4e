#include "api/query_status.h"

#include "api/access.h"
#include "api/ask.h"
#include "api/resource.h"

namespace sd::api {
namespace {

Task<Result<http::Response>> progress(App& app, http::Exchange& exchange) {
  const Query query = parse_query(exchange.raw_query());
  CO_TRY_ASSIGN(const Access access, authorise(app, exchange, query, catalog::Scope::kQuery));
  const auto id = Id128::parse(exchange.path_parameter("id"));
  const auto found = id ? app.running_queries().find(*id, access.tenant->id()) : std::nullopt;
  if (!found) co_return std::unexpected(no_such("running query"));
  json::Writer w;
  w.begin_object().member("id", id->to_string());
  w.member("state", found->engine_id == 0 ? "queued" : "running");
  w.member("elapsed_ms", (system_clock().steady_us() - found->began) / 1000);
  if (found->engine_id != 0) {
    const Result<json::Value> told =
        co_await ask_progress(app, exchange, *access.tenant, found->engine_id);
    if (!told && told.error().code == ErrorCode::kNotFound)
      co_return std::unexpected(no_such("running query"));
    if (!told) co_return std::unexpected(told.error());
    for (const auto& [name, value] : told->members()) w.raw_member(name, json::to_json(value));
  }
  co_return http::json_response(w.end_object().take());
}

Task<Result<http::Response>> cancel(App& app, http::Exchange& exchange) {
  const Query query = parse_query(exchange.raw_query());
  CO_TRY_ASSIGN(const Access access, authorise(app, exchange, query, catalog::Scope::kQuery));
  const auto id = Id128::parse(exchange.path_parameter("id"));
  const auto cancelled = id ? app.running_queries().cancel(*id, access.tenant->id()) : std::nullopt;
  if (!cancelled) co_return std::unexpected(no_such("running query"));
  if (*cancelled != 0) app.pool().cancel(*cancelled);
  co_return no_content();
}

}  // namespace

Task<void> handle_query_progress(App& app, http::Exchange& exchange) {
  co_await answer_with(app, exchange, progress);
}

Task<void> handle_cancel_query(App& app, http::Exchange& exchange) {
  co_await answer_with(app, exchange, cancel);
}

}  // namespace sd::api
