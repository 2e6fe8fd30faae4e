// `scratchdata query`: everything but the command line.
#pragma once

#include <atomic>
#include <chrono>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace sd::client {

struct QueryOptions {
  std::string sql;
  std::string url;
  std::string key;
  std::string format;  // "table", or one of the server's; empty: a table on a terminal, else ndjson
  std::vector<std::string> params;  // NAME=VALUE; a value that is JSON is that, any other is text
  std::optional<std::chrono::milliseconds> timeout;  // of the query, on the server
};

struct QueryContext {
  std::ostream& out;
  std::ostream& err;
  std::optional<std::size_t>
      out_width;  // columns of the terminal that `out` is; nullopt: it is none
  const std::atomic<bool>& interrupted;
};

enum class QueryOutcome {
  kDone,
  kFailed,  // refused, or the answer broke off
  kUsage,   // nothing was sent: a URL, a parameter, a format that cannot be right
  kInterrupted,
};

QueryOutcome run_query(const QueryOptions& options, const QueryContext& context);

// {"day":"2026-01-31","n":5} of NAME=VALUE; kInvalidArgument names the one that is none.
Result<std::string> params_json(const std::vector<std::string>& params);

}  // namespace sd::client
