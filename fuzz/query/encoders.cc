// A random result in every format says the same: JSON by a strict parser, CSV and TSV by their rules, HTML
// cell by cell, Arrow by FlatBuffers' verifier and array by array. Where DuckDB's own text of a value is
// ours, that is compared as well.
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "base/json_text.h"
#include "destinations/duckdb/handles.h"
#include "fuzz/query/random_result.h"
#include "json/document.h"
#include "query/encoder.h"
#include "query/testing/arrow_reader.h"

namespace {

using sd::json::Value;
using sd::query::Format;
using sd::query::ResultShape;
using sd::query::ValueKind;
namespace duck = sd::destinations::duckdb;

// The result that is looked at, for whoever has to see why it failed.
std::string g_sql;

[[noreturn]] void finding(const std::string& what) {
  std::cerr << "finding: " << what << "\n" << g_sql << "\n";
  std::abort();
}
void demand(bool holds, const char* what, const std::string& text = {}) {
  if (!holds) finding(std::string(what) + ": " + text.substr(0, 4000));
}

class Database {
 public:
  Database() {
    if (duckdb_open(nullptr, database_.out()) != DuckDBSuccess) std::abort();
    if (duckdb_connect(database_.get(), connection_.out()) != DuckDBSuccess) std::abort();
    for (const char* setting : {"SET TimeZone = 'UTC'", "SET threads = 1"}) {
      if (!duck::execute(connection_.get(), setting)) std::abort();
    }
  }
  duckdb_connection get() const { return connection_.get(); }

 private:
  duck::Database database_;
  duck::Connection connection_;
};

class Result {
 public:
  // False: DuckDB refuses the statement.
  bool run(duckdb_connection connection, const std::string& sql) {
    if (duckdb_query(connection, sql.c_str(), result_.get()) != DuckDBSuccess) return false;
    shape_ = std::make_unique<ResultShape>(ResultShape::from(result_.ref()).value());
    while (true) {
      duck::DataChunk chunk(duckdb_fetch_chunk(result_.ref()));
      if (!chunk) return true;
      chunks_.push_back(std::move(chunk));
    }
  }

  sd::Result<std::string> encode(Format format, std::size_t soft_limit) const {
    const auto encoder = sd::query::Encoder::make(format, {}, *shape_);
    std::string out;
    encoder->begin(out);
    std::string part;
    for (const duck::DataChunk& chunk : chunks_) {
      for (idx_t row = 0; row < duckdb_data_chunk_get_size(chunk.get());) {
        part.clear();
        TRY_ASSIGN(row, encoder->rows(chunk.get(), row, soft_limit, part));
        sd::query::append_behind(*encoder, part);
        out += part;
      }
    }
    encoder->end(out);
    sd::query::append_behind(*encoder, out);
    return out;
  }

  const ResultShape& shape() const { return *shape_; }

