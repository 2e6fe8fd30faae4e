#include "client/chunks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "client/upload.h"

namespace sd::client {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// Gives its text in pieces: first `first` bytes, then `each` at a time.
class TextSource final : public ByteSource {
 public:
  TextSource(std::string text, std::size_t first, std::size_t each)
      : text_(std::move(text)), piece_(first), each_(each) {}
  Result<std::size_t> read(std::span<char> out) override {
    const std::size_t length = std::min({piece_, out.size(), text_.size() - at_});
    std::memcpy(out.data(), text_.data() + at_, length);
    at_ += length;
    piece_ = each_;
    return length;
  }
  std::uint64_t position() const override { return at_; }

 private:
  std::string text_;
  std::size_t piece_;
  std::size_t each_;
  std::size_t at_ = 0;
};

struct Cut {
  std::vector<Chunk> chunks;
  std::vector<UnsentRow> unsent;
  std::string error;

  std::vector<std::string> bodies() const {
    std::vector<std::string> out;
    for (const Chunk& chunk : chunks) out.push_back(chunk.body);
    return out;
  }
};

Cut cut(const std::string& text, ChunkLimits limits, bool csv = false, std::size_t first = SIZE_MAX,
        std::size_t each = SIZE_MAX) {
  Cut result;
  Window window(std::make_unique<TextSource>(text, first, each));
  const auto chunker = csv ? make_csv_chunker(std::move(window), limits)
                           : make_json_chunker(std::move(window), limits, [&](UnsentRow row) {
                               result.unsent.push_back(std::move(row));
                             });
  while (true) {
    auto chunk = chunker->next();
    if (!chunk) result.error = chunk.error().message;
    if (!chunk || !*chunk) return result;
    result.chunks.push_back(std::move(**chunk));
  }
}

// The same chunks however the bytes arrive.
void expect_same_at_every_border(const std::string& text, ChunkLimits limits, bool csv = false) {
  const Cut whole = cut(text, limits, csv);
  EXPECT_THAT(whole.chunks, testing::Not(IsEmpty()));
  for (std::size_t at = 1; at <= text.size(); ++at) {
    const Cut two = cut(text, limits, csv, at);
    ASSERT_EQ(two.bodies(), whole.bodies()) << "cut at " << at;
    ASSERT_EQ(two.error, whole.error) << "cut at " << at;
    ASSERT_EQ(two.unsent.size(), whole.unsent.size()) << "cut at " << at;
  }
  EXPECT_EQ(cut(text, limits, csv, 1, 1).bodies(), whole.bodies());
}

TEST(JsonChunks, AreTheSameWhereverTheBytesAreCut) {
  const std::string lines =
      "\xEF\xBB\xBF{\"a\":\"ä\\\"\"}\n\r\n {\"b\":[1,{}]}  \nbad "
      "line\n{\"c\":\"x\\ny\"}\n5\n{\"d\":null}";
  for (const std::size_t bytes : {1U, 20U, 40U, 1000U}) {
    expect_same_at_every_border(lines, {.bytes = bytes});
    expect_same_at_every_border(
        "[" + std::string("{\"a\":1} ,\n5, {\"b\":\"],[\"},[],{\"c\":{}}") + "]\n",
        {.bytes = bytes});
    expect_same_at_every_border("{\n\"a\": 1}{\"b\":2}\n\n{\"c\":3\n}", {.bytes = bytes});
    expect_same_at_every_border("[{\"a\":1},{\"b\":2},{\"c\"", {.bytes = bytes});
  }
}

TEST(JsonChunks, HoldAllRowsInOrderAndNumberThem) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "{\"i\":" + std::to_string(i) + "}\n";
  const Cut result = cut(text, {.bytes = 64, .rows = 7});
  std::string all;
  std::uint64_t row = 0;
  for (const Chunk& chunk : result.chunks) {
    EXPECT_LE(chunk.body.size(), 64U);
    EXPECT_LE(chunk.rows, 7U);
    EXPECT_EQ(chunk.first_row, row);
    EXPECT_STREQ(chunk.content_type, "application/x-ndjson");
    row += chunk.rows;
    // The row that did not fit has been read too.
    EXPECT_NEAR(static_cast<double>(chunk.position), static_cast<double>(all.size() + 64), 64.0);
    all += chunk.body;
  }
  EXPECT_EQ(all, text);
  EXPECT_EQ(row, 100U);
}

