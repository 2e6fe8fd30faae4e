// The first rows of a share's result, for its page.
#pragma once

#include "api/access.h"
#include "api/share_page.h"

namespace sd::api {

// nullopt where it cannot be had within seconds; why is nobody's business.
Task<std::optional<Preview>> preview_of(App& app, http::Exchange& exchange,
                                        std::shared_ptr<Tenant> tenant, std::string sql,
                                        std::string party);

// What a frozen share keeps for its page, as text: the beginning of its rows out of `parquet`, and the types that `sql`
// gives. To be called with a place among the queries.
Task<Result<std::string>> preview_to_keep(App& app, http::Exchange& exchange, const Tenant& tenant,
                                          std::string parquet, std::string sql);
std::optional<Preview> kept_preview(std::string_view kept);

}  // namespace sd::api
