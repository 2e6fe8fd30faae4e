#include "load/loader.h"

#include "base/ascii.h"
#include "base/log.h"
#include "json/csv.h"
#include "json/rows.h"
#include "load/body_window.h"
#include "load/loader_impl.h"

namespace sd::load {
namespace {

using destinations::TableChange;
using json::DocumentFlattener;
using json::HorizontalFlattener;
using json::RowError;
using json::RowTree;

constexpr std::size_t kMostKept = 512;       // tables whose schema stays in memory between batches
constexpr std::size_t kMostRefusing = 1000;  // tables whose refused rows are counted

// A line of CSV that was no row: why, and the line as it was sent.
void name_refused_line(RowError& error, std::string_view& text) {
  auto line = json::refused_line(text);
  if (!line) return;
  error = std::move(line->error);
  text = line->text;
}

std::unexpected<Error> strict_refusal(std::uint64_t row, const RowError& error) {
  return fail(invalid("row " + std::to_string(row) + ": " + error.code + ": " + error.detail)
                  .with_slug(std::string(kRowOfStrict)));
}

}  // namespace

// Rows of a document on their way into the batch.
class Loader::Sink final : public json::RowSink {
 public:
  Sink(Loader& loader, const Source& source) : loader_(loader), source_(source) {}
  Result<json::TableBuilder*> table(const std::string& name) override {
    TRY_ASSIGN(table_, loader_.join(name));
    if (source_.flatten.mode == json::Flatten::kMultitable ||
        source_.flatten.mode == json::Flatten::kVertical) {
      count(table_->schema.name);
    }
    return &table_->builder;
  }
  std::int64_t row_id(const json::TableBuilder& builder) const override {
    return builder.row_id_or(loader_.pending_.next_row_id);
  }
  json::Cell stored(json::TableBuilder&, json::PathTree::Node node, json::Cell cell) override {
    return loader_.stored(*table_, node, cell);
  }
  void settle(json::TableBuilder& builder) override {
    if (table_->check) (void)table_->check->check(builder);
  }
  void commit(json::TableBuilder& builder) override {
    builder.commit_row(loader_.pending_.next_row_id++, source_.time_us);
    ++loader_.batch_rows_;
    if (count_ != SIZE_MAX) ++loader_.counts_[count_].rows;
  }

 private:
  void count(const std::string& table) {
    auto& counts = loader_.counts_;
    for (count_ = counts.size(); count_-- > 0;) {
      if (counts[count_].receipt != source_.receipt) break;
      if (counts[count_].table == table) return;
    }
    count_ = counts.size();
    counts.push_back({source_.receipt, table, 0});
  }

  Loader& loader_;
  const Source& source_;
  Table* table_ = nullptr;
  std::size_t count_ = SIZE_MAX;
};

// Holds the rows of a document against the contracts of their tables, and forgets them again.
class Loader::TrialSink final : public json::RowSink {
 public:
  TrialSink(Loader& loader, const Source& source) : loader_(loader), source_(source) {}
  Result<json::TableBuilder*> table(const std::string& name) override {
    if (!error && !source_.may_go_to(name)) {
      error = RowError{"table-not-allowed",
                       "the API key is limited to tables, and \"" + name + "\" is none of them", 0};
    }
    TRY_ASSIGN(table_, loader_.table(name));
    return &table_->builder;
  }
  std::int64_t row_id(const json::TableBuilder& builder) const override {
    return builder.row_id_or(loader_.pending_.next_row_id);
  }
  json::Cell stored(json::TableBuilder&, json::PathTree::Node node, json::Cell cell) override {
    return loader_.stored(*table_, node, cell);
  }
  void settle(json::TableBuilder& builder) override {
    if (!error && table_->check) error = table_->check->check(builder);
  }
  // A document may widen a column by one of its rows and be refused for the next.
  void commit(json::TableBuilder& builder) override {
    builder.try_row();
    tried_.insert(&builder);
  }
  ~TrialSink() override {
    for (json::TableBuilder* const builder : tried_) builder->end_trial();
  }
  TrialSink(const TrialSink&) = delete;
  TrialSink& operator=(const TrialSink&) = delete;
  std::optional<RowError> error;

