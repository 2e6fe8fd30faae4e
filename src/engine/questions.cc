#include "engine/questions.h"

#include <map>

#include "base/ascii.h"
#include "base/base64.h"
#include "base/json_text.h"
#include "destinations/duckdb/rows.h"
#include "load/dry_run.h"

namespace sd::engine {
namespace {

using destinations::FailedFilter;
using destinations::duckdb::DuckdbDestination;
using json::Value;
using json::Writer;

constexpr std::size_t kMostFailedBytes = 56U << 20;  // of kMaxFrame
constexpr std::size_t kMaxRefusedShown = 100;        // api.md, Insert

struct Question {
  DuckdbDestination& destination;
  duckdb_connection connection;
  const Value& asked;
  const QuestionContext& context;
  const std::function<bool()>& should_stop;

  std::string text(const char* name) const { return std::string(asked.string_or(name, "")); }
  std::uint64_t number(const char* name) const {
    const Value* value = asked.find(name);
    return value == nullptr ? 0 : value->as_uint().value_or(0);
  }
  FailedFilter filter() const {
    return {.table = text("table"), .receipt = Id128::parse(text("receipt")).value_or(Id128{})};
  }
};

void write_time(Writer& w, const char* name, const std::optional<Micros>& at) {
  if (at)
    w.member(name, format_rfc3339(*at));
  else
    w.null_member(name);
}

void write_counts(Writer& w, const char* name, const std::map<std::string, std::uint64_t>& counts) {
  w.begin_object(name);
  for (const auto& [table, count] : counts) w.member(table, count);
  w.end_object();
}

Result<> tables(const Question& q, Writer& w) {
  TRY_ASSIGN(const auto tables, q.destination.tables(q.connection, q.text("table")));
  w.begin_array("tables");
  for (const destinations::TableInfo& table : tables) {
    w.begin_object().member("name", table.name).member("rows", table.rows);
    if (table.bytes) w.member("bytes", *table.bytes);
    write_time(w, "first_row_at", table.first_row_at);
    write_time(w, "last_row_at", table.last_row_at);
    w.begin_array("columns");
    for (const destinations::ColumnInfo& column : table.columns) {
      w.begin_object().member("name", column.name).member("type", column.type).end_object();
    }
    w.end_array().end_object();
  }
  w.end_array();
  return {};
}

Result<> refused(const Question& q, Writer& w) {
  TRY_ASSIGN(const auto refused,
             q.destination.own().refused(q.connection, q.text("receipt"), kMaxRefusedShown));
  w.member("count", refused.count).begin_array("rows");
  for (const destinations::RefusedRow& row : refused.first) {
    w.begin_object()
        .member("row", row.row)
        .member("code", row.code)
        .member("detail", row.detail)
        .end_object();
  }
  w.end_array();
  return {};
}

Result<> contract(const Question& q, Writer& w) {
  TRY_ASSIGN(const auto contracts, q.destination.own().contracts(q.connection));
  const auto found = contracts.find(fold_ascii(q.text("table")));
  if (found == contracts.end())
    w.null_member("contract");
  else
    w.raw_member("contract", found->second.to_json());
  return {};
}

Result<> history(const Question& q, Writer& w) {
  TRY_ASSIGN(const auto changes, q.destination.own().history(q.connection, q.text("table"),
                                                             q.number("after"), q.number("limit")));
  w.begin_array("changes");
  const auto put = [&](const char* name, const std::string& text) {
    if (text.empty())
      w.null_member(name);
    else
      w.member(name, text);
  };
  for (const auto& change : changes) {
    w.begin_object().member("seq", change.seq).member("at", format_rfc3339(change.at));
    w.member("table", change.table).member("event", change.event);
    put("column", change.column);
    put("from", change.from);
    put("to", change.to);
    put("receipt", change.receipt);
    w.end_object();
  }
  w.end_array();
  return {};
}

std::string failed_row_json(const destinations::FailedRow& row, bool with_body) {
  Writer w;
  w.begin_object().member("position", row.position).member("row", row.row);
  w.member("table", row.table).member("receipt", row.receipt.to_string());
  w.member("received_at", format_rfc3339(row.received_at)).member("code", row.code);
  w.member("detail", row.detail).member("body_bytes", std::uint64_t{row.body.size()});
  if (with_body) {
    w.member("body", row.body);
    if (!is_valid_utf8(row.body)) w.member("body_base64", base64(row.body));
  }
  return w.end_object().take();
}

Result<> failed(const Question& q, Writer& w) {
  const Value* row = q.asked.find("row");
  TRY_ASSIGN(const auto rows,
             q.destination.own().failed_rows(q.connection, q.filter(), q.number("position"),
                                             row == nullptr ? -1 : row->as_int().value_or(-1),
                                             q.number("limit")));
  // A page of large rows is shorter than was asked for.
  bool more = false;
  if (!rows.empty()) {
    const destinations::FailedRow& last = rows.back();
    TRY_ASSIGN(const auto next,
               q.destination.own().failed_rows(q.connection, q.filter(), last.position,
                                               static_cast<std::int64_t>(last.row), 1));
    more = !next.empty();
  }
  // An answer is one frame. What a page cannot hold comes with the next one; a body that none can hold is left out.
  std::size_t bytes = 0;
  w.begin_array("rows");
  for (const destinations::FailedRow& failed : rows) {
    std::string json = failed_row_json(failed, true);
    if (json.size() > kMostFailedBytes) json = failed_row_json(failed, false);
    if (bytes + json.size() > kMostFailedBytes) {
      more = true;
      break;
    }
    bytes += json.size();
    w.raw_element(json);
  }
  w.end_array().member("more", more);
  return {};
}

Result<> failed_count(const Question& q, Writer& w) {
  TRY_ASSIGN(const auto counts, q.destination.own().failed_counts(q.connection, q.filter()));
  std::uint64_t total = 0;
  for (const auto& [table, count] : counts) total += count;
  w.member("total", total);
  write_counts(w, "tables", counts);
  return {};
}

Result<> receipt(const Question& q, Writer& w) {
  TRY_ASSIGN(auto failed, q.destination.own().failed_counts(q.connection, q.filter()));
  // Those that were deleted since are no less failed.
  TRY_ASSIGN(const auto given_up, q.destination.own().given_up(q.connection, q.text("receipt")));
  for (const auto& [table, count] : given_up) failed[table] += count;
  TRY_ASSIGN(const auto loaded,
             q.destination.own().request_tables(q.connection, q.text("receipt")));
  TRY_ASSIGN(const auto at,
             q.destination.own().loaded_at(q.connection, q.context.log_id, q.number("position")));
  std::uint64_t total = 0;
  for (const auto& [table, count] : failed) total += count;
  w.member("failed", total);
  write_counts(w, "failed_tables", failed);
  write_counts(w, "tables", loaded);
  write_time(w, "loaded_at", at);
  return {};
}

// How many rows a retry has loaded.
Result<> retried(const Question& q, Writer& w) {
  TRY_ASSIGN(const auto loaded, q.destination.own().request_tables(q.connection, q.text("retry")));
  std::uint64_t rows = 0;
  for (const auto& [table, count] : loaded) rows += count;
  w.member("rows", rows);
  return {};
}

class Schemas final : public load::SchemaReader {
 public:
  explicit Schemas(const Question& q) : q_(q) {}
  Result<json::TableSchema> schema(const std::string& table) override {
    return q_.destination.own().schema(q_.connection, table);
  }
  Result<std::vector<std::string>> child_tables(const std::string& table) override {
    return q_.destination.own().child_tables(q_.connection, table);
  }
  Result<bool> has_foreign_columns() override {
    return destinations::duckdb::OwnTables::has_foreign_columns(q_.connection);
  }
  Result<std::map<std::string, json::Contract>> contracts() override {
    return q_.destination.own().contracts(q_.connection);
  }
  bool should_stop() override { return q_.should_stop(); }

