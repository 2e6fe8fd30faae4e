// Random operations against a model, with crashes: what was acknowledged is found exactly once, in
// order, with its exact bytes; what was not is there wholly or not at all, and never comes back.
//
// SD_SEEDS=n runs n seeds, SD_SEED=n that one only.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "base/log.h"
#include "journal/index.h"
#include "journal/testing/harness.h"
#include "journal/testing/memory_fs.h"

namespace sd::journal {
namespace {

using testing::MemoryFileSystem;
using testing::Op;
using testing::OwnedAppend;
using testing::WaitingSink;

enum class Fate { kWaiting, kDurable, kUnknown, kGone };

struct Known {
  std::uint64_t number = 0;
  RecordMeta meta;
  std::string blob;  // its bytes
  std::unique_ptr<OwnedAppend> owned;
  Fate fate = Fate::kWaiting;
  Position position = 0;
  Position end = 0;
};

class Model {
 public:
  explicit Model(std::uint64_t seed) : random_(seed) {
    options_ = testing::small_segments();
    options_.max_bytes = 1 << 20;
    options_.retention_us = random_() % 2 == 0 ? 0 : 10 * kMicrosPerSecond;
  }

  void run(int steps) {
    open();
    for (int i = 0; i < steps && !::testing::Test::HasFatalFailure(); ++i) step();
    if (::testing::Test::HasFatalFailure()) return;
    settle();
    reopen_clean();
  }

 private:
  std::uint64_t below(std::uint64_t n) { return random_() % n; }
  bool chance(unsigned percent) { return below(100) < percent; }

