// Shares: a URL behind which anybody sees the result of one query, until it ends.
//
//   POST   /api/data/share, /api/data/query/share   makes one (scope share)
//   GET    the same paths                           405 with the line that works
//   GET    /api/shares                              the live ones, with their URLs; ?all=true: ended ones too
//   GET    /api/shares/{id}                         one, also where it has ended
//   DELETE /api/shares/{id}                         revokes it, at once
//   GET    /api/shares/{id}/downloads               its downloads, oldest first
//   GET    /share/{id}                              the page; no key
//   POST   /share/{id}                              takes the password that its form sends
//   GET    /share/{id}/data.{format}                the download, streamed; no key
//
// The id is the capability: 122 random bits. Whoever has it reads the result and learns nothing else:
// not the query, not the names of tables, not why something failed. What is expired, revoked, used up,
// unknown or malformed answers the same 404.
//
// A share with a password asks for it: of people by a form, which leaves a cookie for this share alone; of programs by
// HTTP Basic, with any user name (401). Ten wrong ones a minute from an address, then 429.
//
// A download counts when its result has begun, so that a busy engine costs nobody one. HEAD counts
// nothing and runs nothing. A download that runs when its share is revoked is not cut.
//
// A frozen share is files (frozen_files.h), made when it is made (freeze.h): share_frozen.h sends them.
#pragma once

#include "api/access.h"

namespace sd::api {

Task<void> handle_create_share(App& app, http::Exchange& exchange);
Task<void> handle_share_by_get(App& app, http::Exchange& exchange);
Task<void> handle_list_shares(App& app, http::Exchange& exchange);
Task<void> handle_get_share(App& app, http::Exchange& exchange);
Task<void> handle_revoke_share(App& app, http::Exchange& exchange);
Task<void> handle_list_downloads(App& app, http::Exchange& exchange);
Task<void> handle_share_page(App& app, http::Exchange& exchange);
Task<void> handle_share_password(App& app, http::Exchange& exchange);
Task<void> handle_share_data(App& app, http::Exchange& exchange);

// What a request for a share asks for, checked but for the query itself.
struct ShareRequest {
  std::string query;
  std::string name = "Shared result";
  std::int64_t duration_s = 7 * 86400;
  std::vector<std::string> formats;  // empty: every one
  std::optional<std::int64_t> max_downloads;
  std::string password;  // empty: none
  bool frozen = false;
  std::int64_t max_rows = 0;  // of a download; 0: as the server's settings say, and below
  std::int64_t timeout_ms = 0;
  std::int64_t max_running = 0;
  bool may_embed = false;
  std::vector<std::string> embed;  // origins
};
// From the query string and the body (JSON, form or the SQL itself). Fields that say who asks
// (destination_id, api_key) go to `form`, whatever else is wrong.
Result<ShareRequest> read_share_request(const Query& query, std::string_view content_type,
                                        std::string_view body, Query& form);

// True where an Accept header prefers text/plain to JSON.
bool prefers_plain_text(std::string_view accept);

}  // namespace sd::api
