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

Result<> EndpointUsageCounter::flush() {
  decltype(counted_) taken;
  {
    const std::lock_guard lock(mutex_);
    taken.swap(counted_);
  }
  std::vector<catalog::EndpointUsage> usage;
  for (const auto& [place, each] : taken) usage.push_back(each);
  Result<> written = catalog_.add_endpoint_usage(usage);
  if (written) return {};
  const std::lock_guard lock(mutex_);
  for (const auto& [place, each] : taken) {
    const auto [entry, is_new] = counted_.try_emplace(place, each);
    if (!is_new) add(entry->second, each);
  }
  return written;
}

}  // namespace sd::api
