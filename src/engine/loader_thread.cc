#include "engine/loader_thread.h"

#include <algorithm>
#include <chrono>

#include "base/log.h"

namespace sd::engine {
namespace {

using std::chrono::microseconds;
constexpr auto kRetryEvery = std::chrono::seconds(1);
constexpr auto kHousekeepingEvery = std::chrono::seconds(1);

}  // namespace

LoaderThread::LoaderThread(destinations::Destination& destination, LoaderThreadOptions options,
                           Events events)
    : destination_(destination),
      options_(std::move(options)),
      events_(std::move(events)),
      durable_(options_.durable_end),
      durable_since_(system_clock().steady_us()) {
  thread_ = std::thread([this] { run(); });
}

LoaderThread::~LoaderThread() {
  if (thread_.joinable()) (void)stop(0);
}

void LoaderThread::set_durable(journal::Position position) {
  const std::lock_guard lock(mutex_);
  if (position <= durable_) return;
  if (durable_ <= state_.position) durable_since_ = system_clock().steady_us();
  durable_ = position;
  changed_.notify_all();
}

void LoaderThread::set_wanted(journal::Position position) {
  const std::lock_guard lock(mutex_);
  if (position > durable_) durable_ = position;
  if (position <= wanted_) return;
  wanted_ = position;
  changed_.notify_all();
}

auto LoaderThread::wait_applied(journal::Position position, Micros timeout_us,
                                const std::function<bool()>& give_up) -> Waited {
  set_wanted(position);
  const auto deadline = std::chrono::steady_clock::now() + microseconds(timeout_us);
  std::unique_lock lock(mutex_);
  while (true) {
    if (started_ && state_.position >= position) return Waited::kApplied;
    if (trouble_) return Waited::kTrouble;
    const auto now = std::chrono::steady_clock::now();
    if (now >= deadline || stopping_) return Waited::kTimeout;
    if (give_up && give_up()) return Waited::kTimeout;
    changed_.wait_until(lock, std::min(deadline, now + std::chrono::milliseconds(100)));
  }
}

Result<> LoaderThread::between_batches(Job job, const std::function<bool()>& give_up,
                                       Micros timeout_us) {
  const auto waiting = std::make_shared<Waiting>(Waiting{.job = std::move(job), .result = {}});
  const auto deadline = std::chrono::steady_clock::now() + microseconds(timeout_us);
  std::unique_lock lock(mutex_);
  jobs_.push_back(waiting);
  changed_.notify_all();
  while (!waiting->result) {
    const auto found = std::ranges::find(jobs_, waiting);
    const bool begun = found == jobs_.end();  // then its end is near
    const bool late = std::chrono::steady_clock::now() >= deadline || stopping_ || give_up();
    if (!begun && late) {
      jobs_.erase(found);
      return fail(Error{.code = ErrorCode::kUnavailable,
                        .message = "the destination is busy",
                        .slug = "destination-busy",
                        .retry_after_s = 1});
    }
    changed_.wait_for(lock, std::chrono::milliseconds(100));
  }
  return *waiting->result;
}

void LoaderThread::run_jobs() {
  std::unique_lock lock(mutex_);
  while (!jobs_.empty()) {
    const std::shared_ptr<Waiting> waiting = jobs_.front();
    jobs_.pop_front();
    lock.unlock();
    Result<> result = waiting->job();
    lock.lock();
    waiting->result = std::move(result);
    changed_.notify_all();
  }
}

std::optional<Error> LoaderThread::trouble() const {
  const std::lock_guard lock(mutex_);
  return trouble_;
}

destinations::LoadState LoaderThread::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

journal::Position LoaderThread::durable() const {
  const std::lock_guard lock(mutex_);
  return durable_;
}

Result<> LoaderThread::stop(journal::Position position) {
  set_wanted(position);
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    stop_at_ = position;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
  return closed_;
}

bool LoaderThread::may_pass(const Error& error) const {
  return error.code == ErrorCode::kUnavailable || error.code == ErrorCode::kResourceExhausted ||
         error.code == ErrorCode::kInDoubt;
}

void LoaderThread::report(std::optional<Error> error) {
  {
    const std::lock_guard lock(mutex_);
    const bool same = trouble_.has_value() == error.has_value() &&
                      (!error || trouble_->message == error->message);
    trouble_ = error;
    changed_.notify_all();
    if (same) return;
  }
  events_.trouble(error);
}

bool LoaderThread::open_and_start() {
  journal::Position durable_end;
  {
    const std::lock_guard lock(mutex_);
    durable_end = durable_;
  }
  Result<> done = open_ ? Result<>() : destination_.open();
  if (done) {
    open_ = true;
    if (!loader_) {
      loader_ =
          std::make_unique<load::Loader>(posix_file_system(), destination_, options_.log_directory,
                                         options_.log_id, options_.loader);
    }
    done = loader_->start(durable_end);
  }
  if (!done) {
    if (done.error().code == ErrorCode::kInternal) events_.fatal(done.error());
    report(done.error());
    return false;
  }
  {
    const std::lock_guard lock(mutex_);
    state_ = loader_->state();
    started_ = true;
  }
  // What stood in the way of a batch is over only when a batch has gone in.
  if (!load_failed_) report(std::nullopt);
  events_.applied(loader_->state(), loader_->take_refused());
  return true;
}

bool LoaderThread::due(Micros now) const {
  if (stopping_) return state_.position < stop_at_;
  if (state_.position >= durable_) return false;
  return wanted_ > state_.position || durable_ - state_.position >= options_.load_after_bytes ||
         now - durable_since_ >= options_.load_after_us;
}

void LoaderThread::load_once() {
  journal::Position durable_end;
  {
    const std::lock_guard lock(mutex_);
    durable_end = durable_;
  }
  const auto loaded = loader_->load_batch(durable_end);
  if (!loaded) {
    // Tried again every second: said once.
    if (!load_failed_ || last_failure_ != loaded.error().message) {
      log::warn("loading failed", {{"error", loaded.error().message}});
    }
    last_failure_ = loaded.error().message;
    if (loaded.error().code == ErrorCode::kInternal) events_.fatal(loaded.error());
    load_failed_ = true;
    report(loaded.error());
    std::unique_lock lock(mutex_);
    started_ = false;
    if (!stopping_) changed_.wait_for(lock, kRetryEvery, [&] { return stopping_; });
    return;
  }
  if (load_failed_) {
    load_failed_ = false;
    report(std::nullopt);
  }
  {
    const std::lock_guard lock(mutex_);
    state_ = loader_->state();
    durable_since_ = system_clock().steady_us();
    changed_.notify_all();
  }
  events_.applied(loader_->state(), loader_->take_refused());
}

void LoaderThread::run() {
  if (events_.on_thread_start) events_.on_thread_start();
  while (true) {
    bool started;
    {
      const std::lock_guard lock(mutex_);
      started = started_;
      // What cannot be loaded now stays in the journal.
      if (stopping_ && !started && load_failed_) break;
    }
    if (!started && !open_and_start()) {
      std::unique_lock lock(mutex_);
      if (stopping_) break;
      changed_.wait_for(lock, kRetryEvery, [&] { return stopping_; });
      continue;
    }
    bool load = false;
    {
      std::unique_lock lock(mutex_);
      if (!due(system_clock().steady_us()) && jobs_.empty()) {
        if (stopping_) break;
        const bool waiting = state_.position < durable_;
        const Micros age = system_clock().steady_us() - durable_since_;
        const auto sleep = waiting
                               ? microseconds(std::max<Micros>(1000, options_.load_after_us - age))
                               : std::chrono::duration_cast<microseconds>(kHousekeepingEvery);
        changed_.wait_for(lock, sleep);
      }
      load = due(system_clock().steady_us());
    }
    if (load) load_once();
    run_jobs();
    const auto kept = destination_.maintain();
    if (!kept && kept.error().code == ErrorCode::kInternal) events_.fatal(kept.error());
  }
  loader_.reset();
  closed_ = destination_.close();
}

}  // namespace sd::engine
