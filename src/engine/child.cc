#include "engine/child.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "base/log.h"
#include "destinations/duckdb/duckdb_destination.h"
#include "engine/loader_thread.h"
#include "engine/protocol.h"
#include "engine/query_runner.h"
#include "engine/scheduling.h"

namespace sd::engine {
namespace {

using namespace destinations::duckdb;

constexpr int kExitFault = 3;
constexpr auto kTick = std::chrono::milliseconds(100);

log::Level parse_level(const std::string& name) {
  if (name == "trace") return log::Level::kTrace;
  if (name == "debug") return log::Level::kDebug;
  if (name == "warn") return log::Level::kWarn;
  if (name == "error") return log::Level::kError;
  return log::Level::kInfo;
}

void send_applied(Channel& channel, const destinations::LoadState& state) {
  json::Writer w;
  w.begin_object().member("type", "applied").member("position", state.position);
  w.member("rows_loaded", state.rows_loaded).member("rows_failed", state.rows_failed);
  (void)channel.send(w.end_object().text());
}

void send_trouble(Channel& channel, const std::optional<Error>& error) {
  json::Writer w;
  w.begin_object().member("type", "trouble");
  if (error) write_error(w, "error", *error);
  (void)channel.send(w.end_object().text());
}

// The process is of no more use, and nothing in it may be relied upon: leave at once. What was
// committed is durable; the next engine goes on from there.
[[noreturn]] void leave(const Error& error) {
  log::error("the engine ends", {{"error", error.message}});
  ::_exit(kExitFault);
}

class Child {
 public:
  Child(Channel& channel, const StartMessage& start, DuckdbOptions options)
      : channel_(channel),
        start_(start),
        destination_(std::move(options)),
        loader_(destination_, loader_options(start), events()),
        queries_(destination_, loader_, channel, start.floor,
                 {.log_id = start.log_id,
                  .log_directory = start.log_directory,
                  .loading = loader_options(start).loader}) {
    watcher_ = std::thread([this] { watch(); });
  }
  ~Child() {
    done_ = true;
    watcher_.join();
  }

  // Until told to stop; the exit code.
  int serve() {
    while (true) {
      auto frame = channel_.receive();
      if (!frame || !*frame) {
        // The front is gone. Its journal has everything; another engine will go on.
        ::_exit(0);
      }
      if ((*frame)->body.string_or("type", "") == "stop") return stop((*frame)->body);
      handle(**frame);
    }
  }

 private:
  static LoaderThreadOptions loader_options(const StartMessage& start) {
    LoaderThreadOptions options;
    options.log_directory = start.log_directory;
    options.log_id = start.log_id;
    options.durable_end = start.durable_end;
    options.loader.max_columns = start.max_columns;
    options.loader.max_rows_of_a_row = start.max_rows_of_a_row;
    options.load_after_us = static_cast<Micros>(start.load_after_ms) * 1000;
    options.load_after_bytes = start.load_after_bytes;
    return options;
  }

  LoaderThread::Events events() {
    return {
        .applied = [this](const destinations::LoadState& state) { send_applied(channel_, state); },
        .trouble = [this](const std::optional<Error>& error) { send_trouble(channel_, error); },
        .fatal = [](const Error& error) { leave(error); },
        .on_thread_start = [nice = start_.nice] { yield_to_front(nice); }};
  }

