#include "api/engine_query.h"

namespace sd::api {
namespace {

Error too_late() {
  return Error{.code = ErrorCode::kDeadlineExceeded, .message = "no result in time"};
}

}  // namespace

Result<std::unique_ptr<EngineQuery>> EngineQuery::start(App& app, http::Exchange& exchange,
                                                        const Tenant& tenant,
                                                        engine::QueryRequest request,
                                                        std::size_t pipe_bytes) {
  TRY_ASSIGN(const http::PipeEnds ends, http::make_pipe(pipe_bytes));
  UniqueFd out(ends.write_fd);
  std::unique_ptr<EngineQuery> query(new EngineQuery(app, exchange, ends.read_fd));
  engine::QueryEvents events{
      .on_started = [sender = query->mailbox_.sender()](
                        const engine::QueryStarted&) { sender.push({.started = true}); },
      .on_end =
          [sender = query->mailbox_.sender()](Result<std::uint64_t> rows) {
            sender.push({.started = false, .ended = std::move(rows)});
          }};
  query->id_ = app.pool().query(tenant.id(), std::move(request), std::move(out), std::move(events));
  return query;
}

EngineQuery::~EngineQuery() {
  if (!ended_) app_.pool().cancel(id_);
}

Task<Result<>> EngineQuery::begun(std::chrono::milliseconds limit) {
  const std::optional<Event> first = co_await mailbox_.pop(limit);
  if (!first) co_return std::unexpected(too_late());
  if (first->started) co_return Result<>();
  ended_ = true;
  if (!first->ended) co_return std::unexpected(first->ended.error());
  co_return fail(ErrorCode::kInternal, "the engine gave no result");
}

Task<Result<std::uint64_t>> EngineQuery::ended(std::chrono::milliseconds limit) {
  std::optional<Event> last = co_await mailbox_.pop(limit);
  if (!last) co_return std::unexpected(too_late());
  ended_ = true;
  co_return std::move(last->ended);
}

}  // namespace sd::api
