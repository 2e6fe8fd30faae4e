#include "engine/pool.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "base/clock.h"
#include "base/log.h"
#include "engine/pool_engine.h"
#include "engine/probe.h"

namespace sd::engine {
namespace {

using std::chrono::milliseconds;
constexpr int kTickMs = 20;

}  // namespace

struct Pool::Impl {
  Impl(PoolOptions o, metrics::Registry& m) : options(std::move(o)), metrics(m) {
    epoll = UniqueFd(::epoll_create1(EPOLL_CLOEXEC));
    wake = UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    SD_ASSERT(epoll && wake);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = 0;
    SD_ASSERT(::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, wake.get(), &event) == 0);
  }

  // ---- other threads
  void post(std::function<void()> command) {
    bool first;
    {
      const std::lock_guard lock(mutex);
      first = commands.empty();
      commands.push_back(std::move(command));
    }
    if (first) ring();
  }
  void ring() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto n = ::write(wake.get(), &one, sizeof one);
  }

  // ---- the pool's thread
  void run() {
    while (!ended) {
      std::array<epoll_event, 64> events;
      const int n =
          ::epoll_wait(epoll.get(), events.data(), static_cast<int>(events.size()), timeout_ms());
      for (int i = 0; i < n; ++i) {
        const std::uint64_t key = events[static_cast<std::size_t>(i)].data.u64;
        if (key == 0) {
          std::uint64_t count;
          [[maybe_unused]] const auto r = ::read(wake.get(), &count, sizeof count);
        } else {
          const std::uint32_t what = events[static_cast<std::size_t>(i)].events;
          if (const auto found = by_key.find(key); found != by_key.end())
            found->second->on_socket(what);
          else if (const auto probe = probes.find(key); probe != probes.end())
            probe->second->on_socket(what);
        }
      }
      std::deque<std::function<void()>> todo;
      {
        const std::lock_guard lock(mutex);
        todo.swap(commands);
      }
      for (auto& command : todo) command();
      tick();
    }
  }

  int timeout_ms() const { return engines.empty() && probes.empty() ? -1 : busy() ? kTickMs : 200; }
  bool busy() const {
    if (!probes.empty()) return true;
    for (const auto& [id, engine] : engines) {
      if (engine->wants_tick()) return true;
    }
    return stopping;
  }

  void tick() {
    const Micros now = system_clock().steady_us();
    if (now - last_tick < kTickMs * 1000) return;
    last_tick = now;
    std::size_t alive = 0;
    for (auto& [id, engine] : engines) {
      engine->tick(now);
      alive += engine->alive() ? 1 : 0;
    }
    if (alive > options.max_engines) stop_longest_idle();
    for (auto& [key, probe] : probes) probe->tick(now);
    std::erase_if(probes, [](const auto& each) { return each.second->finished(); });
    for (auto it = engines.begin(); it != engines.end();) {
      if (it->second->finished()) {
        by_key.erase(it->second->key());
        it = engines.erase(it);
        publish();
      } else {
        ++it;
      }
    }
    if (now - last_publish > kMicrosPerSecond / 4) publish();
    if (stopping && alive == 0 && probes.empty()) ended = true;
    if (stopping && now > stop_deadline) {
      for (auto& [id, engine] : engines) engine->kill("did not stop in time");
      ended = true;
    }
    changed.notify_all();
  }

  void stop_longest_idle() {
    PoolEngine* oldest = nullptr;
    for (auto& [id, engine] : engines) {
      if (engine->idle() && (oldest == nullptr || engine->last_used() < oldest->last_used())) {
        oldest = engine.get();
      }
    }
    if (oldest != nullptr) oldest->stop();
  }

  void publish() {
    last_publish = system_clock().steady_us();
    std::vector<EngineInfo> all;
    for (const auto& [id, engine] : engines) all.push_back(engine->info());
    const std::lock_guard lock(info_mutex);
    infos = std::move(all);
  }

  PoolEngine* find(const std::string& id) {
    const auto found = engines.find(id);
    return found == engines.end() ? nullptr : found->second.get();
  }

  const PoolOptions options;
  metrics::Registry& metrics;
  UniqueFd epoll;
  UniqueFd wake;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::function<void()>> commands;
  std::map<std::string, std::unique_ptr<PoolEngine>> engines;
  std::unordered_map<std::uint64_t, PoolEngine*> by_key;
  std::unordered_map<std::uint64_t, std::unique_ptr<Probe>> probes;  // by key
  std::atomic<std::uint64_t> next_key{1};
  Micros last_tick = 0;
  Micros last_publish = 0;
  Micros stop_deadline = 0;
  bool stopping = false;
  std::atomic<bool> ended{false};
  std::atomic<std::uint64_t> next_id{1};
  // Destinations with news that the thread has not looked at: one ring of the bell for all of it.
  std::mutex news_mutex;
  std::map<std::string, bool> news;
  mutable std::mutex info_mutex;
  std::vector<EngineInfo> infos;
  std::thread thread;
};

Pool::Pool(PoolOptions options, metrics::Registry& metrics)
    : impl_(std::make_unique<Impl>(std::move(options), metrics)) {
  impl_->thread = std::thread([this] { impl_->run(); });
}

Pool::~Pool() {
  stop_all(milliseconds(0));
}

void Pool::add(const std::string& id, std::shared_ptr<Source> source, bool load_now) {
  impl_->post([this, id, source = std::move(source), load_now] {
    const std::uint64_t key = impl_->next_key++;
    auto engine = std::make_unique<PoolEngine>(impl_->options, impl_->metrics, id, source, key,
                                               impl_->epoll.get());
    impl_->by_key[key] = engine.get();
    auto& slot = impl_->engines[id];
    if (slot) impl_->by_key.erase(slot->key());
    slot = std::move(engine);
    if (load_now) slot->news();
  });
}

