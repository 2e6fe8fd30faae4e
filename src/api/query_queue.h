// Places among the queries of a destination: so many run at a time, so many more wait for their turn, what comes
// beyond is refused.
//
// Fair among parties (a key, a share): the next place goes to the waiting party that has the fewest queries running,
// among equals to the one that has waited longest, and within a party it is first come, first served. No party has more
// than three quarters of the places (of four and more), and where nobody else may wait, the newest of the party that has
// most of them waiting makes way. So a party that asks for a hundred at once does not keep the others out.
//
// Any thread. A place and a ticket must not outlive the queue.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>

namespace sd::api {

class QueryQueue {
 public:
  QueryQueue(std::size_t max_running, std::size_t max_waiting)
      : max_running_(max_running), max_waiting_(max_waiting) {}
  QueryQueue(const QueryQueue&) = delete;
  QueryQueue& operator=(const QueryQueue&) = delete;

  // A query that runs or waits; its end gives the place to the next one.
  class Place {
   public:
    Place() = default;
    Place(QueryQueue* queue, std::string party, std::uint64_t id)
        : queue_(queue), party_(std::move(party)), id_(id) {}
    ~Place() { leave(); }
    Place(Place&& other) noexcept { *this = std::move(other); }
    Place& operator=(Place&& other) noexcept {
      leave();
      queue_ = std::exchange(other.queue_, nullptr);
      party_ = std::move(other.party_);
      id_ = other.id_;
      return *this;
    }
    explicit operator bool() const { return queue_ != nullptr; }

   private:
    void leave() {
      if (queue_ != nullptr) std::exchange(queue_, nullptr)->leave(party_, id_);
    }
    QueryQueue* queue_ = nullptr;
    std::string party_;
    std::uint64_t id_ = 0;
  };

  // `told` is called once: with true when the query may run, within this call where there is room, else later; with false
  // when it must make way. On the thread of whoever made it so, with the queue locked: it must not call back. Empty where
  // too many wait already.
  Place enter(std::string party, std::function<void(bool)> told);

  std::size_t running() const;
  std::size_t waiting() const;

 private:
  struct Waiting {
    std::uint64_t id;
    std::function<void(bool)> told;
  };
  struct Party {
    std::set<std::uint64_t> running;
    std::deque<Waiting> waiting;
  };

  void leave(const std::string& party, std::uint64_t id);
  void grant_next();
  bool make_room(const std::string& party);
  std::size_t most_of_a_party() const { return max_running_ - max_running_ / 4; }

  const std::size_t max_running_;
  const std::size_t max_waiting_;
  mutable std::mutex mutex_;
  std::size_t running_ = 0;
  std::size_t waiting_ = 0;
  std::uint64_t next_id_ = 1;
  std::map<std::string, Party> parties_;
};

}  // namespace sd::api
