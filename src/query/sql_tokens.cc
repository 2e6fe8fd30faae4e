#include "query/sql_tokens.h"

#include <algorithm>

#include "base/ascii.h"

namespace sd::query {
namespace {

bool is_word_start(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
}
bool is_digit(unsigned char c) {
  return c >= '0' && c <= '9';
}
bool is_word_part(unsigned char c) {
  return is_word_start(c) || is_digit(c) || c == '$';
}
bool is_ascii_space(unsigned char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

// DuckDB takes these for white space: U+00A0, U+2000–200B, U+202F, U+205F, U+2060, U+3000, U+FEFF.
std::size_t unicode_space(std::string_view text) {
  const auto at = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  if (at(0) == 0xC2 && at(1) == 0xA0) return 2;
  if (at(0) == 0xE2 && at(1) == 0x80 && ((at(2) >= 0x80 && at(2) <= 0x8B) || at(2) == 0xAF))
    return 3;
  if (at(0) == 0xE2 && at(1) == 0x81 && (at(2) == 0x9F || at(2) == 0xA0)) return 3;
  if (at(0) == 0xE3 && at(1) == 0x80 && at(2) == 0x80) return 3;
  if (at(0) == 0xEF && at(1) == 0xBB && at(2) == 0xBF) return 3;
  return 0;
}

class Lexer {
 public:
  Lexer(std::string_view sql, std::uint32_t max_depth) : sql_(sql), max_depth_(max_depth) {}

  Result<std::vector<SqlToken>> run() {
    while (true) {
      TRY(skip_space());
      if (at_ == sql_.size()) return std::move(tokens_);
      TRY(token());
    }
  }

 private:
  unsigned char peek(std::size_t ahead = 0) const {
    return at_ + ahead < sql_.size() ? static_cast<unsigned char>(sql_[at_ + ahead]) : 0;
  }

  Result<> skip_space() {
    while (at_ < sql_.size()) {
      if (is_ascii_space(peek())) {
        ++at_;
      } else if (const std::size_t n = unicode_space(sql_.substr(at_)); n != 0) {
        at_ += n;
      } else if (peek() == '-' && peek(1) == '-') {
        while (at_ < sql_.size() && peek() != '\n' && peek() != '\r') ++at_;
      } else if (peek() == '/' && peek(1) == '*') {
        TRY(skip_comment());
      } else {
        break;
      }
    }
    return {};
  }

  // Comments nest.
  Result<> skip_comment() {
    const std::size_t begin = at_;
    std::size_t open = 0;
    while (at_ < sql_.size()) {
      if (peek() == '/' && peek(1) == '*') {
        ++open;
        at_ += 2;
      } else if (peek() == '*' && peek(1) == '/') {
        at_ += 2;
        if (--open == 0) return {};
      } else {
        ++at_;
      }
    }
    return fail(sql_problem("a comment (/* …) does not end", "sql-syntax", begin));
  }

  void add(SqlToken::Kind kind, std::size_t begin) {
    tokens_.push_back({kind, depth_, begin, at_});
  }

  Result<> token() {
    const std::size_t begin = at_;
    const unsigned char c = peek();
    if (c == '\'') return quoted('\'', false, SqlToken::Kind::kString, begin);
    if (c == '"') return quoted('"', false, SqlToken::Kind::kName, begin);
    if (peek(1) == '\'' && (c == 'e' || c == 'E')) {
      ++at_;
      return quoted('\'', true, SqlToken::Kind::kString, begin);
    }
    if (peek(1) == '\'' && (c == 'x' || c == 'X' || c == 'b' || c == 'B' || c == 'n' || c == 'N')) {
      ++at_;
      return quoted('\'', false, SqlToken::Kind::kString, begin);
    }
    if (is_word_start(c)) {
      while (at_ < sql_.size() && is_word_part(peek()) && unicode_space(sql_.substr(at_)) == 0)
        ++at_;
      add(SqlToken::Kind::kWord, begin);
      return {};
    }
    if (is_digit(c)) {
      while (is_digit(peek()) || is_word_start(peek())) ++at_;
      add(SqlToken::Kind::kNumber, begin);
      return {};
    }
    if (c == '$' && (peek(1) == '$' || is_word_start(peek(1)))) {
      if (const std::size_t tag = dollar_tag(); tag != 0) return dollar_quoted(tag, begin);
    }
    return symbol(c, begin);
  }

  Result<> symbol(unsigned char c, std::size_t begin) {
    ++at_;
    if (c == '(' || c == '[' || c == '{') {
      add(SqlToken::Kind::kSymbol, begin);
      if (++depth_ > max_depth_) {
        return fail(
            sql_problem("brackets are nested more than " + std::to_string(max_depth_) + " deep",
                        "sql-not-allowed", begin));
      }
      return {};
    }
    if (c == ')' || c == ']' || c == '}') {
      if (depth_ == 0) {
        return fail(sql_problem("a closing bracket has no opening one", "sql-syntax", begin));
      }
      --depth_;
    }
    add(SqlToken::Kind::kSymbol, begin);
    return {};
  }

  Result<> quoted(char quote, bool backslash, SqlToken::Kind kind, std::size_t begin) {
    ++at_;
    while (at_ < sql_.size()) {
      const char c = sql_[at_];
      if (backslash && c == '\\' && at_ + 1 < sql_.size()) {
        at_ += 2;
      } else if (c != quote) {
        ++at_;
      } else if (at_ + 1 < sql_.size() && sql_[at_ + 1] == quote) {
        at_ += 2;
      } else if (const std::size_t next = backslash ? continuation() : 0; next != 0) {
        at_ = next + 1;
      } else {
        ++at_;
        add(kind, begin);
        return {};
      }
    }
    return fail(sql_problem(quote == '"' ? "a quoted name does not end" : "a string does not end",
                            "sql-syntax", begin));
  }

  // E'a' <newline> 'b' is one string, and the rules of E hold in its second part too. Where that begins; 0
  // where the string ends at the quote under the cursor.
  std::size_t continuation() const {
    bool line_ended = false;
    std::size_t i = at_ + 1;
    while (i < sql_.size()) {
      const std::string_view rest = sql_.substr(i);
      if (rest[0] == '\n' || rest[0] == '\r') line_ended = true;
      if (is_ascii_space(static_cast<unsigned char>(rest[0]))) {
        ++i;
      } else if (const std::size_t n = unicode_space(rest); n != 0) {
        i += n;
      } else if (rest.starts_with("--")) {
        i += std::min(rest.find_first_of("\r\n"), rest.size());
      } else {
        break;
      }
    }
    return line_ended && i < sql_.size() && sql_[i] == '\'' ? i : 0;
  }

  // Length of $tag$ at the cursor, 0 where there is none.
  std::size_t dollar_tag() const {
    std::size_t n = 1;
    while (is_word_start(peek(n)) || (n > 1 && is_digit(peek(n)))) ++n;
    return peek(n) == '$' ? n + 1 : 0;
  }
  Result<> dollar_quoted(std::size_t tag, std::size_t begin) {
    const std::size_t end = sql_.find(sql_.substr(begin, tag), begin + tag);
    if (end == std::string_view::npos) {
      return fail(sql_problem("a string in dollar quotes does not end", "sql-syntax", begin));
    }
    at_ = end + tag;
    add(SqlToken::Kind::kString, begin);
    return {};
  }

  std::string_view sql_;
  std::uint32_t max_depth_;
  std::size_t at_ = 0;
  std::uint32_t depth_ = 0;
  std::vector<SqlToken> tokens_;
};

}  // namespace

Result<SqlTokens> SqlTokens::read(std::string_view sql, std::uint32_t max_depth) {
  SqlTokens tokens;
  tokens.sql_ = sql;
  TRY_ASSIGN(tokens.tokens_, Lexer(sql, max_depth).run());
  return tokens;
}

bool SqlTokens::is_word(std::size_t i, std::string_view lower) const {
  return i < size() && tokens_[i].kind == SqlToken::Kind::kWord &&
         same_ascii_folded(text(i), lower);
}

bool SqlTokens::is_symbol(std::size_t i, char symbol) const {
  return i < size() && tokens_[i].kind == SqlToken::Kind::kSymbol && text(i)[0] == symbol;
}

Error sql_problem(std::string message, std::string slug, std::size_t position) {
  return invalid(std::move(message))
      .with_slug(std::move(slug))
      .with_member("sql_position", std::to_string(position));
}

}  // namespace sd::query
