#include "query/json_value.h"

#include <cmath>

#include "query/embedded_json.h"
#include "query/geometry_text.h"
#include "query/value_text.h"

namespace sd::query {
namespace {

template <typename Put>
void quoted(TextSink& sink, Put put) {
  sink.put('"');
  put();
  sink.put('"');
}

template <typename Put>
void quoted_if(bool quote, TextSink& sink, Put put) {
  if (quote) sink.put('"');
  put();
  if (quote) sink.put('"');
}

void put_elements(TextSink& sink, const VectorTree& elements, idx_t from, idx_t count,
                  JsonOptions options) {
  sink.put('[');
  for (idx_t i = 0; i < count; ++i) {
    if (i != 0) sink.put(',');
    put_json(sink, elements, from + i, options);
  }
  sink.put(']');
}

void put_struct(TextSink& sink, const VectorTree& tree, idx_t row, JsonOptions options) {
  // row(1, 2) has members without names, which an object would lose.
  const bool named = tree.type->labels.empty() || !tree.type->labels.front().empty();
  sink.put(named ? '{' : '[');
  for (std::size_t i = 0; i < tree.children.size(); ++i) {
    if (i != 0) sink.put(',');
    if (named) sink.put(tree.spelled[i]);
    put_json(sink, tree.children[i], row, options);
  }
  sink.put(named ? '}' : ']');
}

bool has_text_keys(const VectorTree& map) {
  switch (map.type->children[0].kind) {
    case ValueKind::kVarchar:
    case ValueKind::kEnum8:
    case ValueKind::kEnum16:
    case ValueKind::kEnum32:
      return true;
    default:
      return false;
  }
}

void put_map(TextSink& sink, const VectorTree& tree, idx_t row, JsonOptions options) {
  const auto& entry = tree.at<duckdb_list_entry>(row);
  const bool object = has_text_keys(tree);
  sink.put(object ? '{' : '[');
  for (idx_t i = entry.offset; i < entry.offset + entry.length; ++i) {
    if (i != entry.offset) sink.put(',');
    if (!object) sink.put("{\"key\":");
    put_json(sink, tree.children[0], i, options);
    sink.put(object ? ":" : ",\"value\":");
    put_json(sink, tree.children[1], i, options);
    if (!object) sink.put('}');
  }
  sink.put(object ? '}' : ']');
}

void put_union(TextSink& sink, const VectorTree& tree, idx_t row, JsonOptions options) {
  const VectorTree& tags = tree.children[0];
  const std::size_t tag = tags.valid(row) ? tags.at<std::uint8_t>(row) : tree.spelled.size();
  if (tag >= tree.spelled.size()) return sink.put("null");
  sink.put('{');
  sink.put(tree.spelled[tag]);
  put_json(sink, tree.children[tag + 1], row, options);
  sink.put('}');
}

}  // namespace

void put_json_geometry(TextSink& sink, std::string_view wkb) {
  quoted(sink, [&] {
    if (!put_wkt(sink, wkb)) put_base64(sink, wkb);
  });
}

void put_json(TextSink& sink, const VectorTree& tree, idx_t row, JsonOptions options) {
  if (!tree.valid(row)) return sink.put("null");
  const bool quote = options.quote_int64;
  switch (tree.type->kind) {
    case ValueKind::kNull:
      return sink.put("null");
    case ValueKind::kBoolean:
      return sink.put(tree.at<bool>(row) ? "true" : "false");
    case ValueKind::kTinyint:
      return put_signed(sink, tree.at<std::int8_t>(row));
    case ValueKind::kSmallint:
      return put_signed(sink, tree.at<std::int16_t>(row));
    case ValueKind::kInteger:
      return put_signed(sink, tree.at<std::int32_t>(row));
    case ValueKind::kBigint:
      return quoted_if(quote, sink, [&] { put_signed(sink, tree.at<std::int64_t>(row)); });
    case ValueKind::kUtinyint:
      return put_unsigned(sink, tree.at<std::uint8_t>(row));
    case ValueKind::kUsmallint:
      return put_unsigned(sink, tree.at<std::uint16_t>(row));
    case ValueKind::kUinteger:
      return put_unsigned(sink, tree.at<std::uint32_t>(row));
    case ValueKind::kUbigint:
      return quoted_if(quote, sink, [&] { put_unsigned(sink, tree.at<std::uint64_t>(row)); });
    case ValueKind::kHugeint:
      return quoted_if(quote, sink,
                       [&] { put_int128(sink, to_int128(tree.at<duckdb_hugeint>(row))); });
    case ValueKind::kUhugeint:
      return quoted_if(quote, sink,
                       [&] { put_uint128(sink, to_uint128(tree.at<duckdb_uhugeint>(row))); });
    case ValueKind::kFloat: {
      const float value = tree.at<float>(row);
      return std::isfinite(value) ? put_float(sink, value) : sink.put("null");
    }
    case ValueKind::kDouble: {
      const double value = tree.at<double>(row);
      return std::isfinite(value) ? put_double(sink, value) : sink.put("null");
    }
    case ValueKind::kDecimal16:
      return put_decimal(sink, std::int64_t{tree.at<std::int16_t>(row)}, tree.type->scale);
    case ValueKind::kDecimal32:
      return put_decimal(sink, std::int64_t{tree.at<std::int32_t>(row)}, tree.type->scale);
    case ValueKind::kDecimal64:
      return put_decimal(sink, tree.at<std::int64_t>(row), tree.type->scale);
    case ValueKind::kDecimal128:
      return put_decimal(sink, to_int128(tree.at<duckdb_hugeint>(row)), tree.type->scale);
    case ValueKind::kVarchar:
      return put_json_string(sink, tree.string_at(row));
    case ValueKind::kJson:
      if (!put_embedded_json(sink, tree.string_at(row))) put_json_string(sink, tree.string_at(row));
      return;
    case ValueKind::kBlob:
      return quoted(sink, [&] { put_base64(sink, tree.string_at(row)); });
    case ValueKind::kBit:
      return quoted(sink, [&] { put_bit(sink, tree.string_at(row)); });
    case ValueKind::kBignum:
      return quoted_if(quote, sink, [&] { put_bignum(sink, tree.string_at(row)); });
    case ValueKind::kUuid:
      return quoted(sink, [&] { put_uuid(sink, tree.at<duckdb_hugeint>(row)); });
    case ValueKind::kEnum8:
      return sink.put(tree.spelled[tree.at<std::uint8_t>(row)]);
    case ValueKind::kEnum16:
      return sink.put(tree.spelled[tree.at<std::uint16_t>(row)]);
    case ValueKind::kEnum32:
      return sink.put(tree.spelled[tree.at<std::uint32_t>(row)]);
    case ValueKind::kDate:
      return quoted(sink, [&] { put_date(sink, tree.at<std::int32_t>(row)); });
    case ValueKind::kTime:
      return quoted(sink, [&] { put_time(sink, tree.at<std::int64_t>(row), 1'000'000); });
    case ValueKind::kTimeNs:
      return quoted(sink, [&] { put_time(sink, tree.at<std::int64_t>(row), 1'000'000'000); });
    case ValueKind::kTimeTz:
      return quoted(sink, [&] { put_time_tz(sink, tree.at<std::uint64_t>(row)); });
    case ValueKind::kTimestamp:
    case ValueKind::kTimestampTz:
      return quoted(sink, [&] {
        put_timestamp(sink, tree.at<std::int64_t>(row), 1'000'000,
                      tree.type->kind == ValueKind::kTimestampTz);
      });
    case ValueKind::kTimestampS:
      return quoted(sink, [&] { put_timestamp(sink, tree.at<std::int64_t>(row), 1, false); });
    case ValueKind::kTimestampMs:
      return quoted(sink, [&] { put_timestamp(sink, tree.at<std::int64_t>(row), 1'000, false); });
    case ValueKind::kTimestampNs:
      return quoted(sink,
                    [&] { put_timestamp(sink, tree.at<std::int64_t>(row), 1'000'000'000, false); });
    case ValueKind::kInterval:
      return quoted(sink, [&] { put_interval(sink, tree.at<duckdb_interval>(row)); });
    case ValueKind::kGeometry:
      return put_json_geometry(sink, tree.string_at(row));
    case ValueKind::kVariant:
      return put_json_variant(sink, tree, row, options);
    case ValueKind::kList: {
      const auto& entry = tree.at<duckdb_list_entry>(row);
      return put_elements(sink, tree.children[0], entry.offset, entry.length, options);
    }
    case ValueKind::kArray:
      return put_elements(sink, tree.children[0], row * tree.type->array_size,
                          tree.type->array_size, options);
    case ValueKind::kStruct:
      return put_struct(sink, tree, row, options);
    case ValueKind::kMap:
      return put_map(sink, tree, row, options);
    case ValueKind::kUnion:
      return put_union(sink, tree, row, options);
  }
}

}  // namespace sd::query
