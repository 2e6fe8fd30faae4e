// The table of routes: what the server answers, in one place.
#include "api/insert.h"
#include "api/query.h"
#include "api/service.h"

namespace sd::api {

http::Router make_router(App& app) {
  http::Router router;
  const auto add = [&](const char* method, const char* pattern, Task<void> (*handler)(App&, http::Exchange&)) {
    router.add(method, pattern, [&app, handler](http::Exchange& exchange) { return handler(app, exchange); });
  };
  add("GET", "/", handle_home);
  add("GET", "/livez", handle_livez);
  add("GET", "/readyz", handle_readyz);
  add("GET", "/healthcheck", handle_healthcheck);
  add("GET", "/metrics", handle_metrics);

  add("POST", "/api/data/insert/{table}", handle_insert);
  add("GET", "/api/data/insert/{table}", handle_insert);
  add("GET", "/api/data/query", handle_query);
  add("POST", "/api/data/query", handle_query);
  return router;
}

}  // namespace sd::api
