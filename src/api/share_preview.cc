#include "api/share_preview.h"

#include "api/await.h"
#include "api/query_place.h"
#include "http/pipe.h"

namespace sd::api {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kQueryLimit{5'000};
constexpr milliseconds kFreshLimit{2'000};
constexpr milliseconds kWaitLimit{10'000};
constexpr milliseconds kPlaceLimit{2'000};
constexpr std::size_t kMostBytes = 256U << 10;

struct Event {
  bool started = false;
  Result<std::uint64_t> ended = std::uint64_t{0};
};

struct Beginning {
  std::string csv;
  bool whole = false;
};

// Runs the query, and stops it where its result is longer than what a page shows.
Task<Result<Beginning>> read_beginning(App& app, http::Exchange& exchange, Tenant& tenant,
                                       std::string sql) {
  CO_TRY_ASSIGN(const http::PipeEnds ends, http::make_pipe(kMostBytes));
  http::PipeSource pipe(exchange.executor(), ends.read_fd);
  Mailbox<Event> mailbox(exchange.executor());
  engine::QueryRequest request;
  request.sql = std::move(sql);
  request.format = query::Format::kCsv;
  request.position = tenant.log().durable_end();
  request.timeout = kQueryLimit;
  request.fresh_timeout = kFreshLimit;
  engine::QueryEvents events{
      .on_started = [sender = mailbox.sender()](
                        const engine::QueryStarted&) { sender.push({.started = true}); },
      .on_end =
          [sender = mailbox.sender()](Result<std::uint64_t> rows) {
            sender.push({.started = false, .ended = std::move(rows)});
          }};
  const std::uint64_t id =
      app.pool().query(tenant.id(), std::move(request), UniqueFd(ends.write_fd), std::move(events));
  const Error late{.code = ErrorCode::kDeadlineExceeded, .message = "no preview in time"};
  const std::optional<Event> first = co_await mailbox.pop(kWaitLimit);
  if (!first) {
    app.pool().cancel(id);
    co_return std::unexpected(late);
  }
  if (!first->started) {
    if (!first->ended) co_return std::unexpected(first->ended.error());
    co_return std::unexpected(late);
  }
  Beginning beginning;
  while (beginning.csv.size() < kMostBytes) {
    const Result<std::string_view> bytes = co_await pipe.read_some();
    if (!bytes || bytes->empty()) break;
    beginning.csv += *bytes;
  }
  pipe.close();
  if (beginning.csv.size() >= kMostBytes) {
    app.pool().cancel(id);
    co_return beginning;
  }
  const std::optional<Event> last = co_await mailbox.pop(kWaitLimit);
  beginning.whole = last && last->ended.has_value();
  if (!last) co_return std::unexpected(late);
  if (!last->ended) co_return std::unexpected(last->ended.error());
  co_return beginning;
}

}  // namespace

Task<std::optional<Preview>> preview_of(App& app, http::Exchange& exchange,
                                        std::shared_ptr<Tenant> tenant, std::string sql,
                                        std::string party) {
  PlaceWait wait(exchange);
  const Result<QueryQueue::Place> place =
      co_await wait.enter(*tenant, std::move(party), kPlaceLimit);
  if (!place) co_return std::nullopt;
  const std::string query = sql;
  std::string limited = first_rows_of(sql);
  Result<Beginning> beginning = co_await read_beginning(app, exchange, *tenant, std::move(limited));
  if (!beginning && beginning.error().code == ErrorCode::kInvalidArgument) {
    // EXPLAIN and the like stand in no subquery: as it is, then, and only its beginning is read.
    beginning = co_await read_beginning(app, exchange, *tenant, std::move(sql));
  }
  if (!beginning) co_return std::nullopt;
  std::optional<Preview> preview = parse_preview(beginning->csv, beginning->whole);
  std::string describe = types_of(query);
  const Result<Beginning> types =
      co_await read_beginning(app, exchange, *tenant, std::move(describe));
  const auto described = types ? parse_preview(types->csv, types->whole) : std::nullopt;
  if (!preview || !described ||
      described->rows.size() != std::min(preview->columns.size(), kPreviewRows))
    co_return preview;
  for (const auto& row : described->rows) {
    if (row.size() > 1) preview->types.push_back(row[1].value_or(""));
  }
  co_return preview;
}

}  // namespace sd::api
