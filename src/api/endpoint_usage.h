// How much saved endpoints are used: counted in memory, brought to the catalog every few seconds (serve.cc), when
// somebody asks and when the server stops. A crash loses what was counted since. So do the columns of their results, where
// tables have changed since they were saved.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "catalog/catalog.h"

namespace sd::api {

class EndpointUsageCounter {
 public:
  explicit EndpointUsageCounter(catalog::Catalog& catalog) : catalog_(catalog) {}

  struct Call {
    Id128 endpoint_id;
    std::optional<Id128> key_id;
    bool failed = false;
    std::uint64_t bytes = 0;
  };
  // A version's results have other columns than are known; the last word counts. Like count().
  void note_columns(const Id128& endpoint_id, std::int64_t version, std::string columns);
  // Any thread; never blocks. `now`: wall time.
  void count(const Call& call, Micros now);
  // Blocks. What could not be written is kept for the next time.
  Result<> flush();

 private:
  using Place = std::tuple<Id128, std::optional<Id128>, std::int64_t>;  // endpoint, key, day

  catalog::Catalog& catalog_;
  std::mutex mutex_;
  std::map<Place, catalog::EndpointUsage> counted_;
  std::map<std::pair<Id128, std::int64_t>, std::string> columns_;
};

}  // namespace sd::api
