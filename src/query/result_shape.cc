#include "query/result_shape.h"

#include <optional>
#include <string_view>
#include <unordered_set>

#include "base/json_text.h"
#include "destinations/duckdb/handles.h"
#include "query/declared_sql.h"

namespace sd::query {
namespace {

using destinations::duckdb::LogicalType;

// In the library since 1.5; the 1.4.4 header ends before them. test_all_types() in the tests has
// both.
constexpr int kGeometryType = 40;
constexpr int kVariantType = 41;

std::string take(char* text) {
  std::string result = text == nullptr ? "" : text;
  duckdb_free(text);
  return result;
}

std::optional<ValueKind> scalar_kind(int id) {
  switch (id) {
    case DUCKDB_TYPE_SQLNULL:
      return ValueKind::kNull;
    case DUCKDB_TYPE_BOOLEAN:
      return ValueKind::kBoolean;
    case DUCKDB_TYPE_TINYINT:
      return ValueKind::kTinyint;
    case DUCKDB_TYPE_SMALLINT:
      return ValueKind::kSmallint;
    case DUCKDB_TYPE_INTEGER:
      return ValueKind::kInteger;
    case DUCKDB_TYPE_BIGINT:
      return ValueKind::kBigint;
    case DUCKDB_TYPE_UTINYINT:
      return ValueKind::kUtinyint;
    case DUCKDB_TYPE_USMALLINT:
      return ValueKind::kUsmallint;
    case DUCKDB_TYPE_UINTEGER:
      return ValueKind::kUinteger;
    case DUCKDB_TYPE_UBIGINT:
      return ValueKind::kUbigint;
    case DUCKDB_TYPE_HUGEINT:
      return ValueKind::kHugeint;
    case DUCKDB_TYPE_UHUGEINT:
      return ValueKind::kUhugeint;
    case DUCKDB_TYPE_FLOAT:
      return ValueKind::kFloat;
    case DUCKDB_TYPE_DOUBLE:
      return ValueKind::kDouble;
    case DUCKDB_TYPE_BLOB:
      return ValueKind::kBlob;
    case DUCKDB_TYPE_BIT:
      return ValueKind::kBit;
    case DUCKDB_TYPE_BIGNUM:
      return ValueKind::kBignum;
    case DUCKDB_TYPE_UUID:
      return ValueKind::kUuid;
    case DUCKDB_TYPE_DATE:
      return ValueKind::kDate;
    case DUCKDB_TYPE_TIME:
      return ValueKind::kTime;
    case DUCKDB_TYPE_TIME_NS:
      return ValueKind::kTimeNs;
    case DUCKDB_TYPE_TIME_TZ:
      return ValueKind::kTimeTz;
    case DUCKDB_TYPE_TIMESTAMP:
      return ValueKind::kTimestamp;
    case DUCKDB_TYPE_TIMESTAMP_S:
      return ValueKind::kTimestampS;
    case DUCKDB_TYPE_TIMESTAMP_MS:
      return ValueKind::kTimestampMs;
    case DUCKDB_TYPE_TIMESTAMP_NS:
      return ValueKind::kTimestampNs;
    case DUCKDB_TYPE_TIMESTAMP_TZ:
      return ValueKind::kTimestampTz;
    case DUCKDB_TYPE_INTERVAL:
      return ValueKind::kInterval;
    case kGeometryType:
      return ValueKind::kGeometry;
    case kVariantType:
      return ValueKind::kVariant;
    default:
      return std::nullopt;
  }
}

ValueKind decimal_kind(duckdb_type internal) {
  switch (internal) {
    case DUCKDB_TYPE_SMALLINT:
      return ValueKind::kDecimal16;
    case DUCKDB_TYPE_INTEGER:
      return ValueKind::kDecimal32;
    case DUCKDB_TYPE_BIGINT:
      return ValueKind::kDecimal64;
    default:
      return ValueKind::kDecimal128;
  }
}

ValueKind enum_kind(duckdb_type internal) {
  switch (internal) {
    case DUCKDB_TYPE_UTINYINT:
      return ValueKind::kEnum8;
    case DUCKDB_TYPE_USMALLINT:
      return ValueKind::kEnum16;
    default:
      return ValueKind::kEnum32;
  }
}

std::optional<ValueType> resolve(duckdb_logical_type logical);

bool add_child(ValueType& type, LogicalType child) {
  std::optional<ValueType> resolved = resolve(child.get());
  if (!resolved) return false;
  type.children.push_back(std::move(*resolved));
  return true;
}

std::optional<ValueType> resolve(duckdb_logical_type logical) {
  ValueType type;
  bool ok = true;
  const int id = duckdb_get_type_id(logical);
  switch (id) {
    case DUCKDB_TYPE_VARCHAR:
      type.kind = take(duckdb_logical_type_get_alias(logical)) == "JSON" ? ValueKind::kJson
                                                                         : ValueKind::kVarchar;
      break;
    case DUCKDB_TYPE_DECIMAL:
      type.kind = decimal_kind(duckdb_decimal_internal_type(logical));
      type.width = duckdb_decimal_width(logical);
      type.scale = duckdb_decimal_scale(logical);
      break;
    case DUCKDB_TYPE_ENUM:
      type.kind = enum_kind(duckdb_enum_internal_type(logical));
      for (idx_t i = 0; i < duckdb_enum_dictionary_size(logical); ++i) {
        type.labels.push_back(take(duckdb_enum_dictionary_value(logical, i)));
      }
      break;
    case DUCKDB_TYPE_LIST:
      type.kind = ValueKind::kList;
      ok = add_child(type, LogicalType(duckdb_list_type_child_type(logical)));
      break;
    case DUCKDB_TYPE_ARRAY:
      type.kind = ValueKind::kArray;
      type.array_size = duckdb_array_type_array_size(logical);
      ok = add_child(type, LogicalType(duckdb_array_type_child_type(logical)));
      break;
    case DUCKDB_TYPE_MAP:
      type.kind = ValueKind::kMap;
      ok = add_child(type, LogicalType(duckdb_map_type_key_type(logical))) &&
           add_child(type, LogicalType(duckdb_map_type_value_type(logical)));
      break;
    case DUCKDB_TYPE_STRUCT:
      type.kind = ValueKind::kStruct;
      for (idx_t i = 0; ok && i < duckdb_struct_type_child_count(logical); ++i) {
        type.labels.push_back(take(duckdb_struct_type_child_name(logical, i)));
        ok = add_child(type, LogicalType(duckdb_struct_type_child_type(logical, i)));
      }
      break;
    case DUCKDB_TYPE_UNION:
      type.kind = ValueKind::kUnion;
      for (idx_t i = 0; ok && i < duckdb_union_type_member_count(logical); ++i) {
        type.labels.push_back(take(duckdb_union_type_member_name(logical, i)));
        ok = add_child(type, LogicalType(duckdb_union_type_member_type(logical, i)));
      }
      break;
    default: {
      const std::optional<ValueKind> kind = scalar_kind(id);
      if (!kind) return std::nullopt;
      type.kind = *kind;
    }
  }
  if (!ok) return std::nullopt;
  return type;
}

// Every name that stands in the result as it is keeps it; only repetitions look for another.
void make_unique(std::vector<ResultColumn>& columns) {
  std::unordered_set<std::string> original;
  for (const ResultColumn& column : columns) original.insert(column.name);
  std::unordered_set<std::string> used;
  for (ResultColumn& column : columns) {
    if (used.insert(column.name).second) continue;
    std::string candidate;
    for (std::size_t n = 1;; ++n) {
      candidate = column.name + "_" + std::to_string(n);
      if (!original.contains(candidate) && !used.contains(candidate)) break;
    }
    used.insert(candidate);
    column.name = std::move(candidate);
  }
}

}  // namespace

Result<ResultShape> ResultShape::from(duckdb_result& result, bool has_casts) {
  ResultShape shape;
  const idx_t count = duckdb_column_count(&result);
  for (idx_t i = 0; i < count; ++i) {
    const char* name = duckdb_column_name(&result, i);
    const LogicalType logical(duckdb_column_logical_type(&result, i));
    std::optional<ValueType> type = resolve(logical.get());
    if (!type) {
      return fail(invalid("column " + json_string(name == nullptr ? "" : name) +
                          " has a type that cannot be sent: cast it, for example to VARCHAR"));
    }
    std::string text = name == nullptr ? "" : name;
    if (has_casts) text = without_casts(text);
    shape.columns_.push_back({std::move(text), std::move(*type)});
  }
  make_unique(shape.columns_);
  return shape;
}

}  // namespace sd::query
