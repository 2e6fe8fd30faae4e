#include "api/ask.h"

#include "api/append.h"
#include "api/query_place.h"
#include "load/record.h"

namespace sd::api {
namespace {

using std::chrono::milliseconds;

// The engine's own limits are shorter; this one is for an engine that has stopped answering.
constexpr milliseconds kAnswerLimit{60'000};
constexpr milliseconds kFreshLimit{5'000};
constexpr milliseconds kChangeLimit{30'000};

// Whose places our own questions take.
constexpr const char* kOwnParty = "";

using Answers = Mailbox<Result<json::Value>>;

Task<Result<json::Value>> answer_of(Answers& answers, std::chrono::seconds more = {}) {
  std::optional<Result<json::Value>> answer = co_await answers.pop(kAnswerLimit + more);
  if (answer) co_return std::move(*answer);
  co_return std::unexpected(Error{.code = ErrorCode::kUnavailable,
                                  .message = "the engine of this destination does not answer",
                                  .retry_after_s = 1});
}

engine::Pool::Answer sender_to(const Answers& answers) {
  return
      [sender = answers.sender()](Result<json::Value> answer) { sender.push(std::move(answer)); };
}

}  // namespace

Task<Result<json::Value>> ask_progress(App& app, http::Exchange& exchange, const Tenant& tenant,
                                       std::uint64_t engine_id) {
  Answers answers(exchange.executor());
  app.pool().progress(tenant.id(), engine_id, sender_to(answers));
  Result<json::Value> answer = co_await answer_of(answers);
  co_return answer;
}

Task<bool> wait_applied(App& app, http::Exchange& exchange, const Tenant& tenant,
                        journal::Position position, milliseconds limit) {
  Mailbox<bool> mailbox(exchange.executor());
  const std::uint64_t id = app.pool().wait_applied(
      tenant.id(), position,
      [sender = mailbox.sender()](const destinations::LoadState&) { sender.push(true); });
  const std::optional<bool> applied = co_await mailbox.pop(limit);
  if (!applied) app.pool().forget_wait(id);
  co_return applied.has_value();
}

Task<Result<>> check_sql(App& app, http::Exchange& exchange, Tenant& tenant, std::string sql) {
  engine::Pool::Checked what{.sql = std::move(sql)};
  const Result<json::Value> checked = co_await describe_sql(app, exchange, tenant, std::move(what));
  if (!checked) co_return std::unexpected(checked.error());
  co_return Result<>();
}

Task<Result<json::Value>> describe_sql(App& app, http::Exchange& exchange, Tenant& tenant,
                                       engine::Pool::Checked what) {
  PlaceWait wait(exchange);
  const Result<QueryQueue::Place> place = co_await wait.enter(tenant, kOwnParty);
  if (!place) co_return std::unexpected(place.error());
  // The engine waits only for what it has heard of; the table of the last insert may be news to it.
  const journal::Position end = tenant.durable_end();
  if (end > 0) co_await wait_applied(app, exchange, tenant, end, kFreshLimit);
  Answers answers(exchange.executor());
  app.pool().check(tenant.id(), std::move(what), sender_to(answers));
  Result<json::Value> answer = co_await answer_of(answers);
  co_return answer;
}

Task<std::optional<RefusedRows>> ask_refused(App& app, http::Exchange& exchange,
                                             const Tenant& tenant, journal::Position end,
                                             const Id128& receipt) {
  Answers answers(exchange.executor());
  std::string question = R"({"what":"refused","receipt":")" + receipt.to_string() + "\"}";
  app.pool().ask(tenant.id(), std::move(question), end, true, sender_to(answers));
  const Result<json::Value> answer = co_await answer_of(answers);
  if (!answer) co_return std::nullopt;
  RefusedRows refused;
  refused.count = static_cast<std::uint64_t>(answer->int_or("count", 0));
  if (const json::Value* rows = answer->find("rows")) {
    for (const json::Value& row : rows->elements()) {
      json::RefusedRow& out = refused.first.emplace_back();
      out.row = static_cast<std::uint64_t>(row.int_or("row", 0));
      out.error.code = row.string_or("code", "");
      out.error.detail = row.string_or("detail", "");
      out.error.offset = json::RowError::kNoOffset;
    }
  }
  co_return refused;
}

Task<Result<json::Value>> ask(App& app, http::Exchange& exchange, Tenant& tenant,
                              std::string question, bool must_be_fresh, std::chrono::seconds more) {
  PlaceWait wait(exchange);
  const Result<QueryQueue::Place> place = co_await wait.enter(tenant, kOwnParty);
  if (!place) co_return std::unexpected(place.error());
  Answers answers(exchange.executor());
  app.pool().ask(tenant.id(), std::move(question), tenant.log().durable_end(), must_be_fresh,
                 sender_to(answers));
  Result<json::Value> answer = co_await answer_of(answers, more);
  co_return answer;
}

Task<Result<bool>> carry_out(App& app, http::Exchange& exchange, Tenant& tenant,
                             destinations::TableChange change) {
  const std::string payload = load::encode_control(change);
  PendingAppend pending;
  pending.meta.kind = journal::RecordKind::kControl;
  pending.meta.rows = 0;
  pending.meta.receipt = change.receipt.is_zero() ? Id128::make() : change.receipt;
  pending.head = payload;
  co_await append(tenant.log(), app.sink(exchange), pending);
  if (!pending.result) co_return std::unexpected(pending.result.error());
  const bool applied = co_await wait_applied(app, exchange, tenant, pending.end, kChangeLimit);
  co_return applied;
}

}  // namespace sd::api
