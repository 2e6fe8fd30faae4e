#include "engine/query_runner.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>

#include "base/log.h"
#include "query/gate.h"

namespace sd::engine {
namespace {

using namespace destinations::duckdb;

constexpr std::size_t kWriteSize = 256U << 10;
// The end comes within a second of the deadline: watch() sees the deadline and this up to a tenth late.
constexpr Micros kStopWithin = 750'000;
// A dry run of a large body looks up at each part of it, and holds nothing.
constexpr Micros kTrialStopsWithin = 60 * kMicrosPerSecond;
constexpr Micros kQuestionLimit = 30 * kMicrosPerSecond;
constexpr std::uint64_t kTrialBytesPerSecond = 4U << 20;

// How long a question may take: the engine's answer to a dry run takes as long as its body is.
Micros time_for(const json::Value& question) {
  const json::Value* blob = question.find("blob");
  const json::Value* length = blob == nullptr ? nullptr : blob->find("length");
  const std::uint64_t bytes = length == nullptr ? 0 : length->as_uint().value_or(0);
  return kQuestionLimit + static_cast<Micros>(bytes / kTrialBytesPerSecond) * kMicrosPerSecond;
}

Error timed_out(Micros timeout_us) {
  return Error{.code = ErrorCode::kDeadlineExceeded,
               .message = "the query ran longer than " + std::to_string(timeout_us / 1000) + " ms",
               .slug = "query-timeout"};
}

Error must_make_way() {
  return Error{.code = ErrorCode::kUnavailable,
               .message = "the destination is putting its data in order; send the query again",
               .slug = "checkpointing",
               .retry_after_s = 2};
}

}  // namespace

struct QueryRunner::Running {
  std::uint64_t id = 0;
  Micros started_us = system_clock().steady_us();
  Micros timeout_us = 0;
  std::atomic<bool> reads{true};         // holds a transaction that a checkpoint has to wait for
  std::atomic<Micros> stalled_us{0};     // finished stalls
  std::atomic<Micros> stalled_since{0};  // 0: not stalled now
  std::atomic<bool> cancelled{false};
  std::atomic<bool> over_time{false};
  std::atomic<bool> make_way{false};  // for a checkpoint that cannot wait
  std::atomic<bool> ended{false};
  Micros over_time_since = 0;  // the watcher's own
  std::mutex connection_mutex;
  duckdb_connection connection = nullptr;  // while it may be interrupted
  std::thread thread;

  Micros active_us(Micros now) const {
    const Micros since = stalled_since.load();
    return now - started_us - stalled_us.load() - (since != 0 ? now - since : 0);
  }
  void interrupt() {
    const std::lock_guard lock(connection_mutex);
    if (connection != nullptr) duckdb_interrupt(connection);
  }
  bool should_stop() const { return cancelled.load() || over_time.load() || make_way.load(); }
};

// While it lives, the connection may be interrupted.
class QueryRunner::Interruptible {
 public:
  Interruptible(Running& running, duckdb_connection connection) : running_(running) {
    const std::lock_guard lock(running_.connection_mutex);
    running_.connection = connection;
  }
  ~Interruptible() {
    const std::lock_guard lock(running_.connection_mutex);
    running_.connection = nullptr;
  }
  Interruptible(const Interruptible&) = delete;
  Interruptible& operator=(const Interruptible&) = delete;

