// GET /docs: the API's description to read and to try, in Swagger UI, which the program carries with it.
#pragma once

#include "api/app.h"

namespace sd::api {

Task<void> handle_docs(App& app, http::Exchange& exchange);
// Its scripts and styles.
Task<void> handle_docs_file(App& app, http::Exchange& exchange);

}  // namespace sd::api
