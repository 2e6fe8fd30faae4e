// The types that most columns have, written without a look at the room before each part.
#pragma once

#include <algorithm>
#include <cmath>

#include "query/value_text.h"
#include "query/vector_tree.h"

namespace sd::query {

// Room that frequent_text() wants.
inline constexpr std::size_t kFrequentBytes = kMostScalarBytes + 2;

// A value that is not NULL, as put_scalar() spells it, with times in quotes where JSON wants them; the end
// of what was written, or nullptr: it is of another type, or NaN or infinite.
template <bool kQuoteTimes>
inline char* frequent_text(char* p, const VectorTree& tree, idx_t row) {
  switch (tree.type->kind) {
    case ValueKind::kBoolean: {
      const bool value = tree.at<bool>(row);
      std::copy_n(value ? "true " : "false", 5, p);
      return p + (value ? 4 : 5);
    }
    case ValueKind::kInteger:
      return signed_text(p, tree.at<std::int32_t>(row));
    case ValueKind::kBigint:
      return signed_text(p, tree.at<std::int64_t>(row));
    case ValueKind::kDouble: {
      const double value = tree.at<double>(row);
      if (row < tree.millionths.size() && tree.millionths[row] != kNoMillionths)
        return millionths_text(p, tree.millionths[row], std::signbit(value));
      return std::isfinite(value) ? fraction_text(p, value) : nullptr;
    }
    case ValueKind::kTimestamp:
    case ValueKind::kTimestampTz:
      if (kQuoteTimes) *p++ = '"';
      p = timestamp_text<1'000'000>(p, tree.at<std::int64_t>(row),
                                    tree.type->kind == ValueKind::kTimestampTz);
      if (kQuoteTimes) *p++ = '"';
      return p;
    default:
      return nullptr;
  }
}

}  // namespace sd::query
