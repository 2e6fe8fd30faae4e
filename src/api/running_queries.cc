#include "api/running_queries.h"

namespace sd::api {

auto RunningQueries::add(const Id128& id, std::string destination_id,
                         std::function<void()> on_cancel) -> Entry {
  auto query = std::make_shared<Query>();
  query->began = system_clock().steady_us();
  query->on_cancel = std::move(on_cancel);
  Key key(std::move(destination_id), id);
  const std::lock_guard lock(mutex_);
  const bool is_new = queries_.emplace(key, query).second;
  return is_new ? Entry(this, std::move(key), std::move(query)) : Entry();
}

auto RunningQueries::get(const Id128& id, const std::string& destination_id) const
    -> std::shared_ptr<Query> {
  const std::lock_guard lock(mutex_);
  const auto found = queries_.find({destination_id, id});
  return found == queries_.end() ? nullptr : found->second;
}

void RunningQueries::remove(const Key& key) {
  const std::lock_guard lock(mutex_);
  queries_.erase(key);
}

auto RunningQueries::find(const Id128& id, const std::string& destination_id) const
    -> std::optional<Info> {
  const auto query = get(id, destination_id);
  if (!query) return std::nullopt;
  return Info{.began = query->began, .engine_id = query->engine_id};
}

std::optional<std::uint64_t> RunningQueries::cancel(const Id128& id,
                                                    const std::string& destination_id) {
  const auto query = get(id, destination_id);
  if (!query) return std::nullopt;
  if (!query->cancelled.exchange(true)) query->on_cancel();
  return query->engine_id.load();
}

}  // namespace sd::api
