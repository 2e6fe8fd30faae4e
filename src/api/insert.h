// POST and GET /api/data/insert/{table}: rows into the journal.
#pragma once

#include "api/access.h"

namespace sd::api {

Task<void> handle_insert(App& app, http::Exchange& exchange);

}  // namespace sd::api
