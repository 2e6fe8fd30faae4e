// What a load brings to a destination: rows by table with what their schema needs, and rows that were
// refused. One transaction holds one or more of them and the position of the log that they reach.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "json/contract.h"
#include "json/schema.h"
#include "json/table_builder.h"

namespace sd::destinations {

// How far a destination is with a log. Read back at start; written with every batch.
struct LoadState {
  std::uint64_t position = 0;     // every record below it is in the destination
  std::int64_t next_row_id = 1;   // for the next row of the log, refused rows counted too
  std::uint64_t rows_loaded = 0;  // since the log began
  std::uint64_t rows_failed = 0;
};

// A row that could not be loaded, kept whole.
struct FailedRow {
  std::uint64_t position = 0;  // of its record
  std::uint64_t row = 0;       // index in its request
  std::string table;
  Id128 receipt;
  Micros received_at = 0;
  std::string code;
  std::string detail;
  std::string body;
  std::optional<json::Flatten> flatten;  // how it was to become rows; nullopt: as the contract says
  std::uint8_t flatten_depth = 0;
};

// Failed rows of a table, of a request, or all.
struct FailedFilter {
  std::string table;  // in any ASCII case; empty: of all
  Id128 receipt;      // zero: of all
};

struct TableBatch {
  const json::TableBuilder* rows = nullptr;
  const json::SchemaPlan* plan = nullptr;
};

// What a request became where that is more than one table.
struct TableCount {
  Id128 receipt;
  std::string table;
  std::uint64_t rows = 0;
};

using RowsByTable = std::map<std::string, std::uint64_t>;

struct Batch {
  Micros at = 0;  // log time of the last record
  std::vector<TableBatch> tables;
  std::vector<FailedRow> failed;
  std::vector<TableCount> counts;
  std::vector<Id128> sources;  // receipts; BuilderColumn::cause is an index into them
};

// A change to tables in log order, applied in a transaction of its own with its position.
struct TableChange {
  // kRetry and kForget are of failed rows; the loader carries out kRetry.
  enum class Kind : std::uint8_t { kDrop, kRename, kContract, kRetry, kForget };
  Kind kind = Kind::kDrop;
  std::string table;
  std::string new_name;     // kRename
  json::Contract contract;  // kContract
  Id128 of_receipt;         // kRetry, kForget: as in FailedFilter
  Id128 receipt;            // of the change itself

  FailedFilter failed() const { return {.table = table, .receipt = of_receipt}; }
};

}  // namespace sd::destinations
