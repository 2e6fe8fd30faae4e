// Routes about the server itself: probes, metrics, the plain start page.
#pragma once

#include <string>

#include "api/app.h"

namespace sd::api {

Task<void> handle_livez(App& app, http::Exchange& exchange);
Task<void> handle_readyz(App& app, http::Exchange& exchange);
Task<void> handle_healthcheck(App& app, http::Exchange& exchange);
Task<void> handle_metrics(App& app, http::Exchange& exchange);
// The same behind HTTP Basic; no user name: no login.
Task<void> handle_metrics_with_login(App& app, http::Exchange& exchange, std::string username,
                                     std::string password);

// Prometheus' text of everything, gauges brought up to date.
std::string render_metrics(App& app);

}  // namespace sd::api
