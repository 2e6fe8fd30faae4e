// Ids, pieces and seats, on a log of their own.
#include "api/tail_hub.h"

#include <gtest/gtest.h>

#include <future>

#include "journal/testing/harness.h"

namespace sd::api {
namespace {

using journal::testing::append_now;
using journal::testing::TemporaryDirectory;

TEST(TailId, IsReadAsItIsWritten) {
  const Id128 log = Id128::make();
  const TailCursor cursor{.position = 81920, .rows = 3};
  const std::string text = tail_id(tail_mark(log), cursor);
  const auto id = parse_tail_id(text);
  ASSERT_TRUE(id);
  EXPECT_EQ(id->mark, tail_mark(log));
  EXPECT_EQ(id->cursor, cursor);
  for (const char* bad : {"", "1", "1f0c9a3e", "1f0c9a3e-", "1f0c9a3e-1", "1f0c9a3e-1-",
                          "1f0c9a3e-1-2-", "1f0c9a3e--1-2", "1f0c9a3e-+1-2", "xf0c9a3e-1-2",
                          "1f0c9a3e1-2", "1f0c9a3e-18446744073709551616-0"})
    EXPECT_FALSE(parse_tail_id(bad)) << bad;
}

class TailHubTest : public ::testing::Test {
 protected:
  void SetUp() override {
    options_ = journal::testing::small_segments();
    options_.retention_us = 0;
    auto log = journal::Log::open(posix_file_system(), sync_, system_clock(), directory_ / "log",
                                  options_);
    ASSERT_TRUE(log) << log.error().message;
    log_ = std::move(*log);
    hub_ = std::make_shared<TailHub>(posix_file_system(), log_->directory(), log_->id());
    log_->set_durable_listener(
        [hub = hub_.get()](journal::Position end, std::uint64_t) { hub->on_durable(end); });
  }
  void TearDown() override {
    seats_.clear();
    pool_.join();
  }

  void insert(const std::string& table, std::string_view body) {
    const auto appended =
        append_now(*log_, load::encode_insert_head({.table = table}) + std::string(body));
    ASSERT_TRUE(appended) << appended.error().message;
  }
  TailHub::Seat& sit(const std::string& table, std::size_t most = 100) {
    seats_.push_back(hub_->sit(
        pool_, context_.get_executor(), table, [&] { return log_->durable_end(); }, most));
    return *seats_.back();
  }
  // What the pool had to do is done, the pause between steps included.
  void settle() { std::this_thread::sleep_for(std::chrono::milliseconds(100)); }

  using Found = TailHub::Seat::Found;
  // Every row that there is to take, "a1 a2 ", and how it ended.
  std::string take_all(TailHub::Seat& seat, TailCursor& cursor, Found ends = Found::kNothing) {
    std::string out;
    while (true) {
      std::shared_ptr<const TailPiece> piece;
      const Found found = seat.take(cursor, piece);
      if (found != Found::kPiece) {
        EXPECT_EQ(found, ends);
        return out;
      }
      const std::string_view text = piece->after(cursor).text;
      for (auto at = text.find("\"row\":"); at != std::string_view::npos;
           at = text.find("\"row\":", at + 1)) {
        out += text.substr(at + 6, text.find("}}\n", at) - at - 5);
        out += ' ';
      }
      cursor = piece->end();
    }
  }