 private:
  const Question& q_;
};

Result<load::Body> body_of(const Value& asked) {
  const Value* blob = asked.find("blob");
  if (blob == nullptr) return load::Body{.bytes = asked.string_or("body", "")};
  const auto id = Id128::parse(blob->string_or("id", ""));
  const Value* length = blob->find("length");
  if (!id || length == nullptr) return fail(ErrorCode::kInvalidArgument, "a blob that is none");
  return load::Body{
      .bytes = {},
      .blob = journal::BlobRef{.id = *id,
                               .length = length->as_uint().value_or(0),
                               .crc32c = static_cast<std::uint32_t>(blob->int_or("crc32c", 0))}};
}

Result<> dry_run(const Question& q, Writer& w) {
  load::InsertHead head;
  head.table = q.text("table");
  head.flatten = json::parse_flatten(q.asked.string_or("flatten", ""));
  head.flatten_depth = static_cast<std::uint8_t>(q.number("flatten_depth"));
  const std::string kind = q.text("kind");
  if (kind == "csv") head.body = load::BodyKind::kCsv;
  if (kind == "ndjson") head.body = load::BodyKind::kNdjson;
  if (const Value* tables = q.asked.find("tables")) {
    head.tables.emplace();
    for (const Value& table : tables->elements()) head.tables->push_back(table.text());
  }
  TRY_ASSIGN(const load::Body body, body_of(q.asked));
  Schemas schemas(q);
  TRY_ASSIGN(const load::DryRun run,
             load::dry_run(schemas, q.context.log_directory, head, body, q.context.loading));
  w.member("rows", run.rows).member("failed", run.failed).begin_array("tables");
  for (const auto& table : run.tables) {
    w.begin_object().member("name", table.name).member("created", table.created);
    w.begin_array("columns");
    for (const auto& column : table.columns) {
      w.begin_object().member("name", column.name).member("type", column.type);
      w.member("change", column.change);
      if (column.from.empty())
        w.null_member("from");
      else
        w.member("from", column.from);
      w.end_object();
    }
    w.end_array().member("rows", table.rows);
    // A row that is refused is one of the table that it was sent to.
    w.member("failed", same_ascii_folded(table.name, head.table) ? run.failed : 0).end_object();
  }
  w.end_array().begin_array("errors");
  for (const auto& row : run.refused) {
    w.begin_object()
        .member("row", row.row)
        .member("code", row.code)
        .member("detail", row.detail)
        .end_object();
  }
  w.end_array();
  return {};
}

using Answerer = Result<> (*)(const Question&, Writer&);
constexpr std::string_view kTrial = "dry_run";
const std::map<std::string_view, Answerer> kQuestions = {
    {"tables", tables},   {"refused", refused}, {"contract", contract},
    {"history", history}, {"failed", failed},   {"failed_count", failed_count},
    {"receipt", receipt}, {"retried", retried}, {kTrial, dry_run}};

}  // namespace

bool holds_a_transaction(const Value& question) {
  return question.string_or("what", "") != kTrial;
}

Result<std::string> answer_question(DuckdbDestination& destination, duckdb_connection connection,
                                    const Value& question, const QuestionContext& context,
                                    const std::function<bool()>& should_stop) {
  const auto found = kQuestions.find(question.string_or("what", ""));
  if (found == kQuestions.end())
    return fail(ErrorCode::kNotFound, "the engine does not know this question");
  if (holds_a_transaction(question))
    TRY(destinations::duckdb::execute(connection, "BEGIN TRANSACTION READ ONLY"));
  Writer w;
  w.begin_object();
  TRY(found->second({destination, connection, question, context, should_stop}, w));
  return w.end_object().take();
}

}  // namespace sd::engine
