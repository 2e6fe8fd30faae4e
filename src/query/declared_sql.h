// SQL whose parameters have declared types: a saved endpoint's.
//
// Each place of a parameter stands in a cast to its type before the statement is judged and run: $day → CAST($day AS DATE).
// So it means the same wherever it stands, however often, and as NULL; a column made of it always has the same type, and
// what a column is compared with is not made to fit the column's type first (300 beside a TINYINT is no row, not an error).
//
// Some functions take a narrower type alone: current_date - $days an INTEGER and no BIGINT, approx_quantile(x, $q) a FLOAT,
// time_bucket(…, ts, $origin) a TIMESTAMP without a zone. Where the statement does not bind, those places that need it get
// that one, the others stay as they are. Where that does not bind either, the statement is judged and run as it was written:
// then DuckDB makes of a text what it wants there, and it alone decides what type a parameter has.
#pragma once

#include <duckdb.h>

#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "json/document.h"
#include "query/gate.h"

namespace sd::query {

// Places of parameters in a statement, from 0.
using Places = std::set<std::size_t>;

// The text with casts; nullopt where it has no parameter, or one without a type, or is no SQL. `types` and `params` are
// objects as query::bind() takes them; a DECIMAL is as wide as its value's digits. At `narrow` places it is the narrower
// type, where there is one.
std::optional<std::string> with_casts(std::string_view sql, const json::Value& types,
                                      const json::Value& params, const Places& narrow = {});

// A result's column name as it would be without those casts.
std::string without_casts(std::string_view name);

// Which form of a statement DuckDB has bound before: finding it takes some tries. For a minute, as tables change. Any
// thread.
class KnownForms {
 public:
  struct Form {
    bool as_written = false;
    Places narrow = {};
  };
  std::optional<Form> find(const std::string& statement) const;
  void put(const std::string& statement, Form form);

 private:
  static constexpr std::size_t kMost = 1000;
  static constexpr Micros kTrusted = 60 * kMicrosPerSecond;
  struct Known {
    Form form;
    Micros until;
  };
  mutable std::mutex mutex_;
  std::map<std::string, Known> forms_;
};

// gate() of the first of those forms that DuckDB binds. Errors are gate()'s, of the text as it was written; and
// kInvalidArgument, 422 "invalid-parameter" with the member "parameter": a whole number that is too large for the narrower
// type. Call it as gate() is called; it opens and ends transactions. `known` may be null.
Result<GatedStatement> gate_declared(duckdb_connection connection, std::string_view sql,
                                     const json::Value& types, const json::Value& params,
                                     const GateOptions& options, KnownForms* known);

}  // namespace sd::query
