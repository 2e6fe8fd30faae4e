#include "api/idempotency.h"

#include <algorithm>

#include "api/insert_body.h"
#include "api/resource.h"
#include "base/ascii.h"
#include "base/checksum.h"

namespace sd::api {
namespace {

constexpr std::ptrdiff_t kMaxKeyCharacters = 255;
constexpr Micros kRemembered = 24 * 3600 * kMicrosPerSecond;

}  // namespace

Id128 hash_of_key(std::string_view table, std::string_view key) {
  Sha256 hash;
  hash.update(fold_ascii(table));
  hash.update(std::string_view("\0", 1));
  hash.update(key);
  return first_bits(hash.finish());
}

Result<std::optional<Id128>> read_idempotency_key(std::string_view header, std::string_view table) {
  if (header.empty()) return std::optional<Id128>();
  // Characters of UTF-8: bytes that do not continue one.
  const auto characters = std::ranges::count_if(
      header, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80; });
  if (characters > kMaxKeyCharacters) {
    return fail(parameter_error("an Idempotency-Key has at most " +
                                std::to_string(kMaxKeyCharacters) + " characters"));
  }
  return std::optional<Id128>(hash_of_key(table, header));
}

Result<std::optional<journal::IndexEntry>> find_accepted(const journal::Log& log, const Id128& key,
                                                         Micros now) {
  const Micros since = now - kRemembered;
  TRY_ASSIGN(auto found, log.index().find_idempotency(key, since));
  if (found && found->time_us < since) found.reset();
  return found;
}

void IdempotencyTurns::State::pass_on(const Id128& key) {
  const std::lock_guard lock(mutex);
  const auto found = busy.find(key);
  if (found == busy.end()) return;
  std::list<Waiter>& waiting = found->second;
  if (waiting.empty()) {
    busy.erase(found);
    return;
  }
  waiting.front().sender.push(true);
  waiting.pop_front();
}

Task<Result<IdempotencyTurns::Turn>> IdempotencyTurns::wait(net::any_io_executor executor,
                                                            Id128 key,
                                                            std::chrono::milliseconds limit) {
  const std::shared_ptr<State> state = state_;
  Mailbox<bool> turn(executor);
  std::uint64_t id = 0;
  {
    const std::lock_guard lock(state->mutex);
    const auto [entry, is_free] = state->busy.try_emplace(key);
    if (!is_free) {
      id = ++state->last_id;
      entry->second.push_back({id, turn.sender()});
    }
  }
  if (id == 0) co_return Turn(state, key);
  const std::optional<bool> mine = co_await turn.pop(limit);
  if (!mine) {
    const std::lock_guard lock(state->mutex);
    const auto entry = state->busy.find(key);
    // Where we wait no longer, the turn was given to us while the time ran out.
    if (entry != state->busy.end() &&
        std::erase_if(entry->second, [&](const Waiter& w) { return w.id == id; }) > 0) {
      co_return fail(Error{.code = ErrorCode::kUnavailable,
                           .message = "another request with this Idempotency-Key is not done yet",
                           .slug = "idempotency-key-in-use",
                           .retry_after_s = 5});
    }
  }
  co_return Turn(state, key);
}

}  // namespace sd::api
