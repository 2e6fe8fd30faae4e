// The first rows of a share's result, for its page.
#pragma once

#include "api/access.h"
#include "api/share_page.h"

namespace sd::api {

// nullopt where it cannot be had within seconds; why is nobody's business.
Task<std::optional<Preview>> preview_of(App& app, http::Exchange& exchange,
                                        std::shared_ptr<Tenant> tenant, std::string sql,
                                        std::string party);

}  // namespace sd::api
