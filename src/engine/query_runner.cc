#include "engine/query_runner.h"

#include <algorithm>
#include <new>
#include <system_error>

#include "base/log.h"
#include "engine/query_stream.h"
#include "engine/snapshot.h"
#include "query/declared_sql.h"
#include "query/describe.h"

namespace sd::engine {
namespace {

using namespace destinations::duckdb;

// The end comes within a second of the deadline: watch() sees the deadline and this up to a tenth late.
constexpr Micros kStopWithin = 600'000;
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

// A name that nothing has, or has not yet.
bool names_nothing(const Error& error) {
  return error.slug == "sql-error" &&
         (error.message.starts_with("Catalog Error") || error.message.starts_with("Binder Error"));
}

Error not_fresh() {
  return Error{.code = ErrorCode::kUnavailable,
               .message =
                   "the latest rows are not loaded yet, and what is there does not have "
                   "what the statement names",
               .slug = "not-fresh",
               .retry_after_s = 1};
}

Error no_memory() {
  return Error{.code = ErrorCode::kResourceExhausted,
               .message = "the engine of this destination has not enough memory for this result",
               .slug = "out-of-memory",
               .status = 422};
}

// Memory is bounded by the kernel, so that any allocation may fail, also in what is our own.
template <typename F>
Result<> without_exceptions(F work) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return fail(no_memory());
  } catch (const std::exception& error) {
    return fail(ErrorCode::kInternal, std::string("an exception: ") + error.what());
  }
}

Error must_make_way() {
  return Error{.code = ErrorCode::kUnavailable,
               .message = "the destination is putting its data in order; send the query again",
               .slug = "checkpointing",
               .retry_after_s = 2};
}

}  // namespace

QueryRunner::QueryRunner(DuckdbDestination& destination, LoaderThread& loader, Channel& channel,
                         journal::Position floor, QuestionContext questions,
                         std::string temp_folder, std::function<void(const Error&)> fatal)
    : destination_(destination),
      loader_(loader),
      channel_(channel),
      floor_(floor),
      questions_(std::move(questions)),
      temp_folder_(std::move(temp_folder)),
      fatal_(std::move(fatal)),
      instance_(Id128::make().to_string() + "/") {
  const auto reserved = parquet_.reserve();
  if (!reserved) log::warn("no Parquet", {{"error", reserved.error().message}});
}

QueryRunner::~QueryRunner() {
  stop();
}

void QueryRunner::stop() {
  std::map<std::uint64_t, Running> all;
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
  const auto running = std::make_shared<RunningQuery>();
  running->id = id;
  running->timeout_us = timeout_us;
  const std::lock_guard lock(mutex_);
  running_[id] = running;
  const auto run = [this, running, work = std::move(work)] {
    Result<> done = without_exceptions([&] { return work(*running); });
    if (!done) {
      // Also where the query is given up: what it did to the instance stays.
      const bool fatal = done.error().code == ErrorCode::kInternal;
      const Error cause = done.error();
      Error error = std::move(done.error());
      if (running->over_time)
        error = timed_out(running->timeout_us);
      else if (running->make_way)
        error = must_make_way();
      else if (running->cancelled)
        error = {.code = ErrorCode::kCancelled, .message = "the query was cancelled"};
      fail_query(running->id, error);
      if (fatal) fatal_(cause);
    }
    running->ended = true;
  };
  try {
    running->thread = std::thread(run);
  } catch (const std::system_error&) {
    running_.erase(id);
    fail_query(id, no_memory().with_status(503).with_retry_after(1));
  }
}

