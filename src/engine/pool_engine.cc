#include "engine/pool_engine.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>

#include "base/log.h"

namespace sd::engine {
namespace {

constexpr Micros kQuickDeath = 10 * kMicrosPerSecond;
constexpr Micros kFirstPause = 200'000;
constexpr Micros kLongestPause = 10 * kMicrosPerSecond;
constexpr Micros kSilence = 15 * kMicrosPerSecond;  // no sign of life for so long: killed
constexpr Micros kStopLimit = 60 * kMicrosPerSecond;
constexpr int kMostFailedStops = 3;

Error engine_died() {
  return Error{
      .code = ErrorCode::kUnavailable,
      .message = "the engine of this destination stopped while it worked on this; send it again",
      .slug = "engine-stopped",
      .retry_after_s = 1};
}

Error died_unasked() {
  return Error{
      .code = ErrorCode::kUnavailable,
      .message = "the engine of this destination ended unexpectedly; another one is started",
      .slug = "engine-stopped",
      .retry_after_s = 1};
}

}  // namespace

PoolEngine::PoolEngine(const PoolOptions& options, metrics::Registry& metrics,
                       std::string destination_id, std::shared_ptr<Source> source,
                       std::uint64_t key, int epoll)
    : options_(options),
      destination_id_(std::move(destination_id)),
      source_(std::move(source)),
      key_(key),
      restarts_(metrics.counter("scratchdata_engine_restarts_total",
                                "Engines started again after they died.",
                                {{"destination", source_->name()}})),
      up_(metrics.gauge("scratchdata_engine_up", "1 while the destination's engine runs.",
                        {{"destination", source_->name()}})),
      process_(options.executable, key, epoll) {
  last_used_ = system_clock().steady_us();
  health_since_ = system_clock().wall_us();
}

PoolEngine::~PoolEngine() {
  process_.end();
  held_.clear();
  fail_all(engine_died());
}

bool PoolEngine::idle() const {
  return state_ == State::kRunning && source_->may_idle_stop() && queries_.empty() &&
         asks_.empty() && waits_.empty() && applied_known_ && !trouble_ &&
         applied_.position >= source_->durable_end();
}

bool PoolEngine::wants_tick() const {
  return state_ != State::kStopped || !waits_.empty() || !held_.empty() || retired_;
}

EngineInfo::Health PoolEngine::health() const {
  using Health = EngineInfo::Health;
  if (failure_) return Health::kFailing;
  if (state_ == State::kRunning) return applied_known_ ? Health::kReady : Health::kStarting;
  if (state_ == State::kStopping) return Health::kReady;  // closed when it says so
  const bool comes_back = state_ == State::kWaiting || (state_ == State::kEnding && starts_again_);
  return comes_back ? Health::kStarting : Health::kIdle;
}

EngineInfo PoolEngine::info() const {
  static constexpr const char* kNames[] = {"stopped", "running", "stopping", "waiting", "stopping"};
  return {.destination_id = destination_id_,
          .state = kNames[static_cast<int>(state_)],
          .health = health(),
          .health_since = health_since_,
          .failure = failure_,
          .pid = process_.pid(),
          .restarts = restart_count_,
          .applied = applied_,
          .trouble = trouble_,
          .queries = queries_.size()};
}

// ---- starting

bool PoolEngine::ensure_running() {
  last_used_ = system_clock().steady_us();
  if (state_ == State::kStopped && !retired_ && !leaving_) start();
  return state_ == State::kRunning;
}

void PoolEngine::cannot_start(Error why, Micros pause) {
  trouble_ = failure_ = std::move(why);
  state_ = State::kWaiting;
  start_again_at_ = system_clock().steady_us() + pause;
}

void PoolEngine::start() {
  if (auto why = source_->cannot_start()) return cannot_start(std::move(*why), kLongestPause);
  const auto started = process_.start();
  if (!started) {
    log::error("an engine cannot be started",
               {{"destination", destination_id_}, {"error", started.error().message}});
    Error why = died_unasked();
    why.message = "no engine can be started for this destination; the server's log says why";
    return cannot_start(std::move(why), kMicrosPerSecond);
  }
  state_ = State::kRunning;
  started_at_ = last_heard_ = system_clock().steady_us();
  applied_known_ = false;
  trouble_.reset();
  said_stopped_ = ends_for_query_ = false;
  up_.set(1);
  StartMessage message = source_->start_message();
  durable_sent_ = message.durable_end = source_->durable_end();
  process_.send(message.to_json());
  std::uint64_t wanted = 0;
  for (const auto& [id, wait] : waits_) wanted = std::max(wanted, wait.position);
  if (wanted > 0) process_.send("{\"type\":\"load\",\"position\":" + std::to_string(wanted) + "}");
  auto held = std::move(held_);
  held_.clear();
  for (Held& h : held) process_.send(h.json, std::move(h.fd));
  log::debug("engine started",
             {{"destination", destination_id_}, {"pid", std::to_string(process_.pid())}});
}

// ---- talking

void PoolEngine::on_socket(std::uint32_t events) {
  if (!process_.connected()) return;
  if ((events & EPOLLOUT) != 0) process_.flush();
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0) return;
  const bool open = process_.read();
  while (true) {
    auto frame = process_.next();
    if (!frame) return kill("speaks nonsense");
    if (!*frame) break;
    handle(**frame);
    if (!process_.connected()) return;  // it said that it ends
  }
  if (!open) on_death();
}

