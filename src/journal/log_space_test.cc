// The log over time: indexes, blobs, readers, many logs.
#include "journal/log.h"
#include "journal/testing/log_fixture.h"

namespace sd::journal {
namespace {

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

// Blobs hang on their segment, and the one that is written to never fills up with blob records alone.
TEST_F(LogTest, BlobsThatAreLoadedMakeRoomForTheNextOnes) {
  options_.max_bytes = 4'000'000;
  options_.retention_us = 3600 * kMicrosPerSecond;
  auto log = must_open();
  for (int i = 0; i < 30; ++i) {
    auto writer = log->create_blob();
    ASSERT_TRUE(writer) << writer.error().message;
    const auto written = (*writer)->write(std::string(i % 2 == 0 ? 1'200'000 : 2'300'000, 'b'));
    ASSERT_TRUE(written) << "blob " << i << ": " << written.error().message;
    WaitingSink sink;
    auto owned = make_append(sink, "refers to it");
    owned->append.meta.blob = (*writer)->finish().value();
    ASSERT_TRUE(log->append(owned->append));
    sink.wait(1);
    ASSERT_TRUE(owned->append.result) << owned->append.result.error().message;
    (*writer)->keep();
    log->release(log->durable_end());
    if (i == 20) {
      log.reset();
      log = must_open();
      log->release(log->durable_end());
    }
  }
  // The index of a segment is written whatever the limit says: without it nothing could be freed.
  EXPECT_LE(log->stats().bytes_on_disk, options_.max_bytes + 65'536);
}

TEST_F(LogTest, AQuietLogLetsGoOfWhatHasReachedItsAge) {
  options_.retention_us = kMicrosPerSecond;
  auto log = must_open();
  auto writer = log->create_blob();
  ASSERT_TRUE((*writer)->write(std::string(5000, 'b')));
  WaitingSink sink;
  auto owned = make_append(sink, "refers to it");
  owned->append.meta.blob = (*writer)->finish().value();
  ASSERT_TRUE(log->append(owned->append));
  sink.wait(1);
  (*writer)->keep();
  log->release(log->durable_end());
  const auto blobs = [&] { return fs_.list(std::string(kDirectory) + "/blobs").value().size(); };
  log->tidy();
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_EQ(blobs(), 1U) << "not old enough";
  clock_.advance(3 * kMicrosPerSecond);
  EXPECT_TRUE(eventually([&] {
    log->tidy();
    return blobs() == 0;
  }));
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
