// What keeps a share from being worn out or guessed: how many of its downloads run, how often a password may be tried, and
// which requests go on with a download that was counted already.
#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <tuple>
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

  // A download of a file that was counted may be fetched by its client in several requests: those that go on after a
  // broken connection, or parts side by side. Each takes from what the counted one has left; a day later, and after so
  // many requests, nothing is left.
  static constexpr Micros kGoesOnFor = 86400 * kMicrosPerSecond;
  static constexpr unsigned kMostRequests = 32;
  // What a connection that broke may have held of what was sent.
  static constexpr std::uint64_t kMayBeLost = 8ULL << 20;
  // Whether the client has anything left of any file of the share.
  bool has_left(Id128 share, const std::string& address, Micros now);
  // True where so many bytes of this file are left, which then are taken.
  bool take_left(Id128 share, const std::string& part, const std::string& address,
                 std::uint64_t bytes, Micros now);
  // A download was counted: the client may fetch so many bytes more.
  void leave_left(Id128 share, const std::string& part, const std::string& address,
                  std::uint64_t bytes, Micros now);
  // A request has ended that took so many bytes: what it did not send is left again.
  void settle(Id128 share, const std::string& part, const std::string& address, std::uint64_t taken,
              std::uint64_t sent, Micros now);

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
  void forget_left(Micros now);

  std::mutex mutex_;
  std::map<Id128, std::size_t> running_;
  std::map<Id128, std::deque<Try>> tries_;
  struct Left {
    Micros until = 0;
    std::uint64_t bytes = 0;
    unsigned requests = 0;
  };
  using Fetch = std::tuple<Id128, std::string, std::string>;  // share, address, part
  std::map<Fetch, Left> left_;
};

}  // namespace sd::api