void PoolEngine::handle(Frame& frame) {
  last_heard_ = system_clock().steady_us();
  const json::Value& m = frame.body;
  const std::string_view type = m.string_or("type", "");
  const std::uint64_t id = static_cast<std::uint64_t>(m.int_or("id", 0));
  if (type == "hello") {
    if (m.int_or("version", 0) != kProtocolVersion) kill("is of another version");
  } else if (type == "applied") {
    on_applied(m);
  } else if (type == "started") {
    const auto found = queries_.find(id);
    if (found == queries_.end()) return;
    found->second.events.on_started(
        {.content_type = std::string(m.string_or("content_type", "")),
         .length = m.find("length") != nullptr ? m.find("length")->as_uint() : std::nullopt,
         .coding = query::parse_coding(m.string_or("coding", "")),
         .etag = std::string(m.string_or("etag", "")),
         .not_modified = m.bool_or("not_modified", false),
         .fresh = m.bool_or("fresh", true),
         .columns = m.find("columns") != nullptr ? json::to_json(*m.find("columns")) : "",
         .state = applied_});
  } else if (type == "done") {
    end_query(id, static_cast<std::uint64_t>(m.int_or("rows", 0)));
  } else if (type == "failed") {
    const json::Value* error = m.find("error");
    const Error e = error != nullptr ? read_error(*error) : engine_died();
    if (const auto ask = asks_.find(id); ask != asks_.end()) {
      const Pool::Answer answer = std::move(ask->second);
      asks_.erase(ask);
      answer(fail(e));
    } else {
      end_query(id, fail(e));
    }
  } else if (type == "result") {
    const auto ask = asks_.find(id);
    const json::Value* data = m.find("data");
    if (ask == asks_.end() || data == nullptr) return;
    const Pool::Answer answer = std::move(ask->second);
    asks_.erase(ask);
    answer(*data);
  } else if (type == "trouble") {
    const json::Value* error = m.find("error");
    trouble_ = error != nullptr ? std::optional(read_error(*error)) : std::nullopt;
    failure_ = trouble_;
    if (trouble_)
      log::warn("loading stands still",
                {{"destination", destination_id_}, {"why", trouble_->message}});
    else if (applied_known_)
      log::info("loading goes on", {{"destination", source_->name()}});
  } else if (type == "stopped") {
    said_stopped_ = true;
  } else if (type == "killing") {
    ends_for_query_ = true;
    give_up(id);
    // What comes from now on is for the next engine: this one takes a while to be dead.
    on_death();
  } else if (type == "leaving") {
    ends_for_query_ = true;
  }
}

// What has the engine killed is answered before it is dead: a process with a lot of memory takes a while to end.
void PoolEngine::give_up(std::uint64_t id) {
  const Error too_long{.code = ErrorCode::kDeadlineExceeded,
                       .message = "this ran longer than it may and could not be stopped",
                       .slug = "query-timeout"};
  end_query(id, fail(too_long));
  if (auto node = asks_.extract(id)) node.mapped()(fail(too_long));
}

void PoolEngine::on_applied(const json::Value& m) {
  const auto number = [&](const char* key) {
    const json::Value* v = m.find(key);
    return v == nullptr ? std::uint64_t{0} : v->as_uint().value_or(0);
  };
  applied_.position = number("position");
  applied_.rows_loaded = number("rows_loaded");
  applied_.rows_failed = number("rows_failed");
  applied_known_ = true;
  if (!trouble_) failure_.reset();
  destinations::RowsByTable refused;
  if (const json::Value* tables = m.find("refused")) {
    for (const auto& [table, rows] : tables->members()) refused[table] = rows.as_uint().value_or(0);
  }
  source_->applied(applied_, refused);
  for (auto it = waits_.begin(); it != waits_.end();) {
    if (it->second.position <= applied_.position) {
      const Pool::Applied done = std::move(it->second.done);
      it = waits_.erase(it);
      done(applied_);
    } else {
      ++it;
    }
  }
}

void PoolEngine::news() {
  if (state_ == State::kStopped) ensure_running();
  // Sent with the next tick: a busy journal must not wake its engine for every batch.
}

