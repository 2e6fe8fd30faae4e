// Makes what a frozen share holds: its result as it is now, once, in every format that it comes in.
#pragma once

#include "api/app.h"
#include "api/await.h"

namespace sd::api {

struct FreezeRequest {
  Id128 share;
  std::string sql;
  std::vector<std::string> formats;
  // A format that cannot hold the result is left out, instead of that none is made.
  bool leaves_out = false;
  std::uint64_t max_rows = 0;  // 0: any number
  std::chrono::milliseconds timeout{};
  std::string party;  // who has places among the queries
};

struct FrozenResult {
  catalog::Frozen frozen;
  std::vector<std::string> formats;  // that were made
};

// On return the files are on stable storage (frozen_files.h); where it fails there are none. Errors as a query has them,
// and kInvalidArgument 422 `result-too-large` beyond max_rows or AppOptions::share_max_frozen_bytes.
Task<Result<FrozenResult>> freeze(App& app, http::Exchange& exchange,
                                  std::shared_ptr<Tenant> tenant, FreezeRequest request);

}  // namespace sd::api
