#include "base/json_text.h"
#include "query/encoder_impl.h"
#include "query/json_value.h"

namespace sd::query {
namespace {

class JsonEncoder final : public Encoder {
 public:
  JsonEncoder(bool lines, EncodeOptions options, const ResultShape& shape)
      : lines_(lines), options_{.quote_int64 = options.quote_int64} {
    for (const ResultColumn& column : shape.columns()) {
      const char* before = columns_.empty() ? "{" : ",";
      columns_.push_back({before + json_string(column.name) + ":", VectorTree(column.type)});
    }
  }

  void begin(std::string& out) override {
    if (!lines_) out += '[';
  }

  idx_t rows(duckdb_data_chunk chunk, idx_t first, std::size_t soft_limit,
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
    return row;
  }

  void end(std::string& out) override {
    if (!lines_) out += "]\n";
  }

 private:
  struct Column {
    std::string before;  // {"name": or ,"name":
    VectorTree tree;
  };

  void put_row(TextSink& sink, idx_t row) {
    if (!lines_ && !std::exchange(first_row_, false)) sink.put(",\n");
    if (columns_.empty()) sink.put('{');
    for (const Column& column : columns_) {
      sink.put(column.before);
      put_json(sink, column.tree, row, options_);
    }
    sink.put('}');
    if (lines_) sink.put('\n');
  }

  const bool lines_;
  const JsonOptions options_;
  std::vector<Column> columns_;
  bool first_row_ = true;
};

}  // namespace

std::unique_ptr<Encoder> make_json_encoder(bool lines, EncodeOptions options,
                                           const ResultShape& shape) {
  return std::make_unique<JsonEncoder>(lines, options, shape);
}

}  // namespace sd::query
