// One column of a chunk, opened up: pointers to its data, its validity, and its nested vectors,
// resolved once per chunk so that reading a value is an index.
//
// A tree is made once per column of a result and bound to each chunk in turn; its pointers are the
// chunk's. One thread. DuckDB's C API hands out flat vectors only, nested ones too (its fetch calls
// flatten them).
#pragma once

#include <duckdb.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "query/result_shape.h"

namespace sd::query {

struct VectorTree {
  explicit VectorTree(const ValueType& value_type);
  void bind(duckdb_vector vector);
  // For frequent_text(), which it makes faster: a look at all values of the chunk, once it is bound.
  void look_ahead(idx_t count);

  bool valid(idx_t row) const {
    return validity == nullptr || ((validity[row >> 6] >> (row & 63)) & 1) != 0;
  }
  template <typename T>
  const T& at(idx_t row) const {
    return static_cast<const T*>(data)[row];
  }
  std::string_view string_at(idx_t row) const {
    const auto& s = at<duckdb_string_t>(row);
    const std::uint32_t length = s.value.inlined.length;
    // At most 12 bytes stand in the value itself.
    return {length <= 12 ? s.value.inlined.inlined : s.value.pointer.ptr, length};
  }

  const ValueType* type;
  const void* data = nullptr;
  const std::uint64_t* validity = nullptr;  // nullptr: every value is valid
  // LIST, ARRAY: the elements; MAP: keys and values; STRUCT: members; UNION: the tags, then
  // members; VARIANT: see json_variant.cc.
  std::vector<VectorTree> children;
  // ENUM: its values as JSON strings. STRUCT and UNION: `"name":` of each member.
  std::vector<std::string> spelled;
  std::vector<std::int64_t> millionths;  // see value_text.h; empty without look_ahead()
};

}  // namespace sd::query
