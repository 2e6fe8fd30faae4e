#include "query/parquet_type.h"

#include <algorithm>

#include "destinations/duckdb/handles.h"
#include "query/type_name.h"

namespace sd::query {
namespace {

using destinations::duckdb::quote_identifier;

bool is_exact(const ValueType& type) {
  switch (type.kind) {
    case ValueKind::kHugeint:
    case ValueKind::kUhugeint:
    case ValueKind::kTimeTz:
    case ValueKind::kInterval:
    case ValueKind::kUnion:
    case ValueKind::kVariant:
      return false;
    case ValueKind::kStruct:
      if (std::ranges::any_of(type.labels, &std::string::empty)) return false;
      [[fallthrough]];
    default:
      return std::ranges::all_of(type.children, is_exact);
  }
}

// The type with what cannot be held replaced, wherever it stands.
ValueType held(const ValueType& type) {
  ValueType out = type;
  switch (type.kind) {
    case ValueKind::kHugeint:
    case ValueKind::kUhugeint:
      out.kind = ValueKind::kDecimal128;
      out.width = 38;
      out.scale = 0;
      return out;
    case ValueKind::kTimeTz:
    case ValueKind::kInterval:
      out.kind = ValueKind::kVarchar;
      return out;
    case ValueKind::kUnion:
    case ValueKind::kVariant:
      return {.kind = ValueKind::kJson};
    default:
      std::ranges::transform(type.children, out.children.begin(), held);
      // SQL can say no type of a STRUCT without names, and a cast goes by position: the names that Arrow has too
      // (arrow_type.cc). DuckDB's own would be an empty one, "_1" ….
      if (type.kind == ValueKind::kStruct) {
        for (std::size_t i = 0; i < out.labels.size(); ++i) {
          if (out.labels[i].empty()) out.labels[i] = std::to_string(i + 1);
        }
      }
      return out;
  }
}

}  // namespace

std::optional<std::string> parquet_type(const ValueType& type) {
  if (is_exact(type)) return std::nullopt;
  return type_name(held(type));
}

std::optional<std::string> cast_for_parquet(const std::string& sql, const ResultShape& shape,
                                            bool names_too) {
  bool any = names_too;
  std::string list;
  std::string names;
  for (std::size_t i = 0; i < shape.columns().size(); ++i) {
    const ResultColumn& column = shape.columns()[i];
    // Positions: names may repeat in the statement.
    const std::string place = "c" + std::to_string(i);
    const std::optional<std::string> type = parquet_type(column.type);
    any = any || type;
    list += i == 0 ? "" : ", ";
    names += (i == 0 ? "" : ", ") + place;
    list += type ? "CAST(" + place + " AS " + *type + ")" : place;
    list += " AS " + quote_identifier(column.name);
  }
  if (!any) return std::nullopt;
  return "SELECT " + list + " FROM (" + sql + "\n) AS result(" + names + ")";
}

}  // namespace sd::query
