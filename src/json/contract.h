// What a table's rows may change of it, and how they become rows: set by PUT /api/tables/{table}/contract,
// in the order of the journal, also before the table exists.
//
//                   a new table, column or type:
//   evolve          comes into being
//   freeze          is refused, with its row
//   discard_row     the same, as wished: the reason says so
//   discard_value   is left out of the row (of a new table: the row, as there is nothing else)
//
// The batch that creates a table sets its columns and types, and one that creates a column its type;
// `columns` and `data_type` bind from the next one on. A column that has held nothing but null takes the
// type of its first value whatever `data_type` says.
//
// A value that a column of somebody else's type (ForeignType) does not take is left out where `data_type` is
// discard_value; else its row is refused, under every contract.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "json/document.h"
#include "json/document_flattener.h"
#include "json/schema.h"

namespace sd::json {

enum class Allow : std::uint8_t { kEvolve, kFreeze, kDiscardRow, kDiscardValue };

const char* to_string(Allow allow);

struct Contract {
  Allow tables = Allow::kEvolve;
  Allow columns = Allow::kEvolve;
  Allow data_type = Allow::kEvolve;
  bool timestamps = true;                    // strings that are times become TIMESTAMPTZ
  std::optional<std::uint32_t> max_columns;  // before keys go to __overflow
  std::optional<Flatten> flatten;            // where the request and its key do not say
  std::optional<std::uint32_t> flatten_depth;

  bool checks_rows() const {
    return tables != Allow::kEvolve || columns != Allow::kEvolve || data_type != Allow::kEvolve;
  }
  friend bool operator==(const Contract&, const Contract&) = default;

  // All members, those without a value as null.
  std::string to_json() const;
  // Members that are missing stay as they are. kInvalidArgument names the member that is not understood.
  static Result<Contract> from_json(const Value& value, const Contract& before);
  static Result<Contract> from_json(const Value& value) { return from_json(value, Contract()); }
};

// Holds the rows of one batch of one table against its contract.
class ContractCheck {
 public:
  // `schema` as the batch finds it; stands as long as this.
  ContractCheck(const TableSchema& schema, const Contract& contract)
      : schema_(schema), contract_(contract) {}

  // Looks at the row under construction: takes out values that are to be left out. The error where the
  // row is refused.
  std::optional<RowError> check(TableBuilder& row);
  // Values left out so far.
  std::uint64_t values_left_out() const { return left_out_; }

 private:
  // Index of the schema's column for a place; kNew.
  std::int32_t column_of(const TableBuilder& row, PathTree::Node node);
  std::optional<RowError> refuse(Allow allow, std::string what) const;
  std::optional<RowError> misfit(const SchemaColumn& known) const;
  // The type that the contract binds a column to: none while it has held nothing but null. Rows of this
  // batch count, so that it is the same however rows were cut into batches.
  static std::optional<ColumnType> type_to_keep(const SchemaColumn& known,
                                                const BuilderColumn& column);
  // The type that a column would have with the value that the row under construction brings.
  static ColumnType type_with(const SchemaColumn& known, const TableBuilder& row,
                              std::uint32_t column);

  static constexpr std::int32_t kUnknown = -2;
  static constexpr std::int32_t kNew = -1;
  const TableSchema& schema_;
  const Contract contract_;
  std::vector<std::int32_t> columns_;  // by node
  std::uint64_t left_out_ = 0;
};

}  // namespace sd::json
