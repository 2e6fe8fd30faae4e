#include "api/share_preview.h"

#include "api/engine_query.h"
#include "api/query_place.h"
#include "json/document.h"

namespace sd::api {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kQueryLimit{5'000};
constexpr milliseconds kFreshLimit{2'000};
constexpr milliseconds kWaitLimit{10'000};
constexpr milliseconds kPlaceLimit{2'000};
constexpr std::size_t kMostBytes = 256U << 10;

struct Beginning {
  std::string csv;
  bool whole = false;
};

engine::QueryRequest request_for(const Tenant& tenant, std::string sql) {
  engine::QueryRequest request;
  request.sql = std::move(sql);
  request.position = tenant.durable_end();
  return request;
}

// Runs the query, and stops it where its result is longer than what a page shows.
Task<Result<Beginning>> read_beginning(App& app, http::Exchange& exchange, const Tenant& tenant,
                                       engine::QueryRequest request) {
  request.format = query::Format::kCsv;
  request.timeout = kQueryLimit;
  request.fresh_timeout = kFreshLimit;
  CO_TRY_ASSIGN(const auto query,
                EngineQuery::start(app, exchange, tenant, std::move(request), kMostBytes));
  const Result<> begun = co_await query->begun(kWaitLimit);
  if (!begun) co_return std::unexpected(begun.error());
  Beginning beginning;
  while (beginning.csv.size() < kMostBytes) {
    const Result<std::string_view> bytes = co_await query->pipe().read_some();
    if (!bytes || bytes->empty()) break;
    beginning.csv += *bytes;
  }
  query->pipe().close();
  if (beginning.csv.size() >= kMostBytes) co_return beginning;
  const Result<std::uint64_t> ended = co_await query->ended(kWaitLimit);
  if (!ended) co_return std::unexpected(ended.error());
  beginning.whole = true;
  co_return beginning;
}

// The types of the columns of `sql`, in CSV that parse_preview() reads; empty where they cannot be had.
Task<std::string> read_types(App& app, http::Exchange& exchange, const Tenant& tenant,
                             const std::string& sql) {
  engine::QueryRequest describe = request_for(tenant, types_of(sql));
  const Result<Beginning> types =
      co_await read_beginning(app, exchange, tenant, std::move(describe));
  co_return types && types->whole ? types->csv : std::string();
}

void add_types(Preview& preview, std::string_view types) {
  const auto described = parse_preview(types, true);
  if (!described || described->rows.size() != std::min(preview.columns.size(), kPreviewRows))
    return;
  for (const auto& row : described->rows) {
    if (row.size() > 1) preview.types.push_back(row[1].value_or(""));
  }
}

}  // namespace

Task<std::optional<Preview>> preview_of(App& app, http::Exchange& exchange,
                                        std::shared_ptr<Tenant> tenant, std::string sql,
                                        std::string party) {
  PlaceWait wait(exchange);
  const Result<QueryQueue::Place> place =
      co_await wait.enter(*tenant, std::move(party), kPlaceLimit);
  if (!place) co_return std::nullopt;
  engine::QueryRequest limited = request_for(*tenant, first_rows_of(sql));
  Result<Beginning> beginning = co_await read_beginning(app, exchange, *tenant, std::move(limited));
  if (!beginning && beginning.error().code == ErrorCode::kInvalidArgument) {
    // EXPLAIN and the like stand in no subquery: as it is, then, and only its beginning is read.
    engine::QueryRequest as_it_is = request_for(*tenant, sql);
    beginning = co_await read_beginning(app, exchange, *tenant, std::move(as_it_is));
  }
  if (!beginning) co_return std::nullopt;
  std::optional<Preview> preview = parse_preview(beginning->csv, beginning->whole);
  const std::string types = co_await read_types(app, exchange, *tenant, sql);
  if (preview) add_types(*preview, types);
  co_return preview;
}

Task<Result<std::string>> preview_to_keep(App& app, http::Exchange& exchange, const Tenant& tenant,
                                          std::string parquet, std::string sql) {
  engine::QueryRequest rows;
  rows.source = std::move(parquet);
  const Result<Beginning> beginning =
      co_await read_beginning(app, exchange, tenant, std::move(rows));
  if (!beginning) co_return std::unexpected(beginning.error());
  const std::string types = co_await read_types(app, exchange, tenant, sql);
  json::Writer w;
  w.begin_object().member("csv", beginning->csv).member("whole", beginning->whole);
  co_return w.member("types", types).end_object().take();
}

std::optional<Preview> kept_preview(std::string_view kept) {
  const auto text = json::parse_document(kept);
  if (!text) return std::nullopt;
  auto preview = parse_preview(text->string_or("csv", ""), text->bool_or("whole", false));
  if (preview) add_types(*preview, text->string_or("types", ""));
  return preview;
}

}  // namespace sd::api