  void step() {
    clock_.advance(static_cast<Micros>(below(2'000'000)));
    if (chance(3)) clock_.set_wall(clock_.wall_us() - 3600 * kMicrosPerSecond);
    switch (below(20)) {
      case 0:
        settle();
        reopen_clean();
        break;
      case 1:
        crash(0.5);
        break;
      case 2:
        crash(1);
        break;
      case 3:
        crash(0);
        break;
      case 4:
        faults_ = true;
        fs_.fail_nth(chance(50) ? Op::kSync : Op::kWrite, 1 + static_cast<int>(below(4)));
        break;
      case 5:
        release();
        break;
      case 6:
        settle();
        break;
      case 7:
      case 8:
        follow();
        break;
      case 9:
        append_blob();
        break;
      case 10:
        abandon_blob();
        break;
      case 11:
        look_up();
        break;
      case 12:
        fs_.set_capacity(chance(50) ? 0 : fs_.used() + below(20'000));
        break;
      case 13:
        settle();
        check_whole();
        break;
      default:
        burst();
        break;
    }
    if (::testing::Test::HasFatalFailure()) return;
    if (log_->stats().failed) {
      ASSERT_TRUE(faults_) << "the log failed by itself";
      crash(chance(50) ? 1 : 0.5);
    }
  }

  std::string body_of(std::uint64_t number, std::size_t size) {
    std::string body = std::to_string(number) + ":";
    std::mt19937_64 bytes(number);
    while (body.size() < size) body += static_cast<char>('a' + bytes() % 26);
    return body;
  }

  std::size_t random_size() {
    const auto kind = below(100);
    if (kind < 70) return below(300);
    if (kind < 97) return below(6000);
    return below(100'000);
  }

  Known& make(std::size_t size) {
    Known known;
    known.number = next_number_++;
    known.owned = testing::make_append(sink_, body_of(known.number, size),
                                       static_cast<std::uint32_t>(below(5)));
    if (chance(30)) known.owned->append.meta.idempotency = {Id128::make(), Id128::make()};
    known.meta = known.owned->append.meta;
    known_.push_back(std::move(known));
    return known_.back();
  }

  void submit(Known& known) {
    if (log_->append(known.owned->append)) {
      ++submitted_;
    } else {
      known.fate = Fate::kGone;
    }
  }

  void burst() {
    const auto count = chance(50) ? 1 : below(20);
    for (std::uint64_t i = 0; i < count; ++i) submit(make(random_size()));
    if (chance(50)) settle();
  }

  // Waits for everything and notes what became of it.
  void settle() {
    sink_.wait(submitted_);
    for (auto at = known_.rbegin(); at != known_.rend() && at->number >= settled_; ++at) {
      if (at->fate != Fate::kWaiting) continue;
      const Append& append = at->owned->append;
      if (append.result) {
        at->fate = Fate::kDurable;
        at->position = append.position;
        at->end = append.end;
      } else if (append.result.error().code == ErrorCode::kInDoubt) {
        at->fate = Fate::kUnknown;
      } else {
        ASSERT_TRUE(append.result.error().code == ErrorCode::kUnavailable ||
                    append.result.error().code == ErrorCode::kResourceExhausted)
            << append.result.error().message;
        at->fate = Fate::kGone;
      }
      at->owned.reset();
    }
    settled_ = next_number_;
  }

  void append_blob() {
    settle();
    auto writer = log_->create_blob();
    if (!writer) return;
    std::string bytes = body_of(next_number_, below(40'000));
    for (std::size_t at = 0; at < bytes.size(); at += 5000) {
      if (!(*writer)->write(std::string_view(bytes).substr(at, 5000))) return;
    }
    auto ref = (*writer)->finish();
    if (!ref) return;
    Known& known = make(10);
    known.owned->append.meta.blob = *ref;
    known.meta.blob = *ref;
    known.blob = std::move(bytes);
    submit(known);
    settle();
    if (known.fate == Fate::kDurable) (*writer)->keep();
  }

  void abandon_blob() {
    auto writer = log_->create_blob();
    if (!writer) return;
    (void)(*writer)->write("nobody will refer to this");
    if (chance(50)) (void)(*writer)->finish();
  }

  void release() {
    settle();
    std::vector<Position> ends;
    for (const auto& known : known_) {
      if (known.fate == Fate::kDurable && known.end > released_) ends.push_back(known.end);
    }
    if (ends.empty()) return;
    released_ = ends[below(ends.size())];
    log_->release(released_);
  }

  void follow() {
    if (!reader_) {
      const Position first = first_position(fs_, kDirectory).value();
      auto reader = Reader::open(fs_, kDirectory, id_, std::max(first, follow_from_));
      if (!reader && reader.error().code == ErrorCode::kNotFound) return;  // retired in between
      ASSERT_TRUE(reader) << reader.error().message;
      reader_ = std::move(*reader);
    }
    const Position end = log_->durable_end();
    Position before = 0;
    while (true) {
      const auto record = reader_->next(end);
      if (!record && record.error().code == ErrorCode::kNotFound) {
        // Retired under us: only what was released may be.
        EXPECT_LT(reader_->position(), released_);
        reader_.reset();
        follow_from_ = 0;
        return;
      }
      ASSERT_TRUE(record) << record.error().message;
      if (!*record) break;
      EXPECT_GE((*record)->position, before);
      before = (*record)->end;
      check_bytes(**record);
    }
    follow_from_ = reader_->position();
  }

  Known* find(std::string_view payload) {
    const auto number = std::strtoull(std::string(payload.substr(0, 20)).c_str(), nullptr, 10);
    if (number >= known_.size()) return nullptr;
    return &known_[number];
  }

  void check_bytes(const RecordView& record) {
    const Known* known = find(record.payload);
    ASSERT_NE(known, nullptr);
    EXPECT_EQ(record.payload, body_of(known->number, record.payload.size()));
    EXPECT_EQ(record.meta.rows, known->meta.rows);
    EXPECT_EQ(record.meta.receipt, known->meta.receipt);
    EXPECT_EQ(record.meta.idempotency.has_value(), known->meta.idempotency.has_value());
    ASSERT_NE(known->fate, Fate::kGone) << "a record came back: " << known->number;
  }

  void look_up() {
    settle();
    if (known_.empty()) return;
    for (int i = 0; i < 5; ++i) {
      const Known& known = known_[below(known_.size())];
      const auto by_receipt = log_->index().find_receipt(known.meta.receipt);
      ASSERT_TRUE(by_receipt) << by_receipt.error().message;
      expect_found(known, by_receipt->has_value());
      if (*by_receipt) {
        EXPECT_EQ((*by_receipt)->position, known.position);
      }
      if (!known.meta.idempotency) continue;
      const auto by_key = log_->index().find_idempotency(known.meta.idempotency->key);
      ASSERT_TRUE(by_key) << by_key.error().message;
      expect_found(known, by_key->has_value());
      if (!*by_key) continue;
      EXPECT_EQ((*by_key)->receipt, known.meta.receipt);
      EXPECT_EQ((*by_key)->idempotency->body, known.meta.idempotency->body);
    }
  }

  // The index of a retired segment may go when space is needed.
  void expect_found(const Known& known, bool found) {
    if (found || known.end > log_->stats().begin) {
      EXPECT_EQ(found, known.fate == Fate::kDurable) << known.number;
    }
  }

  void open() {
    auto log = Log::open(fs_, pool_, clock_, kDirectory, options_);
    if (!log) {
      // A fault or a full disk may hit the opening itself; the next one finds everything.
      ASSERT_NE(log.error().code, ErrorCode::kCorruption) << log.error().message;
      fs_.clear_faults();
      faults_ = false;
      fs_.set_capacity(0);
      log = Log::open(fs_, pool_, clock_, kDirectory, options_);
    }
    ASSERT_TRUE(log) << log.error().message;
    log_ = std::move(*log);
    if (id_.is_zero()) id_ = log_->id();
    ASSERT_EQ(log_->id(), id_);
    log_->release(released_);
  }

  void reopen_clean() {
    reader_.reset();
    (void)log_->close();
    log_.reset();
    open();
    if (::testing::Test::HasFatalFailure()) return;
    check_whole();
  }

  // keep: share of what is not synced that survives; 1: only the process died.
  void crash(double keep) {
    fs_.power_off();
    settle();
    reader_.reset();
    log_.reset();
    fs_.clear_faults();
    faults_ = false;
    fs_.set_capacity(0);
    fs_.power_on(random_, keep);
    open();
    if (::testing::Test::HasFatalFailure()) return;
    check_whole();
    if (chance(20)) {  // twice in a row: what recovery decided stays decided
      fs_.power_off();
      log_.reset();
      fs_.power_on(random_, chance(50) ? 0 : 0.5);
      open();
      if (::testing::Test::HasFatalFailure()) return;
      check_whole();
    }
  }

  struct Seen {
    RecordView view;
    std::string payload;
  };

  // All that can be read, from which position on. Segments may be retired meanwhile: then once
  // more.
  void read_whole(Position& begin, std::vector<Seen>& seen) {
    for (int attempt = 0; attempt < 100; ++attempt) {
      seen.clear();
      begin = first_position(fs_, kDirectory).value();
      auto reader = Reader::open(fs_, kDirectory, id_, begin);
      ErrorCode code = reader ? ErrorCode::kInternal : reader.error().code;
      while (reader) {
        const auto record = (*reader)->next(log_->durable_end());
        if (record && !*record) return;
        if (record) {
          seen.push_back({**record, std::string((*record)->payload)});
          seen.back().view.payload = {};
          continue;
        }
        code = record.error().code;
        ASSERT_EQ(code, ErrorCode::kNotFound) << record.error().message;
        break;
      }
      ASSERT_EQ(code, ErrorCode::kNotFound);
    }
    FAIL() << "retired again and again";
  }

  // Reads everything. On a log that has not failed since it was opened this settles the fate of
  // what was unknown; on a failed one that is open until it is opened again.
  void check_whole() {
    Position begin = 0;
    std::vector<Seen> seen;
    read_whole(begin, seen);
    if (::testing::Test::HasFatalFailure()) return;
    ASSERT_LE(begin, released_);
    auto at = known_.begin();
    std::optional<std::uint64_t> rows;
    Micros time = 0;
    for (Seen& one : seen) {
      one.view.payload = one.payload;
      check_bytes(one.view);
      if (::testing::Test::HasFatalFailure()) return;
      const Known* known = find(one.payload);
      for (; at != known_.end() && at->number < known->number; ++at) not_found(*at, begin);
      ASSERT_NE(at, known_.end()) << "out of order or twice: " << known->number;
      ASSERT_EQ(at->number, known->number) << "out of order or twice";
      if (at->fate == Fate::kUnknown) {
        at->fate = Fate::kDurable;
        at->position = one.view.position;
        at->end = one.view.end;
      }
      ASSERT_EQ(at->position, one.view.position);
      if (rows) {
        ASSERT_EQ(*rows, one.view.rows_before);
      }
      rows = one.view.rows_before + one.view.meta.rows;
      ASSERT_GE(one.view.time_us, time);
      time = one.view.time_us;
      check_blob(*at);
      ++at;
    }
    for (; at != known_.end(); ++at) not_found(*at, begin);
    if (rows) {
      ASSERT_EQ(*rows, log_->stats().rows_durable);
    }
  }

  void not_found(Known& known, Position begin) {
    if (known.fate == Fate::kDurable) {
      ASSERT_LE(known.end, begin) << "an acknowledged record is lost: " << known.number;
    } else if (known.fate == Fate::kUnknown && !log_->stats().failed) {
      known.fate = Fate::kGone;
    }
  }

  void check_blob(const Known& known) {
    if (!known.meta.blob) return;
    auto reader = BlobReader::open(fs_, kDirectory, *known.meta.blob);
    // Retired since it was read.
    if (!reader && known.end <= log_->stats().begin) return;
    ASSERT_TRUE(reader) << reader.error().message;
    std::string bytes(known.blob.size() + 1, '\0');
    const auto got = (*reader)->read(bytes);
    ASSERT_TRUE(got) << got.error().message;
    bytes.resize(*got);
    ASSERT_EQ(bytes, known.blob);
  }

  static constexpr const char* kDirectory = "log";
  std::mt19937_64 random_;
  MemoryFileSystem fs_;
  ManualClock clock_;
  SyncPool pool_{2};
  LogOptions options_;
  WaitingSink sink_;
  std::unique_ptr<Log> log_;
  std::unique_ptr<Reader> reader_;
  Position follow_from_ = 0;
  Id128 id_;
  std::deque<Known> known_;  // by number
  std::uint64_t next_number_ = 0;
  std::uint64_t settled_ = 0;
  std::size_t submitted_ = 0;
  Position released_ = 0;
  bool faults_ = false;  // a failing call was ordered
};

TEST(JournalModel, AcknowledgedRecordsSurviveEverythingInOrderAndOnce) {
  log::configure(log::Level::kOff, log::Format::kConsole, "test");  // failures are what it is about
  if (const char* one = std::getenv("SD_SEED")) {
    Model(std::strtoull(one, nullptr, 10)).run(120);
    return;
  }
  const char* wanted = std::getenv("SD_SEEDS");
  const std::uint64_t seeds = wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : 40;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    SCOPED_TRACE("SD_SEED=" + std::to_string(seed));
    Model(seed).run(120);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace sd::journal
