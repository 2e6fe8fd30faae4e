// SQL text → tokens, by the rules of DuckDB's lexer (PostgreSQL's, with DuckDB's white space), as
// far as the gate needs them: what is a word, what a quoted thing, where do statements end.
//
// Nothing is decided from tokens alone that DuckDB's parser does not check again, but which keyword
// leads and how deep brackets go: before that no parser should see the text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sd::query {

struct SqlToken {
  enum class Kind : std::uint8_t {
    kWord,    // unquoted identifier or keyword
    kName,    // "quoted identifier"
    kString,  // 'text', E'text', $tag$text$tag$ …
    kNumber,
    kSymbol,  // one byte: brackets, commas, operators
  };
  Kind kind;
  std::uint32_t depth;  // of brackets around it; a bracket itself has that of what is outside it
  std::size_t begin;
  std::size_t end;
};

class SqlTokens {
 public:
  // kInvalidArgument, slug "sql-syntax": an unterminated string or comment, a closing bracket too
  // many; brackets deeper than max_depth.
  static Result<SqlTokens> read(std::string_view sql, std::uint32_t max_depth);

  std::size_t size() const { return tokens_.size(); }
  const SqlToken& operator[](std::size_t i) const { return tokens_[i]; }
  std::string_view text(std::size_t i) const {
    return sql_.substr(tokens_[i].begin, tokens_[i].end - tokens_[i].begin);
  }
  // Keywords have no case. False behind the last token.
  bool is_word(std::size_t i, std::string_view lower) const;
  bool is_symbol(std::size_t i, char symbol) const;

 private:
  std::string_view sql_;
  std::vector<SqlToken> tokens_;
};

// An Error with the slug and, as sql_position, a byte offset from 0.
Error sql_problem(std::string message, std::string slug, std::size_t position);

}  // namespace sd::query
