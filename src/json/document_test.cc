#include "json/document.h"

#include <gtest/gtest.h>

namespace sd::json {
namespace {

TEST(Document, ReadsMembersElementsAndKinds) {
  const auto doc = parse_document(
      R"({"s":"\u00e4","n":12,"big":18446744073709551615,"f":1.5,"t":true,"a":[1,[2]],"o":{"x":null},"n":13})");
  ASSERT_TRUE(doc) << doc.error().message;
  EXPECT_EQ(doc->string_or("s", ""), "\xC3\xA4");
  EXPECT_EQ(doc->int_or("n", 0), 13);
  EXPECT_EQ(doc->find("big")->as_uint(), 18446744073709551615ULL);
  EXPECT_EQ(doc->find("big")->as_int(), std::nullopt);
  EXPECT_EQ(doc->find("f")->as_int(), std::nullopt);
  EXPECT_EQ(doc->find("f")->as_double(), 1.5);
  EXPECT_TRUE(doc->bool_or("t", false));
  EXPECT_EQ(doc->find("a")->elements()[1].elements()[0].as_int(), 2);
  EXPECT_TRUE(doc->find("o")->find("x")->is_null());
  EXPECT_EQ(doc->find("none"), nullptr);
}

TEST(Document, RefusesWhatIsNoDocument) {
  for (const char* bad : {"", "{", "{\"a\":1}x", "{\"a\":\"\\ud800\"}", "nul"}) {
    const auto doc = parse_document(bad);
    ASSERT_FALSE(doc) << bad;
    EXPECT_EQ(doc.error().slug, "invalid-json");
  }
  EXPECT_FALSE(parse_document(std::string(100000, '[')));
  EXPECT_FALSE(parse_document(std::string(100, '[') + std::string(100, ']')));
}

TEST(Document, WriterPutsCommasAndEscapes) {
  Writer w;
  w.begin_object().member("a", "x\"y").member("n", 5).member("b", false).null_member("z");
  w.begin_array("l").element("e").raw_element("1").begin_object().end_object().end_array();
  w.begin_object("o").end_object().end_object();
  EXPECT_EQ(w.text(), R"({"a":"x\"y","n":5,"b":false,"z":null,"l":["e",1,{}],"o":{}})");
}

}  // namespace
}  // namespace sd::json
