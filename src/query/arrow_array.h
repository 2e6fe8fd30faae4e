// Arrow arrays that grow: ranges of DuckDB's vectors are appended, the buffers go out as one record
// batch, and the array begins anew with the memory that it has.
//
// Layouts as in the Arrow columnar format, one array for each field of the schema in its order
// (arrow_type.h). What stands under a NULL is zero: the vector may hold there what another statement
// left behind. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "query/growing_bytes.h"
#include "query/vector_tree.h"

namespace sd::query {

class ArrowArray {
 public:
  explicit ArrowArray(const ValueType& type);

  // Rows [from, from + count) of a vector of the type. kInvalidArgument: an INTERVAL beyond Arrow's, or
  // more than 2 GiB or 2^31 elements in one batch. Then the array is of no more use.
  Result<> append(const VectorTree& tree, idx_t from, idx_t count);
  // Begins anew.
  void clear();

  // About what it will take on the wire.
  std::size_t bytes() const;

  struct Node {
    std::int64_t length;
    std::int64_t null_count;
  };
  // Of this array and those below it, in the format's order: parents first.
  void collect(std::vector<Node>& nodes, std::vector<std::string_view>& buffers) const;

 private:
  enum class Layout : std::uint8_t {
    kNull,
    kBool,
    kFixed,    // DuckDB's bytes are Arrow's
    kDecimal,  // widened to 128 bits
    kWide,     // UHUGEINT: widened to 256 bits
    kInterval,
    kBytes,  // offsets and bytes, out of a string_t
    kText,   // offsets and bytes, spelled
    kList,
    kMap,
    kFixedList,
    kStruct,
    kUnion,
  };

  static constexpr std::uint64_t kMostOffset = 0x7FFFFFFF;
  static Error too_large();
  static Layout layout_of(ValueKind kind);
  void append_validity(const VectorTree& tree, idx_t from, idx_t count);
  void append_validity(bool valid, idx_t count);
  void append_bits(std::uint64_t bits, unsigned count, GrowingBytes& to, std::uint64_t at);
  void append_nulls(idx_t count);

  void append_bools(const VectorTree& tree, idx_t from, idx_t count);
  void append_fixed(const VectorTree& tree, idx_t from, idx_t count);
  template <typename T>
  void append_decimals(const VectorTree& tree, idx_t from, idx_t count);
  void append_wide(const VectorTree& tree, idx_t from, idx_t count);
  Result<> append_intervals(const VectorTree& tree, idx_t from, idx_t count);
  Result<> append_bytes(const VectorTree& tree, idx_t from, idx_t count);
  Result<> append_text(const VectorTree& tree, idx_t from, idx_t count);
  Result<> append_lists(const VectorTree& tree, idx_t from, idx_t count);
  Result<> append_elements(const VectorTree& tree, idx_t from, idx_t count);
  Result<> append_members(const VectorTree& tree, idx_t from, idx_t count);

  Layout layout_;
  std::size_t width_ = 0;  // kFixed: bytes of a value
  std::uint64_t length_ = 0;
  std::uint64_t null_count_ = 0;
  GrowingBytes validity_;  // empty until there is a NULL
  GrowingBytes offsets_;
  GrowingBytes values_;  // kUnion: the types
  std::string scratch_;  // kText
  std::uint64_t array_size_ = 0;
  // kMap: keys and values; the struct between is made up on the way out.
  std::vector<ArrowArray> children_;
};

}  // namespace sd::query
