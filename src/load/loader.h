// The loader: journal → batches → destination, exactly once.
//
// A batch is as many records as the limits allow; its rows, what their schema needs, the rows that were
// refused and the position behind the last record go in with one transaction. A record larger than the
// limits (a blob) is written in several parts of the same transaction, so that memory stays bounded and
// its rows still appear together. After any error everything in memory is dropped and read back: the
// position in the destination decides.
//
// A row that the destination itself refuses (a constraint of a table that somebody else made) is found by
// loading its record in halves, and goes to the refused rows; the rows around it are loaded. Where a
// record has more than a few such rows, the rest of it is refused without a search. Of a strict record
// (load/record.h) one refused row refuses all.
//
// One thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "destinations/destination.h"
#include "journal/reader.h"
#include "json/flatten.h"
#include "load/record.h"

namespace sd::load {

struct LoaderOptions {
  std::uint64_t max_batch_rows = 122'880;  // a DuckDB row group: checkpoints then cost little
  std::uint64_t max_batch_bytes = 48ULL << 20;
  std::size_t max_columns = json::kDefaultMaxColumns;
  std::uint64_t max_rows_of_a_row = 10'000;  // that flattening may make
};

class Loader {
 public:
  Loader(FileSystem& fs, destinations::Destination& destination, std::string log_directory,
         Id128 log_id, LoaderOptions options);
  ~Loader();

  // Reads the destination's position. kCorruption where it and the log contradict each other.
  Result<> start(journal::Position durable_end);

  // Loads one batch from what is durable; false when there was nothing to load. After an error the
  // loader has to be started again.
  Result<bool> load_batch(journal::Position durable_end);

  // Takes an insert as if it stood in the log, and hands it to the destination without a commit.
  Result<destinations::LoadState> try_insert(const InsertHead& head, const Body& body);

  const destinations::LoadState& state() const { return state_; }
  // Rows that were refused since this was asked last, of as many tables as anybody counts.
  destinations::RowsByTable take_refused() { return std::exchange(refused_, {}); }
  // Log time of the last record loaded; 0 before the first.
  Micros loaded_at() const { return at_; }

 private:
  struct Table {
    json::TableSchema schema;
    json::TableBuilder builder;
    json::Contract contract;
    std::unique_ptr<json::ContractCheck> check;  // where the contract has anything to say
    bool in_batch = false;
  };
  struct Rows;    // of one record that are to be loaded
  struct Source;  // what a row comes from
  class Sink;
  class TrialSink;

  Result<bool> fill_and_commit(journal::Position durable_end);
  Result<> take_insert(const journal::RecordView& record, const Rows& rows);
  template <typename Handler>
  Result<> walk(const journal::RecordView& record, std::string_view body, const Source& source,
                Handler& handler, Table& target, const Rows& rows);
  // The row that the handler has seen: false where it is refused, and why.
  Result<bool> take_row(json::HorizontalFlattener& row, const Source& source, Table& target,
                        json::RowError& error);
  Result<bool> take_row(json::RowTree& row, const Source& source, Table& target,
                        json::RowError& error);
  void refuse(const Source& source, std::uint64_t row, const std::string& table,
              json::RowError error, std::string_view text);
  Source source_of(const journal::RecordView& record, const InsertHead& head,
                   const Table& target) const;
  Result<> take_control(const journal::RecordView& record);
  Result<Table*> table(const std::string& name);
  static void renew_check(Table& table);
  // Has the table take part in the batch, for rows of the latest source.
  Result<Table*> join(const std::string& name);
  Result<> retry(const destinations::TableChange& change);
  json::Cell stored(Table& table, json::PathTree::Node node, json::Cell cell) const;
  Result<> retry_halves(std::span<destinations::FailedRow> rows, const Id128& retry);
  Result<> retry_page(std::vector<destinations::FailedRow> rows, const Id128& retry);
  // A column <parent>_id of a child table has the type of the parent's id (child_tables.cc).
  Result<> agree_on_ids();
  Result<> pass_on_ids(const std::string& parent, const json::TypeState& ids, std::uint32_t cause);
  Result<> widen_ids(Table& child, const std::string& column, const json::TypeState& ids,
                     std::uint32_t cause);
  bool batch_is_full() const;
  // Hands the rows gathered so far to the destination, in the open transaction.
  Result<> write_part();
  Result<> commit();
  void forget();

  // A record that is read more than once.
  struct OneRecord {
    journal::Position position = 0;
    journal::Position end = 0;
    std::uint64_t rows = 0;
    Micros time = 0;
  };
  Result<> isolate_one(journal::Position durable_end);
  Result<> take_refused_control(const journal::RecordView& record);
  Result<> read_one(const OneRecord& one, const Rows& rows);
  Result<> load_one(const OneRecord& one, const Rows& rows);
  Result<> load_strict(const OneRecord& one);
  Result<std::set<std::uint64_t>> find_refused(const OneRecord& one, std::uint64_t begin,
                                               std::uint64_t end, std::string& reason);
  Result<std::uint64_t> find_contradiction(const OneRecord& one, const Rows& rows);
  Result<std::optional<journal::RecordView>> next_record(journal::Position durable_end);

  FileSystem& fs_;
  destinations::Destination& destination_;
  const std::string directory_;
  const Id128 log_id_;
  const LoaderOptions options_;

  std::unique_ptr<journal::Reader> reader_;
  destinations::LoadState state_;                        // committed
  destinations::LoadState pending_;                      // once the open batch is committed
  destinations::RowsByTable refused_, pending_refused_;  // in the same way
  Micros at_ = 0;
  std::map<std::string, std::unique_ptr<Table>> tables_;  // by folded name
  bool has_foreign_ = false;  // one of them has columns of types that are not ours
  std::uint64_t batch_rows_ = 0;
  std::vector<destinations::FailedRow> failed_;
  std::size_t failed_bytes_ = 0;
  std::vector<Id128> sources_;
  std::vector<destinations::TableCount> counts_;
  std::map<std::string, json::Contract> contracts_;  // by folded name
  std::size_t refused_found_ = 0;                    // while a record is being isolated
};

}  // namespace sd::load
