#include <cmath>
#include <cstring>

#include "query/encoder_impl.h"
#include "query/json_value.h"
#include "query/value_text.h"

namespace sd::query {
namespace {

// A field that has none of these may stand without quotes (RFC 4180 section 2).
bool needs_quotes(std::string_view text) {
  if (text.empty()) return true;  // a field that is empty without quotes is NULL
  for (const char c : text) {
    if (c == '"' || c == ',' || c == '\n' || c == '\r') return true;
  }
  // Readers that trim would lose it.
  return text.front() == ' ' || text.back() == ' ' || text.front() == '\t' || text.back() == '\t';
}

void put_field(TextSink& sink, std::string_view text) {
  if (!needs_quotes(text)) return sink.put(text);
  sink.put('"');
  std::size_t from = 0;
  while (true) {
    const void* found = std::memchr(text.data() + from, '"', text.size() - from);
    if (found == nullptr) break;
    const auto at = static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
    sink.put(text.substr(from, at + 1 - from));
    sink.put('"');
    from = at + 1;
  }
  sink.put(text.substr(from));
  sink.put('"');
}

template <typename T>
bool put_not_finite(TextSink& sink, T value) {
  if (std::isfinite(value)) return false;
  sink.put(std::isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
  return true;
}

class CsvEncoder final : public Encoder {
 public:
  explicit CsvEncoder(const ResultShape& shape) : shape_(shape) {
    for (const ResultColumn& column : shape.columns()) trees_.emplace_back(column.type);
  }

  void begin(std::string& out) override {
    TextSink sink(out);
    bool first = true;
    for (const ResultColumn& column : shape_.columns()) {
      if (!std::exchange(first, false)) sink.put(',');
      put_field(sink, column.name);
    }
    sink.put('\n');
  }

  idx_t rows(duckdb_data_chunk chunk, idx_t first, std::size_t soft_limit,
             std::string& out) override {
    for (idx_t i = 0; i < trees_.size(); ++i) {
      trees_[i].bind(duckdb_data_chunk_get_vector(chunk, i));
    }
    const idx_t count = duckdb_data_chunk_get_size(chunk);
    TextSink sink(out);
    idx_t row = first;
    while (row < count) {
      for (std::size_t i = 0; i < trees_.size(); ++i) {
        if (i != 0) sink.put(',');
        if (trees_[i].valid(row)) put_value(sink, trees_[i], row);
      }
      sink.put('\n');
      ++row;
      if (sink.size() >= soft_limit) break;
    }
    return row;
  }

  void end(std::string&) override {}

 private:
  void put_value(TextSink& sink, const VectorTree& tree, idx_t row) {
    switch (tree.type->kind) {
      case ValueKind::kVarchar:
      case ValueKind::kJson:
        return put_field(sink, tree.string_at(row));
      case ValueKind::kEnum8:
        return put_field(sink, tree.type->labels[tree.at<std::uint8_t>(row)]);
      case ValueKind::kEnum16:
        return put_field(sink, tree.type->labels[tree.at<std::uint16_t>(row)]);
      case ValueKind::kEnum32:
        return put_field(sink, tree.type->labels[tree.at<std::uint32_t>(row)]);
      case ValueKind::kFloat:
        if (!put_not_finite(sink, tree.at<float>(row))) put_float(sink, tree.at<float>(row));
        return;
      case ValueKind::kDouble:
        if (!put_not_finite(sink, tree.at<double>(row))) put_double(sink, tree.at<double>(row));
        return;
      case ValueKind::kList:
      case ValueKind::kArray:
      case ValueKind::kStruct:
      case ValueKind::kMap:
      case ValueKind::kUnion:
      case ValueKind::kVariant:
        scratch_.clear();
        {
          TextSink text(scratch_);
          put_json(text, tree, row, {});
        }
        return put_field(sink, scratch_);
      default:
        return put_scalar(sink, tree, row);
    }
  }

  // What JSON spells as a string stands here without the quotes: none of these can contain anything
  // that needs escaping but the comma of WKT, and only text can be empty.
  void put_scalar(TextSink& sink, const VectorTree& tree, idx_t row) {
    const std::size_t start = sink.size();
    put_json(sink, tree, row, {});
    const std::string_view text = sink.since(start);
    if (text.front() != '"') return;
    if (text.size() == 2) return;  // "" already is what an empty field should be
    const std::string_view inner = text.substr(1, text.size() - 2);
    if (needs_quotes(inner)) return;
    scratch_.assign(inner);
    sink.rewind(start);
    sink.put(scratch_);
  }

  const ResultShape& shape_;
  std::vector<VectorTree> trees_;
  std::string scratch_;
};

}  // namespace

std::unique_ptr<Encoder> make_csv_encoder(EncodeOptions, const ResultShape& shape) {
  return std::make_unique<CsvEncoder>(shape);
}

}  // namespace sd::query
