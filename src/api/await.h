// Bridges between callbacks of other threads and the coroutines of a connection.
#pragma once

#include <boost/asio.hpp>
#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <utility>

#include "http/exchange.h"

namespace sd::api {

namespace net = boost::asio;
using http::Task;

// Values that other threads push and one coroutine pops, in order. The producer holds a Sender, which
// outlives the consumer without harm.
template <typename T>
class Mailbox {
  struct State {
    explicit State(net::any_io_executor e) : executor(std::move(e)), timer(executor) {}
    net::any_io_executor executor;
    net::steady_timer timer;
    std::deque<T> items;
  };

 public:
  class Sender {
   public:
    // Any thread.
    void push(T item) const {
      net::post(state_->executor, [state = state_, item = std::move(item)]() mutable {
        state->items.push_back(std::move(item));
        state->timer.cancel();
      });
    }

   private:
    friend class Mailbox;
    explicit Sender(std::shared_ptr<State> state) : state_(std::move(state)) {}
    std::shared_ptr<State> state_;
  };

  explicit Mailbox(net::any_io_executor executor)
      : state_(std::make_shared<State>(std::move(executor))) {}
  Sender sender() const { return Sender(state_); }

  // The next value; nullopt when there was none within `timeout`, or when the wait was cancelled.
  Task<std::optional<T>> pop(std::chrono::milliseconds timeout = std::chrono::hours(24 * 365)) {
    const std::shared_ptr<State> state = state_;
    if (state->items.empty()) {
      state->timer.expires_after(timeout);
      co_await state->timer.async_wait(net::as_tuple(net::use_awaitable));
    }
    if (state->items.empty()) co_return std::nullopt;
    std::optional<T> item(std::move(state->items.front()));
    state->items.pop_front();
    co_return item;
  }
  bool empty() const { return state_->items.empty(); }

 private:
  std::shared_ptr<State> state_;
};

// Runs work that blocks (disk, SQL) on the pool and comes back with its result.
template <typename F>
auto run_blocking(net::thread_pool& pool, net::any_io_executor executor, F work)
    -> Task<std::invoke_result_t<F>> {
  using R = std::invoke_result_t<F>;
  Mailbox<R> mailbox(executor);
  net::post(pool,
            [sender = mailbox.sender(), work = std::move(work)]() mutable { sender.push(work()); });
  // The work may refer to the caller's frame: wait for it whatever happens.
  while (true) {
    std::optional<R> result = co_await mailbox.pop();
    if (result) co_return std::move(*result);
    co_await net::this_coro::reset_cancellation_state();
  }
}

}  // namespace sd::api
