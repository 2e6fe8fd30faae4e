#include "api/share_guard.h"

#include <algorithm>

namespace sd::api {

ShareGuard::Place& ShareGuard::Place::operator=(Place&& other) noexcept {
  if (this == &other) return *this;
  leave();
  guard_ = std::exchange(other.guard_, nullptr);
  share_ = other.share_;
  return *this;
}

void ShareGuard::Place::leave() {
  if (guard_ != nullptr) guard_->leave(share_);
  guard_ = nullptr;
}

ShareGuard::Place ShareGuard::enter(Id128 share, std::size_t most) {
  const std::lock_guard lock(mutex_);
  std::size_t& running = running_[share];
  if (running >= most) return {};
  ++running;
  return {*this, share};
}

void ShareGuard::leave(Id128 share) {
  const std::lock_guard lock(mutex_);
  const auto found = running_.find(share);
  if (--found->second == 0) running_.erase(found);
}

void ShareGuard::forget_left(Micros now) {
  std::erase_if(left_, [now](const auto& each) { return each.second.until <= now; });
}

bool ShareGuard::has_left(Id128 share, const std::string& address, Micros now) {
  const std::lock_guard lock(mutex_);
  forget_left(now);
  for (auto it = left_.lower_bound({share, address, std::string()}); it != left_.end(); ++it) {
    if (std::get<0>(it->first) != share || std::get<1>(it->first) != address) break;
    if (it->second.bytes > 0 && it->second.requests < kMostRequests) return true;
  }
  return false;
}

bool ShareGuard::take_left(Id128 share, const std::string& part, const std::string& address,
                           std::uint64_t bytes, Micros now) {
  const std::lock_guard lock(mutex_);
  forget_left(now);
  const auto found = left_.find({share, address, part});
  if (found == left_.end()) return false;
  Left& left = found->second;
  if (left.bytes < bytes || left.requests >= kMostRequests) return false;
  left.bytes -= bytes;
  ++left.requests;
  return true;
}

void ShareGuard::leave_left(Id128 share, const std::string& part, const std::string& address,
                            std::uint64_t bytes, Micros now) {
  const std::lock_guard lock(mutex_);
  left_[{share, address, part}] = {.until = now + kGoesOnFor, .bytes = bytes, .requests = 1};
}

void ShareGuard::settle(Id128 share, const std::string& part, const std::string& address,
                        std::uint64_t taken, std::uint64_t sent, Micros now) {
  const std::lock_guard lock(mutex_);
  const auto found = left_.find({share, address, part});
  if (found == left_.end()) return;
  Left& left = found->second;
  if (sent < taken) left.bytes += taken - sent + std::min(sent, kMayBeLost);
  if (left.bytes == 0)
    left_.erase(found);
  else
    left.until = now + kGoesOnFor;
}

void ShareGuard::forget(Micros now) {
  for (auto it = tries_.begin(); it != tries_.end();) {
    std::deque<Try>& tries = it->second;
    while (!tries.empty() && tries.front().at <= now - kWindow) tries.pop_front();
    it = tries.empty() ? tries_.erase(it) : std::next(it);
  }
}

ShareGuard::Verdict ShareGuard::may_try(Id128 share, const std::string& address, Micros now) {
  const std::lock_guard lock(mutex_);
  forget(now);
  std::deque<Try>& tries = tries_[share];
  const auto own = static_cast<std::size_t>(
      std::ranges::count_if(tries, [&](const Try& each) { return each.address == address; }));
  if (own < kTriesOfAddress && tries.size() < kTries) {
    tries.push_back({.at = now, .address = address});
    return {};
  }
  const Micros left = tries.front().at + kWindow - now;
  return {.may = false, .retry_after_s = static_cast<int>(left / kMicrosPerSecond) + 1};
}

void ShareGuard::forgive(Id128 share, const std::string& address) {
  const std::lock_guard lock(mutex_);
  const auto found = tries_.find(share);
  if (found == tries_.end()) return;
  std::deque<Try>& tries = found->second;
  const auto last = std::ranges::find_if(tries.rbegin(), tries.rend(),
                                         [&](const Try& each) { return each.address == address; });
  if (last != tries.rend()) tries.erase(std::next(last).base());
}

}  // namespace sd::api
