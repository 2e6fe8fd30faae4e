// Which rows and values a document becomes, written down a second time as plainly as can be (docs/rows.md,
// "Flatten modes"): what the flatteners make is held against it.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/ascii.h"
#include "fuzz/json/oracle.h"
#include "json/document_flattener.h"
#include "json/schema.h"

namespace sd::fuzz {

// A place in a document: its path without the closing bracket, and the name made of it.
struct Place {
  std::string path = "[";
  std::string name;
  bool named = false;
  int again = 0;  // how often the same path is there already

  Place key(std::string_view text) const { return step(json_string(text), std::string(text)); }
  Place element(std::uint64_t index) const {
    return step(std::to_string(index), std::to_string(index));
  }
  Place once_more() const {
    Place out = *this;
    ++out.again;
    return out;
  }
  std::string whole_path() const { return path + mark() + "]"; }

 private:
  std::string mark() const {
    if (again == 0) return "";
    return std::string(path.size() == 1 ? "" : ",") + "{\"again\":" + std::to_string(again) + "}";
  }
  Place step(const std::string& in_path, const std::string& in_name) const {
    const std::string before = path + mark();
    return {before + (before.size() == 1 ? "" : ",") + in_path,
            named ? name + "_" + in_name : in_name, true, 0};
  }
};

struct Leaf {
  Place place;
  std::string value;                      // in normal spelling; of a null: nothing
  std::optional<std::int64_t> integer{};  // sent as an integer of 64 bits
  std::uint64_t bytes = 0;                // of text that was sent
  bool ours = false;                      // a name of ours, which it has before what was sent
  std::size_t order = 0;                  // among the leaves of its row
};

struct ExpectedRow {
  std::string table;  // folded
  std::int64_t id = 0;
  // By path, those of repeated keys apart. A null is empty: a column, but no cell.
  std::map<std::string, Leaf> leaves;
};

class Model {
 public:
  Model(const json::FlattenOptions& options, std::string table)
      : options_(options), table_(std::move(table)) {}

  // The rows of a good document, in the order in which they are committed, or nothing where they are too
  // many to be written down.
  std::optional<std::vector<ExpectedRow>> rows(const RowTree& tree, std::int64_t next_id) {
    tree_ = &tree;
    next_id_ = next_id;
    rows_.clear();
    cells_ = 0;
    bytes_ = 0;
    unnamed_ = false;
    if (options_.mode == json::Flatten::kVertical) {
      if (!vertical()) return std::nullopt;
    } else if (options_.mode == json::Flatten::kMultitable) {
      object(RowTree::kRoot, 0, table_, nullptr);
    } else {
      Leaves leaves;
      flat_members(RowTree::kRoot, 0, Place{}, leaves);
      commit(table_, leaves);
    }
    return rows_;
  }
  // Values of the rows with nulls, as FlattenOptions::max_cells counts them.
  std::uint64_t cells() const { return cells_; }
  // Text of the rows as FlattenOptions::max_bytes counts it: in vertical mode all that was sent, in
  // multitable mode what children repeat.
  std::uint64_t bytes() const { return bytes_; }
  // What the limits of multitable mode look at before there are rows: no fewer rows than there will
  // be, and no less text. An array without a table counts, and an id that no child names.
  std::uint64_t most_rows() const {
    return unnamed_ ? 1 + elements_of(RowTree::kRoot) : rows_.size();
  }
  std::uint64_t most_bytes() const {
    std::uint64_t longest = 0;
    for (Index i = 0; i < tree_->size(); ++i) {
      if (!at(i).is_container() && fold_ascii(at(i).key) == "id")
        longest = std::max<std::uint64_t>(longest, at(i).text.size());
    }
    return longest * (most_rows() - 1);
  }

 private:
  using Index = RowTree::Index;
  using Leaves = std::vector<Leaf>;
  struct Parent {
    std::string table;
    Leaf id;
    std::int64_t row_id;
  };
  struct Child {
    std::string table;
    std::string key;
    Index array;
    std::uint32_t depth;
  };
  std::string parent_key_;  // of the object whose members are read
  static constexpr std::size_t kMostRows = 2000;
  static constexpr std::size_t kMostCells = 60'000;

