// Who may see a share: whoever knows its token, and its password where it has one.
#pragma once

#include "api/access.h"

namespace sd::api {

// The live share that a path names, and its destination.
struct FoundShare {
  catalog::Share share;
  std::shared_ptr<Tenant> tenant;
};

// The same 404 whatever is amiss with the share; 503 where its destination is not served now. Adds what every answer of
// a share carries to the exchange.
Task<Result<FoundShare>> find_share(App& app, http::Exchange& exchange);

// Whether the request carries the share's password, if it has one: the cookie of its form, or HTTP Basic. 401 else, 429
// after too many wrong ones.
Task<Result<>> check_password(App& app, http::Exchange& exchange, const catalog::Share& share);
// Whether `password` is the share's; the same errors.
Task<Result<>> try_password(App& app, http::Exchange& exchange, const catalog::Share& share,
                            std::string password);
// The value of a Set-Cookie header that stands for the password, for kPasswordHours.
std::string password_cookie(App& app, const http::Exchange& exchange, const catalog::Share& share);
inline constexpr int kPasswordHours = 12;

// What a share is called by outside: its token; where that cannot be read any more, its own id, for the owner to revoke.
std::string public_id(const catalog::Share& share);
std::string share_url(const App& app, const http::Exchange& exchange, const catalog::Share& share);
// The formats that it comes in; those that a share names, or all that a share has where it names none.
const std::vector<std::string>& offered(const std::vector<std::string>& named);
inline const std::vector<std::string>& formats_of(const catalog::Share& share) {
  return offered(share.formats);
}

}  // namespace sd::api
