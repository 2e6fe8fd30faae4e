#include "json/document_flattener.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "json/schema.h"

namespace sd::json {
namespace {

constexpr std::array<const char*, 4> kModes = {"horizontal", "vertical", "multitable", "none"};

constexpr std::string_view kOrder = "__order_";
constexpr std::string_view kId = "id";

Cell integer_cell(std::int64_t value) {
  const std::string token = std::to_string(value);
  return classify_number(token, true);
}

// The name of the id that a key is, whatever its case: they are joined by it. Empty: it is none.
std::string_view id_name(std::string_view key, std::string_view parent_key) {
  if (same_ascii_folded(key, kId)) return kId;
  return same_ascii_folded(key, parent_key) ? parent_key : "";
}

// Whether the value of that key is no longer there, of the row under construction.
bool was_taken_out(TableBuilder& row, std::string_view key) {
  const PathTree::Node place = row.tree().child(PathTree::kRoot, key);
  return std::ranges::any_of(row.touched(), [&](const TableBuilder::Touched& t) {
    return t.forgotten && row.columns()[t.column].node == place;
  });
}

}  // namespace

const char* to_string(Flatten mode) {
  return kModes[static_cast<std::size_t>(mode)];
}

std::optional<Flatten> parse_flatten(std::string_view name) {
  if (name == "explode") return Flatten::kVertical;
  for (std::size_t i = 0; i < kModes.size(); ++i) {
    if (name == kModes[i]) return static_cast<Flatten>(i);
  }
  return std::nullopt;
}

DocumentFlattener::DocumentFlattener(FlattenOptions options, std::string table)
    : options_([&] {
        if (options.mode == Flatten::kNone) options.max_depth = 1;
        return options;
      }()),
      table_(std::move(table)) {}

namespace {

// Bytes of text that a value takes up in a cell.
double text_bytes(const RowTree& tree, RowTree::Index i) {
  if (!tree[i].is_container()) return static_cast<double>(tree[i].text.size());
  if (tree[i].first == RowTree::kNone) return 2;
  std::string text;
  tree.append_json(i, text);
  return static_cast<double>(text.size());
}

// Of the ids in a document, which the children repeat.
double longest_id(const RowTree& tree) {
  double longest = 0;
  for (RowTree::Index i = 0; i < tree.size(); ++i) {
    const RowTree::Value& value = tree[i];
    if (!value.is_container() && same_ascii_folded(value.key, kId))
      longest = std::max(longest, static_cast<double>(value.text.size()));
  }
  return longest;
}

}  // namespace

bool DocumentFlattener::stays_whole(const RowTree& tree, Index i, std::uint32_t depth) const {
  const RowTree::Value& value = tree[i];
  if (!value.is_container()) return false;
  return value.first == RowTree::kNone || (options_.max_depth != 0 && depth >= options_.max_depth);
}

std::optional<RowError> DocumentFlattener::check(const RowTree& tree) const {
  Size size;
  if (options_.mode == Flatten::kVertical) size = exploded_size(tree, RowTree::kRoot, 0);
  if (options_.mode == Flatten::kMultitable) {
    size.rows = 1 + count_children(tree, RowTree::kRoot, 0);
    size.bytes = longest_id(tree) * (size.rows - 1);
  }
  const auto over = [](double what, std::uint64_t most, const char* of) {
    const bool is_over = what > static_cast<double>(most);
    return is_over ? "the row would become more than " + std::to_string(most) + of : std::string();
  };
  RowError error{.code = "too-many-rows", .detail = {}, .offset = 0};
  error.detail = over(size.rows, options_.max_rows, " rows");
  if (error.detail.empty()) error.detail = over(size.cells, options_.max_cells, " values");
  if (error.detail.empty()) error.detail = over(size.bytes, options_.max_bytes, " bytes of text");
  if (error.detail.empty()) return std::nullopt;
  return error;
}

Result<> DocumentFlattener::run(const RowTree& tree, std::int64_t document_id,
                                RowSink& sink) const {
  if (options_.mode == Flatten::kVertical) return run_vertical(tree, document_id, sink);
  if (options_.mode == Flatten::kMultitable) {
    return run_object(tree, RowTree::kRoot, 0, table_, nullptr, sink);
  }
  TRY_ASSIGN(TableBuilder* const to, sink.table(table_));
  to->begin_row();
  for (Index i = tree[RowTree::kRoot].first; i != RowTree::kNone; i = tree[i].next) {
    put_flat(tree, i, 1, *to, to->tree().child(PathTree::kRoot, tree[i].key));
  }
  sink.settle(*to);
  sink.commit(*to);
  return {};
}

void DocumentFlattener::put_value(const RowTree& tree, Index i, TableBuilder& to,
                                  PathTree::Node node) const {
  const RowTree::Value& value = tree[i];
  if (value.is_container() && options_.mode == Flatten::kNone) {
    to.add_nested(node, tree, i);
  } else if (value.is_container()) {
    std::string text;
    tree.append_json(i, text);
    to.add_text(node, Kind::kJson, text);
  } else if (value.kind == ValueKind::kNull) {
    to.add_null(node);
  } else if (value.kind == ValueKind::kString) {
    to.add_string(node, value.text);
  } else {
    to.add_copy(node, cell_of(value));
  }
}

void DocumentFlattener::put_flat(const RowTree& tree, Index i, std::uint32_t depth,
                                 TableBuilder& to, PathTree::Node node) const {
  const RowTree::Value& value = tree[i];
  if (!value.is_container() || stays_whole(tree, i, depth)) return put_value(tree, i, to, node);
  std::uint32_t element = 0;
  for (Index each = value.first; each != RowTree::kNone; each = tree[each].next) {
    const PathTree::Node place = value.kind == ValueKind::kObject
                                     ? to.tree().child(node, tree[each].key)
                                     : to.tree().element(node, element++);
    put_flat(tree, each, depth + 1, to, place);
  }
}

// ---- vertical

// In doubles: exact where it matters, and no product of lengths overflows them.
auto DocumentFlattener::exploded_size(const RowTree& tree, Index i, std::uint32_t depth) const
    -> Size {
  const RowTree::Value& value = tree[i];
  if (!value.is_container() || stays_whole(tree, i, depth)) {
    return {.rows = 1, .cells = 1, .bytes = text_bytes(tree, i)};
  }
  Size size{.rows = value.kind == ValueKind::kArray ? 0.0 : 1.0};
  for (Index each = value.first; each != RowTree::kNone; each = tree[each].next) {
    const Size one = exploded_size(tree, each, depth + 1);
    if (value.kind == ValueKind::kArray) {
      size.rows += one.rows;
      size.cells += one.cells + one.rows;  // each row says which element it is
      size.bytes += one.bytes;
    } else {
      size.cells = size.cells * one.rows + one.cells * size.rows;
      size.bytes = size.bytes * one.rows + one.bytes * size.rows;
      size.rows *= one.rows;
    }
  }
  return size;
}

auto DocumentFlattener::explode(const RowTree& tree, Index i, std::uint32_t depth, TableBuilder& to,
                                PathTree::Node node, PathTree::Node order) const
    -> std::vector<Items> {
  const RowTree::Value& value = tree[i];
  // A document without members is a row without values.
  if (i == RowTree::kRoot && value.first == RowTree::kNone) return {{}};
  if (!value.is_container() || stays_whole(tree, i, depth)) return {{Item{node, i}}};
  std::vector<Items> rows;
  if (value.kind == ValueKind::kArray) {
    std::uint32_t element = 0;
    for (Index each = value.first; each != RowTree::kNone; each = tree[each].next, ++element) {
      // An array in an array has a place of its own in the order, and none in the names of columns.
      // No key leads below again(): an array that a key brings has its order elsewhere.
      PathTree::Node inner = order;
      if (tree[each].kind == ValueKind::kArray)
        inner = to.tree().child(to.tree().again(order), to.tree().name(node));
      for (Items& row : explode(tree, each, depth + 1, to, node, inner)) {
        row.push_back({order, RowTree::kNone, element});
        rows.push_back(std::move(row));
      }
    }
    return rows;
  }
  rows.emplace_back();
  for (Index each = value.first; each != RowTree::kNone; each = tree[each].next) {
    const std::string_view key = tree[each].key;
    const bool top = node == PathTree::kRoot;
    const PathTree::Node place = to.tree().child(node, key);
    // Orders have places like the arrays', so that two never share one.
    PathTree::Node inner = order;
    if (tree[each].is_container())
      inner = to.tree().child(order, top ? std::string(kOrder).append(key) : std::string(key));
    std::vector<Items> member = explode(tree, each, depth + 1, to, place, inner);
    if (member.size() == 1) {
      for (Items& row : rows) row.insert(row.end(), member.front().begin(), member.front().end());
      continue;
    }
    std::vector<Items> product;
    product.reserve(rows.size() * member.size());
    for (const Items& left : rows) {
      for (const Items& right : member) {
        Items& row = product.emplace_back(left);
        row.insert(row.end(), right.begin(), right.end());
      }
    }
    rows = std::move(product);
  }
  return rows;
}

Result<> DocumentFlattener::run_vertical(const RowTree& tree, std::int64_t document_id,
                                         RowSink& sink) const {
  TRY_ASSIGN(TableBuilder* const to, sink.table(table_));
  // Below again() are places that no key leads to, in this mode or another: what is ours shares none
  // with a key that is named like it.
  const PathTree::Node ours = to->tree().again(PathTree::kRoot);
  const PathTree::Node document = to->tree().child(ours, "___document_id");
  for (const Items& row : explode(tree, RowTree::kRoot, 0, *to, PathTree::kRoot, ours)) {
    // Our own values come first, so that they have their names where the document brings these too.
    to->begin_row();
    to->add_copy(document, integer_cell(document_id));
    for (const Item& item : row) {
      if (item.value == RowTree::kNone) to->add_copy(item.node, integer_cell(item.order));
    }
    for (const Item& item : row) {
      if (item.value != RowTree::kNone) put_value(tree, item.value, *to, item.node);
    }
    sink.settle(*to);
    sink.commit(*to);
  }
  return {};
}

// ---- multitable

double DocumentFlattener::count_children(const RowTree& tree, Index i, std::uint32_t depth) const {
  const RowTree::Value& value = tree[i];
  if (!value.is_container() || stays_whole(tree, i, depth)) return 0;
  double rows = 0;
  for (Index each = value.first; each != RowTree::kNone; each = tree[each].next) {
    if (value.kind == ValueKind::kArray) rows += 1;
    const bool nested = value.kind == ValueKind::kArray && tree[each].kind == ValueKind::kArray;
    if (!nested) rows += count_children(tree, each, depth + 1);
  }
  return rows;
}

bool DocumentFlattener::is_column(const RowTree& tree, Index i, std::uint32_t depth,
                                  const std::string& full) const {
  const RowTree::Value& value = tree[i];
  if (!value.is_container() || stays_whole(tree, i, depth)) return true;
  return value.kind == ValueKind::kArray && !is_valid_name(full);
}

auto DocumentFlattener::find_brought(const RowTree& tree, Index object, std::uint32_t depth,
                                     const std::string& table, std::string_view key) const
    -> Index {
  for (Index i = tree[object].first; i != RowTree::kNone; i = tree[i].next) {
    const RowTree::Value& value = tree[i];
    if (same_ascii_folded(value.key, key) && value.kind != ValueKind::kNull &&
        is_column(tree, i, depth + 1, table + "_" + std::string(value.key)))
      return i;
  }
  return RowTree::kNone;
}

void DocumentFlattener::put_object(const RowTree& tree, Index i, std::uint32_t depth,
                                   TableBuilder& to, PathTree::Node node, const std::string& name,
                                   std::string_view parent_key,
                                   std::vector<Child>& children) const {
  for (Index each = tree[i].first; each != RowTree::kNone; each = tree[each].next) {
    const RowTree::Value& value = tree[each];
    const std::string_view names_a_row =
        node == PathTree::kRoot ? id_name(value.key, parent_key) : "";
    // A null for an id says nothing: the row gets one as if it had brought none.
    if (!names_a_row.empty() && value.kind == ValueKind::kNull) continue;
    const std::string full = name + "_" + std::string(value.key);
    if (is_column(tree, each, depth + 1, full))
      put_value(tree, each, to,
                to.tree().child(node, names_a_row.empty() ? value.key : names_a_row));
    else if (value.kind == ValueKind::kObject)
      put_object(tree, each, depth + 1, to, to.tree().child(node, value.key), full, parent_key,
                 children);
    else
      children.push_back({full, value.key, each, depth + 1});
  }
}

PathTree::Node DocumentFlattener::parent_row_id(PathTree& tree) {
  return tree.child(tree.again(PathTree::kRoot), "__parent_row_id");
}

// What a row of a child table has besides its own. It comes first, so that __parent_row_id is ours
// whatever the object brings; the parent's id gives way to a value of its name (`brought`).
void DocumentFlattener::put_parent(TableBuilder& to, const Parent& parent, bool brought) {
  to.add_copy(parent_row_id(to.tree()), integer_cell(parent.row_id));
  if (brought) return;
  PathTree::Node place = to.tree().child(PathTree::kRoot, parent.id_key());
  // The parent is called __row: the name is the child's own.
  if (parent.id_key() == kRowId) place = to.tree().again(place);
  if (parent.id.kind == Kind::kNull)
    to.add_null(place);
  else
    to.add_copy(place, parent.id);
}

Result<> DocumentFlattener::run_object(const RowTree& tree, Index object, std::uint32_t depth,
                                       const std::string& table, const Parent* parent,
                                       RowSink& sink) const {
  TRY_ASSIGN(TableBuilder* const to, sink.table(table));
  std::vector<Child> children;
  to->begin_row();
  const std::string parent_key = parent == nullptr ? "" : parent->id_key();
  if (parent != nullptr) {
    const Index brought = find_brought(tree, object, depth, table, parent_key);
    put_parent(*to, *parent, brought != RowTree::kNone);
  }
  put_object(tree, object, depth, *to, PathTree::kRoot, table, parent_key, children);
  Parent self{.table = table, .id = {}, .row_id = sink.row_id(*to)};
  self.id = integer_cell(self.row_id);
  const Index own = find_brought(tree, object, depth, table, kId);
  if (own != RowTree::kNone && !tree[own].is_container()) self.id = cell_of(tree[own]);
  // As it is stored here, whatever the children's contracts say of times.
  if (self.id.kind == Kind::kString) self.id.kind = to->kind_of_string(self.id.view());
  self.id = sink.stored(*to, to->tree().child(PathTree::kRoot, kId), self.id);
  // Where somebody made the table, our number may be no id there.
  if (own == RowTree::kNone && self.id.kind != Kind::kNull)
    to->add_copy(to->tree().child(PathTree::kRoot, kId), self.id);
  sink.settle(*to);
  if (own != RowTree::kNone && was_taken_out(*to, kId)) self.id = Cell();
  sink.commit(*to);
  for (const Child& child : children) {
    for (Index each = tree[child.array].first; each != RowTree::kNone; each = tree[each].next) {
      TRY(run_element(tree, each, child, self, sink));
    }
  }
  return {};
}

Result<> DocumentFlattener::run_element(const RowTree& tree, Index element, const Child& child,
                                        const Parent& parent, RowSink& sink) const {
  const bool is_object = tree[element].kind == ValueKind::kObject;
  if (is_object && !stays_whole(tree, element, child.depth + 1)) {
    return run_object(tree, element, child.depth + 1, child.table, &parent, sink);
  }
  TRY_ASSIGN(TableBuilder* const to, sink.table(child.table));
  to->begin_row();
  const std::string parent_key = parent.id_key();
  const std::string_view names_a_row = id_name(child.column, parent_key);
  const bool is_null = tree[element].kind == ValueKind::kNull;
  const bool is_id = names_a_row == kId;
  put_parent(*to, parent, names_a_row == parent_key && !is_null);
  if (names_a_row.empty() || !is_null) {
    const std::string_view key = names_a_row.empty() ? child.column : names_a_row;
    put_value(tree, element, *to, to->tree().child(PathTree::kRoot, key));
  }
  if (!is_id || is_null) {
    const PathTree::Node place = to->tree().child(PathTree::kRoot, kId);
    const Cell id = sink.stored(*to, place, integer_cell(sink.row_id(*to)));
    if (id.kind != Kind::kNull) to->add_copy(place, id);
  }
  sink.settle(*to);
  sink.commit(*to);
  return {};
}

}  // namespace sd::json