  const RowTree::Value& at(Index i) const { return (*tree_)[i]; }
  std::vector<Index> values(Index container) const {
    std::vector<Index> out;
    for (Index i = at(container).first; i != RowTree::kNone; i = at(i).next) out.push_back(i);
    return out;
  }
  std::uint64_t elements_of(Index i) const {
    std::uint64_t count = 0;
    for (const Index each : values(i))
      count += (at(i).kind == ValueKind::kArray ? 1 : 0) + elements_of(each);
    return count;
  }
  bool is_leaf(Index i, std::uint32_t depth) const {
    const std::uint32_t most = options_.mode == json::Flatten::kNone ? 1 : options_.max_depth;
    return !at(i).is_container() || at(i).first == RowTree::kNone || (most != 0 && depth >= most);
  }
  Leaf leaf(Index i, const Place& place) const {
    Leaf out{place, at(i).kind == ValueKind::kNull ? "" : normal(*tree_, i)};
    const std::string_view token = at(i).text;
    std::int64_t value = 0;
    if (at(i).kind == ValueKind::kNumber && at(i).is_integer && token != "-0" &&
        std::from_chars(token.data(), token.data() + token.size(), value).ec == std::errc{}) {
      out.integer = value;
    }
    std::string whole;
    if (at(i).is_container()) tree_->append_json(i, whole);
    out.bytes = token.size() + whole.size();
    return out;
  }
  static Leaf made(const Place& place, std::int64_t value) {
    return {.place = place, .value = normal_number(std::to_string(value)), .ours = true};
  }
  static Leaf made(const std::string& key, std::int64_t value) {
    return made(Place{}.key(key), value);
  }

  void flat_members(Index container, std::uint32_t depth, const Place& place, Leaves& out) const {
    std::uint64_t element = 0;
    for (const Index i : values(container)) {
      const Place inner = at(container).kind == ValueKind::kObject ? place.key(at(i).key)
                                                                   : place.element(element++);
      if (is_leaf(i, depth + 1))
        out.push_back(leaf(i, inner));
      else
        flat_members(i, depth + 1, inner, out);
    }
  }

  // ---- vertical: each row is a choice of one element of each array

  bool vertical() {
    const std::int64_t document = next_id_;
    const Place ours = Place{}.once_more();
    const auto rows = explode(RowTree::kRoot, 0, Place{}, ours);
    if (!rows) return false;
    for (Leaves leaves : *rows) {
      cells_ += leaves.size();
      for (const Leaf& each : leaves) bytes_ += each.bytes;
      leaves.insert(leaves.begin(), made(ours.key("___document_id"), document));
      std::ranges::stable_partition(leaves, &Leaf::ours);
      commit(table_, leaves);
    }
    return true;
  }

  // Of a value at a place, which has its order, if it is an array, at another.
  std::optional<std::vector<Leaves>> explode(Index i, std::uint32_t depth, const Place& place,
                                             const Place& order) const {
    if (i == RowTree::kRoot && at(i).first == RowTree::kNone) return {{Leaves{}}};
    if (is_leaf(i, depth)) return {{Leaves{leaf(i, place)}}};
    const bool array = at(i).kind == ValueKind::kArray;
    std::vector<Leaves> rows(array ? 0 : 1);
    std::int64_t element = 0;
    for (const Index each : values(i)) {
      const std::string key(at(each).key);
      const bool top = i == RowTree::kRoot;
      const Place inner = array ? place : place.key(key);
      Place inner_order = order;
      if (!array)
        inner_order = order.key((top ? "__order_" : "") + key);
      else if (at(each).kind == ValueKind::kArray)
        inner_order = order.once_more().key(place.name);
      const auto more = explode(each, depth + 1, inner, inner_order);
      if (!more) return std::nullopt;
      std::vector<Leaves> product;
      if (array) {
        const Leaf number = made(order, element++);
        product = std::move(rows);
        for (const Leaves& right : *more) product.emplace_back(right).push_back(number);
      } else {
        if (rows.size() * more->size() > kMostRows) return std::nullopt;
        for (const Leaves& left : rows) {
          for (const Leaves& right : *more)
            product.emplace_back(left).insert(product.back().end(), right.begin(), right.end());
        }
      }
      rows = std::move(product);
      std::size_t cells = 0;
      for (const Leaves& row : rows) cells += row.size();
      if (rows.size() > kMostRows || cells > kMostCells) return std::nullopt;
    }
    return rows;
  }

  // ---- multitable

  static bool is_id(std::string_view key) { return fold_ascii(key) == "id"; }
  // "id" and the parent's are told in any case, and are written as they are named here.
  std::string id_name(const std::string& key) const {
    if (is_id(key)) return "id";
    return fold_ascii(key) == fold_ascii(parent_key_) ? parent_key_ : "";
  }

