// Waiting for a place among a destination's queries (query_queue.h).
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "api/await.h"
#include "api/tenant.h"
#include "base/result.h"

namespace sd::api {

Error too_many_queries();
Error query_cancelled();

// Nobody waits longer for a place.
inline constexpr std::chrono::milliseconds kLongestWait{30'000};

// Of one query.
class PlaceWait {
 public:
  explicit PlaceWait(http::Exchange& exchange)
      : exchange_(exchange), mailbox_(exchange.executor()) {}

  enum class News : std::uint8_t { kPlace, kMakeWay, kCancelled };
  // For whoever cancels the query.
  Mailbox<News>::Sender sender() const { return mailbox_.sender(); }

  // `party` is who shares places with whom: a key, a share. kUnavailable where too many wait or it took too long,
  // kCancelled where the query was cancelled or the client has gone.
  Task<Result<QueryQueue::Place>> enter(
      Tenant& tenant, std::string party,
      std::chrono::milliseconds limit = std::chrono::milliseconds(10'000));

 private:
  http::Exchange& exchange_;
  Mailbox<News> mailbox_;
};

}  // namespace sd::api
