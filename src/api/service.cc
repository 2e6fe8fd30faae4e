#include "api/service.h"

#include <unistd.h>

#include "api/access.h"
#include "api/html.h"

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

Task<void> handle_home(App& app, http::Exchange& exchange) {
  const std::string base = escape_html(base_url(app, exchange));
  std::string body =
      "<h1>Scratch Data</h1>\n<p>POST JSON, it is on disk when the answer comes back; a table with "
      "the "
      "right columns exists within a second; SQL streams out.</p>\n"
      "<h2>Try it</h2>\n<p>Insert a row:</p>\n<pre>curl '" +
      base +
      "/api/data/insert/events?api_key=local' --data '{\"user\":\"alice\",\"n\":1}'</pre>\n"
      "<p>Query it:</p>\n<pre>curl '" +
      base +
      "/api/data/query?api_key=local' --data 'SELECT * FROM events'</pre>\n"
      "<p>Share a result for an hour:</p>\n<pre>curl '" +
      base +
      "/api/data/share?api_key=local' --data '{\"query\":\"SELECT * FROM "
      "events\",\"duration\":3600}'</pre>\n"
      "<p>The key <code>local</code> works from this machine only. Anywhere else, use a key that "
      "<code>scratchdata key create</code> made.</p>\n"
      "<p class=\"small\">Version " +
      escape_html(app.options().version) +
      " · <a href=\"/docs\">the API</a> · <a href=\"/metrics\">metrics</a> · <a "
      "href=\"/healthcheck\">health</a></p>\n";
  co_await exchange.respond(page("Scratch Data", body));
}

}  // namespace sd::api
