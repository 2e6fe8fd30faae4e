#include "api/append.h"

namespace sd::api {

void ThreadSink::completed(journal::Append* first) noexcept {
  journal::Append* last = first;
  while (last->next != nullptr) last = last->next;
  bool was_empty;
  {
    const std::lock_guard lock(mutex_);
    was_empty = head_ == nullptr;
    if (was_empty)
      head_ = first;
    else
      tail_->next = first;
    tail_ = last;
  }
  if (was_empty) net::post(executor_, [this] { drain(); });
}

void ThreadSink::drain() {
  journal::Append* next;
  {
    const std::lock_guard lock(mutex_);
    next = head_;
    head_ = tail_ = nullptr;
  }
  while (next != nullptr) {
    auto* pending = static_cast<PendingAppend*>(next);
    next = next->next;  // before the coroutine goes on, which may end the frame that it stands in
    PendingAppend::Handler handler = std::move(*pending->handler);
    std::move(handler)();
  }
}

Task<void> append(journal::Log& log, ThreadSink& sink, PendingAppend& pending) {
  pending.sink = &sink;
  const net::any_io_executor executor = co_await net::this_coro::executor;
  co_await net::async_initiate<const net::use_awaitable_t<>, void()>(
      [&](PendingAppend::Handler handler) {
        pending.handler.emplace(std::move(handler));
        Result<> queued = log.append(pending);
        if (queued) return;
        pending.result = std::move(queued);
        net::post(executor, [&pending] {
          PendingAppend::Handler refused = std::move(*pending.handler);
          std::move(refused)();
        });
      },
      net::use_awaitable);
}

}  // namespace sd::api