  void members(Index container, std::uint32_t depth, const Place& place, const std::string& name,
               Leaves& out, std::vector<Child>& children) {
    for (const Index i : values(container)) {
      const std::string key(at(i).key);
      const std::string full = name + "_" + key;
      const bool whole = is_leaf(i, depth + 1);
      const bool table = at(i).kind == ValueKind::kArray && !whole;
      if (table && !json::is_valid_name(full)) unnamed_ = true;
      const bool names_a_row = !place.named && !id_name(key).empty();
      if (names_a_row && at(i).kind == ValueKind::kNull) continue;
      const Place inner = place.key(names_a_row ? id_name(key) : key);
      if (at(i).kind == ValueKind::kObject && !whole)
        members(i, depth + 1, place.key(key), full, out, children);
      else if (table && json::is_valid_name(full))
        children.push_back({full, key, i, depth + 1});
      else
        out.push_back(leaf(i, inner));
    }
  }

  // First __parent_row_id, always; then the parent's id, unless a value of its name is brought.
  Leaves of_parent(const Parent& parent, bool brought) {
    Leaves out{made(Place{}.once_more().key("__parent_row_id"), parent.row_id)};
    if (brought) return out;
    Leaf id = parent.id;
    id.place = Place{}.key(parent.table + "_id");
    bytes_ += id.bytes;
    out.push_back(std::move(id));
    return out;
  }

  void object(Index i, std::uint32_t depth, const std::string& table, const Parent* parent) {
    Leaves leaves;
    std::vector<Child> children;
    parent_key_ = parent == nullptr ? "" : parent->table + "_id";
    members(i, depth, Place{}, table, leaves, children);
    if (parent != nullptr) {
      const std::string path = fold_ascii(Place{}.key(parent->table + "_id").path);
      const bool brought = std::ranges::any_of(
          leaves, [&](const Leaf& each) { return fold_ascii(each.place.path) == path; });
      const Leaves first = of_parent(*parent, brought);
      leaves.insert(leaves.begin(), first.begin(), first.end());
    }
    const std::int64_t row_id = id_of(leaves);
    Parent self{table, made("id", row_id), row_id};
    const auto own =
        std::ranges::find_if(leaves, [](const Leaf& l) { return is_id(l.place.name); });
    // A whole object or array stays where it is, but does not name the row.
    if (own == leaves.end())
      leaves.push_back(self.id);
    else if (!own->value.starts_with('{') && !own->value.starts_with('['))
      self.id = *own;
    commit(table, leaves);
    for (const Child& child : children) {
      for (const Index each : values(child.array)) element(each, child, self);
    }
  }

  void element(Index i, const Child& child, const Parent& parent) {
    if (at(i).kind == ValueKind::kObject && !is_leaf(i, child.depth + 1))
      return object(i, child.depth + 1, child.table, &parent);
    const bool null = at(i).kind == ValueKind::kNull;
    const bool parents = fold_ascii(child.key) == fold_ascii(parent.table + "_id");
    Leaves leaves = of_parent(parent, parents && !null);
    const std::string key = is_id(child.key) ? "id" : parents ? parent.table + "_id" : child.key;
    if (!null || !(is_id(child.key) || parents)) leaves.push_back(leaf(i, Place{}.key(key)));
    if (null || !is_id(child.key)) leaves.push_back(made("id", id_of(leaves)));
    commit(child.table, leaves);
  }

  // ---- rows

  // An integer of 64 bits under "__row_id" is the row's id and no column; a null there is nothing.
  static bool is_row_id(const Leaf& leaf) { return leaf.place.path == "[\"__row_id\""; }

  std::int64_t id_of(const Leaves& leaves) const {
    for (const Leaf& each : leaves) {
      if (is_row_id(each) && each.integer) return *each.integer;
    }
    return next_id_;
  }

  void commit(const std::string& table, const Leaves& leaves) {
    ExpectedRow row{fold_ascii(table), id_of(leaves), {}};
    bool own_id = false;
    for (Leaf each : leaves) {
      if (is_row_id(each) && each.value.empty()) continue;
      if (is_row_id(each) && each.integer && !own_id) {
        own_id = true;
        continue;
      }
      while (row.leaves.contains(each.place.whole_path())) each.place = each.place.once_more();
      each.order = row.leaves.size();
      row.leaves.emplace(each.place.whole_path(), each);
    }
    rows_.push_back(std::move(row));
    ++next_id_;
  }

  const json::FlattenOptions options_;
  const std::string table_;
  const RowTree* tree_ = nullptr;
  std::int64_t next_id_ = 0;
  std::vector<ExpectedRow> rows_;
  std::uint64_t cells_ = 0;
  std::uint64_t bytes_ = 0;
  bool unnamed_ = false;  // an array has no table, as that would have no name
};

}  // namespace sd::fuzz
