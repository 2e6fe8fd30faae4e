#include "load/loader.h"

#include "base/ascii.h"
#include "base/log.h"
#include "json/rows.h"

namespace sd::load {
namespace {

using destinations::FailedRow;
using destinations::TableChange;
using json::HorizontalFlattener;
using Splitter = json::RowSplitter<HorizontalFlattener>;

constexpr std::size_t kBlobPiece = 1U << 20;
constexpr std::size_t kMostKept = 512;  // tables whose schema stays in memory between batches

// The bytes of a record's body as a growing window: all at once where they stand in the record, else
// read from the blob piece by piece.
class BodyWindow {
 public:
  static Result<BodyWindow> open(FileSystem& fs, const std::string& directory,
                                 const journal::RecordMeta& meta, std::string_view inline_body) {
    BodyWindow window;
    if (meta.blob) {
      TRY_ASSIGN(window.blob_, journal::BlobReader::open(fs, directory, *meta.blob));
      window.final_ = false;
      TRY(window.more());
    } else {
      window.view_ = inline_body;
    }
    return window;
  }

  std::string_view view() const { return blob_ ? std::string_view(buffer_).substr(start_) : view_; }
  bool final() const { return final_; }
  void consume(std::size_t n) {
    if (blob_)
      start_ += n;
    else
      view_.remove_prefix(n);
  }

  // Reads as much as stands there already, at least a piece: a row that is cut is looked at again only
  // when there is twice as much of it.
  Result<> more() {
    buffer_.erase(0, start_);
    start_ = 0;
    const std::size_t have = buffer_.size();
    buffer_.resize(have + std::max(have, kBlobPiece));
    TRY_ASSIGN(const std::size_t n, blob_->read(std::span(buffer_).subspan(have)));
    final_ = n < buffer_.size() - have;
    buffer_.resize(have + n);
    return {};
  }

 private:
  std::string_view view_;
  std::unique_ptr<journal::BlobReader> blob_;
  std::string buffer_;
  std::size_t start_ = 0;
  bool final_ = true;
};

}  // namespace

// Which rows of a record are loaded: those in [begin, end) that are not refused. The others of the
// record are passed over in a trial, and kept as refused rows in earnest.
struct Loader::Rows {
  std::uint64_t begin = 0;
  std::uint64_t end = UINT64_MAX;
  const std::set<std::uint64_t>* refused = nullptr;
  std::string reason;

