// Idempotency keys (api.md, Insert): the same key on the same table within a day stores once. What
// is known of a key stands in the journal, in the record of its rows; here is only who is at work
// now.
#pragma once

#include <boost/asio.hpp>
#include <chrono>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>

#include "api/await.h"
#include "base/clock.h"
#include "journal/index.h"
#include "journal/log.h"

namespace sd::api {

// What a key is known by: 128 bits of SHA-256 over the folded name of the table, a NUL and the key.
Id128 hash_of_key(std::string_view table, std::string_view key);
// The Idempotency-Key header of a request for `table`: nothing where it is empty, 400 where it is
// over 255 characters.
Result<std::optional<Id128>> read_idempotency_key(std::string_view header, std::string_view table);

// The record that was accepted with this key in the 24 hours before `now`. Blocks.
Result<std::optional<journal::IndexEntry>> find_accepted(const journal::Log& log, const Id128& key,
                                                         Micros now);

// The keys of one destination that requests are at work with. One request at a time has a key's
// turn; others wait for it. Any thread.
class IdempotencyTurns {
  struct Waiter {
    std::uint64_t id;
    Mailbox<bool>::Sender sender;
  };
  struct State {
    std::mutex mutex;
    std::uint64_t last_id = 0;
    std::map<Id128, std::list<Waiter>> busy;
    void pass_on(const Id128& key);
  };

 public:
  // Held while a key's rows are being stored; passed on at its end.
  class Turn {
   public:
    Turn() = default;
    Turn(std::shared_ptr<State> state, const Id128& key) : state_(std::move(state)), key_(key) {}
    Turn(Turn&& other) noexcept = default;
    Turn& operator=(Turn&& other) noexcept {
      end();
      state_ = std::move(other.state_);
      key_ = other.key_;
      return *this;
    }
    ~Turn() { end(); }
    void end() {
      if (state_) state_->pass_on(key_);
      state_.reset();
    }

   private:
    std::shared_ptr<State> state_;
    Id128 key_;
  };

  IdempotencyTurns() : state_(std::make_shared<State>()) {}

  // Waits for the key's turn; kUnavailable (503 with Retry-After) where it takes longer than
  // `limit`.
  Task<Result<Turn>> wait(net::any_io_executor executor, Id128 key,
                          std::chrono::milliseconds limit);

 private:
  std::shared_ptr<State> state_;
};

}  // namespace sd::api
