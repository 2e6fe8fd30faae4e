// Index files: labels, and a file of the version that had none.
#include <array>
#include <fstream>

#include "base/checksum.h"
#include "journal/testing/log_fixture.h"

namespace sd::journal {
namespace {

// Made by the program when version 1 was the newest: three inserts (the first with a blob, the second with an
// idempotency key) and a control record.
const std::string kVersion1 = SD_SOURCE_DIR "/src/journal/testdata/version1.idx";
constexpr std::array<std::pair<const char*, std::uint32_t>, 3> kReceiptsOfVersion1 = {
    {{"76274a3c-f38c-4710-8d61-ef949e83e13e", 30'000},
     {"78ee9c3a-c6b3-4cc2-bc23-5bde18d500b4", 3},
     {"7ed15631-ec09-4db0-ade2-389e559a2c2d", 1}}};

std::string first_word(std::string_view payload) {
  return std::string(payload.substr(0, payload.find(' ')));
}

TEST_F(LogTest, LabelsAreKnownAsLongAsTheirReceipts) {
  options_.retention_us = 0;
  options_.label_of = first_word;
  auto log = must_open();
  struct One {
    Id128 receipt;
    Position position;
    std::string label;
  };
  std::vector<One> ones;
  std::size_t in_files = 0;
  const auto check = [&] {
    in_files = 0;
    const Position begin = log->stats().begin;
    for (const One& one : ones) {
      const auto found = log->index().find_receipt(one.receipt);
      ASSERT_TRUE(found && *found);
      if (one.position < begin) {
        EXPECT_EQ((*found)->label, one.label);
        ++in_files;
      } else if (!(*found)->label.empty()) {
        EXPECT_EQ((*found)->label, one.label);
      }
    }
  };
  for (int i = 0; i < 1200; ++i) {
    // Long ones, so that they fill pages and stand across their borders; some that come again; none.
    std::string label = std::to_string(i) + std::string(static_cast<std::size_t>(i * 7 % 250), 'l');
    if (i % 4 == 1) label = "again" + std::to_string(i % 5);
    if (i % 40 == 2) label = "";
    if (i % 40 == 3) label = std::string(255, 'm');
    if (i % 40 == 4) label = std::string(256, 'n');
    WaitingSink sink;
    auto owned = make_append(sink, label + " and what else there is");
    const bool control = i % 40 == 5;
    if (control) owned->append.meta.kind = RecordKind::kControl;
    ASSERT_TRUE(log->append(owned->append));
    sink.wait(1);
    const bool has_label = !control && label.size() <= 255;
    ones.push_back(
        {owned->append.meta.receipt, owned->append.position, has_label ? label : std::string()});
  }
  clock_.advance(kMicrosPerSecond);
  log->release(log->durable_end());
  ASSERT_TRUE(eventually([&] { return log->stats().begin > 100'000; }));
  check();
  EXPECT_GT(in_files, 600U);
  ASSERT_TRUE(log->close());
  log = must_open();
  check();
}

TEST_F(LogTest, AnIndexWithADamagedLabelSaysSo) {
  options_.retention_us = 0;
  options_.label_of = first_word;
  auto log = must_open();
  std::vector<Id128> receipts;
  for (int i = 0; i < 60; ++i) {
    WaitingSink sink;
    auto owned = make_append(sink, "label " + std::string(1000, 'x'));
    ASSERT_TRUE(log->append(owned->append));
    sink.wait(1);
    receipts.push_back(owned->append.meta.receipt);
  }
  clock_.advance(kMicrosPerSecond);
  log->release(log->durable_end());
  ASSERT_TRUE(eventually([&] { return log->stats().begin > 0; }));
  ASSERT_TRUE(log->index().find_receipt(receipts[0]));
  const std::string path = std::string(kDirectory) + "/" + index_name(0);
  std::string bytes = fs_.contents(path);
  bytes[bytes.size() - 4096 + 5] ^= 1;  // the labels come last
  fs_.set_contents(path, bytes);
  const auto found = log->index().find_receipt(receipts[0]);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::kCorruption);
}

TEST(IndexFile, TheFirstVersionIsReadAndHasNoLabels) {
  const auto file = IndexFile::open(posix_file_system(), kVersion1, 0);
  ASSERT_TRUE(file) << file.error().message;
  const IndexHeader& header = (*file)->header();
  EXPECT_EQ(header.records, 4U);
  EXPECT_EQ(header.keys, 1U);
  EXPECT_EQ(header.blobs, 1U);
  EXPECT_EQ(header.label_bytes, 0U);
  EXPECT_TRUE((*file)->verify());
  EXPECT_EQ((*file)->blobs()->size(), 1U);
  for (const auto& [text, rows] : kReceiptsOfVersion1) {
    const auto found = (*file)->find_receipt(*Id128::parse(text));
    ASSERT_TRUE(found && *found) << text;
    EXPECT_EQ((*found)->rows, rows);
    EXPECT_EQ((*found)->label, "");
  }
  // SHA-256 of the table's folded name, a NUL and the key.
  const auto by_key =
      (*file)->find_idempotency(*Id128::parse("d2de617d-d361-7cb7-a1ff-61184453bd3f"));
  ASSERT_TRUE(by_key && *by_key);
  EXPECT_EQ((*by_key)->receipt.to_string(), kReceiptsOfVersion1[1].first);
}

TEST(IndexFile, ANewerVersionIsRefusedWithAClearLine) {
  const testing::TemporaryDirectory directory;
  std::ifstream in(kVersion1, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  ASSERT_EQ(bytes.size() % 4096, 0U);
  store(bytes.data() + 8, std::uint32_t{3});
  store(bytes.data() + 4092, crc32c(0, bytes.data(), 4092));
  const std::string path = directory / "newer.idx";
  std::ofstream(path, std::ios::binary) << bytes;
  const auto file = IndexFile::open(posix_file_system(), path, 0);
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(file.error().message.find("version 3"), std::string::npos) << file.error().message;
}

}  // namespace
}  // namespace sd::journal
