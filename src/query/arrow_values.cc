// Values of ArrowArrays that are not nested.
#include "query/arrow_array.h"
#include "query/plain_value.h"
#include "query/validity_runs.h"
#include "query/value_text.h"

namespace sd::query {

Error ArrowArray::too_large() {
  return invalid("the rows are too large for Arrow, which counts to 2^31 in one batch");
}

void ArrowArray::append_bools(const VectorTree& tree, idx_t from, idx_t count) {
  for (idx_t done = 0; done < count; done += 64) {
    const auto n = static_cast<unsigned>(std::min<idx_t>(64, count - done));
    std::uint64_t bits = 0;
    for (unsigned i = 0; i < n; ++i) {
      const idx_t row = from + done + i;
      bits |= std::uint64_t{tree.valid(row) && tree.at<bool>(row)} << i;
    }
    append_bits(bits, n, values_, length_ + done);
  }
}

void ArrowArray::append_fixed(const VectorTree& tree, idx_t from, idx_t count) {
  char* to = values_.extend(count * width_);
  std::memcpy(to, static_cast<const char*>(tree.data) + from * width_, count * width_);
  for_nulls(tree, from, count,
            [&](idx_t row) { std::memset(to + (row - from) * width_, 0, width_); });
}

template <typename T>
void ArrowArray::append_decimals(const VectorTree& tree, idx_t from, idx_t count) {
  char* to = values_.extend(count * sizeof(Int128));
  for (idx_t row = from; row < from + count; ++row, to += sizeof(Int128)) {
    const Int128 value = tree.valid(row) ? Int128{tree.at<T>(row)} : Int128{0};
    std::memcpy(to, &value, sizeof value);
  }
}

void ArrowArray::append_wide(const VectorTree& tree, idx_t from, idx_t count) {
  char* to = values_.extend(count * 32);
  std::memset(to, 0, count * 32);
  for (idx_t row = from; row < from + count; ++row, to += 32) {
    if (tree.valid(row)) std::memcpy(to, &tree.at<duckdb_uhugeint>(row), sizeof(duckdb_uhugeint));
  }
}

Result<> ArrowArray::append_intervals(const VectorTree& tree, idx_t from, idx_t count) {
  struct MonthDayNano {
    std::int32_t months;
    std::int32_t days;
    std::int64_t nanos;
  };
  char* to = values_.extend(count * sizeof(MonthDayNano));
  for (idx_t row = from; row < from + count; ++row, to += sizeof(MonthDayNano)) {
    MonthDayNano value{};
    if (tree.valid(row)) {
      const auto& interval = tree.at<duckdb_interval>(row);
      value.months = interval.months;
      value.days = interval.days;
      if (__builtin_mul_overflow(interval.micros, std::int64_t{1000}, &value.nanos)) {
        return fail(invalid(
            "an INTERVAL is too long for Arrow, which counts nanoseconds: cast it to VARCHAR"));
      }
    }
    std::memcpy(to, &value, sizeof value);
  }
  return {};
}

Result<> ArrowArray::append_bytes(const VectorTree& tree, idx_t from, idx_t count) {
  constexpr std::size_t kInlined = 12;  // a string_t of at most so many bytes holds them itself
  char* offsets = offsets_.extend(count * sizeof(std::int32_t));
  // Room for all that are short; one that is long makes its own.
  char* to = values_.room(count * kInlined);
  for (idx_t row = from; row < from + count; ++row, offsets += sizeof(std::int32_t)) {
    if (tree.valid(row)) {
      const auto& text = tree.at<duckdb_string_t>(row);
      const std::uint32_t length = text.value.inlined.length;
      if (length <= kInlined) {
        std::memcpy(to, text.value.inlined.inlined, kInlined);  // the rest is written over
      } else {
        values_.set_end(to);
        to = values_.room(length + (from + count - row) * kInlined);
        std::memcpy(to, text.value.pointer.ptr, length);
      }
      to += length;
    }
    const auto offset = static_cast<std::int32_t>(to - values_.data());
    std::memcpy(offsets, &offset, sizeof offset);
  }
  values_.set_end(to);
  if (values_.size() > kMostOffset) return fail(too_large());
  return {};
}

Result<> ArrowArray::append_text(const VectorTree& tree, idx_t from, idx_t count) {
  for (idx_t row = from; row < from + count; ++row) {
    if (tree.valid(row)) {
      scratch_.clear();
      {
        TextSink sink(scratch_);
        put_plain(sink, tree, row);
      }
      if (values_.size() + scratch_.size() > kMostOffset) return fail(too_large());
      values_.append(scratch_);
    }
    const auto offset = static_cast<std::int32_t>(values_.size());
    std::memcpy(offsets_.extend(sizeof offset), &offset, sizeof offset);
  }
  return {};
}

template void ArrowArray::append_decimals<std::int16_t>(const VectorTree&, idx_t, idx_t);
template void ArrowArray::append_decimals<std::int32_t>(const VectorTree&, idx_t, idx_t);
template void ArrowArray::append_decimals<std::int64_t>(const VectorTree&, idx_t, idx_t);

}  // namespace sd::query
