#include "api/tail_hub.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/log.h"

namespace sd::api {
namespace {

// What a step makes, and reads, at most: then the others on the pool have their turn.
constexpr std::size_t kStepBytes = 256U << 10;
constexpr std::uint64_t kStepRead = 4U << 20;
// Between steps that brought something. One insert is shown at once; of many the rows come together.
constexpr std::chrono::milliseconds kPause{10};
// Pieces that are kept for those who are not there yet.
constexpr std::size_t kKeptOfTable = 1U << 20;
constexpr std::size_t kKeptOfAll = 32U << 20;

}  // namespace

struct TailHub::Wake {
  explicit Wake(const net::any_io_executor& executor) : timer(executor) {}
  net::steady_timer timer;  // of the seat's thread
  std::atomic<bool> signalled{false};

  static void signal(const std::shared_ptr<Wake>& wake) {
    if (wake->signalled.exchange(true)) return;
    net::post(wake->timer.get_executor(), [wake] { wake->timer.cancel(); });
  }
};

TailHub::TailHub(FileSystem& fs, std::string directory, Id128 log_id)
    : fs_(fs), directory_(std::move(directory)), log_id_(log_id), mark_(tail_mark(log_id)) {}

void TailHub::look(journal::Position end) {
  journal::Position known = durable_.load();
  while (known < end && !durable_.compare_exchange_weak(known, end)) {
  }
  if (known < end && !running_.exchange(true)) post();
}

void TailHub::post() {
  net::post(*pool_, [self = shared_from_this()] { self->run(); });
}

std::unique_ptr<TailHub::Seat> TailHub::sit(net::thread_pool& pool,
                                            const net::any_io_executor& executor,
                                            std::string_view table,
                                            const std::function<journal::Position()>& durable_end,
                                            std::size_t most) {
  const std::lock_guard lock(mutex_);
  if (seats_.load() >= most) return nullptr;
  if (pool_ == nullptr) pool_ = &pool;
  std::unique_ptr<Seat> seat(new Seat(shared_from_this(), fold_ascii(table), executor));
  // Counted before it is asked where the log ends: what becomes durable later is heard of.
  const bool is_first = seats_.fetch_add(1) == 0;
  seat->began_ = durable_end();
  if (is_first) {
    ++epoch_;
    failed_ = false;
    decided_ = seat->began_;
    done_ = seat->now();
    time_us_ = system_clock().wall_us();
  }
  Table& entry = tables_[seat->table_];
  if (entry.seats.empty()) entry.from = {decided_, 0};
  entry.seats.push_back(seat->wake_);
  look(seat->began_);
  return seat;
}

// ---- on the pool ----

void TailHub::run() {
  const Next next = step();
  if (next == Next::kMore) {
    post();
    return;
  }
  if (next == Next::kPause) {
    const auto timer = std::make_shared<net::steady_timer>(*pool_, kPause);
    timer->async_wait([self = shared_from_this(), timer](auto error) {
      if (!error) self->run();
    });
    return;
  }
  const journal::Position looked_to = looked_to_;
  running_ = false;
  // What became durable since the step looked.
  if (seats_.load() != 0 && looked_to < durable_.load() && !running_.exchange(true)) post();
}

TailHub::Next TailHub::step() {
  TailCursor from;
  std::uint64_t epoch = 0;
  const journal::Position durable = durable_.load();
  {
    const std::lock_guard lock(mutex_);
    from = done_;
    epoch = epoch_;
    if (seats_.load() == 0 || failed_) {
      source_.reset();
      looked_to_ = failed_ ? durable : 0;
      return Next::kNothing;
    }
  }
  looked_to_ = durable;
  if (source_epoch_ != epoch) source_.reset();
  source_epoch_ = epoch;
  if (!source_) {
    auto source = TailSource::open(fs_, directory_, log_id_, from, durable);
    if (!source) return fail_step(source.error());
    source_ = std::move(*source);
  }
  std::map<std::string, std::shared_ptr<TailPiece>> made;
  std::size_t bytes = 0;
  const std::uint64_t read_before = source_->bytes_read();
  const auto wanted = [this](const std::string& table, journal::Position end) {
    return is_wanted(table, end);
  };
  while (bytes < kStepBytes && source_->bytes_read() - read_before < kStepRead) {
    const auto step = source_->next(durable, wanted);
    if (!step) return fail_step(step.error());
    if (*step == TailSource::Step::kEnd) break;
    if (*step != TailSource::Step::kRow) continue;
    auto& piece = made[source_->table()];
    if (!piece) piece = std::make_shared<TailPiece>();
    piece->add(mark_, *source_);
    bytes += source_->text().size();
  }
  const bool is_more = bytes >= kStepBytes || source_->bytes_read() - read_before >= kStepRead;
  const Next next = deliver(std::move(made), source_->cursor());
  return is_more ? Next::kMore : next;
}

bool TailHub::is_wanted(const std::string& table, journal::Position end) {
  const std::lock_guard lock(mutex_);
  if (source_epoch_ != epoch_) return false;
  decided_ = end;
  return tables_.contains(table);
}

TailHub::Next TailHub::deliver(std::map<std::string, std::shared_ptr<TailPiece>> made,
                               TailCursor to) {
  const std::lock_guard lock(mutex_);
  // Since then all have gone, and others came.
  if (source_epoch_ != epoch_) return Next::kMore;
  done_ = to;
  time_us_ = std::max(time_us_.load(), source_->time_us());
  bool any = false;
  for (auto& [name, piece] : made) {
    const auto table = tables_.find(name);
    if (table == tables_.end()) continue;
    any = true;
    keep(table->second, std::move(piece));
    for (const auto& seat : table->second.seats) Wake::signal(seat);
  }
  return any ? Next::kPause : Next::kNothing;
}

void TailHub::keep(Table& table, std::shared_ptr<const TailPiece> piece) {
  table.bytes += piece->bytes();
  kept_bytes_ += piece->bytes();
  table.pieces.push_back(std::move(piece));
  while (!table.pieces.empty() &&
         ((table.bytes > kKeptOfTable && table.pieces.size() > 1) || kept_bytes_ > kKeptOfAll)) {
    const TailPiece& oldest = *table.pieces.front();
    table.from = oldest.end();
    table.bytes -= oldest.bytes();
    kept_bytes_ -= oldest.bytes();
    table.pieces.pop_front();
  }
}

TailHub::Next TailHub::fail_step(const Error& error) {
  source_.reset();
  std::optional<TailCursor> on;
  if (error.code == ErrorCode::kNotFound) {
    const auto first = journal::first_position(fs_, directory_);
    if (first) on = TailCursor{*first, 0};
  }
  const std::lock_guard lock(mutex_);
  if (source_epoch_ != epoch_) return Next::kMore;
  for (auto& [name, table] : tables_) {
    for (const auto& seat : table.seats) Wake::signal(seat);
  }
  if (!on || *on <= done_) {
    failed_ = true;
    log::error("a journal cannot be read for those who follow it", {{"error", error.message}});
    return Next::kNothing;
  }
  // The journal let go of it before it was read. Everybody finds the gap by himself.
  done_ = *on;
  decided_ = on->position;
  for (auto& [name, table] : tables_) {
    kept_bytes_ -= std::exchange(table.bytes, 0);
    table.pieces.clear();
    table.from = done_;
  }
  return Next::kMore;
}

// ---- a seat ----

TailHub::Seat::Seat(std::shared_ptr<TailHub> hub, std::string table,
                    const net::any_io_executor& executor)
    : hub_(std::move(hub)), table_(std::move(table)), wake_(std::make_shared<Wake>(executor)) {}

TailHub::Seat::~Seat() {
  {
    const std::lock_guard lock(hub_->mutex_);
    const auto table = hub_->tables_.find(table_);
    std::erase(table->second.seats, wake_);
    if (table->second.seats.empty()) {
      hub_->kept_bytes_ -= table->second.bytes;
      hub_->tables_.erase(table);
    }
    if (hub_->seats_.fetch_sub(1) != 1) return;
  }
  // The last one: the next step closes the journal.
  if (!hub_->running_.exchange(true)) hub_->post();
}

TailHub::Seat::Found TailHub::Seat::take(TailCursor& cursor,
                                         std::shared_ptr<const TailPiece>& piece) {
  const std::lock_guard lock(hub_->mutex_);
  if (hub_->failed_) return Found::kFailed;
  const Table& table = hub_->tables_.find(table_)->second;
  if (cursor < table.from) return Found::kBehind;
  const auto found = std::ranges::upper_bound(table.pieces, cursor, {},
                                              [](const auto& each) { return each->end(); });
  if (found == table.pieces.end()) {
    cursor = std::max(cursor, hub_->done_);
    return Found::kNothing;
  }
  piece = *found;
  return Found::kPiece;
}

Task<void> TailHub::Seat::wait(std::chrono::milliseconds limit) {
  const std::shared_ptr<Wake> wake = wake_;
  if (wake->signalled.exchange(false)) co_return;
  wake->timer.expires_after(limit);
  co_await wake->timer.async_wait(net::as_tuple(net::use_awaitable));
  wake->signalled = false;
}

}  // namespace sd::api
