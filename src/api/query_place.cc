#include "api/query_place.h"

#include <boost/asio/experimental/awaitable_operators.hpp>

namespace sd::api {

using namespace net::experimental::awaitable_operators;

Error too_many_queries() {
  return Error{.code = ErrorCode::kUnavailable,
               .message = "too many queries are running on this destination",
               .slug = "too-many-queries",
               .retry_after_s = 1};
}

Error query_cancelled() {
  return Error{.code = ErrorCode::kCancelled,
               .message = "the query was cancelled",
               .slug = "query-cancelled"};
}

Task<Result<QueryQueue::Place>> PlaceWait::enter(Tenant& tenant, std::string party,
                                                 std::chrono::milliseconds limit) {
  QueryQueue::Place place =
      tenant.queries().enter(std::move(party), [sender = mailbox_.sender()](bool granted) {
        sender.push(granted ? News::kPlace : News::kMakeWay);
      });
  if (!place) co_return std::unexpected(too_many_queries());
  auto next = co_await (mailbox_.pop(std::min(limit, kLongestWait)) || exchange_.client_gone());
  if (next.index() == 1) co_return std::unexpected(query_cancelled());
  const std::optional<News> news = std::get<0>(next);
  if (!news || *news == News::kMakeWay) co_return std::unexpected(too_many_queries());
  if (*news == News::kCancelled) co_return std::unexpected(query_cancelled());
  co_return place;
}

}  // namespace sd::api
