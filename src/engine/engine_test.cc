// The pool with real engine processes: this test program serves as the engine's executable too.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <thread>

#include "destinations/duckdb/duckdb_destination.h"
#include "engine/child.h"
#include "engine/pool.h"
#include "journal/testing/harness.h"
#include "load/record.h"

namespace sd::engine {
namespace {

using journal::testing::TemporaryDirectory;
using journal::testing::WaitingSink;
using std::chrono::milliseconds;
using std::chrono::seconds;

std::string own_path() {
  char buffer[4096];
  const ssize_t n = ::readlink("/proc/self/exe", buffer, sizeof buffer);
  return {buffer, static_cast<std::size_t>(n)};
}

class TestSource final : public Source {
 public:
  TestSource(journal::Log& log, const std::string& directory)
      : folder(directory), log_(log), directory_(directory) {}
  StartMessage start_message() const override {
    StartMessage m;
    m.destination_id = "d";
    m.destination_name = "test";
    m.type = "duckdb";
    m.data_file = directory_ + "/data.duckdb";
    m.temp_directory = directory_ + "/tmp";
    m.log_directory = log_.directory();
    m.log_id = log_.id();
    m.threads = 1;
    m.load_after_ms = load_after_ms;
    m.log_level = "error";
    m.settings = settings;
    m.folder = folder;
    // LeakSanitizer, at the end of an engine, is what the sandbox forbids.
    m.sandbox = sandbox;
    m.floor = state().position;
    return m;
  }
  std::uint64_t durable_end() const override { return log_.durable_end(); }
  void applied(const destinations::LoadState& state,
               const destinations::RowsByTable& /*refused*/) override {
    const std::lock_guard lock(mutex_);
    if (settings.empty()) {
      EXPECT_GE(state.position, state_.position) << "an applied position never goes back";
    }
    if (state.position > state_.position) state_ = state;
  }
  destinations::LoadState state() const {
    const std::lock_guard lock(mutex_);
    return state_;
  }
  std::uint64_t load_after_ms = 50;
  bool sandbox = false;
  std::string folder;
  std::vector<std::pair<std::string, std::string>> settings;
  std::optional<Error> cannot_start() const override {
    const std::lock_guard lock(mutex_);
    return cannot_;
  }
  void let_start(std::optional<Error> why_not) {
    const std::lock_guard lock(mutex_);
    cannot_ = std::move(why_not);
  }

 private:
  journal::Log& log_;
  const std::string directory_;
  mutable std::mutex mutex_;
  destinations::LoadState state_;
  std::optional<Error> cannot_;
};

struct Answer {
  std::string body;
  bool started = false;
  bool fresh = false;
  Result<std::uint64_t> end = std::uint64_t{0};
};

class EngineTest : public testing::Test {
 protected:
  void SetUp() override {
    auto log =
        journal::Log::open(posix_file_system(), sync_pool_, system_clock(), directory_ / "log", {});
    ASSERT_TRUE(log) << log.error().message;
    log_ = std::move(*log);
    source_ = std::make_shared<TestSource>(*log_, directory_ / "");
    open_pool({});
  }
  void open_pool(PoolOptions options) {
    options.executable = own_path();
    pool_ = std::make_unique<Pool>(options, metrics_);
    log_->set_durable_listener(
        [this](journal::Position, std::uint64_t) { pool_->notify_durable("d"); });
    pool_->add("d", source_, false);
  }
  void TearDown() override {
    log_->set_durable_listener({});
    pool_.reset();
  }

  journal::Position insert(const std::string& table, const std::string& body,
                           std::uint32_t rows = 1) {
    journal::Append append;
    append.meta.rows = rows;
    append.meta.receipt = Id128::make();
    const std::string head = load::encode_insert_head({.table = table});
    append.head = head;
    append.body = body;
    WaitingSink sink;
    append.sink = &sink;
    EXPECT_TRUE(log_->append(append));
    sink.wait(1);
    EXPECT_TRUE(append.result);
    return append.end;
  }

