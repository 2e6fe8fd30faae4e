// In mode multitable a child's <parent>_id is the parent's id, so its column has the type of the id's column:
// else the two could not be compared once an id of another kind has come.
#include "base/ascii.h"
#include "load/loader_impl.h"

namespace sd::load {
namespace {

using json::BuilderColumn;
using json::PathTree;
using json::TypeState;

// A key of a document, and not something below it.
PathTree::Node top_level(json::TableBuilder& builder, std::string_view key) {
  return builder.tree().child(PathTree::kRoot, key);
}

bool is_used(json::TableBuilder& builder, std::string_view key) {
  const BuilderColumn* column = builder.find(top_level(builder, key));
  return column != nullptr && column->used;
}

// All that the ids of a table have been: before this batch and in it.
struct Ids {
  TypeState before;
  TypeState after;
  std::uint32_t cause = 0;

  void add(const TypeState& known, const BuilderColumn* in_batch) {
    before.join(known);
    after.join(known);
    if (in_batch == nullptr) return;
    after.join(in_batch->state);
    cause = in_batch->cause;
  }
};

Ids ids_of(const json::TableSchema& schema, json::TableBuilder& builder) {
  Ids ids;
  for (const std::string_view key : {"id", "ID", "Id", "iD"}) {
    const PathTree::Node node = top_level(builder, key);
    const auto known = schema.find(builder.tree().path(node));
    const BuilderColumn* in_batch = builder.find(node);
    if (in_batch != nullptr && !in_batch->used) in_batch = nullptr;
    ids.add(known ? schema.columns[*known].state : TypeState(), in_batch);
  }
  return ids;
}

}  // namespace

Result<> Loader::agree_on_ids() {
  struct Wider {
    std::string parent;
    Ids ids;
  };
  std::vector<Wider> wider;
  for (auto& [child_key, child] : tables_) {
    if (!child->in_batch || !is_used(child->builder, "__parent_row_id")) continue;
    // orders_items_parts is a child of orders_items, or of orders: every table that is a beginning of it.
    for (auto& [key, parent] : tables_) {
      if (!parent->in_batch || !child_key.starts_with(key + "_")) continue;
      const std::string column = parent->schema.name + "_id";
      if (!is_used(child->builder, column)) continue;
      const Ids ids = ids_of(parent->schema, parent->builder);
      TRY(widen_ids(*child, column, ids.after, ids.cause));
    }
  }
  for (auto& [key, parent] : tables_) {
    if (!parent->in_batch || !parent->schema.exists) continue;
    const Ids ids = ids_of(parent->schema, parent->builder);
    if (ids.before.has_values() && ids.before.type() != ids.after.type())
      wider.push_back({parent->schema.name, ids});
  }
  for (const Wider& each : wider) TRY(pass_on_ids(each.parent, each.ids.after, each.ids.cause));
  return {};
}

// To the child tables that are there, whether or not this batch has rows of them.
Result<> Loader::pass_on_ids(const std::string& parent, const TypeState& ids, std::uint32_t cause) {
  TRY_ASSIGN(const std::vector<std::string> children, destination_.child_tables(parent));
  for (const std::string& name : children) {
    TRY_ASSIGN(Table* const child, join(name));
    TRY(widen_ids(*child, parent + "_id", ids, cause));
  }
  return {};
}

// A contract that keeps the column's type goes first; so does whoever made a column of that name that does
// not come from a key of it.
Result<> Loader::widen_ids(Table& child, const std::string& column, const TypeState& ids,
                           std::uint32_t cause) {
  if (child.contract.data_type != json::Allow::kEvolve) return {};
  if (ids.has(json::Kind::kNested)) return {};  // native: it is no id that a child has
  const PathTree::Node place = top_level(child.builder, column);
  const bool known = child.schema.find(child.builder.tree().path(place)).has_value();
  if (known || is_used(child.builder, column)) child.builder.widen(place, ids, cause);
  return {};
}

}  // namespace sd::load
