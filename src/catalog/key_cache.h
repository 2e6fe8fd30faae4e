// The keys and destinations in memory, for the hot path: finding a key costs one SHA-256 and one
// hash lookup, never SQL, also for keys that do not exist.
//
// A complete snapshot, immutable and shared, replaced as a whole. Changes made through this
// process's Catalog are in it when the changing call returns; those of other processes within
// poll_interval (the thread compares the catalog's epoch). If the catalog cannot be read, the last
// snapshot goes on serving and the failure is logged.
//
// Threading: find_key(), destination(), destination_named() from any thread, I/O threads too;
// refresh() and flush_uses() block. The Catalog must outlive the cache. One cache for a Catalog.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "catalog/catalog.h"
#include "catalog/model.h"

namespace sd::catalog {

struct KeyInfo {
  Id128 id;
  std::optional<Id128> destination_id;  // none: an admin key
  Scopes scopes;
  std::optional<std::vector<std::string>> tables;     // none: all
  std::optional<std::vector<std::string>> endpoints;  // none: all
  std::string flatten;          // mode of rows whose request names none; empty: as the table says
  std::uint64_t max_rows = 0;   // of a query's result; 0: any number
  std::uint64_t max_bytes = 0;  // of a query's answer
  std::string parameters;       // see Key
  std::uint64_t requests_per_minute = 0;
  // Serves on loopback only: the caller checks where the request came from.
  bool well_known = false;

  bool is_admin() const { return !destination_id; }
  bool may(Scope scope) const { return scopes.has(scope); }
  bool may_table(std::string_view table) const;
  bool may_endpoint(std::string_view endpoint) const;
};

struct KeyCacheOptions {
  std::chrono::milliseconds poll_interval{250};
  // Last uses go to the catalog this often, and no key more often than this.
  std::chrono::seconds use_interval{60};
};

class KeyCache {
 public:
  // Reads everything once, then starts its thread.
  static Result<std::unique_ptr<KeyCache>> start(Catalog& catalog, KeyCacheOptions options = {});
  // Writes the last uses and ends the thread.
  ~KeyCache();
  KeyCache(const KeyCache&) = delete;
  KeyCache& operator=(const KeyCache&) = delete;

  // Null if there is no such key, it is revoked, or its destination is detached. Notes its use.
  std::shared_ptr<const KeyInfo> find_key(std::string_view secret) const;
  // The session with that secret, while it lasts and its key is in force; notes the key's use.
  struct FoundSession {
    Id128 id;
    Micros expires_at = 0;
    std::shared_ptr<const KeyInfo> key;  // null: there is none
  };
  FoundSession find_session(std::string_view secret) const;
  // Null if there is none (also detached and deleting ones are found: ask their state).
  std::shared_ptr<const Destination> destination(Id128 id) const;
  std::shared_ptr<const Destination> destination_named(std::string_view name) const;
  // By id, if the text is one, else by name.
  std::shared_ptr<const Destination> destination_by_text(std::string_view id_or_name) const;
  // Oldest first.
  std::vector<std::shared_ptr<const Destination>> destinations() const;

  Result<> refresh();
  Result<> flush_uses();

 private:
  struct Impl;
  explicit KeyCache(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sd::catalog
