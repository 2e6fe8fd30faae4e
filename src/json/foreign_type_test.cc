#include "json/foreign_type.h"

#include <gtest/gtest.h>

#include "json/parser.h"

namespace sd::json {
namespace {

// How a value is spelled for a column of that type; "-" where it is not taken.
std::string spelled(const char* type, std::string_view json) {
  static RowTree tree;
  tree.begin_row();
  Parser<RowTree> parser(tree);
  EXPECT_EQ(parser.parse(json, 0, true).outcome, Outcome::kOk) << json;
  Cell cell;
  if (tree[RowTree::kRoot].is_container()) {
    cell.kind = Kind::kNested;
    cell.text = json.data();
    cell.size = static_cast<std::uint32_t>(json.size());
  } else {
    cell = cell_of(tree[RowTree::kRoot]);
  }
  return ForeignType(type).spell(cell).value_or("-");
}

TEST(ForeignType, IntegersAndDecimalsTakeNumbersAndTheirSpellingOnly) {
  EXPECT_EQ(spelled("INTEGER", "5.0"), "5");
  EXPECT_EQ(spelled("INTEGER", "\"-7\""), "-7");
  for (const char* none :
       {"1.5", "true", "\"012\"", "\"\"", "\"-\"", "\"1e2\"", "-0", "2147483648", "[1]"})
    EXPECT_EQ(spelled("INTEGER", none), "-") << none;
  EXPECT_EQ(spelled("UTINYINT", "-1"), "-");
  EXPECT_EQ(spelled("DECIMAL(4,2)", "12.340"), "12.34");
  EXPECT_EQ(spelled("DECIMAL(4,2)", "1e-2"), "0.01");
  for (const char* none : {"100", "0.001", "\"1.\"", "\".5\"", "1e400", "null"})
    EXPECT_EQ(spelled("DECIMAL(4,2)", none), "-") << none;
}

TEST(ForeignType, TimesAreCheckedAndBroughtToUtc) {
  EXPECT_EQ(spelled("TIMESTAMP", "\"2024-02-29T23:30:00.50-01:00\""), "2024-03-01 00:30:00.5");
  EXPECT_EQ(spelled("TIMESTAMP", "\"0000-01-01T00:00:00+01:00\""), "-");
  EXPECT_EQ(spelled("TIMESTAMP", "\"2026-01-31T24:00\""), "-");
  EXPECT_EQ(spelled("TIMESTAMP_S", "\"2026-01-31 12:30:00.0\""), "2026-01-31 12:30:00");
  EXPECT_EQ(spelled("TIMESTAMP_S", "\"2026-01-31 12:30:00.01\""), "-");
  EXPECT_EQ(spelled("DATE", "\"2025-02-29\""), "-");
  EXPECT_EQ(spelled("TIME", "\"12:30:\""), "-");
  EXPECT_EQ(spelled("TIME", "\"12:30:00.\""), "-");
}

TEST(ForeignType, WordsOfAnEnumMayHaveAnyBytes) {
  const char* type = "ENUM('it''s', 'a, b', '')";
  EXPECT_EQ(spelled(type, "\"it's\""), "it's");
  EXPECT_EQ(spelled(type, "\"a, b\""), "a, b");
  EXPECT_EQ(spelled(type, "\"\""), "");
  EXPECT_EQ(spelled(type, "\"a\""), "-");
}

TEST(ForeignType, ListsTakeWhatTheirElementsTake) {
  EXPECT_EQ(spelled("TINYINT[]", " [1, null, 2.0] "), "[\"1\",null,\"2\"]");
  EXPECT_EQ(spelled("TINYINT[]", "[128]"), "-");
  EXPECT_EQ(spelled("TINYINT[]", "{\"a\":1}"), "-");
  EXPECT_EQ(spelled("VARCHAR[2]", R"(["a\"",true])"), R"(["a\"","true"])");
  EXPECT_EQ(spelled("VARCHAR[2]", "[\"a\"]"), "-");
  EXPECT_EQ(spelled("FLOAT[2][]", "[[0.1,1],null]"), "[[\"0.1\",\"1\"],null]");
  EXPECT_EQ(spelled("DOUBLE[]", "[9007199254740993]"), "-");
  EXPECT_EQ(spelled("BOOLEAN[]", "[true,1]"), "-");
  EXPECT_TRUE(ForeignType("STRUCT(a INTEGER)[]").is_looked_at());
}

}  // namespace
}  // namespace sd::json
