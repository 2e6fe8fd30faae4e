// PIVOT … ON x without IN, in a form that json_serialize_sql takes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "query/sql_tokens.h"

namespace sd::query {

// A text with pieces put in, and the way back to where things stood before.
class RewrittenSql {
 public:
  explicit RewrittenSql(std::string_view original) : text_(original) {}

  // Before `position` of the original. Pieces come in the order of their positions.
  void insert(std::size_t position, std::string_view piece);
  // A position of the new text in the original.
  std::size_t original_position(std::size_t position) const;
  const std::string& text() const { return text_; }
  bool changed() const { return !pieces_.empty(); }

 private:
  struct Piece {
    std::size_t at;  // in the new text
    std::size_t length;
  };
  std::string text_;
  std::vector<Piece> pieces_;
  std::size_t inserted_ = 0;
};

// `sql` with " IN ('x')" behind each pivot column that has no IN, for every PIVOT statement in it
// (PIVOT t ON a, b → PIVOT t ON (a) IN ('x'), (b) IN ('x')). Nothing else changes, so whatever the
// original reads or calls, this does too: it is for judging, never for running.
RewrittenSql with_pivot_values(std::string_view sql, const SqlTokens& tokens);

}  // namespace sd::query