void QueryRunner::reap() {
  std::vector<Running> ended;
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

void QueryRunner::progress(std::uint64_t id, std::uint64_t query) {
  Running running;
  {
    const std::lock_guard lock(mutex_);
    const auto found = running_.find(query);
    if (found != running_.end()) running = found->second;
  }
  if (!running) {
    return fail_query(id, {.code = ErrorCode::kNotFound, .message = "this query has ended"});
  }
  json::Writer w;
  w.begin_object().member("type", "result").member("id", id).begin_object("data");
  if (const double percent = running->progress(); percent >= 0) {
    w.raw_member("percent", std::to_string(std::clamp(percent, 0.0, 100.0)));
  }
  w.member("rows", running->rows.load()).member("bytes", running->bytes.load());
  w.member("stalled", running->stalls.stalled()).end_object();
  (void)channel_.send(w.end_object().text());
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
    if (now - running->over_time_since > within && !running->stalls.stalled()) return id;
  }
  return 0;
}

void QueryRunner::fail_query(std::uint64_t id, const Error& error) {
  json::Writer w;
  w.begin_object().member("type", "failed").member("id", id);
  write_error(w, "error", error);
  (void)channel_.send(w.end_object().text());
}

Result<bool> QueryRunner::wait_fresh(RunningQuery& running, journal::Position position,
                                     Micros fresh_us, bool must_be_fresh) {
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
  auto shared = std::make_shared<QueryTask>(std::move(task));
  spawn(shared->id, shared->timeout_us,
        [this, shared](RunningQuery& running) { return run_query(running, *shared); });
}

Result<std::shared_ptr<const query::Definitions>> QueryRunner::definitions(
    duckdb_connection connection) {
  {
    const std::lock_guard lock(definitions_mutex_);
    if (definitions_) return definitions_;
  }
  TRY_ASSIGN(query::Definitions read, query::read_definitions(connection));
  auto shared = std::make_shared<const query::Definitions>(std::move(read));
  if (destination_.is_shared()) return shared;
  const std::lock_guard lock(definitions_mutex_);
  definitions_ = shared;
  return shared;
}

Result<query::GatedStatement> QueryRunner::statement_of(const QueryTask& task) {
  if (!task.source.empty()) {
    query::GatedStatement rows_of_file;
    rows_of_file.sql = "FROM read_parquet(" + quote_literal(task.source) + ")";
    rows_of_file.plain_scan = rows_of_file.volatile_result = true;
    return rows_of_file;
  }
  TRY_ASSIGN(const Readers::Lease connection, destination_.reader(Readers::Kind::kPlain));
  TRY_ASSIGN(const auto known, definitions(connection.get()));
  query::GateOptions options;
  options.definitions = known.get();
  options.tables = task.tables;
  if (task.types.empty()) return query::gate(connection.get(), task.sql, options);
  TRY_ASSIGN(const json::Value types, json::parse_document(task.types));
  TRY_ASSIGN(const json::Value params, json::parse_document(task.parameters));
  return query::gate_declared(connection.get(), task.sql, types, params, options, &known_forms_);
}

Result<> QueryRunner::run_query(RunningQuery& running, QueryTask& task) {
  TRY_ASSIGN(const bool fresh,
             wait_fresh(running, task.position, task.fresh_us, task.must_be_fresh));
  if (task.snapshot) return run_snapshot(running, task, fresh);
  if (destination_.wants_readers_gone()) return fail(must_make_way());
  // Before the transaction begins: what it sees may be newer, never older.
  const std::string state = destination_.is_shared()
                                ? std::string()
                                : instance_ + std::to_string(loader_.state().position);
  const auto started = [&](const StreamStart& start) {
    json::Writer w;
    w.begin_object().member("type", "started").member("id", task.id);
    w.member("content_type", query::content_type(task.format)).member("fresh", fresh);
    w.member("coding", query::coding_name(start.coding)).member("etag", start.etag);
    w.member("not_modified", start.not_modified);
    if (!start.columns.empty()) w.raw_member("columns", start.columns);
    w.end_object();
    return channel_.send(w.text());
  };
  const auto stream = [&]() -> Result<std::uint64_t> {
    TRY_ASSIGN(const query::GatedStatement statement, statement_of(task));
    const auto kind = statement.plain_scan ? Readers::Kind::kPlain : Readers::Kind::kCountsProgress;
    TRY_ASSIGN(const Readers::Lease connection, destination_.reader(kind));
    const RunningQuery::Interruptible interruptible(running, connection.get());
    if (running.should_stop()) return fail(ErrorCode::kCancelled, "cancelled");
    return stream_query(
        running, task, statement, connection.get(),
        {.state = state, .started = started, .temp_folder = temp_folder_, .parquet = parquet_});
  };
  const Result<std::uint64_t> rows = stream();
  if (!rows) return fail(fresh || !names_nothing(rows.error()) ? rows.error() : not_fresh());
  json::Writer done;
  done.begin_object().member("type", "done").member("id", task.id).member("rows", *rows);
  return channel_.send(done.end_object().text());
}

