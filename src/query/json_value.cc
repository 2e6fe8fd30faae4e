#include "query/json_value.h"

#include <cmath>

#include "query/embedded_json.h"
#include "query/plain_value.h"
#include "query/value_text.h"

namespace sd::query {
namespace {

template <typename Put>
void quoted(TextSink& sink, Put put) {
  sink.put('"');
  put();
  sink.put('"');
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

void put_wide(TextSink& sink, const VectorTree& tree, idx_t row, JsonOptions options) {
  if (!options.quote_int64) return put_scalar(sink, tree, row);
  quoted(sink, [&] { put_scalar(sink, tree, row); });
}

template <typename T>
void put_double(TextSink& sink, T value, JsonOptions options) {
  if (std::isfinite(value)) return put_fraction(sink, value);
  options.quote_nan ? quoted(sink, [&] { put_not_finite(sink, value); }) : sink.put("null");
}

}  // namespace

void put_json(TextSink& sink, const VectorTree& tree, idx_t row, JsonOptions options) {
  if (!tree.valid(row)) return sink.put("null");
  switch (tree.type->kind) {
    case ValueKind::kNull:
      return sink.put("null");
    case ValueKind::kBoolean:
    case ValueKind::kTinyint:
    case ValueKind::kSmallint:
    case ValueKind::kInteger:
    case ValueKind::kUtinyint:
    case ValueKind::kUsmallint:
    case ValueKind::kUinteger:
    case ValueKind::kDecimal16:
    case ValueKind::kDecimal32:
    case ValueKind::kDecimal64:
    case ValueKind::kDecimal128:
      return put_scalar(sink, tree, row);
    case ValueKind::kBigint:
    case ValueKind::kUbigint:
    case ValueKind::kHugeint:
    case ValueKind::kUhugeint:
    case ValueKind::kBignum:
      return put_wide(sink, tree, row, options);
    case ValueKind::kFloat:
      return put_double(sink, tree.at<float>(row), options);
    case ValueKind::kDouble:
      return put_double(sink, tree.at<double>(row), options);
    case ValueKind::kVarchar:
      return put_json_string(sink, tree.string_at(row));
    case ValueKind::kJson:
      if (!put_embedded_json(sink, tree.string_at(row))) put_json_string(sink, tree.string_at(row));
      return;
    case ValueKind::kEnum8:
      return sink.put(tree.spelled[tree.at<std::uint8_t>(row)]);
    case ValueKind::kEnum16:
      return sink.put(tree.spelled[tree.at<std::uint16_t>(row)]);
    case ValueKind::kEnum32:
      return sink.put(tree.spelled[tree.at<std::uint32_t>(row)]);
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
    default:  // times, BLOB, BIT, UUID, GEOMETRY: none needs escaping
      return quoted(sink, [&] { put_scalar(sink, tree, row); });
  }
}

}  // namespace sd::query