  TemporaryDirectory directory_;
  journal::LogOptions options_;
  journal::SyncPool sync_{1};
  std::unique_ptr<journal::Log> log_;
  std::shared_ptr<TailHub> hub_;
  net::thread_pool pool_{1};
  net::io_context context_;
  std::vector<std::unique_ptr<TailHub::Seat>> seats_;
};

TEST_F(TailHubTest, GivesEachSeatTheRowsOfItsTableFromWhereItSatDown) {
  insert("t", R"({"n":0})");
  TailHub::Seat& first = sit("T");
  TailCursor of_first = first.now();
  insert("t", R"([{"n":1},7,{"n":2}])");
  insert("u", R"({"n":3})");
  TailHub::Seat& second = sit("t");
  TailHub::Seat& other = sit("u");
  TailCursor of_second = second.now();
  TailCursor of_other = other.now();
  insert("t", R"({"n":4})");
  insert("u", R"({"n":5})");
  settle();
  EXPECT_EQ(take_all(first, of_first), R"({"n":1} {"n":2} {"n":4} )");
  EXPECT_EQ(take_all(second, of_second), R"({"n":4} )");
  EXPECT_EQ(take_all(other, of_other), R"({"n":5} )");
  EXPECT_EQ(of_first.position, log_->durable_end()) << "what is none of its own lies behind it";
  EXPECT_EQ(take_all(first, of_first), "");
}

TEST_F(TailHubTest, GoesOnInTheMiddleOfAPiece) {
  TailHub::Seat& seat = sit("t");
  TailCursor cursor = seat.now();
  insert("t", R"([{"n":1},{"n":2},{"n":3}])");
  settle();
  cursor.rows = 2;
  EXPECT_EQ(take_all(seat, cursor), R"({"n":3} )");
}

TEST_F(TailHubTest, TellsASeatThatItIsBehindWhatIsKept) {
  TailHub::Seat& seat = sit("t");
  TailCursor cursor = seat.now();
  const std::string row = R"({"n":")" + std::string(100'000, 'x') + "\"}";
  for (int i = 0; i < 20; ++i) {
    insert("t", row);
    settle();
  }
  EXPECT_EQ(take_all(seat, cursor, Found::kBehind), "");
  EXPECT_EQ(cursor, seat.now()) << "where it goes on by itself";
  cursor = {.position = log_->durable_end(), .rows = 0};
  insert("t", R"({"n":1})");
  settle();
  EXPECT_EQ(take_all(seat, cursor), R"({"n":1} )");
}

TEST_F(TailHubTest, BeginsAnewOnceAllHadGone) {
  sit("t");
  insert("t", R"({"n":1})");
  seats_.clear();
  EXPECT_EQ(hub_->seats(), 0U);
  insert("t", R"({"n":2})");
  TailHub::Seat& seat = sit("t");
  TailCursor cursor = seat.now();
  insert("t", R"({"n":3})");
  settle();
  EXPECT_EQ(take_all(seat, cursor), R"({"n":3} )");
}

TEST_F(TailHubTest, SendsSeatsToTheJournalWhereItWasReleasedUnread) {
  std::promise<void> go;
  net::post(pool_, [&] { go.get_future().wait(); });
  TailHub::Seat& seat = sit("t");
  TailCursor cursor = seat.now();
  for (int i = 0; i < 100; ++i) insert("t", R"({"n":")" + std::string(1000, 'x') + "\"}");
  log_->release(log_->durable_end());
  for (int i = 0; i < 1000; ++i) {
    if (*journal::first_position(posix_file_system(), log_->directory()) > 0) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  go.set_value();
  settle();
  EXPECT_EQ(take_all(seat, cursor, Found::kBehind), "");
  cursor = {.position = log_->durable_end(), .rows = 0};
  insert("t", R"({"n":1})");
  settle();
  EXPECT_EQ(take_all(seat, cursor), R"({"n":1} )");
}

TEST_F(TailHubTest, GivesUpWhereTheJournalCannotBeRead) {
  TailHub::Seat& seat = sit("t");
  TailCursor cursor = seat.now();
  ASSERT_TRUE(append_now(*log_, "no record of ours"));
  settle();
  EXPECT_EQ(take_all(seat, cursor, Found::kFailed), "");
}

TEST_F(TailHubTest, HasSoManySeatsAndNoMore) {
  sit("t", 2);
  sit("u", 2);
  EXPECT_EQ(hub_->sit(
                pool_, context_.get_executor(), "t", [] { return 0; }, 2),
            nullptr);
  seats_.pop_back();
  EXPECT_EQ(hub_->seats(), 1U);
  sit("t", 2);
}

}  // namespace
}  // namespace sd::api