  bool in_range(std::uint64_t row) const { return row >= begin && row < end; }
  bool is_refused(std::uint64_t row) const { return refused != nullptr && refused->contains(row); }
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
  batch_rows_ = 0;
  pending_ = state_;
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
  auto& slot = tables_[fold_ascii(name)];
  if (!slot) {
    auto schema = destination_.schema(name);
    if (!schema) {
      tables_.erase(fold_ascii(name));
      return fail(schema.error());
    }
    slot = std::make_unique<Table>();
    slot->schema = std::move(*schema);
  }
  return slot.get();
}

Result<> Loader::take_insert(const journal::RecordView& record, const Rows& rows) {
  TRY_ASSIGN(const InsertRecord insert, decode_insert(record.payload));
  TRY_ASSIGN(Table* const target, table(insert.head.table));
  sources_.push_back(record.meta.receipt);
  return take_body(record, insert, *target, rows);
}

Result<> Loader::take_body(const journal::RecordView& record, const InsertRecord& insert,
                           Table& target, const Rows& rows) {
  target.in_batch = true;
  target.builder.set_source(static_cast<std::uint32_t>(sources_.size() - 1));
  HorizontalFlattener flattener(target.builder);
  Splitter splitter(flattener);
  TRY_ASSIGN(BodyWindow window, BodyWindow::open(fs_, directory_, record.meta, insert.body));
  const auto refuse = [&](std::uint64_t row, std::string code, std::string detail,
                          std::string_view text) {
    target.builder.begin_row();
    failed_.push_back({record.position, row, target.schema.name, record.meta.receipt,
                       record.time_us, std::move(code), std::move(detail), std::string(text)});
    failed_bytes_ += text.size();
    ++pending_.rows_failed;
  };
  for (std::uint64_t row = 0;;) {
    auto step = splitter.next(window.view(), window.final());
    const std::size_t consumed = splitter.consumed();
    switch (step.state) {
      case Splitter::State::kRow:
        if (!rows.in_range(row)) {
          target.builder.begin_row();
        } else if (rows.is_refused(row)) {
          refuse(row, "refused-by-destination", rows.reason, step.text);
        } else {
          target.builder.commit_row(pending_.next_row_id, record.time_us);
          ++pending_.rows_loaded;
        }
        ++batch_rows_;
        ++pending_.next_row_id;
        ++row;
        break;
      case Splitter::State::kRefused:
        refuse(row, step.error.code, step.error.detail, step.text);
        ++pending_.next_row_id;
        ++row;
        break;
      case Splitter::State::kNeedMore:
        window.consume(consumed);
        TRY(window.more());
        continue;
      case Splitter::State::kEnd:
        target.builder.begin_row();
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
  TRY(destination_.write(change, time));
  tables_.erase(fold_ascii(change.table));
  tables_.erase(fold_ascii(change.new_name));
  pending_.position = end;
  at_ = time;
  return commit();
}

Result<> Loader::write_part() {
  destinations::Batch batch;
  batch.at = at_;
  batch.failed = std::move(failed_);
  batch.sources = std::move(sources_);
  std::vector<std::unique_ptr<json::SchemaPlan>> plans;
  std::vector<Table*> written;
  for (auto& [name, table] : tables_) {
    if (!table->in_batch) continue;
    table->in_batch = false;
    if (table->builder.rows() == 0) {
      table->builder.clear();
      continue;
    }
    plans.push_back(
        std::make_unique<json::SchemaPlan>(table->schema, table->builder, options_.max_columns));
    batch.tables.push_back({&table->builder, plans.back().get()});
    written.push_back(table.get());
  }
  TRY(destination_.write(batch));
  for (std::size_t i = 0; i < written.size(); ++i) {
    written[i]->schema = plans[i]->take_after();
    written[i]->builder.clear();
  }
  // The record that is being read goes on under the same receipt.
  const Id128 last = batch.sources.empty() ? Id128{} : batch.sources.back();
  sources_.assign(1, last);
  for (Table* table : written) {
    table->builder.set_source(0);
    table->in_batch = true;
  }
  failed_.clear();
  failed_bytes_ = 0;
  batch_rows_ = 0;
  return {};
}

Result<> Loader::commit() {
  TRY(write_part());
  if (tables_.size() > kMostKept)
    std::erase_if(tables_, [](const auto& entry) { return !entry.second->in_batch; });
  for (auto& [name, table] : tables_) table->in_batch = false;
  sources_.clear();
  TRY(destination_.commit(log_id_, pending_, at_));
  state_ = pending_;
  return {};
}

// Loads the next record alone, without the rows that the destination refuses.
Result<> Loader::isolate_one(journal::Position durable_end) {
  TRY_ASSIGN(const auto record, next_record(durable_end));
  if (!record) return fail(ErrorCode::kInternal, "the destination refuses what is not there");
  if (record->meta.kind == journal::RecordKind::kControl) return take_refused_control(*record);
  const OneRecord one{record->position, record->end, record->meta.rows, record->time_us};
  Rows rows;
  refused_found_ = 0;
  TRY_ASSIGN(std::set<std::uint64_t> refused, find_refused(one, 0, one.rows, rows.reason));
  rows.refused = &refused;
  Result<> loaded = load_one(one, rows);
  if (!loaded && loaded.error().code == ErrorCode::kInvalidArgument) {
    // Rows that go in one by one but not together (a UNIQUE constraint): all of the record's.
    rows.reason = loaded.error().message;
    for (std::uint64_t row = 0; row < one.rows; ++row) refused.insert(row);
    loaded = load_one(one, rows);
  }
  return loaded;
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
  // Halving costs about twice log2(rows) readings of the record for each row refused: worth it for a
  // few bad rows, not where the table takes hardly any.
  constexpr std::size_t kMostSearched = 32;
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
