#include "api/destination_change.h"

#include <algorithm>
#include <filesystem>

#include "api/ask.h"
#include "api/resource.h"
#include "base/log.h"

namespace sd::api {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kDrainLimit{30'000};
constexpr milliseconds kLookLimit{1'000};  // for an engine to tell what it has loaded already
constexpr milliseconds kEngineStopLimit{65'000};
constexpr milliseconds kLookAgain{20};

// The right to change a destination, which one request has at a time.
class Turn {
 public:
  Turn(App& app, const Id128& id) : app_(app), id_(id), mine_(app.begin_change(id)) {}
  ~Turn() {
    if (mine_) app_.end_change(id_);
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  explicit operator bool() const { return mine_; }

 private:
  App& app_;
  const Id128 id_;
  const bool mine_;
};

Error being_changed() {
  return Error{.code = ErrorCode::kAlreadyExists,
               .message = "another change of this destination is under way",
               .slug = "change-under-way"};
}

// As it is now: it may have been changed while this request waited for its turn.
Result<catalog::Destination> newest(App& app, const Id128& id) {
  const auto found = app.keys().destination(id);
  if (!found) return fail(no_such("destination"));
  return *found;
}

Error rows_pending(const Tenant& tenant, const char* advice) {
  Error error{
      .code = ErrorCode::kAlreadyExists,
      .message =
          std::string("this destination has accepted rows that are not loaded yet; ") + advice,
      .slug = "rows-pending"};
  error.members.emplace_back("pending_rows", std::to_string(tenant.lag_rows()));
  return error;
}

// Everything accepted so far is in the destination.
Task<bool> is_drained(App& app, http::Exchange& exchange, const Tenant& tenant,
                      milliseconds limit) {
  const journal::Position end = tenant.durable_end();
  if (tenant.applied_state().position >= end) co_return true;
  const bool drained = co_await wait_applied(app, exchange, tenant, end, limit);
  co_return drained;
}

Task<void> close(App& app, http::Exchange& exchange, std::shared_ptr<Tenant> tenant) {
  const auto work = [tenant] {
    tenant->close();
    return true;
  };
  co_await run_blocking(app.blocking(), exchange.executor(), work);
}

// The engine ends, and with it its hold on the database file.
Task<void> stop_engine(App& app, http::Exchange& exchange, const std::string& id, bool drain) {
  app.pool().forget(id, drain);
  net::steady_timer timer(exchange.executor());
  for (milliseconds waited{0}; waited < kEngineStopLimit; waited += kLookAgain) {
    timer.expires_after(kLookAgain);
    co_await timer.async_wait(net::as_tuple(net::use_awaitable));
    const auto engines = app.pool().info();
    if (std::ranges::find(engines, id, &engine::EngineInfo::destination_id) == engines.end())
      co_return;
  }
}

Task<Result<>> open(App& app, http::Exchange& exchange, catalog::Destination destination) {
  const auto work = [&]() -> Result<> {
    TRY(app.open_tenant(destination));
    return {};
  };
  const Result<> opened = co_await run_blocking(app.blocking(), exchange.executor(), work);
  if (!opened)
    log::error("a destination cannot be served",
               {{"destination", destination.name}, {"error", opened.error().message}});
  co_return opened;
}

// Takes no more rows, and has all of them loaded; opened again where that does not happen.
Task<bool> drain_and_close(App& app, http::Exchange& exchange, std::shared_ptr<Tenant> tenant) {
  const bool nearly = co_await is_drained(app, exchange, *tenant, kDrainLimit);
  if (!nearly) co_return false;
  co_await close(app, exchange, tenant);
  const bool drained = co_await is_drained(app, exchange, *tenant, kDrainLimit);
  if (drained) co_return true;
  catalog::Destination as_before = tenant->destination();
  co_await open(app, exchange, std::move(as_before));
  co_return false;
}

Task<Result<catalog::Destination>> change_in_catalog(App& app, http::Exchange& exchange,
                                                     const Id128& id,
                                                     const catalog::DestinationChange& change) {
  const auto work = [&] { return app.catalog().change_destination(id, change); };
  Result<catalog::Destination> after =
      co_await run_blocking(app.blocking(), exchange.executor(), work);
  co_return after;
}

// Of every target that it has had.
void remove_journals(const App& app, const catalog::Destination& destination) {
  const std::string prefix = destination.id.to_string() + ".";
  std::error_code failed;
  std::filesystem::directory_iterator entry(app.options().tenant.data_dir + "/journals", failed);
  for (; !failed && entry != std::filesystem::directory_iterator(); entry.increment(failed)) {
    std::error_code kept;
    if (!entry->path().filename().string().starts_with(prefix)) continue;
    std::filesystem::remove_all(entry->path(), kept);
    if (kept)
      log::warn("the journal of a deleted destination could not be removed",
                {{"destination", destination.name}});
  }
}

}  // namespace

Task<Result<catalog::Destination>> change_destination(App& app, http::Exchange& exchange, Id128 id,
                                                      catalog::DestinationChange change) {
  const Turn turn(app, id);
  if (!turn) co_return std::unexpected(being_changed());
  CO_TRY_ASSIGN(const catalog::Destination before, newest(app, id));
  catalog::Destination wanted = before;
  wanted.settings = with_changes(before.settings, change.settings);
  if (wanted.settings == before.settings) {
    Result<catalog::Destination> renamed =
        co_await change_in_catalog(app, exchange, before.id, change);
    co_return renamed;
  }
  const std::string& data_dir = app.options().tenant.data_dir;
  const bool moves = catalog::target_of(data_dir, wanted) != catalog::target_of(data_dir, before);
  const std::shared_ptr<Tenant> tenant = app.tenants().find(before.id);
  if (moves && !tenant) {
    co_return fail(ErrorCode::kUnavailable,
                   "this destination could not be opened; the server's log says why");
  }
  if (moves) {
    const bool drained = co_await drain_and_close(app, exchange, tenant);
    if (!drained)
      co_return std::unexpected(rows_pending(*tenant, "its target can be changed when they are"));
  }
  Result<catalog::Destination> after = co_await change_in_catalog(app, exchange, before.id, change);
  if (!after && !moves) co_return after;
  if (tenant) {
    co_await close(app, exchange, tenant);
    co_await stop_engine(app, exchange, tenant->id(), moves);
  }
  // Where the catalog refused the change, the destination goes on as it was.
  catalog::Destination now = after ? *after : tenant->destination();
  const Result<> opened = co_await open(app, exchange, std::move(now));
  if (after && !opened) co_return std::unexpected(opened.error());
  co_return after;
}

Task<Result<>> delete_destination(App& app, http::Exchange& exchange, Id128 id, Pending pending) {
  const Turn turn(app, id);
  if (!turn) co_return std::unexpected(being_changed());
  CO_TRY_ASSIGN(const catalog::Destination destination, newest(app, id));
  const std::shared_ptr<Tenant> tenant = app.tenants().find(destination.id);
  if (!tenant && pending != Pending::kDiscard) {
    co_return fail(ErrorCode::kAlreadyExists,
                   "this destination could not be opened, so nobody can tell "
                   "whether rows are pending; ?pending=discard deletes it anyway");
  }
  if (tenant && pending == Pending::kRefuse) {
    const bool drained = co_await is_drained(app, exchange, *tenant, kLookLimit);
    if (!drained) {
      co_return std::unexpected(
          rows_pending(*tenant, "?pending=drain waits for them, ?pending=discard gives them up"));
    }
  }
  if (tenant && pending != Pending::kDiscard) {
    const bool drained = co_await drain_and_close(app, exchange, tenant);
    if (!drained)
      co_return std::unexpected(rows_pending(*tenant, "?pending=discard gives them up"));
  }
  const auto work = [&] { return app.catalog().delete_destination(destination.id); };
  const Result<> deleted = co_await run_blocking(app.blocking(), exchange.executor(), work);
  if (!deleted) {
    catalog::Destination as_before = destination;
    if (tenant && pending != Pending::kDiscard) co_await open(app, exchange, std::move(as_before));
    co_return deleted;
  }
  app.tenants().remove(destination.id);
  if (tenant) {
    co_await close(app, exchange, tenant);
    co_await stop_engine(app, exchange, tenant->id(), pending != Pending::kDiscard);
  }
  const auto clean = [&] {
    remove_journals(app, destination);
    std::error_code kept;
    std::filesystem::remove_all(
        catalog::frozen_folder(app.options().tenant.data_dir, destination.id), kept);
    return true;
  };
  co_await run_blocking(app.blocking(), exchange.executor(), clean);
  co_return Result<>();
}

}  // namespace sd::api
