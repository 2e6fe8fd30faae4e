#include "api/table_counts.h"

#include <gtest/gtest.h>

namespace sd::api {
namespace {

constexpr Micros kSecond = 1'000'000;

TableCounts::Sent sent(std::uint64_t rows, journal::Position end) {
  return {.acknowledged = {.rows = rows, .bytes = rows * 10}, .to_load = rows, .end = end};
}

TEST(TableCounts, WhatWaitsGoesAsItIsAppliedAndTheRestOnlyRises) {
  TableCounts counts;
  counts.add("a", sent(3, 100), 0);
  counts.add("a", sent(4, 200), kSecond);
  counts.add("b", sent(5, 300), kSecond);
  auto now = counts.read(3 * kSecond);
  EXPECT_EQ(now.at("a").lag_rows, 7U);
  EXPECT_EQ(now.at("a").lag_us, 3 * kSecond);
  EXPECT_EQ(now.at("b").lag_rows, 5U);
  counts.applied(100, {});
  now = counts.read(3 * kSecond);
  EXPECT_EQ(now.at("a").lag_rows, 4U);
  EXPECT_EQ(now.at("a").lag_us, 2 * kSecond) << "of the oldest that waits";
  counts.applied(300, {{"a", 2}});
  counts.applied(300, {{"a", 1}});
  now = counts.read(3 * kSecond);
  EXPECT_EQ(now.at("a").lag_rows, 0U);
  EXPECT_EQ(now.at("a").lag_us, 0);
  EXPECT_EQ(now.at("a").acknowledged.rows, 7U);
  EXPECT_EQ(now.at("a").acknowledged.bytes, 70U);
  EXPECT_EQ(now.at("a").failed, 3U);
  EXPECT_EQ(now.at("b").lag_rows, 0U);
  EXPECT_EQ(now.at("b").failed, 0U);
}

TEST(TableCounts, ARequestThatIsLoadedBeforeItIsCountedDoesNotWait) {
  TableCounts counts;
  counts.applied(200, {});
  counts.add("a", sent(3, 200), 0);
  EXPECT_EQ(counts.read(0).at("a").lag_rows, 0U);
  EXPECT_EQ(counts.read(0).at("a").acknowledged.rows, 3U);
}

// What is kept of a destination that loads nothing for days has a bound, and loses no row.
TEST(TableCounts, ManyRequestsShareAMarkWhichWaitsForTheLastOfThem) {
  TableCounts counts;
  constexpr std::uint64_t kMany = 10'000;
  for (std::uint64_t i = 1; i <= kMany; ++i)
    counts.add("a", sent(1, i), static_cast<Micros>(i) * kSecond);
  EXPECT_EQ(counts.read(0).at("a").lag_rows, kMany);
  counts.applied(kMany - 1, {});
  EXPECT_GE(counts.read(0).at("a").lag_rows, 1U);
  counts.applied(kMany, {});
  EXPECT_EQ(counts.read(0).at("a").lag_rows, 0U);
}

TEST(TableCounts, ATableIsTheSameInAnyCaseAndOnlySoManyAreCounted) {
  TableCounts counts;
  counts.add("Events", sent(1, 1), 0);
  counts.add("events", sent(1, 2), 0);
  counts.applied(0, {{"EVENTS", 1}});
  EXPECT_EQ(counts.read(0).size(), 1U);
  EXPECT_EQ(counts.read(0).at("Events").acknowledged.rows, 2U);
  EXPECT_EQ(counts.read(0).at("events").failed, 1U);
  for (std::size_t i = 0; i < TableCounts::kMost; ++i)
    counts.add("t" + std::to_string(i), sent(1, 3), 0);
  EXPECT_EQ(counts.read(0).size(), TableCounts::kMost);
  counts.add("events", sent(1, 4), 0);
  EXPECT_EQ(counts.read(0).at("events").acknowledged.rows, 3U);
}

}  // namespace
}  // namespace sd::api
