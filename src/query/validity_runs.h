// Which rows of a DuckDB vector are NULL, 64 at a time.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

#include "base/result.h"
#include "query/vector_tree.h"

namespace sd::query {

// The lowest `count` bits, at most 64.
inline std::uint64_t low_bits(std::uint64_t bits, unsigned count) {
  return count == 64 ? bits : bits & ((std::uint64_t{1} << count) - 1);
}

// Bits [from, from + count) of a bitmap, count at most 64.
inline std::uint64_t bits_at(const std::uint64_t* bitmap, idx_t from, unsigned count) {
  const unsigned shift = from & 63;
  std::uint64_t bits = bitmap[from >> 6] >> shift;
  if (shift + count > 64) bits |= bitmap[(from >> 6) + 1] << (64 - shift);
  return low_bits(bits, count);
}

// Calls visit(bits, first row, rows) for stretches of up to 64 rows; a set bit is a valid row.
template <typename Visit>
void for_words(const VectorTree& tree, idx_t from, idx_t count, Visit visit) {
  for (idx_t done = 0; done < count; done += 64) {
    const auto n = static_cast<unsigned>(std::min<idx_t>(64, count - done));
    visit(bits_at(tree.validity, from + done, n), from + done, n);
  }
}

inline std::uint64_t count_nulls(const VectorTree& tree, idx_t from, idx_t count) {
  if (tree.validity == nullptr) return 0;
  std::uint64_t valid = 0;
  for_words(tree, from, count, [&](std::uint64_t bits, idx_t, unsigned) {
    valid += static_cast<std::uint64_t>(std::popcount(bits));
  });
  return count - valid;
}

// Calls visit(row) for each NULL.
template <typename Visit>
void for_nulls(const VectorTree& tree, idx_t from, idx_t count, Visit visit) {
  if (tree.validity == nullptr) return;
  for_words(tree, from, count, [&](std::uint64_t bits, idx_t first, unsigned n) {
    for (std::uint64_t nulls = low_bits(~bits, n); nulls != 0; nulls &= nulls - 1) {
      visit(first + static_cast<idx_t>(std::countr_zero(nulls)));
    }
  });
}

// Calls visit(valid, first row, rows) for stretches that are all valid or all NULL.
template <typename Visit>
Result<> for_runs(const VectorTree& tree, idx_t from, idx_t count, Visit visit) {
  if (count_nulls(tree, from, count) == 0) return visit(true, from, count);
  for (idx_t row = from; row < from + count;) {
    const bool valid = tree.valid(row);
    const idx_t first = row;
    while (row < from + count && tree.valid(row) == valid) ++row;
    TRY(visit(valid, first, row - first));
  }
  return {};
}

}  // namespace sd::query
