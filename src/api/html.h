// Server-made pages: no script, no outside host, readable on a phone, light and dark.
#pragma once

#include <string>
#include <string_view>

#include "http/exchange.h"

namespace sd::api {

std::string escape_html(std::string_view text);

// What a page of ours may do: show itself, and nothing else. Not framed, no referrer.
// `framers`: origins whose pages may hold it in a frame all the same. A form of the page goes to its own address only.
void add_page_policy(http::Headers& headers, const std::vector<std::string>& framers = {});

// A whole page around `body` (HTML), with a strict Content-Security-Policy, no referrer, framed by `framers` only.
http::Response page(std::string_view title, std::string_view body,
                    const std::vector<std::string>& framers = {});

// The same for a few words in the middle of it.
http::Response card_page(std::string_view title, std::string_view body, int status);

}  // namespace sd::api
