#include "api/query_queue.h"

#include <gtest/gtest.h>

#include <vector>

namespace sd::api {
namespace {

class QueryQueueTest : public testing::Test {
 protected:
  QueryQueue::Place enter(const std::string& party, const std::string& name) {
    return queue_.enter(party, [this, name] { granted_ += name; });
  }
  QueryQueue queue_{2, 4};
  std::string granted_;
};

TEST_F(QueryQueueTest, SoManyRunSoManyWaitAndTheRestIsRefused) {
  std::vector<QueryQueue::Place> places;
  for (const char* name : {"1", "2", "3", "4", "5", "6"}) {
    places.push_back(enter("a", name));
    EXPECT_TRUE(places.back());
  }
  EXPECT_EQ(granted_, "12");
  EXPECT_FALSE(enter("a", "7"));
  EXPECT_FALSE(enter("b", "8"));
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
