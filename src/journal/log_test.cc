// The log's promises one by one: order, group commit, one owner, failures, limits, readers, many
// logs.
#include "journal/log.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/log.h"
#include "journal/index.h"
#include "journal/reader.h"
#include "journal/testing/harness.h"
#include "journal/testing/memory_fs.h"

namespace sd::journal {
namespace {

using testing::append_now;
using testing::make_append;
using testing::MemoryFileSystem;
using testing::Op;
using testing::OwnedAppend;
using testing::payloads;
using testing::read_all;
using testing::TemporaryDirectory;
using testing::WaitingSink;

constexpr const char* kDirectory = "log";

class LogTest : public ::testing::Test {
 protected:
  LogTest() { log::configure(log::Level::kOff, log::Format::kConsole, "test"); }

  Result<std::unique_ptr<Log>> open() {
    return Log::open(fs_, pool_, clock_, kDirectory, options_);
  }
  std::unique_ptr<Log> must_open() {
    auto log = open();
    EXPECT_TRUE(log) << log.error().message;
    return log ? std::move(*log) : nullptr;
  }
  std::size_t count_files(std::string_view suffix) {
    std::size_t count = 0;
    const auto names = fs_.list(kDirectory).value();
    for (const auto& name : names) count += name.ends_with(suffix) ? 1 : 0;
    return count;
  }
  // Fills the log until it refuses; returns the error.
  Error fill(Log& log, std::size_t size = 3000) {
    for (int i = 0; i < 10'000; ++i) {
      const auto done = append_now(log, std::string(size, 'f'));
      if (!done) return done.error();
    }
    ADD_FAILURE() << "never full";
    return {};
  }
  // Housekeeping runs on the pool.
  template <typename Condition>
  bool eventually(Condition condition) {
    for (int i = 0; i < 2000; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return false;
  }

  // Until housekeeping has nothing left to write: an ordered failure must hit what the test does.
  void quiet() {
    for (std::uint64_t before = ~0ULL, now = 0; before != now;) {
      before = now;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      now = fs_.calls(Op::kWrite) + fs_.calls(Op::kSync) + fs_.calls(Op::kSyncDirectory);
    }
  }

  MemoryFileSystem fs_;
  ManualClock clock_;
  SyncPool pool_{2};
  LogOptions options_ = testing::small_segments();
};

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

TEST_F(LogTest, ReceiptsAndKeysAreFoundAcrossSealingRetirementAndRestart) {
  options_.retention_us = 0;
  auto log = must_open();
  struct One {
    RecordMeta meta;
    Position position;
  };
  std::vector<One> ones;
  const auto check = [&] {
    for (const One& one : ones) {
      const auto by_receipt = log->index().find_receipt(one.meta.receipt);
      ASSERT_TRUE(by_receipt && *by_receipt);
      EXPECT_EQ((*by_receipt)->position, one.position);
      EXPECT_EQ((*by_receipt)->rows, one.meta.rows);
      const auto by_key = log->index().find_idempotency(one.meta.idempotency->key);
      ASSERT_TRUE(by_key && *by_key);
      EXPECT_EQ((*by_key)->position, one.position);
      EXPECT_EQ((*by_key)->receipt, one.meta.receipt);
      EXPECT_EQ((*by_key)->idempotency->body, one.meta.idempotency->body);
    }
    EXPECT_FALSE(*log->index().find_receipt(Id128::make()));
    EXPECT_FALSE(*log->index().find_idempotency(Id128::make()));
  };
  for (std::uint32_t i = 0; i < 900; ++i) {
    clock_.advance(1000);
    WaitingSink sink;
    auto owned = make_append(sink, std::string(i % 300, 'x'), i);
    owned->append.meta.idempotency = {Id128::make(), Id128::make()};
    ASSERT_TRUE(log->append(owned->append));
    sink.wait(1);
    ones.push_back({owned->append.meta, owned->append.position});
    if (i % 300 == 299) check();
  }
  log->release(log->durable_end());
  ASSERT_TRUE(eventually([&] { return log->stats().begin > 100'000; }));
  check();
  ASSERT_TRUE(log->close());
  log = must_open();
  check();
}

TEST_F(LogTest, TheLatestRecordOfAKeyIsFound) {
  auto log = must_open();
  const Id128 key = Id128::make();
  Position last = 0;
  for (int i = 0; i < 200; ++i) {
    WaitingSink sink;
    auto owned = make_append(sink, std::string(200, 'x'));
    owned->append.meta.idempotency = {key, Id128::make()};
    ASSERT_TRUE(log->append(owned->append));
    sink.wait(1);
    last = owned->append.position;
    const auto found = log->index().find_idempotency(key);
    ASSERT_TRUE(found && *found);
    ASSERT_EQ((*found)->position, last);
  }
  EXPECT_FALSE(log->index().find_idempotency(Id128::make())->has_value());
}

TEST_F(LogTest, IndexesGoAfterTheirOwnRetention) {
  options_.retention_us = 0;
  options_.index_retention_us = 1000 * kMicrosPerSecond;
  auto log = must_open();
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(append_now(*log, std::string(1000, 'x')));
  clock_.advance(10 * kMicrosPerSecond);
  log->release(log->durable_end());
  ASSERT_TRUE(eventually([&] { return log->stats().begin > 0; }));
  EXPECT_GE(count_files(".idx"), 2U);
  ASSERT_TRUE(append_now(*log, "x"));
  clock_.advance(1001 * kMicrosPerSecond);
  log->release(log->durable_end());
  EXPECT_TRUE(eventually([&] { return count_files(".idx") <= 1; }));
}

TEST_F(LogTest, ABlobIsReadBackAndGoesWithItsRecord) {
  options_.retention_us = 0;
  auto log = must_open();
  std::string bytes;
  for (int i = 0; i < 50'000; ++i) bytes += std::to_string(i);
  BlobRef ref;
  {
    auto writer = log->create_blob();
    ASSERT_TRUE(writer) << writer.error().message;
    for (std::size_t at = 0; at < bytes.size(); at += 7777) {
      ASSERT_TRUE((*writer)->write(std::string_view(bytes).substr(at, 7777)));
    }
    ref = (*writer)->finish().value();
    EXPECT_EQ(ref.length, bytes.size());
    WaitingSink sink;
    auto owned = make_append(sink, "refers to it");
    owned->append.meta.blob = ref;
    ASSERT_TRUE(log->append(owned->append));
    sink.wait(1);
    (*writer)->keep();
  }
  {
    auto dropped = log->create_blob();
    ASSERT_TRUE((*dropped)->write("never referred to"));
  }
  const auto blobs = [&] { return fs_.list(std::string(kDirectory) + "/blobs").value().size(); };
  EXPECT_EQ(blobs(), 1U);
  log.reset();
  fs_.set_contents(std::string(kDirectory) + "/blobs/" + Id128::make().to_string() + ".blob",
                   "orphan");
  log = must_open();
  EXPECT_EQ(blobs(), 1U);

  const auto read = [&](std::string& out) -> Result<> {
    TRY_ASSIGN(auto reader, BlobReader::open(fs_, kDirectory, ref));
    std::array<char, 5000> piece;
    while (true) {
      TRY_ASSIGN(const std::size_t n, reader->read(piece));
      out.append(piece.data(), n);
      if (n < piece.size()) return {};
    }
  };
  std::string got;
  ASSERT_TRUE(read(got));
  EXPECT_EQ(got, bytes);
  const std::string path = std::string(kDirectory) + "/blobs/" + ref.id.to_string() + ".blob";
  std::string flipped = bytes;
  flipped[1000] ^= 1;
  for (const std::string& damaged : {flipped, bytes.substr(1), bytes + "x"}) {
    fs_.set_contents(path, damaged);
    got.clear();
    const auto result = read(got);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::kCorruption);
  }
  fs_.set_contents(path, bytes);

  for (int i = 0; i < 30; ++i) ASSERT_TRUE(append_now(*log, std::string(1000, 'x')));
  clock_.advance(kMicrosPerSecond);
  log->release(log->durable_end());
  EXPECT_TRUE(eventually([&] { return blobs() == 0; }));
}

TEST_F(LogTest, ABlobThatARecordRefersToMustBeThere) {
  auto log = must_open();
  auto writer = log->create_blob();
  ASSERT_TRUE((*writer)->write("bytes"));
  const BlobRef ref = (*writer)->finish().value();
  WaitingSink sink;
  auto owned = make_append(sink, "refers to it");
  owned->append.meta.blob = ref;
  ASSERT_TRUE(log->append(owned->append));
  sink.wait(1);
  writer->reset();  // without keep(): a durable record protects it
  const std::string path = std::string(kDirectory) + "/blobs/" + ref.id.to_string() + ".blob";
  EXPECT_TRUE(fs_.exists(path).value());
  ASSERT_TRUE(log->close());
  ASSERT_TRUE(fs_.remove(path));
  const auto opened = open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kCorruption);
}

TEST_F(LogTest, BlobsCountAgainstTheLimit) {
  options_.max_bytes = 100'000;
  auto log = must_open();
  auto writer = log->create_blob();
  ASSERT_TRUE(writer);
  Result<> written;
  std::size_t size = 0;
  while (size < 200'000 && (written = (*writer)->write(std::string(1000, 'b')))) size += 1000;
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().slug, "journal-full");
  EXPECT_LE(log->stats().bytes_on_disk, options_.max_bytes);
  writer->reset();
  EXPECT_LT(log->stats().bytes_on_disk, 20'000U);
}

TEST_F(LogTest, ARecordLargerThanASegmentGetsOneOfItsSize) {
  auto log = must_open();
  std::vector<std::string> bodies{"small", std::string(100'000, 'L'), "after",
                                  std::string(31'000, 'M')};
  for (const auto& body : bodies) ASSERT_TRUE(append_now(*log, body));
  EXPECT_EQ(payloads(*read_all(fs_, kDirectory, log->id(), 0, log->durable_end())), bodies);
  const auto over = append_now(*log, std::string(options_.max_record_bytes + 1, 'x'));
  ASSERT_FALSE(over);
  EXPECT_EQ(over.error().code, ErrorCode::kInvalidArgument);
}

TEST_F(LogTest, AppendsAfterClosingAreRefused) {
  auto log = must_open();
  ASSERT_TRUE(append_now(*log, "x"));
  ASSERT_TRUE(log->close());
  ASSERT_TRUE(log->close());
  const auto late = append_now(*log, "y");
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::kUnavailable);
}

TEST_F(LogTest, OpeningAndClosingWithoutAppendsLeavesNoTrail) {
  {
    auto log = must_open();
    ASSERT_TRUE(append_now(*log, "x"));
  }
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(must_open()->close());
  EXPECT_EQ(count_files(".seg"), 1U);
}

TEST_F(LogTest, AReaderOfAnotherLogIsRefused) {
  auto log = must_open();
  const auto reader = Reader::open(fs_, kDirectory, Id128::make(), 0);
  ASSERT_FALSE(reader);
  EXPECT_EQ(reader.error().code, ErrorCode::kInvalidArgument);
}

TEST_F(LogTest, AReaderFollowsWhileTheLogGrows) {
  auto log = must_open();
  constexpr int kRecords = 3000;
  std::atomic<bool> stop{false};
  std::vector<std::string> seen;
  std::thread follower([&] {
    auto reader = Reader::open(fs_, kDirectory, log->id(), 0);
    ASSERT_TRUE(reader);
    while (true) {
      const bool last = stop;
      while (true) {
        const auto record = (*reader)->next(log->durable_end());
        ASSERT_TRUE(record) << record.error().message;
        if (!*record) break;
        seen.emplace_back((*record)->payload);
      }
      if (last) return;
      std::this_thread::yield();
    }
  });
  WaitingSink sink;
  std::vector<std::string> bodies;
  std::vector<std::unique_ptr<OwnedAppend>> appends;
  for (int i = 0; i < kRecords; ++i) {
    bodies.push_back("record " + std::to_string(i) +
                     std::string(static_cast<std::size_t>(i) % 400, 'x'));
    appends.push_back(make_append(sink, bodies.back()));
    ASSERT_TRUE(log->append(appends.back()->append));
    if (i % 50 == 0) sink.wait(static_cast<std::size_t>(i));
  }
  sink.wait(kRecords);
  stop = true;
  follower.join();
  EXPECT_EQ(seen, bodies);
}

TEST_F(LogTest, ManyLogsShareOnePool) {
  constexpr std::size_t kLogs = 64;
  constexpr std::size_t kAppends = 50;
  std::vector<std::unique_ptr<Log>> logs;
  for (std::size_t i = 0; i < kLogs; ++i) {
    auto log = Log::open(fs_, pool_, clock_, "many/" + std::to_string(i), options_);
    ASSERT_TRUE(log) << log.error().message;
    logs.push_back(std::move(*log));
  }
  WaitingSink sink;
  std::vector<std::unique_ptr<OwnedAppend>> appends;
  for (std::size_t n = 0; n < kAppends; ++n) {
    for (std::size_t i = 0; i < kLogs; ++i) {
      appends.push_back(make_append(sink, std::to_string(i) + "/" + std::to_string(n)));
      ASSERT_TRUE(logs[i]->append(appends.back()->append));
    }
  }
  sink.wait(kLogs * kAppends);
  for (std::size_t i = 0; i < kLogs; ++i) {
    const auto records =
        read_all(fs_, "many/" + std::to_string(i), logs[i]->id(), 0, logs[i]->durable_end());
    ASSERT_TRUE(records);
    ASSERT_EQ(records->size(), kAppends);
    for (std::size_t n = 0; n < kAppends; ++n) {
      EXPECT_EQ((*records)[n].payload, std::to_string(i) + "/" + std::to_string(n));
    }
  }
}

}  // namespace
}  // namespace sd::journal
