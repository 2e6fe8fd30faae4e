#include "query/sql_error.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "destinations/duckdb/handles.h"

namespace sd::query {
namespace {

// Start of the n-th line, counted from 1 as DuckDB counts: \n, \r\n and \r end one.
std::optional<std::size_t> line_start(std::string_view sql, std::size_t line) {
  std::size_t at = 0;
  for (std::size_t current = 1; current < line; ++current) {
    at = sql.find_first_of("\r\n", at);
    if (at == std::string_view::npos) return std::nullopt;
    at += sql.substr(at).starts_with("\r\n") ? 2 : 1;
  }
  return at;
}

// How many bytes of `text` are `columns` code points: what a caret under it points at.
std::size_t bytes_of(std::string_view text, std::size_t columns) {
  std::size_t i = 0;
  while (i < text.size() && columns > 0) {
    ++i;
    while (i < text.size() && (static_cast<unsigned char>(text[i]) & 0xC0) == 0x80) ++i;
    --columns;
  }
  return i;
}

// Reads "\nLINE 2: ...part of the line...\n               ^". The part may be cut on both sides;
// where it stands more than once in its line, nobody can say which is meant.
std::optional<std::size_t> position_in(std::string_view message, std::string_view sql) {
  constexpr std::string_view kLine = "\nLINE ";
  std::size_t at = message.rfind(kLine);
  if (at == std::string_view::npos) return std::nullopt;
  std::string_view excerpt = message.substr(at + kLine.size());
  std::size_t number = 0;
  const auto [end, code] = std::from_chars(excerpt.data(), excerpt.data() + excerpt.size(), number);
  if (code != std::errc() || !std::string_view(end).starts_with(": ")) return std::nullopt;
  const std::size_t indent =
      static_cast<std::size_t>(end - excerpt.data()) + 2 + kLine.size() - 1;  // "LINE n: "
  excerpt = message.substr(at + 1 + indent);
  const std::size_t line_end = excerpt.find('\n');
  if (line_end == std::string_view::npos) return std::nullopt;
  const std::size_t caret = excerpt.substr(line_end + 1).find('^');
  if (caret == std::string_view::npos || caret < indent) return std::nullopt;
  excerpt = excerpt.substr(0, line_end);
  std::size_t columns = caret - indent;

  const auto start = line_start(sql, number);
  if (!start) return std::nullopt;
  std::string_view line = sql.substr(*start);
  line = line.substr(0, line.find_first_of("\r\n"));
  constexpr std::string_view kCut = "...";
  if (!line.starts_with(excerpt) && excerpt.starts_with(kCut) && columns >= kCut.size()) {
    excerpt.remove_prefix(kCut.size());
    columns -= kCut.size();
  }
  if (line.find(excerpt) == std::string_view::npos && excerpt.ends_with(kCut)) {
    excerpt.remove_suffix(kCut.size());
  }
  const std::size_t found = line.find(excerpt);
  if (found == std::string_view::npos || line.find(excerpt, found + 1) != std::string_view::npos) {
    return std::nullopt;
  }
  return *start + found + bytes_of(excerpt, columns);
}

// Without the sentences and lines in which DuckDB guesses at names that exist.
std::string without_guesses(std::string_view message) {
  std::string out(message);
  for (const std::string_view guess : {"Did you mean", "Candidate tables:"}) {
    for (std::size_t at = out.find(guess); at != std::string::npos; at = out.find(guess, at)) {
      out.erase(at, std::min(out.find('\n', at), out.size()) - at);
      while (at > 0 && (out[at - 1] == '\n' || out[at - 1] == ' ')) out.erase(--at, 1);
    }
  }
  return out;
}

}  // namespace

std::string_view without_advice(std::string_view message) {
  // Of settings and extensions, which nobody may change here.
  for (const std::string_view end :
       {"\n\nStack Trace:", "\n\nPossible solutions:", " Use \"SET max_expression_depth",
        "\n\nTry installing and loading"}) {
    message = message.substr(0, message.find(end));
  }
  return message;
}

Error sql_error(duckdb_error_type type, std::string_view message, std::string_view sql,
                std::string slug, bool limited) {
  Error error = destinations::duckdb::duckdb_error(type, message);
  error.message = without_advice(error.message);
  if (error.code != ErrorCode::kInvalidArgument) {
    // An I/O error names the file.
    if (type == DUCKDB_ERROR_IO) error.message = "the database's storage reports an error";
    return error;
  }
  if (limited) error.message = without_guesses(error.message);
  if (const auto position = position_in(message, sql)) {
    error.members.emplace_back("sql_position", std::to_string(*position));
  }
  return std::move(error).with_slug(std::move(slug));
}

}  // namespace sd::query
