#include "api/snapshot.h"

#include "api/query.h"
#include "api/resource.h"

namespace sd::api {
namespace {

// The engine's own work; the time of a slow client does not count.
constexpr std::chrono::hours kLongest{1};

// It holds everything, our own records beside the users' tables, failed rows among them: for admins without limits.
Result<> may_have_all(const catalog::KeyInfo& key) {
  if (!key.tables && key.max_rows == 0 && key.max_bytes == 0) return {};
  return fail(ErrorCode::kPermissionDenied,
              "this API key is limited, and a snapshot holds all of the destination");
}

// "local 2026-01-31T12-30-00Z.duckdb", of the name what is harmless in a header and a file's name.
std::string file_name(const std::string& destination) {
  std::string name;
  for (const char c : destination) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_';
    name += plain ? c : '_';
  }
  std::string now = format_rfc3339(system_clock().wall_us() / kMicrosPerSecond * kMicrosPerSecond);
  std::ranges::replace(now, ':', '-');
  return name + "-" + now + ".duckdb";
}

}  // namespace

Task<void> handle_snapshot(App& app, http::Exchange& exchange) {
  const Query query = parse_query(exchange.raw_query());
  Result<Access> access = authorise(app, exchange, query, catalog::Scope::kAdmin);
  Result<> may;
  if (access) may = may_have_all(*access->key);
  if (!access || !may) {
    Error error = access ? may.error() : access.error();
    co_await refuse(exchange, std::move(error));
    co_return;
  }
  StreamRequest stream;
  stream.query.snapshot = true;
  stream.query.position = access->tenant->log().durable_end();
  stream.query.must_be_fresh = true;
  stream.query.timeout = kLongest;
  stream.party = access->key->id.to_string();
  stream.headers = {
      {"Content-Disposition", "attachment; filename=\"" + file_name(access->tenant->name()) + "\""},
      {"Cache-Control", "no-store"},
      {"X-Content-Type-Options", "nosniff"}};
  exchange.add_header("X-Query-Id", stream.id.to_string());
  std::shared_ptr<Tenant> tenant = access->tenant;
  co_await stream_query(app, exchange, std::move(tenant), std::move(stream));
}

}  // namespace sd::api
