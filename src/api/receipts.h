// GET /api/receipts/{receipt}: what became of a request (scope insert).
//
//   {"state":"logged|loaded|partly_failed","rows","failed","tables":{name:{"rows","failed"}},
//    "logged_at","loaded_at"}
//
// While it is `logged`, `rows` are all rows of the request: which of them fail is known when they are loaded.
// `failed` are the failed rows that are there now: it falls when they are retried or deleted. Receipts are
// known for 30 days. The table of a request that went to one table is known as long as its journal segment
// is kept (an hour after it was loaded), and `loaded_at` for a day; then `tables` is empty and `loaded_at`
// null.
#pragma once

#include "api/access.h"

namespace sd::api {

Task<void> handle_get_receipt(App& app, http::Exchange& exchange);

}  // namespace sd::api