TEST(JsonChunks, OfAnArrayAreArrays) {
  EXPECT_THAT(cut("[{\"a\":1}, {\"b\":\n2},5,{}]", {.rows = 2}).bodies(),
              ElementsAre("[{\"a\":1},{\"b\":\n2}]", "[5,{}]"));
  // The last one, which the array's end closes.
  EXPECT_THAT(cut("[{\"a\":1},{\"b\":2},{\"c\":3}]\n", {.rows = 2}).bodies(),
              ElementsAre("[{\"a\":1},{\"b\":2}]", "[{\"c\":3}]"));
}

TEST(JsonChunks, ARowThatIsLargerThanAChunkGoesAlone) {
  const std::string large = "{\"x\":\"" + std::string(500, 'x') + "\"}";
  EXPECT_THAT(cut("{\"a\":1}\n" + large + "\n{\"b\":2}\n{\"c\":3}\n", {.bytes = 100}).bodies(),
              ElementsAre("{\"a\":1}\n", large + "\n", "{\"b\":2}\n{\"c\":3}\n"));
}

TEST(JsonChunks, BeginWithAGoodRowAndKnowWhereTheBadOnesStood) {
  const Cut result = cut("{\"a\":0}\nbad1\nbad2\n{\"a\":3}\nbad4\n", {.rows = 1});
  EXPECT_THAT(result.bodies(), ElementsAre("{\"a\":0}\n", "{\"a\":3}\n"));
  EXPECT_THAT(result.unsent, SizeIs(3));
  const Cut moved = cut("{\"a\":0}\n{\"a\":1}\nbad2\nbad3\n{\"a\":4}\nbad5\n", {.rows = 2});
  EXPECT_THAT(moved.bodies(), ElementsAre("{\"a\":0}\n{\"a\":1}\n", "{\"a\":4}\nbad5\n"));
  const Cut first = cut("{\"a\":0}\n{\"bad1\n{\"a\":2}\n", {.bytes = 9});
  EXPECT_THAT(first.unsent, SizeIs(1));
  const Cut held = cut("{ bad\n{\"bad\n{\"a\":2}\nx\n", {});
  ASSERT_THAT(held.bodies(), ElementsAre("{\"a\":2}\n{ bad\n{\"bad\nx\n"));
  EXPECT_EQ(held.chunks[0].file_row(0), 2U);
  EXPECT_EQ(held.chunks[0].file_row(1), 0U);
  EXPECT_EQ(held.chunks[0].file_row(2), 1U);
  EXPECT_EQ(held.chunks[0].file_row(3), 3U);
}

TEST(JsonChunks, WithoutAGoodRowAreNotSent) {
  const Cut result = cut("[1,2,\"x\"]", {});
  EXPECT_THAT(result.bodies(), IsEmpty());
  ASSERT_THAT(result.unsent, SizeIs(3));
  EXPECT_EQ(result.unsent[2].row, 2U);
  EXPECT_EQ(result.unsent[2].code, "not-an-object");
}

TEST(JsonChunks, WhatStandsBeforeASyntaxErrorIsSentAndTheErrorHasItsOffset) {
  const Cut result = cut("[{\"a\":1},{\"b\":2},{\"c\" 3}]", {});
  EXPECT_THAT(result.bodies(), ElementsAre("[{\"a\":1},{\"b\":2}]"));
  EXPECT_THAT(result.error, HasSubstr("at offset 22"));
}

TEST(JsonChunks, OfNothingAreNone) {
  for (const char* text : {"", " \n", "\xEF\xBB\xBF\n", "[]"}) {
    const Cut result = cut(text, {});
    EXPECT_THAT(result.chunks, IsEmpty());
    EXPECT_EQ(result.error, "") << text;
  }
  EXPECT_THAT(cut("nonsense", {}).error, HasSubstr("offset 0"));
}

TEST(CsvChunks, AreTheSameWhereverTheBytesAreCut) {
  for (const std::size_t bytes : {1U, 20U, 30U, 1000U}) {
    expect_same_at_every_border(
        "\xEF\xBB\xBF\r\n\"a\nb\",c\r\n1,\"x\"\"\n\"\r\n\r\n2,y\"\n3,\"\"\n4,\"z\"",
        {.bytes = bytes}, true);
    expect_same_at_every_border("a,b\n1,2\n1,\"x\n2,y\n", {.bytes = bytes}, true);
  }
}

