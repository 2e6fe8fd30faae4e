#include "query/plain_value.h"

#include <cmath>

#include "query/geometry_text.h"
#include "query/json_value.h"
#include "query/value_text.h"

namespace sd::query {
namespace {

template <typename T>
void put_any_fraction(TextSink& sink, T value) {
  std::isfinite(value) ? put_fraction(sink, value) : put_not_finite(sink, value);
}

}  // namespace

void put_not_finite(TextSink& sink, double value) {
  sink.put(std::isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
}

void put_geometry(TextSink& sink, std::string_view wkb) {
  if (!put_wkt(sink, wkb)) put_base64(sink, wkb);
}

std::string_view enum_label(const VectorTree& tree, idx_t row) {
  switch (tree.type->kind) {
    case ValueKind::kEnum8:
      return tree.type->labels[tree.at<std::uint8_t>(row)];
    case ValueKind::kEnum16:
      return tree.type->labels[tree.at<std::uint16_t>(row)];
    default:
      return tree.type->labels[tree.at<std::uint32_t>(row)];
  }
}

void put_scalar(TextSink& sink, const VectorTree& tree, idx_t row) {
  switch (tree.type->kind) {
    case ValueKind::kBoolean:
      return sink.put(tree.at<bool>(row) ? "true" : "false");
    case ValueKind::kTinyint:
      return put_signed(sink, tree.at<std::int8_t>(row));
    case ValueKind::kSmallint:
      return put_signed(sink, tree.at<std::int16_t>(row));
    case ValueKind::kInteger:
      return put_signed(sink, tree.at<std::int32_t>(row));
    case ValueKind::kBigint:
      return put_signed(sink, tree.at<std::int64_t>(row));
    case ValueKind::kUtinyint:
      return put_unsigned(sink, tree.at<std::uint8_t>(row));
    case ValueKind::kUsmallint:
      return put_unsigned(sink, tree.at<std::uint16_t>(row));
    case ValueKind::kUinteger:
      return put_unsigned(sink, tree.at<std::uint32_t>(row));
    case ValueKind::kUbigint:
      return put_unsigned(sink, tree.at<std::uint64_t>(row));
    case ValueKind::kHugeint:
      return put_int128(sink, to_int128(tree.at<duckdb_hugeint>(row)));
    case ValueKind::kUhugeint:
      return put_uint128(sink, to_uint128(tree.at<duckdb_uhugeint>(row)));
    case ValueKind::kFloat:
      return put_any_fraction(sink, tree.at<float>(row));
    case ValueKind::kDouble:
      return put_any_fraction(sink, tree.at<double>(row));
    case ValueKind::kDecimal16:
      return put_decimal(sink, std::int64_t{tree.at<std::int16_t>(row)}, tree.type->scale);
    case ValueKind::kDecimal32:
      return put_decimal(sink, std::int64_t{tree.at<std::int32_t>(row)}, tree.type->scale);
    case ValueKind::kDecimal64:
      return put_decimal(sink, tree.at<std::int64_t>(row), tree.type->scale);
    case ValueKind::kDecimal128:
      return put_decimal(sink, to_int128(tree.at<duckdb_hugeint>(row)), tree.type->scale);
    case ValueKind::kBlob:
      return put_base64(sink, tree.string_at(row));
    case ValueKind::kBit:
      return put_bit(sink, tree.string_at(row));
    case ValueKind::kBignum:
      return put_bignum(sink, tree.string_at(row));
    case ValueKind::kUuid:
      return put_uuid(sink, tree.at<duckdb_hugeint>(row));
    case ValueKind::kDate:
      return put_date(sink, tree.at<std::int32_t>(row));
    case ValueKind::kTime:
      return put_time<1'000'000>(sink, tree.at<std::int64_t>(row));
    case ValueKind::kTimeNs:
      return put_time<1'000'000'000>(sink, tree.at<std::int64_t>(row));
    case ValueKind::kTimeTz:
      return put_time_tz(sink, tree.at<std::uint64_t>(row));
    case ValueKind::kTimestamp:
      return put_timestamp<1'000'000>(sink, tree.at<std::int64_t>(row), false);
    case ValueKind::kTimestampTz:
      return put_timestamp<1'000'000>(sink, tree.at<std::int64_t>(row), true);
    case ValueKind::kTimestampS:
      return put_timestamp<1>(sink, tree.at<std::int64_t>(row), false);
    case ValueKind::kTimestampMs:
      return put_timestamp<1'000>(sink, tree.at<std::int64_t>(row), false);
    case ValueKind::kTimestampNs:
      return put_timestamp<1'000'000'000>(sink, tree.at<std::int64_t>(row), false);
    case ValueKind::kInterval:
      return put_interval(sink, tree.at<duckdb_interval>(row));
    case ValueKind::kGeometry:
      return put_geometry(sink, tree.string_at(row));
    default:
      return;
  }
}

void put_plain(TextSink& sink, const VectorTree& tree, idx_t row) {
  switch (tree.type->kind) {
    case ValueKind::kVarchar:
    case ValueKind::kJson:
      return sink.put(tree.string_at(row));
    case ValueKind::kEnum8:
    case ValueKind::kEnum16:
    case ValueKind::kEnum32:
      return sink.put(enum_label(tree, row));
    case ValueKind::kVariant:
    case ValueKind::kList:
    case ValueKind::kArray:
    case ValueKind::kStruct:
    case ValueKind::kMap:
    case ValueKind::kUnion:
      return put_json(sink, tree, row, {});
    default:
      return put_scalar(sink, tree, row);
  }
}

}  // namespace sd::query
