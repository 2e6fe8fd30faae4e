// The table of routes: what the server answers, in one place.
#include "api/contracts.h"
#include "api/destinations.h"
#include "api/failed.h"
#include "api/insert.h"
#include "api/query.h"
#include "api/receipts.h"
#include "api/service.h"
#include "api/shares.h"
#include "api/tables.h"

namespace sd::api {

http::Router make_router(App& app) {
  http::Router router;
  const auto add = [&](const char* method, const char* pattern,
                       Task<void> (*handler)(App&, http::Exchange&)) {
    router.add(method, pattern,
               [&app, handler](http::Exchange& exchange) { return handler(app, exchange); });
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

  for (const char* path : {"/api/data/share", "/api/data/query/share"}) {
    add("POST", path, handle_create_share);
    add("GET", path, handle_share_by_get);
  }
  add("GET", "/api/shares", handle_list_shares);
  add("DELETE", "/api/shares/{id}", handle_revoke_share);
  add("GET", "/share/{id}", handle_share_page);
  add("GET", "/share/{id}/data.{format}", handle_share_data);

  add("GET", "/api/tables", handle_list_tables);
  add("GET", "/api/tables/{table}", handle_get_table);
  add("GET", "/api/tables/{table}/columns", handle_get_columns);
  add("DELETE", "/api/tables/{table}", handle_delete_table);
  add("PATCH", "/api/tables/{table}", handle_rename_table);
  add("GET", "/api/tables/{table}/contract", handle_get_contract);
  add("PUT", "/api/tables/{table}/contract", handle_put_contract);
  add("GET", "/api/tables/{table}/history", handle_get_history);

  add("GET", "/api/data/failed", handle_list_failed);
  add("POST", "/api/data/failed/retry", handle_retry_failed);
  add("DELETE", "/api/data/failed", handle_delete_failed);
  add("GET", "/api/receipts/{receipt}", handle_get_receipt);

  add("GET", "/api/destinations", handle_list_destinations);
  add("POST", "/api/destinations", handle_create_destination);
  add("GET", "/api/destinations/{id}", handle_get_destination);
  add("PATCH", "/api/destinations/{id}", handle_change_destination);
  add("DELETE", "/api/destinations/{id}", handle_delete_destination);
  add("POST", "/api/destinations/{id}/test", handle_test_destination);
  add("GET", "/api/destinations/{id}/keys", handle_list_keys);
  add("POST", "/api/destinations/{id}/keys", handle_create_key);
  add("DELETE", "/api/destinations/{id}/keys/{key}", handle_revoke_key);
  add("GET", "/api/destination-types", handle_destination_types);
  return router;
}

}  // namespace sd::api
