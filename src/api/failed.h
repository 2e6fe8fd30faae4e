// Failed rows: what the rules of the API, a contract or the destination refused, whole, with the reason.
//
//   GET    /api/data/failed         ?table= ?receipt= ?limit= ?after=: {"data":[{"id","table","receipt","row",
//                                   "code","detail","received_at","body"}],"next","total","tables":{name: count}}
//   POST   /api/data/failed/retry   the same filters, as parameters or as a JSON object: loads them again, in
//                                   journal order; {"ok":true,"retried","failed"}: how many went in, how many
//                                   of them are still here
//   DELETE /api/data/failed         the same filters; 204
//
// Scope admin. A key that is limited to tables must name one of them.
#pragma once

#include "api/access.h"

namespace sd::api {

Task<void> handle_list_failed(App& app, http::Exchange& exchange);
Task<void> handle_retry_failed(App& app, http::Exchange& exchange);
Task<void> handle_delete_failed(App& app, http::Exchange& exchange);

}  // namespace sd::api
