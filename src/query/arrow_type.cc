#include "query/arrow_type.h"

#include "arrow_ipc_generated.h"

namespace sd::query {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;

struct Type {
  ipc::Type id;
  Offset<void> table;
};

class SchemaWriter {
 public:
  explicit SchemaWriter(FlatBufferBuilder& builder) : b_(builder) {}

  Offset<ipc::Field> field(const std::string& name, const ValueType& type, bool nullable = true) {
    const std::vector<Offset<ipc::Field>> children = children_of(type);
    const Type arrow = type_of(type);
    return ipc::CreateField(b_, b_.CreateString(name), nullable, arrow.id, arrow.table, 0,
                            b_.CreateVector(children), metadata_of(type));
  }

 private:
  std::vector<Offset<ipc::Field>> children_of(const ValueType& type) {
    std::vector<Offset<ipc::Field>> out;
    switch (type.kind) {
      case ValueKind::kList:
      case ValueKind::kArray:
        out.push_back(field("item", type.children[0]));
        break;
      case ValueKind::kStruct:
      case ValueKind::kUnion:
        for (std::size_t i = 0; i < type.children.size(); ++i) {
          const std::string& name = type.labels[i];
          out.push_back(field(name.empty() ? std::to_string(i + 1) : name, type.children[i]));
        }
        break;
      case ValueKind::kMap:
        out.push_back(entries_of(type));
        break;
      default:
        break;
    }
    return out;
  }

  Offset<ipc::Field> entries_of(const ValueType& map) {
    const std::vector<Offset<ipc::Field>> members = {field("key", map.children[0], false),
                                                     field("value", map.children[1])};
    const Type arrow = {ipc::Type::Struct_, ipc::CreateStruct_(b_).Union()};
    return ipc::CreateField(b_, b_.CreateString("entries"), false, arrow.id, arrow.table, 0,
                            b_.CreateVector(members));
  }

  Offset<flatbuffers::Vector<Offset<ipc::KeyValue>>> metadata_of(const ValueType& type) {
    const char* name = nullptr;
    if (type.kind == ValueKind::kJson || type.kind == ValueKind::kVariant) name = "arrow.json";
    if (type.kind == ValueKind::kGeometry) name = "geoarrow.wkb";
    if (name == nullptr) return 0;
    const char* metadata = type.kind == ValueKind::kGeometry ? "{}" : "";
    const std::vector<Offset<ipc::KeyValue>> pairs = {pair("ARROW:extension:name", name),
                                                      pair("ARROW:extension:metadata", metadata)};
    return b_.CreateVector(pairs);
  }
  Offset<ipc::KeyValue> pair(const char* key, const char* value) {
    const auto k = b_.CreateString(key);
    const auto v = b_.CreateString(value);
    return ipc::CreateKeyValue(b_, k, v);
  }

  Type integer(int bits, bool is_signed) {
    return {ipc::Type::Int, ipc::CreateInt(b_, bits, is_signed).Union()};
  }
  Type floating(ipc::Precision precision) {
    return {ipc::Type::FloatingPoint, ipc::CreateFloatingPoint(b_, precision).Union()};
  }
  Type decimal(int precision, int scale, int bits = 128) {
    return {ipc::Type::Decimal, ipc::CreateDecimal(b_, precision, scale, bits).Union()};
  }
  Type time(ipc::TimeUnit unit) { return {ipc::Type::Time, ipc::CreateTime(b_, unit, 64).Union()}; }
  Type timestamp(ipc::TimeUnit unit, const char* zone = nullptr) {
    const Offset<flatbuffers::String> text = zone == nullptr ? 0 : b_.CreateString(zone);
    return {ipc::Type::Timestamp, ipc::CreateTimestamp(b_, unit, text).Union()};
  }
  Type utf8() { return {ipc::Type::Utf8, ipc::CreateUtf8(b_).Union()}; }
  Type binary() { return {ipc::Type::Binary, ipc::CreateBinary(b_).Union()}; }

  Type union_of(const ValueType& type) {
    std::vector<std::int32_t> ids;
    for (std::size_t i = 0; i < type.children.size(); ++i) {
      ids.push_back(static_cast<std::int32_t>(i));
    }
    const auto vector = b_.CreateVector(ids);
    return {ipc::Type::Union, ipc::CreateUnion(b_, ipc::UnionMode::Sparse, vector).Union()};
  }