 private:
  Running& running_;
};

QueryRunner::QueryRunner(DuckdbDestination& destination, LoaderThread& loader, Channel& channel,
                         journal::Position floor, QuestionContext questions)
    : destination_(destination),
      loader_(loader),
      channel_(channel),
      floor_(floor),
      questions_(std::move(questions)) {}

QueryRunner::~QueryRunner() {
  stop();
}

void QueryRunner::stop() {
  std::map<std::uint64_t, std::shared_ptr<Running>> all;
  {
    const std::lock_guard lock(mutex_);
    all.swap(running_);
  }
  for (auto& [id, running] : all) running->cancelled = true;
  for (auto& [id, running] : all) {
    while (!running->ended.load()) {
      running->interrupt();
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    running->thread.join();
  }
}

void QueryRunner::spawn(std::uint64_t id, Micros timeout_us, Work work) {
  reap();
  auto running = std::make_shared<Running>();
  running->id = id;
  running->timeout_us = timeout_us;
  const std::lock_guard lock(mutex_);
  running_[id] = running;
  running->thread = std::thread([this, running, work = std::move(work)] {
    Result<> done = work(*running);
    if (!done) {
      Error error = std::move(done.error());
      if (running->over_time)
        error = timed_out(running->timeout_us);
      else if (running->make_way)
        error = must_make_way();
      else if (running->cancelled)
        error = {.code = ErrorCode::kCancelled, .message = "the query was cancelled"};
      fail_query(running->id, error);
    }
    running->ended = true;
  });
}

void QueryRunner::reap() {
  std::vector<std::shared_ptr<Running>> ended;
  {
    const std::lock_guard lock(mutex_);
    for (auto it = running_.begin(); it != running_.end();) {
      if (it->second->ended.load()) {
        ended.push_back(it->second);
        it = running_.erase(it);
      } else {
        ++it;
      }
    }
  }
  for (auto& running : ended) running->thread.join();
}

std::size_t QueryRunner::running() const {
  const std::lock_guard lock(mutex_);
  std::size_t count = 0;
  for (const auto& [id, running] : running_) count += running->ended.load() ? 0 : 1;
  return count;
}

void QueryRunner::cancel(std::uint64_t id) {
  const std::lock_guard lock(mutex_);
  const auto found = running_.find(id);
  if (found == running_.end()) return;
  found->second->cancelled = true;
  found->second->interrupt();
}

std::uint64_t QueryRunner::watch() {
  reap();
  const Micros now = system_clock().steady_us();
  const std::lock_guard lock(mutex_);
  bool make_way = destination_.wants_readers_gone();
  for (auto& [id, running] : running_) {
    if (running->ended.load()) continue;
    // One a tick, the oldest first: often it alone stood in the way.
    if (make_way && running->reads && !running->should_stop()) {
      running->make_way = true;
      make_way = false;
    }
    if (running->timeout_us > 0 && running->active_us(now) > running->timeout_us)
      running->over_time = true;
    if (!running->should_stop()) continue;
    if (running->over_time_since == 0) running->over_time_since = now;
    // While it is stalled on the pipe it holds nothing that an interrupt could free; the front closes
    // the pipe of a query that it gave up.
    running->interrupt();
    const Micros within = running->reads ? kStopWithin : kTrialStopsWithin;
    if (now - running->over_time_since > within && running->stalled_since.load() == 0) return id;
  }
  return 0;
}

void QueryRunner::fail_query(std::uint64_t id, const Error& error) {
  json::Writer w;
  w.begin_object().member("type", "failed").member("id", id);
  write_error(w, "error", error);
  (void)channel_.send(w.end_object().text());
}

Result<bool> QueryRunner::wait_fresh(Running& running, journal::Position position, Micros fresh_us,
                                     bool must_be_fresh) {
  // What has been shown is there, whatever is asked for.
  const auto waited = loader_.wait_applied(std::max(position, floor_), fresh_us,
                                           [&] { return running.should_stop(); });
  if (waited == LoaderThread::Waited::kApplied) return true;
  const auto trouble = loader_.trouble();
  // Where nothing can be read at all, say why.
  if (trouble && !destination_.is_open()) {
    // Whatever it is, it is none of the client's doing.
    Error error = *trouble;
    error.status = 503;
    if (error.retry_after_s == 0) error.retry_after_s = 5;
    return fail(std::move(error));
  }
  if (loader_.state().position < floor_) {
    // Rows that somebody has seen are not there yet.
    return fail(Error{.code = ErrorCode::kUnavailable,
                      .message = trouble ? trouble->message
                                         : "the database is being filled again from its journal",
                      .slug = "rebuilding",
                      .retry_after_s = 1});
  }
  if (!must_be_fresh) return false;
  return fail(Error{.code = ErrorCode::kUnavailable,
                    .message = trouble ? trouble->message : "the latest rows are not loaded yet",
                    .slug = "not-fresh",
                    .retry_after_s = 1});
}

void QueryRunner::start(QueryTask task) {
  ::fcntl(task.out.get(), F_SETFL, O_NONBLOCK);
  auto shared = std::make_shared<QueryTask>(std::move(task));
  spawn(shared->id, shared->timeout_us,
        [this, shared](Running& running) { return run_query(running, *shared); });
}

Result<> QueryRunner::run_query(Running& running, QueryTask& task) {
  TRY_ASSIGN(const bool fresh,
             wait_fresh(running, task.position, task.fresh_us, task.must_be_fresh));
  if (destination_.wants_readers_gone()) return fail(must_make_way());
  TRY_ASSIGN(const Connection connection, destination_.connect());
  const Interruptible interruptible(running, connection.get());
  json::Writer started;
  started.begin_object().member("type", "started").member("id", task.id);
  started.member("content_type", query::content_type(task.format)).member("fresh", fresh);
  started.end_object();
  return stream(running, task, connection.get(), started.text());
}

Result<> QueryRunner::stream(Running& running, QueryTask& task, duckdb_connection connection,
                             const std::string& started) {
  TRY_ASSIGN(const query::GatedStatement statement, query::gate(connection, task.sql));
  TRY(execute(connection, "BEGIN TRANSACTION READ ONLY"));
  TRY_ASSIGN(const Prepared prepared, query::prepare(connection, statement));
  Pending pending;
  QueryResult result;
  const auto failure = [&](const char* message, duckdb_error_type type) -> Result<> {
    Error error = query::sql_error(type, message != nullptr ? message : "DuckDB gave no reason",
                                   task.sql, "sql-error");
    if (error.code == ErrorCode::kResourceExhausted) error.status = 422;
    return fail(std::move(error));
  };
  if (duckdb_pending_prepared_streaming(prepared.get(), pending.out()) != DuckDBSuccess) {
    return failure(duckdb_pending_error(pending.get()), DUCKDB_ERROR_INVALID_INPUT);
  }
  if (running.should_stop()) return fail(ErrorCode::kCancelled, "cancelled");
  if (duckdb_execute_pending(pending.get(), result.get()) != DuckDBSuccess) {
    return failure(duckdb_result_error(result.get()), duckdb_result_error_type(result.get()));
  }
  TRY_ASSIGN(const query::ResultShape shape, query::ResultShape::from(result.ref()));
  const auto encoder = query::Encoder::make(task.format, task.encode, shape);
  std::string bytes;
  encoder->begin(bytes);
  bool told = false;
  std::uint64_t rows = 0;
  while (true) {
    if (running.should_stop()) return fail(ErrorCode::kCancelled, "cancelled");
    const DataChunk chunk(duckdb_fetch_chunk(result.ref()));
    const char* message = duckdb_result_error(result.get());
    if (!chunk && message != nullptr && message[0] != '\0') {
      return failure(message, duckdb_result_error_type(result.get()));
    }
    // The first chunk, or an error, decides the status of the answer.
    if (!told) TRY(channel_.send(started));
    told = true;
    const idx_t size = chunk ? duckdb_data_chunk_get_size(chunk.get()) : 0;
    if (size == 0) break;
    rows += size;
    for (idx_t row = 0; row < size;) {
      TRY_ASSIGN(row, encoder->rows(chunk.get(), row, kWriteSize, bytes));
      // The first rows go out at once, later ones in large pieces.
      if (bytes.size() >= kWriteSize || rows == size)
        TRY(write_out(running, task.out.get(), bytes));
    }
  }
  encoder->end(bytes);
  TRY(write_out(running, task.out.get(), bytes));
  task.out.reset();
  json::Writer done;
  done.begin_object()
      .member("type", "done")
      .member("id", task.id)
      .member("rows", rows)
      .end_object();
  return channel_.send(done.text());
}

// The pipe does not block: a query that waits for its client can still be told to stop.
Result<> QueryRunner::write_out(Running& running, int fd, std::string& bytes) {
  std::size_t written = 0;
  while (written < bytes.size()) {
    const ssize_t n = ::write(fd, bytes.data() + written, bytes.size() - written);
    if (n >= 0) {
      written += static_cast<std::size_t>(n);
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return fail(ErrorCode::kCancelled, "the client has gone");
    if (running.should_stop()) return fail(ErrorCode::kCancelled, "cancelled");
    running.stalled_since = system_clock().steady_us();
    pollfd wait{fd, POLLOUT, 0};
    (void)::poll(&wait, 1, 100);
    running.stalled_us += system_clock().steady_us() - running.stalled_since.load();
    running.stalled_since = 0;
  }
  bytes.clear();
  return {};
}

void QueryRunner::check(std::uint64_t id, std::string sql) {
  spawn(id, 10 * kMicrosPerSecond, [this, id, sql = std::move(sql)](Running& running) -> Result<> {
    TRY(wait_fresh(running, loader_.durable(), 5 * kMicrosPerSecond, false));
    TRY_ASSIGN(const Connection connection, destination_.connect());
    const Interruptible interruptible(running, connection.get());
    TRY_ASSIGN(const query::GatedStatement statement, query::gate(connection.get(), sql));
    TRY(execute(connection.get(), "BEGIN TRANSACTION READ ONLY"));
    TRY(query::prepare(connection.get(), statement));
    json::Writer w;
    w.begin_object().member("type", "result").member("id", id).begin_object("data").end_object();
    return channel_.send(w.end_object().text());
  });
}

void QueryRunner::ask(std::uint64_t id, journal::Position position, Micros fresh_us,
                      bool must_be_fresh, json::Value question) {
  spawn(id, time_for(question),
        [this, id, position, fresh_us, must_be_fresh,
         question = std::move(question)](Running& running) -> Result<> {
          TRY(wait_fresh(running, position, fresh_us, must_be_fresh));
          TRY_ASSIGN(const Connection connection, destination_.connect());
          const Interruptible interruptible(running, connection.get());
          running.reads = holds_a_transaction(question);
          TRY_ASSIGN(const std::string data,
                     answer_question(destination_, connection.get(), question, questions_,
                                     [&] { return running.should_stop(); }));
          json::Writer w;
          w.begin_object()
              .member("type", "result")
              .member("id", id)
              .raw_member("data", data)
              .end_object();
          return channel_.send(w.text());
        });
}

}  // namespace sd::engine
