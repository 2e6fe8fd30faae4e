// What keeps a share from being worn out or guessed: how many of its downloads run, and how often a password may be
// tried.
#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/ids.h"

namespace sd::api {

// Any thread.
class ShareGuard {
 public:
  // A place among the downloads of a share, given back at its end.
  class Place {
   public:
    Place() = default;
    Place(ShareGuard& guard, Id128 share) : guard_(&guard), share_(share) {}
    ~Place() { leave(); }
    Place(Place&& other) noexcept
        : guard_(std::exchange(other.guard_, nullptr)), share_(other.share_) {}
    Place& operator=(Place&& other) noexcept;
    explicit operator bool() const { return guard_ != nullptr; }

   private:
    void leave();
    ShareGuard* guard_ = nullptr;
    Id128 share_;
  };
  // None where `most` run already.
  Place enter(Id128 share, std::size_t most);

  // Passwords of a share within a minute, those that are being looked at and the wrong ones: so many from one address,
  // and so many from all.
  static constexpr std::size_t kTriesOfAddress = 10;
  static constexpr std::size_t kTries = 100;
  static constexpr Micros kWindow = 60 * kMicrosPerSecond;
  // Whether a password may be tried now; else in how many seconds.
  struct Verdict {
    bool may = true;
    int retry_after_s = 0;
  };
  // Counts it where it may be, before it is looked at: many at once are no way around the limit.
  Verdict may_try(Id128 share, const std::string& address, Micros now);
  // The last one counted of the address was right.
  void forgive(Id128 share, const std::string& address);

 private:
  struct Try {
    Micros at;
    std::string address;
  };
  void leave(Id128 share);
  void forget(Micros now);

  std::mutex mutex_;
  std::map<Id128, std::size_t> running_;
  std::map<Id128, std::deque<Try>> tries_;
};

}  // namespace sd::api
