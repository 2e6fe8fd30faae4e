// The dashboard: files of web/, built by Vite and packed into one (web/pack.mjs), which is embedded in the program.
//
//   GET /               its page
//   GET /assets/{file}  what that loads: names that hold a hash of what is in them, kept by browsers for good
//
// It talks to the public API only. Its policy lets it run no inline script and load nothing from elsewhere; no page may
// hold it in a frame.
#pragma once

#include <string_view>
#include <vector>

#include "api/app.h"
#include "api/embedded_file.h"

namespace sd::api {

Task<void> handle_dashboard(App& app, http::Exchange& exchange);
Task<void> handle_asset(App& app, http::Exchange& exchange);

// Their names: "index.html", "assets/index-D3adB33f.js".
// As web/pack.mjs writes it. kCorruption where it is not that; the files' forms are views of `pack`.
Result<std::vector<EmbeddedFile>> read_web_pack(std::string_view pack);

}  // namespace sd::api
