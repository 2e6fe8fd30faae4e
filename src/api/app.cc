#include "api/app.h"

#include <array>

namespace sd::api {

std::shared_ptr<Tenant> Tenants::find(const Id128& id) const {
  const std::shared_lock lock(mutex_);
  const auto found = tenants_.find(id);
  return found == tenants_.end() ? nullptr : found->second;
}

void Tenants::put(const Id128& id, std::shared_ptr<Tenant> tenant) {
  const std::unique_lock lock(mutex_);
  tenants_[id] = std::move(tenant);
}

std::shared_ptr<Tenant> Tenants::remove(const Id128& id) {
  const std::unique_lock lock(mutex_);
  const auto found = tenants_.find(id);
  if (found == tenants_.end()) return nullptr;
  auto tenant = std::move(found->second);
  tenants_.erase(found);
  return tenant;
}

std::vector<std::shared_ptr<Tenant>> Tenants::all() const {
  const std::shared_lock lock(mutex_);
  std::vector<std::shared_ptr<Tenant>> out;
  for (const auto& [id, tenant] : tenants_) out.push_back(tenant);
  return out;
}

App::App(AppOptions options, catalog::Catalog& catalog, catalog::KeyCache& keys, engine::Pool& pool,
         journal::SyncPool& sync_pool, metrics::Registry& metrics)
    : options_(std::move(options)),
      catalog_(catalog),
      keys_(keys),
      pool_(pool),
      sync_pool_(sync_pool),
      metrics_(metrics),
      endpoint_usage_(catalog) {}

Result<std::shared_ptr<Tenant>> App::open_tenant(const catalog::Destination& destination) {
  TRY_ASSIGN(auto tenant, Tenant::open(options_.tenant, destination, sync_pool_, pool_, metrics_));
  tenants_.put(destination.id, tenant);
  return tenant;
}

bool App::begin_change(const Id128& destination_id) {
  const std::lock_guard lock(changing_mutex_);
  return changing_.insert(destination_id).second;
}

void App::end_change(const Id128& destination_id) {
  const std::lock_guard lock(changing_mutex_);
  changing_.erase(destination_id);
}

ThreadSink& App::sink(http::Exchange& exchange) {
  thread_local std::pair<const App*, ThreadSink*> cached{nullptr, nullptr};
  if (cached.first == this) return *cached.second;
  const std::lock_guard lock(sinks_mutex_);
  auto& slot = sinks_[exchange.thread_index()];
  if (!slot) slot = std::make_unique<ThreadSink>(exchange.executor());
  cached = {this, slot.get()};
  return *slot;
}

}  // namespace sd::api
