// A query on a destination's engine whose result this server reads itself, instead of passing it on.
#pragma once

#include <chrono>
#include <memory>

#include "api/app.h"
#include "api/await.h"
#include "http/pipe.h"

namespace sd::api {

// For the coroutine of one request.
class EngineQuery {
 public:
  // Hands it to the engine. `pipe_bytes`: how far the engine may be ahead of the reader.
  static Result<std::unique_ptr<EngineQuery>> start(App& app, http::Exchange& exchange,
                                                    const Tenant& tenant,
                                                    engine::QueryRequest request,
                                                    std::size_t pipe_bytes);
  // Cancels it where it has not ended.
  ~EngineQuery();
  EngineQuery(const EngineQuery&) = delete;
  EngineQuery& operator=(const EngineQuery&) = delete;

  // Waits until the first bytes are there, or the error that there is instead; kDeadlineExceeded after `limit`.
  Task<Result<>> begun(std::chrono::milliseconds limit);
  // The result; its end is not the end of the query: only ended() tells whether it is whole.
  http::PipeSource& pipe() { return pipe_; }
  // How many rows it had.
  Task<Result<std::uint64_t>> ended(std::chrono::milliseconds limit);

 private:
  struct Event {
    bool started = false;
    Result<std::uint64_t> ended = std::uint64_t{0};
  };
  EngineQuery(App& app, http::Exchange& exchange, int read_fd)
      : app_(app), pipe_(exchange.executor(), read_fd), mailbox_(exchange.executor()) {}

  App& app_;
  http::PipeSource pipe_;
  Mailbox<Event> mailbox_;
  std::uint64_t id_ = 0;
  bool ended_ = false;
};

}  // namespace sd::api
