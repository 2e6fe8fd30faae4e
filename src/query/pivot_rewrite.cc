#include "query/pivot_rewrite.h"

#include <algorithm>
#include <utility>

namespace sd::query {
namespace {

bool ends_pivot_columns(const SqlTokens& tokens, std::size_t i) {
  static constexpr std::string_view kAfter[] = {"using", "group",     "order",  "limit",
                                                "union", "intersect", "except", "offset"};
  return std::ranges::any_of(kAfter, [&](std::string_view w) { return tokens.is_word(i, w); });
}

struct Insertion {
  std::size_t position;
  std::size_t order;  // among those at the same position
  std::string_view piece;
};

// The columns of one PIVOT: tokens from `begin` to `end`, separated by commas at `depth`.
void add_values(const SqlTokens& tokens, std::size_t begin, std::size_t end, std::uint32_t depth,
                std::vector<Insertion>& insertions) {
  std::size_t item = begin;
  bool has_in = false;
  for (std::size_t i = begin; i <= end; ++i) {
    const bool outside = i == end || tokens[i].depth == depth;
    if (i != end && outside && tokens.is_word(i, "in")) has_in = true;
    if (i != end && !(outside && tokens.is_symbol(i, ','))) continue;
    if (!has_in && i > item) {
      insertions.push_back({tokens[item].begin, insertions.size(), "("});
      insertions.push_back({tokens[i - 1].end, insertions.size(), ") IN ('x')"});
    }
    item = i + 1;
    has_in = false;
  }
}

}  // namespace

void RewrittenSql::insert(std::size_t position, std::string_view piece) {
  text_.insert(position + inserted_, piece);
  pieces_.push_back({position + inserted_, piece.size()});
  inserted_ += piece.size();
}

std::size_t RewrittenSql::original_position(std::size_t position) const {
  std::size_t removed = 0;
  for (const Piece& piece : pieces_) {
    if (piece.at >= position) break;
    removed += std::min(piece.length, position - piece.at);
  }
  return position - removed;
}

RewrittenSql with_pivot_values(std::string_view sql, const SqlTokens& tokens) {
  std::vector<Insertion> insertions;
  for (std::size_t pivot = 0; pivot < tokens.size(); ++pivot) {
    if (!tokens.is_word(pivot, "pivot") && !tokens.is_word(pivot, "pivot_wider")) continue;
    const std::uint32_t depth = tokens[pivot].depth;
    // The last ON before the brackets around it close: those before it belong to joins of the
    // source.
    std::size_t on = 0;
    std::size_t end = pivot + 1;
    for (; end < tokens.size() && tokens[end].depth >= depth; ++end) {
      if (tokens[end].depth != depth) continue;
      if (tokens.is_symbol(end, ';')) break;
      if (tokens.is_word(end, "on")) on = end;
      if (on != 0 && ends_pivot_columns(tokens, end)) break;
    }
    if (on != 0) add_values(tokens, on + 1, end, depth, insertions);
  }
  std::ranges::sort(insertions, {}, [](const Insertion& insertion) {
    return std::pair(insertion.position, insertion.order);
  });
  RewrittenSql rewritten(sql);
  for (const Insertion& insertion : insertions) {
    rewritten.insert(insertion.position, insertion.piece);
  }
  return rewritten;
}

}  // namespace sd::query
