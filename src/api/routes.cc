// The table of routes: what the server answers, in one place.
#include "api/contracts.h"
#include "api/destinations.h"
#include "api/endpoints.h"
#include "api/failed.h"
#include "api/insert.h"
#include "api/query.h"
#include "api/query_status.h"
#include "api/receipts.h"
#include "api/service.h"
#include "api/shares.h"
#include "api/snapshot.h"
#include "api/tables.h"

namespace sd::api {

namespace {

constexpr RouteEntry kRoutes[] = {
    {"GET", "/", handle_home},
    {"GET", "/livez", handle_livez},
    {"GET", "/readyz", handle_readyz},
    {"GET", "/healthcheck", handle_healthcheck},
    {"GET", "/metrics", handle_metrics},
    {"POST", "/api/data/insert/{table}", handle_insert},
    {"GET", "/api/data/insert/{table}", handle_insert},
    {"GET", "/api/data/query", handle_query},
    {"POST", "/api/data/query", handle_query},
    {"GET", "/api/data/query/{id}", handle_query_progress},
    {"DELETE", "/api/data/query/{id}", handle_cancel_query},
    {"GET", "/api/data/snapshot", handle_snapshot},
    {"POST", "/api/data/share", handle_create_share},
    {"GET", "/api/data/share", handle_share_by_get},
    {"POST", "/api/data/query/share", handle_create_share},
    {"GET", "/api/data/query/share", handle_share_by_get},
    {"GET", "/api/shares", handle_list_shares},
    {"DELETE", "/api/shares/{id}", handle_revoke_share},
    {"GET", "/api/shares/{id}/downloads", handle_list_downloads},
    {"GET", "/share/{id}", handle_share_page},
    {"POST", "/share/{id}", handle_share_password},
    {"GET", "/share/{id}/data.{format}", handle_share_data},
    {"GET", "/api/endpoints", handle_list_endpoints},
    {"POST", "/api/endpoints", handle_create_endpoint},
    {"GET", "/api/endpoints/{name}", handle_get_endpoint},
    {"PUT", "/api/endpoints/{name}", handle_change_endpoint},
    {"DELETE", "/api/endpoints/{name}", handle_delete_endpoint},
    {"GET", "/api/endpoints/{name}/usage", handle_endpoint_usage},
    {"GET", "/api/endpoints/{name}.{format}", handle_call_endpoint},
    {"GET", "/api/tables", handle_list_tables},
    {"GET", "/api/tables/{table}", handle_get_table},
    {"GET", "/api/tables/{table}/columns", handle_get_columns},
    {"DELETE", "/api/tables/{table}", handle_delete_table},
    {"PATCH", "/api/tables/{table}", handle_rename_table},
    {"GET", "/api/tables/{table}/contract", handle_get_contract},
    {"PUT", "/api/tables/{table}/contract", handle_put_contract},
    {"GET", "/api/tables/{table}/history", handle_get_history},
    {"GET", "/api/data/failed", handle_list_failed},
    {"POST", "/api/data/failed/retry", handle_retry_failed},
    {"DELETE", "/api/data/failed", handle_delete_failed},
    {"GET", "/api/receipts/{receipt}", handle_get_receipt},
    {"GET", "/api/destinations", handle_list_destinations},
    {"POST", "/api/destinations", handle_create_destination},
    {"GET", "/api/destinations/{id}", handle_get_destination},
    {"PATCH", "/api/destinations/{id}", handle_change_destination},
    {"DELETE", "/api/destinations/{id}", handle_delete_destination},
    {"POST", "/api/destinations/{id}/test", handle_test_destination},
    {"GET", "/api/destinations/{id}/keys", handle_list_keys},
    {"POST", "/api/destinations/{id}/keys", handle_create_key},
    {"DELETE", "/api/destinations/{id}/keys/{key}", handle_revoke_key},
    {"GET", "/api/destination-types", handle_destination_types},
};

}  // namespace

std::span<const RouteEntry> route_table() {
  return kRoutes;
}

http::Router make_router(App& app) {
  http::Router router;
  for (const RouteEntry& route : kRoutes) {
    router.add(route.method, route.pattern,
               [&app, &route](http::Exchange& exchange) { return route.handler(app, exchange); });
  }
  return router;
}

}  // namespace sd::api
