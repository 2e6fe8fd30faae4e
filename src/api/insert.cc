#include "api/insert.h"

#include <algorithm>
#include <array>

#include "api/ask.h"
#include "json/document.h"
#include "json/schema.h"
#include "load/record.h"

namespace sd::api {
namespace {

using json::BodySummary;
using std::chrono::milliseconds;

constexpr milliseconds kWaitLimit{30'000};
constexpr std::uint64_t kMaxFormBytes = 16U << 20;

// Our own parameters, which are never values of a row.
constexpr std::array kOwnParameters = {"api_key", "destination_id", "flatten", "wait",
                                       "strict",  "dry_run",        "pixel"};

struct Options {
  bool wait = false;
  bool strict = false;
  bool pixel = false;
  std::optional<Error> error;  // of a parameter
};

Error parameter_error(std::string message) {
  return invalid(std::move(message)).with_slug("invalid-parameter");
}

Result<Options> read_options(const Query& query) {
  Options options;
  TRY_ASSIGN(options.wait, query.flag("wait"));
  TRY_ASSIGN(options.strict, query.flag("strict"));
  TRY_ASSIGN(options.pixel, query.flag("pixel"));
  TRY_ASSIGN(const bool dry_run, query.flag("dry_run"));
  // A parameter that would change what happens to the rows is never passed over in silence.
  if (dry_run) return fail(parameter_error("dry_run is not available in this version"));
  if (const std::string* flatten = query.find("flatten");
      flatten != nullptr && *flatten != "horizontal") {
    return fail(parameter_error("flatten must be 'horizontal' in this version"));
  }
  return options;
}

bool is_form(std::string_view content_type) {
  return content_type.starts_with("application/x-www-form-urlencoded");
}

std::size_t first_byte(std::string_view body) {
  std::size_t at = body.starts_with("\xEF\xBB\xBF") ? 3 : 0;
  while (at < body.size() && json::is_space(body[at])) ++at;
  return at;
}

std::string row_of_fields(const Query& fields) {
  json::Writer w;
  w.begin_object();
  for (const http::Parameter& p : fields.parameters) {
    if (std::find(kOwnParameters.begin(), kOwnParameters.end(), p.name) == kOwnParameters.end()) {
      w.member(p.name, p.value);
    }
  }
  return w.end_object().take();
}

struct Accepted {
  std::string table;
  BodySummary summary;
  journal::Position end = 0;
  Id128 receipt;
};

std::string answer_json(const Accepted& accepted, std::optional<bool> visible) {
  json::Writer w;
  w.begin_object().member("ok", true).member("table", accepted.table);
  w.member("rows", accepted.summary.rows).member("failed", accepted.summary.failed);
  w.member("receipt", accepted.receipt.to_string());
  if (visible) w.member("visible", *visible);
  if (!accepted.summary.errors.empty()) {
    w.begin_array("errors");
    for (const json::RefusedRow& row : accepted.summary.errors) {
      w.begin_object().member("row", row.row).member("code", row.error.code);
      w.member("detail", row.error.detail);
      if (row.error.offset != json::RowError::kNoOffset) w.member("offset", row.error.offset);
      w.end_object();
    }
    w.end_array();
  }
  return w.end_object().take();
}

// With strict, one bad row refuses the request.
Result<> check_strict(const BodySummary& summary, bool strict) {
  if (!strict || summary.failed == 0) return {};
  const json::RefusedRow& first = summary.errors.front();
  return fail(invalid("row " + std::to_string(first.row) + ": " + first.error.detail +
                      " at offset " + std::to_string(first.error.offset))
                  .with_slug(first.error.code)
                  .with_member("row", std::to_string(first.row))
                  .with_member("offset", std::to_string(first.error.offset)));
}

void fill_record(PendingAppend& pending, const BodySummary& summary, const Id128& receipt) {
  pending.meta.kind = journal::RecordKind::kInsert;
  pending.meta.rows = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(summary.rows + summary.failed, UINT32_MAX));
  pending.meta.receipt = receipt;
}

Task<Result<Accepted>> accept_inline(App& app, http::Exchange& exchange, Tenant& tenant,
                                     const std::string& table, std::string_view rows, bool strict) {
  Accepted accepted{.table = table};
  CO_TRY_ASSIGN(accepted.summary, json::scan_body(rows));
  CO_TRY(check_strict(accepted.summary, strict));
  accepted.receipt = Id128::make();
  // An empty array is a request without rows: nothing to keep.
  if (accepted.summary.rows + accepted.summary.failed == 0) {
    accepted.end = tenant.log().durable_end();
    co_return accepted;
  }
  const std::string head = load::encode_insert_head({.table = table});
  PendingAppend pending;
  fill_record(pending, accepted.summary, accepted.receipt);
  pending.head = head;
  pending.body = rows;
  co_await append(tenant.log(), app.sink(exchange), pending);
  CO_TRY(std::move(pending.result));
  accepted.end = pending.end;
  tenant.count_acknowledged(accepted.summary.rows);
  co_return accepted;
}

// A body larger than what stays in memory: checked and written to a blob as it arrives. All or nothing:
// the one record that refers to the blob is appended when everything is on disk.
Task<Result<Accepted>> accept_blob(App& app, http::Exchange& exchange, Tenant& tenant,
                                   const std::string& table, std::string first, bool strict) {
  struct State {
    std::unique_ptr<journal::BlobWriter> writer;
    json::BodyScanner scanner;
  };
  auto state = std::make_unique<State>();
  const net::any_io_executor executor = exchange.executor();
  std::string piece = std::move(first);
  const auto step = [&]() -> Result<> {
    if (!state->writer) {
      TRY_ASSIGN(state->writer, tenant.log().create_blob());
    }
    TRY(state->scanner.feed(piece));
    return state->writer->write(piece);
  };
  bool more = true;
  while (more || !piece.empty()) {
    Result<> stepped = co_await run_blocking(app.blocking(), executor, step);
    CO_TRY(std::move(stepped));
    piece.clear();
    while (more && piece.size() < app.options().inline_body_bytes) {
      Result<std::string_view> read = co_await exchange.read_some();
      if (!read) co_return std::unexpected(std::move(read).error());
      more = !read->empty();
      piece += *read;
    }
  }
  Accepted accepted{.table = table, .receipt = Id128::make()};
  CO_TRY_ASSIGN(accepted.summary, state->scanner.finish());
  CO_TRY(check_strict(accepted.summary, strict));
  const auto finish = [&] { return state->writer->finish(); };
  Result<journal::BlobRef> blob = co_await run_blocking(app.blocking(), executor, finish);
  if (!blob) co_return std::unexpected(std::move(blob).error());
  const std::string head = load::encode_insert_head({.table = table});
  PendingAppend pending;
  fill_record(pending, accepted.summary, accepted.receipt);
  pending.meta.blob = *blob;
  pending.head = head;
  co_await append(tenant.log(), app.sink(exchange), pending);
  CO_TRY(std::move(pending.result));
  state->writer->keep();
  accepted.end = pending.end;
  tenant.count_acknowledged(accepted.summary.rows);
  co_return accepted;
}

// Counts what only loading found: the destination holds every refused row of the request, those that
// the front refused included. An offset is what the front alone knows.
void add_refused(BodySummary& summary, RefusedRows refused) {
  if (refused.count <= summary.failed) return;
  const std::uint64_t total = summary.rows + summary.failed;
  summary.failed = refused.count;
  summary.rows = total > refused.count ? total - refused.count : 0;
  for (json::RefusedRow& row : refused.first) {
    const bool known =
        std::ranges::any_of(summary.errors, [&](const auto& e) { return e.row == row.row; });
    if (!known) summary.errors.push_back(std::move(row));
  }
  std::ranges::sort(summary.errors, {}, &json::RefusedRow::row);
  if (summary.errors.size() > json::kMaxErrors) summary.errors.resize(json::kMaxErrors);
}

// Waits until the rows can be queried; false after the limit. What loading refused is added to the summary.
Task<bool> wait_visible(App& app, http::Exchange& exchange, const Tenant& tenant,
                        Accepted& accepted) {
  const bool applied = co_await wait_applied(app, exchange, tenant, accepted.end, kWaitLimit);
  if (!applied) co_return false;
  std::optional<RefusedRows> refused =
      co_await ask_refused(app, exchange, tenant, accepted.end, accepted.receipt);
  // Where the engine died in between, the rows are in sight and the count is what the front knows.
  if (refused) add_refused(accepted.summary, std::move(*refused));
  co_return true;
}

// What of the body fits in memory, and whether that is all of it.
struct Beginning {
  std::string_view borrowed;  // all of a small body, in the connection's buffer
  std::string first;          // else what has been read so far
  bool is_whole = true;
  // Never kept as a view into `first`: the bytes of a short string move with it.
  std::string_view bytes() const { return first.empty() ? borrowed : std::string_view(first); }
};

Task<Result<Beginning>> read_beginning(App& app, http::Exchange& exchange) {
  Beginning beginning;
  const std::uint64_t in_memory = app.options().inline_body_bytes;
  exchange.set_body_limit(app.options().max_body_bytes);
  const auto declared = exchange.declared_length();
  if (declared && *declared <= in_memory) {
    const std::uint64_t limit = std::min(in_memory, app.options().max_body_bytes);
    Result<std::string_view> body = co_await exchange.read_body(limit);
    if (!body) co_return std::unexpected(std::move(body).error());
    beginning.borrowed = *body;
    co_return beginning;
  }
  while (beginning.first.size() <= in_memory) {
    Result<std::string_view> read = co_await exchange.read_some();
    if (!read) co_return std::unexpected(std::move(read).error());
    if (read->empty()) co_return beginning;
    beginning.first += *read;
  }
  beginning.is_whole = false;
  co_return beginning;
}

// What can be said of a request before its rows are read, to one who has shown a key.
Result<> may_insert(App& app, const http::Exchange& exchange, const Access& access,
                    std::string_view table, const Options& options) {
  if (options.error) return fail(*options.error);
  if (!json::is_valid_name(table)) {
    return fail(invalid("a table's name is 1 to 255 bytes of UTF-8 without NUL")
                    .with_slug("invalid-table-name"));
  }
  TRY(may_use_table(access, table));
  if (!exchange.header("Idempotency-Key").empty()) {
    return fail(parameter_error("Idempotency-Key is not available in this version"));
  }
  if (app.disk_is_low) {
    return fail(Error{.code = ErrorCode::kResourceExhausted,
                      .message = "the disk is almost full: nothing was stored",
                      .slug = "disk-full",
                      .retry_after_s = 30});
  }
  return {};
}

Task<Result<Accepted>> accept_post(App& app, http::Exchange& exchange, const Query& query,
                                   const std::string& table, Options& options, Access& access) {
  // The key first, wherever it can be seen: nobody uploads for nothing.
  Query form;
  const std::string_view content_type = exchange.header("Content-Type");
  const bool key_may_be_in_body = find_secrets(exchange, query).empty() && is_form(content_type);
  if (!key_may_be_in_body) {
    CO_TRY_ASSIGN(access, authorise(app, exchange, query, catalog::Scope::kInsert));
    CO_TRY(may_insert(app, exchange, access, table, options));
  }
  Result<Beginning> beginning = co_await read_beginning(app, exchange);
  if (!beginning) co_return std::unexpected(std::move(beginning).error());
  const bool large = !beginning->is_whole;
  std::string_view bytes = beginning->bytes();
  const std::size_t start = first_byte(bytes);
  const bool json_body = start < bytes.size() && (bytes[start] == '{' || bytes[start] == '[');
  if (large && json_body) {
    if (key_may_be_in_body) {
      CO_TRY_ASSIGN(access, authorise(app, exchange, query, catalog::Scope::kInsert));
      CO_TRY(may_insert(app, exchange, access, table, options));
    }
    Task<Result<Accepted>> task = accept_blob(app, exchange, *access.tenant, table,
                                              std::move(beginning->first), options.strict);
    Result<Accepted> accepted = co_await std::move(task);
    co_return accepted;
  }
  std::string whole;
  if (large) {
    // A form is decoded as a whole.
    whole = std::move(beginning->first);
    while (whole.size() <= kMaxFormBytes) {
      Result<std::string_view> read = co_await exchange.read_some();
      if (!read) co_return std::unexpected(std::move(read).error());
      if (read->empty()) break;
      whole += *read;
    }
    if (whole.size() > kMaxFormBytes) {
      co_return fail(invalid("a form body may have at most 16 MiB")
                         .with_status(413)
                         .with_slug("body-too-large"));
    }
    bytes = whole;
  }
  CO_TRY_ASSIGN(const BodyOfRows rows, rows_of_body(bytes, content_type, form));
  if (key_may_be_in_body) {
    CO_TRY_ASSIGN(access, authorise(app, exchange, query, catalog::Scope::kInsert, &form));
    CO_TRY(may_insert(app, exchange, access, table, options));
  }
  if (rows.json().size() > app.options().inline_body_bytes) {
    // The rows of a large form: more than a record of the journal should hold.
    std::string copied(rows.json());
    Task<Result<Accepted>> task =
        accept_blob(app, exchange, *access.tenant, table, std::move(copied), options.strict);
    Result<Accepted> stored = co_await std::move(task);
    co_return stored;
  }
  Result<Accepted> accepted =
      co_await accept_inline(app, exchange, *access.tenant, table, rows.json(), options.strict);
  co_return accepted;
}

Task<Result<Accepted>> accept_get(App& app, http::Exchange& exchange, const Query& query,
                                  const std::string& table, const Options& options,
                                  Access& access) {
  CO_TRY_ASSIGN(access, authorise(app, exchange, query, catalog::Scope::kInsert));
  CO_TRY(may_insert(app, exchange, access, table, options));
  CO_TRY_ASSIGN(const BodyOfRows rows, rows_of_query(query));
  Result<Accepted> accepted =
      co_await accept_inline(app, exchange, *access.tenant, table, rows.json(), options.strict);
  co_return accepted;
}

// A transparent 1×1 GIF.
constexpr unsigned char kPixel[] = {
    0x47, 0x49, 0x46, 0x38, 0x39, 0x61, 0x01, 0x00, 0x01, 0x00, 0x80, 0x00, 0x00, 0x00, 0x00,
    0x00, 0xff, 0xff, 0xff, 0x21, 0xf9, 0x04, 0x01, 0x00, 0x00, 0x00, 0x00, 0x2c, 0x00, 0x00,
    0x00, 0x00, 0x01, 0x00, 0x01, 0x00, 0x00, 0x02, 0x02, 0x44, 0x01, 0x00, 0x3b};

Task<Result<http::Response>> insert(App& app, http::Exchange& exchange) {
  const std::string table(exchange.path_parameter("table"));
  if (exchange.method() == "HEAD") {
    // A link checker that only looks must not insert a row.
    exchange.add_header("Allow", "GET, POST");
    co_return fail(invalid("HEAD inserts nothing; use GET or POST")
                       .with_slug("method-not-allowed")
                       .with_status(405));
  }
  const Query query = parse_query(exchange.raw_query());
  Options options;
  if (auto read = read_options(query)) options = std::move(*read);
  else options.error = std::move(read).error();
  Access access;
  const bool get = exchange.method() == "GET";
  Task<Result<Accepted>> task = get ? accept_get(app, exchange, query, table, options, access)
                                    : accept_post(app, exchange, query, table, options, access);
  Result<Accepted> accepted = co_await std::move(task);
  if (!accepted) co_return std::unexpected(std::move(accepted).error());
  std::optional<bool> visible;
  if (options.wait) visible = co_await wait_visible(app, exchange, *access.tenant, *accepted);
  if (options.pixel) {
    http::Response pixel{.status = 200,
                         .headers = {{"Content-Type", "image/gif"}, {"Cache-Control", "no-store"}},
                         .body = {}};
    pixel.body.assign(reinterpret_cast<const char*>(kPixel), sizeof kPixel);
    co_return pixel;
  }
  co_return http::json_response(answer_json(*accepted, visible));
}

}  // namespace

Result<BodyOfRows> rows_of_body(std::string_view body, std::string_view content_type, Query& form) {
  BodyOfRows rows;
  const std::size_t start = first_byte(body);
  const bool json_body = start < body.size() && (body[start] == '{' || body[start] == '[');
  if (json_body || start == body.size()) {
    rows.borrowed = body;  // empty too: the scan says what is wrong with it
    return rows;
  }
  if (!is_form(content_type)) {
    if (content_type.starts_with("text/csv")) {
      return fail(invalid("CSV bodies are not taken in this version")
                      .with_status(415)
                      .with_slug("unsupported-media-type"));
    }
    rows.borrowed = body;
    return rows;
  }
  form = parse_query(body);
  const std::string* payload = form.find("payload");
  const bool only_payload =
      payload != nullptr &&
      std::all_of(form.parameters.begin(), form.parameters.end(),
                  [](const auto& p) { return p.name == "payload" || p.name == "api_key"; });
  if (form.json)
    rows.owned = *form.json;
  else if (only_payload && first_byte(*payload) < payload->size() &&
           ((*payload)[first_byte(*payload)] == '{' || (*payload)[first_byte(*payload)] == '['))
    rows.owned = *payload;
  else
    rows.owned = row_of_fields(form);
  return rows;
}

Result<BodyOfRows> rows_of_query(const Query& query) {
  BodyOfRows rows;
  rows.owned = query.json ? *query.json : row_of_fields(query);
  if (rows.owned == "{}" && !query.json) {
    return fail(
        invalid("no row: add parameters, or a JSON object as the last part of the query string")
            .with_slug("empty-body"));
  }
  return rows;
}

Task<void> handle_insert(App& app, http::Exchange& exchange) {
  Result<http::Response> response = co_await insert(app, exchange);
  if (!response) {
    co_await refuse(exchange, std::move(response).error());
    co_return;
  }
  co_await exchange.respond(std::move(*response));
}

}  // namespace sd::api
