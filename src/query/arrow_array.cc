#include "query/arrow_array.h"

#include "query/validity_runs.h"

namespace sd::query {
namespace {

std::size_t width_of(ValueKind kind) {
  switch (kind) {
    case ValueKind::kTinyint:
    case ValueKind::kUtinyint:
      return 1;
    case ValueKind::kSmallint:
    case ValueKind::kUsmallint:
      return 2;
    case ValueKind::kInteger:
    case ValueKind::kUinteger:
    case ValueKind::kFloat:
    case ValueKind::kDate:
      return 4;
    case ValueKind::kHugeint:
    case ValueKind::kDecimal128:
      return 16;
    default:
      return 8;
  }
}

}  // namespace

ArrowArray::Layout ArrowArray::layout_of(ValueKind kind) {
  switch (kind) {
    case ValueKind::kNull:
      return Layout::kNull;
    case ValueKind::kBoolean:
      return Layout::kBool;
    case ValueKind::kDecimal16:
    case ValueKind::kDecimal32:
    case ValueKind::kDecimal64:
      return Layout::kDecimal;
    case ValueKind::kUhugeint:
      return Layout::kWide;
    case ValueKind::kInterval:
      return Layout::kInterval;
    case ValueKind::kVarchar:
    case ValueKind::kJson:
    case ValueKind::kBlob:
    case ValueKind::kGeometry:
      return Layout::kBytes;
    case ValueKind::kBit:
    case ValueKind::kBignum:
    case ValueKind::kUuid:
    case ValueKind::kEnum8:
    case ValueKind::kEnum16:
    case ValueKind::kEnum32:
    case ValueKind::kTimeTz:
    case ValueKind::kVariant:
      return Layout::kText;
    case ValueKind::kList:
      return Layout::kList;
    case ValueKind::kMap:
      return Layout::kMap;
    case ValueKind::kArray:
      return Layout::kFixedList;
    case ValueKind::kStruct:
      return Layout::kStruct;
    case ValueKind::kUnion:
      return Layout::kUnion;
    default:
      return Layout::kFixed;
  }
}

ArrowArray::ArrowArray(const ValueType& type)
    : layout_(layout_of(type.kind)), width_(width_of(type.kind)), array_size_(type.array_size) {
  for (const ValueType& child : type.children) children_.emplace_back(child);
  clear();
}

void ArrowArray::clear() {
  length_ = 0;
  null_count_ = 0;
  validity_.clear();
  offsets_.clear();
  values_.clear();
  const bool has_offsets = layout_ == Layout::kBytes || layout_ == Layout::kText ||
                           layout_ == Layout::kList || layout_ == Layout::kMap;
  if (has_offsets) offsets_.zeros(sizeof(std::int32_t));
  for (ArrowArray& child : children_) child.clear();
}

std::size_t ArrowArray::bytes() const {
  std::size_t sum = length_ / 8 + offsets_.size() + values_.size();
  for (const ArrowArray& child : children_) sum += child.bytes();
  return sum;
}

void ArrowArray::collect(std::vector<Node>& nodes, std::vector<std::string_view>& buffers) const {
  const auto as_node = [](std::uint64_t length, std::uint64_t nulls) {
    return Node{static_cast<std::int64_t>(length), static_cast<std::int64_t>(nulls)};
  };
  const std::size_t bitmap = (length_ + 7) / 8;
  nodes.push_back(as_node(length_, layout_ == Layout::kUnion ? 0 : null_count_));
  if (layout_ == Layout::kNull) return;
  if (layout_ != Layout::kUnion) {
    buffers.push_back(null_count_ == 0 ? std::string_view() : validity_.view().substr(0, bitmap));
  }
  if (offsets_.size() != 0) buffers.push_back(offsets_.view());
  switch (layout_) {
    case Layout::kList:
    case Layout::kFixedList:
    case Layout::kStruct:
      break;
    case Layout::kMap:
      nodes.push_back(as_node(children_[0].length_, 0));
      buffers.emplace_back();
      break;
    case Layout::kBool:
      buffers.push_back(values_.view().substr(0, bitmap));
      break;
    default:
      buffers.push_back(values_.view());
  }
  for (const ArrowArray& child : children_) child.collect(nodes, buffers);
}

void ArrowArray::append_bits(std::uint64_t bits, unsigned count, GrowingBytes& to,
                             std::uint64_t at) {
  const auto shift = static_cast<unsigned>(at & 63);
  if (shift != 0) {
    char* last = to.data() + (at >> 6) * 8;
    std::uint64_t word = 0;
    std::memcpy(&word, last, sizeof word);
    word |= bits << shift;
    std::memcpy(last, &word, sizeof word);
    if (shift + count <= 64) return;
    bits >>= 64 - shift;
  }
  std::memcpy(to.extend(sizeof bits), &bits, sizeof bits);
}

void ArrowArray::append_validity(bool valid, idx_t count) {
  if (valid && null_count_ == 0) return;  // the bitmap begins with the first NULL
  const auto append = [&](std::uint64_t from, std::uint64_t bits, idx_t n) {
    for (idx_t done = 0; done < n; done += 64) {
      const auto part = static_cast<unsigned>(std::min<idx_t>(64, n - done));
      append_bits(low_bits(bits, part), part, validity_, from + done);
    }
  };
  if (null_count_ == 0) append(0, ~std::uint64_t{0}, length_);
  append(length_, valid ? ~std::uint64_t{0} : 0, count);
  if (!valid) null_count_ += count;
}

void ArrowArray::append_validity(const VectorTree& tree, idx_t from, idx_t count) {
  const std::uint64_t nulls = count_nulls(tree, from, count);
  if (nulls == 0) return append_validity(true, count);
  // Makes the bitmap, where there is none yet, of what came before.
  if (null_count_ == 0) {
    null_count_ = nulls;
    const std::uint64_t before = std::exchange(length_, 0);
    append_validity(true, before);
    length_ = before;
  } else {
    null_count_ += nulls;
  }
  std::uint64_t at = length_;
  for_words(tree, from, count, [&](std::uint64_t bits, idx_t, unsigned n) {
    append_bits(bits, n, validity_, at);
    at += n;
  });
}

// Rows that are NULL whatever their vectors hold: members of a NULL struct, elements of a NULL array.
void ArrowArray::append_nulls(idx_t count) {
  if (count == 0) return;
  append_validity(false, count);
  switch (layout_) {
    case Layout::kNull:
      break;
    case Layout::kBool:
      for (idx_t i = 0; i < count; i += 64) {
        append_bits(0, static_cast<unsigned>(std::min<idx_t>(64, count - i)), values_, length_ + i);
      }
      break;
    case Layout::kFixed:
      values_.zeros(count * width_);
      break;
    case Layout::kDecimal:
    case Layout::kInterval:
      values_.zeros(count * 16);
      break;
    case Layout::kWide:
      values_.zeros(count * 32);
      break;
    case Layout::kBytes:
    case Layout::kText:
    case Layout::kList:
    case Layout::kMap:
      for (idx_t i = 0; i < count; ++i) {
        char* to = offsets_.extend(sizeof(std::int32_t));
        std::memcpy(to, to - sizeof(std::int32_t), sizeof(std::int32_t));
      }
      break;
    case Layout::kFixedList:
      children_[0].append_nulls(count * array_size_);
      break;
    case Layout::kUnion:
      values_.zeros(count);
      [[fallthrough]];
    case Layout::kStruct:
      for (ArrowArray& child : children_) child.append_nulls(count);
      break;
  }
  length_ += count;
}

Result<> ArrowArray::append(const VectorTree& tree, idx_t from, idx_t count) {
  if (count == 0) return {};
  if (layout_ == Layout::kNull) {
    append_nulls(count);
    return {};
  }
  append_validity(tree, from, count);
  switch (layout_) {
    case Layout::kNull:
      break;
    case Layout::kBool:
      append_bools(tree, from, count);
      break;
    case Layout::kFixed:
      append_fixed(tree, from, count);
      break;
    case Layout::kDecimal:
      if (tree.type->kind == ValueKind::kDecimal16)
        append_decimals<std::int16_t>(tree, from, count);
      if (tree.type->kind == ValueKind::kDecimal32)
        append_decimals<std::int32_t>(tree, from, count);
      if (tree.type->kind == ValueKind::kDecimal64)
        append_decimals<std::int64_t>(tree, from, count);
      break;
    case Layout::kWide:
      append_wide(tree, from, count);
      break;
    case Layout::kInterval:
      TRY(append_intervals(tree, from, count));
      break;
    case Layout::kBytes:
      TRY(append_bytes(tree, from, count));
      break;
    case Layout::kText:
      TRY(append_text(tree, from, count));
      break;
    case Layout::kList:
    case Layout::kMap:
      TRY(append_lists(tree, from, count));
      break;
    case Layout::kFixedList:
      TRY(append_elements(tree, from, count));
      break;
    case Layout::kStruct:
    case Layout::kUnion:
      TRY(append_members(tree, from, count));
      break;
  }
  length_ += count;
  return {};
}

Result<> ArrowArray::append_lists(const VectorTree& tree, idx_t from, idx_t count) {
  // Lists that follow one another in their child go over in one piece, as they nearly always do.
  duckdb_list_entry piece{0, 0};
  const auto flush = [&]() -> Result<> {
    for (std::size_t i = 0; i < children_.size(); ++i) {
      TRY(children_[i].append(tree.children[i], piece.offset, piece.length));
    }
    return {};
  };
  std::uint64_t end = children_[0].length_;
  for (idx_t row = from; row < from + count; ++row) {
    if (tree.valid(row)) {
      const auto& entry = tree.at<duckdb_list_entry>(row);
      end += entry.length;
      if (end > kMostOffset) return fail(too_large());
      if (piece.offset + piece.length == entry.offset) {
        piece.length += entry.length;
      } else if (entry.length != 0) {
        TRY(flush());
        piece = entry;
      }
    }
    const auto offset = static_cast<std::int32_t>(end);
    std::memcpy(offsets_.extend(sizeof offset), &offset, sizeof offset);
  }
  return flush();
}

Result<> ArrowArray::append_elements(const VectorTree& tree, idx_t from, idx_t count) {
  return for_runs(tree, from, count, [&](bool valid, idx_t first, idx_t rows) -> Result<> {
    if (valid) {
      return children_[0].append(tree.children[0], first * array_size_, rows * array_size_);
    }
    children_[0].append_nulls(rows * array_size_);
    return {};
  });
}

Result<> ArrowArray::append_members(const VectorTree& tree, idx_t from, idx_t count) {
  constexpr std::size_t kMostMembers = 128;
  const std::size_t tags = layout_ == Layout::kUnion ? 1 : 0;
  if (tags != 0 && children_.size() > kMostMembers) {
    return fail(invalid("a UNION of more than 128 members cannot be in Arrow"));
  }
  return for_runs(tree, from, count, [&](bool valid, idx_t first, idx_t rows) -> Result<> {
    if (tags != 0) {
      char* to = values_.extend(rows);
      std::memset(to, 0, rows);
      if (valid) std::memcpy(to, &tree.children[0].at<std::uint8_t>(first), rows);
    }
    for (std::size_t i = 0; i < children_.size(); ++i) {
      if (valid)
        TRY(children_[i].append(tree.children[i + tags], first, rows));
      else
        children_[i].append_nulls(rows);
    }
    return {};
  });
}

}  // namespace sd::query
