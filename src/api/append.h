// Appending to a journal from a coroutine: one thread hop for a whole batch of requests.
#pragma once

#include <boost/asio.hpp>
#include <memory>
#include <mutex>
#include <optional>

#include "api/await.h"
#include "journal/log.h"

namespace sd::api {

// An append whose coroutine waits for it. Lives in the coroutine's frame.
struct PendingAppend : journal::Append {
  using Handler = typename net::async_result<net::use_awaitable_t<>, void()>::handler_type;
  std::optional<Handler> handler;
};

// Collects finished appends of one I/O thread and resumes their coroutines there, with one posted
// function for however many there are.
class ThreadSink final : public journal::AppendSink {
 public:
  explicit ThreadSink(net::any_io_executor executor) : executor_(std::move(executor)) {}
  void completed(journal::Append* first) noexcept override;

 private:
  void drain();
  net::any_io_executor executor_;
  std::mutex mutex_;
  journal::Append* head_ = nullptr;
  journal::Append* tail_ = nullptr;
};

// Returns when the append is durable or has failed; the outcome is in pending.result.
Task<void> append(journal::Log& log, ThreadSink& sink, PendingAppend& pending);

}  // namespace sd::api