  // Runs a query; `between` is called when the result has begun.
  Answer query(QueryRequest request, const std::function<void(std::uint64_t)>& between = {}) {
    int pipe[2];
    EXPECT_EQ(::pipe2(pipe, O_CLOEXEC), 0);
    Answer answer;
    std::promise<void> started, ended;
    request.position = request.position == 0 ? log_->durable_end() : request.position;
    if (request.format == query::Format::kJson) request.format = query::Format::kCsv;
    const std::uint64_t id = pool_->query("d", request, UniqueFd(pipe[1]),
                                          {.on_started =
                                               [&](const QueryStarted& s) {
                                                 answer.started = true;
                                                 answer.fresh = s.fresh;
                                                 started.set_value();
                                               },
                                           .on_end =
                                               [&](Result<std::uint64_t> rows) {
                                                 answer.end = std::move(rows);
                                                 if (!answer.started) started.set_value();
                                                 ended.set_value();
                                               }});
    if (between) {
      started.get_future().wait();
      between(id);
    }
    char buffer[65536];
    // NOLINTNEXTLINE(clang-analyzer-unix.BlockInCriticalSection)
    for (ssize_t n; (n = ::read(pipe[0], buffer, sizeof buffer)) > 0;) {
      answer.body.append(buffer, static_cast<std::size_t>(n));
    }
    ::close(pipe[0]);
    EXPECT_EQ(ended.get_future().wait_for(seconds(30)), std::future_status::ready);
    return answer;
  }
  std::string csv(const std::string& sql) {
    const Answer answer = query({.sql = sql});
    return answer.end ? answer.body : "error " + answer.end.error().message;
  }
  int pid() {
    for (int i = 0; i < 200; ++i) {
      for (const EngineInfo& info : pool_->info()) {
        if (info.pid > 0) return info.pid;
      }
      std::this_thread::sleep_for(milliseconds(20));
    }
    return 0;
  }
  bool becomes(const std::function<bool()>& condition) {
    for (int i = 0; i < 500; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(milliseconds(20));
    }
    return false;
  }

