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

}  // namespace
}  // namespace sd::json
