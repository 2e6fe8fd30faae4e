#include "base/json_text.h"
#include "query/encoder_impl.h"
#include "query/json_value.h"
#include "query/type_name.h"
#include "query/value_text.h"

namespace sd::query {
namespace {

class JsonEncoder final : public Encoder {
 public:
  JsonEncoder(JsonLayout layout, EncodeOptions options, const ResultShape& shape)
      : layout_(layout), options_{.quote_int64 = options.quote_int64}, shape_(shape) {
    const bool compact = layout == JsonLayout::kCompact;
    for (const ResultColumn& column : shape.columns()) {
      std::string before = columns_.empty() ? (compact ? "[" : "{") : ",";
      if (!compact) before += json_string(column.name) + ":";
      columns_.push_back({std::move(before), VectorTree(column.type)});
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
    for (idx_t i = 0; i < columns_.size(); ++i) {
      columns_[i].tree.bind(duckdb_data_chunk_get_vector(chunk, i));
    }
    const idx_t count = duckdb_data_chunk_get_size(chunk);
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
    std::string before;  // {"name": or ,"name": or, compact, [ or ,
    VectorTree tree;
  };

  void put_row(TextSink& sink, idx_t row) {
    if (layout_ != JsonLayout::kLines && !std::exchange(first_row_, false)) sink.put(",\n");
    if (columns_.empty()) sink.put(layout_ == JsonLayout::kCompact ? '[' : '{');
    for (const Column& column : columns_) {
      sink.put(column.before);
      put_json(sink, column.tree, row, options_);
    }
    sink.put(layout_ == JsonLayout::kCompact ? ']' : '}');
    if (layout_ == JsonLayout::kLines) sink.put('\n');
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
