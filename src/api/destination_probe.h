// Whether a destination can be reached, before it is saved and after.
//
//   POST /api/destinations/test        {"type","settings"}, as for POST /api/destinations
//   POST /api/destinations/{id}/test   {"settings"?}, as for PATCH: those that it has, with these changes
//
// {"ok":true,"ms"} or {"ok":false,"error","ms"}, within 30 s; less where the client hangs up. Nothing is
// stored. Without changes the destination's own engine is asked. What is new is tried by an engine of its
// own, locked in like any other, in a folder that is gone afterwards: a file that is there is opened to
// read only, one that is not is made in that folder; MotherDuck is really asked, with the token.
// Three at a time: more get 503.
#pragma once

#include "api/app.h"

namespace sd::api {

Task<void> handle_test_settings(App& app, http::Exchange& exchange);
Task<void> handle_test_destination(App& app, http::Exchange& exchange);

// What tests left behind when the server was killed. At the start, before anybody can ask for one.
void sweep_probe_folders(const std::string& data_dir);

}  // namespace sd::api
