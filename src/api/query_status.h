// GET /api/data/query/{id}: how far a query is. DELETE: ends it.
#pragma once

#include "api/app.h"

namespace sd::api {

Task<void> handle_query_progress(App& app, http::Exchange& exchange);
Task<void> handle_cancel_query(App& app, http::Exchange& exchange);

}  // namespace sd::api
