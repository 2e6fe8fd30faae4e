#include "api/insert_store.h"

#include <algorithm>

#include "api/append.h"
#include "api/idempotency.h"
#include "base/json_text.h"
#include "json/document.h"
#include "load/record.h"

namespace sd::api {
namespace {

using json::BodySummary;
using std::chrono::milliseconds;

constexpr milliseconds kWaitLimit{30'000};
// A question to the engine is one frame of at most 64 MiB.
constexpr std::size_t kMaxQuestion = 60U << 20;
// The engine gives itself as long for a dry run (engine/query_runner.cc).
constexpr std::uint64_t kTrialBytesPerSecond = 4U << 20;

void write_errors(json::Writer& w, const BodySummary& summary) {
  if (summary.errors.empty()) return;
  w.begin_array("errors");
  for (const json::RefusedRow& row : summary.errors) {
    w.begin_object().member("row", row.row).member("code", row.error.code);
    w.member("detail", row.error.detail);
    if (row.error.offset != json::RowError::kNoOffset) w.member("offset", row.error.offset);
    w.end_object();
  }
  w.end_array();
}

// Counts what only the engine found: it knows every refused row of the request, those that the
// front refused included. An offset is what the front alone knows.
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

// The first answer again; an error where the body is another one.
Result<Accepted> replay(Accepted accepted, const journal::IndexEntry& first, const Id128& body,
                        journal::Position durable) {
  if (first.idempotency->body != body) {
    return fail(invalid("this Idempotency-Key was used with another body")
                    .with_status(422)
                    .with_slug("idempotency-key-reused"));
  }
  accepted.receipt = first.receipt;
  accepted.end = durable;  // its own end is not known, and not later
  accepted.replayed = true;
  return accepted;
}

// Text that can stand in a JSON document, without turning a row that is refused into one that is
// not: a byte that is not UTF-8 becomes the escape of a lone surrogate.
std::string as_valid_text(std::string_view rows) {
  std::string out;
  while (!rows.empty()) {
    const std::size_t length = utf8_sequence_length(rows);
    if (length == 0)
      out += "\\ud800";
    else
      out.append(rows, 0, length);
    rows.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

void write_value(json::Writer& w, std::string_view key, const json::Value& value) {
  if (const auto flag = value.as_bool())
    w.member(key, *flag);
  else if (value.is_null())
    w.null_member(key);
  else if (value.is_string())
    w.member(key, value.text());
  else
    w.raw_member(key, value.text());
}

void write_tables(json::Writer& w, const json::Value& answer) {
  w.begin_array("tables");
  const json::Value* tables = answer.find("tables");
  for (const json::Value& table : tables != nullptr ? tables->elements() : answer.elements()) {
    w.begin_object();
    for (const auto& [name, value] : table.members()) {
      if (!value.is_array()) {
        write_value(w, name, value);
        continue;
      }
      w.begin_array(name);
      for (const json::Value& column : value.elements()) {
        w.begin_object();
        for (const auto& [member, of_column] : column.members()) write_value(w, member, of_column);
        w.end_object();
      }
      w.end_array();
    }
    w.end_object();
  }
  w.end_array();
}

RefusedRows refused_of(const json::Value& answer) {
  RefusedRows refused;
  refused.count = static_cast<std::uint64_t>(answer.int_or("failed", 0));
  if (const json::Value* errors = answer.find("errors")) {
    for (const json::Value& row : errors->elements()) {
      json::RefusedRow& out = refused.first.emplace_back();
      out.row = static_cast<std::uint64_t>(row.int_or("row", 0));
      out.error = {std::string(row.string_or("code", "")), std::string(row.string_or("detail", "")),
                   json::RowError::kNoOffset};
    }
  }
  return refused;
}

}  // namespace

std::string answer_json(const Accepted& accepted, std::optional<bool> visible) {
  json::Writer w;
  w.begin_object().member("ok", true).member("table", accepted.table);
  w.member("rows", accepted.summary.rows).member("failed", accepted.summary.failed);
  w.member("receipt", accepted.receipt.to_string());
  if (visible) w.member("visible", *visible);
  write_errors(w, accepted.summary);
  return w.end_object().take();
}

Result<> check_strict(const BodySummary& summary, bool strict, const Id128* kept) {
  if (!strict || summary.failed == 0) return {};
  if (kept != nullptr) {
    const std::string why =
        summary.errors.empty() ? "" : ": " + summary.errors.front().error.detail;
    return fail(
        invalid("the rows were refused when they were loaded, and are kept as failed rows" + why)
            .with_slug("strict")
            .with_member("receipt", json_string(kept->to_string())));
  }
  const json::RefusedRow& first = summary.errors.front();
  const bool has_offset = first.error.offset != json::RowError::kNoOffset;
  const std::string offset = std::to_string(first.error.offset);
  Error error = invalid("row " + std::to_string(first.row) + ": " + first.error.detail +
                        (has_offset ? " at offset " + offset : ""))
                    .with_slug(first.error.code)
                    .with_member("row", std::to_string(first.row));
  if (has_offset) error.members.emplace_back("offset", offset);
  return fail(std::move(error));
}

namespace {

// The question whether the destination would take these rows. A body in memory stands in the question.
std::string trial_of(const std::string& table, const InsertOptions& options, const Rows& rows,
                     const std::optional<journal::BlobRef>& blob) {
  json::Writer w;
  w.begin_object().member("what", "dry_run").member("table", table);
  if (options.flatten) w.member("flatten", json::to_string(*options.flatten));
  w.member("flatten_depth", unsigned{options.flatten_depth});
  constexpr std::array<const char*, 3> kKinds = {"json", "csv", "ndjson"};
  w.member("kind", kKinds.at(static_cast<std::size_t>(rows.kind)));
  if (options.tables) {
    w.begin_array("tables");
    for (const std::string& each : *options.tables) w.element(each);
    w.end_array();
  }
  if (blob) {
    w.begin_object("blob").member("id", blob->id.to_string());
    w.member("length", blob->length).member("crc32c", std::uint64_t{blob->crc32c}).end_object();
  } else {
    const std::string_view body = rows.json();
    w.member("body", is_valid_utf8(body) ? std::string(body) : as_valid_text(body));
  }
  return w.end_object().take();
}

// What loading would refuse of a strict request refuses it, before anything is stored: the destination is
// asked, in the state that holds all that was acknowledged before.
Task<Result<>> ask_strict(App& app, http::Exchange& exchange, Tenant& tenant,
                          const Accepted& insert, const InsertOptions& options, const Rows& rows,
                          const std::optional<journal::BlobRef>& blob) {
  const std::chrono::seconds more{blob ? blob->length / kTrialBytesPerSecond : 0};
  const Result<json::Value> answer =
      co_await ask(app, exchange, tenant, trial_of(insert.table, options, rows, blob),
                   /*must_be_fresh=*/true, more);
  if (!answer) co_return std::unexpected(answer.error());
  BodySummary summary = insert.summary;
  add_refused(summary, refused_of(*answer));
  co_return check_strict(summary, true);
}

}  // namespace

Task<Result<Accepted>> store(App& app, http::Exchange& exchange, Tenant& tenant, std::string table,
                             const InsertOptions& options, Rows rows, std::optional<Id128> key) {
  Accepted accepted{.table = std::move(table), .summary = std::move(rows.summary)};
  const net::any_io_executor executor = exchange.executor();
  PendingAppend pending;
  if (key) {
    const Micros now = system_clock().wall_us();
    const auto look = [&] { return find_accepted(tenant.log(), *key, now); };
    const Result<std::optional<journal::IndexEntry>> found =
        co_await run_blocking(app.blocking(), executor, look);
    if (!found) co_return std::unexpected(found.error());
    if (*found) co_return replay(std::move(accepted), **found, *rows.hash, tenant.durable_end());
    pending.meta.idempotency = journal::Idempotency{.key = *key, .body = *rows.hash};
  }
  accepted.receipt = Id128::make();
  const std::uint64_t count = accepted.summary.rows + accepted.summary.failed;
  // An empty array is a request without rows: nothing to keep but its key.
  if (count == 0 && !key) {
    accepted.end = tenant.log().durable_end();
    co_return accepted;
  }
  if (rows.blob) {
    const auto finish = [&] { return rows.blob->finish(); };
    const Result<journal::BlobRef> blob = co_await run_blocking(app.blocking(), executor, finish);
    if (!blob) co_return std::unexpected(blob.error());
    pending.meta.blob = *blob;
  }
  if (options.strict && count > 0) {
    Result<> would =
        co_await ask_strict(app, exchange, tenant, accepted, options, rows, pending.meta.blob);
    CO_TRY(std::move(would));
  }
  const std::string head = load::encode_insert_head({.flatten = options.flatten,
                                                     .flatten_depth = options.flatten_depth,
                                                     .body = rows.kind,
                                                     .strict = options.strict,
                                                     .tables = options.tables,
                                                     .table = accepted.table});
  pending.meta.kind = journal::RecordKind::kInsert;
  pending.meta.rows = static_cast<std::uint32_t>(std::min<std::uint64_t>(count, UINT32_MAX));
  pending.meta.receipt = accepted.receipt;
  pending.head = head;
  if (!rows.blob) pending.body = rows.json();
  co_await append(tenant.log(), app.sink(exchange), pending);
  CO_TRY(std::move(pending.result));
  if (rows.blob) rows.blob->keep();
  accepted.end = pending.end;
  const std::uint64_t bytes = rows.blob ? pending.meta.blob->length : rows.json().size();
  tenant.count_acknowledged(accepted.table, {.acknowledged = {accepted.summary.rows, bytes},
                                             .to_load = pending.meta.rows,
                                             .end = pending.end});
  co_return accepted;
}

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

Task<Result<std::string>> dry_run(App& app, http::Exchange& exchange, Tenant& tenant,
                                  std::string table, const InsertOptions& options, Rows rows) {
  std::string question = trial_of(table, options, rows, {});
  if (rows.json().size() > kMaxDryRunBytes || question.size() > kMaxQuestion) {
    co_return fail(invalid("a dry run takes at most " + std::to_string(kMaxDryRunBytes >> 20) +
                           " MiB of rows, as JSON; send some of them")
                       .with_status(413)
                       .with_slug("body-too-large"));
  }
  const Result<json::Value> answer = co_await ask(app, exchange, tenant, std::move(question));
  if (!answer) co_return std::unexpected(answer.error());
  add_refused(rows.summary, refused_of(*answer));
  CO_TRY(check_strict(rows.summary, options.strict));
  json::Writer w;
  w.begin_object().member("ok", true);
  write_tables(w, *answer);
  w.member("rows", rows.summary.rows).member("failed", rows.summary.failed);
  write_errors(w, rows.summary);
  co_return w.end_object().take();
}

}  // namespace sd::api
