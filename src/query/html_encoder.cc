// A page of one table: no script, nothing from elsewhere, so it can be saved and sent.
//
// Closing tags of cells are left out, as HTML allows: the page is a quarter smaller. Alignment
// is a rule for a column, not an attribute of each cell.
#include "query/encoder_impl.h"
#include "query/plain_value.h"
#include "query/type_name.h"

namespace sd::query {
namespace {

constexpr std::string_view kStyle =
    ":root{color-scheme:light "
    "dark;--fg:#1b1e22;--bg:#fff;--soft:#f7f7f5;--line:#dfe2e6;--dim:#59626d}\n"
    "@media(prefers-color-scheme:dark){:root{--fg:#e7e9ec;--bg:#0f1113;--soft:#16191d;--line:#"
    "2b3037;"
    "--dim:#9ea7b1}}\n"
    "body{margin:0;padding:1rem;color:var(--fg);background:var(--bg);"
    "font:14px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}\n"
    "table{border-collapse:collapse}\n"
    "th,td{text-align:left;vertical-align:top;padding:.3rem .7rem;border:1px solid var(--line)}\n"
    "td{white-space:pre-wrap;overflow-wrap:anywhere;min-width:3rem;max-width:40rem}\n"
    "thead th{position:sticky;top:0;background:var(--soft);white-space:pre;max-width:20rem;"
    "overflow:hidden;text-overflow:ellipsis}\n"
    "thead small{display:block;font-weight:400;color:var(--dim);overflow:hidden;"
    "text-overflow:ellipsis}\n"
    "tbody tr:nth-child(even){background:var(--soft)}\n"
    "i{color:var(--dim)}\n"
    "p{color:var(--dim)}\n";

// The longest beginning of at most so many bytes that cuts no character.
std::string beginning(std::string text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) --most;
  return text.substr(0, most) + "…";
}

std::string_view escape_of(char c) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '\0':  // HTML has no way to write it
      return "\xEF\xBF\xBD";
    case '\r':  // as it is, it would be read as a line feed
      return "&#13;";
    default:
      return {};
  }
}

void put_escaped(TextSink& sink, std::string_view text) {
  std::size_t from = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view instead = escape_of(text[i]);
    if (instead.empty()) continue;
    sink.put(text.substr(from, i - from));
    sink.put(instead);
    from = i + 1;
  }
  sink.put(text.substr(from));
}

class HtmlEncoder final : public Encoder {
 public:
  explicit HtmlEncoder(const ResultShape& shape) : shape_(shape) {
    for (const ResultColumn& column : shape.columns()) trees_.emplace_back(column.type);
  }

  void begin(std::string& out) override {
    TextSink sink(out);
    sink.put(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
        "<title>Result</title>\n<style>\n");
    sink.put(kStyle);
    put_alignment(sink);
    sink.put("</style>\n</head>\n<body>\n<table>\n<thead>\n<tr>");
    for (const ResultColumn& column : shape_.columns()) {
      sink.put("<th scope=\"col\">");
      put_escaped(sink, column.name);
      sink.put("<small>");
      put_escaped(sink, beginning(type_name(column.type), 80));
      sink.put("</small>");
    }
    sink.put("</tr>\n</thead>\n<tbody>\n");
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
      sink.put("<tr>");
      for (const VectorTree& tree : trees_) put_cell(sink, tree, row);
      sink.put("</tr>\n");
      ++row;
      if (sink.size() >= soft_limit) break;
    }
    rows_ += row - first;
    return row;
  }

  void end(std::string& out) override {
    out += "</tbody>\n</table>\n<p>" + std::to_string(rows_) + (rows_ == 1 ? " row" : " rows") +
           "</p>\n</body>\n</html>\n";
  }

 private:
  void put_alignment(TextSink& sink) const {
    bool any = false;
    for (std::size_t i = 0; i < trees_.size(); ++i) {
      if (!is_number(trees_[i].type->kind)) continue;
      if (std::exchange(any, true)) sink.put(",\n");
      const std::string nth = ":nth-child(" + std::to_string(i + 1) + ")";
      sink.put("th" + nth + ",td" + nth);
    }
    if (any) sink.put("{text-align:right;font-variant-numeric:tabular-nums}\n");
  }

  void put_cell(TextSink& sink, const VectorTree& tree, idx_t row) {
    if (!tree.valid(row)) return sink.put("<td><i>NULL</i>");
    sink.put("<td>");
    if (tree.type->kind == ValueKind::kVarchar || tree.type->kind == ValueKind::kJson) {
      return put_escaped(sink, tree.string_at(row));
    }
    scratch_.clear();
    {
      TextSink text(scratch_);
      put_plain(text, tree, row);
    }
    put_escaped(sink, scratch_);
  }

  const ResultShape& shape_;
  std::vector<VectorTree> trees_;
  std::string scratch_;
  std::uint64_t rows_ = 0;
};

}  // namespace

std::unique_ptr<Encoder> make_html_encoder(const ResultShape& shape) {
  return std::make_unique<HtmlEncoder>(shape);
}

}  // namespace sd::query
