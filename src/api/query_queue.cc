#include "api/query_queue.h"

#include <algorithm>

namespace sd::api {

auto QueryQueue::enter(std::string party, std::function<void(bool)> told) -> Place {
  const std::lock_guard lock(mutex_);
  const auto own = parties_.find(party);
  const bool may_run = running_ < max_running_ &&
                       (own == parties_.end() || own->second.running.size() < most_of_a_party());
  if (!may_run && waiting_ >= max_waiting_ && !make_room(party)) return {};
  const std::uint64_t id = next_id_++;
  parties_[party].waiting.push_back({id, std::move(told)});
  ++waiting_;
  if (running_ < max_running_) grant_next();
  return {this, std::move(party), id};
}

// The newest of those who wait of the largest party makes way, unless that is as small as this one.
bool QueryQueue::make_room(const std::string& party) {
  const auto largest = std::ranges::max_element(
      parties_, {}, [](const auto& each) { return each.second.waiting.size(); });
  const auto own = parties_.find(party);
  const std::size_t waits = own == parties_.end() ? 0 : own->second.waiting.size();
  if (largest == parties_.end() || largest->second.waiting.size() <= waits + 1) return false;
  const Waiting last = std::move(largest->second.waiting.back());
  largest->second.waiting.pop_back();
  --waiting_;
  last.told(false);
  return true;
}

void QueryQueue::leave(const std::string& party, std::uint64_t id) {
  const std::lock_guard lock(mutex_);
  const auto found = parties_.find(party);
  if (found == parties_.end()) return;
  auto& waiting = found->second.waiting;
  const auto waits =
      std::ranges::find_if(waiting, [&](const Waiting& each) { return each.id == id; });
  if (waits != waiting.end()) {
    waiting.erase(waits);
    --waiting_;
  } else if (found->second.running.erase(id) > 0) {
    --running_;
  }
  if (found->second.running.empty() && waiting.empty()) parties_.erase(found);
  if (running_ < max_running_) grant_next();
}

void QueryQueue::grant_next() {
  Party* next = nullptr;
  for (auto& [name, party] : parties_) {
    if (party.waiting.empty() || party.running.size() >= most_of_a_party()) continue;
    if (next == nullptr || party.running.size() < next->running.size() ||
        (party.running.size() == next->running.size() &&
         party.waiting.front().id < next->waiting.front().id)) {
      next = &party;
    }
  }
  if (next == nullptr) return;
  const Waiting granted = std::move(next->waiting.front());
  next->waiting.pop_front();
  --waiting_;
  next->running.insert(granted.id);
  ++running_;
  granted.told(true);
}

std::size_t QueryQueue::running() const {
  const std::lock_guard lock(mutex_);
  return running_;
}

std::size_t QueryQueue::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiting_;
}

}  // namespace sd::api