 private:
  duck::QueryResult result_;
  std::unique_ptr<ResultShape> shape_;
  std::vector<duck::DataChunk> chunks_;
};

bool same(const Value& a, const Value& b) {
  if (a.kind() != b.kind() || a.text() != b.text() || a.as_bool() != b.as_bool()) return false;
  if (a.elements().size() != b.elements().size() || a.members().size() != b.members().size()) {
    return false;
  }
  for (std::size_t i = 0; i < a.elements().size(); ++i) {
    if (!same(a.elements()[i], b.elements()[i])) return false;
  }
  for (std::size_t i = 0; i < a.members().size(); ++i) {
    if (a.members()[i].first != b.members()[i].first) return false;
    if (!same(a.members()[i].second, b.members()[i].second)) return false;
  }
  return true;
}

Value parsed(const std::string& text, const char* what) {
  auto value = sd::json::parse_document(text);
  if (!value)
    finding(std::string(what) + ": " + value.error().message + ": " + text.substr(0, 4000));
  return std::move(*value);
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    demand(end != std::string::npos, "a line without its end", text);
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

using Row = std::vector<std::optional<std::string>>;  // nullopt is NULL

// The rules of encoder.h to the letter: a quoted field only where it has to be, nothing behind a quote.
std::vector<Row> read_separated(const std::string& text, char separator) {
  std::vector<Row> rows;
  std::size_t at = 0;
  while (at < text.size()) {
    Row row;
    while (true) {
      std::string field;
      const bool quoted = at < text.size() && text[at] == '"';
      if (quoted) {
        for (++at;; ++at) {
          demand(at + 1 < text.size(), "an open quote", text);
          if (text[at] == '"') {
            ++at;
            if (text[at] != '"') break;
          }
          field += text[at];
        }
        const std::string special = std::string("\"\r\n") + separator;
        const auto blank = [](char c) { return c == ' ' || c == '\t'; };
        demand(field.empty() || field.find_first_of(special) != std::string::npos ||
                   blank(field.front()) || blank(field.back()),
               "needless quotes", field);
        row.emplace_back(std::move(field));
      } else {
        while (at < text.size() && text[at] != separator && text[at] != '\n') {
          demand(text[at] != '"' && text[at] != '\r', "a bare quote or return", text);
          field += text[at++];
        }
        row.push_back(field.empty() ? std::nullopt : std::optional(std::move(field)));
      }
      demand(at < text.size(), "a record without its end", text);
      if (text[at++] == '\n') break;
      demand(text[at - 1] == separator, "something behind a quote", text);
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

std::string unescaped(std::string text) {
  static constexpr std::pair<std::string_view, char> kEntities[] = {
      {"&lt;", '<'}, {"&gt;", '>'}, {"&#13;", '\r'}, {"&amp;", '&'}};
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    demand(text[i] != '<' && text[i] != '>' && text[i] != '\r', "not escaped", text);
    if (text[i] != '&') {
      out += text[i++];
      continue;
    }
    const std::size_t before = i;
    for (const auto& [entity, c] : kEntities) {
      if (std::string_view(text).substr(i).starts_with(entity)) {
        out += c;
        i += entity.size();
        break;
      }
    }
    demand(i != before, "an unknown entity", text);
  }
  return out;
}

std::vector<Row> read_html(const std::string& text, std::size_t columns) {
  constexpr std::string_view kBody = "<tbody>\n";
  std::size_t at = text.find(kBody) + kBody.size();
  std::vector<Row> rows;
  while (text.compare(at, 4, "<tr>") == 0) {
    at += 4;
    Row row;
    while (text.compare(at, 4, "<td>") == 0) {
      at += 4;
      constexpr std::string_view kNull = "<i>NULL</i>";
      if (text.compare(at, kNull.size(), kNull) == 0) {
        row.emplace_back();
        at += kNull.size();
        continue;
      }
      const std::size_t end = text.find('<', at);
      row.emplace_back(unescaped(text.substr(at, end - at)));
      at = end;
    }
    demand(text.compare(at, 6, "</tr>\n") == 0 && row.size() == columns, "a bad row", text);
    at += 6;
    rows.push_back(std::move(row));
  }
  const std::string end = "</tbody>\n</table>\n<p>" + std::to_string(rows.size()) +
                          (rows.size() == 1 ? " row" : " rows") + "</p>\n</body>\n</html>\n";
  demand(text.substr(at) == end, "another end", text.substr(at));
  return rows;
}

bool is_nested(ValueKind kind) {
  return kind >= ValueKind::kVariant;
}

// A field of CSV beside the same value in JSON.
void check_field(const sd::query::ResultColumn& column, const std::optional<std::string>& field,
                 const Value& json, const std::string& where) {
  const ValueKind kind = column.type.kind;
  const bool fraction = kind == ValueKind::kFloat || kind == ValueKind::kDouble;
  if (fraction && field && json.is_null()) {
    demand(*field == "NaN" || *field == "Infinity" || *field == "-Infinity", "a number", where);
  } else if (kind == ValueKind::kJson && field) {
    demand(same(parsed(*field, "a field of JSON"), json), "JSON differs", where);
  } else if (kind == ValueKind::kVariant && field) {
    demand(same(parsed(*field, "a VARIANT"), json), "VARIANT differs", where);
  } else if (is_nested(kind) && field) {
    demand(same(parsed(*field, "a nested field"), json), "a nested value differs", where);
  } else if (!field) {
    demand(json.is_null(), "NULL and a value", where);
  } else if (kind == ValueKind::kBoolean) {
    demand(json.as_bool() == (*field == "true"), "a BOOLEAN differs", where);
  } else {
    demand(!json.is_null() && *field == json.text(), "a value differs", where);
  }
}

// DuckDB's own text of a value is the same for these.
bool is_same_text(ValueKind kind) {
  switch (kind) {
    case ValueKind::kFloat:
    case ValueKind::kDouble:
    case ValueKind::kBlob:
    case ValueKind::kDate:
    case ValueKind::kTime:
    case ValueKind::kTimeNs:
    case ValueKind::kTimeTz:
    case ValueKind::kTimestamp:
    case ValueKind::kTimestampS:
    case ValueKind::kTimestampMs:
    case ValueKind::kTimestampNs:
    case ValueKind::kTimestampTz:
      return false;
    default:
      return kind < ValueKind::kVariant;
  }
}

// DuckDB's text of a DECIMAL without digits before its point has no zero there, which JSON demands.
std::optional<std::string> with_zero(const sd::query::ValueType& type,
                                     std::optional<std::string> text) {
  if (text && type.width != 0 && type.width == type.scale) {
    text->insert(text->starts_with('-') ? 1 : 0, "0");
  }
  return text;
}

// The rows of an array of JSON and of a compact document: each stands on a line, so that documents with more
// values than our parser takes at once are read too.
void check_array(const std::string& text, const std::vector<std::string>& lines) {
  std::string expected = "[";
  for (std::size_t i = 0; i < lines.size(); ++i) expected += (i == 0 ? "" : ",\n") + lines[i];
  demand(text == expected + "]\n", "json and ndjson differ", text);
}

std::vector<Value> read_compact(const std::string& text, std::size_t rows, std::size_t columns) {
  std::vector<std::string> lines = lines_of(text);
  const std::string end = "\"rows\":" + std::to_string(rows) + "}";
  demand(lines.size() == rows + 2 && lines.back() == end, "a compact document has an odd form",
         text);
  lines.pop_back();
  const Value head = parsed(lines[0] + "\"x\":0}", "the head of jsoncompact");
  demand(head.find("meta")->elements().size() == columns, "jsoncompact names other columns", text);
  std::vector<Value> out;
  for (std::size_t i = 1; i <= rows; ++i) {
    std::string line = i == 1 ? lines[i].substr(std::string_view("\"data\":[").size()) : lines[i];
    line.resize(line.size() - (i == rows ? 2 : 1));  // "]," or ","
    out.push_back(parsed(line, "a row of jsoncompact"));
  }
  if (rows < 50) parsed(text, "jsoncompact");
  return out;
}

void check_text(const Result& result, std::size_t soft_limit, const std::vector<std::string>& lines,
                const std::vector<Value>& rows, std::size_t expected) {
  const auto& columns = result.shape().columns();
  demand(rows.size() == expected, "another number of rows", std::to_string(rows.size()));
  check_array(*result.encode(Format::kJson, soft_limit), lines);
  const std::vector<Value> compact =
      read_compact(*result.encode(Format::kJsonCompact, soft_limit), rows.size(), columns.size());
  const auto csv = read_separated(*result.encode(Format::kCsv, soft_limit), ',');
  const auto tsv = read_separated(*result.encode(Format::kTsv, soft_limit), '\t');
  const auto html = read_html(*result.encode(Format::kHtml, soft_limit), columns.size());
  demand(csv.size() == rows.size() + 1 && tsv == csv, "CSV and TSV differ");
  demand(html == std::vector<Row>(csv.begin() + 1, csv.end()), "HTML and CSV differ");
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const auto& members = rows[r].members();
    const auto& cells = compact[r].elements();
    demand(members.size() == columns.size() && cells.size() == columns.size() &&
               csv[r + 1].size() == columns.size(),
           "another number of columns");
    for (std::size_t c = 0; c < columns.size(); ++c) {
      demand(members[c].first == columns[c].name && csv[0][c] == columns[c].name, "another name");
      demand(same(cells[c], members[c].second), "json and jsoncompact differ");
      check_field(columns[c], csv[r + 1][c], members[c].second, csv[r + 1][c].value_or("NULL"));
      if (c % 2 == 0 && is_same_text(columns[c].type.kind)) {
        demand(csv[r + 1][c] == with_zero(columns[c].type, csv[r + 1][c + 1]),
               "DuckDB's text differs",
               csv[r + 1][c].value_or("NULL") + " | " + csv[r + 1][c + 1].value_or("NULL"));
      }
    }
  }
}

// A union's first member that is NULL → a NULL union.
std::string without_null_unions(std::string line) {
  const std::string null = "{" + sd::json_string(sd::fuzz::kFirstMember) + ":null}";
  // From the inside out: a union in a union.
  for (std::size_t at = line.find(null); at != std::string::npos; at = line.find(null)) {
    line.replace(at, null.size(), "null");
  }
  return line;
}

void check_arrow(const Result& result, std::size_t soft_limit, std::vector<std::string> lines) {
  const auto stream = result.encode(Format::kArrow, soft_limit);
  if (!stream) {
    demand(stream.error().message.starts_with("an INTERVAL is too long") &&
               g_sql.find("INTERVAL") != std::string::npos,
           "Arrow refuses", stream.error().message);
    return;
  }
  try {
    const sd::query::testing::ArrowReader reader(*stream, result.shape());
    demand(reader.lines().size() == lines.size(), "Arrow has another number of rows");
    for (std::size_t i = 0; i < lines.size(); ++i) {
      demand(without_null_unions(reader.lines()[i]) == without_null_unions(lines[i]),
             "Arrow differs", reader.lines()[i] + "\n" + lines[i]);
    }
  } catch (const std::runtime_error& error) {
    finding(error.what());
  }
}

}  // namespace

// The stacks through DuckDB, which has no frame pointers, are all different: the sanitizer would keep
// more and more of them.
// NOLINTNEXTLINE(bugprone-reserved-identifier,readability-identifier-naming)
extern "C" const char* __asan_default_options() {
  return "malloc_context_size=2";
}

// libFuzzer runs an input again, to look for leaks, whenever something was allocated and not freed. DuckDB
// fills its caches nearly every time; the unit tests look for leaks.
extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  static char flag[] = "-detect_leaks=0";
  static std::vector<char*> arguments(*argv, *argv + *argc);
  arguments.insert(arguments.begin() + 1, flag);
  arguments.push_back(nullptr);
  *argv = arguments.data();
  ++*argc;
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Database database;
  if (size < 4) return 0;
  const sd::fuzz::RandomResult random(
      std::string_view(reinterpret_cast<const char*>(data) + 1, size - 1));
  g_sql = random.sql();
  Result result;
  if (!result.run(database.get(), random.sql())) return 0;
  const std::size_t soft_limit = data[0] % 4 == 0 ? SIZE_MAX : data[0] % 4 == 1 ? 1 : data[0] * 16;
  const std::vector<std::string> lines = lines_of(*result.encode(Format::kNdjson, soft_limit));
  std::vector<Value> rows;
  for (const std::string& line : lines) rows.push_back(parsed(line, "ndjson"));
  check_text(result, soft_limit, lines, rows, random.rows());
  check_arrow(result, soft_limit, lines);
  return 0;
}
