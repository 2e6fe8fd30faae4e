#include "json/contract.h"

#include <array>

#include "base/json_text.h"

namespace sd::json {
namespace {

constexpr std::array<const char*, 4> kAllows = {"evolve", "freeze", "discard_row", "discard_value"};
// More would make a catalog that DuckDB takes seconds to change.
constexpr std::uint64_t kMostColumns = 100'000;

Error unknown(const std::string& member, const char* wanted) {
  return invalid("the member \"" + member + "\" must be " + wanted)
      .with_slug("invalid-contract")
      .with_member("member", json_string(member));
}

Result<Allow> read_allow(const std::string& member, const Value& value) {
  for (std::size_t i = 0; i < kAllows.size(); ++i) {
    if (value.is_string() && value.text() == kAllows[i]) return static_cast<Allow>(i);
  }
  return fail(unknown(member, "evolve, freeze, discard_row or discard_value"));
}

Result<std::uint32_t> read_number(const std::string& member, const Value& value,
                                  std::uint64_t most) {
  const auto number = value.as_uint();
  if (!number || *number < 1 || *number > most) {
    return fail(unknown(member, ("a number from 1 to " + std::to_string(most)).c_str()));
  }
  return static_cast<std::uint32_t>(*number);
}

Result<> read_member(const std::string& name, const Value& value, Contract& out) {
  if (name == "tables") {
    TRY_ASSIGN(out.tables, read_allow(name, value));
  } else if (name == "columns") {
    TRY_ASSIGN(out.columns, read_allow(name, value));
  } else if (name == "data_type") {
    TRY_ASSIGN(out.data_type, read_allow(name, value));
  } else if (name == "timestamps") {
    if (!value.as_bool()) return fail(unknown(name, "true or false"));
    out.timestamps = *value.as_bool();
  } else if (name == "max_columns") {
    out.max_columns.reset();
    if (value.is_null()) return {};
    TRY_ASSIGN(out.max_columns, read_number(name, value, kMostColumns));
  } else if (name == "flatten") {
    out.flatten = value.is_string() ? parse_flatten(value.text()) : std::nullopt;
    if (!out.flatten && !value.is_null()) {
      return fail(unknown(name, "horizontal, vertical, multitable or none"));
    }
  } else if (name == "flatten_depth") {
    out.flatten_depth.reset();
    if (value.is_null()) return {};
    TRY_ASSIGN(out.flatten_depth, read_number(name, value, kMaxDepth));
  } else {
    return fail(invalid("a contract has no member \"" + name + "\"").with_slug("invalid-contract"));
  }
  return {};
}

}  // namespace

const char* to_string(Allow allow) {
  return kAllows[static_cast<std::size_t>(allow)];
}

std::string Contract::to_json() const {
  Writer w;
  w.begin_object().member("tables", to_string(tables)).member("columns", to_string(columns));
  w.member("data_type", to_string(data_type)).member("timestamps", timestamps);
  const auto number = [&](const char* name, const std::optional<std::uint32_t>& value) {
    if (value)
      w.member(name, static_cast<std::uint64_t>(*value));
    else
      w.null_member(name);
  };
  number("max_columns", max_columns);
  if (flatten)
    w.member("flatten", json::to_string(*flatten));
  else
    w.null_member("flatten");
  number("flatten_depth", flatten_depth);
  return w.end_object().take();
}

Result<Contract> Contract::from_json(const Value& value, const Contract& before) {
  if (!value.is_object())
    return fail(invalid("a contract is a JSON object").with_slug("invalid-contract"));
  Contract out = before;
  for (const auto& [name, member] : value.members()) TRY(read_member(name, member, out));
  return out;
}

std::int32_t ContractCheck::column_of(const TableBuilder& row, PathTree::Node node) {
  const auto at = static_cast<std::size_t>(node);
  if (at >= columns_.size()) columns_.resize(row.tree().size(), kUnknown);
  std::int32_t& column = columns_[at];
  if (column == kUnknown) {
    const auto found = schema_.find(row.tree().path(node));
    column = found ? static_cast<std::int32_t>(*found) : kNew;
  }
  return column;
}

std::optional<RowError> ContractCheck::refuse(Allow allow, std::string what) const {
  RowError error{.code = {}, .detail = {}, .offset = 0};
  error.code = allow == Allow::kDiscardRow ? "contract-discard-row" : "contract-freeze";
  error.detail = std::move(what);
  return error;
}

std::optional<ColumnType> ContractCheck::type_to_keep(const SchemaColumn& known,
                                                      const BuilderColumn& column) {
  if (known.state.has_values()) return known.type;
  if (!column.state.has_values()) return std::nullopt;
  return column_type(column.state, column.shape.get());
}

ColumnType ContractCheck::type_with(const SchemaColumn& known, const TableBuilder& row,
                                    std::uint32_t index) {
  const BuilderColumn& column = row.columns()[index];
  TypeState state = known.state;
  state.join(column.state);
  state.add(column.cells.back());
  std::optional<Shape> shape;
  const Shape* const known_shape = known.shape.get();
  const Shape* const of_batch = column.shape.get();
  for (const Shape* each : {known_shape, of_batch, row.new_shape(index)}) {
    if (each == nullptr) continue;
    if (shape)
      shape->join(*each);
    else
      shape = *each;
  }
  return column_type(state, shape ? &*shape : nullptr);
}

std::optional<RowError> ContractCheck::misfit(const SchemaColumn& known) const {
  return RowError{.code = "column-type",
                  .detail = "the column \"" + known.name + "\" is " + known.type_name() +
                            ", and the value cannot be stored in it without a loss",
                  .offset = 0};
}

std::optional<RowError> ContractCheck::check(TableBuilder& row) {
  if (!schema_.exists) {
    if (contract_.tables == Allow::kEvolve) return std::nullopt;
    const bool discards = contract_.tables != Allow::kFreeze;
    return refuse(discards ? Allow::kDiscardRow : Allow::kFreeze,
                  "the contract allows no new table \"" + schema_.name + "\"");
  }
  for (std::size_t i = 0; i < row.touched().size(); ++i) {
    const TableBuilder::Touched touched = row.touched()[i];
    const BuilderColumn& column = row.columns()[touched.column];
    const std::int32_t index = column_of(row, column.node);
    Allow allow = Allow::kEvolve;
    std::string what;
    if (index == kNew) {
      allow = contract_.columns;
      if (allow != Allow::kEvolve && !touched.has_cell) {
        row.forget(i);  // a null of a column that may not be made says nothing
        continue;
      }
      if (allow != Allow::kEvolve)
        what = "the contract allows no new column \"" + row.tree().name(column.node) + "\"";
    } else if (const auto& known = schema_.columns[static_cast<std::size_t>(index)];
               touched.has_cell && known.foreign) {
      if (known.foreign->spell(column.cells.back())) continue;
      if (contract_.data_type != Allow::kDiscardValue) return misfit(known);
      allow = Allow::kDiscardValue;
    } else if (touched.has_cell && contract_.data_type != Allow::kEvolve) {
      const auto type = type_to_keep(known, column);
      if (type && *type != type_with(known, row, touched.column)) {
        allow = contract_.data_type;
        what = "the column \"" + known.name + "\" is " + to_string(*type) +
               " and the contract allows no wider type";
      }
    }
    if (allow == Allow::kEvolve) continue;
    if (allow != Allow::kDiscardValue) return refuse(allow, std::move(what));
    row.forget(i);
    ++left_out_;
  }
  return std::nullopt;
}

}  // namespace sd::json
