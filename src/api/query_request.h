// What a client asks of /api/data/query: read from its URL, form or JSON body.
#pragma once

#include <optional>
#include <string>

#include "api/access.h"
#include "engine/pool.h"

namespace sd::api {

struct Asked {
  std::string sql;
  std::string parameters;  // JSON, an array or an object; empty: none
  std::optional<std::string> format;
  std::optional<std::string> timeout_ms;
  std::optional<std::string> query_id;
  std::optional<bool> fresh;
  bool quote_int64 = false;
  bool quote_nan = false;
  bool spreadsheet = false;
};

// Parameters of a URL or form.
Result<> read_parameters(const Query& query, Asked& asked);
// The body of a POST: JSON that begins with '{', a form with `query`, whose fields go to `form` too, or the SQL.
Result<> read_query_body(std::string_view body, std::string_view content_type, Query& form,
                         Asked& asked);

// A format by its name; kInvalidArgument says, of `parameter`, which there are.
Result<query::Format> read_format(std::string_view parameter, std::string_view name);

// `limits`: of the key. kInvalidArgument, or kDeadlineExceeded's like never.
Result<engine::QueryRequest> to_request(const App& app, const http::Exchange& exchange,
                                        const Asked& asked, const catalog::KeyInfo& key);

}  // namespace sd::api
