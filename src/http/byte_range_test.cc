#include "http/byte_range.h"

#include <gtest/gtest.h>

namespace sd::http {
namespace {

constexpr std::string_view kTag = "\"abc\"";

std::string answer(std::string_view range, std::uint64_t size, std::string_view if_range = {}) {
  const RangeAnswer a = answer_range(range, if_range, kTag, size);
  return std::to_string(a.status) + " " + std::to_string(a.first) + "+" + std::to_string(a.length) +
         " " + a.content_range(size);
}

TEST(ByteRange, IsTheWholeWhereNoneIsAskedFor) {
  EXPECT_EQ(answer("", 10), "200 0+10 ");
  EXPECT_EQ(answer("", 0), "200 0+0 ");
}

TEST(ByteRange, IsAPartFromTheBeginningTheMiddleOrTheEnd) {
  EXPECT_EQ(answer("bytes=0-0", 10), "206 0+1 bytes 0-0/10");
  EXPECT_EQ(answer("bytes=2-4", 10), "206 2+3 bytes 2-4/10");
  EXPECT_EQ(answer("bytes=7-", 10), "206 7+3 bytes 7-9/10");
  EXPECT_EQ(answer("bytes=0-", 10), "206 0+10 bytes 0-9/10");
  EXPECT_EQ(answer("bytes=-3", 10), "206 7+3 bytes 7-9/10");
  EXPECT_EQ(answer("BYTES= 2 - 4 ", 10), "206 2+3 bytes 2-4/10");
}

TEST(ByteRange, EndsWhereTheFileEnds) {
  EXPECT_EQ(answer("bytes=7-99", 10), "206 7+3 bytes 7-9/10");
  EXPECT_EQ(answer("bytes=-99", 10), "206 0+10 bytes 0-9/10");
  EXPECT_EQ(answer("bytes=0-99999999999999999999999999", 10), "206 0+10 bytes 0-9/10");
}

TEST(ByteRange, CannotBeSatisfiedBehindTheEnd) {
  EXPECT_EQ(answer("bytes=10-", 10), "416 0+0 bytes */10");
  EXPECT_EQ(answer("bytes=99999999999999999999999999-", 10), "416 0+0 bytes */10");
  EXPECT_EQ(answer("bytes=-0", 10), "416 0+0 bytes */10");
  EXPECT_EQ(answer("bytes=0-", 0), "416 0+0 bytes */0");
  EXPECT_EQ(answer("bytes=-1", 0), "416 0+0 bytes */0");
}

TEST(ByteRange, IsIgnoredWhereItIsSeveralOrNoneThatIsKnown) {
  for (const std::string_view range :
       {"bytes=0-1,3-4", "bytes=0-1, 3-4", "lines=0-1", "bytes", "bytes=", "bytes=-", "bytes=a-b",
        "bytes=1", "bytes=4-2", "bytes=+1-2", "bytes=1-2-3", "bytes=--1", "0-1"})
    EXPECT_EQ(answer(range, 10), "200 0+10 ") << range;
}

TEST(ByteRange, IsOfTheSameFileOrTheWholeOfTheNewOne) {
  EXPECT_EQ(answer("bytes=2-4", 10, "\"abc\""), "206 2+3 bytes 2-4/10");
  EXPECT_EQ(answer("bytes=2-4", 10, "\"abd\""), "200 0+10 ");
  EXPECT_EQ(answer("bytes=2-4", 10, "W/\"abc\""), "200 0+10 ") << "strongly compared";
  EXPECT_EQ(answer("bytes=2-4", 10, "Sat, 31 Jan 2026 12:00:00 GMT"), "200 0+10 ");
}

TEST(EntityTag, IsFoundInAListInAnyStrength) {
  for (const std::string_view list :
       {"\"abc\"", "W/\"abc\"", "\"x\", \"abc\"", "\"x\",W/\"abc\" ", "*"})
    EXPECT_TRUE(matches_etag(list, kTag)) << list;
  for (const std::string_view list : {"", "\"ab\"", "abc", "\"x\"", ",", "\"abc\"x"})
    EXPECT_FALSE(matches_etag(list, kTag)) << list;
}

}  // namespace
}  // namespace sd::http