  TemporaryDirectory directory_;
  journal::SyncPool sync_pool_{2};
  metrics::Registry metrics_;
  std::unique_ptr<journal::Log> log_;
  std::shared_ptr<TestSource> source_;
  std::unique_ptr<Pool> pool_;
};

TEST_F(EngineTest, AQuerySeesEveryRowThatWasAcknowledgedBeforeIt) {
  for (int i = 1; i <= 30; ++i) {
    insert("t", "{\"n\":" + std::to_string(i) + "}");
    EXPECT_EQ(csv("SELECT count(*) AS c FROM t"), "c\n" + std::to_string(i) + "\n");
  }
}

TEST_F(EngineTest, ADestinationForWhichNoEngineCanBeStartedSaysWhyAndStartsNone) {
  using Health = EngineInfo::Health;
  source_->let_start(Error{.code = ErrorCode::kUnavailable, .message = "its secret is missing"});
  insert("t", R"({"n":1})");
  EXPECT_EQ(csv("FROM t"), "error its secret is missing");
  ASSERT_TRUE(becomes([&] {
    const auto all = pool_->info();
    return all.size() == 1 && all[0].health == Health::kFailing && all[0].pid == 0 &&
           all[0].failure->message == "its secret is missing";
  }));
  // As where its settings have changed: the same destination with another source.
  source_->let_start({});
  pool_->add("d", source_, true);
  EXPECT_EQ(csv("SELECT count(*) AS c FROM t"), "c\n1\n");
  EXPECT_TRUE(becomes([&] {
    const auto all = pool_->info();
    return all.size() == 1 && all[0].health == Health::kReady && !all[0].failure;
  }));
}

TEST_F(EngineTest, AProbeOpensADatabaseAndLeavesNothingOfOursInIt) {
  StartMessage message = source_->start_message();
  message.data_file = directory_ / "probed.duckdb";
  const auto probed = [&](milliseconds limit = seconds(20)) {
    std::promise<Result<>> promise;
    pool_->probe(message, limit, [&](const Result<>& result) { promise.set_value(result); });
    return promise.get_future().get();
  };
  const auto made = probed();
  ASSERT_TRUE(made) << made.error().message;
  ASSERT_TRUE(std::filesystem::exists(message.data_file));
  const auto size = std::filesystem::file_size(message.data_file);
  message.read_only = true;
  EXPECT_TRUE(probed());
  EXPECT_EQ(std::filesystem::file_size(message.data_file), size);
  std::ofstream(message.data_file, std::ios::trunc) << std::string(20'000, 'x');
  EXPECT_EQ(probed().error().message, "the file is not a DuckDB database");
  EXPECT_EQ(probed(milliseconds(0)).error().code, ErrorCode::kDeadlineExceeded);
}

TEST_F(EngineTest, AProbeThatNobodyWaitsForEnds) {
  StartMessage message = source_->start_message();
  message.data_file = directory_ / "probed.duckdb";
  std::promise<Result<>> promise;
  const std::uint64_t id = pool_->probe(message, seconds(20),
                                        [&](const Result<>& result) { promise.set_value(result); });
  pool_->forget_probe(id);
  EXPECT_EQ(promise.get_future().get().error().code, ErrorCode::kCancelled);
}

TEST_F(EngineTest, RowsThatNobodyReadsAreLoadedByAge) {
  const auto end = insert("t", R"({"n":1})");
  EXPECT_TRUE(becomes([&] { return source_->state().position >= end; }));
}

TEST_F(EngineTest, WaitsGoOnWhenTheEngineIsKilled) {
  insert("t", R"({"n":1})");
  EXPECT_EQ(csv("SELECT n FROM t"), "n\n1\n");
  for (int round = 0; round < 5; ++round) {
    const int engine = pid();
    const auto end = insert("t", R"({"n":2})");
    std::promise<void> applied;
    pool_->wait_applied("d", end, [&](const destinations::LoadState&) { applied.set_value(); });
    ::kill(engine, SIGKILL);
    EXPECT_EQ(applied.get_future().wait_for(seconds(20)), std::future_status::ready);
    EXPECT_TRUE(becomes([&] { return pid() != engine; }));
  }
  EXPECT_TRUE(becomes([&] { return csv("SELECT count(*) AS c FROM t") == "c\n6\n"; }));
}

TEST_F(EngineTest, ErrorsComeBeforeTheFirstRow) {
  const Answer answer = query({.sql = "SELECT * FROM nothing"});
  EXPECT_FALSE(answer.started);
  ASSERT_FALSE(answer.end);
  EXPECT_EQ(answer.end.error().effective_status(), 400);
  EXPECT_NE(answer.end.error().message.find("nothing does not exist"), std::string::npos);
  EXPECT_FALSE(query({.sql = "DROP TABLE x"}).end);
  EXPECT_FALSE(query({.sql = "SELECT 1; SELECT 2"}).end);
}

TEST_F(EngineTest, AQueryOverItsTimeIsInterrupted) {
  const auto began = std::chrono::steady_clock::now();
  const Answer answer =
      query({.sql = "SELECT count(*) FROM range(1000000000) a, range(1000000000) b",
             .timeout = milliseconds(300)});
  ASSERT_FALSE(answer.end);
  EXPECT_EQ(answer.end.error().code, ErrorCode::kDeadlineExceeded);
  EXPECT_LT(std::chrono::steady_clock::now() - began, seconds(15));
}

// levenshtein() ignores an interrupt: the engine ends itself, and nothing that was visible is lost.
TEST_F(EngineTest, AQueryThatCannotBeStoppedCostsTheEngineAndNoRow) {
  insert("t", R"({"n":1})");
  EXPECT_EQ(csv("SELECT n FROM t"), "n\n1\n");
  const int engine = pid();
  insert("t", R"({"n":2})");
  const Answer answer =
      query({.sql = "SELECT levenshtein(repeat('x', 300000), repeat('y', 300000)) AS l",
             .timeout = milliseconds(50)});
  ASSERT_FALSE(answer.end);
  EXPECT_EQ(answer.end.error().code, ErrorCode::kDeadlineExceeded) << answer.end.error().message;
  EXPECT_TRUE(becomes([&] { return csv("SELECT n FROM t ORDER BY n") == "n\n1\n2\n"; }));
  (void)engine;
}

TEST_F(EngineTest, CancellingEndsAQueryAndOthersGoOn) {
  const Answer answer = query({.sql = "SELECT i, repeat('x', 1000) FROM range(100000000) r(i)"},
                              [&](std::uint64_t id) { pool_->cancel(id); });
  EXPECT_TRUE(answer.started);
  ASSERT_FALSE(answer.end);
  EXPECT_EQ(answer.end.error().code, ErrorCode::kCancelled);
  EXPECT_EQ(csv("SELECT 1 AS one"), "one\n1\n");
}

TEST_F(EngineTest, StoppingLeavesAFileWithEveryRowAndNoLogBesideIt) {
  for (int i = 0; i < 100; ++i) insert("t", "{\"n\":" + std::to_string(i) + "}");
  pool_->stop_all(seconds(30));
  EXPECT_EQ(source_->state().rows_loaded, 100U);
  EXPECT_FALSE(*posix_file_system().exists(directory_ / "data.duckdb.wal"));
}

TEST_F(EngineTest, AnIdleEngineStopsAndStartsAgainWhenItIsAsked) {
  log_->set_durable_listener({});
  pool_.reset();
  open_pool({.executable = "", .idle_timeout = milliseconds(200)});
  insert("t", R"({"n":1})");
  EXPECT_EQ(csv("SELECT n FROM t"), "n\n1\n");
  EXPECT_TRUE(
      becomes([&] { return !*posix_file_system().exists(directory_ / "data.duckdb.wal"); }));
  EXPECT_TRUE(becomes([&] { return pool_->info().at(0).state == "stopped"; }));
  EXPECT_EQ(csv("SELECT n FROM t"), "n\n1\n");
}

// Whenever a query comes, also while the idle engine is leaving, it is answered.
TEST_F(EngineTest, AQueryThatMeetsALeavingEngineIsRunByTheNextOne) {
  log_->set_durable_listener({});
  pool_.reset();
  open_pool({.executable = "", .idle_timeout = milliseconds(1)});
  insert("t", R"({"n":1})");
  for (int i = 0; i < 40; ++i) {
    EXPECT_EQ(csv("SELECT n FROM t"), "n\n1\n");
    std::this_thread::sleep_for(milliseconds(i * 3));
  }
}

TEST_F(EngineTest, AFileHeldByAnotherProcessIsTroubleThatPasses) {
  // Another process: an engine of another pool, with a journal of its own.
  auto other_log =
      journal::Log::open(posix_file_system(), sync_pool_, system_clock(), directory_ / "other", {});
  ASSERT_TRUE(other_log);
  auto other_source = std::make_shared<TestSource>(**other_log, directory_ / "");
  auto other = std::make_unique<Pool>(PoolOptions{.executable = own_path()}, metrics_);
  other->add("d", other_source, true);
  EXPECT_TRUE(becomes([&] { return *posix_file_system().exists(directory_ / "data.duckdb"); }));
  std::this_thread::sleep_for(milliseconds(300));
  insert("t", R"({"n":1})");
  Answer answer = query({.sql = "SELECT n FROM t"});
  ASSERT_FALSE(answer.end);
  EXPECT_EQ(answer.end.error().effective_status(), 503);
  EXPECT_NE(answer.end.error().message.find("held by another process"), std::string::npos)
      << answer.end.error().message;
  other.reset();
  EXPECT_TRUE(becomes([&] { return csv("SELECT n FROM t") == "n\n1\n"; }));
}

TEST_F(EngineTest, AnEngineThatKeepsDyingIsGivenPauses) {
  log_->set_durable_listener({});
  pool_.reset();
  pool_ = std::make_unique<Pool>(PoolOptions{.executable = "/bin/false"}, metrics_);
  pool_->add("d", source_, true);
  std::this_thread::sleep_for(seconds(2));
  const auto info = pool_->info();
  ASSERT_EQ(info.size(), 1U);
  EXPECT_GE(info[0].restarts, 2U);
  EXPECT_LE(info[0].restarts, 8U);
  const Answer answer = query({.sql = "SELECT 1"});
  ASSERT_FALSE(answer.end);
  EXPECT_EQ(answer.end.error().effective_status(), 503);
}

// A database in memory begins empty in each engine: until it is what it was, nothing is answered from it.
TEST_F(EngineTest, WhatWasShownFromMemoryIsNeverMissingWhileTheNextEngineFillsItAgain) {
  source_->settings = {{"in_memory", "true"}};
  std::string rows;
  for (int i = 0; i < 60'000; ++i)
    rows += "{\"n\":" + std::to_string(i) + ",\"s\":\"some text\"}\n";
  for (int i = 0; i < 5; ++i) insert("t", rows, 60'000);
  EXPECT_EQ(csv("SELECT count(*) AS c FROM t"), "c\n300000\n");
  // Shown is what the front has heard of.
  EXPECT_TRUE(becomes([&] { return source_->state().position == log_->durable_end(); }));
  bool refused = false;
  // A fast engine may be ready again before it is asked: until it was caught at it.
  for (int tries = 0; tries < 20 && !refused; ++tries) {
    const int engine = pid();
    ASSERT_GT(engine, 0);
    ::kill(engine, SIGKILL);
    EXPECT_TRUE(becomes([&] {
      const Answer answer = query(
          {.sql = "SELECT count(*) AS c FROM t", .position = 1, .fresh_timeout = milliseconds(1)});
      if (answer.end) {
        EXPECT_EQ(answer.body, "c\n300000\n");
        return true;
      }
      EXPECT_EQ(answer.end.error().effective_status(), 503) << answer.end.error().message;
      refused = refused || answer.end.error().slug == "rebuilding";
      return false;
    }));
  }
  EXPECT_TRUE(refused)
      << "the next engine was never asked before it was ready: this test shows nothing";
}

// Credentials of the front's environment are none of an engine's business.
TEST_F(EngineTest, AnEngineSeesNoSecretOfTheFrontsEnvironment) {
  ::setenv("motherduck_token", "not-for-engines", 1);
  ::setenv("SCRATCH_SOMETHING", "not-for-engines", 1);
  EXPECT_EQ(csv("SELECT 1 AS one"), "one\n1\n");
  std::ifstream file("/proc/" + std::to_string(pid()) + "/environ");
  const std::string environment{std::istreambuf_iterator<char>(file), {}};
  ::unsetenv("motherduck_token");
  ::unsetenv("SCRATCH_SOMETHING");
  EXPECT_NE(environment.find("PATH="), std::string::npos);
  EXPECT_EQ(environment.find("not-for-engines"), std::string::npos);
}

// e2e/sandbox.test.mjs has what the walls keep out.
TEST_F(EngineTest, EveryThreadOfAnEngineIsLockedIn) {
  source_->sandbox = true;
  insert("t", R"({"n":1})");
  EXPECT_EQ(csv("SELECT n FROM t"), "n\n1\n");
  int threads = 0;
  for (const auto& task :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid()) + "/task")) {
    std::ifstream status(task.path() / "status");
    const std::string text(std::istreambuf_iterator<char>(status), {});
    if (text.empty()) continue;  // a query's, which has ended since it was listed
    EXPECT_NE(text.find("\nNoNewPrivs:\t1\n"), std::string::npos) << text;
    EXPECT_NE(text.find("\nSeccomp:\t2\n"), std::string::npos) << text;
    ++threads;
  }
  EXPECT_GE(threads, 3);
}

TEST_F(EngineTest, AnEngineThatCannotBeLockedInServesNothingAndSaysWhy) {
  source_->sandbox = true;
  source_->folder = directory_ / "missing";
  insert("t", R"({"n":1})");
  // Whatever state its engine is in, a query is not kept waiting, and is told the reason.
  using Clock = std::chrono::steady_clock;
  for (const auto begin = Clock::now(); Clock::now() - begin < std::chrono::seconds(6);) {
    const auto asked = Clock::now();
    const Answer answer = query({.sql = "SELECT n FROM t"});
    EXPECT_LT(Clock::now() - asked, std::chrono::seconds(4));
    ASSERT_FALSE(answer.end);
    EXPECT_EQ(answer.end.error().slug, "no-sandbox");
    EXPECT_EQ(answer.end.error().effective_status(), 503);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

TEST_F(EngineTest, TellsWhatLoadingRefusedOfARequest) {
  const Id128 receipt = Id128::make();
  journal::Append append;
  append.meta.rows = 3;
  append.meta.receipt = receipt;
  const std::string head = load::encode_insert_head({.table = "t"});
  append.head = head;
  append.body = R"([{"n":1},5,{"n":2}])";
  WaitingSink sink;
  append.sink = &sink;
  ASSERT_TRUE(log_->append(append));
  sink.wait(1);
  const auto ask = [&](const Id128& id) {
    std::promise<Result<json::Value>> promise;
    pool_->ask("d", R"({"what":"refused","receipt":")" + id.to_string() + "\"}", append.end, true,
               [&](Result<json::Value> v) { promise.set_value(std::move(v)); });
    return promise.get_future().get();
  };
  const auto refused = ask(receipt);
  ASSERT_TRUE(refused) << refused.error().message;
  EXPECT_EQ(refused->int_or("count", -1), 1);
  const auto& row = refused->find("rows")->elements().at(0);
  EXPECT_EQ(row.int_or("row", -1), 1);
  EXPECT_EQ(row.string_or("code", ""), "not-an-object");
  const auto none = ask(Id128::make());
  ASSERT_TRUE(none);
  EXPECT_EQ(none->int_or("count", -1), 0);
}

TEST_F(EngineTest, TellsOfTables) {
  insert("t", R"({"n":1,"s":"x"})");
  std::promise<Result<json::Value>> promise;
  pool_->ask("d", R"({"what":"tables"})", log_->durable_end(), false,
             [&](Result<json::Value> v) { promise.set_value(std::move(v)); });
  const auto tables = promise.get_future().get();
  ASSERT_TRUE(tables) << tables.error().message;
  const auto& table = tables->find("tables")->elements().at(0);
  EXPECT_EQ(table.string_or("name", ""), "t");
  EXPECT_EQ(table.int_or("rows", 0), 1);
  EXPECT_EQ(table.find("columns")->elements().size(), 4U);
}

}  // namespace
}  // namespace sd::engine

// Started as `program engine --control-fd N` it is an engine.
int main(int argc, char** argv) {
  if (argc == 4 && std::strcmp(argv[1], "engine") == 0)
    return sd::engine::run_child(std::atoi(argv[3]));
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
