#include "query/vector_tree.h"

#include "base/json_text.h"
#include "query/value_text.h"

namespace sd::query {
namespace {

const ValueType& plain(ValueKind kind) {
  static const auto kTypes = [] {
    std::vector<ValueType> types(static_cast<std::size_t>(ValueKind::kUnion) + 1);
    for (std::size_t i = 0; i < types.size(); ++i) types[i].kind = static_cast<ValueKind>(i);
    return types;
  }();
  return kTypes[static_cast<std::size_t>(kind)];
}

// The struct that a VARIANT is underneath; the same for all.
const ValueType& variant_layout() {
  static const auto kLayout = [] {
    const auto list_of = [](std::vector<ValueType> members) {
      ValueType list{.kind = ValueKind::kList};
      if (members.size() == 1) {
        list.children = std::move(members);
      } else {
        list.children.push_back({.kind = ValueKind::kStruct, .children = std::move(members)});
      }
      return list;
    };
    return ValueType{
        .kind = ValueKind::kStruct,
        .children = {list_of({plain(ValueKind::kVarchar)}),
                     list_of({plain(ValueKind::kUinteger), plain(ValueKind::kUinteger)}),
                     list_of({plain(ValueKind::kUtinyint), plain(ValueKind::kUinteger)}),
                     plain(ValueKind::kBlob)}};
  }();
  return kLayout;
}

}  // namespace

VectorTree::VectorTree(const ValueType& value_type) : type(&value_type) {
  switch (type->kind) {
    case ValueKind::kEnum8:
    case ValueKind::kEnum16:
    case ValueKind::kEnum32:
      for (const std::string& label : type->labels) spelled.push_back(json_string(label));
      break;
    case ValueKind::kUnion:
      children.emplace_back(plain(ValueKind::kUtinyint));
      [[fallthrough]];
    case ValueKind::kStruct:
      for (const std::string& label : type->labels) spelled.push_back(json_string(label) + ":");
      [[fallthrough]];
    case ValueKind::kList:
    case ValueKind::kArray:
    case ValueKind::kMap:
      for (const ValueType& child : type->children) children.emplace_back(child);
      break;
    case ValueKind::kVariant:
      for (const ValueType& child : variant_layout().children) children.emplace_back(child);
      break;
    default:
      break;
  }
}

void VectorTree::bind(duckdb_vector vector) {
  validity = duckdb_vector_get_validity(vector);
  data = nullptr;
  switch (type->kind) {
    case ValueKind::kNull:
      break;
    case ValueKind::kList:
      data = duckdb_vector_get_data(vector);
      children[0].bind(duckdb_list_vector_get_child(vector));
      break;
    case ValueKind::kMap: {
      data = duckdb_vector_get_data(vector);
      duckdb_vector entries = duckdb_list_vector_get_child(vector);
      children[0].bind(duckdb_struct_vector_get_child(entries, 0));
      children[1].bind(duckdb_struct_vector_get_child(entries, 1));
      break;
    }
    case ValueKind::kArray:
      children[0].bind(duckdb_array_vector_get_child(vector));
      break;
    case ValueKind::kStruct:
    case ValueKind::kUnion:
    case ValueKind::kVariant:
      for (idx_t i = 0; i < children.size(); ++i) {
        children[i].bind(duckdb_struct_vector_get_child(vector, i));
      }
      break;
    default:
      data = duckdb_vector_get_data(vector);
  }
}

void VectorTree::look_ahead(idx_t count) {
  if (type->kind != ValueKind::kDouble) return;
  millionths.resize(count);
  find_millionths(static_cast<const double*>(data), count, millionths.data());
}

}  // namespace sd::query
