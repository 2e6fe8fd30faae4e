#include "api/rate_limiter.h"

#include <algorithm>
#include <cmath>

namespace sd::api {
namespace {

constexpr Micros kMinute = 60 * kMicrosPerSecond;
constexpr std::size_t kManyBuckets = 10'000;

}  // namespace

int RateLimiter::admit(const Id128& key, std::uint64_t per_minute, Micros now) {
  const auto most = static_cast<double>(per_minute);
  const std::lock_guard lock(mutex_);
  if (buckets_.size() >= kManyBuckets) forget_full(now);
  const auto [entry, is_new] = buckets_.try_emplace(key, Bucket{.left = most, .at = now});
  Bucket& bucket = entry->second;
  const double rate = most / static_cast<double>(kMinute);
  bucket.left = std::min(most, bucket.left + static_cast<double>(now - bucket.at) * rate);
  bucket.at = now;
  if (bucket.left >= 1) {
    bucket.left -= 1;
    return 0;
  }
  const double wait_us = (1 - bucket.left) / rate;
  return std::max(1, static_cast<int>(std::ceil(wait_us / static_cast<double>(kMicrosPerSecond))));
}

// After a minute a bucket is full, whatever its size: as good as none.
void RateLimiter::forget_full(Micros now) {
  std::erase_if(buckets_, [&](const auto& each) { return now - each.second.at >= kMinute; });
}

}  // namespace sd::api
