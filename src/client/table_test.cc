#include "client/table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

namespace sd::client {
namespace {

std::string table(std::string_view result, std::optional<std::size_t> width = {},
                  std::size_t piece = 1) {
  std::ostringstream out;
  TableWriter writer(out, width);
  for (std::size_t i = 0; i < result.size(); i += piece)
    EXPECT_TRUE(writer.feed(result.substr(i, piece)));
  writer.finish();
  return out.str();
}

constexpr const char* kTwo =
    "{\"meta\":[{\"name\":\"id\",\"type\":\"BIGINT\"},{\"name\":\"name\",\"type\":\"VARCHAR\"},"
    "{\"name\":\"x\",\"type\":\"DECIMAL(10,2)\"}],\n"
    "\"data\":[[1,\"al],ice\",12.50],\n[20,null,null]],\n\"rows\":2}\n";

TEST(Table, ColumnsAreAlignedAndNumbersStandOnTheRight) {
  const char* wanted =
      " id | name    |     x\n"
      "----+---------+-------\n"
      "  1 | al],ice | 12.50\n"
      " 20 | NULL    |  NULL\n"
      "(2 rows)\n";
  for (const std::size_t piece : {1U, 3U, 1000U})
    EXPECT_EQ(table(kTwo, {}, piece), wanted) << piece;
}

TEST(Table, AResultWithoutRowsHasItsNames) {
  EXPECT_EQ(table("{\"meta\":[{\"name\":\"a\",\"type\":\"DATE\"}],\n\"data\":[],\n\"rows\":0}\n"),
            " a\n---\n(0 rows)\n");
}

TEST(Table, NothingInItReachesTheTerminalAsACommand) {
  const std::string out = table(
      "{\"meta\":[{\"name\":\"\\u001b[2J\",\"type\":\"VARCHAR\"}],\n\"data\":[[\"a\\nb\\u001b]0;"
      "x\\u0007\"]],\n\"rows\":1}\n");
  EXPECT_EQ(out.find('\x1b'), std::string::npos);
  EXPECT_EQ(out.find('\x07'), std::string::npos);
  EXPECT_EQ(std::ranges::count(out, '\n'), 4);
}

TEST(Table, WideAndCombiningCharactersTakeTheColumnsThatTheyHave) {
  EXPECT_EQ(display_width("abc"), 3U);
  EXPECT_EQ(display_width("日本"), 4U);
  EXPECT_EQ(display_width("e\xCC\x81"), 1U);
  EXPECT_EQ(display_width("😀"), 2U);
}

TEST(Table, WhatIsTooWideForTheTerminalIsCut) {
  const std::string wide =
      "{\"meta\":[{\"name\":\"a\",\"type\":\"VARCHAR\"},{\"name\":\"b\",\"type\":\"BIGINT\"}],\n"
      "\"data\":[[\"" +
      std::string(100, 'x') + "\",7]],\n\"rows\":1}\n";
  const std::string out = table(wide, 30);
  std::istringstream lines(out);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(display_width(line), 30U) << line;
  EXPECT_NE(out.find("xxx…"), std::string::npos);
  EXPECT_NE(table(wide).find(std::string(100, 'x')), std::string::npos);
}

TEST(Table, OtherBytesAreAnError) {
  std::ostringstream out;
  TableWriter writer(out, {});
  EXPECT_FALSE(writer.feed("<html>\n"));
}

}  // namespace
}  // namespace sd::client
