// What every handler of the API may use. Built once by the composition root, then shared by all I/O
// threads; each part says itself who may call it.
#pragma once

#include <atomic>
#include <boost/asio.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <span>
#include <string>
#include <vector>

#include "api/append.h"
#include "api/endpoint_usage.h"
#include "api/rate_limiter.h"
#include "api/running_queries.h"
#include "api/share_guard.h"
#include "api/tenant.h"
#include "base/metrics.h"
#include "catalog/catalog.h"
#include "catalog/key_cache.h"
#include "engine/pool.h"
#include "http/exchange.h"
#include "http/router.h"

namespace sd::api {

struct TailOptions {
  std::size_t max_open = 1000;  // of one destination
  // For so long a reader may take nothing, and so much later may it show rows than it did at best.
  std::chrono::milliseconds stall_timeout{10'000};
  std::chrono::milliseconds max_lag{60'000};
};

struct AppOptions {
  TenantOptions tenant;
  std::uint64_t max_body_bytes = 16ULL << 30;
  std::uint64_t inline_body_bytes = 1ULL << 20;  // larger bodies go to a blob
  std::string base_url;                          // without a slash at its end; empty: from the Host
  std::vector<std::string> hosts;                // Host values that may stand in URLs we hand out
  std::string healthcheck_fail_file;
  std::chrono::milliseconds query_timeout{300'000};
  // Of downloads of shares, where the share says nothing else; 0: any number of rows.
  std::chrono::milliseconds share_timeout{60'000};
  std::uint64_t share_max_rows = 0;
  std::size_t share_max_running = 16;
  std::uint64_t share_max_frozen_bytes = 4ULL << 30;  // all files of one; 0: any number
  bool share_log_addresses = false;
  TailOptions tail;
  std::string version;
};

// The destinations that take requests now.
class Tenants {
 public:
  std::shared_ptr<Tenant> find(const Id128& id) const;
  void put(const Id128& id, std::shared_ptr<Tenant> tenant);
  std::shared_ptr<Tenant> remove(const Id128& id);
  std::vector<std::shared_ptr<Tenant>> all() const;

 private:
  mutable std::shared_mutex mutex_;
  std::map<Id128, std::shared_ptr<Tenant>> tenants_;
};

class App {
 public:
  App(AppOptions options, catalog::Catalog& catalog, catalog::KeyCache& keys, engine::Pool& pool,
      journal::SyncPool& sync_pool, metrics::Registry& metrics);

  const AppOptions& options() const { return options_; }
  catalog::Catalog& catalog() { return catalog_; }
  catalog::KeyCache& keys() { return keys_; }
  engine::Pool& pool() { return pool_; }
  metrics::Registry& metrics() { return metrics_; }
  Tenants& tenants() { return tenants_; }
  RunningQueries& running_queries() { return running_queries_; }
  net::thread_pool& blocking() { return blocking_; }
  ShareGuard& share_guard() { return share_guard_; }
  RateLimiter& rate_limiter() { return rate_limiter_; }
  EndpointUsageCounter& endpoint_usage() { return endpoint_usage_; }
  // Where journals are read for those who follow them: nothing else waits behind that.
  net::thread_pool& tails() { return tails_; }
  // For hashing passwords, a tenth of a second and 64 MiB each: no more than two at a time, and nothing else waits behind
  // them.
  net::thread_pool& passwords() { return passwords_; }

  // Opens a destination's journal and lets it take requests. Blocks.
  Result<std::shared_ptr<Tenant>> open_tenant(const catalog::Destination& destination);

  // Tests of settings that nobody has saved yet, each with an engine of its own: false where too many are under way.
  bool begin_probe() {
    if (probes_.fetch_add(1) < kMostProbes) return true;
    end_probe();
    return false;
  }
  void end_probe() { probes_.fetch_sub(1); }

  // One change of a destination at a time: false where another one is under way.
  bool begin_change(const Id128& destination_id);
  void end_change(const Id128& destination_id);

  // The sink of the exchange's thread. That thread only.
  ThreadSink& sink(http::Exchange& exchange);

  std::atomic<bool> ready{false};
  std::atomic<bool> stopping{false};
  // The disk has less room than it should keep: no rows are taken.
  std::atomic<bool> disk_is_low{false};

 private:
  const AppOptions options_;
  catalog::Catalog& catalog_;
  catalog::KeyCache& keys_;
  engine::Pool& pool_;
  journal::SyncPool& sync_pool_;
  metrics::Registry& metrics_;
  Tenants tenants_;
  RunningQueries running_queries_;
  ShareGuard share_guard_;
  RateLimiter rate_limiter_;
  EndpointUsageCounter endpoint_usage_;
  net::thread_pool blocking_{4};
  net::thread_pool tails_{2};
  net::thread_pool passwords_{2};
  static constexpr int kMostProbes = 3;
  std::atomic<int> probes_{0};
  std::mutex changing_mutex_;
  std::set<Id128> changing_;
  std::mutex sinks_mutex_;
  std::map<unsigned, std::unique_ptr<ThreadSink>> sinks_;
};

// Whom a route answers. The handler decides; this is what the API's description says of it, and what tests ask.
enum class Asks : std::uint8_t {
  kNobody,  // anybody
  kAnyKey,  // any key
  kLink,    // whoever has the link of a share, and its password
  kInsert,  // a key with that scope, and so on
  kQuery,
  kShare,
  kTail,
  kAdmin,
  kAdminKey,  // an admin key
  kCall,      // a key with the scope query, or anybody where the endpoint is public
};

struct RouteEntry {
  const char* method;
  const char* pattern;
  Asks asks;
  Task<void> (*handler)(App&, http::Exchange&);
};
// Every route of the API.
std::span<const RouteEntry> route_table();
// The router with all of them.
http::Router make_router(App& app);

}  // namespace sd::api
