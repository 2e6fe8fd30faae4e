// The log's promises one by one: order, group commit, one owner, failures, limits, readers, many
// logs.
#include "journal/log.h"

#include "journal/testing/log_fixture.h"

namespace sd::journal {
namespace {

TEST(LogOnDisk, AppendsAreReadBackAfterReopening) {
  TemporaryDirectory directory;
  SyncPool pool(2);
  const std::string path = directory / "deep/log";
  Id128 id;
  std::vector<std::string> bodies;
  for (int round = 0; round < 3; ++round) {
    auto log = Log::open(posix_file_system(), pool, system_clock(), path, {});
    ASSERT_TRUE(log) << log.error().message;
    if (round == 0) id = (*log)->id();
    EXPECT_EQ((*log)->id(), id);
    WaitingSink sink;
    std::vector<std::unique_ptr<OwnedAppend>> appends;
    for (std::size_t i = 0; i < 500; ++i) {
      bodies.push_back("body " + std::to_string(bodies.size()) + std::string(i * 7 % 3000, 'x') +
                       (i == 77 ? std::string(900'000, 'y') : ""));
      appends.push_back(make_append(sink, bodies.back(), 2));
      ASSERT_TRUE((*log)->append(appends.back()->append));
    }
    sink.wait(500);
    for (const auto& owned : appends) ASSERT_TRUE(owned->append.result);
    EXPECT_EQ((*log)->durable_end(), appends.back()->append.end);
    EXPECT_EQ((*log)->stats().rows_durable, bodies.size() * 2);
    EXPECT_LT((*log)->stats().syncs, 400U);  // most appends shared one

    const auto records = read_all(posix_file_system(), path, id, 0, (*log)->durable_end());
    ASSERT_TRUE(records) << records.error().message;
    EXPECT_EQ(payloads(*records), bodies);
    ASSERT_TRUE((*log)->close());
  }
}

TEST(LogOnDisk, ASecondOwnerIsRefused) {
  TemporaryDirectory directory;
  SyncPool pool(2);
  auto first = Log::open(posix_file_system(), pool, system_clock(), directory / "log", {});
  ASSERT_TRUE(first);
  const auto second = Log::open(posix_file_system(), pool, system_clock(), directory / "log", {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
  ASSERT_TRUE((*first)->close());
  EXPECT_TRUE(Log::open(posix_file_system(), pool, system_clock(), directory / "log", {}));
}

TEST_F(LogTest, ARecordKeepsEverythingThatWasSaidAboutIt) {
  auto log = must_open();
  WaitingSink sink;
  auto owned = make_append(sink, "body", 7);
  owned->append.head = "head:";
  owned->append.meta.kind = RecordKind::kControl;
  owned->append.meta.idempotency = {Id128::make(), Id128::make()};
  owned->append.meta.blob = {Id128::make(), 1234, 99};
  ASSERT_TRUE(log->append(owned->append));
  sink.wait(1);
  ASSERT_TRUE(owned->append.result);
  auto reader = Reader::open(fs_, kDirectory, log->id(), 0);
  ASSERT_TRUE(reader);
  const auto record = (*reader)->next(log->durable_end());
  ASSERT_TRUE(record && *record);
  const RecordView& view = **record;
  EXPECT_EQ(view.payload, "head:body");
  EXPECT_EQ(view.position, owned->append.position);
  EXPECT_EQ(view.end, owned->append.end);
  EXPECT_EQ(view.time_us, owned->append.time_us);
  EXPECT_EQ(view.meta.kind, RecordKind::kControl);
  EXPECT_EQ(view.meta.rows, 7U);
  EXPECT_EQ(view.meta.receipt, owned->append.meta.receipt);
  EXPECT_EQ(view.meta.idempotency->key, owned->append.meta.idempotency->key);
  EXPECT_EQ(view.meta.idempotency->body, owned->append.meta.idempotency->body);
  EXPECT_EQ(view.meta.blob->id, owned->append.meta.blob->id);
  EXPECT_EQ(view.meta.blob->length, 1234U);
  EXPECT_EQ(view.meta.blob->crc32c, 99U);
  EXPECT_FALSE(*(*reader)->next(log->durable_end()));
}

TEST_F(LogTest, LogTimeNeverRunsBackwards) {
  auto log = must_open();
  const auto time_of = [&](Log& l) {
    WaitingSink sink;
    auto owned = make_append(sink, "x");
    EXPECT_TRUE(l.append(owned->append));
    sink.wait(1);
    return owned->append.time_us;
  };
  const Micros first = time_of(*log);
  clock_.set_wall(first - 1'000'000'000);
  EXPECT_EQ(time_of(*log), first);
  log.reset();
  log = must_open();
  EXPECT_EQ(time_of(*log), first);
  clock_.set_wall(first + 5);
  EXPECT_EQ(time_of(*log), first + 5);
}

TEST_F(LogTest, EachSinkHearsOfItsAppendsInOrderAndOnceABatch) {
  class Order final : public AppendSink {
   public:
    void completed(Append* first) noexcept override {
      for (; first != nullptr; first = first->next) {
        in_order = in_order && first->position >= last;
        last = first->position;
        ++count;
      }
      ++calls;
    }
    Position last = 0;
    bool in_order = true;
    std::atomic<int> count{0};
    int calls = 0;
  };
  auto log = must_open();
  std::array<Order, 3> sinks;
  std::vector<std::unique_ptr<OwnedAppend>> appends;
  for (std::size_t i = 0; i < 3000; ++i) {
    appends.push_back(make_append(sinks[i % 3], "p" + std::to_string(i)));
    ASSERT_TRUE(log->append(appends.back()->append));
  }
  ASSERT_TRUE(log->close());
  for (const auto& sink : sinks) {
    EXPECT_EQ(sink.count, 1000);
    EXPECT_TRUE(sink.in_order);
    EXPECT_LE(sink.calls, static_cast<int>(log->stats().syncs));
  }
}

TEST_F(LogTest, TheListenerHearsBeforeTheSinks) {
  auto log = must_open();
  std::atomic<Position> heard{0};
  std::atomic<std::uint64_t> rows{0};
  std::atomic<int> syncs{0};
  log->set_durable_listener([&](Position end, std::uint64_t total) {
    heard = end;
    rows = total;
  });
  log->set_sync_observer([&](double) { ++syncs; });
  for (int i = 0; i < 5; ++i) {
    WaitingSink sink;
    auto owned = make_append(sink, "body", 3);
    ASSERT_TRUE(log->append(owned->append));
    sink.wait(1);
    EXPECT_GE(heard, owned->append.end);
  }
  EXPECT_EQ(rows, 15U);
  EXPECT_GE(syncs, 5);
}

TEST_F(LogTest, AFailedSyncIsFinalUntilTheLogIsOpenedAgain) {
  for (const Op op : {Op::kSync, Op::kWrite}) {
    auto log = must_open();
    ASSERT_TRUE(append_now(*log, "before"));
    const std::uint64_t rows = log->stats().rows_durable;
    quiet();
    fs_.fail_nth(op, 1);
    const auto hit = append_now(*log, "hit");
    ASSERT_FALSE(hit);
    EXPECT_EQ(hit.error().code, ErrorCode::kInDoubt);
    const std::uint64_t writes = fs_.calls(Op::kWrite);
    const std::uint64_t syncs = fs_.calls(Op::kSync);
    for (int i = 0; i < 3; ++i) {
      const auto after = append_now(*log, "after");
      ASSERT_FALSE(after);
      EXPECT_EQ(after.error().code, ErrorCode::kUnavailable);
    }
    EXPECT_TRUE(log->stats().failed);
    EXPECT_EQ(log->stats().rows_durable, rows);
    EXPECT_FALSE(log->close());
    EXPECT_EQ(fs_.calls(Op::kWrite), writes);  // nothing is written or tried again
    EXPECT_EQ(fs_.calls(Op::kSync), syncs);
    log.reset();
    log = must_open();
    EXPECT_TRUE(append_now(*log, "again"));
  }
}

TEST_F(LogTest, AFullDiskIsRefusedAndHealsWhenThereIsSpaceAgain) {
  auto log = must_open();
  ASSERT_TRUE(append_now(*log, "first"));
  fs_.set_capacity(fs_.used());
  const Error error = fill(*log);
  EXPECT_EQ(error.code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(error.slug, "disk-full");
  EXPECT_EQ(error.retry_after_s, 5);
  EXPECT_FALSE(log->stats().failed);
  const Position end = log->durable_end();
  EXPECT_TRUE(read_all(fs_, kDirectory, log->id(), 0, end));
  fs_.set_capacity(0);
  EXPECT_FALSE(append_now(*log, std::string(3000, 'x')));  // not tried at every append
  clock_.advance(2 * kMicrosPerSecond);
  const auto healed = append_now(*log, std::string(3000, 'x'));
  ASSERT_TRUE(healed) << healed.error().message;
  EXPECT_GE(*healed, end);
  EXPECT_TRUE(append_now(*log, "x"));
}

TEST_F(LogTest, AFullJournalIsRefusedAndHealsWhenItsRecordsAreReleased) {
  options_.max_bytes = 100'000;
  auto log = must_open();
  const Error error = fill(*log);
  EXPECT_EQ(error.code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(error.slug, "journal-full");
  EXPECT_EQ(error.retry_after_s, 5);
  EXPECT_NE(error.message.find("the journal of this destination is full"), std::string::npos);
  const std::uint64_t most = options_.max_bytes + 12 * 8192;  // indexes may come on top
  EXPECT_LE(log->stats().bytes_on_disk, most);
  EXPECT_FALSE(append_now(*log, "refused at the door"));
  const Position end = log->durable_end();
  log->release(end);
  ASSERT_TRUE(eventually([&] { return append_now(*log, std::string(3000, 'x')).has_value(); }));
  EXPECT_GT(log->stats().begin, 0U);
  // It goes round for ever, within the limit, as long as everything is released.
  for (int i = 0; i < 300; ++i) {
    log->release(log->durable_end());
    ASSERT_TRUE(eventually([&] { return append_now(*log, std::string(3000, 'x')).has_value(); }))
        << i << " with " << log->stats().bytes_on_disk << " bytes from " << log->stats().begin;
    EXPECT_LE(log->stats().bytes_on_disk, most);
  }
  EXPECT_FALSE(log->stats().failed);
}

TEST_F(LogTest, ReleasedSegmentsGoAfterTheirRetentionAndNotBefore) {
  options_.retention_us = 100 * kMicrosPerSecond;
  auto log = must_open();
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(append_now(*log, std::string(1000, 'x')));
  ASSERT_TRUE(eventually([&] { return count_files(".idx") >= 2; }));
  log->release(log->durable_end());
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(log->stats().begin, 0U);
  clock_.advance(101 * kMicrosPerSecond);
  ASSERT_TRUE(append_now(*log, "x"));
  log->release(log->durable_end());
  EXPECT_TRUE(eventually([&] { return log->stats().begin > 10'000; }));
  // A reader of what is gone is told so, and where the log begins; one at the new begin works.
  const auto gone = Reader::open(fs_, kDirectory, log->id(), 0);
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, ErrorCode::kNotFound);
  const Position first = first_position(fs_, kDirectory).value();
  EXPECT_EQ(first, log->stats().begin);
  EXPECT_TRUE(read_all(fs_, kDirectory, log->id(), first, log->durable_end()));
}

TEST_F(LogTest, NothingThatIsNotReleasedGoes) {
  options_.retention_us = 0;
  auto log = must_open();
  for (int i = 0; i < 60; ++i) {
    clock_.advance(kMicrosPerSecond);
    ASSERT_TRUE(append_now(*log, std::string(1000, 'x')));
    if (i == 10) log->release(log->durable_end());
  }
  const auto records = read_all(fs_, kDirectory, log->id(), log->stats().begin, log->durable_end());
  ASSERT_TRUE(records) << records.error().message;
  EXPECT_GE(records->size(), 49U);
}

}  // namespace
}  // namespace sd::journal
