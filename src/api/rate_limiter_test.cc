#include "api/rate_limiter.h"

#include <gtest/gtest.h>

namespace sd::api {
namespace {

TEST(RateLimiter, GivesAMinutesRequestsAndThenOneAfterTheOther) {
  RateLimiter limiter;
  const Id128 key = Id128::make(), other = Id128::make();
  Micros now = 1'000'000;
  for (int i = 0; i < 60; ++i) EXPECT_EQ(limiter.admit(key, 60, now), 0);
  EXPECT_EQ(limiter.admit(key, 60, now), 1);
  EXPECT_EQ(limiter.admit(other, 60, now), 0) << "each key has its own";
  now += 999'000;
  EXPECT_EQ(limiter.admit(key, 60, now), 1);
  now += 2'000;
  EXPECT_EQ(limiter.admit(key, 60, now), 0);
  EXPECT_EQ(limiter.admit(key, 60, now), 1) << "what is refused costs nothing, and gives nothing";
  now += 3600 * kMicrosPerSecond;
  for (int i = 0; i < 60; ++i) EXPECT_EQ(limiter.admit(key, 60, now), 0);
  EXPECT_EQ(limiter.admit(key, 60, now), 1) << "rest is saved for a minute only";
}

TEST(RateLimiter, SaysHowLongToWait) {
  RateLimiter limiter;
  const Id128 key = Id128::make();
  EXPECT_EQ(limiter.admit(key, 1, 0), 0);
  EXPECT_EQ(limiter.admit(key, 1, 0), 60);
  EXPECT_EQ(limiter.admit(key, 1, 30 * kMicrosPerSecond), 30);
  EXPECT_EQ(limiter.admit(key, 1, 60 * kMicrosPerSecond), 0);
}

}  // namespace
}  // namespace sd::api
