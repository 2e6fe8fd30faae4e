// GET /api/endpoints/{name}.{format}; see endpoints.h.
#include <algorithm>

#include "api/await.h"
#include "api/endpoint_definition.h"
#include "api/endpoints.h"
#include "api/query.h"
#include "api/query_request.h"
#include "api/resource.h"
#include "api/share_page.h"

namespace sd::api {
namespace {

using catalog::Endpoint;
using KeyPointer = std::shared_ptr<const catalog::KeyInfo>;

// A call, as far as it is known which endpoint it is of.
struct Call {
  KeyPointer key;  // null: nobody known
  std::shared_ptr<Tenant> tenant;
  Endpoint endpoint;
  EndpointDefinition definition;
  Error refusal;  // of nobody where the endpoint is not public, or not there

  // Whoever made the endpoint, or might have: they may see its SQL.
  bool is_of_insider() const { return key && !key->endpoints; }
};

Error needs_key() {
  return Error{.code = ErrorCode::kUnauthenticated,
               .message =
                   "no API key, and no public endpoint of this name; where several "
                   "destinations have one, ?destination_id= says which is meant"};
}

// What is wrong with a parameter of a call is 422, also where it is none of the endpoint's own.
std::unexpected<Error> unfit(Error error) {
  if (error.slug == "invalid-parameter") error.status = 422;
  return fail(std::move(error));
}

// The destination whose public endpoint is meant by those who have no key.
Task<Result<Id128>> public_destination(App& app, http::Exchange& exchange, const Query& query,
                                       const std::string& name) {
  if (const std::string* named = query.find("destination_id")) {
    const auto destination = app.keys().destination_by_text(*named);
    if (!destination) co_return std::unexpected(needs_key());
    co_return destination->id;
  }
  const auto look = [&] { return app.catalog().destinations_of_public_endpoint(name); };
  const auto found = co_await run_blocking(app.blocking(), exchange.executor(), look);
  if (!found) co_return std::unexpected(found.error());
  if (found->size() != 1) co_return std::unexpected(needs_key());
  co_return found->front();
}

// A key that may not make this call can still make those that need none, of its own destination where none is named.
Result<std::shared_ptr<Tenant>> as_nobody(App& app, const Query& query, const KeyPointer& key,
                                          const Error& refusal) {
  const bool is_final = key->is_admin() || (refusal.code != ErrorCode::kPermissionDenied &&
                                            refusal.code != ErrorCode::kNotFound);
  if (is_final) return fail(refusal);
  Id128 destination = *key->destination_id;
  if (const std::string* named = query.find("destination_id")) {
    const auto found = app.keys().destination_by_text(*named);
    if (!found) return fail(refusal);
    destination = found->id;
  }
  std::shared_ptr<Tenant> tenant = app.tenants().find(destination);
  if (!tenant) return fail(refusal);
  return tenant;
}

// Who asks, and of which destination.
Task<Result<>> find_caller(App& app, http::Exchange& exchange, const Query& query,
                           const std::string& name, Call& call) {
  if (!says_who(app, exchange, query)) {
    const Result<Id128> destination = co_await public_destination(app, exchange, query, name);
    if (!destination) co_return std::unexpected(destination.error());
    call.tenant = app.tenants().find(*destination);
    call.refusal = needs_key();
    if (!call.tenant) co_return std::unexpected(needs_key());
    co_return Result<>();
  }
  CO_TRY_ASSIGN(const KeyPointer key, authenticate(app, exchange, query));
  Result<Access> access = authorise_call(app, key, query);
  if (access && !key->may_endpoint(name)) access = fail(no_such("endpoint"));
  if (access) {
    call.key = key;
    call.tenant = access->tenant;
    co_return Result<>();
  }
  call.refusal = access.error();
  CO_TRY_ASSIGN(call.tenant, as_nobody(app, query, key, call.refusal));
  co_return Result<>();
}

Task<Result<Call>> find_call(App& app, http::Exchange& exchange, const Query& query) {
  Call call;
  const std::string name(exchange.path_parameter("name"));
  const Result<> known = co_await find_caller(app, exchange, query, name, call);
  if (!known) co_return std::unexpected(known.error());
  const Result<std::optional<std::int64_t>> version = read_version(query);
  const Id128 destination = call.tenant->destination().id;
  const auto look = [&]() -> Result<Endpoint> {
    auto found = app.catalog().endpoint(destination, name, version ? *version : std::nullopt);
    if (call.key) return found;
    // To nobody: a version that is not there is one that is not public, of an endpoint that is.
    const auto newest = found ? found : app.catalog().endpoint(destination, name);
    if (!newest || !newest->is_public) return fail(call.refusal);
    if (found && !found->version.is_public)
      return fail(ErrorCode::kNotFound, "there is no such version of this endpoint");
    return found;
  };
  Result<Endpoint> endpoint = co_await run_blocking(app.blocking(), exchange.executor(), look);
  if (!endpoint) co_return std::unexpected(std::move(endpoint).error());
  if (!version) co_return unfit(version.error());
  call.endpoint = std::move(*endpoint);
  CO_TRY_ASSIGN(call.definition, parse_definition(call.endpoint.version));
  co_return call;
}

// The lesser of two limits, of which 0 is none.
std::uint64_t stricter(std::uint64_t a, std::uint64_t b) {
  return a == 0 || (b != 0 && b < a) ? b : a;
}

Result<StreamRequest> to_stream(const App& app, const http::Exchange& exchange, const Query& query,
                                const Call& call) {
  const auto format = query::parse_format(exchange.path_parameter("format"));
  if (!format) {
    return fail(no_such(
        "format of an endpoint; there are json, ndjson, csv, tsv, jsoncompact, html, arrow, "
        "parquet and xlsx"));
  }
  json::Value fixed;
  if (call.key && !call.key->parameters.empty()) {
    TRY_ASSIGN(fixed, json::parse_document(call.key->parameters));
  }
  Asked asked;
  TRY_ASSIGN(const std::string values, call_values(call.definition, query, fixed));
  if (const Result<> read = read_parameters(query, asked); !read) return unfit(read.error());
  asked.sql = call.definition.query;
  asked.parameters = values;
  asked.format = std::string(query::format_name(*format));
  const catalog::KeyInfo nobody;
  const catalog::KeyInfo& key = call.key ? *call.key : nobody;
  StreamRequest stream;
  const Result<Id128> id = query_id_of(asked);
  if (!id) return unfit(id.error());
  stream.id = *id;
  Result<engine::QueryRequest> request = to_request(app, exchange, asked, key);
  if (!request) return unfit(request.error());
  stream.query = std::move(*request);
  stream.query.types = declared_types(call.definition);
  stream.query.max_rows = stricter(stream.query.max_rows, call.definition.max_rows);
  if (call.definition.timeout_ms != 0) {
    stream.query.timeout =
        std::min(stream.query.timeout,
                 std::chrono::milliseconds(static_cast<std::int64_t>(call.definition.timeout_ms)));
  }
  // More time than the server gives is for its own people.
  if (!call.is_of_insider())
    stream.query.timeout = std::min(stream.query.timeout, app.options().query_timeout);
  set_freshness(asked, *call.tenant, stream.query);
  stream.party = (call.key ? key.id : call.endpoint.id).to_string();
  stream.max_bytes = key.max_bytes;
  stream.hide_errors = !call.is_of_insider();
  stream.parameter_status = 422;
  if (call.definition.cache_s != 0) {
    stream.cache_control = (call.key ? "private, max-age=" : "public, max-age=") +
                           std::to_string(call.definition.cache_s);
    stream.is_cached = true;
  }
  if (*format != query::Format::kHtml && *format != query::Format::kJson) {
    stream.headers.emplace_back("Content-Disposition",
                                content_disposition(call.endpoint.name, *asked.format));
  }
  return stream;
}

}  // namespace

Task<void> handle_call_endpoint(App& app, http::Exchange& exchange) {
  const Query query = parse_query(exchange.raw_query());
  Result<Call> call = co_await find_call(app, exchange, query);
  if (!call) {
    co_await refuse(exchange, std::move(call).error());
    co_return;
  }
  EndpointUsageCounter::Call usage{.endpoint_id = call->endpoint.id, .key_id = {}};
  if (call->key) usage.key_id = call->key->id;
  Result<StreamRequest> stream = to_stream(app, exchange, query, *call);
  if (stream) {
    exchange.add_header("X-Query-Id", stream->id.to_string());
    exchange.add_header("X-Content-Type-Options", "nosniff");
    exchange.add_header("X-Endpoint-Version", std::to_string(call->endpoint.version.number));
    std::shared_ptr<Tenant> tenant = call->tenant;
    const StreamOutcome outcome =
        co_await stream_query(app, exchange, std::move(tenant), std::move(*stream));
    const bool is_news =
        !outcome.columns.empty() && outcome.columns != call->endpoint.version.columns;
    if (is_news) {
      app.endpoint_usage().note_columns(call->endpoint.id, call->endpoint.version.number,
                                        outcome.columns);
    }
    usage.failed = !outcome.whole && !outcome.unchanged && !outcome.given_up;
    usage.bytes = outcome.bytes;
  } else {
    usage.failed = true;
    co_await refuse(exchange, std::move(stream).error());
  }
  app.endpoint_usage().count(usage, app.catalog().clock().wall_us());
}

}  // namespace sd::api
