#include "api/endpoint_usage.h"

namespace sd::api {
namespace {

void add(catalog::EndpointUsage& to, const catalog::EndpointUsage& more) {
  to.calls += more.calls;
  to.errors += more.errors;
  to.bytes += more.bytes;
}

}  // namespace

void EndpointUsageCounter::count(const Call& call, Micros now) {
  const std::int64_t day = now / (86'400 * kMicrosPerSecond);
  const catalog::EndpointUsage one{.endpoint_id = call.endpoint_id,
                                   .key_id = call.key_id,
                                   .day = day,
                                   .calls = 1,
                                   .errors = call.failed ? 1 : 0,
                                   .bytes = static_cast<std::int64_t>(call.bytes)};
  const std::lock_guard lock(mutex_);
  const auto [entry, is_new] = counted_.try_emplace({call.endpoint_id, call.key_id, day}, one);
  if (!is_new) add(entry->second, one);
}

void EndpointUsageCounter::note_columns(const Id128& endpoint_id, std::int64_t version,
                                        std::string columns) {
  const std::lock_guard lock(mutex_);
  columns_.insert_or_assign({endpoint_id, version}, std::move(columns));
}

Result<> EndpointUsageCounter::flush() {
  decltype(counted_) taken;
  decltype(columns_) columns;
  {
    const std::lock_guard lock(mutex_);
    taken.swap(counted_);
    columns.swap(columns_);
  }
  std::vector<catalog::EndpointUsage> usage;
  for (const auto& [place, each] : taken) usage.push_back(each);
  Result<> written = catalog_.add_endpoint_usage(usage);
  if (written) {
    // What is lost here the next call says again.
    for (const auto& [version, list] : columns)
      TRY(catalog_.set_endpoint_columns(version.first, version.second, list));
    return {};
  }
  const std::lock_guard lock(mutex_);
  for (const auto& [place, each] : taken) {
    const auto [entry, is_new] = counted_.try_emplace(place, each);
    if (!is_new) add(entry->second, each);
  }
  return written;
}

}  // namespace sd::api
