#include "api/query_queue.h"

#include <algorithm>

namespace sd::api {

auto QueryQueue::enter(std::string party, std::function<void()> granted) -> Place {
  const std::lock_guard lock(mutex_);
  if (running_ >= max_running_ && waiting_ >= max_waiting_) return {};
  const std::uint64_t id = next_id_++;
  parties_[party].waiting.push_back({id, std::move(granted)});
  ++waiting_;
  if (running_ < max_running_) grant_next();
  return {this, std::move(party), id};
}

void QueryQueue::leave(const std::string& party, std::uint64_t id) {
  const std::lock_guard lock(mutex_);
  const auto found = parties_.find(party);
  auto& waiting = found->second.waiting;
  const auto waits =
      std::ranges::find_if(waiting, [&](const Waiting& each) { return each.id == id; });
  if (waits != waiting.end()) {
    waiting.erase(waits);
    --waiting_;
  } else {
    --found->second.running;
    --running_;
  }
  if (found->second.running == 0 && waiting.empty()) parties_.erase(found);
  if (running_ < max_running_) grant_next();
}

void QueryQueue::grant_next() {
  Party* next = nullptr;
  for (auto& [name, party] : parties_) {
    if (party.waiting.empty()) continue;
    if (next == nullptr || party.running < next->running ||
        (party.running == next->running && party.waiting.front().id < next->waiting.front().id)) {
      next = &party;
    }
  }
  if (next == nullptr) return;
  const Waiting granted = std::move(next->waiting.front());
  next->waiting.pop_front();
  --waiting_;
  ++next->running;
  ++running_;
  granted.granted();
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