void Pool::forget(const std::string& id, bool drain) {
  impl_->post([this, id, drain] {
    if (PoolEngine* engine = impl_->find(id)) engine->retire(drain);
  });
}

void Pool::notify_durable(const std::string& id) {
  {
    const std::lock_guard lock(impl_->news_mutex);
    bool& pending = impl_->news[id];
    if (pending) return;
    pending = true;
  }
  impl_->post([this, id] {
    {
      const std::lock_guard lock(impl_->news_mutex);
      impl_->news[id] = false;
    }
    if (PoolEngine* engine = impl_->find(id)) engine->news();
  });
}

namespace {
// Who asks has found it a moment ago: it is being changed, and back soon, or being deleted.
Error unknown_destination() {
  return Error{.code = ErrorCode::kUnavailable,
               .message = "this destination is being changed",
               .retry_after_s = 1};
}
}  // namespace

std::uint64_t Pool::query(const std::string& id, QueryRequest request, UniqueFd out,
                          QueryEvents events) {
  const std::uint64_t query_id = impl_->next_id++;
  // std::function wants something that can be copied; a descriptor cannot.
  auto shared = std::make_shared<std::tuple<QueryRequest, UniqueFd, QueryEvents>>(
      std::move(request), std::move(out), std::move(events));
  impl_->post([this, id, query_id, shared] {
    auto& [r, fd, e] = *shared;
    if (PoolEngine* engine = impl_->find(id); engine != nullptr && !impl_->stopping) {
      engine->query(query_id, std::move(r), std::move(fd), std::move(e));
    } else {
      e.on_end(fail(unknown_destination()));
    }
  });
  return query_id;
}

void Pool::cancel(std::uint64_t query_id) {
  impl_->post([this, query_id] {
    for (auto& [id, engine] : impl_->engines) engine->cancel(query_id);
  });
}

std::uint64_t Pool::wait_applied(const std::string& id, std::uint64_t position, Applied done) {
  const std::uint64_t wait_id = impl_->next_id++;
  impl_->post([this, id, wait_id, position, done = std::move(done)] {
    if (PoolEngine* engine = impl_->find(id)) engine->wait_applied(wait_id, position, done);
  });
  return wait_id;
}

void Pool::forget_wait(std::uint64_t wait_id) {
  impl_->post([this, wait_id] {
    for (auto& [id, engine] : impl_->engines) engine->forget_wait(wait_id);
  });
}

void Pool::send_asking(const std::string& id, std::function<void(json::Writer&)> fill,
                       Answer answer) {
  const std::uint64_t ask_id = impl_->next_id++;
  impl_->post([this, id, ask_id, fill = std::move(fill), answer = std::move(answer)] {
    PoolEngine* engine = impl_->find(id);
    if (engine == nullptr || impl_->stopping) return answer(fail(unknown_destination()));
    json::Writer w;
    w.begin_object().member("id", ask_id);
    fill(w);
    w.end_object();
    engine->ask(ask_id, w.take(), answer);
  });
}

void Pool::check(const std::string& id, Checked what, Answer answer) {
  send_asking(
      id,
      [what = std::move(what)](json::Writer& w) {
        w.member("type", "check").member("sql", what.sql).member("describe", what.describe);
        w.member("parameters", what.parameters).member("types", what.types);
      },
      std::move(answer));
}

void Pool::progress(const std::string& id, std::uint64_t query_id, Answer answer) {
  send_asking(
      id, [query_id](json::Writer& w) { w.member("type", "progress").member("query", query_id); },
      std::move(answer));
}

void Pool::ask(const std::string& id, std::string question, std::uint64_t position,
               bool must_be_fresh, Answer answer) {
  send_asking(
      id,
      [question = std::move(question), position, must_be_fresh](json::Writer& w) {
        w.member("type", "ask").member("position", position).member("fresh_ms", 5000);
        w.member("must_be_fresh", must_be_fresh).raw_member("question", question);
      },
      std::move(answer));
}

std::uint64_t Pool::probe(StartMessage message, milliseconds limit,
                          std::function<void(Result<>)> done) {
  const std::uint64_t key = impl_->next_key++;
  impl_->post([this, key, message = std::move(message), limit, done = std::move(done)] {
    if (impl_->stopping) return done(fail(unknown_destination()));
    auto& probe = impl_->probes[key];
    probe = std::make_unique<Probe>(impl_->options.executable, key, impl_->epoll.get(), done);
    probe->start(message, limit.count() * 1000);
  });
  return key;
}

void Pool::forget_probe(std::uint64_t probe_id) {
  impl_->post([this, probe_id] {
    if (const auto found = impl_->probes.find(probe_id); found != impl_->probes.end())
      found->second->cancel();
  });
}

std::vector<EngineInfo> Pool::info() const {
  const std::lock_guard lock(impl_->info_mutex);
  return impl_->infos;
}

void Pool::stop_all(std::chrono::milliseconds grace) {
  if (!impl_->thread.joinable()) return;
  impl_->post([this, grace] {
    impl_->stopping = true;
    impl_->stop_deadline = system_clock().steady_us() + grace.count() * 1000;
    for (auto& [id, engine] : impl_->engines) engine->stop_for_good();
    for (auto& [key, probe] : impl_->probes) probe->cancel();
    if (impl_->engines.empty() && impl_->probes.empty()) impl_->ended = true;
  });
  impl_->thread.join();
}

}  // namespace sd::engine
