// CSV and TSV.
#include <algorithm>

#include "query/encoder_impl.h"
#include "query/frequent_value.h"
#include "query/plain_bytes.h"
#include "query/plain_value.h"

namespace sd::query {
namespace {

// What a spreadsheet may take for a formula by how it begins.
bool is_formula(std::string_view text) {
  if (text.empty()) return false;
  constexpr std::string_view kBytes("=+-@\t\r\n\0", 8);
  if (kBytes.find(text.front()) != std::string_view::npos) return true;
  // U+FF1D, U+FF0B, U+FF0D, U+FF20: the wide forms.
  constexpr std::string_view kWide[] = {"\xEF\xBC\x9D", "\xEF\xBC\x8B", "\xEF\xBC\x8D",
                                        "\xEF\xBC\xA0"};
  return std::ranges::any_of(kWide, [&](std::string_view each) { return text.starts_with(each); });
}

template <char kSeparator>
class SeparatedEncoder final : public Encoder {
 public:
  SeparatedEncoder(EncodeOptions options, const ResultShape& shape)
      : spreadsheet_(options.spreadsheet), shape_(shape) {
    for (const ResultColumn& column : shape.columns()) trees_.emplace_back(column.type);
  }

  void begin(std::string& out) override {
    TextSink sink(out);
    if (spreadsheet_) sink.put("\xEF\xBB\xBF");
    bool first = true;
    for (const ResultColumn& column : shape_.columns()) {
      if (!std::exchange(first, false)) sink.put(kSeparator);
      put_field(sink, column.name);
    }
    sink.put('\n');
  }

  Result<idx_t> rows(duckdb_data_chunk chunk, idx_t first, std::size_t soft_limit,
                     std::string& out) override {
    const idx_t count = duckdb_data_chunk_get_size(chunk);
    for (idx_t i = 0; i < trees_.size(); ++i) {
      trees_[i].bind(duckdb_data_chunk_get_vector(chunk, i));
      if (first == 0) trees_[i].look_ahead(count);
    }
    TextSink sink(out);
    idx_t row = first;
    while (row < count) {
      for (std::size_t i = 0; i < trees_.size(); ++i) {
        char* p = sink.room(1 + kFrequentBytes);
        if (i != 0) *p++ = kSeparator;
        sink.set_cursor(p);
        if (!trees_[i].valid(row)) continue;
        if (char* end =
                is_frequent(trees_[i]) ? frequent_text<false>(p, trees_[i], row) : nullptr) {
          sink.set_cursor(end);
        } else {
          put_value(sink, trees_[i], row);
        }
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
  struct Special {
    static bool is(char c) { return c == '"' || c == kSeparator || c == '\n' || c == '\r'; }
#if defined(__SSE2__)
    static __m128i is(__m128i bytes) {
      const auto equal = [&](char c) { return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c)); };
      return _mm_or_si128(_mm_or_si128(equal('"'), equal(kSeparator)),
                          _mm_or_si128(equal('\n'), equal('\r')));
    }
#endif
  };

  // The years before Christ begin with a minus.
  bool is_frequent(const VectorTree& tree) const {
    return !spreadsheet_ ||
           (tree.type->kind != ValueKind::kTimestamp && tree.type->kind != ValueKind::kTimestampTz);
  }

  static bool is_blank(char c) {
    return c == ' ' || c == '\t';
  }

  void put_field(TextSink& sink, std::string_view text) const {
    if (spreadsheet_ && is_formula(text)) return put_quoted(sink, "'" + std::string(text));
    // What is empty without quotes is NULL, and readers that trim would lose blanks at the ends.
    if (text.empty() || is_blank(text.front()) || is_blank(text.back())) {
      return put_quoted(sink, text);
    }
    char* p = sink.room(text.size());
    if (copy_plain(p, text.data(), text.size(), Special{}) != text.size()) {
      return put_quoted(sink, text);
    }
    sink.set_cursor(p + text.size());
  }

  static void put_quoted(TextSink& sink, std::string_view text) {
    sink.put('"');
    std::size_t from = 0;
    for (std::size_t at = 0; (at = text.find('"', from)) != std::string_view::npos; from = at + 1) {
      sink.put(text.substr(from, at + 1 - from));
      sink.put('"');
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
      case ValueKind::kInterval:
      case ValueKind::kDate:
      case ValueKind::kTimestamp:
      case ValueKind::kTimestampS:
      case ValueKind::kTimestampMs:
      case ValueKind::kTimestampNs:
      case ValueKind::kTimestampTz:
        return put_text_scalar(sink, tree, row);
      default:
        return put_scalar(sink, tree, row);
    }
  }

  // Spelled without special bytes, but maybe with a minus in front.
  void put_text_scalar(TextSink& sink, const VectorTree& tree, idx_t row) {
    if (!spreadsheet_) return put_scalar(sink, tree, row);
    scratch_.clear();
    {
      TextSink text(scratch_);
      put_scalar(text, tree, row);
    }
    put_field(sink, scratch_);
  }

  const bool spreadsheet_;
  const ResultShape& shape_;
  std::vector<VectorTree> trees_;
  std::string scratch_;
};

}  // namespace

std::unique_ptr<Encoder> make_separated_encoder(char separator, EncodeOptions options,
                                                const ResultShape& shape) {
  if (separator == '\t') return std::make_unique<SeparatedEncoder<'\t'>>(options, shape);
  return std::make_unique<SeparatedEncoder<','>>(options, shape);
}

}  // namespace sd::query
