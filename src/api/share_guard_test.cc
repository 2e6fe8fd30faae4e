#include "api/share_guard.h"

#include <gtest/gtest.h>

#include <vector>

namespace sd::api {
namespace {

TEST(ShareGuard, GivesAsManyPlacesAsThereMayBeAndTakesThemBack) {
  ShareGuard guard;
  const Id128 share = Id128::make();
  std::vector<ShareGuard::Place> places;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(places.emplace_back(guard.enter(share, 3)));
  EXPECT_FALSE(guard.enter(share, 3));
  EXPECT_TRUE(guard.enter(Id128::make(), 3)) << "each share has its own";
  places.pop_back();
  EXPECT_TRUE(guard.enter(share, 3));
  places[0] = guard.enter(share, 3);
  EXPECT_TRUE(places[0]);
  EXPECT_FALSE(guard.enter(share, 2));
  places.clear();
  EXPECT_TRUE(guard.enter(share, 1));
}

TEST(ShareGuard, LetsAnAddressGuessTenTimesAMinute) {
  ShareGuard guard;
  const Id128 share = Id128::make();
  const Micros start = 1'000'000'000;
  for (std::size_t i = 0; i < ShareGuard::kTriesOfAddress; ++i) {
    EXPECT_TRUE(guard.may_try(share, "a", start).may) << i;
  }
  const auto verdict = guard.may_try(share, "a", start);
  EXPECT_FALSE(verdict.may);
  EXPECT_GE(verdict.retry_after_s, 60);
  EXPECT_LE(verdict.retry_after_s, 61);
  EXPECT_TRUE(guard.may_try(share, "b", start).may);
  EXPECT_TRUE(guard.may_try(Id128::make(), "a", start).may);
  EXPECT_TRUE(guard.may_try(share, "a", start + ShareGuard::kWindow).may);
}

TEST(ShareGuard, DoesNotCountWhatWasRight) {
  ShareGuard guard;
  const Id128 share = Id128::make();
  for (std::size_t i = 0; i < 5 * ShareGuard::kTriesOfAddress; ++i) {
    EXPECT_TRUE(guard.may_try(share, "a", 5).may);
    guard.forgive(share, "a");
  }
  guard.forgive(share, "nobody");
  EXPECT_TRUE(guard.may_try(share, "a", 5).may);
}

TEST(ShareGuard, BoundsTheGuessesOfManyAddressesToo) {
  ShareGuard guard;
  const Id128 share = Id128::make();
  for (std::size_t i = 0; i < ShareGuard::kTries; ++i) {
    const std::string address = std::to_string(i);
    EXPECT_TRUE(guard.may_try(share, address, 5).may);
  }
  EXPECT_FALSE(guard.may_try(share, "another", 5).may);
}

TEST(ShareGuard, LetsADownloadThatWasCountedGoOn) {
  ShareGuard guard;
  const Id128 share = Id128::make();
  const Micros now = 1'000 * kMicrosPerSecond;
  EXPECT_FALSE(guard.has_left(share, "a", now));
  EXPECT_FALSE(guard.take_left(share, "csv", "a", 10, now)) << "nothing was counted";
  // Counted with a request for 60 of 100 bytes.
  guard.leave_left(share, "csv", "a", 40, now);
  EXPECT_TRUE(guard.has_left(share, "a", now));
  EXPECT_FALSE(guard.has_left(share, "b", now));
  EXPECT_FALSE(guard.has_left(Id128::make(), "a", now));
  EXPECT_FALSE(guard.take_left(share, "csv", "b", 10, now)) << "another client's";
  EXPECT_FALSE(guard.take_left(share, "json", "a", 10, now)) << "another file";
  EXPECT_FALSE(guard.take_left(share, "csv", "a", 41, now));
  guard.settle(share, "csv", "a", 60, 60, now);
  EXPECT_TRUE(guard.take_left(share, "csv", "a", 40, now));
  EXPECT_FALSE(guard.take_left(share, "csv", "a", 1, now));
  guard.settle(share, "csv", "a", 40, 40, now);
  EXPECT_FALSE(guard.has_left(share, "a", now));
}

TEST(ShareGuard, GivesBackWhatACutRequestDidNotSendAndWhatMayBeLost) {
  ShareGuard guard;
  const Id128 share = Id128::make();
  const std::uint64_t size = 100ULL << 20, sent = 50ULL << 20;
  guard.leave_left(share, "csv", "a", 0, 0);  // counted, with a request for all
  EXPECT_FALSE(guard.has_left(share, "a", 0));
  guard.settle(share, "csv", "a", size, sent, 0);
  EXPECT_TRUE(guard.take_left(share, "csv", "a", size - sent + ShareGuard::kMayBeLost, 0));
  EXPECT_FALSE(guard.take_left(share, "csv", "a", 1, 0));
}

TEST(ShareGuard, LetsNothingGoOnForEver) {
  ShareGuard guard;
  const Id128 share = Id128::make();
  guard.leave_left(share, "csv", "a", 1'000, 0);
  for (unsigned i = 1; i < ShareGuard::kMostRequests; ++i) {
    ASSERT_TRUE(guard.take_left(share, "csv", "a", 10, 0)) << i;
    guard.settle(share, "csv", "a", 10, 0, 0);
  }
  EXPECT_FALSE(guard.take_left(share, "csv", "a", 10, 0));
  EXPECT_FALSE(guard.has_left(share, "a", 0));
  guard.leave_left(share, "json", "a", 1'000, 0);
  EXPECT_TRUE(guard.has_left(share, "a", ShareGuard::kGoesOnFor - 1));
  EXPECT_FALSE(guard.has_left(share, "a", ShareGuard::kGoesOnFor));
}

}  // namespace
}  // namespace sd::api
