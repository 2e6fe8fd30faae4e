#include "destinations/duckdb/nested_writer.h"

#include "base/clock.h"
#include "destinations/duckdb/chunk_writer.h"

namespace sd::destinations::duckdb {
namespace {

using json::BaseType;
using json::Cell;
using json::ColumnType;
using json::RowTree;
using json::ValueKind;

duckdb_type id_of(const ColumnType& type) {
  switch (type.base) {
    case BaseType::kBoolean:
      return DUCKDB_TYPE_BOOLEAN;
    case BaseType::kBigint:
      return DUCKDB_TYPE_BIGINT;
    case BaseType::kHugeint:
      return DUCKDB_TYPE_HUGEINT;
    case BaseType::kDouble:
      return DUCKDB_TYPE_DOUBLE;
    case BaseType::kDecimal:
      return DUCKDB_TYPE_DECIMAL;
    case BaseType::kVarchar:
    case BaseType::kJson:
      return DUCKDB_TYPE_VARCHAR;
    case BaseType::kTimestampTz:
      return DUCKDB_TYPE_TIMESTAMP_TZ;
    case BaseType::kStruct:
      return DUCKDB_TYPE_STRUCT;
    case BaseType::kList:
      return DUCKDB_TYPE_LIST;
    case BaseType::kMap:
      return DUCKDB_TYPE_MAP;
  }
  return DUCKDB_TYPE_INVALID;
}

bool is_null(const RowTree& tree, RowTree::Index value) {
  return value == RowTree::kNone || tree[value].kind == ValueKind::kNull;
}

}  // namespace

bool has_type(duckdb_logical_type type, const ColumnType& wanted) {
  if (duckdb_get_type_id(type) != id_of(wanted)) return false;
  if (wanted.base == BaseType::kDecimal) {
    return duckdb_decimal_width(type) == 38 && duckdb_decimal_scale(type) == wanted.scale;
  }
  if (!wanted.is_nested()) return true;
  const auto child_has = [](duckdb_logical_type raw, const ColumnType& child) {
    const LogicalType owned(raw);
    return has_type(owned.get(), child);
  };
  if (wanted.base == BaseType::kList) {
    return child_has(duckdb_list_type_child_type(type), wanted.children->front().second);
  }
  if (wanted.base == BaseType::kMap) {
    return child_has(duckdb_map_type_key_type(type), wanted.children->front().second) &&
           child_has(duckdb_map_type_value_type(type), wanted.children->back().second);
  }
  if (duckdb_struct_type_child_count(type) != wanted.children->size()) return false;
  for (idx_t i = 0; i < wanted.children->size(); ++i) {
    char* name = duckdb_struct_type_child_name(type, i);
    const bool same = (*wanted.children)[i].first == name;
    duckdb_free(name);
    if (!same || !child_has(duckdb_struct_type_child_type(type, i), (*wanted.children)[i].second)) {
      return false;
    }
  }
  return true;
}

void put_scalar(void* data, idx_t row, const ColumnType& type, const Cell& cell) {
  const auto to_hugeint = [&] {
    const json::Int128 value = json::to_scaled(cell, type.scale);
    duckdb_hugeint out;
    out.lower = static_cast<std::uint64_t>(value);
    out.upper = static_cast<std::int64_t>(value >> 64);
    return out;
  };
  switch (type.base) {
    case BaseType::kBoolean:
      static_cast<bool*>(data)[row] = cell.integer != 0;
      break;
    case BaseType::kBigint:
      static_cast<std::int64_t*>(data)[row] = cell.integer;
      break;
    case BaseType::kTimestampTz:
      static_cast<std::int64_t*>(data)[row] = parse_rfc3339(cell.view()).value_or(0);
      break;
    case BaseType::kHugeint:
    case BaseType::kDecimal:
      static_cast<duckdb_hugeint*>(data)[row] = to_hugeint();
      break;
    case BaseType::kDouble: {
      const bool integer = cell.kind == json::Kind::kInt53 || cell.kind == json::Kind::kInt64;
      static_cast<double*>(data)[row] = integer ? static_cast<double>(cell.integer) : cell.real;
      break;
    }
    default:
      break;
  }
}

void NestedWriter::put(duckdb_vector vector, idx_t row, const ColumnType& type,
                       std::string_view json) {
  tree_.begin_row();
  json::Parser<RowTree> parser(tree_);
  const json::ParseResult parsed = parser.parse(json, 0, true);
  SD_ASSERT(parsed.outcome == json::Outcome::kOk);
  put_value(vector, row, type, RowTree::kRoot);
}

void NestedWriter::put_null(duckdb_vector vector, idx_t row, const ColumnType& type) {
  duckdb_vector_ensure_validity_writable(vector);
  duckdb_validity_set_row_invalid(duckdb_vector_get_validity(vector), row);
  if (type.base == BaseType::kStruct) {
    for (idx_t i = 0; i < type.children->size(); ++i) {
      put_null(duckdb_struct_vector_get_child(vector, i), row, (*type.children)[i].second);
    }
  } else if (type.base == BaseType::kList || type.base == BaseType::kMap) {
    static_cast<duckdb_list_entry*>(duckdb_vector_get_data(vector))[row] = {
        duckdb_list_vector_get_size(vector), 0};
  }
}

void NestedWriter::put_value(duckdb_vector vector, idx_t row, const ColumnType& type,
                             RowTree::Index index) {
  if (is_null(tree_, index)) return put_null(vector, row, type);
  const RowTree::Value& value = tree_[index];
  switch (type.base) {
    case BaseType::kStruct:
      return put_struct(vector, row, type, index);
    case BaseType::kList:
    case BaseType::kMap:
      return put_entries(vector, row, type, index);
    case BaseType::kJson: {
      std::string text;
      if (value.is_container())
        tree_.append_json(index, text);
      else
        json::append_json(text, json::cell_of(value));
      return put_text(vector, row, text);
    }
    case BaseType::kVarchar: {
      std::string text;
      json::append_text(text, json::cell_of(value));
      return put_text(vector, row, text);
    }
    default:
      break;
  }
  put_scalar(duckdb_vector_get_data(vector), row, type, json::cell_of(value));
}

void NestedWriter::put_struct(duckdb_vector vector, idx_t row, const ColumnType& type,
                              RowTree::Index index) {
  // Members mostly come in the order of the fields.
  RowTree::Index next = tree_[index].first;
  for (idx_t i = 0; i < type.children->size(); ++i) {
    const auto& [name, child_type] = (*type.children)[i];
    RowTree::Index member = next;
    if (member == RowTree::kNone || tree_[member].key != name)
      member = tree_.find(index, name);
    else
      next = tree_[member].next;
    put_value(duckdb_struct_vector_get_child(vector, i), row, child_type, member);
  }
}

// A LIST's elements, or a MAP's entries: a LIST of STRUCT(key, value) to DuckDB.
void NestedWriter::put_entries(duckdb_vector vector, idx_t row, const ColumnType& type,
                               RowTree::Index index) {
  idx_t count = 0;
  for (auto i = tree_[index].first; i != RowTree::kNone; i = tree_[i].next) ++count;
  const idx_t offset = duckdb_list_vector_get_size(vector);
  // Grown in powers of two: reserving exactly would copy for every row.
  idx_t capacity = 2048;
  while (capacity < offset + count) capacity *= 2;
  duckdb_list_vector_reserve(vector, capacity);
  duckdb_list_vector_set_size(vector, offset + count);
  static_cast<duckdb_list_entry*>(duckdb_vector_get_data(vector))[row] = {offset, count};
  idx_t at = offset;
  for (auto i = tree_[index].first; i != RowTree::kNone; i = tree_[i].next, ++at) {
    duckdb_vector child = duckdb_list_vector_get_child(vector);
    if (type.base == BaseType::kMap) {
      put_text(duckdb_struct_vector_get_child(child, 0), at, tree_[i].key);
      put_value(duckdb_struct_vector_get_child(child, 1), at, type.children->back().second, i);
    } else {
      put_value(child, at, type.children->front().second, i);
    }
  }
}

void NestedWriter::put_text(duckdb_vector vector, idx_t row, std::string_view text) {
  static_cast<duckdb_string_t*>(duckdb_vector_get_data(vector))[row] =
      make_string({text_.copy(text), text.size()});
}

}  // namespace sd::destinations::duckdb
