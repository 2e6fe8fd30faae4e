// Who asks, and may they: keys in every way that api.md names, scopes, and the destination meant.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/app.h"
#include "http/exchange.h"

namespace sd::api {

// The query string's parameters, and a JSON body where one stands there (api.md, Insert).
struct Query {
  std::vector<http::Parameter> parameters;
  std::optional<std::string> json;

  const std::string* find(std::string_view name) const;  // the last one of that name
  std::string get(std::string_view name) const;          // or ""
  // "true", "1", "yes" or no value at all; kInvalidArgument for anything but the opposite of those.
  Result<bool> flag(std::string_view name, bool fallback = false) const;
};

// Reads a query string or form body. A part without a value that begins with { or [ is the JSON body:
// raw, then it runs to the end; or percent-encoded, then it is one part.
Query parse_query(std::string_view text);

// Whether a body that is labelled as a form is one with this field: plain `curl --data` labels everything so.
// It begins with a field's name, and no statement of SQL does.
bool is_form_with(std::string_view body, std::string_view field);

// What the request carries that may be a key: Authorization (Bearer, or Basic with it as user name or as
// password: two candidates), X-API-KEY, ?api_key=. `form` is the form body's fields, where there is one.
std::vector<std::string> find_secrets(const http::Exchange& exchange, const Query& query,
                                      const Query* form = nullptr);

// User name and password of HTTP Basic (RFC 7617), where the request carries them.
std::optional<std::pair<std::string, std::string>> basic_credentials(
    const http::Exchange& exchange);

struct Access {
  std::shared_ptr<const catalog::KeyInfo> key;
  std::shared_ptr<Tenant> tenant;
};

// Whether the request says who asks: by a key, right or wrong, or by being signed in.
bool says_who(App& app, const http::Exchange& exchange, const Query& query);

// Keys that everybody knows serve the person at this machine only: no page of another site, no proxy.
bool may_be_well_known(const http::Exchange& exchange);

// The key that the request carries, or that it is signed in with (session_cookie.h). 401; 429 where it has been used more often than it may be in a minute: once a
// request, for this counts.
Result<std::shared_ptr<const catalog::KeyInfo>> authenticate(App& app,
                                                             const http::Exchange& exchange,
                                                             const Query& query,
                                                             const Query* form = nullptr);

// Whether the request's key is this one still: for answers that go on. It is none of its requests a minute.
bool is_still(App& app, const http::Exchange& exchange, const Query& query, const Id128& key_id);

// A key with this scope and the destination that it is for (an admin key names one with
// ?destination_id=; where there is only one, that one). 401, 403 that names the scope, 404, 400.
Result<Access> authorise(App& app, const http::Exchange& exchange, const Query& query,
                         catalog::Scope scope, const Query* form = nullptr);
// The same of a key that is known already.
Result<Access> authorise(App& app, std::shared_ptr<const catalog::KeyInfo> key, const Query& query,
                         catalog::Scope scope, const Query* form = nullptr);
// The same for saved endpoints, with the scope `query`: the keys that are for nothing else too.
Result<Access> authorise_call(App& app, std::shared_ptr<const catalog::KeyInfo> key,
                              const Query& query);
// An admin key, for what is not one destination's.
Error needs_admin_key();
Result<std::shared_ptr<const catalog::KeyInfo>> authorise_admin(App& app,
                                                                const http::Exchange& exchange,
                                                                const Query& query);

// 403 where the key is limited to tables and this is none of them.
Result<> may_use_table(const Access& access, std::string_view table);

// Where links that we hand out point to: api.base_url, else the Host header if it is loopback or listed,
// else the address that the request came in on.
std::string base_url(const App& app, const http::Exchange& exchange);

// Answers with the error as a problem.
Task<void> refuse(http::Exchange& exchange, Error error);

}  // namespace sd::api
