#include "json/shape.h"

#include <gtest/gtest.h>

namespace sd::json {
namespace {

Shape shape_of(const std::string& text) {
  RowTree tree;
  tree.begin_row();
  const ParseResult parsed = Parser<RowTree>(tree).parse(text, 0, true);
  EXPECT_EQ(parsed.outcome, Outcome::kOk);
  EXPECT_EQ(parsed.defect, Defect::kNone);
  return Shape::of(tree, RowTree::kRoot);
}

// A value as deep as a row may be, below its root.
TEST(Shape, IsReadBackAsItWasWrittenHoweverDeepItIs) {
  for (const auto& [open, close] : {std::pair("[", "]"), std::pair("{\"k\":", "}")}) {
    std::string text = "1.5";
    for (std::uint32_t i = 1; i < kMaxDepth; ++i) text = open + text + close;
    const Shape shape = shape_of(text);
    const auto read = Shape::parse(shape.to_json());
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, shape);
    EXPECT_EQ(to_string(read->type()), to_string(shape.type()));
  }
  EXPECT_FALSE(Shape::parse("{"));
  EXPECT_FALSE(Shape::parse("[]"));
}

std::string keys(const std::string& prefix, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) {
    out += (i == 0 ? "\"" : ",\"") + prefix + std::to_string(i) + "\":" + std::to_string(i);
  }
  return out;
}

Shape joined(Shape left, const Shape& right) {
  left.join(right);
  return left;
}

// What is JSON for some reason still counts among the places: else it would depend on what came when
// whether there are too many.
TEST(Shape, JoinIsAssociativeAroundTheLimitOfPlaces) {
  const Shape other = shape_of("{\"c\":{" + keys("k", 600) + "}}");
  const Shape many = shape_of("{\"a\":{" + keys("p", 1500) + "}}");
  for (const std::string& text : {"{\"a\":{" + keys("q", 1500) + "}}", std::string("{\"a\":[1]}"),
                                  std::string("{\"a\":{\"P0\":1}}"), std::string("{\"a\":1}"),
                                  std::string("{\"a\":{\"\":1}}")}) {
    const Shape third = shape_of(text);
    const Shape left = joined(joined(many, third), other);
    const Shape right = joined(many, joined(third, other));
    EXPECT_EQ(left, right) << text.substr(0, 40);
    EXPECT_EQ(to_string(left.type()), to_string(joined(joined(many, other), third).type()))
        << text.substr(0, 40);
    EXPECT_EQ(to_string(left.type()), "JSON");
    EXPECT_EQ(*Shape::parse(left.to_json()), left);
  }
}

TEST(Shape, AnObjectThatNoStructCanHoldIsJsonAndItsNeighboursAreNot) {
  const auto type = [](const std::string& text) { return to_string(shape_of(text).type()); };
  EXPECT_EQ(type(R"({"a":{"x":1,"X":2},"b":1})"), R"(STRUCT("a" JSON, "b" BIGINT))");
  EXPECT_EQ(type(R"({"a":{"x":1,"x":2},"b":1})"), R"(STRUCT("a" JSON, "b" BIGINT))");
  EXPECT_EQ(type(R"({"a":{"":1},"b":[{"y":1},{"Y":1}]})"), R"(STRUCT("a" JSON, "b" JSON[]))");
  EXPECT_EQ(type(R"([[1],{"x":1}])"), "JSON[]");
}

}  // namespace
}  // namespace sd::json
