#include "server/first_start.h"

#include <iostream>

namespace sd::server {
namespace {

constexpr std::string_view kGreeted = "first_start_done";

}  // namespace

Result<> greet(catalog::Catalog& catalog, catalog::KeyCache& keys,
               const std::vector<std::string>& addresses) {
  std::string listening;
  for (const std::string& address : addresses)
    listening += (listening.empty() ? "http://" : " and http://") + address;
  std::cout << "Scratch Data listens on " << listening << std::endl;
  TRY_ASSIGN(const auto greeted, catalog.meta(kGreeted));
  if (greeted) return {};
  const auto destinations = keys.destinations();
  if (destinations.empty() || addresses.empty()) return {};
  const catalog::Destination& first = *destinations.front();
  TRY_ASSIGN(const auto admin, catalog.create_key({.name = "first admin key"}));
  TRY_ASSIGN(const auto key, catalog.create_key({.destination_id = first.id, .name = "first key"}));
  constexpr Micros kLinkLifetime = 24LL * 3600 * kMicrosPerSecond;
  TRY_ASSIGN(const auto link, catalog.create_sign_in_link(admin.key.id, kLinkLifetime));
  TRY(catalog.set_meta(kGreeted, "1"));
  const std::string url = "http://" + addresses.front();
  std::cout << "\nThis is the first start. These keys are shown once; keep them:\n\n"
            << "  admin key                    " << admin.secret << "\n"
            << "  key of destination " << first.name << "     " << key.secret << "\n\n"
            << "Insert a row, then query it:\n\n"
            << "  curl '" << url << "/api/data/insert/events' -H 'Authorization: Bearer "
            << key.secret << "' --data '{\"user\":\"alice\",\"n\":1}'\n"
            << "  curl '" << url << "/api/data/query' -H 'Authorization: Bearer " << key.secret
            << "' --data 'SELECT * FROM events'\n\n"
            << "Or open the dashboard, signed in (this link works once, within a day):\n\n"
            << "  " << url << "/#sign-in=" << link.secret << "\n"
            << std::endl;
  return {};
}

}  // namespace sd::server
