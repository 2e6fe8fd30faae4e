#include "api/web.h"

#include <gtest/gtest.h>

#include "web_pack.h"

namespace sd::api {
namespace {

std::string pack(const std::string& index, const std::string& forms) {
  std::string out;
  for (std::size_t i = 0; i < 4; ++i) out += static_cast<char>(index.size() >> (8 * i) & 0xFF);
  return out + index + forms;
}

TEST(WebPack, GivesEachFileInItsForms) {
  const std::string bytes = pack(R"([{"name":"assets/a.js","type":"text/javascript","etag":"x",)"
                                 R"("forms":{"identity":[0,5],"br":[5,2]}}])",
                                 "helloBR");
  const auto files = read_web_pack(bytes);
  ASSERT_TRUE(files);
  ASSERT_EQ(files->size(), 1U);
  const EmbeddedFile& file = files->front();
  EXPECT_EQ(file.name, "assets/a.js");
  EXPECT_EQ(file.etag, "\"x\"");
  EXPECT_EQ(file.identity, "hello");
  EXPECT_EQ(file.gzip, "");
  EXPECT_EQ(file.br, "BR");
}

TEST(WebPack, WhatIsBrokenIsRefused) {
  for (const std::string& bytes :
       {std::string(), std::string("abc"), pack("[", ""), std::string("\xFF\xFF\xFF\xFF[]", 6),
        pack(R"([{"name":"a","forms":{"identity":[0,9]}}])", "short"),
        pack(R"([{"name":"a","forms":{"identity":[9,1]}}])", "short"),
        pack(R"([{"name":"a"}])", ""), pack(R"([{"forms":{"identity":[0,1]}}])", "x")}) {
    EXPECT_FALSE(read_web_pack(bytes)) << bytes;
  }
}

TEST(WebPack, TheProgramsOwnHoldsThePageAndWhatItLoads) {
  const auto files = read_web_pack(web_pack::files());
  ASSERT_TRUE(files);
  std::string page;
  for (const EmbeddedFile& file : *files) {
    if (file.name == "index.html") page = file.identity;
  }
  std::size_t loaded = 0;
  for (const EmbeddedFile& file : *files) {
    if (page.find("/" + file.name) != std::string::npos) ++loaded;
  }
  EXPECT_GE(loaded, 2U) << page;
}

}  // namespace
}  // namespace sd::api
