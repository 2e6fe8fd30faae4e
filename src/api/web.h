// The dashboard: files of web/, built by Vite and packed into one (web/pack.mjs), which is embedded in the program.
//
//   GET /               its page
//   GET /assets/{file}  what that loads: names that hold a hash of what is in them, kept by browsers for good
//
// It talks to the public API only. Its policy lets it run no inline script and load nothing from elsewhere; no page may
// hold it in a frame.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/app.h"

namespace sd::api {

Task<void> handle_dashboard(App& app, http::Exchange& exchange);
Task<void> handle_asset(App& app, http::Exchange& exchange);

// A file of the pack, in each of its forms; those that would be no smaller are empty.
struct WebFile {
  std::string name;  // "index.html", "assets/index-D3adB33f.js"
  std::string content_type;
  std::string etag;  // with its quotes
  bool hashed = false;
  std::string_view identity;
  std::string_view gzip;
  std::string_view br;
};

// As web/pack.mjs writes it. kCorruption where it is not that; the files' forms are views of `pack`.
Result<std::vector<WebFile>> read_web_pack(std::string_view pack);

}  // namespace sd::api
