// CSV and TSV.
#include <cstring>

#include "query/encoder_impl.h"
#include "query/plain_value.h"

namespace sd::query {
namespace {

template <char kSeparator>
class SeparatedEncoder final : public Encoder {
 public:
  explicit SeparatedEncoder(const ResultShape& shape) : shape_(shape) {
    for (const ResultColumn& column : shape.columns()) trees_.emplace_back(column.type);
  }

  void begin(std::string& out) override {
    TextSink sink(out);
    bool first = true;
    for (const ResultColumn& column : shape_.columns()) {
      if (!std::exchange(first, false)) sink.put(kSeparator);
      put_field(sink, column.name);
    }
    sink.put('\n');
  }

  Result<idx_t> rows(duckdb_data_chunk chunk, idx_t first, std::size_t soft_limit,
                     std::string& out) override {
    for (idx_t i = 0; i < trees_.size(); ++i) {
      trees_[i].bind(duckdb_data_chunk_get_vector(chunk, i));
    }
    const idx_t count = duckdb_data_chunk_get_size(chunk);
    TextSink sink(out);
    idx_t row = first;
    while (row < count) {
      for (std::size_t i = 0; i < trees_.size(); ++i) {
        if (i != 0) sink.put(kSeparator);
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
  // A field that has none of these may stand without quotes (RFC 4180 section 2).
  static bool needs_quotes(std::string_view text) {
    if (text.empty()) return true;  // a field that is empty without quotes is NULL
    for (const char c : text) {
      if (c == '"' || c == kSeparator || c == '\n' || c == '\r') return true;
    }
    // Readers that trim would lose it.
    return text.front() == ' ' || text.back() == ' ' || text.front() == '\t' || text.back() == '\t';
  }

  static void put_field(TextSink& sink, std::string_view text) {
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

  void put_value(TextSink& sink, const VectorTree& tree, idx_t row) {
    switch (tree.type->kind) {
      case ValueKind::kVarchar:
      case ValueKind::kJson:
        return put_field(sink, tree.string_at(row));
      case ValueKind::kEnum8:
      case ValueKind::kEnum16:
      case ValueKind::kEnum32:
        return put_field(sink, enum_label(tree, row));
      // Can be empty, or has commas.
      case ValueKind::kBlob:
      case ValueKind::kGeometry:
      case ValueKind::kVariant:
      case ValueKind::kList:
      case ValueKind::kArray:
      case ValueKind::kStruct:
      case ValueKind::kMap:
      case ValueKind::kUnion:
        scratch_.clear();
        {
          TextSink text(scratch_);
          put_plain(text, tree, row);
        }
        return put_field(sink, scratch_);
      default:
        return put_scalar(sink, tree, row);
    }
  }

  const ResultShape& shape_;
  std::vector<VectorTree> trees_;
  std::string scratch_;
};

}  // namespace

std::unique_ptr<Encoder> make_separated_encoder(char separator, const ResultShape& shape) {
  if (separator == '\t') return std::make_unique<SeparatedEncoder<'\t'>>(shape);
  return std::make_unique<SeparatedEncoder<','>>(shape);
}

}  // namespace sd::query
