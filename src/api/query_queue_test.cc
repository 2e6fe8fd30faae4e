#include "api/query_queue.h"

#include <gtest/gtest.h>

#include <vector>

namespace sd::api {
namespace {

class QueryQueueTest : public testing::Test {
 protected:
  QueryQueue::Place enter(const std::string& party, const std::string& name) {
    return queue_.enter(party,
                        [this, name](bool granted) { (granted ? granted_ : made_way_) += name; });
  }
  QueryQueue queue_{2, 4};
  std::string granted_, made_way_;
};

TEST_F(QueryQueueTest, SoManyRunSoManyWaitAndTheRestIsRefused) {
  std::vector<QueryQueue::Place> places;
  for (const char* name : {"1", "2", "3", "4", "5", "6"}) {
    places.push_back(enter("a", name));
    EXPECT_TRUE(places.back());
  }
  EXPECT_EQ(granted_, "12");
  EXPECT_FALSE(enter("a", "7"));
  EXPECT_EQ(made_way_, "");
  places.erase(places.begin());
  EXPECT_EQ(granted_, "123");
  EXPECT_EQ(queue_.running(), 2U);
  EXPECT_EQ(queue_.waiting(), 3U);
  places.clear();
  EXPECT_EQ(queue_.running(), 0U);
  EXPECT_EQ(queue_.waiting(), 0U);
}

TEST_F(QueryQueueTest, APartyThatAsksForManyDoesNotKeepAnotherOneWaitingBehindThemAll) {
  std::vector<QueryQueue::Place> many;
  for (const char* name : {"1", "2", "3", "4"}) many.push_back(enter("a", name));
  const QueryQueue::Place other = enter("b", "b");
  EXPECT_EQ(granted_, "12");
  many.erase(many.begin());
  EXPECT_EQ(granted_, "12b") << "b has none running, a has one";
  many.erase(many.begin());
  EXPECT_EQ(granted_, "12b3");
}

TEST_F(QueryQueueTest, WhereNobodyElseMayWaitTheNewestOfTheLargestPartyMakesWay) {
  std::vector<QueryQueue::Place> many;
  for (const char* name : {"1", "2", "3", "4", "5", "6"}) many.push_back(enter("a", name));
  const QueryQueue::Place b = enter("b", "b");
  ASSERT_TRUE(b);
  EXPECT_EQ(made_way_, "6");
  const QueryQueue::Place c = enter("c", "c");
  ASSERT_TRUE(c);
  EXPECT_EQ(made_way_, "65");
  EXPECT_FALSE(enter("b", "as many as a")) << "a has two waiting, b one";
  EXPECT_EQ(queue_.waiting(), 4U);
  many.clear();
  EXPECT_EQ(granted_.size(), 6U) << granted_;
  EXPECT_EQ(queue_.running(), 2U);
  EXPECT_EQ(queue_.waiting(), 0U);
}

TEST_F(QueryQueueTest, NoPartyHasMoreThanThreeQuartersOfThePlaces) {
  QueryQueue queue(8, 10);
  std::string granted;
  const auto ask = [&](const char* party) {
    return queue.enter(party, [&granted, party](bool) { granted += party; });
  };
  std::vector<QueryQueue::Place> places;
  for (int i = 0; i < 8; ++i) places.push_back(ask("a"));
  EXPECT_EQ(granted, "aaaaaa");
  places.push_back(ask("b"));
  EXPECT_EQ(granted, "aaaaaab");
  places.erase(places.begin());
  EXPECT_EQ(granted, "aaaaaaba");
}

TEST_F(QueryQueueTest, AmongEqualPartiesTheOneThatHasWaitedLongestComesFirst) {
  QueryQueue::Place a = enter("a", "a"), b = enter("b", "b");
  const QueryQueue::Place d = enter("d", "d"), c = enter("c", "c");
  a = {};
  b = {};
  EXPECT_EQ(granted_, "abdc");
}

TEST_F(QueryQueueTest, WhoGivesUpWaitingLeavesItsPlaceToTheNext) {
  QueryQueue::Place a = enter("a", "1");
  const QueryQueue::Place b = enter("a", "2");
  QueryQueue::Place gone = enter("a", "3");
  const QueryQueue::Place next = enter("a", "4");
  gone = {};
  EXPECT_EQ(queue_.waiting(), 1U);
  a = {};
  EXPECT_EQ(granted_, "124");
}

TEST_F(QueryQueueTest, APlaceThatIsMovedIsGivenBackOnce) {
  QueryQueue::Place a = enter("a", "1");
  QueryQueue::Place moved = std::move(a);
  a = {};
  EXPECT_EQ(queue_.running(), 1U);
  moved = {};
  EXPECT_EQ(queue_.running(), 0U);
}

}  // namespace
}  // namespace sd::api
