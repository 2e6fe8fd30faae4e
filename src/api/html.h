// Server-made pages: no script, no outside host, readable on a phone, light and dark.
#pragma once

#include <string>
#include <string_view>

#include "http/exchange.h"

namespace sd::api {

std::string escape_html(std::string_view text);

// What a page of ours may do: show itself, and nothing else. Not framed, no referrer.
void add_page_policy(http::Headers& headers);

// A whole page around `body` (HTML), with a strict Content-Security-Policy, not framed, no referrer.
http::Response page(std::string_view title, std::string_view body, int status = 200);

}  // namespace sd::api