  Type type_of(const ValueType& type) {
    switch (type.kind) {
      case ValueKind::kNull:
        return {ipc::Type::Null, ipc::CreateNull(b_).Union()};
      case ValueKind::kBoolean:
        return {ipc::Type::Bool, ipc::CreateBool(b_).Union()};
      case ValueKind::kTinyint:
        return integer(8, true);
      case ValueKind::kSmallint:
        return integer(16, true);
      case ValueKind::kInteger:
        return integer(32, true);
      case ValueKind::kBigint:
        return integer(64, true);
      case ValueKind::kUtinyint:
        return integer(8, false);
      case ValueKind::kUsmallint:
        return integer(16, false);
      case ValueKind::kUinteger:
        return integer(32, false);
      case ValueKind::kUbigint:
        return integer(64, false);
      case ValueKind::kHugeint:
        return decimal(38, 0);
      case ValueKind::kUhugeint:
        return decimal(39, 0, 256);
      case ValueKind::kFloat:
        return floating(ipc::Precision::Single);
      case ValueKind::kDouble:
        return floating(ipc::Precision::Double);
      case ValueKind::kDecimal16:
      case ValueKind::kDecimal32:
      case ValueKind::kDecimal64:
      case ValueKind::kDecimal128:
        return decimal(type.width, type.scale);
      case ValueKind::kVarchar:
      case ValueKind::kJson:
      case ValueKind::kVariant:
      case ValueKind::kBit:
      case ValueKind::kBignum:
      case ValueKind::kUuid:
      case ValueKind::kEnum8:
      case ValueKind::kEnum16:
      case ValueKind::kEnum32:
      case ValueKind::kTimeTz:
        return utf8();
      case ValueKind::kBlob:
      case ValueKind::kGeometry:
        return binary();
      case ValueKind::kDate:
        return {ipc::Type::Date, ipc::CreateDate(b_, ipc::DateUnit::Day).Union()};
      case ValueKind::kTime:
        return time(ipc::TimeUnit::Microsecond);
      case ValueKind::kTimeNs:
        return time(ipc::TimeUnit::Nanosecond);
      case ValueKind::kTimestamp:
        return timestamp(ipc::TimeUnit::Microsecond);
      case ValueKind::kTimestampS:
        return timestamp(ipc::TimeUnit::Second);
      case ValueKind::kTimestampMs:
        return timestamp(ipc::TimeUnit::Millisecond);
      case ValueKind::kTimestampNs:
        return timestamp(ipc::TimeUnit::Nanosecond);
      case ValueKind::kTimestampTz:
        return timestamp(ipc::TimeUnit::Microsecond, "UTC");
      case ValueKind::kInterval:
        return {ipc::Type::Interval,
                ipc::CreateInterval(b_, ipc::IntervalUnit::MonthDayNano).Union()};
      case ValueKind::kList:
        return {ipc::Type::List, ipc::CreateList(b_).Union()};
      case ValueKind::kArray:
        return {ipc::Type::FixedSizeList,
                ipc::CreateFixedSizeList(b_, static_cast<std::int32_t>(type.array_size)).Union()};
      case ValueKind::kStruct:
        return {ipc::Type::Struct_, ipc::CreateStruct_(b_).Union()};
      case ValueKind::kMap:
        return {ipc::Type::Map, ipc::CreateMap(b_, false).Union()};
      case ValueKind::kUnion:
        return union_of(type);
    }
    panic(__FILE__, __LINE__, "unknown type");
  }

  FlatBufferBuilder& b_;
};

}  // namespace

std::string arrow_schema_message(const ResultShape& shape) {
  FlatBufferBuilder builder;
  SchemaWriter writer(builder);
  std::vector<Offset<ipc::Field>> fields;
  for (const ResultColumn& column : shape.columns()) {
    fields.push_back(writer.field(column.name, column.type));
  }
  const auto vector = builder.CreateVector(fields);
  const auto schema = ipc::CreateSchema(builder, ipc::Endianness::Little, vector);
  builder.Finish(ipc::CreateMessage(builder, ipc::MetadataVersion::V5, ipc::MessageHeader::Schema,
                                    schema.Union(), 0));
  return {reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize()};
}

}  // namespace sd::query
