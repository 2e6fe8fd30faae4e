// Inside of the catalog room: what the .cc files of Catalog share.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "catalog/catalog.h"
#include "catalog/seal.h"
#include "catalog/sql.h"

namespace sd::catalog {

// One connection writes, a few read: a reader does not wait for a writer's fdatasync (WAL).
struct Catalog::Impl {
  static constexpr std::size_t kReaders = 4;

  explicit Impl(const Sealer& secret) : sealer(secret) {}

  CatalogOptions options;
  Sealer sealer;
  std::string path;

  std::mutex write_mutex;
  std::unique_ptr<Connection> writer;

  std::mutex read_mutex;
  std::condition_variable reader_free;
  std::vector<std::unique_ptr<Connection>> free_readers;
  std::size_t open_readers = 0;

  std::mutex listener_mutex;
  std::function<void()> listener;

  Micros now() const { return options.clock->wall_us(); }

  Result<std::unique_ptr<Connection>> take_reader();
  void give_reader(std::unique_ptr<Connection> reader);
  void tell_listener();

  // f(session) → Result, in a reading transaction: everything it sees is of one moment.
  template <typename F>
  auto read(F&& f) -> decltype(f(std::declval<soci::session&>())) {
    TRY_ASSIGN(auto reader, take_reader());
    auto result = in_transaction(*reader, Access::kRead, std::forward<F>(f));
    give_reader(std::move(reader));
    return result;
  }

  // f(session) → Result, in a writing transaction.
  template <typename F>
  auto write(F&& f) -> decltype(f(std::declval<soci::session&>())) {
    const std::lock_guard lock(write_mutex);
    return in_transaction(*writer, Access::kWrite, std::forward<F>(f));
  }

  // The same for what the key cache holds: raises the epoch, and tells the listener afterwards.
  template <typename F>
  auto write_visible(F&& f) -> decltype(f(std::declval<soci::session&>())) {
    auto result = write([&](soci::session& sql) {
      auto inner = f(sql);
      if (inner) raise_epoch(sql);
      return inner;
    });
    if (result) tell_listener();
    return result;
  }

  static void raise_epoch(soci::session& sql);
};

// ---- checks and helpers of every table

// "the name" must be 1–255 bytes of UTF-8 without NUL.
Result<> check_name(std::string_view what, std::string_view name);
// UTF-8 without NUL, at most so many bytes.
Result<> check_text(std::string_view what, std::string_view text, std::size_t most);
Result<int> check_limit(const PageRequest& page);

Id128 parse_id(const std::string& text);  // throws on a damaged row
std::string id_text(const std::optional<Id128>& id);
Sha256Digest parse_hash(const std::string& hex);  // likewise

// Turns limit + 1 rows into a page.
template <typename T>
Page<T> make_page(std::vector<T> items, int limit) {
  Page<T> page{.items = std::move(items), .next = {}};
  if (page.items.size() > static_cast<std::size_t>(limit)) {
    page.items.resize(static_cast<std::size_t>(limit));
    page.next = page.items.back().id;
  }
  return page;
}

// Rows that the key table is made of (throw what SOCI throws).
std::vector<Destination> read_all_destinations(soci::session& sql, const Sealer& sealer);
std::vector<KeyTable::Row> read_live_keys(soci::session& sql);
std::vector<KeyTable::SessionRow> read_live_sessions(soci::session& sql, Micros now);
// kNotFound if it does not exist or is deleted.
Result<Destination> read_destination(soci::session& sql, const Sealer& sealer, Id128 id);

}  // namespace sd::catalog
