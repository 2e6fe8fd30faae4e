// GET /api/data/snapshot: the destination as a DuckDB file, with every row that was acknowledged before.
#pragma once

#include "api/app.h"

namespace sd::api {

Task<void> handle_snapshot(App& app, http::Exchange& exchange);

}  // namespace sd::api
