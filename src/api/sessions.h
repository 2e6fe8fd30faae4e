// Who is signed in to the dashboard.
//
//   POST   /api/session   {"key":"sd_…"} or {"link":"sd_…"} → the session, and its cookie
//   GET    /api/session   the session of the cookie, or of whatever key the request carries
//   DELETE /api/session   ends it, and takes the cookie away
//
//   {"admin":true,"key":{"id","name","prefix","scopes","tables"},"destination":{"id","name"}|null,"expires_at"|null}
//
// A session does what its key does, and ends with it. A link, which the first start and `scratchdata sign-in` print, signs in
// once. Keys for saved endpoints only do not sign in: there is nothing that they could see.
#pragma once

#include "api/app.h"

namespace sd::api {

Task<void> handle_sign_in(App& app, http::Exchange& exchange);
Task<void> handle_get_session(App& app, http::Exchange& exchange);
Task<void> handle_sign_out(App& app, http::Exchange& exchange);

}  // namespace sd::api
