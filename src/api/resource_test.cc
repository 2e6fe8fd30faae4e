#include "api/resource.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sd::api {
namespace {

using ::testing::ElementsAre;

// Items 0 … n-1 whose ids rise, as a catalog would page them.
struct Item {
  Id128 id;
  int number = 0;
};

Id128 id_of(int number) {
  Id128 id;
  id.bytes[0] = static_cast<std::uint8_t>(number / 256);
  id.bytes[1] = static_cast<std::uint8_t>(number % 256);
  id.bytes[2] = 1;
  return id;
}

catalog::Page<Item> page_of(int count, const catalog::PageRequest& request) {
  catalog::Page<Item> page;
  for (int i = 0; i < count; ++i) {
    if (request.after && id_of(i) <= *request.after) continue;
    if (static_cast<int>(page.items.size()) == request.limit) {
      page.next = page.items.back().id;
      break;
    }
    page.items.push_back({id_of(i), i});
  }
  return page;
}

std::vector<int> numbers(const catalog::Page<Item>& page) {
  std::vector<int> out;
  for (const Item& item : page.items) out.push_back(item.number);
  return out;
}

catalog::Page<Item> kept(int count, int step, catalog::PageRequest request) {
  return *kept_page<Item>(
      request,
      [&](catalog::PageRequest asked) -> Result<catalog::Page<Item>> {
        return page_of(count, asked);
      },
      [&](const Item& item) { return item.number % step == 0; });
}

TEST(KeptPage, FillsAPageFromAsManyPagesAsItTakes) {
  const auto first = kept(5000, 1500, {.limit = 3, .after = {}});
  EXPECT_THAT(numbers(first), ElementsAre(0, 1500, 3000));
  ASSERT_TRUE(first.next);
  const auto second = kept(5000, 1500, {.limit = 3, .after = first.next});
  EXPECT_THAT(numbers(second), ElementsAre(4500));
  EXPECT_FALSE(second.next);
}

TEST(KeptPage, SaysThatItIsTheLastWhereNothingIsBehindIt) {
  EXPECT_FALSE(kept(9, 3, {.limit = 3, .after = {}}).next);
  EXPECT_FALSE(kept(0, 1, {.limit = 3, .after = {}}).next);
}

TEST(KeptPage, PassesAnErrorOn) {
  const auto page = kept_page<Item>(
      {}, [](catalog::PageRequest) -> Result<catalog::Page<Item>> { return fail(invalid("no")); },
      [](const Item&) { return true; });
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().message, "no");
}

TEST(ListRequest, TakesALimitFromOneToAThousand) {
  EXPECT_EQ(read_list_request(parse_query(""))->limit, 100);
  EXPECT_EQ(read_list_request(parse_query("limit=1000&after=x"))->limit, 1000);
  EXPECT_EQ(read_list_request(parse_query("limit=1000&after=x"))->after, "x");
  for (const char* bad :
       {"limit=0", "limit=1001", "limit=", "limit=1x", "limit=-1", "limit=99999999999"}) {
    EXPECT_FALSE(read_list_request(parse_query(bad))) << bad;
  }
  EXPECT_FALSE(read_page_request(parse_query("after=x")));
}

TEST(ListJson, EndsWithNullOrWithWhatComesNext) {
  EXPECT_EQ(list_json({}, std::nullopt), R"({"data":[],"next":null})");
  EXPECT_EQ(list_json({"1", "{}"}, "a\"b"), R"({"data":[1,{}],"next":"a\"b"})");
}

TEST(Members, AnUnknownOneNamesTheNearest) {
  const auto document = json::parse_document(R"({"nmae":1})");
  const auto checked = check_members(*document, {"type", "name"});
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().message, "unknown member \"nmae\"; did you mean \"name\"?");
  EXPECT_TRUE(check_members(*document, {"nmae"}));
}

}  // namespace
}  // namespace sd::api
