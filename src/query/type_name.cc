#include "query/type_name.h"

#include "destinations/duckdb/handles.h"

namespace sd::query {
namespace {

using destinations::duckdb::quote_identifier;
using destinations::duckdb::quote_literal;

std::string enum_name(const ValueType& type) {
  std::string out = "ENUM(";
  for (std::size_t i = 0; i < type.labels.size(); ++i) {
    if (i != 0) out += ", ";
    out += quote_literal(type.labels[i]);
  }
  return out + ")";
}

std::string members_name(const char* word, const ValueType& type) {
  std::string out = word;
  out += '(';
  for (std::size_t i = 0; i < type.children.size(); ++i) {
    if (i != 0) out += ", ";
    if (!type.labels[i].empty()) out += quote_identifier(type.labels[i]) + " ";
    out += type_name(type.children[i]);
  }
  return out + ")";
}

const char* plain_name(ValueKind kind) {
  switch (kind) {
    case ValueKind::kBoolean:
      return "BOOLEAN";
    case ValueKind::kTinyint:
      return "TINYINT";
    case ValueKind::kSmallint:
      return "SMALLINT";
    case ValueKind::kInteger:
      return "INTEGER";
    case ValueKind::kBigint:
      return "BIGINT";
    case ValueKind::kUtinyint:
      return "UTINYINT";
    case ValueKind::kUsmallint:
      return "USMALLINT";
    case ValueKind::kUinteger:
      return "UINTEGER";
    case ValueKind::kUbigint:
      return "UBIGINT";
    case ValueKind::kHugeint:
      return "HUGEINT";
    case ValueKind::kUhugeint:
      return "UHUGEINT";
    case ValueKind::kFloat:
      return "FLOAT";
    case ValueKind::kDouble:
      return "DOUBLE";
    case ValueKind::kVarchar:
      return "VARCHAR";
    case ValueKind::kJson:
      return "JSON";
    case ValueKind::kBlob:
      return "BLOB";
    case ValueKind::kBit:
      return "BIT";
    case ValueKind::kBignum:
      return "BIGNUM";
    case ValueKind::kUuid:
      return "UUID";
    case ValueKind::kDate:
      return "DATE";
    case ValueKind::kTime:
      return "TIME";
    case ValueKind::kTimeNs:
      return "TIME_NS";
    case ValueKind::kTimeTz:
      return "TIME WITH TIME ZONE";
    case ValueKind::kTimestamp:
      return "TIMESTAMP";
    case ValueKind::kTimestampS:
      return "TIMESTAMP_S";
    case ValueKind::kTimestampMs:
      return "TIMESTAMP_MS";
    case ValueKind::kTimestampNs:
      return "TIMESTAMP_NS";
    case ValueKind::kTimestampTz:
      return "TIMESTAMP WITH TIME ZONE";
    case ValueKind::kInterval:
      return "INTERVAL";
    case ValueKind::kGeometry:
      return "GEOMETRY";
    case ValueKind::kVariant:
      return "VARIANT";
    default:
      return "NULL";
  }
}

}  // namespace

std::string type_name(const ValueType& type) {
  switch (type.kind) {
    case ValueKind::kDecimal16:
    case ValueKind::kDecimal32:
    case ValueKind::kDecimal64:
    case ValueKind::kDecimal128:
      return "DECIMAL(" + std::to_string(type.width) + "," + std::to_string(type.scale) + ")";
    case ValueKind::kEnum8:
    case ValueKind::kEnum16:
    case ValueKind::kEnum32:
      return enum_name(type);
    case ValueKind::kList:
      return type_name(type.children[0]) + "[]";
    case ValueKind::kArray:
      return type_name(type.children[0]) + "[" + std::to_string(type.array_size) + "]";
    case ValueKind::kStruct:
      return members_name("STRUCT", type);
    case ValueKind::kUnion:
      return members_name("UNION", type);
    case ValueKind::kMap:
      return "MAP(" + type_name(type.children[0]) + ", " + type_name(type.children[1]) + ")";
    default:
      return plain_name(type.kind);
  }
}

bool is_number(ValueKind kind) {
  return (kind >= ValueKind::kTinyint && kind <= ValueKind::kDecimal128) ||
         kind == ValueKind::kBignum;
}

}  // namespace sd::query
