// GET and POST /api/data/query: SQL in, a stream of rows out. Also the path that share downloads take.
#pragma once

#include <functional>
#include <string>

#include "api/access.h"

namespace sd::api {

Task<void> handle_query(App& app, http::Exchange& exchange);

// A format by its name; kInvalidArgument says, of `parameter`, which there are. Parquet is none yet: the
// engine has no way to write it.
Result<query::Format> read_format(std::string_view parameter, std::string_view name);

struct StreamRequest {
  engine::QueryRequest query;
  http::Headers headers;  // for the answer, beside Content-Type
  // For answers to strangers: errors say nothing about the query or the destination.
  bool hide_errors = false;
  // Asked once the result is there and before its first byte leaves; its error is the answer then.
  std::function<Task<Result<>>()> admit = {};
};

// Runs the query on the tenant's engine and streams its result, or answers with the error.
Task<void> stream_query(App& app, http::Exchange& exchange, std::shared_ptr<Tenant> tenant,
                        StreamRequest request);

}  // namespace sd::api
