// Rows that a destination refuses, found one by one, and failed rows that are tried again; see loader.h.
#include <algorithm>
#include <span>

#include "base/log.h"
#include "json/rows.h"
#include "load/loader_impl.h"

namespace sd::load {
namespace {

// Halving costs about twice log2(rows) readings of the record for each row refused: worth it for a
// few bad rows, not where the table takes hardly any.
constexpr std::size_t kMostSearched = 32;

// What was refused as something else than one object stays refused.
bool is_one_object(std::string_view body, json::RowTree& row) {
  row.begin_row();
  json::Parser<json::RowTree> parser(row);
  const json::ParseResult parsed = parser.parse(body, 0, true);
  return parsed.outcome == json::Outcome::kOk && parsed.defect == json::Defect::kNone &&
         parsed.kind == json::ValueKind::kObject &&
         std::ranges::all_of(body.substr(parsed.end), json::is_space);
}

}  // namespace

using destinations::FailedRow;
using destinations::TableChange;
using json::RowError;
using json::RowTree;

// Loads the next record alone, without the rows that the destination refuses.
Result<> Loader::isolate_one(journal::Position durable_end) {
  TRY_ASSIGN(const auto record, next_record(durable_end));
  if (!record) return fail(ErrorCode::kInternal, "the destination refuses what is not there");
  if (record->meta.kind == journal::RecordKind::kControl) return take_refused_control(*record);
  const OneRecord one{record->position, record->end, record->meta.rows, record->time_us};
  Rows rows;
  TRY_ASSIGN(const InsertRecord insert, decode_insert(record->payload));
  if (insert.head.strict) return load_strict(one);
  refused_found_ = 0;
  TRY_ASSIGN(std::set<std::uint64_t> refused, find_refused(one, 0, one.rows, rows.reason));
  rows.refused = &refused;
  Result<> loaded = load_one(one, rows);
  // Rows that go in one by one but not together (a UNIQUE constraint): of those that contradict each other
  // the first stays.
  while (!loaded && loaded.error().code == ErrorCode::kInvalidArgument) {
    rows.reason = loaded.error().message;
    TRY_ASSIGN(const std::uint64_t first_bad, find_contradiction(one, rows));
    // It is not the rows.
    if (refused.contains(first_bad)) return loaded;
    if (++refused_found_ > kMostSearched) {
      for (std::uint64_t row = first_bad; row < one.rows; ++row) refused.insert(row);
    }
    refused.insert(first_bad);
    loaded = load_one(one, rows);
  }
  return loaded;
}

// The first row that does not go in together with those before it.
Result<std::uint64_t> Loader::find_contradiction(const OneRecord& one, const Rows& rows) {
  std::uint64_t good = 0, bad = one.rows;  // rows from the beginning that go in, and that do not
  while (bad - good > 1) {
    Rows some = rows;
    some.end = good + (bad - good) / 2;
    Result<> tried = read_one(one, some);
    if (tried) tried = write_part();
    forget();
    if (tried)
      good = some.end;
    else if (tried.error().code == ErrorCode::kInvalidArgument)
      bad = some.end;
    else
      return fail(tried.error());
  }
  return bad - 1;
}

// All rows of a record or none: the front has asked before it took them in, but a contract may have been
// set since, and what the destination itself refuses is seen here only.
Result<> Loader::load_strict(const OneRecord& one) {
  Result<> loaded = load_one(one, Rows{});
  if (loaded || loaded.error().code != ErrorCode::kInvalidArgument) return loaded;
  Rows none;
  none.code = "strict";
  none.reason = "a strict request, and the destination refused " + loaded.error().message;
  none.refuses_all = true;
  return load_one(one, none);
}

// Failed rows go through the same door again, a page in a transaction: those that go in now are no longer
// failed rows, the others stay as they are. A crash in between loses and doubles nothing: what has gone
// in is not there to be tried again.
Result<> Loader::retry(const TableChange& change) {
  constexpr std::size_t kPage = 10'000;
  std::uint64_t position = 0;
  std::int64_t row = -1;
  while (true) {
    TRY_ASSIGN(auto page, destination_.failed_rows(change.failed(), position, row, kPage));
    if (page.empty()) return {};
    position = page.back().position;
    row = static_cast<std::int64_t>(page.back().row);
    TRY(retry_halves(page, change.receipt));
  }
}

// Where the destination refuses something of them: each half by itself, down to the rows that it refuses.
Result<> Loader::retry_halves(std::span<FailedRow> rows, const Id128& retry) {
  Result<> loaded = retry_page({rows.begin(), rows.end()}, retry);
  if (loaded || loaded.error().code != ErrorCode::kInvalidArgument) return loaded;
  forget();
  if (rows.size() == 1) return {};
  const std::size_t half = rows.size() / 2;
  TRY(retry_halves(rows.first(half), retry));
  return retry_halves(rows.subspan(half), retry);
}

Result<> Loader::retry_page(std::vector<FailedRow> rows, const Id128& retry) {
  std::vector<FailedRow> loaded;
  for (FailedRow& failed : rows) {
    sources_.push_back(failed.receipt);
    TRY_ASSIGN(Table* const target, join(failed.table));
    journal::RecordView record;
    record.position = failed.position;
    record.time_us = failed.received_at;
    record.meta.receipt = failed.receipt;
    const Source source =
        source_of(record, {failed.flatten, failed.flatten_depth, BodyKind::kJson, {}}, *target);
    RowError error;
    RowTree tree;
    if (!is_one_object(failed.body, tree)) continue;
    TRY_ASSIGN(const bool taken, take_row(tree, source, *target, error));
    if (!taken) continue;
    ++pending_.rows_loaded;
    if (pending_.rows_failed > 0) --pending_.rows_failed;
    loaded.push_back(std::move(failed));
    if (batch_is_full()) TRY(write_part());
  }
  if (loaded.empty()) {
    forget();
    return {};
  }
  // What whoever asked for it is told.
  counts_.push_back({retry, loaded.front().table, loaded.size()});
  TRY(write_part());
  TRY(destination_.remove_failed(loaded));
  return commit();
}

// A change that the destination refuses (something that somebody else made depends on the table) is left
// out: nothing of the journal may stop what comes behind it for ever.
Result<> Loader::take_refused_control(const journal::RecordView& record) {
  const journal::Position end = record.end;
  const Micros time = record.time_us;
  const Result<> taken = take_control(record);
  if (taken || taken.error().code != ErrorCode::kInvalidArgument) return taken;
  log::warn("a change of a table was refused and left out", {{"error", taken.error().message}});
  forget();
  pending_.position = end;
  at_ = time;
  return commit();
}

Result<> Loader::read_one(const OneRecord& one, const Rows& rows) {
  forget();
  TRY_ASSIGN(reader_, journal::Reader::open(fs_, directory_, log_id_, one.position));
  TRY_ASSIGN(const auto record, next_record(one.end));
  if (!record) return fail(ErrorCode::kCorruption, "a record of the journal has gone");
  return take_insert(*record, rows);
}

Result<> Loader::load_one(const OneRecord& one, const Rows& rows) {
  TRY(read_one(one, rows));
  pending_.position = one.end;
  at_ = one.time;
  return commit();
}

// Rows in [begin, end) that fail by themselves, found by halving.
Result<std::set<std::uint64_t>> Loader::find_refused(const OneRecord& one, std::uint64_t begin,
                                                     std::uint64_t end, std::string& reason) {
  if (refused_found_ >= kMostSearched) {
    std::set<std::uint64_t> rest;
    for (std::uint64_t row = begin; row < end; ++row) rest.insert(rest.end(), row);
    return rest;
  }
  Rows rows;
  rows.begin = begin;
  rows.end = end;
  Result<> tried = read_one(one, rows);
  if (tried) tried = write_part();
  forget();
  if (tried) return std::set<std::uint64_t>{};
  if (tried.error().code != ErrorCode::kInvalidArgument) return fail(tried.error());
  if (end - begin <= 1) {
    reason = tried.error().message;
    ++refused_found_;
    return std::set<std::uint64_t>{begin};
  }
  const std::uint64_t middle = begin + (end - begin) / 2;
  TRY_ASSIGN(auto refused, find_refused(one, begin, middle, reason));
  TRY_ASSIGN(const auto right, find_refused(one, middle, end, reason));
  refused.insert(right.begin(), right.end());
  return refused;
}

}  // namespace sd::load