  void handle(Frame& frame) {
    const json::Value& m = frame.body;
    const std::string_view type = m.string_or("type", "");
    const auto number = [&](const char* key) {
      const json::Value* v = m.find(key);
      return v == nullptr ? std::uint64_t{0} : v->as_uint().value_or(0);
    };
    if (type == "durable") {
      loader_.set_durable(number("position"));
    } else if (type == "load") {
      loader_.set_wanted(number("position"));
    } else if (type == "query") {
      QueryTask task;
      task.id = number("id");
      task.sql = m.string_or("sql", "");
      task.format =
          query::parse_format(m.string_or("format", "json")).value_or(query::Format::kJson);
      task.encode.quote_int64 = m.bool_or("quote_int64", false);
      task.position = number("position");
      task.fresh_us = static_cast<Micros>(number("fresh_ms")) * 1000;
      task.must_be_fresh = m.bool_or("must_be_fresh", false);
      task.timeout_us = static_cast<Micros>(number("timeout_ms")) * 1000;
      task.out = std::move(frame.fd);
      queries_.start(std::move(task));
    } else if (type == "check") {
      queries_.check(number("id"), std::string(m.string_or("sql", "")));
    } else if (type == "ask") {
      const json::Value* question = m.find("question");
      queries_.ask(number("id"), number("position"), static_cast<Micros>(number("fresh_ms")) * 1000,
                   m.bool_or("must_be_fresh", false),
                   question != nullptr ? *question : json::Value());
    } else if (type == "cancel") {
      queries_.cancel(number("id"));
    } else {
      log::warn("unknown control message", {{"type", std::string(type)}});
    }
  }

  int stop(const json::Value& m) {
    const json::Value* position = m.find("position");
    queries_.stop();
    const auto closed = loader_.stop(position == nullptr ? 0 : position->as_uint().value_or(0));
    if (!closed)
      log::warn("the destination could not be left in order", {{"error", closed.error().message}});
    json::Writer w;
    w.begin_object().member("type", "stopped").member("position", loader_.state().position);
    (void)channel_.send(w.end_object().text());
    return 0;
  }

  // Once a tick: time limits; once a second: a sign of life, and the priority that the lag asks for.
  void watch() {
    unsigned ticks = 0;
    bool raised = false;
    while (!done_.load()) {
      std::this_thread::sleep_for(kTick);
      const std::uint64_t stuck = queries_.watch();
      if (stuck != 0) {
        json::Writer w;
        w.begin_object().member("type", "killing").member("id", stuck).end_object();
        (void)channel_.send(w.text());
        log::warn("a query cannot be stopped: the engine ends");
        ::kill(::getpid(), SIGKILL);
      }
      if (++ticks % 10 != 0) continue;
      (void)channel_.send("{\"type\":\"alive\"}");
      const bool lags = loader_.durable() - loader_.state().position > kLagBytes;
      if (lags != raised && start_.nice != 0) {
        set_other_threads_nice(lags ? 0 : start_.nice);
        raised = lags;
      }
    }
  }

  static constexpr std::uint64_t kLagBytes = 64U << 20;

  Channel& channel_;
  const StartMessage start_;
  DuckdbDestination destination_;
  LoaderThread loader_;
  QueryRunner queries_;
  std::atomic<bool> done_{false};
  std::thread watcher_;
};

}  // namespace

int run_child(int control_fd) {
  ::signal(SIGPIPE, SIG_IGN);
  // A terminal's interrupt goes to the whole group; the front decides when engines stop.
  ::signal(SIGINT, SIG_IGN);
  ::signal(SIGTERM, SIG_IGN);
  ::prctl(PR_SET_NAME, "sd-engine");
  Channel channel{UniqueFd(control_fd)};
  auto frame = channel.receive();
  if (!frame || !*frame) return 0;
  const auto start = StartMessage::from_json((*frame)->body);
  if (!start) {
    log::error("the engine cannot start", {{"error", start.error().message}});
    return kExitFault;
  }
  log::configure(parse_level(start->log_level),
                 start->log_json ? log::Format::kJson : log::Format::kConsole,
                 "engine[" + start->destination_name + "]");
  json::Writer hello;
  hello.begin_object().member("type", "hello").member("version", kProtocolVersion);
  hello.member("duckdb", kPinnedVersion).end_object();
  if (!channel.send(hello.text())) return 0;

  auto options = options_from_settings(start->settings, start->data_file);
  if (!options) {
    send_trouble(channel, options.error());
    return kExitFault;
  }
  options->threads = start->threads;
  options->memory_limit_bytes = start->memory_limit_bytes;
  options->temp_directory = start->temp_directory;
  Child child(channel, *start, std::move(*options));
  return child.serve();
}

}  // namespace sd::engine