void PoolEngine::send_durable() {
  const std::uint64_t durable = source_->durable_end();
  if (durable <= durable_sent_) return;
  durable_sent_ = durable;
  last_used_ = system_clock().steady_us();
  process_.send("{\"type\":\"durable\",\"position\":" + std::to_string(durable) + "}");
}

bool PoolEngine::send_or_hold(std::uint64_t id, std::string json, UniqueFd fd) {
  if (ensure_running()) {
    process_.send(json, std::move(fd));
    return true;
  }
  if (retired_ || !next_comes_soon(system_clock().steady_us())) return false;
  held_.push_back({id, std::move(json), std::move(fd)});
  return true;
}

// The old engine is leaving, or the next one comes within a second.
bool PoolEngine::next_comes_soon(Micros now) const {
  const bool after_pause = start_again_at_ - now < kMicrosPerSecond;
  if (state_ == State::kEnding) return !lingers(now) && (!starts_again_ || after_pause);
  return state_ == State::kStopping || (state_ == State::kWaiting && after_pause);
}

void PoolEngine::query(std::uint64_t id, QueryRequest r, UniqueFd out, QueryEvents events) {
  json::Writer w;
  w.begin_object().member("type", "query").member("id", id).member("sql", r.sql);
  w.member("parameters", r.parameters).member("types", r.types);
  if (r.tables) {
    w.begin_array("tables");
    for (const std::string& table : *r.tables) w.element(table);
    w.end_array();
  }
  w.member("format", query::format_name(r.format)).member("coding", query::coding_name(r.coding));
  w.member("snapshot", r.snapshot).member("quote_int64", r.quote_int64);
  w.member("quote_nan", r.quote_nan)
      .member("spreadsheet", r.spreadsheet)
      .member("source", r.source);
  w.member("position", r.position);
  w.member("max_rows", r.max_rows).member("variant", r.variant);
  w.member("if_none_match", r.if_none_match);
  w.member("fresh_ms", static_cast<std::int64_t>(r.fresh_timeout.count()));
  w.member("must_be_fresh", r.must_be_fresh);
  w.member("timeout_ms", static_cast<std::int64_t>(r.timeout.count()))
      .member("fd", true)
      .end_object();
  queries_[id] = {std::move(events)};
  // An engine may open its end anew by its name under /proc/self/fd, which only the owner may.
  if (const auto user = source_->engine_user();
      user && ::fchown(out.get(), user->uid, user->gid) != 0)
    log::warn("a pipe could not be given to an engine", {{"destination", source_->name()}});
  if (!send_or_hold(id, w.take(), std::move(out))) end_query(id, fail(not_running()));
}

void PoolEngine::ask(std::uint64_t id, std::string message, Pool::Answer answer) {
  asks_[id] = std::move(answer);
  if (send_or_hold(id, std::move(message), {})) return;
  const Pool::Answer refused = std::move(asks_[id]);
  asks_.erase(id);
  refused(fail(not_running()));
}

Error PoolEngine::not_running() const {
  if (trouble_) return *trouble_;
  Error error = engine_died();
  error.message = "the engine of this destination is being restarted";
  return error;
}

void PoolEngine::cancel(std::uint64_t id) {
  if (!queries_.contains(id)) return;
  if (std::erase_if(held_, [&](const Held& h) { return h.id == id; }) > 0) {
    return end_query(id, fail(ErrorCode::kCancelled, "the query was cancelled"));
  }
  if (process_.connected())
    process_.send("{\"type\":\"cancel\",\"id\":" + std::to_string(id) + "}");
}

void PoolEngine::wait_applied(std::uint64_t id, std::uint64_t position, Pool::Applied done) {
  if (applied_known_ && applied_.position >= position) return done(applied_);
  waits_[id] = {position, std::move(done)};
  if (ensure_running()) {
    durable_sent_ = std::max(durable_sent_, position);
    process_.send("{\"type\":\"load\",\"position\":" + std::to_string(position) + "}");
  }
}

void PoolEngine::forget_wait(std::uint64_t id) {
  waits_.erase(id);
}

void PoolEngine::end_query(std::uint64_t id, Result<std::uint64_t> result) {
  const auto found = queries_.find(id);
  if (found == queries_.end()) return;
  const auto on_end = std::move(found->second.events.on_end);
  queries_.erase(found);
  last_used_ = system_clock().steady_us();
  on_end(std::move(result));
}

// ---- stopping and dying

void PoolEngine::stop() {
  // One that died has left its destination in disorder: another one tidies up.
  if (state_ == State::kEnding) stop_when_reaped_ = starts_again_;
  if (state_ == State::kWaiting) start();
  if (state_ != State::kRunning) return;
  state_ = State::kStopping;
  stop_sent_at_ = system_clock().steady_us();
  const std::uint64_t target = drain_ ? source_->durable_end() : 0;
  process_.send("{\"type\":\"stop\",\"position\":" + std::to_string(target) + "}");
}

