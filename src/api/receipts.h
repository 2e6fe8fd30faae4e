// GET /api/receipts/{receipt}: what became of a request (scope insert).
//
//   {"state":"logged|loaded|partly_failed","rows","failed","tables":{name:{"rows","failed"}},
//    "logged_at","loaded_at"}
//
// While it is `logged`, `rows` are all rows of the request: which of them fail is known when they are loaded.
// `failed` are the failed rows that are there now: it falls when they are retried or deleted. Receipts are
// known for 30 days, with their tables. `loaded_at` is exact for an hour and may then be up to a minute late;
// it is null, as `tables` may be empty, only of requests of an older program, which did not keep as much.
#pragma once

#include "api/access.h"

namespace sd::api {

Task<void> handle_get_receipt(App& app, http::Exchange& exchange);

}  // namespace sd::api
