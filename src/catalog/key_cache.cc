#include "catalog/key_cache.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <stop_token>
#include <thread>
#include <unordered_map>

#include "base/ascii.h"
#include "base/checksum.h"
#include "base/log.h"

namespace sd::catalog {
namespace {

constexpr std::size_t kLongestSecret = 255;

// When a key was last used. Shared by all snapshots that hold the key.
struct UseClock {
  std::atomic<Micros> used{0};
  std::atomic<Micros> written{0};
};

struct Entry {
  KeyInfo info;
  Sha256Digest hash;
  std::shared_ptr<UseClock> uses;
};

// The part of a hash that finds an entry. The whole of it is then compared in constant time.
std::uint64_t slot(const Sha256Digest& hash) {
  std::uint64_t out;
  std::memcpy(&out, hash.data(), sizeof out);
  return out;
}

std::string_view view(const Sha256Digest& hash) {
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

struct Snapshot {
  std::int64_t epoch = -1;
  std::vector<Entry> keys;
  std::unordered_multimap<std::uint64_t, std::size_t> by_slot;
  std::vector<Destination> destinations;
  std::unordered_map<Id128, std::size_t> by_id;
  std::unordered_map<std::string, std::size_t> by_name;
  struct SignedIn {
    KeyTable::SessionRow row;
    std::size_t key = 0;
  };
  std::unordered_multimap<std::uint64_t, SignedIn> sessions;

  const Entry* find(const Sha256Digest& hash) const {
    const auto [begin, end] = by_slot.equal_range(slot(hash));
    for (auto it = begin; it != end; ++it) {
      if (equal_constant_time(view(keys[it->second].hash), view(hash))) return &keys[it->second];
    }
    return nullptr;
  }

  const Destination* find(Id128 id) const {
    const auto found = by_id.find(id);
    return found == by_id.end() ? nullptr : &destinations[found->second];
  }
};

// The current snapshot. A mutex held for the time of one reference count: std::atomic<shared_ptr>
// of GCC 12 lets go of its lock with relaxed order (the thread sanitizer finds it), and is no
// faster.
class Current {
 public:
  std::shared_ptr<const Snapshot> load() const {
    const std::lock_guard lock(mutex_);
    return snapshot_;
  }
  void store(std::shared_ptr<const Snapshot> next) {
    const std::lock_guard lock(mutex_);
    snapshot_.swap(next);
    // The old one, now in `next`, may be the last reference: it goes after the lock does.
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Snapshot> snapshot_ = std::make_shared<const Snapshot>();
};

void add_sessions(Snapshot& out, const std::vector<KeyTable::SessionRow>& sessions) {
  if (sessions.empty()) return;
  std::unordered_map<Id128, std::size_t> keys;
  for (std::size_t i = 0; i < out.keys.size(); ++i) keys.emplace(out.keys[i].info.id, i);
  for (const KeyTable::SessionRow& row : sessions) {
    const auto key = keys.find(row.session.key_id);
    if (key != keys.end())
      out.sessions.emplace(slot(row.hash), Snapshot::SignedIn{row, key->second});
  }
}

std::shared_ptr<const Snapshot> make_snapshot(KeyTable table, const Snapshot& old,
                                              const std::vector<Sha256Digest>& well_known) {
  auto out = std::make_shared<Snapshot>();
  out->epoch = table.epoch;
  out->destinations = std::move(table.destinations);
  for (std::size_t i = 0; i < out->destinations.size(); ++i) {
    out->by_id.emplace(out->destinations[i].id, i);
    out->by_name.emplace(out->destinations[i].name, i);
  }
  out->keys.reserve(table.keys.size());
  out->by_slot.reserve(table.keys.size());
  for (KeyTable::Row& row : table.keys) {
    if (row.key.destination_id) {
      const Destination* home = out->find(*row.key.destination_id);
      if (home == nullptr || home->state == DestinationState::kDetached) continue;
    }
    const Entry* before = old.find(row.hash);
    Entry entry{.info = {.id = row.key.id,
                         .destination_id = row.key.destination_id,
                         .scopes = row.key.scopes,
                         .tables = std::move(row.key.tables),
                         .endpoints = std::move(row.key.endpoints),
                         .flatten = std::move(row.key.flatten),
                         .max_rows = row.key.max_rows,
                         .max_bytes = row.key.max_bytes,
                         .parameters = row.key.parameters,
                         .requests_per_minute = row.key.requests_per_minute},
                .hash = row.hash,
                .uses = before != nullptr ? before->uses : std::make_shared<UseClock>()};
    entry.info.well_known = std::ranges::find(well_known, row.hash) != well_known.end();
    out->by_slot.emplace(slot(row.hash), out->keys.size());
    out->keys.push_back(std::move(entry));
  }
  add_sessions(*out, table.sessions);
  return out;
}

}  // namespace

bool KeyInfo::may_table(std::string_view table) const {
  // Tables are the same whatever the case of their letters; so are the names on the list.
  return !tables || std::ranges::any_of(
                        *tables, [&](const std::string& t) { return same_ascii_folded(t, table); });
}
bool KeyInfo::may_endpoint(std::string_view endpoint) const {
  return !endpoints || std::ranges::find(*endpoints, endpoint) != endpoints->end();
}

struct KeyCache::Impl {
  Catalog& catalog;
  KeyCacheOptions options;
  const Clock& clock;
  std::vector<Sha256Digest> well_known;

  Current snapshot;
  std::mutex refresh_mutex;
  std::atomic<bool> failing{false};

  std::mutex sleep_mutex;
  std::condition_variable_any wake;
  std::jthread thread;

  Impl(Catalog& its_catalog, KeyCacheOptions its_options)
      : catalog(its_catalog), options(its_options), clock(its_catalog.clock()) {
    for (const std::string_view secret : well_known_secrets()) {
      well_known.push_back(hash_secret(secret));
    }
  }

  Result<> refresh_if_changed() {
    const std::lock_guard lock(refresh_mutex);
    const auto old = snapshot.load();
    TRY_ASSIGN(const std::int64_t epoch, catalog.epoch());
    if (epoch == old->epoch) return {};
    TRY_ASSIGN(KeyTable table, catalog.key_table());
    snapshot.store(make_snapshot(std::move(table), *old, well_known));
    return {};
  }

  // The last snapshot goes on serving; the log hears of it once, and once when it is over.
  void refresh_or_log() {
    const auto done = refresh_if_changed();
    if (!done && !failing.exchange(true)) {
      log::error("keys cannot be read again; the last known ones stay in force",
                 {{"reason", done.error().message}});
    } else if (done && failing.exchange(false)) {
      log::info("keys can be read again");
    }
  }

  Result<> flush_uses() {
    std::vector<std::pair<Id128, Micros>> uses;
    const auto now_snapshot = snapshot.load();
    for (const Entry& entry : now_snapshot->keys) {
      const Micros used = entry.uses->used.load(std::memory_order_relaxed);
      if (used > entry.uses->written.load(std::memory_order_relaxed)) {
        uses.emplace_back(entry.info.id, used);
        entry.uses->written.store(used, std::memory_order_relaxed);
      }
    }
    return catalog.touch_keys(uses);
  }

  void note_use(const Entry& entry) const {
    const Micros now = clock.wall_us();
    const Micros step = std::chrono::microseconds(options.use_interval).count();
    if (now - entry.uses->used.load(std::memory_order_relaxed) >= step)
      entry.uses->used.store(now, std::memory_order_relaxed);
  }

  void run(const std::stop_token& stop) {
    auto next_flush = std::chrono::steady_clock::now() + options.use_interval;
    while (!stop.stop_requested()) {
      {
        std::unique_lock lock(sleep_mutex);
        wake.wait_for(lock, stop, options.poll_interval, [] { return false; });
      }
      if (stop.stop_requested()) return;
      refresh_or_log();
      if (std::chrono::steady_clock::now() < next_flush) continue;
      next_flush = std::chrono::steady_clock::now() + options.use_interval;
      if (const auto done = flush_uses(); !done) {
        log::warn("last uses of keys were not written", {{"reason", done.error().message}});
      }
    }
  }
};

KeyCache::KeyCache(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<KeyCache>> KeyCache::start(Catalog& catalog, KeyCacheOptions options) {
  auto impl = std::make_unique<Impl>(catalog, options);
  TRY(impl->refresh_if_changed());
  Impl* raw = impl.get();
  catalog.on_change([raw] { raw->refresh_or_log(); });
  impl->thread = std::jthread([raw](const std::stop_token& stop) { raw->run(stop); });
  return std::unique_ptr<KeyCache>(new KeyCache(std::move(impl)));
}

KeyCache::~KeyCache() {
  impl_->catalog.on_change(nullptr);
  impl_->thread.request_stop();
  impl_->thread.join();
  if (const auto done = impl_->flush_uses(); !done) {
    log::warn("last uses of keys were not written", {{"reason", done.error().message}});
  }
}

std::shared_ptr<const KeyInfo> KeyCache::find_key(std::string_view secret) const {
  if (secret.empty() || secret.size() > kLongestSecret) return nullptr;
  const auto snapshot = impl_->snapshot.load();
  const Entry* entry = snapshot->find(hash_secret(secret));
  if (entry == nullptr) return nullptr;
  impl_->note_use(*entry);
  return {snapshot, &entry->info};
}

KeyCache::FoundSession KeyCache::find_session(std::string_view secret) const {
  if (secret.empty() || secret.size() > kLongestSecret) return {};
  const auto snapshot = impl_->snapshot.load();
  const Sha256Digest hash = hash_secret(secret);
  const auto [begin, end] = snapshot->sessions.equal_range(slot(hash));
  for (auto it = begin; it != end; ++it) {
    const Session& session = it->second.row.session;
    const bool same = equal_constant_time(view(it->second.row.hash), view(hash));
    if (!same || session.expires_at <= impl_->clock.wall_us()) continue;
    const Entry& entry = snapshot->keys[it->second.key];
    impl_->note_use(entry);
    return {session.id, session.expires_at, {snapshot, &entry.info}};
  }
  return {};
}

std::shared_ptr<const Destination> KeyCache::destination(Id128 id) const {
  const auto snapshot = impl_->snapshot.load();
  const Destination* found = snapshot->find(id);
  if (found == nullptr) return nullptr;
  return {snapshot, found};
}

std::shared_ptr<const Destination> KeyCache::destination_named(std::string_view name) const {
  const auto snapshot = impl_->snapshot.load();
  const auto found = snapshot->by_name.find(std::string(name));
  if (found == snapshot->by_name.end()) return nullptr;
  return {snapshot, &snapshot->destinations[found->second]};
}

std::shared_ptr<const Destination> KeyCache::destination_by_text(std::string_view text) const {
  if (const auto id = Id128::parse(text)) return destination(*id);
  return destination_named(text);
}

std::vector<std::shared_ptr<const Destination>> KeyCache::destinations() const {
  const auto snapshot = impl_->snapshot.load();
  std::vector<std::shared_ptr<const Destination>> out;
  for (const Destination& each : snapshot->destinations) out.emplace_back(snapshot, &each);
  return out;
}

Result<> KeyCache::refresh() {
  return impl_->refresh_if_changed();
}
Result<> KeyCache::flush_uses() {
  return impl_->flush_uses();
}

}  // namespace sd::catalog
