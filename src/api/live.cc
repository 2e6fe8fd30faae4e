#include "api/live.h"

#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>

#include "api/access.h"
#include "api/resource.h"

namespace sd::api {
namespace {

using namespace net::experimental::awaitable_operators;

constexpr std::chrono::seconds kEvery{1};

// Whose events somebody sees.
struct Viewer {
  std::shared_ptr<const catalog::KeyInfo> key;
  std::optional<Id128> destination;  // none: every one
};

Result<Viewer> find_viewer(App& app, const http::Exchange& exchange, const Query& query) {
  Viewer viewer;
  TRY_ASSIGN(viewer.key, authenticate(app, exchange, query));
  if (viewer.key->is_admin() && query.find("destination_id") == nullptr) return viewer;
  TRY_ASSIGN(const Access access, authorise(app, viewer.key, query, catalog::Scope::kQuery));
  viewer.destination = access.tenant->destination().id;
  return viewer;
}

// Those that are served now: they come and go, and one that got another target is a new Tenant.
std::vector<std::shared_ptr<Tenant>> seen_now(App& app, const Viewer& viewer) {
  if (!viewer.destination) return app.tenants().all();
  std::vector<std::shared_ptr<Tenant>> one;
  if (auto found = app.tenants().find(*viewer.destination)) one.push_back(std::move(found));
  return one;
}

void write_lag(json::Writer& w, std::uint64_t rows, double seconds) {
  w.member("lag_rows", rows).raw_member("lag_seconds", std::to_string(seconds));
}

void write_whole(json::Writer& w, const Tenant& tenant) {
  const auto sent = tenant.acknowledged();
  const auto state = tenant.known_state().value_or(destinations::LoadState());
  w.member("rows", sent.rows).member("bytes", sent.bytes);
  w.member("loaded", state.rows_loaded).member("failed", state.rows_failed);
  write_lag(w, tenant.lag_rows(), tenant.lag_seconds());
}

// For a key of some tables: what comes into others is not for it.
void write_sum(json::Writer& w, const TableCounts::Counts& tables) {
  std::uint64_t rows = 0, bytes = 0, failed = 0, lag_rows = 0;
  Micros lag_us = 0;
  for (const auto& [name, count] : tables) {
    rows += count.acknowledged.rows;
    bytes += count.acknowledged.bytes;
    failed += count.failed;
    lag_rows += count.lag_rows;
    lag_us = std::max<Micros>(lag_us, count.lag_us);
  }
  w.member("rows", rows).member("bytes", bytes);
  w.member("loaded", rows - std::min(rows, lag_rows)).member("failed", failed);
  write_lag(w, lag_rows, static_cast<double>(lag_us) / 1e6);
}

void write_tenant(json::Writer& w, const Tenant& tenant, const catalog::KeyInfo& key) {
  auto tables = tenant.table_counts();
  std::erase_if(tables, [&](const auto& table) { return !key.may_table(table.first); });
  w.begin_object().member("id", tenant.id()).member("name", tenant.destination().name);
  if (key.tables)
    write_sum(w, tables);
  else
    write_whole(w, tenant);
  w.member("queries_running", std::uint64_t{tenant.queries().running()});
  w.member("queries_waiting", std::uint64_t{tenant.queries().waiting()});
  w.begin_array("tables");
  for (const auto& [name, count] : tables) {
    w.begin_object().member("name", name).member("rows", count.acknowledged.rows);
    w.member("bytes", count.acknowledged.bytes).member("failed", count.failed);
    write_lag(w, count.lag_rows, static_cast<double>(count.lag_us) / 1e6);
    w.end_object();
  }
  w.end_array().end_object();
}

std::string event_of(const std::vector<std::shared_ptr<Tenant>>& tenants,
                     const catalog::KeyInfo& key) {
  json::Writer w;
  w.begin_object().member("at", format_rfc3339(system_clock().wall_us()));
  w.begin_array("destinations");
  for (const auto& tenant : tenants) write_tenant(w, *tenant, key);
  return "event: live\ndata: " + w.end_array().end_object().take() + "\n\n";
}

// False once the client has gone.
Task<bool> wait_a_second(http::Exchange& exchange) {
  net::steady_timer timer(exchange.executor());
  timer.expires_after(kEvery);
  const auto next = co_await (timer.async_wait(net::use_awaitable) || exchange.client_gone());
  co_return next.index() == 0;
}

Task<void> send_events(App& app, http::Exchange& exchange, const Query& query, Viewer viewer) {
  while (!app.stopping && is_still(app, exchange, query, viewer.key->id)) {
    const auto tenants = seen_now(app, viewer);
    if (viewer.destination && tenants.empty()) break;
    const Result<> written = co_await exchange.write(event_of(tenants, *viewer.key));
    if (!written) co_return;
    const bool here = co_await wait_a_second(exchange);
    if (!here) {
      exchange.break_off();
      co_return;
    }
  }
  co_await exchange.finish();
}

}  // namespace

Task<void> handle_live(App& app, http::Exchange& exchange) {
  const Query query = parse_query(exchange.raw_query());
  Result<Viewer> viewer = find_viewer(app, exchange, query);
  if (!viewer) {
    co_await refuse(exchange, std::move(viewer).error());
    co_return;
  }
  http::Headers headers = {{"Content-Type", "text/event-stream"},
                           {"Cache-Control", "no-store"},
                           {"X-Accel-Buffering", "no"}};
  const Result<> began = co_await exchange.begin(200, std::move(headers));
  if (!began) co_return;
  if (exchange.method() == "HEAD") {
    co_await exchange.finish();
    co_return;
  }
  co_await send_events(app, exchange, query, std::move(*viewer));
}

}  // namespace sd::api
