#include "http/content_decoder.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "http/test_coding.h"

namespace sd::http {
namespace {

using test::brotli_text;
using test::deflate_text;
using test::gzip_text;
using test::raw_deflate_text;
using test::zstd_text;

// Decodes in pieces; nullopt on any error.
std::optional<std::string> decode(std::string_view coding, std::string_view bytes,
                                  std::size_t in_step = SIZE_MAX, std::size_t out_step = 1000) {
  const auto decoder = make_content_decoder(coding);
  if (!decoder) return std::nullopt;
  std::string text;
  std::string room(out_step, '\0');
  while (true) {
    std::string_view piece = bytes.substr(0, in_step);
    bytes.remove_prefix(piece.size());
    for (;;) {
      const auto made = decoder->decode(piece, room);
      if (!made) {
        EXPECT_EQ(made.error().slug, "invalid-encoding");
        return std::nullopt;
      }
      if (*made == 0) break;
      text.append(room, 0, *made);
    }
    EXPECT_TRUE(piece.empty());
    if (bytes.empty()) break;
  }
  if (!decoder->finish()) return std::nullopt;
  return text;
}

std::string sample() {
  std::string text;
  std::mt19937 random(1);
  for (int i = 0; i < 3000; ++i) text += "{\"n\":" + std::to_string(random()) + "}\n";
  return text;
}

struct Coding {
  const char* name;
  std::string (*encode)(std::string_view);
  const char* asked_as;
};
const Coding kCodings[] = {
    {"gzip", gzip_text, "gzip"},
    {"deflate with zlib's header", deflate_text, "deflate"},
    {"bare deflate", raw_deflate_text, "Deflate"},
    {"zstd", zstd_text, "ZSTD"},
    {"brotli", brotli_text, "Br"},
};

TEST(ContentDecoder, DecodesWhateverThePiecesAre) {
  const std::string text = sample();
  for (const Coding& coding : kCodings) {
    const std::string bytes = coding.encode(text);
    EXPECT_EQ(decode(coding.asked_as, bytes), text) << coding.name;
    EXPECT_EQ(decode(coding.asked_as, bytes, 1, 70000), text) << coding.name;
    EXPECT_EQ(decode(coding.asked_as, bytes, 1000, 7), text) << coding.name;
    EXPECT_EQ(decode(coding.asked_as, ""), "") << coding.name;
    EXPECT_EQ(decode(coding.asked_as, coding.encode("")), "") << coding.name;
  }
}

TEST(ContentDecoder, GoesOnOverSeveralMembersAndFrames) {
  EXPECT_EQ(decode("gzip", gzip_text("one") + gzip_text("") + gzip_text("two"), 1), "onetwo");
  EXPECT_EQ(decode("zstd", zstd_text("one") + zstd_text("two"), 5), "onetwo");
}

TEST(ContentDecoder, RefusesAStreamThatIsCutAnywhere) {
  for (const Coding& coding : kCodings) {
    const std::string bytes = coding.encode("some text, some text, some text");
    for (std::size_t cut = 1; cut < bytes.size(); ++cut)
      EXPECT_EQ(decode(coding.asked_as, bytes.substr(0, cut)), std::nullopt) << coding.name << cut;
  }
}

TEST(ContentDecoder, RefusesCorruptBytesAndTrailingNoise) {
  for (const Coding& coding : kCodings) {
    EXPECT_EQ(decode(coding.asked_as, coding.encode("text") + "noise"), std::nullopt)
        << coding.name;
    EXPECT_EQ(decode(coding.asked_as, "{\"no\":\"coding\"}"), std::nullopt) << coding.name;
  }
  std::string bytes = gzip_text(sample());
  bytes[bytes.size() - 6] ^= 1;  // in the checksum
  EXPECT_EQ(decode("gzip", bytes), std::nullopt);
}

TEST(ContentDecoder, GivesNoMoreThanItIsAskedFor) {
  const std::string text(10U << 20, 'x');
  for (const auto& [coding, bomb] :
       {std::pair("gzip", gzip_text(text)), std::pair("br", brotli_text(text))}) {
    ASSERT_LT(bomb.size(), 20000U);
    const auto decoder = make_content_decoder(coding);
    std::string room(4096, '\0');
    std::string_view input = bomb;
    EXPECT_EQ(decoder->decode(input, room).value(), room.size()) << coding;
  }
}

TEST(ContentDecoder, ABrotliStreamIsAloneInItsBody) {
  EXPECT_EQ(decode("br", brotli_text("one") + brotli_text("two")), std::nullopt);
  EXPECT_EQ(decode("br", brotli_text("one") + std::string(1, '\0'), 1), std::nullopt);
}

TEST(ContentDecoder, RefusesZstdWindowsBeyondWhatTheStandardAllows) {
  EXPECT_EQ(decode("zstd", test::zstd_text_with_window(std::string(20U << 20, 'x'), 27)),
            std::nullopt);
}

TEST(ContentDecoder, KnowsNoOtherCodings) {
  EXPECT_EQ(make_content_decoder("br2"), nullptr);
  EXPECT_EQ(make_content_decoder("gzip, gzip"), nullptr);
  EXPECT_TRUE(is_identity("Identity"));
  EXPECT_TRUE(is_identity(""));
  EXPECT_FALSE(is_identity("gzip"));
}

}  // namespace
}  // namespace sd::http