TEST(CsvChunks, RepeatTheHeaderAndCutOnlyBehindRecords) {
  const Cut result = cut("a,\"b\"\"\n\"\n1,\"x\n,\"\"y\"\n2,z\n3,\"\"\n", {.rows = 2}, true);
  const std::string header = "a,\"b\"\"\n\"\n";
  EXPECT_THAT(result.bodies(), ElementsAre(header + "1,\"x\n,\"\"y\"\n2,z\n", header + "3,\"\"\n"));
  EXPECT_EQ(result.chunks[1].first_row, 2U);
  EXPECT_STREQ(result.chunks[0].content_type, "text/csv");
}

TEST(CsvChunks, LeaveEmptyLinesOutWhereThereAreColumns) {
  EXPECT_THAT(cut("a,b\n\n1,2\n\r\n3,4", {.rows = 1}, true).bodies(),
              ElementsAre("a,b\n1,2\n", "a,b\n3,4"));
  EXPECT_THAT(cut("a\n\n1\n", {}, true).bodies(), ElementsAre("a\n\n1\n"));
}

TEST(CsvChunks, AQuoteInTheMiddleOfAFieldIsACharacter) {
  EXPECT_THAT(cut("a,b\n5\" disk,x\n\"q\",y\n", {.rows = 1}, true).bodies(),
              ElementsAre("a,b\n5\" disk,x\n", "a,b\n\"q\",y\n"));
}

TEST(CsvChunks, AnOpenQuoteIsAnErrorBehindTheRowsBeforeIt) {
  const Cut result = cut("a,b\n1,2\n3,\"x\n4,5\n", {}, true);
  EXPECT_THAT(result.bodies(), ElementsAre("a,b\n1,2\n"));
  EXPECT_THAT(result.error, HasSubstr("row 1"));
}

TEST(CsvChunks, OfAHeaderAloneAreNone) {
  for (const char* text : {"", "a,b", "a,b\n", "a,b\n\n"}) {
    const Cut result = cut(text, {}, true);
    EXPECT_THAT(result.chunks, IsEmpty()) << text;
    EXPECT_EQ(result.error, "") << text;
  }
}

TEST(Formats, AreKnownByNameAndByTheFirstBytes) {
  EXPECT_EQ(format_of_name("/a.csv/x.JSON.gz"), Format::kJson);
  EXPECT_EQ(format_of_name("x.csv.zst"), Format::kCsv);
  EXPECT_EQ(format_of_name("x.parquet"), Format::kParquet);
  EXPECT_EQ(format_of_name("x.log"), std::nullopt);
  EXPECT_EQ(format_of_name(".gz"), std::nullopt);
  const auto of_bytes = [](const std::string& text) {
    Window window(std::make_unique<TextSource>(text, 1, 1));
    return format_of_bytes(window).value();
  };
  EXPECT_EQ(of_bytes("\xEF\xBB\xBF \n{\"a\":1}"), Format::kJson);
  EXPECT_EQ(of_bytes("[{}]"), Format::kJson);
  EXPECT_EQ(of_bytes("{}"), Format::kJson);
  EXPECT_EQ(of_bytes("a"), Format::kCsv);
  EXPECT_EQ(of_bytes("a,b\n1,2"), Format::kCsv);
  EXPECT_EQ(of_bytes("PAR1xxxx"), Format::kParquet);
  EXPECT_EQ(of_bytes(""), Format::kJson);
}

TEST(Sources, GzipIsTakenApartWhateverThePiecesAndACutStreamIsAnError) {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += "{\"i\":" + std::to_string(i) + "}\n";
  const std::string packed = gzip(text) + gzip("{\"last\":1}\n");
  const auto read_all = [](const std::string& bytes, std::size_t each) -> std::string {
    const auto source = make_decoding_source(std::make_unique<TextSource>(bytes, each, each));
    std::string all;
    std::string piece(1000, '\0');
    while (true) {
      const auto got = source->read(piece);
      if (!got) return "error: " + got.error().message;
      if (*got == 0) break;
      all.append(piece, 0, *got);
    }
    EXPECT_EQ(source->position(), bytes.size());
    return all;
  };
  for (const std::size_t each : {1U, 3U, 1000U, 1'000'000U}) {
    EXPECT_EQ(read_all(packed, each), text + "{\"last\":1}\n") << each;
    EXPECT_EQ(read_all(text, each), text) << each;
  }
  EXPECT_THAT(read_all(packed.substr(0, packed.size() - 9), 1000), HasSubstr("error: "));
}

}  // namespace
}  // namespace sd::client
