// The table of routes: what the server answers, in one place.
#include "api/contracts.h"
#include "api/destination_probe.h"
#include "api/destinations.h"
#include "api/docs.h"
#include "api/endpoints.h"
#include "api/failed.h"
#include "api/insert.h"
#include "api/live.h"
#include "api/openapi.h"
#include "api/query.h"
#include "api/query_status.h"
#include "api/receipts.h"
#include "api/service.h"
#include "api/sessions.h"
#include "api/shares.h"
#include "api/snapshot.h"
#include "api/tables.h"
#include "api/tail.h"
#include "api/web.h"

namespace sd::api {

namespace {

constexpr RouteEntry kRoutes[] = {
    {"GET", "/", Asks::kNobody, handle_dashboard},
    {"GET", "/assets/{file}", Asks::kNobody, handle_asset},
    {"GET", "/docs", Asks::kNobody, handle_docs},
    {"GET", "/docs/{file}", Asks::kNobody, handle_docs_file},
    {"GET", "/api/openapi.json", Asks::kNobody, handle_openapi},
    {"GET", "/livez", Asks::kNobody, handle_livez},
    {"GET", "/readyz", Asks::kNobody, handle_readyz},
    {"GET", "/healthcheck", Asks::kNobody, handle_healthcheck},
    {"GET", "/metrics", Asks::kNobody, handle_metrics},
    {"POST", "/api/session", Asks::kNobody, handle_sign_in},
    {"GET", "/api/session", Asks::kAnyKey, handle_get_session},
    {"DELETE", "/api/session", Asks::kNobody, handle_sign_out},
    {"POST", "/api/data/insert/{table}", Asks::kInsert, handle_insert},
    {"GET", "/api/data/insert/{table}", Asks::kInsert, handle_insert},
    {"GET", "/api/data/tail/{table}", Asks::kTail, handle_tail},
    {"GET", "/api/data/query", Asks::kQuery, handle_query},
    {"POST", "/api/data/query", Asks::kQuery, handle_query},
    {"GET", "/api/data/query/{id}", Asks::kQuery, handle_query_progress},
    {"DELETE", "/api/data/query/{id}", Asks::kQuery, handle_cancel_query},
    {"GET", "/api/data/snapshot", Asks::kAdmin, handle_snapshot},
    {"POST", "/api/data/share", Asks::kShare, handle_create_share},
    {"GET", "/api/data/share", Asks::kNobody, handle_share_by_get},
    {"POST", "/api/data/query/share", Asks::kShare, handle_create_share},
    {"GET", "/api/data/query/share", Asks::kNobody, handle_share_by_get},
    {"GET", "/api/shares", Asks::kShare, handle_list_shares},
    {"GET", "/api/shares/{id}", Asks::kShare, handle_get_share},
    {"DELETE", "/api/shares/{id}", Asks::kShare, handle_revoke_share},
    {"GET", "/api/shares/{id}/downloads", Asks::kShare, handle_list_downloads},
    {"GET", "/share/{id}", Asks::kLink, handle_share_page},
    {"POST", "/share/{id}", Asks::kLink, handle_share_password},
    {"GET", "/share/{id}/data.{format}", Asks::kLink, handle_share_data},
    {"GET", "/api/endpoints", Asks::kQuery, handle_list_endpoints},
    {"POST", "/api/endpoints", Asks::kAdmin, handle_create_endpoint},
    {"GET", "/api/endpoints/{name}", Asks::kQuery, handle_get_endpoint},
    {"PUT", "/api/endpoints/{name}", Asks::kAdmin, handle_change_endpoint},
    {"DELETE", "/api/endpoints/{name}", Asks::kAdmin, handle_delete_endpoint},
    {"GET", "/api/endpoints/{name}/usage", Asks::kQuery, handle_endpoint_usage},
    {"GET", "/api/endpoints/{name}.{format}", Asks::kCall, handle_call_endpoint},
    {"GET", "/api/live", Asks::kQuery, handle_live},
    {"GET", "/api/tables", Asks::kQuery, handle_list_tables},
    {"GET", "/api/tables/{table}", Asks::kQuery, handle_get_table},
    {"GET", "/api/tables/{table}/columns", Asks::kQuery, handle_get_columns},
    {"DELETE", "/api/tables/{table}", Asks::kAdmin, handle_delete_table},
    {"PATCH", "/api/tables/{table}", Asks::kAdmin, handle_rename_table},
    {"GET", "/api/tables/{table}/contract", Asks::kQuery, handle_get_contract},
    {"PUT", "/api/tables/{table}/contract", Asks::kAdmin, handle_put_contract},
    {"GET", "/api/tables/{table}/history", Asks::kQuery, handle_get_history},
    {"GET", "/api/data/failed", Asks::kAdmin, handle_list_failed},
    {"POST", "/api/data/failed/retry", Asks::kAdmin, handle_retry_failed},
    {"DELETE", "/api/data/failed", Asks::kAdmin, handle_delete_failed},
    {"GET", "/api/receipts/{receipt}", Asks::kInsert, handle_get_receipt},
    {"GET", "/api/destinations", Asks::kAdminKey, handle_list_destinations},
    {"POST", "/api/destinations", Asks::kAdminKey, handle_create_destination},
    {"GET", "/api/destinations/{id}", Asks::kAdmin, handle_get_destination},
    {"PATCH", "/api/destinations/{id}", Asks::kAdminKey, handle_change_destination},
    {"DELETE", "/api/destinations/{id}", Asks::kAdminKey, handle_delete_destination},
    {"POST", "/api/destinations/test", Asks::kAdminKey, handle_test_settings},
    {"POST", "/api/destinations/{id}/test", Asks::kAdminKey, handle_test_destination},
    {"GET", "/api/destinations/{id}/keys", Asks::kAdmin, handle_list_keys},
    {"POST", "/api/destinations/{id}/keys", Asks::kAdmin, handle_create_key},
    {"DELETE", "/api/destinations/{id}/keys/{key}", Asks::kAdmin, handle_revoke_key},
    {"GET", "/api/destination-types", Asks::kAdmin, handle_destination_types},
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