Result<> QueryRunner::run_snapshot(RunningQuery& running, QueryTask& task, bool fresh) {
  const auto started = [&](std::uint64_t length) {
    json::Writer w;
    w.begin_object().member("type", "started").member("id", task.id).member("length", length);
    w.member("content_type", "application/octet-stream").member("fresh", fresh).end_object();
    return channel_.send(w.text());
  };
  TRY(stream_snapshot(running, task, destination_, loader_, started));
  json::Writer done;
  done.begin_object().member("type", "done").member("id", task.id).member("rows", 0);
  return channel_.send(done.end_object().text());
}

namespace {

Result<json::Value> parse_if_any(std::string_view text) {
  if (text.empty()) return json::Value();
  return json::parse_document(text);
}

void write_described(json::Writer& w, const query::Described& described) {
  w.begin_array("parameters");
  for (const auto& parameter : described.parameters) {
    w.begin_object().member("name", parameter.name);
    w.member("type", query::declared_type_name(parameter.type)).end_object();
  }
  w.end_array().raw_member("columns", query::columns_json(described.columns));
}

}  // namespace

void QueryRunner::check(std::uint64_t id, json::Value message) {
  const auto work = [this, id, message = std::move(message)](RunningQuery& running) -> Result<> {
    TRY(wait_fresh(running, loader_.durable(), 5 * kMicrosPerSecond, false));
    TRY_ASSIGN(const Connection connection, destination_.connect());
    const RunningQuery::Interruptible interruptible(running, connection.get());
    const std::string sql(message.string_or("sql", ""));
    TRY_ASSIGN(const json::Value params, parse_if_any(message.string_or("parameters", "")));
    TRY_ASSIGN(const json::Value types, parse_if_any(message.string_or("types", "")));
    TRY_ASSIGN(const auto known, definitions(connection.get()));
    query::GateOptions options;
    options.definitions = known.get();
    TRY_ASSIGN(const query::GatedStatement statement, query::gate(connection.get(), sql, options));
    // Errors are of the statement as it was sent, so that it is bound first.
    TRY_ASSIGN(const query::GatedStatement typed,
               query::gate_declared(connection.get(), sql, types, params, options, &known_forms_));
    TRY(execute(connection.get(), "BEGIN TRANSACTION READ ONLY"));
    TRY_ASSIGN(const auto prepared, query::prepare(connection.get(), statement));
    json::Writer w;
    w.begin_object().member("type", "result").member("id", id).begin_object("data");
    if (message.bool_or("describe", false)) {
      TRY_ASSIGN(const query::Described described,
                 query::describe(connection.get(), typed, prepared.get(), &params, &types));
      write_described(w, described);
    }
    return channel_.send(w.end_object().end_object().text());
  };
  spawn(id, 10 * kMicrosPerSecond, work);
}

void QueryRunner::ask(std::uint64_t id, journal::Position position, Micros fresh_us,
                      bool must_be_fresh, json::Value question) {
  const Micros limit = time_for(question);
  spawn(id, limit,
        [this, id, position, fresh_us, must_be_fresh,
         question = std::move(question)](RunningQuery& running) -> Result<> {
          TRY(wait_fresh(running, position, fresh_us, must_be_fresh));
          TRY_ASSIGN(const Connection connection, destination_.connect());
          const RunningQuery::Interruptible interruptible(running, connection.get());
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
