#include "load/record_rows.h"

#include <gtest/gtest.h>

namespace sd::load {
namespace {

// "0:{…} 2:{…}"
std::string rows_of(std::string_view body, BodyKind kind = BodyKind::kJson) {
  const std::string payload = encode_insert_head({.body = kind, .table = "t"}) + std::string(body);
  const auto insert = decode_insert(payload);
  const auto rows = RecordRows::open(posix_file_system(), "", {}, *insert);
  std::string out;
  while (true) {
    const auto row = (*rows)->next();
    if (!row) return out + row.error().message;
    if (!*row) return out;
    out += std::to_string((*row)->index) + ":" + std::string((*row)->text) + " ";
  }
}

TEST(RecordRows, GivesGoodRowsAsTheyWereSentAndTheirPlaces) {
  EXPECT_EQ(rows_of(R"({"a": 1.50})"), R"(0:{"a": 1.50} )");
  EXPECT_EQ(rows_of(R"([{"a":1}, 7 ,{"b":[]}])"), R"(0:{"a":1} 2:{"b":[]} )");
  EXPECT_EQ(rows_of("{\"a\":1}\n{\"a\":\n{\"a\":2}\n"), R"(0:{"a":1} 2:{"a":2} )");
  EXPECT_EQ(rows_of("7\n{\"a\":1}", BodyKind::kNdjson), R"(1:{"a":1} )");
  EXPECT_EQ(rows_of(R"([["too-many-fields","why","1,2"],{"a":1}])", BodyKind::kCsv),
            R"(1:{"a":1} )");
  EXPECT_EQ(rows_of("[]"), "");
}

TEST(RecordRows, SaysWhereABodyWasNeverAccepted) {
  EXPECT_EQ(rows_of(R"([{"a":1},{"a")"),
            R"(0:{"a":1} a journal record holds a body that was never accepted)");
}

}  // namespace
}  // namespace sd::load
