// The cookie of who is signed in, and whether a request that carries it was meant: by pages of this server only.
//
// It is HttpOnly, SameSite=Strict, and Secure where links of this server are https. SameSite does not tell ports apart, and
// a page of another server on this machine is of the same site: so whoever comes with the cookie must also come from this
// origin. Browsers say so with Sec-Fetch-Site (Fetch Metadata, https://www.w3.org/TR/fetch-metadata/) on https and
// loopback, and everywhere with Origin on what is no GET. A GET changes nothing here, but for one that inserts: that one
// the cookie does not sign in.
#pragma once

#include <string>
#include <string_view>

#include "api/app.h"
#include "http/exchange.h"

namespace sd::api {

// A cookie's value (RFC 6265); empty where there is none.
std::string_view cookie_value(const http::Exchange& exchange, std::string_view name);

// Whether a page of another origin may have sent this. What is no browser is not asked.
bool is_of_other_origin(const App& app, const http::Exchange& exchange);

// The session of the request's cookie; none where it may not be used.
catalog::KeyCache::FoundSession signed_in(App& app, const http::Exchange& exchange);

// Set-Cookie; without a secret it takes the cookie away.
std::string session_cookie(const App& app, const http::Exchange& exchange, std::string_view secret,
                           std::int64_t max_age_s);

}  // namespace sd::api