 private:
  Loader& loader_;
  const Source& source_;
  Table* table_ = nullptr;
  std::set<json::TableBuilder*> tried_;
};

Loader::Loader(FileSystem& fs, destinations::Destination& destination, std::string log_directory,
               Id128 log_id, LoaderOptions options)
    : fs_(fs),
      destination_(destination),
      directory_(std::move(log_directory)),
      log_id_(log_id),
      options_(options) {}

Loader::~Loader() = default;

Result<> Loader::start(journal::Position durable_end) {
  forget();
  TRY_ASSIGN(state_, destination_.load_state(log_id_));
  pending_ = state_;
  TRY_ASSIGN(contracts_, destination_.contracts());
  if (!has_foreign_) {
    TRY_ASSIGN(has_foreign_, destination_.has_foreign_columns());
  }
  if (state_.position > durable_end) {
    return fail(ErrorCode::kCorruption, "the destination has been loaded up to position " +
                                            std::to_string(state_.position) +
                                            " but its journal ends at " +
                                            std::to_string(durable_end));
  }
  auto reader = journal::Reader::open(fs_, directory_, log_id_, state_.position);
  if (!reader && reader.error().code == ErrorCode::kNotFound) {
    const auto first = journal::first_position(fs_, directory_);
    return fail(ErrorCode::kCorruption, "the destination has been loaded up to position " +
                                            std::to_string(state_.position) +
                                            " but its journal begins at " +
                                            (first ? std::to_string(*first) : "?"));
  }
  if (!reader) return fail(reader.error());
  reader_ = std::move(*reader);
  return {};
}

void Loader::forget() {
  destination_.rollback();
  tables_.clear();
  failed_.clear();
  failed_bytes_ = 0;
  sources_.clear();
  counts_.clear();
  batch_rows_ = 0;
  pending_ = state_;
  pending_refused_.clear();
}

Result<std::optional<journal::RecordView>> Loader::next_record(journal::Position durable_end) {
  if (reader_->position() >= durable_end) return std::optional<journal::RecordView>();
  return reader_->next(durable_end);
}

Result<bool> Loader::load_batch(journal::Position durable_end) {
  auto loaded = fill_and_commit(durable_end);
  if (loaded || loaded.error().code != ErrorCode::kInvalidArgument) return loaded;
  // Something in this batch is refused by the destination. One record at a time from here, until the
  // caller comes back for the next batch.
  TRY(start(durable_end));
  TRY(isolate_one(durable_end));
  return true;
}

Result<destinations::LoadState> Loader::try_insert(const InsertHead& head, const Body& body) {
  TRY_ASSIGN(contracts_, destination_.contracts());
  TRY_ASSIGN(has_foreign_, destination_.has_foreign_columns());
  std::string payload = encode_insert_head(head);
  payload += body.bytes;
  journal::RecordView record;
  record.time_us = system_clock().wall_us();
  record.meta.receipt = Id128::make();
  record.meta.blob = body.blob;
  record.payload = payload;
  TRY(take_insert(record, Rows{}));
  const destinations::LoadState reached = pending_;
  TRY(write_part());
  forget();
  return reached;
}

Result<bool> Loader::fill_and_commit(journal::Position durable_end) {
  bool any = false;
  while (!batch_is_full()) {
    TRY_ASSIGN(const auto record, next_record(durable_end));
    if (!record) break;
    any = true;
    if (record->meta.kind == journal::RecordKind::kControl) {
      TRY(take_control(*record));
      return true;
    }
    TRY(take_insert(*record, Rows{}));
    pending_.position = record->end;
    at_ = record->time_us;
  }
  if (any) TRY(commit());
  return any;
}

bool Loader::batch_is_full() const {
  if (batch_rows_ >= options_.max_batch_rows) return true;
  std::uint64_t bytes = failed_bytes_;
  for (const auto& [name, table] : tables_) bytes += table->in_batch ? table->builder.bytes() : 0;
  return bytes >= options_.max_batch_bytes;
}

Result<Loader::Table*> Loader::table(const std::string& name) {
  const std::string key = fold_ascii(name);
  auto& slot = tables_[key];
  if (!slot) {
    auto schema = destination_.schema(name);
    if (!schema) {
      tables_.erase(key);
      return fail(schema.error());
    }
    slot = std::make_unique<Table>();
    slot->schema = std::move(*schema);
    const auto contract = contracts_.find(key);
    if (contract != contracts_.end()) slot->contract = contract->second;
    slot->builder.set_times(slot->contract.timestamps);
    renew_check(*slot);
    has_foreign_ = has_foreign_ || slot->schema.has_foreign();
  }
  return slot.get();
}

void Loader::renew_check(Table& table) {
  table.check = table.contract.checks_rows() || table.schema.has_foreign()
                    ? std::make_unique<json::ContractCheck>(table.schema, table.contract)
                    : nullptr;
}

Result<Loader::Table*> Loader::join(const std::string& name) {
  TRY_ASSIGN(Table* const joined, table(name));
  joined->in_batch = true;
  joined->builder.set_source(static_cast<std::uint32_t>(sources_.size() - 1));
  return joined;
}

json::Cell Loader::stored(Table& table, json::PathTree::Node node, json::Cell cell) const {
  if (!has_foreign_ || cell.kind == json::Kind::kNull) return cell;
  const auto column = table.schema.find(table.builder.tree().path(node));
  if (!column || !table.schema.columns[*column].foreign) return cell;
  const auto spelled = table.schema.columns[*column].foreign->spell(cell);
  if (!spelled) return {};
  const bool is_text = cell.kind == json::Kind::kString || cell.kind == json::Kind::kTime;
  if (!is_text || *spelled == cell.view()) return cell;
  json::Cell out;
  out.kind = json::Kind::kString;
  out.text = table.builder.arena().copy(*spelled);
  out.size = static_cast<std::uint32_t>(spelled->size());
  return out;
}

auto Loader::source_of(const journal::RecordView& record, const InsertHead& head,
                       const Table& target) const -> Source {
  Source source{.position = record.position,
                .receipt = record.meta.receipt,
                .time_us = record.time_us,
                .asked = head.flatten,
                .asked_depth = head.flatten_depth,
                .body = head.body,
                .strict = head.strict,
                .flatten = {},
                .tables = head.tables};
  source.flatten.mode =
      head.flatten.value_or(target.contract.flatten.value_or(json::Flatten::kHorizontal));
  source.flatten.max_depth =
      head.flatten_depth != 0 ? head.flatten_depth : target.contract.flatten_depth.value_or(0);
  source.flatten.max_rows = options_.max_rows_of_a_row;
  return source;
}

Result<> Loader::take_insert(const journal::RecordView& record, const Rows& rows) {
  TRY_ASSIGN(const InsertRecord insert, decode_insert(record.payload));
  sources_.push_back(record.meta.receipt);
  TRY_ASSIGN(Table* const target, join(insert.head.table));
  const Source source = source_of(record, insert.head, *target);
  if (source.needs_tree()) {
    RowTree tree;
    return walk(record, insert.body, source, tree, *target, rows);
  }
  HorizontalFlattener flattener(target->builder);
  return walk(record, insert.body, source, flattener, *target, rows);
}

void Loader::refuse(const Source& source, std::uint64_t row, const std::string& table,
                    RowError error, std::string_view text) {
  failed_.push_back({source.position, row, table, source.receipt, source.time_us,
                     std::move(error.code), std::move(error.detail), std::string(text),
                     source.asked, source.asked_depth});
  failed_bytes_ += text.size();
  ++pending_.rows_failed;
  ++pending_.next_row_id;
  if (pending_refused_.size() < kMostRefusing || pending_refused_.contains(table))
    ++pending_refused_[table];
}

Result<bool> Loader::take_row(HorizontalFlattener& /*row*/, const Source& source, Table& target,
                              RowError& error) {
  if (target.check) {
    auto refused = target.check->check(target.builder);
    if (refused) {
      error = std::move(*refused);
      target.builder.begin_row();
      return false;
    }
  }
  target.builder.commit_row(pending_.next_row_id, source.time_us);
  ++batch_rows_;
  ++pending_.next_row_id;
  return true;
}

Result<bool> Loader::take_row(RowTree& row, const Source& source, Table& target, RowError& error) {
  const DocumentFlattener flattener(source.flatten, target.schema.name);
  auto too_many = flattener.check(row);
  if (too_many) {
    error = std::move(*too_many);
    return false;
  }
  if (!contracts_.empty() || source.tables || has_foreign_) {
    TrialSink trial(*this, source);
    TRY(flattener.run(row, pending_.next_row_id, trial));
    if (trial.error) {
      error = std::move(*trial.error);
      return false;
    }
  }
  Sink sink(*this, source);
  TRY(flattener.run(row, pending_.next_row_id, sink));
  return true;
}

template <typename Handler>
Result<> Loader::walk(const journal::RecordView& record, std::string_view body,
                      const Source& source, Handler& handler, Table& target, const Rows& rows) {
  using Splitter = json::RowSplitter<Handler>;
  Splitter splitter(handler, framing_of(source.body));
  TRY_ASSIGN(BodyWindow window, BodyWindow::open(fs_, directory_, record.meta, body));
  for (std::uint64_t row = 0;;) {
    auto step = splitter.next(window.view(), window.final());
    const std::size_t consumed = splitter.consumed();
    switch (step.state) {
      case Splitter::State::kRow:
        if (!rows.in_range(row)) {
          handler.begin_row();
          ++pending_.next_row_id;
        } else if (rows.is_refused(row)) {
          handler.begin_row();
          refuse(source, row, target.schema.name, {rows.code, rows.reason, 0}, step.text);
        } else {
          RowError error;
          TRY_ASSIGN(const bool taken, take_row(handler, source, target, error));
          if (taken)
            ++pending_.rows_loaded;
          else if (source.strict)
            return strict_refusal(row, error);
          else
            refuse(source, row, target.schema.name, std::move(error), step.text);
        }
        ++row;
        break;
      case Splitter::State::kRefused:
        handler.begin_row();
        if (source.body == BodyKind::kCsv) name_refused_line(step.error, step.text);
        refuse(source, row, target.schema.name, std::move(step.error), step.text);
        ++row;
        break;
      case Splitter::State::kNeedMore:
        window.consume(consumed);
        TRY(window.more());
        continue;
      case Splitter::State::kEnd:
        handler.begin_row();
        return {};
      case Splitter::State::kSyntax:
        // The front has accepted these very bytes with this very code.
        return fail(ErrorCode::kCorruption, "a record at position " +
                                                std::to_string(record.position) +
                                                " holds a body that was never accepted");
    }
    window.consume(consumed);
    // A body larger than a batch goes to the destination in parts of one transaction.
    if (batch_is_full()) TRY(write_part());
  }
}

Result<> Loader::take_control(const journal::RecordView& record) {
  TRY_ASSIGN(TableChange change, decode_control(record.payload));
  change.receipt = record.meta.receipt;
  const journal::Position end = record.end;
  const Micros time = record.time_us;
  // What came before it is committed first: a change of a table has a transaction of its own.
  if (pending_.position != state_.position) TRY(commit());
  if (change.kind == TableChange::Kind::kRetry) {
    TRY(retry(change));
  } else {
    TRY(destination_.write(change, time));
    tables_.erase(fold_ascii(change.table));
    tables_.erase(fold_ascii(change.new_name));
    TRY_ASSIGN(contracts_, destination_.contracts());
  }
  pending_.position = end;
  at_ = time;
  return commit();
}

Result<> Loader::write_part() {
  TRY(agree_on_ids());
  destinations::Batch batch;
  batch.at = at_;
  batch.failed = std::move(failed_);
  batch.counts = std::move(counts_);
  batch.sources = std::move(sources_);
  std::vector<std::unique_ptr<json::SchemaPlan>> plans;
  std::vector<Table*> written;
  for (auto& [name, table] : tables_) {
    const bool has_rows = table->builder.rows() > 0;
    // Without rows of its own: a child table whose ids widen (agree_on_ids).
    if (!table->in_batch || (!has_rows && table->builder.used().empty())) continue;
    const std::size_t most = table->contract.max_columns.value_or(options_.max_columns);
    plans.push_back(std::make_unique<json::SchemaPlan>(table->schema, table->builder, most));
    batch.tables.push_back({&table->builder, plans.back().get()});
    written.push_back(table.get());
  }
  TRY(destination_.write(batch));
  for (std::size_t i = 0; i < written.size(); ++i) written[i]->schema = plans[i]->take_after();
  // The record that is being read goes on under the same receipt, in all its tables: also in one of which
  // this part had refused rows only.
  const Id128 last = batch.sources.empty() ? Id128{} : batch.sources.back();
  sources_.assign(1, last);
  for (auto& [name, table] : tables_) {
    if (!table->in_batch) continue;
    table->builder.clear();
    table->builder.set_source(0);
    renew_check(*table);  // it looked at the schema before
  }
  failed_.clear();
  failed_bytes_ = 0;
  counts_.clear();
  batch_rows_ = 0;
  return {};
}

Result<> Loader::commit() {
  TRY(write_part());
  if (tables_.size() > kMostKept)
    std::erase_if(tables_, [](const auto& entry) { return !entry.second->in_batch; });
  for (auto& [name, table] : tables_) table->in_batch = false;
  sources_.clear();
  TRY(destination_.commit(log_id_, pending_));
  state_ = pending_;
  for (const auto& [table, rows] : std::exchange(pending_refused_, {})) refused_[table] += rows;
  return {};
}

}  // namespace sd::load
