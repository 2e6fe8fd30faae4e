#include <algorithm>
#include <cstring>

#include "base/json_text.h"
#include "query/encoder_impl.h"
#include "query/frequent_value.h"
#include "query/json_special.h"
#include "query/json_value.h"
#include "query/type_name.h"
#include "query/value_text.h"

namespace sd::query {
namespace {

class JsonEncoder final : public Encoder {
 public:
  JsonEncoder(JsonLayout layout, EncodeOptions options, const ResultShape& shape)
      : layout_(layout),
        options_{.quote_int64 = options.quote_int64, .quote_nan = options.quote_nan},
        shape_(shape) {
    const bool compact = layout == JsonLayout::kCompact;
    for (const ResultColumn& column : shape.columns()) {
      std::string before = columns_.empty() ? (compact ? "[" : "{") : ",";
      if (!compact) before += json_string(column.name) + ":";
      columns_.emplace_back(std::move(before), column.type);
    }
  }

  void begin(std::string& out) override {
    if (layout_ == JsonLayout::kArray) out += '[';
    if (layout_ != JsonLayout::kCompact) return;
    out += "{\"meta\":[";
    const char* before = "{\"name\":";
    for (const ResultColumn& column : shape_.columns()) {
      out += before + json_string(column.name);
      out += ",\"type\":" + json_string(type_name(column.type)) + "}";
      before = ",{\"name\":";
    }
    out += "],\n\"data\":[";
  }

  Result<idx_t> rows(duckdb_data_chunk chunk, idx_t first, std::size_t soft_limit,
                     std::string& out) override {
    const idx_t count = duckdb_data_chunk_get_size(chunk);
    for (idx_t i = 0; i < columns_.size(); ++i) {
      columns_[i].tree.bind(duckdb_data_chunk_get_vector(chunk, i));
      if (first == 0) columns_[i].tree.look_ahead(count);
    }
    TextSink sink(out);
    idx_t row = first;
    while (row < count) {
      put_row(sink, row);
      ++row;
      if (sink.size() >= soft_limit) break;
    }
    rows_ += row - first;
    return row;
  }

  void end(std::string& out) override {
    if (layout_ == JsonLayout::kArray) out += "]\n";
    if (layout_ == JsonLayout::kCompact) out += "],\n\"rows\":" + std::to_string(rows_) + "}\n";
  }

 private:
  struct Column {
    Column(std::string text, const ValueType& type)
        : before(std::move(text)), size(before.size()), tree(type) {
      before.resize((size + kBlock - 1) / kBlock * kBlock);
    }
    std::string before;  // {"name": or ,"name": or, compact, [ or , and then zeros to whole blocks
    std::size_t size;    // without them
    VectorTree tree;
  };
  static constexpr std::size_t kBlock = 16;
  // Rows ahead: a row's values lie in as many places as there are columns, more than the processor foresees.
  static constexpr idx_t kPrefetched = 14;

  // The address may lie behind the vector, or there may be none (a STRUCT has only children): a number, not a pointer.
  static void prefetch(const VectorTree& tree, std::size_t offset) {
    const auto address = reinterpret_cast<std::uintptr_t>(tree.data) + offset;
    // NOLINTNEXTLINE(performance-no-int-to-ptr)
    __builtin_prefetch(reinterpret_cast<const void*>(address));
  }

  // Block by block: most names are one or two, and no call is made for them.
  static char* copy_name(char* p, const Column& column) {
    for (std::size_t at = 0; at < column.size; at += kBlock) {
      std::memcpy(p + at, column.before.data() + at, kBlock);
    }
    return p + column.size;
  }

  void put_row(TextSink& sink, idx_t row) {
    if (layout_ != JsonLayout::kLines && !std::exchange(first_row_, false)) sink.put(",\n");
    if (columns_.empty()) sink.put(layout_ == JsonLayout::kCompact ? '[' : '{');
    for (const Column& column : columns_) put_member(sink, column, row);
    sink.put(layout_ == JsonLayout::kCompact ? ']' : '}');
    if (layout_ == JsonLayout::kLines) sink.put('\n');
  }

  // What most columns are is written here, with one look at the room that is left; put_json() knows
  // the others, and spells these in the same way.
  void put_member(TextSink& sink, const Column& column, idx_t row) const {
    const VectorTree& tree = column.tree;
    char* p = copy_name(sink.room(column.before.size() + kFrequentBytes), column);
    if (!tree.valid(row)) {
      return sink.set_cursor(std::copy_n("null", 4, p));
    }
    if (tree.type->kind == ValueKind::kVarchar) {
      prefetch(tree, (row + kPrefetched) * sizeof(duckdb_string_t));
      const std::string_view text = tree.string_at(row);
      if (text.size() + 2 <= kFrequentBytes) {
        *p = '"';
        if (copy_plain(p + 1, text.data(), text.size(), JsonSpecial{}) == text.size()) {
          p[text.size() + 1] = '"';
          return sink.set_cursor(p + text.size() + 2);
        }
      }
    } else if (!options_.quote_int64) {
      prefetch(tree, (row + kPrefetched) * sizeof(std::int64_t));
      if (char* end = frequent_text<true>(p, tree, row)) return sink.set_cursor(end);
    }
    sink.set_cursor(p);
    put_json(sink, tree, row, options_);
  }

  const JsonLayout layout_;
  const JsonOptions options_;
  const ResultShape& shape_;
  std::vector<Column> columns_;
  bool first_row_ = true;
  std::uint64_t rows_ = 0;
};

}  // namespace

std::unique_ptr<Encoder> make_json_encoder(JsonLayout layout, EncodeOptions options,
                                           const ResultShape& shape) {
  return std::make_unique<JsonEncoder>(layout, options, shape);
}

}  // namespace sd::query