void PoolEngine::stop_for_good() {
  leaving_ = true;
  stop();
}

void PoolEngine::retire(bool drain) {
  retired_ = true;
  drain_ = drain;
  if (drain && state_ == State::kStopped && applied_known_ &&
      applied_.position < source_->durable_end())
    start();
  stop();
}

void PoolEngine::kill(const char* why) {
  if (!alive()) return;
  log::warn("engine killed", {{"destination", destination_id_}, {"why", why}});
  process_.kill();
  if (state_ != State::kEnding) on_death();
}

void PoolEngine::fail_all(const Error& error) {
  // What is held for the next engine has lost nothing.
  std::map<std::uint64_t, Query> queries;
  std::map<std::uint64_t, Pool::Answer> asks;
  queries.swap(queries_);
  asks.swap(asks_);
  for (const Held& h : held_) {
    if (auto node = queries.extract(h.id)) queries_.insert(std::move(node));
    if (auto node = asks.extract(h.id)) asks_.insert(std::move(node));
  }
  for (auto& [id, query] : queries) query.events.on_end(fail(error));
  for (auto& [id, answer] : asks) answer(fail(error));
}

void PoolEngine::on_death() {
  process_.hang_up();
  // It has closed its socket, so it is at its end; should it linger, it is helped.
  if (state_ != State::kStopping) process_.kill();
  up_.set(0);
  const Micros now = system_clock().steady_us();
  // One that was told to stop and died first has left its destination in disorder.
  const bool was_stopping = state_ == State::kStopping;
  if (was_stopping && !said_stopped_ && ++failed_stops_ < kMostFailedStops)
    stop_when_reaped_ = true;
  const bool told = was_stopping && !stop_when_reaped_;
  if (said_stopped_) failed_stops_ = 0;
  state_ = State::kEnding;
  ending_since_ = now;
  starts_again_ = !told;
  if (!told) {
    ++restart_count_;
    restarts_.add();
    log::warn("an engine died", {{"destination", source_->name()}});
    if (!failure_ && !ends_for_query_) failure_ = died_unasked();
    // A query that ends engines must not keep the destination from getting another one.
    const bool quick = now - started_at_ < kQuickDeath && !ends_for_query_;
    quick_deaths_ = quick ? quick_deaths_ + 1 : 0;
    Micros pause = 0;
    if (quick_deaths_ > 1) {
      pause = std::min(kLongestPause, kFirstPause << std::min(quick_deaths_ - 2, 6U));
    }
    start_again_at_ = now + pause;
  }
  // One that never came up has said why.
  fail_all(!applied_known_ && trouble_ ? *trouble_ : engine_died());
  ends_for_query_ = false;
  process_.reap();
  if (!alive()) on_reaped();
}

// The next one may start: nobody holds the destination's file any more.
void PoolEngine::on_reaped() {
  if (starts_again_) {
    log::warn("an engine died",
              {{"destination", source_->name()}, {"cause", process_.cause_of_death()}});
  }
  state_ = starts_again_ ? State::kWaiting : State::kStopped;
  if (std::exchange(stop_when_reaped_, false)) stop();
}

void PoolEngine::tick_ending(Micros now) {
  process_.reap();
  if (!alive()) return on_reaped();
  if (!lingers(now)) return;
  process_.kill();
  // What was to go to the next engine has waited long enough.
  held_.clear();
  fail_all(not_running());
}

void PoolEngine::tick(Micros now) {
  process_.forward_output();
  if (state_ == State::kEnding) tick_ending(now);
  if (state_ == State::kWaiting && now >= start_again_at_) {
    state_ = State::kStopped;
    // Also where nothing is left to load: what the dead one left beside the file is tidied up.
    if (!retired_ && !leaving_) start();
  }
  if (state_ == State::kStopped && !retired_ && !leaving_ &&
      (!held_.empty() || !waits_.empty() ||
       (applied_known_ && applied_.position < source_->durable_end()))) {
    start();  // rows came while the engine was stopping
  }
  if (state_ == State::kRunning) {
    send_durable();
    if (now - last_heard_ > kSilence)
      kill("gives no sign of life");
    else if (options_.idle_timeout.count() > 0 && idle() &&
             now - last_used_ > options_.idle_timeout.count() * 1000)
      stop();
  }
  if (state_ == State::kStopping && now - stop_sent_at_ > kStopLimit) kill("does not stop");
  if (health() == health_) return;
  health_ = health();
  health_since_ = system_clock().wall_us();
}

}  // namespace sd::engine
