// The log on the operating system's files: append, group commit, read, reopen.
#include "journal/log.h"

#include <gtest/gtest.h>

#include "journal/reader.h"
#include "journal/testing/harness.h"

namespace sd::journal {
namespace {

using testing::TemporaryDirectory;
using testing::WaitingSink;

TEST(LogOnDisk, AppendsAreReadBackAfterReopening) {
  TemporaryDirectory directory;
  SyncPool pool(2);
  const std::string path = directory / "deep/log";
  Id128 id;
  std::vector<std::string> bodies;
  std::size_t seen = 0;
  for (int round = 0; round < 3; ++round) {
    auto log = Log::open(posix_file_system(), pool, system_clock(), path, {});
    ASSERT_TRUE(log) << log.error().message;
    if (round == 0) id = (*log)->id();
    EXPECT_EQ((*log)->id(), id);
    WaitingSink sink;
    std::vector<std::unique_ptr<Append>> appends;
    for (int i = 0; i < 500; ++i) {
      bodies.push_back("body " + std::to_string(round) + " " + std::string(i * 7 % 3000, 'x'));
    }
    for (std::size_t i = bodies.size() - 500; i < bodies.size(); ++i) {
      auto append = std::make_unique<Append>();
      append->meta.rows = 2;
      append->meta.receipt = Id128::make();
      append->head = "head ";
      append->body = bodies[i];
      append->sink = &sink;
      ASSERT_TRUE((*log)->append(*append));
      appends.push_back(std::move(append));
    }
    sink.wait(500);
    for (const auto& append : appends)
      ASSERT_TRUE(append->result) << append->result.error().message;
    EXPECT_EQ((*log)->durable_end(), appends.back()->end);
    EXPECT_EQ((*log)->stats().rows_durable, bodies.size() * 2);

    auto reader = Reader::open(posix_file_system(), path, id, 0);
    ASSERT_TRUE(reader) << reader.error().message;
    seen = 0;
    while (true) {
      auto record = (*reader)->next((*log)->durable_end());
      ASSERT_TRUE(record) << record.error().message;
      if (!*record) break;
      ASSERT_LT(seen, bodies.size());
      EXPECT_EQ((*record)->payload, "head " + bodies[seen]);
      EXPECT_EQ((*record)->rows_before, seen * 2);
      ++seen;
    }
    EXPECT_EQ(seen, bodies.size());
    EXPECT_EQ((*reader)->position(), (*log)->durable_end());
    ASSERT_TRUE((*log)->close());
  }
}

}  // namespace
}  // namespace sd::journal
