#include "api/freeze.h"

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "api/engine_query.h"
#include "api/frozen_files.h"
#include "api/query_place.h"
#include "api/share_preview.h"
#include "base/file.h"

namespace sd::api {
namespace {

using std::chrono::milliseconds;
using namespace net::experimental::awaitable_operators;

constexpr std::size_t kPipeBytes = 1U << 20;
// Beyond the query's own time: its engine may have to start, and to load.
constexpr milliseconds kPatience{30'000};

class Freezer {
 public:
  Freezer(App& app, http::Exchange& exchange, Tenant& tenant, const FreezeRequest& request)
      : app_(app),
        exchange_(exchange),
        tenant_(tenant),
        request_(request),
        folder_(tenant.frozen_folder()) {}

  Task<Result<FrozenResult>> run();

 private:
  Task<Result<std::uint64_t>> write_part(std::string part, engine::QueryRequest query);
  Task<Result<>> keep_preview();
  engine::QueryRequest rows_of_parquet() const;
  template <typename F>
  Task<std::invoke_result_t<F>> blocking(F work) {
    return run_blocking(app_.blocking(), exchange_.executor(), std::move(work));
  }
  Error too_large() const;

  App& app_;
  http::Exchange& exchange_;
  Tenant& tenant_;
  const FreezeRequest& request_;
  const std::string folder_;
  std::uint64_t bytes_ = 0;  // of all files
};

Error Freezer::too_large() const {
  return Error{.code = ErrorCode::kInvalidArgument,
               .message = "the files of this frozen share have more than " +
                          std::to_string(app_.options().share_max_frozen_bytes) +
                          " bytes in all, which is the limit here (share.max_frozen_bytes); "
                          "fewer formats or fewer rows take less",
               .slug = "result-too-large",
               .status = 422};
}

// A spreadsheet has an end (xlsx_writer.h).
bool cannot_hold(std::string_view format, const Error& error) {
  return format == "xlsx" && error.slug == "result-too-large" && error.status == 422;
}

Error no_room() {
  return Error{.code = ErrorCode::kUnavailable,
               .message = "the disk has too little room for a frozen share now",
               .slug = "disk-full",
               .retry_after_s = 60};
}

// Runs the query into a new file, and returns how many rows that were.
Task<Result<std::uint64_t>> Freezer::write_part(std::string part, engine::QueryRequest query) {
  query.timeout = request_.timeout;
  const std::string path = frozen_path(folder_, request_.share, part);
  const auto create = [&] { return posix_file_system().open(path, OpenMode::kCreate); };
  const auto file = co_await blocking(create);
  if (!file) co_return std::unexpected(file.error());
  CO_TRY_ASSIGN(const auto running,
                EngineQuery::start(app_, exchange_, tenant_, std::move(query), kPipeBytes));
  const Result<> begun = co_await running->begun(request_.timeout + kPatience);
  if (!begun) co_return std::unexpected(begun.error());
  for (std::uint64_t at = 0;;) {
    const Result<std::string_view> bytes = co_await running->pipe().read_some();
    if (!bytes) co_return std::unexpected(bytes.error());
    if (bytes->empty()) break;
    if (app_.disk_is_low) co_return std::unexpected(no_room());
    bytes_ += bytes->size();
    const std::uint64_t most = app_.options().share_max_frozen_bytes;
    if (most != 0 && bytes_ > most) co_return std::unexpected(too_large());
    const auto write = [&] { return (*file)->write_at(at, *bytes); };
    const Result<> written = co_await blocking(write);
    if (!written) co_return std::unexpected(written.error());
    at += bytes->size();
  }
  const Result<std::uint64_t> rows = co_await running->ended(kPatience);
  if (!rows) co_return std::unexpected(rows.error());
  const auto sync = [&] { return (*file)->sync_data(); };
  const Result<> synced = co_await blocking(sync);
  if (!synced) co_return std::unexpected(synced.error());
  co_return *rows;
}

engine::QueryRequest Freezer::rows_of_parquet() const {
  engine::QueryRequest query;
  query.source = frozen_path(folder_, request_.share, kParquetPart);
  return query;
}

Task<Result<>> Freezer::keep_preview() {
  std::string parquet = rows_of_parquet().source;
  std::string sql = request_.sql;
  const Result<std::string> kept =
      co_await preview_to_keep(app_, exchange_, tenant_, std::move(parquet), std::move(sql));
  if (!kept) co_return std::unexpected(kept.error());
  const std::string path = frozen_path(folder_, request_.share, kPagePart);
  const auto write = [&] { return write_file_atomically(posix_file_system(), path, *kept); };
  co_return co_await blocking(write);
}

Task<Result<FrozenResult>> Freezer::run() {
  PlaceWait wait(exchange_);
  std::string party = request_.party;
  const Result<QueryQueue::Place> place = co_await wait.enter(tenant_, std::move(party));
  if (!place) co_return std::unexpected(place.error());
  engine::QueryRequest query;
  query.sql = request_.sql;
  query.format = query::Format::kParquet;
  query.max_rows = request_.max_rows;
  query.position = tenant_.durable_end();
  query.must_be_fresh = true;
  const Result<std::uint64_t> rows =
      co_await write_part(std::string(kParquetPart), std::move(query));
  if (!rows) co_return std::unexpected(rows.error());
  FrozenResult result;
  result.frozen = {.rows = static_cast<std::int64_t>(*rows),
                   .bytes = static_cast<std::int64_t>(bytes_)};
  for (const std::string& format : request_.formats) {
    const auto parsed = format == kParquetPart ? std::nullopt : query::parse_format(format);
    bool left_out = false;
    const std::uint64_t before = bytes_;
    for (const bool spreadsheet : {false, true}) {
      if (!parsed || (spreadsheet && !has_spreadsheet_form(format))) continue;
      engine::QueryRequest again = rows_of_parquet();
      again.format = *parsed;
      again.spreadsheet = spreadsheet;
      std::string part = frozen_part(format, spreadsheet);
      const Result<std::uint64_t> same = co_await write_part(std::move(part), std::move(again));
      // Of what the engine refuses nothing has come; our own limit is met amid the bytes, and is no reason.
      left_out =
          !same && request_.leaves_out && bytes_ == before && cannot_hold(format, same.error());
      if (!same && !left_out) co_return std::unexpected(same.error());
    }
    if (!left_out) {
      result.formats.push_back(format);
      continue;
    }
    const auto drop = [&] {
      return posix_file_system().remove(
          frozen_path(folder_, request_.share, frozen_part(format, false)));
    };
    const Result<> dropped = co_await blocking(drop);
    if (!dropped) co_return std::unexpected(dropped.error());
  }
  const Result<> preview = co_await keep_preview();
  if (!preview) co_return std::unexpected(preview.error());
  const auto sync = [&] { return posix_file_system().sync_directory(folder_); };
  const Result<> synced = co_await blocking(sync);
  if (!synced) co_return std::unexpected(synced.error());
  co_return result;
}

}  // namespace

Task<Result<FrozenResult>> freeze(App& app, http::Exchange& exchange,
                                  std::shared_ptr<Tenant> tenant, FreezeRequest request) {
  Freezer freezer(app, exchange, *tenant, request);
  auto end = co_await (freezer.run() || exchange.client_gone());
  Result<FrozenResult> frozen = end.index() == 0
                                    ? std::move(std::get<0>(end))
                                    : fail(ErrorCode::kCancelled, "the client has gone");
  if (!frozen) {
    const auto clean = [&] {
      remove_frozen(tenant->frozen_folder(), request.share);
      return true;
    };
    co_await run_blocking(app.blocking(), exchange.executor(), clean);
  }
  co_return frozen;
}

}  // namespace sd::api
