// How often keys may be used: a token bucket for each key that has a limit. A key that rested may use up to a minute's
// requests at once; then they come back evenly.
//
// Buckets are of this process: several servers count each for itself. Any thread.
#pragma once

#include <cstdint>
#include <mutex>
#include <unordered_map>

#include "base/clock.h"
#include "base/ids.h"

namespace sd::api {

class RateLimiter {
 public:
  // Takes one of `per_minute` requests: 0 where there is one, else in how many seconds there will be.
  int admit(const Id128& key, std::uint64_t per_minute, Micros now);

 private:
  struct Bucket {
    double left = 0;
    Micros at = 0;
  };
  void forget_full(Micros now);

  std::mutex mutex_;
  std::unordered_map<Id128, Bucket> buckets_;
};

}  // namespace sd::api
