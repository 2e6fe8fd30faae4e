#include "engine/child.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <thread>

#include "base/log.h"
#include "destinations/duckdb/duckdb_destination.h"
#include "engine/loader_thread.h"
#include "engine/protocol.h"
#include "engine/query_runner.h"
#include "engine/sandbox.h"
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

void send_applied(Channel& channel, const destinations::LoadState& state,
                  const destinations::RowsByTable& refused) {
  json::Writer w;
  w.begin_object().member("type", "applied").member("position", state.position);
  w.member("rows_loaded", state.rows_loaded).member("rows_failed", state.rows_failed);
  if (!refused.empty()) {
    w.begin_object("refused");
    for (const auto& [table, rows] : refused) w.member(table, rows);
    w.end_object();
  }
  (void)channel.send(w.end_object().text());
}

void send_trouble(Channel& channel, const std::optional<Error>& error) {
  json::Writer w;
  w.begin_object().member("type", "trouble");
  if (error) write_error(w, "error", *error);
  (void)channel.send(w.end_object().text());
}

// DuckDB keeps to its limit, but does not count everything: results on their way, strings that a
// function builds, the loader, stacks, and address space that the allocator holds in reserve. Its
// own error is to come first, so there is room for these above it. (Measured: sorts, joins and
// aggregations that spill need up to the limit and 1 GiB.)
std::uint64_t memory_for(const StartMessage& start) {
  const std::uint64_t limit = start.memory_limit_bytes;
  constexpr std::uint64_t kMargin = 1536ULL << 20, kForThread = 32ULL << 20;
  return limit == 0 ? 0 : limit + limit / 2 + kMargin + start.threads * kForThread;
}

// What is looked for later, and cannot be found then.
void prepare_for_walls(const StartMessage& start) {
  // The C library's time zone.
  ::tzset();
  // DuckDB asks the control group what the machine has, whatever its settings say, and ends the
  // process where it can see that file and not open it. It takes these first.
  std::uint64_t memory = start.memory_limit_bytes;
  if (memory == 0) {
    memory = static_cast<std::uint64_t>(std::max(::sysconf(_SC_PHYS_PAGES), 1L)) *
             static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  }
  ::setenv("SLURM_MEM_PER_NODE", (std::to_string((memory >> 10) + 1) + "K").c_str(), 1);
  ::setenv("SLURM_CPUS_ON_NODE", std::to_string(start.threads).c_str(), 1);
}

// From here on the process can do no more than it must; see sandbox.h.
Result<> lock_in(const StartMessage& start, const DuckdbOptions& options) {
  if (!start.sandbox) return {};
  const KernelParts kernel = probe_kernel();
  const auto unavailable = [](const std::string& why) {
    return fail(Error{.code = ErrorCode::kUnavailable,
                      .message = "the engine of this destination cannot be locked in: " + why,
                      .slug = "no-sandbox",
                      .retry_after_s = 10});
  };
  if (const auto missing = missing_parts(kernel); start.require_sandbox && !missing.empty()) {
    return unavailable("this kernel lacks " + missing.front());
  }
  SandboxPlan plan;
  plan.read_folders = {start.log_directory};
  // Without it only frozen shares cannot be made.
  if (::access(start.frozen_folder.c_str(), F_OK) == 0)
    plan.read_folders.push_back(start.frozen_folder);
  plan.write_folders = {start.folder};
  if (options.target == DuckdbOptions::Target::kFile) plan.add_file(options.path);
  plan.network = options.target == DuckdbOptions::Target::kMotherDuck;
  plan.memory_bytes = memory_for(start);
  if (start.uid != 0) plan.user = UserIds{start.uid, start.gid};
  prepare_for_walls(start);
  if (const auto entered = enter_sandbox(plan, kernel); !entered) {
    return unavailable(entered.error().message);
  }
  return {};
}

// The process is of no more use, and nothing in it may be relied upon: leave at once. What was
// committed is durable; the next engine goes on from there.
[[noreturn]] void leave(const Error& error) {
  log::error("the engine ends", {{"error", error.message}});
  ::_exit(kExitFault);
}

class Child {
 public:
  Child(Channel& channel, const StartMessage& start, DuckdbOptions options, OwnThreads& threads)
      : channel_(channel),
        start_(start),
        threads_(threads),
        destination_(std::move(options)),
        loader_(destination_, loader_options(start), events()),
        queries_(destination_, loader_, channel, start.floor,
                 {.log_id = start.log_id,
                  .log_directory = start.log_directory,
                  .loading = loader_options(start).loader},
                 start.temp_directory, [this](const Error& error) {
                   (void)channel_.send("{\"type\":\"leaving\"}");
                   leave(error);
                 }) {
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
        .applied =
            [this](const destinations::LoadState& state, const destinations::RowsByTable& refused) {
              send_applied(channel_, state, refused);
            },
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
      queries_.start(QueryTask::from_message(m, std::move(frame.fd)));
    } else if (type == "progress") {
      queries_.progress(number("id"), number("query"));
    } else if (type == "check") {
      queries_.check(number("id"), m);
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

  // Once a tick: time limits; once a second: a sign of life, and the priority that the lag asks
  // for.
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
        threads_.set_others_nice(lags ? 0 : start_.nice);
        raised = lags;
      }
    }
  }

  static constexpr std::uint64_t kLagBytes = 64U << 20;

  Channel& channel_;
  const StartMessage start_;
  OwnThreads& threads_;  // the watcher's
  DuckdbDestination destination_;
  LoaderThread loader_;
  QueryRunner queries_;
  std::atomic<bool> done_{false};
  std::thread watcher_;
};

int probe(Channel& channel, DuckdbOptions options) {
  DuckdbDestination destination(std::move(options));
  const auto opened = destination.probe();
  if (!opened)
    send_trouble(channel, opened.error());
  else
    (void)channel.send("{\"type\":\"probed\"}");
  return 0;
}

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
  options->read_only = start->read_only;
  options->threads = start->threads;
  options->memory_limit_bytes = start->memory_limit_bytes;
  options->temp_directory = start->temp_directory;
  if (!start->folder.empty()) options->extension_directory = start->folder + "/extensions";
  OwnThreads threads;
  if (const auto locked_in = lock_in(*start, *options); !locked_in) {
    log::error("the engine cannot be locked in", {{"error", locked_in.error().message}});
    send_trouble(channel, locked_in.error());
    return kExitFault;
  }
  if (start->probe) return probe(channel, std::move(*options));
  options->open_paths = ParquetSlots::paths();
  if (!start->frozen_folder.empty()) options->open_folders = {start->frozen_folder};
  Child child(channel, *start, std::move(*options), threads);
  return child.serve();
}

}  // namespace sd::engine
