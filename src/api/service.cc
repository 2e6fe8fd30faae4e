#include "api/service.h"

#include <unistd.h>

#include "api/access.h"

namespace sd::api {

Task<void> handle_livez(App&, http::Exchange& exchange) {
  co_await exchange.respond(http::text_response("ok\n"));
}

Task<void> handle_readyz(App& app, http::Exchange& exchange) {
  if (app.ready && !app.stopping) {
    co_await exchange.respond(http::text_response("ok\n"));
    co_return;
  }
  Error error{.code = ErrorCode::kUnavailable,
              .message = app.stopping ? "the server is stopping" : "the server is starting",
              .slug = "not-ready",
              .retry_after_s = 1};
  co_await refuse(exchange, std::move(error));
}

Task<void> handle_healthcheck(App& app, http::Exchange& exchange) {
  const std::string& file = app.options().healthcheck_fail_file;
  if (file.empty() || ::access(file.c_str(), F_OK) != 0) {
    co_await exchange.respond(http::text_response("ok\n"));
    co_return;
  }
  Error error{.code = ErrorCode::kUnavailable,
              .message = "taken out of service by its operator",
              .slug = "out-of-service"};
  co_await refuse(exchange, std::move(error));
}

std::string render_metrics(App& app) {
  for (const auto& tenant : app.tenants().all()) tenant->refresh_metrics();
  return app.metrics().render();
}

Task<void> handle_metrics(App& app, http::Exchange& exchange) {
  http::Response response{.status = 200,
                          .headers = {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}},
                          .body = render_metrics(app)};
  co_await exchange.respond(std::move(response));
}

Task<void> handle_metrics_with_login(App& app, http::Exchange& exchange, std::string username,
                                     std::string password) {
  const auto given = basic_credentials(exchange);
  const bool allowed = username.empty() || (given && equal_constant_time(given->first, username) &&
                                            equal_constant_time(given->second, password));
  if (allowed) {
    co_await handle_metrics(app, exchange);
    co_return;
  }
  Error error{.code = ErrorCode::kUnauthenticated, .message = "user name and password, please"};
  co_await refuse(exchange, std::move(error));
}

}  // namespace sd::api
