#include "base/words.h"

#include <gtest/gtest.h>

namespace sd {
namespace {

TEST(Words, CountInsertionsRemovalsChangesAndSwaps) {
  EXPECT_EQ(edit_distance("port", "port"), 0U);
  EXPECT_EQ(edit_distance("prot", "port"), 1U);
  EXPECT_EQ(edit_distance("pot", "port"), 1U);
  EXPECT_EQ(edit_distance("", "port"), 4U);
}

TEST(Words, NearestIsTheFirstOfThoseWithTheLeastDistance) {
  EXPECT_EQ(nearest_word("nmae", {"query", "name", "same"}), "name");
  EXPECT_EQ(nearest_word("CUSTOMER", {"api_key", "customer"}), "customer");
  EXPECT_EQ(nearest_word("x", {}), "");
}

TEST(Words, WhatHasLittleInCommonIsNotNear) {
  EXPECT_EQ(nearest_word("ab", {"ac"}), "ac");
  EXPECT_EQ(nearest_word("x", {"a", "b"}), "");
  EXPECT_EQ(nearest_word("city", {"api_key", "timeout_ms"}), "");
}

TEST(Words, OfALongWordOnlyTheBeginningCounts) {
  EXPECT_EQ(nearest_word(std::string(1 << 20, 'n'), {"query", std::string(60, 'n')}),
            std::string(60, 'n'));
}

}  // namespace
}  // namespace sd
